/* Built-ins of erlang and lists about lists. What is O(n) works in slices: the list still to go
 * is in a slot, and the heap may be collected in between. */
#include "vm/bif/bif_list.h"
#include "vm/bif/task.h"

#include "vm/proc/compare.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/order.h"

BifResult bif_hd(Process *p)
{
    return term_is_cons(arg(p, 0)) ? list_head(arg(p, 0)) : raise_badarg(p);
}

BifResult bif_tl(Process *p)
{
    return term_is_cons(arg(p, 0)) ? list_tail(arg(p, 0)) : raise_badarg(p);
}

BifResult bif_length(Process *p)
{
    int64_t n = compare_length(p, arg(p, 0));
    if (LIKELY(n >= 0)) return small_from(n);
    return n == COMPARE_LENGTH_MORE ? bif_yield(p) : raise_badarg(p);
}

/* ---- reverse/2 and append: the arguments stay; slots behind hold rest and result ---- */

/* Cells to take room for at once when so many have been made: short lists take little. */
static size_t list_chunk(size_t made)
{
    size_t least = 8;
    return made < least ? least : made < BIF_LIST_STEP ? made : BIF_LIST_STEP;
}

/* The next cells of `rest`, a step of them at most, turned round in front of `done`; false when
 * memory is refused. */
static bool list_turn(Heap *h, Term *rest, Term *done)
{
    Term list = *rest;
    Term turned = *done;
    for (size_t made = 0; made < BIF_LIST_STEP && term_is_cons(list);) {
        size_t n = list_chunk(made);
        Word *cell = heap_alloc(h, 2 * n);
        if (cell == NULL) return false;
        size_t i = 0;
        for (; i < n && term_is_cons(list); i++, list = list_tail(list))
            turned = cons_at(cell + 2 * i, list_head(list), turned);
        heap_shrink(h, cell, 2 * n, 2 * i);
        made += i;
    }
    *rest = list;
    *done = turned;
    return true;
}

BifResult bif_reverse_2(Process *p)
{
    enum { REST = 2, DONE = 3, PHASE = 4 };
    bool first = raw_slot(p, PHASE) == 0;
    Term rest = first ? arg(p, 0) : slot(p, REST);
    Term done = first ? arg(p, 1) : slot(p, DONE);
    if (first && !term_is_list(rest)) return raise_badarg(p);
    for (;;) {
        if (!list_turn(&p->heap, &rest, &done)) return raise_system_limit(p);
        if (!term_is_cons(rest)) break;
        bif_charge(p, BIF_LIST_STEP / 4);
        if (bif_spent(p)) {
            slot_set(p, REST, rest);
            slot_set(p, DONE, done);
            raw_slot_set(p, PHASE, 1);
            return bif_yield(p);
        }
    }
    return term_is_nil(rest) ? done : raise_badarg(p);
}

/* Lists up to here are copied from front to back at once. */
#define APPEND_AT_ONCE 2000

/* A ++ B for such a list; TERM_NONE: it is longer or improper, or memory was refused. */
static Term append_at_once(Process *p, Term list, Term tail)
{
    Term first = tail;
    Word *link = &first.w;
    size_t made = 0;
    while (term_is_cons(list) && made < APPEND_AT_ONCE) {
        size_t n = list_chunk(made);
        Word *cell = heap_alloc(&p->heap, 2 * n);
        if (cell == NULL) return TERM_NONE;
        size_t i = 0;
        for (; i < n && term_is_cons(list); i++, list = list_tail(list)) {
            *link = cons_from(cell + 2 * i).w;
            link = &cell[2 * i + 1];
            cell[2 * i] = list_head(list).w;
        }
        *link = tail.w;
        heap_shrink(&p->heap, cell, 2 * n, 2 * i);
        made += i;
    }
    bif_charge(p, (int64_t)made / 8);
    return term_is_nil(list) ? first : TERM_NONE;
}

/* A ++ B: A is turned round into a slot, then onto B. */
BifResult bif_append(Process *p)
{
    enum { REST = 2, DONE = 3, PHASE = 4, TURNING = 1, LAYING = 2 };
    size_t phase = raw_slot(p, PHASE);
    Term rest = phase == 0 ? arg(p, 0) : slot(p, REST);
    Term done = phase == 0 ? TERM_NIL : slot(p, DONE);
    if (phase == 0) {
        if (term_is_nil(rest)) return arg(p, 1);
        Term all = append_at_once(p, rest, arg(p, 1));
        if (!term_is_none(all)) return all;
        phase = TURNING;
    }
    for (;;) {
        if (!list_turn(&p->heap, &rest, &done)) return raise_system_limit(p);
        if (!term_is_cons(rest)) {
            if (!term_is_nil(rest)) return raise_badarg(p);
            if (phase == LAYING) return done;
            phase = LAYING;
            rest = done;
            done = arg(p, 1);
        }
        bif_charge(p, BIF_LIST_STEP / 8);
        if (bif_spent(p)) {
            slot_set(p, REST, rest);
            slot_set(p, DONE, done);
            raw_slot_set(p, PHASE, phase);
            return bif_yield(p);
        }
    }
}

/* ---- searching ---- */

/* Stops at the list `rest`, to go on there. */
static BifResult bif_list_pause(Process *p, size_t rest_slot, Term rest, size_t phase_slot)
{
    slot_set(p, rest_slot, rest);
    raw_slot_set(p, phase_slot, 1);
    return bif_yield(p);
}

/* 0: a =:= b; ORDER_MORE: not known yet. */
static inline int bif_list_same(Process *p, Term a, Term b)
{
    int order = order_quick_same(a, b);
    return UNLIKELY(order == ORDER_MORE) ? compare_in_slices(p, ORDER_KIND_SAME, a, b) : order;
}

BifResult bif_member(Process *p)
{
    enum { REST = 2, PHASE = 3 };
    Term rest = raw_slot(p, PHASE) == 0 ? arg(p, 1) : slot(p, REST);
    for (;;) {
        for (int i = 0; i < BIF_LIST_STEP && term_is_cons(rest); i++) {
            int order = bif_list_same(p, list_head(rest), arg(p, 0));
            if (UNLIKELY(order == ORDER_MORE)) return bif_list_pause(p, REST, rest, PHASE);
            if (order == 0) return TERM_TRUE;
            rest = list_tail(rest);
        }
        if (!term_is_cons(rest)) break;
        bif_charge(p, BIF_LIST_STEP / 4);
        if (bif_spent(p)) return bif_list_pause(p, REST, rest, PHASE);
    }
    return term_is_nil(rest) ? TERM_FALSE : raise_badarg(p);
}

/* Is it the key, an atom, or a tuple that begins with it?  As bif_list_same. */
static inline int bif_is_property(Process *p, Term entry, Term key)
{
    if (term_is_tuple(entry) && tuple_size(entry) > 0)
        return bif_list_same(p, tuple_at(entry, 0), key);
    return term_same(entry, key) && term_is_atom(entry) ? 0 : 1;
}

/* mote_list:property(Key, List): the list from its first entry for Key on (the atom itself or a
 * tuple that begins with the key), or nil. */
BifResult bif_property(Process *p)
{
    enum { REST = 2, PHASE = 3 };
    Term key = arg(p, 0);
    Term rest = raw_slot(p, PHASE) == 0 ? arg(p, 1) : slot(p, REST);
    for (;;) {
        for (int i = 0; i < BIF_LIST_STEP && term_is_cons(rest); i++) {
            int order = bif_is_property(p, list_head(rest), key);
            if (UNLIKELY(order == ORDER_MORE)) return bif_list_pause(p, REST, rest, PHASE);
            if (order == 0) return rest;
            rest = list_tail(rest);
        }
        if (!term_is_cons(rest)) break;
        bif_charge(p, BIF_LIST_STEP / 4);
        if (bif_spent(p)) return bif_list_pause(p, REST, rest, PHASE);
    }
    return term_is_nil(rest) ? rest : raise_error(p, TERM_ATOM(FUNCTION_CLAUSE));
}

/* How keyfind, keymember and keysearch say what they found; TERM_NONE for not. */
typedef Term BifKeyResult(Process *p, Term found);

static BifResult bif_key_search(Process *p, BifKeyResult *result)
{
    enum { REST = 3, PHASE = 4 };
    Term key = arg(p, 0);
    if (!term_is_small(arg(p, 1)) || small_value(arg(p, 1)) < 1) return raise_badarg(p);
    size_t at = (size_t)small_value(arg(p, 1)) - 1;
    Term rest = raw_slot(p, PHASE) == 0 ? arg(p, 2) : slot(p, REST);
    for (;;) {
        for (int i = 0; i < BIF_LIST_STEP && term_is_cons(rest); i++) {
            Term t = list_head(rest);
            bool has_key = term_is_tuple(t) && tuple_size(t) > at;
            int order = has_key ? order_quick_equal(tuple_at(t, at), key) : 1;
            if (UNLIKELY(order == ORDER_MORE))
                order = compare_in_slices(p, ORDER_KIND_EQUAL, tuple_at(t, at), key);
            if (UNLIKELY(order == ORDER_MORE)) return bif_list_pause(p, REST, rest, PHASE);
            if (order == 0) return result(p, t);
            rest = list_tail(rest);
        }
        if (!term_is_cons(rest)) break;
        bif_charge(p, BIF_LIST_STEP / 4);
        if (bif_spent(p)) return bif_list_pause(p, REST, rest, PHASE);
    }
    return term_is_nil(rest) ? result(p, TERM_NONE) : raise_badarg(p);
}

static Term bif_keyfind_result(Process *p, Term found)
{
    (void)p;
    return term_is_none(found) ? TERM_FALSE : found;
}

static Term bif_keymember_result(Process *p, Term found)
{
    (void)p;
    return term_bool(!term_is_none(found));
}

static Term bif_keysearch_result(Process *p, Term found)
{
    if (term_is_none(found)) return TERM_FALSE;
    Term t = heap_tuple2(&p->heap, TERM_ATOM(VALUE), found);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_keyfind(Process *p) { return bif_key_search(p, bif_keyfind_result); }
BifResult bif_keymember(Process *p) { return bif_key_search(p, bif_keymember_result); }
BifResult bif_keysearch(Process *p) { return bif_key_search(p, bif_keysearch_result); }
