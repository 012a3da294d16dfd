/* Built-ins of erlang and math about numbers. Operators stand here for guards, apply and funs. */
#include <math.h>

#include "vm/bif/bif.h"
#include "vm/sched/offload.h"
#include "vm/term/atom.h"
#include "vm/term/float.h"
#include "vm/term/number.h"

static BifResult number_failed(Process *p, bool limit)
{
    return limit ? raise_system_limit(p) : raise_badarith(p);
}

/* On the blocking pool; `why` says whether it is the size. */
static void number_run(Offload *o)
{
    NumberOp op = (NumberOp)o->number;
    o->out = number_apply(&o->heap, op, o->in[0], o->in[1]);
    if (term_is_none(o->out))
        o->why = number_why(op, o->in[0], o->in[1]) == NUMBER_SYSTEM_LIMIT;
}

static BifResult number_offload(Process *p, NumberOp op, Term a, Term b)
{
    const Offload *o = offload_find(p);
    if (o == NULL) return offload_start(p, number_run, (const Term[]){a, b}, 2, op);
    if (!job_done(&o->job)) return bif_wait(p);
    int why;
    Term result = offload_take(p, &why);
    return term_is_none(result) ? number_failed(p, why != 0) : result;
}

static BifResult bif_arithmetic(Process *p, NumberOp op, Term a, Term b)
{
    uint64_t cost = number_cost(op, a, b);
    if (UNLIKELY(cost > OFFLOAD_NS)) return number_offload(p, op, a, b);
    Term result = number_apply(&p->heap, op, a, b);
    if (term_is_none(result))
        return number_failed(p, number_why(op, a, b) == NUMBER_SYSTEM_LIMIT);
    bif_charge(p, (int64_t)(cost / 10));
    return result;
}

#define BIF_BINARY_OP(name, op) \
    BifResult bif_##name(Process *p) { return bif_arithmetic(p, op, arg(p, 0), arg(p, 1)); }
BIF_BINARY_OP(plus, NUMBER_ADD)
BIF_BINARY_OP(minus, NUMBER_SUB)
BIF_BINARY_OP(times, NUMBER_MUL)
BIF_BINARY_OP(divide, NUMBER_DIVIDE)
BIF_BINARY_OP(int_div, NUMBER_DIV)
BIF_BINARY_OP(rem, NUMBER_REM)
BIF_BINARY_OP(band, NUMBER_BAND)
BIF_BINARY_OP(bor, NUMBER_BOR)
BIF_BINARY_OP(bxor, NUMBER_BXOR)
BIF_BINARY_OP(bsl, NUMBER_BSL)
BIF_BINARY_OP(bsr, NUMBER_BSR)

BifResult bif_negate(Process *p) { return bif_arithmetic(p, NUMBER_NEG, arg(p, 0), TERM_NIL); }
BifResult bif_bnot(Process *p) { return bif_arithmetic(p, NUMBER_BNOT, arg(p, 0), TERM_NIL); }

BifResult bif_unary_plus(Process *p)
{
    return term_is_number(arg(p, 0)) ? arg(p, 0) : raise_badarith(p);
}

BifResult bif_abs(Process *p)
{
    if (!term_is_number(arg(p, 0))) return raise_badarg(p);
    return bif_arithmetic(p, NUMBER_ABS, arg(p, 0), TERM_NIL);
}

BifResult bif_float(Process *p)
{
    double d;
    if (!number_to_double(arg(p, 0), &d)) return raise_badarg(p);
    Term t = heap_float(&p->heap, d);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

#define BIF_ROUND(name, how)                                    \
    BifResult bif_##name(Process *p)                            \
    {                                                           \
        if (!term_is_number(arg(p, 0))) return raise_badarg(p); \
        Term t = number_round(&p->heap, how, arg(p, 0));        \
        return term_is_none(t) ? raise_system_limit(p) : t;     \
    }
BIF_ROUND(trunc, NUMBER_TRUNC)
BIF_ROUND(round, NUMBER_ROUND)
BIF_ROUND(floor, NUMBER_FLOOR)
BIF_ROUND(ceil, NUMBER_CEIL)

/* ---- math ---- */

static BifResult bif_math_result(Process *p, double d)
{
    if (!float_is_finite(d)) return raise_badarith(p);
    Term t = heap_float(&p->heap, d);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* Argument `i` as a double; false: an exception was raised. Integers out of range
 * are badarith as in OTP. */
static bool bif_math_arg(Process *p, size_t i, double *d)
{
    if (number_to_double(arg(p, i), d)) return true;
    (void)(term_is_number(arg(p, i)) ? raise_badarith(p) : raise_badarg(p));
    return false;
}

#define BIF_MATH(name, function)                                                     \
    BifResult bif_math_##name(Process *p)                                            \
    {                                                                                \
        double d;                                                                    \
        return bif_math_arg(p, 0, &d) ? bif_math_result(p, function(d)) : TERM_NONE; \
    }
BIF_MATH(acos, acos)
BIF_MATH(acosh, acosh)
BIF_MATH(asin, asin)
BIF_MATH(asinh, asinh)
BIF_MATH(atan, atan)
BIF_MATH(atanh, atanh)
BIF_MATH(ceil, ceil)
BIF_MATH(cos, cos)
BIF_MATH(cosh, cosh)
BIF_MATH(erf, erf)
BIF_MATH(erfc, erfc)
BIF_MATH(exp, exp)
BIF_MATH(floor, floor)
BIF_MATH(log, log)
BIF_MATH(log10, log10)
BIF_MATH(log2, log2)
BIF_MATH(sin, sin)
BIF_MATH(sinh, sinh)
BIF_MATH(sqrt, sqrt)
BIF_MATH(tan, tan)
BIF_MATH(tanh, tanh)

#define BIF_MATH2(name, function)                                                 \
    BifResult bif_math_##name(Process *p)                                         \
    {                                                                             \
        double a;                                                                 \
        double b;                                                                 \
        if (!bif_math_arg(p, 0, &a) || !bif_math_arg(p, 1, &b)) return TERM_NONE; \
        return bif_math_result(p, function(a, b));                                \
    }
BIF_MATH2(atan2, atan2)
BIF_MATH2(fmod, fmod)
BIF_MATH2(pow, pow)

BifResult bif_math_pi(Process *p) { return bif_math_result(p, 3.14159265358979323846); }
