/*
 * A process as data: its block of stack and heap, saved execution state, mailbox, relations.
 *
 *   block:  [heap used ... heap.top) free (... fp][frames ... stack base)      stack grows down
 *   frame:  fp[0] is the return address, register r is fp[-1-r]; nothing else points into the block
 *   young generation: the block and heap.fragments; old generation: extra->old (absent at first)
 *
 * Only the owner touches a process (machine.md 5: the worker that runs it, whoever took WAITING
 * away, or its own exit), but for the fields marked shared.  While it runs, heap.top,
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
    /* Words from block: what survived a collection stays below; the next survivor is old. */
    uint32_t high_water;
    RunContext *run; /* while it runs, else NULL */
    Term pid;
    AtomicU64 state; /* shared: status, flags, priority; state.h names the bits */
    Mailbox mailbox; /* outer inbox shared, inner queue the owner's */
    Relations *relations;
    ProcessExtra *extra;
    Process *queue_next; /* run queue */
    uint64_t reductions; /* executed so far */
    uint64_t
        initial_call; /* module, function: 24 bits each; arity: 16 (process_initial_call) */
    Term group_leader;
    Term parent;
};

_Static_assert(sizeof(Process) <= 208, "machine.md 7");

/* Words of the first block of a process that needs no more. */
#define PROCESS_FIRST_WORDS 32

/* A process with an empty block of at least `block_words`: nothing on heap or stack (fp at
 * the end of the block), no pid, status FREE.  NULL when memory is refused. */
MUST_USE Process *process_new(Mem *mem, size_t block_words);
/* Frees block, fragments and what their handles hold; not the control block. */
void process_free_block(Process *p);
/* Frees the control block; an EpochRelease: `context` is the Mem. */
void process_release(void *context, void *process);

/* Module, function, arity in one word.  Atom indexes have 24 bits. */
static inline uint64_t process_pack_call(Term module, Term function, uint32_t arity)
{
    return (uint64_t)atom_index(module) << 40 | (uint64_t)atom_index(function) << 16 | arity;
}
static inline Term process_call_module(uint64_t call)
{
    return atom_from((uint32_t)(call >> 40));
}
static inline Term process_call_function(uint64_t call)
{
    return atom_from((uint32_t)(call >> 16) & 0xFFFFFF);
}
static inline uint32_t process_call_arity(uint64_t call) { return (uint32_t)(call & 0xFFFF); }

/* Registers of the frame that is being run; built-ins: arguments first, then the slots of
 * their stub. */
static inline Term arg(const Process *p, size_t i)
{
    return TERM_RAW(p->fp[-1 - (ptrdiff_t)i]);
}
static inline Term slot(const Process *p, size_t i) { return arg(p, i); }
static inline void slot_set(Process *p, size_t i, Term t) { p->fp[-1 - (ptrdiff_t)i] = t.w; }
/* A list of `n` registers from r(first); nil without memory. */
Term process_list_registers(Process *p, size_t first, size_t n);
/* Slots beyond the arguments start as small 0; a count kept there is a small integer. */
static inline size_t raw_slot(const Process *p, size_t i)
{
    return (size_t)small_value(slot(p, i));
}
static inline void raw_slot_set(Process *p, size_t i, size_t n)
{
    slot_set(p, i, small_from((int64_t)n));
}
