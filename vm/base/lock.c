#include "vm/base/lock.h"

#include "vm/base/panic.h"

#include <errno.h>
#include <time.h>

#if CONFIG_DEBUG
/* The lock this thread took last; the others hang below it.  Debug builds only. */
static _Thread_local Lock *newest;

static void lock_note(Lock *l)
{
    l->below = newest;
    newest = l;
}

static void lock_forget(Lock *l)
{
    Lock **at = &newest;
    while (*at && *at != l) at = &(*at)->below;
    if (!*at) PANIC("lock %s dropped by a thread that does not hold it", l->name);
    *at = l->below;
    l->below = NULL;
}

static void lock_check_rank(const Lock *l)
{
    for (const Lock *held = newest; held; held = held->below)
        if (held->rank >= l->rank)
            PANIC("lock %s (rank %d) taken while holding %s (rank %d)", l->name, (int)l->rank,
                  held->name, (int)held->rank);
}
#else
#define lock_note(l)       ((void)(l))
#define lock_forget(l)     ((void)(l))
#define lock_check_rank(l) ((void)(l))
#endif

void lock_init(Lock *l, LockRank rank, const char *name)
{
    CHECK(pthread_mutex_init(&l->mutex, NULL) == 0);
#if CONFIG_DEBUG
    l->rank = rank;
    l->name = name;
    l->below = NULL;
#else
    (void)rank;
    (void)name;
#endif
}

void lock_destroy(Lock *l) { CHECK(pthread_mutex_destroy(&l->mutex) == 0); }

void lock_take(Lock *l) NO_THREAD_SAFETY
{
    lock_check_rank(l);
    CHECK(pthread_mutex_lock(&l->mutex) == 0);
    lock_note(l);
}

bool lock_try(Lock *l) NO_THREAD_SAFETY
{
    if (pthread_mutex_trylock(&l->mutex) != 0) return false;
    lock_note(l);
    return true;
}

void lock_drop(Lock *l) NO_THREAD_SAFETY
{
    lock_forget(l);
    CHECK(pthread_mutex_unlock(&l->mutex) == 0);
}

void lock_assert_held(const Lock *l)
{
#if CONFIG_DEBUG
    const Lock *held = newest;
    while (held && held != l) held = held->below;
    if (!held) PANIC("lock %s is not held", l->name);
#else
    (void)l;
#endif
}

void lock_cond_init(LockCond *c)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&c->cond, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

void lock_cond_destroy(LockCond *c) { CHECK(pthread_cond_destroy(&c->cond) == 0); }

/* While it waits, the thread takes no other lock, so the record of held locks may stay except for
 * this one: another holder writes l->below meanwhile. */
void lock_wait(LockCond *c, Lock *l)
{
    lock_forget(l);
    CHECK(pthread_cond_wait(&c->cond, &l->mutex) == 0);
    lock_note(l);
}

bool lock_wait_until(LockCond *c, Lock *l, uint64_t due_ns)
{
    struct timespec due = {(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};
    lock_forget(l);
    int result = pthread_cond_timedwait(&c->cond, &l->mutex, &due);
    lock_note(l);
    CHECK(result == 0 || result == ETIMEDOUT);
    return result == 0;
}

void lock_signal(LockCond *c) { CHECK(pthread_cond_signal(&c->cond) == 0); }

void lock_broadcast(LockCond *c) { CHECK(pthread_cond_broadcast(&c->cond) == 0); }
