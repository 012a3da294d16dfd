#include "vm/base/mem.h"

#include "vm/base/atomic.h"
#include "vm/base/panic.h"
#include "vm/base/thread.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Counters are spread over stripes.  A thread claims one by its number and from then on is its only
 * writer, so that counting takes plain loads and stores; threads that find none share the last one.
 * A claim outlives its thread: the number may come back, its stripe is then taken up again.
 *
 * A block may be freed through another stripe than it came from: a stripe may "go negative", and
 * only the sum, which wraps the same way, means anything. */
#define MEM_STRIPES 32
#define MEM_PROBES  4

/* A stripe looks at the budget whenever it has grown by so many bytes. */
#define MEM_LOOK_BYTES (1 << 16)

typedef struct MemStripe {
    ALIGNED(CACHE_LINE) AtomicU64 owner; /* thread_id() of the only writer; 0: nobody yet */
    AtomicI64 total;                     /* of `bytes` */
    AtomicI64 looked;                    /* `total` at the last look at the budget */
    AtomicSize bytes[MEM_TAG_COUNT];
    AtomicSize blocks[MEM_TAG_COUNT];
    AtomicU64 refuse_after; /* mem_refuse_after; the owner's */
} MemStripe;

struct Mem {
    MemStripe stripes[MEM_STRIPES + 1]; /* the last one is shared */
    AtomicSize budget;
    AtomicSize seen; /* total when it was last summed up */
    AtomicBool inject;
    AtomicU64 inject_after;
    AtomicU64 inject_period;
    AtomicU64 tries;
};

const char *mem_tag_name(MemTag tag)
{
    static const char *const names[MEM_TAG_COUNT] = {
        [MEM_HEAP] = "heap",       [MEM_PROCESS] = "process", [MEM_BINARY] = "binary",
        [MEM_MESSAGE] = "message", [MEM_TABLE] = "table",     [MEM_CODE] = "code",
        [MEM_ATOM] = "atom",       [MEM_TIMER] = "timer",     [MEM_SCHED] = "scheduler",
        [MEM_IO] = "io",           [MEM_WORK] = "work",       [MEM_COMPILER] = "compiler",
        [MEM_MISC] = "other",
    };
    return names[tag];
}

static NORETURN COLD void mem_stop(const Mem *m, MemTag tag, size_t bytes)
{
    if (m)
        PANIC("out of memory: %zu bytes for %s, %zu bytes in use", bytes, mem_tag_name(tag),
              mem_total(m));
    PANIC("out of memory: %zu bytes for %s", bytes, mem_tag_name(tag));
}

Mem *mem_new(size_t budget_bytes)
{
    size_t size = (sizeof(Mem) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    Mem *m = aligned_alloc(CACHE_LINE, size);
    if (!m) mem_stop(NULL, MEM_MISC, size);
    memset((void *)m, 0, size);
    atomic_store_relaxed(&m->budget, budget_bytes);
    return m;
}

void mem_delete(Mem *m) { free(m); }

/* The caller's stripe that is not the first it looks at, or is not its own yet. */
static NOINLINE MemStripe *mem_stripe_search(Mem *m, uint64_t id, size_t first)
{
    for (size_t i = 0; i < MEM_PROBES; i++) {
        MemStripe *stripe = &m->stripes[(first + i) % MEM_STRIPES];
        uint64_t owner = atomic_load_relaxed(&stripe->owner);
        if (LIKELY(owner == id)) return stripe;
        if (owner == 0 && atomic_cas_relaxed(&stripe->owner, &owner, id)) return stripe;
    }
    return &m->stripes[MEM_STRIPES];
}

/* The caller's own stripe, or the shared one. */
static ALWAYS_INLINE MemStripe *mem_stripe(Mem *m)
{
    uint64_t id = thread_id();
    size_t first = (id * 0x9e3779b97f4a7c15u) >> 59;
    if (LIKELY(atomic_load_relaxed(&m->stripes[first].owner) == id)) return &m->stripes[first];
    return mem_stripe_search(m, id, first);
}

static ALWAYS_INLINE void stripe_add(MemStripe *stripe, MemTag tag, size_t bytes, size_t blocks)
{
    if (LIKELY(atomic_load_relaxed(&stripe->owner) != 0)) {
        int64_t total = atomic_load_relaxed(&stripe->total) + (int64_t)bytes;
        atomic_store_relaxed(&stripe->total, total);
        atomic_store_relaxed(&stripe->bytes[tag],
                             atomic_load_relaxed(&stripe->bytes[tag]) + bytes);
        atomic_store_relaxed(&stripe->blocks[tag],
                             atomic_load_relaxed(&stripe->blocks[tag]) + blocks);
    } else {
        atomic_add_relaxed(&stripe->total, (int64_t)bytes);
        atomic_add_relaxed(&stripe->bytes[tag], bytes);
        atomic_add_relaxed(&stripe->blocks[tag], blocks);
    }
}

static size_t mem_sum(const Mem *m)
{
    int64_t total = 0;
    for (size_t s = 0; s <= MEM_STRIPES; s++)
        total += atomic_load_relaxed(&m->stripes[s].total);
    /* Taken while others count, the sum of wrapped parts may be slightly below zero. */
    return total < 0 ? 0 : (size_t)total;
}

/* Add to the counters; false when the total now exceeds the budget (it is counted all the same). */
static inline bool mem_charge(Mem *m, MemTag tag, size_t bytes, size_t blocks)
{
    MemStripe *stripe = mem_stripe(m);
    stripe_add(stripe, tag, bytes, blocks);
    size_t budget = atomic_load_relaxed(&m->budget);
    if (budget == 0 || (int64_t)bytes <= 0) return true;
    size_t seen = atomic_load_relaxed(&m->seen);
    int64_t total = atomic_load_relaxed(&stripe->total);
    int64_t grown = total - atomic_load_relaxed(&stripe->looked);
    if (LIKELY(grown < MEM_LOOK_BYTES && seen < budget && bytes <= budget - seen)) {
        /* Follow it down, at a distance: small ups and downs look at nothing. */
        if (grown < -2 * (int64_t)MEM_LOOK_BYTES) atomic_store_relaxed(&stripe->looked, total);
        return true;
    }
    seen = mem_sum(m);
    atomic_store_relaxed(&stripe->looked, total);
    atomic_store_relaxed(&m->seen, seen);
    return seen <= budget;
}

static inline void mem_uncharge(Mem *m, MemTag tag, size_t bytes, size_t blocks)
{
    stripe_add(mem_stripe(m), tag, 0 - bytes, 0 - blocks);
}

void mem_refuse_after(Mem *m, uint64_t nth)
{
    if (!CONFIG_DEBUG) return;
    MemStripe *stripe = mem_stripe(m);
    if (stripe != &m->stripes[MEM_STRIPES]) atomic_store_relaxed(&stripe->refuse_after, nth);
}

/* Counts down to the call that fails. */
static bool mem_refused(Mem *m)
{
    MemStripe *stripe = mem_stripe(m);
    uint64_t left = atomic_load_relaxed(&stripe->refuse_after);
    if (left > 0) atomic_store_relaxed(&stripe->refuse_after, left - 1);
    return left == 1;
}

static inline bool mem_injected(Mem *m)
{
    if (CONFIG_DEBUG && mem_refused(m)) return true;
    if (LIKELY(!atomic_load_relaxed(&m->inject))) return false;
    uint64_t period = atomic_load_relaxed(&m->inject_period);
    uint64_t after = atomic_load_relaxed(&m->inject_after);
    uint64_t tried = atomic_add_relaxed(&m->tries, 1);
    return period != 0 && tried >= after && (tried - after) % period == 0;
}

/* A wrong size would spoil the accounts silently; malloc knows better, roughly. */
static void mem_check_size(void *at, size_t bytes)
{
#if CONFIG_DEBUG && !CONFIG_ASAN && !CONFIG_TSAN
    if (at) CHECK(malloc_usable_size(at) >= bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

void *mem_alloc(Mem *m, MemTag tag, size_t bytes)
{
    void *at = malloc(bytes ? bytes : 1);
    if (UNLIKELY(!at)) mem_stop(m, tag, bytes);
    if (m) (void)mem_charge(m, tag, bytes, 1);
    return at;
}

void *mem_alloc_zero(Mem *m, MemTag tag, size_t bytes)
{
    void *at = calloc(1, bytes ? bytes : 1);
    if (UNLIKELY(!at)) mem_stop(m, tag, bytes);
    if (m) (void)mem_charge(m, tag, bytes, 1);
    return at;
}

void *mem_realloc(Mem *m, MemTag tag, void *at, size_t old_bytes, size_t new_bytes)
{
    if (!at) return mem_alloc(m, tag, new_bytes);
    mem_check_size(at, old_bytes);
    void *moved = realloc(at, new_bytes ? new_bytes : 1);
    if (UNLIKELY(!moved)) mem_stop(m, tag, new_bytes);
    if (m) (void)mem_charge(m, tag, new_bytes - old_bytes, 0);
    return moved;
}

void *mem_try_alloc(Mem *m, MemTag tag, size_t bytes)
{
    if (!m) return malloc(bytes ? bytes : 1);
    if (UNLIKELY(mem_injected(m))) return NULL;
    void *at = NULL;
    if (LIKELY(mem_charge(m, tag, bytes, 1))) at = malloc(bytes ? bytes : 1);
    if (UNLIKELY(!at)) mem_uncharge(m, tag, bytes, 1);
    return at;
}

void *mem_try_realloc(Mem *m, MemTag tag, void *at, size_t old_bytes, size_t new_bytes)
{
    if (!at) return mem_try_alloc(m, tag, new_bytes);
    mem_check_size(at, old_bytes);
    if (!m) return realloc(at, new_bytes ? new_bytes : 1);
    if (new_bytes > old_bytes && UNLIKELY(mem_injected(m))) return NULL;
    bool allowed = mem_charge(m, tag, new_bytes - old_bytes, 0);
    void *moved = NULL;
    if (allowed || new_bytes <= old_bytes) moved = realloc(at, new_bytes ? new_bytes : 1);
    if (UNLIKELY(!moved)) mem_uncharge(m, tag, new_bytes - old_bytes, 0);
    return moved;
}

void mem_free(Mem *m, MemTag tag, void *at, size_t bytes)
{
    if (!at) return;
    mem_check_size(at, bytes);
    free(at);
    if (m) mem_uncharge(m, tag, bytes, 1);
}

void mem_count(Mem *m, MemTag tag, ptrdiff_t bytes)
{
    if (m) (void)mem_charge(m, tag, (size_t)bytes, 0);
}

size_t mem_used(const Mem *m, MemTag tag)
{
    size_t total = 0;
    for (size_t s = 0; s <= MEM_STRIPES; s++)
        total += atomic_load_relaxed(&m->stripes[s].bytes[tag]);
    return total > SIZE_MAX / 2 ? 0 : total;
}

size_t mem_blocks(const Mem *m, MemTag tag)
{
    size_t total = 0;
    for (size_t s = 0; s <= MEM_STRIPES; s++)
        total += atomic_load_relaxed(&m->stripes[s].blocks[tag]);
    return total > SIZE_MAX / 2 ? 0 : total;
}

size_t mem_total(const Mem *m) { return mem_sum(m); }

void mem_set_budget(Mem *m, size_t budget_bytes)
{
    atomic_store_relaxed(&m->seen, mem_sum(m));
    atomic_store_relaxed(&m->budget, budget_bytes);
}

bool mem_has_room(const Mem *m, size_t bytes)
{
    size_t budget = atomic_load_relaxed(&m->budget);
    if (budget == 0) return true;
    size_t used = mem_total(m);
    return used < budget && bytes <= budget - used;
}

size_t mem_budget(const Mem *m) { return atomic_load_relaxed(&m->budget); }

void mem_insist(Mem *m, size_t bytes)
{
    size_t budget = atomic_load_relaxed(&m->budget);
    if (budget != 0) atomic_store_relaxed(&m->budget, budget + bytes);
}

void mem_inject_failure(Mem *m, uint64_t successes, uint64_t period)
{
    atomic_store_relaxed(&m->tries, 0);
    atomic_store_relaxed(&m->inject_after, successes);
    atomic_store_relaxed(&m->inject_period, period);
    atomic_store_relaxed(&m->inject, period != 0);
}

/* The number in a small file of the system, or `otherwise`. */
static uint64_t mem_number_in(const char *path, uint64_t otherwise)
{
    FILE *f = fopen(path, "re");
    if (!f) return otherwise;
    char line[64];
    uint64_t number = otherwise;
    if (fgets(line, sizeof line, f)) {
        char *end;
        uint64_t read = strtoull(line, &end, 10);
        if (end != line) number = read;
    }
    fclose(f);
    return number;
}

size_t mem_default_budget(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    uint64_t bytes =
        pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_C(1) << 32;
    uint64_t limit = mem_number_in("/sys/fs/cgroup/memory.max", UINT64_MAX);
    uint64_t older = mem_number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", UINT64_MAX);
    if (limit > older) limit = older;
    /* Of a limit on addresses half is left for code, stacks of threads and what malloc holds. */
    struct rlimit addresses;
    if (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY
        && limit > addresses.rlim_cur / 2)
        limit = addresses.rlim_cur / 2;
    if (bytes > limit) bytes = limit;
    return (size_t)(bytes / 5 * 4);
}
