/*
 * Copying terms into another heap: messages, arguments of spawn, literals, tables.
 *
 * The copy is one closed run of words: it points to itself, to kept literals and to counted
 * objects, whose handles it puts on the target's list.  Sharing inside the source is not kept.
 * Sources may lie in any memory that stays still meanwhile.  O(size); huge terms in slices.
 * Nothing collects.
 */
#pragma once

#include "vm/term/heap.h"
#include "vm/term/walk.h"

/* Memory of literals that copies may go on pointing to: [start, end) without the part of it that
 * is about to be freed, [leaving_start, leaving_end); NULL for none.  A worker's own changes only
 * while all workers stand still. */
typedef struct LiteralRange {
    const Word *start;
    const Word *end;
    const Word *leaving_start;
    const Word *leaving_end;
} LiteralRange;

static inline bool literal_is_leaving(const LiteralRange *r, const void *at)
{
    return (uintptr_t)at - (uintptr_t)r->leaving_start
           < (uintptr_t)r->leaving_end - (uintptr_t)r->leaving_start;
}
static inline bool literals_leave(const LiteralRange *r)
{
    return r->leaving_start != r->leaving_end;
}

#define COPY_TOO_LARGE SIZE_MAX

/* Words that a copy of `t` takes (0 for what needs none); COPY_TOO_LARGE once it exceeds
 * `limit`. */
size_t copy_size(Term t, size_t limit, const LiteralRange *keep);

/* Copies `t` into exactly `words` = copy_size(...) words at `at`, part of `h`; handles go on
 * h's list. */
Term copy_into(Heap *h, Word *at, size_t words, Term t, const LiteralRange *keep);

/* Both at once: TERM_NONE when it exceeds `limit` words or memory is refused. */
Term copy_term(Heap *h, Term t, size_t limit, const LiteralRange *keep);

/* In slices: first counts, then copies.
 *     copy_begin(&c, t, limit, keep, mem);
 *     while (!copy_step(&c, h, &budget)) ... pause ...;
 *     result = c.result; copy_end(&c);
 * Between slices neither source, target nor the walk itself may be collected, moved or freed.
 * The target's area or a fragment is taken when counting is done; a caller that wants to choose
 * the place itself counts first:
 *     while (!copy_count(&c, &budget)) ... pause ...;
 *     copy_place(&c, h, at);       c.words words at `at`, unless 0 or COPY_TOO_LARGE
 *     while (!copy_step(&c, h, &budget)) ... pause ...; */
typedef struct CopyWalk {
    const LiteralRange *now;  /* what was given; may change between steps */
    const LiteralRange *keep; /* NULL, or `kept`: the same from the first step to the last */
    LiteralRange kept;
    Term source;
    Term result; /* TERM_NONE: too large, or memory refused */
    size_t words;
    size_t limit;
    Word *start; /* of the copy; NULL while counting */
    Word *scan;
    Word *top;
    Word *end;
    Word *
        bulk_to; /* a large object whose body is copied piece by piece, before scanning goes on */
    const Word *bulk_from;
    size_t bulk_left;   /* words */
    Word *first_handle; /* that went on an empty list: its last */
    bool done;
    Walk stack;
} CopyWalk;

void copy_begin(CopyWalk *c, Term t, size_t limit, const LiteralRange *keep, Mem *mem);
/* True when c->words is known, and done if nothing is to be copied. */
bool copy_count(CopyWalk *c, size_t *budget);
void copy_place(CopyWalk *c, Heap *h, Word *at);
/* Takes words handled from *budget; true when done. */
bool copy_step(CopyWalk *c, Heap *h, size_t *budget);
/* Literals leave now that did not when the walk began: the copy may point to them. */
static inline bool copy_is_stale(const CopyWalk *c)
{
    return c->now != NULL && literals_leave(c->now)
           && c->kept.leaving_start != c->now->leaving_start;
}
/* Stopped early, an unfinished copy is left on the heap as a filler. */
void copy_end(CopyWalk *c);
