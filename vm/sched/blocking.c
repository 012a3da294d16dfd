#include "vm/sched/blocking.h"

#include "vm/base/clock.h"
#include "vm/proc/process.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"

/* How long blocking_stop waits. */
#define BLOCKING_STOP_NS 100000000u

struct Blocking {
    Lock lock;       /* all below */
    LockCond wanted; /* there is a job, or stopping */
    LockCond quiet;  /* a thread has ended */
    Job *first;
    Job **end;
    size_t pending;
    unsigned idle;
    unsigned live; /* threads */
    unsigned most;
    AtomicBool stopping; /* written under the lock, read by jobs without it */
    uint64_t submitted;
    VEC(Thread) threads;
    Sched *sched;
    Mem *mem;
};

Blocking *blocking_new(Sched *s, Mem *mem, unsigned threads)
{
    Blocking *b = mem_alloc_zero(mem, MEM_SCHED, sizeof *b);
    lock_init(&b->lock, LOCK_RANK_BLOCKING, "blocking pool");
    lock_cond_init(&b->wanted);
    lock_cond_init(&b->quiet);
    b->end = &b->first;
    b->most = threads == 0 ? BLOCKING_THREADS : threads;
    b->sched = s;
    b->mem = mem;
    VEC_IN_MEM(&b->threads, mem, MEM_SCHED);
    return b;
}

/* On a worker: the job's process sees that it is done. */
static void job_finish(RunContext *rc, SchedEvent *e)
{
    Job *job = (Job *)(void *)((char *)e - offsetof(Job, event));
    Term pid = job->pid;
    bool held = job->holds_heap;
    /* Pairs with the acquire in job_done. */
    atomic_store_release(&job->done, true);
    counted_drop(&job->counted);
    Process *p = proctab_find(rc->processes, pid);
    if (p == NULL) return;
    if (held)
        sched_unblock(rc, p);
    else
        sched_wake(rc, p);
}

bool job_is_unwanted(const Job *job)
{
    if (job->pool == NULL) return false;
    if (atomic_load_relaxed(&job->pool->stopping)) return true;
    if (job->holds_heap) return (atomic_load_relaxed(&job->process->state) & STATE_ENDING) != 0;
    /* The pool's own reference is the last one: the process is gone. */
    return atomic_load_relaxed(&job->counted.references) == 1;
}

static Job *take_job(Blocking *b)
{
    Job *job = b->first;
    b->first = job->next;
    if (b->first == NULL) b->end = &b->first;
    b->pending--;
    return job;
}

static void pool_thread(void *arg)
{
    Blocking *b = arg;
    lock_take(&b->lock);
    while (!atomic_load_relaxed(&b->stopping)) {
        if (b->first == NULL) {
            b->idle++;
            lock_wait(&b->wanted, &b->lock);
            b->idle--;
            continue;
        }
        Job *job = take_job(b);
        lock_drop(&b->lock);
        job->run(job);
        sched_post(b->sched, &job->event);
        lock_take(&b->lock);
    }
    b->live--;
    lock_broadcast(&b->quiet);
    lock_drop(&b->lock);
}

/* One more thread, if there are jobs for it.  Under the lock. */
static void pool_grow(Blocking *b)
{
    if (b->pending <= b->idle || b->live >= b->most) return;
    VEC_PUSH(&b->threads, (Thread){0});
    if (thread_start(&VEC_LAST(&b->threads), "mote-blocking", pool_thread, b, 0)) {
        b->live++;
        return;
    }
    b->threads.count--;
    CHECK(b->live > 0);
}

void blocking_submit(Blocking *b, Process *p, Job *job)
{
    counted_retain(&job->counted);
    atomic_init(&job->done, false);
    job->event.run = job_finish;
    job->pid = p->pid;
    job->process = p;
    job->pool = b;
    job->next = NULL;
    /* Only the owner sets it; the job's end clears it, on a worker. */
    if (job->holds_heap) atomic_or_acq_rel(&p->state, STATE_BLOCKED);
    lock_take(&b->lock);
    job->number = b->submitted++;
    *b->end = job;
    b->end = &job->next;
    b->pending++;
    if (!chance_seeded(&b->sched->chance)) {
        pool_grow(b);
        lock_signal(&b->wanted);
    }
    lock_drop(&b->lock);
}

size_t blocking_pending(Blocking *b)
{
    lock_take(&b->lock);
    size_t n = b->pending;
    lock_drop(&b->lock);
    return n;
}

void blocking_run_one(Blocking *b, size_t index)
{
    lock_take(&b->lock);
    Job **at = &b->first;
    for (; index > 0; index--) at = &(*at)->next;
    Job *job = *at;
    *at = job->next;
    if (b->end == &job->next) b->end = at;
    b->pending--;
    lock_drop(&b->lock);
    chance_note(&b->sched->chance, CHANCE_JOB, job->number, 0);
    job->run(job);
    job_finish(&b->sched->workers[0]->run, &job->event);
}

bool blocking_stop(Blocking *b)
{
    uint64_t due = clock_system_monotonic_ns() + BLOCKING_STOP_NS;
    lock_take(&b->lock);
    atomic_store_relaxed(&b->stopping, true);
    lock_broadcast(&b->wanted);
    while (b->live > 0 && lock_wait_until(&b->quiet, &b->lock, due)) {
    }
    bool quiet = b->live == 0;
    Job *dropped = b->first;
    b->first = NULL;
    b->end = &b->first;
    b->pending = 0;
    lock_drop(&b->lock);
    while (dropped != NULL) {
        Job *job = dropped;
        dropped = job->next;
        counted_drop(&job->counted);
    }
    if (quiet)
        VEC_EACH (Thread, t, &b->threads) thread_join(t);
    return quiet;
}

void blocking_delete(Blocking *b)
{
    VEC_FREE(&b->threads);
    lock_cond_destroy(&b->wanted);
    lock_cond_destroy(&b->quiet);
    lock_destroy(&b->lock);
    mem_free(b->mem, MEM_SCHED, b, sizeof *b);
}
