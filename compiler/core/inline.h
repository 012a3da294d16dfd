/* Calls of functions that -compile(inline) or -compile({inline, ...}) names become the functions'
 * bodies.  Order of evaluation, errors and line numbers stay; the frame of what was inlined is
 * gone from stack traces, but for function_clause, which tells '-inlined-f/1-'.
 *
 * Owns: nothing.  One thread per unit.  Design page: docs/design/compiler.md. */
#pragma once

#include "compiler/core/core.h"

/* Size of a function that plain `inline` still takes, in instructions, unless inline_size says
 * otherwise. */
#define INLINE_SIZE_DEFAULT 24

/* Put bodies in place of calls, callees before their callers; then drop functions that nobody
 * calls any more.  Linear in the size of the unit and what is put in. */
void inline_unit(CoreUnit *u);
