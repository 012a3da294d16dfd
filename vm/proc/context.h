/*
 * What a running process borrows from the worker that runs it: the VM's tables, the exception
 * being raised, the state of the slice.  First member of Worker (vm/sched); a process reaches
 * it by p->run while it runs, and only then.  One thread at a time.
 */
#pragma once

#include "vm/base/mem.h"
#include "vm/code/module.h"
#include "vm/term/copy.h"
#include "vm/term/term.h"

typedef struct Process Process;
typedef struct ProcTable ProcTable;
typedef struct Vm Vm;

struct Env;          /* vm/base/env.h */
struct Persist;      /* vm/ets/persist.h */
struct EtsDirectory; /* vm/ets/ets_directory.h */
struct Registry;     /* vm/actor/registry.h */
struct ExitHooks;    /* vm/actor/exit.h */
struct RemoteHooks;  /* vm/actor/remote.h */

/* A built-in in C; vm/bif/bif.h tells how they are written. */
typedef Term BifFunction(Process *p);

/* Code that a call finds missing: does whoever knows modules have it at hand?  Filled in
 * vm/vm.c. */
typedef struct RunContext RunContext;
typedef struct CodeHooks {
    /* Loads the module if that needs no waiting; true if its code may be there now. */
    bool (*autoload)(RunContext *run, Term module);
    bool (*is_embedded)(RunContext *run, Term module);
    /* The folders of modules and the arguments that the command line gave; borrowed texts. */
    size_t (*path_count)(RunContext *run);
    const char *(*path_at)(RunContext *run, size_t i);
    size_t (*argument_count)(RunContext *run);
    const char *(*argument_at)(RunContext *run, size_t i);
} CodeHooks;

/* The longest that a process went without looking at its slice; debug builds: stretch.h. */
typedef struct Stretch {
    int64_t longest; /* reductions in one call of a built-in: */
    uint32_t row;    /* of bifs.def */
    uint32_t opcode; /* where this slice ended: */
    int64_t overdraft;
    uint64_t adopted; /* words that came with answers: nobody built them here */
} Stretch;

/* Counted objects that built-ins keep for later calls, one reference each: compiled patterns of
 * regular expressions (vm/bif/bif_re_pattern.c).  A hash tells where one may be. */
#define CONTEXT_KEPT 16
typedef struct ContextKept {
    uint64_t hash;
    Counted *object; /* or NULL */
} ContextKept;

struct RunContext {
    Process *current;

    /* The exception on its way from the failing instruction or built-in to its handler. */
    Term exc_class; /* atom error, exit or throw */
    Term exc_reason;
    Term exc_trace; /* raw trace; TERM_NONE: made by the unwinder from where it was raised */
    /* the built-in that raised is not shown: error/1, exit/1, throw/1 ... */
    bool exc_hides_bif;
    Term exc_args; /* list of arguments for the trace's first entry (error/2), or TERM_NONE */
    Term exc_info; /* what its location says of the error (error/3), or TERM_NONE */

    int64_t reductions;      /* what is left of the slice, while no interpreter holds it */
    int64_t reductions_held; /* put aside to reach the slow path at the next charge point */
    int64_t slice;           /* what the slice was */
    uint32_t collections;    /* of the process in this slice */

    Stretch stretch;

    uint64_t stress_tick; /* stress builds: safepoints passed, see reserve_stress_skips */

    ContextKept kept[CONTEXT_KEPT];

    /* The function that the last look-up of a frame's extent found. */
    const Half *extent_from;
    const Half *extent_to;
    uint32_t extent;

    LiteralRange literals; /* the code area: terms inside are not copied, not moved */
    AtomTable *atoms;
    CodeTable *code;
    ProcTable *processes;
    Mem *mem;
    BifFunction *const *bifs; /* by row of bifs.def */
    const CodeHooks *code_hooks;
    int stop; /* RunStop, when a SLOW function leaves the interpreter */
    Vm *vm;   /* opaque below vm.c */
    struct Worker *worker;
    struct Registry *registry;
    struct Persist *persist;
    struct EtsDirectory *tables;
    struct Env *env;
    struct FileFolder *folder; /* vm/bif/bif_folder.h */
    const struct ExitHooks *exit_hooks;
    /* p's heap cannot grow, because memory was `refused` or max_heap_size does not allow it. */
    void (*heap_full)(RunContext *rc, Process *p, bool refused);
    const struct RemoteHooks *remote; /* NULL: other nodes cannot be reached */
};

/* Another object in its place, with a reference of its own; the one before is given up. */
static inline void context_keep(RunContext *rc, uint64_t hash, Counted *object)
{
    ContextKept *kept = &rc->kept[hash % CONTEXT_KEPT];
    if (kept->object != NULL) counted_drop(kept->object);
    if (object != NULL) counted_retain(object);
    *kept = (ContextKept){hash, object};
}
/* The worker ends. */
static inline void context_forget(RunContext *rc)
{
    for (uint64_t i = 0; i < CONTEXT_KEPT; i++) context_keep(rc, i, NULL);
}
