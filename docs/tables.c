/* Prints the tables of the source as pages of the documentation:
 *
 *     tables docs            writes the pages that changed into that folder
 *     tables --check docs    writes nothing, fails on a page that is stale
 *
 * One page per table; a page has a row per row. */
#include "vm/base/bytes.h"
#include "vm/base/opts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENERATED "<!-- Printed by docs/tables.c (`make docs`) from %s: edit that. -->\n\n"

typedef struct OpRow {
    const char *name;
    const char *operands;
    const char *effects;
    const char *meaning;
} OpRow;

typedef struct BifRow {
    const char *module;
    const char *name;
    int arity;
    const char *kind;
    const char *needs;
    const char *meaning;
} BifRow;

typedef struct AtomRow {
    const char *name;
    const char *text;
} AtomRow;

typedef struct DiagRow {
    const char *number;
    const char *severity;
    const char *text;
} DiagRow;

/* Each ends with an empty row, so that a table without rows is no special case. */
static const OpRow ops[] = {
#define OP(name, operands, effects, meaning) {#name, #operands, #effects, meaning},
#include "vm/format/opcodes.def"
#undef OP
    {NULL, NULL, NULL, NULL}};

static const BifRow bifs[] = {
#define BIF(module, name, arity, c_function, kind, needs, meaning) \
    {module, name, arity, #kind, #needs, meaning},
#include "vm/format/bifs.def"
#undef BIF
    {NULL, NULL, 0, NULL, NULL, NULL}};

static const AtomRow atoms[] = {
#define ATOM(name, text) {#name, text},
#include "vm/format/atoms.def"
#undef ATOM
    {NULL, NULL}};

static const DiagRow diags[] = {
#define DIAG(constant, number, severity, text) {#number, #severity, text},
#include "compiler/source/diag.def"
#undef DIAG
    {NULL, NULL, NULL}};

/* Text of a cell: a bar would end it. */
static void put_cell(Bytes *page, const char *text)
{
    for (; *text; text++) {
        if (*text == '|') bytes_put_u8(page, '\\');
        bytes_put_u8(page, (uint8_t)*text);
    }
}

/* Text of a cell as code, empty if it is. */
static void put_code(Bytes *page, const char *text)
{
    if (!*text) return;
    bytes_put_text(page, "`");
    put_cell(page, text);
    bytes_put_text(page, "`");
}

static void put_lower(Bytes *page, const char *text)
{
    for (; *text; text++)
        bytes_put_u8(page, (uint8_t)(*text | (*text >= 'A' && *text <= 'Z' ? 32 : 0)));
}

static void print_opcodes(Bytes *page)
{
    bytes_printf(page, "# Instructions\n\n" GENERATED, "vm/format/opcodes.def");
    bytes_put_text(page,
                   "What the operands and effects are, is said at the head of the table and in "
                   "[design/bytecode.md](design/bytecode.md).\n\n"
                   "| number | name | operands | effects | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; ops[i].name; i++) {
        bytes_printf(page, "| %zu | `%s` | %s | ", i, ops[i].name, ops[i].operands);
        for (const char *at = ops[i].effects; *at; at++) {
            char lower[2] = {*at == '|' ? ',' : *at, '\0'};
            if (*at != ' ' || at[1] != '|') put_lower(page, lower);
        }
        bytes_put_text(page, " | ");
        put_cell(page, ops[i].meaning);
        bytes_put_text(page, " |\n");
    }
}

static int compare_bifs(const void *a, const void *b)
{
    const BifRow *x = a;
    const BifRow *y = b;
    int order = strcmp(x->module, y->module);
    if (order == 0) order = strcmp(x->name, y->name);
    return order ? order : x->arity - y->arity;
}

static void print_bifs(Bytes *page)
{
    bytes_printf(page, "# Built-in functions\n\n" GENERATED, "vm/format/bifs.def");
    bytes_put_text(
        page, "Functions written in C. A *guard* may stand in guards; *plain* ones are short; "
              "*traps* means that long work is done in slices; *blocks* that it runs on the "
              "blocking pool; *control* has an instruction of its own.\n");
    size_t count = ARRAY_LEN(bifs) - 1;
    BifRow *sorted = malloc(sizeof bifs);
    if (!sorted) abort();
    memcpy(sorted, bifs, sizeof bifs);
    if (count) qsort(sorted, count, sizeof *sorted, compare_bifs);
    for (size_t i = 0; i < count; i++) {
        const BifRow *b = &sorted[i];
        if (i == 0 || strcmp(b->module, sorted[i - 1].module) != 0)
            bytes_printf(
                page, "\n## %s\n\n| function | kind | needs | meaning |\n|---|---|---|---|\n",
                b->module);
        bytes_put_text(page, "| `");
        put_cell(page, b->name);
        bytes_printf(page, "/%d` | ", b->arity);
        put_lower(page, b->kind);
        bytes_put_text(page, " | ");
        if (strcmp(b->needs, "NOTHING") != 0) put_lower(page, b->needs);
        bytes_put_text(page, " | ");
        put_cell(page, b->meaning);
        bytes_put_text(page, " |\n");
    }
    free(sorted);
}

static void print_atoms(Bytes *page)
{
    bytes_printf(page, "# Atoms that C code names\n\n" GENERATED, "vm/format/atoms.def");
    bytes_put_text(page, "| index | constant | text |\n|---|---|---|\n");
    for (size_t i = 0; atoms[i].name; i++) {
        bytes_printf(page, "| %zu | `ATOM_%s` | ", i, atoms[i].name);
        put_code(page, atoms[i].text);
        bytes_put_text(page, " |\n");
    }
}

static void print_options(Bytes *page)
{
    static const char *const kinds[] = {"", "number", "bytes (suffix K, M or G)", "text",
                                        "may be repeated"};
    bytes_printf(page, "# Options of the command\n\n" GENERATED, "vm/base/opts.def");
    bytes_put_text(
        page, "They stand before the file; what follows the file belongs to the program.\n\n"
              "| option | also | kind | default | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < opts_info_count; i++) {
        const OptsInfo *o = &opts_info[i];
        bytes_put_text(page, "| `--");
        for (const char *at = o->name; *at; at++)
            bytes_put_u8(page, (uint8_t)(*at == '_' ? '-' : *at));
        bytes_printf(page, "%s%s` | ", *o->argument ? " " : "", o->argument);
        put_code(page, o->other);
        bool has_default = o->kind == OPTS_KIND_INT || o->kind == OPTS_KIND_SIZE;
        bytes_printf(page, " | %s | %s | ", kinds[o->kind], has_default ? o->initial : "");
        put_cell(page, o->meaning);
        bytes_put_text(page, " |\n");
    }
}

static void print_diagnostics(Bytes *page)
{
    bytes_printf(page, "# What the compiler says\n\n" GENERATED, "compiler/source/diag.def");
    bytes_put_text(page,
                   "In the texts, `%s`, `%d` and the like stand for parts of the program.\n\n"
                   "| number | severity | text |\n|---|---|---|\n");
    for (size_t i = 0; diags[i].number; i++) {
        bytes_printf(page, "| %s | ", diags[i].number);
        put_lower(page, diags[i].severity);
        bytes_put_text(page, " | ");
        put_cell(page, diags[i].text);
        bytes_put_text(page, " |\n");
    }
}

typedef struct Page {
    const char *name;
    void (*print)(Bytes *page);
} Page;

static const Page pages[] = {
    {"opcodes.md", print_opcodes},
    {"bifs.md", print_bifs},
    {"atoms.md", print_atoms},
    {"options.md", print_options},
    {"diagnostics.md", print_diagnostics},
};

/* Print one page and write it unless it is fresh; false if that failed, or (checking) if it is
 * not. */
static bool page_update(const Page *page, const char *folder, bool checking)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, page->name);
    Bytes now = {0};
    Bytes before = {0};
    page->print(&now);
    bool fresh = bytes_read_file(&before, path) && before.count == now.count
                 && memcmp(before.at, now.at, now.count) == 0;
    bool ok = fresh;
    if (!fresh && checking) {
        printf("%s is stale: make docs\n", path);
    } else if (!fresh) {
        ok = bytes_write_file(path, now.at, now.count);
        printf(ok ? "%s\n" : "cannot write %s\n", path);
    }
    bytes_free(&now);
    bytes_free(&before);
    return ok;
}

int main(int argc, char **argv)
{
    bool checking = argc > 2 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 + checking) {
        fprintf(stderr, "usage: tables [--check] FOLDER\n");
        return 2;
    }
    bool ok = true;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        ok = page_update(&pages[i], argv[argc - 1], checking) && ok;
    return ok ? 0 : 1;
}
