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

/* ---- passing captured values ---- */

/* So many values are passed as they are; more go in tuples, and the tuples in tuples. */
#define CAPTURES_MAX 100

/* What is passed for `n` captured values. */
static uint32_t captures_passed(uint32_t n)
{
    while (n > CAPTURES_MAX) n = (n + CORE_WIDE_MAX - 1) / CORE_WIDE_MAX;
    return n;
}

/* From outside: the values to pass, captures_passed() of them. */
static CoreRef *captures_pack(Expand *x, const Writing *w, SrcPos pos)
{
    uint32_t n = (uint32_t)w->captures.count;
    CoreRef *values = ARENA_ARRAY(x->arena, CoreRef, n + 1);
    for (uint32_t i = 0; i < n; i++) values[i] = w->captures.at[i].outer;
    while (n > CAPTURES_MAX) {
        uint32_t groups = 0;
        for (uint32_t i = 0; i < n; i += CORE_WIDE_MAX) {
            uint32_t size = n - i < CORE_WIDE_MAX ? n - i : CORE_WIDE_MAX;
            values[groups++] = write_tuple(x, values + i, size, pos);
        }
        n = groups;
    }
    return values;
}

/* At the start of the function: element `index` from 0 of a tuple that nothing is known of. */
static void unpack_element(Expand *x, CoreFunction *f, CoreVar tuple, uint32_t index,
                           CoreVar to)
{
    CoreInstr *i = core_append(x->u, f, 1, CORE_BIF, 2, f->pos);
    i->module = TERM_ATOM(ERLANG);
    i->name = text_atom(x, "element");
    i->args[0] = const_small(x, index + 1);
    i->args[1] = core_var(tuple);
    i->dst = to;
}

/* The variables of `n` values on one level; the last level are the captured variables. */
static CoreVar *captures_level(Expand *x, const Writing *w, uint32_t n)
{
    bool last = n == w->captures.count;
    CoreVar *vars = ARENA_ARRAY(x->arena, CoreVar, n + 1);
    for (uint32_t i = 0; i < n; i++)
        vars[i] = last ? w->captures.at[i].inner : core_var_new(w->f);
    return vars;
}

/* Inside: the variables in which the values arrive. */
static CoreVar *captures_arrive(Expand *x, Writing *w)
{
    return captures_level(x, w, captures_passed((uint32_t)w->captures.count));
}

/* Inside: take the values out of the tuples that have arrived. */
static void captures_unpack(Expand *x, Writing *w, const CoreVar *vars)
{
    uint32_t sizes[8]; /* of the levels, the captured variables first */
    uint32_t levels = 0;
    uint32_t n = (uint32_t)w->captures.count;
    for (; n > CAPTURES_MAX; n = (n + CORE_WIDE_MAX - 1) / CORE_WIDE_MAX) sizes[levels++] = n;
    while (levels > 0) {
        uint32_t size = sizes[--levels];
        CoreVar *parts = captures_level(x, w, size);
        for (uint32_t i = 0; i < size; i++)
            unpack_element(x, w->f, vars[i / CORE_WIDE_MAX], i % CORE_WIDE_MAX, parts[i]);
        vars = parts;
    }
}

static void scope_unpack(Expand *x, Writing *w)
{
    CoreFunction *f = w->f;
    f->is_fun = true;
    f->is_generated = true;
    CoreVar self = f->params[f->arity];
    const CoreVar *vars = captures_arrive(x, w);
    for (uint32_t i = 0; i < captures_passed((uint32_t)w->captures.count); i++) {
        CoreInstr *instr = core_append(x->u, f, 1, CORE_FREE_VAR, 1, f->pos);
        instr->args[0] = core_var(self);
        instr->index = i;
        instr->dst = vars[i];
    }
    captures_unpack(x, w, vars);
}

static void scope_lift(Expand *x, Writing *w)
{
    CoreFunction *f = w->f;
    uint32_t more = captures_passed((uint32_t)w->captures.count);
    const CoreVar *vars = captures_arrive(x, w);
    f->is_generated = true;
    f->params =
        arena_grow(x->arena, f->params, f->arity, f->arity + more + 1, sizeof *f->params);
    for (uint32_t i = 0; i < more; i++) f->params[f->arity + i] = vars[i];
    for (size_t n = 0; n < w->self_calls.count; n++) {
        CoreInstr *call = w->self_calls.at[n];
        call->args = arena_grow(x->arena, call->args, call->arg_count,
                                call->arg_count + more + 1, sizeof *call->args);
        for (uint32_t i = 0; i < more; i++) call->args[call->arg_count++] = core_var(vars[i]);
    }
    captures_unpack(x, w, vars);
    f->arity += more;
    f->param_count = f->arity;
}

void scope_leave(Expand *x)
{
    Writing *w = x->w;
    scope_rewind(x, w->first_binding);
    ASSERT(w->block == 0);
    uint32_t visible = w->f->arity;
    if (w->is_lifted) {
        scope_lift(x, w);
    } else if (w->outer) {
        scope_unpack(x, w);
    }
    core_append(x->u, w->f, 1, CORE_JUMP, 0, w->f->pos)->then_ = 2;
    w->f->shown_arity = visible + (w->outer ? (uint32_t)w->captures.count : 0);
    x->w = w->outer;
}

CoreRef scope_make_fun(Expand *x, const Writing *fun, SrcPos pos)
{
    uint32_t n = captures_passed((uint32_t)fun->captures.count);
    CoreRef *values = captures_pack(x, fun, pos);
    VEC_PUSH(&x->u->lambdas, (CoreLambda){fun->index, fun->f->arity, n});
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_MAKE_FUN, n, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = values[k];
    i->index = (uint32_t)(x->u->lambdas.count - 1);
    i->dst = dst;
    return core_var(dst);
}

CoreRef scope_call_lifted(Expand *x, const Writing *body, uint32_t n, const CoreRef *args,
                          SrcPos pos)
{
    uint32_t more = captures_passed((uint32_t)body->captures.count);
    CoreRef *values = captures_pack(x, body, pos);
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_CALL, n + more, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = args[k];
    for (uint32_t k = 0; k < more; k++) i->args[n + k] = values[k];
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
