/* erlang:iolist_to_iovec/1: an iolist as few binaries; large ones are taken as they are. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/iolist.h"
#include "vm/bif/task.h"

#include "vm/term/bits.h"
#include "vm/term/list.h"

/* Smaller binaries are copied together. */
#define IOVEC_COPY_BYTES 256
/* What has been copied together makes a binary once it is this large. */
#define IOVEC_MOST_BYTES 65536

typedef struct IovecTask {
    Pause pause; /* first */
    IolistWalk walk;
    Heap *heap;
    Bytes few; /* what has been copied since the last binary of the list */
    ListBuilder list;
} IovecTask;

static void iovec_release(Pause *pause, Process *p)
{
    IovecTask *t = (IovecTask *)pause;
    iolist_end(&t->walk);
    bytes_free(&t->few);
    task_free(pause, sizeof *t, p);
}

static bool iovec_add(IovecTask *t, Term binary)
{
    if (!term_is_none(binary)) list_add(&t->list, binary);
    return !term_is_none(binary) && !t->list.failed;
}

static bool iovec_flush(IovecTask *t)
{
    size_t n = t->few.count;
    t->few.count = 0;
    return n == 0 || iovec_add(t, binary_from_bytes(t->heap, t->few.at, n));
}

static bool iovec_part(void *context, BitView part)
{
    IovecTask *t = context;
    bits_copy(bytes_extend(&t->few, part.bits / 8), 0, part.at, part.offset, part.bits);
    return t->few.count < IOVEC_MOST_BYTES || iovec_flush(t);
}

static bool iovec_whole(void *context, Term binary)
{
    IovecTask *t = context;
    return iovec_flush(t) && iovec_add(t, binary);
}

static const IolistSink iovec_sink = {iovec_part, iovec_whole, IOVEC_COPY_BYTES};

BifResult bif_iolist_to_iovec(Process *p)
{
    IovecTask here;
    IovecTask *t = (IovecTask *)pause_find(p, iovec_release);
    if (t == NULL) {
        if (!term_is_list(arg(p, 0)) && !term_is_binary(arg(p, 0))) return raise_badarg(p);
        t = &here;
        t->heap = &p->heap;
        t->few = bif_bytes(p);
        t->list = list_builder(&p->heap);
        iolist_begin(&t->walk, arg(p, 0), IOLIST_BYTES, p->heap.mem);
    }
    size_t budget = task_budget(p, TASK_IOLIST_RATE);
    size_t left = budget;
    IolistStep step = iolist_step(&t->walk, &iovec_sink, t, &left);
    task_charge(p, budget, left, TASK_IOLIST_RATE);
    if (step == IOLIST_MORE) {
        IovecTask *kept = task_keep(p, t, sizeof *t, iovec_release);
        if (kept != t) iolist_moved(&kept->walk, &t->walk);
        return bif_yield(p);
    }
    if (step == IOLIST_END && !iovec_flush(t)) step = IOLIST_STOPPED;
    Term list = list_finish(&t->list, TERM_NIL);
    task_end(p, &t->pause, iovec_release);
    if (step == IOLIST_BAD) return raise_badarg(p);
    return step == IOLIST_STOPPED ? raise_system_limit(p) : list;
}
