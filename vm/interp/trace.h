/*
 * Stack traces: raw ones, made where an exception is raised, and the lists programs see.
 *
 * A raw trace is a tuple that costs no text:
 *   {Module | [], Function, Args | Arity, Flags, Frame ...}     Frame: version id << 32 | code unit
 * A map in the place of Flags is what error/3 said of the error; then they are TRACE_AT_FRAME.
 * Module is the built-in, operator or function shown first when it is not simply the first frame's.
 * A list in its place is a finished trace (erlang:raise/3).  None of these collects; all take room.
 */
#pragma once

#include "vm/format/tables.h"
#include "vm/proc/process.h"

enum {
    /* the first entry is a built-in: its location says who can explain it */
    TRACE_ERROR_INFO = 1,
    TRACE_AT_FRAME = 2 /* the first entry is the first frame, with arguments */
};

/* The raw trace of an exception raised at p->pc, p->fp; `near` holds p->pc, or is NULL if no
 * version does. */
Term trace_make(Process *p, const ModuleVersion *near);
/* The same for a call of M:F that failed in the instruction at p->pc (undef, error_handler). */
Term trace_make_called(Process *p, Term module, Term function, Term args, bool error_info);

/* The list {M, F, Arity | Args, Location} of a raw trace. */
Term trace_list(const CodeTable *code, Heap *h, Term raw);

/* Where p stands now, as such a list of at most `depth` entries, for process_info. */
Term trace_current(Process *p, Heap *h, size_t depth);
