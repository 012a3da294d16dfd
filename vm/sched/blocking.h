/*
 * Threads for work that blocks or cannot stop half-way: files, huge bignums, foreign calls.
 *
 * A built-in makes a Job, submits it and waits (bif_wait).  The job runs on a thread of the
 * pool and is then finished; its process is woken and its built-in runs again and finds
 * job->done. A job is counted: the pool holds one reference, the process another (a
 * KIND_FOREIGN handle on its heap), so that a process killed meanwhile leaves nothing behind.
 * With a seed there are no threads: the worker runs jobs when the seed picks them. Design page:
 * docs/design/scheduler.md.
 */
#pragma once

#include "vm/base/lock.h"
#include "vm/base/thread.h"
#include "vm/base/vec.h"
#include "vm/proc/process.h"

/* Something to do on a worker, posted from any thread.  The record belongs to `run` once it
 * is called. */
typedef struct SchedEvent SchedEvent;
struct SchedEvent {
    SchedEvent *next;
    void (*run)(RunContext *rc, SchedEvent *e);
};

typedef struct Job Job;
typedef struct Blocking Blocking;

/* Most threads of the pool, unless said otherwise. */
#define BLOCKING_THREADS 16

struct Sched;

struct Job {
    Counted counted;  /* first; release frees the job; made with one reference, the maker's */
    SchedEvent event; /* the pool's way back to a worker */
    void (*run)(Job *job); /* on a thread of the pool; touches no process unless holds_heap */
    Term pid;              /* whom to wake */
    bool
        /* it reads or writes the process's heap: nothing else may wake or kill it */
        holds_heap;
    const Process *process; /* whose heap that is; it stays as long as the job runs */
    Blocking *pool;
    AtomicBool done; /* release by a worker, acquire by the built-in */
    Job *next;
    uint64_t number;
};

static inline bool job_done(const Job *job) { return atomic_load_acquire(&job->done); }

/* For `run`, about every millisecond of work that may last: nobody waits for the result any
 * more, or the VM stops.  Then `run` leaves things as they are and returns.  A job that holds the
 * heap is unwanted as soon as an exit signal was sent that may end its process; if the process
 * lives on all the same, its built-in begins anew (vm/sched/offload.h). */
bool job_is_unwanted(const Job *job);

/* At most `threads` at once, started when needed. */
Blocking *blocking_new(struct Sched *s, Mem *mem, unsigned threads);
/* Drops the jobs not begun and waits, at most a tenth of a second, for those that run.
 * False: some still do (reading a terminal, say); then nothing that they use may be freed. */
MUST_USE bool blocking_stop(Blocking *b);
void blocking_delete(Blocking *b);

/* Queues the job; adds the pool's reference.  The caller runs process p (job->pid), which
 * then waits. */
void blocking_submit(Blocking *b, Process *p, Job *job);

/* Seeded runs: jobs waiting, and running one of them to its end, picked by number. */
size_t blocking_pending(Blocking *b);
void blocking_run_one(Blocking *b, size_t index);
