#include "vm/proc/extra.h"

#include "vm/proc/dict.h"
#include "vm/proc/pause.h"

ProcessExtra *extra_get(Process *p)
{
    if (p->extra != NULL) return p->extra;
    ProcessExtra *x = mem_alloc_zero(p->heap.mem, MEM_PROCESS, sizeof(ProcessExtra));
    x->fullsweep_after = EXTRA_FULLSWEEP_AFTER;
    x->label = TERM_NONE;
    x->error_handler = TERM_ATOM(ERROR_HANDLER);
    p->extra = x;
    return x;
}

void extra_free(Process *p)
{
    ProcessExtra *x = p->extra;
    if (x == NULL) return;
    ASSERT(x->receive_timer == NULL && x->dying == NULL);
    pause_end_all(p);
    ASSERT(x->intake.newest == NULL && x->intake.oldest == NULL);
    Mem *mem = p->heap.mem;
    gc_free_old(&x->old, mem);
    if (x->dict != NULL) dict_free(x->dict, mem);
    while (x->checks != NULL) {
        Message *m = x->checks;
        x->checks = m->next;
        message_free(m, mem);
    }
    while (x->replies != NULL) {
        Message *m = x->replies;
        x->replies = m->next;
        message_free(m, mem);
    }
    mem_free(mem, MEM_PROCESS, x, sizeof *x);
    p->extra = NULL;
}
