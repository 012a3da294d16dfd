/*
 * Signals that have arrived: a process sorts its inbox, in order, and acts on what is there.
 * What is much work (a long queue, an answer that is large) is done in slices, before the process
 * runs on.  Design page: docs/design/signals.md.
 */
#pragma once

#include "vm/proc/process.h"
#include "vm/sched/sched.h"

/* p's outer inbox is sorted into its queue, signals are acted upon.  p is owned by the caller and
 * stands anywhere (nothing collects).
 * GOES: all has been looked at.  SPENT: there is more, and this slice is to end.  EXITED:
 * exit_begin was called and p must not go on.  WAITS: it has been suspended and should stop. */
SchedStop arrival_fetch(RunContext *rc, Process *p);
/* SchedHooks.signals: the same at a safepoint, where a wanted collection takes place. */
SchedStop arrival_look(RunContext *rc, Process *p);
/* p gives an answer and must not run until arrival_fetch has finished it. */
bool arrival_is_busy(const Process *p);
