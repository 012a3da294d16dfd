#include "compiler/syntax/build.h"

/* Clauses: the lists were pushed in the order patterns, guard, body. */

static Ast *build_clause_parts(Parser *p, SrcPos pos, uint32_t patterns, uint32_t guard,
                               uint32_t body)
{
    Ast *node = build_node(p, AST_CLAUSE, pos);
    node->clause.body = build_take(p, body);
    node->clause.guard = build_take(p, guard);
    node->clause.patterns = build_take(p, patterns);
    return node;
}

static AstList build_one(Parser *p, Ast *item)
{
    AstList list = {arena_alloc(p->arena, sizeof item), 1};
    list.at[0] = item;
    return list;
}

Ast *build_fun_clause(Parser *p, const Token *token, const Token *name, uint32_t args,
                      uint32_t guard, uint32_t body)
{
    Ast *node = build_clause_parts(p, token->pos, args, guard, body);
    node->v.name = name && name->v.name != NAME__ ? name->v.name : NAME_NONE;
    return build_done(p, node);
}

Ast *build_clause(Parser *p, Ast *pattern, uint32_t guard, uint32_t body)
{
    Ast *node = build_clause_parts(p, ast_start(pattern), 0, guard, body);
    node->clause.patterns = build_one(p, pattern);
    return build_done(p, node);
}

Ast *build_if_clause(Parser *p, uint32_t guard, uint32_t body)
{
    Ast *node = build_clause_parts(p, SRC_POS_NONE, 0, guard, body);
    node->pos = node->clause.guard.at[0]->pos;
    return build_done(p, node);
}

Ast *build_try_clause(Parser *p, const Token *class, Ast *pattern, const Token *stack,
                      uint32_t guard, uint32_t body)
{
    SrcPos pos = class ? class->pos : ast_start(pattern);
    Ast *node = build_clause_parts(p, pos, 0, guard, body);
    Ast *class_node;
    if (class) {
        class_node = build_leaf(p, class);
    } else {
        class_node = build_node(p, AST_ATOM, pos);
        class_node->v.name = NAME_THROW;
    }
    Ast *stack_node = build_node(p, AST_VAR, stack && stack->kind ? stack->pos : pos);
    stack_node->v.name = stack && stack->kind ? stack->v.name : NAME__;
    node->clause.patterns = (AstList){arena_alloc(p->arena, 3 * sizeof(Ast *)), 3};
    node->clause.patterns.at[0] = class_node;
    node->clause.patterns.at[1] = pattern;
    node->clause.patterns.at[2] = stack_node;
    return build_done(p, node);
}

Ast *build_guard(Parser *p, uint32_t count)
{
    AstList tests = build_take(p, count);
    Ast *node = build_node(p, AST_GUARD, ast_start(tests.at[0]));
    node->guard.tests = tests;
    return build_done(p, node);
}

/* Control. */

Ast *build_block(Parser *p, const Token *token, uint32_t count)
{
    Ast *node = build_node(p, AST_BLOCK, token->pos);
    node->block.body = build_take(p, count);
    return build_done(p, node);
}

Ast *build_if(Parser *p, const Token *token, uint32_t count)
{
    Ast *node = build_node(p, AST_IF, token->pos);
    node->if_.clauses = build_take(p, count);
    return build_done(p, node);
}

Ast *build_case(Parser *p, const Token *token, Ast *subject, uint32_t count)
{
    Ast *node = build_node(p, AST_CASE, token->pos);
    node->case_.subject = subject;
    node->case_.clauses = build_take(p, count);
    return build_done(p, node);
}

Ast *build_receive(Parser *p, const Token *token, uint32_t clauses, Ast *timeout,
                   uint32_t after)
{
    Ast *node = build_node(p, AST_RECEIVE, token->pos);
    node->receive.after = build_take(p, after);
    node->receive.timeout = timeout;
    node->receive.clauses = build_take(p, clauses);
    return build_done(p, node);
}

Ast *build_try(Parser *p, const Token *token, uint32_t body, uint32_t of, uint32_t handlers,
               uint32_t after)
{
    Ast *node = build_node(p, AST_TRY, token->pos);
    node->try_.after = build_take(p, after);
    node->try_.handlers = build_take(p, handlers);
    node->try_.of = build_take(p, of);
    node->try_.body = build_take(p, body);
    return build_done(p, node);
}

Ast *build_maybe(Parser *p, const Token *token, uint32_t body, uint32_t clauses)
{
    Ast *node = build_node(p, AST_MAYBE, token->pos);
    node->maybe.clauses = build_take(p, clauses);
    node->maybe.body = build_take(p, body);
    return build_done(p, node);
}

Ast *build_maybe_match(Parser *p, const Token *token, Ast *pattern, Ast *value)
{
    Ast *node = build_node(p, AST_MAYBE_MATCH, token->pos);
    node->maybe_match.pattern = pattern;
    node->maybe_match.value = value;
    return build_done(p, node);
}

/* Comprehensions. */

/* Each source is an argument of the loop. */
#define ZIP_MAX 100

Ast *build_comprehension(Parser *p, AstKind kind, const Token *token, Ast *item, uint32_t count)
{
    Ast *node = build_node(p, kind, token->pos);
    if (kind == AST_MC && item->op != OP_ASSOC) build_error(p, DIAG_BAD_MC_ITEM, item->pos);
    node->lc.item = item;
    node->lc.qualifiers = build_take(p, count);
    return build_done(p, node);
}

Ast *build_generator(Parser *p, const Token *arrow, Ast *pattern, Ast *source)
{
    Ast *node = build_node(p, AST_GENERATE, arrow->pos);
    bool strict = arrow->kind == TOKEN_GEN_STRICT || arrow->kind == TOKEN_BGEN_STRICT;
    bool binary = arrow->kind == TOKEN_BGEN || arrow->kind == TOKEN_BGEN_STRICT;
    if (binary) {
        node->op = strict ? OP_GEN_BIN_STRICT : OP_GEN_BIN;
        if (pattern->kind != AST_BIN || pattern->paren)
            build_error(p, DIAG_BAD_BINARY_GENERATOR, ast_start(pattern));
    } else if (pattern->kind == AST_MAP_FIELD) {
        node->op = strict ? OP_GEN_MAP_STRICT : OP_GEN_MAP;
        if (pattern->op != OP_EXACT) build_error(p, DIAG_BAD_MAP_GENERATOR, pattern->pos);
    } else {
        node->op = strict ? OP_GEN_LIST_STRICT : OP_GEN_LIST;
    }
    node->generate.pattern = pattern;
    node->generate.source = source;
    return build_done(p, node);
}

Ast *build_zip(Parser *p, const Token *token, uint32_t count)
{
    AstList generators = build_take(p, count);
    if (count > ZIP_MAX && !p->failed) {
        p->failed = true;
        diag_add(&p->c->diags, DIAG_ZIP_TOO_MANY, generators.at[ZIP_MAX]->pos, (int)count,
                 ZIP_MAX);
    }
    Ast *node = build_node(p, AST_ZIP, token ? token->pos : ast_start(generators.at[0]));
    node->zip.generators = generators;
    return build_done(p, node);
}
