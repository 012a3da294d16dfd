/* UTF-8: decode, encode, validate.  Pure functions; any thread.
 * Shortest forms only, no surrogates, nothing above U+10FFFF. */
#pragma once

#include "vm/base/config.h"

#define UTF8_MAX         4 /* bytes of the longest character */
#define UTF8_REPLACEMENT 0xFFFDu

static inline bool utf8_is_scalar(uint32_t c)
{
    return c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);
}

/* Are the eight bytes from `at` on ASCII? */
static inline bool utf8_is_ascii8(const uint8_t *at)
{
    uint64_t eight;
    __builtin_memcpy(&eight, at, sizeof eight);
    return (eight & UINT64_C(0x8080808080808080)) == 0;
}

/* Decode the character at `at` (`left` > 0 bytes).  Returns its length 1…4 and stores it;
 * 0: the bytes are the start of a character that is not complete; -1: not UTF-8. */
int utf8_decode(const uint8_t *at, size_t left, uint32_t *character);

/* Encode into `to`, which has UTF8_MAX bytes; returns the length, 0 if `c` is not a scalar
 * value. */
int utf8_encode(uint32_t c, uint8_t *to);

/* Length of the encoding, 0 if `c` is not a scalar value. */
int utf8_length(uint32_t c);

/* How many of the bytes form valid characters from the start: `count` if all do. */
size_t utf8_valid_prefix(const uint8_t *at, size_t count);
static inline bool utf8_is_valid(const uint8_t *at, size_t count)
{
    return utf8_valid_prefix(at, count) == count;
}

/* Characters in `count` valid bytes. */
size_t utf8_count(const uint8_t *at, size_t count);

/* Columns of a terminal that a character takes: 0, 1 or 2 (for carets under source lines). */
int utf8_width(uint32_t c);
