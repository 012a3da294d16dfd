#include "compiler/syntax/lint_hint.h"
#include "compiler/syntax/lint_state.h"

enum { RECORD_FEW_FIELDS = 12 }; /* up to this many are searched one by one */

RecordInfo *lint_record_use(Lint *l, NameId name, SrcPos pos)
{
    const HtabValue *value = htab_find(&l->records, name);
    if (!value) {
        if (lint_is_broken(l, name)) return NULL;
        LINT_REPORT(l, DIAG_RECORD_UNDEFINED, pos, name);
        lint_hint_record(l, name);
        return NULL;
    }
    RecordInfo *r = value->ptr;
    r->used = true;
    return r;
}

bool lint_record_field(const RecordInfo *r, NameId field)
{
    if (r->count > RECORD_FEW_FIELDS) return htab_find(&r->by_name, field) != NULL;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->fields[i].name == field) return true;
    return false;
}

void lint_record_no_field(Lint *l, const RecordInfo *r, SrcPos pos, NameId field)
{
    LINT_REPORT(l, DIAG_FIELD_UNDEFINED, pos, field, r->name);
    lint_hint_field(l, r, field);
}

static void record_default(Lint *l, RecordInfo *r, const Ast *value)
{
    VarMark mark = vars_mark(l);
    l->in_record = true;
    l->record = r;
    l->scope++;
    lint_expr(l, value);
    l->scope--;
    vars_undo(l, mark);
    l->record = NULL;
    l->in_record = false;
}

void lint_record_decl(Lint *l, const Ast *form)
{
    NameId name = form->v.name;
    const AstList *fields = &form->record_decl.fields;
    if (htab_find(&l->records, name)) {
        LINT_REPORT(l, DIAG_RECORD_AGAIN, form->pos, name);
        return;
    }
    RecordInfo *r = ARENA_NEW(l->arena, RecordInfo);
    r->name = name;
    r->form = form;
    r->fields = ARENA_ARRAY(l->arena, FieldInfo, fields->n);
    VEC_IN_ARENA(&r->calls, l->arena);
    htab_init_in_arena(&r->by_name, l->arena);
    FunctionInfo *function = l->function;
    l->function = NULL;
    for (uint32_t i = 0; i < fields->n; i++) {
        const Ast *field = fields->at[i];
        bool added;
        htab_put(&r->by_name, field->v.name, &added);
        if (!added) {
            LINT_REPORT(l, DIAG_FIELD_AGAIN, field->pos, field->v.name, name);
            continue;
        }
        r->fields[r->count++] = (FieldInfo){field->v.name, field->field_decl.value};
        if (field->field_decl.value) record_default(l, r, field->field_decl.value);
    }
    l->function = function;
    htab_put(&l->records, name, NULL)->ptr = r;
    VEC_PUSH(&l->record_list, r);
    lint_record_types(l, form);
}

/* Names of the fields in an expression or pattern: known, each once, `_` at most once. */
static void check_field_names(Lint *l, const AstList *fields, const RecordInfo *r)
{
    Htab seen = {0};
    for (uint32_t i = 0; i < fields->n; i++) {
        const Ast *field = fields->at[i];
        NameId name = field->v.name;
        bool added = true;
        if (field->op == OP_EXACT) {
            LINT_REPORT(l, DIAG_FIELD_VARIABLE, field->pos, name, r->name);
            continue;
        }
        if (fields->n <= RECORD_FEW_FIELDS) {
            for (uint32_t k = 0; k < i; k++) added = added && fields->at[k]->v.name != name;
        } else {
            htab_put(&seen, name, &added);
        }
        if (!added && name == NAME__)
            LINT_REPORT(l, DIAG_FIELD_WILDCARD_EMPTY, field->pos);
        else if (!added)
            LINT_REPORT(l, DIAG_FIELD_AGAIN, field->pos, name, r->name);
        else if (name != NAME__ && !lint_record_field(r, name))
            lint_record_no_field(l, r, field->pos, name);
    }
    htab_free(&seen);
}

static const Ast *find_wildcard(const AstList *fields)
{
    for (uint32_t i = 0; i < fields->n; i++)
        if (fields->at[i]->v.name == NAME__) return fields->at[i];
    return NULL;
}

/* `_ = V` must stand for at least one field. */
static void check_wildcard(Lint *l, const AstList *fields, const RecordInfo *r)
{
    const Ast *wildcard = find_wildcard(fields);
    uint32_t named = 0;
    if (!wildcard) return;
    for (uint32_t i = 0; i < fields->n; i++)
        named += fields->at[i]->v.name != NAME__ && fields->at[i]->op != OP_EXACT
                 && lint_record_field(r, fields->at[i]->v.name);
    if (named >= r->count) LINT_REPORT(l, DIAG_FIELD_WILDCARD_EMPTY, wildcard->pos);
}

void lint_record_pattern_names(Lint *l, const Ast *node, const RecordInfo *r)
{
    check_field_names(l, &node->record.fields, r);
    check_wildcard(l, &node->record.fields, r);
}

static bool is_given(const AstList *fields, NameId name)
{
    for (uint32_t i = 0; i < fields->n; i++)
        if (fields->at[i]->v.name == name || fields->at[i]->v.name == NAME__) return true;
    return false;
}

/* Defaults run where the record is made: the function uses what they use, and in a guard they
 * must be guard expressions. */
static void use_defaults(Lint *l, const Ast *node, RecordInfo *r, LintVisit visit)
{
    if (l->function && r->calls.count)
        VEC_PUSH(&l->function->records, r);
    else if (!l->function)
        VEC_EACH (FunctionInfo *, f, &r->calls) VEC_PUSH(&l->roots, *f);
    if (visit != lint_guard_expr) return;
    for (uint32_t i = 0; i < r->count; i++) {
        const FieldInfo *field = &r->fields[i];
        if (!field->value || is_given(&node->record.fields, field->name)
            || lint_is_guard(l, field->value, false))
            continue;
        LINT_REPORT(l, DIAG_ILLEGAL_GUARD, node->pos);
    }
}

/* Could this be a record? */
static bool may_be_record(const Ast *base)
{
    switch (base->kind) {
    case AST_CHAR:
    case AST_INT:
    case AST_BIGINT:
    case AST_FLOAT:
    case AST_ATOM:
    case AST_STRING:
    case AST_LIST:
    case AST_NIL:
    case AST_LC:
    case AST_RECORD_INDEX:
    case AST_FUN:
    case AST_FUN_LOCAL:
    case AST_FUN_REMOTE: return false;
    default: return true;
    }
}

static void map_parts(Lint *l, VarMark mark, const Ast *node, LintVisit visit)
{
    for (uint32_t i = 0; i < node->map.fields.n; i++) {
        const Ast *field = node->map.fields.at[i];
        if (!node->map.base && field->op == OP_EXACT)
            LINT_REPORT(l, DIAG_ILLEGAL_MAP_CONSTRUCTION, field->pos);
        lint_sibling(l, mark, field->map_field.key, visit);
        lint_sibling(l, mark, field->map_field.value, visit);
    }
}

static void record_parts(Lint *l, VarMark mark, const Ast *node, LintVisit visit)
{
    const AstList *fields = &node->record.fields;
    RecordInfo *r = lint_record_use(l, node->v.name, node->pos);
    for (uint32_t i = 0; i < fields->n; i++)
        lint_sibling(l, mark, fields->at[i]->record_field.value, visit);
    if (!r) return;
    check_field_names(l, fields, r);
    const Ast *wildcard = find_wildcard(fields);
    if (!node->record.base)
        use_defaults(l, node, r, visit);
    else if (wildcard)
        LINT_REPORT(l, DIAG_FIELD_WILDCARD_UPDATE, wildcard->pos, r->name);
}

/* All but the base. */
static void parts(Lint *l, VarMark mark, const Ast *node, LintVisit visit)
{
    const Ast *base = ast_base(node);
    if (node->kind != AST_MAP && base && !may_be_record(base))
        LINT_REPORT(l, DIAG_RECORD_ILLEGAL, node->pos);
    if (node->kind == AST_MAP)
        map_parts(l, mark, node, visit);
    else if (node->kind == AST_RECORD)
        record_parts(l, mark, node, visit);
    else
        lint_record_index(l, node);
}

void lint_record_expr(Lint *l, const Ast *node, LintVisit visit)
{
    VarMark mark = vars_mark(l);
    if (ast_base(node)) {
        uint32_t n;
        const Ast **row = ast_postfixes(l->arena, node, &n);
        lint_sibling(l, mark, ast_base(row[0]), visit);
        for (uint32_t i = 0; i < n; i++) parts(l, mark, row[i], visit);
    } else {
        parts(l, mark, node, visit);
    }
    lint_siblings_end(l, mark);
}

void lint_record_index(Lint *l, const Ast *node)
{
    const RecordInfo *r = lint_record_use(l, node->v.pair.name, node->pos);
    NameId field = (NameId)node->v.pair.second;
    if (r && !lint_record_field(r, field)) lint_record_no_field(l, r, node->pos, field);
}

void lint_check_records(Lint *l)
{
    const Source *main = l->file->source;
    VEC_EACH (RecordInfo *, item, &l->record_list) {
        const RecordInfo *r = *item;
        if (r->used || l->broken.count > 0 || htab_find(&l->quiet_records, r->name)
            || r->form->pos < main->base || r->form->pos - main->base > main->size)
            continue;
        LINT_WARN(l, OPT_UNUSED_RECORD, DIAG_RECORD_UNUSED, r->form->pos, r->name);
    }
}
