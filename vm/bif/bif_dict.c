/* Built-ins of the process dictionary.  All of a large one is told in slices: nothing changes it
 * meanwhile, as its process stands still. */
#include "vm/bif/bif.h"

#include "vm/proc/compare.h"
#include "vm/proc/dict.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"

static Term or_undefined(Term t) { return term_is_none(t) ? TERM_ATOM(UNDEFINED) : t; }

BifResult bif_get_1(Process *p) { return or_undefined(dict_get(p, arg(p, 0))); }
BifResult bif_put(Process *p)
{
    if (dict_is_refused(p)) return raise_system_limit(p);
    return or_undefined(dict_put(p, arg(p, 0), arg(p, 1)));
}
BifResult bif_erase_1(Process *p) { return or_undefined(dict_erase(p, arg(p, 0))); }

/* ---- all of it ---- */

/* What is listed. */
typedef enum DictPart { DICT_PAIRS, DICT_KEYS, DICT_KEYS_OF } DictPart;

typedef struct DictWalk {
    DictPart part;
    Term wanted; /* the value that keys must have: DICT_KEYS_OF */
    size_t cursor;
    Term key; /* of the value that is being compared */
    bool comparing;
    ListBuilder all;
    OrderWalk order;
} DictWalk;

static void dict_walk_begin(Process *p, DictWalk *w, DictPart part, Term wanted)
{
    *w = (DictWalk){.part = part, .wanted = wanted, .all = list_builder(&p->heap)};
}

static void dict_walk_end(DictWalk *w)
{
    if (w->comparing) order_end(&w->order);
}

/* Goes on comparing a large value; false: the budget is used up. */
static bool dict_walk_compare(DictWalk *w, size_t *budget)
{
    if (!order_step(&w->order, budget)) return false;
    if (w->order.result == 0) list_add(&w->all, w->key);
    order_end(&w->order);
    w->comparing = false;
    return true;
}

static void dict_walk_value(Process *p, DictWalk *w, Term key, Term value)
{
    int order = order_quick_same(value, w->wanted);
    if (order == 0) list_add(&w->all, key);
    if (order != ORDER_MORE) return;
    order_begin_kind(&w->order, p->run->atoms, ORDER_KIND_SAME, value, w->wanted, p->heap.mem);
    w->key = key;
    w->comparing = true;
}

/* Steps that an entry costs. */
#define DICT_ENTRY_STEPS 8

/* True at the end. */
static bool dict_walk_step(Process *p, DictWalk *w, size_t *budget)
{
    if (w->comparing && !dict_walk_compare(w, budget)) return false;
    Term key;
    Term value;
    while (dict_next(p, &w->cursor, &key, &value)) {
        if (w->part == DICT_PAIRS)
            list_add(&w->all, heap_tuple2(&p->heap, key, value));
        else if (w->part == DICT_KEYS)
            list_add(&w->all, key);
        else
            dict_walk_value(p, w, key, value);
        *budget -= *budget < DICT_ENTRY_STEPS ? *budget : DICT_ENTRY_STEPS;
        if (w->comparing && !dict_walk_compare(w, budget)) return false;
        if (*budget == 0) return false;
    }
    return true;
}

typedef struct DictPause {
    Pause pause;
    DictWalk walk;
} DictPause;

static void dict_walk_release(Pause *pause, Process *p)
{
    DictPause *held = (DictPause *)pause;
    dict_walk_end(&held->walk);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

/* The list; TERM_YIELD; or TERM_NONE without memory. */
static Term dict_list(Process *p, DictPart part, Term wanted)
{
    DictPause *held = (DictPause *)pause_find(p, dict_walk_release);
    if (held == NULL && dict_count(p) == 0) return TERM_NIL;
    if (held == NULL) {
        held = (DictPause *)pause_new(p, sizeof *held, dict_walk_release);
        dict_walk_begin(p, &held->walk, part, wanted);
    }
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = dict_walk_step(p, &held->walk, &left);
    pause_charge(p, budget, left);
    if (!done) return bif_yield(p);
    Term list = list_finish(&held->walk.all, TERM_NIL);
    pause_end(p);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

BifResult bif_get_0(Process *p) { return dict_list(p, DICT_PAIRS, TERM_NIL); }
BifResult bif_get_keys_0(Process *p) { return dict_list(p, DICT_KEYS, TERM_NIL); }
BifResult bif_get_keys_1(Process *p) { return dict_list(p, DICT_KEYS_OF, arg(p, 0)); }

BifResult bif_erase_0(Process *p)
{
    Term list = dict_list(p, DICT_PAIRS, TERM_NIL);
    if (term_is_list(list)) dict_clear(p);
    return list;
}
