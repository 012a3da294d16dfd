/*
 * The state word of a process: what it does, and what others want of it.
 *
 *   bits 0-1   status: exactly one thread owns the process in each of them but WAITING
 *   bits 2-3   priority
 *   the rest   flags
 *
 * RUNNABLE -> RUNNING       the worker that took it from a run queue
 * RUNNING  -> RUNNABLE      that worker, slice spent
 * RUNNING  -> WAITING       that worker; afterwards it looks at the inbox once more
 * WAITING  -> RUNNABLE      whoever wins the exchange (sender, timer, job, worker); he queues it
 *
 * Both sides of falling asleep use sequentially consistent operations: a sender pushes, then looks
 * for WAITING; the sleeper writes WAITING, then looks at the inbox.  One of them sees the other.
 */
#pragma once

#include "vm/base/atomic.h"

enum {
    STATE_FREE = 0, /* under construction, or dead: in no queue */
    STATE_RUNNABLE = 1,
    STATE_RUNNING = 2,
    STATE_WAITING = 3,
    STATE_STATUS = 3
};

#define STATE_PRIORITY_SHIFT 2
#define STATE_PRIORITY       ((uint64_t)3 << STATE_PRIORITY_SHIFT)

/* Set by the owner only. */
#define STATE_EXITING \
    ((uint64_t)1 << 4) /* dying in steps: look-ups say dead; never waits again */
#define STATE_TRAP_EXIT ((uint64_t)1 << 5)
#define STATE_BLOCKED \
    ((uint64_t)1 << 6) /* a job works on its heap: only the job's end wakes it */
#define STATE_SUSPENDED ((uint64_t)1 << 7) /* runs no code, handles signals */
#define STATE_SENSITIVE ((uint64_t)1 << 8)
#define STATE_SYSTEM    ((uint64_t)1 << 9)
#define STATE_HIBERNATE ((uint64_t)1 << 10) /* waits in hibernate: only a message ends it */
#define STATE_LOOK \
    ((uint64_t)1 << 11) /* signals wait for a safepoint: SchedHooks.signals at the next slice */
#define STATE_REFUSED \
    ((uint64_t)1 << 12) /* tests: its allocations may be refused, and those of who it spawns */
/* Set by others too. */
#define STATE_WAKE ((uint64_t)1 << 16) /* do not fall asleep: something happened meanwhile */
#define STATE_TIMED_OUT \
    ((uint64_t)1 << 17) /* its receive timer fired; written under the wheel's lock */
#define STATE_REGISTERED ((uint64_t)1 << 18) /* has a name; written under the registry's lock */
#define STATE_TIMERS     ((uint64_t)1 << 19) /* some wheel may hold timers that send to it */
#define STATE_TABLES     ((uint64_t)1 << 20) /* it may own or have fixed tables (vm/ets) */
#define STATE_ENDING \
    ((uint64_t)1 << 21) /* an exit signal that may end it was sent: a job on its heap stops */

typedef enum ProcessPriority {
    PRIORITY_MAX,
    PRIORITY_HIGH,
    PRIORITY_NORMAL,
    PRIORITY_LOW
} ProcessPriority;

static inline unsigned state_status(uint64_t state) { return (unsigned)(state & STATE_STATUS); }
static inline ProcessPriority state_priority(uint64_t state)
{
    return (ProcessPriority)((state & STATE_PRIORITY) >> STATE_PRIORITY_SHIFT);
}
