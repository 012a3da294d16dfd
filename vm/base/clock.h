/* Monotonic and wall time in nanoseconds; virtual under --seed.
 *
 * A Clock belongs to one Vm; any thread may read it.  A virtual clock stands still except when its
 * one thread advances it; wall time then is a fixed start plus the virtual time.  Nothing else in
 * the VM asks the system for the time. */
#pragma once

#include "vm/base/atomic.h"

typedef struct Clock {
    bool is_virtual;
    uint64_t wall_start_ns; /* virtual: wall time at virtual 0 */
    AtomicU64 virtual_ns;
} Clock;

void clock_init(Clock *c);
void clock_init_virtual(Clock *c, uint64_t wall_start_ns);

/* Never goes back.  Starts anywhere (at 1 s for a virtual clock). */
uint64_t clock_monotonic_ns(const Clock *c);
/* Since 1970-01-01 UTC. */
uint64_t clock_wall_ns(const Clock *c);

/* Virtual clocks only. */
void clock_advance(Clock *c, uint64_t ns);
/* To a moment that is not in the past, else nothing happens. */
void clock_advance_to(Clock *c, uint64_t monotonic_ns);

/* The system's clocks, for what lies below any Vm (lock_wait_until, tools). */
uint64_t clock_system_monotonic_ns(void);
uint64_t clock_system_wall_ns(void);
/* Processor time of the whole process. */
uint64_t clock_system_cpu_ns(void);
