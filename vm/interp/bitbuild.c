/* Building a bitstring from segments: one pass for its size, one to write it. */
#include "vm/interp/slow.h"

#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"

#include <string.h>

typedef enum BuildError { BUILD_OK, BUILD_BADARG, BUILD_LIMIT } BuildError;

/* A segment with its registers read. */
typedef struct BuildSegment {
    uint32_t type;
    uint32_t flags;
    Term value;
    Term size; /* register's value, or a small integer */
    size_t unit;
} BuildSegment;

static BuildSegment build_segment(const Process *p, const uint8_t *at)
{
    uint32_t type_flags = operand_u16(at);
    BuildSegment s = {.type = type_flags & BITS_TYPE_MASK,
                      .flags = type_flags & ~(uint32_t)BITS_TYPE_MASK};
    s.value = TERM_RAW(p->fp[operand_i16(at + 2)]);
    s.unit = operand_u16(at + 6);
    if ((s.flags & (BITS_SIZE_CONST | BITS_SIZE_ALL)) != 0)
        s.size = small_from((int64_t)operand_u16(at + 4));
    else
        s.size = TERM_RAW(p->fp[operand_i16(at + 4)]);
    return s;
}

/* A segment with its size, which is found once for most constructions. */
typedef struct BuildPart {
    BuildSegment s;
    size_t bits;
} BuildPart;

/* Segments whose parts are kept between the two passes. */
#define BUILD_KEPT 8

typedef struct Build {
    const Process *p;
    const uint8_t *list;
    size_t n;
    size_t total; /* bits */
    BuildPart kept[BUILD_KEPT];
} Build;

/* Size times unit; a negative or non-integer size is badarg, an enormous one too large. */
static BuildError build_sized(const BuildSegment *s, size_t *bits)
{
    if (!term_is_small(s->size)) {
        bool big = term_is_kind(s->size, KIND_BIG_POSITIVE);
        return big ? BUILD_LIMIT : BUILD_BADARG;
    }
    if (small_value(s->size) < 0) return BUILD_BADARG;
    bool over = __builtin_mul_overflow((size_t)small_value(s->size), s->unit, bits);
    return over || *bits / 8 > BINARY_MAX_BYTES ? BUILD_LIMIT : BUILD_OK;
}

static BuildError build_size_binary(const BuildSegment *s, size_t *bits)
{
    if (!term_is_bitstring(s->value)) return BUILD_BADARG;
    size_t has = binary_bits(s->value);
    if ((s->flags & BITS_SIZE_ALL) != 0) {
        *bits = has;
        return has % s->unit == 0 ? BUILD_OK : BUILD_BADARG;
    }
    BuildError error = build_sized(s, bits);
    if (error != BUILD_OK) return error;
    return *bits <= has ? BUILD_OK : BUILD_BADARG;
}

static BuildError build_size_float(const BuildSegment *s, size_t *bits)
{
    BuildError error = build_sized(s, bits);
    if (error != BUILD_OK) return error;
    double value;
    if ((*bits != 16 && *bits != 32 && *bits != 64) || !bits_float_of(s->value, &value))
        return BUILD_BADARG;
    return BUILD_OK;
}

static BuildError build_size_utf(const BuildSegment *s, size_t *bits)
{
    if (!term_is_small(s->value) || small_value(s->value) < 0
        || small_value(s->value) > 0x10FFFF)
        return BUILD_BADARG;
    uint32_t c = (uint32_t)small_value(s->value);
    if (s->type == BITS_TYPE_UTF8)
        *bits = bits_utf8_size(c);
    else if (s->type == BITS_TYPE_UTF16)
        *bits = bits_utf16_size(c);
    else
        *bits = bits_utf8_size(c) == 0 ? 0 : 32;
    return *bits > 0 ? BUILD_OK : BUILD_BADARG;
}

static inline BuildError build_size(const BuildSegment *s, size_t *bits)
{
    switch (s->type) {
    case BITS_TYPE_INTEGER:
        if (LIKELY(term_is_small(s->value) && (s->flags & BITS_SIZE_CONST) != 0)) {
            *bits = (size_t)small_value(s->size) * s->unit;
            return BUILD_OK;
        }
        if (!term_is_integer(s->value)) return BUILD_BADARG;
        return build_sized(s, bits);
    case BITS_TYPE_FLOAT: return build_size_float(s, bits);
    case BITS_TYPE_BINARY: return build_size_binary(s, bits);
    default: return build_size_utf(s, bits);
    }
}

static void build_write_binary(uint8_t *to, size_t at, const BuildSegment *s, size_t bits)
{
    BitView v = binary_view(s->value);
    if (((at | v.offset | bits) & 7) == 0)
        memcpy(to + at / 8, v.at, bits / 8);
    else
        bits_copy(to, at, v.at, v.offset, bits);
}

/* A small integer of whole bytes at the start of a byte. */
static void build_write_bytes(uint8_t *to, size_t n, int64_t value, bool little)
{
    for (size_t i = 0; i < n; i++)
        to[little ? i : n - 1 - i] = (uint8_t)(value >> (i < 8 ? 8 * i : 63));
}

/* The segment's size has been checked: it can be written. */
static void build_write(uint8_t *to, size_t at, const BuildSegment *s, size_t bits)
{
    bool little = (s->flags & BITS_LITTLE) != 0;
    double value;
    switch (s->type) {
    case BITS_TYPE_INTEGER:
        if (bits == 8 && (at & 7) == 0 && term_is_small(s->value))
            to[at / 8] = (uint8_t)small_value(s->value);
        else if (((bits | at) & 7) == 0 && term_is_small(s->value))
            build_write_bytes(to + at / 8, bits / 8, small_value(s->value), little);
        else
            bits_put_integer(to, at, bits, s->value, little);
        return;
    case BITS_TYPE_FLOAT:
        if (bits_float_of(s->value, &value)) bits_put_float(to, at, bits, value, little);
        return;
    case BITS_TYPE_BINARY: build_write_binary(to, at, s, bits); return;
    case BITS_TYPE_UTF8: bits_put_utf8(to, at, (uint32_t)small_value(s->value)); return;
    case BITS_TYPE_UTF16:
        bits_put_utf16(to, at, (uint32_t)small_value(s->value), little);
        return;
    default: bits_put_utf32(to, at, (uint32_t)small_value(s->value), little);
    }
}

static bool build_float_fits(const BuildSegment *s)
{
    double value;
    return bits_float_of(s->value, &value);
}

static BuildError build_total(Build *b)
{
    BuildPart spare;
    for (size_t i = 0; i < b->n; i++) {
        BuildPart *part = LIKELY(i < BUILD_KEPT) ? &b->kept[i] : &spare;
        part->s = build_segment(b->p, b->list + 8 * i);
        BuildError error = build_size(&part->s, &part->bits);
        if (error != BUILD_OK) return error;
        if (part->s.type == BITS_TYPE_FLOAT && !build_float_fits(&part->s)) return BUILD_BADARG;
        if (__builtin_add_overflow(b->total, part->bits, &b->total)
            || b->total / 8 > BINARY_MAX_BYTES)
            return BUILD_LIMIT;
    }
    return BUILD_OK;
}

static void build_write_from(const Build *b, size_t first, uint8_t *to, size_t at)
{
    for (size_t i = first; i < b->n; i++) {
        if (LIKELY(i < BUILD_KEPT)) {
            build_write(to, at, &b->kept[i].s, b->kept[i].bits);
            at += b->kept[i].bits;
            continue;
        }
        BuildSegment s = build_segment(b->p, b->list + 8 * i);
        size_t bits = 0;
        (void)build_size(&s, &bits);
        build_write(to, at, &s, bits);
        at += bits;
    }
}

/* <<Acc/bitstring, ...>>: the first segment is all of a bitstring, which may be grown in place. */
static bool build_appends(const Build *b)
{
    const BuildSegment *first = &b->kept[0].s;
    return b->n >= 2 && first->type == BITS_TYPE_BINARY && (first->flags & BITS_SIZE_ALL) != 0
           && b->kept[0].bits >= 8 * BINARY_HEAP_MAX;
}

static Term build_make(Process *p, const Build *b)
{
    uint8_t *to;
    if (build_appends(b)) {
        size_t offset;
        size_t more = b->total - b->kept[0].bits;
        Term t = binary_append(&p->heap, b->kept[0].s.value, more, &to, &offset);
        if (!term_is_none(t)) build_write_from(b, 1, to, offset);
        p->run->reductions -= (int64_t)(more / 512);
        return t;
    }
    Term t = binary_new(&p->heap, b->total, &to);
    if (!term_is_none(t)) build_write_from(b, 0, to, 0);
    p->run->reductions -= (int64_t)(b->total / 512);
    return t;
}

SlowResult slow_bits_build(Process *p)
{
    const uint8_t *pc = (const uint8_t *)p->pc;
    const size_t n = operand_u16(pc + OPOFF_BITS_BUILD_2);
    Build b;
    b.p = p;
    b.list = pc + OPEND_BITS_BUILD;
    b.n = n;
    b.total = 0;
    BuildError error = build_total(&b);
    p->heap.limit = p->fp - operand_u16(pc + OPOFF_BITS_BUILD_1) - LIMIT_BLOCK_SLACK;
    Term result = error == BUILD_OK ? build_make(p, &b) : TERM_NONE;
    if (term_is_none(result)) {
        int32_t fail = operand_i32(pc + OPOFF_BITS_BUILD_3);
        if (fail != 0) {
            p->pc += 2 * (ptrdiff_t)fail;
            return SLOW_NEXT;
        }
        (void)(error == BUILD_BADARG ? raise_badarg(p) : raise_system_limit(p));
        return SLOW_RAISE;
    }
    p->fp[operand_i16(pc + OPOFF_BITS_BUILD_0)] = result.w;
    p->pc += ((OPEND_BITS_BUILD + 8 * n + 3) & ~(size_t)3) / sizeof(Half);
    if (UNLIKELY(reserve_is_wanted(p))) reserve_soon(p);
    return SLOW_NEXT;
}
