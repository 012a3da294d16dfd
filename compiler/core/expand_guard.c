#include "compiler/core/expand_parts.h"
#include "compiler/core/fold.h"

/* ---- values ---- */

/* A guard built-in; its failure goes to `bad`. */
static CoreRef guard_call(Expand *x, Term name, uint32_t n, const CoreRef *args,
                          CoreBlockId bad, SrcPos pos)
{
    CoreInstr *i = write_test(x, CORE_GUARD_BIF, n, bad, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = args[k];
    i->module = TERM_ATOM(ERLANG);
    i->name = name;
    return core_var(i->dst);
}

static CoreRef guard_binary(Expand *x, AstOp op, CoreRef a, CoreRef b, CoreBlockId bad,
                            SrcPos pos)
{
    if (core_is_const(a) && core_is_const(b)) {
        Term t = fold_arith(x->u, op, core_term(x->u, a), core_term(x->u, b));
        if (!term_is_none(t)) return core_const(x->u, t);
    }
    CoreRef args[2] = {a, b};
    return guard_call(x, operator_name(op), 2, args, bad, pos);
}

/* A condition as true or false. */
static CoreRef guard_truth(Expand *x, const Ast *a, CoreBlockId bad)
{
    CoreBlockId yes = new_block(x);
    CoreBlockId no = new_block(x);
    expand_condition(x, a, yes, no, bad);
    return expand_truth(x, yes, no, a->pos);
}

static CoreRef *guard_values(Expand *x, const AstList *list, CoreBlockId bad)
{
    CoreRef *values = ARENA_ARRAY(x->arena, CoreRef, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++) values[i] = expand_guard_value(x, list->at[i], bad);
    return values;
}

static bool is_truth_op(AstOp op)
{
    return (op >= OP_EQ && op <= OP_EXACT_NE) || op == OP_ANDALSO || op == OP_ORELSE;
}

static CoreRef guard_call_value(Expand *x, const Ast *a, CoreBlockId bad)
{
    Term name = guard_bif(x, a);
    if (term_is_none(name)) {
        write_jump(x, bad, a->pos);
        return const_atom(x, ATOM_FALSE);
    }
    uint32_t n = a->call.args.n;
    uint32_t size;
    bool is_record =
        term_same(name, text_atom(x, "is_record")) && record_test_size(x, &a->call.args, &size);
    if (is_record || type_test(x, name, n) != CORE_KIND_COUNT) return guard_truth(x, a, bad);
    return guard_call(x, name, n, guard_values(x, &a->call.args, bad), bad, a->pos);
}

static CoreRef guard_lchain(Expand *x, const Ast *a, CoreBlockId bad)
{
    CoreRef value = expand_guard_value(x, a->lchain.first, bad);
    for (uint32_t i = 0; i < a->lchain.links.n; i++) {
        const Ast *link = a->lchain.links.at[i];
        CoreRef right = expand_guard_value(x, link->link.arg, bad);
        value = guard_binary(x, (AstOp)link->op, value, right, bad, link->pos);
    }
    return value;
}

static CoreRef guard_operator(Expand *x, const Ast *a, CoreBlockId bad)
{
    AstOp op = (AstOp)a->op;
    if (a->kind == AST_UNOP) {
        CoreRef arg = expand_guard_value(x, a->unop.arg, bad);
        if (core_is_const(arg)) {
            Term t = fold_unary(x->u, op, core_term(x->u, arg));
            if (!term_is_none(t)) return core_const(x->u, t);
        }
        return guard_call(x, operator_name(op), 1, &arg, bad, a->pos);
    }
    if (is_truth_op(op)) return guard_truth(x, a, bad);
    CoreRef left = expand_guard_value(x, a->binop.left, bad);
    return guard_binary(x, op, left, expand_guard_value(x, a->binop.right, bad), bad, a->pos);
}

CoreRef expand_guard_value(Expand *x, const Ast *a, CoreBlockId bad)
{
    switch (a->kind) {
    case AST_VAR: return expand_expr(x, a);
    case AST_UNOP:
    case AST_BINOP: return guard_operator(x, a, bad);
    case AST_LCHAIN: return guard_lchain(x, a, bad);
    case AST_RCHAIN: return guard_truth(x, a, bad);
    case AST_CALL: return guard_call_value(x, a, bad);
    case AST_RECORD_GET: return expand_postfix(x, a, bad);
    case AST_RECORD_INDEX: return expand_record_index(x, a);
    case AST_RECORD: return expand_record_new(x, a, bad);
    case AST_MAP: return expand_map(x, a, bad);
    case AST_BIN: return expand_bin(x, a, bad);
    case AST_TUPLE:
        return write_tuple(x, guard_values(x, &a->tuple.items, bad), a->tuple.items.n, a->pos);
    case AST_LIST: {
        CoreRef *items = guard_values(x, &a->list.items, bad);
        CoreRef tail = a->list.tail ? expand_guard_value(x, a->list.tail, bad)
                                    : core_const(x->u, TERM_NIL);
        return write_list(x, items, a->list.items.n, tail, a->pos);
    }
    default: return core_const(x->u, literal_term(x, a));
    }
}

/* ---- conditions ---- */

static void condition_call(Expand *x, const Ast *a, CoreBlockId yes, CoreBlockId no,
                           CoreBlockId bad)
{
    const AstList *list = &a->call.args;
    Term name = guard_bif(x, a);
    uint32_t size = 0;
    CoreKind test = term_is_none(name) ? CORE_KIND_COUNT : type_test(x, name, list->n);
    bool is_record = !term_is_none(name) && term_same(name, text_atom(x, "is_record"))
                     && record_test_size(x, list, &size);
    if (is_record) {
        CoreRef value = expand_guard_value(x, list->at[0], bad);
        CoreInstr *i = write_branch(x, CORE_IS_RECORD, 2, yes, no, a->pos);
        i->args[0] = value;
        i->args[1] = core_const(x->u, atom_term(x, list->at[1]->v.name));
        i->index = size;
        return;
    }
    if (test != CORE_KIND_COUNT) {
        CoreRef *args = guard_values(x, list, bad);
        CoreInstr *i = write_branch(x, test, list->n, yes, no, a->pos);
        for (uint32_t k = 0; k < list->n; k++) i->args[k] = args[k];
        return;
    }
    condition_value(x, expand_guard_value(x, a, bad), yes, no, bad, a->pos);
}

/* A value that should be true or false. */
void condition_value(Expand *x, CoreRef value, CoreBlockId yes, CoreBlockId no, CoreBlockId bad,
                     SrcPos pos)
{
    if (core_is_const(value)) {
        Term t = core_term(x->u, value);
        write_jump(x, term_same(t, TERM_TRUE) ? yes : term_same(t, TERM_FALSE) ? no : bad, pos);
        return;
    }
    CoreBlockId other = no == bad ? no : new_block(x);
    write_compare(x, (Comparison){OP_EXACT_EQ, value, const_atom(x, ATOM_TRUE)}, yes, other,
                  pos);
    if (no == bad) return;
    go_to(x, other);
    write_compare(x, (Comparison){OP_EXACT_EQ, value, const_atom(x, ATOM_FALSE)}, no, bad, pos);
}

/* A row of andalso or orelse, or of `,` in a guard. */
static void condition_step(Expand *x, AstOp op, const Ast *a, CoreBlockId yes, CoreBlockId no,
                           CoreBlockId bad)
{
    CoreBlockId more = new_block(x);
    if (op == OP_ANDALSO) {
        expand_condition(x, a, more, no, bad);
    } else {
        expand_condition(x, a, yes, more, bad);
    }
    go_to(x, more);
}

static void condition_binop(Expand *x, const Ast *a, CoreBlockId yes, CoreBlockId no,
                            CoreBlockId bad)
{
    AstOp op = (AstOp)a->op;
    if (op == OP_ANDALSO || op == OP_ORELSE || (op == OP_AND && no == bad)) {
        condition_step(x, op == OP_ORELSE ? OP_ORELSE : OP_ANDALSO, a->binop.left, yes, no,
                       bad);
        expand_condition(x, a->binop.right, yes, no, bad);
        return;
    }
    if (op >= OP_EQ && op <= OP_EXACT_NE) {
        CoreRef left = expand_guard_value(x, a->binop.left, bad);
        CoreRef right = expand_guard_value(x, a->binop.right, bad);
        write_compare(x, (Comparison){op, left, right}, yes, no, a->pos);
        return;
    }
    condition_value(x, expand_guard_value(x, a, bad), yes, no, bad, a->pos);
}

static void condition_rchain(Expand *x, const Ast *a, CoreBlockId yes, CoreBlockId no,
                             CoreBlockId bad)
{
    const AstList *links = &a->rchain.links;
    for (uint32_t i = 0; i < links->n; i++)
        condition_step(x, (AstOp)links->at[i]->op, links->at[i]->link.arg, yes, no, bad);
    expand_condition(x, a->rchain.last, yes, no, bad);
}

void expand_condition(Expand *x, const Ast *a, CoreBlockId yes, CoreBlockId no, CoreBlockId bad)
{
    if (a->kind == AST_BINOP) {
        condition_binop(x, a, yes, no, bad);
    } else if (a->kind == AST_RCHAIN
               && (a->rchain.links.at[0]->op == OP_ANDALSO
                   || a->rchain.links.at[0]->op == OP_ORELSE)) {
        condition_rchain(x, a, yes, no, bad);
    } else if (a->kind == AST_UNOP && a->op == OP_NOT) {
        expand_condition(x, a->unop.arg, no, yes, bad);
    } else if (a->kind == AST_CALL) {
        condition_call(x, a, yes, no, bad);
    } else {
        condition_value(x, expand_guard_value(x, a, bad), yes, no, bad, a->pos);
    }
}

void expand_guard(Expand *x, const AstList *guard, CoreBlockId no)
{
    if (guard->n == 0) return;
    CoreBlockId yes = new_block(x);
    for (uint32_t i = 0; i < guard->n; i++) {
        const AstList *tests = &guard->at[i]->guard.tests;
        CoreBlockId fail = i + 1 < guard->n ? new_block(x) : no;
        for (uint32_t k = 0; k < tests->n; k++) {
            CoreBlockId more = k + 1 < tests->n ? new_block(x) : yes;
            expand_condition(x, tests->at[k], more, fail, fail);
            go_to(x, more);
        }
        if (i + 1 < guard->n) go_to(x, fail);
    }
    go_to(x, yes);
}

/* ---- what may stand in a guard ---- */

static bool all_guard_exprs(Expand *x, const AstList *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!is_guard_expr(x, list->at[i])) return false;
    return true;
}

static bool is_guard_links(Expand *x, const AstList *links)
{
    for (uint32_t i = 0; i < links->n; i++) {
        AstOp op = (AstOp)links->at[i]->op;
        if (op == OP_MATCH || op == OP_SEND || op == OP_APPEND || op == OP_SUBTRACT)
            return false;
        if (!is_guard_expr(x, links->at[i]->link.arg)) return false;
    }
    return true;
}

static bool is_guard_fields(Expand *x, const AstList *fields)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        const Ast *f = fields->at[i];
        const Ast *value = f->kind == AST_RECORD_FIELD ? f->record_field.value
                           : f->kind == AST_SEGMENT    ? f->segment.value
                                                       : f->map_field.value;
        if (!is_guard_expr(x, value)) return false;
        if (f->kind == AST_MAP_FIELD && !is_guard_expr(x, f->map_field.key)) return false;
        if (f->kind == AST_SEGMENT && f->segment.size && !is_guard_expr(x, f->segment.size))
            return false;
    }
    return true;
}

bool is_guard_expr(Expand *x, const Ast *a)
{
    for (; ast_base(a); a = ast_base(a))
        if (a->kind == AST_RECORD
            || (a->kind == AST_MAP && !is_guard_fields(x, &a->map.fields)))
            return false;
    switch (a->kind) {
    case AST_VAR:
    case AST_ATOM:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_FLOAT:
    case AST_STRING:
    case AST_NIL:
    case AST_RECORD_INDEX: return true;
    case AST_UNOP: return is_guard_expr(x, a->unop.arg);
    case AST_BINOP:
        if (a->op == OP_MATCH || a->op == OP_SEND || a->op == OP_APPEND || a->op == OP_SUBTRACT)
            return false;
        return is_guard_expr(x, a->binop.left) && is_guard_expr(x, a->binop.right);
    case AST_LCHAIN:
        return is_guard_expr(x, a->lchain.first) && is_guard_links(x, &a->lchain.links);
    case AST_RCHAIN:
        return is_guard_links(x, &a->rchain.links) && is_guard_expr(x, a->rchain.last);
    case AST_LIST:
        return all_guard_exprs(x, &a->list.items)
               && (!a->list.tail || is_guard_expr(x, a->list.tail));
    case AST_TUPLE: return all_guard_exprs(x, &a->tuple.items);
    case AST_MAP: return is_guard_fields(x, &a->map.fields);
    case AST_RECORD: return is_guard_fields(x, &a->record.fields);
    case AST_BIN: return is_guard_fields(x, &a->bin.segments);
    case AST_CALL: return !term_is_none(guard_bif(x, a)) && all_guard_exprs(x, &a->call.args);
    default: return false;
    }
}
