/*
 * What a collection starts from.  The collector knows no Process: its owner hands it a function
 * that visits every root slot, and the memory to collect.  Design page:
 * docs/design/heap-and-gc.md.
 */
#pragma once

#include "vm/term/copy.h"
#include "vm/term/heap.h"

typedef struct Evac Evac;

/* Calls evac_slot for every word outside the heap that may hold a term of it. */
typedef void GcScanRoots(Evac *e, void *owner);

/* Terms that survived two collections.  Nothing in it points to the young generation, except the
 * remembered slots (machine.md 4). */
typedef struct OldGeneration {
    Word *start; /* NULL: there is none */
    Word *top;
    Word *end;
    Word *handles;
    uint64_t handle_bytes;
    Word **remembered; /* slots in it that may point to young terms; NULL as a rule */
    uint32_t remembered_count;
    uint32_t remembered_room;
} OldGeneration;
