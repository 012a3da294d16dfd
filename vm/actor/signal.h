/*
 * Signals between processes: sending them.  What they do when they arrive: arrival.h.
 * Design page: docs/design/signals.md.
 */
#pragma once

#include "vm/proc/links.h"
#include "vm/proc/process.h"
#include "vm/sched/sched.h"

/* ---- on behalf of p, which runs ---- */

/* link/1 to a pid.  False: nobody there, and p does not trap exits: raises noproc. */
MUST_USE bool signal_link(Process *p, Term other);
void signal_unlink(Process *p, Term other);
/* exit/2.  False: the slice is over, run me again. */
MUST_USE bool signal_exit(Process *p, Term other, Term reason);
/* A signal that carries a term of p, which runs or is dying; likewise. */
MUST_USE bool signal_tell(Process *p, SignalKind kind, Term to, uint64_t number, Term value);
/* A monitor of a pid, or (name not TERM_NONE) of whoever has that name now.  `flags`:
 * RELATION_ALIAS_...; tag: NULL or what replaces 'DOWN', taken.  The reference's number. */
uint64_t signal_monitor(Process *p, Term pid, Term name, unsigned flags, Message *tag);
/* A monitor of a name on another node. */
uint64_t signal_monitor_on_node(Process *p, Term name, Term node, unsigned flags, Message *tag);
/* Whom a monitor's entry is about: a pid, or the other node; or nobody. */
Term signal_monitored(const Relation *r);
/* True if the monitor was there. */
bool signal_demonitor(Process *p, uint64_t number);
/* Removes {_, Ref, _, _, _} of that monitor from the queue.  False: the slice is over. */
MUST_USE bool signal_flush_down(Process *p, uint64_t number);
bool signal_is_flushing(const Process *p);
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

/* A signal of that kind that must arrive although memory is refused for its value: it says so. */
Message *signal_without_value(RunContext *rc, SignalKind kind);

/* Signals from the dying. */
void signal_send_exit(RunContext *rc, Term from, Term to, Term reason, bool through_link);
void signal_send_down(RunContext *rc, Term from, Term to, uint64_t number, Term reason);
void signal_send_demonitor(RunContext *rc, Term from, Term to, uint64_t number);
void signal_send_resume(RunContext *rc, Term from, Term to);
/* Answers to requests; the second one takes a finished REPLY. */
void signal_reply(RunContext *rc, Term to, uint64_t number, Term value);
/* The answer to CHECK_CODE: true or false. */
void signal_answer_check(RunContext *rc, const Signal *s, Term answer);
void signal_send_reply(RunContext *rc, Term to, uint64_t number, Message *answer);
void signal_send_unlink_ack(RunContext *rc, Term from, Term to, uint64_t number);
/* A monitor of p's is over: its entry goes, or becomes the alias that outlives it. */
void signal_monitor_ends(Process *p, Relation *r);
/* What arrives at a mailbox that has closed, or was found closed: answers it for the dead
 * but does not free it. */
void signal_refuse(RunContext *rc, Term dead, Message *m);
