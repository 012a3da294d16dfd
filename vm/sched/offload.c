#include "vm/sched/offload.h"

#include "vm/sched/sched.h"

typedef struct OffloadPause {
    Pause pause; /* first */
    Offload *offload;
} OffloadPause;

static void offload_forget(Pause *pause, Process *p)
{
    OffloadPause *record = (OffloadPause *)pause;
    counted_drop(&record->offload->job.counted);
    mem_free(p->heap.mem, MEM_WORK, record, sizeof *record);
}

static void offload_free(Counted *object)
{
    Offload *o = (Offload *)(void *)object;
    heap_release(&o->heap);
    mem_free(o->mem, MEM_WORK, o, sizeof *o);
}

static void offload_run(Job *job)
{
    Offload *o = (Offload *)(void *)job;
    o->run(o);
}

bool offload_goes_on(Offload *o)
{
    o->stopped = o->stopped || job_is_unwanted(&o->job);
    return !o->stopped;
}

Offload *offload_find(Process *p)
{
    const OffloadPause *record = (const OffloadPause *)pause_find(p, offload_forget);
    if (record == NULL) return NULL;
    if (!job_done(&record->offload->job) || !record->offload->stopped) return record->offload;
    /* What the signal was about did not end the process. */
    atomic_and_acq_rel(&p->state, ~STATE_ENDING);
    pause_end(p);
    return NULL;
}

Term offload_start(Process *p, OffloadRun *run, const Term *in, size_t n, int64_t number)
{
    Mem *mem = p->heap.mem;
    OffloadPause *record = (OffloadPause *)pause_new(p, sizeof(OffloadPause), offload_forget);
    Offload *o = mem_alloc_zero(mem, MEM_WORK, sizeof *o);
    record->offload = o;
    atomic_store_relaxed(&o->job.counted.references, 1);
    o->job.counted.release = offload_free;
    o->job.counted.bytes = sizeof *o;
    o->job.run = offload_run;
    o->job.holds_heap = true;
    o->mem = mem;
    o->atoms = p->run->atoms;
    o->run = run;
    heap_init_detached(&o->heap, mem);
    for (size_t i = 0; i < n; i++) o->in[i] = in[i];
    o->number = number;
    o->out = TERM_NONE;
    blocking_submit(sched_worker(p->run)->sched->blocking, p, &o->job);
    return TERM_WAIT;
}

Term offload_take(Process *p, int *why)
{
    Offload *o = offload_find(p);
    Term out = o->out;
    if (why != NULL) *why = o->why;
    if (!term_is_none(out)) heap_splice(&p->heap, &o->heap);
    p->run->reductions -= 100;
    pause_end(p);
    return out;
}
