#include "compiler/syntax/build.h"

Ast *build_type_call(Parser *p, const Token *name, uint32_t count)
{
    Ast *node = build_node(p, AST_T_CALL, name->pos);
    node->v.name = name->v.name;
    node->t_call.args = build_take(p, count);
    return build_done(p, node);
}

Ast *build_type_remote(Parser *p, const Token *module, const Token *name, uint32_t count)
{
    Ast *node = build_node(p, AST_T_REMOTE, module->pos);
    node->v.pair = (AstPair){module->v.name, name->v.name};
    node->t_remote.args = build_take(p, count);
    return build_done(p, node);
}

Ast *build_type_list(Parser *p, const Token *token, Ast *item, bool nonempty)
{
    Ast *node = build_node(p, AST_T_LIST, token->pos);
    node->op = nonempty ? OP_NONEMPTY : OP_NONE;
    node->t_list.item = item;
    return build_done(p, node);
}

Ast *build_type_items(Parser *p, AstKind kind, SrcPos pos, uint32_t count)
{
    Ast *node = build_node(p, kind, pos);
    if (count == 0) return node;
    node->t_tuple.items = build_take(p, count);
    return build_done(p, node);
}

Ast *build_type_union(Parser *p, uint32_t count)
{
    AstList items = build_take(p, count);
    if (count == 1) return items.at[0];
    Ast *node = build_node(p, AST_T_UNION, ast_start(items.at[0]));
    node->t_union.items = items;
    return build_done(p, node);
}

Ast *build_type_range(Parser *p, Ast *low, Ast *high)
{
    Ast *node = build_node(p, AST_T_RANGE, ast_start(low));
    node->t_range.low = low;
    node->t_range.high = high;
    return build_done(p, node);
}

Ast *build_type_map_field(Parser *p, const Token *op, Ast *key, Ast *value)
{
    Ast *node = build_node(p, AST_T_MAP_FIELD, op->pos);
    node->op = op->kind == TOKEN_ASSOC ? OP_ASSOC : OP_EXACT;
    node->t_map_field.key = key;
    node->t_map_field.value = value;
    return build_done(p, node);
}

Ast *build_type_record(Parser *p, const Token *hash, const Token *name, uint32_t count)
{
    Ast *node = build_node(p, AST_T_RECORD, hash->pos);
    node->v.name = name->v.name;
    node->t_record.fields = build_take(p, count);
    return build_done(p, node);
}

Ast *build_type_field(Parser *p, const Token *name, Ast *type)
{
    Ast *node = build_node(p, AST_T_FIELD, name->pos);
    node->v.name = name->v.name;
    node->t_field.type = type;
    return build_done(p, node);
}

Ast *build_type_ann(Parser *p, const Token *name, Ast *type)
{
    Ast *node = build_node(p, AST_T_ANN, name->pos);
    node->v.name = name->v.name;
    node->t_ann.type = type;
    return build_done(p, node);
}

Ast *build_type_bound(Parser *p, const Token *name, Ast *type)
{
    if (name->v.name == NAME__) build_error(p, DIAG_BAD_TYPE_VARIABLE, name->pos);
    return build_type_ann(p, name, type);
}

/* Is this `_*N`, the unit of a binary type?  Then N, else NULL. */
static Ast *type_unit(const Ast *type)
{
    if (type->kind != AST_BINOP || type->op != OP_MUL) return NULL;
    const Ast *left = type->binop.left;
    return left->kind == AST_VAR && left->v.name == NAME__ ? type->binop.right : NULL;
}

Ast *build_type_bin(Parser *p, const Token *token, const Token *first, Ast *base,
                    const Token *second, Ast *unit)
{
    Ast *node = build_node(p, AST_T_BIN, token->pos);
    bool right = true;
    if (first) {
        Ast *only_unit = type_unit(base);
        right = first->v.name == NAME__;
        if (only_unit)
            node->t_bin.unit = only_unit;
        else
            node->t_bin.base = base;
    }
    if (second) {
        right = right && second->v.name == NAME__ && !node->t_bin.unit;
        node->t_bin.unit = type_unit(unit);
        right = right && node->t_bin.unit;
    }
    if (!right) build_error(p, DIAG_BAD_BINARY_TYPE, token->pos);
    return build_done(p, node);
}

Ast *build_type_fun(Parser *p, const Token *token, AstOp op, uint32_t args, Ast *result)
{
    Ast *node = build_node(p, AST_T_FUN, token->pos);
    node->op = (uint8_t)op;
    node->t_fun.args = build_take(p, args);
    node->t_fun.result = result;
    return build_done(p, node);
}

Ast *build_type_bounded(Parser *p, Ast *fun, uint32_t count)
{
    Ast *node = build_node(p, AST_T_BOUNDED, fun->pos);
    node->t_bounded.bounds = build_take(p, count);
    node->t_bounded.fun = fun;
    return build_done(p, node);
}

Ast *build_type_is_subtype(Parser *p, const Token *name, uint32_t count)
{
    AstList args = build_take(p, count);
    bool right = count == 2 && name->v.name == NAME_IS_SUBTYPE && args.at[0]->kind == AST_VAR;
    if (!right) build_error(p, DIAG_BAD_CONSTRAINT, name->pos);
    Ast *node = build_node(p, AST_T_ANN, name->pos);
    node->v.name = right ? args.at[0]->v.name : NAME__;
    node->t_ann.type = args.at[right ? 1 : 0];
    return build_done(p, node);
}
