/*
 * Workers: threads that run processes.  One per core as a rule; under a seed one, on virtual
 * time.
 *
 * A worker owns its RunContext and, while it runs it, one process.  Everything else in Worker
 * is either its own or says who else may touch it.  Work for processes that begins on other
 * threads (pool, event loop) arrives as a SchedEvent.  Design page: docs/design/scheduler.md.
 */
#pragma once

#include "vm/base/epoch.h"
#include "vm/base/thread.h"
#include "vm/proc/context.h"
#include "vm/proc/proctab.h"
#include "vm/sched/blocking.h"
#include "vm/sched/chance.h"
#include "vm/sched/runq.h"
#include "vm/sched/timer.h"

typedef struct Sched Sched;
typedef struct Worker Worker;

/* Why a process stopped running. */
typedef enum SchedStop {
    SCHED_SPENT,  /* its slice is used up */
    SCHED_WAITS,  /* for a message, a timer or a job */
    SCHED_EXITED, /* run, signals: exit_begin has been called.  exit_step: it is gone */
    SCHED_GOES    /* signals: it may run its code */
} SchedStop;

/* What lies above: filled once in vm/vm.c. */
typedef struct SchedHooks {
    /* Runs code of p until it stops (vm/interp). */
    SchedStop (*run)(RunContext *rc, Process *p);
    /* Takes its outer inbox and acts on the signals there (vm/actor/arrival.c): GOES; SPENT if
     * there is more to do; WAITS if it is suspended; EXITED. */
    SchedStop (*signals)(RunContext *rc, Process *p);
    /* What process_info says about p: `items` is an atom or a list of them.  A finished REPLY, or
     * NULL: the slice is over, ask again (vm/bif). */
    Message *(*inspect)(RunContext *rc, Process *p, Term items);
    /* Where p stands: a stack trace of at most `depth` entries, on `h` (vm/interp). */
    Term (*trace)(Process *p, Heap *h, size_t depth);
    /* What a CHECK_CODE signal asks, at a safepoint (vm/bif/bif_code.c): `request` is a module or
     * {Module, Id, Step}; the answer, or TERM_NONE: no memory, p must die. */
    Term (*check_code)(RunContext *rc, Process *p, Term request);
    /* One step of dying (vm/actor/exit.c): SPENT or EXITED. */
    SchedStop (*exit_step)(RunContext *rc, Process *p);
    /* Delivers a due timer's message (vm/actor/alarm.c), as TimerDeliver. */
    bool (*deliver)(RunContext *rc, Timer *t);
    const Half *process_end; /* return address of a first frame: its descriptor, window 1 */
    const Half *apply;       /* the APPLY instruction: r0:r1 with the list r2 */
    const Half *apply_fun;   /* the APPLY_FUN instruction: the fun r0 with the list r1 */
} SchedHooks;

#define SCHED_SLICE 4000 /* reductions */

struct Worker {
    RunContext run; /* must be first */
    Sched *sched;
    uint32_t index;
    EpochThread *epoch;
    RunQueue queue;
    TimerWheel wheel;
    uint64_t references; /* given out by this worker */
    AtomicU64 switches;  /* statistics, read by others too */
    AtomicU64 reductions;
    uint32_t turns;     /* since it looked at the clock */
    uint64_t unclocked; /* reductions since then */
    Rng rng;            /* whom to steal from */
    Lock sleep_lock;
    LockCond sleep_cond;
    AtomicBool asleep; /* offline and without work; sequentially consistent */
    bool notified;     /* under sleep_lock */
    Thread thread;
};

typedef struct SchedConfig {
    unsigned workers;          /* 0: one per core; 1 with a seed */
    unsigned blocking_threads; /* 0: a default */
    size_t process_limit;
    int64_t seed;    /* < 0: none */
    int64_t slice;   /* reductions; 0: SCHED_SLICE */
    RunContext base; /* copied into each worker: atoms, code, literals, mem, bifs, vm ... */
    SchedHooks hooks;
} SchedConfig;

struct Sched {
    Worker **workers;
    unsigned worker_count;
    int64_t slice;
    SchedHooks hooks;
    Mem *mem;
    Epoch *epoch;
    ProcTable *processes;
    Blocking *blocking;
    Chance chance;
    _Atomic(SchedEvent *) events; /* newest first */
    AtomicU32 sleeping;           /* workers asleep */
    AtomicU32 searching;          /* 1: a worker was woken and has not found work yet */
    AtomicBool halting;           /* status is written by who sets it */
    AtomicBool stopping;
    AtomicU32 exclusive; /* 1: all workers stop at their next safepoint */
    int status;          /* exit status, written before stopping (release) */
    bool quiet;          /* sched_run is over and no thread but the caller's runs */
    Lock lock;           /* exclusive running */
    LockCond cond;
    AtomicU64 refuse_one_in;   /* of STATE_REFUSED processes: one of so many allocations */
    uint64_t parked;           /* workers that stand still for an exclusive run; under lock */
    uint64_t start_ns;         /* monotonic, at boot */
    int64_t time_offset_ns;    /* wall less monotonic time, at boot */
    AtomicI64 last_now_us;     /* what now/0 said last */
    AtomicI64 last_reductions; /* what statistics/1 said last */
    AtomicI64 last_runtime;
    AtomicI64 last_wall;
    AtomicI64 unique_positive;
    AtomicI64 unique_monotonic;
};

/* The calling thread is worker 0's from now on: it may start processes (with the RunContext of
 * workers[0]) and must be the one that calls sched_run and sched_delete. */
Sched *sched_new(const SchedConfig *config);
/* The calling thread becomes worker 0, the others are started; returns the status given to
 * sched_halt once all have stopped. */
int sched_run(Sched *s);
/* Asks all workers to stop; any thread.  The first status counts. */
void sched_halt(Sched *s, int status);
/* After sched_run, before anything is freed: does no thread but the caller's run any more?  Waits a
 * moment for a blocking job that has not ended; if it will not (false), all must stay. */
MUST_USE bool sched_settle(Sched *s);
/* After sched_run: frees it all.  Processes left are the caller's to free before
 * (exit_free_all). False, and nothing is freed, if a blocking job will not end. */
MUST_USE bool sched_delete(Sched *s);

static inline Worker *sched_worker(RunContext *rc) { return rc->worker; }

/* p has something to look at: takes it out of WAITING and queues it here, or keeps it from
 * falling asleep.  Any worker, under the epoch rule. */
void sched_wake(RunContext *rc, Process *p);
/* The same after pushing to its mailbox: a process that is not waiting will look anyway. */
void sched_notify(RunContext *rc, Process *p);
/* Queues a new process (status FREE) for the first time. */
void sched_start(RunContext *rc, Process *p);
/* The job's end: clears BLOCKED and wakes. */
void sched_unblock(RunContext *rc, Process *p);

/* Runs e->run on some worker soon; any thread. */
void sched_post(Sched *s, SchedEvent *e);

/* Runs fn while every other worker stands at a safepoint; called by a worker (inside a
 * built-in). */
void sched_run_exclusive(RunContext *rc, void (*fn)(void *context), void *context);

/* A new reference's number: (counter, worker). */
uint64_t sched_reference(RunContext *rc);
/* The wheel that a TIMER_MESSAGE of this number is in. */
TimerWheel *sched_wheel_of(Sched *s, uint64_t number);

/*
 * The receive timer of p, which runs.  RECV_WAIT_FOR: over? it is a time-out (and cancelled);
 * active? wait again; else start it.  Accepting a message cancels it.
 */
void sched_timeout_start(Process *p, uint64_t due_ns);
bool sched_timeout_active(const Process *p);
/* The timer has fired since it was started. */
bool sched_timeout_over(const Process *p);
void sched_timeout_cancel(Process *p);
/* Frees the record; p is dying. */
void sched_timeout_free(Process *p);
