#include "vm/term/codec.h"
#include "vm/term/codec_tags.h"

#include <zlib.h>

/* Bytes that are packed between two questions. */
#define DEFLATE_STEP 65536

/* Packs `size` bytes from z->next_in to z->next_out, which has room for as many; how many they
 * became, or 0: they did not get shorter, or stopped. */
static size_t deflate_all(z_stream *z, size_t size, bool (*goes_on)(void *), void *context,
                          bool *stopped)
{
    z->avail_out = (uInt)size;
    int status = Z_OK;
    for (size_t left = size; status == Z_OK && z->avail_out > 0;) {
        *stopped = goes_on != NULL && !goes_on(context);
        if (*stopped) return 0;
        size_t n = left < DEFLATE_STEP ? left : DEFLATE_STEP;
        left -= n;
        z->avail_in = (uInt)n;
        status = deflate(z, left == 0 ? Z_FINISH : Z_NO_FLUSH);
    }
    return status == Z_STREAM_END ? size - z->avail_out : 0;
}

bool codec_compress(Bytes *to, size_t start, int level, bool (*goes_on)(void *), void *context)
{
    size_t size = to->count - start - 1;
    if (level == 0 || size > UINT32_MAX || size <= 5) return true;
    uint8_t *scratch = mem_try_alloc(to->mem, MEM_WORK, size);
    z_stream z = {0};
    if (scratch == NULL || deflateInit(&z, level) != Z_OK) {
        mem_free(to->mem, MEM_WORK, scratch, size);
        return false;
    }
    bool stopped = false;
    z.next_in = to->at + start + 1;
    z.next_out = scratch;
    size_t packed = deflate_all(&z, size, goes_on, context, &stopped);
    (void)deflateEnd(&z);
    if (packed > 0 && packed + 5 < size) {
        to->count = start + 1;
        bytes_put_u8(to, EXT_COMPRESSED);
        bytes_put_u32_be(to, (uint32_t)size);
        bytes_put(to, scratch, packed);
    }
    mem_free(to->mem, MEM_WORK, scratch, size);
    return !stopped;
}

bool codec_is_compressed(const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    return n >= 6 && at[0] == EXT_VERSION && at[1] == EXT_COMPRESSED;
}

/* No input packs better than this. */
#define BEST_RATIO 1032

/* Bytes that are unpacked in one step, and of which so many count as one term. */
#define INFLATE_STEP   16384
#define BYTES_PER_TERM 16

/* On its own: zlib's state knows where its stream is. */
struct CodecInflate {
    z_stream z;
    size_t rest; /* bytes of the result that zlib has not been told of */
};

CodecResult codec_inflate_begin(CodecReader *r)
{
    Mem *mem = r->heap->mem;
    size_t size = bytes_read_u32_be(&r->in);
    size_t left = bytes_left(&r->in);
    if (size == 0 || size / BEST_RATIO > left) return CODEC_BAD;
    r->inflated = mem_try_alloc(mem, MEM_WORK, size);
    r->inflated_bytes = size;
    struct CodecInflate *i = mem_try_alloc(mem, MEM_WORK, sizeof *i);
    if (r->inflated == NULL || i == NULL) {
        mem_free(mem, MEM_WORK, i, sizeof *i);
        return CODEC_NO_MEMORY;
    }
    i->z = (z_stream){0};
    if (inflateInit(&i->z) != Z_OK) {
        mem_free(mem, MEM_WORK, i, sizeof *i);
        return CODEC_NO_MEMORY;
    }
    i->z.next_in = (Bytef *)(uintptr_t)r->in.at;
    i->z.avail_in = left > UINT32_MAX ? UINT32_MAX : (uInt)left;
    i->z.next_out = r->inflated;
    i->rest = size;
    r->inflate = i;
    return CODEC_OK;
}

bool codec_inflate_step(CodecReader *r, size_t *budget, CodecResult *result)
{
    struct CodecInflate *i = r->inflate;
    int status = Z_OK;
    while (status == Z_OK) {
        if (*budget == 0) return false;
        if (i->z.avail_out == 0) {
            i->z.avail_out = i->rest < INFLATE_STEP ? (uInt)i->rest : INFLATE_STEP;
            i->rest -= i->z.avail_out;
        }
        size_t terms = i->z.avail_out / BYTES_PER_TERM + 1;
        status = inflate(&i->z, Z_SYNC_FLUSH);
        *budget -= *budget < terms ? *budget : terms;
        /* No room and no end: it unpacks to more than it said. */
        if (status == Z_OK && i->z.avail_out == 0 && i->rest == 0) {
            uint8_t more;
            i->z.next_out = &more;
            i->z.avail_out = 1;
            status = inflate(&i->z, Z_SYNC_FLUSH);
            if (status == Z_STREAM_END && i->z.avail_out == 0) status = Z_DATA_ERROR;
            i->z.avail_out = 0;
            if (status == Z_OK) status = Z_DATA_ERROR;
        }
    }
    bool whole = status == Z_STREAM_END && i->z.avail_out == 0 && i->rest == 0;
    r->used = (size_t)(r->in.at - r->start) + i->z.total_in;
    codec_inflate_end(r);
    r->in = bytes_reader(r->inflated, r->inflated_bytes);
    *result = whole ? CODEC_OK : CODEC_BAD;
    return true;
}

void codec_inflate_end(CodecReader *r)
{
    if (r->inflate == NULL) return;
    inflateEnd(&r->inflate->z);
    mem_free(r->heap->mem, MEM_WORK, r->inflate, sizeof *r->inflate);
    r->inflate = NULL;
}
