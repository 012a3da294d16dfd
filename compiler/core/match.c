#include "compiler/core/match_parts.h"

/* Copies of rows that a match may make, per row of the source. */
#define COPIES_PER_ROW 3

/* So many rows at most are asked whether they need a context's position. */
#define ROWS_ASKED 16

/* ---- places ---- */

void place_set(Match *m, Place *place, CoreRef ref)
{
    place->ref = ref;
    VEC_PUSH(&m->trail, (TrailEntry){place, false});
}

CoreRef place_ref(Match *m, Place *place)
{
    /* Iterate: a long list pattern makes a long way of parents, though most are known already. */
    VEC(Place *) way = {0};
    VEC_IN_ARENA(&way, m->arena);
    for (Place *p = place; core_is_none(p->ref); p = p->parent) VEC_PUSH(&way, p);
    while (way.count > 0) {
        Place *p = VEC_POP(&way);
        CoreRef parent = p->parent->ref;
        CoreRef ref = p->how == CORE_ELEMENT
                          ? write_element(m->x, parent, p->index, m->pos)
                          : write_op1(m->x, (CoreKind)p->how, parent, m->pos);
        place_set(m, p, ref);
    }
    return place->ref;
}

static void trail_rewind(Match *m, size_t mark)
{
    while (m->trail.count > mark) {
        TrailEntry e = VEC_POP(&m->trail);
        if (e.is_position) {
            e.place->position = CORE_REF_NONE;
        } else {
            e.place->ref = CORE_REF_NONE;
        }
    }
}

/* ---- tasks ---- */

CoreBlockId match_later_with(Match *m, const Task *from, Rows rows, CoreBlockId no,
                             Place *place, CoreRef ref)
{
    Task t = {.rows = rows,
              .block = new_block(m->x),
              .no = no,
              .mark = m->trail.count,
              .place = place,
              .ref = ref,
              .contexts = from->contexts};
    VEC_PUSH(&m->tasks, t);
    return t.block;
}

CoreBlockId match_later(Match *m, const Task *from, Rows rows, CoreBlockId no)
{
    return rows.n == 0 ? no : match_later_with(m, from, rows, no, NULL, CORE_REF_NONE);
}

/* Do these rows read on from a context?  Many rows are taken to do so. */
static bool rows_read(const Match *m, const Rows *rows, const Place *place)
{
    if (rows->n > ROWS_ASKED) return true;
    for (uint32_t i = 0; i < rows->n; i++)
        if (row_find(m, &rows->at[i], place)) return true;
    return false;
}

/* Positions of the contexts in use, saved here so that a later task can go back to them. */
static Seek *match_save(Match *m, const Task *task, const Rows *rest)
{
    Seek *seeks = NULL;
    for (Context *c = task->contexts; c; c = c->next) {
        if (!rows_read(m, rest, c->place)) continue;
        if (core_is_none(c->place->position)) {
            c->place->position = write_op1(m->x, CORE_BITS_POSITION, c->place->ref, m->pos);
            VEC_PUSH(&m->trail, (TrailEntry){c->place, true});
        }
        Seek *s = ARENA_NEW(m->arena, Seek);
        *s = (Seek){seeks, c->place->ref, c->place->position};
        seeks = s;
    }
    return seeks;
}

CoreBlockId match_cut(Match *m, const Task *task, uint32_t cut)
{
    if (cut >= task->rows.n) return task->no;
    Rows rest = {task->rows.at + cut, task->rows.n - cut, task->rows.n - cut};
    Seek *seeks = match_save(m, task, &rest);
    CoreBlockId block = match_later(m, task, rest, task->no);
    VEC_LAST(&m->tasks).seeks = seeks;
    return block;
}

/* ---- leaves ---- */

/* What a guard's variables are looked up for. */
typedef struct {
    Match *m;
    const Row *row;
} GuardOf;

/* Make the row's variables that the guard mentions known to it. */
static bool guard_binds(const Ast *a, void *of)
{
    const GuardOf *g = of;
    if (a->kind != AST_VAR) return ast_some(a, guard_binds, of);
    const Bound *b = row_bound(g->m, g->row, a->v.name);
    if (b) scope_bind(g->m->x, b->name, place_ref(g->m, b->place));
    return false;
}

void row_into_scope(Match *m, const Row *row)
{
    for (Bound *b = row->bound; b; b = b->next)
        scope_bind(m->x, b->name, place_ref(m, b->place));
}

bool row_is_guarded(const Row *row) { return row->clause->guard && row->clause->guard->n > 0; }

static void leaf_guard(Match *m, const Row *row, CoreBlockId no)
{
    uint32_t mark = scope_mark(m->x);
    GuardOf of = {m, row};
    for (uint32_t i = 0; i < row->clause->guard->n; i++)
        (void)guard_binds(row->clause->guard->at[i], &of);
    expand_guard(m->x, row->clause->guard, no);
    scope_rewind(m->x, mark);
}

static void leaf_names(Match *m, const Row *row)
{
    Expand *x = m->x;
    MatchClause *clause = row->clause;
    clause->body = new_block(x);
    for (Bound *b = row->bound; b; b = b->next) clause->name_count++;
    clause->names = ARENA_ARRAY(m->arena, NameId, clause->name_count + 1);
    uint32_t i = 0;
    for (Bound *b = row->bound; b; b = b->next) {
        clause->names[i++] = b->name;
        (void)core_block_param(x->u, x->w->f, clause->body);
    }
}

static void leaf_jump(Match *m, const Row *row)
{
    MatchClause *clause = row->clause;
    if (clause->body == 0) leaf_names(m, row);
    CoreRef *values = ARENA_ARRAY(m->arena, CoreRef, clause->name_count + 1);
    Bound *next = row->bound; /* copies of a row mostly bind in the same order */
    for (uint32_t i = 0; i < clause->name_count; i++) {
        Bound *b =
            next && next->name == clause->names[i] ? next : row_bound(m, row, clause->names[i]);
        values[i] = place_ref(m, b->place);
        next = b->next;
    }
    if (m->x->w->block == 0) return;
    CoreInstr *jump = write_instr(m->x, CORE_JUMP, clause->name_count, clause->pos);
    for (uint32_t i = 0; i < clause->name_count; i++) jump->args[i] = values[i];
    jump->then_ = clause->body;
}

/* The first row asks nothing more. */
static void match_leaf(Match *m, Task *task)
{
    const Row *row = &task->rows.at[0];
    if (row_is_guarded(row)) {
        CoreBlockId next = task->no;
        if (task->rows.n > 1) {
            Rows rest = {task->rows.at + 1, task->rows.n - 1, task->rows.n - 1};
            next = match_later(m, task, rest, task->no);
        }
        leaf_guard(m, row, next);
    }
    leaf_jump(m, row);
}

/* ---- equality with something known ---- */

static bool wants_same(const Want *a, const Want *b)
{
    return b && b->kind == WANT_SAME && b->place == a->place && core_same(a->same, b->same)
           && a->other == b->other;
}

static void match_same(Match *m, Task *task, Want *want)
{
    uint32_t n = 1;
    while (n < task->rows.n && wants_same(want, task->rows.at[n].wants)) n++;
    CoreRef value = place_ref(m, want->place);
    CoreRef other = want->other ? place_ref(m, want->other) : want->same;
    CoreBlockId no = match_cut(m, task, n);
    Rows yes = {0};
    for (uint32_t i = 0; i < n; i++) {
        Row row = task->rows.at[i];
        row_remove(m, &row, row.wants);
        rows_push(m, &yes, row);
    }
    CoreBlockId then_ = match_later(m, task, yes, no);
    write_compare(m->x, (Comparison){OP_EXACT_EQ, value, other}, then_, no, m->pos);
}

/* ---- the whole ---- */

static void match_task(Match *m, Task *task)
{
    Expand *x = m->x;
    trail_rewind(m, task->mark);
    go_to(x, task->block);
    if (task->place) place_set(m, task->place, task->ref);
    for (Seek *s = task->seeks; s; s = s->next)
        (void)write_op2(x, CORE_BITS_SEEK, s->context, s->position, m->pos);
    if (task->rows.n == 0) {
        write_jump(x, task->no, m->pos);
        return;
    }
    m->pos = task->rows.at[0].clause->pos;
    Want *want = task->rows.at[0].wants;
    if (!want) {
        match_leaf(m, task);
    } else if (want->kind == WANT_SAME) {
        match_same(m, task, want);
    } else if (want->kind == WANT_REST) {
        match_segment(m, task, want);
    } else {
        match_groups(m, task, want);
    }
    x->w->block = 0;
}

static void match_all(Match *m, MatchClause *clauses, uint32_t n, const CoreRef *subjects,
                      uint32_t columns, CoreBlockId no)
{
    Expand *x = m->x;
    m->arena = x->arena;
    m->clauses = clauses;
    htab_init_in_arena(&m->asked, x->arena);
    htab_init_in_arena(&m->names, x->arena);
    m->copies_left = (uint64_t)n * COPIES_PER_ROW + 8;
    VEC_IN_ARENA(&m->tasks, x->arena);
    VEC_IN_ARENA(&m->trail, x->arena);
    if (x->w->block == 0) go_to(x, new_block(x));
    Place *places = ARENA_ARRAY(x->arena, Place, columns + 1);
    for (uint32_t i = 0; i < columns; i++) places[i].ref = subjects[i];
    Rows rows = {ARENA_ARRAY(x->arena, Row, n + 1), n, n};
    for (uint32_t i = 0; i < n; i++) {
        rows.at[i].clause = &clauses[i];
        m->pos = clauses[i].pos;
        for (uint32_t k = columns; k > 0; k--)
            row_add(m, &rows.at[i], &places[k - 1], clauses[i].patterns->at[k - 1]);
    }
    for (uint32_t i = 0; i < n; i++) clauses[i].takes_all = row_takes_all(&rows.at[i]);
    VEC_PUSH(&m->tasks, (Task){.rows = rows, .block = x->w->block, .no = no});
    while (m->tasks.count > 0) {
        Task task = VEC_POP(&m->tasks);
        match_task(m, &task);
    }
    x->w->block = 0;
}

void match_clauses(Expand *x, MatchClause *clauses, uint32_t n, const CoreRef *subjects,
                   uint32_t columns, CoreBlockId no)
{
    Match m = {.x = x};
    match_all(&m, clauses, n, subjects, columns, no);
}

void match_heads(Expand *x, MatchClause *clauses, uint32_t n, const CoreRef *subjects,
                 uint32_t columns, CoreBlockId no)
{
    Match m = {.x = x, .fresh = true};
    match_all(&m, clauses, n, subjects, columns, no);
}

void match_warn(Expand *x, const MatchClause *clauses, uint32_t n)
{
    if (x->c->options.no_warnings) return;
    const MatchClause *all = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (clauses[i].body == 0 && all) {
            diag_add(&x->c->diags, DIAG_CLAUSE_BEHIND_ALL, clauses[i].pos,
                     (int)sources_line(&x->c->sources, all->pos));
        } else if (clauses[i].body == 0) {
            diag_add(&x->c->diags, DIAG_CLAUSE_NEVER, clauses[i].pos);
        }
        if (clauses[i].takes_all && !all) all = &clauses[i];
    }
}

void match_enter(Expand *x, const MatchClause *clause)
{
    if (clause->body == 0) {
        go_to(x, new_block(x));
        for (uint32_t i = 0; i < clause->patterns->n; i++)
            pattern_bind_nothing(x, clause->patterns->at[i]);
        return;
    }
    go_to(x, clause->body);
    for (uint32_t i = 0; i < clause->name_count; i++)
        scope_bind(x, clause->names[i], core_var(x->w->f->blocks.at[clause->body].params[i]));
}
