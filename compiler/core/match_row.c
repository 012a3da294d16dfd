#include "compiler/core/match_parts.h"

/* From so many literal elements on a list is compared as one constant. */
#define LONG_LITERAL 64

/* Longer lists of wants or variables are found through a table. */
#define ROW_LONG 16

static uint64_t clause_key(const Match *m, const Row *row, uint32_t n)
{
    return (uint64_t)(row->clause - m->clauses) << 32 | n;
}

static void note_asked(Match *m, const Row *row, const Want *w)
{
    if (w->kind == WANT_SAME) return;
    if (w->place->id == 0) w->place->id = ++m->place_count;
    htab_put(&m->asked, clause_key(m, row, w->place->id), NULL)->num++;
}

Want *row_want(Match *m, Row *row, Place *place, WantKind kind)
{
    Want *w = ARENA_NEW(m->arena, Want);
    w->next = row->wants;
    w->place = place;
    w->kind = (uint8_t)kind;
    w->depth = w->next ? w->next->depth + 1 : 1;
    row->wants = w;
    if (w->depth > ROW_LONG) note_asked(m, row, w);
    if (w->depth == ROW_LONG + 1)
        for (const Want *old = w->next; old; old = old->next) note_asked(m, row, old);
    return w;
}

void row_want_const(Match *m, Row *row, Place *place, Term value)
{
    bool direct = term_is_atom(value) || term_is_nil(value)
                  || (term_is_small(value) && small_value(value) >= INT32_MIN
                      && small_value(value) <= INT32_MAX);
    if (direct) {
        row_want(m, row, place, WANT_CONST)->value = value;
    } else {
        row_want(m, row, place, WANT_SAME)->same = core_const(m->x->u, value);
    }
}

/* Is the row so long that all its wants are in the table?  Then how many were made about it. */
static bool asked_count(const Match *m, const Row *row, const Place *place, uint64_t *count)
{
    if (!row->wants || row->wants->depth <= ROW_LONG) return false;
    const HtabValue *asked =
        place->id ? htab_find(&m->asked, clause_key(m, row, place->id)) : NULL;
    *count = asked ? asked->num : 0;
    return true;
}

Want *row_find(const Match *m, const Row *row, const Place *place)
{
    uint32_t looks = 0;
    uint64_t count;
    for (Want *w = row->wants; w; w = w->next) {
        if (w->place == place && w->kind != WANT_SAME) return w;
        if (++looks == ROW_LONG && asked_count(m, row, place, &count) && count == 0)
            return NULL;
    }
    return NULL;
}

bool row_asks_again(const Match *m, const Row *row, const Place *place)
{
    uint64_t count;
    return !asked_count(m, row, place, &count) || count > 1;
}

void row_remove(Match *m, Row *row, const Want *want)
{
    Want **link = &row->wants;
    for (Want *w = row->wants; w != want; w = w->next) {
        Want *copy = ARENA_NEW(m->arena, Want);
        *copy = *w;
        *link = copy;
        link = &copy->next;
    }
    *link = want->next;
}

Place *place_child(Match *m, Place *parent, CoreKind how, uint32_t index)
{
    Place *p = ARENA_NEW(m->arena, Place);
    p->parent = parent;
    p->how = (uint8_t)how;
    p->index = index;
    return p;
}

void rows_push(Match *m, Rows *rows, Row row)
{
    if (rows->n == rows->room) {
        uint32_t room = rows->room == 0 ? 2 : rows->room * 2;
        rows->at = arena_grow(m->arena, rows->at, rows->n, room, sizeof row);
        rows->room = room;
    }
    rows->at[rows->n++] = row;
}

/* ---- patterns ---- */

static Bound *bound_at_depth(Bound *b, uint32_t depth)
{
    while (b && b->depth > depth) b = b->jump && b->jump->depth >= depth ? b->jump : b->next;
    return b;
}

Bound *row_bound(const Match *m, const Row *row, NameId name)
{
    uint32_t looks = 0;
    for (Bound *b = row->bound; b && looks < ROW_LONG; b = b->next, looks++)
        if (b->name == name) return b;
    if (looks < ROW_LONG) return NULL;
    const HtabValue *known = htab_find(&m->names, clause_key(m, row, name));
    for (Bound *b = known ? known->ptr : NULL; b; b = b->older)
        if (bound_at_depth(row->bound, b->depth) == b) return b;
    return NULL;
}

static void note_bound(Match *m, const Row *row, Bound *b)
{
    if (b->is_noted) return;
    HtabValue *known = htab_put(&m->names, clause_key(m, row, b->name), NULL);
    b->older = known->ptr;
    b->is_noted = true;
    known->ptr = b;
}

static void row_bind(Match *m, Row *row, Place *place, NameId name)
{
    Bound *b = ARENA_NEW(m->arena, Bound);
    Bound *next = row->bound;
    *b = (Bound){.next = next, .name = name, .place = place, .depth = 1, .jump = next};
    if (next) {
        b->depth = next->depth + 1;
        const Bound *far = next->jump;
        if (far && far->jump && next->depth - far->depth == far->depth - far->jump->depth)
            b->jump = far->jump;
    }
    row->bound = b;
    if (b->depth < ROW_LONG) return;
    note_bound(m, row, b);
    if (b->depth == ROW_LONG)
        for (Bound *old = next; old; old = old->next) note_bound(m, row, old);
}

static void row_add_var(Match *m, Row *row, Place *place, NameId name)
{
    if (name == NAME__) return;
    const Bound *known = row_bound(m, row, name);
    if (known) {
        row_want(m, row, place, WANT_SAME)->other = known->place;
    } else if (!m->fresh && scope_knows(m->x, name)) {
        row_want(m, row, place, WANT_SAME)->same = scope_find(m->x, name);
    } else {
        row_bind(m, row, place, name);
    }
}

static Sequence *sequence(Match *m, const AstList *items, const AstStr *text, const Ast *tail)
{
    Sequence *s = ARENA_NEW(m->arena, Sequence);
    *s = (Sequence){.items = items, .text = text, .tail = tail};
    return s;
}

static uint32_t sequence_length(const Sequence *s)
{
    return s->items ? s->items->n : s->text ? s->text->n : 0;
}

void row_add_sequence(Match *m, Row *row, Place *place, Sequence *s)
{
    ASSERT(s != NULL);
    while (s->at >= sequence_length(s) && s->then_) s = s->then_;
    if (s->at < sequence_length(s)) {
        row_want(m, row, place, WANT_CONS)->list = s;
    } else if (s->tail) {
        row_add(m, row, place, s->tail);
    } else {
        row_want_const(m, row, place, TERM_NIL);
    }
}

/* A long ground list is compared whole. */
static bool row_add_ground(Match *m, Row *row, Place *place, const Ast *a, uint32_t n)
{
    if (n < LONG_LITERAL) return false;
    Term t = ground_term(m->x, a);
    if (term_is_none(t)) return false;
    row_want_const(m, row, place, t);
    return true;
}

/* "abc" ++ Tail and [1, 2] ++ Tail, also several in a row. */
static Sequence *sequence_prefix(Match *m, const Ast *a, const Ast *tail, Sequence *then_)
{
    Sequence *s = sequence(m, a->kind == AST_LIST ? &a->list.items : NULL,
                           a->kind == AST_STRING ? a->v.str : NULL, tail);
    s->then_ = then_;
    return s;
}

static void row_add_append(Match *m, Row *row, Place *place, const Ast *a)
{
    if (a->kind == AST_BINOP) {
        row_add_sequence(m, row, place,
                         sequence_prefix(m, a->binop.left, a->binop.right, NULL));
        return;
    }
    Sequence *s = NULL;
    for (uint32_t i = a->rchain.links.n; i > 0; i--)
        s = sequence_prefix(m, a->rchain.links.at[i - 1]->link.arg, s ? NULL : a->rchain.last,
                            s);
    row_add_sequence(m, row, place, s);
}

static void row_add_tuple(Match *m, Row *row, Place *place, const Ast *a)
{
    Want *w = row_want(m, row, place, WANT_TUPLE);
    w->size = a->tuple.items.n;
    w->items = (const Ast **)(void *)a->tuple.items.at;
    w->tag = TERM_NONE;
    if (w->size == 0 || a->tuple.items.at[0]->kind != AST_ATOM) return;
    /* A leading atom is the tag, as in a record. */
    w->items = arena_copy_bytes(m->arena, a->tuple.items.at, w->size * sizeof *w->items);
    w->tag = atom_term(m->x, a->tuple.items.at[0]->v.name);
    w->items[0] = NULL;
}

static void row_add_record(Match *m, Row *row, Place *place, const Ast *a)
{
    const Record *r = find_record(m->x, a->v.name);
    uint32_t count = r ? r->count : 0;
    Want *w = row_want(m, row, place, WANT_TUPLE);
    w->size = count + 1;
    w->items = ARENA_ARRAY(m->arena, const Ast *, count + 1);
    w->tag = atom_term(m->x, a->v.name);
    const AstList *fields = &a->record.fields;
    for (uint32_t i = 0; r && i < fields->n; i++) {
        const Ast *f = fields->at[i];
        if (f->v.name == NAME__) {
            for (uint32_t k = 1; k <= count; k++)
                if (!w->items[k]) w->items[k] = f->record_field.value;
        }
    }
    for (uint32_t i = 0; r && i < fields->n; i++) {
        uint32_t at = record_field(r, fields->at[i]->v.name);
        if (at != 0) w->items[at] = fields->at[i]->record_field.value;
    }
}

static void row_add_bin(Match *m, Row *row, Place *place, const Ast *a)
{
    Term whole = ground_binary(m->x, a);
    if (!term_is_none(whole)) {
        row_want_const(m, row, place, whole);
        return;
    }
    row_want(m, row, place, WANT_BIN)->ast = a;
}

static void row_add_operator(Match *m, Row *row, Place *place, const Ast *a)
{
    AstOp op = (AstOp)(a->kind == AST_RCHAIN ? a->rchain.links.at[0]->op : a->op);
    if (op == OP_APPEND) {
        row_add_append(m, row, place, a);
        return;
    }
    if (op != OP_MATCH) {
        Term t = ground_term(m->x, a);
        row_want_const(m, row, place, term_is_none(t) ? TERM_ATOM(UNDEFINED) : t);
        return;
    }
    if (a->kind == AST_BINOP) {
        row_add(m, row, place, a->binop.right);
        row_add(m, row, place, a->binop.left);
        return;
    }
    row_add(m, row, place, a->rchain.last);
    for (uint32_t i = a->rchain.links.n; i > 0; i--)
        row_add(m, row, place, a->rchain.links.at[i - 1]->link.arg);
}

void row_add(Match *m, Row *row, Place *place, const Ast *a)
{
    switch (a->kind) {
    case AST_VAR: row_add_var(m, row, place, a->v.name); return;
    case AST_TUPLE: row_add_tuple(m, row, place, a); return;
    case AST_RECORD: row_add_record(m, row, place, a); return;
    case AST_MAP: row_want(m, row, place, WANT_MAP)->ast = a; return;
    case AST_BIN: row_add_bin(m, row, place, a); return;
    case AST_UNOP:
    case AST_BINOP:
    case AST_LCHAIN:
    case AST_RCHAIN: row_add_operator(m, row, place, a); return;
    case AST_LIST:
        if (row_add_ground(m, row, place, a, a->list.items.n)) return;
        row_add_sequence(m, row, place, sequence(m, &a->list.items, NULL, a->list.tail));
        return;
    case AST_STRING:
        if (row_add_ground(m, row, place, a, a->v.str->n)) return;
        row_add_sequence(m, row, place, sequence(m, NULL, a->v.str, NULL));
        return;
    case AST_RECORD_INDEX:
        row_want_const(m, row, place, core_term(m->x->u, expand_record_index(m->x, a)));
        return;
    default: {
        Term t = literal_term(m->x, a);
        row_want_const(m, row, place, term_is_none(t) ? TERM_ATOM(UNDEFINED) : t);
    }
    }
}

bool ast_some(const Ast *a, bool (*is)(const Ast *, void *), void *with)
{
    /* Along a row of postfixes in a loop: it may be long. */
    const Ast *base = ast_base(a);
    for (; base && ast_base(base); a = base, base = ast_base(a))
        for (uint32_t k = 0; a->kind != AST_RECORD_GET && k < a->map.fields.n; k++)
            if (is(a->map.fields.at[k], with)) return true;
    const char *slot = (const char *)a + AST_SLOTS;
    for (const char *shape = ast_info[a->kind].shape; *shape != '\0'; shape++) {
        if (*shape == 'n') {
            const Ast *node = *(Ast *const *)(const void *)slot;
            if (node && is(node, with)) return true;
            slot += sizeof(Ast *);
            continue;
        }
        const AstList *list = (const AstList *)(const void *)slot;
        for (uint32_t k = 0; k < list->n; k++)
            if (is(list->at[k], with)) return true;
        slot += sizeof(AstList);
    }
    return false;
}

static bool bind_nothing(const Ast *a, void *expand)
{
    Expand *x = expand;
    if (a->kind != AST_VAR) return ast_some(a, bind_nothing, x);
    if (a->v.name != NAME__ && !scope_knows(x, a->v.name))
        scope_bind(x, a->v.name, const_atom(x, ATOM_UNDEFINED));
    return false;
}

void pattern_bind_nothing(Expand *x, const Ast *pattern) { (void)bind_nothing(pattern, x); }
