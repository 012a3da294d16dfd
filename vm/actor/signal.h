/*
 * Signals between processes: sending them, and acting on those that arrived, in order.
 * Design page: docs/design/signals.md.
 */
#pragma once

#include "vm/proc/links.h"
#include "vm/proc/process.h"
#include "vm/sched/sched.h"

/* p's outer inbox is sorted into its queue, signals are acted upon.  p is owned by the
 * caller and stands anywhere (nothing collects).  EXITED: exit_begin was called and p must
 * not go on.  WAITS: it has been suspended and should stop soon. */
SchedStop signal_fetch(RunContext *rc, Process *p);
/* SchedHooks.signals: the same at a safepoint, where a wanted collection takes place. */
SchedStop signal_look(RunContext *rc, Process *p);

/* ---- on behalf of p, which runs ---- */

/* link/1 to a pid.  False: nobody there, and p does not trap exits: raises noproc. */
MUST_USE bool signal_link(Process *p, Term other);
void signal_unlink(Process *p, Term other);
/* exit/2 */
void signal_exit(Process *p, Term other, Term reason);
/* A monitor of a pid, or (name not TERM_NONE) of whoever has that name now.  `flags`:
 * RELATION_ALIAS_...; tag: TERM_NONE or what replaces 'DOWN'.  The reference's number. */
uint64_t signal_monitor(Process *p, Term pid, Term name, unsigned flags, Term tag);
/* True if the monitor was there. */
bool signal_demonitor(Process *p, uint64_t number);
/* Removes {_, Ref, _, _, _} of that monitor from the queue; true if there was one. */
bool signal_flush_down(Process *p, uint64_t number);
/* alias/1, unalias/1: the reference's number; whether it was active. */
uint64_t signal_alias(Process *p, unsigned flags);
bool signal_unalias(Process *p, uint64_t number);
/* Sets p's own or another's group leader; false: no such process. */
MUST_USE bool signal_group_leader(Process *p, Term other, Term leader);
/* Lets a process go on that p has suspended; false if it has not. */
MUST_USE bool signal_resume(Process *p, Term other);

/* A request to `other` (INFO, ALIVE, COLLECT, SUSPEND, CHECK_CODE): its number; the answer
 * wakes p. */
uint64_t signal_request(Process *p, SignalKind kind, Term other, Term value);
/* The answer to a request, on p's heap: TERM_NONE while there is none. */
Term signal_answer(Process *p, uint64_t number);

/* ---- on the machine's behalf ---- */

/* Signals from the dying. */
void signal_send_exit(RunContext *rc, Term from, Term to, Term reason, bool through_link);
void signal_send_down(RunContext *rc, Term from, Term to, uint64_t number, Term reason);
void signal_send_demonitor(RunContext *rc, Term from, Term to, uint64_t number);
void signal_send_resume(RunContext *rc, Term from, Term to);
/* What arrives at a mailbox that has closed, or was found closed: answers it for the dead
 * and frees it. */
void signal_refuse(RunContext *rc, Term dead, Message *m);
