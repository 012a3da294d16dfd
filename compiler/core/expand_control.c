#include "compiler/core/expand_parts.h"
#include "compiler/core/match.h"

/* ---- merging ---- */

void merge_begin(Expand *x, Merge *m, bool tail)
{
    *m = (Merge){.tail = tail, .mark = scope_mark(x)};
    VEC_IN_ARENA(&m->ways, x->arena);
    if (!tail) m->join = new_block(x);
}

/* The names that the first way has bound: what the others must bind too. */
static void merge_start(Expand *x, Merge *m)
{
    m->started = true;
    size_t n = x->bindings.count - m->mark;
    if (m->no_exports || n == 0) return;
    m->names = ARENA_ARRAY(x->arena, NameId, n);
    m->dropped = ARENA_ARRAY(x->arena, bool, n);
    for (size_t i = m->mark; i < x->bindings.count; i++) {
        const Binding *b = &x->bindings.at[i];
        if (x->newest[b->name] == i && b->depth == x->w->depth) m->names[m->count++] = b->name;
    }
}

void merge_value(Expand *x, Merge *m, CoreRef value, SrcPos pos)
{
    if (x->w->block == 0) return;
    if (m->tail) {
        write_return(x, value, pos);
        return;
    }
    if (!m->started) merge_start(x, m);
    MergeWay way = {.value = value};
    if (m->count > 0) way.refs = ARENA_ARRAY(x->arena, CoreRef, m->count);
    for (uint32_t i = 0; i < m->count; i++) {
        if (x->newest[m->names[i]] < m->mark) {
            m->dropped[i] = true;
        } else {
            way.refs[i] = scope_find(x, m->names[i]);
        }
    }
    way.jump = write_instr(x, CORE_JUMP, 0, pos);
    way.jump->then_ = m->join;
    VEC_PUSH(&m->ways, way);
}

void merge_body(Expand *x, Merge *m, const AstList *body)
{
    SrcPos pos = body->at[body->n - 1]->pos;
    if (m->tail) {
        expand_body_tail(x, body);
    } else {
        merge_value(x, m, expand_body(x, body), pos);
    }
    scope_rewind(x, m->mark);
}

static void merge_fill(Expand *x, Merge *m, MergeWay *way, uint32_t kept)
{
    CoreInstr *jump = way->jump;
    jump->args = ARENA_ARRAY(x->arena, CoreRef, kept + 1);
    jump->args[jump->arg_count++] = way->value;
    for (uint32_t i = 0; i < m->count; i++)
        if (!m->dropped[i]) jump->args[jump->arg_count++] = way->refs[i];
}

CoreRef merge_end(Expand *x, Merge *m, SrcPos pos)
{
    (void)pos;
    scope_rewind(x, m->mark);
    x->w->block = 0;
    if (m->tail) return CORE_REF_NONE;
    if (m->ways.count == 0) return const_atom(x, ATOM_UNDEFINED);
    go_to(x, m->join);
    CoreVar value = core_block_param(x->u, x->w->f, m->join);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->dropped[i]) continue;
        scope_bind(x, m->names[i], core_var(core_block_param(x->u, x->w->f, m->join)));
        kept++;
    }
    for (size_t i = 0; i < m->ways.count; i++) merge_fill(x, m, &m->ways.at[i], kept);
    return core_var(value);
}

/* ---- clauses ---- */

MatchClause *clauses_of(Expand *x, const AstList *list)
{
    MatchClause *clauses = ARENA_ARRAY(x->arena, MatchClause, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++) {
        const Ast *c = list->at[i];
        clauses[i] = (MatchClause){
            .patterns = &c->clause.patterns, .guard = &c->clause.guard, .pos = c->pos};
    }
    return clauses;
}

void merge_clauses(Expand *x, Merge *m, const MatchClause *clauses, const AstList *list,
                   bool accepts)
{
    match_warn(x, clauses, list->n);
    for (uint32_t i = 0; i < list->n; i++) {
        match_enter(x, &clauses[i]);
        if (accepts) write_op0(x, CORE_RECV_ACCEPT, list->at[i]->pos);
        merge_body(x, m, &list->at[i]->clause.body);
    }
}

CoreRef expand_match(Expand *x, const Ast *pattern, CoreRef value, SrcPos pos)
{
    if (pattern->kind == AST_VAR && pattern->v.name == NAME__) return value;
    if (pattern->kind == AST_VAR && !scope_knows(x, pattern->v.name)) {
        scope_bind(x, pattern->v.name, value);
        return value;
    }
    Ast **one = ARENA_ARRAY(x->arena, Ast *, 1);
    one[0] = (Ast *)(uintptr_t)pattern;
    AstList patterns = {one, 1};
    MatchClause clause = {.patterns = &patterns, .pos = pos};
    CoreBlockId no = new_block(x);
    match_clauses(x, &clause, 1, &value, 1, no);
    go_to(x, no);
    write_raise(x, CORE_BADMATCH, value, pos);
    match_enter(x, &clause);
    return value;
}

CoreRef expand_case(Expand *x, const Ast *a, bool tail)
{
    CoreRef subject = expand_expr(x, a->case_.subject);
    const AstList *list = &a->case_.clauses;
    MatchClause *clauses = clauses_of(x, list);
    Merge m;
    merge_begin(x, &m, tail);
    CoreBlockId no = new_block(x);
    match_clauses(x, clauses, list->n, &subject, 1, no);
    merge_clauses(x, &m, clauses, list, false);
    go_to(x, no);
    write_raise(x, CORE_CASE_CLAUSE, subject, a->pos);
    return merge_end(x, &m, a->pos);
}

CoreRef expand_if(Expand *x, const Ast *a, bool tail)
{
    const AstList *list = &a->if_.clauses;
    MatchClause *clauses = clauses_of(x, list);
    Merge m;
    merge_begin(x, &m, tail);
    CoreBlockId no = new_block(x);
    match_clauses(x, clauses, list->n, NULL, 0, no);
    merge_clauses(x, &m, clauses, list, false);
    go_to(x, no);
    write_raise(x, CORE_IF_CLAUSE, CORE_REF_NONE, a->pos);
    return merge_end(x, &m, a->pos);
}

/* ---- exceptions ---- */

/* From here on exceptions go to a handler; returns the try's number. */
static uint32_t try_enter(Expand *x, SrcPos pos)
{
    Writing *w = x->w;
    if (w->block == 0) w->block = new_block(x);
    CoreBlockId handler = new_block(x);
    w->f->blocks.at[handler].is_handler = true;
    for (int i = 0; i < 3; i++) (void)core_block_param(x->u, w->f, handler);
    VEC_PUSH(&w->f->tries, (CoreTry){handler, w->block, w->in_try});
    w->in_try = (uint32_t)(w->f->tries.count - 1);
    CoreBlockId start = new_block(x);
    write_jump(x, start, pos);
    go_to(x, start);
    return w->in_try;
}

static void try_leave(Expand *x, uint32_t number, SrcPos pos)
{
    x->w->in_try = x->w->f->tries.at[number].outer;
    if (x->w->block == 0) return;
    CoreBlockId outside = new_block(x);
    write_jump(x, outside, pos);
    go_to(x, outside);
}

/* Go to the handler; its three values. */
static void try_handler(Expand *x, uint32_t number, CoreRef values[3])
{
    CoreBlockId handler = x->w->f->tries.at[number].handler;
    for (int i = 0; i < 3; i++) values[i] = core_var(x->w->f->blocks.at[handler].params[i]);
    go_to(x, handler);
}

static void write_again(Expand *x, const CoreRef values[3], SrcPos pos)
{
    if (x->w->block == 0) return;
    CoreInstr *i = write_instr(x, CORE_RAISE, 3, pos);
    for (int k = 0; k < 3; k++) i->args[k] = values[k];
}

CoreRef expand_catch(Expand *x, const Ast *a)
{
    Merge m;
    merge_begin(x, &m, false);
    m.no_exports = true;
    uint32_t number = try_enter(x, a->pos);
    CoreRef value = expand_expr(x, a->catch_.arg);
    try_leave(x, number, a->pos);
    merge_value(x, &m, value, a->pos);
    CoreRef caught[3];
    try_handler(x, number, caught);
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_CATCH_VALUE, 3, a->pos);
    for (int k = 0; k < 3; k++) i->args[k] = caught[k];
    i->dst = dst;
    merge_value(x, &m, core_var(dst), a->pos);
    return merge_end(x, &m, a->pos);
}

static void try_handlers(Expand *x, const Ast *a, Merge *m, uint32_t number)
{
    const AstList *list = &a->try_.handlers;
    MatchClause *clauses = clauses_of(x, list);
    AstList *patterns = ARENA_ARRAY(x->arena, AstList, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++) {
        patterns[i] = (AstList){list->at[i]->clause.patterns.at, 2};
        clauses[i].patterns = &patterns[i];
    }
    CoreRef caught[3];
    try_handler(x, number, caught);
    CoreBlockId no = new_block(x);
    match_clauses(x, clauses, list->n, caught, 2, no);
    match_warn(x, clauses, list->n);
    for (uint32_t i = 0; i < list->n; i++) {
        const Ast *stack = list->at[i]->clause.patterns.at[2];
        match_enter(x, &clauses[i]);
        if (stack->kind == AST_VAR && stack->v.name != NAME__)
            scope_bind(x, stack->v.name, write_op1(x, CORE_BUILD_TRACE, caught[2], stack->pos));
        merge_body(x, m, &list->at[i]->clause.body);
    }
    go_to(x, no);
    write_again(x, caught, a->pos);
}

/* try Body of ... catch ... end, without `after`. */
static CoreRef try_plain(Expand *x, const Ast *a, bool tail)
{
    const AstList *of = &a->try_.of;
    bool catches = a->try_.handlers.n > 0;
    Merge m;
    merge_begin(x, &m, tail);
    m.no_exports = true;
    uint32_t number = catches ? try_enter(x, a->pos) : 0;
    CoreRef value = expand_body(x, &a->try_.body);
    if (catches) try_leave(x, number, a->pos);
    if (of->n == 0) {
        merge_value(x, &m, value, a->pos);
    } else {
        /* What the body bound is known to the clauses: it lies below the mark of each. */
        Merge inner = m;
        inner.mark = scope_mark(x);
        MatchClause *clauses = clauses_of(x, of);
        CoreBlockId no = new_block(x);
        match_clauses(x, clauses, of->n, &value, 1, no);
        merge_clauses(x, &inner, clauses, of, false);
        go_to(x, no);
        write_raise(x, CORE_TRY_CLAUSE, value, a->pos);
        inner.mark = m.mark;
        m = inner;
    }
    scope_rewind(x, m.mark);
    if (catches) try_handlers(x, a, &m, number);
    return merge_end(x, &m, a->pos);
}

CoreRef expand_try(Expand *x, const Ast *a, bool tail)
{
    if (a->try_.after.n == 0) return try_plain(x, a, tail);
    uint32_t mark = scope_mark(x);
    /* Both ways go through one copy of the `after` part: normal, value or class, reason, trace. */
    CoreBlockId join = new_block(x);
    CoreVar way[4];
    for (int i = 0; i < 4; i++) way[i] = core_block_param(x->u, x->w->f, join);
    uint32_t number = try_enter(x, a->pos);
    CoreRef value = try_plain(x, a, false);
    try_leave(x, number, a->pos);
    for (int raised = 0; raised < 2; raised++) {
        CoreRef values[3] = {value, const_small(x, 0), const_small(x, 0)};
        if (raised) try_handler(x, number, values);
        if (x->w->block == 0) continue;
        CoreInstr *jump = write_instr(x, CORE_JUMP, 4, a->pos);
        jump->args[0] = const_atom(x, raised ? ATOM_FALSE : ATOM_TRUE);
        for (int i = 0; i < 3; i++) jump->args[i + 1] = values[i];
        jump->then_ = join;
    }
    go_to(x, join);
    (void)expand_body(x, &a->try_.after);
    scope_rewind(x, mark);
    if (x->w->block == 0) return const_atom(x, ATOM_UNDEFINED);
    CoreBlockId again = new_block(x);
    write_test2(x, CORE_IS_SAME, core_var(way[0]), const_atom(x, ATOM_TRUE), again, a->pos);
    CoreBlockId normal = x->w->block;
    go_to(x, again);
    write_again(x, (CoreRef[3]){core_var(way[1]), core_var(way[2]), core_var(way[3])}, a->pos);
    go_to(x, normal);
    if (tail) write_return(x, core_var(way[1]), a->pos);
    return core_var(way[1]);
}

/* ---- maybe ---- */

/* pattern ?= value: goes on when it matches, else the value leaves the block. */
static CoreRef maybe_step(Expand *x, const Ast *a, CoreBlockId leave)
{
    CoreRef value = expand_expr(x, a->maybe_match.value);
    Ast **one = ARENA_ARRAY(x->arena, Ast *, 1);
    one[0] = a->maybe_match.pattern;
    AstList patterns = {one, 1};
    MatchClause clause = {.patterns = &patterns, .pos = a->pos};
    CoreBlockId no = new_block(x);
    match_clauses(x, &clause, 1, &value, 1, no);
    go_to(x, no);
    write_jump1(x, leave, value, a->pos);
    match_enter(x, &clause);
    return value;
}

static void maybe_else(Expand *x, const Ast *a, Merge *m, CoreRef value)
{
    const AstList *list = &a->maybe.clauses;
    if (list->n == 0) {
        merge_value(x, m, value, a->pos);
        return;
    }
    MatchClause *clauses = clauses_of(x, list);
    CoreBlockId no = new_block(x);
    match_clauses(x, clauses, list->n, &value, 1, no);
    merge_clauses(x, m, clauses, list, false);
    go_to(x, no);
    write_raise(x, CORE_ELSE_CLAUSE, value, a->pos);
}

CoreRef expand_maybe(Expand *x, const Ast *a, bool tail)
{
    const AstList *body = &a->maybe.body;
    Merge m;
    merge_begin(x, &m, tail);
    m.no_exports = true;
    CoreBlockId leave = new_block(x);
    CoreRef left = core_var(core_block_param(x->u, x->w->f, leave));
    for (uint32_t i = 0; i < body->n; i++) {
        const Ast *e = body->at[i];
        bool last = i + 1 == body->n;
        if (e->kind != AST_MAYBE_MATCH && last && tail) {
            expand_tail(x, e);
            continue;
        }
        CoreRef value =
            e->kind == AST_MAYBE_MATCH ? maybe_step(x, e, leave) : expand_expr(x, e);
        if (last) merge_value(x, &m, value, e->pos);
    }
    scope_rewind(x, m.mark);
    go_to(x, leave);
    maybe_else(x, a, &m, left);
    return merge_end(x, &m, a->pos);
}
