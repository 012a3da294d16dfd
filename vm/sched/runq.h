/*
 * One worker's queue of processes that can run.
 *
 * Per priority two lists: `woken` (by a message, a timer, a job; new processes) and `spent`
 * (used their slice up).  Woken go first, at most 8 to 1; normal before low likewise 8 to 1;
 * max and high before both.  `next` holds one process woken by the running one: it goes first
 * of all and inherits the rest of the slice.  Any thread may push and steal; a lock of its own
 * protects it all. Design page: docs/design/scheduler.md.
 */
#pragma once

#include "vm/base/lock.h"
#include "vm/proc/process.h"
#include "vm/proc/state.h"
#include "vm/sched/chance.h"

#define RUNQ_RATIO 8

typedef struct RunList {
    Process *first; /* linked by queue_next */
    Process *last;
    size_t count;
} RunList;

typedef struct RunQueue {
    Lock lock;
    Process *next;
    RunList woken[4]; /* by ProcessPriority */
    RunList spent[4];
    uint8_t turns[4];  /* woken taken in a row while spent waited, per priority */
    uint8_t low_turns; /* normal taken in a row while low waited */
    AtomicSize length; /* all lists, without `next`; written under the lock, read by anybody */
    Chance *chance;    /* seeded: picks inside a list */
} RunQueue;

typedef enum RunHow { RUNQ_WOKEN, RUNQ_SPENT, RUNQ_NEXT } RunHow;

void runq_init(RunQueue *q, Chance *chance);
void runq_destroy(RunQueue *q);

/* Queues a process whose status is RUNNABLE and that is in no queue.  RUNQ_NEXT becomes
 * RUNQ_WOKEN when the place is taken.  Returns how many are queued now, or 0 if it has
 * become `next`. */
size_t runq_push(RunQueue *q, Process *p, ProcessPriority priority, RunHow how);
/* Who runs next, or NULL; *inherits says that it came from `next`.  With nothing left to
 * inherit, `next` has no precedence: else a chain of messages could keep all others waiting. */
Process *runq_pop(RunQueue *q, bool something_left, bool *inherits);
/* Moves about half of the processes, but not `next`, from `from` to `to`; returns how many. */
size_t runq_steal(RunQueue *from, RunQueue *to);

/* Sequentially consistent: a worker that falls asleep says so, then looks here once more. */
static inline size_t runq_length(const RunQueue *q) { return atomic_load_seq(&q->length); }
