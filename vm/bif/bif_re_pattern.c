/* Compiled regular expressions (PCRE2). */
#include "vm/bif/bif_re.h"

#include "vm/base/htab.h"
#include "vm/bif/bif_foreign.h"

#include <string.h>

/* What OTP takes for limits. */
#define RE_NESTING 250

static const uint8_t re_tables[1088] = {
#include "vm/bif/re_latin1.def"
};

/* ---- memory of PCRE2: the size stands in front ---- */

#define RE_BEFORE 16

static void *re_memory_new(size_t n, void *mem)
{
    if (n > SIZE_MAX - RE_BEFORE) return NULL;
    uint8_t *at = mem_try_alloc(mem, MEM_WORK, n + RE_BEFORE);
    if (at == NULL) return NULL;
    memcpy(at, &n, sizeof n);
    return at + RE_BEFORE;
}

static void re_memory_free(void *at, void *mem)
{
    if (at == NULL) return;
    uint8_t *start = (uint8_t *)at - RE_BEFORE;
    size_t n;
    memcpy(&n, start, sizeof n);
    mem_free(mem, MEM_WORK, start, n + RE_BEFORE);
}

/* ---- scratch ---- */

static void re_scratch_free(ReScratch *s)
{
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->context);
    mem_free(s->mem, MEM_WORK, s, sizeof *s);
}

static ReScratch *re_scratch_new(const RePattern *pattern)
{
    Mem *mem = pattern->mem;
    ReScratch *s = mem_try_alloc(mem, MEM_WORK, sizeof *s);
    if (s == NULL) return NULL;
    *s = (ReScratch){.mem = mem};
    pcre2_general_context *general =
        pcre2_general_context_create(re_memory_new, re_memory_free, mem);
    if (general != NULL) {
        s->data = pcre2_match_data_create(pattern->groups + 1, general);
        s->context = pcre2_match_context_create(general);
    }
    pcre2_general_context_free(general);
    if (s->data != NULL && s->context != NULL) return s;
    re_scratch_free(s);
    return NULL;
}

ReScratch *re_scratch_take(RePattern *pattern)
{
    ReScratch *s = atomic_swap_acquire(&pattern->spare, NULL);
    return s != NULL ? s : re_scratch_new(pattern);
}

void re_scratch_return(RePattern *pattern, ReScratch *scratch)
{
    /* Pairs with the acquire in re_scratch_take. */
    ReScratch *old = atomic_swap_acq_rel(&pattern->spare, scratch);
    if (old != NULL) re_scratch_free(old);
}

/* ---- patterns ---- */

static void re_pattern_release(Counted *object)
{
    RePattern *pattern = (RePattern *)object;
    ReScratch *s = atomic_swap_acquire(&pattern->spare, NULL);
    if (s != NULL) re_scratch_free(s);
    pcre2_code_free(pattern->code);
    bytes_free(&pattern->source);
    mem_free(pattern->mem, MEM_WORK, pattern, sizeof *pattern);
}

RePattern *re_pattern_of(Term t)
{
    Counted *object = bif_foreign_of(t);
    return object != NULL && object->release == re_pattern_release ? (RePattern *)object : NULL;
}

/* The items that may stand at a pattern's start have the names of PCRE2, but one: UTF8 is UTF
 * there. */
static void re_translate(const uint8_t *source, size_t n, Bytes *to)
{
    size_t i = 0;
    while (n - i > 2 && source[i] == '(' && source[i + 1] == '*') {
        const uint8_t *end = memchr(source + i, ')', n - i);
        if (end == NULL) break;
        size_t size = (size_t)(end + 1 - (source + i));
        if (size == 7 && memcmp(source + i, "(*UTF8)", 7) == 0)
            bytes_put_text(to, "(*UTF)");
        else
            bytes_put(to, source + i, size);
        i += size;
    }
    bytes_put(to, source + i, n - i);
}

static pcre2_code *re_compile(const Bytes *source, const ReHow *how, Mem *mem, ReFault *fault)
{
    pcre2_general_context *general =
        pcre2_general_context_create(re_memory_new, re_memory_free, mem);
    pcre2_compile_context *context =
        general == NULL ? NULL : pcre2_compile_context_create(general);
    uint32_t flags = how->flags | PCRE2_USE_OFFSET_LIMIT;
    /* What PCRE2 knows of the first byte of such a match is wrong for letters above ASCII. */
    if ((flags & PCRE2_UTF) != 0 && (flags & PCRE2_UCP) == 0 && source->count > 0
        && memmem(source->at, source->count, "\\w", 2) != NULL)
        flags |= PCRE2_NO_START_OPTIMIZE;
    pcre2_code *code = NULL;
    if (context != NULL) {
        (void)pcre2_set_newline(context, how->newline != 0 ? how->newline : PCRE2_NEWLINE_LF);
        (void)pcre2_set_bsr(context, how->bsr != 0 ? how->bsr : PCRE2_BSR_UNICODE);
        (void)pcre2_set_character_tables(context, re_tables);
        (void)pcre2_set_parens_nest_limit(context, RE_NESTING);
        (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK);
        static const uint8_t nothing[1];
        code = pcre2_compile(source->count > 0 ? source->at : nothing, source->count, flags,
                             &fault->code, &fault->at, context);
    }
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return code;
}

static void re_pattern_learn(RePattern *pattern)
{
    uint32_t flags = 0;
    uint32_t newline = 0;
    size_t size = 0;
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_ALLOPTIONS, &flags);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NEWLINE, &newline);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_SIZE, &size);
    pattern->utf = (flags & PCRE2_UTF) != 0;
    pattern->crlf = newline == PCRE2_NEWLINE_CRLF || newline == PCRE2_NEWLINE_ANY
                    || newline == PCRE2_NEWLINE_ANYCRLF;
    pattern->counted.bytes = sizeof *pattern + pattern->source.room + size;
}

RePattern *re_pattern_new(Mem *mem, const uint8_t *source, size_t n, const ReHow *how,
                          ReFault *fault)
{
    *fault = (ReFault){.code = RE_FAULT_OPTIONS};
    if (how->newline == RE_NEWLINE_BAD || how->bsr == RE_BSR_BAD) return NULL;
    *fault = (ReFault){0};
    RePattern *pattern = mem_try_alloc(mem, MEM_WORK, sizeof *pattern);
    if (pattern == NULL) return NULL;
    *pattern = (RePattern){.mem = mem, .how = *how, .unicode = (how->flags & PCRE2_UTF) != 0};
    atomic_store_relaxed(&pattern->counted.references, 1);
    pattern->counted.release = re_pattern_release;
    bytes_init(&pattern->source, mem, MEM_WORK);
    re_translate(source, n, &pattern->source);
    pattern->code = re_compile(&pattern->source, how, mem, fault);
    if (pattern->code == NULL) {
        counted_drop(&pattern->counted);
        return NULL;
    }
    re_pattern_learn(pattern);
    return pattern;
}

void re_fault_text(const ReFault *fault, char *to, size_t room)
{
    static const char options[] = "options that exclude each other";
    if (fault->code == RE_FAULT_OPTIONS) {
        memcpy(to, options, sizeof options);
        return;
    }
    if (pcre2_get_error_message(fault->code, (PCRE2_UCHAR *)to, room) < 0) to[0] = 0;
}

/* ---- patterns that were compiled before ---- */

/* Bytes of compiled code that are kept. */
#define RE_KEPT_MOST 16384

static uint64_t re_hash(const Bytes *source, const ReHow *how)
{
    uint64_t seed = (uint64_t)how->flags << 16 | how->newline << 8 | how->bsr;
    return htab_hash_bytes(source->at, source->count, seed);
}

static bool re_is_pattern(const Counted *object, const Bytes *source, const ReHow *how)
{
    if (object == NULL || object->release != re_pattern_release) return false;
    const RePattern *pattern = (const RePattern *)object;
    return pattern->how.flags == how->flags && pattern->how.newline == how->newline
           && pattern->how.bsr == how->bsr && pattern->source.count == source->count
           && (source->count == 0
               || memcmp(pattern->source.at, source->at, source->count) == 0);
}

RePattern *re_pattern_kept(RunContext *run, const uint8_t *source, size_t n, const ReHow *how,
                           ReFault *fault)
{
    Bytes translated;
    bytes_init(&translated, run->mem, MEM_WORK);
    re_translate(source, n, &translated);
    uint64_t hash = re_hash(&translated, how);
    const ContextKept *kept = &run->kept[hash % CONTEXT_KEPT];
    bool found = kept->hash == hash && re_is_pattern(kept->object, &translated, how);
    bytes_free(&translated);
    if (found) {
        counted_retain(kept->object);
        return (RePattern *)kept->object;
    }
    RePattern *pattern = re_pattern_new(run->mem, source, n, how, fault);
    size_t size = 0;
    if (pattern != NULL && pcre2_pattern_info(pattern->code, PCRE2_INFO_SIZE, &size) == 0
        && size <= RE_KEPT_MOST)
        context_keep(run, hash, &pattern->counted);
    return pattern;
}
