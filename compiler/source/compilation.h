/* One compilation: the arena, names, texts, messages and options that every pass shares.
 *
 * Owns: its arena, and through it everything the compiler makes.  One thread at a time; any
 * number of compilations may run side by side. */
#pragma once

#include "compiler/source/diag.h"
#include "compiler/source/names.h"
#include "compiler/source/source.h"
#include "vm/base/arena.h"

/* A macro defined from outside: -D NAME or -D NAME=TEXT. */
typedef struct {
    const char *name;
    const char *text; /* tokens of its value; NULL means `true` */
} MacroOption;

/* What the caller wants.  Texts and arrays are borrowed for the life of the compilation. */
typedef struct {
    const char *const *include_dirs; /* searched for -include after the file's own directory */
    uint32_t include_dir_count;
    const char *const
        *lib_dirs; /* -include_lib("app/x.hrl"): DIR/app/x.hrl, else DIR/app-VSN/x.hrl */
    uint32_t lib_dir_count;
    const MacroOption *macros;
    uint32_t macro_count;
    bool otp25;              /* `maybe` and `else` are plain atoms, as in OTP 25 */
    bool module_required;    /* a file without -module is an error, not a script */
    bool warnings_as_errors; /* only counted in compilation_failed() */
    bool no_warnings;
    bool no_lint; /* parse only */
} CompileOptions;

typedef struct Compilation {
    Arena arena;
    Names names;
    Sources sources;
    Diags diags;
    CompileOptions options;
} Compilation;

/* Start one; it must not be moved afterwards. */
void compilation_init(Compilation *c, const CompileOptions *options);

/* Free everything. */
void compilation_free(Compilation *c);

/* Is there an error, or a warning that counts as one? */
bool compilation_failed(const Compilation *c);
