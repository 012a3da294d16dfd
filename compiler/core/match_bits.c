#include "compiler/core/match_parts.h"
#include "vm/term/binary.h"
#include "vm/term/number.h"

#include <string.h>

/* Up to so many rows in a row that begin with different strings are compared string by string;
 * more of them go character by character, so that common beginnings are tested once. */
#define STRINGS_COMPARED 4

typedef enum { NEXT_END, NEXT_STRING, NEXT_VALUE } NextKind;

/* What a row wants to read next. */
typedef struct {
    NextKind kind;
    CoreSegType type;
    uint8_t flags;
    uint16_t unit;
    CoreRef size;        /* none: the rest, or a character */
    const Ast *odd_size; /* an expression, which belongs to one row alone */
    const AstStr *text;  /* STRING */
    const Ast *value;    /* VALUE: its pattern, or NULL and */
    uint32_t character;  /* this character of a string */
    bool reads;          /* some row looks at what is read */
} Next;

/* Where the value of a segment and the context behind it go. */
typedef struct {
    Place *value;
    Place *state;
    bool reads; /* some row looks at the value */
} Behind;

static CoreRef next_size(Match *m, const Row *row, const Ast *size, Next *next)
{
    Term ground = ground_term(m->x, size);
    if (!term_is_none(ground)) return core_const(m->x->u, ground);
    if (size->kind == AST_VAR) {
        for (Bound *b = row->bound; b; b = b->next)
            if (b->name == size->v.name) return place_ref(m, b->place);
        CoreRef known = scope_find(m->x, size->v.name);
        if (!core_is_none(known)) return known;
    }
    next->odd_size = size;
    return CORE_REF_NONE;
}

static bool text_is_bytes(const AstStr *text)
{
    for (uint32_t i = 0; i < text->n; i++)
        if (text->at[i] > 255) return false;
    return true;
}

static Next next_of(Match *m, const Row *row, const Want *w)
{
    uint32_t i = w->segment;
    while (i < w->segments->n) {
        const Ast *v = w->segments->at[i]->segment.value;
        if (v->kind != AST_STRING || v->v.str->n > 0) break;
        i++;
    }
    if (i >= w->segments->n) return (Next){.kind = NEXT_END};
    const Ast *s = w->segments->at[i];
    AstSegSpec spec = ast_segment_spec(s);
    const Ast *value = s->segment.value;
    Next next = {.kind = NEXT_VALUE,
                 .type = segment_type(spec),
                 .flags = segment_flags(spec),
                 .unit = spec.unit == 0 ? 1 : spec.unit,
                 .value = value};
    if (next.type == CORE_SEG_BITS) next.flags = 0;
    if (s->segment.size) {
        next.size = next_size(m, row, s->segment.size, &next);
    } else if (next.type == CORE_SEG_INTEGER) {
        next.size = const_small(m->x, 8);
    } else if (next.type == CORE_SEG_FLOAT) {
        next.size = const_small(m->x, 64);
    }
    if (value->kind != AST_STRING) return next;
    next.value = NULL;
    next.character = value->v.str->at[w->character];
    bool bytes =
        next.type == CORE_SEG_INTEGER && !s->segment.size && text_is_bytes(value->v.str);
    if (bytes && w->character == 0 && value->v.str->n > 1) next.text = value->v.str;
    return next;
}

static bool next_same(const Next *a, const Next *b)
{
    if (a->kind != b->kind || a->odd_size || b->odd_size) return false;
    if (a->kind == NEXT_END) return true;
    if (a->kind == NEXT_STRING)
        return b->text && a->text->n == b->text->n
               && memcmp(a->text->at, b->text->at, a->text->n * sizeof(uint32_t)) == 0;
    return a->type == b->type && a->flags == b->flags && a->unit == b->unit
           && core_same(a->size, b->size);
}

/* Should the first row's string be compared whole? */
static bool compare_whole(const Match *m, const Task *task, const Place *place,
                          const Next *first)
{
    if (!first->text) return false;
    uint32_t strings = 0;
    for (uint32_t i = 0; i < task->rows.n && i < 2 * STRINGS_COMPARED; i++) {
        const Want *w = row_find(m, &task->rows.at[i], place);
        if (!w) break;
        if (w->segment < w->segments->n
            && w->segments->at[w->segment]->segment.value->kind == AST_STRING)
            strings++;
    }
    return strings <= STRINGS_COMPARED;
}

/* How many of the first rows read the same next. */
static uint32_t rows_alike(Match *m, const Task *task, const Place *place, Next *first)
{
    const Row *rows = task->rows.at;
    *first = next_of(m, &rows[0], row_find(m, &rows[0], place));
    if (compare_whole(m, task, place, first)) first->kind = NEXT_STRING;
    uint32_t n = 1;
    while (n < task->rows.n) {
        const Want *w = row_find(m, &rows[n], place);
        if (!w || w->kind != WANT_REST) break;
        Next next = next_of(m, &rows[n], w);
        if (first->kind == NEXT_STRING && next.text) next.kind = NEXT_STRING;
        if (!next_same(first, &next)) break;
        n++;
    }
    return n;
}

static bool is_anything(const Next *next)
{
    return next->value && next->value->kind == AST_VAR && next->value->v.name == NAME__;
}

/* A literal integer in a float segment means the float. */
static bool add_float(Match *m, Row *row, Place *place, const Ast *value)
{
    Term t = ground_term(m->x, value);
    double d;
    if (!term_is_integer(t) || !number_to_double(t, &d)) return false;
    row_want_const(m, row, place, heap_float(&m->x->u->heap, d));
    return true;
}

/* The row behind its next segment. */
static Row row_behind(Match *m, Row row, const Place *place, NextKind kind, Behind *behind)
{
    Want *w = row_find(m, &row, place);
    Next next = next_of(m, &row, w);
    row_remove(m, &row, w);
    if (kind == NEXT_END) return row;
    bool to_the_end = next.type == CORE_SEG_BITS && core_is_none(next.size) && !next.odd_size;
    if (!to_the_end) {
        Want *rest = row_want(m, &row, behind->state, WANT_REST);
        rest->segments = w->segments;
        rest->segment = w->segment;
        while (rest->segments->at[rest->segment]->segment.value->kind == AST_STRING
               && rest->segments->at[rest->segment]->segment.value->v.str->n == 0)
            rest->segment++;
        bool inside = !next.value && kind != NEXT_STRING;
        rest->character = inside ? w->character + 1 : 0;
        if (!inside
            || rest->character >= w->segments->at[rest->segment]->segment.value->v.str->n) {
            rest->segment++;
            rest->character = 0;
        }
    }
    if (kind == NEXT_STRING || is_anything(&next)) return row;
    behind->reads = true;
    if (!next.value) {
        row_want_const(m, &row, behind->value, small_from(next.character));
    } else if (next.type != CORE_SEG_FLOAT || !add_float(m, &row, behind->value, next.value)) {
        row_add(m, &row, behind->value, next.value);
    }
    return row;
}

static CoreRef text_binary(Match *m, const AstStr *text)
{
    uint8_t *bytes = arena_alloc(m->arena, text->n + 1);
    for (uint32_t i = 0; i < text->n; i++) bytes[i] = (uint8_t)text->at[i];
    Term t = binary_from_bytes(&m->x->u->heap, bytes, text->n);
    CHECK(!term_is_none(t));
    return core_const(m->x->u, t);
}

static uint32_t utf_width(CoreSegType type)
{
    return type == CORE_SEG_UTF8 ? 8 : type == CORE_SEG_UTF16 ? 16 : 32;
}

/* The instruction for a segment; CORE_JUMP when there is nothing to test. */
static CoreKind next_kind(const Next *next)
{
    if (next->kind == NEXT_END) return CORE_BITS_IS_END;
    if (next->kind == NEXT_STRING) return CORE_BITS_IS_STRING;
    switch (next->type) {
    case CORE_SEG_INTEGER: return next->reads ? CORE_BITS_INT : CORE_BITS_SKIP;
    case CORE_SEG_FLOAT: return CORE_BITS_FLOAT;
    case CORE_SEG_BITS:
        if (!core_is_none(next->size)) return next->reads ? CORE_BITS_BINARY : CORE_BITS_SKIP;
        if (next->reads) return CORE_BITS_REST;
        return next->unit > 1 ? CORE_BITS_IS_UNIT : CORE_JUMP;
    default: return next->reads ? CORE_BITS_UTF : CORE_BITS_SKIP_UTF;
    }
}

static void write_segment(Match *m, const Next *next, CoreRef context, CoreRef dst,
                          CoreBlockId yes, CoreBlockId no)
{
    Expand *x = m->x;
    CoreKind kind = next_kind(next);
    if (kind == CORE_JUMP) {
        write_jump(x, yes, m->pos);
        return;
    }
    CoreRef second = kind == CORE_BITS_IS_STRING ? text_binary(m, next->text) : next->size;
    uint32_t args = (uint32_t)core_info[kind].args;
    CoreInstr *i = write_branch(x, kind, args, yes, no, m->pos);
    i->args[0] = context;
    if (args > 1) i->args[1] = second;
    bool utf = kind == CORE_BITS_UTF || kind == CORE_BITS_SKIP_UTF;
    i->index = utf                         ? utf_width(next->type)
               : next->kind == NEXT_VALUE  ? next->unit
               : next->kind == NEXT_STRING ? next->text->n * 8
                                           : 0;
    i->flags = next->flags;
    if (core_info[kind].flags & CORE_FLAG_DST) i->dst = dst.n;
}

/* The contexts in use with one replaced by what it is behind the segment, or taken away. */
static Context *contexts_behind(Match *m, const Context *list, const Place *old, Place *state)
{
    Context *out = NULL;
    for (const Context *c = list; c; c = c->next) {
        if (c->place == old && !state) continue;
        Context *copy = ARENA_NEW(m->arena, Context);
        *copy = (Context){out, c->place == old ? state : c->place};
        out = copy;
    }
    return out;
}

void match_segment(Match *m, Task *task, Want *want)
{
    Expand *x = m->x;
    Place *place = want->place;
    CoreRef context = place->ref;
    Next next;
    uint32_t n = rows_alike(m, task, place, &next);
    CoreBlockId no = match_cut(m, task, n);
    if (next.odd_size) {
        uint32_t mark = scope_mark(x);
        row_into_scope(m, &task->rows.at[0]);
        next.size = expand_guard_value(x, next.odd_size, no);
        scope_rewind(x, mark);
    }
    Behind behind = {ARENA_NEW(m->arena, Place), ARENA_NEW(m->arena, Place), false};
    behind.state->ref = context;
    Rows rows = {0};
    for (uint32_t i = 0; i < n; i++)
        rows_push(m, &rows, row_behind(m, task->rows.at[i], place, next.kind, &behind));
    next.reads = behind.reads;
    bool ends =
        next.kind == NEXT_END
        || (next.kind == NEXT_VALUE && next.type == CORE_SEG_BITS && core_is_none(next.size));
    Task from = *task;
    from.contexts = contexts_behind(m, task->contexts, place, ends ? NULL : behind.state);
    CoreRef dst = core_var(new_var(x));
    CoreBlockId yes =
        match_later_with(m, &from, rows, no, next.reads ? behind.value : NULL, dst);
    write_segment(m, &next, context, dst, yes, no);
}

static bool ground_bytes(const Ast *s)
{
    AstSegSpec spec = s->v.seg;
    if (s->segment.size) return false;
    const Ast *v = s->segment.value;
    bool plain = spec.type == SEG_DEFAULT || spec.type == SEG_INTEGER;
    if (v->kind == AST_STRING)
        return spec.type == SEG_UTF8 || (plain && text_is_bytes(v->v.str));
    return plain && (v->kind == AST_INT || v->kind == AST_CHAR) && v->v.i >= 0
           && v->v.i <= (spec.sign == SEG_SIGNED ? 127 : 255);
}

Term ground_binary(Expand *x, const Ast *bin)
{
    for (uint32_t i = 0; i < bin->bin.segments.n; i++)
        if (!ground_bytes(bin->bin.segments.at[i])) return TERM_NONE;
    return core_term(x->u, expand_bin(x, bin, 0));
}
