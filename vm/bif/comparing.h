/*
 * Comparisons inside a built-in that works in slices: short ones are settled at once, a long one
 * is asked for and answered in slices of its own, while the built-in stands where it was.
 *
 * The Comparing is part of a task (task.h).  comparing_order gives ORDER_MORE when it cannot tell;
 * then the built-in leaves its state as it is, keeps its task, and calls comparing_answer until
 * that is true, in this slice or a later one.  The same comparison, made again, then has its
 * result. Owned by the process; nothing collects meanwhile, as with every task.
 */
#pragma once

#include "vm/base/mem.h"
#include "vm/term/order.h"

typedef struct Comparing {
    const AtomTable *atoms;
    Mem *mem;
    bool asks;
    bool walks;
    bool answered;
    int answer;
    Term a;
    Term b;
    OrderWalk walk;
} Comparing;

static inline void comparing_init(Comparing *c, const AtomTable *atoms, Mem *mem)
{
    c->atoms = atoms;
    c->mem = mem;
    c->asks = false;
    c->walks = false;
    c->answered = false;
}

/* Of two words that differ, one of them no small integer; takes the terms looked at from
 * *budget. */
int comparing_order_slow(Comparing *c, Term a, Term b, size_t *budget);

/* < 0, 0, > 0 in the standard order; or ORDER_MORE. */
static inline int comparing_order(Comparing *c, Term a, Term b, size_t *budget)
{
    if (a.w == b.w) return 0;
    if (LIKELY(term_both_small(a, b))) return (int64_t)a.w < (int64_t)b.w ? -1 : 1;
    return comparing_order_slow(c, a, b, budget);
}

/* Goes on with what was asked; true when the answer is there.  The Comparing stays where it is
 * until then. */
bool comparing_answer(Comparing *c, size_t *budget);
/* Frees what an unfinished comparison has. */
void comparing_end(Comparing *c);
