#include "compiler/core/expand_parts.h"

#include <string.h>

#include "compiler/core/fold.h"
#include "vm/format/limits.h"
#include "vm/term/binary.h"
#include "vm/term/map.h"
#include "vm/term/number.h"

/* A full table is the program's error, told once; any atom does for what is left to expand. */
static Term sized_atom(Expand *x, const char *text, size_t size)
{
    Term t = TERM_ATOM(EMPTY);
    AtomPut put = atom_put(x->u->atoms, text, size, &t);
    if (put != ATOM_PUT_FULL || x->no_atoms) return t;
    x->no_atoms = true;
    diag_add(&x->c->diags, DIAG_ATOMS_TOO_MANY, x->w ? x->w->f->pos : x->file->end, LIMIT_ATOMS,
             text);
    return t;
}

Term atom_term(Expand *x, NameId name)
{
    if (name >= x->atom_count) {
        size_t room = x->c->names.count + 64;
        Term *grown = ARENA_ARRAY(x->arena, Term, room);
        for (size_t i = 0; i < room; i++)
            grown[i] = i < x->atom_count ? x->atom_terms[i] : TERM_NONE;
        x->atom_terms = grown;
        x->atom_count = room;
    }
    if (!term_is_none(x->atom_terms[name])) return x->atom_terms[name];
    const NameText *text = &x->c->names.at[name];
    x->atom_terms[name] = sized_atom(x, text->text, text->size);
    return x->atom_terms[name];
}

Term text_atom(Expand *x, const char *text) { return sized_atom(x, text, strlen(text)); }

CoreRef const_atom(Expand *x, AtomName name) { return core_const(x->u, atom_from(name)); }

CoreRef const_small(Expand *x, int64_t value) { return core_const(x->u, small_from(value)); }

static Term made(Term t)
{
    CHECK(!term_is_none(t));
    return t;
}

static Term literal_string(Expand *x, const AstStr *text, Term tail)
{
    Term list = tail;
    for (uint32_t i = text->n; i > 0; i--)
        list = made(heap_cons(&x->u->heap, small_from(text->at[i - 1]), list));
    return list;
}

Term literal_term(Expand *x, const Ast *a)
{
    Heap *h = &x->u->heap;
    switch (a->kind) {
    case AST_ATOM: return atom_term(x, a->v.name);
    case AST_INT:
    case AST_CHAR: return made(heap_int64(h, a->v.i));
    case AST_FLOAT: return made(heap_float(h, a->v.f));
    case AST_STRING: return literal_string(x, a->v.str, TERM_NIL);
    case AST_NIL: return TERM_NIL;
    case AST_BIGINT: {
        const AstDigits *d = a->v.digits;
        Term t = number_read_integer(h, (const uint8_t *)d->at, d->n, (int)d->base, NULL);
        if (!term_is_none(t)) return t;
        diag_add(&x->c->diags, DIAG_INTEGER_TOO_LARGE, a->pos, LIMIT_BIG_WORDS * 64);
        return small_from(0);
    }
    default: return TERM_NONE;
    }
}

static Term ground_list(Expand *x, const Ast *a)
{
    Term list = a->list.tail ? ground_term(x, a->list.tail) : TERM_NIL;
    if (term_is_none(list)) return TERM_NONE;
    for (uint32_t i = a->list.items.n; i > 0; i--) {
        Term item = ground_term(x, a->list.items.at[i - 1]);
        if (term_is_none(item)) return TERM_NONE;
        list = made(heap_cons(&x->u->heap, item, list));
    }
    return list;
}

Term const_tuple(Expand *x, const Term *items, uint32_t n, SrcPos pos)
{
    if (n > LIMIT_TUPLE_SIZE) {
        diag_add(&x->c->diags, DIAG_TUPLE_TOO_LARGE, pos, LIMIT_TUPLE_SIZE, (int)n);
        return TERM_NIL;
    }
    return made(heap_tuple(&x->u->heap, n, items));
}

static Term ground_tuple(Expand *x, const Ast *a)
{
    uint32_t n = a->tuple.items.n;
    Term *items = ARENA_ARRAY(x->arena, Term, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        items[i] = ground_term(x, a->tuple.items.at[i]);
        if (term_is_none(items[i])) return TERM_NONE;
    }
    return const_tuple(x, items, n, a->pos);
}

static Term ground_binop(Expand *x, AstOp op, Term left, const Ast *right)
{
    if (term_is_none(left)) return TERM_NONE;
    Term r = ground_term(x, right);
    return term_is_none(r) ? TERM_NONE : fold_arith(x->u, op, left, r);
}

static Term ground_map(Expand *x, const Ast *a)
{
    uint32_t n = a->map.fields.n;
    if (a->map.base) return TERM_NONE;
    Term *pairs = ARENA_ARRAY(x->arena, Term, 2 * (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const Ast *field = a->map.fields.at[i];
        pairs[2 * (size_t)i] = ground_term(x, field->map_field.key);
        pairs[2 * (size_t)i + 1] = ground_term(x, field->map_field.value);
        if (term_is_none(pairs[2 * (size_t)i]) || term_is_none(pairs[2 * (size_t)i + 1]))
            return TERM_NONE;
    }
    return made(map_from_pairs(&x->u->heap, x->u->atoms, pairs, n));
}

/* A binary of an attribute: it is written as in a function, which is
 * thrown away again, and must come out as a constant. */
static Term ground_bin(Expand *x, const Ast *a)
{
    for (uint32_t i = 0; i < a->bin.segments.n; i++) {
        const Ast *s = a->bin.segments.at[i];
        if (s->segment.value->kind != AST_STRING && s->segment.value->kind != AST_BIN
            && term_is_none(ground_term(x, s->segment.value)))
            return TERM_NONE;
        if (s->segment.size && term_is_none(ground_term(x, s->segment.size))) return TERM_NONE;
    }
    if (a->bin.segments.n == 0) return literal_empty_binary(x);
    const Writing *w = scope_enter(x, TERM_ATOM(EMPTY), 0, false, a->pos);
    CoreRef value = expand_bin_onto(x, CORE_REF_NONE, a, 0);
    x->w = w->outer;
    (void)VEC_POP(&x->u->functions);
    return core_is_const(value) ? core_term(x->u, value) : TERM_NONE;
}

Term ground_term(Expand *x, const Ast *a)
{
    switch (a->kind) {
    case AST_MAP: return x->in_attribute ? ground_map(x, a) : TERM_NONE;
    case AST_BIN: return x->in_attribute ? ground_bin(x, a) : TERM_NONE;
    case AST_LIST: return ground_list(x, a);
    case AST_TUPLE: return ground_tuple(x, a);
    case AST_UNOP: {
        Term arg = ground_term(x, a->unop.arg);
        return term_is_none(arg) ? TERM_NONE : fold_unary(x->u, (AstOp)a->op, arg);
    }
    case AST_BINOP:
        return ground_binop(x, (AstOp)a->op, ground_term(x, a->binop.left), a->binop.right);
    case AST_LCHAIN: {
        Term value = ground_term(x, a->lchain.first);
        for (uint32_t i = 0; i < a->lchain.links.n; i++) {
            const Ast *link = a->lchain.links.at[i];
            value = ground_binop(x, (AstOp)link->op, value, link->link.arg);
        }
        return value;
    }
    default: return literal_term(x, a);
    }
}

Term literal_empty_binary(Expand *x) { return made(binary_from_bytes(&x->u->heap, "", 0)); }
