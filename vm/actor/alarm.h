/*
 * Timers that send messages: send_after, start_timer, cancel_timer, read_timer.
 */
#pragma once

#include "vm/proc/parcel.h"
#include "vm/sched/sched.h"

/* SchedHooks.deliver. */
bool alarm_deliver(RunContext *rc, Timer *t);

/* Sends `message` (wrapped as {timeout, Ref, Message} if asked) to `to`, a local pid or a
 * name, at due_ns; the reference's number through *number.  What is large is copied in slices:
 * MORE: run me again.  REFUSED: no memory. */
MUST_USE ParcelResult alarm_start(Process *p, Term to, uint64_t due_ns, Term message,
                                  bool wrapped, uint64_t *number);
/* Time left in ns, or -1. */
int64_t alarm_cancel(Process *p, uint64_t number);
int64_t alarm_left(Process *p, uint64_t number);
