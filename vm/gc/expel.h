/*
 * Copying the literals of a module version that is going away into whatever still points to them.
 *
 * The literals themselves stay untouched, as all processes do this at the same time: where an
 * object was copied to stands in a table of its own, so that each is copied once per owner and what
 * was shared stays shared.  Copies go to fragments of `heap`; nothing that was there moves.
 * One thread: the owner of the memory.  Design page: docs/design/hot-code.md.
 */
#pragma once

#include "vm/base/htab.h"
#include "vm/gc/gc.h"
#include "vm/term/walk.h"

typedef struct Expel {
    LiteralRange literals;
    Heap *heap;
    OldGeneration *old; /* its slots that come to point to copies are remembered; or NULL */
    Htab moved;         /* address of a literal object: where its copy is */
    Walk unseen;        /* copies that have not been looked into: [at][words] */
    bool refused;       /* no memory: the owner must not run on */
} Expel;

/* `literals` has a part that leaves; `old` may be NULL. */
void expel_begin(Expel *e, LiteralRange literals, Heap *heap, OldGeneration *old);
static inline bool expel_has_copied(const Expel *e) { return e->moved.count > 0; }
/* Frees what the work needed; false: memory was refused, and pointers to the range may be left. */
MUST_USE bool expel_end(Expel *e);

/* The slow half of expel_slot. */
void expel_literal(Expel *e, Word *slot);
/* Lets a slot outside the heap, or a word inside, point to a copy instead of a leaving literal. */
static inline void expel_slot(Expel *e, Word *slot)
{
    Term t = TERM_RAW(*slot);
    if (term_is_atomic(t)) return;
    if (literal_is_leaving(&e->literals, (const void *)(t.w & ~(Word)TAG_MASK)))
        expel_literal(e, slot);
}
/* All words of whole objects that lie one behind the other. */
void expel_words(Expel *e, Word *at, const Word *end);
/* The young terms in [block, top) and the heap's fragments, then the old generation. */
void expel_generations(Expel *e, Word *block);
