#include "compiler/core/expand_parts.h"

uint32_t scope_mark(Expand *x) { return (uint32_t)x->bindings.count; }

void scope_rewind(Expand *x, uint32_t mark)
{
    while (x->bindings.count > mark) {
        Binding *b = &VEC_POP(&x->bindings);
        x->newest[b->name] = b->previous;
    }
}

/* Names are made while a file is expanded (generated ones), so the table may have to grow. */
static void scope_reach(Expand *x, NameId name)
{
    if (name < x->newest_count) return;
    size_t room = x->c->names.count + 64;
    uint32_t *grown = ARENA_ARRAY(x->arena, uint32_t, room);
    for (size_t i = 0; i < x->newest_count; i++) grown[i] = x->newest[i];
    x->newest = grown;
    x->newest_count = room;
}

void scope_bind(Expand *x, NameId name, CoreRef ref)
{
    scope_reach(x, name);
    VEC_PUSH(&x->bindings, (Binding){name, ref, x->newest[name], x->w->depth});
    x->newest[name] = (uint32_t)(x->bindings.count - 1);
}

bool scope_knows(Expand *x, NameId name)
{
    return name < x->newest_count && x->newest[name] != 0;
}

/* What binding `b` of an outer function is within `w`. */
static CoreRef scope_capture(Expand *x, Writing *w, uint32_t b)
{
    Binding *binding = &x->bindings.at[b];
    if (binding->depth == w->depth || core_is_const(binding->ref)) return binding->ref;
    HtabValue *known = htab_find(&w->by_binding, b);
    if (known) return core_var(w->captures.at[known->num].inner);
    CoreRef outer = scope_capture(x, w->outer, b);
    if (core_is_const(outer)) return outer;
    CoreVar inner = core_var_new(w->f);
    htab_put(&w->by_binding, b, NULL)->num = w->captures.count;
    VEC_PUSH(&w->captures, (Capture){b, outer, inner});
    return core_var(inner);
}

CoreRef scope_find(Expand *x, NameId name)
{
    if (!scope_knows(x, name)) return CORE_REF_NONE;
    return scope_capture(x, x->w, x->newest[name]);
}

Writing *scope_enter(Expand *x, Term name, uint32_t arity, bool is_lifted, SrcPos pos)
{
    Writing *w = ARENA_NEW(x->arena, Writing);
    w->outer = x->w;
    w->depth = x->w ? x->w->depth + 1 : 1;
    w->index = core_function_new(x->u, name, arity, pos);
    w->f = x->u->functions.at[w->index];
    w->is_lifted = is_lifted;
    if (!is_lifted && w->outer) w->f->params[w->f->param_count++] = core_var_new(w->f);
    w->first_binding = scope_mark(x);
    VEC_IN_ARENA(&w->marked, x->arena);
    VEC_IN_ARENA(&w->captures, x->arena);
    VEC_IN_ARENA(&w->self_calls, x->arena);
    htab_init_in_arena(&w->by_binding, x->arena);
    x->w = w;
    (void)new_block(x);
    w->block = new_block(x);
    return w;
}

static void scope_unpack(Expand *x, Writing *w)
{
    CoreFunction *f = w->f;
    f->is_fun = true;
    f->is_generated = true;
    CoreVar self = f->params[f->arity];
    for (uint32_t i = 0; i < w->captures.count; i++) {
        CoreInstr *instr = core_append(x->u, f, 1, CORE_FREE_VAR, 1, f->pos);
        instr->args[0] = core_var(self);
        instr->index = i;
        instr->dst = w->captures.at[i].inner;
    }
}

static void scope_lift(Expand *x, Writing *w)
{
    CoreFunction *f = w->f;
    uint32_t more = (uint32_t)w->captures.count;
    f->is_generated = true;
    f->params =
        arena_grow(x->arena, f->params, f->arity, f->arity + more + 1, sizeof *f->params);
    for (uint32_t i = 0; i < more; i++) f->params[f->arity + i] = w->captures.at[i].inner;
    for (size_t n = 0; n < w->self_calls.count; n++) {
        CoreInstr *call = w->self_calls.at[n];
        call->args = arena_grow(x->arena, call->args, call->arg_count,
                                call->arg_count + more + 1, sizeof *call->args);
        for (uint32_t i = 0; i < more; i++)
            call->args[call->arg_count++] = core_var(w->captures.at[i].inner);
    }
    f->arity += more;
    f->param_count = f->arity;
}

void scope_leave(Expand *x)
{
    Writing *w = x->w;
    scope_rewind(x, w->first_binding);
    ASSERT(w->block == 0);
    if (w->is_lifted) {
        scope_lift(x, w);
    } else if (w->outer) {
        scope_unpack(x, w);
    }
    core_append(x->u, w->f, 1, CORE_JUMP, 0, w->f->pos)->then_ = 2;
    w->f->shown_arity =
        w->f->arity + (w->is_lifted || !w->outer ? 0 : (uint32_t)w->captures.count);
    x->w = w->outer;
}

CoreRef scope_make_fun(Expand *x, const Writing *fun, SrcPos pos)
{
    VEC_PUSH(&x->u->lambdas,
             (CoreLambda){fun->index, fun->f->arity, (uint32_t)fun->captures.count});
    uint32_t n = (uint32_t)fun->captures.count;
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_MAKE_FUN, n, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = fun->captures.at[k].outer;
    i->index = (uint32_t)(x->u->lambdas.count - 1);
    i->dst = dst;
    return core_var(dst);
}

CoreRef scope_call_lifted(Expand *x, const Writing *body, uint32_t n, const CoreRef *args,
                          SrcPos pos)
{
    uint32_t more = (uint32_t)body->captures.count;
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_CALL, n + more, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = args[k];
    for (uint32_t k = 0; k < more; k++) i->args[n + k] = body->captures.at[k].outer;
    i->index = body->index;
    i->dst = dst;
    return core_var(dst);
}

void scope_call_self(Expand *x, uint32_t n, const CoreRef *args, SrcPos pos)
{
    if (x->w->block == 0) return;
    CoreInstr *i = write_instr(x, CORE_TAIL_CALL, n, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = args[k];
    i->index = x->w->index;
    VEC_PUSH(&x->w->self_calls, i);
}

Term generated_name(Expand *x, const char *what, uint32_t number)
{
    const char *text =
        arena_printf(x->arena, "-%s/%u-%s-%u-", atom_text(x->u->atoms, x->function_name),
                     x->function_arity, what, number);
    Term name;
    size_t size = __builtin_strlen(text);
    /* A function whose name fills an atom leaves no room: its funs then go by a shorter one. */
    if (atom_put(x->u->atoms, text, size, &name) == ATOM_PUT_DONE) return name;
    return text_atom(x, arena_printf(x->arena, "-%s-%u-", what, number));
}
