/* What the compiler says about a program: errors and warnings with their place.
 *
 * Owns: the messages of one compilation (in its arena).  Messages are kept as they come and
 * sorted by position when they are asked for.  One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "compiler/source/names.h"
#include "compiler/source/source.h"

typedef enum { DIAG_ERROR, DIAG_WARNING } DiagSeverity;

typedef enum {
#define DIAG(CONSTANT, number, severity, text) DIAG_##CONSTANT,
#include "compiler/source/diag.def"
#undef DIAG
    DIAG_COUNT
} DiagCode;

typedef struct {
    const char *number; /* "E0012" */
    DiagSeverity severity;
    const char *text;
} DiagInfo;

extern const DiagInfo diag_info[DIAG_COUNT];

typedef struct {
    DiagCode code;
    SrcPos pos;
    uint32_t size;    /* bytes to underline; 0: the token that starts at pos */
    uint32_t ordinal; /* order of arrival, which decides between equal positions */
    const char *text;
    const char *hint; /* or NULL */
} Diag;

typedef struct {
    Arena *arena;
    const Names *names;
    Diag *at;
    uint32_t count;
    uint32_t capacity;
    uint32_t errors;
    uint32_t warnings;
    bool sorted;
} Diags;

void diags_init(Diags *diags, Arena *arena, const Names *names);

/* Add a message.  The arguments follow the row's text: %s a NUL-terminated text, %d an int,
 * %a a NameId as the atom is written (with quotes where needed), %v a NameId as it
 * stands. */
void diag_add(Diags *diags, DiagCode code, SrcPos pos, ...);

/* The same, underlining `size` bytes. */
void diag_add_range(Diags *diags, DiagCode code, SrcPos pos, uint32_t size, ...);

/* Add a hint to the message added last; the same escapes in `text`. */
void diag_hint(Diags *diags, const char *text, ...);

/* Forget everything after the first `count` messages: for trying something out. */
void diags_truncate(Diags *diags, uint32_t count);

/* Forget the warnings. */
void diags_drop_warnings(Diags *diags);

/* Order the messages by position. */
void diags_sort(Diags *diags);

/* Write all messages, sorted, each as
 *     file:line:column: error: text [E0012]
 * followed by the source line, a line of carets and the hint.  The caller owns the stream. */
void diags_print(Diags *diags, Sources *sources, FILE *out);

/* The same for one message, appended to a NUL-terminated text from the arena. */
const char *diag_render(Diags *diags, Sources *sources, const Diag *diag);
