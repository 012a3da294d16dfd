#include "compiler/source/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "vm/base/bytes.h"
#include "vm/base/utf8.h"

void sources_init(Sources *sources, Arena *arena)
{
    *sources = (Sources){.arena = arena, .next_base = 1};
}

/* Does one of the first two lines say `coding: latin-1` in a comment, as Erlang's epp reads it? */
static bool source_says_latin1(const char *text, size_t size)
{
    size_t at = 0;
    for (int line = 0; line < 2 && at < size; line++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t stop = end ? (size_t)(end - text) : size;
        while (at < stop && (text[at] == ' ' || text[at] == '\t')) at++;
        for (size_t i = at; at < stop && text[at] == '%' && i + 6 < stop; i++) {
            if (memcmp(text + i, "coding", 6) != 0) continue;
            size_t j = i + 6;
            while (j < stop && (text[j] == ':' || text[j] == '=' || text[j] == ' ')) j++;
            return stop - j >= 7
                   && (memcmp(text + j, "latin-1", 7) == 0
                       || memcmp(text + j, "Latin-1", 7) == 0
                       || memcmp(text + j, "LATIN-1", 7) == 0);
        }
        at = stop + 1;
    }
    return false;
}

static char *source_from_latin1(Arena *arena, const char *text, size_t size, size_t *new_size)
{
    char *to = arena_alloc(arena, size * 2 + 1);
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80) {
            to[n++] = (char)c;
        } else {
            to[n++] = (char)(0xC0 | c >> 6);
            to[n++] = (char)(0x80 | (c & 0x3F));
        }
    }
    to[n] = '\0';
    *new_size = n;
    return to;
}

/* Bytes from the start that are ASCII, eight at a time: most texts are nothing else. */
static size_t ascii_prefix(const char *text, size_t size)
{
    size_t i = 0;
    for (uint64_t eight; i + sizeof eight <= size; i += sizeof eight) {
        memcpy(&eight, text + i, sizeof eight);
        if (eight & 0x8080808080808080u) break;
    }
    return i;
}

static Source *sources_enter(Sources *sources, const char *path, const char *text, size_t size)
{
    if (size > SOURCE_SIZE_MAX || sources->next_base > UINT32_MAX - size - 2) return NULL;
    Source *s = ARENA_NEW(sources->arena, Source);
    s->path = arena_copy_text(sources->arena, path, strlen(path));
    s->invalid_at = UINT32_MAX;
    /* A byte order mark says UTF-8, which is understood without. */
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (source_says_latin1(text, size)) {
        s->text = source_from_latin1(sources->arena, text, size, &size);
    } else {
        size_t ascii = ascii_prefix(text, size);
        size_t valid = ascii + utf8_valid_prefix((const uint8_t *)text + ascii, size - ascii);
        if (valid == size) {
            s->text = arena_copy_text(sources->arena, text, size);
        } else {
            s->text = source_from_latin1(sources->arena, text, size, &size);
            s->invalid_at = (uint32_t)valid;
            s->is_binary = memchr(s->text, '\0', size) != NULL;
        }
    }
    if (size > SOURCE_SIZE_MAX || sources->next_base > UINT32_MAX - size - 2) return NULL;
    s->size = (uint32_t)size;
    s->base = sources->next_base;
    sources->next_base += s->size + 1;
    if (sources->count == sources->capacity) {
        uint32_t room = sources->capacity ? sources->capacity * 2 : 8;
        sources->at =
            arena_grow(sources->arena, sources->at, sources->count, room, sizeof(Source *));
        sources->capacity = room;
    }
    sources->at[sources->count++] = s;
    return s;
}

Source *sources_add(Sources *sources, const char *path, const char *text, size_t size)
{
    return sources_enter(sources, path, text, size);
}

SourceResult sources_read(Sources *sources, const char *path, Source **out)
{
    *out = NULL;
    struct stat info;
    if (stat(path, &info) != 0) return errno == EACCES ? SOURCE_NOT_READABLE : SOURCE_NOT_FOUND;
    if (S_ISDIR(info.st_mode)) return SOURCE_IS_DIRECTORY;
    if (info.st_size > (off_t)SOURCE_SIZE_MAX) return SOURCE_TOO_LARGE;
    Bytes bytes = {0};
    SourceResult result = SOURCE_NOT_READABLE;
    if (bytes_read_file(&bytes, path)) {
        *out = sources_enter(sources, path, bytes.count ? (const char *)bytes.at : "",
                             bytes.count);
        result = *out ? SOURCE_OK : SOURCE_TOO_LARGE;
    }
    bytes_free(&bytes);
    return result;
}

static void source_find_lines(Sources *sources, Source *s)
{
    uint32_t lines = 1;
    const char *end = s->text + s->size;
    for (const char *at = s->text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        lines++;
    s->line_starts = ARENA_ARRAY(sources->arena, uint32_t, lines);
    s->line_count = lines;
    uint32_t n = 1;
    for (const char *at = s->text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        s->line_starts[n++] = (uint32_t)(at + 1 - s->text);
}

Source *sources_find(Sources *sources, SrcPos pos)
{
    Source *recent = sources->recent;
    if (recent && pos >= recent->base && pos - recent->base <= recent->size) return recent;
    if (pos == SRC_POS_NONE || sources->count == 0) return NULL;
    uint32_t low = 0;
    uint32_t high = sources->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (sources->at[middle]->base <= pos)
            low = middle;
        else
            high = middle;
    }
    sources->recent = sources->at[low];
    sources->recent_line = 0;
    return sources->at[low];
}

/* Number of the line, from 0, that holds `offset`: near the last answer, else by halving. */
static uint32_t source_line_index(Sources *sources, Source *s, uint32_t offset)
{
    if (!s->line_starts) source_find_lines(sources, s);
    uint32_t low = 0;
    uint32_t high = s->line_count;
    uint32_t recent = sources->recent_line;
    if (sources->recent == s && recent < s->line_count && s->line_starts[recent] <= offset) {
        low = recent;
        for (int step = 0; step < 8; step++) {
            if (low + 1 == s->line_count || s->line_starts[low + 1] > offset) {
                sources->recent_line = low;
                return low;
            }
            low++;
        }
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (s->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    sources->recent_line = low;
    return low;
}

/* The last -file attribute in front of `offset`, or NULL. */
static const SourceRemap *source_remap_at(const Source *s, uint32_t offset)
{
    uint32_t n = s->remap_count;
    while (n > 0 && s->remaps[n - 1].offset > offset) n--;
    return n > 0 ? &s->remaps[n - 1] : NULL;
}

static uint32_t remapped_line(const SourceRemap *remap, uint32_t line)
{
    if (!remap) return line;
    int64_t shown = (int64_t)line + remap->line_delta;
    return shown < 0 ? 0 : (uint32_t)shown;
}

/* The column of `pos`, whose line begins at `start`. */
static uint32_t column_of(Sources *sources, const Source *s, SrcPos start, SrcPos pos)
{
    SrcPos from = start;
    uint32_t column = 1;
    if (sources->column_pos >= start && sources->column_pos <= pos) {
        from = sources->column_pos;
        column = sources->column;
    }
    column += (uint32_t)utf8_count((const uint8_t *)s->text + (from - s->base), pos - from);
    sources->column_pos = pos;
    sources->column = column;
    return column;
}

SrcLoc sources_locate(Sources *sources, SrcPos pos)
{
    Source *s = sources_find(sources, pos);
    if (!s) return (SrcLoc){0};
    uint32_t offset = pos - s->base;
    uint32_t line = source_line_index(sources, s, offset);
    const SourceRemap *remap = source_remap_at(s, offset);
    return (SrcLoc){
        .source = s,
        .file = remap ? remap->file : s->path,
        .line = remapped_line(remap, line + 1),
        .column = column_of(sources, s, s->base + s->line_starts[line], pos),
        .physical_line = line + 1,
    };
}

uint32_t sources_line(Sources *sources, SrcPos pos)
{
    Source *s = sources_find(sources, pos);
    if (!s) return 0;
    uint32_t offset = pos - s->base;
    uint32_t line = source_line_index(sources, s, offset) + 1;
    return s->remap_count ? remapped_line(source_remap_at(s, offset), line) : line;
}

const char *sources_file(Sources *sources, SrcPos pos)
{
    const Source *s = sources_find(sources, pos);
    if (!s) return "";
    const SourceRemap *remap = source_remap_at(s, pos - s->base);
    return remap ? remap->file : s->path;
}

void sources_remap(Sources *sources, SrcPos pos, const char *file, int64_t line)
{
    Source *s = sources_find(sources, pos);
    if (!s) return;
    uint32_t index = source_line_index(sources, s, pos - s->base);
    bool last = index + 1 == s->line_count;
    uint32_t offset = last ? s->size : s->line_starts[index + 1];
    if (s->remap_count == s->remap_capacity) {
        uint32_t room = s->remap_capacity ? s->remap_capacity * 2 : 8;
        s->remaps =
            arena_grow(sources->arena, s->remaps, s->remap_count, room, sizeof *s->remaps);
        s->remap_capacity = room;
    }
    s->remaps[s->remap_count++] =
        (SourceRemap){offset, line - ((int64_t)index + 2),
                      arena_copy_text(sources->arena, file, strlen(file))};
}

const char *source_line_text(Sources *sources, const Source *source, uint32_t line,
                             uint32_t *size)
{
    Source *s = sources_find(sources, source->base);
    if (!s->line_starts) source_find_lines(sources, s);
    *size = 0;
    if (line == 0 || line > s->line_count) return "";
    uint32_t start = s->line_starts[line - 1];
    uint32_t end = line == s->line_count ? s->size : s->line_starts[line] - 1;
    if (end > start && s->text[end - 1] == '\r') end--;
    *size = end - start;
    return s->text + start;
}
