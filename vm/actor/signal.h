/*
 * Signals between processes: sending them, and acting on those that arrived, in order.
 * Design page: docs/design/signals.md.
 */
#pragma once

#include "vm/proc/links.h"
#include "vm/proc/process.h"
#include "vm/sched/sched.h"

/* SchedHooks.signals: p's outer inbox is sorted into its queue, signals are acted upon.  p is owned by
 * the caller and stands anywhere (nothing collects): EXITED means that exit_begin was called, and p
 * must not go on. */
SchedStop signal_fetch(RunContext *rc, Process *p);

/* ---- on behalf of p, which runs ---- */

/* link/1 to a local pid or another: false raises noproc (p does not trap exits). */
MUST_USE bool signal_link(Process *p, Term other);
void signal_unlink(Process *p, Term other);
/* exit/2 */
void signal_exit(Process *p, Term other, Term reason);
/* monitor: `item` is a pid or TERM_NONE with name set; tag TERM_NONE or a term. Returns the number. */
MUST_USE bool signal_monitor(Process *p, Term item, Term name, unsigned flags, Term tag, uint64_t *number);
/* True if the monitor was there. */
bool signal_demonitor(Process *p, uint64_t number);
/* Removes {_, Ref, _, _, _} of that monitor from the queue; true if there was one. */
bool signal_flush_down(Process *p, uint64_t number);
uint64_t signal_alias(Process *p, unsigned flags);
bool signal_unalias(Process *p, uint64_t number);

/* A request to `other` (INFO, ALIVE, COLLECT, SUSPEND, CHECK_CODE): its number; the answer wakes p. */
uint64_t signal_request(Process *p, SignalKind kind, Term other, Term value);
/* The answer to a request, on p's heap: TERM_NONE while there is none. */
Term signal_answer(Process *p, uint64_t number);

/* ---- on the machine's behalf ---- */

/* Signals from the dying. */
void signal_send_exit(RunContext *rc, Term from, Term to, Term reason, bool through_link);
void signal_send_down(RunContext *rc, Term from, Term to, uint64_t number, Term reason);
/* What arrives at a mailbox that has closed, or was found closed: answers it for the dead and frees it. */
void signal_refuse(RunContext *rc, Term dead, Message *m);
