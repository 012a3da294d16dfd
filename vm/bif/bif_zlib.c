/* Built-ins of mote_zlib: what module zlib stands on. */
#include "vm/bif/bif_zlib.h"

#include "vm/bif/bif_bytes.h"
#include "vm/bif/bif_foreign.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"

#include <string.h>

/* Bytes that deflate takes in before others may run. */
#define ZLIB_SHARE 1024
/* The largest buffer that inflate fills in one step. */
#define ZLIB_INFLATE_MOST 16384

/* ---- results and errors ---- */

static BifResult zlib_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ok, or the error that a code of zlib stands for. */
static BifResult zlib_code(Process *p, int code)
{
    switch (code) {
    case Z_OK: return TERM_ATOM(OK);
    case Z_MEM_ERROR: return raise_system_limit(p);
    case Z_DATA_ERROR: return raise_error(p, TERM_ATOM(DATA_ERROR));
    case Z_STREAM_ERROR: return raise_error(p, TERM_ATOM(STREAM_ERROR));
    case Z_BUF_ERROR: return raise_error(p, TERM_ATOM(BUF_ERROR));
    default: return raise_badarg(p);
    }
}

/* The stream of argument 0, in that mode (ZLIB_CLOSED: in any); NULL: an exception was raised. */
static ZlibStream *zlib_stream(Process *p, ZlibMode mode)
{
    ZlibStream *s = zlib_stream_of(arg(p, 0));
    if (s == NULL) {
        raise_badarg(p);
        return NULL;
    }
    if (atomic_load_acquire(&s->owner) != p->pid.w) {
        raise_error(p, TERM_ATOM(NOT_ON_CONTROLLING_PROCESS));
        return NULL;
    }
    if (mode != ZLIB_CLOSED && s->mode != mode) {
        raise_error(p, TERM_ATOM(NOT_INITIALIZED));
        return NULL;
    }
    return s;
}

/* The small integers of arguments `first` ... first + n - 1; the language's side has looked at
 * them. */
static bool zlib_numbers(const Process *p, size_t first, size_t n, int *to)
{
    for (size_t i = 0; i < n; i++) {
        Term t = arg(p, first + i);
        if (!term_is_small(t) || small_value(t) < -100 || small_value(t) > (1 << 24))
            return false;
        to[i] = (int)small_value(t);
    }
    return true;
}

/* ---- the stream as such ---- */

BifResult bif_zlib_open(Process *p)
{
    ZlibStream *s = zlib_stream_new(p->run->mem, p->pid);
    return s == NULL ? raise_system_limit(p) : zlib_done(p, bif_foreign_new(p, &s->counted));
}

BifResult bif_zlib_close(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    if (s == NULL) return TERM_NONE;
    if (s->mode == ZLIB_CLOSED) return raise_error(p, TERM_ATOM(NOT_INITIALIZED));
    (void)zlib_stream_end(s);
    s->mode = ZLIB_CLOSED;
    return TERM_ATOM(OK);
}

BifResult bif_zlib_set_owner(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    if (s == NULL) return TERM_NONE;
    if (!term_is_local_pid(arg(p, 1))) return raise_badarg(p);
    /* Pairs with the acquire in zlib_stream: the new owner sees all that was done before. */
    atomic_store_release(&s->owner, arg(p, 1).w);
    return TERM_ATOM(OK);
}

/* buffer(Z, Size): the old size; 0 leaves it. */
BifResult bif_zlib_buffer(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    int size;
    if (s == NULL) return TERM_NONE;
    if (!zlib_numbers(p, 1, 1, &size) || size < 0) return raise_badarg(p);
    size_t old = s->buffer_size;
    if (size > 0) s->buffer_size = (size_t)size;
    return small_from((int64_t)old);
}

/* stash(Z, Bytes): keeps them, behind those kept before. */
BifResult bif_zlib_stash(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    if (s == NULL) return TERM_NONE;
    return bif_binary_put(arg(p, 1), &s->stash) ? TERM_ATOM(OK) : raise_badarg(p);
}

/* unstash(Z): what was kept. */
BifResult bif_zlib_unstash(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    if (s == NULL) return TERM_NONE;
    Term t = binary_from_bytes(&p->heap, s->stash.count > 0 ? (const void *)s->stash.at : "",
                               s->stash.count);
    bytes_clear(&s->stash);
    return zlib_done(p, t);
}

BifResult bif_zlib_crc(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    if (s == NULL) return TERM_NONE;
    if (s->mode != ZLIB_DEFLATE && s->mode != ZLIB_INFLATE)
        return raise_error(p, TERM_ATOM(NOT_INITIALIZED));
    return small_from((int64_t)s->crc);
}

/* enqueue(Z, Data): large binaries stay where they are. */
BifResult bif_zlib_enqueue(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    if (s == NULL) return TERM_NONE;
    Term t = arg(p, 1);
    ZlibInput input = {0};
    bytes_init(&input.own, s->mem, MEM_IO);
    size_t offset;
    if (term_is_binary(t) && binary_view(t).offset == 0
        && term_is_kind(binary_base(t, &offset), KIND_SHARED_BINARY)) {
        BitView v = binary_view(t);
        input.held = &binary_shared(binary_base(t, &offset))->head;
        counted_retain(input.held);
        input.at = v.at;
        input.count = v.bits / 8;
    } else {
        bool good = term_is_binary(t) ? bif_binary_put(t, &input.own)
                                      : term_is_list(t) && bif_iolist_put(p, t, &input.own);
        input.at = input.own.at;
        input.count = input.own.count;
        if (!good) {
            bytes_free(&input.own);
            return raise_badarg(p);
        }
    }
    if (input.count > 0) {
        VEC_PUSH(&s->queue, input);
    } else {
        if (input.held != NULL) counted_drop(input.held);
        bytes_free(&input.own);
    }
    return TERM_ATOM(OK);
}

/* {Tag, [Output]} or {Tag, []} of a step; {need_dictionary, Sum, ...} when it is told. */
static BifResult zlib_output(Process *p, ZlibStream *s, Term tag)
{
    Term list = TERM_NIL;
    if (s->output.count > 0) {
        Term t = binary_from_bytes(&p->heap, s->output.at, s->output.count);
        list = term_is_none(t) ? TERM_NONE : heap_cons(&p->heap, t, TERM_NIL);
    }
    bytes_clear(&s->output);
    s->taken = 0;
    if (term_is_none(list)) return raise_system_limit(p);
    if (term_is_the_atom(tag, ATOM_NEED_DICTIONARY))
        return zlib_done(p, heap_tuple3(&p->heap, tag, small_from((int64_t)s->z.adler), list));
    return zlib_done(p, heap_tuple2(&p->heap, tag, list));
}

/* ---- deflate ---- */

/* deflate_init(Z, Level, Bits, MemLevel, Strategy) */
BifResult bif_zlib_deflate_init(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    int n[4];
    if (s == NULL) return TERM_NONE;
    if (!zlib_numbers(p, 1, 4, n)) return raise_badarg(p);
    if (s->mode != ZLIB_NONE) return raise_error(p, TERM_ATOM(ALREADY_INITIALIZED));
    int code = deflateInit2(&s->z, n[0], Z_DEFLATED, n[1], n[2], n[3]);
    if (code != Z_OK) return zlib_code(p, code);
    s->mode = ZLIB_DEFLATE;
    s->level = n[0];
    s->raw = n[1] < 0;
    s->ended = false;
    s->crc = 0;
    bif_charge(p, 500);
    return TERM_ATOM(OK);
}

BifResult bif_zlib_deflate_reset(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_DEFLATE);
    if (s == NULL) return TERM_NONE;
    zlib_stream_queue_clear(s);
    s->ended = false;
    s->crc = 0;
    return zlib_code(p, deflateReset(&s->z));
}

BifResult bif_zlib_deflate_end(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_DEFLATE);
    if (s == NULL) return TERM_NONE;
    /* What waits would have been lost. */
    bool waits = !zlib_stream_is_empty(s);
    int code = zlib_stream_end(s);
    return zlib_code(p, waits ? Z_DATA_ERROR : code);
}

/* params(Z, Level, Strategy); all that waits has been flushed. */
BifResult bif_zlib_deflate_params(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_DEFLATE);
    int n[2];
    if (s == NULL) return TERM_NONE;
    if (!zlib_numbers(p, 1, 2, n)) return raise_badarg(p);
    uint8_t rest[64];
    (void)zlib_stream_feed(s, 0);
    s->z.next_out = rest;
    s->z.avail_out = sizeof rest;
    int code = deflateParams(&s->z, n[0], n[1]);
    bytes_put(&s->stash, rest, sizeof rest - s->z.avail_out);
    s->level = n[0];
    return zlib_code(p, code == Z_BUF_ERROR ? Z_OK : code);
}

/* A dictionary as bytes; false: an exception was raised. */
static bool zlib_dictionary(Process *p, Bytes *bytes)
{
    Term t = arg(p, 1);
    *bytes = bif_bytes(p);
    bool good = term_is_binary(t) ? bif_binary_put(t, bytes)
                                  : term_is_list(t) && bif_iolist_put(p, t, bytes);
    if (good) return true;
    bytes_free(bytes);
    raise_badarg(p);
    return false;
}

static const uint8_t *zlib_bytes_at(const Bytes *bytes)
{
    static const uint8_t nothing[1];
    return bytes->count > 0 ? bytes->at : nothing;
}

BifResult bif_zlib_deflate_dictionary(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_DEFLATE);
    Bytes bytes;
    if (s == NULL || !zlib_dictionary(p, &bytes)) return TERM_NONE;
    int code = deflateSetDictionary(&s->z, zlib_bytes_at(&bytes), (uInt)bytes.count);
    /* Without a header zlib keeps no sum; OTP then begins with 0. */
    uLong sum = s->raw ? adler32(0, zlib_bytes_at(&bytes), (uInt)bytes.count) : s->z.adler;
    bytes_free(&bytes);
    if (code != Z_OK) return zlib_code(p, code);
    return small_from((int64_t)sum);
}

/* One share of input, or what follows the last one; the code of zlib. */
static int zlib_deflate_share(Process *p, ZlibStream *s, int flush)
{
    /* Without compression the shares would show in the blocks. */
    size_t most = ZLIB_IN - s->taken;
    if (s->level != 0 && most > ZLIB_SHARE) most = ZLIB_SHARE;
    size_t had = zlib_stream_feed(s, most);
    const uint8_t *from = s->z.next_in;
    size_t before = s->output.count;
    bytes_reserve(&s->output, ZLIB_DEFLATE_OUT);
    s->z.next_out = s->output.at + before;
    s->z.avail_out = (uInt)(ZLIB_DEFLATE_OUT - before);
    int code = deflate(&s->z, flush);
    s->output.count = ZLIB_DEFLATE_OUT - s->z.avail_out;
    size_t used = had - s->z.avail_in;
    if (s->raw && used > 0) s->crc = (uint32_t)crc32(s->crc, from, (uInt)used);
    bif_charge(p, (int64_t)(3 * used + (s->output.count - before)) + 20);
    zlib_stream_fed(s, had);
    return code;
}

/* deflate(Z, Flush): a step; {continue, Output} when there is more to do. */
BifResult bif_zlib_deflate(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_DEFLATE);
    int flush;
    if (s == NULL) return TERM_NONE;
    if (!zlib_numbers(p, 1, 1, &flush)) return raise_badarg(p);
    if (s->ended) return zlib_code(p, Z_STREAM_ERROR);
    for (;;) {
        size_t first = s->first;
        bool flushes = zlib_stream_is_empty(s);
        /* OTP flushes behind all data, not with the last of them. */
        int code = zlib_deflate_share(p, s, flushes ? flush : Z_NO_FLUSH);
        if (code == Z_STREAM_END) s->ended = true;
        if (code < 0 && code != Z_BUF_ERROR) return zlib_code(p, code);
        bool full = s->z.avail_out == 0;
        if (s->ended || (flushes && !full)) return zlib_output(p, s, TERM_ATOM(FINISHED));
        bool border = s->level == 0 && s->first != first && !zlib_stream_is_empty(s);
        if (full || border || s->taken >= ZLIB_IN)
            return zlib_output(p, s, TERM_ATOM(CONTINUE));
        if (bif_spent(p)) return bif_yield(p);
    }
}

/* ---- inflate ---- */

/* inflate_init(Z, Bits, After) */
BifResult bif_zlib_inflate_init(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_CLOSED);
    int n[2];
    if (s == NULL) return TERM_NONE;
    if (!zlib_numbers(p, 1, 2, n) || n[1] < 0 || n[1] > 2) return raise_badarg(p);
    if (s->mode != ZLIB_NONE) return raise_error(p, TERM_ATOM(ALREADY_INITIALIZED));
    int code = inflateInit2(&s->z, n[0]);
    if (code != Z_OK) return zlib_code(p, code);
    s->mode = ZLIB_INFLATE;
    s->raw = n[0] < 0;
    s->after = (ZlibAfter)n[1];
    s->ended = false;
    s->wants_dictionary = false;
    s->crc = 0;
    return TERM_ATOM(OK);
}

BifResult bif_zlib_inflate_reset(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_INFLATE);
    if (s == NULL) return TERM_NONE;
    zlib_stream_queue_clear(s);
    s->ended = false;
    s->wants_dictionary = false;
    s->crc = 0;
    return zlib_code(p, inflateReset(&s->z));
}

BifResult bif_zlib_inflate_end(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_INFLATE);
    if (s == NULL) return TERM_NONE;
    bool whole = s->ended && (zlib_stream_is_empty(s) || s->after == ZLIB_AFTER_CUT);
    int code = zlib_stream_end(s);
    return zlib_code(p, code == Z_OK && !whole ? Z_DATA_ERROR : code);
}

BifResult bif_zlib_inflate_dictionary(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_INFLATE);
    Bytes bytes;
    if (s == NULL || !zlib_dictionary(p, &bytes)) return TERM_NONE;
    int code = inflateSetDictionary(&s->z, zlib_bytes_at(&bytes), (uInt)bytes.count);
    bytes_free(&bytes);
    if (code == Z_OK) s->wants_dictionary = false;
    return zlib_code(p, code);
}

BifResult bif_zlib_inflate_get_dictionary(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_INFLATE);
    if (s == NULL) return TERM_NONE;
    uint8_t bytes[1 << MAX_WBITS];
    uInt n = 0;
    int code = inflateGetDictionary(&s->z, bytes, &n);
    if (code != Z_OK) return zlib_code(p, code);
    return zlib_done(p, binary_from_bytes(&p->heap, bytes, n));
}

/* Data behind an end; TERM_NIL: on with them. */
static BifResult zlib_inflate_after(Process *p, ZlibStream *s)
{
    if (s->after == ZLIB_AFTER_ERROR) return zlib_code(p, Z_DATA_ERROR);
    if (s->after == ZLIB_AFTER_CUT) {
        zlib_stream_queue_clear(s);
        return zlib_output(p, s, TERM_ATOM(FINISHED));
    }
    s->ended = false;
    s->crc = 0;
    return inflateReset(&s->z) == Z_OK ? TERM_NIL : zlib_code(p, Z_STREAM_ERROR);
}

/* Inflates some of the queue to the end of the output; the code of zlib. */
static int zlib_inflate_share(Process *p, ZlibStream *s, size_t size)
{
    size_t had = zlib_stream_feed(s, ZLIB_IN - s->taken);
    size_t before = s->output.count;
    size_t room = size - before < ZLIB_INFLATE_MOST ? size - before : ZLIB_INFLATE_MOST;
    bytes_reserve(&s->output, room);
    s->z.next_out = s->output.at + before;
    s->z.avail_out = (uInt)room;
    int code = inflate(&s->z, Z_NO_FLUSH);
    s->output.count = before + room - s->z.avail_out;
    size_t made = s->output.count - before;
    if (s->raw && made > 0) s->crc = (uint32_t)crc32(s->crc, s->output.at + before, (uInt)made);
    bif_charge(p, (int64_t)((had - s->z.avail_in) + made / 2) + 20);
    zlib_stream_fed(s, had);
    return code;
}

/* What a share of inflating ends the step with; TERM_NIL: on with the next share. */
static BifResult zlib_inflate_end(Process *p, ZlibStream *s, int code, size_t size)
{
    if (code == Z_NEED_DICT) {
        s->wants_dictionary = true;
        return zlib_output(p, s, TERM_ATOM(NEED_DICTIONARY));
    }
    if (code == Z_STREAM_END) s->ended = true;
    if (code < 0 && code != Z_BUF_ERROR) {
        bytes_clear(&s->output);
        s->taken = 0;
        return zlib_code(p, code);
    }
    bool full = s->output.count >= size;
    bool empty = zlib_stream_is_empty(s);
    if (!full && !s->ended && s->taken < ZLIB_IN && !(empty && s->z.avail_out > 0))
        return TERM_NIL;
    bool more = !empty || (full && !s->ended);
    return zlib_output(p, s, more ? TERM_ATOM(CONTINUE) : TERM_ATOM(FINISHED));
}

/* inflate(Z, Size): a step; {continue, Output}, {finished, Output} or, when a dictionary is
 * needed, {need_dictionary, Sum, Output}. */
BifResult bif_zlib_inflate(Process *p)
{
    ZlibStream *s = zlib_stream(p, ZLIB_INFLATE);
    int size;
    if (s == NULL) return TERM_NONE;
    if (!zlib_numbers(p, 1, 1, &size) || size < 1) return raise_badarg(p);
    if (s->wants_dictionary) return zlib_code(p, Z_DATA_ERROR);
    if (s->ended && s->output.count == 0) {
        if (zlib_stream_is_empty(s)) return zlib_output(p, s, TERM_ATOM(FINISHED));
        BifResult result = zlib_inflate_after(p, s);
        if (!term_is_nil(result)) return result;
    }
    for (;;) {
        int code = zlib_inflate_share(p, s, (size_t)size);
        BifResult result = zlib_inflate_end(p, s, code, (size_t)size);
        if (!term_is_nil(result)) return result;
        if (bif_spent(p)) return bif_yield(p);
    }
}
