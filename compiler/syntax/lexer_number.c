#include <gmp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/syntax/lexer_parts.h"
#include "vm/format/limits.h"

/* Value of a digit in bases up to 36, or 99. */
static unsigned digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10u;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10u;
    return 99;
}

/* Are `n` digits behind a first one that is not 0 more than any integer has?  Where the last
 * digit decides, whoever computes the value must say so. */
static bool digits_too_many(uint32_t n, unsigned base)
{
    return n > 0 && (double)(n - 1) * log2(base) > LIMIT_BIG_WORDS * 64.0;
}

/* Make the token, which begins at `start`, an integer out of the checked digits and underscores
 * in front of lexer->at. */
static void lexer_integer(Lexer *lexer, const unsigned char *start, const unsigned char *at,
                          unsigned base, Token *token)
{
    const unsigned char *end = lexer->at;
    uint64_t value = 0;
    bool small = true;
    for (const unsigned char *d = at; d < end && small; d++) {
        if (*d == '_') continue;
        small = value <= ((uint64_t)INT64_MAX - digit_value(*d)) / base;
        value = value * base + digit_value(*d);
    }
    if (small) {
        token->kind = TOKEN_INT;
        token->v.i = (int64_t)value;
        return;
    }
    AstDigits *digits = arena_alloc(&lexer->c->arena, sizeof *digits + (size_t)(end - at) + 1);
    digits->base = base;
    uint32_t n = 0;
    for (; at < end; at++) {
        if (*at == '_' || (n == 0 && *at == '0')) continue;
        digits->at[n++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    }
    digits->at[n] = '\0';
    digits->n = n;
    token->kind = TOKEN_BIGINT;
    token->v.digits = digits;
    if (digits_too_many(n, base))
        LEXER_ERROR(lexer, token, DIAG_INTEGER_TOO_LARGE, start, LIMIT_BIG_WORDS * 64);
}

void lexer_decimal(Lexer *lexer, const unsigned char *start, Token *token)
{
    lexer_integer(lexer, start, start, 10, token);
}

/* Digits of an exponent; what is out of any float's range is cut to a million. */
static int32_t exponent_value(const unsigned char *at, const unsigned char *end)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    int32_t value = 0;
    for (; at < end; at++)
        if (*at != '_' && value < 1000000) value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

void lexer_float(Lexer *lexer, const unsigned char *start, Token *token)
{
    /* The point is taken out and the exponent adjusted, so that strtod() depends on no locale. */
    ArenaMark mark = arena_mark(&lexer->c->arena);
    char *text = arena_alloc(&lexer->c->arena, (size_t)(lexer->at - start) + 24);
    size_t n = 0;
    int32_t after_point = -1;
    const unsigned char *at = start;
    for (; at < lexer->at && *at != 'e' && *at != 'E'; at++) {
        if (*at == '_') continue;
        if (after_point >= 0) after_point++;
        if (*at == '.')
            after_point = 0;
        else
            text[n++] = (char)*at;
    }
    int32_t exponent = at < lexer->at ? exponent_value(at + 1, lexer->at) : 0;
    snprintf(text + n, 20, "e%d", exponent - after_point);
    double value = strtod(text, NULL);
    arena_rewind(&lexer->c->arena, mark);
    token->kind = TOKEN_FLOAT;
    token->v.f = value;
    if (isinf(value)) LEXER_ERROR(lexer, token, DIAG_ILLEGAL_FLOAT, start);
}

/* numerator / denominator to the nearest double, ties to even. */
static double nearest_double(const mpz_t numerator, const mpz_t denominator)
{
    if (mpz_sgn(numerator) == 0) return 0.0;
    /* A quotient of 62 or 63 bits, its lowest bit set when anything was cut off, rounds as the
     * exact value does. */
    long bits = (long)mpz_sizeinbase(numerator, 2) - (long)mpz_sizeinbase(denominator, 2);
    long shift = 62 - bits;
    mpz_t n;
    mpz_t d;
    mpz_t rest;
    mpz_inits(n, d, rest, NULL);
    mpz_set(n, numerator);
    mpz_set(d, denominator);
    if (shift >= 0)
        mpz_mul_2exp(n, n, (mp_bitcnt_t)shift);
    else
        mpz_mul_2exp(d, d, (mp_bitcnt_t)-shift);
    mpz_tdiv_qr(n, rest, n, d);
    uint64_t quotient = mpz_get_ui(n) | (mpz_sgn(rest) != 0);
    mpz_clears(n, d, rest, NULL);
    return ldexp((double)quotient, (int)-shift);
}

static double based_float(const char *digits, unsigned base, int32_t exponent)
{
    mpz_t mantissa;
    mpz_t scale;
    mpz_init_set_str(mantissa, digits, (int)base);
    mpz_init_set_ui(scale, 1);
    double value = mpz_sgn(mantissa) == 0 ? 0.0 : exponent > 0 ? HUGE_VAL : 0.0;
    /* base ** 5000 is far beyond the range of a double, unless as many digits make up for it */
    if (labs(exponent) <= 5000 + (long)strlen(digits)) {
        mpz_ui_pow_ui(scale, base, (unsigned long)labs(exponent));
        if (exponent >= 0) {
            mpz_mul(mantissa, mantissa, scale);
            mpz_set_ui(scale, 1);
        }
        value = nearest_double(mantissa, scale);
    }
    mpz_clears(mantissa, scale, NULL);
    return value;
}

/* Skip digits of `base` with single underscores between them. */
static const unsigned char *skip_digits(const unsigned char *at, unsigned base)
{
    if (digit_value(*at) >= base) return at;
    while (digit_value(*at) < base || (*at == '_' && digit_value(at[1]) < base)) at++;
    return at;
}

/* Behind the integer part of a based float: `.fraction`, perhaps `#e` and an exponent. */
static void lexer_based_float(Lexer *lexer, const unsigned char *start,
                              const unsigned char *first, unsigned base, Token *token)
{
    const unsigned char *point = lexer->at;
    const unsigned char *end = skip_digits(point + 1, base);
    const unsigned char *behind = end;
    int32_t exponent = 0;
    if (end[0] == '#' && (end[1] == 'e' || end[1] == 'E')) {
        const unsigned char *digits = end + 2 + (end[2] == '+' || end[2] == '-');
        behind = skip_digits(digits, 10);
        if (behind == digits) {
            lexer->at = behind;
            LEXER_ERROR(lexer, token, DIAG_ILLEGAL_FLOAT, start);
            return;
        }
        exponent = exponent_value(end + 2, behind);
    }
    ArenaMark mark = arena_mark(&lexer->c->arena);
    char *text = arena_alloc(&lexer->c->arena, (size_t)(end - first) + 1);
    size_t n = 0;
    for (const unsigned char *at = first; at < end; at++) {
        if (*at == '_' || *at == '.') continue;
        if (at > point) exponent--;
        text[n++] = (char)*at;
    }
    text[n] = '\0';
    token->kind = TOKEN_FLOAT;
    token->v.f = based_float(text, base, exponent);
    arena_rewind(&lexer->c->arena, mark);
    lexer->at = behind;
    if (isinf(token->v.f)) LEXER_ERROR(lexer, token, DIAG_ILLEGAL_FLOAT, start);
}

void lexer_based(Lexer *lexer, const unsigned char *start, Token *token)
{
    unsigned base = 0;
    for (const unsigned char *at = start; at < lexer->at - 1; at++)
        if (*at != '_' && base < 1000) base = base * 10 + (*at - '0');
    const unsigned char *first = lexer->at;
    if (base < 2 || base > 36) {
        while (digit_value(*lexer->at) < 36 || *lexer->at == '_') lexer->at++;
        LEXER_ERROR(lexer, token, DIAG_ILLEGAL_BASE, start, (int)base);
        return;
    }
    lexer->at = skip_digits(first, base);
    if (lexer->at == first) {
        LEXER_ERROR(lexer, token, DIAG_ILLEGAL_INTEGER, start);
        return;
    }
    if (*lexer->at == '.' && digit_value(lexer->at[1]) < base)
        lexer_based_float(lexer, start, first, base, token);
    else
        lexer_integer(lexer, start, first, base, token);
}
