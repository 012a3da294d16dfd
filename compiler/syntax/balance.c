#include "compiler/syntax/balance.h"

#include "vm/base/vec.h"

/* The token that ends what this one opens; NONE: it opens nothing. */
static TokenKind closer_of(const Token *tokens, size_t count, size_t i)
{
    switch (tokens[i].kind) {
    case TOKEN_LPAREN: return TOKEN_RPAREN;
    case TOKEN_LBRACKET: return TOKEN_RBRACKET;
    case TOKEN_LBRACE: return TOKEN_RBRACE;
    case TOKEN_LBIN: return TOKEN_RBIN;
    case TOKEN_BEGIN:
    case TOKEN_CASE:
    case TOKEN_IF:
    case TOKEN_MAYBE:
    case TOKEN_RECEIVE:
    case TOKEN_TRY: return TOKEN_END;
    case TOKEN_FUN: {
        /* `fun (` and `fun Name(` have clauses, `fun f/1` and types have none */
        size_t next = i + 1 < count && tokens[i + 1].kind == TOKEN_VAR ? i + 2 : i + 1;
        return next < count && tokens[next].kind == TOKEN_LPAREN ? TOKEN_END : TOKEN_NONE;
    }
    default: return TOKEN_NONE;
    }
}

static bool closes(TokenKind kind)
{
    return kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET || kind == TOKEN_RBRACE
           || kind == TOKEN_RBIN || kind == TOKEN_END;
}

/* Does `->` come before anything that ends an expression?  Then a clause begins at tokens[at]. */
static bool clause_begins(const Token *tokens, size_t count, size_t at)
{
    for (size_t i = at; i < count; i++) {
        TokenKind kind = (TokenKind)tokens[i].kind;
        if (kind == TOKEN_ARROW) return true;
        if (kind == TOKEN_SEMI || kind == TOKEN_END || kind == TOKEN_MATCH) return false;
    }
    return false;
}

static bool is_operand(TokenKind kind)
{
    return kind >= TOKEN_ATOM && kind <= TOKEN_SIGIL_BINARY;
}

/* May an expression begin with tokens[at], and one end right before it? */
static bool stands_between(const Token *tokens, size_t count, size_t at)
{
    TokenKind before = (TokenKind)tokens[at - 1].kind;
    TokenKind here = (TokenKind)tokens[at].kind;
    bool begins = is_operand(here) || here == TOKEN_HASH || here == TOKEN_FUN
                  || closer_of(tokens, count, at) != TOKEN_NONE;
    return begins && (is_operand(before) || closes(before));
}

/* tokens[at] begins a line: what the one before may lack at its end. */
static void hint_line_end(Compilation *c, const Token *tokens, size_t count, size_t at,
                          bool is_open)
{
    SrcLoc here = sources_locate(&c->sources, tokens[at].pos);
    SrcLoc before = sources_locate(&c->sources, tokens[at - 1].pos);
    if (here.source != before.source || here.line == before.line) return;
    bool clause = clause_begins(tokens, count, at);
    diag_hint(&c->diags, "perhaps %s is missing at the end of line %d",
              !clause   ? "','"
              : is_open ? "';'"
                        : "'.' or ';'",
              (int)before.line);
}

void balance_hint(Compilation *c, const Token *tokens, size_t count, size_t at)
{
    VEC(size_t) open = {0};
    VEC_IN_ARENA(&open, &c->arena);
    TokenKind found = (TokenKind)tokens[at].kind;
    if (tokens[0].kind == TOKEN_ATTR_TYPE || tokens[0].kind == TOKEN_ATTR_SPEC) return;
    for (size_t i = 0; i < at; i++) {
        if (closer_of(tokens, count, i) != TOKEN_NONE) VEC_PUSH(&open, i);
        if (!closes((TokenKind)tokens[i].kind)) continue;
        if (open.count == 0) return;
        (void)VEC_POP(&open);
    }
    size_t last = open.count ? VEC_LAST(&open) : 0;
    TokenKind wants = open.count ? closer_of(tokens, count, last) : TOKEN_NONE;
    if (closes(found) && open.count == 0) {
        diag_hint(&c->diags, "nothing is open here that '%s' could end", token_text[found]);
    } else if (open.count && (found == TOKEN_DOT || (closes(found) && found != wants))) {
        SrcLoc from = sources_locate(&c->sources, tokens[last].pos);
        diag_hint(&c->diags, "'%s' on line %d, column %d is not ended with '%s'",
                  token_text[tokens[last].kind], (int)from.line, (int)from.column,
                  token_text[wants]);
    } else if (at > 0 && stands_between(tokens, count, at)) {
        hint_line_end(c, tokens, count, at, open.count > 0);
    }
}
