#include "vm/proc/compare.h"

#include "vm/term/list.h"

/* ---- order and equality ---- */

typedef struct ComparePause {
    Pause pause;
    OrderWalk walk;
} ComparePause;

static void compare_release(Pause *pause, Process *p)
{
    ComparePause *held = (ComparePause *)pause;
    order_end(&held->walk);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

int compare_in_slices(Process *p, OrderKind kind, Term a, Term b)
{
    ComparePause *held = (ComparePause *)pause_find(p, compare_release);
    if (held == NULL) {
        held = (ComparePause *)pause_new(p, sizeof *held, compare_release);
        order_begin_kind(&held->walk, p->run->atoms, kind, a, b, p->heap.mem);
    }
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = order_step(&held->walk, &left);
    pause_charge(p, budget, left);
    if (!done) return ORDER_MORE;
    int result = held->walk.result;
    pause_end(p);
    return result;
}

/* ---- length ---- */

/* Elements that are counted at once. */
#define COMPARE_LENGTH_QUICK 1000

typedef struct LengthPause {
    Pause pause;
    Term rest;
    int64_t count;
} LengthPause;

static void compare_release_length(Pause *pause, Process *p)
{
    mem_free(p->heap.mem, MEM_WORK, pause, sizeof(LengthPause));
}

bool compare_is_counting(const Process *p)
{
    return pause_find(p, compare_release_length) != NULL;
}

static int64_t compare_length_of(Term rest, int64_t count)
{
    return term_is_nil(rest) ? count : COMPARE_LENGTH_IMPROPER;
}

int64_t compare_length(Process *p, Term list)
{
    LengthPause *held = (LengthPause *)pause_find(p, compare_release_length);
    if (LIKELY(held == NULL)) {
        int64_t count = 0;
        size_t quick = COMPARE_LENGTH_QUICK;
        bool whole = list_length_step(&list, &count, &quick);
        p->run->reductions -= count / PAUSE_STEPS;
        if (LIKELY(whole)) return compare_length_of(list, count);
        held = (LengthPause *)pause_new(p, sizeof *held, compare_release_length);
        held->rest = list;
        held->count = count;
    }
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool whole = list_length_step(&held->rest, &held->count, &left);
    pause_charge(p, budget, left);
    if (!whole) return COMPARE_LENGTH_MORE;
    int64_t result = compare_length_of(held->rest, held->count);
    pause_end(p);
    return result;
}
