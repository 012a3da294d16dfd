/* Built-ins of maps and erlang about maps. */
#include "vm/bif/task.h"
#include "vm/proc/keyed.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/map_build.h"
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

/* What is done with the value under a key. */
typedef Term MapFound(Process *p, Term key, Term value);

/* A look-up of argument 0 in the map that is argument 1. */
static BifResult bif_map_find(Process *p, MapFound *found)
{
    Term key = arg(p, 0);
    Term map = arg(p, 1);
    if (!term_is_map(map)) return bif_map_bad(p, map);
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return bif_yield(p);
    Term value = map_get_by(k, map, key);
    if (UNLIKELY(k->more)) return keyed_yield(p, k);
    keyed_end(p, k);
    return found(p, key, value);
}

static Term map_found_get(Process *p, Term key, Term value)
{
    return term_is_none(value) ? raise_tagged(p, TERM_ATOM(BADKEY), key) : value;
}

static Term map_found_find(Process *p, Term key, Term value)
{
    (void)key;
    if (term_is_none(value)) return TERM_ATOM(ERROR);
    return bif_map_done(p, heap_tuple2(&p->heap, TERM_ATOM(OK), value));
}

static Term map_found_is_key(Process *p, Term key, Term value)
{
    (void)p;
    (void)key;
    return term_bool(!term_is_none(value));
}

BifResult bif_maps_get(Process *p) { return bif_map_find(p, map_found_get); }
BifResult bif_maps_find(Process *p) { return bif_map_find(p, map_found_find); }
BifResult bif_maps_is_key(Process *p) { return bif_map_find(p, map_found_is_key); }

BifResult bif_maps_put(Process *p)
{
    if (!term_is_map(arg(p, 2))) return bif_map_bad(p, arg(p, 2));
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return bif_yield(p);
    Term map = map_put_by(&p->heap, k, arg(p, 2), arg(p, 0), arg(p, 1));
    if (UNLIKELY(k->more)) return keyed_yield(p, k);
    keyed_end(p, k);
    return bif_map_done(p, map);
}

BifResult bif_maps_update(Process *p)
{
    if (!term_is_map(arg(p, 2))) return bif_map_bad(p, arg(p, 2));
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return bif_yield(p);
    bool found = false;
    Term map = map_update_by(&p->heap, k, arg(p, 2), arg(p, 0), arg(p, 1), &found);
    if (UNLIKELY(k->more)) return keyed_yield(p, k);
    keyed_end(p, k);
    return found ? bif_map_done(p, map) : raise_tagged(p, TERM_ATOM(BADKEY), arg(p, 0));
}

/* The map without the key; *value is what it had.  Or TERM_YIELD, or no memory. */
static Term bif_map_without(Process *p, Term *value)
{
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return bif_yield(p);
    Term map = map_remove_by(&p->heap, k, arg(p, 1), arg(p, 0), value);
    if (UNLIKELY(k->more)) return keyed_yield(p, k);
    keyed_end(p, k);
    return map;
}

BifResult bif_maps_remove(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    return bif_map_done(p, bif_map_without(p, NULL));
}

BifResult bif_maps_take(Process *p)
{
    if (!term_is_map(arg(p, 1))) return bif_map_bad(p, arg(p, 1));
    Term value = TERM_NONE;
    Term map = bif_map_without(p, &value);
    if (term_is_none(map)) return raise_system_limit(p);
    if (term_same(map, TERM_YIELD)) return map;
    if (term_is_none(value)) return TERM_ATOM(ERROR);
    return bif_map_done(p, heap_tuple2(&p->heap, value, map));
}

/* ---- keys, values, pairs ---- */

typedef enum MapPart { MAP_KEYS, MAP_VALUES, MAP_PAIRS } MapPart;

typedef struct MapListTask {
    Pause pause; /* first */
    MapIter it;
    Term first; /* the list, nil-ended; TERM_NONE: memory was refused */
    Word *last; /* its newest cell */
} MapListTask;

/* Elements that a reduction pays for. */
#define MAP_LIST_RATE 2

static void map_list_release(Pause *pause, Process *p)
{
    task_free(pause, sizeof(MapListTask), p);
}

/* Cells for the pairs of a run, all in one piece; behind them the tuples. */
static bool map_list_run(MapListTask *t, Heap *h, MapPart part, const MapRun *run)
{
    size_t n = run->n;
    Word *cell = heap_alloc(h, n * (part == MAP_PAIRS ? 5 : 2));
    if (cell == NULL) return false;
    if (t->last == NULL)
        t->first = cons_from(cell);
    else
        t->last[1] = cons_from(cell).w;
    Word *tuple = cell + 2 * n;
    for (size_t i = 0; i < n; i++, cell += 2) {
        Term key = TERM_RAW(run->keys[i * run->stride]);
        Term value = TERM_RAW(run->values[i * run->stride]);
        Term element = part == MAP_KEYS ? key : value;
        if (part == MAP_PAIRS) {
            tuple[0] = header_make(KIND_TUPLE, 2);
            tuple[1] = key.w;
            tuple[2] = value.w;
            element = boxed_from(tuple);
            tuple += 3;
        }
        cons_at(cell, element, cons_from(cell + 2));
    }
    t->last = cell - 2;
    t->last[1] = TERM_NIL.w;
    return true;
}

/* True when the end is reached, or memory was refused. */
static bool map_list_step(MapListTask *t, Process *p, MapPart part, size_t *budget)
{
    MapRun run;
    while (*budget > 0) {
        if (!map_next_run(&t->it, *budget, &run)) return true;
        *budget -= run.n;
        if (!map_list_run(t, &p->heap, part, &run)) {
            t->first = TERM_NONE;
            return true;
        }
    }
    return false;
}

static BifResult bif_map_list(Process *p, MapPart part)
{
    MapListTask here;
    MapListTask *t = (MapListTask *)pause_find(p, map_list_release);
    if (t == NULL) {
        if (!term_is_map(arg(p, 0))) return bif_map_bad(p, arg(p, 0));
        t = &here;
        t->it = map_iter(arg(p, 0));
        t->first = TERM_NIL;
        t->last = NULL;
    }
    size_t budget = task_budget(p, MAP_LIST_RATE);
    size_t left = budget;
    bool done = map_list_step(t, p, part, &left);
    task_charge(p, budget, left, MAP_LIST_RATE);
    if (!done) {
        task_keep(p, t, sizeof *t, map_list_release);
        return bif_yield(p);
    }
    Term list = t->first;
    task_end(p, &t->pause, map_list_release);
    return bif_map_done(p, list);
}

BifResult bif_maps_keys(Process *p) { return bif_map_list(p, MAP_KEYS); }
BifResult bif_maps_values(Process *p) { return bif_map_list(p, MAP_VALUES); }
BifResult bif_maps_to_list(Process *p) { return bif_map_list(p, MAP_PAIRS); }

/* Steps of an iterator made at once: few at first, as that may be all that is wanted. */
#define MAP_FIRST_STEPS 16
#define MAP_STEPS       48

/* erts_internal:map_next(Position, Map, iterator): {K1, V1, {K2, V2, ... [Position | Map]}}, a
 * few at a time, or none; what maps:next/1 is made of. */
BifResult bif_map_next(Process *p)
{
    Term map = arg(p, 1);
    if (!term_is_small(arg(p, 0)) || small_value(arg(p, 0)) < 0 || !term_is_map(map))
        return raise_badarg(p);
    uint64_t position = (uint64_t)small_value(arg(p, 0));
    uint64_t size = map_size(map);
    if (position >= size) return TERM_ATOM(NONE);
    uint64_t steps = position == 0 ? MAP_FIRST_STEPS : MAP_STEPS;
    bool more = size - position > steps;
    size_t n = more ? steps : size - position;
    Word *at = heap_alloc(&p->heap, 4 * n + (more ? 2 : 0));
    if (at == NULL) return raise_system_limit(p);
    Term last =
        more ? cons_at(at + 4 * n, small_from((int64_t)(position + n)), map) : TERM_ATOM(NONE);
    MapIter it = map_iter_at(map, position);
    MapRun run;
    Word *step = at;
    for (size_t left = n; left > 0 && map_next_run(&it, left, &run); left -= run.n) {
        for (size_t i = 0; i < run.n; i++, step += 4) {
            step[0] = header_make(KIND_TUPLE, 3);
            step[1] = run.keys[i * run.stride];
            step[2] = run.values[i * run.stride];
            step[3] = boxed_from(step + 4).w;
        }
    }
    step[-1] = last.w;
    bif_charge(p, (int64_t)(n / 2));
    return boxed_from(at);
}

/* ---- maps of many pairs: of lists, and of two maps ---- */

/* So many pairs make a map at once. */
#define MAP_AT_ONCE 128
/* Steps of the building (each pair takes about six) that a reduction pays for. */
#define MAP_BUILD_RATE 1

typedef enum MapTaskPhase { MAP_TASK_COUNT, MAP_TASK_GATHER, MAP_TASK_BUILD } MapTaskPhase;

typedef struct MapTask {
    Pause pause; /* first */
    MapTaskPhase phase;
    Term rest; /* of the list */
    int64_t count;
    bool has_build;
    MapBuild build;
} MapTask;

static void map_task_release(Pause *pause, Process *p)
{
    MapTask *t = (MapTask *)pause;
    if (t->has_build) map_build_end(&t->build);
    task_free(pause, sizeof *t, p);
}

static MapTask *map_task_new(Process *p)
{
    return (MapTask *)pause_new(p, sizeof(MapTask), map_task_release);
}

/* The pair that an element of a list stands for; false: it stands for none.  `value` is NONE
 * where elements are pairs, else what all keys get. */
static bool map_pair_of(Term element, Term value, Term pair[2])
{
    if (term_is_none(value)) {
        if (!term_is_tuple_of(element, 2)) return false;
        pair[0] = tuple_at(element, 0);
        pair[1] = tuple_at(element, 1);
        return true;
    }
    pair[0] = element;
    pair[1] = value;
    return true;
}

/* Counting: true at the end of the list; *good false: an element or the end is not what it
 * should be. */
static bool map_task_count(MapTask *t, Term value, size_t *budget, bool *good)
{
    Term pair[2];
    for (; term_is_cons(t->rest); t->rest = list_tail(t->rest), t->count++) {
        if (*budget == 0) return false;
        --*budget;
        *good = map_pair_of(list_head(t->rest), value, pair);
        if (!*good) return true;
    }
    *good = term_is_nil(t->rest);
    return true;
}

static bool map_task_gather(MapTask *t, Term value, size_t *budget)
{
    Term pair[2] = {TERM_NIL, TERM_NIL};
    for (; term_is_cons(t->rest); t->rest = list_tail(t->rest)) {
        if (*budget == 0) return false;
        --*budget;
        (void)map_pair_of(list_head(t->rest), value, pair);
        map_build_add(&t->build, pair[0], pair[1]);
    }
    return true;
}

/* True when the task is over; *result: badarg, no memory, or the map. */
static bool map_task_step(MapTask *t, Process *p, Term value, size_t *budget, Term *result)
{
    bool good = true;
    if (t->phase == MAP_TASK_COUNT) {
        if (!map_task_count(t, value, budget, &good)) return false;
        *result = TERM_NONE;
        if (!good) raise_badarg(p);
        t->has_build =
            good && map_build_begin(&t->build, p->run->atoms, (size_t)t->count, p->heap.mem);
        if (good && !t->has_build) raise_system_limit(p);
        if (!t->has_build) return true;
        t->rest = arg(p, 0);
        t->phase = MAP_TASK_GATHER;
    }
    if (t->phase == MAP_TASK_GATHER) {
        if (!map_task_gather(t, value, budget)) return false;
        t->phase = MAP_TASK_BUILD;
    }
    if (!map_build_step(&t->build, &p->heap, budget)) return false;
    *result = bif_map_done(p, t->build.result);
    return true;
}

static BifResult map_task_run(MapTask *t, Process *p, Term value)
{
    size_t budget = task_budget(p, MAP_BUILD_RATE);
    size_t left = budget;
    Term result;
    bool done = map_task_step(t, p, value, &left, &result);
    task_charge(p, budget, left, MAP_BUILD_RATE);
    if (!done) return bif_yield(p);
    pause_end(p);
    return result;
}

/* Steps with keys that a map made at once may take. */
#define MAP_AT_ONCE_STEPS 16384

static void map_charge_keys(Process *p, const Keys *k)
{
    bif_charge(p, (int64_t)((MAP_AT_ONCE_STEPS - k->budget) / PAUSE_STEPS));
}

/* With k->more: large keys need a task. */
static Term map_at_once(Process *p, Keys *k, const Term *pairs, size_t n)
{
    keys_init(k, p->run->atoms, MAP_AT_ONCE_STEPS);
    Term map = map_from_pairs_by(&p->heap, k, pairs, n);
    map_charge_keys(p, k);
    return map;
}

static BifResult bif_map_of_list(Process *p, Term value)
{
    MapTask *t = (MapTask *)pause_find(p, map_task_release);
    if (t != NULL) return map_task_run(t, p, value);
    Term pairs[2 * MAP_AT_ONCE];
    size_t n = 0;
    Term rest = arg(p, 0);
    for (; term_is_cons(rest) && n < MAP_AT_ONCE; rest = list_tail(rest), n++)
        if (!map_pair_of(list_head(rest), value, &pairs[2 * n])) return raise_badarg(p);
    bif_charge(p, (int64_t)n * 2);
    if (!term_is_cons(rest)) {
        if (!term_is_nil(rest)) return raise_badarg(p);
        Keys k;
        Term map = map_at_once(p, &k, pairs, n);
        if (LIKELY(!k.more)) return bif_map_done(p, map);
    }
    t = map_task_new(p);
    t->rest = rest;
    t->count = (int64_t)n;
    return map_task_run(t, p, value);
}

BifResult bif_maps_from_list(Process *p) { return bif_map_of_list(p, TERM_NONE); }
BifResult bif_maps_from_keys(Process *p) { return bif_map_of_list(p, arg(p, 1)); }

BifResult bif_maps_merge(Process *p)
{
    MapTask *t = (MapTask *)pause_find(p, map_task_release);
    if (t != NULL) return map_task_run(t, p, TERM_NONE);
    Term a = arg(p, 0);
    Term b = arg(p, 1);
    if (!term_is_map(a)) return bif_map_bad(p, a);
    if (!term_is_map(b)) return bif_map_bad(p, b);
    if (a.w == b.w) return a;
    size_t less = map_size(a) < map_size(b) ? map_size(a) : map_size(b);
    if (less <= MAP_MERGE_ONE_BY_ONE || map_size(a) + map_size(b) <= MAP_AT_ONCE) {
        bif_charge(p, (int64_t)(map_size(a) + map_size(b)) / 4 < MAP_AT_ONCE
                          ? (int64_t)(map_size(a) + map_size(b)) / 4
                          : MAP_AT_ONCE);
        Keys k;
        keys_init(&k, p->run->atoms, MAP_AT_ONCE_STEPS);
        Term map = map_merge_by(&p->heap, &k, a, b);
        map_charge_keys(p, &k);
        if (LIKELY(!k.more)) return bif_map_done(p, map);
    }
    t = map_task_new(p);
    t->phase = MAP_TASK_BUILD;
    t->has_build = map_build_begin_merge(&t->build, p->run->atoms, a, b, p->heap.mem);
    if (t->has_build) return map_task_run(t, p, TERM_NONE);
    pause_end(p);
    return raise_system_limit(p);
}
