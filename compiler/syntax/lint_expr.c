#include "compiler/syntax/lint_state.h"

void lint_sibling(Lint *l, VarMark mark, const Ast *node, LintVisit visit)
{
    visit(l, node);
    if (l->trail.count != mark.trail) vars_take(l, mark, 0);
}

void lint_siblings_end(Lint *l, VarMark mark)
{
    if (l->deltas.count != mark.deltas) vars_merge_all(l, mark);
}

void lint_sibling_list(Lint *l, const AstList *list)
{
    VarMark mark = vars_mark(l);
    for (uint32_t i = 0; i < list->n; i++) lint_sibling(l, mark, list->at[i], lint_expr);
    lint_siblings_end(l, mark);
}

static void expr_pair(Lint *l, const Ast *a, const Ast *b)
{
    VarMark mark = vars_mark(l);
    lint_sibling(l, mark, a, lint_expr);
    lint_sibling(l, mark, b, lint_expr);
    lint_siblings_end(l, mark);
}

static void expr_list(Lint *l, const Ast *node)
{
    VarMark mark = vars_mark(l);
    for (uint32_t i = 0; i < node->list.items.n; i++)
        lint_sibling(l, mark, node->list.items.at[i], lint_expr);
    if (node->list.tail) lint_sibling(l, mark, node->list.tail, lint_expr);
    lint_siblings_end(l, mark);
}

static void expr_lchain(Lint *l, const Ast *node)
{
    VarMark mark = vars_mark(l);
    lint_sibling(l, mark, node->lchain.first, lint_expr);
    for (uint32_t i = 0; i < node->lchain.links.n; i++)
        lint_sibling(l, mark, node->lchain.links.at[i]->link.arg, lint_expr);
    lint_siblings_end(l, mark);
}

/* The right side of andalso and orelse may not run, so what it binds is unsafe behind it. */
static void expr_short(Lint *l, const Ast *node)
{
    if (node->kind == AST_BINOP) {
        lint_expr(l, node->binop.left);
        VarMark mark = vars_mark(l);
        lint_expr(l, node->binop.right);
        vars_make_unsafe(l, mark, ast_op_text[node->op], node->pos);
        return;
    }
    const AstList *links = &node->rchain.links;
    lint_expr(l, links->at[0]->link.arg);
    VarMark mark = vars_mark(l);
    for (uint32_t i = 1; i < links->n; i++) lint_expr(l, links->at[i]->link.arg);
    lint_expr(l, node->rchain.last);
    vars_make_unsafe(l, mark, ast_op_text[links->at[0]->op], links->at[0]->pos);
}

/* P = Q = E and P ! M, mixed as they come, from the right. */
static void expr_match_chain(Lint *l, const Ast *node)
{
    const AstList *links = &node->rchain.links;
    VarMark mark = vars_mark(l);
    lint_expr(l, node->rchain.last);
    for (uint32_t i = links->n; i-- > 0;) {
        const Ast *link = links->at[i];
        if (link->op == OP_MATCH) {
            lint_pattern(l, link->link.arg, PATTERN_MATCHES, NULL);
            if (i > 0 && links->at[i - 1]->op == OP_MATCH && link->link.arg->kind == AST_BIN
                && links->at[i - 1]->link.arg->kind == AST_BIN)
                LINT_REPORT(l, DIAG_ILLEGAL_BIN_PATTERN, links->at[i - 1]->link.arg->pos);
        } else {
            if (l->trail.count != mark.trail) vars_take(l, mark, 0);
            lint_sibling(l, mark, link->link.arg, lint_expr);
            lint_siblings_end(l, mark);
        }
    }
}

static void expr_rchain(Lint *l, const Ast *node)
{
    const AstList *links = &node->rchain.links;
    unsigned op = links->at[0]->op;
    if (op == OP_ANDALSO || op == OP_ORELSE) {
        expr_short(l, node);
    } else if (op == OP_MATCH || op == OP_SEND) {
        expr_match_chain(l, node);
    } else {
        VarMark mark = vars_mark(l);
        for (uint32_t i = 0; i < links->n; i++)
            lint_sibling(l, mark, links->at[i]->link.arg, lint_expr);
        lint_sibling(l, mark, node->rchain.last, lint_expr);
        lint_siblings_end(l, mark);
    }
}

static void expr_binop(Lint *l, const Ast *node)
{
    switch (node->op) {
    case OP_ANDALSO:
    case OP_ORELSE: expr_short(l, node); break;
    case OP_MATCH:
        lint_expr(l, node->binop.right);
        lint_pattern(l, node->binop.left, PATTERN_MATCHES, NULL);
        break;
    default: expr_pair(l, node->binop.left, node->binop.right); break;
    }
}

static void expr_fun_remote(Lint *l, const Ast *node)
{
    lint_expr(l, node->fun_remote.module);
    lint_expr(l, node->fun_remote.function);
    lint_expr(l, node->fun_remote.arity);
}

void lint_expr(Lint *l, const Ast *node)
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
    case AST_LIST: expr_list(l, node); break;
    case AST_TUPLE: lint_sibling_list(l, &node->tuple.items); break;
    case AST_MAP:
    case AST_RECORD:
    case AST_RECORD_GET: lint_record_expr(l, node, lint_expr); break;
    case AST_RECORD_INDEX: lint_record_index(l, node); break;
    case AST_BIN: lint_bin(l, node, lint_expr); break;
    case AST_UNOP: lint_expr(l, node->unop.arg); break;
    case AST_BINOP: expr_binop(l, node); break;
    case AST_LCHAIN: expr_lchain(l, node); break;
    case AST_RCHAIN: expr_rchain(l, node); break;
    case AST_CALL: lint_call(l, node); break;
    case AST_REMOTE: LINT_REPORT(l, DIAG_ILLEGAL_EXPRESSION, ast_start(node)); break;
    case AST_FUN_LOCAL: lint_fun_local(l, node); break;
    case AST_FUN_REMOTE: expr_fun_remote(l, node); break;
    case AST_BLOCK: lint_exprs(l, &node->block.body); break;
    case AST_MAYBE_MATCH:
        lint_expr(l, node->maybe_match.value);
        lint_pattern(l, node->maybe_match.pattern, PATTERN_MATCHES, NULL);
        break;
    case AST_MAP_FIELD: /* what a map comprehension yields */
        expr_pair(l, node->map_field.key, node->map_field.value);
        break;
    default: lint_control(l, node); break;
    }
}

/* What is said of an expression whose value nobody sees; DIAG_COUNT: nothing. */
static DiagCode idle_warning(Lint *l, const Ast *node)
{
    switch (node->kind) {
    case AST_LIST:
    case AST_TUPLE:
    case AST_FUN:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_FLOAT:
    case AST_STRING:
    case AST_MAP:
    case AST_BIN:
    case AST_RECORD: return DIAG_UNUSED_TERM;
    case AST_UNOP:
    case AST_LCHAIN: return DIAG_UNUSED_RESULT;
    case AST_BINOP: return node->op < OP_ANDALSO ? DIAG_UNUSED_RESULT : DIAG_COUNT;
    case AST_RCHAIN:
        return node->rchain.links.at[0]->op < OP_ANDALSO ? DIAG_UNUSED_RESULT : DIAG_COUNT;
    case AST_CALL: {
        const Ast *callee = node->call.callee;
        if (callee->kind != AST_ATOM) return DIAG_COUNT;
        const FunctionInfo *f = lint_function(l, callee->v.name, node->call.args.n);
        bool pure = f->builtin == BUILTIN_GUARD || f->builtin == BUILTIN_TYPE_TEST;
        return pure && lint_is_builtin(l, f) ? DIAG_UNUSED_RESULT : DIAG_COUNT;
    }
    default: return DIAG_COUNT;
    }
}

void lint_exprs(Lint *l, const AstList *body)
{
    for (uint32_t i = 0; i < body->n; i++) {
        const Ast *node = body->at[i];
        DiagCode idle = i + 1 < body->n ? idle_warning(l, node) : DIAG_COUNT;
        if (idle != DIAG_COUNT) LINT_WARN(l, OPT_UNUSED_TERM, idle, node->pos);
        lint_expr(l, node);
    }
}
