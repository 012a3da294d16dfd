#include "vm/bif/iolist.h"

#include "vm/term/bits.h"

/* Bytes of elements that are gathered before the sink gets them. */
#define IOLIST_RUN 256

typedef struct IolistRun {
    size_t count;
    uint8_t bytes[IOLIST_RUN];
} IolistRun;

void iolist_begin(IolistWalk *w, Term t, IolistKind kind, Mem *mem)
{
    w->kind = kind;
    w->rest = t;
    w->leaf = TERM_NONE;
    w->leaf_at = 0;
    walk_init(&w->tails, mem);
}

void iolist_end(IolistWalk *w) { walk_free(&w->tails); }

static bool iolist_flush(IolistRun *run, const IolistSink *sink, void *context)
{
    if (run->count == 0) return true;
    bool goes_on = sink->part(context, (BitView){run->bytes, 0, 8 * run->count});
    run->count = 0;
    return goes_on;
}

/* One part of the leaf. */
static bool iolist_leaf(IolistWalk *w, const IolistSink *sink, void *context, size_t *budget)
{
    BitView v = binary_view(w->leaf);
    size_t bits = v.bits - w->leaf_at;
    if (w->leaf_at == 0 && sink->whole != NULL && v.bits / 8 > sink->whole_from) {
        Term whole = w->leaf;
        w->leaf = TERM_NONE;
        return sink->whole(context, whole);
    }
    if (bits > (size_t)8 * IOLIST_PART) bits = (size_t)8 * IOLIST_PART;
    size_t cost = bits / 512;
    *budget -= *budget < cost ? *budget : cost;
    size_t at = v.offset + w->leaf_at;
    w->leaf_at += bits;
    if (w->leaf_at == v.bits) w->leaf = TERM_NONE;
    return sink->part(context, (BitView){v.at + at / 8, at % 8, bits});
}

/* A leaf is to be taken next; false: it is none. */
static bool iolist_begin_leaf(IolistWalk *w, Term t)
{
    if (!(w->kind == IOLIST_BITS ? term_is_bitstring(t) : term_is_binary(t))) return false;
    if (binary_bits(t) > 0) {
        w->leaf = t;
        w->leaf_at = 0;
    }
    return true;
}

/* What stands behind a head; false: no iolist. */
static bool iolist_head(IolistWalk *w, Term head, IolistRun *run)
{
    if (term_is_small(head)) {
        int64_t byte = small_value(head);
        run->bytes[run->count++] = (uint8_t)byte;
        return byte >= 0 && byte <= 255;
    }
    if (!term_is_cons(head)) return term_is_nil(head) || iolist_begin_leaf(w, head);
    walk_push(&w->tails, w->rest.w);
    w->rest = head;
    return true;
}

IolistStep iolist_step(IolistWalk *w, const IolistSink *sink, void *context, size_t *budget)
{
    IolistRun run;
    run.count = 0;
    for (;;) {
        bool full = run.count == IOLIST_RUN || *budget == 0 || !term_is_none(w->leaf);
        if (full && !iolist_flush(&run, sink, context)) return IOLIST_STOPPED;
        if (*budget == 0) return IOLIST_MORE;
        if (!term_is_none(w->leaf)) {
            if (!iolist_leaf(w, sink, context, budget)) return IOLIST_STOPPED;
        } else if (term_is_cons(w->rest)) {
            --*budget;
            Term cell = w->rest;
            w->rest = list_tail(cell);
            if (!iolist_head(w, list_head(cell), &run)) return IOLIST_BAD;
        } else if (!term_is_nil(w->rest)) {
            if (!iolist_begin_leaf(w, w->rest)) return IOLIST_BAD;
            w->rest = TERM_NIL;
        } else if (walk_is_empty(&w->tails)) {
            return iolist_flush(&run, sink, context) ? IOLIST_END : IOLIST_STOPPED;
        } else {
            w->rest = TERM_RAW(walk_pop(&w->tails));
        }
    }
}

const uint8_t *iolist_aligned(BitView part, uint8_t room[IOLIST_PART])
{
    if (part.offset == 0) return part.at;
    bits_copy(room, 0, part.at, part.offset, part.bits);
    return room;
}
