#include "vm/bif/task.h"

BifResult task_pool(Process *p, OffloadRun *run, const Term *in, size_t n, int64_t number)
{
    const Offload *o = offload_find(p);
    if (o == NULL) return offload_start(p, run, in, n, number);
    if (!job_done(&o->job)) return bif_wait(p);
    int why;
    Term result = offload_take(p, &why);
    if (!term_is_none(result)) return result;
    return why == TASK_BADARG ? raise_badarg(p) : raise_system_limit(p);
}

bool task_list_is_longer(Term list, size_t most)
{
    for (; term_is_cons(list); list = list_tail(list))
        if (most-- == 0) return true;
    return false;
}
