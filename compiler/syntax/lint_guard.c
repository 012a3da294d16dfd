#include <string.h>

#include "compiler/syntax/lint_state.h"

/* Tests of old that a guard may use without `is_`. */
static bool is_old_test(const Names *names, NameId name, uint32_t arity)
{
    static const char *const tests[] = {"atom",     "binary",  "constant",  "float",
                                        "function", "integer", "list",      "number",
                                        "pid",      "port",    "reference", "tuple"};
    if (arity == 2) return name == NAME_RECORD;
    for (size_t i = 0; i < ARRAY_LEN(tests) && arity == 1; i++)
        if (strcmp(names_text(names, name), tests[i]) == 0) return true;
    return false;
}

static bool guard_operator(unsigned op)
{
    return op < OP_APPEND || (op > OP_SUBTRACT && op < OP_MATCH);
}

/* The function that erlang:name or name calls, NAME_NONE when the callee is something else. */
static NameId guard_function(const Ast *callee, bool *in_erlang)
{
    *in_erlang = callee->kind == AST_REMOTE && callee->remote.module->kind == AST_ATOM
                 && callee->remote.module->v.name == NAME_ERLANG;
    if (*in_erlang) callee = callee->remote.function;
    return callee->kind == AST_ATOM ? callee->v.name : NAME_NONE;
}

static bool builtin_in_guard(const Lint *l, NameId name, uint32_t arity)
{
    const char *text = names_text(&l->c->names, name);
    BuiltinKind kind = builtin_kind(text, names_size(&l->c->names, name), arity);
    return kind == BUILTIN_GUARD || kind == BUILTIN_TYPE_TEST;
}

/* erlang:'+'(A, B) and the like. */
static bool operator_in_guard(const Lint *l, NameId name, uint32_t arity)
{
    const char *text = names_text(&l->c->names, name);
    for (unsigned op = OP_PLUS; op < OP_MATCH; op++) {
        uint32_t operands = op <= OP_NOT ? 1 : 2;
        if (operands == arity && op != OP_ANDALSO && op != OP_ORELSE && guard_operator(op)
            && strcmp(ast_op_text[op], text) == 0)
            return true;
    }
    return false;
}

/* Is the built-in of this name the one that a call without a module means? */
static bool guard_is_free(Lint *l, NameId name, uint32_t arity)
{
    const FunctionInfo *f = lint_function(l, name, arity);
    if (lint_is_local(f)) return false;
    if (f->imported_from == NAME_ERLANG) return true;
    return f->imported_from == NAME_NONE && !f->no_auto_import && !l->no_auto_import_all;
}

/* is_record has its own rules: the name of the record must be written out. */
static bool guard_is_record(Lint *l, const Ast *call, bool in_erlang)
{
    const AstList *args = &call->call.args;
    if (args->n != 2 && args->n != 3) return false;
    const Ast *name = args->at[1];
    lint_guard_expr(l, args->at[0]);
    if (args->n == 2 && name->kind == AST_ATOM) {
        lint_record_use(l, name->v.name, name->pos);
        return true;
    }
    if (args->n == 3 && name->kind == AST_ATOM && args->at[2]->kind == AST_INT) {
        if (!in_erlang && !guard_is_free(l, NAME_IS_RECORD, 3))
            LINT_REPORT(l, DIAG_ILLEGAL_GUARD_CALL, call->pos, NAME_IS_RECORD, 3);
        return true;
    }
    LINT_REPORT(l, DIAG_ILLEGAL_GUARD, call->pos);
    return true;
}

static void guard_call(Lint *l, const Ast *call)
{
    const AstList *args = &call->call.args;
    bool in_erlang;
    NameId name = guard_function(call->call.callee, &in_erlang);
    if (name == NAME_IS_RECORD && guard_is_record(l, call, in_erlang)) return;
    for (uint32_t i = 0; i < args->n; i++) lint_guard_expr(l, args->at[i]);
    if (name == NAME_NONE) {
        LINT_REPORT(l, DIAG_ILLEGAL_GUARD, call->pos);
        return;
    }
    bool known = builtin_in_guard(l, name, args->n);
    if (in_erlang) {
        if (!known && !operator_in_guard(l, name, args->n))
            LINT_REPORT(l, DIAG_ILLEGAL_GUARD, call->pos);
        return;
    }
    if (known && guard_is_free(l, name, args->n)) return;
    const FunctionInfo *f = lint_function(l, name, args->n);
    if (lint_is_local(f) || f->imported_from != NAME_NONE)
        LINT_REPORT(l, DIAG_ILLEGAL_GUARD_CALL, call->pos, name, (int)args->n);
    else
        LINT_REPORT(l, DIAG_ILLEGAL_GUARD, call->pos);
}

static void guard_list(Lint *l, const AstList *list)
{
    for (uint32_t i = 0; i < list->n; i++) lint_guard_expr(l, list->at[i]);
}

static void guard_map_fields(Lint *l, const Ast *node)
{
    for (uint32_t i = 0; i < node->map.fields.n; i++) {
        const Ast *field = node->map.fields.at[i];
        if (!node->map.base && field->op == OP_EXACT)
            LINT_REPORT(l, DIAG_ILLEGAL_MAP_CONSTRUCTION, field->pos);
        lint_guard_expr(l, field->map_field.key);
        lint_guard_expr(l, field->map_field.value);
    }
}

/* A row of updates and fields taken; updates of records may not stand here. */
static void guard_postfixes(Lint *l, const Ast *node)
{
    uint32_t n;
    const Ast **row = ast_postfixes(l->arena, node, &n);
    lint_guard_expr(l, ast_base(row[0]));
    for (uint32_t i = 0; i < n; i++) {
        if (row[i]->kind == AST_MAP)
            guard_map_fields(l, row[i]);
        else if (row[i]->kind == AST_RECORD_GET)
            lint_record_index(l, row[i]);
        else
            LINT_REPORT(l, DIAG_ILLEGAL_GUARD, row[i]->pos);
    }
}

static void guard_chain(Lint *l, const Ast *node)
{
    bool left = node->kind == AST_LCHAIN;
    const AstList *links = left ? &node->lchain.links : &node->rchain.links;
    if (left) lint_guard_expr(l, node->lchain.first);
    for (uint32_t i = 0; i < links->n; i++) {
        lint_guard_expr(l, links->at[i]->link.arg);
        if (!guard_operator(links->at[i]->op))
            LINT_REPORT(l, DIAG_ILLEGAL_GUARD, links->at[i]->pos);
    }
    if (!left) lint_guard_expr(l, node->rchain.last);
}

void lint_guard_expr(Lint *l, const Ast *node)
{
    switch (node->kind) {
    case AST_VAR: vars_use(l, node); break;
    case AST_ATOM:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_FLOAT:
    case AST_STRING:
    case AST_NIL: break;
    case AST_LIST:
        guard_list(l, &node->list.items);
        if (node->list.tail) lint_guard_expr(l, node->list.tail);
        break;
    case AST_TUPLE: guard_list(l, &node->tuple.items); break;
    case AST_MAP:
        if (node->map.base)
            guard_postfixes(l, node);
        else
            guard_map_fields(l, node);
        break;
    case AST_RECORD:
        if (node->record.base)
            LINT_REPORT(l, DIAG_ILLEGAL_GUARD, node->pos);
        else
            lint_record_expr(l, node, lint_guard_expr);
        break;
    case AST_RECORD_INDEX: lint_record_index(l, node); break;
    case AST_RECORD_GET: guard_postfixes(l, node); break;
    case AST_BIN: lint_bin(l, node, lint_guard_expr); break;
    case AST_CALL: guard_call(l, node); break;
    case AST_UNOP: lint_guard_expr(l, node->unop.arg); break;
    case AST_BINOP:
        lint_guard_expr(l, node->binop.left);
        lint_guard_expr(l, node->binop.right);
        if (!guard_operator(node->op)) LINT_REPORT(l, DIAG_ILLEGAL_GUARD, node->pos);
        break;
    case AST_LCHAIN:
    case AST_RCHAIN: guard_chain(l, node); break;
    default: LINT_REPORT(l, DIAG_ILLEGAL_GUARD, node->pos); break;
    }
}

void lint_guard_test(Lint *l, const Ast *node)
{
    if (node->kind != AST_CALL || node->call.callee->kind != AST_ATOM) {
        lint_guard_expr(l, node);
        return;
    }
    NameId name = node->call.callee->v.name;
    const AstList *args = &node->call.args;
    if (!is_old_test(&l->c->names, name, args->n)) {
        lint_guard_expr(l, node);
        return;
    }
    FunctionInfo *f = lint_function(l, name, args->n);
    const char *modern = arena_printf(l->arena, "is_%s", names_text(&l->c->names, name));
    NameId modern_name = names_intern_text(&l->c->names, modern);
    LINT_WARN(l, OPT_OBSOLETE_GUARD, DIAG_OBSOLETE_GUARD, node->pos, name, (int)args->n, name,
              (int)args->n);
    if (lint_is_local(lint_function(l, modern_name, args->n)))
        LINT_REPORT(l, DIAG_GUARD_OVERRIDDEN, node->pos, name, name);
    if (name == NAME_RECORD) {
        lint_guard_expr(l, args->at[0]);
        if (args->at[1]->kind == AST_ATOM)
            lint_record_use(l, args->at[1]->v.name, args->at[1]->pos);
        else
            LINT_REPORT(l, DIAG_ILLEGAL_GUARD, node->pos);
        return;
    }
    guard_list(l, args);
    if (lint_is_local(f))
        LINT_REPORT(l, DIAG_ILLEGAL_GUARD_CALL, node->pos, name, (int)args->n);
}

void lint_guard(Lint *l, const AstList *guard)
{
    for (uint32_t i = 0; i < guard->n; i++) {
        const AstList *tests = &guard->at[i]->guard.tests;
        for (uint32_t k = 0; k < tests->n; k++) lint_guard_test(l, tests->at[k]);
    }
}

/* Is it a guard?  Without reports: whether a filter of a comprehension is one decides how it is
 * checked. */

static bool all_guards(Lint *l, const AstList *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!lint_is_guard(l, list->at[i], false)) return false;
    return true;
}

static bool call_is_guard(Lint *l, const Ast *call, bool is_test)
{
    bool in_erlang;
    uint32_t arity = call->call.args.n;
    NameId name = guard_function(call->call.callee, &in_erlang);
    if (name == NAME_NONE || !all_guards(l, &call->call.args)) return false;
    if (in_erlang) return builtin_in_guard(l, name, arity) || operator_in_guard(l, name, arity);
    const FunctionInfo *f = lint_function(l, name, arity);
    if (lint_is_local(f) || f->imported_from != NAME_NONE) return false;
    return builtin_in_guard(l, name, arity)
           || (is_test && is_old_test(&l->c->names, name, arity));
}

static bool chain_is_guard(Lint *l, const Ast *node)
{
    bool left = node->kind == AST_LCHAIN;
    const AstList *links = left ? &node->lchain.links : &node->rchain.links;
    for (uint32_t i = 0; i < links->n; i++)
        if (!guard_operator(links->at[i]->op)
            || !lint_is_guard(l, links->at[i]->link.arg, false))
            return false;
    return lint_is_guard(l, left ? node->lchain.first : node->rchain.last, false);
}

bool lint_is_guard(Lint *l, const Ast *node, bool is_test)
{
    for (; ast_base(node); node = ast_base(node))
        if (node->kind == AST_RECORD
            || (node->kind == AST_MAP && !all_guards(l, &node->map.fields)))
            return false;
    switch (node->kind) {
    case AST_VAR:
    case AST_ATOM:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_FLOAT:
    case AST_STRING:
    case AST_NIL:
    case AST_RECORD_INDEX: return true;
    case AST_LIST:
        return all_guards(l, &node->list.items)
               && (!node->list.tail || lint_is_guard(l, node->list.tail, false));
    case AST_TUPLE: return all_guards(l, &node->tuple.items);
    case AST_MAP: return all_guards(l, &node->map.fields);
    case AST_MAP_FIELD:
        return lint_is_guard(l, node->map_field.key, false)
               && lint_is_guard(l, node->map_field.value, false);
    case AST_RECORD: return all_guards(l, &node->record.fields);
    case AST_RECORD_FIELD: return lint_is_guard(l, node->record_field.value, false);
    case AST_BIN: return all_guards(l, &node->bin.segments);
    case AST_SEGMENT:
        return lint_is_guard(l, node->segment.value, false)
               && (!node->segment.size || lint_is_guard(l, node->segment.size, false));
    case AST_CALL: return call_is_guard(l, node, is_test);
    case AST_UNOP: return lint_is_guard(l, node->unop.arg, false);
    case AST_BINOP:
        return guard_operator(node->op) && lint_is_guard(l, node->binop.left, false)
               && lint_is_guard(l, node->binop.right, false);
    case AST_LCHAIN:
    case AST_RCHAIN: return chain_is_guard(l, node);
    default: return false;
    }
}
