#include "compiler/core/expand_parts.h"
#include "compiler/core/match_parts.h"

/* ---- markers: a receive whose every clause asks for a reference made in the same function need
 * not look at messages that came before it ---- */

CoreRef mark_before(Expand *x, Term module, Term name, SrcPos pos)
{
    if (!term_same(module, TERM_ATOM(ERLANG))) return CORE_REF_NONE;
    bool makes = term_same(name, TERM_ATOM(MONITOR))
                 || term_same(name, text_atom(x, "make_ref"));
    return makes ? write_op0(x, CORE_RECV_MARK, pos) : CORE_REF_NONE;
}

void mark_reference(Expand *x, CoreRef marker, CoreRef reference)
{
    if (!core_is_none(marker)) VEC_PUSH(&x->w->marked, (Marked){reference.n, marker.n});
}

typedef struct {
    Expand *x;
    CoreVar reference;
} Sought;

/* Does the pattern hold the variable of the reference, where the message must have it? */
static bool asks_for(const Ast *a, void *with)
{
    Sought *s = with;
    if (a->kind != AST_VAR) return ast_some(a, asks_for, s);
    return scope_knows(s->x, a->v.name)
           && core_same(scope_find(s->x, a->v.name), core_var(s->reference));
}

static void receive_from_marker(Expand *x, const Ast *a)
{
    const AstList *list = &a->receive.clauses;
    for (size_t i = x->w->marked.count; i > 0 && list->n > 0; i--) {
        Marked marked = x->w->marked.at[i - 1];
        Sought sought = {x, marked.reference};
        uint32_t n = 0;
        while (n < list->n && asks_for(list->at[n]->clause.patterns.at[0], &sought)) n++;
        if (n < list->n) continue;
        (void)write_op1(x, CORE_RECV_FROM, core_var(marked.marker), a->pos);
        return;
    }
}

/* ---- the loop ---- */

static void receive_wait(Expand *x, const Ast *a, CoreRef timeout, CoreBlockId loop,
                         CoreBlockId after)
{
    if (after == 0) {
        write_instr(x, CORE_RECV_WAIT, 0, a->pos)->then_ = loop;
        return;
    }
    write_branch(x, CORE_RECV_WAIT_FOR, 1, loop, after, a->pos)->args[0] = timeout;
}

CoreRef expand_receive(Expand *x, const Ast *a, bool tail)
{
    const AstList *list = &a->receive.clauses;
    bool timed = a->receive.timeout != NULL;
    CoreRef timeout = timed ? expand_expr(x, a->receive.timeout) : CORE_REF_NONE;
    MatchClause *clauses = clauses_of(x, list);
    Merge m;
    merge_begin(x, &m, tail);
    CoreBlockId loop = new_block(x);
    CoreBlockId got = new_block(x);
    CoreBlockId none = new_block(x);
    CoreBlockId next = new_block(x);
    CoreBlockId after = timed ? new_block(x) : 0;
    x->w->f->blocks.at[loop].is_loop = true;
    receive_from_marker(x, a);
    write_jump(x, loop, a->pos);
    go_to(x, loop);
    CoreRef message = core_var(new_var(x));
    write_branch(x, CORE_RECV_PEEK, 0, got, none, a->pos)->dst = message.n;
    go_to(x, got);
    match_clauses(x, clauses, list->n, &message, 1, next);
    go_to(x, next);
    write_instr(x, CORE_RECV_NEXT, 0, a->pos)->then_ = loop;
    go_to(x, none);
    receive_wait(x, a, timeout, loop, after);
    merge_clauses(x, &m, clauses, list, true);
    if (timed) {
        go_to(x, after);
        merge_body(x, &m, &a->receive.after);
    }
    return merge_end(x, &m, a->pos);
}
