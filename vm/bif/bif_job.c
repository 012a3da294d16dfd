#include "vm/bif/bif_job.h"

#include "vm/sched/sched.h"

#define BIF_JOB_WORDS 4 /* KIND_FOREIGN: header, next, counted, type */

Job *bif_job_at(const Process *p, size_t slot_index)
{
    Term t = slot(p, slot_index);
    return term_is_kind(t, KIND_FOREIGN) ? (Job *)boxed_words(t)[2] : NULL;
}

BifResult bif_job_start(Process *p, size_t slot_index, Job *job)
{
    Word *at = heap_alloc(&p->heap, BIF_JOB_WORDS);
    if (at == NULL) {
        counted_drop(&job->counted);
        return raise_system_limit(p);
    }
    at[0] = header_make(KIND_FOREIGN, BIF_JOB_WORDS - 1);
    at[2] = (Word)&job->counted;
    at[3] = small_from(0).w;
    heap_add_handle(&p->heap, at, job->counted.bytes);
    slot_set(p, slot_index, boxed_from(at));
    job->pid = p->pid;
    blocking_submit(sched_worker(p->run)->sched->blocking, p, job);
    return bif_wait(p);
}
