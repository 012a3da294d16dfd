#include "compiler/core/expand_parts.h"

/* From so many fields on an update takes more words than an instruction likes to promise. */
#define RECORD_WIDE 4000

static const Record *record_of(Expand *x, NameId name)
{
    const Record *r = find_record(x, name);
    if (r) return r;
    Record *none = ARENA_NEW(x->arena, Record);
    none->name = name;
    return none;
}

CoreRef expand_record_new(Expand *x, const Ast *a, CoreBlockId no)
{
    const Record *r = record_of(x, a->v.name);
    const AstList *fields = &a->record.fields;
    const Ast **values = ARENA_ARRAY(x->arena, const Ast *, r->count + 1);
    const Ast *others = NULL;
    for (uint32_t i = fields->n; i-- > 0;) {
        const Ast *f = fields->at[i];
        if (f->v.name == NAME__) others = f->record_field.value;
        values[record_field(r, f->v.name)] = f->record_field.value;
    }
    CoreRef *items = ARENA_ARRAY(x->arena, CoreRef, r->count + 1);
    items[0] = core_const(x->u, atom_term(x, r->name));
    for (uint32_t i = 1; i <= r->count; i++) {
        const Ast *value = values[i] ? values[i] : others ? others : r->fields[i - 1].value;
        items[i] = value ? expand_value(x, value, no) : const_atom(x, ATOM_UNDEFINED);
    }
    return write_tuple(x, items, r->count + 1, a->pos);
}

/* Go on when `value` is such a record, else error {badrecord, Value}, in a guard to `no`. */
static void record_demand(Expand *x, const Record *r, CoreRef value, CoreBlockId no, SrcPos pos)
{
    CoreBlockId bad = no ? no : new_block(x);
    CoreInstr *i = write_test(x, CORE_IS_RECORD, 2, bad, pos);
    i->args[0] = value;
    i->args[1] = core_const(x->u, atom_term(x, r->name));
    i->index = r->count + 1;
    if (no) return;
    CoreBlockId yes = x->w->block;
    go_to(x, bad);
    write_error2(x, ATOM_BADRECORD, value, pos);
    go_to(x, yes);
}

/* A very wide record is put together from its elements: one instruction could not promise room. */
static CoreRef record_rebuild(Expand *x, const Record *r, CoreRef base, const Ast *a,
                              const CoreRef *values)
{
    const AstList *fields = &a->record.fields;
    uint32_t *updated = ARENA_ARRAY(x->arena, uint32_t, r->count + 1);
    for (uint32_t i = 0; i < fields->n; i++)
        updated[record_field(r, fields->at[i]->v.name)] = i + 1;
    CoreRef *items = ARENA_ARRAY(x->arena, CoreRef, r->count + 1);
    items[0] = core_const(x->u, atom_term(x, r->name));
    for (uint32_t i = 1; i <= r->count; i++)
        items[i] = updated[i] ? values[updated[i] - 1] : write_element(x, base, i, a->pos);
    return write_tuple(x, items, r->count + 1, a->pos);
}

/* Base#r{f = V, ...}, all values known. */
static CoreRef record_update(Expand *x, CoreRef base, const Ast *a, const CoreRef *values)
{
    const Record *r = record_of(x, a->v.name);
    const AstList *fields = &a->record.fields;
    record_demand(x, r, base, 0, a->pos);
    if (r->count >= RECORD_WIDE && fields->n > 0) return record_rebuild(x, r, base, a, values);
    for (uint32_t i = 0; i < fields->n;) {
        uint32_t n = fields->n - i < CORE_WIDE_MAX ? fields->n - i : CORE_WIDE_MAX;
        uint32_t *indexes = ARENA_ARRAY(x->arena, uint32_t, n);
        CoreVar dst = new_var(x);
        CoreInstr *set = write_instr(x, CORE_SET_ELEMENTS, n + 1, a->pos);
        set->args[0] = base;
        for (uint32_t k = 0; k < n; k++, i++) {
            indexes[k] = record_field(r, fields->at[i]->v.name);
            set->args[k + 1] = values[i];
        }
        set->indexes = indexes;
        set->index = r->count + 1;
        set->dst = dst;
        base = core_var(dst);
    }
    return base;
}

static CoreRef record_get(Expand *x, CoreRef base, const Ast *a, CoreBlockId no)
{
    const Record *r = record_of(x, a->v.pair.name);
    record_demand(x, r, base, no, a->pos);
    return write_element(x, base, record_field(r, a->v.pair.second), a->pos);
}

CoreRef expand_postfix(Expand *x, const Ast *a, CoreBlockId no)
{
    uint32_t n;
    const Ast **row = ast_postfixes(x->arena, a, &n);
    CoreRef **values = ARENA_ARRAY(x->arena, CoreRef *, n);
    for (uint32_t i = n; i-- > 0;) {
        if (row[i]->kind != AST_RECORD) continue;
        const AstList *fields = &row[i]->record.fields;
        values[i] = ARENA_ARRAY(x->arena, CoreRef, fields->n + 1);
        for (uint32_t k = 0; k < fields->n; k++)
            values[i][k] = expand_value(x, fields->at[k]->record_field.value, no);
    }
    CoreRef base = expand_value(x, ast_base(row[0]), no);
    for (uint32_t i = 0; i < n; i++) {
        if (row[i]->kind == AST_MAP)
            base = expand_map_update(x, base, row[i], no);
        else if (row[i]->kind == AST_RECORD)
            base = record_update(x, base, row[i], values[i]);
        else
            base = record_get(x, base, row[i], no);
    }
    return base;
}

CoreRef expand_record_index(Expand *x, const Ast *a)
{
    const Record *r = record_of(x, a->v.pair.name);
    return const_small(x, record_field(r, a->v.pair.second) + 1);
}
