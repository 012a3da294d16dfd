/* What the bodies of interp.c are made of: their operands, the ways to leave, arithmetic.
 *
 * The macros name the locals of interp_run (pc, fp, top, reductions, run, p, slow) and its labels:
 * only interp.c includes this, once.  docs/design/interpreter.md says what a body may do. */
#pragma once

#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/interp/slow.h"
#include "vm/proc/frame.h"
#include "vm/proc/reserve.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/float.h"

/* ---- operands of the instruction at pc: OP is its name, N the operand's number in its row ---- */

#define REG(OP, N)       fp[operand_i16(pc + OPOFF_##OP##_##N)]
#define TERM_AT(OP, N)   TERM_RAW(REG(OP, N))
#define S16_AT(OP, N)    operand_i16(pc + OPOFF_##OP##_##N)
#define U16_AT(OP, N)    operand_u16(pc + OPOFF_##OP##_##N)
#define I32_AT(OP, N)    operand_i32(pc + OPOFF_##OP##_##N)
#define U32_AT(OP, N)    operand_u32(pc + OPOFF_##OP##_##N)
#define ATOM_AT(OP, N)   atom_from(U32_AT(OP, N))
#define LIT_AT(OP, N)    operand_word(pc, I32_AT(OP, N))
#define WINDOW_AT(OP, N) operand_u16(pc + OPOFF_##OP##_##N + offsetof(LiveMap, window))
#define LIST_AT(OP)      ((OPEND_##OP + 3) & ~3) /* of CASES */

/* ---- leaving a body ---- */

#define NEXT(OP)          \
    do {                  \
        pc += OPLEN_##OP; \
        DISPATCH();       \
    } while (0)
#define NEXT_BYTES(BYTES) \
    do {                  \
        pc += (BYTES);    \
        DISPATCH();       \
    } while (0)
#define LIST_BYTES(OP, COUNT, EACH) ((OPEND_##OP + (size_t)(COUNT) * (EACH) + 3) & ~(size_t)3)
/* To a LABEL operand: 4-byte units from this instruction. */
#define GOTO(OP, N)                         \
    do {                                    \
        pc += (ptrdiff_t)I32_AT(OP, N) * 4; \
        DISPATCH();                         \
    } while (0)
#define TEST(OP, N, CLAIM)   \
    do {                     \
        if (CLAIM) NEXT(OP); \
        GOTO(OP, N);         \
    } while (0)

/* Two terms x and y; what takes long to compare is compared in slices. */
#define COMPARE(OP, ORDER, CLAIM)                                 \
    do {                                                          \
        Term x = TERM_AT(OP, 0);                                  \
        Term y = TERM_AT(OP, 1);                                  \
        int order = (ORDER);                                      \
        if (UNLIKELY(order == ORDER_MORE)) SLOW(slow_compare(p)); \
        TEST(OP, 2, CLAIM);                                       \
    } while (0)

#define COMPARE_SMALL(OP, SIGN)                                                    \
    do {                                                                           \
        Term x = TERM_AT(OP, 0);                                                   \
        Term y = small_from(S16_AT(OP, 1));                                        \
        if (LIKELY(term_is_small(x))) TEST(OP, 2, (int64_t)x.w SIGN(int64_t) y.w); \
        TEST(OP, 2, order_compare_slow(run->atoms, x, y) SIGN 0);                  \
    } while (0)

#define STORE_STATE()                           \
    do {                                        \
        p->pc = (const Half *)(const void *)pc; \
        p->fp = fp;                             \
        p->heap.top = top;                      \
        run->reductions = reductions;           \
    } while (0)
#define LOAD_STATE()                  \
    do {                              \
        pc = (const uint8_t *)p->pc;  \
        fp = p->fp;                   \
        top = p->heap.top;            \
        reductions = run->reductions; \
    } while (0)
#define SLOW(CALL)       \
    do {                 \
        STORE_STATE();   \
        slow = (CALL);   \
        goto after_slow; \
    } while (0)

/* A call has happened: pc is at an entry, fp the new frame.  A spent slice ends here. */
#define ENTERED()                                            \
    do {                                                     \
        if (UNLIKELY(reductions <= 0)) SLOW(slow_charge(p)); \
        DISPATCH();                                          \
    } while (0)
/* The same when the entry is known to be an ENTER, which is then part of the call. */
#define ENTERED_HERE()                                                                         \
    do {                                                                                       \
        if (UNLIKELY(reductions <= 0)) SLOW(slow_charge(p));                                   \
        if (UNLIKELY((char *)fp - (char *)top < (ptrdiff_t)U16_AT(ENTER, 0)) || CONFIG_STRESS) \
            SLOW(slow_enter(p));                                                               \
        NEXT(ENTER);                                                                           \
    } while (0)
/* The same at an instruction behind the ENTER of its own function. */
#define ENTERED_AGAIN(AGAIN)                                            \
    do {                                                                \
        const uint8_t *enter = pc - OPLEN_ENTER;                        \
        if (LIKELY(reductions > 0)                                      \
            && LIKELY((char *)fp - (char *)top                          \
                      >= (ptrdiff_t)operand_u16(enter + OPOFF_ENTER_0)) \
            && !CONFIG_STRESS)                                          \
            goto AGAIN;                                                 \
        pc = enter;                                                     \
        ENTERED_HERE();                                                 \
    } while (0)
#define CHARGE(OP) (reductions -= (int64_t)U16_AT(OP, 0))
/* At an instruction that is run again after a pause. */
#define CHARGE_OR_PAUSE(OP)                                  \
    do {                                                     \
        if (UNLIKELY(reductions <= 0)) SLOW(slow_charge(p)); \
        CHARGE(OP);                                          \
    } while (0)
#define PUSH_FRAME(OP, LIVE_N)                                  \
    do {                                                        \
        size_t window = WINDOW_AT(OP, LIVE_N);                  \
        fp -= window;                                           \
        fp[0] = frame_link(pc + OPOFF_##OP##_##LIVE_N, window); \
    } while (0)

#define RETURN_VALUE(VALUE)       \
    do {                          \
        Word link = fp[0];        \
        fp[-1] = (VALUE);         \
        fp += frame_window(link); \
        pc = frame_return(link);  \
        DISPATCH();               \
    } while (0)

#if CONFIG_THREADED
#define CASE(OP)   do_##OP
#define DISPATCH() goto *labels[*(const Half *)(const void *)pc]
#else
#define CASE(OP)   case OP_##OP
#define DISPATCH() goto dispatch
#endif

#define ARITHMETIC(OP, NUMBER_OP)                                                     \
    SLOW(slow_arithmetic(p, NUMBER_OP, TERM_AT(OP, 1), TERM_AT(OP, 2), S16_AT(OP, 0), \
                         OPLEN_##OP))

/* The same for an operator with a constant on the right. */
#define ARITHMETIC_SMALL(OP, NUMBER_OP)                                           \
    SLOW(slow_arithmetic(p, NUMBER_OP, TERM_AT(OP, 1), small_from(S16_AT(OP, 2)), \
                         S16_AT(OP, 0), OPLEN_##OP))

/* Two operands that are worked on bit by bit. */
#define BITWISE(OP, SIGN, NUMBER_OP)                                        \
    do {                                                                    \
        Word a = REG(OP, 1);                                                \
        Word b = REG(OP, 2);                                                \
        if (UNLIKELY(((a | b) & TAG_MASK) != 0)) ARITHMETIC(OP, NUMBER_OP); \
        REG(OP, 0) = a SIGN b;                                              \
        NEXT(OP);                                                           \
    } while (0)
/* A small integer a and a constant n: the result, which is small too. */
#define WITH_SMALL(OP, NUMBER_OP, RESULT)                                 \
    do {                                                                  \
        Term a = TERM_AT(OP, 1);                                          \
        int64_t n = S16_AT(OP, 2);                                        \
        if (UNLIKELY(!term_is_small(a))) ARITHMETIC_SMALL(OP, NUMBER_OP); \
        REG(OP, 0) = (RESULT);                                            \
        NEXT(OP);                                                         \
    } while (0)

/* Two floats: the result goes to the heap if that has room, else the slow half sees to it. */
#define FLOATS(OP, SIGN)                                                                   \
    do {                                                                                   \
        if (interp_is_float(a) && interp_is_float(b)) {                                    \
            double d = float_value(TERM_RAW(a)) SIGN float_value(TERM_RAW(b));             \
            if (LIKELY(float_is_finite(d)) && LIKELY(interp_has_room(run, pc, fp, top))) { \
                REG(OP, 0) = float_at(top, d).w;                                           \
                top += 2;                                                                  \
                NEXT(OP);                                                                  \
            }                                                                              \
        }                                                                                  \
    } while (0)

/* Two operands that are expected to be floats; a small integer may stand beside one. */
#define EXPECT_FLOATS(OP, SIGN, NUMBER_OP)                                  \
    do {                                                                    \
        double x;                                                           \
        double y;                                                           \
        if (LIKELY(interp_double(a, &x)) && LIKELY(interp_double(b, &y))) { \
            double d = x SIGN y;                                            \
            if (LIKELY(float_is_finite(d))) {                               \
                REG(OP, 0) = float_at(top, d).w;                            \
                top += 2;                                                   \
                NEXT(OP);                                                   \
            }                                                               \
        }                                                                   \
        ARITHMETIC(OP, NUMBER_OP);                                          \
    } while (0)
/* The same where two small integers give a small integer n. */
#define EXPECT_NUMBERS(OP, SIGN, NUMBER_OP, OVERFLOWS) \
    do {                                               \
        Word a = REG(OP, 1);                           \
        Word b = REG(OP, 2);                           \
        int64_t n;                                     \
        if (UNLIKELY(((a | b) & TAG_MASK) == 0)) {     \
            if (OVERFLOWS) ARITHMETIC(OP, NUMBER_OP);  \
            REG(OP, 0) = (Word)n;                      \
            NEXT(OP);                                  \
        }                                              \
        EXPECT_FLOATS(OP, SIGN, NUMBER_OP);            \
    } while (0)

static inline bool interp_is_float(Word w)
{
    return (w & TAG_MASK) == TAG_BOXED
           && boxed_words(TERM_RAW(w))[0] == header_make(KIND_FLOAT, 1);
}
/* A float's value, or a small integer's as a float; false: neither. */
static inline bool interp_double(Word w, double *d)
{
    if (LIKELY(interp_is_float(w))) {
        *d = float_value(TERM_RAW(w));
        return true;
    }
    *d = (double)small_value(TERM_RAW(w));
    return (w & TAG_MASK) == 0;
}
/* May an instruction that TAKES have two words of the area? */
static inline bool interp_has_room(const RunContext *run, const uint8_t *pc, const Word *fp,
                                   const Word *top)
{
    const Half *at = (const Half *)(const void *)pc;
    return at >= run->extent_from && at < run->extent_to
           && fp - top >= (ptrdiff_t)run->extent + LIMIT_BLOCK_SLACK + 2;
}

static inline Word interp_top_take(Word **top, size_t words)
{
    Word *at = *top;
    *top = at + words;
    return (Word)at;
}

/* Registers named by a SRCS list to consecutive words. */
static inline void interp_fill(Word *to, const Word *fp, const uint8_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = fp[operand_i16(list + 2 * i)];
}

/* An unsigned integer of at most 56 bits at a context's position, a small integer. */
static inline Word interp_bits_read(const Word *context, uint32_t bits)
{
    const uint8_t *bytes = binary_base_bytes(TERM_RAW(context[1]));
    size_t position = (size_t)small_value(TERM_RAW(context[2]));
    if (LIKELY(bits == 8 && position % 8 == 0)) return small_from(bytes[position / 8]).w;
    return small_from((int64_t)bits_get_uint64(bytes, position, bits)).w;
}

/* Bytes from the instruction to the case with this key, else to `otherwise`, a LABEL. */
static ptrdiff_t interp_select(const uint8_t *cases, size_t n, uint32_t key, int32_t otherwise)
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        uint32_t at = operand_u32(cases + 8 * (low + half));
        if (at == key) return (ptrdiff_t)operand_i32(cases + 8 * (low + half) + 4) * 4;
        if (at < key) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return (ptrdiff_t)otherwise * 4;
}
