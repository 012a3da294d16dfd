#include "tests/runner_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
    MARK_TEXT,   /* const char * */
    MARK_NUMBER, /* long */
    MARK_YES,    /* bool: standing there is enough */
    MARK_WORDS,  /* Words, split at blanks */
    MARK_LINES,  /* Words, one per mark */
    MARK_EXPECT,
    MARK_EXPECT_LIKE,
    MARK_RAISES,
    MARK_DIAGNOSTIC,
    MARK_INPUT,
    MARK_NOTHING /* for other readers of the file */
} MarkKind;

typedef struct Mark {
    const char *name;
    MarkKind kind;
    size_t offset; /* of the field in Spec */
} Mark;

static const Mark marks[] = {
    {"args", MARK_WORDS, offsetof(Spec, args)},
    {"command", MARK_TEXT, offsetof(Spec, command)},
    {"env", MARK_LINES, offsetof(Spec, env)},
    {"error", MARK_DIAGNOSTIC, 0},
    {"exit", MARK_NUMBER, offsetof(Spec, status)},
    {"expect", MARK_EXPECT, 0},
    {"expect_err", MARK_LINES, offsetof(Spec, err)},
    {"expect_like", MARK_EXPECT_LIKE, 0},
    {"flags", MARK_WORDS, offsetof(Spec, flags)},
    {"modes", MARK_TEXT, offsetof(Spec, modes)},
    {"module", MARK_WORDS, offsetof(Spec, modules)},
    {"needs", MARK_TEXT, offsetof(Spec, needs)},
    {"output", MARK_TEXT, offsetof(Spec, output)},
    {"raises", MARK_RAISES, 0},
    {"since", MARK_NOTHING, 0},
    {"size", MARK_NUMBER, offsetof(Spec, size)},
    {"skip", MARK_TEXT, offsetof(Spec, skip)},
    {"stdin", MARK_INPUT, 0},
    {"timeout", MARK_NUMBER, offsetof(Spec, timeout)},
    {"unordered", MARK_YES, offsetof(Spec, unordered)},
    {"warning", MARK_DIAGNOSTIC, 0},
};

int spec_compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void spec_add_words(Arena *arena, Words *words, const char *text)
{
    for (;;) {
        text += strspn(text, " ");
        if (!*text) return;
        char quote = *text == '\'' || *text == '"' ? *text++ : '\0';
        const char stop[2] = {quote ? quote : ' ', '\0'};
        size_t length = strcspn(text, stop);
        VEC_PUSH(words, arena_copy_text(arena, text, length));
        text += length + (quote && text[length]);
    }
}

/* "LINE CODE", with one blank between. */
static const char *diagnostic(Arena *arena, const char *text)
{
    char *code;
    long line = strtol(text, &code, 10);
    code += strspn(code, " ");
    return arena_printf(arena, "%ld %.*s", line, (int)strcspn(code, " "), code);
}

static void mark_take(Arena *arena, Spec *s, const Mark *mark, const char *value)
{
    void *field = (char *)s + mark->offset;
    switch (mark->kind) {
    case MARK_TEXT: *(const char **)field = value; break;
    case MARK_NUMBER: *(long *)field = atol(value); break;
    case MARK_YES: *(bool *)field = true; break;
    case MARK_WORDS: spec_add_words(arena, field, value); break;
    case MARK_LINES: VEC_PUSH((Words *)field, value); break;
    case MARK_EXPECT: VEC_PUSH(&s->out, (Expected){value, false}); break;
    case MARK_EXPECT_LIKE: VEC_PUSH(&s->out, (Expected){value, true}); break;
    case MARK_RAISES:
        s->status = 1;
        VEC_PUSH(&s->err, value);
        break;
    case MARK_DIAGNOSTIC: VEC_PUSH(&s->diagnostics, diagnostic(arena, value)); break;
    case MARK_INPUT:
        bytes_put_text(&s->input, value);
        bytes_put_u8(&s->input, '\n');
        break;
    case MARK_NOTHING: break;
    }
}

/* Cut the comment at `text` into the name of its mark and the value; NULL if it is none. */
static const Mark *mark_find(char *text, const char **value)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    const char *behind = text + length;
    if (*behind != ':' && *behind != '\0') return NULL;
    *value = *behind ? behind + 1 + (behind[1] == ' ') : behind;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strlen(marks[i].name) == length && strncmp(marks[i].name, text, length) == 0)
            return &marks[i];
    return NULL;
}

static void spec_read_line(Arena *arena, Spec *s, char *line)
{
    char *text = strstr(line, "%% ");
    if (!text) return;
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]);) text[--n] = '\0';
    const char *value;
    const Mark *mark = mark_find(text + strspn(text, "% "), &value);
    if (mark) mark_take(arena, s, mark, value);
}

Spec *spec_read(Arena *arena, const char *path)
{
    Bytes text = {0};
    if (!bytes_read_file(&text, path)) {
        fprintf(stderr, "runner: cannot read %s\n", path);
        return NULL;
    }
    Spec *s = ARENA_NEW(arena, Spec);
    const char *slash = strrchr(path, '/');
    s->path = path;
    s->dir = slash ? arena_copy_text(arena, path, (size_t)(slash - path)) : ".";
    char *line = arena_copy_text(arena, (char *)text.at, text.count);
    for (char *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        spec_read_line(arena, s, line);
    }
    bytes_free(&text);
    if (s->diagnostics.count)
        qsort((void *)s->diagnostics.at, s->diagnostics.count, sizeof(char *),
              spec_compare_words);
    return s;
}
