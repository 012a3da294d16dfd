/* Tuples.  Heaps have one owner; nothing here collects.  A memory refusal gives TERM_NONE.
 * heap_tuple, heap_tuple2, heap_tuple3 are in heap.h. */
#pragma once

#include "vm/term/heap.h"

/* Where to write the elements of a tuple whose place is taken: elements at [1 ... n]. */
static inline Term tuple_at_words(Word *at, size_t n)
{
    at[0] = header_make(KIND_TUPLE, n);
    return boxed_from(at);
}
/* A tuple of `n` times the same element. */
Term tuple_fill(Heap *h, size_t n, Term element);
/* A copy with element `i` (from 0) replaced. */
Term tuple_with(Heap *h, Term tuple, size_t i, Term element);
/* A copy with an element put before position `i` (0 ... size). */
Term tuple_insert(Heap *h, Term tuple, size_t i, Term element);
/* A copy without element `i`. */
Term tuple_without(Heap *h, Term tuple, size_t i);
/* From a proper list of `n` elements. */
Term tuple_from_list(Heap *h, Term list, size_t n);
Term tuple_to_list(Heap *h, Term tuple);
Term heap_tuple4(Heap *h, Term a, Term b, Term c, Term d);
Term heap_tuple5(Heap *h, Term a, Term b, Term c, Term d, Term e);
