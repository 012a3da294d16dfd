#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/syntax/prep.h"
#include "vm/base/utf8.h"

#define PREP_INCLUDE_DEPTH_MAX 100

/* Open `dir`/`name` if it is there. */
static SourceResult try_file(Prep *prep, const char *dir, size_t dir_size, const char *name,
                             Source **out)
{
    Arena *arena = &prep->c->arena;
    const char *path =
        dir_size ? arena_printf(arena, "%.*s/%s", (int)dir_size, dir, name) : name;
    return sources_read(&prep->c->sources, path, out);
}

static size_t directory_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + (slash == path) : 0;
}

/* Erlang's order: beside the including file, here, beside the first file, the -I directories. */
static SourceResult find_include(Prep *prep, const char *name, Source **out)
{
    const char *here = VEC_LAST(&prep->files)->lexer.source->path;
    const char *first = prep->main_source->path;
    if (name[0] == '/') return try_file(prep, NULL, 0, name, out);
    SourceResult result = try_file(prep, here, directory_size(here), name, out);
    if (result == SOURCE_NOT_FOUND) result = try_file(prep, NULL, 0, name, out);
    if (result == SOURCE_NOT_FOUND)
        result = try_file(prep, first, directory_size(first), name, out);
    for (uint32_t i = 0; i < prep->c->options.include_dir_count && result == SOURCE_NOT_FOUND;
         i++) {
        const char *dir = prep->c->options.include_dirs[i];
        result = try_file(prep, dir, strlen(dir), name, out);
    }
    return result;
}

/* Order of two version texts such as "4.2.1": number by number. */
static int version_compare(const char *a, const char *b)
{
    while (*a || *b) {
        char *a_end;
        char *b_end;
        unsigned long x = strtoul(a, &a_end, 10);
        unsigned long y = strtoul(b, &b_end, 10);
        if (x != y) return x < y ? -1 : 1;
        if (a_end == a && b_end == b) return strcmp(a, b);
        a = *a_end == '.' ? a_end + 1 : a_end;
        b = *b_end == '.' ? b_end + 1 : b_end;
    }
    return 0;
}

/* In `dir`, the newest folder called app-VERSION, or NULL. */
static const char *newest_version(Prep *prep, const char *dir, const char *app, size_t app_size)
{
    DIR *stream = opendir(dir);
    if (!stream) return NULL;
    const char *best = NULL;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (strncmp(name, app, app_size) != 0 || name[app_size] != '-') continue;
        if (!best || version_compare(name + app_size + 1, best + app_size + 1) > 0)
            best = arena_copy_text(&prep->c->arena, name, strlen(name));
    }
    closedir(stream);
    return best;
}

/* app/rest: in a library directory, the folder app or the newest app-VERSION. */
static SourceResult find_include_lib(Prep *prep, const char *name, Source **out)
{
    SourceResult result = find_include(prep, name, out);
    const char *rest = strchr(name, '/');
    if (result != SOURCE_NOT_FOUND || !rest || rest == name) return result;
    for (uint32_t i = 0; i < prep->c->options.lib_dir_count; i++) {
        const char *dir = prep->c->options.lib_dirs[i];
        result = try_file(prep, dir, strlen(dir), name, out);
        if (result != SOURCE_NOT_FOUND) return result;
        const char *version = newest_version(prep, dir, name, (size_t)(rest - name));
        if (!version) continue;
        const char *path = arena_printf(&prep->c->arena, "%s%s", version, rest);
        result = try_file(prep, dir, strlen(dir), path, out);
        if (result != SOURCE_NOT_FOUND) return result;
    }
    return SOURCE_NOT_FOUND;
}

/* The text of one or more adjacent strings, `$NAME/` at its start replaced from the environment. */
static const char *include_name(Prep *prep, const Token *tokens, size_t count)
{
    size_t points = 0;
    for (size_t i = 0; i < count; i++) points += tokens[i].v.str->n;
    char *text = arena_alloc(&prep->c->arena, points * UTF8_MAX + 1);
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < tokens[i].v.str->n; k++) {
            if (tokens[i].v.str->at[k] == 0) return "";
            size += (size_t)utf8_encode(tokens[i].v.str->at[k], (uint8_t *)text + size);
        }
    text[size] = '\0';
    if (text[0] != '$') return text;
    size_t var_size = strcspn(text + 1, "/");
    const char *value = getenv(arena_copy_text(&prep->c->arena, text + 1, var_size));
    return value ? arena_printf(&prep->c->arena, "%s%s", value, text + 1 + var_size) : text;
}

void prep_include(Prep *prep, bool lib)
{
    const Token *t = prep->form.at;
    size_t count = prep->form.count;
    NameId word = lib ? NAME_INCLUDE_LIB : NAME_INCLUDE;
    bool right = count >= 6 && t[2].kind == TOKEN_LPAREN && t[count - 2].kind == TOKEN_RPAREN;
    for (size_t i = 3; right && i < count - 2; i++) right = t[i].kind == TOKEN_STRING;
    if (!right) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, t[1].pos, word);
        return;
    }
    if (prep->files.count >= PREP_INCLUDE_DEPTH_MAX) {
        diag_add(&prep->c->diags, DIAG_INCLUDE_DEPTH, t[3].pos, PREP_INCLUDE_DEPTH_MAX);
        return;
    }
    const char *name = include_name(prep, t + 3, count - 5);
    Source *source = NULL;
    SourceResult result =
        lib ? find_include_lib(prep, name, &source) : find_include(prep, name, &source);
    if (result == SOURCE_OK) {
        source->included_from = t[0].pos;
        prep_push_file(prep, source);
    } else {
        diag_add(&prep->c->diags, lib ? DIAG_INCLUDE_LIB_NOT_FOUND : DIAG_INCLUDE_NOT_FOUND,
                 t[3].pos, name);
    }
}
