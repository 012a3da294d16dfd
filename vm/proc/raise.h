/*
 * Raising: puts class, reason and (if given) trace into p->run and returns TERM_NONE, which a
 * built-in returns in turn.  The unwinder (vm/interp/unwind.c) makes the raw trace from where
 * it stands.  None of these collects; building the reason may take a fragment.
 */
#pragma once

#include "vm/proc/process.h"

Term raise_class(Process *p, Term exc_class, Term reason);
/* error:Reason */
Term raise_error(Process *p, Term reason);
/* error:Reason with the arguments shown in the first entry of the trace (error/2); args is a
 * list. */
Term raise_error_args(Process *p, Term reason, Term args);
Term raise_badarg(Process *p);
Term raise_badarith(Process *p);
Term raise_system_limit(Process *p);
/* What a failure is that nobody names: memory was refused.  Said before a process runs and when an
 * exception has been taken, so that the worker never holds a reason of another process's heap. */
void raise_nothing(RunContext *run);
/* error:{Tag, Value} with Tag a built-in atom: badmatch, badkey, badmap, badfun ... */
Term raise_tagged(Process *p, Term tag, Term value);
Term raise_exit(Process *p, Term reason);
Term raise_throw(Process *p, Term value);
/* Raise again with a raw trace, or with what erlang:raise/3 checked. */
Term raise_again(Process *p, Term exc_class, Term reason, Term raw_trace);
