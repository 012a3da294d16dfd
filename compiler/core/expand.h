/* Syntax tree to core: records, comprehensions, operators, funs, scopes; patterns go through
 * match.h.  One walk over the tree writes blocks; funs are closed over their variables on the
 * way, because a variable of an outer function is recognised when it is looked up.
 *
 * Owns: nothing.  One thread per unit.  Recursion follows the depth of the syntax tree, which the
 * parser limits. */
#pragma once

#include "compiler/core/core.h"
#include "compiler/syntax/ast.h"

/* A file that lint has passed, as core.  The unit lives as long as the compilation. */
CoreUnit *expand_file(Compilation *c, AtomTable *atoms, const AstFile *file);
