/* What is known before the program runs: operators on constants, tests whose outcome is certain,
 * jumps to jumps, blocks with one way in, values that nobody uses.
 *
 * Owns: nothing.  One thread per unit. */
#pragma once

#include "compiler/core/core.h"
#include "compiler/syntax/ast.h"

/* The value of an operator on constants, TERM_NONE when it fails or would take long. */
Term fold_arith(CoreUnit *u, AstOp op, Term a, Term b);
Term fold_unary(CoreUnit *u, AstOp op, Term a);

/* Simplify every function of the unit.  Each pass is linear in its size, up to sorting. */
void fold_unit(CoreUnit *u);
/* One function once more, after a pass has changed it. */
void fold_again(CoreUnit *u, uint32_t function);
