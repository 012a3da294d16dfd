#include "compiler/codegen/fill.h"

#include "vm/format/code.h"

#include <stdlib.h>

static void fill_half(uint8_t *list, uint32_t i, uint32_t value)
{
    code_set_u16(list + 2 * (size_t)i, (uint16_t)value);
}

uint32_t fill_arg_home(const uint32_t *homes, const LirInstr *instr, uint32_t i)
{
    uint32_t var = lir_var(instr->args[i]);
    ASSERT(homes[var] != 0);
    return homes[var] - 1;
}

static void fill_segments(const LirFunction *f, const uint32_t *homes, const LirInstr *instr,
                          MirInstr *mir)
{
    static const uint8_t types[] = {BITS_TYPE_INTEGER, BITS_TYPE_FLOAT, BITS_TYPE_BINARY,
                                    BITS_TYPE_UTF8,    BITS_TYPE_UTF16, BITS_TYPE_UTF32};
    const CoreInstr *core = instr->core;
    mir->list_count = core->case_count;
    mir->list = ARENA_ARRAY(f->arena, uint8_t, (size_t)core->case_count * 8 + 1);
    for (uint32_t i = 0, arg = 0; i < core->case_count; i++) {
        const CoreSegment *s = &core->segments[i];
        uint32_t flags = types[s->type];
        uint32_t size = 0;
        if (s->flags & CORE_SEG_SIGNED) flags |= BITS_SIGNED;
        if (s->flags & CORE_SEG_LITTLE) flags |= BITS_LITTLE;
        uint32_t value = fill_arg_home(homes, instr, arg++);
        if (core_is_none(s->size)) {
            flags |= s->type == CORE_SEG_BITS ? BITS_SIZE_ALL : BITS_SIZE_CONST;
        } else if (core_is_const(s->size) && term_is_small(core_term(f->pool->unit, s->size))
                   && (uint64_t)small_value(core_term(f->pool->unit, s->size)) <= 65535) {
            flags |= BITS_SIZE_CONST;
            size = (uint32_t)small_value(core_term(f->pool->unit, s->size));
        } else {
            size = fill_arg_home(homes, instr, arg++);
        }
        fill_half(mir->list, 4 * i, flags);
        fill_half(mir->list, 4 * i + 1, value);
        fill_half(mir->list, 4 * i + 2, size);
        fill_half(mir->list, 4 * i + 3, s->unit);
    }
}

/* Keys become the file's numbers here, in ascending order of those. */
static int fill_compare_cases(const void *x, const void *y)
{
    uint32_t a = code_get_u32(x);
    uint32_t b = code_get_u32(y);
    return (a > b) - (a < b);
}

static void fill_cases(const LirFunction *f, const LirInstr *instr, MirInstr *mir)
{
    const CoreInstr *core = instr->core;
    mir->list_count = core->case_count;
    mir->list = ARENA_ARRAY(f->arena, uint8_t, (size_t)core->case_count * 8 + 1);
    for (uint32_t i = 0; i < core->case_count; i++) {
        Term key = core->cases[i].key;
        uint32_t number =
            term_is_atom(key) ? pool_atom(f->pool, key) : (uint32_t)small_value(key);
        code_set_u32(mir->list + 8 * (size_t)i, number);
        code_set_u32(mir->list + 8 * (size_t)i + 4, core->cases[i].block);
    }
    if (core->kind == CORE_SWITCH_ATOM)
        qsort(mir->list, core->case_count, 8, fill_compare_cases);
}

/* The list of an instruction; `first` is the argument it begins with. */
static void fill_list(const LirFunction *f, const uint32_t *homes, const LirInstr *instr,
                      MirInstr *mir, uint32_t first)
{
    OperandKind kind = (OperandKind)op_info[instr->op].list_kind;
    if (kind == OPERAND_SEGMENTS) {
        fill_segments(f, homes, instr, mir);
        return;
    }
    if (kind == OPERAND_CASES) {
        fill_cases(f, instr, mir);
        return;
    }
    uint32_t n = instr->arg_count - first;
    mir->list_count = n;
    mir->list = ARENA_ARRAY(f->arena, uint8_t, (size_t)n * 4 + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (kind == OPERAND_PAIRS) fill_half(mir->list, 2 * i, instr->core->indexes[i]);
        fill_half(mir->list, kind == OPERAND_PAIRS ? 2 * i + 1 : i,
                  fill_arg_home(homes, instr, first + i));
    }
}

int fill_extent_operand(Opcode op)
{
    switch (op) {
    case OP_BITS_BUILD: return 1;
    case OP_BIF:
    case OP_MAP_PUT:
    case OP_MAP_UPDATE:
    case OP_ENTER: return 2;
    default: return -1;
    }
}

void fill_operands(const LirFunction *f, const uint32_t *homes, const LirInstr *instr,
                   MirInstr *mir, bool takes_srcs)
{
    const OpInfo *info = &op_info[mir->op];
    uint32_t arg = 0;
    uint32_t imm = 0;
    for (unsigned i = 0; i < info->operand_count; i++) {
        OperandKind kind = (OperandKind)info->operands[i];
        if (info->list_kind && i == info->count_operand) continue;
        if ((int)i == fill_extent_operand((Opcode)mir->op)) continue;
        if (mir->op == OP_BIF && i == 1) continue;
        switch (kind) {
        case OPERAND_DST:
        case OPERAND_LIVE:
        case OPERAND_WEIGHT: break;
        case OPERAND_SRC:
            if (takes_srcs) mir->operands[i] = fill_arg_home(homes, instr, arg++);
            break;
        case OPERAND_LABEL:
            mir->operands[i] = mir->op == OP_JUMP || mir->op == OP_LOOP
                                       || mir->op == OP_RECV_NEXT || mir->op == OP_RECV_WAIT
                                       || mir->op == OP_RECV_WAIT_FOR
                                   ? instr->then_
                                   : instr->else_;
            break;
        case OPERAND_FAIL: mir->operands[i] = instr->is_test ? instr->else_ : NO_LABEL; break;
        case OPERAND_SRCS:
        case OPERAND_PAIRS:
        case OPERAND_SEGMENTS:
        case OPERAND_CASES: fill_list(f, homes, instr, mir, arg); break;
        case OPERAND_S16:
        case OPERAND_I32: mir->operands[i] = instr->imm[imm++]; break;
        default: mir->operands[i] = (uint32_t)instr->imm[imm++];
        }
    }
    if (instr->is_test) mir->next = mir->op == OP_RECV_WAIT_FOR ? instr->else_ : instr->then_;
}

void fill_dst(MirInstr *mir, const uint32_t to[2])
{
    const OpInfo *info = &op_info[mir->op];
    unsigned n = 0;
    for (unsigned i = 0; i < info->operand_count && n < 2; i++)
        if (info->operands[i] == OPERAND_DST) mir->operands[i] = to[n++];
}
