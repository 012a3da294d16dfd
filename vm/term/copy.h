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

/* Memory of literals that copies may go on pointing to: [start, end); NULL for none. */
typedef struct LiteralRange {
    const Word *start;
    const Word *end;
} LiteralRange;

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
 * The target's area or a fragment is taken when counting is done. */
typedef struct CopyWalk {
    const LiteralRange *keep;
    Term source;
    Term result; /* TERM_NONE: too large, or memory refused */
    size_t words;
    size_t limit;
    Word *start; /* of the copy; NULL while counting */
    Word *scan;
    Word *top;
    Word *end;
    bool done;
    Walk stack;
} CopyWalk;

void copy_begin(CopyWalk *c, Term t, size_t limit, const LiteralRange *keep, Mem *mem);
/* Takes words handled from *budget; true when done. */
bool copy_step(CopyWalk *c, Heap *h, size_t *budget);
/* Stopped early, an unfinished copy is left on the heap as a filler. */
void copy_end(CopyWalk *c);
