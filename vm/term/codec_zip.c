#include "vm/term/codec.h"
#include "vm/term/codec_tags.h"

#include <zlib.h>

void codec_compress(Bytes *to, size_t start, int level)
{
    size_t size = to->count - start - 1;
    if (size > UINT32_MAX) return;
    uLongf packed = compressBound((uLong)size);
    size_t bound = packed;
    uint8_t *scratch = mem_alloc(to->mem, MEM_WORK, bound);
    const uint8_t *from = to->at + start + 1;
    if (compress2(scratch, &packed, from, (uLong)size, level) == Z_OK && packed + 5 < size) {
        to->count = start + 1;
        bytes_put_u8(to, EXT_COMPRESSED);
        bytes_put_u32_be(to, (uint32_t)size);
        bytes_put(to, scratch, packed);
    }
    mem_free(to->mem, MEM_WORK, scratch, bound);
}

bool codec_is_compressed(const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    return n >= 6 && at[0] == EXT_VERSION && at[1] == EXT_COMPRESSED;
}

/* No input packs better than this. */
#define BEST_RATIO 1032

CodecResult codec_inflate(CodecReader *r)
{
    size_t size = bytes_read_u32_be(&r->in);
    size_t left = bytes_left(&r->in);
    if (size == 0 || size / BEST_RATIO > left) return CODEC_BAD;
    r->inflated = mem_try_alloc(r->heap->mem, MEM_WORK, size);
    r->inflated_bytes = size;
    z_stream z = {0};
    if (r->inflated == NULL || inflateInit(&z) != Z_OK) return CODEC_NO_MEMORY;
    z.next_in = (Bytef *)(uintptr_t)r->in.at;
    z.avail_in = left > UINT32_MAX ? UINT32_MAX : (uInt)left;
    z.next_out = r->inflated;
    z.avail_out = (uInt)size;
    int status = inflate(&z, Z_FINISH);
    bool whole = status == Z_STREAM_END && z.avail_out == 0;
    r->used = (size_t)(r->in.at - r->start) + z.total_in;
    inflateEnd(&z);
    r->in = bytes_reader(r->inflated, size);
    return whole ? CODEC_OK : CODEC_BAD;
}
