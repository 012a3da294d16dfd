/*
 * A process as data: its block of stack and heap, saved execution state, mailbox, relations.
 *
 *   block:  [heap used ... heap.top) free (... fp][frames ... stack base)      stack grows down
 *   frame:  fp[0] is the return address, register r is fp[-1-r]; nothing else points into the block
 *   young generation: the block and heap.fragments; old generation: extra->old (absent at first)
 *
 * Only the owner touches a process (machine.md 5: the worker that runs it, whoever took WAITING away,
 * or its own exit), but for the fields marked shared.  While it runs under the interpreter, heap.top,
 * fp, pc and reductions live in the interpreter's locals; they are stored before any SLOW function.
 * At most 208 bytes (machine.md 7).  Design pages: docs/design/process.md, heap-and-gc.md.
 */
#pragma once

#include "vm/base/atomic.h"
#include "vm/proc/context.h"
#include "vm/proc/mailbox.h"
#include "vm/term/heap.h"

typedef struct ProcessExtra ProcessExtra; /* what an idle process does not need: extra.h */
typedef struct Relations Relations;       /* links and monitors: links.h */

struct Process {
    Heap heap; /* limit is what built-ins may use: below the frame, with slack (reserve.h) */
    Word *fp;
    const Half *pc; /* where to go on: an instruction, or the descriptor behind a call */
    Word *block;
    uint32_t block_words;
    uint32_t high_water; /* words from block: what survived a collection stays below; next survivor is old */
    RunContext *run;     /* while it runs, else NULL */
    Term pid;
    AtomicU64 state; /* shared: status, flags, priority; state.h names the bits */
    Mailbox mailbox; /* outer inbox shared, inner queue the owner's */
    Relations *relations;
    ProcessExtra *extra;
    Process *queue_next; /* run queue */
    uint64_t reductions; /* executed so far */
    uint64_t initial_call; /* module, function: 24 bits each; arity: 16 (process_initial_call) */
    Term group_leader;
    Term parent;
};

_Static_assert(sizeof(Process) <= 208, "machine.md 7");

/* Registers of the frame that is being run; built-ins: arguments first, then the slots of their stub. */
static inline Term arg(const Process *p, size_t i) { return TERM_RAW(p->fp[-1 - (ptrdiff_t)i]); }
static inline Term slot(const Process *p, size_t i) { return arg(p, i); }
static inline void slot_set(Process *p, size_t i, Term t) { p->fp[-1 - (ptrdiff_t)i] = t.w; }
/* Slots beyond the arguments start as small 0; a count kept there is a small integer. */
static inline size_t raw_slot(const Process *p, size_t i) { return (size_t)small_value(slot(p, i)); }
static inline void raw_slot_set(Process *p, size_t i, size_t n)
{
    slot_set(p, i, small_from((int64_t)n));
}
