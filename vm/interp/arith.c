#include "vm/interp/slow.h"

#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/term/float.h"

/* Two floats: the common case beside two small integers. False: it is another one,
 * or does not work out. */
static inline bool slow_floats(Process *p, NumberOp op, Term a, Term b, Term *result)
{
    if (!term_is_float(a) || !term_is_float(b)) return false;
    double x = float_value(a);
    double y = float_value(b);
    double d;
    switch (op) {
    case NUMBER_ADD: d = x + y; break;
    case NUMBER_SUB: d = x - y; break;
    case NUMBER_MUL: d = x * y; break;
    case NUMBER_DIVIDE: d = x / y; break;
    default: return false;
    }
    if (!float_is_finite(d)) return false;
    reserve_set_limit(p);
    *result = heap_float(&p->heap, d);
    return !term_is_none(*result);
}

SlowResult slow_arithmetic(Process *p, NumberOp op, Term a, Term b, int32_t dst, size_t length)
{
    Term quick;
    if (slow_floats(p, op, a, b, &quick)) {
        p->fp[dst] = quick.w;
        return slow_advance(p, length);
    }
    reserve_set_limit(p);
    Term result = number_apply(&p->heap, op, a, b);
    if (UNLIKELY(term_is_none(result))) {
        bool limit = number_why(op, a, b) == NUMBER_SYSTEM_LIMIT;
        (void)(limit ? raise_system_limit(p) : raise_badarith(p));
        return SLOW_RAISE;
    }
    p->run->reductions -= (int64_t)(number_cost(op, a, b) / 10);
    p->fp[dst] = result.w;
    return slow_advance(p, length);
}
