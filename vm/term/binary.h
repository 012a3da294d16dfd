/*
 * Binaries and bitstrings: on the heap up to 64 bytes, larger ones shared by reference count,
 * and parts of either.
 *
 *   KIND_BINARY         [size in bits][bytes ...]         unused bits of the last byte are zero
 *   KIND_SHARED_BINARY  [next handle][SharedBytes *][size in bits | BINARY_APPENDABLE]
 *   KIND_SUB_BINARY     [base][offset in bits: small][size in bits: small]
 *   KIND_MATCH_CONTEXT  [base][position in bits: small][end in bits: small]
 *
 * A base is a KIND_BINARY or KIND_SHARED_BINARY, never a part.  SharedBytes are immutable below
 * every size that a handle or part states.  An append buffer has room behind: the one handle
 * with the BINARY_APPENDABLE bit owns its write position; copies of the handle never have the
 * bit, and such a handle is never a value itself, only the base of parts.  Nothing here
 * collects; a memory refusal gives TERM_NONE.  Handles of one heap belong to its owner; counts
 * are atomic.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/base/mem.h"
#include "vm/term/heap.h"

#define BINARY_HEAP_MAX   ((size_t)64) /* bytes that still stand on the heap */
#define BINARY_APPENDABLE ((Word)1 << 63)
/* Bytes of the largest binary. */
#define BINARY_MAX_BYTES ((uint64_t)1 << 56)

typedef struct SharedBytes {
    Counted head;
    Mem *mem;
    uint64_t room; /* bytes allocated behind */
    uint64_t used; /* bits written; only the owner of an append buffer looks */
    uint8_t bytes[];
} SharedBytes;

/* What a bitstring shows: `bits` bits from bit `offset` (0 ... 7) of byte `at`, most
 * significant first. */
typedef struct BitView {
    const uint8_t *at;
    size_t offset;
    size_t bits;
} BitView;

/* Of any bitstring (not a match context).  Borrowed: good until the next collection. */
BitView binary_view(Term t);
/* The bytes a base stands on, and its size in bits; base is KIND_BINARY or
 * KIND_SHARED_BINARY. */
static inline const uint8_t *binary_base_bytes(Term base)
{
    const Word *at = boxed_words(base);
    if (boxed_kind(base) == KIND_BINARY) return (const uint8_t *)(at + 2);
    return ((const SharedBytes *)(uintptr_t)at[2])->bytes;
}
size_t binary_base_bits(Term base);

size_t binary_bits(Term t); /* of any bitstring */
/* Bytes, rounded up. */
static inline size_t binary_bytes(Term t) { return (binary_bits(t) + 7) / 8; }
/* A bitstring of whole bytes. */
static inline bool term_is_binary(Term t)
{
    return term_is_bitstring(t) && binary_bits(t) % 8 == 0;
}

/* The base and the offset into it in bits, of any bitstring or match context. */
Term binary_base(Term t, size_t *offset_bits);

/* A new bitstring of `bits` bits; the bytes are at *to, to be written at once by the caller
 * (zeroed in the last byte only).  Heap or shared by size. */
Term binary_new(Heap *h, size_t bits, uint8_t **to);
/* A copy of bytes. */
Term binary_from_bytes(Heap *h, const void *bytes, size_t n);
static inline Term binary_from_text(Heap *h, const char *text)
{
    return binary_from_bytes(h, text, __builtin_strlen(text));
}
/* A copy of bits. */
Term binary_from_bits(Heap *h, BitView view);
/* Words that binary_new takes on the heap. */
size_t binary_words(size_t bits);

/* A handle on shared bytes: takes one reference, gives it back if memory is refused. */
Term binary_share(Heap *h, SharedBytes *shared, size_t bits);
/* Shared bytes with room for `bytes`, one reference; NULL when memory is refused. */
SharedBytes *binary_shared_new(Mem *mem, size_t bytes);
static inline SharedBytes *binary_shared(Term t)
{
    return (SharedBytes *)(uintptr_t)boxed_words(t)[2];
}
static inline size_t binary_shared_bits(Term t)
{
    return (size_t)(boxed_words(t)[3] & ~BINARY_APPENDABLE);
}

/* A buffer that becomes a binary without a copy: what is appended stands behind room for the head
 * of SharedBytes.  binary_buffer_done takes it; bytes_free gives it up. */
static inline Bytes binary_buffer(Mem *mem) { return (Bytes){.mem = mem, .tag = MEM_BINARY}; }
/* To be called before the first byte is appended. */
void binary_buffer_begin(Bytes *b);
static inline size_t binary_buffer_bytes(const Bytes *b)
{
    return b->count - sizeof(SharedBytes);
}
Term binary_buffer_done(Heap *h, Bytes *b);

/* `size` bits from bit `offset` of a bitstring, inside its bounds.  Small parts of shared
 * binaries stay parts; nothing is copied. */
Term binary_part(Heap *h, Term t, size_t offset, size_t size);
/* The same, copied out. */
Term binary_copy_part(Heap *h, Term t, size_t offset, size_t size);

/* What lies behind `acc` grown by `bits` bits at its end, for <<Acc/binary, X>>: a new term
 * with those bits to be written, at *to from bit *offset on (they are zero where the first or
 * the last byte is not theirs alone).  In
 * place when `acc` ends where its owned append buffer ends; else acc is copied into a new
 * buffer with as much room again.  acc itself keeps its meaning. */
Term binary_append(Heap *h, Term acc, size_t bits, uint8_t **to, size_t *offset);
/* One bitstring from two. */
Term binary_concat(Heap *h, Term a, Term b);

/* All bytes of a whole-byte bitstring as one run: its own when aligned, else copied into
 * *scratch (else NULL there), which the caller frees: mem_free(mem, MEM_WORK, scratch, n == 0 ?
 * 1 : n).  NULL when memory is refused. */
const uint8_t *binary_aligned(Term t, Mem *mem, size_t *n, uint8_t **scratch);

/* < 0, 0, > 0: by bits, a prefix first; *budget counts bytes down and stops at 0 with *at
 * telling how many bits are known to be equal; BINARY_COMPARE_MORE is returned then. */
#define BINARY_COMPARE_MORE 2
int binary_compare_step(Term a, Term b, size_t *at, size_t *budget);
