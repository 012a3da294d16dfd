/*
 * What a process tells about itself: the items of process_info, in slices.
 *
 * A process answers for itself, between its own slices (vm/actor/arrival.c) or inside process_info;
 * so what it tells of lies still, however long the telling takes.  The answer points into the
 * process's heap; what another asked for also into its queue, and is copied into a reply.
 * One thread: the owner's.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/bif/bif.h"
#include "vm/proc/parcel.h"
#include "vm/term/keys.h"
#include "vm/term/list.h"

typedef struct Inspection {
    Pause pause;
    RunContext *rc; /* of the slice that runs */
    Process *p;
    bool self; /* the process asks about itself */
    Heap *h;   /* where the answer is built: the process's own if it asks itself, else: */
    Heap detached;
    Term items;   /* still to be told: an atom, {dictionary, Key}, or a list of them */
    bool listed;  /* they are a list: every pair is told */
    size_t usual; /* place in the list that process_info/1 tells; SIZE_MAX: it is not that */
    ListBuilder pairs;
    Term answer; /* TERM_NONE: no memory for it */
    /* The item at hand, if it takes long. */
    bool begun;
    bool copying;
    ListBuilder values;
    size_t cursor;
    uint32_t moves; /* of the relations, when the cursor was right */
    const Message *message;
    const Word *place; /* a handle, or a frame */
    Bytes text;
    CopyWalk copy;
    KeysStudy *study; /* of a large key of the dictionary, or NULL */
    /* The reply. */
    bool posting;
    Parcel parcel;
} Inspection;

/* Whether process_info/2 knows it. */
bool inspect_is_item(Term t);
/* `items` as for process_info/2; the atom `all` is process_info/1.  Ended with inspect_end. */
void inspect_begin(Inspection *i, Process *p, bool self, Term items);
/* True when i->answer is known. */
bool inspect_step(Inspection *i, RunContext *rc, size_t *budget);
void inspect_end(Inspection *i);

/* Takes steps from a budget; false when it is used up. */
static inline bool inspect_spend(size_t *budget, size_t steps)
{
    *budget -= *budget < steps ? *budget : steps;
    return *budget > 0;
}

/* The text of backtrace, in i->text; the number for catchlevel, in i->cursor.  True: all of it. */
bool inspect_backtrace(Inspection *i, size_t *budget);
bool inspect_catch_level(Inspection *i, size_t *budget);

/* Values that process_flag tells too. */
Term inspect_priority(const Process *p);
Term inspect_max_heap(const Process *p, Heap *h);

/* What OTP reports where nothing has been set. */
#define INSPECT_MIN_HEAP    233
#define INSPECT_MIN_HANDLES 46422
