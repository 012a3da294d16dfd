/* Which virtual registers are live at the start of each block, and which arguments are last uses.
 *
 * Sparse: from every use outside the block of its definition upwards until the definition, so the
 * cost is the size of the result.  A block in a try has an edge to its handler, so what the handler
 * reads is live all through the try.  What a test defines counts as defined in its then-block.
 * One thread; the result lies in the function's arena.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/lower.h"

/* Fills live_in of every block, without the block's own parameters. */
void live_blocks(LirFunction *f);

/* Sets LIR_DIES on every argument that is a last use, `across` of calls, and clears dst where
 * nothing reads it (RECV_PEEK and the like then need a scratch register). */
void live_deaths(LirFunction *f);
