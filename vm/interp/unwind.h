/*
 * From a raised exception to its handler.
 */
#pragma once

#include "vm/proc/process.h"

/* The exception in p->run was raised at p->pc, p->fp.  True: p->pc, p->fp are at its handler,
 * which has class, reason and raw trace.  False: nobody handles it; run->exc_reason is what the
 * process exits with, and run->exc_trace the trace as a list. */
bool unwind_to_handler(Process *p);
