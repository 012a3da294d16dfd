#include "vm/term/codec.h"

#include "vm/term/codec_tags.h"
#include "vm/term/map.h"
#include "vm/term/order.h"

#include <string.h>

/* Bytes of a binary that count as one term. */
#define BYTES_PER_TERM 256

void codec_finish_flat(CodecReader *r, Word *at, size_t n)
{
    Word *values = at + 2;
    Word *keys = at + n + 3;
    for (size_t i = 1; i < n; i++) {
        Word key = keys[i];
        Word value = values[i];
        size_t k = i;
        int order = 1;
        for (; k > 0; k--) {
            order = order_compare_exact(r->atoms, TERM_RAW(keys[k - 1]), TERM_RAW(key));
            if (order <= 0) break;
            keys[k] = keys[k - 1];
            values[k] = values[k - 1];
        }
        keys[k] = key;
        values[k] = value;
        if (order == 0) codec_fail(r, CODEC_BAD); /* the same key twice */
    }
}

bool codec_build_begin(CodecReader *r, CodecScratch *s)
{
    ASSERT(r->scratch == s);
    Mem *mem = r->heap->mem;
    s->build = mem_try_alloc(mem, MEM_WORK, sizeof *s->build);
    if (s->build != NULL && !map_build_begin(s->build, r->atoms, s->pairs, mem)) {
        mem_free(mem, MEM_WORK, s->build, sizeof *s->build);
        s->build = NULL;
    }
    if (s->build == NULL) codec_fail(r, CODEC_NO_MEMORY);
    return s->build != NULL;
}

bool codec_build_step(CodecReader *r, Word *f, size_t *budget)
{
    CodecScratch *s = (CodecScratch *)(uintptr_t)f[0];
    if (*budget == 0) *budget = 1; /* coming here took one, and a step must get on */
    for (; f[1] < s->pairs; f[1]++) {
        if (*budget == 0) return false;
        --*budget;
        map_build_add(s->build, s->at[2 * f[1]], s->at[2 * f[1] + 1]);
    }
    if (!map_build_step(s->build, r->heap, budget)) return false;
    Term map = s->build->result;
    if (term_is_none(map))
        codec_fail(r, CODEC_NO_MEMORY);
    else if (map_size(map) != s->pairs)
        codec_fail(r, CODEC_BAD);
    else
        *(Word *)(uintptr_t)f[2] = map.w;
    r->scratch = s->older;
    scratch_free(r->heap->mem, s);
    return true;
}

bool codec_bytes_step(CodecReader *r, Word *f, size_t *budget)
{
    uint8_t *to = (uint8_t *)(uintptr_t)f[0];
    const uint8_t *from = (const uint8_t *)(uintptr_t)f[1];
    size_t n = f[2];
    size_t most = (*budget + 1) * BYTES_PER_TERM;
    if (*budget < n / BYTES_PER_TERM) n = most;
    memcpy(to, from, n);
    *budget -= *budget < n / BYTES_PER_TERM ? *budget : n / BYTES_PER_TERM;
    f[0] += n;
    f[1] += n;
    f[2] -= n;
    if (f[2] != 0) return false;
    to[n - 1] &= r->last_mask;
    r->last_mask = 0xFF;
    return true;
}
