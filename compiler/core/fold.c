#include "compiler/core/fold_parts.h"

/* Rounds of simplification: what the third one still finds is not worth a fourth. */
#define ROUNDS_MAX 3

CoreRef fold_value(Fold *d, CoreRef r)
{
    CoreRef to = r;
    while (core_is_var(to) && to.n < d->vars && !core_is_none(d->same[to.n]))
        to = d->same[to.n];
    while (core_is_var(r) && r.n < d->vars && !core_is_none(d->same[r.n])) {
        CoreRef next = d->same[r.n];
        d->same[r.n] = to;
        r = next;
    }
    return to;
}

static void fold_args(Fold *d, CoreInstr *i)
{
    for (uint32_t k = 0; k < i->arg_count; k++) i->args[k] = fold_value(d, i->args[k]);
    if (i->kind == CORE_BITS_BUILD || i->kind == CORE_GUARD_BITS_BUILD) core_args_segments(i);
    if ((i->kind == CORE_IS_SAME || i->kind == CORE_IS_EQUAL) && core_is_const(i->args[0])) {
        CoreRef constant = i->args[0];
        i->args[0] = i->args[1];
        i->args[1] = constant;
    }
}

/* Constants and known structure, in one walk in an order in which definitions come first. */
static void fold_walk(Fold *d)
{
    CoreFunction *f = d->f;
    for (CoreBlockId b = 1; b < f->blocks.count; b++) {
        CoreBlock *block = &f->blocks.at[b];
        uint32_t kept = 0;
        fold_known_enter(d, b);
        for (uint32_t n = 0; n < block->count; n++) {
            CoreInstr *i = &block->at[n];
            fold_args(d, i);
            CoreRef value = core_ends(i) ? CORE_REF_NONE : fold_instr(d, i);
            if (!core_is_none(value)) {
                d->same[i->dst] = value;
                d->changed = true;
                continue;
            }
            if (core_ends(i)) fold_branch(d, i);
            if (kept != n) block->at[kept] = *i;
            if (block->at[kept].dst != 0) d->def[block->at[kept].dst] = &block->at[kept];
            kept++;
        }
        block->count = kept;
        fold_known_leave(d, b);
    }
}

/* A parameter that gets the same value on every way in is that value. */
static void fold_params(Fold *d)
{
    CoreFunction *f = d->f;
    uint32_t n = (uint32_t)f->blocks.count;
    CoreRef **common = ARENA_ARRAY(d->scratch, CoreRef *, n);
    bool **differs = ARENA_ARRAY(d->scratch, bool *, n);
    for (CoreBlockId b = 1; b < n; b++) {
        CoreInstr *last = core_last(f, b);
        if (last->kind != CORE_JUMP || last->arg_count == 0) continue;
        CoreBlockId to = last->then_;
        if (!common[to]) {
            common[to] = ARENA_ARRAY(d->scratch, CoreRef, last->arg_count);
            differs[to] = ARENA_ARRAY(d->scratch, bool, last->arg_count);
        }
        for (uint32_t k = 0; k < last->arg_count; k++) {
            CoreRef arg = last->args[k];
            if (core_same(arg, core_var(f->blocks.at[to].params[k]))) continue;
            if (core_is_none(common[to][k]))
                common[to][k] = arg;
            else if (!core_same(common[to][k], arg))
                differs[to][k] = true;
        }
    }
    for (CoreBlockId b = 1; b < n; b++)
        for (uint32_t k = 0; common[b] && k < f->blocks.at[b].param_count; k++) {
            CoreVar param = f->blocks.at[b].params[k];
            if (differs[b][k] || core_is_none(common[b][k]) || !core_is_none(d->same[param]))
                continue;
            d->same[param] = common[b][k];
            d->changed = true;
        }
}

/* ---- what nobody uses ---- */

static void fold_count_uses(Fold *d)
{
    CoreFunction *f = d->f;
    for (uint32_t v = 0; v < d->vars; v++) d->uses[v] = 0;
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        for (uint32_t n = 0; n < f->blocks.at[b].count; n++) {
            CoreInstr *i = &f->blocks.at[b].at[n];
            for (uint32_t k = 0; k < i->arg_count; k++)
                if (core_is_var(i->args[k])) d->uses[i->args[k].n]++;
        }
}

static void fold_unuse(Fold *d, CoreRef r)
{
    if (core_is_var(r)) d->uses[r.n]--;
}

/* Keep only the arguments whose parameters live; `dead` is of the target. */
static void fold_drop_args(Fold *d, CoreInstr *jump, const bool *dead)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < jump->arg_count; k++) {
        if (dead[k]) {
            fold_unuse(d, jump->args[k]);
        } else {
            jump->args[kept++] = jump->args[k];
        }
    }
    jump->arg_count = kept;
}

static bool *fold_dead_params(Fold *d, CoreBlock *block)
{
    bool any = false;
    if (block->param_count == 0 || block->is_handler) return NULL;
    for (uint32_t k = 0; k < block->param_count; k++)
        any = any || d->uses[block->params[k]] == 0;
    if (!any) return NULL;
    bool *dead = ARENA_ARRAY(d->scratch, bool, block->param_count);
    uint32_t kept = 0;
    for (uint32_t k = 0; k < block->param_count; k++) {
        dead[k] = d->uses[block->params[k]] == 0;
        if (!dead[k]) block->params[kept++] = block->params[k];
    }
    block->param_count = kept;
    return dead;
}

static bool fold_is_dead(const Fold *d, const CoreInstr *i)
{
    return (core_info[i->kind].flags & CORE_FLAG_PURE) && (i->dst == 0 || d->uses[i->dst] == 0);
}

static bool fold_may_forget(const CoreInstr *i)
{
    return i->kind >= CORE_ADD && i->kind <= CORE_CALL_FUN;
}

/* From the end to the start: a use is gone before its definition is looked at. */
static void fold_sweep(Fold *d)
{
    CoreFunction *f = d->f;
    bool **dead = ARENA_ARRAY(d->scratch, bool *, f->blocks.count);
    fold_count_uses(d);
    for (CoreBlockId b = (CoreBlockId)f->blocks.count - 1; b >= 1; b--) {
        CoreBlock *block = &f->blocks.at[b];
        uint32_t from = block->count;
        for (uint32_t n = block->count; n > 0; n--) {
            CoreInstr *i = &block->at[n - 1];
            if (i->kind == CORE_JUMP && dead[i->then_]) fold_drop_args(d, i, dead[i->then_]);
            if (fold_is_dead(d, i)) {
                for (uint32_t k = 0; k < i->arg_count; k++) fold_unuse(d, i->args[k]);
                d->changed = true;
                continue;
            }
            if (fold_may_forget(i) && i->dst != 0 && d->uses[i->dst] == 0) i->dst = 0;
            if (--from != n - 1) block->at[from] = *i;
        }
        for (uint32_t n = from; n < block->count && from > 0; n++)
            block->at[n - from] = block->at[n];
        block->count -= from;
        dead[b] = fold_dead_params(d, block);
    }
}

/* ---- the whole ---- */

static void fold_function(CoreUnit *u, uint32_t index, Arena *scratch)
{
    CoreFunction *f = u->functions.at[index];
    core_tidy(u, f);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        ArenaMark mark = arena_mark(scratch);
        Fold d = {.u = u, .f = f, .index = index, .scratch = scratch, .vars = f->var_count + 1};
        d.same = ARENA_ARRAY(scratch, CoreRef, d.vars);
        d.def = ARENA_ARRAY(scratch, const CoreInstr *, d.vars);
        d.uses = ARENA_ARRAY(scratch, uint32_t, d.vars);
        d.known = ARENA_ARRAY(scratch, Known *, f->blocks.count);
        fold_count(&d);
        fold_params(&d);
        fold_walk(&d);
        fold_count_uses(&d);
        fold_jumps(&d);
        core_tidy(u, f);
        fold_sweep(&d);
        arena_rewind(scratch, mark);
        if (!d.changed) break;
    }
}

void fold_unit(CoreUnit *u)
{
    Arena scratch;
    arena_init(&scratch, NULL, MEM_COMPILER);
    for (uint32_t i = 0; i < u->functions.count; i++) fold_function(u, i, &scratch);
    arena_free(&scratch);
}

void fold_again(CoreUnit *u, uint32_t function)
{
    Arena scratch;
    arena_init(&scratch, NULL, MEM_COMPILER);
    fold_function(u, function, &scratch);
    arena_free(&scratch);
}
