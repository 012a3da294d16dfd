/* The token syntax of Erlang/OTP 28.  Numbers and quoted texts are finished in C. */
#include "compiler/syntax/lexer.h"

#include <string.h>


#include "compiler/syntax/lexer_parts.h"
#include "vm/base/utf8.h"

const char *const token_text[TOKEN_COUNT] = {
    "nothing",
#define TOKEN(KIND, text) text,
#include "compiler/syntax/token.def"
#undef TOKEN
};

/* The reserved word that a name is, or TOKEN_ATOM. */
static const uint8_t reserved_word[NAME_PREDEFINED_COUNT] = {
#define WORD(KIND) [NAME_##KIND] = TOKEN_##KIND
    WORD(AFTER), WORD(AND), WORD(ANDALSO), WORD(BAND), WORD(BEGIN), WORD(BNOT), WORD(BOR),
    WORD(BSL), WORD(BSR), WORD(BXOR), WORD(CASE), WORD(CATCH), WORD(DIV), WORD(ELSE), WORD(END),
    WORD(FUN), WORD(IF), WORD(MAYBE), WORD(NOT), WORD(OF), WORD(OR), WORD(ORELSE), WORD(RECEIVE),
    WORD(REM), WORD(TRY), WORD(WHEN), WORD(XOR),
#undef WORD
};

void lexer_init(Lexer *lexer, Compilation *c, const Source *source)
{
    *lexer = (Lexer){
        .c = c,
        .source = source,
        .at = (const unsigned char *)source->text,
        .end = (const unsigned char *)source->text + source->size,
        .maybe_enabled = !c->options.otp25,
    };
    if (source->size >= 2 && source->text[0] == '#' && source->text[1] == '!') {
        const unsigned char *line = memchr(lexer->at, '\n', source->size);
        lexer->at = line ? line : lexer->end;
    }
}

static void lexer_atom(Lexer *lexer, const unsigned char *start, Token *token)
{
    size_t size = (size_t)(lexer->at - start);
    NameId name = names_intern(&lexer->c->names, (const char *)start, size);
    token->v.name = name;
    token->kind = TOKEN_ATOM;
    if (name < NAME_PREDEFINED_COUNT && reserved_word[name]) {
        bool optional = name == NAME_MAYBE || name == NAME_ELSE;
        if (!optional || lexer->maybe_enabled) token->kind = reserved_word[name];
    }
    if (size > 255 && utf8_count(start, size) > 255)
        LEXER_ERROR(lexer, token, DIAG_ATOM_TOO_LONG, start);
}

#define PUNCT(KIND)                                                                            \
    do {                                                                                       \
        token->kind = TOKEN_##KIND;                                                            \
        lexer->at = at;                                                                        \
        return;                                                                                \
    } while (0)

#define FINISH(function)                                                                       \
    do {                                                                                       \
        lexer->at = at;                                                                        \
        function(lexer, start, token);                                                         \
        return;                                                                                \
    } while (0)

void lexer_next(Lexer *lexer, Token *token)
{
    const unsigned char *at = lexer->at;
    const unsigned char *marker;
    token->quoted = false;
    for (;;) {
        const unsigned char *start = at;
        token->pos = lexer_pos(lexer, start);
        /*!re2c
        re2c:define:YYCTYPE = "unsigned char";
        re2c:define:YYCURSOR = at;
        re2c:define:YYLIMIT = lexer->end;
        re2c:define:YYMARKER = marker;
        re2c:yyfill:enable = 0;
        re2c:eof = 0;
        re2c:flags:utf-8 = 1;

        lower   = [a-z\u00DF-\u00F6\u00F8-\u00FF];
        upper   = [A-Z_\u00C0-\u00D6\u00D8-\u00DE];
        name    = lower | upper | [0-9@];
        digits  = [0-9] ("_"? [0-9])*;
        fraction = digits "." digits ([eE] [+-]? digits)?;
        white   = [\x00-\x20\u0080-\u00A0];

        $                 { token->kind = TOKEN_EOF; lexer->at = lexer->end; return; }
        white+            { continue; }
        "%"               { const unsigned char *line = memchr(at, '\n', (size_t)(lexer->end - at));
                            at = line ? line : lexer->end;
                            continue; }
        lower name*       { FINISH(lexer_atom); }
        upper name*       { lexer->at = at; token->kind = TOKEN_VAR;
                            token->v.name = names_intern(&lexer->c->names, (const char *)start, (size_t)(at - start));
                            return; }
        [0-9]             { token->kind = TOKEN_INT; token->v.i = *start - '0'; lexer->at = at; return; }
        digits            { FINISH(lexer_decimal); }
        fraction          { FINISH(lexer_float); }
        digits "." digits [eE] [+-]? { lexer->at = at; LEXER_ERROR(lexer, token, DIAG_ILLEGAL_FLOAT, start); return; }
        digits "#"        { FINISH(lexer_based); }
        "$"               { FINISH(lexer_char); }
        "\""              { FINISH(lexer_string); }
        "'"               { FINISH(lexer_quoted_atom); }
        "~" name*         { FINISH(lexer_sigil); }

        "."               { lexer->at = at;
                            /* a form ends with a dot in front of white space, a comment or the end */
                            bool ends = at == lexer->end || *at <= ' ' || *at == '%'
                                || (*at == 0xC2 && at[1] <= 0xA0);
                            token->kind = ends ? TOKEN_DOT : TOKEN_POINT;
                            return; }
        ".."              { PUNCT(DOT_DOT); }
        "..."             { PUNCT(DOT_DOT_DOT); }
        "("               { PUNCT(LPAREN); }
        ")"               { PUNCT(RPAREN); }
        "["               { PUNCT(LBRACKET); }
        "]"               { PUNCT(RBRACKET); }
        "{"               { PUNCT(LBRACE); }
        "}"               { PUNCT(RBRACE); }
        "<<"              { PUNCT(LBIN); }
        ">>"              { PUNCT(RBIN); }
        ","               { PUNCT(COMMA); }
        ";"               { PUNCT(SEMI); }
        ":"               { PUNCT(COLON); }
        "::"              { PUNCT(COLON_COLON); }
        "#"               { PUNCT(HASH); }
        "?"               { PUNCT(QUESTION); }
        "|"               { PUNCT(BAR); }
        "||"              { PUNCT(BAR_BAR); }
        "&&"              { PUNCT(AND_AND); }
        "->"              { PUNCT(ARROW); }
        "<-"              { PUNCT(GEN); }
        "<="              { PUNCT(BGEN); }
        "<:-"             { PUNCT(GEN_STRICT); }
        "<:="             { PUNCT(BGEN_STRICT); }
        "=>"              { PUNCT(ASSOC); }
        ":="              { PUNCT(EXACT); }
        "?="              { PUNCT(MAYBE_MATCH); }
        "="               { PUNCT(MATCH); }
        "!"               { PUNCT(SEND); }
        "+"               { PUNCT(PLUS); }
        "-"               { PUNCT(MINUS); }
        "*"               { PUNCT(STAR); }
        "/"               { PUNCT(SLASH); }
        "++"              { PUNCT(APPEND); }
        "--"              { PUNCT(SUBTRACT); }
        "=="              { PUNCT(EQ); }
        "/="              { PUNCT(NE); }
        "=<"              { PUNCT(LE); }
        "<"               { PUNCT(LT); }
        ">="              { PUNCT(GE); }
        ">"               { PUNCT(GT); }
        "=:="             { PUNCT(EXACT_EQ); }
        "=/="             { PUNCT(EXACT_NE); }
        [^]               { lexer->at = at; LEXER_ERROR(lexer, token, DIAG_ILLEGAL_CHARACTER, start); return; }
        *                 { lexer->at = at; LEXER_ERROR(lexer, token, DIAG_ILLEGAL_CHARACTER, start); return; }
        */
    }
}
