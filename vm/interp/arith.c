#include "vm/interp/slow.h"

#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/sched/offload.h"
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

static SlowResult arith_failed(Process *p, bool limit)
{
    (void)(limit ? raise_system_limit(p) : raise_badarith(p));
    return SLOW_RAISE;
}

/* On the blocking pool; `why` says whether it is the size. */
static void arith_run(Offload *o)
{
    NumberOp op = (NumberOp)o->number;
    o->out = number_apply(&o->heap, op, o->in[0], o->in[1]);
    if (term_is_none(o->out))
        o->why = number_why(op, o->in[0], o->in[1]) == NUMBER_SYSTEM_LIMIT;
}

/* Huge numbers: the instruction waits, and is run again when the result is there. */
static SlowResult arith_offload(Process *p, NumberOp op, Term a, Term b, int32_t dst,
                                size_t length)
{
    const Offload *o = offload_find(p);
    if (o == NULL) (void)offload_start(p, arith_run, (const Term[]){a, b}, 2, op);
    if (o == NULL || !job_done(&o->job)) {
        p->run->stop = RUN_WAITING;
        return SLOW_STOP;
    }
    int why;
    Term result = offload_take(p, &why);
    if (term_is_none(result)) return arith_failed(p, why != 0);
    p->fp[dst] = result.w;
    return slow_advance(p, length);
}

SlowResult slow_arithmetic(Process *p, NumberOp op, Term a, Term b, int32_t dst, size_t length)
{
    Term quick;
    if (slow_floats(p, op, a, b, &quick)) {
        p->fp[dst] = quick.w;
        return slow_advance(p, length);
    }
    uint64_t cost = number_cost(op, a, b);
    if (UNLIKELY(cost > OFFLOAD_NS)) return arith_offload(p, op, a, b, dst, length);
    reserve_set_limit(p);
    Term result = number_apply(&p->heap, op, a, b);
    if (UNLIKELY(term_is_none(result)))
        return arith_failed(p, number_why(op, a, b) == NUMBER_SYSTEM_LIMIT);
    p->run->reductions -= (int64_t)(cost / 10);
    p->fp[dst] = result.w;
    return slow_advance(p, length);
}

SlowResult slow_try_arithmetic(Process *p)
{
    static const uint8_t operators[ARITHMETIC_COUNT] = {
        [ARITHMETIC_ADD] = NUMBER_ADD,   [ARITHMETIC_SUB] = NUMBER_SUB,
        [ARITHMETIC_MUL] = NUMBER_MUL,   [ARITHMETIC_DIVIDE] = NUMBER_DIVIDE,
        [ARITHMETIC_DIV] = NUMBER_DIV,   [ARITHMETIC_REM] = NUMBER_REM,
        [ARITHMETIC_BAND] = NUMBER_BAND, [ARITHMETIC_BOR] = NUMBER_BOR,
        [ARITHMETIC_BXOR] = NUMBER_BXOR, [ARITHMETIC_BSL] = NUMBER_BSL,
        [ARITHMETIC_BSR] = NUMBER_BSR,
    };
    const uint8_t *pc = (const uint8_t *)p->pc;
    Term a = TERM_RAW(p->fp[operand_i16(pc + OPOFF_TRY_ARITHMETIC_1)]);
    Term b = TERM_RAW(p->fp[operand_i16(pc + OPOFF_TRY_ARITHMETIC_2)]);
    NumberOp op = (NumberOp)operators[operand_u16(pc + OPOFF_TRY_ARITHMETIC_3)];
    reserve_set_limit(p);
    Term result = number_apply(&p->heap, op, a, b);
    if (term_is_none(result)) {
        p->pc += 2 * (ptrdiff_t)operand_i32(pc + OPOFF_TRY_ARITHMETIC_4);
        return SLOW_NEXT;
    }
    p->run->reductions -= (int64_t)(number_cost(op, a, b) / 10);
    p->fp[operand_i16(pc + OPOFF_TRY_ARITHMETIC_0)] = result.w;
    return slow_advance(p, OPLEN_TRY_ARITHMETIC);
}
