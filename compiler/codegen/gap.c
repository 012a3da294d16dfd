#include "compiler/codegen/gap.h"

#include "vm/format/code.h"

typedef struct Gap {
    LirFunction *lir;
    MirFunction *f;
    /* by block: registers written from its start on until the frame is made sure of */
    uint32_t *needs;
    uint32_t block;
    uint32_t most;
} Gap;

static void at_least(Gap *g, uint32_t registers)
{
    if (registers > g->most) g->most = registers;
}

/* What follows a backward jump is not known yet: everything. */
static void visit_target(void *to, uint32_t block)
{
    Gap *g = to;
    at_least(g, block > g->block ? g->needs[block] : g->f->extent);
}

/* Registers that an instruction writes, a call's window included. */
static void written(Gap *g, const MirInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    for (unsigned i = 0; i < info->operand_count; i++)
        if (info->operands[i] == OPERAND_DST) at_least(g, (uint32_t)instr->operands[i] + 1);
    bool calls = instr->op == OP_CALL || instr->op == OP_CALL_EXT || instr->op == OP_CALL_FUN
                 || instr->op == OP_CALL_DYN;
    if (calls) at_least(g, code_live(instr->operands[info->operand_count - 1]).window);
}

/* Backward through a block; true if a check was dropped. */
static bool visit_block(Gap *g, uint32_t block)
{
    MirBlock *b = &g->f->blocks[block];
    const LirBlock *lir = &g->lir->blocks[block];
    bool dropped = false;
    uint32_t handler = b->in_try ? g->lir->core->tries.at[b->in_try].handler : 0;
    uint32_t arrives = handler ? g->f->blocks[handler].handler_base + 3 : 0;
    g->block = block;
    g->most = 0;
    lower_targets(&lir->at[lir->count - 1], visit_target, g);
    for (uint32_t i = b->count; i-- > 0;) {
        MirInstr *instr = &g->f->code.at[b->first + i];
        written(g, instr);
        if (instr->op != OP_RESERVE) {
            at_least(g, arrives);
            continue;
        }
        if (instr->above && g->most <= instr->above) {
            instr->op = OP_COUNT;
            dropped = true;
        } else {
            g->most = 0;
        }
    }
    g->needs[block] = g->most;
    return dropped;
}

static void drop_checks(MirFunction *f, MirBlock *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++)
        if (f->code.at[b->first + i].op != OP_COUNT)
            f->code.at[b->first + kept++] = f->code.at[b->first + i];
    b->count = kept;
}

void gap_check_frames(LirFunction *lir, MirFunction *f)
{
    Gap g = {.lir = lir, .f = f, .needs = ARENA_ARRAY(lir->arena, uint32_t, f->block_count)};
    for (uint32_t b = f->block_count; b-- > 1;)
        if (f->blocks[b].count && visit_block(&g, b)) drop_checks(f, &f->blocks[b]);
}
