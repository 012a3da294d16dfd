/*
 * Big integers: GMP limbs laid out on the heap, sign in the kind.
 *
 *   KIND_BIG_POSITIVE / KIND_BIG_NEGATIVE  [limb 0] ... [limb n-1]   limb n-1 is not zero
 *
 * A big is never in the range of small integers: every result is normalised.  All operations
 * take any mix of small and big; results go to the heap, scratch comes from malloc.  Nothing
 * here collects.  TERM_NONE: the result would exceed LIMIT_BIG_WORDS limbs, or memory was
 * refused.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/format/limits.h"
#include "vm/term/heap.h"

typedef uint64_t Limb;

/* An integer of either kind as limbs; `one` is room for the limb of a small. */
typedef struct BigView {
    const Limb *limbs;
    size_t count; /* 0 for zero */
    bool negative;
    Limb one;
} BigView;
/* The view points into `v` itself for smalls: do not copy it. */
void big_view(BigView *v, Term t);

static inline bool big_is_negative(Term t) { return boxed_kind(t) == KIND_BIG_NEGATIVE; }
static inline size_t big_limbs(Term t) { return header_words(boxed_header(t)); }

Term big_add(Heap *h, Term a, Term b);
Term big_sub(Heap *h, Term a, Term b);
Term big_mul(Heap *h, Term a, Term b);
/* b is not zero.  Rounds towards zero; the remainder has the sign of `a`. */
Term big_div(Heap *h, Term a, Term b);
Term big_rem(Heap *h, Term a, Term b);
Term big_neg(Heap *h, Term a);

typedef enum BigLogic { BIG_AND, BIG_OR, BIG_XOR } BigLogic;
/* On two's complement of endless width. */
Term big_logic(Heap *h, BigLogic op, Term a, Term b);
Term big_not(Heap *h, Term a);
/* `bits` > 0 shifts left, < 0 right (towards minus infinity). */
Term big_shift(Heap *h, Term a, int64_t bits);

/* < 0, 0, > 0. */
int big_compare(Term a, Term b);
/* The double that OTP 25 gives: the nearest, or now and then its neighbour; false if out of
 * range. */
MUST_USE bool big_to_double(Term t, double *out);
/* A finite double cut to an integer. */
Term big_from_double(Heap *h, double d);
/* The whole value as 64 bits, if it fits. */
MUST_USE bool big_to_int64(Term t, int64_t *out);
MUST_USE bool big_to_uint64(Term t, uint64_t *out);
/* Bits of the absolute value. */
size_t big_bits(Term t);

/* From `n` limbs, least significant first; leading zeros allowed; borrowed. */
Term big_from_limbs(Heap *h, const Limb *limbs, size_t n, bool negative);
/* From bytes of the absolute value. */
Term big_from_bytes(Heap *h, const uint8_t *bytes, size_t n, bool little, bool negative);
/* Absolute value as `n` bytes, least significant first, cut or zero-filled. */
void big_to_bytes(Term t, uint8_t *to, size_t n);

/* Digits in `base` (2 ... 36; letters in upper case), with a minus sign; appended. */
void big_print(Bytes *to, Term t, int base);
/* Reads digits only (no sign), n >= 1, each valid in `base`. */
Term big_read(Heap *h, const uint8_t *digits, size_t n, int base, bool negative);
