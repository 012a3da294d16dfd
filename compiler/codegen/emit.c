#include "compiler/codegen/emit.h"

#include "vm/format/code.h"

#define SELECT_MAX 65535u

/* A place in the code that holds a block number until the block's unit is known. */
typedef struct Fixup {
    uint32_t at; /* byte */
    uint32_t block;
} Fixup;

typedef struct EmitFunction {
    Emitter *e;
    LirFunction *lir;
    MirFunction *f;
    PeepholePlan plan;
    uint32_t *units; /* by block: where it starts */
    VEC(Fixup) fixups;
    VEC(ModHandler) ranges; /* target is a block for now */
} EmitFunction;

void emit_init(Emitter *e, CodePool *pool)
{
    *e = (Emitter){.pool = pool};
    bytes_init(&e->code, NULL, MEM_COMPILER);
    VEC_IN_ARENA(&e->functions, pool->arena);
    VEC_IN_ARENA(&e->handlers, pool->arena);
    VEC_IN_ARENA(&e->lines, pool->arena);
}

void emit_free(Emitter *e) { bytes_free(&e->code); }

static uint32_t unit_now(const Emitter *e) { return (uint32_t)(e->code.count / 4); }

/* From here on, positions are those of `pos`. */
static void add_line(Emitter *e, SrcPos pos)
{
    Sources *sources = &e->pool->unit->c->sources;
    uint32_t line = pos == SRC_POS_NONE ? 0 : sources_line(sources, pos);
    uint32_t file = line ? pool_file(e->pool, sources_file(sources, pos)) : 0;
    if (e->lines.count && line == e->last_line && file == e->last_file) return;
    e->last_line = line;
    e->last_file = file;
    VEC_PUSH(&e->lines, (ModLine){unit_now(e), line, file});
}

static bool needs_line(Opcode op)
{
    switch (op) {
    case OP_RETURN:
    case OP_RETURN_CONS:
    case OP_RETURN_SMALL:
    case OP_RETURN_ATOM:
    case OP_RETURN_LIT:
    case OP_LOOP:
    case OP_RESERVE: return false;
    default: break;
    }
    return (op_info[op].effects & (EFFECT_RAISES | EFFECT_CALLS)) != 0;
}

static void add_fixup(EmitFunction *ef, uint32_t at, uint32_t block)
{
    VEC_PUSH(&ef->fixups, (Fixup){at, block});
}

/* A number that a half cannot hold makes the function unusable; it becomes zero. */
static int64_t fitting(Emitter *e, OperandKind kind, int64_t value, SrcPos pos)
{
    bool half = kind == OPERAND_U16 || kind == OPERAND_ARITY;
    bool fits = kind == OPERAND_NEED ? value <= LIMIT_NEED : !half || value == (uint16_t)value;
    if (fits) return value;
    e->is_too_large = true;
    e->too_large = pos;
    return 0;
}

static void emit_plain(EmitFunction *ef, const MirInstr *mir)
{
    Emitter *e = ef->e;
    const OpInfo *info = &op_info[mir->op];
    CodeInstr instr = {.op = (Opcode)mir->op, .list_count = mir->list_count, .list = mir->list};
    uint32_t at = (uint32_t)e->code.count;
    if (needs_line(instr.op)) add_line(e, mir->pos);
    instr.list_count = (uint32_t)fitting(e, OPERAND_U16, instr.list_count, mir->pos);
    for (unsigned i = 0; i < info->operand_count && i < MIR_OPERANDS; i++) {
        instr.operands[i] =
            fitting(e, (OperandKind)info->operands[i], mir->operands[i], mir->pos);
        bool label = info->operands[i] == OPERAND_LABEL || info->operands[i] == OPERAND_FAIL;
        if (label && mir->operands[i] != NO_LABEL)
            add_fixup(ef, at + info->offsets[i], (uint32_t)mir->operands[i]);
    }
    code_encode(&instr, &e->code);
    if (info->list_kind != OPERAND_CASES) return;
    for (uint32_t i = 0; i < mir->list_count; i++)
        add_fixup(ef, at + info->fixed_bytes + 8 * i + 4,
                  code_get_u32(mir->list + 8 * (size_t)i + 4));
}

/* More cases than one instruction can have: several, each going on with the next. */
static void emit_select(EmitFunction *ef, const MirInstr *mir)
{
    uint32_t done = 0;
    while (mir->list_count - done > SELECT_MAX) {
        MirInstr part = *mir;
        part.list = mir->list + 8 * (size_t)done;
        part.list_count = SELECT_MAX;
        size_t fixups = ef->fixups.count;
        uint32_t at = (uint32_t)ef->e->code.count;
        emit_plain(ef, &part);
        /* Its first fixup is the label. */
        ASSERT(ef->fixups.at != NULL && ef->fixups.count > fixups);
        uint32_t label = ef->fixups.at[fixups].at;
        ef->fixups.at[fixups] = VEC_POP(&ef->fixups);
        bytes_patch_u32(&ef->e->code, label, unit_now(ef->e));
        ASSERT(label - at == op_info[mir->op].offsets[2]);
        (void)at;
        done += SELECT_MAX;
    }
    MirInstr rest = *mir;
    rest.list = mir->list + 8 * (size_t)done;
    rest.list_count = mir->list_count - done;
    emit_plain(ef, &rest);
}

static void emit_instr(EmitFunction *ef, const MirInstr *mir)
{
    if (mir->list_count > SELECT_MAX && op_info[mir->op].list_kind == OPERAND_CASES)
        emit_select(ef, mir);
    else
        emit_plain(ef, mir);
}

static void emit_jump(EmitFunction *ef, uint32_t to, SrcPos pos)
{
    MirInstr jump = {.op = OP_JUMP, .pos = pos, .operands = {to}};
    emit_instr(ef, &jump);
}

/* The last instruction of a block, when `following` is the block emitted next. */
static void emit_end(EmitFunction *ef, const MirInstr *mir, uint32_t following)
{
    if (mir->op == OP_JUMP && mir->operands[0] == following) return;
    if (!mir->next || mir->next == following) {
        emit_instr(ef, mir);
        return;
    }
    Opcode inverse = peephole_inverse((Opcode)mir->op);
    unsigned label = op_info[mir->op].operand_count - 1u;
    if (inverse == OP_COUNT || mir->operands[label] != following) {
        emit_instr(ef, mir);
        emit_jump(ef, mir->next, mir->pos);
        return;
    }
    MirInstr turned = *mir;
    turned.op = (uint8_t)inverse;
    turned.operands[label] = mir->next;
    emit_instr(ef, &turned);
}

/* Blocks of one try that stand together share a row. */
static void add_range(EmitFunction *ef, const MirBlock *b, uint32_t start)
{
    uint32_t end = unit_now(ef->e);
    if (!b->in_try || end == start) return;
    uint32_t handler = ef->lir->core->tries.at[b->in_try].handler;
    if (ef->ranges.count && VEC_LAST(&ef->ranges).target == handler
        && VEC_LAST(&ef->ranges).end == start) {
        VEC_LAST(&ef->ranges).end = end;
        return;
    }
    VEC_PUSH(&ef->ranges,
             (ModHandler){start, end, handler, ef->f->blocks[handler].handler_base});
}

static void emit_block(EmitFunction *ef, uint32_t block, uint32_t following)
{
    const MirBlock *b = &ef->f->blocks[block];
    uint32_t start = unit_now(ef->e);
    ef->units[block] = start;
    for (uint32_t i = 0; i + 1 < b->count; i++) emit_instr(ef, &ef->f->code.at[b->first + i]);
    emit_end(ef, &ef->f->code.at[b->first + b->count - 1], following);
    add_range(ef, b, start);
}

/* Handlers' blocks are placed behind their ranges, so a handler's base is known only now. */
static void finish(EmitFunction *ef)
{
    VEC_EACH (Fixup, fixup, &ef->fixups)
        bytes_patch_u32(&ef->e->code, fixup->at, ef->units[fixup->block]);
    VEC_EACH (ModHandler, range, &ef->ranges) {
        range->base = ef->f->blocks[range->target].handler_base;
        range->target = ef->units[range->target];
        VEC_PUSH(&ef->e->handlers, *range);
    }
}

void emit_function(Emitter *e, LirFunction *lir, MirFunction *f)
{
    EmitFunction ef = {.e = e,
                       .lir = lir,
                       .f = f,
                       .plan = peephole_function(lir, f, (uint32_t)e->functions.count)};
    VEC_IN_ARENA(&ef.fixups, lir->arena);
    VEC_IN_ARENA(&ef.ranges, lir->arena);
    ef.units = ARENA_ARRAY(lir->arena, uint32_t, f->block_count);
    const CoreFunction *core = lir->core;
    ModFunction row = {.name = pool_atom(e->pool, core->name),
                       .start = unit_now(e),
                       .arity = (uint16_t)core->param_count,
                       .extent = (uint16_t)f->extent,
                       .shown = (uint16_t)core->shown_arity,
                       .context = (uint16_t)core->carries};
    uint32_t block = 1;
    while (block < f->block_count) {
        uint32_t following = block + 1;
        while (following < f->block_count && !ef.plan.kept[following]) following++;
        emit_block(&ef, block, following);
        block = following;
    }
    finish(&ef);
    row.end = unit_now(e);
    VEC_PUSH(&e->functions, row);
}
