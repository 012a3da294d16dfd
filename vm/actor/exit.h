/*
 * How a process dies (machine.md 18): in order, in steps that yield.
 */
#pragma once

#include "vm/proc/process.h"
#include "vm/sched/sched.h"

/* What a dead process leaves, and whom its end concerns; filled once in vm/vm.c. */
typedef struct ExitHooks {
    /* p begins to die, on its own or by a signal; NULL: nobody cares. */
    void (*begun)(RunContext *rc, Process *p, Term reason);
    /* Tables, ports ... of p; called until it returns true; takes from *budget. NULL: none. */
    bool (*release)(RunContext *rc, Process *p, size_t *budget);
    /* A finished report (vm/actor/report.h), UTF-8; NULL: standard error. */
    void (*report)(RunContext *rc, const char *text, size_t length);
} ExitHooks;

/*
 * p, owned by the caller, is dying from now on: it will run no more code.  `reason` is a term
 * of its heap (or immediate): the heap stays until the end.  What it owes is done by exit_step.
 */
void exit_begin(RunContext *rc, Process *p, Term reason);
/* The same with a reason in a message that p keeps until the end; takes it. */
void exit_begin_with(RunContext *rc, Process *p, Message *holder, Term reason);
/* SchedHooks.exit_step. */
SchedStop exit_step(RunContext *rc, Process *p);
/* After sched_run: frees every process, sending nothing.  False, and nothing happens, if a
 * blocking job still runs. */
bool exit_free_all(RunContext *rc);
