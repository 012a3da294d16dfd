#include "compiler/core/expand_parts.h"

/* The value written for a field, or the one for `_`, or NULL. */
static const Ast *record_written(const AstList *fields, NameId name, bool others)
{
    const Ast *rest = NULL;
    for (uint32_t i = 0; i < fields->n; i++) {
        const Ast *f = fields->at[i];
        if (f->v.name == name) return f->record_field.value;
        if (f->v.name == NAME__) rest = f->record_field.value;
    }
    return others ? rest : NULL;
}

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
    CoreRef *items = ARENA_ARRAY(x->arena, CoreRef, r->count + 1);
    items[0] = core_const(x->u, atom_term(x, r->name));
    for (uint32_t i = 0; i < r->count; i++) {
        const Ast *value = record_written(&a->record.fields, r->fields[i].name, true);
        if (!value) value = r->fields[i].value;
        items[i + 1] = value ? expand_value(x, value, no) : const_atom(x, ATOM_UNDEFINED);
    }
    return write_tuple(x, items, r->count + 1, a->pos);
}

/* Go on when `value` is such a record, else error {badrecord, Value}. */
static void record_demand(Expand *x, const Record *r, CoreRef value, SrcPos pos)
{
    CoreBlockId no = new_block(x);
    CoreInstr *i = write_test(x, CORE_IS_RECORD, 2, no, pos);
    i->args[0] = value;
    i->args[1] = core_const(x->u, atom_term(x, r->name));
    i->index = r->count + 1;
    CoreBlockId yes = x->w->block;
    go_to(x, no);
    write_error2(x, ATOM_BADRECORD, value, pos);
    go_to(x, yes);
}

/* R#r{f = V, ...}: the values first, then the record. */
static CoreRef record_update(Expand *x, const Ast *a)
{
    const Record *r = record_of(x, a->v.name);
    const AstList *fields = &a->record.fields;
    CoreRef *values = ARENA_ARRAY(x->arena, CoreRef, fields->n + 1);
    for (uint32_t i = 0; i < fields->n; i++)
        values[i] = expand_expr(x, fields->at[i]->record_field.value);
    CoreRef base = expand_expr(x, a->record.base);
    record_demand(x, r, base, a->pos);
    if (fields->n == 0) return base;
    uint32_t *indexes = ARENA_ARRAY(x->arena, uint32_t, fields->n);
    for (uint32_t i = 0; i < fields->n; i++)
        indexes[i] = record_field(r, fields->at[i]->v.name);
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_SET_ELEMENTS, fields->n + 1, a->pos);
    i->args[0] = base;
    for (uint32_t k = 0; k < fields->n; k++) i->args[k + 1] = values[k];
    i->indexes = indexes;
    i->index = r->count + 1;
    i->dst = dst;
    return core_var(dst);
}

CoreRef expand_record(Expand *x, const Ast *a)
{
    return a->record.base ? record_update(x, a) : expand_record_new(x, a, 0);
}

CoreRef expand_record_get(Expand *x, const Ast *a)
{
    const Record *r = record_of(x, a->v.pair.name);
    CoreRef base = expand_expr(x, a->record_get.base);
    record_demand(x, r, base, a->pos);
    return write_element(x, base, record_field(r, a->v.pair.second), a->pos);
}

CoreRef expand_record_index(Expand *x, const Ast *a)
{
    const Record *r = record_of(x, a->v.pair.name);
    return const_small(x, record_field(r, a->v.pair.second) + 1);
}
