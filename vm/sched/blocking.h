/*
 * Threads for work that blocks or cannot stop half-way: files, huge bignums, foreign calls.
 *
 * A built-in makes a Job, submits it and waits (bif_wait).  The job runs on a thread of the pool and
 * is then finished; its process is woken and its built-in runs again and finds job->done.
 * A job is counted: the pool holds one reference, the process another (a KIND_FOREIGN handle on its
 * heap), so that a process killed meanwhile leaves nothing behind.
 * With a seed there are no threads: the worker runs jobs when the seed picks them.
 * Design page: docs/design/scheduler.md.
 */
#pragma once

#include "vm/base/lock.h"
#include "vm/base/thread.h"
#include "vm/base/vec.h"
#include "vm/term/heap.h"

typedef struct Job Job;
typedef struct Blocking Blocking;
struct Process;
struct Sched;

struct Job {
    Counted counted; /* release frees the job; set by its maker, one reference each for maker and pool */
    void (*run)(Job *job); /* on a thread of the pool; touches no process unless holds_heap */
    Term pid;              /* whom to wake */
    bool holds_heap;       /* it reads or writes the process's heap: nothing else may wake or kill it */
    AtomicBool done;       /* release by the pool, acquire by the built-in */
    Job *next;
    uint64_t number;
};

static inline bool job_done(const Job *job) { return atomic_load_acquire(&job->done); }

/* At most `threads` at once, started when needed. */
Blocking *blocking_new(struct Sched *s, Mem *mem, unsigned threads);
/* No job is accepted any more; waits for the running ones, drops the rest. */
void blocking_stop(Blocking *b);
void blocking_delete(Blocking *b);

/* Queues the job; adds the pool's reference.  The caller runs process p (job->pid), which then waits. */
void blocking_submit(Blocking *b, struct Process *p, Job *job);

/* Seeded runs: jobs waiting, and running one of them to its end, picked by number. */
size_t blocking_pending(Blocking *b);
void blocking_run_one(Blocking *b, size_t index);
