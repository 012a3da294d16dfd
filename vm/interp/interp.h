/*
 * Code in motion: runs one process until its slice is spent, it waits, or it ends.
 *
 * State is five locals of interp_run: pc, fp, heap top, reductions, process; everything else is
 * in the Process and its RunContext, where SLOW functions find and leave the five.  One thread:
 * the worker that owns the process.  Design pages: docs/design/bytecode.md,
 * docs/design/interpreter.md.
 */
#pragma once

#include "vm/proc/process.h"

typedef enum RunStop {
    RUN_SPENT,   /* the slice is over; the process can go on */
    RUN_WAITING, /* in a receive, or a built-in waits; pc is run again when it wakes */
    RUN_ENDED,   /* its first function returned: exit normal */
    /* an exception nobody caught: run->exc_class, exc_reason (as the exit reason), exc_trace */
    RUN_CRASHED,
    RUN_EXITING, /* a signal ended it: exit_begin has been called */
    RUN_KILLED,  /* max_heap_size or memory: run->exc_reason is the exit reason */
} RunStop;

/* Runs p from where it stands; p->run and p->heap belong to this thread. */
RunStop interp_run(RunContext *run, Process *p);

/* What a SLOW function asks of the loop; the state is in the process. */
typedef enum SlowResult {
    SLOW_NEXT,  /* go on at p->pc */
    SLOW_RAISE, /* the exception in run->exc_… was raised by the instruction at p->pc */
    SLOW_STOP,  /* leave the loop with run->stop */
} SlowResult;
