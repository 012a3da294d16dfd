#include "compiler/core/carry_parts.h"
#include "vm/term/binary.h"

#include <string.h>

/* ---- the copy ---- */

static CoreInstr instr_copy(CoreUnit *u, const CoreInstr *from)
{
    Arena *arena = &u->c->arena;
    CoreInstr to = *from;
    if (from->arg_count)
        to.args = arena_copy_bytes(arena, from->args, from->arg_count * sizeof *from->args);
    bool builds = from->kind == CORE_BITS_BUILD || from->kind == CORE_GUARD_BITS_BUILD;
    if (builds)
        to.segments =
            arena_copy_bytes(arena, from->segments, from->case_count * sizeof *from->segments);
    else if (from->case_count)
        to.cases = arena_copy_bytes(arena, from->cases, from->case_count * sizeof *from->cases);
    return to;
}

static CoreBlock block_copy(CoreUnit *u, const CoreBlock *from)
{
    Arena *arena = &u->c->arena;
    CoreBlock to = *from;
    to.at = ARENA_ARRAY(arena, CoreInstr, from->count);
    to.room = from->count;
    for (uint32_t i = 0; i < from->count; i++) to.at[i] = instr_copy(u, &from->at[i]);
    if (from->param_count)
        to.params = arena_copy_bytes(arena, from->params, from->param_count * sizeof(CoreVar));
    return to;
}

uint32_t carry_copy(Carry *c, const CarryCopy *copy)
{
    CoreUnit *u = c->u;
    const CoreFunction *from = u->functions.at[copy->function];
    CoreFunction *f = ARENA_NEW(&u->c->arena, CoreFunction);
    *f = *from;
    f->exported = false;
    f->is_generated = true;
    f->carries = copy->param + 1;
    f->params =
        arena_copy_bytes(&u->c->arena, from->params, from->param_count * sizeof(CoreVar));
    f->blocks.at = NULL;
    f->blocks.count = f->blocks.room = 0;
    f->tries.at = NULL;
    f->tries.count = f->tries.room = 0;
    for (size_t i = 0; i < from->blocks.count; i++)
        VEC_PUSH(&f->blocks, i ? block_copy(u, &from->blocks.at[i]) : (CoreBlock){0});
    for (size_t i = 0; i < from->tries.count; i++) VEC_PUSH(&f->tries, from->tries.at[i]);
    VEC_PUSH(&u->functions, f);
    return (uint32_t)(u->functions.count - 1);
}

/* ---- rewriting ---- */

/* A block being written anew. */
typedef struct CarryRow {
    CarryBody *b;
    CoreBlockId block;
    CoreVar *same;        /* by variable: the context it is another name of, or 0 */
    CoreVar *starts_with; /* by block: a context whose position is taken at its start, or 0 */
    CoreVar *into;        /* by block: the variable for that */
} CarryRow;

static CoreInstr *row_add(CarryRow *r, CoreKind kind, CoreVar context, CoreVar position,
                          SrcPos pos)
{
    CoreInstr *i = core_append(r->b->c->u, r->b->f, r->block, kind, position ? 2 : 1, pos);
    i->args[0] = core_var(context);
    if (position) i->args[1] = core_var(position);
    return i;
}

/* The context and the position that stand for a value, if it is a rest or the parameter. */
static bool row_stands_for(const CarryRow *r, CoreRef value, CoreVar *context,
                           CoreVar *position)
{
    const CarryBody *b = r->b;
    if (b->context && core_same(value, core_var(b->context))) {
        *context = b->context;
        *position = b->start;
        return true;
    }
    const CarryRest *rest = carry_rest(b, value);
    if (!rest || !rest->is_carried) return false;
    *context = r->same[rest->context] ? r->same[rest->context] : rest->context;
    *position = rest->position;
    return true;
}

static void become_jump(CoreInstr *i, CoreBlockId to)
{
    *i = (CoreInstr){.kind = CORE_JUMP, .pos = i->pos, .then_ = to};
}

/* The outcome of a test of the parameter that asks only what kind of term it is: 1 yes, 0 no, -1 it
 * asks more. */
static int kind_outcome(const CarryBody *b, const CoreInstr *i)
{
    switch ((int)i->kind) {
    case CORE_IS_BITSTRING: return 1;
    case CORE_IS_BINARY: return b->whole ? 1 : -1;
    case CORE_IS_INTEGER:
    case CORE_IS_FLOAT:
    case CORE_IS_NUMBER:
    case CORE_IS_ATOM:
    case CORE_IS_BOOLEAN:
    case CORE_IS_PID:
    case CORE_IS_PORT:
    case CORE_IS_REF:
    case CORE_IS_FUN:
    case CORE_IS_LIST:
    case CORE_IS_CONS:
    case CORE_IS_NIL:
    case CORE_IS_TUPLE:
    case CORE_IS_TUPLE_OF:
    case CORE_IS_MAP:
    case CORE_SWITCH_ATOM:
    case CORE_SWITCH_SMALL:
    case CORE_SWITCH_ARITY: return 0;
    case CORE_IS_SAME: {
        if (!core_is_const(i->args[1])) return -1;
        return term_is_bitstring(core_term(b->c->u, i->args[1])) ? -1 : 0;
    }
    default: return -1;
    }
}

static bool is_empty_binary(const CoreUnit *u, CoreRef r)
{
    if (!core_is_const(r)) return false;
    Term t = core_term(u, r);
    return term_is_bitstring(t) && binary_bits(t) == 0;
}

/* What a copy does with its parameter first; false: it wants the value. */
static bool row_own_test(CarryRow *r, CoreInstr *i)
{
    CarryBody *b = r->b;
    if (!b->context || i->arg_count == 0 || !core_same(i->args[0], core_var(b->context)))
        return false;
    if (i->kind == CORE_BITS_START) {
        row_add(r, CORE_BITS_SEEK, b->context, b->start, i->pos);
        become_jump(i, i->then_);
        return true;
    }
    if (i->kind == CORE_IS_SAME && is_empty_binary(b->c->u, i->args[1])) {
        row_add(r, CORE_BITS_SEEK, b->context, b->start, i->pos);
        i->kind = CORE_BITS_IS_END;
        i->arg_count = 1;
        return true;
    }
    int outcome = kind_outcome(b, i);
    if (outcome < 0) return false;
    become_jump(i, outcome ? i->then_ : i->else_);
    return true;
}

/* A call of the copy, or the value made for whoever wants it. */
static void row_argument(CarryRow *r, CoreInstr *i, uint32_t at, bool carried)
{
    CoreVar context;
    CoreVar position;
    if (!row_stands_for(r, i->args[at], &context, &position)) return;
    if (carried) {
        row_add(r, CORE_BITS_SEEK, context, position, i->pos);
        i->args[at] = core_var(context);
        return;
    }
    CoreInstr *tail = row_add(r, CORE_BITS_TAIL, context, position, i->pos);
    tail->dst = core_var_new(r->b->f);
    CoreRef value = i->args[at];
    for (uint32_t k = at; k < i->arg_count; k++)
        if (core_same(i->args[k], value)) i->args[k] = core_var(tail->dst);
}

/* What is left is not made into a bitstring: only where it begins is remembered. */
static void row_rest(CarryRow *r, CoreInstr *i)
{
    CarryRest *rest = carry_rest(r->b, core_var(i->dst));
    if (!rest || !rest->is_carried) return;
    r->starts_with[i->then_] = i->args[0].n;
    r->into[i->then_] = rest->position;
    i->dst = 0;
    if (rest->unit > 1)
        i->kind = CORE_BITS_IS_UNIT;
    else
        become_jump(i, i->then_);
}

static void row_instr(CarryRow *r, CoreInstr i)
{
    CarryBody *b = r->b;
    for (uint32_t k = 0; k < i.arg_count; k++)
        if (core_is_var(i.args[k]) && i.args[k].n < b->vars && r->same[i.args[k].n])
            i.args[k] = core_var(r->same[i.args[k].n]);
    bool reads = i.kind >= CORE_BITS_INT && i.kind <= CORE_BITS_TAIL;
    if (i.kind == CORE_BITS_REST) {
        row_rest(r, &i);
    } else if (!reads && !row_own_test(r, &i)) {
        uint32_t carried = carry_argument(b, &i);
        uint32_t callee = i.index;
        /* The values first: a seek must be the last thing before the call. */
        for (uint32_t k = 0; k < i.arg_count; k++)
            if (k != carried) row_argument(r, &i, k, false);
        if (carried != UINT32_MAX) {
            row_argument(r, &i, carried, true);
            i.index = carry_find(b->c, callee, carried)->copy;
        }
        if (i.kind == CORE_BITS_BUILD || i.kind == CORE_GUARD_BITS_BUILD)
            core_args_segments(&i);
    } else if (reads) {
        /* Sizes, and nothing but the context first. */
        for (uint32_t k = 1; k < i.arg_count; k++) row_argument(r, &i, k, false);
    }
    CoreInstr *at = core_append(b->c->u, b->f, r->block, (CoreKind)i.kind, 0, i.pos);
    *at = i;
}

void carry_rewrite(CarryBody *b)
{
    CoreFunction *f = b->f;
    size_t n = f->blocks.count;
    CarryRow r = {.b = b};
    r.same = ARENA_ARRAY(b->c->scratch, CoreVar, b->vars);
    r.starts_with = ARENA_ARRAY(b->c->scratch, CoreVar, n);
    r.into = ARENA_ARRAY(b->c->scratch, CoreVar, n);
    VEC_EACH (CarryRest, rest, &b->rests)
        if (rest->is_carried) rest->position = core_var_new(f);
    if (b->context) {
        b->start = core_var_new(f);
        r.starts_with[1] = b->context;
        r.into[1] = b->start;
    }
    for (CoreBlockId k = 1; b->context && k < n; k++) {
        const CoreInstr *last = core_last(f, k);
        if (last->kind == CORE_BITS_START && core_same(last->args[0], core_var(b->context)))
            r.same[last->dst] = b->context;
    }
    for (r.block = 1; r.block < n; r.block++) {
        CoreBlock *block = &f->blocks.at[r.block];
        CoreInstr *old = block->at;
        uint32_t count = block->count;
        block->at = NULL;
        block->count = block->room = 0;
        if (r.starts_with[r.block])
            row_add(&r, CORE_BITS_POSITION, r.starts_with[r.block], 0, old[0].pos)->dst =
                r.into[r.block];
        for (uint32_t k = 0; k < count; k++) row_instr(&r, old[k]);
    }
}
