/*
 * Work where there is none: stealing, falling asleep, waking. Called by a worker on itself, but
 * for balance_wake_one (any thread).  docs/design/scheduler.md.
 */
#pragma once

#include "vm/sched/sched.h"

/* Takes processes from another worker's queue; whether there are any now. */
bool balance_steal(Worker *w);
/* Sleeps until woken or until `due_ns` (monotonic; UINT64_MAX: for ever), unless work has
 * appeared. */
void balance_sleep(Worker *w, uint64_t due_ns);
/* Wakes one sleeping worker, if there is one. */
void balance_wake_one(Sched *s);
void balance_wake_all(Sched *s);
