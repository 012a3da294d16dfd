/*
 * The external term format, both ways: the bytes of term_to_binary, of module literals, of
 * nodes.
 *
 * Encoding takes any term; decoding takes any bytes and believes nothing: it fails, or gives a
 * well-formed term.  Depth is bounded by memory, not by the C stack.  Nothing collects.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/term/atom.h"
#include "vm/term/fun.h"
#include "vm/term/heap.h"
#include "vm/term/walk.h"

/* Who we are when pids, ports and references leave or come home. */
typedef struct CodecNode {
    Term name;         /* TERM_ATOM(NONODE_AT_NOHOST) when not distributed */
    uint32_t creation; /* 0 then */
} CodecNode;

/* Ored together. */
typedef unsigned CodecFlags;
enum {
    CODEC_PLAIN = 0,
    CODEC_DETERMINISTIC = 1, /* pairs of large maps in map-key order */
    CODEC_OLD_FLOATS = 2,    /* minor_version 0: floats as text */
    CODEC_UTF8_ATOMS = 4,    /* minor_version 2: every atom in UTF-8 */
    CODEC_NO_VERSION = 8,    /* without the leading byte 131 (and without compression) */
    CODEC_LIBRARY = 16       /* decoding: atoms for the embedded library, atom_put_library */
};

/* ---- encoding ---- */

typedef struct CodecScratch CodecScratch; /* pairs of a map on their way; private */

typedef struct CodecWriter {
    Bytes *to;
    const AtomTable *atoms;
    CodecNode node;
    CodecFlags flags;
    bool failed; /* a part too large for the format (beyond 2^32), or too_long */
    bool
        too_long; /* it met a map of more pairs to sort than sort_most, if that is not 0: sorting
                      does not stop half-way */
    size_t sort_most; /* set between begin and the first step */
    CodecScratch *scratch;
    Walk stack;
} CodecWriter;

/* Appends the whole term; false if it cannot be expressed. */
MUST_USE bool codec_encode(Bytes *to, const AtomTable *atoms, CodecNode node, Term t,
                           CodecFlags flags);
/* Whether bytes begin like compressed input. */
bool codec_is_compressed(const void *bytes, size_t n);
/* Wraps an encoding that starts at to->at[start] (byte 131) with zlib at level 1 ... 9 (0: not at
 * all), if that makes it shorter.  Asks `goes_on`, which may be NULL, every millisecond or so;
 * false: it said no, or memory is refused. */
MUST_USE bool codec_compress(Bytes *to, size_t start, int level, bool (*goes_on)(void *),
                             void *context);

void codec_encode_begin(CodecWriter *w, Bytes *to, const AtomTable *atoms, CodecNode node,
                        Term t, CodecFlags flags, Mem *mem);
/* Takes terms and bytes (as 1/64) written from *budget; true when done. */
bool codec_encode_step(CodecWriter *w, size_t *budget);
void codec_encode_end(CodecWriter *w);
/* After the struct was copied from `from` to `w`, with its Bytes at `to`: not to be used at `from`
 * any more. */
void codec_encode_moved(CodecWriter *w, const CodecWriter *from, Bytes *to);

/* Bytes that codec_encode would append; 0 if it cannot be expressed. */
size_t codec_size(const AtomTable *atoms, CodecNode node, Term t, CodecFlags flags);

/* ---- decoding ---- */

typedef enum CodecResult {
    CODEC_OK,
    CODEC_BAD,        /* not the external form of a term */
    CODEC_NEW_ATOM,   /* an atom or fun that is not here, while `safe` */
    CODEC_ATOMS_FULL, /* system_limit */
    CODEC_NO_MEMORY   /* system_limit */
} CodecResult;

typedef struct CodecReader {
    ByteReader in;
    Heap *heap;
    AtomTable *atoms;
    CodecNode node;
    const FunResolver *funs; /* NULL: funs become remote funs, exports are refused */
    bool safe;               /* make no new atoms */
    bool library;            /* CODEC_LIBRARY */
    CodecResult result;      /* valid once done */
    Term term;               /* the term, if CODEC_OK */
    size_t used;             /* bytes read, if CODEC_OK */
    const uint8_t *start;
    Word slot;         /* where the outermost term goes */
    uint8_t *inflated; /* uncompressed bytes, ours */
    size_t inflated_bytes;
    struct CodecInflate *inflate; /* while they are being made */
    bool has_version;
    uint8_t last_mask; /* of the last byte of the binary that is being copied */
    bool started;
    bool done;
    CodecScratch *scratch;
    struct KeysStudy *study; /* of large keys of a small map, or NULL */
    Walk stack;
} CodecReader;

/* One term from the start of `bytes`, which stay still until codec_decode_end, like the reader
 * itself.  Set `funs` and `safe` between begin and the first step. */
void codec_decode_begin(CodecReader *r, Heap *h, AtomTable *atoms, CodecNode node,
                        const void *bytes, size_t n, CodecFlags flags);
bool codec_decode_step(CodecReader *r, size_t *budget);
void codec_decode_end(CodecReader *r);
/* After the struct was copied from `from` to `r`: not to be used at `from` any more. O(depth). */
void codec_decode_moved(CodecReader *r, CodecReader *from);

/* To the end, all at once; *used (may be NULL) counts the bytes read, else all must be. */
MUST_USE CodecResult codec_decode(Heap *h, AtomTable *atoms, CodecNode node, const void *bytes,
                                  size_t n, const FunResolver *funs, bool safe,
                                  CodecFlags flags, Term *out, size_t *used);
