/*
 * Iolists in slices: bytes, binaries and lists of both, nested to any depth, as parts for a sink.
 *
 *     iolist_begin(&w, t, IOLIST_BYTES, mem);
 *     while (iolist_step(&w, &sink, context, &budget) == IOLIST_MORE) ... pause ...
 *     iolist_end(&w);
 *
 * The walk holds terms: nothing may collect until it ends.  One thread.
 */
#pragma once

#include "vm/term/binary.h"
#include "vm/term/walk.h"

/* Bytes of the largest part. */
#define IOLIST_PART 4096

/* False from either stops the walk. */
typedef struct IolistSink {
    /* Some bits, IOLIST_PART bytes at most. */
    bool (*part)(void *context, BitView part);
    /* A binary of more than `whole_from` bytes, instead of its parts; or NULL. */
    bool (*whole)(void *context, Term binary);
    size_t whole_from;
} IolistSink;

/* What may stand in it: binaries of whole bytes, or bitstrings. */
typedef enum IolistKind { IOLIST_BYTES, IOLIST_BITS } IolistKind;

typedef enum IolistStep {
    IOLIST_MORE,
    IOLIST_END,
    IOLIST_BAD, /* it is none */
    IOLIST_STOPPED
} IolistStep;

typedef struct IolistWalk {
    IolistKind kind;
    Term rest;
    Term leaf;      /* the binary that is being taken, or TERM_NONE */
    size_t leaf_at; /* bits of it that are done */
    Walk tails;
} IolistWalk;

/* `t` is a binary or a list; else the first step says BAD. */
void iolist_begin(IolistWalk *w, Term t, IolistKind kind, Mem *mem);
/* Takes elements and bytes / 64 from *budget. */
IolistStep iolist_step(IolistWalk *w, const IolistSink *sink, void *context, size_t *budget);
void iolist_end(IolistWalk *w);
/* After the struct was copied from `from` to `w`: not to be used at `from` any more. */
static inline void iolist_moved(IolistWalk *w, const IolistWalk *from)
{
    walk_moved(&w->tails, &from->tails);
}

/* The bytes of a part of whole bytes: as they stand, or moved to a byte border in `room`. */
const uint8_t *iolist_aligned(BitView part, uint8_t room[IOLIST_PART]);
