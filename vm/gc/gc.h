/*
 * When to collect which generation of one process, and how large its block is next.
 *
 * A minor collection moves young survivors into a new block; those that had survived one
 * already go to the old generation.  A full one moves everything into a new block and frees the
 * old generation.  Afterwards free room is at least the stack plus the young survivors plus
 * what was asked for (machine.md 3), and a block that is mostly empty has shrunk.
 *
 * Only the owner of the process calls this.  Design page: docs/design/heap-and-gc.md.
 */
#pragma once

#include "vm/base/mem.h"
#include "vm/gc/roots.h"

/* The memory of one process as the collector sees it; all of it is updated by a collection. */
typedef struct GcSpace {
    Heap *heap;
    Word *block;
    size_t block_words;
    size_t high_water; /* words from block */
    Word *stack_low;   /* lowest word of the stack in use; it ends with the block */
    /* NULL: young terms are never promoted (the owner has no room for the record) */
    OldGeneration *old;
    LiteralRange literals;
    Mem *mem;
    GcScanRoots *scan_roots;
    void *owner;
    size_t limit_words; /* most words that block and old generation may take; 0 is no limit */
} GcSpace;

typedef enum GcResult {
    GC_DONE,
    GC_OVER_LIMIT, /* collected, but what lives or was asked for exceeds limit_words */
    GC_NO_MEMORY,  /* the allocator refused; nothing has changed */
} GcResult;

/* What a collection did, for charges and process_info. */
typedef struct GcReport {
    bool full;
    size_t survivors; /* words that were moved */
} GcReport;

/* Makes `need` free words between heap and stack.  `force_full` asks for a full collection. */
MUST_USE GcResult gc_collect(GcSpace *s, size_t need, bool force_full, GcReport *report);

/* The smallest block size in words that holds `words`: 32, 48, 64, 96 ... */
size_t gc_block_size(size_t words);

/* Frees the old generation and drops what its handles hold. */
void gc_free_old(OldGeneration *old, Mem *mem);

/* Notes that `slot`, a word of an old object, may now point to a young term. False: no memory. */
MUST_USE bool gc_remember(OldGeneration *old, Word *slot, Mem *mem);
