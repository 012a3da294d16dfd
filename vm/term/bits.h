/*
 * Bit-level reads and writes.  Bits count from the most significant bit of byte 0.
 *
 * Pure functions on memory that the caller owns; those that make terms take a heap and never
 * collect.  Bounds are the caller's: every function may touch exactly the bits named.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/term/heap.h"

/* Copies `n` bits; ranges do not overlap.  Other bits of the target's bytes stay. */
void bits_copy(uint8_t *to, size_t to_offset, const uint8_t *from, size_t from_offset,
               size_t n);
/* < 0, 0, > 0 over the first `n` bits of both. */
int bits_compare(const uint8_t *a, size_t a_offset, const uint8_t *b, size_t b_offset,
                 size_t n);
void bits_zero(uint8_t *to, size_t offset, size_t n);

/* Up to 64 bits as an unsigned number, most significant bit first. */
uint64_t bits_get_uint64(const uint8_t *from, size_t offset, size_t n);
void bits_put_uint64(uint8_t *to, size_t offset, uint64_t value, size_t n);

/* An integer of any size.  TERM_NONE when memory is refused or it is too large. */
Term bits_get_integer(Heap *h, const uint8_t *from, size_t offset, size_t n, bool little,
                      bool is_signed);
/* The lowest `n` bits of an integer's two's complement. */
void bits_put_integer(uint8_t *to, size_t offset, size_t n, Term integer, bool little);

/* n is 16, 32 or 64.  False for infinities and NaN. */
MUST_USE bool bits_get_float(const uint8_t *from, size_t offset, size_t n, bool little,
                             double *out);
/* Rounds to nearest even; beyond the range of 16 or 32 bits that is an infinity, as Erlang
 * writes it. */
void bits_put_float(uint8_t *to, size_t offset, size_t n, double value, bool little);

/* A number as a double for a float segment; false if it is no number or too large. */
MUST_USE bool bits_float_of(Term number, double *out);

/* One character: bits used, or 0 if there is no valid one within `left` bits. */
size_t bits_get_utf8(const uint8_t *from, size_t offset, size_t left, uint32_t *character);
size_t bits_get_utf16(const uint8_t *from, size_t offset, size_t left, bool little,
                      uint32_t *character);
size_t bits_get_utf32(const uint8_t *from, size_t offset, size_t left, bool little,
                      uint32_t *character);
/* Bits that a character takes; 0 if it is no Unicode scalar value. */
size_t bits_utf8_size(uint32_t character);
size_t bits_utf16_size(uint32_t character);
/* Write one valid character; the size is as above (32 for UTF-32). */
void bits_put_utf8(uint8_t *to, size_t offset, uint32_t character);
void bits_put_utf16(uint8_t *to, size_t offset, uint32_t character, bool little);
void bits_put_utf32(uint8_t *to, size_t offset, uint32_t character, bool little);
