#include "compiler/codegen/hints.h"

static void hint_instr(LirFunction *f, Hint *hints, LirInstr *instr)
{
    for (uint32_t a = 0; a < instr->arg_count; a++) {
        uint32_t v = lir_var(instr->args[a]);
        if (!v || !lir_dies(instr->args[a])) continue;
        switch ((LirShape)instr->shape) {
        case LIR_TAIL: hints[v] = (Hint){HINT_REGISTER, a, NULL}; break;
        case LIR_BIF:
            if (instr->arg_count == 1) break;
            FALLTHROUGH;
        case LIR_CALL: hints[v] = (Hint){HINT_CALL, a, instr}; break;
        case LIR_JUMP:
            hints[v] = (Hint){HINT_SAME, f->blocks[instr->then_].params[a], NULL};
            break;
        default: break;
        }
    }
}

Hint *hints_find(LirFunction *f)
{
    Hint *hints = ARENA_ARRAY(f->arena, Hint, (size_t)f->var_count + 1);
    for (uint32_t b = f->block_count; b-- > 1;) {
        LirBlock *block = &f->blocks[b];
        for (uint32_t i = block->count; i-- > 0;) hint_instr(f, hints, &block->at[i]);
    }
    return hints;
}
