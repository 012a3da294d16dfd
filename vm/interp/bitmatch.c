/* Reading from a match context: KIND_MATCH_CONTEXT [base][position: small][end: small], bits. */
#include "vm/interp/slow.h"

#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/proc/reserve.h"
#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"

/* A context as numbers; `words` is the object, for moving its position. */
typedef struct MatchContext {
    Word *words;
    const uint8_t *bytes;
    size_t position;
    size_t left;
} MatchContext;

static const uint8_t *match_pc(const Process *p) { return (const uint8_t *)p->pc; }

static Term match_register(const Process *p, const uint8_t *at)
{
    return TERM_RAW(p->fp[operand_i16(at)]);
}

static MatchContext match_context(const Process *p, const uint8_t *at)
{
    Word *words = boxed_words(match_register(p, at));
    MatchContext c = {.words = words, .bytes = binary_base_bytes(TERM_RAW(words[1]))};
    c.position = (size_t)small_value(TERM_RAW(words[2]));
    c.left = (size_t)small_value(TERM_RAW(words[3])) - c.position;
    return c;
}

static void match_seek(MatchContext *c, size_t bits)
{
    c->words[2] = small_from((int64_t)(c->position + bits)).w;
}

static SlowResult match_fail(Process *p, const uint8_t *label)
{
    p->pc += 2 * (ptrdiff_t)operand_i32(label);
    return SLOW_NEXT;
}

static SlowResult match_done(Process *p, const uint8_t *dst, Term value, size_t length)
{
    p->fp[operand_i16(dst)] = value.w;
    p->pc += length / sizeof(Half);
    if (UNLIKELY(reserve_is_wanted(p))) reserve_soon(p);
    return SLOW_NEXT;
}

/* Size register times unit, if that is a size within what is left. */
static bool match_size(const MatchContext *c, Term size, size_t unit, size_t *bits)
{
    if (!term_is_small(size) || small_value(size) < 0) return false;
    return !__builtin_mul_overflow((size_t)small_value(size), unit, bits) && *bits <= c->left;
}

SlowResult slow_bits_start(Process *p)
{
    const uint8_t *pc = match_pc(p);
    Term t = match_register(p, pc + OPOFF_BITS_START_1);
    if (!term_is_bitstring(t)) return match_fail(p, pc + OPOFF_BITS_START_2);
    reserve_set_limit(p);
    size_t offset;
    Term base = binary_base(t, &offset);
    size_t bits = binary_bits(t);
    Word *at = heap_alloc(&p->heap, 4);
    if (at == NULL) {
        p->run->stop = RUN_KILLED;
        return SLOW_STOP;
    }
    at[0] = header_make(KIND_MATCH_CONTEXT, 3);
    at[1] = base.w;
    at[2] = small_from((int64_t)offset).w;
    at[3] = small_from((int64_t)(offset + bits)).w;
    return match_done(p, pc + OPOFF_BITS_START_0, boxed_from(at), OPLEN_BITS_START);
}

/* An integer of `bits` bits; TERM_NONE: memory refused. */
static Term match_integer(Process *p, const MatchContext *c, size_t bits, uint32_t flags)
{
    bool little = (flags & BITS_LITTLE) != 0;
    bool is_signed = (flags & BITS_SIGNED) != 0;
    if (bits <= 56 && !little) {
        uint64_t value = bits_get_uint64(c->bytes, c->position, bits);
        if (is_signed && bits > 0)
            return small_from((int64_t)(value << (64 - bits)) >> (64 - bits));
        return small_from((int64_t)value);
    }
    reserve_set_limit(p);
    return bits_get_integer(&p->heap, c->bytes, c->position, bits, little, is_signed);
}

static SlowResult match_integer_done(Process *p, MatchContext *c, size_t bits, uint32_t flags,
                                     const uint8_t *dst, size_t length)
{
    Term value = match_integer(p, c, bits, flags);
    if (term_is_none(value)) {
        p->run->exc_class = TERM_ATOM(EXIT);
        p->run->exc_reason = TERM_ATOM(SYSTEM_LIMIT);
        p->run->stop = RUN_KILLED;
        return SLOW_STOP;
    }
    match_seek(c, bits);
    return match_done(p, dst, value, length);
}

SlowResult slow_bits_int(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_INT_1);
    size_t bits;
    Term size = match_register(p, pc + OPOFF_BITS_INT_2);
    if (!match_size(&c, size, operand_u16(pc + OPOFF_BITS_INT_3), &bits))
        return match_fail(p, pc + OPOFF_BITS_INT_5);
    return match_integer_done(p, &c, bits, operand_u16(pc + OPOFF_BITS_INT_4),
                              pc + OPOFF_BITS_INT_0, OPLEN_BITS_INT);
}

SlowResult slow_bits_int_const(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_INT_CONST_1);
    size_t bits = operand_u16(pc + OPOFF_BITS_INT_CONST_2);
    if (bits > c.left) return match_fail(p, pc + OPOFF_BITS_INT_CONST_4);
    return match_integer_done(p, &c, bits, operand_u16(pc + OPOFF_BITS_INT_CONST_3),
                              pc + OPOFF_BITS_INT_CONST_0, OPLEN_BITS_INT_CONST);
}

SlowResult slow_bits_float(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_FLOAT_1);
    size_t bits;
    double value;
    bool little = (operand_u16(pc + OPOFF_BITS_FLOAT_4) & BITS_LITTLE) != 0;
    Term size = match_register(p, pc + OPOFF_BITS_FLOAT_2);
    if (!match_size(&c, size, operand_u16(pc + OPOFF_BITS_FLOAT_3), &bits))
        return match_fail(p, pc + OPOFF_BITS_FLOAT_5);
    bool sized = bits == 16 || bits == 32 || bits == 64;
    if (bits == 0) /* no bits are 0.0, as in OTP */
        value = 0.0;
    else if (!sized || !bits_get_float(c.bytes, c.position, bits, little, &value))
        return match_fail(p, pc + OPOFF_BITS_FLOAT_5);
    reserve_set_limit(p);
    Term t = heap_float(&p->heap, value);
    if (term_is_none(t)) return match_fail(p, pc + OPOFF_BITS_FLOAT_5);
    match_seek(&c, bits);
    return match_done(p, pc + OPOFF_BITS_FLOAT_0, t, OPLEN_BITS_FLOAT);
}

/* The part of `bits` bits at the position, as a bitstring. */
static Term match_part(Process *p, const MatchContext *c, size_t bits)
{
    reserve_set_limit(p);
    return binary_part(&p->heap, TERM_RAW(c->words[1]), c->position, bits);
}

SlowResult slow_bits_binary(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_BINARY_1);
    size_t bits;
    Term size = match_register(p, pc + OPOFF_BITS_BINARY_2);
    if (!match_size(&c, size, operand_u16(pc + OPOFF_BITS_BINARY_3), &bits))
        return match_fail(p, pc + OPOFF_BITS_BINARY_4);
    Term part = match_part(p, &c, bits);
    if (term_is_none(part)) return match_fail(p, pc + OPOFF_BITS_BINARY_4);
    match_seek(&c, bits);
    return match_done(p, pc + OPOFF_BITS_BINARY_0, part, OPLEN_BITS_BINARY);
}

SlowResult slow_bits_rest(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_REST_1);
    if (c.left % operand_u16(pc + OPOFF_BITS_REST_2) != 0)
        return match_fail(p, pc + OPOFF_BITS_REST_3);
    Term part = match_part(p, &c, c.left);
    if (term_is_none(part)) return match_fail(p, pc + OPOFF_BITS_REST_3);
    match_seek(&c, c.left);
    return match_done(p, pc + OPOFF_BITS_REST_0, part, OPLEN_BITS_REST);
}

SlowResult slow_bits_tail(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_TAIL_1);
    size_t from = (size_t)small_value(match_register(p, pc + OPOFF_BITS_TAIL_2));
    size_t end = c.position + c.left;
    c.position = from;
    Term part = match_part(p, &c, end - from);
    if (term_is_none(part)) {
        p->run->stop = RUN_KILLED;
        return SLOW_STOP;
    }
    return match_done(p, pc + OPOFF_BITS_TAIL_0, part, OPLEN_BITS_TAIL);
}

/* Bits of the character at the position in UTF-8, 16 or 32; 0: none. */
static size_t match_utf(const MatchContext *c, uint32_t form, uint32_t flags,
                        uint32_t *character)
{
    bool little = (flags & BITS_LITTLE) != 0;
    if (form == 8) return bits_get_utf8(c->bytes, c->position, c->left, character);
    if (form == 16) return bits_get_utf16(c->bytes, c->position, c->left, little, character);
    return bits_get_utf32(c->bytes, c->position, c->left, little, character);
}

SlowResult slow_bits_utf(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_UTF_1);
    uint32_t character;
    size_t bits = match_utf(&c, operand_u16(pc + OPOFF_BITS_UTF_2),
                            operand_u16(pc + OPOFF_BITS_UTF_3), &character);
    if (bits == 0) return match_fail(p, pc + OPOFF_BITS_UTF_4);
    match_seek(&c, bits);
    return match_done(p, pc + OPOFF_BITS_UTF_0, small_from((int64_t)character), OPLEN_BITS_UTF);
}

SlowResult slow_bits_skip_utf(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_SKIP_UTF_0);
    uint32_t character;
    size_t bits = match_utf(&c, operand_u16(pc + OPOFF_BITS_SKIP_UTF_1),
                            operand_u16(pc + OPOFF_BITS_SKIP_UTF_2), &character);
    if (bits == 0) return match_fail(p, pc + OPOFF_BITS_SKIP_UTF_3);
    match_seek(&c, bits);
    p->pc += OPLEN_BITS_SKIP_UTF / sizeof(Half);
    return SLOW_NEXT;
}

SlowResult slow_bits_skip(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_SKIP_0);
    size_t bits;
    Term size = match_register(p, pc + OPOFF_BITS_SKIP_1);
    if (!match_size(&c, size, operand_u16(pc + OPOFF_BITS_SKIP_2), &bits))
        return match_fail(p, pc + OPOFF_BITS_SKIP_3);
    match_seek(&c, bits);
    p->pc += OPLEN_BITS_SKIP / sizeof(Half);
    return SLOW_NEXT;
}

SlowResult slow_bits_is_string(Process *p)
{
    const uint8_t *pc = match_pc(p);
    MatchContext c = match_context(p, pc + OPOFF_BITS_IS_STRING_0);
    size_t bits = operand_u16(pc + OPOFF_BITS_IS_STRING_1);
    BitView text =
        binary_view(TERM_RAW(operand_word(pc, operand_i32(pc + OPOFF_BITS_IS_STRING_2))));
    if (bits > c.left || bits_compare(c.bytes, c.position, text.at, text.offset, bits) != 0)
        return match_fail(p, pc + OPOFF_BITS_IS_STRING_3);
    match_seek(&c, bits);
    p->pc += OPLEN_BITS_IS_STRING / sizeof(Half);
    return SLOW_NEXT;
}
