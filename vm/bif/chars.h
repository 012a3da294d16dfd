/*
 * Character data (code points, binaries in some encoding, lists of both, nested to any depth) from
 * one encoding to another, in slices.
 *
 *     chars_begin(&w, heap, t, in, out, bytes);
 *     while ((step = chars_step(&w, &budget)) == CHARS_MORE) ... pause ...
 *     the result stands in w.to and, if not all was converted, in w.rest
 *     chars_end(&w);
 *
 * The walk holds terms: nothing may collect until it ends.  One thread.
 */
#pragma once

#include "vm/term/binary.h"
#include "vm/term/walk.h"

typedef enum CharEncoding {
    CHARS_LATIN1,
    CHARS_UTF8,
    CHARS_UTF16_BIG,
    CHARS_UTF16_LITTLE,
    CHARS_UTF32_BIG,
    CHARS_UTF32_LITTLE,
    CHARS_UNKNOWN
} CharEncoding;

typedef enum CharsStep {
    CHARS_MORE,
    CHARS_ALL,
    CHARS_ERROR,      /* at what stands in `rest` */
    CHARS_INCOMPLETE, /* the data ends inside a character: `rest` */
    CHARS_BADARG,     /* it is no such data */
    CHARS_NO_ROOM     /* memory is refused */
} CharsStep;

typedef struct CharsWalk {
    Heap *heap;
    CharEncoding in;
    CharEncoding out; /* of `to`; CHARS_UNKNOWN: code points of 4 bytes, for a list */
    /* what could not be converted stands in a list of its own, as where OTP converts in Erlang */
    bool wraps;
    bool failed;       /* only `rest` is still to be finished */
    bool leaf_in_list; /* the leaf is an element, and `at` what stands behind it */
    Term at;           /* what is still to be taken of the list at hand */
    Term leaf;         /* the binary that is being taken, or TERM_NONE */
    size_t leaf_at;    /* bytes of it that are done */
    Term rest;         /* what could not be converted */
    uint8_t left[4];   /* the start of a character, at the end of what was taken */
    size_t left_count; /* bytes of it */
    size_t left_here;  /* how many stand in the leaf; as many as there are, or 0 */
    Bytes to;
    BytesMove move;
    Walk tails;
} CharsWalk;

/* Takes the buffer `to`, to which it appends; what cannot be converted is told with terms on
 * `h`. */
void chars_begin(CharsWalk *w, Heap *h, Term t, CharEncoding in, CharEncoding out, Bytes to);
/* Takes elements and bytes from *budget. */
CharsStep chars_step(CharsWalk *w, size_t *budget);
/* Frees `to` as well, unless it was taken. */
void chars_end(CharsWalk *w);
/* After the struct was copied from `from` to `w`: not to be used at `from` any more. */
static inline void chars_moved(CharsWalk *w, const CharsWalk *from)
{
    walk_moved(&w->tails, &from->tails);
}
