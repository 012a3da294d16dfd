/* Virtual registers to registers of the frame; the result is code with block numbers for labels.
 *
 * One forward pass over the blocks in dominance order.  A variable gets its register where it
 * is defined and keeps it: there is no spilling, a frame has as many registers as it needs.
 * Registers of variables whose last use has passed are free again.  Hints (where a variable
 * goes: argument of a call, of a tail call, parameter of a join) make most moves vanish; the
 * rest is sequenced here.  One thread; the result lies in the function's arena.  Design page:
 * docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/lower.h"

#define MIR_OPERANDS 7

/* One instruction; operands as code.h wants them, but labels are block numbers. */
typedef struct MirInstr {
    uint8_t op;
    SrcPos pos;
    uint16_t above; /* RESERVE: not 0: stands here only for registers from this one on; gap.h */
    /* the block that follows when control falls through the end of a block, or 0 */
    uint32_t next;
    uint32_t list_count;
    uint8_t *list; /* in file form; labels of CASES are block numbers */
    int64_t operands[MIR_OPERANDS];
} MirInstr;

typedef struct MirBlock {
    uint32_t first; /* index of its first instruction */
    uint32_t count;
    uint32_t in_try;
    uint32_t handler_base; /* of a handler: where class, reason and trace arrive */
} MirBlock;

typedef struct MirFunction {
    VEC(MirInstr) code;
    MirBlock *blocks;
    uint32_t block_count;
    uint32_t extent; /* registers touched */
    bool too_large;  /* more than LIMIT_FRAME: the code is unusable */
} MirFunction;

MirFunction *regalloc_function(LirFunction *f);
