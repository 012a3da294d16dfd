#include "vm/term/copy.h"

#include "vm/term/binary.h"
#include "vm/term/bits.h"

#include <string.h>

/*
 * Counting walks the source with a work stack.  Copying needs none: each object is copied as it
 * is, pointing into the source, and the copy is then scanned from its start; a word that points
 * to the source is replaced by a pointer to a copy that is added behind.  Headers tell the scan
 * what to skip.
 */

static inline bool is_kept(Term t, const LiteralRange *keep)
{
    if (keep == NULL) return false;
    const Word *at = (const Word *)(uintptr_t)(t.w & ~(Word)TAG_MASK);
    return at >= keep->start && at < keep->end && !literal_is_leaving(keep, at);
}

/* A part of a heap binary is copied as a binary of its own: no larger, and it cannot drag a
 * large literal along. */
static bool is_flattened(Term t, const LiteralRange *keep)
{
    if (boxed_kind(t) != KIND_SUB_BINARY) return false;
    Term base = boxed_term(t, 0);
    return boxed_kind(base) == KIND_BINARY && !is_kept(base, keep);
}

static size_t flattened_words(Term t) { return 2 + (binary_bits(t) + 63) / 64; }

/* ---- counting ---- */

/* On the walk: [from][n] ranges of words still to count. */
static void push_words(Walk *w, const Word *from, size_t n)
{
    walk_reserve(w, 2);
    walk_push(w, (Word)(uintptr_t)from);
    walk_push(w, n);
}

/* Words of the object itself; its parts are pushed. */
static size_t count_boxed(CopyWalk *c, Term t)
{
    const Word *at = boxed_words(t);
    size_t n = header_words(at[0]);
    if (is_flattened(t, c->keep)) return flattened_words(t);
    if (!kind_is_raw(header_kind(at[0])) && n != 0) push_words(&c->stack, at + 1, n);
    return n + 1;
}

/* Counts a term; for a list its cells, as long as their heads are plain. Returns words. */
static size_t count_term(CopyWalk *c, Term t, size_t *budget)
{
    size_t words = 0;
    while (!term_is_atomic(t) && !is_kept(t, c->keep)) {
        if (!term_is_cons(t)) return words + count_boxed(c, t);
        words += 2;
        Term head = list_head(t);
        if (!term_is_atomic(head) || *budget == 0) {
            push_words(&c->stack, (const Word *)cons_cell(t), 2);
            return words;
        }
        --*budget;
        t = list_tail(t);
    }
    return words;
}

/* Words that need no copy are passed over in runs of this length. */
#define COUNT_SKIP 32

static bool count_step(CopyWalk *c, size_t *budget)
{
    while (!walk_is_empty(&c->stack)) {
        if (*budget == 0) return false;
        --*budget;
        Word *top = walk_top(&c->stack);
        const Word *from = (const Word *)(uintptr_t)top[-1];
        const Word *end = from + top[0];
        const Word *stop = end - from > COUNT_SKIP ? from + COUNT_SKIP : end;
        while (from < stop && term_is_atomic(TERM_RAW(*from))) from++;
        const Word *next = from < stop ? from + 1 : from;
        if (next == end) {
            c->stack.count -= 2;
        } else {
            top[-1] = (Word)(uintptr_t)next;
            top[0] = (Word)(end - next);
        }
        if (from < stop) c->words += count_term(c, TERM_RAW(*from), budget);
        if (c->words > c->limit) {
            c->words = COPY_TOO_LARGE;
            return true;
        }
    }
    return true;
}

size_t copy_size(Term t, size_t limit, const LiteralRange *keep)
{
    if (term_is_atomic(t) || is_kept(t, keep)) return 0;
    CopyWalk c;
    copy_begin(&c, t, limit, keep, NULL);
    size_t budget = SIZE_MAX;
    while (!count_step(&c, &budget)) budget = SIZE_MAX;
    walk_free(&c.stack);
    return c.words;
}

/* ---- copying ---- */

static Word *take(CopyWalk *c, size_t n)
{
    Word *at = c->top;
    c->top += n;
    ASSERT(c->top <= c->end);
    return at;
}

static Term copy_handle(CopyWalk *c, Heap *h, Word *at)
{
    Counted *object = (Counted *)(uintptr_t)at[2];
    if (h->handles == NULL) c->first_handle = at;
    counted_retain(object);
    heap_add_handle(h, at, object->bytes);
    /* Only the handle that was there first may write behind the end. */
    if (header_kind(at[0]) == KIND_SHARED_BINARY) at[3] &= ~BINARY_APPENDABLE;
    return boxed_from(at);
}

static Term copy_flattened(CopyWalk *c, Term t)
{
    size_t words = flattened_words(t);
    BitView view = binary_view(t);
    Word *at = take(c, words);
    at[0] = header_make(KIND_BINARY, words - 1);
    at[1] = view.bits;
    if (words > 2) at[words - 1] = 0;
    bits_copy((uint8_t *)(at + 2), 0, view.at, view.offset, view.bits);
    return boxed_from(at);
}

/* Bodies longer than this are copied in pieces. */
#define COPY_BULK_WORDS 1024

/* What is left of a large body; false when the budget is spent first. */
static bool copy_bulk(CopyWalk *c, size_t *budget)
{
    size_t n = c->bulk_left < *budget ? c->bulk_left : *budget;
    memcpy(c->bulk_to, c->bulk_from, n * sizeof(Word));
    c->bulk_to += n;
    c->bulk_from += n;
    c->bulk_left -= n;
    *budget -= n;
    return c->bulk_left == 0;
}

/* The copy of one object, still pointing into the source; of a large one the body comes by
 * copy_bulk. */
static Term copy_object(CopyWalk *c, Heap *h, Term t)
{
    if (term_is_cons(t)) {
        Word *at = take(c, 2);
        memcpy(at, cons_cell(t), 2 * sizeof(Word));
        return cons_from(at);
    }
    if (is_flattened(t, c->keep)) return copy_flattened(c, t);
    const Word *from = boxed_words(t);
    size_t n = header_words(from[0]) + 1;
    Word *at = take(c, n);
    if (UNLIKELY(n > COPY_BULK_WORDS)) {
        at[0] = from[0];
        c->bulk_to = at + 1;
        c->bulk_from = from + 1;
        c->bulk_left = n - 1;
        return boxed_from(at);
    }
    memcpy(at, from, n * sizeof(Word));
    Kind kind = header_kind(from[0]);
    if (kind == KIND_SHARED_BINARY || kind == KIND_FOREIGN) return copy_handle(c, h, at);
    return boxed_from(at);
}

/* Scans until the end, until the budget is used up, or until an object has a body to be copied. */
static void scan_words(CopyWalk *c, Heap *h, size_t *budget)
{
    Word *scan = c->scan;
    size_t left = *budget;
    while (scan < c->top && left > 0) {
        Term t = TERM_RAW(*scan);
        left--;
        if (term_is_header(t) && kind_is_raw(header_kind(t.w))) {
            scan += header_words(t.w) + 1;
            continue;
        }
        if (!term_is_atomic(t) && !is_kept(t, c->keep)) {
            *scan++ = copy_object(c, h, t).w;
            if (UNLIKELY(c->bulk_left != 0)) break;
        } else {
            scan++;
        }
    }
    c->scan = scan;
    *budget = left;
}

static bool scan_step(CopyWalk *c, Heap *h, size_t *budget)
{
    do {
        if (UNLIKELY(c->bulk_left != 0) && !copy_bulk(c, budget)) return false;
        scan_words(c, h, budget);
    } while (UNLIKELY(c->bulk_left != 0) && *budget > 0);
    return c->scan == c->top && c->bulk_left == 0;
}

static void scan_begin(CopyWalk *c, Heap *h, Word *at)
{
    c->start = c->scan = c->top = at;
    c->end = at + c->words;
    c->bulk_left = 0;
    c->result = copy_object(c, h, c->source);
}

Term copy_into(Heap *h, Word *at, size_t words, Term t, const LiteralRange *keep)
{
    if (words == 0) return t;
    CopyWalk c; /* of which copying uses these alone: the work stack is not even cleared */
    c.keep = keep;
    c.source = t;
    c.words = words;
    scan_begin(&c, h, at);
    size_t budget = SIZE_MAX;
    while (!scan_step(&c, h, &budget)) budget = SIZE_MAX;
    ASSERT(c.top == c.end);
    return c.result;
}

Term copy_term(Heap *h, Term t, size_t limit, const LiteralRange *keep)
{
    size_t words = copy_size(t, limit, keep);
    if (words == 0) return t;
    Word *at = words == COPY_TOO_LARGE ? NULL : heap_alloc(h, words);
    return at == NULL ? TERM_NONE : copy_into(h, at, words, t, keep);
}

/* ---- in slices ---- */

void copy_begin(CopyWalk *c, Term t, size_t limit, const LiteralRange *keep, Mem *mem)
{
    c->now = keep;
    c->keep = NULL;
    c->kept = (LiteralRange){0};
    if (keep != NULL) {
        c->kept = *keep;
        c->keep = &c->kept;
    }
    c->source = t;
    c->result = TERM_NONE;
    c->words = 0;
    c->limit = limit;
    c->start = c->scan = c->top = c->end = NULL;
    c->bulk_left = 0;
    c->done = false;
    walk_init(&c->stack, mem);
    push_words(&c->stack, &c->source.w, 1);
}

bool copy_count(CopyWalk *c, size_t *budget)
{
    if (!count_step(c, budget)) return false;
    if (c->words == 0) c->result = c->source;
    c->done = c->words == 0 || c->words == COPY_TOO_LARGE;
    return true;
}

void copy_place(CopyWalk *c, Heap *h, Word *at) { scan_begin(c, h, at); }

bool copy_step(CopyWalk *c, Heap *h, size_t *budget)
{
    if (c->done) return true;
    if (c->scan == NULL) {
        if (!copy_count(c, budget)) return false;
        if (c->done) return true;
        Word *at = heap_alloc(h, c->words);
        if (at == NULL) {
            c->done = true;
            return true;
        }
        copy_place(c, h, at);
    }
    c->done = scan_step(c, h, budget);
    return c->done;
}

void copy_end(CopyWalk *c)
{
    walk_free(&c->stack);
    if (c->done || c->start == NULL) return;
    c->start[0] = header_make(KIND_FILLER, c->words - 1);
    c->result = TERM_NONE;
}
