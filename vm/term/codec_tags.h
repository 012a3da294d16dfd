/* The tags of the external term format, shared by encoder and decoder.  Private to
 * vm/term/codec. */
#pragma once

#include "vm/term/codec.h"
#include "vm/term/map_build.h"

enum {
    EXT_VERSION = 131,
    EXT_NEW_FLOAT = 70,
    EXT_BIT_BINARY = 77,
    EXT_COMPRESSED = 80,
    EXT_NEW_PID = 88,
    EXT_NEW_PORT = 89,
    EXT_NEWER_REFERENCE = 90,
    EXT_SMALL_INTEGER = 97,
    EXT_INTEGER = 98,
    EXT_FLOAT = 99,
    EXT_ATOM = 100,
    EXT_REFERENCE = 101,
    EXT_PORT = 102,
    EXT_PID = 103,
    EXT_SMALL_TUPLE = 104,
    EXT_LARGE_TUPLE = 105,
    EXT_NIL = 106,
    EXT_STRING = 107,
    EXT_LIST = 108,
    EXT_BINARY = 109,
    EXT_SMALL_BIG = 110,
    EXT_LARGE_BIG = 111,
    EXT_NEW_FUN = 112,
    EXT_EXPORT = 113,
    EXT_NEW_REFERENCE = 114,
    EXT_SMALL_ATOM = 115,
    EXT_MAP = 116,
    EXT_ATOM_UTF8 = 118,
    EXT_SMALL_ATOM_UTF8 = 119,
    EXT_V4_PORT = 120
};

#define EXT_FLOAT_BYTES 31

/* Pairs key, value, key, value ... outside the heap. */
struct CodecScratch {
    CodecScratch *older;
    MapBuild *build; /* or NULL */
    size_t pairs;
    Term at[];
};

/* NULL when memory is refused. */
static inline CodecScratch *scratch_new(Mem *mem, size_t pairs)
{
    CodecScratch *s = mem_try_alloc(mem, MEM_WORK, sizeof *s + pairs * 2 * sizeof(Term));
    if (s == NULL) return NULL;
    s->build = NULL;
    s->pairs = pairs;
    return s;
}

static inline void scratch_free(Mem *mem, CodecScratch *s)
{
    if (s->build != NULL) {
        map_build_end(s->build);
        mem_free(mem, MEM_WORK, s->build, sizeof *s->build);
    }
    mem_free(mem, MEM_WORK, s, sizeof *s + s->pairs * 2 * sizeof(Term));
}

/* Replaces the reader's input, which stands behind the tag of compressed terms, by what it
 * unpacks to; `used` then counts packed bytes. */
CodecResult codec_inflate_begin(CodecReader *r);
/* True when it is over: *result tells how. */
bool codec_inflate_step(CodecReader *r, size_t *budget, CodecResult *result);
void codec_inflate_end(CodecReader *r);

/* ---- decoding: what is finished in steps; codec_finish.c ---- */

static inline void codec_fail(CodecReader *r, CodecResult why)
{
    if (r->result == CODEC_OK) r->result = why;
}
/* Sorts the n keys and values of a small map at `at`; true when that is done. */
bool codec_finish_flat(CodecReader *r, Word *at, size_t n, size_t *budget);
void codec_end_study(CodecReader *r);
/* All pairs of a large map are there: it is built from them.  False: no memory. */
bool codec_build_begin(CodecReader *r, CodecScratch *s);
/* `f`: [scratch][added][to]; true when the map is there, or is none. */
bool codec_build_step(CodecReader *r, Word *f, size_t *budget);
/* `f`: [to][from][left]; true when all bytes of the binary are copied. */
bool codec_bytes_step(CodecReader *r, Word *f, size_t *budget);
