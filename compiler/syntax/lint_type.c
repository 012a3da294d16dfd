#include <string.h>

#include "compiler/syntax/lint_hint.h"
#include "compiler/syntax/lint_state.h"

/* Built-in types: name and number of parameters. */
typedef struct {
    const char *name;
    uint8_t arity;
} BuiltinType;

static const BuiltinType builtin_types[] = {
    {"any", 0},
    {"arity", 0},
    {"atom", 0},
    {"binary", 0},
    {"bitstring", 0},
    {"bool", 0},
    {"boolean", 0},
    {"byte", 0},
    {"char", 0},
    {"dynamic", 0},
    {"float", 0},
    {"function", 0},
    {"identifier", 0},
    {"integer", 0},
    {"iodata", 0},
    {"iolist", 0},
    {"list", 0},
    {"list", 1},
    {"map", 0},
    {"maybe_improper_list", 0},
    {"maybe_improper_list", 2},
    {"mfa", 0},
    {"module", 0},
    {"neg_integer", 0},
    {"nil", 0},
    {"no_return", 0},
    {"node", 0},
    {"non_neg_integer", 0},
    {"none", 0},
    {"nonempty_binary", 0},
    {"nonempty_bitstring", 0},
    {"nonempty_improper_list", 2},
    {"nonempty_list", 0},
    {"nonempty_list", 1},
    {"nonempty_maybe_improper_list", 0},
    {"nonempty_maybe_improper_list", 2},
    {"nonempty_string", 0},
    {"number", 0},
    {"pid", 0},
    {"port", 0},
    {"pos_integer", 0},
    {"reference", 0},
    {"string", 0},
    {"term", 0},
    {"timeout", 0},
    {"tuple", 0},
};

static bool is_builtin_type(const Lint *l, NameId name, uint32_t arity)
{
    const char *text = names_text(&l->c->names, name);
    for (size_t i = 0; i < ARRAY_LEN(builtin_types); i++)
        if (builtin_types[i].arity == arity && strcmp(builtin_types[i].name, text) == 0)
            return true;
    return false;
}

static TypeInfo *type_info(Lint *l, NameId name, uint32_t arity)
{
    bool added;
    HtabValue *value = htab_put(&l->types, lint_key(name, arity), &added);
    if (!added) return value->ptr;
    TypeInfo *t = ARENA_NEW(l->arena, TypeInfo);
    value->ptr = t;
    t->name = name;
    t->arity = arity;
    VEC_IN_ARENA(&t->uses, l->arena);
    VEC_PUSH(&l->type_list, t);
    return t;
}

static void type_use(Lint *l, NameId name, uint32_t arity, SrcPos pos)
{
    TypeInfo *t = type_info(l, name, arity);
    VEC_PUSH(&l->type_uses, (TypeUse){t, pos});
    if (l->type)
        VEC_PUSH(&l->type->uses, t);
    else
        VEC_PUSH(&l->type_roots, t);
}

/* Type variables: one that stands only once in a declaration says nothing. */

static void type_var(Lint *l, NameId name, SrcPos pos)
{
    if (name == NAME__) return;
    bool added;
    HtabValue *value = htab_put(&l->type_vars, name, &added);
    value->num = added ? pos : 0;
}

static void type_vars_report(Lint *l)
{
    size_t cursor = 0;
    for (const HtabEntry *entry; (entry = htab_next(&l->type_vars, &cursor)) != NULL;) {
        NameId name = (NameId)entry->key;
        if (entry->value.num && !vars_is_ignored(l, name))
            LINT_REPORT(l, DIAG_TYPE_VAR_SINGLE, (SrcPos)entry->value.num, name);
    }
    htab_clear(&l->type_vars);
}

static void check_type(Lint *l, const Ast *node);

static void check_types(Lint *l, const AstList *list)
{
    for (uint32_t i = 0; i < list->n; i++) check_type(l, list->at[i]);
}

static void check_record_type(Lint *l, const Ast *node)
{
    const RecordInfo *r = lint_record_use(l, node->v.name, node->pos);
    const AstList *fields = &node->t_record.fields;
    for (uint32_t i = 0; r && i < fields->n; i++) {
        const Ast *field = fields->at[i];
        if (!lint_record_field(r, field->v.name))
            lint_record_no_field(l, r, field->pos, field->v.name);
        for (uint32_t k = 0; k < i; k++)
            if (fields->at[k]->v.name == field->v.name)
                LINT_REPORT(l, DIAG_FIELD_AGAIN, field->pos, field->v.name, r->name);
        check_type(l, field->t_field.type);
    }
}

static bool integer_op(unsigned op)
{
    return op >= OP_MUL && op <= OP_BSR && op != OP_FDIV && op != OP_AND;
}

/* An expression of integers, of any size. */
static bool is_integer_expr(const Ast *node)
{
    switch (node->kind) {
    case AST_INT:
    case AST_CHAR:
    case AST_BIGINT: return true;
    case AST_UNOP: return node->op != OP_NOT && is_integer_expr(node->unop.arg);
    case AST_BINOP:
        return integer_op(node->op) && is_integer_expr(node->binop.left)
               && is_integer_expr(node->binop.right);
    case AST_LCHAIN:
        for (uint32_t i = 0; i < node->lchain.links.n; i++)
            if (!integer_op(node->lchain.links.at[i]->op)
                || !is_integer_expr(node->lchain.links.at[i]->link.arg))
                return false;
        return is_integer_expr(node->lchain.first);
    default: return false;
    }
}

static void check_range(Lint *l, const Ast *node)
{
    int64_t low;
    int64_t high;
    bool low_known = lint_integer(node->t_range.low, &low);
    bool high_known = lint_integer(node->t_range.high, &high);
    bool right = is_integer_expr(node->t_range.low) && is_integer_expr(node->t_range.high);
    if (!right || (low_known && high_known && low >= high))
        LINT_REPORT(l, DIAG_TYPE_SYNTAX, node->pos, "range");
}

static void check_binary_type(Lint *l, const Ast *node)
{
    int64_t value = 0;
    bool right = !node->t_bin.base || (lint_integer(node->t_bin.base, &value) && value >= 0);
    value = 0;
    right =
        right && (!node->t_bin.unit || (lint_integer(node->t_bin.unit, &value) && value >= 0));
    if (!right) LINT_REPORT(l, DIAG_TYPE_SYNTAX, node->pos, "binary");
}

static void check_type_call(Lint *l, const Ast *node)
{
    const AstList *args = &node->t_call.args;
    if (!is_builtin_type(l, node->v.name, args->n))
        type_use(l, node->v.name, args->n, node->pos);
    else {
        const HtabValue *own =
            l->types_imported ? NULL : htab_find(&l->types, lint_key(node->v.name, args->n));
        if (own) type_use(l, node->v.name, args->n, node->pos);
    }
    check_types(l, args);
}

static void check_type(Lint *l, const Ast *node)
{
    switch (node->kind) {
    case AST_ATOM:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_T_NIL: break;
    case AST_VAR: type_var(l, node->v.name, node->pos); break;
    case AST_T_CALL: check_type_call(l, node); break;
    case AST_T_REMOTE:
        if (node->v.pair.name == l->file->module)
            type_use(l, (NameId)node->v.pair.second, node->t_remote.args.n, node->pos);
        check_types(l, &node->t_remote.args);
        break;
    case AST_T_UNION: check_types(l, &node->t_union.items); break;
    case AST_T_RANGE: check_range(l, node); break;
    case AST_T_LIST: check_type(l, node->t_list.item); break;
    case AST_T_TUPLE: check_types(l, &node->t_tuple.items); break;
    case AST_T_MAP: check_types(l, &node->t_map.fields); break;
    case AST_T_MAP_FIELD:
        check_type(l, node->t_map_field.key);
        check_type(l, node->t_map_field.value);
        break;
    case AST_T_RECORD: check_record_type(l, node); break;
    case AST_T_BIN: check_binary_type(l, node); break;
    case AST_T_FUN:
        check_types(l, &node->t_fun.args);
        if (node->t_fun.result) check_type(l, node->t_fun.result);
        break;
    case AST_T_ANN: check_type(l, node->t_ann.type); break;
    default:
        if (!is_integer_expr(node)) LINT_REPORT(l, DIAG_TYPE_SYNTAX, node->pos, "integer");
        break;
    }
}

/* Declarations. */

void lint_record_types(Lint *l, const Ast *form)
{
    const AstList *fields = &form->record_decl.fields;
    for (uint32_t i = 0; i < fields->n; i++)
        if (fields->at[i]->field_decl.type) check_type(l, fields->at[i]->field_decl.type);
    type_vars_report(l);
}

static bool says_nothing(const Lint *l, const Ast *type)
{
    if (type->kind != AST_T_CALL || type->t_call.args.n) return false;
    return type->v.name == NAME_ANY
           || strcmp(names_text(&l->c->names, type->v.name), "term") == 0;
}

void lint_type_decl(Lint *l, const Ast *form)
{
    uint32_t arity = form->type_decl.params.n;
    if (is_builtin_type(l, form->v.name, arity) && l->types_imported
        && strcmp(names_text(&l->c->names, form->v.name), "dynamic") != 0) {
        LINT_REPORT(l, DIAG_TYPE_BUILTIN, form->pos, form->v.name, (int)arity);
        return;
    }
    TypeInfo *t = type_info(l, form->v.name, arity);
    if (t->form) {
        LINT_REPORT(l, DIAG_TYPE_AGAIN, form->pos, form->v.name, (int)arity);
        return;
    }
    t->form = form;
    if (form->op == OP_OPAQUE && arity == 0 && says_nothing(l, form->type_decl.type))
        LINT_REPORT(l, DIAG_OPAQUE_UNDERSPECIFIED, form->pos, form->v.name, (int)arity);
    l->type = t;
    check_type(l, form->type_decl.type);
    check_types(l, &form->type_decl.params);
    l->type = NULL;
    type_vars_report(l);
}

void lint_export_type(Lint *l, const Ast *form)
{
    const AstList *names = &form->export_type.names;
    for (uint32_t i = 0; i < names->n; i++) {
        AstPair pair = names->at[i]->v.pair;
        TypeInfo *t = type_info(l, pair.name, pair.second);
        if (t->exported)
            LINT_REPORT(l, DIAG_TYPE_EXPORT_TWICE, form->pos, pair.name, (int)pair.second);
        else
            type_use(l, pair.name, pair.second, form->pos);
        t->exported = true;
    }
}

static void check_signature(Lint *l, const Ast *form, const Ast *type)
{
    const Ast *fun = type->kind == AST_T_BOUNDED ? type->t_bounded.fun : type;
    if (fun->op == OP_ANY_ARGS || fun->t_fun.args.n != form->v.pair.second)
        LINT_REPORT(l, form->op == OP_CALLBACK ? DIAG_CALLBACK_ARITY : DIAG_SPEC_ARITY,
                    type->pos);
    if (type->kind == AST_T_BOUNDED) {
        check_type(l, type->t_bounded.fun);
        for (uint32_t i = 0; i < type->t_bounded.bounds.n; i++) {
            const Ast *bound = type->t_bounded.bounds.at[i];
            type_var(l, bound->v.name, bound->pos);
            check_type(l, bound->t_ann.type);
        }
    } else {
        check_type(l, type);
    }
    type_vars_report(l);
}

void lint_spec(Lint *l, const Ast *form)
{
    AstPair pair = form->v.pair;
    const Ast *module = form->spec.module;
    if (form->op == OP_CALLBACK) {
        bool added;
        if (module) {
            LINT_REPORT(l, DIAG_CALLBACK_MODULE, form->pos);
            return;
        }
        htab_put(&l->callbacks, lint_key(pair.name, pair.second), &added)->num = form->pos;
        if (!added) {
            LINT_REPORT(l, DIAG_CALLBACK_AGAIN, form->pos, pair.name, (int)pair.second);
            return;
        }
    } else if (module && module->v.name != l->file->module) {
        LINT_REPORT(l, DIAG_SPEC_OTHER_MODULE, form->pos, module->v.name, pair.name,
                    (int)pair.second);
    } else {
        FunctionInfo *f = lint_function(l, pair.name, pair.second);
        if (f->has_spec) {
            LINT_REPORT(l, DIAG_SPEC_AGAIN, form->pos, pair.name, (int)pair.second);
            return;
        }
        f->has_spec = true;
        VEC_PUSH(&l->specs, form);
    }
    for (uint32_t i = 0; i < form->spec.types.n; i++)
        check_signature(l, form, form->spec.types.at[i]);
}

/* After the whole file. */

typedef VEC(TypeInfo *) TypeStack;

static void reach(TypeStack *stack, TypeInfo *t)
{
    if (t->reached) return;
    t->reached = true;
    VEC_PUSH(stack, t);
}

void lint_check_types(Lint *l)
{
    const Source *main = l->file->source;
    TypeStack stack = {0};
    VEC_EACH (TypeUse, use, &l->type_uses)
        if (!use->type->form && !lint_is_broken(l, use->type->name)) {
            LINT_REPORT(l, DIAG_TYPE_UNDEFINED, use->pos, use->type->name,
                        (int)use->type->arity);
            lint_hint_type(l, use->type->name);
        }
    VEC_EACH (TypeInfo *, root, &l->type_roots) reach(&stack, *root);
    while (stack.count > 0) {
        TypeInfo *t = VEC_POP(&stack);
        VEC_EACH (TypeInfo *, used, &t->uses) reach(&stack, *used);
    }
    VEC_FREE(&stack);
    VEC_EACH (TypeInfo *, item, &l->type_list) {
        const TypeInfo *t = *item;
        if (!t->form) continue;
        bool in_main = t->form->pos >= main->base && t->form->pos - main->base <= main->size;
        if (!t->reached && in_main && l->broken.count == 0)
            LINT_WARN(l, OPT_UNUSED_TYPE, DIAG_TYPE_UNUSED, t->form->pos, t->name,
                      (int)t->arity);
        if (t->form->op == OP_OPAQUE && !t->exported)
            LINT_REPORT(l, DIAG_OPAQUE_UNEXPORTED, t->form->pos, t->name, (int)t->arity);
    }
    VEC_EACH (const Ast *, spec, &l->specs) {
        AstPair pair = (*spec)->v.pair;
        bool given = pair.name == NAME_MODULE_INFO && pair.second <= 1;
        if (!lint_function(l, pair.name, pair.second)->form && !given
            && !lint_is_broken(l, pair.name))
            LINT_REPORT(l, DIAG_SPEC_UNDEFINED, (*spec)->pos, pair.name, (int)pair.second);
    }
}
