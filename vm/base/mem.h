/* Memory: malloc underneath, counted per subsystem in a Mem, under a budget that may refuse.
 *
 * A Mem belongs to one Vm; every thread of that Vm may use it at the same time.  Everything that
 * is allocated with a Mem and a tag is freed with the same Mem, tag and size: there is no header in
 * front of a block.  A NULL Mem means "not counted, no budget" (the compiler, tools, tests).
 * Blocks are aligned for any type (16 bytes).  Design page: docs/design/memory.md. */
#pragma once

#include "vm/base/config.h"

/* Whom a block is for.  What a process owns is the first group: the budget may refuse it. */
typedef enum {
    MEM_HEAP,     /* process blocks, old generations, fragments */
    MEM_PROCESS,  /* control blocks, side records, process table */
    MEM_BINARY,   /* shared binaries */
    MEM_MESSAGE,  /* messages and signals */
    MEM_TABLE,    /* ets */
    MEM_CODE,     /* modules, exports, literals */
    MEM_ATOM,     /* atom texts and index */
    MEM_TIMER,    /* timer wheels */
    MEM_SCHED,    /* workers, run queues, epochs */
    MEM_IO,       /* ports, sockets, buffers */
    MEM_WORK,     /* work lists and scratch of built-ins */
    MEM_COMPILER, /* arenas of the compiler */
    MEM_MISC,
    MEM_TAG_COUNT
} MemTag;

typedef struct Mem Mem;

/* A new account with a budget in bytes; 0 means without limit.  Freed by mem_delete, which
 * forgets the account, whatever is still allocated. */
Mem *mem_new(size_t budget_bytes);
void mem_delete(Mem *m);

/* Allocate; running out stops the VM with one line (what, whose, how much).  0 bytes give a
 * distinct block.  The result is never NULL. */
RETURNS_NEW NEVER_NULL void *mem_alloc(Mem *m, MemTag tag, size_t bytes);
RETURNS_NEW NEVER_NULL void *mem_alloc_zero(Mem *m, MemTag tag, size_t bytes);

/* Resize a block of `old_bytes` to `new_bytes`; takes `at` (NULL with 0: a new block). */
MUST_USE NEVER_NULL void *mem_realloc(Mem *m, MemTag tag, void *at, size_t old_bytes,
                                      size_t new_bytes);

/* The same, on behalf of a process: NULL when the budget, the system or an injected failure says
 * no; the old block then stays as it was. */
MUST_USE void *mem_try_alloc(Mem *m, MemTag tag, size_t bytes);
MUST_USE void *mem_try_realloc(Mem *m, MemTag tag, void *at, size_t old_bytes,
                               size_t new_bytes);

/* Free a block of exactly `bytes` bytes; takes `at`, which may be NULL. */
void mem_free(Mem *m, MemTag tag, void *at, size_t bytes);

/* Count bytes that someone else allocated or freed (a library's memory on a process's behalf). */
void mem_count(Mem *m, MemTag tag, ptrdiff_t bytes);

/* Bytes in use: exact when no other thread allocates, else a sum taken on the way. */
size_t mem_used(const Mem *m, MemTag tag);
size_t mem_total(const Mem *m);

/* Blocks in use under `tag`; the accounting at exit wants 0. */
size_t mem_blocks(const Mem *m, MemTag tag);

/* Readable name of a tag, static. */
const char *mem_tag_name(MemTag tag);

/* The budget in bytes; 0 means without limit.  A lowered budget refuses, it frees nothing. */
void mem_set_budget(Mem *m, size_t budget_bytes);
size_t mem_budget(const Mem *m);
/* Would so many bytes more stay within the budget: for tables that are made anew seldom, as it adds
 * the counters of all threads up. */
bool mem_has_room(const Mem *m, size_t bytes);

/* For what must be had: the budget grows by `bytes`, if there is one. */
void mem_insist(Mem *m, size_t bytes);

/* Failure injection for tests: after `successes` further mem_try_ calls, every `period`-th one
 * fails (period 0: none ever again). */
void mem_inject_failure(Mem *m, uint64_t successes, uint64_t period);

/* The same on the calling thread alone: its `nth` call of mem_try_ from now on fails (0: none).
 * Debug builds; others do nothing. */
void mem_refuse_after(Mem *m, uint64_t nth);

/* 80 % of what the machine or the container allows, in bytes. */
size_t mem_default_budget(void);
