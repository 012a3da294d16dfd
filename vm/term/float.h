/*
 * Floats as text, both ways, exactly and without locale.  Pure functions; any thread.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/base/config.h"

#define FLOAT_TEXT_MAX 256 /* room for any result of the functions that write to `char *` */

/* The shortest decimal digits that read back as |d| (finite, not zero): |d| = 0.DIGITS *
 * 10^*point has its point after *point digits.  Returns their number, at most 17; no trailing
 * zeros. */
int float_shortest_digits(double d, char digits[17], int *point);

/* As ~w and ~p print it: 1.0, 1.0e10, 1.0e-5.  Returns the length; no NUL. */
size_t float_print(double d, char to[FLOAT_TEXT_MAX]);
/* d.dddde+XX with `decimals` >= 0 digits behind the point, as float_to_list(F, [{scientific,
 * N}]); 0 if the result would have more than 255 characters, likewise below. */
size_t float_print_scientific(double d, int decimals, char to[FLOAT_TEXT_MAX]);
/* ddd.ddd with `decimals` >= 0 digits, as float_to_list(F, [{decimals, N}]); `compact` leaves
 * out trailing zeros but one. */
size_t float_print_decimals(double d, int decimals, bool compact, char to[FLOAT_TEXT_MAX]);

typedef enum FloatRead { FLOAT_READ_OK, FLOAT_READ_BAD, FLOAT_READ_RANGE } FloatRead;
/* [+-]digits.digits[(e|E)[+-]digits], all of it, nearest double, ties to even.  Results too
 * small are 0.0, too large are FLOAT_READ_RANGE. */
MUST_USE FloatRead float_read(const uint8_t *text, size_t n, double *out);

/* Neither infinite nor NaN. */
static inline bool float_is_finite(double d) { return d - d == 0; }
