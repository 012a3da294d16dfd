#include "vm/term/codec.h"

#include "vm/term/codec_tags.h"
#include "vm/term/map.h"

#include <string.h>

/* Bytes of a binary that count as one term. */
#define BYTES_PER_TERM 256
/* Steps with keys that do. */
#define KEY_STEPS 4

void codec_end_study(CodecReader *r)
{
    if (r->study == NULL) return;
    keys_study_end(r->study);
    mem_free(r->heap->mem, MEM_WORK, r->study, sizeof *r->study);
    r->study = NULL;
}

static void begin_study(CodecReader *r, const Keys *k)
{
    if (r->study != NULL) return;
    r->study = mem_alloc(r->heap->mem, MEM_WORK, sizeof *r->study);
    keys_study_begin(r->study, r->atoms, r->heap->mem);
    keys_study_take(r->study, k);
}

/* Where key i belongs among those before it; *again: it is there already. */
static size_t flat_place(Keys *k, const Word *keys, size_t i, bool *again)
{
    size_t to = i;
    int order = 1;
    while (to > 0 && !k->more) {
        order = keys_order(k, TERM_RAW(keys[to - 1]), TERM_RAW(keys[i]));
        if (order <= 0) break;
        to--;
    }
    *again = order == 0;
    return to;
}

static void flat_move(Word *words, size_t from, size_t to)
{
    Word word = words[from];
    memmove(words + to + 1, words + to, (from - to) * sizeof *words);
    words[to] = word;
}

bool codec_finish_flat(CodecReader *r, Word *at, size_t n, size_t *budget)
{
    Keys quick;
    keys_init(&quick, r->atoms, KEYS_QUICK);
    Keys *k = r->study == NULL ? &quick : &r->study->keys;
    if (r->study != NULL && !keys_study_step(r->study, budget)) return false;
    Word *keys = at + n + 3;
    for (size_t i = 1; i < n; i++) {
        bool again;
        size_t to = flat_place(k, keys, i, &again);
        if (k->more) break;
        if (again) codec_fail(r, CODEC_BAD); /* the same key twice */
        if (to == i) continue;
        flat_move(keys, i, to);
        flat_move(at + 2, i, to);
    }
    size_t used = (KEYS_QUICK - k->budget) / KEY_STEPS;
    *budget -= used < *budget ? used : *budget;
    bool more = k->more; /* k may be of the study that ends here */
    if (more)
        begin_study(r, k);
    else
        codec_end_study(r);
    return !more;
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
