#include "vm/bif/bif_bytes.h"

#include "vm/bif/iolist.h"
#include "vm/bif/task.h"

#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"

bool bif_binary_put(Term t, Bytes *to)
{
    if (!term_is_binary(t)) return false;
    BitView v = binary_view(t);
    uint8_t *at = bytes_extend(to, v.bits / 8);
    bits_copy(at, 0, v.at, v.offset, v.bits);
    return true;
}

static bool bytes_put_part(void *context, BitView part)
{
    bits_copy(bytes_extend(context, part.bits / 8), 0, part.at, part.offset, part.bits);
    return true;
}

static bool bytes_count_part(void *context, BitView part)
{
    *(size_t *)context += part.bits / 8;
    return true;
}

static bool bytes_count_whole(void *context, Term binary)
{
    *(size_t *)context += binary_bits(binary) / 8;
    return true;
}

static bool iolist_all(Process *p, Term t, const IolistSink *sink, void *context)
{
    IolistWalk w;
    iolist_begin(&w, t, IOLIST_BYTES, p->heap.mem);
    IolistStep step = IOLIST_MORE;
    while (step == IOLIST_MORE) {
        size_t budget = SIZE_MAX;
        step = iolist_step(&w, sink, context, &budget);
    }
    iolist_end(&w);
    return step == IOLIST_END;
}

bool bif_iolist_put(Process *p, Term t, Bytes *to)
{
    static const IolistSink sink = {bytes_put_part, NULL, 0};
    bool good = iolist_all(p, t, &sink, to);
    bif_charge(p, (int64_t)(to->count / 16));
    return good;
}

bool bif_iolist_size(Process *p, Term t, size_t *size)
{
    static const IolistSink sink = {bytes_count_part, bytes_count_whole, 0};
    *size = 0;
    bool good = iolist_all(p, t, &sink, size);
    bif_charge(p, (int64_t)(*size / 64));
    return good;
}

BifResult bif_bytes_to_binary(Process *p, Bytes *b)
{
    Term t = binary_from_bytes(&p->heap, b->at, b->count);
    bif_charge(p, (int64_t)(b->count / 64));
    bytes_free(b);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

typedef struct ByteListTask {
    Pause pause; /* first */
    Term list;   /* what stands behind the bytes that are left */
    size_t left;
} ByteListTask;

/* Cells that a reduction pays for. */
#define BYTE_LIST_RATE 4

static void byte_list_release(Pause *pause, Process *p)
{
    task_free(pause, sizeof(ByteListTask), p);
}

/* The bits that are no whole byte, as the last element. */
static Term byte_list_tail(Process *p)
{
    size_t bits = binary_bits(arg(p, 0));
    if (bits % 8 == 0) return TERM_NIL;
    Term last = binary_part(&p->heap, arg(p, 0), bits - bits % 8, bits % 8);
    return term_is_none(last) ? TERM_NONE : heap_cons(&p->heap, last, TERM_NIL);
}

/* Conses bytes from the end on. */
static void byte_list_step(ByteListTask *t, Process *p, size_t first, size_t n)
{
    BitView v = binary_view(arg(p, 0));
    for (; n > 0 && !term_is_none(t->list); n--) {
        uint64_t byte = bits_get_uint64(v.at, v.offset + 8 * (first + --t->left), 8);
        t->list = heap_cons(&p->heap, small_from((int64_t)byte), t->list);
    }
}

BifResult bif_binary_list(Process *p, size_t first, size_t n)
{
    ByteListTask here;
    ByteListTask *t = (ByteListTask *)pause_find(p, byte_list_release);
    if (t == NULL) {
        t = &here;
        t->list = first + n == binary_bits(arg(p, 0)) / 8 ? byte_list_tail(p) : TERM_NIL;
        t->left = n;
    }
    size_t budget = task_budget(p, BYTE_LIST_RATE);
    size_t step = t->left < budget ? t->left : budget;
    byte_list_step(t, p, first, step);
    task_charge(p, step, 0, BYTE_LIST_RATE);
    if (t->left > 0 && !term_is_none(t->list)) {
        task_keep(p, t, sizeof *t, byte_list_release);
        return bif_yield(p);
    }
    Term list = t->list;
    task_end(p, &t->pause, byte_list_release);
    return term_is_none(list) ? raise_system_limit(p) : list;
}
