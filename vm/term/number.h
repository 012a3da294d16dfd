/*
 * Arithmetic and comparison across small integers, big integers and floats.
 *
 * The fast case (two smalls) belongs to the caller; these take anything.  Results go to the
 * heap, nothing collects.  TERM_NONE means an exception, and number_why then tells which: the
 * reason is recomputed from the operands, nothing is stored.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/term/heap.h"

typedef enum NumberOp {
    NUMBER_ADD,
    NUMBER_SUB,
    NUMBER_MUL,
    NUMBER_DIVIDE, /* the operator / */
    NUMBER_DIV,
    NUMBER_REM,
    NUMBER_BAND,
    NUMBER_BOR,
    NUMBER_BXOR,
    NUMBER_BSL,
    NUMBER_BSR,
    NUMBER_NEG, /* the second operand of this and those below is ignored */
    NUMBER_BNOT,
    NUMBER_ABS,
    NUMBER_OP_COUNT
} NumberOp;

/* Any operation; the named functions below are the same. */
Term number_apply(Heap *h, NumberOp op, Term a, Term b);

Term number_add(Heap *h, Term a, Term b);
Term number_sub(Heap *h, Term a, Term b);
Term number_mul(Heap *h, Term a, Term b);
Term number_divide(Heap *h, Term a, Term b);
Term number_div(Heap *h, Term a, Term b);
Term number_rem(Heap *h, Term a, Term b);
Term number_band(Heap *h, Term a, Term b);
Term number_bor(Heap *h, Term a, Term b);
Term number_bxor(Heap *h, Term a, Term b);
Term number_bsl(Heap *h, Term a, Term b);
Term number_bsr(Heap *h, Term a, Term b);
Term number_neg(Heap *h, Term a);
Term number_bnot(Heap *h, Term a);
Term number_abs(Heap *h, Term a);

typedef enum NumberError { NUMBER_BADARITH, NUMBER_SYSTEM_LIMIT } NumberError;
/* Why the operation gave TERM_NONE: wrong operands, division by zero, float overflow; or a
 * result (or a need of memory) that is too large. */
NumberError number_why(NumberOp op, Term a, Term b);

/* About how many nanoseconds the operation takes; 0 for anything short.  Above about 50,000 the
 * caller should hand it to the blocking pool. */
uint64_t number_cost(NumberOp op, Term a, Term b);

/* Both are numbers.  < 0, 0, > 0 by value: 1 == 1.0, exact also where a float cannot hold the
 * integer. */
int number_compare(Term a, Term b);

/* The number as a double; false if it is no number or out of range. */
MUST_USE bool number_to_double(Term t, double *out);

typedef enum NumberRound { NUMBER_TRUNC, NUMBER_ROUND, NUMBER_FLOOR, NUMBER_CEIL } NumberRound;
/* An integer from a number; integers are returned as they are; TERM_NONE only if memory is
 * refused. */
Term number_round(Heap *h, NumberRound how, Term t);

/* Integer to text in base 2 ... 36, appended. */
void number_print_integer(Bytes *to, Term t, int base);
/* [+-]digits, all of it, in base 2 ... 36.  TERM_NONE if it is not that; *too_large (may be
 * NULL) tells a number beyond the limit from bad text. */
Term number_read_integer(Heap *h, const uint8_t *text, size_t n, int base, bool *too_large);
/* About how many nanoseconds the two above take on so many digits. */
uint64_t number_radix_cost(size_t digits, int base);
