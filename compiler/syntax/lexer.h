/* Bytes to tokens.
 *
 * Owns: nothing; token values lie in the compilation's arena.  A lexer reads one Source from
 * start to end.  Errors are reported once and give a TOKEN_ERROR; the lexer goes on behind them.
 * The text is valid UTF-8 with a NUL behind it (source.h sees to that).  One thread. */
#pragma once

#include "compiler/source/compilation.h"
#include "compiler/syntax/ast.h"

typedef enum {
    TOKEN_NONE,
#define TOKEN(KIND, text) TOKEN_##KIND,
#include "compiler/syntax/token.def"
#undef TOKEN
    TOKEN_COUNT
} TokenKind;

typedef struct {
    uint8_t kind; /* TokenKind */
    bool quoted;  /* ATOM: was written in quotes */
    SrcPos pos;
    union {
        NameId name;             /* ATOM, VAR, and the reserved words */
        int64_t i;               /* INT, CHAR */
        double f;                /* FLOAT */
        const AstStr *str;       /* STRING, SIGIL_… */
        const AstDigits *digits; /* BIGINT */
    } v;
} Token;

typedef struct {
    Compilation *c;
    const Source *source;
    const unsigned char *at;
    const unsigned char *end;
    bool quiet;         /* report nothing: text that is skipped or only looked at */
    bool maybe_enabled; /* `maybe` and `else` are reserved */
    bool open_ended;    /* the text ended inside a string or quoted atom */
    uint32_t *points;   /* scratch for the code points of a string */
    uint32_t point_count;
    uint32_t point_room;
} Lexer;

extern const char *const token_text[TOKEN_COUNT];

/* Start at the beginning of `source`. */
void lexer_init(Lexer *lexer, Compilation *c, const Source *source);

/* The next token; TOKEN_EOF at the end and ever after. */
void lexer_next(Lexer *lexer, Token *token);

/* Tokens as text, one blank between two: what ??X makes and what -error prints.  NUL-terminated,
 * from the arena. */
const char *lexer_stringify(Compilation *c, const Token *tokens, size_t count, size_t *size);
