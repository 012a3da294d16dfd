/* Match contexts carried along calls.  A function that takes a bitstring apart and passes what
 * is left to a function that does the same passes its context instead: no bitstring is made of
 * the rest, and no context of that.  The callee is a copy of the function whose parameter is a
 * context.
 *
 * Owns: nothing.  One thread per unit.  Design page: docs/design/compiler.md. */
#pragma once

#include "compiler/core/core.h"

/* Runs over folded functions; those that it changes, and the copies it adds, want folding again:
 * `again` is called with the index of each. */
void carry_unit(CoreUnit *u, void (*again)(CoreUnit *u, uint32_t function));
