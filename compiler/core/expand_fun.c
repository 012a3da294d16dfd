#include "compiler/core/expand_parts.h"
#include "compiler/core/match.h"

void expand_function_clauses(Expand *x, const AstList *list, uint32_t arity)
{
    CoreFunction *f = x->w->f;
    MatchClause *clauses = ARENA_ARRAY(x->arena, MatchClause, list->n);
    CoreRef *subjects = ARENA_ARRAY(x->arena, CoreRef, arity + 1);
    for (uint32_t i = 0; i < arity; i++) subjects[i] = core_var(f->params[i]);
    for (uint32_t i = 0; i < list->n; i++) {
        const Ast *c = list->at[i];
        clauses[i] = (MatchClause){
            .patterns = &c->clause.patterns, .guard = &c->clause.guard, .pos = c->pos};
    }
    CoreBlockId no = new_block(x);
    match_heads(x, clauses, list->n, subjects, arity, no);
    match_warn(x, clauses, list->n);
    for (uint32_t i = 0; i < list->n; i++) {
        uint32_t mark = scope_mark(x);
        match_enter(x, &clauses[i]);
        expand_body_tail(x, &list->at[i]->clause.body);
        scope_rewind(x, mark);
    }
    go_to(x, no);
    CoreInstr *i = write_instr(x, CORE_FUNCTION_CLAUSE, arity, list->at[0]->pos);
    for (uint32_t k = 0; k < arity; k++) i->args[k] = subjects[k];
}

CoreRef expand_fun(Expand *x, const Ast *a)
{
    uint32_t arity = a->fun.clauses.at[0]->clause.patterns.n;
    Writing *w = scope_enter(x, x->function_name, arity, false, a->pos);
    if (a->v.name != NAME_NONE && a->v.name != NAME__)
        scope_bind(x, a->v.name, core_var(w->f->params[arity]));
    expand_function_clauses(x, &a->fun.clauses, arity);
    /* Inner funs have the smaller numbers. */
    w->f->name = generated_name(x, "fun", x->fun_counter++);
    scope_leave(x);
    return scope_make_fun(x, w, a->pos);
}

/* fun f/1 of this module: a fun of its own that continues in f, one for all places. */
static CoreRef fun_of_local(Expand *x, const Ast *a, uint32_t function)
{
    HtabValue *known = htab_find(&x->fun_refs, function);
    uint32_t lambda;
    if (known) {
        lambda = (uint32_t)known->num;
    } else {
        uint32_t arity = a->v.pair.second;
        const char *what =
            arena_printf(x->arena, "fun.%s", names_text(&x->c->names, a->v.pair.name));
        Writing *w =
            scope_enter(x, generated_name(x, what, x->fun_counter++), arity, false, a->pos);
        CoreInstr *call = write_instr(x, CORE_TAIL_CALL, arity, a->pos);
        for (uint32_t i = 0; i < arity; i++) call->args[i] = core_var(w->f->params[i]);
        call->index = function;
        scope_leave(x);
        VEC_PUSH(&x->u->lambdas, (CoreLambda){w->index, arity, 0});
        lambda = (uint32_t)(x->u->lambdas.count - 1);
        htab_put(&x->fun_refs, function, NULL)->num = lambda;
    }
    CoreRef fun = write_op0(x, CORE_MAKE_FUN, a->pos);
    core_last(x->w->f, x->w->block)->index = lambda;
    return fun;
}

static CoreRef export_fun(Expand *x, Term module, Term name, uint32_t arity, SrcPos pos)
{
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_EXPORT_FUN, 0, pos);
    i->module = module;
    i->name = name;
    i->index = arity;
    i->dst = dst;
    return core_var(dst);
}

CoreRef expand_fun_ref(Expand *x, const Ast *a)
{
    if (a->kind == AST_FUN_LOCAL) {
        Callee meant = resolve_call(x, a->v.pair.name, a->v.pair.second);
        if (meant.kind == CALLEE_LOCAL) return fun_of_local(x, a, meant.function);
        return export_fun(x, meant.module, meant.name, a->v.pair.second, a->pos);
    }
    const Ast *m = a->fun_remote.module;
    const Ast *f = a->fun_remote.function;
    const Ast *n = a->fun_remote.arity;
    if (m->kind == AST_ATOM && f->kind == AST_ATOM && n->kind == AST_INT && n->v.i <= 255)
        return export_fun(x, atom_term(x, m->v.name), atom_term(x, f->v.name), (uint32_t)n->v.i,
                          a->pos);
    CoreRef args[3] = {expand_expr(x, m), expand_expr(x, f), expand_expr(x, n)};
    return write_apply(x, TERM_ATOM(ERLANG), text_atom(x, "make_fun"), 3, args, a->pos);
}
