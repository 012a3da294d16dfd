#include "vm/bif/task.h"

#include "vm/term/binary.h"
#include "vm/term/bits.h"

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

/* ---- bytes on byte borders ---- */

typedef struct AlignTask {
    Pause pause; /* first */
    uint8_t *scratch;
    size_t n;
    size_t done;
} AlignTask;

/* Bytes that are moved at once, and that a reduction pays for. */
#define ALIGN_AT_ONCE 32768
#define ALIGN_RATE    16

void task_free_scratch(Mem *mem, uint8_t *scratch, size_t n)
{
    if (scratch != NULL) mem_free(mem, MEM_WORK, scratch, n == 0 ? 1 : n);
}

static void align_release(Pause *pause, Process *p)
{
    AlignTask *t = (AlignTask *)pause;
    task_free_scratch(p->heap.mem, t->scratch, t->n);
    task_free(pause, sizeof *t, p);
}

static Term align_go(Process *p, AlignTask *t, BitView v, TaskBytes *bytes)
{
    size_t budget = task_budget(p, ALIGN_RATE);
    size_t now = t->n - t->done < budget ? t->n - t->done : budget;
    bits_copy(t->scratch + t->done, 0, v.at + t->done, v.offset, now * 8);
    t->done += now;
    task_charge(p, now, 0, ALIGN_RATE);
    if (t->done < t->n) return bif_yield(p);
    bytes->at = bytes->scratch = t->scratch;
    t->scratch = NULL;
    pause_end(p);
    return TERM_NIL;
}

Term task_align(Process *p, Term t, TaskBytes *bytes)
{
    BitView v = binary_view(t);
    *bytes = (TaskBytes){.at = v.at, .n = v.bits / 8};
    AlignTask *held = (AlignTask *)pause_find(p, align_release);
    if (held != NULL) return align_go(p, held, v, bytes);
    if (v.offset == 0) return TERM_NIL;
    /* An empty run still needs an address. */
    uint8_t *scratch = mem_try_alloc(p->heap.mem, MEM_WORK, bytes->n == 0 ? 1 : bytes->n);
    if (scratch == NULL) return raise_system_limit(p);
    if (bytes->n <= ALIGN_AT_ONCE) {
        bits_copy(scratch, 0, v.at, v.offset, bytes->n * 8);
        bytes->at = bytes->scratch = scratch;
        return TERM_NIL;
    }
    held = (AlignTask *)pause_new(p, sizeof *held, align_release);
    held->scratch = scratch;
    held->n = bytes->n;
    return align_go(p, held, v, bytes);
}
