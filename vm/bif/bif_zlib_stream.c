/* Streams of module zlib. */
#include "vm/bif/bif_zlib.h"

#include "vm/bif/bif_foreign.h"

#include <string.h>

/* What a stream weighs for its process, about: zlib's state of either kind. */
#define ZLIB_WEIGHT 65536
/* Stands in front of zlib's memory. */
#define ZLIB_BEFORE 16

/* OTP's size of a buffer, which setBufSize changes. */
#define ZLIB_BUFFER 4000

/* ---- memory of zlib: the size stands in front ---- */

static voidpf zlib_memory_new(voidpf mem, uInt items, uInt size)
{
    size_t n = (size_t)items * size + ZLIB_BEFORE;
    uint8_t *at = mem_try_alloc(mem, MEM_IO, n);
    if (at == NULL) return NULL;
    memcpy(at, &n, sizeof n);
    return at + ZLIB_BEFORE;
}

static void zlib_memory_free(voidpf mem, voidpf at)
{
    uint8_t *start = (uint8_t *)at - ZLIB_BEFORE;
    size_t n;
    memcpy(&n, start, sizeof n);
    mem_free(mem, MEM_IO, start, n);
}

/* ---- streams ---- */

static void zlib_input_free(ZlibInput *input)
{
    if (input->held != NULL) counted_drop(input->held);
    bytes_free(&input->own);
}

void zlib_stream_queue_clear(ZlibStream *s)
{
    for (size_t i = s->first; i < s->queue.count; i++) zlib_input_free(&s->queue.at[i]);
    VEC_CLEAR(&s->queue);
    s->first = 0;
}

int zlib_stream_end(ZlibStream *s)
{
    int code = Z_OK;
    if (s->mode == ZLIB_DEFLATE) code = deflateEnd(&s->z);
    if (s->mode == ZLIB_INFLATE) code = inflateEnd(&s->z);
    s->mode = ZLIB_NONE;
    zlib_stream_queue_clear(s);
    bytes_clear(&s->stash);
    bytes_clear(&s->output);
    return code;
}

static void zlib_stream_release(Counted *object)
{
    ZlibStream *s = (ZlibStream *)object;
    (void)zlib_stream_end(s);
    VEC_FREE(&s->queue);
    bytes_free(&s->output);
    bytes_free(&s->stash);
    mem_free(s->mem, MEM_IO, s, sizeof *s);
}

ZlibStream *zlib_stream_new(Mem *mem, Term owner)
{
    ZlibStream *s = mem_try_alloc(mem, MEM_IO, sizeof *s);
    if (s == NULL) return NULL;
    memset(s, 0, sizeof *s);
    atomic_store_relaxed(&s->counted.references, 1);
    s->counted.release = zlib_stream_release;
    s->counted.bytes = ZLIB_WEIGHT;
    s->mem = mem;
    atomic_store_relaxed(&s->owner, owner.w);
    s->z.zalloc = zlib_memory_new;
    s->z.zfree = zlib_memory_free;
    s->z.opaque = mem;
    s->buffer_size = ZLIB_BUFFER;
    VEC_IN_MEM(&s->queue, mem, MEM_IO);
    bytes_init(&s->output, mem, MEM_IO);
    bytes_init(&s->stash, mem, MEM_IO);
    return s;
}

ZlibStream *zlib_stream_of(Term t)
{
    Counted *object = bif_foreign_of(t);
    return object != NULL && object->release == zlib_stream_release ? (ZlibStream *)object
                                                                    : NULL;
}

size_t zlib_stream_feed(ZlibStream *s, size_t most)
{
    static const uint8_t nothing[1];
    size_t n = 0;
    s->z.next_in = (z_const Bytef *)(uintptr_t)nothing;
    if (!zlib_stream_is_empty(s)) {
        const ZlibInput *input = &s->queue.at[s->first];
        n = input->count < most ? input->count : most;
        s->z.next_in = (z_const Bytef *)(uintptr_t)input->at;
    }
    s->z.avail_in = (uInt)n;
    return n;
}

void zlib_stream_fed(ZlibStream *s, size_t had)
{
    size_t used = had - s->z.avail_in;
    s->z.next_in = NULL;
    s->z.avail_in = 0;
    s->taken += used;
    if (zlib_stream_is_empty(s)) return;
    ZlibInput *input = &s->queue.at[s->first];
    input->at += used;
    input->count -= used;
    if (input->count > 0) return;
    zlib_input_free(input);
    s->first++;
    if (zlib_stream_is_empty(s)) zlib_stream_queue_clear(s);
}
