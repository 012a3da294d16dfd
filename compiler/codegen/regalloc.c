#include "compiler/codegen/regalloc.h"

#include "compiler/codegen/fill.h"
#include "compiler/codegen/gap.h"
#include "compiler/codegen/hints.h"
#include "compiler/codegen/moves.h"
#include "vm/format/code.h"

#include <string.h>

#define BUSY_WORDS ((MOVES_REGISTERS + 63) / 64)

/* Registers that a window may stand above what lives. */
#define WINDOW_DRIFT 64

typedef struct Alloc {
    LirFunction *f;
    MirFunction *out;
    uint64_t busy[BUSY_WORDS];       /* registers that hold a live variable */
    uint32_t owner[MOVES_REGISTERS]; /* the variable in each busy register */
    uint32_t *home;                  /* by variable: register + 1, 0: none yet */
    /* by variable: its last use in block last_in[]; UINT32_MAX: behind it */
    uint32_t *last_at;
    uint32_t *last_in;
    Hint *hints;
    MoveSet *moves;
    uint32_t block; /* whose last uses last_at holds */
    uint32_t extent;
} Alloc;

/* ---- sets of registers ---- */

static bool is_busy(const Alloc *a, uint32_t r) { return a->busy[r / 64] >> r % 64 & 1; }

static void set_free(Alloc *a, uint32_t r) { a->busy[r / 64] &= ~((uint64_t)1 << r % 64); }

static void touch(Alloc *a, uint32_t registers)
{
    if (registers > a->extent) a->extent = registers;
}

static void occupy(Alloc *a, uint32_t var, uint32_t r)
{
    a->home[var] = r + 1;
    a->owner[r] = var;
    a->busy[r / 64] |= (uint64_t)1 << r % 64;
    touch(a, r + 1);
}

/* Too many registers is an error that is reported at the end; until then they stay in bounds. */
static uint32_t in_bounds(uint32_t r, uint32_t count)
{
    return r + count <= MOVES_REGISTERS - 1 ? r : MOVES_REGISTERS - 1 - count;
}

static uint32_t lowest_free(const Alloc *a)
{
    for (uint32_t w = 0; w < BUSY_WORDS; w++)
        if (~a->busy[w]) return in_bounds(w * 64 + (uint32_t)__builtin_ctzll(~a->busy[w]), 1);
    return MOVES_REGISTERS - 2;
}

/* One more than the highest busy register. */
static uint32_t busy_top(const Alloc *a)
{
    for (uint32_t w = BUSY_WORDS; w-- > 0;)
        if (a->busy[w]) return w * 64 + 64 - (uint32_t)__builtin_clzll(a->busy[w]);
    return 0;
}

static uint32_t home(const Alloc *a, uint32_t var)
{
    ASSERT(a->home[var] != 0);
    return a->home[var] - 1;
}

/* ---- last uses within a block ---- */

static void live_behind(Alloc *a, uint32_t block)
{
    const LirBlock *to = &a->f->blocks[block];
    for (uint32_t i = 0; i < to->live_in_count; i++) {
        a->last_in[to->live_in[i]] = a->block;
        a->last_at[to->live_in[i]] = UINT32_MAX;
    }
}

static void visit_live_behind(void *to, uint32_t block) { live_behind(to, block); }

static void find_last_uses(Alloc *a, uint32_t block)
{
    const LirBlock *b = &a->f->blocks[block];
    a->block = block;
    lower_targets(&b->at[b->count - 1], visit_live_behind, a);
    if (b->in_try) live_behind(a, a->f->core->tries.at[b->in_try].handler);
    for (uint32_t i = b->count; i-- > 0;)
        for (uint32_t k = 0; k < b->at[i].arg_count; k++) {
            uint32_t v = lir_var(b->at[i].args[k]);
            if (!v || a->last_in[v] == block) continue;
            a->last_in[v] = block;
            a->last_at[v] = i;
        }
}

/* Is the variable read in the block of find_last_uses, or behind it? */
static bool is_read(const Alloc *a, uint32_t var) { return var && a->last_in[var] == a->block; }

/* Only what is live where `block` starts is busy; its own definitions apart. */
static void enter_block(Alloc *a, uint32_t block)
{
    const LirBlock *b = &a->f->blocks[block];
    find_last_uses(a, block);
    memset(a->busy, 0, sizeof a->busy);
    for (uint32_t i = 0; i < b->live_in_count; i++)
        occupy(a, b->live_in[i], home(a, b->live_in[i]));
}

/* ---- choosing a register ---- */

/* An early guess at the window of a call in the block at hand: above all that lives across it. */
static uint32_t guess_window(Alloc *a, LirInstr *instr)
{
    if (instr->window) return instr->window;
    const LirBlock *b = &a->f->blocks[a->block];
    if (instr < b->at || instr >= b->at + b->count) return 0;
    uint32_t at = (uint32_t)(instr - b->at);
    bool calls = instr->shape == LIR_CALL;
    uint32_t window = instr->across + calls;
    for (uint32_t w = 0; w < BUSY_WORDS; w++)
        for (uint64_t bits = a->busy[w]; bits; bits &= bits - 1) {
            uint32_t r = w * 64 + (uint32_t)__builtin_ctzll(bits);
            uint32_t v = a->owner[r];
            bool lives = a->last_in[v] == a->block && a->last_at[v] > at;
            if (lives && r + 1 + calls > window) window = r + 1 + calls;
        }
    if (calls && window == 0) window = 1;
    instr->window = window;
    return window;
}

/* The register that the next use of a variable would like, or UINT32_MAX. */
static uint32_t hinted(Alloc *a, uint32_t var)
{
    for (unsigned step = 0; step < 4; step++) {
        const Hint *hint = &a->hints[var];
        switch ((HintKind)hint->kind) {
        case HINT_NONE: return UINT32_MAX;
        case HINT_REGISTER: return hint->index;
        case HINT_CALL: {
            uint32_t window = guess_window(a, hint->instr);
            if (!window && hint->instr->shape == LIR_CALL) return UINT32_MAX;
            return in_bounds(window + hint->index, 1);
        }
        case HINT_SAME:
            if (a->home[hint->index]) return a->home[hint->index] - 1;
            var = hint->index;
        }
    }
    return UINT32_MAX;
}

static uint32_t choose(Alloc *a, uint32_t var)
{
    uint32_t r = var ? hinted(a, var) : UINT32_MAX;
    if (r == UINT32_MAX || is_busy(a, r)) r = lowest_free(a);
    touch(a, r + 1);
    return r;
}

/* A register for something that nothing reads. */
static uint32_t scratch(Alloc *a, uint32_t other)
{
    uint32_t r = lowest_free(a);
    if (r == other) {
        uint64_t kept = a->busy[r / 64];
        a->busy[r / 64] |= (uint64_t)1 << r % 64;
        uint32_t second = lowest_free(a);
        a->busy[r / 64] = kept;
        r = second;
    }
    touch(a, r + 1);
    return r;
}

static bool wish_is_free(Alloc *a, uint32_t var)
{
    uint32_t r = hinted(a, var);
    return r != UINT32_MAX && !is_busy(a, r);
}

/* Registers for both results of an instruction; they are different. */
static void define(Alloc *a, const LirInstr *instr, uint32_t to[2])
{
    to[0] = to[1] = UINT32_MAX;
    /* What is read is placed first, so that a scratch register does not get in its way. */
    bool reads0 = is_read(a, instr->dst);
    bool reads1 = is_read(a, instr->dst2);
    bool second_first =
        reads0 && reads1 && !wish_is_free(a, instr->dst) && wish_is_free(a, instr->dst2);
    if (second_first) occupy(a, instr->dst2, to[1] = choose(a, instr->dst2));
    if (reads0) occupy(a, instr->dst, to[0] = choose(a, instr->dst));
    if (reads1 && !second_first) occupy(a, instr->dst2, to[1] = choose(a, instr->dst2));
    if (!reads0) to[0] = scratch(a, to[1]);
    if (!reads1 && op_info[instr->op].operands[1] == OPERAND_DST) to[1] = scratch(a, to[0]);
}

static void free_dying(Alloc *a, const LirInstr *instr)
{
    for (uint32_t i = 0; i < instr->arg_count; i++)
        if (lir_dies(instr->args[i])) set_free(a, home(a, lir_var(instr->args[i])));
}

/* ---- instructions ---- */

static MirInstr *push(Alloc *a, const LirInstr *instr, Opcode op)
{
    MirInstr mir = {.op = (uint8_t)op, .pos = instr->pos};
    VEC_PUSH(&a->out->code, mir);
    return &VEC_LAST(&a->out->code);
}

/* The LIVE operand for all busy registers; `window` 0: just above them. */
static int64_t live_operand(Alloc *a, uint32_t window)
{
    uint32_t top = busy_top(a);
    if (!window) window = top + 1;
    CodeLive live = {.window = (uint16_t)window};
    if (a->f->blocks[a->block].in_try) live.flags |= LIVE_FLAG_IN_TRY;
    if (top <= LIMIT_INLINE_MAP) {
        live.map = (uint32_t)a->busy[0];
        return code_live_pack(live);
    }
    /* The collector looks at a bit for each register below the window. */
    uint8_t bits[BUSY_WORDS * 8];
    for (uint32_t i = 0; i < sizeof bits; i++) bits[i] = (uint8_t)(a->busy[i / 8] >> i % 8 * 8);
    live.flags |= LIVE_FLAG_BIG_MAP;
    live.map = pool_map(a->f->pool, bits, (window + 6) / 8);
    return code_live_pack(live);
}

static bool has_live(Opcode op)
{
    return op == OP_RECV_NEXT || op == OP_RECV_WAIT || op == OP_RECV_WAIT_FOR;
}

/* RECV_NEXT and its kind keep what their targets need. */
static void fill_live_of_targets(Alloc *a, const LirInstr *instr, size_t at)
{
    uint32_t block = a->block;
    enter_block(a, instr->then_);
    if (instr->op == OP_RECV_WAIT_FOR) {
        const LirBlock *b = &a->f->blocks[instr->else_];
        for (uint32_t i = 0; i < b->live_in_count; i++)
            occupy(a, b->live_in[i], home(a, b->live_in[i]));
    }
    a->block = block;
    int64_t live = live_operand(a, 0);
    MirInstr *mir = &a->out->code.at[at];
    const OpInfo *info = &op_info[mir->op];
    for (unsigned i = 0; i < info->operand_count; i++)
        if (info->operands[i] == OPERAND_LIVE) mir->operands[i] = live;
}

static void alloc_plain(Alloc *a, const LirInstr *instr)
{
    uint32_t to[2];
    size_t at = a->out->code.count;
    MirInstr *mir = push(a, instr, (Opcode)instr->op);
    fill_operands(a->f, a->home, instr, mir, true);
    free_dying(a, instr);
    if (has_live((Opcode)instr->op)) {
        fill_live_of_targets(a, instr, at);
        return;
    }
    if (instr->op == OP_RESERVE) {
        mir->operands[1] = live_operand(a, 0);
        return;
    }
    bool defines = op_info[instr->op].operands[0] == OPERAND_DST;
    if (!defines) return;
    if (instr->is_test) enter_block(a, instr->then_);
    define(a, instr, to);
    fill_dst(mir, to);
}

static void alloc_load(Alloc *a, const LirInstr *instr)
{
    if (!instr->dst) return;
    uint32_t r = choose(a, instr->dst);
    occupy(a, instr->dst, r);
    moves_load(a->f->pool, a->out, r, instr->args[0], instr->pos);
}

/* How many arguments a row of registers from `base` on would need moved; UINT32_MAX: it is in
 * the way. A built-in leaves its arguments alone, so one that lives on may stay in place. */
static uint32_t row_cost(const Alloc *a, const LirInstr *instr, uint32_t base)
{
    uint32_t cost = 0;
    bool keeps = instr->shape == LIR_BIF;
    for (uint32_t i = 0; i < instr->arg_count; i++) {
        uint32_t v = lir_var(instr->args[i]);
        bool in_place = v && home(a, v) == base + i && (keeps || lir_dies(instr->args[i]));
        if (in_place) continue;
        if (is_busy(a, base + i)) return UINT32_MAX;
        cost++;
    }
    return cost;
}

/* The start of the row of registers for the arguments: not below `least`, unless a built-in
 * finds its arguments there already; few moves first, then few registers. */
static uint32_t choose_row(const Alloc *a, const LirInstr *instr, uint32_t least)
{
    uint32_t best = least;
    uint32_t best_cost = row_cost(a, instr, least);
    uint32_t low = instr->shape == LIR_CALL ? least : 0;
    for (uint32_t i = 0; i < instr->arg_count && i < 8; i++) {
        uint32_t v = lir_var(instr->args[i]);
        if (!v || home(a, v) < low + i || home(a, v) - i > least + 8) continue;
        uint32_t base = home(a, v) - i;
        uint32_t cost = row_cost(a, instr, base);
        if (cost < best_cost || (cost == best_cost && base < best)) {
            best = base;
            best_cost = cost;
        }
    }
    return in_bounds(best, instr->arg_count + 1);
}

static void move_args(Alloc *a, const LirInstr *instr, uint32_t base)
{
    for (uint32_t i = 0; i < instr->arg_count; i++) {
        if (core_is_const(instr->args[i]))
            moves_add_load(a->moves, base + i, instr->args[i]);
        else
            moves_add(a->moves, base + i, fill_arg_home(a->home, instr, i));
    }
    moves_emit(a->moves, a->f->pool, a->out, instr->pos);
    touch(a, base + instr->arg_count);
}

/* Registers from `above` on may be written only if the frame's room is made sure of; gap.c
 * decides. */
static void push_frame_check(Alloc *a, SrcPos pos, uint32_t above)
{
    MirInstr check = {.op = OP_RESERVE, .pos = pos, .above = (uint16_t)above};
    check.operands[1] = live_operand(a, 0);
    VEC_PUSH(&a->out->code, check);
}

static uint32_t busy_count(const Alloc *a)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < BUSY_WORDS; w++) n += (uint32_t)__builtin_popcountll(a->busy[w]);
    return n;
}

/* Where results live about as long as each other, each window would begin above the one before,
 * without end: a result that stands far above what lives is moved down. */
static void move_down(Alloc *a, uint32_t var, uint32_t window, SrcPos pos)
{
    if (window < WINDOW_DRIFT || window < busy_count(a) + WINDOW_DRIFT) return;
    uint32_t r = lowest_free(a);
    moves_add(a->moves, r, window);
    moves_emit(a->moves, a->f->pool, a->out, pos);
    set_free(a, window);
    occupy(a, var, r);
}

static void alloc_call(Alloc *a, const LirInstr *instr)
{
    free_dying(a, instr);
    uint32_t window = choose_row(a, instr, busy_top(a) + 1);
    move_args(a, instr, window);
    touch(a, window + 1);
    MirInstr *mir = push(a, instr, (Opcode)instr->op);
    fill_operands(a->f, a->home, instr, mir, false);
    int64_t live = live_operand(a, window);
    mir->operands[op_info[instr->op].operand_count - 1] = live;
    if (instr->dst) occupy(a, instr->dst, window);
    push_frame_check(a, instr->pos, window + 1 + LIMIT_CALL_GAP);
    if (instr->dst) move_down(a, instr->dst, window, instr->pos);
}

static void alloc_tail(Alloc *a, const LirInstr *instr)
{
    move_args(a, instr, 0);
    fill_operands(a->f, a->home, instr, push(a, instr, (Opcode)instr->op), false);
}

static void alloc_bif(Alloc *a, const LirInstr *instr)
{
    uint32_t to[2];
    free_dying(a, instr);
    uint32_t base = choose_row(a, instr, busy_top(a));
    move_args(a, instr, base);
    MirInstr *mir = push(a, instr, OP_BIF);
    fill_operands(a->f, a->home, instr, mir, false);
    mir->operands[1] = base;
    if (instr->is_test) enter_block(a, instr->then_);
    define(a, instr, to);
    mir->operands[0] = to[0];
}

/* Give the parameters of a block their registers, at the first jump to it: where the
 * arguments are, if possible. */
static void place_params(Alloc *a, const LirBlock *to, const CoreRef *args)
{
    for (uint32_t i = 0; i < to->param_count; i++) {
        uint32_t p = to->params[i];
        if (!is_read(a, p)) continue;
        if (a->home[p]) {
            occupy(a, p, home(a, p));
            continue;
        }
        uint32_t v = args ? lir_var(args[i]) : 0;
        uint32_t r = v ? home(a, v) : UINT32_MAX;
        if (r == UINT32_MAX || is_busy(a, r)) r = choose(a, p);
        occupy(a, p, r);
    }
}

static void alloc_jump(Alloc *a, const LirInstr *instr)
{
    const LirBlock *to = &a->f->blocks[instr->then_];
    uint32_t block = a->block;
    enter_block(a, instr->then_);
    place_params(a, to, instr->args);
    for (uint32_t i = 0; i < to->param_count; i++) {
        if (!is_read(a, to->params[i])) continue;
        uint32_t r = home(a, to->params[i]);
        if (core_is_const(instr->args[i]))
            moves_add_load(a->moves, r, instr->args[i]);
        else
            moves_add(a->moves, r, fill_arg_home(a->home, instr, i));
    }
    moves_emit(a->moves, a->f->pool, a->out, instr->pos);
    MirInstr *mir = push(a, instr, (Opcode)instr->op);
    fill_operands(a->f, a->home, instr, mir, false);
    a->block = block;
    if (instr->op == OP_LOOP) mir->operands[2] = live_operand(a, 0);
}

static void alloc_return(Alloc *a, const LirInstr *instr)
{
    uint32_t r = 0;
    if (core_is_const(instr->args[0])) {
        touch(a, 1);
        moves_load(a->f->pool, a->out, 0, instr->args[0], instr->pos);
    } else {
        r = fill_arg_home(a->home, instr, 0);
    }
    push(a, instr, OP_RETURN)->operands[1] = r;
}

static void alloc_instr(Alloc *a, const LirInstr *instr)
{
    switch ((LirShape)instr->shape) {
    case LIR_PLAIN: alloc_plain(a, instr); break;
    case LIR_LOAD: alloc_load(a, instr); break;
    case LIR_CALL: alloc_call(a, instr); break;
    case LIR_TAIL: alloc_tail(a, instr); break;
    case LIR_BIF: alloc_bif(a, instr); break;
    case LIR_JUMP: alloc_jump(a, instr); break;
    case LIR_RETURN: alloc_return(a, instr); break;
    }
}

/* ---- blocks ---- */

/* Class, reason and trace arrive in three neighbouring registers. */
static void place_handler(Alloc *a, const LirBlock *b, MirBlock *out)
{
    uint32_t base = 0;
    while (is_busy(a, base) || is_busy(a, base + 1) || is_busy(a, base + 2)) base++;
    base = in_bounds(base, 3);
    out->handler_base = base;
    touch(a, base + 3);
    for (uint32_t i = 0; i < b->param_count; i++)
        if (is_read(a, b->params[i])) occupy(a, b->params[i], base + i);
    push_frame_check(a, SRC_POS_NONE, base + 3);
}

static void alloc_entry(Alloc *a)
{
    const CoreFunction *core = a->f->core;
    MirInstr enter = {
        .op = OP_ENTER, .pos = core->pos, .operands = {a->f->need, core->param_count, 0}};
    VEC_PUSH(&a->out->code, enter);
    touch(a, core->param_count);
    for (uint32_t i = 0; i < core->param_count; i++)
        if (is_read(a, core->params[i])) occupy(a, core->params[i], i);
}

static void alloc_block(Alloc *a, uint32_t block)
{
    LirBlock *b = &a->f->blocks[block];
    MirBlock *out = &a->out->blocks[block];
    enter_block(a, block);
    out->first = (uint32_t)a->out->code.count;
    out->in_try = b->in_try;
    if (block == 1) alloc_entry(a);
    if (b->is_handler)
        place_handler(a, b, out);
    else
        place_params(a, b, NULL);
    for (unsigned i = 0; i < 2; i++)
        if (is_read(a, b->edge_dst[i])) occupy(a, b->edge_dst[i], home(a, b->edge_dst[i]));
    for (uint32_t i = 0; i < b->count; i++) alloc_instr(a, &b->at[i]);
    out->count = (uint32_t)a->out->code.count - out->first;
}

/* The frame's size is known now: fill it in. */
static void fill_extents(Alloc *a)
{
    VEC_EACH (MirInstr, instr, &a->out->code) {
        int operand = fill_extent_operand((Opcode)instr->op);
        if (operand >= 0) instr->operands[operand] = a->extent;
        if (instr->op != OP_ENTER && instr->op != OP_RESERVE) continue;
        /* What takes heap leaves the gap for its caller. */
        if (instr->operands[0]) instr->operands[0] += LIMIT_CALL_GAP;
        instr->operands[0] += a->extent;
    }
}

MirFunction *regalloc_function(LirFunction *f)
{
    Alloc *a = ARENA_NEW(f->arena, Alloc);
    size_t vars = (size_t)f->var_count + 1;
    a->f = f;
    a->out = ARENA_NEW(f->arena, MirFunction);
    VEC_IN_ARENA(&a->out->code, f->arena);
    a->out->blocks = ARENA_ARRAY(f->arena, MirBlock, f->block_count);
    a->out->block_count = f->block_count;
    a->home = ARENA_ARRAY(f->arena, uint32_t, vars);
    a->last_at = ARENA_ARRAY(f->arena, uint32_t, vars);
    a->last_in = ARENA_ARRAY(f->arena, uint32_t, vars);
    a->hints = hints_find(f);
    a->moves = ARENA_NEW(f->arena, MoveSet);
    for (uint32_t b = 1; b < f->block_count; b++)
        if (f->blocks[b].count) alloc_block(a, b);
    a->out->extent = a->extent;
    gap_check_frames(f, a->out);
    a->out->too_large = a->extent > LIMIT_FRAME;
    fill_extents(a);
    return a->out;
}
