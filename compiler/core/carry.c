#include "compiler/core/carry_parts.h"

/* ---- which functions start with a match ---- */

/* A context of the parameter may be moved by nothing but the code that reads it: of several
 * starts on one way, or behind a call, the later reader must begin with a seek. */
typedef struct CarryOwner {
    CoreFunction *f;
    CoreVar param;
    bool *mine;    /* by variable: a context of the parameter */
    CoreVar *at;   /* by block: whose position holds at its start; 0: nobody's */
    bool *reached; /* by block */
    CoreVar now;
    bool good;
} CarryOwner;

static void owner_pass(CarryOwner *o, CoreBlockId to, CoreVar owner)
{
    const CoreBlock *block = &o->f->blocks.at[to];
    if (block->is_loop || block->is_handler) owner = 0;
    if (o->reached[to] && o->at[to] != owner) owner = 0;
    o->at[to] = owner;
    o->reached[to] = true;
}

// NOLINTNEXTLINE(readability-non-const-parameter): as CoreVisit has it
static void owner_target(void *to, CoreBlockId *block)
{
    CarryOwner *o = to;
    owner_pass(o, *block, o->now);
}

static void owner_instr(CarryOwner *o, const CoreInstr *i)
{
    if (i->kind >= CORE_CALL && i->kind <= CORE_CALL_FUN) o->now = 0;
    if (i->arg_count == 0 || !core_is_var(i->args[0]) || !o->mine[i->args[0].n]) return;
    if (i->kind == CORE_BITS_SEEK)
        o->now = i->args[0].n;
    else if (o->now != i->args[0].n)
        o->good = false;
}

static bool owner_is_clear(Carry *c, CoreFunction *f, CoreVar param)
{
    size_t n = f->blocks.count;
    CarryOwner o = {.f = f, .param = param, .good = true};
    o.mine = ARENA_ARRAY(c->scratch, bool, (size_t)f->var_count + 1);
    o.at = ARENA_ARRAY(c->scratch, CoreVar, n);
    o.reached = ARENA_ARRAY(c->scratch, bool, n);
    for (CoreBlockId b = 1; b < n; b++) {
        const CoreInstr *last = core_last(f, b);
        if (last->kind == CORE_BITS_START && core_same(last->args[0], core_var(param)))
            o.mine[last->dst] = true;
    }
    for (CoreBlockId b = 1; b < n && o.good; b++) {
        const CoreBlock *block = &f->blocks.at[b];
        o.now = o.at[b];
        for (uint32_t k = 0; k < block->count; k++) owner_instr(&o, &block->at[k]);
        CoreInstr *last = core_last(f, b);
        core_targets(last, owner_target, &o);
        if (last->kind == CORE_BITS_START && o.mine[last->dst]) o.at[last->then_] = last->dst;
    }
    return o.good;
}

static uint32_t function_size(const CoreFunction *f)
{
    uint32_t n = 0;
    for (CoreBlockId b = 1; b < f->blocks.count; b++) n += f->blocks.at[b].count;
    return n;
}

/* Parameters that are matched as bitstrings, in functions that may be copied. */
static uint64_t find_starts(Carry *c, uint32_t function)
{
    CoreFunction *f = c->u->functions.at[function];
    uint64_t starts = 0;
    for (CoreBlockId b = 1; b < f->blocks.count; b++) {
        const CoreInstr *last = core_last(f, b);
        if (last->kind != CORE_BITS_START || !core_is_var(last->args[0])) continue;
        for (uint32_t k = 0; k < f->arity && k < 64; k++)
            if (f->params[k] == last->args[0].n) starts |= (uint64_t)1 << k;
    }
    if (starts == 0 || function_size(f) > CARRY_COPIED_MAX) return 0;
    for (uint32_t k = 0; k < 64 && starts >> k; k++) {
        ArenaMark mark = arena_mark(c->scratch);
        if ((starts >> k & 1) && !owner_is_clear(c, f, f->params[k]))
            starts &= ~((uint64_t)1 << k);
        arena_rewind(c->scratch, mark);
    }
    return starts;
}

/* ---- which copies are wanted ---- */

CarryCopy *carry_find(Carry *c, uint32_t function, uint32_t param)
{
    const HtabValue *known = htab_find(&c->known, (uint64_t)function << 8 | param);
    return known ? &c->copies.at[known->num - 1] : NULL;
}

static void carry_want(Carry *c, uint32_t function, uint32_t param, bool whole)
{
    CarryCopy *known = carry_find(c, function, param);
    if (known) {
        if (known->whole && !whole) known->whole = known->is_planned = false;
        return;
    }
    bool added;
    VEC_PUSH(&c->copies, (CarryCopy){.function = function, .param = param, .whole = whole});
    htab_put(&c->known, (uint64_t)function << 8 | param, &added)->num = c->copies.count;
}

CarryRest *carry_rest(const CarryBody *b, CoreRef r)
{
    if (!core_is_var(r) || r.n >= b->vars || !b->rest_of[r.n]) return NULL;
    return &b->rests.at[b->rest_of[r.n] - 1];
}

static bool is_once(const CoreInstr *i, uint32_t k)
{
    for (uint32_t n = 0; n < i->arg_count; n++)
        if (n != k && core_same(i->args[n], i->args[k])) return false;
    return true;
}

uint32_t carry_argument(const CarryBody *b, const CoreInstr *i)
{
    if (i->kind != CORE_CALL && i->kind != CORE_TAIL_CALL) return UINT32_MAX;
    if (i->index >= b->c->functions) return UINT32_MAX;
    uint64_t starts = b->c->starts[i->index];
    for (uint32_t k = 0; k < i->arg_count && k < 64 && starts >> k; k++) {
        if (!(starts >> k & 1)) continue;
        bool own = b->context && core_same(i->args[k], core_var(b->context));
        if ((own || carry_rest(b, i->args[k])) && is_once(i, k)) return k;
    }
    return UINT32_MAX;
}

static void find_rests(CarryBody *b)
{
    for (CoreBlockId n = 1; n < b->f->blocks.count; n++) {
        const CoreInstr *last = core_last(b->f, n);
        if (last->kind != CORE_BITS_REST) continue;
        VEC_PUSH(&b->rests,
                 (CarryRest){.context = last->args[0].n, .unit = (uint16_t)last->index});
        b->rest_of[last->dst] = (uint32_t)b->rests.count;
    }
}

/* Looks at the calls of a body: what is passed on, and to whom. */
static void find_calls(CarryBody *b)
{
    for (CoreBlockId n = 1; n < b->f->blocks.count; n++) {
        const CoreBlock *block = &b->f->blocks.at[n];
        for (uint32_t k = 0; k < block->count; k++) {
            const CoreInstr *i = &block->at[k];
            uint32_t at = carry_argument(b, i);
            if (at == UINT32_MAX) continue;
            CarryRest *rest = carry_rest(b, i->args[at]);
            if (rest) rest->is_carried = true;
            carry_want(b->c, i->index, at, rest ? rest->unit % 8 == 0 : b->whole);
        }
    }
}

static CarryBody body_of(Carry *c, uint32_t function)
{
    CarryBody b = {.c = c, .f = c->u->functions.at[function]};
    b.vars = b.f->var_count + 1;
    b.rest_of = ARENA_ARRAY(c->scratch, uint32_t, b.vars);
    VEC_IN_ARENA(&b.rests, c->scratch);
    return b;
}

/* Until no copy's calls want another copy, or another kind of it. */
static void plan_copies(Carry *c)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < c->copies.count; i++) {
            if (c->copies.at[i].is_planned) continue;
            c->copies.at[i].is_planned = again = true;
            CarryCopy copy = c->copies.at[i];
            ArenaMark mark = arena_mark(c->scratch);
            CarryBody b = body_of(c, copy.function);
            b.context = b.f->params[copy.param];
            b.whole = copy.whole;
            find_rests(&b);
            find_calls(&b);
            arena_rewind(c->scratch, mark);
        }
    }
}

/* ---- the whole ---- */

/* Does the function pass on what is left of a match? */
static bool plan_function(Carry *c, uint32_t function)
{
    ArenaMark mark = arena_mark(c->scratch);
    CarryBody b = body_of(c, function);
    bool passes = false;
    find_rests(&b);
    if (b.rests.count > 0) find_calls(&b);
    VEC_EACH (CarryRest, rest, &b.rests) passes = passes || rest->is_carried;
    arena_rewind(c->scratch, mark);
    return passes;
}

static void rewrite(Carry *c, uint32_t function, const CarryCopy *copy)
{
    ArenaMark mark = arena_mark(c->scratch);
    CarryBody b = body_of(c, function);
    if (copy) {
        b.context = b.f->params[copy->param];
        b.whole = copy->whole;
    }
    find_rests(&b);
    find_calls(&b);
    carry_rewrite(&b);
    core_tidy(c->u, b.f);
    carry_settle(c->u, b.f, c->scratch, b.whole ? b.context : 0);
    arena_rewind(c->scratch, mark);
}

static void carry_all(Carry *c, const bool *changes,
                      void (*again)(CoreUnit *u, uint32_t function))
{
    plan_copies(c);
    for (uint32_t i = 0; i < c->copies.count; i++)
        c->copies.at[i].copy = carry_copy(c, &c->copies.at[i]);
    for (uint32_t f = 0; f < c->functions; f++)
        if (changes[f]) {
            rewrite(c, f, NULL);
            again(c->u, f);
        }
    for (uint32_t i = 0; i < c->copies.count; i++) {
        rewrite(c, c->copies.at[i].copy, &c->copies.at[i]);
        again(c->u, c->copies.at[i].copy);
    }
}

void carry_unit(CoreUnit *u, void (*again)(CoreUnit *u, uint32_t function))
{
    Arena scratch;
    arena_init(&scratch, NULL, MEM_COMPILER);
    Carry c = {.u = u, .scratch = &scratch, .functions = (uint32_t)u->functions.count};
    VEC_IN_ARENA(&c.copies, &u->c->arena);
    htab_init_in_arena(&c.known, &u->c->arena);
    c.starts = ARENA_ARRAY(&scratch, uint64_t, (size_t)c.functions + 1);
    bool *changes = ARENA_ARRAY(&scratch, bool, (size_t)c.functions + 1);
    uint64_t any = 0;
    for (uint32_t f = 0; f < c.functions; f++) any |= c.starts[f] = find_starts(&c, f);
    /* The body of a fun is entered with the fun it belongs to. */
    for (size_t i = 0; i < u->lambdas.count; i++) c.starts[u->lambdas.at[i].function] = 0;
    for (uint32_t f = 0; any && f < c.functions; f++) changes[f] = plan_function(&c, f);
    if (c.copies.count > 0) carry_all(&c, changes, again);
    arena_free(&scratch);
}
