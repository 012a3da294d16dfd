#include <string.h>

#include "compiler/core/expand_parts.h"
#include "compiler/core/match_parts.h"

/* ---- markers: a receive whose every clause asks for a reference made in the same function need
 * not look at messages that came before it ---- */

CoreRef mark_before(Expand *x, Term module, Term name, SrcPos pos)
{
    if (!term_same(module, TERM_ATOM(ERLANG))) return CORE_REF_NONE;
    static const char *const makers[] = {"monitor",       "make_ref",   "alias",
                                         "spawn_monitor", "spawn_opt",  "spawn_request",
                                         "start_timer",   "send_after", NULL};
    const char *text = atom_text(x->u->atoms, name);
    size_t i = 0;
    while (makers[i] && strcmp(makers[i], text) != 0) i++;
    return makers[i] ? write_op0(x, CORE_RECV_MARK, pos) : CORE_REF_NONE;
}

static void mark_value(Expand *x, CoreRef marker, CoreRef value, MarkedKind kind)
{
    if (core_is_var(value)) VEC_PUSH(&x->w->marked, (Marked){value.n, marker.n, kind});
}

void mark_reference(Expand *x, CoreRef marker, Term name, CoreRef reference)
{
    if (core_is_none(marker)) return;
    const char *text = atom_text(x->u->atoms, name);
    MarkedKind kind = strcmp(text, "spawn_monitor") == 0 ? MARKED_PAIR
                      : strcmp(text, "spawn_opt") == 0   ? MARKED_MAYBE_PAIR
                                                         : MARKED_NEW;
    mark_value(x, marker, reference, kind);
}

static const Marked *mark_of(Expand *x, CoreRef value)
{
    for (size_t i = x->w->marked.count; i > 0 && core_is_var(value); i--)
        if (x->w->marked.at[i - 1].reference == value.n) return &x->w->marked.at[i - 1];
    return NULL;
}

static CoreRef mark_of_name(Expand *x, const Ast *a)
{
    if (a->kind != AST_VAR || !scope_knows(x, a->v.name)) return CORE_REF_NONE;
    const Marked *marked = mark_of(x, scope_find(x, a->v.name));
    return marked && marked->kind != MARKED_MAYBE_PAIR ? core_var(marked->marker)
                                                       : CORE_REF_NONE;
}

/* The marker of a reference that a term written out holds: the newest one counts. */
static CoreRef mark_inside(Expand *x, const Ast *a)
{
    const AstList *items = a->kind == AST_TUPLE  ? &a->tuple.items
                           : a->kind == AST_LIST ? &a->list.items
                                                 : NULL;
    CoreRef newest = CORE_REF_NONE;
    if (!items) return newest;
    for (uint32_t i = 0; i < items->n && i < 8; i++) {
        CoreRef marker = mark_of_name(x, items->at[i]);
        if (marker.n > newest.n) newest = marker;
    }
    if (a->kind == AST_LIST && a->list.tail) {
        CoreRef marker = mark_of_name(x, a->list.tail);
        if (marker.n > newest.n) newest = marker;
    }
    return newest;
}

void mark_match(Expand *x, const Ast *pattern, const Ast *expr, CoreRef value)
{
    if (x->w->marked.count == 0) return;
    const Marked *marked = mark_of(x, value);
    if (pattern->kind == AST_TUPLE && marked && marked->kind != MARKED_NEW) {
        if (pattern->tuple.items.n != 2) return;
        const Ast *second = pattern->tuple.items.at[1];
        if (second->kind == AST_VAR && scope_knows(x, second->v.name))
            mark_value(x, core_var(marked->marker), scope_find(x, second->v.name), MARKED_NEW);
    } else if (pattern->kind == AST_VAR && !marked) {
        CoreRef marker = mark_inside(x, expr);
        if (!core_is_none(marker)) mark_value(x, marker, value, MARKED_NEW);
    }
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
        if (marked.kind == MARKED_MAYBE_PAIR) continue;
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
