/* Built-ins of maps and erlang about maps. */
#include "vm/base/mem.h"
#include "vm/bif/bif.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/tuple.h"

static BifResult bif_map_bad(Process *p, Term map)
{
    return raise_tagged(p, TERM_ATOM(BADMAP), map);
}

static BifResult bif_map_done(Process *p, Term map)
{
    return term_is_none(map) ? raise_system_limit(p) : map;
}

BifResult bif_map_size(Process *p)
{
    if (!term_is_map(arg(p, 0))) return bif_map_bad(p, arg(p, 0));
    return small_from((int64_t)map_size(arg(p, 0)));
}

BifResult bif_maps_get(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    Term value = map_get(p->run->atoms, arg(p, 1), arg(p, 0));
    return term_is_none(value) ? raise_tagged(p, TERM_ATOM(BADKEY), arg(p, 0)) : value;
}

BifResult bif_maps_find(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    Term value = map_get(p->run->atoms, arg(p, 1), arg(p, 0));
    if (term_is_none(value)) return TERM_ATOM(ERROR);
    return bif_map_done(p, heap_tuple2(&p->heap, TERM_ATOM(OK), value));
}

BifResult bif_maps_is_key(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    return term_bool(!term_is_none(map_get(p->run->atoms, arg(p, 1), arg(p, 0))));
}

BifResult bif_maps_put(Process *p)
{
    if (!term_is_map(arg(p, 2))) return bif_map_bad(p, arg(p, 2));
    return bif_map_done(p, map_put(&p->heap, p->run->atoms, arg(p, 2), arg(p, 0), arg(p, 1)));
}

BifResult bif_maps_update(Process *p)
{
    if (!term_is_map(arg(p, 2))) return bif_map_bad(p, arg(p, 2));
    bool found = false;
    Term map = map_update(&p->heap, p->run->atoms, arg(p, 2), arg(p, 0), arg(p, 1), &found);
    return found ? bif_map_done(p, map) : raise_tagged(p, TERM_ATOM(BADKEY), arg(p, 0));
}

BifResult bif_maps_remove(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    return bif_map_done(p, map_remove(&p->heap, p->run->atoms, arg(p, 1), arg(p, 0), NULL));
}

BifResult bif_maps_take(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    Term value;
    Term map = map_remove(&p->heap, p->run->atoms, arg(p, 1), arg(p, 0), &value);
    if (term_is_none(map)) return raise_system_limit(p);
    if (term_is_none(value)) return TERM_ATOM(ERROR);
    return bif_map_done(p, heap_tuple2(&p->heap, value, map));
}

BifResult bif_maps_merge(Process *p)
{
    if (!term_is_map(arg(p, 0))) return bif_map_bad(p, arg(p, 0));
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    bif_charge(p, (int64_t)(map_size(arg(p, 0)) + map_size(arg(p, 1))) / 4);
    return bif_map_done(p, map_merge(&p->heap, p->run->atoms, arg(p, 0), arg(p, 1)));
}

/* ---- lists of a map, in slices: position and list so far are in slots ---- */

typedef Term BifMapElement(Process *p, Term key, Term value);

static BifResult bif_map_list(Process *p, BifMapElement *element)
{
    enum { POSITION = 1, DONE = 2, PHASE = 3 };
    bool first = raw_slot(p, PHASE) == 0;
    Term map = arg(p, 0);
    if (!term_is_map(map)) return bif_map_bad(p, map);
    MapIter it = map_iter_at(map, first ? 0 : raw_slot(p, POSITION));
    Term done = first ? TERM_NIL : slot(p, DONE);
    Term key;
    Term value;
    for (size_t n = 0; map_next(&it, &key, &value);) {
        Term t = element(p, key, value);
        done = term_is_none(t) ? TERM_NONE : heap_cons(&p->heap, t, done);
        if (term_is_none(done)) return raise_system_limit(p);
        if (++n < 256) continue;
        n = 0;
        bif_charge(p, 100);
        if (bif_spent(p)) {
            raw_slot_set(p, POSITION, it.position);
            slot_set(p, DONE, done);
            raw_slot_set(p, PHASE, 1);
            return bif_yield(p);
        }
    }
    return bif_map_done(p, list_reverse(&p->heap, done, TERM_NIL));
}

static Term bif_map_key(Process *p, Term key, Term value)
{
    (void)p;
    (void)value;
    return key;
}
static Term bif_map_value(Process *p, Term key, Term value)
{
    (void)p;
    (void)key;
    return value;
}
static Term bif_map_pair(Process *p, Term key, Term value)
{
    return heap_tuple2(&p->heap, key, value);
}

BifResult bif_maps_keys(Process *p) { return bif_map_list(p, bif_map_key); }
BifResult bif_maps_values(Process *p) { return bif_map_list(p, bif_map_value); }
BifResult bif_maps_to_list(Process *p) { return bif_map_list(p, bif_map_pair); }

/* erts_internal:map_next(Position, Map, iterator): {K1, V1, {K2, V2, ... [Position | Map]}}, a
 * few at a time, or none; what maps:next/1 is made of. */
BifResult bif_map_next(Process *p)
{
    enum { AT_ONCE = 16 };
    Term map = arg(p, 1);
    if (!term_is_small(arg(p, 0)) || small_value(arg(p, 0)) < 0 || !term_is_map(map))
        return raise_badarg(p);
    MapIter it = map_iter_at(map, (uint64_t)small_value(arg(p, 0)));
    Term keys[AT_ONCE];
    Term values[AT_ONCE];
    size_t n = 0;
    while (n < AT_ONCE && map_next(&it, &keys[n], &values[n])) n++;
    Term rest = TERM_ATOM(NONE);
    if (n == AT_ONCE) rest = heap_cons(&p->heap, small_from((int64_t)it.position), map);
    while (n > 0 && !term_is_none(rest)) {
        n--;
        rest = heap_tuple3(&p->heap, keys[n], values[n], rest);
    }
    return bif_map_done(p, rest);
}

/* ---- from lists ---- */

/* Pairs gathered from a list for map_from_pairs; NULL: refused. */
static Term *bif_pairs_new(Process *p, size_t n)
{
    return mem_try_alloc(p->run->mem, MEM_WORK, (2 * n + 1) * sizeof(Term));
}

static BifResult bif_pairs_to_map(Process *p, Term *pairs, size_t n)
{
    Term map = map_from_pairs(&p->heap, p->run->atoms, pairs, n);
    mem_free(p->run->mem, MEM_WORK, pairs, (2 * n + 1) * sizeof(Term));
    bif_charge(p, (int64_t)n);
    return bif_map_done(p, map);
}

BifResult bif_maps_from_list(Process *p)
{
    Term list = arg(p, 0);
    int64_t n = list_length(list);
    if (n < 0) return raise_badarg(p);
    for (Term rest = list; term_is_cons(rest); rest = list_tail(rest))
        if (!term_is_tuple_of(list_head(rest), 2)) return raise_badarg(p);
    Term *pairs = bif_pairs_new(p, (size_t)n);
    if (pairs == NULL) return raise_system_limit(p);
    size_t i = 0;
    for (Term rest = list; term_is_cons(rest); rest = list_tail(rest)) {
        pairs[i++] = tuple_at(list_head(rest), 0);
        pairs[i++] = tuple_at(list_head(rest), 1);
    }
    return bif_pairs_to_map(p, pairs, (size_t)n);
}

BifResult bif_maps_from_keys(Process *p)
{
    int64_t n = list_length(arg(p, 0));
    if (n < 0) return raise_badarg(p);
    Term *pairs = bif_pairs_new(p, (size_t)n);
    if (pairs == NULL) return raise_system_limit(p);
    size_t i = 0;
    for (Term rest = arg(p, 0); term_is_cons(rest); rest = list_tail(rest)) {
        pairs[i++] = list_head(rest);
        pairs[i++] = arg(p, 1);
    }
    return bif_pairs_to_map(p, pairs, (size_t)n);
}
