/* Parts of terms are taken out once: a HEAD, TAIL, ELEMENT or FREE_VAR whose value is known
 * from a block that dominates it is replaced by that value, and where both parts of a cons cell
 * are wanted behind its IS_CONS, they are taken there together, so that lowering can make one
 * instruction of the three.
 *
 * Changes the core function in place.  One thread.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/core/core.h"

void share_function(CoreUnit *u, CoreFunction *f, Arena *arena);
