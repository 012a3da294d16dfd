/* Hashes, checksums, and the external form of terms. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/iolist.h"
#include "vm/bif/task.h"

#include "vm/code/codetab.h"
#include "vm/sched/offload.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/codec.h"
#include "vm/term/hash.h"
#include "vm/term/list.h"
#include "vm/term/order.h"

#include <zlib.h>

#define BIF_PHASH2_DEFAULT (UINT64_C(1) << 27)

static BifResult bif_hash_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- phash2 ---- */

typedef struct HashTask {
    Pause pause; /* first */
    HashWalk walk;
} HashTask;

/* Terms that a reduction pays for. */
#define HASH_RATE 1

static void hash_task_release(Pause *pause, Process *p)
{
    hash_end(&((HashTask *)pause)->walk);
    task_free(pause, sizeof(HashTask), p);
}

static BifResult bif_phash2(Process *p, uint64_t range)
{
    HashTask here;
    HashTask *t = (HashTask *)pause_find(p, hash_task_release);
    if (t == NULL) {
        t = &here;
        hash_begin(&t->walk, p->run->atoms, arg(p, 0), p->heap.mem);
    }
    size_t budget = task_budget(p, HASH_RATE);
    size_t left = budget;
    bool done = hash_step(&t->walk, &left);
    task_charge(p, budget, left, HASH_RATE);
    if (!done) {
        HashTask *kept = task_keep(p, t, sizeof *t, hash_task_release);
        if (kept != t) walk_moved(&kept->walk.stack, &t->walk.stack);
        return bif_yield(p);
    }
    uint64_t hash = t->walk.hash;
    task_end(p, &t->pause, hash_task_release);
    return small_from((int64_t)(hash % range));
}

BifResult bif_phash2_1(Process *p) { return bif_phash2(p, BIF_PHASH2_DEFAULT); }

BifResult bif_phash2_2(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_small(range) || small_value(range) < 1
        || small_value(range) > INT64_C(1) << 32)
        return raise_badarg(p);
    return bif_phash2(p, (uint64_t)small_value(range));
}

/* ---- term_to_binary ---- */

typedef struct BifEncode {
    CodecFlags flags;
    int level; /* of compression; 0: none */
} BifEncode;

static bool bif_encode_pair(Term key, Term value, BifEncode *e)
{
    if (!term_is_small(value)) return false;
    int64_t n = small_value(value);
    if (term_same(key, TERM_ATOM(COMPRESSED)) && n >= 0 && n <= 9) {
        e->level = (int)n;
        return true;
    }
    if (!term_same(key, TERM_ATOM(MINOR_VERSION)) || n < 0 || n > 2) return false;
    if (n == 0) e->flags |= CODEC_OLD_FLOATS;
    if (n == 2) e->flags |= CODEC_UTF8_ATOMS;
    return true;
}

static bool bif_encode_options(Term list, BifEncode *e)
{
    for (; term_is_cons(list); list = list_tail(list)) {
        Term option = list_head(list);
        if (term_same(option, TERM_ATOM(COMPRESSED)))
            e->level = 6;
        else if (term_same(option, TERM_ATOM(DETERMINISTIC)))
            e->flags |= CODEC_DETERMINISTIC;
        else if (term_same(option, TERM_ATOM(LOCAL)))
            continue;
        else if (!term_is_tuple_of(option, 2)
                 || !bif_encode_pair(tuple_at(option, 0), tuple_at(option, 1), e))
            return false;
    }
    return term_is_nil(list);
}

static CodecNode bif_node(void) { return (CodecNode){.name = TERM_ATOM(NONODE_AT_NOHOST)}; }

typedef struct EncodeTask {
    Pause pause; /* first */
    Bytes to;
    BytesMove move; /* of a large buffer that grows */
    bool refused;   /* memory for it */
    CodecWriter writer;
} EncodeTask;

/* Terms and bytes / 64 that a reduction pays for, both ways. */
#define CODEC_RATE 1
/* Larger maps are sorted on the blocking pool. */
#define ENCODE_SORT_MOST 1000

static void encode_release(Pause *pause, Process *p)
{
    EncodeTask *t = (EncodeTask *)pause;
    codec_encode_end(&t->writer);
    bytes_move_free(&t->to, &t->move);
    bytes_free(&t->to);
    task_free(pause, sizeof *t, p);
}

/* Bytes that one slice appends, about; buffers that have as many already grow in slices too. */
#define ENCODE_ROOM ((size_t)320 * 1024)

/* What to do with the bytes. */
typedef enum EncodeResult { ENCODE_BINARY, ENCODE_LIST, ENCODE_SIZE } EncodeResult;

static Term encode_result(Heap *h, Bytes *b, EncodeResult what)
{
    if (what == ENCODE_SIZE) return small_from((int64_t)binary_buffer_bytes(b));
    Term t = binary_buffer_done(h, b);
    if (what == ENCODE_BINARY || term_is_none(t)) return t;
    return heap_cons(h, t, TERM_NIL);
}

/* Terms, and bytes / 64, that are written between two looks whether the job is wanted. */
#define ENCODE_LOOK 4000

static bool encode_goes_on(void *context) { return offload_goes_on(context); }

/* False: it cannot be encoded, memory is refused, or the job is not wanted. */
static bool encode_all(Offload *o, Bytes *b, CodecFlags flags)
{
    CodecWriter w;
    codec_encode_begin(&w, b, o->atoms, bif_node(), o->in[0], flags, o->mem);
    bool done = false;
    while (!done && offload_goes_on(o) && bytes_try_reserve(b, ENCODE_ROOM)) {
        size_t budget = ENCODE_LOOK;
        done = codec_encode_step(&w, &budget);
    }
    codec_encode_end(&w);
    return done && !w.failed;
}

/* All at once, on the blocking pool: what sorts large maps or packs much. */
static void encode_run(Offload *o)
{
    CodecFlags flags = (CodecFlags)(o->number & 0xFF);
    int level = (int)(o->number >> 8 & 0xFF);
    Bytes b = binary_buffer(o->mem);
    binary_buffer_begin(&b);
    if (encode_all(o, &b, flags)
        && codec_compress(&b, sizeof(SharedBytes), level, encode_goes_on, o))
        o->out = encode_result(&o->heap, &b, (EncodeResult)(o->number >> 16));
    bytes_free(&b);
}

static BifResult encode_offload(Process *p, const BifEncode *e, EncodeResult what)
{
    return offload_start(p, encode_run, (const Term[]){arg(p, 0)}, 1,
                         (int64_t)(e->flags | (unsigned)e->level << 8 | (unsigned)what << 16));
}

/* All is encoded, or cannot be. */
static BifResult encode_done(Process *p, EncodeTask *t, const BifEncode *e, EncodeResult what)
{
    bool pool = t->writer.too_long || (e->level > 0 && t->to.count > OFFLOAD_BYTES);
    Term result = TERM_NONE;
    if (!pool && !t->writer.failed && !t->refused) {
        int level = what == ENCODE_SIZE ? 0 : e->level;
        if (codec_compress(&t->to, sizeof(SharedBytes), level, NULL, NULL))
            result = encode_result(&p->heap, &t->to, what);
    }
    task_end(p, &t->pause, encode_release);
    if (pool) return encode_offload(p, e, what);
    return bif_hash_done(p, result);
}

/* True when all is encoded, or cannot be. */
static bool encode_step(EncodeTask *t, size_t *budget)
{
    if (t->to.count >= ENCODE_ROOM) {
        size_t bytes = 64 * *budget;
        size_t left = bytes;
        BytesRoom room = bytes_make_room(&t->to, &t->move, ENCODE_ROOM, &left);
        size_t used = (bytes - left) / 64;
        *budget -= *budget < used ? *budget : used;
        t->refused = room == BYTES_REFUSED;
        if (room != BYTES_ROOM) return t->refused;
    }
    return codec_encode_step(&t->writer, budget);
}

static BifResult bif_encode(Process *p, const BifEncode *e, EncodeResult what)
{
    const Offload *o = offload_find(p);
    if (o != NULL)
        return job_done(&o->job) ? bif_hash_done(p, offload_take(p, NULL)) : bif_wait(p);
    EncodeTask here;
    EncodeTask *t = (EncodeTask *)pause_find(p, encode_release);
    if (t == NULL) {
        t = &here;
        t->to = binary_buffer(p->heap.mem);
        t->move = (BytesMove){0};
        t->refused = false;
        binary_buffer_begin(&t->to);
        codec_encode_begin(&t->writer, &t->to, p->run->atoms, bif_node(), arg(p, 0), e->flags,
                           p->heap.mem);
        t->writer.sort_most = ENCODE_SORT_MOST;
    }
    size_t budget = task_budget(p, CODEC_RATE);
    size_t left = budget;
    bool done = encode_step(t, &left);
    task_charge(p, budget, left, CODEC_RATE);
    if (done) return encode_done(p, t, e, what);
    EncodeTask *kept = task_keep(p, t, sizeof *t, encode_release);
    if (kept != t) codec_encode_moved(&kept->writer, &t->writer, &kept->to);
    return bif_yield(p);
}

static BifResult bif_encode_with(Process *p, EncodeResult what)
{
    BifEncode e = {CODEC_PLAIN, 0};
    return bif_encode_options(arg(p, 1), &e) ? bif_encode(p, &e, what) : raise_badarg(p);
}

static BifResult bif_encode_plain(Process *p, EncodeResult what)
{
    return bif_encode(p, &(BifEncode){CODEC_PLAIN, 0}, what);
}

BifResult bif_term_to_binary_1(Process *p) { return bif_encode_plain(p, ENCODE_BINARY); }
BifResult bif_term_to_binary_2(Process *p) { return bif_encode_with(p, ENCODE_BINARY); }
/* The same as a list of binaries: one. */
BifResult bif_term_to_iovec_1(Process *p) { return bif_encode_plain(p, ENCODE_LIST); }
BifResult bif_term_to_iovec_2(Process *p) { return bif_encode_with(p, ENCODE_LIST); }
BifResult bif_external_size(Process *p) { return bif_encode_plain(p, ENCODE_SIZE); }

/* Takes {minor_version, 0 or 1} alone. */
BifResult bif_external_size_2(Process *p)
{
    for (Term rest = arg(p, 1); term_is_cons(rest); rest = list_tail(rest)) {
        Term option = list_head(rest);
        if (!term_is_tuple_of(option, 2)
            || !term_same(tuple_at(option, 0), TERM_ATOM(MINOR_VERSION))
            || term_same(tuple_at(option, 1), small_from(2)))
            return raise_badarg(p);
    }
    return bif_encode_with(p, ENCODE_SIZE);
}

/* ---- binary_to_term ---- */

typedef struct DecodeTask {
    Pause pause; /* first */
    CodecReader reader;
    FunResolver funs;
    TaskBytes bytes;
    Mem *mem;
} DecodeTask;

static void decode_release(Pause *pause, Process *p)
{
    DecodeTask *t = (DecodeTask *)pause;
    codec_decode_end(&t->reader);
    task_free_scratch(t->mem, t->bytes.scratch, t->bytes.n);
    task_free(pause, sizeof *t, p);
}

/* As task_align. */
static Term decode_begin(DecodeTask *t, Process *p, bool safe)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    t->mem = p->heap.mem;
    Term ready = task_align(p, arg(p, 0), &t->bytes);
    if (!term_is_nil(ready)) return ready;
    codec_decode_begin(&t->reader, &p->heap, p->run->atoms, bif_node(), t->bytes.at, t->bytes.n,
                       CODEC_PLAIN);
    t->reader.safe = safe;
    t->funs = codetab_resolver(p->run->code);
    return TERM_NIL;
}

static BifResult decode_done(Process *p, DecodeTask *t, bool tell_used)
{
    CodecResult result = t->reader.result;
    Term term = t->reader.term;
    size_t used = t->reader.used;
    task_end(p, &t->pause, decode_release);
    if (result == CODEC_ATOMS_FULL || result == CODEC_NO_MEMORY) return raise_system_limit(p);
    if (result != CODEC_OK) return raise_badarg(p);
    if (!tell_used) return term;
    return bif_hash_done(p, heap_tuple2(&p->heap, term, small_from((int64_t)used)));
}

static BifResult bif_decode(Process *p, bool safe, bool tell_used)
{
    DecodeTask here;
    DecodeTask *t = (DecodeTask *)pause_find(p, decode_release);
    if (t == NULL) {
        t = &here;
        Term ready = decode_begin(t, p, safe);
        if (!term_is_nil(ready)) return ready;
    }
    t->reader.funs = &t->funs;
    size_t budget = task_budget(p, CODEC_RATE);
    size_t left = budget;
    bool done = codec_decode_step(&t->reader, &left);
    task_charge(p, budget, left, CODEC_RATE);
    if (done) return decode_done(p, t, tell_used);
    DecodeTask *kept = task_keep(p, t, sizeof *t, decode_release);
    if (kept != t) codec_decode_moved(&kept->reader, &t->reader);
    return bif_yield(p);
}

BifResult bif_binary_to_term_1(Process *p) { return bif_decode(p, false, false); }

BifResult bif_binary_to_term_2(Process *p)
{
    bool safe = false;
    bool used = false;
    Term list = arg(p, 1);
    for (; term_is_cons(list); list = list_tail(list)) {
        if (term_same(list_head(list), TERM_ATOM(SAFE)))
            safe = true;
        else if (term_same(list_head(list), TERM_ATOM(USED)))
            used = true;
        else
            return raise_badarg(p);
    }
    return term_is_nil(list) ? bif_decode(p, safe, used) : raise_badarg(p);
}

/* ---- checksums of iolists ---- */

typedef uLong BifSum(uLong sum, const Bytef *bytes, uInt n);

/* Elements and bytes / 64 that a reduction pays for. */
#define SUM_RATE 1

typedef struct SumTask {
    Pause pause; /* first */
    IolistWalk walk;
    uLong sum;
    BifSum *add;
} SumTask;

static void sum_release(Pause *pause, Process *p)
{
    iolist_end(&((SumTask *)pause)->walk);
    task_free(pause, sizeof(SumTask), p);
}

static bool sum_part(void *context, BitView part)
{
    SumTask *t = context;
    uint8_t room[IOLIST_PART];
    t->sum = t->add(t->sum, iolist_aligned(part, room), (uInt)(part.bits / 8));
    return true;
}

static BifResult bif_checksum(Process *p, Term data, uint32_t start, BifSum *add)
{
    static const IolistSink sink = {sum_part, NULL, 0};
    SumTask here;
    SumTask *t = (SumTask *)pause_find(p, sum_release);
    if (t == NULL) {
        if (!term_is_list(data) && !term_is_binary(data)) return raise_badarg(p);
        t = &here;
        t->sum = start;
        t->add = add;
        iolist_begin(&t->walk, data, IOLIST_BYTES, p->heap.mem);
    }
    size_t budget = task_budget(p, SUM_RATE);
    size_t left = budget;
    IolistStep step = iolist_step(&t->walk, &sink, t, &left);
    task_charge(p, budget, left, SUM_RATE);
    if (step == IOLIST_MORE) {
        SumTask *kept = task_keep(p, t, sizeof *t, sum_release);
        if (kept != t) iolist_moved(&kept->walk, &t->walk);
        return bif_yield(p);
    }
    uLong sum = t->sum;
    task_end(p, &t->pause, sum_release);
    return step == IOLIST_END ? small_from((int64_t)(sum & 0xFFFFFFFFu)) : raise_badarg(p);
}

static bool bif_sum_start(Term t, uint32_t *start)
{
    if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > UINT32_MAX) return false;
    *start = (uint32_t)small_value(t);
    return true;
}

BifResult bif_crc32_1(Process *p) { return bif_checksum(p, arg(p, 0), 0, crc32); }
BifResult bif_adler32_1(Process *p) { return bif_checksum(p, arg(p, 0), 1, adler32); }

BifResult bif_crc32_2(Process *p)
{
    uint32_t start;
    return bif_sum_start(arg(p, 0), &start) ? bif_checksum(p, arg(p, 1), start, crc32)
                                            : raise_badarg(p);
}

BifResult bif_adler32_2(Process *p)
{
    uint32_t start;
    return bif_sum_start(arg(p, 0), &start) ? bif_checksum(p, arg(p, 1), start, adler32)
                                            : raise_badarg(p);
}

/* ---- sums of two runs of bytes, of which one follows the other ---- */

typedef uLong BifCombine(uLong first, uLong second, z_off_t size);

static BifResult bif_combine(Process *p, BifCombine *combine)
{
    uint32_t n[3];
    for (size_t i = 0; i < 3; i++)
        if (!bif_sum_start(arg(p, i), &n[i])) return raise_badarg(p);
    return small_from((int64_t)(combine(n[0], n[1], (z_off_t)n[2]) & 0xFFFFFFFFu));
}

BifResult bif_crc32_combine(Process *p) { return bif_combine(p, crc32_combine); }

/* Unlike zlib's, also right for what is no sum, when nothing follows. */
static uLong bif_adler_join(uLong first, uLong second, z_off_t size)
{
    return size == 0 ? first : adler32_combine(first, second, size);
}

BifResult bif_adler32_combine(Process *p) { return bif_combine(p, bif_adler_join); }
