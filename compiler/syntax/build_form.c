#include <string.h>

#include "compiler/syntax/build.h"
#include "compiler/syntax/slip.h"

static Ast *form_error_named(Parser *p, DiagCode code, SrcPos pos, NameId name)
{
    p->failed = true;
    diag_add(&p->c->diags, code, pos, name);
    return NULL;
}

/* Functions and expressions. */

Ast *build_function_clause(Parser *p, Ast *head, uint32_t guard, uint32_t body)
{
    Ast *node = build_node(p, AST_CLAUSE, ast_start(head));
    node->clause.body = build_take(p, body);
    node->clause.guard = build_take(p, guard);
    if (head->kind != AST_CALL || head->paren || head->call.callee->kind != AST_ATOM
        || head->call.callee->paren) {
        build_error(p, DIAG_BAD_CLAUSE_HEAD, node->pos);
        return node;
    }
    node->v.name = head->call.callee->v.name;
    node->clause.patterns = head->call.args;
    return build_done(p, node);
}

Ast *build_function(Parser *p, uint32_t count)
{
    AstList clauses = build_take(p, count);
    const Ast *first = clauses.at[0];
    Ast *node = build_node(p, AST_FUNCTION, first->pos);
    node->v.pair = (AstPair){first->v.name, first->clause.patterns.n};
    node->function.clauses = clauses;
    for (uint32_t i = 1; i < count && !p->failed; i++) {
        const Ast *clause = clauses.at[i];
        if (clause->v.name == first->v.name
            && clause->clause.patterns.n == first->clause.patterns.n)
            continue;
        p->failed = true;
        diag_add(&p->c->diags, DIAG_HEAD_MISMATCH, clause->pos, clause->v.name,
                 (int)clause->clause.patterns.n, first->v.name, (int)first->clause.patterns.n);
        diag_hint(&p->c->diags, "end the function in front of this clause with '.' instead of "
                                "';' if it is another one");
    }
    return build_done(p, node);
}

Ast *build_exprs(Parser *p, uint32_t count)
{
    AstList body = build_take(p, count);
    Ast *node = build_node(p, AST_EXPRS, ast_start(body.at[0]));
    node->exprs.body = body;
    return build_done(p, node);
}

/* Attributes. */

static bool is_farity(const Ast *node)
{
    return node->kind == AST_BINOP && node->op == OP_FDIV && node->binop.left->kind == AST_ATOM
           && node->binop.right->kind == AST_INT && node->binop.right->v.i <= INT32_MAX;
}

/* A list of name/arity as FA nodes; false when it is something else. */
static bool take_names(Parser *p, const Ast *value, AstList *names)
{
    *names = (AstList){0};
    if (value->kind == AST_NIL) return true;
    if (value->kind != AST_LIST || value->list.tail) return false;
    const AstList *items = &value->list.items;
    names->at = arena_alloc(p->arena, items->n * sizeof(Ast *));
    for (uint32_t i = 0; i < items->n; i++) {
        const Ast *item = items->at[i];
        if (!is_farity(item)) return false;
        Ast *fa = build_node(p, AST_FA, ast_start(item));
        fa->v.pair = (AstPair){item->binop.left->v.name, (uint32_t)item->binop.right->v.i};
        names->at[names->n++] = fa;
    }
    return true;
}

static bool is_number(const Ast *node)
{
    return node->kind == AST_INT || node->kind == AST_BIGINT || node->kind == AST_FLOAT
           || node->kind == AST_CHAR;
}

static bool take_terms(Parser *p, AstList *list);

/* Is the node a term, after f/1 has become {f, 1}?  Changes the node it is given. */
static bool take_term(Parser *p, Ast **place)
{
    Ast *node = *place;
    switch (node->kind) {
    case AST_ATOM:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_FLOAT:
    case AST_STRING:
    case AST_NIL: return true;
    case AST_LIST:
        return take_terms(p, &node->list.items)
               && (!node->list.tail || take_term(p, &node->list.tail));
    case AST_TUPLE: return take_terms(p, &node->tuple.items);
    case AST_MAP: return !node->map.base && take_terms(p, &node->map.fields);
    case AST_MAP_FIELD:
        return node->op == OP_ASSOC && take_term(p, &node->map_field.key)
               && take_term(p, &node->map_field.value);
    case AST_BIN: return take_terms(p, &node->bin.segments);
    case AST_SEGMENT:
        return take_term(p, &node->segment.value)
               && (!node->segment.size || take_term(p, &node->segment.size));
    case AST_UNOP:
        return (node->op == OP_MINUS || node->op == OP_PLUS) && is_number(node->unop.arg);
    case AST_FUN_REMOTE:
        return node->fun_remote.module->kind == AST_ATOM
               && node->fun_remote.function->kind == AST_ATOM
               && node->fun_remote.arity->kind == AST_INT;
    default: break;
    }
    if (!is_farity(node)) return false;
    Ast *tuple = build_node(p, AST_TUPLE, node->pos);
    tuple->tuple.items = (AstList){arena_alloc(p->arena, 2 * sizeof(Ast *)), 2};
    tuple->tuple.items.at[0] = node->binop.left;
    tuple->tuple.items.at[1] = node->binop.right;
    *place = build_done(p, tuple);
    return true;
}

static bool take_terms(Parser *p, AstList *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!take_term(p, &list->at[i])) return false;
    return true;
}

/* -export, -export_type, -optional_callbacks: one list of names. */
static Ast *build_names(Parser *p, AstKind kind, const Token *dash, const Token *name,
                        const AstList *values)
{
    Ast *node = build_node(p, kind, dash->pos);
    if (values->n != 1 || !take_names(p, values->at[0], &node->export.names))
        return form_error_named(p, DIAG_BAD_ATTRIBUTE_NAMED, dash->pos, name->v.name);
    return build_done(p, node);
}

static Ast *build_import(Parser *p, const Token *dash, const Token *name, const AstList *values)
{
    Ast *node = build_node(p, AST_IMPORT, dash->pos);
    bool right = values->n == 2 && values->at[0]->kind == AST_ATOM
                 && take_names(p, values->at[1], &node->import.names);
    if (!right) return form_error_named(p, DIAG_BAD_ATTRIBUTE_NAMED, dash->pos, name->v.name);
    node->v.name = values->at[0]->v.name;
    return build_done(p, node);
}

static Ast *build_module(Parser *p, const Token *dash, const Token *name, const AstList *values)
{
    if (values->n != 1 || values->at[0]->kind != AST_ATOM)
        return form_error_named(p, DIAG_BAD_ATTRIBUTE_NAMED, dash->pos, name->v.name);
    Ast *node = build_node(p, AST_MODULE, dash->pos);
    node->v.name = values->at[0]->v.name;
    return node;
}

static Ast *build_file(Parser *p, const Token *dash, const Token *name, const AstList *values)
{
    if (values->n != 2 || values->at[0]->kind != AST_STRING || values->at[1]->kind != AST_INT)
        return form_error_named(p, DIAG_BAD_ATTRIBUTE_NAMED, dash->pos, name->v.name);
    Ast *node = build_node(p, AST_FILE_DECL, dash->pos);
    node->v.i = values->at[1]->v.i;
    node->file_decl.name = values->at[0];
    return build_done(p, node);
}

Ast *build_attribute(Parser *p, const Token *dash, const Token *name, uint32_t count)
{
    AstList values = build_take(p, count);
    switch (name->v.name) {
    case NAME_MODULE: return build_module(p, dash, name, &values);
    case NAME_EXPORT: return build_names(p, AST_EXPORT, dash, name, &values);
    case NAME_EXPORT_TYPE: return build_names(p, AST_EXPORT_TYPE, dash, name, &values);
    case NAME_OPTIONAL_CALLBACKS:
        return build_names(p, AST_OPTIONAL_CALLBACKS, dash, name, &values);
    case NAME_IMPORT: return build_import(p, dash, name, &values);
    case NAME_FILE: return build_file(p, dash, name, &values);
    default: break;
    }
    if (count != 1 || !take_term(p, &values.at[0])) {
        (void)form_error_named(p, DIAG_BAD_ATTRIBUTE, dash->pos, name->v.name);
        NameId meant = slip_attribute(&p->c->names, name->v.name);
        if (meant != NAME_NONE) diag_hint(&p->c->diags, "there is -%v", meant);
        return NULL;
    }
    Ast *node = build_node(p, AST_ATTR, dash->pos);
    node->v.name = name->v.name;
    node->attr.value = values.at[0];
    return build_done(p, node);
}

Ast *build_type_decl(Parser *p, const Token *keyword, Ast *head, Ast *type)
{
    bool right = head->kind == AST_CALL && head->call.callee->kind == AST_ATOM;
    if (!right) return build_error(p, DIAG_BAD_TYPE_DECLARATION, ast_start(head));
    for (uint32_t i = 0; i < head->call.args.n; i++)
        if (head->call.args.at[i]->kind != AST_VAR)
            return build_error(p, DIAG_BAD_TYPE_VARIABLE, ast_start(head->call.args.at[i]));
    Ast *node = build_node(p, AST_TYPE_DECL, keyword->pos);
    node->op = keyword->v.name == NAME_TYPE     ? OP_TYPE
               : keyword->v.name == NAME_OPAQUE ? OP_OPAQUE
                                                : OP_NOMINAL;
    node->v.name = head->call.callee->v.name;
    node->type_decl.params = head->call.args;
    node->type_decl.type = type;
    return build_done(p, node);
}

Ast *build_record_decl(Parser *p, const Token *keyword, Ast *name, uint32_t count)
{
    AstList fields = build_take(p, count);
    if (name->kind != AST_ATOM) return build_error(p, DIAG_BAD_RECORD_DECLARATION, name->pos);
    Ast *node = build_node(p, AST_RECORD_DECL, keyword->pos);
    node->v.name = name->v.name;
    node->record_decl.fields = fields;
    return build_done(p, node);
}

/* `a = b = 1` in a record: the first name is the field, the rest is its value. */
static Ast *field_chain_rest(Parser *p, Ast *chain)
{
    AstList *links = &chain->rchain.links;
    if (links->n > 2) {
        links->at++;
        links->n--;
        return chain;
    }
    Ast *node = build_node(p, AST_BINOP, links->at[1]->pos);
    node->op = links->at[1]->op;
    node->binop.left = links->at[1]->link.arg;
    node->binop.right = chain->rchain.last;
    return build_done(p, node);
}

Ast *build_field_decl(Parser *p, Ast *field, Ast *type)
{
    const Ast *name = field;
    Ast *value = NULL;
    if (field->kind == AST_BINOP && field->op == OP_MATCH) {
        name = field->binop.left;
        value = field->binop.right;
    } else if (field->kind == AST_RCHAIN && field->rchain.links.at[0]->op == OP_MATCH) {
        name = field->rchain.links.at[0]->link.arg;
        value = field_chain_rest(p, field);
    }
    Ast *node = build_node(p, AST_FIELD_DECL, name->pos);
    if (name->kind != AST_ATOM) {
        build_error(p, DIAG_BAD_RECORD_FIELD, ast_start(field));
        return node;
    }
    node->v.name = name->v.name;
    node->field_decl.value = value;
    node->field_decl.type = type;
    return build_done(p, node);
}

static uint32_t signature_arity(const Ast *type)
{
    const Ast *fun = type->kind == AST_T_BOUNDED ? type->t_bounded.fun : type;
    return fun->op == OP_ANY_ARGS ? UINT32_MAX : fun->t_fun.args.n;
}

Ast *build_spec(Parser *p, const Token *keyword, const Token *module, const Token *name,
                uint32_t types)
{
    bool callback = keyword->v.name == NAME_CALLBACK;
    Ast *node = build_node(p, AST_SPEC, keyword->pos);
    node->op = callback ? OP_CALLBACK : OP_SPEC;
    node->spec.types = build_take(p, types);
    uint32_t arity = signature_arity(node->spec.types.at[0]);
    node->v.pair = (AstPair){name->v.name, arity};
    if (arity == UINT32_MAX)
        return build_error(p, callback ? DIAG_CALLBACK_ARITY : DIAG_SPEC_ARITY, node->pos);
    if (module) node->spec.module = build_leaf(p, module);
    return build_done(p, node);
}
