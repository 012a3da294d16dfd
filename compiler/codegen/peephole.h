/* Local clean-up of register code: neighbouring moves become one, jumps to jumps go on to the
 * end, blocks that nothing reaches are dropped.  One thread.  Design page:
 * docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/regalloc.h"

/* Which block control ends up in when it jumps to a block, and which blocks are left. */
typedef struct PeepholePlan {
    uint32_t *forward; /* by block */
    bool *kept;        /* by block */
} PeepholePlan;

/* Makes common neighbours one instruction.  `self` is the function's number in the module. */
PeepholePlan peephole_function(LirFunction *lir, MirFunction *f, uint32_t self);

/* The test with the opposite claim, or OP_COUNT. */
Opcode peephole_inverse(Opcode op);
