/* Built-ins of ets that go from key to key, and info. */
#include "vm/bif/bif_ets.h"

#include "vm/base/mem.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"
#include "vm/term/tuple.h"

#include <stdio.h>

/* ---- first, last, next, prev ---- */

/* The object at one end (key TERM_NONE) or next to a key.  *present: the key is there, or the
 * table is fixed or ordered, so that it need not be. */
static EtsObject *step_find(const EtsTable *t, const Term *key, bool backward, bool *present)
{
    EtsObject *o = NULL;
    *present = true;
    if (ets_table_is_ordered(t)) {
        EtsBound bound = {NULL, NULL, false};
        if (!term_is_none(*key)) bound = (EtsBound){ets_compare_term, key, false};
        return ets_tree_gather(&ets_table_store(t)->ordered.tree, &bound, backward, &o, 1) == 1
                   ? o
                   : NULL;
    }
    o = ets_hash_next_key(&ets_table_store(t)->hash, *key, present);
    if (atomic_load_acquire(&t->fixed) > 0) *present = true;
    return o;
}

/* {Key, Objects} of a key that has just been found; TERM_NIL: it is gone again. */
static BifResult step_objects(Process *p, const EtsTable *t, Term key)
{
    Walk objects;
    walk_init(&objects, p->run->mem);
    for (EtsObject *o = ets_find(t, key); o != NULL; o = ets_find_more(t, o, key))
        walk_push(&objects, (Word)(uintptr_t)o);
    BifResult result =
        objects.count == 0 ? TERM_NIL : bif_ets_out(p, t, &objects, -1, ETS_OUT_KEYED);
    walk_free(&objects);
    return result;
}

/* The key of an object, which may be large. */
static BifResult step_key(Process *p, const EtsTable *t, EtsObject *o)
{
    if (LIKELY(!ets_object_is_large(o)))
        return bif_ets_done(p, ets_part_copy_out(&p->heap, ets_table_key(t, o)));
    Walk one;
    walk_init(&one, p->run->mem);
    walk_push(&one, (Word)(uintptr_t)o);
    BifResult result = bif_ets_out(p, t, &one, (int64_t)t->keypos, ETS_OUT_ONE);
    walk_free(&one);
    return result;
}

static BifResult step_any(Process *p, Term key, bool backward, bool objects)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_READ);
    if (t == NULL) return TERM_NONE;
    if (UNLIKELY(bif_ets_out_is_held(p))) return bif_ets_out_again(p, t);
    for (;;) {
        bool present;
        uint64_t version = ets_read_begin(t);
        EtsObject *o = step_find(t, &key, backward, &present);
        if ((version & 1) != 0) return bif_ets_busy(p, t);
        if (!ets_read_holds(t, version)) continue;
        bif_ets_charge(p, 0);
        if (!present) return raise_badarg(p);
        if (o == NULL) return TERM_ATOM(END_OF_TABLE);
        if (!objects) return step_key(p, t, o);
        BifResult result = step_objects(p, t, ets_table_key(t, o));
        if (!term_is_nil(result)) return result;
    }
}

BifResult bif_ets_first(Process *p) { return step_any(p, TERM_NONE, false, false); }
BifResult bif_ets_last(Process *p) { return step_any(p, TERM_NONE, true, false); }
BifResult bif_ets_next(Process *p) { return step_any(p, arg(p, 1), false, false); }
BifResult bif_ets_prev(Process *p) { return step_any(p, arg(p, 1), true, false); }
BifResult bif_ets_first_lookup(Process *p) { return step_any(p, TERM_NONE, false, true); }
BifResult bif_ets_last_lookup(Process *p) { return step_any(p, TERM_NONE, true, true); }
BifResult bif_ets_next_lookup(Process *p) { return step_any(p, arg(p, 1), false, true); }
BifResult bif_ets_prev_lookup(Process *p) { return step_any(p, arg(p, 1), true, true); }

/* ---- slot ---- */

#define SLOT_SOME 32

/* Object number n of an ordered set, from 0; *passed: how many there are before it. */
static EtsObject *slot_find(Process *p, const EtsTable *t, uint64_t n, uint64_t *passed)
{
    EtsObject *some[SLOT_SOME];
    EtsBound bound = {NULL, NULL, false};
    Term last;
    *passed = 0;
    for (;;) {
        size_t got =
            ets_tree_gather(&ets_table_store(t)->ordered.tree, &bound, false, some, SLOT_SOME);
        bif_charge(p, 4);
        if (n < *passed + got) return some[n - *passed];
        *passed += got;
        if (got < SLOT_SOME) return NULL;
        last = ets_table_key(t, some[got - 1]);
        bound = (EtsBound){ets_compare_term, &last, false};
    }
}

static BifResult slot_tree(Process *p, const EtsTable *t, uint64_t n, Walk *objects)
{
    uint64_t passed;
    EtsObject *o = slot_find(p, t, n, &passed);
    if (o == NULL) return n == passed ? TERM_ATOM(END_OF_TABLE) : raise_badarg(p);
    walk_push(objects, (Word)(uintptr_t)o);
    return bif_ets_out(p, t, objects, -1, ETS_OUT_LIST);
}

static BifResult slot_hash(Process *p, const EtsTable *t, uint64_t n, Walk *objects)
{
    const EtsHash *h = &ets_table_store(t)->hash;
    size_t buckets = ets_hash_buckets(h);
    if (n == buckets) return TERM_ATOM(END_OF_TABLE);
    if (n > buckets) return raise_badarg(p);
    EtsPosition at = {0, 0};
    EtsObject *some[SLOT_SOME];
    for (size_t got; (got = ets_hash_bucket(h, n, &at, some, SLOT_SOME)) > 0;) {
        for (size_t i = 0; i < got; i++) walk_push(objects, (Word)(uintptr_t)some[i]);
        if (got < SLOT_SOME) break;
    }
    return bif_ets_out(p, t, objects, -1, ETS_OUT_LIST);
}

BifResult bif_ets_slot(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_READ);
    if (t == NULL) return TERM_NONE;
    if (UNLIKELY(bif_ets_out_is_held(p))) return bif_ets_out_again(p, t);
    if (!term_is_small(arg(p, 1)) || small_value(arg(p, 1)) < 0) return raise_badarg(p);
    uint64_t n = (uint64_t)small_value(arg(p, 1));
    Walk objects;
    walk_init(&objects, p->run->mem);
    BifResult result =
        ets_table_is_ordered(t) ? slot_tree(p, t, n, &objects) : slot_hash(p, t, n, &objects);
    walk_free(&objects);
    return result;
}

/* ---- info ---- */

#define INFO_FIXES 16

/* {Time, [{Pid, Count}]} or false. */
static Term info_fixes(Process *p, const EtsTable *t, bool monotonic)
{
    EtsFix few[INFO_FIXES];
    EtsFix *fixes = few;
    size_t room = INFO_FIXES;
    size_t n = ets_directory_fixes(p->run->tables, t, few, room);
    if (n == 0) return TERM_FALSE;
    if (n > room) {
        room = n;
        fixes = mem_try_alloc(p->run->mem, MEM_WORK, room * sizeof *fixes);
        if (fixes == NULL) return TERM_NONE;
        n = ets_directory_fixes(p->run->tables, t, fixes, room);
        if (n > room) n = room;
    }
    Heap *h = &p->heap;
    Term list = TERM_NIL;
    for (size_t i = 0; i < n && !term_is_none(list); i++) {
        Term pair = heap_tuple2(h, fixes[i].pid, small_from((int64_t)fixes[i].count));
        list = term_is_none(pair) ? pair : heap_cons(h, pair, list);
    }
    if (fixes != few) mem_free(p->run->mem, MEM_WORK, fixes, room * sizeof *fixes);
    Term time = heap_int64(h, t->fixed_ns);
    if (!monotonic)
        time = heap_tuple3(h, small_from(t->fixed_us / 1000000000000),
                           small_from(t->fixed_us / 1000000 % 1000000),
                           small_from(t->fixed_us % 1000000));
    if (term_is_none(time) || term_is_none(list)) return TERM_NONE;
    return heap_tuple2(h, time, list);
}

/* {Buckets, Average, Deviation, Expected deviation, Shortest, Longest, 0, 1}: how the chains of
 * a set are. */
static Term info_stats(Process *p, const EtsTable *t)
{
    if (ets_table_is_ordered(t)) return TERM_FALSE;
    double buckets = (double)ets_hash_buckets(&ets_table_store(t)->hash);
    double average = (double)ets_table_size(t) / buckets;
    Heap *h = &p->heap;
    Term parts[8] = {small_from((int64_t)buckets),
                     heap_float(h, average),
                     heap_float(h, 0.0),
                     heap_float(h, 0.0),
                     small_from(0),
                     small_from(0),
                     small_from(0),
                     small_from(1)};
    for (size_t i = 1; i < 4; i++)
        if (term_is_none(parts[i])) return TERM_NONE;
    return heap_tuple(h, 8, parts);
}

static Term info_kind(const EtsTable *t)
{
    switch (t->kind) {
    case ETS_SET: return TERM_ATOM(SET);
    case ETS_ORDERED_SET: return TERM_ATOM(ORDERED_SET);
    case ETS_BAG: return TERM_ATOM(BAG);
    case ETS_DUPLICATE_BAG: return TERM_ATOM(DUPLICATE_BAG);
    }
    UNREACHABLE();
}

static Term info_access(const EtsTable *t)
{
    switch (t->access) {
    case ETS_PUBLIC: return TERM_ATOM(PUBLIC);
    case ETS_PROTECTED: return TERM_ATOM(PROTECTED);
    case ETS_PRIVATE: return TERM_ATOM(PRIVATE);
    }
    UNREACHABLE();
}

static Term info_heir(const EtsTable *t)
{
    Term heir = TERM_RAW(atomic_load_acquire(&t->heir));
    return term_is_nil(heir) ? TERM_ATOM(NONE) : heir;
}

/* One item; TERM_NONE: refused, or with *known false no such item. */
static Term info_item(Process *p, const EtsTable *t, AtomName item, bool *known)
{
    *known = true;
    switch (item) {
    case ATOM_ID: return pid_make_ref(&p->heap, t->id);
    case ATOM_DECENTRALIZED_COUNTERS: return term_bool(t->decentralized);
    case ATOM_READ_CONCURRENCY: return term_bool(t->read_concurrency);
    case ATOM_WRITE_CONCURRENCY: return t->write_concurrency;
    case ATOM_COMPRESSED: return term_bool(t->compressed);
    case ATOM_MEMORY: return small_from(ets_table_words(t));
    case ATOM_OWNER: return ets_table_owner(t);
    case ATOM_HEIR: return info_heir(t);
    case ATOM_NAME: return TERM_RAW(atomic_load_acquire(&t->name));
    case ATOM_SIZE: return small_from(ets_table_size(t));
    case ATOM_NODE: return TERM_ATOM(NONODE_AT_NOHOST);
    case ATOM_NAMED_TABLE: return term_bool(t->named);
    case ATOM_TYPE: return info_kind(t);
    case ATOM_KEYPOS: return small_from((int64_t)t->keypos + 1);
    case ATOM_PROTECTION: return info_access(t);
    case ATOM_FIXED: return term_bool(atomic_load_acquire(&t->fixed) > 0);
    case ATOM_SAFE_FIXED: return info_fixes(p, t, false);
    case ATOM_SAFE_FIXED_MONOTONIC_TIME: return info_fixes(p, t, true);
    case ATOM_BINARY: return TERM_NIL;
    case ATOM_STATS: return info_stats(p, t);
    default: *known = false; return TERM_NONE;
    }
}

BifResult bif_ets_info_1(Process *p)
{
    static const uint16_t items[] = {ATOM_ID,
                                     ATOM_DECENTRALIZED_COUNTERS,
                                     ATOM_READ_CONCURRENCY,
                                     ATOM_WRITE_CONCURRENCY,
                                     ATOM_COMPRESSED,
                                     ATOM_MEMORY,
                                     ATOM_OWNER,
                                     ATOM_HEIR,
                                     ATOM_NAME,
                                     ATOM_SIZE,
                                     ATOM_NODE,
                                     ATOM_NAMED_TABLE,
                                     ATOM_TYPE,
                                     ATOM_KEYPOS,
                                     ATOM_PROTECTION};
    if (!term_is_atom(arg(p, 0)) && !term_is_ref(arg(p, 0))) return raise_badarg(p);
    const EtsTable *t = bif_ets_table(p, arg(p, 0));
    if (t == NULL) return TERM_ATOM(UNDEFINED);
    Term list = TERM_NIL;
    bif_charge(p, 30);
    for (size_t i = sizeof items / sizeof items[0]; i > 0; i--) {
        bool known;
        Term value = info_item(p, t, (AtomName)items[i - 1], &known);
        if (term_is_none(value)) return raise_system_limit(p);
        Term pair = heap_tuple2(&p->heap, atom_from(items[i - 1]), value);
        list = term_is_none(pair) ? pair : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

BifResult bif_ets_info_2(Process *p)
{
    bool known = true;
    if (!term_is_atom(arg(p, 0)) && !term_is_ref(arg(p, 0))) return raise_badarg(p);
    const EtsTable *t = bif_ets_table(p, arg(p, 0));
    if (t == NULL) return TERM_ATOM(UNDEFINED);
    if (!term_is_atom(arg(p, 1))) return raise_badarg(p);
    bif_ets_charge(p, 0);
    Term value = info_item(p, t, atom_of(arg(p, 1)), &known);
    if (!known) return raise_badarg(p);
    return bif_ets_done(p, value);
}
