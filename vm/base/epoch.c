#include "vm/base/epoch.h"

#include "vm/base/atomic.h"
#include "vm/base/lock.h"
#include "vm/base/panic.h"
#include "vm/base/vec.h"

#include <stdlib.h>
#include <string.h>

/* Time is a counter, `now`.  Each thread publishes the `now` it last saw (`seen`, 0 offline); the
 * counter moves on only when every online thread has seen its present value.  What is retired is
 * stamped with the counter and released once it has moved on by EPOCH_LAG.
 *
 * Why three: a thread with `seen` = L keeps the counter at L or L+1, so a stamp read by an online
 * thread is at most one behind.  Suppose W unlinks X and stamps e.  Who reads now >= e+2 reads what
 * depends on W having published e+1, after the unlink: it cannot find X.  So a thread that holds X
 * has seen <= e+1, and the step from e+2 to e+3 needs it to say that it holds nothing any more. */
#define EPOCH_LAG 3

/* A thread looks around once in so many quiescent states, when there is a reason to. */
#define EPOCH_LOOK_EVERY 8
/* Or each time while so many things wait: what comes back soon is still in the cache. */
#define EPOCH_MUCH 64

typedef struct EpochItem {
    EpochRelease *release;
    void *context;
    void *at;
    uint64_t stamp;
} EpochItem;

typedef VEC(EpochItem) EpochItems;

struct EpochThread {
    ALIGNED(CACHE_LINE) AtomicU64 seen; /* written by its thread only */
    Epoch *epoch;
    EpochThread *next;  /* under epoch->lock */
    EpochItems retired; /* own thread only, rising stamps; released up to `head` */
    size_t head;
    AtomicSize pending; /* of `retired`, not released; written by its thread only */
    uint32_t turns;
};

struct Epoch {
    ALIGNED(CACHE_LINE) AtomicU64 now;         /* written under lock */
    AtomicU64 wanted;                          /* somebody waits for `now` to reach this */
    AtomicSize shared_count;                   /* shared.count, to be read without the lock */
    ALIGNED(CACHE_LINE) AtomicSize shared_due; /* taken off the shared list, not released yet */
    Lock lock;
    EpochThread *threads; /* under lock */
    EpochItems shared;    /* under lock; any order of stamps */
    Mem *mem;
};

/* aligned_alloc has no Mem form; over-aligned records are rare, so their bytes are counted by
 * hand. */
static void *epoch_take(Mem *mem, size_t bytes)
{
    void *at = aligned_alloc(CACHE_LINE, bytes);
    CHECK(at != NULL);
    memset(at, 0, bytes);
    mem_count(mem, MEM_SCHED, (ptrdiff_t)bytes);
    return at;
}

static void epoch_give(Mem *mem, void *at, size_t bytes)
{
    free(at);
    mem_count(mem, MEM_SCHED, -(ptrdiff_t)bytes);
}

Epoch *epoch_new(Mem *mem)
{
    Epoch *e = epoch_take(mem, sizeof *e);
    atomic_init(&e->now, 1);
    lock_init(&e->lock, LOCK_RANK_EPOCH, "epoch");
    VEC_IN_MEM(&e->shared, mem, MEM_SCHED);
    e->mem = mem;
    return e;
}

static inline void item_release(EpochItem item) { item.release(item.context, item.at); }

static inline void own_pending(EpochThread *t)
{
    atomic_store_relaxed(&t->pending, t->retired.count - t->head);
}

void epoch_delete(Epoch *e)
{
    CHECK(e->threads == NULL);
    /* A release function may retire more, here through epoch_retire_shared. */
    while (e->shared.count) {
        EpochItem item = VEC_POP(&e->shared);
        item_release(item);
    }
    VEC_FREE(&e->shared);
    lock_destroy(&e->lock);
    epoch_give(e->mem, e, sizeof *e);
}

EpochThread *epoch_register(Epoch *e)
{
    EpochThread *t = epoch_take(e->mem, sizeof *t);
    t->epoch = e;
    VEC_IN_MEM(&t->retired, e->mem, MEM_SCHED);
    lock_take(&e->lock);
    t->next = e->threads;
    e->threads = t;
    lock_drop(&e->lock);
    epoch_online(t);
    return t;
}

/* Give what this thread has retired to whoever comes by next. */
static void epoch_hand_over(EpochThread *t)
{
    Epoch *e = t->epoch;
    if (t->head == t->retired.count) return;
    lock_take(&e->lock);
    VEC_APPEND(&e->shared, t->retired.at + t->head, t->retired.count - t->head);
    atomic_store_relaxed(&e->shared_count, e->shared.count);
    lock_drop(&e->lock);
    VEC_CLEAR(&t->retired);
    t->head = 0;
    own_pending(t);
}

void epoch_unregister(EpochThread *t)
{
    Epoch *e = t->epoch;
    epoch_hand_over(t);
    lock_take(&e->lock);
    EpochThread **at = &e->threads;
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    lock_drop(&e->lock);
    VEC_FREE(&t->retired);
    epoch_give(e->mem, t, sizeof *t);
}

/* Move the counter on if every online thread has seen it. */
static void epoch_advance(Epoch *e) REQUIRES(&e->lock)
{
    uint64_t now = atomic_load_relaxed(&e->now);
    for (const EpochThread *t = e->threads; t; t = t->next) {
        /* Pairs with the stores of epoch_quiescent, epoch_offline and epoch_online. */
        uint64_t seen = atomic_load_seq(&t->seen);
        if (seen != 0 && seen != now) return;
    }
    /* Pairs with the loads of `now` everywhere. */
    atomic_store_seq(&e->now, now + 1);
}

/* Take what is due off the shared list into `due`. */
static void epoch_collect_shared(Epoch *e, EpochItems *due) REQUIRES(&e->lock)
{
    uint64_t now = atomic_load_relaxed(&e->now);
    size_t kept = 0;
    for (size_t i = 0; i < e->shared.count; i++) {
        EpochItem item = e->shared.at[i];
        if (now >= item.stamp + EPOCH_LAG)
            VEC_PUSH(due, item);
        else
            e->shared.at[kept++] = item;
    }
    e->shared.count = kept;
    atomic_store_relaxed(&e->shared_count, kept);
    (void)atomic_add_relaxed(&e->shared_due, due->count);
}

/* Look at the other threads, unless somebody is doing so already, and release what is due. */
static void epoch_look(Epoch *e)
{
    EpochItems due = {0};
    VEC_IN_MEM(&due, e->mem, MEM_SCHED);
    if (!lock_try(&e->lock)) return;
    epoch_advance(e);
    if (e->shared.count) epoch_collect_shared(e, &due);
    lock_drop(&e->lock);
    VEC_EACH (EpochItem, item, &due) item_release(*item);
    if (due.count > 0) (void)atomic_sub_relaxed(&e->shared_due, due.count);
    VEC_FREE(&due);
}

static void epoch_release_own(EpochThread *t)
{
    uint64_t now = atomic_load_acquire(&t->epoch->now);
    while (t->head < t->retired.count && now >= t->retired.at[t->head].stamp + EPOCH_LAG) {
        EpochItem item = t->retired.at[t->head++];
        item_release(item); /* may retire more */
    }
    if (t->head == t->retired.count) {
        VEC_CLEAR(&t->retired);
        t->head = 0;
    } else if (t->head >= 64 && t->head * 2 > t->retired.count) {
        t->retired.count -= t->head;
        memmove(t->retired.at, t->retired.at + t->head,
                t->retired.count * sizeof *t->retired.at);
        t->head = 0;
    }
    own_pending(t);
}

void epoch_quiescent(EpochThread *t)
{
    Epoch *e = t->epoch;
    uint64_t now = atomic_load_acquire(&e->now);
    /* Pairs with the load in epoch_advance: what this thread read, it read before. */
    if (atomic_load_relaxed(&t->seen) != now) atomic_store_release(&t->seen, now);
    bool own = t->retired.count != 0;
    if (LIKELY(!own && atomic_load_relaxed(&e->shared_count) == 0
               && atomic_load_relaxed(&e->wanted) <= now))
        return;
    bool much = t->retired.count - t->head >= EPOCH_MUCH;
    if (++t->turns % EPOCH_LOOK_EVERY == 0 || much) epoch_look(e);
    if (own) epoch_release_own(t);
}

void epoch_offline(EpochThread *t)
{
    Epoch *e = t->epoch;
    epoch_hand_over(t);
    /* Pairs with the load in epoch_advance. */
    atomic_store_seq(&t->seen, 0);
    /* The last to leave must not leave garbage behind: nobody may come by for long. */
    for (int i = 0; i < EPOCH_LAG && atomic_load_relaxed(&e->shared_count) != 0; i++)
        epoch_look(e);
}

void epoch_online(EpochThread *t)
{
    Epoch *e = t->epoch;
    for (;;) {
        /* Pairs with epoch_advance: either it sees this thread, or this thread sees its step. */
        uint64_t now = atomic_load_seq(&e->now);
        atomic_store_seq(&t->seen, now);
        if (atomic_load_seq(&e->now) == now) return;
    }
}

void epoch_retire(EpochThread *t, EpochRelease *release, void *context, void *at)
{
    ASSERT(atomic_load_relaxed(&t->seen) != 0);
    uint64_t stamp = atomic_load_acquire(&t->epoch->now);
    VEC_PUSH(&t->retired, (EpochItem){release, context, at, stamp});
    own_pending(t);
}

void epoch_retire_shared(Epoch *e, EpochRelease *release, void *context, void *at)
{
    lock_take(&e->lock);
    /* `now` changes under this lock only, so the stamp is exact. */
    uint64_t stamp = atomic_load_seq(&e->now);
    VEC_PUSH(&e->shared, (EpochItem){release, context, at, stamp});
    atomic_store_relaxed(&e->shared_count, e->shared.count);
    lock_drop(&e->lock);
}

uint64_t epoch_ticket(Epoch *e)
{
    lock_take(&e->lock);
    uint64_t ticket = atomic_load_seq(&e->now) + EPOCH_LAG;
    if (atomic_load_relaxed(&e->wanted) < ticket) atomic_store_relaxed(&e->wanted, ticket);
    lock_drop(&e->lock);
    return ticket;
}

bool epoch_elapsed(Epoch *e, uint64_t ticket)
{
    if (atomic_load_acquire(&e->now) >= ticket) return true;
    epoch_look(e);
    return atomic_load_acquire(&e->now) >= ticket;
}

size_t epoch_pending(Epoch *e)
{
    lock_take(&e->lock);
    size_t n = e->shared.count + atomic_load_relaxed(&e->shared_due);
    for (const EpochThread *t = e->threads; t; t = t->next)
        n += atomic_load_relaxed(&t->pending);
    lock_drop(&e->lock);
    return n;
}
