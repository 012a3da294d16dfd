/*
 * Messages and signals made by a process on its own behalf: what is small is copied at once, what
 * is large in slices (pause.h), so that sending costs others nothing whatever is sent.
 *
 * A Parcel is such a copy half-way.  Between slices the heap it copies from must lie still.
 * Nothing here collects.  One thread at a time: the owner of the process.
 */
#pragma once

#include "vm/proc/message.h"
#include "vm/proc/pause.h"

/* Copies of up to so many words, about 20 µs, are made at once. */
#define PARCEL_QUICK_WORDS 4096

typedef enum ParcelResult {
    PARCEL_DONE,
    PARCEL_MORE,   /* the slice is over */
    PARCEL_REFUSED /* too large for the budget, or no memory */
} ParcelResult;

/*
 * A message of that kind with a copy of `value`, a term of p's, behind which `spare` words are free
 * for message_take_spare.  A signal's sender and number are the caller's to fill in.  Charges.
 * MORE: what is done hangs from p; come again with the same arguments.
 */
MUST_USE ParcelResult parcel_make(Process *p, SignalKind kind, size_t spare, Term value,
                                  Message **made);
/* What parcel_make began is not wanted any more. */
void parcel_forget(Process *p);

/* ---- the same, kept by the caller ---- */

typedef struct Parcel {
    CopyWalk copy;
    Heap area;        /* of the message */
    Message *message; /* NULL while its size is counted; finished once parcel_step says DONE */
    SignalKind kind;
    size_t spare;
} Parcel;

void parcel_begin(Parcel *parcel, RunContext *rc, SignalKind kind, size_t spare, Term value);
/* Words handled are taken from *budget. */
MUST_USE ParcelResult parcel_step(Parcel *parcel, size_t *budget);
/* Frees what parcel_begin made, a finished message (unless taken: set to NULL) or an unfinished
 * one with it; what that holds becomes garbage of `h`. */
void parcel_end(Parcel *parcel, Heap *h);
