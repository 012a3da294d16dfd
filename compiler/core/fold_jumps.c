#include "compiler/core/fold_parts.h"

/* Jumps that are followed at most: enough for chains of tests on one value. */
#define FOLLOW_MAX 16

/* NOLINTNEXTLINE(readability-non-const-parameter): CoreVisit may change the block. */
static void fold_count_way(void *to, CoreBlockId *block)
{
    Fold *d = to;
    d->preds[*block]++;
}

void fold_count(Fold *d)
{
    CoreFunction *f = d->f;
    d->preds = ARENA_ARRAY(d->scratch, uint32_t, f->blocks.count);
    d->is_before = ARENA_ARRAY(d->scratch, bool, f->blocks.count);
    d->preds[1] = 1;
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        core_targets(core_last(f, b), fold_count_way, d);
    for (uint32_t t = 1; t < f->tries.count; t++) {
        if (f->tries.at[t].handler == 0) continue;
        d->preds[f->tries.at[t].handler]++;
        d->is_before[f->tries.at[t].before] = true;
    }
}

/* ---- jumps to jumps ---- */

/* A block that only jumps on, without arguments. */
static CoreBlockId fold_passes_to(Fold *d, CoreBlockId b)
{
    const CoreBlock *block = &d->f->blocks.at[b];
    if (block->count != 1 || block->param_count > 0 || d->is_before[b] || block->is_handler)
        return 0;
    const CoreInstr *only = &block->at[0];
    return only->kind == CORE_JUMP && only->arg_count == 0 && only->then_ != b ? only->then_
                                                                               : 0;
}

static void fold_pass(void *to, CoreBlockId *block)
{
    Fold *d = to;
    CoreBlockId next;
    for (int n = 0; n < FOLLOW_MAX && (next = fold_passes_to(d, *block)) != 0; n++) {
        *block = next;
        d->changed = true;
    }
}

static void fold_pass_all(Fold *d)
{
    for (CoreBlockId b = 1; b < d->f->blocks.count; b++) {
        CoreInstr *last = core_last(d->f, b);
        if (core_is_test(last) && last->dst != 0) {
            fold_pass(d, &last->else_);
            continue;
        }
        core_targets(last, fold_pass, d);
    }
}

/* ---- tests of what a jump brings ---- */

const CoreInstr *fold_only_test(Fold *d, CoreBlockId b)
{
    const CoreBlock *block = &d->f->blocks.at[b];
    if (block->count != 1 || d->is_before[b] || block->is_handler) return NULL;
    const CoreInstr *only = &block->at[0];
    bool is_switch = only->kind == CORE_SWITCH_ATOM || only->kind == CORE_SWITCH_SMALL;
    if (!is_switch && !(core_is_test(only) && only->dst == 0)) return NULL;
    return only->kind == CORE_RECV_WAIT_FOR ? NULL : only;
}

static uint32_t count_arg(const CoreInstr *i, CoreVar var)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < i->arg_count; k++) n += core_same(i->args[k], core_var(var));
    return n;
}

/* Uses of `var` in a block that ends in an error. */
static uint32_t fold_uses_in_error(Fold *d, CoreBlockId b, CoreVar var)
{
    const CoreBlock *block = &d->f->blocks.at[b];
    const CoreInstr *last = &block->at[block->count - 1];
    if (last->kind < CORE_BADMATCH || last->kind > CORE_RAISE_ERROR || d->preds[b] != 1)
        return 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < block->count; i++) n += count_arg(&block->at[i], var);
    return n;
}

/* Are all uses of the parameter in the chain of tests that starts here, and in the errors behind
 * it?  Then a way that knows the value may go straight to where the tests would lead. */
static bool fold_only_tested(Fold *d, CoreBlockId b, CoreVar var)
{
    uint32_t seen = 0;
    for (int n = 0; n < FOLLOW_MAX && b != 0; n++) {
        const CoreInstr *test = fold_only_test(d, b);
        if (!test || (n > 0 && d->preds[b] != 1)) {
            seen += fold_uses_in_error(d, b, var);
            break;
        }
        uint32_t here = count_arg(test, var);
        if (here == 0) break;
        seen += here;
        if (test->then_ != 0 && !fold_only_test(d, test->then_))
            seen += fold_uses_in_error(d, test->then_, var);
        b = test->else_;
    }
    return seen == d->uses[var];
}

/* Where a constant for the only parameter of block `b` leads in the end; 0: not further than b. */
static CoreBlockId fold_follow(Fold *d, CoreBlockId b, CoreVar var, Term value)
{
    CoreBlockId to = 0;
    for (int n = 0; n < FOLLOW_MAX; n++) {
        const CoreInstr *test = fold_only_test(d, to == 0 ? b : to);
        if (!test || count_arg(test, var) == 0) break;
        CoreBlockId next = fold_outcome(d, test, var, value);
        if (next == 0) break;
        to = next;
    }
    return to != 0 && fold_uses_in_error(d, to, var) > 0 ? 0 : to;
}

static void fold_thread(Fold *d, CoreInstr *jump)
{
    if (jump->kind != CORE_JUMP || jump->arg_count != 1 || !core_is_const(jump->args[0]))
        return;
    const CoreBlock *to = &d->f->blocks.at[jump->then_];
    if (to->param_count != 1 || !fold_only_test(d, jump->then_)) return;
    CoreVar var = to->params[0];
    if (!fold_only_tested(d, jump->then_, var)) return;
    CoreBlockId target = fold_follow(d, jump->then_, var, core_term(d->u, jump->args[0]));
    if (target == 0) return;
    /* Not certain all the way: the test that is left would ask for the parameter. */
    const CoreInstr *left = fold_only_test(d, target);
    if (left && count_arg(left, var) > 0) return;
    d->preds[jump->then_]--;
    d->preds[target]++;
    jump->then_ = target;
    jump->arg_count = 0;
    d->changed = true;
}

/* A jump to a block that only returns its parameter, or a constant, returns itself. */
static void fold_return(Fold *d, CoreBlockId from, CoreInstr *jump)
{
    if (jump->kind != CORE_JUMP || d->f->blocks.at[from].in_try != 0 || d->is_before[from])
        return;
    const CoreBlock *to = &d->f->blocks.at[jump->then_];
    if (to->count != 1 || to->at[0].kind != CORE_RETURN || to->in_try != 0) return;
    CoreRef value = to->at[0].args[0];
    for (uint32_t k = 0; k < to->param_count; k++)
        if (core_same(value, core_var(to->params[k]))) value = jump->args[k];
    d->preds[jump->then_]--;
    jump->kind = CORE_RETURN;
    jump->then_ = 0;
    jump->args = ARENA_ARRAY(&d->u->c->arena, CoreRef, 1);
    jump->args[0] = value;
    jump->arg_count = 1;
    d->changed = true;
}

/* ---- one way in ---- */

static bool fold_can_join(Fold *d, CoreBlockId a, const CoreInstr *jump)
{
    CoreBlockId b = jump->then_;
    const CoreBlock *block = &d->f->blocks.at[b];
    return jump->kind == CORE_JUMP && b != a && d->preds[b] == 1 && !block->is_loop
           && !block->is_handler;
}

/* The parameters are the arguments; where both are under one handler, the blocks become one. */
static void fold_join(Fold *d, CoreBlockId a)
{
    CoreFunction *f = d->f;
    for (;;) {
        CoreInstr *jump = core_last(f, a);
        if (!fold_can_join(d, a, jump)) return;
        CoreBlockId b = jump->then_;
        CoreBlock *from = &f->blocks.at[b];
        for (uint32_t k = 0; k < from->param_count; k++)
            d->same[from->params[k]] = jump->args[k];
        from->param_count = 0;
        jump->arg_count = 0;
        if (from->in_try != f->blocks.at[a].in_try || d->is_before[a]) return;
        CoreBlock *to = &f->blocks.at[a];
        to->count--;
        if (to->count + from->count > to->room) {
            uint32_t room = (to->count + from->count) * 2;
            to->at = arena_grow(&d->u->c->arena, to->at, to->count, room, sizeof *to->at);
            to->room = room;
        }
        for (uint32_t i = 0; i < from->count; i++) to->at[to->count++] = from->at[i];
        if (d->is_before[b]) {
            d->is_before[a] = true;
            for (uint32_t t = 1; t < f->tries.count; t++)
                if (f->tries.at[t].before == b) f->tries.at[t].before = a;
        }
        from->count = 0;
        d->preds[b] = 0;
        d->changed = true;
    }
}

/* f(...) whose value is returned at once is a tail call. */
static void fold_tail_call(Fold *d, CoreBlock *block)
{
    if (block->count < 2 || block->in_try != 0) return;
    CoreInstr *last = &block->at[block->count - 1];
    CoreInstr *call = last - 1;
    if (last->kind != CORE_RETURN || call->kind < CORE_CALL || call->kind > CORE_CALL_FUN)
        return;
    if (call->dst == 0 || !core_same(last->args[0], core_var(call->dst))) return;
    call->kind = (uint8_t)(call->kind - CORE_CALL + CORE_TAIL_CALL);
    call->dst = 0;
    block->count--;
    d->changed = true;
}

static void fold_replace(Fold *d)
{
    CoreFunction *f = d->f;
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        for (uint32_t n = 0; n < f->blocks.at[b].count; n++) {
            CoreInstr *i = &f->blocks.at[b].at[n];
            for (uint32_t k = 0; k < i->arg_count; k++) i->args[k] = fold_value(d, i->args[k]);
            if (i->kind == CORE_BITS_BUILD || i->kind == CORE_GUARD_BITS_BUILD)
                core_args_segments(i);
        }
}

void fold_jumps(Fold *d)
{
    CoreFunction *f = d->f;
    fold_count(d);
    fold_pass_all(d);
    core_tidy(d->u, f);
    fold_count(d);
    for (CoreBlockId b = 1; b < f->blocks.count; b++) {
        fold_thread(d, core_last(f, b));
        fold_return(d, b, core_last(f, b));
    }
    core_tidy(d->u, f);
    fold_count(d);
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        if (f->blocks.at[b].count > 0) fold_join(d, b);
    fold_replace(d);
    for (CoreBlockId b = 1; b < f->blocks.count; b++) fold_tail_call(d, &f->blocks.at[b]);
}
