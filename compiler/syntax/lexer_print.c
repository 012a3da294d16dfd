#include <gmp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compiler/syntax/lexer.h"
#include "vm/base/bytes.h"
#include "vm/base/utf8.h"
#include "vm/term/float.h"

static void put_point(Bytes *to, uint32_t point)
{
    uint8_t text[UTF8_MAX];
    int n = utf8_encode(point, text);
    if (n > 0)
        bytes_put(to, text, (size_t)n);
    else
        bytes_printf(to, "\\x{%" PRIX32 "}", point);
}

/* A character inside `quote`s, or behind `$` when quote is 0. */
static void put_escaped(Bytes *to, uint32_t point, char quote)
{
    static const char letters[] = "\nn\rr\tt\vv\bb\ff\033e\177d";
    if (point == (uint32_t)(unsigned char)quote || point == '\\') {
        bytes_printf(to, "\\%c", (int)point);
        return;
    }
    for (const char *l = letters; *l && point < 128; l += 2) {
        if ((uint32_t)*l != point) continue;
        bytes_printf(to, "\\%c", l[1]);
        return;
    }
    if (point == ' ' && quote == 0)
        bytes_put_text(to, "\\s");
    else if (point < ' ')
        bytes_printf(to, "\\%03" PRIo32, point);
    else if (point >= 0x80 && point < 0xA0)
        bytes_printf(to, "\\%" PRIo32, point);
    else
        put_point(to, point);
}

static bool atom_is_plain(const Names *names, NameId name)
{
    const unsigned char *text = (const unsigned char *)names_text(names, name);
    if (text[0] < 'a' || text[0] > 'z') return false;
    for (; *text; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')
                     || (*text >= '0' && *text <= '9') || *text == '_' || *text == '@';
        if (!plain) return false;
    }
    return true;
}

static void put_atom(Bytes *to, const Names *names, const Token *token)
{
    const char *text = names_text(names, token->v.name);
    uint32_t size = names_size(names, token->v.name);
    if (!token->quoted && atom_is_plain(names, token->v.name)) {
        bytes_put(to, text, size);
        return;
    }
    bool quote = token->quoted && !atom_is_plain(names, token->v.name);
    if (quote) bytes_put_u8(to, '\'');
    for (uint32_t i = 0; i < size;) {
        uint32_t point = 0;
        int n = utf8_decode((const uint8_t *)text + i, size - i, &point);
        put_escaped(to, point, '\'');
        i += n > 0 ? (uint32_t)n : 1;
    }
    if (quote) bytes_put_u8(to, '\'');
}

static void put_float(Bytes *to, double value)
{
    char text[FLOAT_TEXT_MAX];
    bytes_put(to, text, float_print(value, text));
}

static void put_digits(Bytes *to, const AstDigits *digits)
{
    mpz_t value;
    mpz_init_set_str(value, digits->at, (int)digits->base);
    size_t size = mpz_sizeinbase(value, 10);
    char *text = (char *)bytes_extend(to, size + 2);
    mpz_get_str(text, 10, value);
    to->count -= size + 2 - strlen(text);
    mpz_clear(value);
}

static void put_string(Bytes *to, const AstStr *str)
{
    bytes_put_u8(to, '"');
    for (uint32_t i = 0; i < str->n; i++) put_escaped(to, str->at[i], '"');
    bytes_put_u8(to, '"');
}

static void put_token(Bytes *to, const Names *names, const Token *token)
{
    switch (token->kind) {
    case TOKEN_DOT: bytes_put_u8(to, '.'); break;
    case TOKEN_ATOM: put_atom(to, names, token); break;
    case TOKEN_VAR:
        bytes_put(to, names_text(names, token->v.name), names_size(names, token->v.name));
        break;
    case TOKEN_INT: bytes_printf(to, "%" PRId64, token->v.i); break;
    case TOKEN_BIGINT: put_digits(to, token->v.digits); break;
    case TOKEN_FLOAT: put_float(to, token->v.f); break;
    case TOKEN_CHAR:
        bytes_put_u8(to, '$');
        put_escaped(to, (uint32_t)token->v.i, 0);
        break;
    case TOKEN_SIGIL_STRING:
    case TOKEN_SIGIL_BINARY:
        bytes_put_text(to, token->kind == TOKEN_SIGIL_STRING ? "~s" : "~");
        put_string(to, token->v.str);
        break;
    case TOKEN_STRING: put_string(to, token->v.str); break;
    default: bytes_put_text(to, token_text[token->kind]); break;
    }
}

const char *lexer_stringify(Compilation *c, const Token *tokens, size_t count, size_t *size)
{
    Bytes to = {0};
    for (size_t i = 0; i < count; i++) {
        if (i > 0) bytes_put_u8(&to, ' ');
        put_token(&to, &c->names, &tokens[i]);
    }
    *size = to.count;
    const char *text =
        arena_copy_text(&c->arena, to.count ? (const char *)to.at : "", to.count);
    bytes_free(&to);
    return text;
}
