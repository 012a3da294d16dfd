/* What lexer.re leaves to C: numbers and quoted texts.  Private to the lexer.
 *
 * Each function gets the token's first byte in lexer->at's place as `start`, leaves lexer->at
 * behind what it took and fills *token, with TOKEN_ERROR after a report. */
#pragma once

#include "compiler/syntax/lexer.h"

/* Digits with underscores, perhaps a fraction and exponent: [start, lexer->at) is known to
 * match. */
void lexer_decimal(Lexer *lexer, const unsigned char *start, Token *token);
void lexer_float(Lexer *lexer, const unsigned char *start, Token *token);

/* lexer->at stands behind `Base#`. */
void lexer_based(Lexer *lexer, const unsigned char *start, Token *token);

/* lexer->at stands behind the `$`, the opening quote, or the `~` and the sigil's letters. */
void lexer_char(Lexer *lexer, const unsigned char *start, Token *token);
void lexer_string(Lexer *lexer, const unsigned char *start, Token *token);
void lexer_quoted_atom(Lexer *lexer, const unsigned char *start, Token *token);
void lexer_sigil(Lexer *lexer, const unsigned char *start, Token *token);

/* Position of a byte of the text. */
static inline SrcPos lexer_pos(const Lexer *lexer, const unsigned char *at)
{
    return lexer->source->base + (SrcPos)(at - (const unsigned char *)lexer->source->text);
}

/* Report unless quiet, and make the token an error. */
#define LEXER_ERROR(lexer, token, code, at, ...)                                           \
    do {                                                                                   \
        if (!(lexer)->quiet)                                                               \
            diag_add(&(lexer)->c->diags, (code), lexer_pos((lexer), (at)), ##__VA_ARGS__); \
        (token)->kind = TOKEN_ERROR;                                                       \
    } while (0)
