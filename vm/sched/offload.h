/*
 * A long computation over terms that cannot stop half-way, on a thread of the blocking pool, while
 * its process waits with its heap still: arithmetic on huge numbers and the like.
 *
 *     Offload *o = offload_find(p);
 *     if (o == NULL) return offload_start(p, run, in, n, number);      TERM_WAIT
 *     if (!job_done(&o->job)) return TERM_WAIT;
 *     result = offload_take(p, &why);
 *
 * The process hangs the job from itself as what it has left half-done (pause.h).  Until the job is
 * over nothing wakes or kills the process (STATE_BLOCKED): signals wait.  `run` reads what it was
 * given, builds on o->heap, and touches nothing else of the process.  Under a seed the job runs
 * when the seed picks it.
 *
 * A `run` that may last longer than signals should wait asks offload_goes_on every millisecond
 * or so, and returns at once when that says no; docs/design/slices.md lists all jobs.
 */
#pragma once

#include "vm/proc/pause.h"
#include "vm/sched/blocking.h"

/* Work of more nanoseconds than this is not done on a worker's time. */
#define OFFLOAD_NS 50000
/* The same for work that costs about a nanosecond or two per byte, in bytes. */
#define OFFLOAD_BYTES 32768

#define OFFLOAD_TERMS 3

typedef struct Offload Offload;
typedef void OffloadRun(Offload *o);

struct Offload {
    Job job; /* first */
    Mem *mem;
    const AtomTable *atoms;
    OffloadRun *run;
    Heap heap;              /* where `out` is built */
    Term in[OFFLOAD_TERMS]; /* on the process's heap */
    int64_t number;         /* one more input */
    Term out;               /* TERM_NONE: it failed, and `why` tells the asker in what way */
    int why;
    bool stopped; /* it has not come to its end */
};

/* For `run`: false once the process is to die or the VM to stop.  Then there is no result. */
MUST_USE bool offload_goes_on(Offload *o);

/* The job that p's instruction waits for or has waited for, or NULL: it begins, or begins anew as
 * the job was stopped for an exit signal that did not end p. */
Offload *offload_find(Process *p);
/* Submits the job; gives TERM_WAIT, and p must then wait. */
Term offload_start(Process *p, OffloadRun *run, const Term *in, size_t n, int64_t number);
/* The result, which is on p's heap now; the job is gone.  Charges for about the time the result's
 * size tells. */
Term offload_take(Process *p, int *why);
