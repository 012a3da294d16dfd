#include <string.h>

#include "compiler/syntax/lexer_parts.h"
#include "vm/base/utf8.h"

static void points_push(Lexer *lexer, uint32_t point)
{
    if (lexer->point_count == lexer->point_room) {
        uint32_t room = lexer->point_room ? lexer->point_room * 2 : 256;
        lexer->points = arena_grow(&lexer->c->arena, lexer->points, lexer->point_count, room,
                                   sizeof *lexer->points);
        lexer->point_room = room;
    }
    lexer->points[lexer->point_count++] = point;
}

static const AstStr *points_take(Lexer *lexer)
{
    uint32_t n = lexer->point_count;
    AstStr *str = arena_alloc(&lexer->c->arena, sizeof *str + n * sizeof str->at[0]);
    str->n = n;
    if (n > 0) memcpy(str->at, lexer->points, n * sizeof str->at[0]);
    return str;
}

/* Decode the character at *at, which is in front of lexer->end. */
static uint32_t take_point(const Lexer *lexer, const unsigned char **at)
{
    if (**at < 0x80) return *(*at)++;
    uint32_t point = 0;
    int size = utf8_decode(*at, (size_t)(lexer->end - *at), &point);
    *at += size > 0 ? size : 1;
    return point;
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool take_hex_escape(const unsigned char **at, uint32_t *point)
{
    const unsigned char *a = *at;
    uint32_t value = 0;
    if (*a != '{') {
        if (hex_value(a[0]) < 0 || hex_value(a[1]) < 0) return false;
        *point = (uint32_t)(hex_value(a[0]) * 16 + hex_value(a[1]));
        *at = a + 2;
        return true;
    }
    const unsigned char *first = ++a;
    for (; hex_value(*a) >= 0; a++)
        if (value <= 0x10FFFF) value = value * 16 + (uint32_t)hex_value(*a);
    *at = a;
    if (a == first || *a != '}' || !utf8_is_scalar(value)) return false;
    *at = a + 1;
    *point = value;
    return true;
}

/* *at stands behind a backslash and in front of lexer->end.  False for a malformed escape. */
static bool take_escape(const Lexer *lexer, const unsigned char **at, uint32_t *point)
{
    unsigned char c = **at;
    if (c >= '0' && c <= '7') {
        uint32_t value = 0;
        for (int i = 0; i < 3 && **at >= '0' && **at <= '7'; i++)
            value = value * 8 + (*(*at)++ - '0');
        *point = value;
        return true;
    }
    switch (c) {
    case 'x': (*at)++; return take_hex_escape(at, point);
    case '^':
        (*at)++;
        if (*at >= lexer->end) return false;
        *point = take_point(lexer, at) & 31;
        return true;
    case 'n': *point = '\n'; break;
    case 'r': *point = '\r'; break;
    case 't': *point = '\t'; break;
    case 'v': *point = '\v'; break;
    case 'b': *point = '\b'; break;
    case 'f': *point = '\f'; break;
    case 'e': *point = 27; break;
    case 's': *point = ' '; break;
    case 'd': *point = 127; break;
    default: *point = take_point(lexer, at); return true;
    }
    (*at)++;
    return true;
}

static void report_escape(const Lexer *lexer, const unsigned char *at, Token *token)
{
    LEXER_ERROR(lexer, token, DIAG_ILLEGAL_ESCAPE, at);
}

void lexer_char(Lexer *lexer, const unsigned char *start, Token *token)
{
    const unsigned char *at = lexer->at;
    uint32_t point = 0;
    bool right = at < lexer->end;
    if (right) point = take_point(lexer, &at);
    if (right && point == '\\') right = at < lexer->end && take_escape(lexer, &at, &point);
    lexer->at = at;
    token->kind = TOKEN_CHAR;
    token->v.i = point;
    if (!right) LEXER_ERROR(lexer, token, DIAG_ILLEGAL_CHARACTER, start);
}

/* Read up to the closing character into lexer->points.  On a mistake the text is still read to
 * its end; false when one was found (and reported). */
static bool take_quoted(Lexer *lexer, const unsigned char *start, unsigned char close,
                        bool escapes, Token *token)
{
    const unsigned char *at = lexer->at;
    bool right = true;
    lexer->point_count = 0;
    while (at < lexer->end && *at != close) {
        const unsigned char *from = at;
        uint32_t point = take_point(lexer, &at);
        if (point == '\\' && escapes && at < lexer->end && !take_escape(lexer, &at, &point)) {
            report_escape(lexer, from, token);
            right = false;
        }
        points_push(lexer, point);
    }
    lexer->at = at < lexer->end ? at + 1 : at;
    if (at == lexer->end) {
        lexer->open_ended = true;
        LEXER_ERROR(lexer, token,
                    close == '\'' && *start == '\'' ? DIAG_UNTERMINATED_ATOM
                                                    : DIAG_UNTERMINATED_STRING,
                    start);
        right = false;
    }
    return right;
}

/* Triple-quoted strings. */

/* Number of double quotes from `at` on when they open a triple-quoted string, else 0. */
static uint32_t triple_opening(const Lexer *lexer, const unsigned char *at)
{
    uint32_t quotes = 0;
    for (; at < lexer->end && *at == '"'; at++) quotes++;
    while (at < lexer->end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return quotes >= 3 && at < lexer->end && *at == '\n' ? quotes : 0;
}

/* Does the line at `at` close the string?  Then *indent is the size of its white space. */
static bool triple_closing(const Lexer *lexer, const unsigned char *at, uint32_t quotes,
                           uint32_t *indent)
{
    const unsigned char *first = at;
    while (at < lexer->end && (*at == ' ' || *at == '\t')) at++;
    *indent = (uint32_t)(at - first);
    uint32_t n = 0;
    for (; n < quotes && at < lexer->end && *at == '"'; at++) n++;
    return n == quotes;
}

static const unsigned char *line_end(const Lexer *lexer, const unsigned char *at)
{
    const unsigned char *end = memchr(at, '\n', (size_t)(lexer->end - at));
    return end ? end : lexer->end;
}

/* One line of content, from behind its indentation.  A backslash in front of the line's end is
 * the line's end itself. */
static bool take_triple_line(Lexer *lexer, const unsigned char *at, const unsigned char *end,
                             bool escapes, Token *token)
{
    bool right = true;
    while (at < end) {
        const unsigned char *from = at;
        uint32_t point = take_point(lexer, &at);
        bool escape = point == '\\' && escapes;
        if (escape && at == end) return right;
        if (escape && !take_escape(lexer, &at, &point)) {
            report_escape(lexer, from, token);
            right = false;
        }
        points_push(lexer, point);
    }
    return right;
}

/* All lines in front of the closing one at `last`, whose indentation each must begin with. */
static bool take_triple_lines(Lexer *lexer, const unsigned char *at, const unsigned char *last,
                              uint32_t indent, bool escapes, Token *token)
{
    bool right = true;
    bool first = true;
    while (at < last) {
        const unsigned char *end = line_end(lexer, at);
        const unsigned char *stop = end;
        bool is_last = end + 1 >= last;
        if (!first) points_push(lexer, '\n');
        first = false;
        uint32_t same = 0;
        while (same < indent && at + same < stop && at[same] == last[same]) same++;
        const unsigned char *text = at + same;
        bool blank = text == stop || (*text == '\r' && text + 1 == stop);
        if (is_last && stop > text && stop[-1] == '\r') stop--;
        if (same < indent && !blank) {
            LEXER_ERROR(lexer, token, DIAG_TRIPLE_INDENT, text);
            right = false;
        }
        if (text < stop) right &= take_triple_line(lexer, text, stop, escapes, token);
        at = end + 1;
    }
    return right;
}

/* lexer->at stands at the first of `quotes` opening quotes. */
static bool take_triple(Lexer *lexer, const unsigned char *start, uint32_t quotes, bool escapes,
                        Token *token)
{
    const unsigned char *content = line_end(lexer, lexer->at) + 1;
    const unsigned char *last = content;
    uint32_t indent = 0;
    lexer->point_count = 0;
    while (last < lexer->end && !triple_closing(lexer, last, quotes, &indent))
        last = line_end(lexer, last) + 1;
    if (last >= lexer->end) {
        lexer->at = lexer->end;
        lexer->open_ended = true;
        LEXER_ERROR(lexer, token, DIAG_UNTERMINATED_TRIPLE, start, (int)quotes);
        return false;
    }
    lexer->at = last + indent + quotes;
    return take_triple_lines(lexer, content, last, indent, escapes, token);
}

void lexer_string(Lexer *lexer, const unsigned char *start, Token *token)
{
    uint32_t quotes =
        lexer->at < lexer->end && *lexer->at == '"' ? triple_opening(lexer, start) : 0;
    if (quotes) lexer->at = start;
    bool right = quotes ? take_triple(lexer, start, quotes, false, token)
                        : take_quoted(lexer, start, '"', true, token);
    if (!right) {
        token->kind = TOKEN_ERROR;
        return;
    }
    token->kind = TOKEN_STRING;
    token->v.str = points_take(lexer);
}

void lexer_quoted_atom(Lexer *lexer, const unsigned char *start, Token *token)
{
    if (!take_quoted(lexer, start, '\'', true, token)) {
        token->kind = TOKEN_ERROR;
        return;
    }
    if (lexer->point_count > 255) {
        LEXER_ERROR(lexer, token, DIAG_ATOM_TOO_LONG, start);
        return;
    }
    uint8_t text[256 * UTF8_MAX];
    size_t size = 0;
    for (uint32_t i = 0; i < lexer->point_count; i++)
        size += (size_t)utf8_encode(lexer->points[i], text + size);
    token->kind = TOKEN_ATOM;
    token->quoted = true;
    token->v.name = names_intern(&lexer->c->names, (const char *)text, size);
}

/* Sigils. */

static unsigned char sigil_close(unsigned char open)
{
    switch (open) {
    case '(': return ')';
    case '[': return ']';
    case '{': return '}';
    case '<': return '>';
    case '"':
    case '\'':
    case '/':
    case '|':
    case '`':
    case '#': return open;
    default: return 0;
    }
}

static bool sigil_name_goes_on(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || c == '_' || c == '@';
}

void lexer_sigil(Lexer *lexer, const unsigned char *start, Token *token)
{
    size_t size = (size_t)(lexer->at - start) - 1;
    unsigned char type = size == 0 ? 0 : start[1];
    unsigned char close = lexer->at < lexer->end ? sigil_close(*lexer->at) : 0;
    if (close == 0 || size > 1 || (size == 1 && !strchr("sSbB", type))) {
        LEXER_ERROR(lexer, token, DIAG_ILLEGAL_SIGIL, start);
        return;
    }
    uint32_t quotes = close == '"' ? triple_opening(lexer, lexer->at) : 0;
    bool escapes = type == 's' || type == 'b' || (type == 0 && quotes == 0);
    bool right;
    if (quotes) {
        right = take_triple(lexer, start, quotes, escapes, token);
    } else {
        lexer->at++;
        right = take_quoted(lexer, start, close, escapes, token);
    }
    const unsigned char *suffix = lexer->at;
    while (sigil_name_goes_on(*lexer->at)) lexer->at++;
    if (right && suffix != lexer->at)
        LEXER_ERROR(lexer, token, DIAG_ILLEGAL_SIGIL_SUFFIX, suffix);
    if (!right || suffix != lexer->at) {
        token->kind = TOKEN_ERROR;
        return;
    }
    token->kind = type == 's' || type == 'S' ? TOKEN_SIGIL_STRING : TOKEN_SIGIL_BINARY;
    token->v.str = points_take(lexer);
}
