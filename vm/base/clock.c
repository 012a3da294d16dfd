#include "vm/base/clock.h"

#include "vm/base/panic.h"

#include <time.h>

static uint64_t system_ns(clockid_t which)
{
    struct timespec now;
    CHECK(clock_gettime(which, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_system_monotonic_ns(void) { return system_ns(CLOCK_MONOTONIC); }

uint64_t clock_system_wall_ns(void) { return system_ns(CLOCK_REALTIME); }

uint64_t clock_system_cpu_ns(void) { return system_ns(CLOCK_PROCESS_CPUTIME_ID); }

void clock_init(Clock *c)
{
    c->is_virtual = false;
    c->wall_start_ns = 0;
    atomic_init(&c->virtual_ns, 0);
}

#define CLOCK_VIRTUAL_START 1000000000u

void clock_init_virtual(Clock *c, uint64_t wall_start_ns)
{
    c->is_virtual = true;
    c->wall_start_ns = wall_start_ns;
    atomic_init(&c->virtual_ns, CLOCK_VIRTUAL_START);
}

uint64_t clock_monotonic_ns(const Clock *c)
{
    return c->is_virtual ? atomic_load_relaxed(&c->virtual_ns) : clock_system_monotonic_ns();
}

uint64_t clock_wall_ns(const Clock *c)
{
    if (!c->is_virtual) return clock_system_wall_ns();
    return c->wall_start_ns + atomic_load_relaxed(&c->virtual_ns) - CLOCK_VIRTUAL_START;
}

void clock_advance(Clock *c, uint64_t ns)
{
    ASSERT(c->is_virtual);
    atomic_add_relaxed(&c->virtual_ns, ns);
}

void clock_advance_to(Clock *c, uint64_t monotonic_ns)
{
    ASSERT(c->is_virtual);
    if (monotonic_ns > atomic_load_relaxed(&c->virtual_ns))
        atomic_store_relaxed(&c->virtual_ns, monotonic_ns);
}
