#include "compiler/codegen/lower.h"

#include <string.h>

#include "compiler/codegen/floats.h"

/* State while one function is lowered. */
typedef struct Lower {
    CoreUnit *unit;
    CoreFunction *core;
    LirFunction *f;
    uint32_t *predecessors; /* how many edges lead to each block */
    bool *reached;
    const bool *floats; /* by variable: arithmetic on floats gives it */
    uint32_t block;     /* where instructions are appended */
} Lower;

/* Operands of every plain test that has one register and a jump. */
static Opcode const plain_ops[CORE_KIND_COUNT] = {
    [CORE_CONS] = OP_CONS,
    [CORE_TUPLE] = OP_TUPLE,
    [CORE_HEAD] = OP_HEAD,
    [CORE_TAIL] = OP_TAIL,
    [CORE_ELEMENT] = OP_ELEMENT,
    [CORE_SET_ELEMENTS] = OP_SET_ELEMENTS,
    [CORE_MAKE_FUN] = OP_MAKE_FUN,
    [CORE_EXPORT_FUN] = OP_EXPORT_FUN,
    [CORE_FREE_VAR] = OP_FREE_VAR,
    [CORE_MAP_PUT] = OP_MAP_PUT,
    [CORE_MAP_UPDATE] = OP_MAP_UPDATE,
    [CORE_ADD] = OP_ADD,
    [CORE_SUB] = OP_SUB,
    [CORE_MUL] = OP_MUL,
    [CORE_DIV] = OP_DIV,
    [CORE_INT_DIV] = OP_INT_DIV,
    [CORE_REM] = OP_REM,
    [CORE_BAND] = OP_BAND,
    [CORE_BOR] = OP_BOR,
    [CORE_BXOR] = OP_BXOR,
    [CORE_BSL] = OP_BSL,
    [CORE_BSR] = OP_BSR,
    [CORE_NEGATE] = OP_NEGATE,
    [CORE_BNOT] = OP_BNOT,
    [CORE_SWITCH_ATOM] = OP_SELECT_ATOM,
    [CORE_SWITCH_SMALL] = OP_SELECT_SMALL,
    [CORE_SWITCH_ARITY] = OP_SELECT_ARITY,
    [CORE_IS_INTEGER] = OP_IS_INTEGER,
    [CORE_IS_FLOAT] = OP_IS_FLOAT,
    [CORE_IS_NUMBER] = OP_IS_NUMBER,
    [CORE_IS_ATOM] = OP_IS_ATOM,
    [CORE_IS_BOOLEAN] = OP_IS_BOOLEAN,
    [CORE_IS_PID] = OP_IS_PID,
    [CORE_IS_PORT] = OP_IS_PORT,
    [CORE_IS_REF] = OP_IS_REF,
    [CORE_IS_FUN] = OP_IS_FUN,
    [CORE_IS_FUN_OF] = OP_IS_FUN_OF,
    [CORE_IS_LIST] = OP_IS_LIST,
    [CORE_IS_CONS] = OP_IS_CONS,
    [CORE_IS_NIL] = OP_IS_NIL,
    [CORE_IS_TUPLE] = OP_IS_TUPLE,
    [CORE_IS_TUPLE_OF] = OP_IS_TUPLE_OF,
    [CORE_IS_MAP] = OP_IS_MAP,
    [CORE_IS_BINARY] = OP_IS_BINARY,
    [CORE_IS_BITSTRING] = OP_IS_BITSTRING,
    [CORE_MAP_GET] = OP_MAP_GET,
    [CORE_MAP_HAS] = OP_MAP_HAS,
    [CORE_BITS_START] = OP_BITS_START,
    [CORE_BITS_FLOAT] = OP_BITS_FLOAT,
    [CORE_BITS_BINARY] = OP_BITS_BINARY,
    [CORE_BITS_REST] = OP_BITS_REST,
    [CORE_BITS_UTF] = OP_BITS_UTF,
    [CORE_BITS_SKIP_UTF] = OP_BITS_SKIP_UTF,
    [CORE_BITS_IS_END] = OP_BITS_IS_END,
    [CORE_BITS_IS_UNIT] = OP_BITS_IS_UNIT,
    [CORE_BITS_POSITION] = OP_BITS_POSITION,
    [CORE_BITS_SEEK] = OP_BITS_SEEK,
    [CORE_BITS_TAIL] = OP_BITS_TAIL,
    [CORE_BADMATCH] = OP_BADMATCH,
    [CORE_CASE_CLAUSE] = OP_CASE_CLAUSE,
    [CORE_TRY_CLAUSE] = OP_TRY_CLAUSE,
    [CORE_ELSE_CLAUSE] = OP_ELSE_CLAUSE,
    [CORE_IF_CLAUSE] = OP_IF_CLAUSE,
    [CORE_RAISE_ERROR] = OP_RAISE_ERROR,
    [CORE_RAISE] = OP_RAISE,
    [CORE_BUILD_TRACE] = OP_BUILD_TRACE,
    [CORE_CATCH_VALUE] = OP_CATCH_VALUE,
    [CORE_RECV_PEEK] = OP_RECV_PEEK,
    [CORE_RECV_ACCEPT] = OP_RECV_ACCEPT,
    [CORE_RECV_NEXT] = OP_RECV_NEXT,
    [CORE_RECV_WAIT] = OP_RECV_WAIT,
    [CORE_RECV_WAIT_FOR] = OP_RECV_WAIT_FOR,
    [CORE_RECV_MARK] = OP_RECV_MARK,
    [CORE_RECV_FROM] = OP_RECV_FROM,
};

void lower_targets(const LirInstr *last, LirVisit *visit, void *to)
{
    if (op_info[last->op].list_kind == OPERAND_CASES && last->shape == LIR_PLAIN)
        for (uint32_t i = 0; i < last->core->case_count; i++)
            visit(to, last->core->cases[i].block);
    if (last->then_) visit(to, last->then_);
    if (last->else_) visit(to, last->else_);
}

LirInstr *lower_append(LirFunction *f, uint32_t block, Opcode op, uint32_t arg_count,
                       SrcPos pos)
{
    LirBlock *b = &f->blocks[block];
    if (b->count == b->room) {
        uint32_t room = b->room ? b->room * 2 : 4;
        b->at = arena_grow(f->arena, b->at, b->count, room, sizeof *b->at);
        b->room = room;
    }
    LirInstr *instr = &b->at[b->count++];
    *instr = (LirInstr){.op = (uint8_t)op, .pos = pos, .arg_count = arg_count};
    instr->args = arg_count ? ARENA_ARRAY(f->arena, CoreRef, arg_count) : NULL;
    return instr;
}

static LirInstr *append(Lower *l, Opcode op, uint32_t arg_count, const CoreInstr *core)
{
    LirInstr *instr = lower_append(l->f, l->block, op, arg_count, core->pos);
    instr->dst = core->dst;
    instr->core = core;
    instr->is_test = (core_info[core->kind].flags & 16) != 0;
    if (instr->is_test || core_ends(core)) {
        instr->then_ = core->then_;
        instr->else_ = core->else_;
    }
    return instr;
}

static void add_imm(LirInstr *instr, uint32_t value)
{
    instr->imm[instr->imm_count++] = (int32_t)value;
}

/* The value in a virtual register: a constant is loaded into a temporary. */
static CoreRef in_register(Lower *l, CoreRef ref, SrcPos pos)
{
    if (!core_is_const(ref)) return ref;
    LirInstr *load = lower_append(l->f, l->block, OP_LOAD_LIT, 1, pos);
    load->shape = LIR_LOAD;
    load->args[0] = ref;
    load->dst = ++l->f->var_count;
    return core_var(load->dst);
}

/* All arguments in registers, then the instruction itself. */
static LirInstr *append_plain(Lower *l, Opcode op, const CoreInstr *core)
{
    CoreRef few[8];
    CoreRef *args =
        core->arg_count <= 8 ? few : ARENA_ARRAY(l->f->arena, CoreRef, core->arg_count);
    for (uint32_t i = 0; i < core->arg_count; i++)
        args[i] = i && core_same(core->args[i], core->args[i - 1])
                      ? args[i - 1]
                      : in_register(l, core->args[i], core->pos);
    LirInstr *instr = append(l, op, core->arg_count, core);
    if (core->arg_count) memcpy(instr->args, args, core->arg_count * sizeof *args);
    return instr;
}

/* Is this a constant small integer from `low` to `high`? */
static bool small_const(const Lower *l, CoreRef ref, int64_t low, int64_t high, int64_t *value)
{
    if (!core_is_const(ref)) return false;
    Term t = core_term(l->unit, ref);
    if (!term_is_small(t)) return false;
    *value = small_value(t);
    return *value >= low && *value <= high;
}

/* Operators that have a form for a constant on the right, and which constants. */
static const struct {
    Opcode op;
    int16_t low;
    int16_t high;
} small_ops[CORE_KIND_COUNT] = {
    [CORE_ADD] = {OP_ADD_SMALL, INT16_MIN, INT16_MAX},
    [CORE_SUB] = {OP_SUB_SMALL, INT16_MIN, INT16_MAX},
    [CORE_MUL] = {OP_MUL_SMALL, INT16_MIN, INT16_MAX},
    [CORE_INT_DIV] = {OP_INT_DIV_SMALL, 1, INT16_MAX},
    [CORE_REM] = {OP_REM_SMALL, 1, INT16_MAX},
    [CORE_BAND] = {OP_BAND_SMALL, INT16_MIN, INT16_MAX},
    [CORE_BSL] = {OP_BSL_SMALL, 0, 61},
    [CORE_BSR] = {OP_BSR_SMALL, 0, 61},
};

/* The forms for operands that are expected to be floats. */
static Opcode const float_ops[CORE_KIND_COUNT] = {
    [CORE_ADD] = OP_ADD_FLOATS,
    [CORE_SUB] = OP_SUB_FLOATS,
    [CORE_MUL] = OP_MUL_FLOATS,
    [CORE_DIV] = OP_DIV_FLOATS,
};

static void lower_arith(Lower *l, const CoreInstr *core)
{
    if (core->dst != 0 && l->floats[core->dst]) {
        append_plain(l, float_ops[core->kind], core);
        return;
    }
    int64_t n;
    int16_t low = small_ops[core->kind].low;
    int16_t high = small_ops[core->kind].high;
    if (low == high || !small_const(l, core->args[1], low, high, &n)) {
        append_plain(l, plain_ops[core->kind], core);
        return;
    }
    CoreRef left = in_register(l, core->args[0], core->pos);
    LirInstr *instr = append(l, small_ops[core->kind].op, 1, core);
    instr->args[0] = left;
    add_imm(instr, (uint32_t)n);
}

/* A comparison of a register with a small constant. */
static void append_compare(Lower *l, Opcode op, CoreRef ref, int64_t n, const CoreInstr *core)
{
    LirInstr *instr = append(l, op, 1, core);
    instr->args[0] = ref;
    add_imm(instr, (uint32_t)n);
}

static void lower_order(Lower *l, const CoreInstr *core)
{
    bool less = core->kind == CORE_IS_LESS;
    int64_t n;
    if (core_is_var(core->args[0]) && small_const(l, core->args[1], INT16_MIN, INT16_MAX, &n))
        append_compare(l, less ? OP_IS_LESS_SMALL : OP_IS_AT_LEAST_SMALL, core->args[0], n,
                       core);
    else if (core_is_var(core->args[1])
             && small_const(l, core->args[0], INT16_MIN, INT16_MAX, &n))
        append_compare(l, less ? OP_IS_MORE_SMALL : OP_IS_AT_MOST_SMALL, core->args[1], n,
                       core);
    else
        append_plain(l, less ? OP_IS_LESS : OP_IS_AT_LEAST, core);
}

static void lower_equal(Lower *l, const CoreInstr *core)
{
    bool exact = core->kind == CORE_IS_SAME;
    CoreRef left = core->args[0];
    CoreRef right = core->args[1];
    int64_t n;
    if (core_is_const(left) || !core_is_const(right)) {
        append_plain(l, exact ? OP_IS_SAME : OP_IS_EQUAL, core);
        return;
    }
    Term t = core_term(l->unit, right);
    if (term_is_atom(t)) {
        LirInstr *instr = append(l, OP_IS_THE_ATOM, 1, core);
        instr->args[0] = left;
        add_imm(instr, pool_atom(l->f->pool, t));
    } else if (term_is_nil(t)) {
        append(l, OP_IS_NIL, 1, core)->args[0] = left;
    } else if (exact && small_const(l, right, INT16_MIN, INT16_MAX, &n)) {
        append_compare(l, OP_IS_THE_SMALL, left, n, core);
    } else {
        append_plain(l, exact ? OP_IS_SAME : OP_IS_EQUAL, core);
    }
}

static void lower_is_record(Lower *l, const CoreInstr *core)
{
    CoreRef tuple = in_register(l, core->args[0], core->pos);
    LirInstr *instr = append(l, OP_IS_RECORD, 1, core);
    instr->args[0] = tuple;
    add_imm(instr, core->index);
    add_imm(instr, pool_atom(l->f->pool, core_term(l->unit, core->args[1])));
}

static void lower_map_build(Lower *l, const CoreInstr *core)
{
    uint32_t values = core->arg_count - 1;
    CoreRef args[64];
    CHECK(values <= 64);
    for (uint32_t i = 0; i < values; i++)
        args[i] = in_register(l, core->args[i + 1], core->pos);
    LirInstr *instr = append(l, OP_MAP_BUILD, values, core);
    memcpy(instr->args, args, values * sizeof *args);
    add_imm(instr, pool_constant(l->f->pool, core->args[0]));
}

static uint32_t bits_flags(uint32_t flags)
{
    return (flags & CORE_SEG_SIGNED ? BITS_SIGNED : 0)
           | (flags & CORE_SEG_LITTLE ? BITS_LITTLE : 0);
}

/* BITS_INT and BITS_SKIP have a form for a size that is known. */
static void lower_bits_sized(Lower *l, const CoreInstr *core)
{
    int64_t size;
    bool known = core->kind != CORE_BITS_FLOAT && core->kind != CORE_BITS_BINARY
                 && small_const(l, core->args[1], 0, 65535 / (int64_t)core->index, &size);
    LirInstr *instr;
    if (known) {
        CoreRef context = in_register(l, core->args[0], core->pos);
        instr = append(l, core->kind == CORE_BITS_INT ? OP_BITS_INT_CONST : OP_BITS_SKIP_CONST,
                       1, core);
        instr->args[0] = context;
        add_imm(instr, (uint32_t)size * core->index);
    } else {
        Opcode op = core->kind == CORE_BITS_INT    ? OP_BITS_INT
                    : core->kind == CORE_BITS_SKIP ? OP_BITS_SKIP
                                                   : plain_ops[core->kind];
        instr = append_plain(l, op, core);
        add_imm(instr, core->index);
    }
    if (core->kind == CORE_BITS_INT || core->kind == CORE_BITS_FLOAT)
        add_imm(instr, bits_flags(core->flags));
}

static void lower_bits_string(Lower *l, const CoreInstr *core)
{
    CoreRef context = in_register(l, core->args[0], core->pos);
    LirInstr *instr = append(l, OP_BITS_IS_STRING, 1, core);
    instr->args[0] = context;
    add_imm(instr, core->index);
    add_imm(instr, pool_constant(l->f->pool, core->args[1]));
}

/* A segment's arguments are its value and, unless it is a small constant or absent, its size. */
static void lower_bits_build(Lower *l, const CoreInstr *core)
{
    CoreRef *args = ARENA_ARRAY(l->f->arena, CoreRef, 2 * (size_t)core->case_count + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < core->case_count; i++) {
        const CoreSegment *s = &core->segments[i];
        int64_t size;
        args[n++] = in_register(l, s->value, s->pos);
        if (!core_is_none(s->size) && !small_const(l, s->size, 0, 65535, &size))
            args[n++] = in_register(l, s->size, s->pos);
    }
    LirInstr *instr = append(l, OP_BITS_BUILD, 0, core);
    instr->args = args;
    instr->arg_count = n;
}

static void lower_call(Lower *l, const CoreInstr *core, Opcode op, LirShape shape)
{
    uint32_t callee = core->kind == CORE_CALL_FUN || core->kind == CORE_TAIL_FUN   ? 1
                      : core->kind == CORE_CALL_DYN || core->kind == CORE_TAIL_DYN ? 2
                                                                                   : 0;
    uint32_t visible = core->arg_count - callee;
    LirInstr *instr = append(l, op, core->arg_count, core);
    instr->shape = (uint8_t)shape;
    for (uint32_t i = 0; i < visible; i++) instr->args[i] = core->args[callee + i];
    for (uint32_t i = 0; i < callee; i++) instr->args[visible + i] = core->args[i];
    switch (op) {
    case OP_CALL:
    case OP_TAIL_CALL: add_imm(instr, core->index); break;
    case OP_CALL_EXT:
    case OP_TAIL_EXT:
    case OP_BIF:
        add_imm(instr, pool_import(l->f->pool, core->module, core->name, visible));
        break;
    case OP_CALL_FUN:
    case OP_CALL_DYN:
        add_imm(instr, visible);
        add_imm(instr, 0);
        break;
    default: add_imm(instr, visible); break; /* TAIL_FUN, TAIL_DYN, FUNCTION_CLAUSE */
    }
}

/* An operator of two operands in a guard. */
static bool lower_guard_arith(Lower *l, const CoreInstr *core)
{
    static const struct {
        AtomName name;
        uint32_t op;
    } operators[] = {
        {ATOM_PLUS, ARITHMETIC_ADD},  {ATOM_MINUS, ARITHMETIC_SUB},
        {ATOM_TIMES, ARITHMETIC_MUL}, {ATOM_SLASH, ARITHMETIC_DIVIDE},
        {ATOM_DIV, ARITHMETIC_DIV},   {ATOM_REM, ARITHMETIC_REM},
        {ATOM_BAND, ARITHMETIC_BAND}, {ATOM_BOR, ARITHMETIC_BOR},
        {ATOM_BXOR, ARITHMETIC_BXOR}, {ATOM_BSL, ARITHMETIC_BSL},
        {ATOM_BSR, ARITHMETIC_BSR},
    };
    if (core->arg_count != 2 || !term_same(core->module, TERM_ATOM(ERLANG))) return false;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!term_same(core->name, atom_from(operators[i].name))) continue;
        LirInstr *instr = append_plain(l, OP_TRY_ARITHMETIC, core);
        add_imm(instr, operators[i].op);
        return true;
    }
    return false;
}

static void append_return(Lower *l, const CoreInstr *core, CoreRef value)
{
    LirInstr *instr = lower_append(l->f, l->block, OP_RETURN, 1, core->pos);
    instr->shape = LIR_RETURN;
    instr->args[0] = value;
}

/* A jump to a block that only returns is a return. */
static void lower_jump(Lower *l, const CoreInstr *core)
{
    const CoreBlock *to = &l->core->blocks.at[core->then_];
    if (to->count == 1 && to->at[0].kind == CORE_RETURN) {
        CoreRef value = to->at[0].args[0];
        for (uint32_t i = 0; i < to->param_count; i++)
            if (core_is_var(value) && to->params[i] == value.n) {
                value = core->args[i];
                break;
            }
        append_return(l, core, value);
        return;
    }
    LirInstr *instr =
        append(l, core->then_ <= l->block ? OP_LOOP : OP_JUMP, core->arg_count, core);
    instr->shape = LIR_JUMP;
    if (core->then_ <= l->block) l->f->blocks[core->then_].is_loop = true;
    if (core->arg_count) memcpy(instr->args, core->args, core->arg_count * sizeof *core->args);
}

/* Where the other half of the pair HEAD x, TAIL x stands among the first instructions of a
 * block. */
static bool find_parts(const CoreBlock *b, CoreRef cell, uint32_t *head, uint32_t *tail)
{
    *head = *tail = UINT32_MAX;
    for (uint32_t i = 0; i < b->count && i < 8; i++) {
        if (b->at[i].kind != CORE_HEAD && b->at[i].kind != CORE_TAIL) continue;
        if (!core_same(b->at[i].args[0], cell)) continue;
        if (b->at[i].kind == CORE_HEAD && *head == UINT32_MAX) *head = i;
        if (b->at[i].kind == CORE_TAIL && *tail == UINT32_MAX) *tail = i;
    }
    return *head != UINT32_MAX && *tail != UINT32_MAX;
}

/* IS_CONS whose then-block takes head and tail apart does that itself. */
static void lower_is_cons(Lower *l, const CoreInstr *core)
{
    uint32_t head;
    uint32_t tail;
    CoreBlock *then_ = &l->core->blocks.at[core->then_];
    if (l->predecessors[core->then_] != 1 || !core_is_var(core->args[0])
        || !find_parts(then_, core->args[0], &head, &tail)) {
        append_plain(l, OP_IS_CONS, core);
        return;
    }
    LirInstr *instr = append(l, OP_UNCONS_OR, 1, core);
    instr->args[0] = core->args[0];
    instr->dst = then_->at[head].dst;
    instr->dst2 = then_->at[tail].dst;
    /* The block loses them: CORE_KIND_COUNT is skipped when its turn comes. */
    then_->at[head].kind = CORE_KIND_COUNT;
    then_->at[tail].kind = CORE_KIND_COUNT;
}

/* HEAD x followed by TAIL x, or the other way round. */
static bool lower_parts(Lower *l, CoreBlock *b, uint32_t i)
{
    CoreInstr *first = &b->at[i];
    CoreInstr *second = i + 1 < b->count ? &b->at[i + 1] : NULL;
    if (!second || !core_is_var(first->args[0])) return false;
    if (second->kind != (first->kind == CORE_HEAD ? CORE_TAIL : CORE_HEAD)) return false;
    if (!core_same(first->args[0], second->args[0])) return false;
    LirInstr *instr = append(l, OP_UNCONS, 1, first);
    instr->args[0] = first->args[0];
    instr->dst = first->kind == CORE_HEAD ? first->dst : second->dst;
    instr->dst2 = first->kind == CORE_HEAD ? second->dst : first->dst;
    second->kind = CORE_KIND_COUNT;
    return true;
}

/* Instructions with constant operands that are simply in the core instruction. */
static void lower_indexed(Lower *l, const CoreInstr *core)
{
    LirInstr *instr = append_plain(l, plain_ops[core->kind], core);
    switch (core->kind) {
    case CORE_IF_CLAUSE:
    case CORE_RECV_ACCEPT: add_imm(instr, 0); break;
    case CORE_EXPORT_FUN:
        add_imm(instr, pool_import(l->f->pool, core->module, core->name, core->index));
        break;
    case CORE_BITS_UTF:
    case CORE_BITS_SKIP_UTF:
        add_imm(instr, core->index);
        add_imm(instr, bits_flags(core->flags));
        break;
    default: add_imm(instr, core->index);
    }
}

static void lower_instr(Lower *l, CoreBlock *b, uint32_t i)
{
    CoreInstr *core = &b->at[i];
    switch ((int)core->kind) {
    case CORE_KIND_COUNT: return;
    case CORE_HEAD:
    case CORE_TAIL:
        if (!lower_parts(l, b, i)) append_plain(l, plain_ops[core->kind], core);
        return;
    case CORE_ELEMENT:
    case CORE_MAKE_FUN:
    case CORE_EXPORT_FUN:
    case CORE_FREE_VAR:
    case CORE_IS_TUPLE_OF:
    case CORE_BITS_REST:
    case CORE_BITS_UTF:
    case CORE_BITS_SKIP_UTF:
    case CORE_BITS_IS_UNIT:
    case CORE_IF_CLAUSE:
    case CORE_RECV_ACCEPT: lower_indexed(l, core); return;
    case CORE_MAP_BUILD: lower_map_build(l, core); return;
    case CORE_ADD:
    case CORE_SUB:
    case CORE_MUL:
    case CORE_DIV:
    case CORE_INT_DIV:
    case CORE_REM:
    case CORE_BAND:
    case CORE_BSL:
    case CORE_BSR: lower_arith(l, core); return;
    case CORE_GUARD_BIF:
        if (lower_guard_arith(l, core)) return;
        lower_call(l, core, OP_BIF, LIR_BIF);
        return;
    case CORE_BIF: lower_call(l, core, OP_BIF, LIR_BIF); return;
    case CORE_CALL: lower_call(l, core, OP_CALL, LIR_CALL); return;
    case CORE_CALL_EXT: lower_call(l, core, OP_CALL_EXT, LIR_CALL); return;
    case CORE_CALL_DYN: lower_call(l, core, OP_CALL_DYN, LIR_CALL); return;
    case CORE_CALL_FUN: lower_call(l, core, OP_CALL_FUN, LIR_CALL); return;
    case CORE_TAIL_CALL: lower_call(l, core, OP_TAIL_CALL, LIR_TAIL); return;
    case CORE_TAIL_EXT: lower_call(l, core, OP_TAIL_EXT, LIR_TAIL); return;
    case CORE_TAIL_DYN: lower_call(l, core, OP_TAIL_DYN, LIR_TAIL); return;
    case CORE_TAIL_FUN: lower_call(l, core, OP_TAIL_FUN, LIR_TAIL); return;
    case CORE_FUNCTION_CLAUSE: lower_call(l, core, OP_FUNCTION_CLAUSE, LIR_TAIL); return;
    case CORE_JUMP: lower_jump(l, core); return;
    case CORE_RETURN: append_return(l, core, core->args[0]); return;
    case CORE_IS_CONS: lower_is_cons(l, core); return;
    case CORE_IS_RECORD: lower_is_record(l, core); return;
    case CORE_IS_SAME:
    case CORE_IS_EQUAL: lower_equal(l, core); return;
    case CORE_IS_LESS:
    case CORE_IS_AT_LEAST: lower_order(l, core); return;
    case CORE_BITS_INT:
    case CORE_BITS_FLOAT:
    case CORE_BITS_BINARY:
    case CORE_BITS_SKIP: lower_bits_sized(l, core); return;
    case CORE_BITS_IS_STRING: lower_bits_string(l, core); return;
    case CORE_BITS_BUILD:
    case CORE_GUARD_BITS_BUILD: lower_bits_build(l, core); return;
    default: append_plain(l, plain_ops[core->kind], core); return;
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): CoreVisit may change the block. */
static void count_edge(void *to, CoreBlockId *block) { ((uint32_t *)to)[*block]++; }

static void mark_reached(void *to, uint32_t block) { ((bool *)to)[block] = true; }

/* Lower one block; what it leads to is reached. */
static void lower_block(Lower *l, uint32_t block)
{
    CoreBlock *b = &l->core->blocks.at[block];
    LirBlock *to = &l->f->blocks[block];
    l->block = block;
    for (uint32_t i = 0; i < b->count; i++) lower_instr(l, b, i);
    LirInstr *last = &to->at[to->count - 1];
    if (last->is_test && last->dst + last->dst2) {
        l->f->blocks[last->then_].edge_dst[0] = last->dst;
        l->f->blocks[last->then_].edge_dst[1] = last->dst2;
    }
    lower_targets(last, mark_reached, l->reached);
    if (to->in_try) l->reached[l->core->tries.at[to->in_try].handler] = true;
}

LirFunction *lower_function(CoreUnit *unit, CoreFunction *core, CodePool *pool, Arena *arena)
{
    uint32_t n = (uint32_t)core->blocks.count;
    LirFunction *f = ARENA_NEW(arena, LirFunction);
    *f = (LirFunction){.core = core,
                       .pool = pool,
                       .arena = arena,
                       .block_count = n,
                       .var_count = core->var_count};
    f->blocks = ARENA_ARRAY(arena, LirBlock, n);
    Lower l = {.unit = unit, .core = core, .f = f};
    l.floats = floats_find(unit, core, core->var_count + 1, arena);
    l.predecessors = ARENA_ARRAY(arena, uint32_t, n);
    l.reached = ARENA_ARRAY(arena, bool, n);
    for (uint32_t i = 1; i < n; i++) {
        const CoreBlock *b = &core->blocks.at[i];
        f->blocks[i].params = b->params;
        f->blocks[i].param_count = b->param_count;
        f->blocks[i].in_try = b->in_try;
        f->blocks[i].is_handler = b->is_handler;
        if (b->count)
            core_targets(&core->blocks.at[i].at[b->count - 1], count_edge, l.predecessors);
    }
    l.reached[1] = true;
    for (uint32_t i = 1; i < n; i++)
        if (l.reached[i]) lower_block(&l, i);
    return f;
}
