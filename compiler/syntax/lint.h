/* Is the program right?  Names, scopes, arities, guards, patterns, records, types, attributes.
 *
 * Owns: nothing; the tables it builds lie in the compilation's arena.  Reports every error, and
 * every warning that the module's -compile options have not switched off.  One thread. */
#pragma once

#include "compiler/source/compilation.h"
#include "compiler/syntax/ast.h"

typedef struct {
    const NameId *bound; /* variables that the expressions of a script find bound (the shell) */
    uint32_t bound_count;
    bool is_shell; /* say nothing of what is unused: a later input may use it */
} LintOptions;

/* Check a parsed file.  `options` may be NULL.  True when no error was reported; only then may
 * later passes look at the tree. */
bool lint_file(Compilation *c, const AstFile *file, const LintOptions *options);
