/*
 * What people are told about processes that end: on standard error, or to ExitHooks.report, each
 * report in one piece.  `trace` is a list of {M, F, Arity or arguments, Location}, or not a list.
 */
#pragma once

#include "vm/proc/process.h"

/* Nobody caught it.  A reason {R, trace} is shown as R, the trace as lines. */
void report_crash(RunContext *rc, Process *p, Term exc_class, Term reason, Term trace);
/* The program's first process was ended by somebody else. */
void report_signal(RunContext *rc, Process *p, Term reason);
/* p's heap cannot grow: memory was `refused`, or it is larger than max_heap_size allows. */
void report_heap(RunContext *rc, Process *p, bool refused, Term trace);
