#include "compiler/codegen/spill_parts.h"

#include <string.h>

/* Does the instruction rely on what is known of its argument `a`, or is that no term? */
static bool relies_on(const CoreInstr *i, uint32_t a)
{
    switch ((CoreKind)i->kind) {
    case CORE_HEAD:
    case CORE_TAIL:
    case CORE_ELEMENT:
    case CORE_SET_ELEMENTS:
    case CORE_FREE_VAR:
    case CORE_MAP_GET:
    case CORE_MAP_HAS:
    case CORE_BITS_INT:
    case CORE_BITS_FLOAT:
    case CORE_BITS_BINARY:
    case CORE_BITS_REST:
    case CORE_BITS_UTF:
    case CORE_BITS_SKIP:
    case CORE_BITS_SKIP_UTF:
    case CORE_BITS_IS_END:
    case CORE_BITS_IS_UNIT:
    case CORE_BITS_IS_STRING:
    case CORE_BITS_POSITION:
    case CORE_RECV_FROM: return a == 0;
    case CORE_BITS_SEEK:
    case CORE_BITS_TAIL: return true;
    default: return false;
    }
}

/* What the value of such an instruction may become. */
static SpillKind kind_of(const CoreInstr *i)
{
    switch ((CoreKind)i->kind) {
    case CORE_BITS_START:
    case CORE_BITS_POSITION:
    case CORE_RECV_MARK: return SPILL_NEVER;
    default: return SPILL_FREELY;
    }
}

/* Instructions whose value nothing is known of. */
static bool is_opaque(const CoreInstr *i)
{
    switch ((CoreKind)i->kind) {
    case CORE_BIF:
    case CORE_CALL:
    case CORE_CALL_EXT:
    case CORE_CALL_DYN:
    case CORE_CALL_FUN:
    case CORE_FREE_VAR:
    case CORE_HEAD:
    case CORE_TAIL:
    case CORE_ELEMENT:
    case CORE_MAP_GET: return true;
    default: return false;
    }
}

typedef struct Finder {
    const CoreFunction *f;
    SpillFacts facts;
    bool *opaque; /* by variable */
    uint32_t now;
} Finder;

static void define(Finder *d, CoreVar v, SpillKind kind, bool opaque)
{
    if (!v) return;
    SpillVar *var = &d->facts.vars[v];
    if (var->kind != SPILL_NEVER || var->first_use == 0) var->kind = (uint8_t)kind;
    var->defined_at = var->last_use = d->now;
    var->first_use = UINT32_MAX;
    d->opaque[v] = opaque;
}

static void use(Finder *d, const CoreInstr *i, uint32_t a)
{
    SpillVar *var = &d->facts.vars[i->args[a].n];
    if (var->first_use == UINT32_MAX) var->first_use = d->now;
    var->last_use = d->now;
    if (relies_on(i, a) && var->kind != SPILL_NEVER)
        var->kind = (uint8_t)(d->opaque[i->args[a].n] ? SPILL_UNTESTED : SPILL_NEVER);
}

/* A parameter that may get what is no term is none either.  `first_use` 1 tells define() so. */
static void pass_on(Finder *d, const CoreInstr *jump)
{
    const CoreBlock *to = &d->f->blocks.at[jump->then_];
    for (uint32_t a = 0; a < jump->arg_count && a < to->param_count; a++) {
        CoreRef arg = jump->args[a];
        if (!core_is_var(arg)) continue;
        const SpillVar *from = &d->facts.vars[arg.n];
        if (from->kind != SPILL_NEVER || from->defined_at == 0) continue;
        SpillVar *param = &d->facts.vars[to->params[a]];
        param->kind = SPILL_NEVER;
        param->first_use = param->first_use ? param->first_use : 1;
    }
}

static void find_in_block(Finder *d, uint32_t b)
{
    const CoreBlock *block = &d->f->blocks.at[b];
    d->facts.start[b] = d->now;
    if (block->param_count > SPILL_GROUP && !block->is_handler) d->facts.is_wide_joint = true;
    for (uint32_t i = 0; i < block->param_count; i++)
        define(d, block->params[i], block->is_handler ? SPILL_NEVER : SPILL_FREELY, false);
    for (uint32_t i = 0; i < block->count; i++, d->now++) {
        const CoreInstr *instr = &block->at[i];
        for (uint32_t a = 0; a < instr->arg_count; a++)
            if (core_is_var(instr->args[a])) use(d, instr, a);
        if (instr->kind == CORE_JUMP) pass_on(d, instr);
        define(d, instr->dst, kind_of(instr), is_opaque(instr));
    }
}

/* What is known of a parameter is known of all that is passed for it.  From the last block to the
 * first, since parameters are passed on. */
static void pass_back(Finder *d)
{
    for (uint32_t b = (uint32_t)d->f->blocks.count; b-- > 1;) {
        const CoreBlock *block = &d->f->blocks.at[b];
        if (block->count == 0 || block->at[block->count - 1].kind != CORE_JUMP) continue;
        const CoreInstr *jump = &block->at[block->count - 1];
        const CoreBlock *to = &d->f->blocks.at[jump->then_];
        for (uint32_t a = 0; a < jump->arg_count && a < to->param_count; a++)
            if (core_is_var(jump->args[a]) && d->facts.vars[to->params[a]].kind == SPILL_NEVER)
                d->facts.vars[jump->args[a].n].kind = SPILL_NEVER;
    }
}

/* The most lives that cross one instruction. */
static uint32_t most_at_once(const Finder *d, Arena *arena)
{
    int32_t *change = ARENA_ARRAY(arena, int32_t, (size_t)d->now + 2);
    for (CoreVar v = 1; v <= d->f->var_count; v++) {
        const SpillVar *var = &d->facts.vars[v];
        if (var->last_use == var->defined_at) continue;
        change[var->defined_at]++;
        change[var->last_use]--;
    }
    int32_t at_once = 0;
    int32_t most = 0;
    for (uint32_t i = 1; i <= d->now; i++) {
        at_once += change[i];
        if (at_once > most) most = at_once;
    }
    return (uint32_t)most;
}

SpillFacts spill_find(const CoreFunction *f, Arena *arena)
{
    Finder d = {.f = f, .now = 1};
    size_t vars = (size_t)f->var_count + 1;
    d.facts.vars = ARENA_ARRAY(arena, SpillVar, vars);
    d.facts.start = ARENA_ARRAY(arena, uint32_t, f->blocks.count + 1);
    d.opaque = ARENA_ARRAY(arena, bool, vars);
    for (uint32_t i = 0; i < f->param_count; i++)
        define(&d, f->params[i], i + 1 == f->carries ? SPILL_NEVER : SPILL_FREELY, false);
    for (uint32_t b = 1; b < f->blocks.count; b++) find_in_block(&d, b);
    pass_back(&d);
    d.facts.most = most_at_once(&d, arena);
    return d.facts;
}

/* ---- joints ---- */

static CoreInstr *append(Arena *arena, CoreBlock *b, CoreKind kind, uint32_t args, SrcPos pos)
{
    CoreInstr *i = &b->at[b->count++];
    *i = (CoreInstr){.kind = (uint8_t)kind, .pos = pos, .arg_count = args};
    i->args = ARENA_ARRAY(arena, CoreRef, args + 1);
    return i;
}

/* In front of a jump its arguments are put into tuples. */
static void narrow_jump(CoreFunction *f, Arena *arena, uint32_t block)
{
    CoreBlock *b = &f->blocks.at[block];
    CoreInstr jump = b->at[b->count - 1];
    uint32_t groups = (jump.arg_count + SPILL_GROUP - 1) / SPILL_GROUP;
    CoreInstr *at = ARENA_ARRAY(arena, CoreInstr, b->count + groups);
    memcpy(at, b->at, (b->count - 1) * sizeof *at);
    b->at = at;
    b->count--;
    b->room = b->count + groups + 1;
    CoreRef *tuples = ARENA_ARRAY(arena, CoreRef, groups);
    for (uint32_t g = 0, a = 0; g < groups; g++) {
        uint32_t n = jump.arg_count - a < SPILL_GROUP ? jump.arg_count - a : SPILL_GROUP;
        CoreInstr *tuple = append(arena, b, CORE_TUPLE, n, jump.pos);
        for (uint32_t i = 0; i < n; i++) tuple->args[i] = jump.args[a++];
        tuple->dst = core_var_new(f);
        tuples[g] = core_var(tuple->dst);
    }
    jump.args = tuples;
    jump.arg_count = groups;
    b->at[b->count++] = jump;
}

/* The parameters are taken out of the tuples that come now. */
static void narrow_block(CoreFunction *f, Arena *arena, uint32_t block)
{
    CoreBlock *b = &f->blocks.at[block];
    uint32_t n = b->param_count;
    uint32_t groups = (n + SPILL_GROUP - 1) / SPILL_GROUP;
    const CoreInstr *old = b->at;
    uint32_t old_count = b->count;
    ASSERT(old != NULL);
    CoreVar *params = ARENA_ARRAY(arena, CoreVar, groups);
    for (uint32_t g = 0; g < groups; g++) params[g] = core_var_new(f);
    b->at = ARENA_ARRAY(arena, CoreInstr, old_count + n);
    b->room = old_count + n;
    b->count = 0;
    for (uint32_t i = 0; i < n; i++) {
        CoreInstr *element = append(arena, b, CORE_ELEMENT, 1, old[0].pos);
        element->args[0] = core_var(params[i / SPILL_GROUP]);
        element->index = i % SPILL_GROUP;
        element->dst = b->params[i];
    }
    memcpy(&b->at[b->count], old, old_count * sizeof *old);
    b->count += old_count;
    b->params = params;
    b->param_count = groups;
}

static bool is_wide(const CoreBlock *b)
{
    return b->param_count > SPILL_GROUP && !b->is_handler && !b->is_loop;
}

void spill_narrow_joints(CoreFunction *f, Arena *arena)
{
    uint32_t n = (uint32_t)f->blocks.count;
    for (uint32_t b = 1; b < n; b++) {
        const CoreInstr *last = core_last(f, b);
        if (last && last->kind == CORE_JUMP && is_wide(&f->blocks.at[last->then_]))
            narrow_jump(f, arena, b);
    }
    for (uint32_t b = 1; b < n; b++)
        if (is_wide(&f->blocks.at[b])) narrow_block(f, arena, b);
}
