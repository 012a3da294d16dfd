#include "vm/base/opts.h"

#include "vm/base/mem.h"
#include "vm/base/similar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const OptsInfo opts_info[] = {
#define OPT(name, kind, initial, other, argument, meaning) \
    {#name, OPTS_KIND_##kind, #initial, other, argument, meaning, offsetof(Opts, name)},
#include "vm/base/opts.def"
#undef OPT
};
const size_t opts_info_count = ARRAY_LEN(opts_info);

/* A list starts empty whatever its row says; the others start as their row says. */
#define OPTS_START_FLAG(name, initial) o->name = (initial);
#define OPTS_START_INT(name, initial)  o->name = (initial);
#define OPTS_START_SIZE(name, initial) o->name = (initial);
#define OPTS_START_TEXT(name, initial) o->name = (initial);
#define OPTS_START_LIST(name, initial) o->name = (OptsList){NULL, (initial), 0};

void opts_init(Opts *o)
{
#define OPT(name, kind, initial, other, argument, meaning) OPTS_START_##kind(name, initial)
#include "vm/base/opts.def"
#undef OPT
}

static void *opts_field(Opts *o, const OptsInfo *info) { return (char *)o + info->offset; }

void opts_free(Opts *o)
{
    for (size_t i = 0; i < opts_info_count; i++) {
        if (opts_info[i].kind != OPTS_KIND_LIST) continue;
        OptsList *list = opts_field(o, &opts_info[i]);
        mem_free(NULL, MEM_MISC, (void *)list->at, list->room * sizeof *list->at);
        *list = (OptsList){0};
    }
}

static void list_push(OptsList *list, const char *text)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 4;
        list->at = mem_realloc(NULL, MEM_MISC, (void *)list->at, list->room * sizeof *list->at,
                               room * sizeof *list->at);
        list->room = room;
    }
    list->at[list->count++] = text;
}

/* Does `word` (without its dashes) name the option, where the table writes '_' for '-'?  Then
 * `*value` is what follows a '=', or NULL. */
static bool name_matches(const char *name, const char *word, const char **value)
{
    size_t i = 0;
    for (; name[i]; i++)
        if (word[i] != (name[i] == '_' ? '-' : name[i])) return false;
    if (word[i] != '\0' && word[i] != '=') return false;
    *value = word[i] == '=' ? word + i + 1 : NULL;
    return true;
}

/* The other spelling: alone, or for a single letter that takes text, with the value attached. */
static bool other_matches(const OptsInfo *info, const char *word, const char **value)
{
    size_t length = strlen(info->other);
    if (length == 0 || strncmp(word, info->other, length) != 0) return false;
    *value = word[length] ? word + length : NULL;
    return *value == NULL || (length == 2 && info->kind >= OPTS_KIND_TEXT);
}

static const OptsInfo *find_option(const char *word, const char **value)
{
    for (size_t i = 0; i < opts_info_count; i++) {
        const OptsInfo *info = &opts_info[i];
        if (word[1] == '-' && name_matches(info->name, word + 2, value)) return info;
    }
    for (size_t i = 0; i < opts_info_count; i++)
        if (strcmp(opts_info[i].other, word) == 0) {
            *value = NULL;
            return &opts_info[i];
        }
    for (size_t i = 0; i < opts_info_count; i++)
        if (other_matches(&opts_info[i], word, value)) return &opts_info[i];
    return NULL;
}

static bool parse_number(const char *text, bool suffixes, int64_t *number)
{
    errno = 0;
    char *end;
    long long read = strtoll(text, &end, 10);
    if (end == text || errno) return false;
    unsigned shift = 0;
    if (suffixes && *end) {
        const char *letters = "KMGkmg";
        const char *at = strchr(letters, *end);
        if (!at) return false;
        shift = 10 * (unsigned)((at - letters) % 3 + 1);
        end++;
    }
    if (*end || (shift && (read < 0 || read > INT64_MAX >> shift))) return false;
    *number = (int64_t)((uint64_t)read << shift);
    return true;
}

static bool store_value(Opts *o, const OptsInfo *info, const char *value)
{
    void *field = opts_field(o, info);
    switch (info->kind) {
    case OPTS_KIND_FLAG: *(bool *)field = true; return true;
    case OPTS_KIND_INT: return parse_number(value, false, field);
    case OPTS_KIND_SIZE: return parse_number(value, true, field);
    case OPTS_KIND_TEXT: *(const char **)field = value; return true;
    case OPTS_KIND_LIST: list_push(field, value); return true;
    }
    return false;
}

OptsResult opts_parse(Opts *o, int argc, char *const *argv, int from, int *next)
{
    int i = from;
    for (; i < argc; i++) {
        const char *word = argv[i];
        *next = i;
        if (word[0] != '-' || word[1] == '\0') return OPTS_OK;
        if (strcmp(word, "--") == 0) {
            *next = i + 1;
            return OPTS_OK;
        }
        const char *value = NULL;
        const OptsInfo *info = find_option(word, &value);
        if (!info) return OPTS_UNKNOWN;
        if (info->kind == OPTS_KIND_FLAG && value) return OPTS_BAD_ARGUMENT;
        if (info->kind != OPTS_KIND_FLAG && !value) {
            if (i + 1 >= argc) return OPTS_NO_ARGUMENT;
            value = argv[++i];
        }
        if (!store_value(o, info, value)) return OPTS_BAD_ARGUMENT;
    }
    *next = i;
    return OPTS_OK;
}

/* The option whose name is nearest to `--word`, or NULL. */
static const char *similar_option(const char *word, size_t size)
{
    if (size < 3 || word[0] != '-') return NULL;
    const char *best = NULL;
    size_t dashes = word[1] == '-' ? 2 : 1;
    Similar s = similar_to(word + dashes, size - dashes);
    for (size_t i = 0; i < opts_info_count; i++)
        if (similar_offer(&s, opts_info[i].name, strlen(opts_info[i].name)))
            best = opts_info[i].name;
    return best;
}

static void explain_unknown(const char *word, char *to, size_t size)
{
    const char *similar = similar_option(word, strcspn(word, "="));
    int n = snprintf(to, size, "%s is not an option", word);
    if (similar == NULL || n < 0 || (size_t)n >= size) return;
    int start = n;
    n += snprintf(to + n, size - (size_t)n, "; did you mean --%s?", similar);
    for (int i = start; i < n && (size_t)i < size - 1; i++)
        if (to[i] == '_') to[i] = '-';
}

static void explain_bad(int argc, char *const *argv, int at, char *to, size_t size)
{
    const char *value = NULL;
    const OptsInfo *info = find_option(argv[at], &value);
    if (info->kind == OPTS_KIND_FLAG) {
        snprintf(to, size, "%.*s takes no argument", (int)strcspn(argv[at], "="), argv[at]);
        return;
    }
    if (value == NULL && at + 1 < argc) value = argv[at + 1];
    const char *what = info->kind == OPTS_KIND_SIZE ? "a number of bytes" : "a whole number";
    snprintf(to, size, "%s takes %s, not \"%s\"", argv[at], what, value ? value : "");
}

void opts_explain(OptsResult result, int argc, char *const *argv, int at, char *to, size_t size)
{
    if (size > 0) to[0] = '\0';
    switch (result) {
    case OPTS_OK: break;
    case OPTS_UNKNOWN: explain_unknown(argv[at], to, size); break;
    case OPTS_NO_ARGUMENT: snprintf(to, size, "%s needs an argument", argv[at]); break;
    case OPTS_BAD_ARGUMENT: explain_bad(argc, argv, at, to, size); break;
    }
}

void opts_print_help(void *to)
{
    FILE *out = to;
    for (size_t i = 0; i < opts_info_count; i++) {
        const OptsInfo *info = &opts_info[i];
        char left[64];
        int length =
            snprintf(left, sizeof left, "  %s%s--%s%s%s", info->other, *info->other ? ", " : "",
                     info->name, *info->argument ? " " : "", info->argument);
        for (int c = 0; c < length && c < (int)sizeof left; c++)
            if (left[c] == '_') left[c] = '-';
        fprintf(out, "%-30s%s\n", left, info->meaning);
    }
}
