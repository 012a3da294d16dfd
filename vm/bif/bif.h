/*
 * How built-in functions are written (machine.md 9, rows in vm/format/bifs.def).
 *
 * A built-in is `BifResult bif_name(Process *p)`.  It reads its arguments with arg(p, i)
 * and builds its result on &p->heap, which never collects, so terms may be held in C
 * variables until it returns.
 *   return term                     done
 *   return raise_badarg(p) ...      an exception (vm/proc/raise.h); the value is TERM_NONE
 *   return bif_yield(p)             TRAPS rows: run me again, in a later slice when this one is
 *                                   spent; what is to survive is in slots; the heap may have
 *                                   been collected in between
 *   return bif_wait(p)              the process waits (receive-like, blocking pool); run me
 *                                   again when woken
 * A row of kind GUARD or PLAIN is O(1) or close to it and never yields; its results are small.
 * GUARD_LONG and PLAIN_LONG rows are called in line too: they have no slots, so what may be large
 * is done with a record of its own (vm/proc/pause.h, vm/bif/task.h), with the heap still.
 * Work is charged with bif_charge: about one reduction per 10 ns.
 */
#pragma once

#include "vm/proc/process.h"
#include "vm/proc/raise.h"

typedef Term BifResult;
typedef BifResult BifFunction(Process *p);

static inline BifResult bif_yield(Process *p)
{
    (void)p;
    return TERM_YIELD;
}
static inline BifResult bif_wait(Process *p)
{
    (void)p;
    return TERM_WAIT;
}

/* Reductions that a TRAPS row may spend before it yields; also the most an
 * inline row should charge. */
#define BIF_SLICE 1000

static inline void bif_charge(Process *p, int64_t reductions)
{
    p->run->reductions -= reductions;
}
/* The slice is spent: a TRAPS row should yield. */
static inline bool bif_spent(const Process *p) { return p->run->reductions <= 0; }

/* Rows of bifs.def to C functions; rows with an opcode of their own have none. */
#define BIF_DECLARE_GUARD(c_function)      BifFunction c_function;
#define BIF_DECLARE_PLAIN(c_function)      BifFunction c_function;
#define BIF_DECLARE_GUARD_LONG(c_function) BifFunction c_function;
#define BIF_DECLARE_PLAIN_LONG(c_function) BifFunction c_function;
#define BIF_DECLARE_TRAPS(c_function)      BifFunction c_function;
#define BIF_DECLARE_BLOCKS(c_function)     BifFunction c_function;
#define BIF_DECLARE_CONTROL(c_function)
#define BIF(module, name, arity, c_function, kind, needs, meaning) \
    BIF_DECLARE_##kind(c_function)
#include "vm/format/bifs.def"
#undef BIF

/* By row. */
extern BifFunction *const bif_functions[];
