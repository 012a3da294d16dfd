/*
 * Moving the survivors of one collection (Cheney): evac_slot moves what a slot points to
 * and puts the new address into the slot; evac_drain does the same for what was moved,
 * until nothing is left.
 *
 *   from: the young block and fragments, and in a full collection the old generation
 *   to:   a new block; in a minor collection terms below the high-water mark go to the old
 *         generation
 *
 * Literals stay.  One thread: whoever owns the process.
 */
#pragma once

#include "vm/gc/roots.h"

struct Evac {
    Word *to_top;  /* next free word of the new block */
    Word *old_top; /* next free word of the old generation */
    Word *to_scan; /* what lies behind is moved, but not yet looked into */
    Word *old_scan;
    const Word *keep_start; /* old generation in a minor collection: stays where it is */
    const Word *keep_end;
    /* young terms below the high-water mark: move to the old generation */
    const Word *mature_start;
    const Word *mature_end;
    LiteralRange literals;
};

/* Moves the object behind a pointer and returns the new term; the slow half of evac_slot. */
Term evac_cons(Evac *e, Term t);
Term evac_boxed(Evac *e, Term t);

static inline bool evac_stays(const Evac *e, const void *at)
{
    const char *a = at;
    return (size_t)(a - (const char *)e->literals.start)
               < (size_t)((const char *)e->literals.end - (const char *)e->literals.start)
           || (size_t)(a - (const char *)e->keep_start)
                  < (size_t)((const char *)e->keep_end - (const char *)e->keep_start);
}

static inline void evac_slot(Evac *e, Word *slot)
{
    Term t = TERM_RAW(*slot);
    if (term_is_atomic(t)) return;
    if (evac_stays(e, (const void *)(t.w & ~(Word)TAG_MASK))) return;
    *slot = (term_is_cons(t) ? evac_cons(e, t) : evac_boxed(e, t)).w;
}

/* Looks into everything moved so far, moving what it points to, until there is no more. */
void evac_drain(Evac *e);

/* The new address of a handle object if it was moved, else NULL. */
Word *evac_moved_to(const Word *handle);
