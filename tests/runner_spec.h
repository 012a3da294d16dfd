/* What a test program says about itself in its comments.  docs/testing.md lists the marks; the
 * table in runner_spec.c is where they are read.  A Spec lives in the arena it was read into
 * and does not change afterwards. */
#pragma once

#include "vm/base/bytes.h"
#include "vm/base/vec.h"

typedef VEC(const char *) Words;

typedef struct Expected {
    const char *text;
    bool like; /* a shell pattern */
} Expected;

typedef VEC(Expected) ExpectedLines;

typedef struct Spec {
    const char *path;
    const char *dir;
    ExpectedLines out;
    Words err; /* what standard error must contain */
    Words args;
    Words flags;
    Words env;
    Words modules;
    Words diagnostics; /* "LINE CODE", sorted */
    Bytes input;
    const char *command;
    const char *modes;
    const char *needs;
    const char *skip;
    const char *output; /* "any": not looked at */
    long status;
    long timeout; /* seconds; 0: the usual */
    long size;    /* 0: none */
    bool unordered;
} Spec;

/* Read the marks of the program at `path`; NULL (and a message) if it cannot be read. */
Spec *spec_read(Arena *arena, const char *path);

/* Split at blanks, except within quotes. */
void spec_add_words(Arena *arena, Words *words, const char *text);

/* For qsort of const char *. */
int spec_compare_words(const void *a, const void *b);
