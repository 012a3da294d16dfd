/* Rows sorted by what they ask of one place, and the tests that tell the groups apart. */
#include "compiler/core/match_parts.h"
#include "vm/term/order.h"

#include <stdlib.h>

/* Keys of maps that are not one word are compared with so many others. */
#define LARGE_KEYS_COMPARED 64

typedef struct {
    const Want *want; /* of its first row */
    Rows rows;
    bool closed; /* its last row takes everything */
    bool one_tag;
    Place **children; /* of a tuple or cons cell */
    CoreBlockId block;
} Group;

typedef struct {
    Match *m;
    Task *task;
    Place *place;
    VEC(Group) groups;
    Htab by_key;
    Rows others; /* rows that ask nothing of this place */
    bool others_closed;
    Place *context;          /* of BIN */
    Htab keys;               /* of MAP: key -> Place of its value */
    VEC(CoreRef) large_keys; /* those of more than one word */
} Grouping;

static uint64_t group_key(const Want *w)
{
    switch (w->kind) {
    case WANT_CONST: return w->value.w << 3 | 1;
    case WANT_TUPLE: return (uint64_t)w->size << 3 | 2;
    default: return (uint64_t)w->kind << 3;
    }
}

bool row_takes_all(const Row *row) { return !row->wants && !row_is_guarded(row); }

static void group_push(Grouping *g, Group *group, Row row)
{
    if (group->closed) return;
    rows_push(g->m, &group->rows, row);
    group->closed = row_takes_all(&row);
}

static Group *group_new(Grouping *g, const Want *w)
{
    Group group = {.want = w, .one_tag = w->kind == WANT_TUPLE && !term_is_none(w->tag)};
    for (uint32_t i = 0; i < g->others.n; i++) {
        group_push(g, &group, g->others.at[i]);
        if (g->m->copies_left > 0) g->m->copies_left--;
    }
    VEC_PUSH(&g->groups, group);
    return &VEC_LAST(&g->groups);
}

static Group *group_of(Grouping *g, const Want *w)
{
    bool added;
    HtabValue *v = htab_put(&g->by_key, group_key(w), &added);
    if (!added) return &g->groups.at[v->num];
    v->num = g->groups.count;
    return group_new(g, w);
}

static Place *group_child(Grouping *g, Group *group, CoreKind how, uint32_t index,
                          uint32_t count)
{
    if (!group->children) group->children = ARENA_ARRAY(g->m->arena, Place *, count);
    uint32_t at = how == CORE_TAIL ? 1 : index;
    if (!group->children[at]) group->children[at] = place_child(g->m, g->place, how, index);
    return group->children[at];
}

static void add_tuple(Grouping *g, Group *group, Row *row, const Want *w)
{
    for (uint32_t i = w->size; i > 0; i--)
        if (w->items[i - 1])
            row_add(g->m, row, group_child(g, group, CORE_ELEMENT, i - 1, w->size),
                    w->items[i - 1]);
    if (!term_is_none(w->tag))
        row_want_const(g->m, row, group_child(g, group, CORE_ELEMENT, 0, w->size), w->tag);
    if (term_is_none(w->tag)
        || (!term_is_none(group->want->tag) && !term_same(w->tag, group->want->tag)))
        group->one_tag = false;
}

static void add_cons(Grouping *g, Group *group, Row *row, const Want *w)
{
    Sequence *rest = ARENA_NEW(g->m->arena, Sequence);
    *rest = *w->list;
    rest->at++;
    row_add_sequence(g->m, row, group_child(g, group, CORE_TAIL, 0, 2), rest);
    Place *head = group_child(g, group, CORE_HEAD, 0, 2);
    if (w->list->items) {
        row_add(g->m, row, head, w->list->items->at[w->list->at]);
    } else {
        row_want_const(g->m, row, head, small_from(w->list->text->at[w->list->at]));
    }
}

static bool key_is_plain(Expand *x, const Ast *key)
{
    return key->kind == AST_VAR || !term_is_none(ground_term(x, key));
}

static bool map_is_plain(Expand *x, const Ast *map)
{
    for (uint32_t i = 0; i < map->map.fields.n; i++)
        if (!key_is_plain(x, map->map.fields.at[i]->map_field.key)) return false;
    return true;
}

/* Has an equal key been met?  Constants that are one word are the same value already; of the others
 * only the last few are looked at. */
static CoreRef key_known(Grouping *g, CoreRef key)
{
    Expand *x = g->m->x;
    if (!core_is_const(key) || term_is_atomic(core_term(x->u, key))) return key;
    for (size_t i = g->large_keys.count; i > 0 && g->large_keys.count - i < LARGE_KEYS_COMPARED;
         i--)
        if (order_same(core_term(x->u, g->large_keys.at[i - 1]), core_term(x->u, key)))
            return g->large_keys.at[i - 1];
    VEC_PUSH(&g->large_keys, key);
    return key;
}

/* The place of a key's value; rows that ask for the same key share it. */
static Place *key_place(Grouping *g, CoreRef key)
{
    key = key_known(g, key);
    HtabValue *known = htab_put(&g->keys, key.n, NULL);
    if (!known->ptr) known->ptr = place_child(g->m, g->place, CORE_MAP_GET, key.n);
    return known->ptr;
}

static void add_map(Grouping *g, Row *row, const Want *w)
{
    const AstList *fields = &w->ast->map.fields;
    for (uint32_t i = fields->n; i > 0; i--) {
        const Ast *f = fields->at[i - 1];
        Term ground = ground_term(g->m->x, f->map_field.key);
        CoreRef key = term_is_none(ground)
                          ? expand_guard_value(g->m->x, f->map_field.key, g->task->no)
                          : core_const(g->m->x->u, ground);
        row_want(g->m, row, key_place(g, key), WANT_KEY)->ast = f->map_field.value;
    }
}

static void row_answer(Grouping *g, Group *group, Row *row, const Want *w)
{
    row_remove(g->m, row, w);
    switch (w->kind) {
    case WANT_TUPLE: add_tuple(g, group, row, w); return;
    case WANT_CONS: add_cons(g, group, row, w); return;
    case WANT_MAP: add_map(g, row, w); return;
    case WANT_KEY: row_add(g->m, row, g->place, w->ast); return;
    case WANT_BIN:
        row_want(g->m, row, g->context, WANT_REST)->segments = &w->ast->bin.segments;
        return;
    default: return;
    }
}

/* What remains of a row once its want about the place holds; `P = Q` may ask the same twice. */
static void group_add(Grouping *g, Group *group, Row row, const Want *w)
{
    WantKind kind = (WantKind)w->kind;
    do {
        row_answer(g, group, &row, w);
        w = row_asks_again(g->m, &row, g->place) ? row_find(g->m, &row, g->place) : NULL;
    } while (w && w->kind == kind && kind != WANT_BIN);
    group_push(g, group, row);
}

/* A row with two wants about one place (`P = Q`): what they demand together, or it cannot be. */
static bool row_is_possible(const Match *m, const Row *row, const Want *first)
{
    if (!row_asks_again(m, row, first->place)) return true;
    for (Want *w = row->wants; w; w = w->next)
        if (w != first && w->place == first->place && w->kind != WANT_SAME
            && group_key(w) != group_key(first))
            return false;
    return true;
}

/* Into every group: the row asks nothing of this place. */
static void spread(Grouping *g, Row row)
{
    uint64_t cost = g->groups.count / 16 + (row.wants ? 1 : 0);
    for (size_t i = 0; i < g->groups.count; i++) {
        if (g->groups.at[i].closed) continue;
        group_push(g, &g->groups.at[i], row);
        cost++;
    }
    g->m->copies_left -= cost < g->m->copies_left ? cost : g->m->copies_left;
    rows_push(g->m, &g->others, row);
    g->others_closed = row_takes_all(&row);
}

/* Sort the rows; returns how many were taken, the others come when these have failed. */
static uint32_t group_rows(Grouping *g)
{
    Match *m = g->m;
    const Rows *rows = &g->task->rows;
    for (uint32_t i = 0; i < rows->n; i++) {
        const Row *row = &rows->at[i];
        Want *w = row_find(m, row, g->place);
        if (!w) {
            /* A key's only group may have all it needs: the others come when it is not there. */
            bool alone = g->groups.count == 1 && g->groups.at[0].closed
                         && g->groups.at[0].want->kind == WANT_KEY;
            if (row_is_guarded(row) || m->copies_left == 0 || alone) return i;
            spread(g, *row);
            if (g->others_closed) return rows->n;
            continue;
        }
        bool odd_map = w->kind == WANT_MAP && !map_is_plain(m->x, w->ast);
        if (odd_map && i > 0) return i;
        if (!row_is_possible(m, row, w)) continue;
        if (g->others.n > 0 && m->copies_left == 0 && !htab_find(&g->by_key, group_key(w)))
            return i;
        Group *group = group_of(g, w);
        group_add(g, group, *row, w);
    }
    return rows->n;
}

/* ---- tests for groups ---- */

static int case_compare(const void *a, const void *b)
{
    const CoreCase *p = a;
    const CoreCase *q = b;
    if (term_is_small(p->key)) return small_value(p->key) < small_value(q->key) ? -1 : 1;
    return p->key.w < q->key.w ? -1 : 1;
}

static CoreKind group_switch(const Group *group)
{
    if (group->want->kind == WANT_TUPLE) return CORE_SWITCH_ARITY;
    if (group->want->kind != WANT_CONST || term_is_nil(group->want->value))
        return CORE_KIND_COUNT;
    return term_is_atom(group->want->value) ? CORE_SWITCH_ATOM : CORE_SWITCH_SMALL;
}

/* Drop the demand for the tag that IS_RECORD has answered. */
static void drop_tag(Match *m, Group *group)
{
    Place *tag = group->children[0];
    for (uint32_t i = 0; i < group->rows.n; i++) {
        Want *w = row_find(m, &group->rows.at[i], tag);
        if (w) row_remove(m, &group->rows.at[i], w);
    }
    group->closed = false;
}

static bool tags_agree(const Match *m, const Group *group)
{
    Place *tag = group->children[0];
    for (uint32_t i = 0; i < group->rows.n; i++) {
        Want *w = row_find(m, &group->rows.at[i], tag);
        if (w && (w->kind != WANT_CONST || !term_same(w->value, group->want->tag)))
            return false;
    }
    return true;
}

/* One test of its own for a group. */
static void group_test(Grouping *g, Group *group, CoreRef value, CoreBlockId no)
{
    Match *m = g->m;
    Expand *x = m->x;
    const Want *w = group->want;
    CoreKind kind = CORE_IS_SAME;
    CoreRef second = CORE_REF_NONE;
    uint32_t index = 0;
    CoreVar dst = 0;
    switch (w->kind) {
    case WANT_CONST:
        if (term_is_nil(w->value))
            kind = CORE_IS_NIL;
        else
            second = core_const(x->u, w->value);
        break;
    case WANT_CONS: kind = CORE_IS_CONS; break;
    case WANT_MAP: kind = CORE_IS_MAP; break;
    case WANT_BIN:
        kind = CORE_BITS_START;
        dst = g->context->ref.n;
        break;
    case WANT_KEY: break;
    default:
        kind = CORE_IS_TUPLE_OF;
        index = w->size;
        if (!group->one_tag || !tags_agree(m, group)) break;
        kind = CORE_IS_RECORD;
        second = core_const(x->u, w->tag);
        drop_tag(m, group);
    }
    CoreInstr *i =
        write_branch(x, kind, core_is_none(second) ? 1 : 2, group->block, no, m->pos);
    i->args[0] = value;
    if (!core_is_none(second)) i->args[1] = second;
    i->index = index;
    i->dst = dst;
}

static void group_switch_all(Grouping *g, size_t first, CoreKind kind, CoreRef value,
                             CoreBlockId no)
{
    Expand *x = g->m->x;
    VEC(CoreCase) cases = {0};
    VEC_IN_ARENA(&cases, g->m->arena);
    for (size_t i = first; i < g->groups.count; i++) {
        const Group *group = &g->groups.at[i];
        if (group_switch(group) != kind) continue;
        Term key =
            kind == CORE_SWITCH_ARITY ? small_from(group->want->size) : group->want->value;
        VEC_PUSH(&cases, (CoreCase){key, group->block});
    }
    ASSERT(cases.at != NULL);
    qsort(cases.at, cases.count, sizeof *cases.at, case_compare);
    CoreInstr *i = write_instr(x, kind, 1, g->m->pos);
    i->args[0] = value;
    i->cases = cases.at;
    i->case_count = (uint32_t)cases.count;
    i->else_ = no;
}

static size_t count_kind(const Grouping *g, CoreKind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < g->groups.count; i++) n += group_switch(&g->groups.at[i]) == kind;
    return n;
}

/* The group of cons cells, which is tested first: lists are longer than they are often. */
static size_t cons_group(const Grouping *g)
{
    for (size_t i = 0; i < g->groups.count; i++)
        if (g->groups.at[i].want->kind == WANT_CONS) return i;
    return 0;
}

/* Tests in the order in which the groups came up, but for cons cells; `no` when none is right. */
static void write_groups(Grouping *g, CoreRef value, CoreBlockId no)
{
    bool done[CORE_KIND_COUNT] = {false};
    size_t left = g->groups.count;
    size_t first = cons_group(g);
    for (size_t n = 0; n < g->groups.count; n++) {
        size_t i = n == 0 ? first : n <= first ? n - 1 : n;
        CoreKind kind = group_switch(&g->groups.at[i]);
        if (kind != CORE_KIND_COUNT && done[kind]) continue;
        size_t members = kind == CORE_KIND_COUNT ? 1 : count_kind(g, kind);
        left -= members;
        CoreBlockId next = left > 0 ? new_block(g->m->x) : no;
        if (members > 1) {
            done[kind] = true;
            group_switch_all(g, i, kind, value, next);
        } else {
            group_test(g, &g->groups.at[i], value, next);
        }
        if (left > 0) go_to(g->m->x, next);
    }
}

/* A key of a map: taken out when it is there. */
static void write_key(Grouping *g, CoreBlockId no)
{
    CoreRef map = place_ref(g->m, g->place->parent);
    CoreInstr *i = write_branch(g->m->x, CORE_MAP_GET, 2, g->groups.at[0].block, no, g->m->pos);
    i->args[0] = map;
    i->args[1] = (CoreRef){g->place->index};
    i->dst = VEC_LAST(&g->m->tasks).ref.n;
}

static Context *context_add(Match *m, Context *list, Place *place)
{
    Context *c = ARENA_NEW(m->arena, Context);
    *c = (Context){list, place};
    return c;
}

/* Tasks for all groups; their blocks. */
static void later_groups(Grouping *g, CoreBlockId no)
{
    for (size_t i = g->groups.count; i > 0; i--) {
        Group *group = &g->groups.at[i - 1];
        CoreBlockId then_ = no;
        if (group->rows.n == 0) {
            group->block = then_;
            continue;
        }
        Task from = *g->task;
        Place *place = NULL;
        CoreRef ref = CORE_REF_NONE;
        if (group->want->kind == WANT_KEY) {
            place = g->place;
            ref = core_var(new_var(g->m->x));
        } else if (group->want->kind == WANT_BIN) {
            place = g->context;
            ref = core_var(new_var(g->m->x));
            from.contexts = context_add(g->m, from.contexts, g->context);
            place->ref = ref;
        }
        group->block = match_later_with(g->m, &from, group->rows, then_, place, ref);
    }
}

void match_groups(Match *m, Task *task, Want *want)
{
    Grouping g = {.m = m, .task = task, .place = want->place};
    VEC_IN_ARENA(&g.groups, m->arena);
    VEC_IN_ARENA(&g.large_keys, m->arena);
    htab_init_in_arena(&g.keys, m->arena);
    htab_init_in_arena(&g.by_key, m->arena);
    g.context = ARENA_NEW(m->arena, Place);
    CoreRef value = want->kind == WANT_KEY ? CORE_REF_NONE : place_ref(m, want->place);
    if (want->kind == WANT_MAP && !map_is_plain(m->x, want->ast)) {
        /* Its keys may fail, and then the next row's turn has come. */
        task->no = match_cut(m, task, 1);
        task->rows.n = 1;
    }
    uint32_t taken = group_rows(&g);
    CoreBlockId no = match_cut(m, task, taken);
    CoreBlockId others = match_later(m, task, g.others, no);
    later_groups(&g, no);
    if (g.groups.count == 0) {
        write_jump(m->x, others, m->pos);
    } else if (want->kind == WANT_KEY) {
        write_key(&g, others);
    } else {
        write_groups(&g, value, others);
    }
    g.context->ref = CORE_REF_NONE;
}
