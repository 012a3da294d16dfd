/* Built-ins of erlang about binaries, bitstrings and iolists. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/iolist.h"
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"

static BifResult bif_binary_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_byte_size(Process *p)
{
    if (!term_is_bitstring(arg(p, 0))) return raise_badarg(p);
    return small_from((int64_t)binary_bytes(arg(p, 0)));
}

BifResult bif_bit_size(Process *p)
{
    if (!term_is_bitstring(arg(p, 0))) return raise_badarg(p);
    return small_from((int64_t)binary_bits(arg(p, 0)));
}

/* ---- parts ---- */

/* Start and length in bytes, the length possibly negative, inside `bytes`; false: badarg. */
static bool bif_part_range(Term start, Term length, size_t bytes, size_t *at, size_t *n)
{
    if (!term_is_small(start) || !term_is_small(length)) return false;
    int64_t from = small_value(start);
    int64_t to;
    if (from < 0 || __builtin_add_overflow(from, small_value(length), &to)) return false;
    if (to < from) {
        int64_t kept = from;
        from = to;
        to = kept;
    }
    if (from < 0 || (uint64_t)to > bytes) return false;
    *at = (size_t)from;
    *n = (size_t)(to - from);
    return true;
}

static BifResult bif_part(Process *p, Term start, Term length)
{
    size_t at;
    size_t n;
    Term t = arg(p, 0);
    if (!term_is_bitstring(t) || !bif_part_range(start, length, binary_bits(t) / 8, &at, &n))
        return raise_badarg(p);
    return bif_binary_done(p, binary_part(&p->heap, t, 8 * at, 8 * n));
}

BifResult bif_binary_part_3(Process *p) { return bif_part(p, arg(p, 1), arg(p, 2)); }

BifResult bif_binary_part_2(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_tuple_of(range, 2)) return raise_badarg(p);
    return bif_part(p, tuple_at(range, 0), tuple_at(range, 1));
}

BifResult bif_split_binary(Process *p)
{
    Term t = arg(p, 0);
    Term at = arg(p, 1);
    if (!term_is_bitstring(t) || !term_is_small(at) || small_value(at) < 0
        || (uint64_t)small_value(at) > binary_bits(t) / 8)
        return raise_badarg(p);
    size_t bits = (size_t)small_value(at) * 8;
    Term a = binary_part(&p->heap, t, 0, bits);
    Term b = binary_part(&p->heap, t, bits, binary_bits(t) - bits);
    if (term_is_none(a) || term_is_none(b)) return raise_system_limit(p);
    return bif_binary_done(p, heap_tuple2(&p->heap, a, b));
}

/* ---- to lists ---- */

BifResult bif_binary_to_list_1(Process *p)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    return bif_binary_list(p, 0, binary_bits(arg(p, 0)) / 8);
}

BifResult bif_binary_to_list_3(Process *p)
{
    Term from = arg(p, 1);
    Term to = arg(p, 2);
    if (!term_is_binary(arg(p, 0)) || !term_is_small(from) || !term_is_small(to))
        return raise_badarg(p);
    int64_t n = (int64_t)(binary_bits(arg(p, 0)) / 8);
    if (small_value(from) < 1 || small_value(to) > n || small_value(from) > small_value(to))
        return raise_badarg(p);
    size_t first = (size_t)small_value(from) - 1;
    return bif_binary_list(p, first, (size_t)small_value(to) - first);
}

BifResult bif_bitstring_to_list(Process *p)
{
    if (!term_is_bitstring(arg(p, 0))) return raise_badarg(p);
    return bif_binary_list(p, 0, binary_bits(arg(p, 0)) / 8);
}

/* ---- from iolists ---- */

/* Up to this many bytes are gathered at once, without a look at the size before. */
#define IOLIST_QUICK_BYTES 1024

typedef struct IolistFew {
    size_t bits;
    uint8_t at[IOLIST_QUICK_BYTES];
} IolistFew;

static bool iolist_few_part(void *context, BitView part)
{
    IolistFew *few = context;
    if (few->bits + part.bits > 8 * sizeof few->at) return false;
    if (few->bits % 8 == 0) few->at[few->bits / 8] = 0;
    bits_copy(few->at, few->bits, part.at, part.offset, part.bits);
    few->bits += part.bits;
    return true;
}

/* Two walks: the first counts, the second fills a binary of that size. */
typedef struct IolistTask {
    Pause pause; /* first */
    IolistWalk walk;
    size_t bits; /* counted */
    Term result; /* TERM_NONE while counting */
    uint8_t *to;
    size_t at; /* bits written */
} IolistTask;

static void iolist_task_release(Pause *pause, Process *p)
{
    iolist_end(&((IolistTask *)pause)->walk);
    task_free(pause, sizeof(IolistTask), p);
}

static bool iolist_count_part(void *context, BitView part)
{
    ((IolistTask *)context)->bits += part.bits;
    return true;
}

static bool iolist_count_whole(void *context, Term binary)
{
    ((IolistTask *)context)->bits += binary_bits(binary);
    return true;
}

static bool iolist_fill_part(void *context, BitView part)
{
    IolistTask *t = context;
    bits_copy(t->to, t->at, part.at, part.offset, part.bits);
    t->at += part.bits;
    return true;
}

static const IolistSink iolist_few_sink = {iolist_few_part, NULL, 0};
static const IolistSink iolist_count_sink = {iolist_count_part, iolist_count_whole, 0};
static const IolistSink iolist_fill_sink = {iolist_fill_part, NULL, 0};

/* True when *result says it all: short ones, and what is no iolist. */
static bool iolist_quick(Process *p, IolistKind kind, BifResult *result)
{
    IolistFew few;
    few.bits = 0;
    IolistWalk w;
    iolist_begin(&w, arg(p, 0), kind, p->heap.mem);
    size_t budget = IOLIST_QUICK_BYTES;
    IolistStep step = iolist_step(&w, &iolist_few_sink, &few, &budget);
    iolist_end(&w);
    bif_charge(p, (int64_t)(IOLIST_QUICK_BYTES - budget) / TASK_IOLIST_RATE);
    if (step == IOLIST_BAD) *result = raise_badarg(p);
    if (step == IOLIST_END)
        *result =
            bif_binary_done(p, binary_from_bits(&p->heap, (BitView){few.at, 0, few.bits}));
    return step == IOLIST_BAD || step == IOLIST_END;
}

/* All bits are counted: a binary for them; false: no memory. */
static bool iolist_begin_fill(IolistTask *t, Process *p, IolistKind kind)
{
    iolist_end(&t->walk);
    iolist_begin(&t->walk, arg(p, 0), kind, p->heap.mem);
    t->at = 0;
    t->result = binary_new(&p->heap, t->bits, &t->to);
    return !term_is_none(t->result);
}

/* A step of either walk; IOLIST_STOPPED: no memory. */
static IolistStep iolist_task_step(IolistTask *t, Process *p, IolistKind kind, bool fills,
                                   size_t *budget)
{
    if (term_is_none(t->result)) {
        IolistStep step = iolist_step(&t->walk, &iolist_count_sink, t, budget);
        if (step != IOLIST_END || !fills) return step;
        if (!iolist_begin_fill(t, p, kind)) return IOLIST_STOPPED;
    }
    return iolist_step(&t->walk, &iolist_fill_sink, t, budget);
}

static BifResult iolist_run(Process *p, IolistKind kind, bool fills)
{
    IolistTask here;
    IolistTask *t = (IolistTask *)pause_find(p, iolist_task_release);
    BifResult result;
    if (t == NULL) {
        if (fills && iolist_quick(p, kind, &result)) return result;
        t = &here;
        t->bits = 0;
        t->result = TERM_NONE;
        iolist_begin(&t->walk, arg(p, 0), kind, p->heap.mem);
    }
    size_t budget = task_budget(p, TASK_IOLIST_RATE);
    size_t left = budget;
    IolistStep step = iolist_task_step(t, p, kind, fills, &left);
    task_charge(p, budget, left, TASK_IOLIST_RATE);
    if (step == IOLIST_MORE) {
        IolistTask *kept = task_keep(p, t, sizeof *t, iolist_task_release);
        if (kept != t) iolist_moved(&kept->walk, &t->walk);
        return bif_yield(p);
    }
    result = fills ? t->result : small_from((int64_t)(t->bits / 8));
    task_end(p, &t->pause, iolist_task_release);
    if (step == IOLIST_BAD) return raise_badarg(p);
    return step == IOLIST_STOPPED ? raise_system_limit(p) : result;
}

BifResult bif_iolist_to_binary(Process *p)
{
    if (term_is_binary(arg(p, 0))) return arg(p, 0);
    return term_is_list(arg(p, 0)) ? iolist_run(p, IOLIST_BYTES, true) : raise_badarg(p);
}

BifResult bif_list_to_binary(Process *p)
{
    return term_is_list(arg(p, 0)) ? bif_iolist_to_binary(p) : raise_badarg(p);
}

BifResult bif_iolist_length(Process *p)
{
    bool is_one = term_is_list(arg(p, 0)) || term_is_binary(arg(p, 0));
    return is_one ? iolist_run(p, IOLIST_BYTES, false) : raise_badarg(p);
}

BifResult bif_list_to_bitstring(Process *p)
{
    return term_is_list(arg(p, 0)) ? iolist_run(p, IOLIST_BITS, true) : raise_badarg(p);
}
