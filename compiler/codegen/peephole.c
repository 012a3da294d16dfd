#include "compiler/codegen/peephole.h"

#include "vm/format/code.h"

Opcode peephole_inverse(Opcode op)
{
    switch (op) {
    case OP_IS_THE_ATOM: return OP_IS_NOT_ATOM;
    case OP_IS_NOT_ATOM: return OP_IS_THE_ATOM;
    case OP_IS_THE_SMALL: return OP_IS_NOT_SMALL;
    case OP_IS_NOT_SMALL: return OP_IS_THE_SMALL;
    case OP_IS_SAME: return OP_IS_NOT_SAME;
    case OP_IS_NOT_SAME: return OP_IS_SAME;
    case OP_IS_EQUAL: return OP_IS_NOT_EQUAL;
    case OP_IS_NOT_EQUAL: return OP_IS_EQUAL;
    case OP_IS_LESS: return OP_IS_AT_LEAST;
    case OP_IS_AT_LEAST: return OP_IS_LESS;
    case OP_IS_LESS_SMALL: return OP_IS_AT_LEAST_SMALL;
    case OP_IS_AT_LEAST_SMALL: return OP_IS_LESS_SMALL;
    case OP_IS_MORE_SMALL: return OP_IS_AT_MOST_SMALL;
    case OP_IS_AT_MOST_SMALL: return OP_IS_MORE_SMALL;
    default: return OP_COUNT;
    }
}

/* MOVE a b, MOVE c d becomes MOVE2 a b c d. */
static void fuse_moves(MirFunction *f, MirBlock *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        MirInstr *instr = &f->code.at[b->first + i];
        MirInstr *last = kept ? &f->code.at[b->first + kept - 1] : NULL;
        if (last && instr->op == OP_MOVE && last->op == OP_MOVE) {
            last->op = OP_MOVE2;
            last->operands[2] = instr->operands[0];
            last->operands[3] = instr->operands[1];
            continue;
        }
        f->code.at[b->first + kept++] = *instr;
    }
    b->count = kept;
}

/* MOVE or MOVE2 before CALL or TAIL_CALL: one instruction. */
static bool fuse_call(MirInstr *move, const MirInstr *call)
{
    bool tail = call->op == OP_TAIL_CALL;
    if ((call->op != OP_CALL && !tail) || (move->op != OP_MOVE && move->op != OP_MOVE2))
        return false;
    unsigned moves = move->op == OP_MOVE ? 2 : 4;
    MirInstr fused = *call;
    if (tail)
        fused.op = moves == 2 ? OP_MOVE_TAIL : OP_MOVE2_TAIL;
    else
        fused.op = moves == 2 ? OP_MOVE_CALL : OP_MOVE2_CALL;
    for (unsigned i = 0; i < moves; i++) fused.operands[1 + i] = move->operands[i];
    fused.operands[1 + moves] = call->operands[1];
    fused.operands[2 + moves] = call->operands[2];
    *move = fused;
    return true;
}

static void fuse_calls(MirFunction *f, MirBlock *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        MirInstr *instr = &f->code.at[b->first + i];
        if (kept && fuse_call(&f->code.at[b->first + kept - 1], instr)) continue;
        f->code.at[b->first + kept++] = *instr;
    }
    b->count = kept;
}

/* CONS before RETURN of its result, and the RESERVE of its room alone if there is one:
 * RETURN_CONS.  Nothing else is live there. */
static void fuse_return_cons(MirFunction *f, MirBlock *b)
{
    if (b->count < 2 || b->in_try) return;
    MirInstr *at = &f->code.at[b->first];
    const MirInstr *cons = &at[b->count - 2];
    const MirInstr *end = &at[b->count - 1];
    if (end->op != OP_RETURN || cons->op != OP_CONS || end->operands[1] != cons->operands[0])
        return;
    int64_t first = cons->operands[1];
    int64_t second = cons->operands[2];
    if (first >= LIMIT_INLINE_MAP || second >= LIMIT_INLINE_MAP) return;
    int64_t need = (int64_t)f->extent + 2 + LIMIT_CALL_GAP;
    CodeLive live = {.map = 1u << first | 1u << second};
    live.window = (uint16_t)((first > second ? first : second) + 2);
    MirInstr fused = {.op = OP_RETURN_CONS,
                      .pos = end->pos,
                      .operands = {0, first, second, need, code_live_pack(live)}};
    uint32_t place = b->count - 2;
    if (place && at[place - 1].op == OP_RESERVE && at[place - 1].operands[0] == need) place--;
    at[place] = fused;
    b->count = place + 1;
}

/* The load of a constant before RETURN of it. */
static void fuse_return_constant(MirFunction *f, MirBlock *b)
{
    if (b->count < 2) return;
    MirInstr *load = &f->code.at[b->first + b->count - 2];
    const MirInstr *end = load + 1;
    Opcode op = load->op == OP_LOAD_SMALL  ? OP_RETURN_SMALL
                : load->op == OP_LOAD_ATOM ? OP_RETURN_ATOM
                : load->op == OP_LOAD_LIT  ? OP_RETURN_LIT
                                           : OP_COUNT;
    if (op == OP_COUNT || end->op != OP_RETURN || end->operands[1] != load->operands[0]) return;
    MirInstr fused = *end;
    fused.op = (uint8_t)op;
    fused.operands[1] = load->operands[1];
    *load = fused;
    b->count--;
}

static const MirInstr *last_instr(const MirFunction *f, uint32_t block)
{
    const MirBlock *b = &f->blocks[block];
    return &f->code.at[b->first + b->count - 1];
}

/* The label operands of an instruction: one at most beside the cases. */
static int label_operand(const MirInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    for (int i = 0; i < info->operand_count; i++)
        if (info->operands[i] == OPERAND_LABEL || info->operands[i] == OPERAND_FAIL) return i;
    return -1;
}

static void redirect(const PeepholePlan *plan, MirInstr *instr)
{
    int label = label_operand(instr);
    if (label >= 0 && instr->operands[label] != NO_LABEL) {
        uint32_t to = plan->forward[instr->operands[label]];
        instr->operands[label] = to;
        plan->kept[to] = true;
    }
    if (instr->next) {
        instr->next = plan->forward[instr->next];
        plan->kept[instr->next] = true;
    }
    if (op_info[instr->op].list_kind != OPERAND_CASES) return;
    for (uint32_t i = 0; i < instr->list_count; i++) {
        uint8_t *at = instr->list + 8 * (size_t)i + 4;
        uint32_t to = plan->forward[code_get_u32(at)];
        code_set_u32(at, to);
        plan->kept[to] = true;
    }
}

/* How often control is sent to a block. */
static uint32_t count_entries(const MirFunction *f, const PeepholePlan *plan, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t b = 1; b < f->block_count; b++) {
        if (!plan->kept[b] || !f->blocks[b].count) continue;
        for (uint32_t i = 0; i < f->blocks[b].count; i++) {
            const MirInstr *instr = &f->code.at[f->blocks[b].first + i];
            int label = label_operand(instr);
            n += label >= 0 && instr->operands[label] == to;
            n += instr->next == to;
            if (op_info[instr->op].list_kind != OPERAND_CASES) continue;
            for (uint32_t c = 0; c < instr->list_count; c++)
                n += code_get_u32(instr->list + 8 * (size_t)c + 4) == to;
        }
    }
    return n;
}

/* ENTER, UNCONS_OR of r0, and at once the call of the function itself with the rest as its first
 * argument: LIST_CALL. */
static void fuse_list_call(MirFunction *f, const PeepholePlan *plan, uint32_t self)
{
    MirBlock *entry = &f->blocks[1];
    if (entry->count != 2 || entry->in_try) return;
    MirInstr *uncons = &f->code.at[entry->first + 1];
    if (uncons->op != OP_UNCONS_OR || uncons->operands[2] != 0 || !uncons->next) return;
    MirBlock *then = &f->blocks[uncons->next];
    if (then->in_try || then->count < 2) return;
    const MirInstr *call = &f->code.at[then->first];
    unsigned moves = call->op == OP_MOVE_CALL ? 1 : 0;
    if (!moves && call->op != OP_CALL) return;
    CodeLive live = code_live(call->operands[2 + 2 * moves]);
    if (call->operands[1 + 2 * moves] != self || uncons->operands[1] != live.window) return;
    if (count_entries(f, plan, uncons->next) != 1) return;
    int64_t head = uncons->operands[0];
    MirInstr fused = {.op = OP_LIST_CALL,
                      .pos = call->pos,
                      .next = uncons->next,
                      .operands = {0, head, moves ? call->operands[1] : head,
                                   moves ? call->operands[2] : head, uncons->operands[3],
                                   call->operands[2 + 2 * moves]}};
    *uncons = fused;
    then->first++;
    then->count--;
}

PeepholePlan peephole_function(LirFunction *lir, MirFunction *f, uint32_t self)
{
    PeepholePlan plan = {ARENA_ARRAY(lir->arena, uint32_t, f->block_count),
                         ARENA_ARRAY(lir->arena, bool, f->block_count)};
    for (uint32_t b = f->block_count; b-- > 1;) {
        plan.forward[b] = b;
        if (f->blocks[b].count != 1 || last_instr(f, b)->op != OP_JUMP) continue;
        uint32_t to = (uint32_t)last_instr(f, b)->operands[0];
        if (to > b) plan.forward[b] = plan.forward[to];
    }
    plan.kept[1] = true;
    for (uint32_t b = 1; b < f->block_count; b++) {
        MirBlock *block = &f->blocks[b];
        if (!plan.kept[b] || !block->count) continue;
        fuse_moves(f, block);
        fuse_calls(f, block);
        fuse_return_cons(f, block);
        fuse_return_constant(f, block);
        redirect(&plan, &f->code.at[block->first + block->count - 1]);
        if (block->in_try) plan.kept[lir->core->tries.at[block->in_try].handler] = true;
    }
    fuse_list_call(f, &plan, self);
    return plan;
}
