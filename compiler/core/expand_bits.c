#include "compiler/core/expand_parts.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"

/* Segments of one BITS_BUILD; longer ones are put together from parts. */
#define SEGMENTS_MAX 100

CoreSegType segment_type(AstSegSpec spec)
{
    switch (spec.type) {
    case SEG_FLOAT: return CORE_SEG_FLOAT;
    case SEG_BINARY:
    case SEG_BITSTRING: return CORE_SEG_BITS;
    case SEG_UTF8: return CORE_SEG_UTF8;
    case SEG_UTF16: return CORE_SEG_UTF16;
    case SEG_UTF32: return CORE_SEG_UTF32;
    default: return CORE_SEG_INTEGER;
    }
}

uint8_t segment_flags(AstSegSpec spec)
{
    bool little = spec.endian == SEG_LITTLE;
    if (spec.endian == SEG_NATIVE) little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    return (uint8_t)((spec.sign == SEG_SIGNED ? CORE_SEG_SIGNED : 0)
                     | (little ? CORE_SEG_LITTLE : 0));
}

/* A bitstring being written: constant bits that wait, and segments. */
typedef struct {
    Expand *x;
    CoreBlockId no;
    SrcPos pos;
    VEC(CoreSegment) segments;
    uint8_t *bytes; /* constant bits since the last segment */
    size_t bits;
    size_t room; /* bytes */
    VEC(CoreRef) parts;
} BitsWriter;

static uint8_t *bits_reserve(BitsWriter *w, size_t more)
{
    size_t need = (w->bits + more + 7) / 8;
    if (need > w->room) {
        size_t room = need * 2 + 16;
        w->bytes = arena_grow(w->x->arena, w->bytes, w->room, room, 1);
        __builtin_memset(w->bytes + w->room, 0, room - w->room);
        w->room = room;
    }
    return w->bytes;
}

static void bits_build(BitsWriter *w)
{
    Expand *x = w->x;
    uint32_t n = (uint32_t)w->segments.count;
    uint32_t args = 0;
    for (uint32_t i = 0; i < n; i++) args += core_is_none(w->segments.at[i].size) ? 1 : 2;
    CoreVar dst;
    CoreInstr *i;
    if (w->no != 0) {
        i = write_test(x, CORE_GUARD_BITS_BUILD, args, w->no, w->pos);
        dst = i->dst;
    } else {
        dst = new_var(x);
        i = write_instr(x, CORE_BITS_BUILD, args, w->pos);
        i->dst = dst;
    }
    i->segments = arena_copy_bytes(x->arena, w->segments.at, n * sizeof *w->segments.at);
    i->case_count = n;
    core_segments_args(i);
    VEC_CLEAR(&w->segments);
    VEC_PUSH(&w->parts, core_var(dst));
}

/* The constant bits so far become a segment. */
static void bits_flush(BitsWriter *w)
{
    if (w->bits == 0) return;
    BitView view = {w->bytes, 0, w->bits};
    Term t = binary_from_bits(&w->x->u->heap, view);
    CHECK(!term_is_none(t));
    w->bits = 0;
    w->bytes = NULL;
    w->room = 0;
    CoreSegment segment = {CORE_SEG_BITS, 0, 1, core_const(w->x->u, t), CORE_REF_NONE, w->pos};
    VEC_PUSH(&w->segments, segment);
}

static void bits_add(BitsWriter *w, CoreSegment segment)
{
    bits_flush(w);
    if (w->segments.count >= SEGMENTS_MAX) bits_build(w);
    VEC_PUSH(&w->segments, segment);
}

/* Append a character; false when the constant is none. */
static bool bits_add_utf(BitsWriter *w, Term value, CoreSegType type, bool little)
{
    if (!term_is_small(value) || small_value(value) < 0 || small_value(value) > 0x10FFFF)
        return false;
    uint32_t character = (uint32_t)small_value(value);
    size_t bits = 32;
    if (type == CORE_SEG_UTF8) bits = bits_utf8_size(character);
    if (type == CORE_SEG_UTF16) bits = bits_utf16_size(character);
    if (bits_utf8_size(character) == 0) return false;
    uint8_t *to = bits_reserve(w, bits);
    if (type == CORE_SEG_UTF8) bits_put_utf8(to, w->bits, character);
    if (type == CORE_SEG_UTF16) bits_put_utf16(to, w->bits, character, little);
    if (type == CORE_SEG_UTF32) bits_put_utf32(to, w->bits, character, little);
    w->bits += bits;
    return true;
}

/* Append a constant; false when it has to be left to run time (it will fail there, or is large). */
static bool bits_add_const(BitsWriter *w, const CoreSegment *s)
{
    Term value = core_term(w->x->u, s->value);
    size_t bits = 0;
    if (!core_is_none(s->size)) {
        if (!core_is_const(s->size)) return false;
        Term size = core_term(w->x->u, s->size);
        if (!term_is_small(size) || small_value(size) < 0 || small_value(size) > 4096)
            return false;
        bits = (size_t)small_value(size) * s->unit;
    }
    double number;
    switch (s->type) {
    case CORE_SEG_INTEGER:
        if (!term_is_integer(value)) return false;
        bits_put_integer(bits_reserve(w, bits), w->bits, bits, value,
                         s->flags & CORE_SEG_LITTLE);
        break;
    case CORE_SEG_FLOAT:
        if ((bits != 16 && bits != 32 && bits != 64) || !bits_float_of(value, &number))
            return false;
        bits_put_float(bits_reserve(w, bits), w->bits, bits, number,
                       s->flags & CORE_SEG_LITTLE);
        break;
    case CORE_SEG_BITS: return false;
    default: return bits_add_utf(w, value, (CoreSegType)s->type, s->flags & CORE_SEG_LITTLE);
    }
    w->bits += bits;
    return true;
}

static void bits_put(BitsWriter *w, CoreSegment segment)
{
    bool done = core_is_const(segment.value) && bits_add_const(w, &segment);
    if (!done) bits_add(w, segment);
}

static CoreRef bits_default_size(Expand *x, AstSegSpec spec)
{
    switch (segment_type(spec)) {
    case CORE_SEG_INTEGER: return const_small(x, 8);
    case CORE_SEG_FLOAT: return const_small(x, 64);
    default: return CORE_REF_NONE;
    }
}

/* A segment with its value and size computed; a string's characters are values of their own. */
static CoreSegment bits_evaluate(BitsWriter *w, const Ast *a)
{
    Expand *x = w->x;
    AstSegSpec spec = ast_segment_spec(a);
    CoreSegment s = {(uint8_t)segment_type(spec),
                     segment_flags(spec),
                     spec.unit,
                     CORE_REF_NONE,
                     CORE_REF_NONE,
                     a->pos};
    if (s.unit == 0) s.unit = 1;
    if (a->segment.value->kind != AST_STRING)
        s.value = expand_value(x, a->segment.value, w->no);
    s.size =
        a->segment.size ? expand_value(x, a->segment.size, w->no) : bits_default_size(x, spec);
    return s;
}

static void bits_segment(BitsWriter *w, const Ast *a, CoreSegment s)
{
    const Ast *value = a->segment.value;
    if (value->kind != AST_STRING) {
        bits_put(w, s);
        return;
    }
    for (uint32_t i = 0; i < value->v.str->n; i++) {
        s.value = const_small(w->x, value->v.str->at[i]);
        bits_put(w, s);
    }
}

CoreRef expand_bin_onto(Expand *x, CoreRef prefix, const Ast *a, CoreBlockId no)
{
    BitsWriter w = {.x = x, .no = no, .pos = a->pos};
    const AstList *list = &a->bin.segments;
    VEC_IN_ARENA(&w.segments, x->arena);
    VEC_IN_ARENA(&w.parts, x->arena);
    if (!core_is_none(prefix))
        bits_add(&w, (CoreSegment){CORE_SEG_BITS, 0, 1, prefix, CORE_REF_NONE, a->pos});
    /* All values come before anything can be found wrong with one of them. */
    CoreSegment *segments = ARENA_ARRAY(x->arena, CoreSegment, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++) segments[i] = bits_evaluate(&w, list->at[i]);
    for (uint32_t i = 0; i < list->n; i++) bits_segment(&w, list->at[i], segments[i]);
    bool constant = w.segments.count == 0 && w.parts.count == 0;
    if (constant && w.bits == 0) return core_const(x->u, binary_from_bytes(&x->u->heap, "", 0));
    bits_flush(&w);
    if (constant) return w.segments.at[0].value;
    if (w.segments.count > 0) bits_build(&w);
    while (w.parts.count > 1) {
        /* Join the parts, SEGMENTS_MAX at a time. */
        size_t n = w.parts.count;
        CoreRef *parts = w.parts.at;
        w.parts.at = NULL;
        w.parts.count = w.parts.room = 0;
        for (size_t i = 0; i < n; i++)
            bits_add(&w, (CoreSegment){CORE_SEG_BITS, 0, 1, parts[i], CORE_REF_NONE, a->pos});
        bits_build(&w);
    }
    return w.parts.at[0];
}

CoreRef expand_bin(Expand *x, const Ast *a, CoreBlockId no)
{
    return expand_bin_onto(x, CORE_REF_NONE, a, no);
}

CoreRef write_append_bits(Expand *x, CoreRef a, CoreRef b, SrcPos pos)
{
    CoreSegment *segments = ARENA_ARRAY(x->arena, CoreSegment, 2);
    segments[0] = (CoreSegment){CORE_SEG_BITS, 0, 1, a, CORE_REF_NONE, pos};
    segments[1] = (CoreSegment){CORE_SEG_BITS, 0, 1, b, CORE_REF_NONE, pos};
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_BITS_BUILD, 2, pos);
    i->segments = segments;
    i->case_count = 2;
    i->dst = dst;
    core_segments_args(i);
    return core_var(dst);
}
