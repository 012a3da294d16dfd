/*
 * From a raised exception to its handler, and stack traces.
 *
 * A raw trace is a tuple, made where the exception was raised, that costs no text:
 *   {Module | [], Function, Args | Arity, Flags, Frame ...}     Frame: version id << 32 | code unit
 * Module is the built-in, operator or function shown first when it is not simply the first frame's.
 * A list in its place is a finished trace (erlang:raise/3).
 */
#pragma once

#include "vm/proc/process.h"

/* The exception in p->run was raised at p->pc, p->fp.  True: p->pc, p->fp are at its handler.  False:
 * nobody handles it; run->exc_class is exit and run->exc_reason what the process exits with, run->exc_trace
 * a list. */
bool unwind_to_handler(Process *p);

/* The list of {M,F,Arity | Args,Location} of a raw trace; TERM_NIL at least. Takes room. */
Term unwind_build_trace(Process *p, Term raw_trace);

/* A raw trace of where p stands, for process_info; `p` waits or was preempted. Takes room on `h`. */
Term unwind_current_trace(Process *p, Heap *h, const RunContext *run, size_t depth);
