/*
 * Comparing and counting on a process's behalf, whatever the size: what order_quick and its like do
 * not settle at once is done in slices (pause.h).  Nothing collects.
 */
#pragma once

#include "vm/proc/pause.h"
#include "vm/term/order.h"

/* < 0, 0, > 0; or ORDER_MORE: the slice is over, come again with the same terms. */
int compare_in_slices(Process *p, OrderKind kind, Term a, Term b);

/* The same for a built-in with two arguments. */
static inline int compare_arguments(Process *p, OrderKind kind)
{
    Term a = arg(p, 0);
    Term b = arg(p, 1);
    int order = kind == ORDER_KIND_SAME    ? order_quick_same(a, b)
                : kind == ORDER_KIND_EQUAL ? order_quick_equal(a, b)
                                           : order_quick(p->run->atoms, a, b);
    return LIKELY(order != ORDER_MORE) ? order : compare_in_slices(p, kind, a, b);
}

#define COMPARE_LENGTH_IMPROPER (-1)
#define COMPARE_LENGTH_MORE     (-2)

/* A count is half-way. */
bool compare_is_counting(const Process *p);
/* Elements of a list; IMPROPER for what is no proper list; MORE as above. */
int64_t compare_length(Process *p, Term list);
