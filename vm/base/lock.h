/* Ranked mutexes and condition variables.
 *
 * A thread takes locks in rising rank only: holding a lock, it may take one of a strictly higher
 * rank.  Debug builds check this per thread and stop the VM on a violation; so a deadlock by order
 * cannot wait for an unlucky day.  Conditions use the monotonic clock.
 * A Lock is embedded where it is used and does not move while in use. */
#pragma once

#include "vm/base/config.h"

#include <pthread.h>

/* In the order in which they may nest; the comment says what each protects. */
typedef enum {
    LOCK_RANK_VM = 10,       /* boot, shutdown */
    LOCK_RANK_CODE = 20,     /* loading, purging, the module table's writers */
    LOCK_RANK_MODULE = 22,   /* one module's versions */
    LOCK_RANK_NAMES = 30,    /* registered names */
    LOCK_RANK_TABLES = 32,   /* directory of ets tables */
    LOCK_RANK_TABLE = 34,    /* one ets table */
    LOCK_RANK_PORT = 36,     /* one port */
    LOCK_RANK_PROCTAB = 40,  /* growth of the process table */
    LOCK_RANK_PROCESS = 44,  /* one process, where it needs a lock */
    LOCK_RANK_IO = 50,       /* requests to the loop thread */
    LOCK_RANK_BLOCKING = 52, /* the blocking pool's queue */
    LOCK_RANK_TIMER = 60,    /* one wheel */
    LOCK_RANK_RUNQ = 70,     /* one run queue */
    LOCK_RANK_SLEEP = 72,    /* one worker's sleep */
    LOCK_RANK_ATOM = 80,     /* insertion of atoms */
    LOCK_RANK_EPOCH = 84,    /* what unregistered threads retire */
    LOCK_RANK_OUTPUT = 90,   /* buffered standard output */
    LOCK_RANK_LEAF = 100     /* takes nothing while held */
} LockRank;

typedef struct CAPABILITY("mutex") Lock {
    pthread_mutex_t mutex;
#if CONFIG_DEBUG
    LockRank rank;
    const char *name;
    struct Lock *below; /* the lock its holder took before this one */
#endif
} Lock;

typedef struct LockCond {
    pthread_cond_t cond;
} LockCond;

/* `name` is static text for reports. */
void lock_init(Lock *l, LockRank rank, const char *name);
void lock_destroy(Lock *l);

void lock_take(Lock *l) ACQUIRES(l);
/* Whether it could be had at once.  A try is exempt from the order of ranks. */
MUST_USE bool lock_try(Lock *l) TRY_ACQUIRES(true, l);
void lock_drop(Lock *l) RELEASES(l);

/* Debug builds: the caller holds it (a no-op elsewhere). */
void lock_assert_held(const Lock *l);

void lock_cond_init(LockCond *c);
void lock_cond_destroy(LockCond *c);
/* Wait for a signal, or without reason: look at the condition again.  Drops the lock meanwhile. */
void lock_wait(LockCond *c, Lock *l) REQUIRES(l);
/* The same, at most until the monotonic time `due_ns`; false when that has come. */
bool lock_wait_until(LockCond *c, Lock *l, uint64_t due_ns) REQUIRES(l);
void lock_signal(LockCond *c);
void lock_broadcast(LockCond *c);
