/*
 * References to objects outside all heaps: compiled patterns, atomics, counters.
 *
 * To programs they are references.  The object is counted: each heap that holds the
 * reference holds one count, and the last one to go releases it.  Which kind of object it
 * is tells its release function.
 */
#pragma once

#include "vm/bif/bif.h"

/* A new reference to the object: takes one count of it.  TERM_NONE when memory is refused (the
 * count is given back). */
Term bif_foreign_new(Process *p, Counted *object);
/* The same on any heap, with a number that sched_reference gave. */
Term bif_foreign_at(Heap *h, Counted *object, Word number);
/* The object behind a reference, borrowed; NULL if there is none. */
static inline Counted *bif_foreign_of(Term t)
{
    return term_is_kind(t, KIND_FOREIGN) ? (Counted *)boxed_words(t)[2] : NULL;
}
