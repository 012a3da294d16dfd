/* The compiler as a whole: the passes and their order, which nobody else knows.
 *
 *     text -> parse -> lint -> expand (with match) -> inline -> fold -> code -> module file
 *
 * Owns: nothing; all lies in the Compilation, which the caller makes, looks at for messages, and
 * frees.  One thread per compilation.  Design page: docs/design/compiler.md. */
#pragma once

#include <stdio.h>

#include "compiler/source/compilation.h"
#include "vm/base/bytes.h"
#include "vm/term/atom.h"

typedef struct {
    const char *path; /* file to read, or what messages call the text */
    const char *text; /* NULL: read the file */
    size_t size;
    const char
        *dump; /* name of a pass whose result is written to dump_out; compiling ends there */
    FILE *dump_out;
} CompileInput;

typedef struct {
    Term module;    /* its name, an atom of the table that was given */
    bool is_script; /* call '$script'/1 instead of main */
} CompileResult;

/* Compile to a module file, appended to `out`.  False when there were errors (or warnings that
 * count as such), which the compilation's messages tell; also false, without messages, after a
 * dump.  Atoms of the program are put into `atoms`. */
MUST_USE bool compile_module(Compilation *c, AtomTable *atoms, const CompileInput *input,
                             Bytes *out, CompileResult *result);

/* Names of the passes that can be dumped, in order, ending with NULL. */
const char *const *compile_pass_names(void);
