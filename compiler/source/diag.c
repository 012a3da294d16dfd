#include "compiler/source/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "vm/base/bytes.h"
#include "vm/base/utf8.h"

const DiagInfo diag_info[DIAG_COUNT] = {
#define DIAG(CONSTANT, number, severity, text) \
    [DIAG_##CONSTANT] = {#number, DIAG_##severity, text},
#include "compiler/source/diag.def"
#undef DIAG
};

void diags_init(Diags *diags, Arena *arena, const Names *names)
{
    *diags = (Diags){.arena = arena, .names = names};
}

/* Can the atom be written without quotes? */
static bool atom_is_plain(const char *text, uint32_t size)
{
    if (size == 0 || !(text[0] >= 'a' && text[0] <= 'z')) return false;
    for (uint32_t i = 0; i < size; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || c == '_' || c == '@';
        if (!plain) return false;
    }
    return true;
}

static void put_name(Bytes *to, const Names *names, NameId name, bool as_atom)
{
    const char *text = names_text(names, name);
    uint32_t size = names_size(names, name);
    bool quote = as_atom && !atom_is_plain(text, size);
    if (quote) bytes_put_u8(to, '\'');
    for (uint32_t i = 0; i < size; i++) {
        if (quote && (text[i] == '\'' || text[i] == '\\')) bytes_put_u8(to, '\\');
        if (quote && text[i] == '\n')
            bytes_put_text(to, "\\n");
        else
            bytes_put_u8(to, (uint8_t)text[i]);
    }
    if (quote) bytes_put_u8(to, '\'');
}

static const char *diag_format(Diags *diags, const char *text, va_list args)
{
    Bytes to = {0};
    for (const char *at = text; *at; at++) {
        if (*at != '%') {
            bytes_put_u8(&to, (uint8_t)*at);
            continue;
        }
        switch (*++at) {
        case 's': bytes_put_text(&to, va_arg(args, const char *)); break;
        case 'd': bytes_printf(&to, "%d", va_arg(args, int)); break;
        case 'a': put_name(&to, diags->names, va_arg(args, NameId), true); break;
        case 'v': put_name(&to, diags->names, va_arg(args, NameId), false); break;
        default: bytes_put_u8(&to, (uint8_t)*at); break;
        }
    }
    const char *result =
        arena_copy_text(diags->arena, to.count ? (const char *)to.at : "", to.count);
    bytes_free(&to);
    return result;
}

static void diag_push(Diags *diags, DiagCode code, SrcPos pos, uint32_t size, const char *text)
{
    if (diags->count == diags->capacity) {
        uint32_t room = diags->capacity ? diags->capacity * 2 : 16;
        diags->at = arena_grow(diags->arena, diags->at, diags->count, room, sizeof *diags->at);
        diags->capacity = room;
    }
    diags->at[diags->count] = (Diag){code, pos, size, diags->count, text, NULL};
    diags->count++;
    diags->sorted = false;
    if (diag_info[code].severity == DIAG_ERROR)
        diags->errors++;
    else
        diags->warnings++;
}

void diag_add(Diags *diags, DiagCode code, SrcPos pos, ...)
{
    va_list args;
    va_start(args, pos);
    diag_push(diags, code, pos, 0, diag_format(diags, diag_info[code].text, args));
    va_end(args);
}

void diag_add_range(Diags *diags, DiagCode code, SrcPos pos, uint32_t size, ...)
{
    va_list args;
    va_start(args, size);
    diag_push(diags, code, pos, size, diag_format(diags, diag_info[code].text, args));
    va_end(args);
}

void diag_hint(Diags *diags, const char *text, ...)
{
    if (diags->count == 0) return;
    va_list args;
    va_start(args, text);
    diags->at[diags->count - 1].hint = diag_format(diags, text, args);
    va_end(args);
}

void diags_truncate(Diags *diags, uint32_t count)
{
    while (diags->count > count) {
        diags->count--;
        if (diag_info[diags->at[diags->count].code].severity == DIAG_ERROR)
            diags->errors--;
        else
            diags->warnings--;
    }
}

void diags_drop_warnings(Diags *diags)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < diags->count; i++)
        if (diag_info[diags->at[i].code].severity == DIAG_ERROR)
            diags->at[kept++] = diags->at[i];
    diags->count = kept;
    diags->warnings = 0;
}

static int diag_compare(const void *a, const void *b)
{
    const Diag *x = a;
    const Diag *y = b;
    if (x->pos != y->pos) return x->pos < y->pos ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

void diags_sort(Diags *diags)
{
    if (!diags->sorted && diags->count > 1)
        qsort(diags->at, diags->count, sizeof *diags->at, diag_compare);
    diags->sorted = true;
}

static bool goes_on(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || c == '_' || c == '@' || c >= 0x80;
}

/* Bytes of a token that are looked at: what a snippet can show. */
#define EXTENT_MAX 300

/* Bytes of the token at `text`, roughly as the lexer sees it, within one line. */
static uint32_t token_extent(const char *text, uint32_t left)
{
    if (left == 0) return 0;
    if (left > EXTENT_MAX) left = EXTENT_MAX;
    unsigned char first = (unsigned char)text[0];
    uint32_t n = 1;
    if (first == '"' || first == '\'') {
        while (n < left && text[n] != (char)first) n += text[n] == '\\' ? 2 : 1;
        return n < left ? n + 1 : left;
    }
    if (first == '?' || first == '$' || goes_on(first)) {
        while (n < left && goes_on((unsigned char)text[n])) n++;
        return n;
    }
    if (!strchr("<>=:-+*/|.!&", first)) return 1;
    while (n < left && n < 3 && strchr("<>=:-+|.&", text[n]) && text[n]) n++;
    return n;
}

/* Text of a program for a terminal: what would control that stands as '?', a tab as it is. */
static void put_visible(Bytes *to, const char *text, size_t size)
{
    uint32_t c = 0;
    for (size_t at = 0; at < size;) {
        int n = utf8_decode((const uint8_t *)text + at, size - at, &c);
        bool control = n <= 0 || (c < 0x20 && c != '\t') || (c >= 0x7F && c < 0xA0);
        if (control)
            bytes_put_u8(to, '?');
        else
            bytes_put(to, text + at, (size_t)n);
        at += n > 0 ? (size_t)n : 1;
    }
}

/* Columns that put_visible() takes for a character. */
static int visible_width(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) ? 1 : utf8_width(c);
}

/* The source line and a line of carets below it; tabs stay tabs so that the columns agree. */
static void put_snippet(Bytes *to, Sources *sources, const SrcLoc *loc, const Diag *diag)
{
    uint32_t size = 0;
    const char *line = source_line_text(sources, loc->source, loc->physical_line, &size);
    uint32_t offset = diag->pos - loc->source->base - (uint32_t)(line - loc->source->text);
    if (offset > size) offset = size;
    uint32_t extent = diag->size ? diag->size : token_extent(line + offset, size - offset);
    if (extent > size - offset) extent = size - offset;
    /* a very long line is shown in part, from a character's first byte on */
    uint32_t from = offset > 200 ? offset - 100 : 0;
    while (from > 0 && ((unsigned char)line[from] & 0xC0) == 0x80) from--;
    uint32_t until = size - from > 300 ? from + 300 : size;
    while (until < size && ((unsigned char)line[until] & 0xC0) == 0x80) until++;
    if (extent > until - offset) extent = until - offset;
    bytes_printf(to, "%6u | ", loc->physical_line);
    put_visible(to, line + from, until - from);
    bytes_put_text(to, "\n       | ");
    uint32_t c = 0;
    for (uint32_t at = from; at < offset;) {
        int n = utf8_decode((const uint8_t *)line + at, size - at, &c);
        if (c == '\t')
            bytes_put_u8(to, '\t');
        else
            for (int w = visible_width(c); w > 0; w--) bytes_put_u8(to, ' ');
        at += n > 0 ? (uint32_t)n : 1;
    }
    bytes_put_u8(to, '^');
    bool first = true;
    for (uint32_t at = offset; at < offset + extent;) {
        int n = utf8_decode((const uint8_t *)line + at, size - at, &c);
        for (int w = visible_width(c); w > 0; w--, first = false)
            if (!first) bytes_put_u8(to, '~');
        at += n > 0 ? (uint32_t)n : 1;
    }
    bytes_put_u8(to, '\n');
}

static void put_diag(Bytes *to, Sources *sources, const Diag *diag)
{
    SrcLoc loc = sources_locate(sources, diag->pos);
    const DiagInfo *info = &diag_info[diag->code];
    if (loc.source) bytes_printf(to, "%s:%u:%u: ", loc.file, loc.line, loc.column);
    bytes_printf(to, "%s: %s [%s]\n", info->severity == DIAG_ERROR ? "error" : "warning",
                 diag->text, info->number);
    if (loc.source) put_snippet(to, sources, &loc, diag);
    if (diag->hint) bytes_printf(to, "       = hint: %s\n", diag->hint);
}

const char *diag_render(Diags *diags, Sources *sources, const Diag *diag)
{
    Bytes to = {0};
    put_diag(&to, sources, diag);
    const char *text = arena_copy_text(diags->arena, (const char *)to.at, to.count);
    bytes_free(&to);
    return text;
}

void diags_print(Diags *diags, Sources *sources, FILE *out)
{
    diags_sort(diags);
    Bytes to = {0};
    for (uint32_t i = 0; i < diags->count; i++) put_diag(&to, sources, &diags->at[i]);
    if (to.count) fwrite(to.at, 1, to.count, out);
    bytes_free(&to);
}
