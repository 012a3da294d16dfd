#include "compiler/core/expand_parts.h"

/* Values that a long list or tuple may hold in registers before they are put together. */
#define PIECE 128

static CoreRef expand_literal(Expand *x, const Ast *a)
{
    return core_const(x->u, literal_term(x, a));
}

static CoreRef expand_var(Expand *x, const Ast *a)
{
    CoreRef ref = scope_find(x, a->v.name);
    return core_is_none(ref) ? const_atom(x, ATOM_UNDEFINED) : ref;
}

/* ---- lists and tuples ---- */

/* Put the pending values in front of the list of those that came before, newest first. */
static CoreRef expand_flush(Expand *x, CoreRef done, CoreRef *pending, uint32_t *n, SrcPos pos)
{
    for (uint32_t i = 0; i < *n; i++) {
        CoreRef one[1] = {pending[i]};
        done = write_list(x, one, 1, done, pos);
    }
    *n = 0;
    return done;
}

/* The list of all items in front of `tail` (NULL: nil), evaluated in order.  A long one whose
 * values are not constants is built the wrong way round piece by piece and reversed at the end. */
static CoreRef expand_items(Expand *x, const AstList *items, const Ast *tail, SrcPos pos)
{
    CoreRef *values = ARENA_ARRAY(x->arena, CoreRef, items->n + 1);
    CoreRef done = CORE_REF_NONE;
    uint32_t n = 0;
    uint32_t variables = 0;
    for (uint32_t i = 0; i < items->n; i++) {
        values[n] = expand_expr(x, items->at[i]);
        if (!core_is_const(values[n++])) variables++;
        if (variables < PIECE || (items->n - i < 8 && core_is_none(done))) continue;
        if (core_is_none(done)) done = core_const(x->u, TERM_NIL);
        done = expand_flush(x, done, values, &n, pos);
        variables = 0;
    }
    CoreRef end = tail ? expand_expr(x, tail) : core_const(x->u, TERM_NIL);
    if (core_is_none(done)) return write_list(x, values, n, end, pos);
    done = expand_flush(x, done, values, &n, pos);
    CoreRef args[2] = {done, end};
    return write_apply(x, text_atom(x, "lists"), text_atom(x, "reverse"), 2, args, pos);
}

static CoreRef expand_tuple(Expand *x, const Ast *a)
{
    const AstList *items = &a->tuple.items;
    if (items->n <= CORE_WIDE_MAX)
        return write_tuple(x, expand_list(x, items), items->n, a->pos);
    CoreRef list = expand_items(x, items, NULL, a->pos);
    if (!core_is_const(list))
        return write_apply(x, TERM_ATOM(ERLANG), text_atom(x, "list_to_tuple"), 1, &list,
                           a->pos);
    CoreRef *refs = ARENA_ARRAY(x->arena, CoreRef, items->n);
    Term rest = core_term(x->u, list);
    for (uint32_t i = 0; i < items->n; i++, rest = list_tail(rest))
        refs[i] = core_const(x->u, list_head(rest));
    return write_tuple(x, refs, items->n, a->pos);
}

CoreRef *expand_list(Expand *x, const AstList *list)
{
    CoreRef *values = ARENA_ARRAY(x->arena, CoreRef, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++) values[i] = expand_expr(x, list->at[i]);
    return values;
}

/* ---- operators ---- */

static bool is_comparison(AstOp op) { return op >= OP_EQ && op <= OP_EXACT_NE; }

/* A ++ B where A is a short constant: cells in front of B. */
static CoreRef expand_append(Expand *x, CoreRef a, CoreRef b, SrcPos pos)
{
    if (core_is_const(a)) {
        CoreRef items[32];
        uint32_t n = 0;
        Term rest = core_term(x->u, a);
        bool whole = core_is_const(b);
        VEC(CoreRef) many = {0};
        VEC_IN_ARENA(&many, x->arena);
        for (; term_is_cons(rest) && (whole || n < ARRAY_LEN(items)); rest = list_tail(rest)) {
            CoreRef item = core_const(x->u, list_head(rest));
            if (whole) {
                VEC_PUSH(&many, item);
            } else {
                items[n++] = item;
            }
        }
        if (term_is_nil(rest))
            return whole ? write_list(x, many.at, (uint32_t)many.count, b, pos)
                         : write_list(x, items, n, b, pos);
    }
    return write_arith(x, OP_APPEND, a, b, pos);
}

static CoreRef expand_op(Expand *x, AstOp op, CoreRef a, CoreRef b, SrcPos pos)
{
    return op == OP_APPEND ? expand_append(x, a, b, pos) : write_arith(x, op, a, b, pos);
}

static CoreRef expand_lchain(Expand *x, const Ast *a)
{
    CoreRef value = expand_expr(x, a->lchain.first);
    for (uint32_t i = 0; i < a->lchain.links.n; i++) {
        const Ast *link = a->lchain.links.at[i];
        value = expand_op(x, (AstOp)link->op, value, expand_expr(x, link->link.arg), link->pos);
    }
    return value;
}

/* arg0 op0 (arg1 op1 (... last)): all operands first, in order; those of `=` are patterns. */
static CoreRef expand_rchain(Expand *x, const Ast *a)
{
    const AstList *links = &a->rchain.links;
    CoreRef *values = ARENA_ARRAY(x->arena, CoreRef, links->n);
    for (uint32_t i = 0; i < links->n; i++)
        if (links->at[i]->op != OP_MATCH) values[i] = expand_expr(x, links->at[i]->link.arg);
    CoreRef value = expand_expr(x, a->rchain.last);
    bool is_last = true; /* the value is that of the last operand */
    for (uint32_t i = links->n; i > 0; i--) {
        const Ast *link = links->at[i - 1];
        if (link->op == OP_MATCH) {
            value = expand_match(x, link->link.arg, value, link->pos);
            if (is_last) mark_match(x, link->link.arg, a->rchain.last, value);
        } else {
            is_last = false;
            value = expand_op(x, (AstOp)link->op, values[i - 1], value, link->pos);
        }
    }
    return value;
}

static CoreRef expand_binop(Expand *x, const Ast *a)
{
    AstOp op = (AstOp)a->op;
    if (op == OP_MATCH) {
        CoreRef value = expand_expr(x, a->binop.right);
        value = expand_match(x, a->binop.left, value, a->pos);
        mark_match(x, a->binop.left, a->binop.right, value);
        return value;
    }
    if (op == OP_ANDALSO || op == OP_ORELSE) return expand_short(x, a, false);
    if (is_comparison(op)) return expand_condition_value(x, a);
    CoreRef left = expand_expr(x, a->binop.left);
    return expand_op(x, op, left, expand_expr(x, a->binop.right), a->pos);
}

void write_compare(Expand *x, Comparison c, CoreBlockId yes, CoreBlockId no, SrcPos pos)
{
    CoreKind kind = CORE_IS_SAME;
    bool swap = false;
    switch (c.op) {
    case OP_EQ:
    case OP_NE: kind = CORE_IS_EQUAL; break;
    case OP_LT: kind = CORE_IS_LESS; break;
    case OP_GT:
        kind = CORE_IS_LESS;
        swap = true;
        break;
    case OP_GE: kind = CORE_IS_AT_LEAST; break;
    case OP_LE:
        kind = CORE_IS_AT_LEAST;
        swap = true;
        break;
    default: break;
    }
    if ((kind == CORE_IS_SAME || kind == CORE_IS_EQUAL) && core_is_const(c.left)) swap = true;
    bool negated = c.op == OP_NE || c.op == OP_EXACT_NE;
    CoreInstr *i = write_branch(x, kind, 2, negated ? no : yes, negated ? yes : no, pos);
    i->args[0] = swap ? c.right : c.left;
    i->args[1] = swap ? c.left : c.right;
}

CoreRef expand_truth(Expand *x, CoreBlockId yes, CoreBlockId no, SrcPos pos)
{
    CoreBlockId join = new_block(x);
    CoreVar value = core_block_param(x->u, x->w->f, join);
    go_to(x, yes);
    write_jump1(x, join, const_atom(x, ATOM_TRUE), pos);
    go_to(x, no);
    write_jump1(x, join, const_atom(x, ATOM_FALSE), pos);
    go_to(x, join);
    return core_var(value);
}

CoreRef expand_condition_value(Expand *x, const Ast *a)
{
    CoreRef left = expand_expr(x, a->binop.left);
    CoreRef right = expand_expr(x, a->binop.right);
    CoreBlockId yes = new_block(x);
    CoreBlockId no = new_block(x);
    write_compare(x, (Comparison){(AstOp)a->op, left, right}, yes, no, a->pos);
    return expand_truth(x, yes, no, a->pos);
}

static CoreRef expand_unop(Expand *x, const Ast *a)
{
    CoreRef value = expand_expr(x, a->unop.arg);
    if (a->op != OP_NOT || core_is_const(value))
        return write_unary(x, (AstOp)a->op, value, a->pos);
    CoreBlockId yes = new_block(x);
    CoreBlockId no = new_block(x);
    CoreBlockId other = new_block(x);
    CoreBlockId join = new_block(x);
    CoreVar result = core_block_param(x->u, x->w->f, join);
    CoreBlockId second = new_block(x);
    write_compare(x, (Comparison){OP_EXACT_EQ, value, const_atom(x, ATOM_TRUE)}, no, second,
                  a->pos);
    go_to(x, second);
    write_compare(x, (Comparison){OP_EXACT_EQ, value, const_atom(x, ATOM_FALSE)}, yes, other,
                  a->pos);
    go_to(x, yes);
    write_jump1(x, join, const_atom(x, ATOM_TRUE), a->pos);
    go_to(x, no);
    write_jump1(x, join, const_atom(x, ATOM_FALSE), a->pos);
    go_to(x, other);
    write_jump1(x, join, write_unary(x, OP_NOT, value, a->pos), a->pos);
    go_to(x, join);
    return core_var(result);
}

/* The value of an operand of andalso or orelse that is not the last: goes on where the next one is
 * needed. */
static void expand_short_step(Expand *x, AstOp op, CoreRef value, SrcPos pos, Merge *m)
{
    bool and = op == OP_ANDALSO;
    CoreBlockId more = new_block(x);
    CoreBlockId second = new_block(x);
    CoreBlockId done = new_block(x);
    CoreBlockId bad = new_block(x);
    write_compare(x,
                  (Comparison){OP_EXACT_EQ, value, const_atom(x, and? ATOM_TRUE : ATOM_FALSE)},
                  more, second, pos);
    go_to(x, second);
    write_compare(x,
                  (Comparison){OP_EXACT_EQ, value, const_atom(x, and? ATOM_FALSE : ATOM_TRUE)},
                  done, bad, pos);
    go_to(x, bad);
    write_error2(x, ATOM_BADARG, value, pos);
    go_to(x, done);
    merge_value(x, m, const_atom(x, and? ATOM_FALSE : ATOM_TRUE), pos);
    go_to(x, more);
}

CoreRef expand_short(Expand *x, const Ast *a, bool tail)
{
    bool is_pair = a->kind == AST_BINOP;
    const AstList *links = &a->rchain.links;
    const Ast *first = is_pair ? a->binop.left : links->at[0]->link.arg;
    const Ast *last = is_pair ? a->binop.right : a->rchain.last;
    AstOp op = (AstOp)(is_pair ? a->op : links->at[0]->op);
    /* What the first operand binds is bound behind the whole, so it comes before the merge. */
    CoreRef value = expand_expr(x, first);
    Merge m;
    merge_begin(x, &m, tail);
    m.no_exports = true;
    expand_short_step(x, op, value, first->pos, &m);
    for (uint32_t i = 1; !is_pair && i < links->n; i++) {
        const Ast *operand = links->at[i]->link.arg;
        expand_short_step(x, op, expand_expr(x, operand), operand->pos, &m);
    }
    if (tail) {
        expand_tail(x, last);
    } else {
        merge_value(x, &m, expand_expr(x, last), last->pos);
    }
    return merge_end(x, &m, a->pos);
}

/* ---- everything ---- */

CoreRef expand_body(Expand *x, const AstList *body)
{
    CoreRef value = CORE_REF_NONE;
    for (uint32_t i = 0; i < body->n; i++) value = expand_expr(x, body->at[i]);
    return value;
}

void expand_body_tail(Expand *x, const AstList *body)
{
    for (uint32_t i = 0; i + 1 < body->n; i++) (void)expand_expr(x, body->at[i]);
    expand_tail(x, body->at[body->n - 1]);
}

static bool is_short_chain(const Ast *a)
{
    AstOp op = (AstOp)a->rchain.links.at[0]->op;
    return op == OP_ANDALSO || op == OP_ORELSE;
}

/* Kinds with ways of their own.  False: another kind. */
static bool expand_control(Expand *x, const Ast *a, bool tail, CoreRef *value)
{
    switch (a->kind) {
    case AST_CASE: *value = expand_case(x, a, tail); return true;
    case AST_IF: *value = expand_if(x, a, tail); return true;
    case AST_RECEIVE: *value = expand_receive(x, a, tail); return true;
    case AST_TRY: *value = expand_try(x, a, tail); return true;
    case AST_MAYBE: *value = expand_maybe(x, a, tail); return true;
    case AST_CALL: *value = expand_call(x, a, tail); return true;
    case AST_BINOP:
        if (a->op != OP_ANDALSO && a->op != OP_ORELSE) return false;
        *value = expand_short(x, a, tail);
        return true;
    case AST_RCHAIN:
        if (!is_short_chain(a)) return false;
        *value = expand_short(x, a, tail);
        return true;
    default: return false;
    }
}

void expand_tail(Expand *x, const Ast *a)
{
    ASSERT(x->w->in_try == 0);
    CoreRef value;
    if (a->kind == AST_BLOCK) {
        expand_body_tail(x, &a->block.body);
    } else if (!expand_control(x, a, true, &value)) {
        write_return(x, expand_expr(x, a), a->pos);
    }
}

static CoreRef expand_data(Expand *x, const Ast *a)
{
    if (ast_base(a)) return expand_postfix(x, a, 0);
    switch (a->kind) {
    case AST_LIST: return expand_items(x, &a->list.items, a->list.tail, a->pos);
    case AST_TUPLE: return expand_tuple(x, a);
    case AST_MAP: return expand_map(x, a, 0);
    case AST_RECORD: return expand_record_new(x, a, 0);
    case AST_RECORD_INDEX: return expand_record_index(x, a);
    case AST_BIN: return expand_bin(x, a, 0);
    case AST_FUN_LOCAL:
    case AST_FUN_REMOTE: return expand_fun_ref(x, a);
    case AST_FUN: return expand_fun(x, a);
    case AST_LC:
    case AST_BC:
    case AST_MC: return expand_comprehension(x, a);
    default: return expand_literal(x, a);
    }
}

CoreRef expand_expr(Expand *x, const Ast *a)
{
    CoreRef value;
    if (expand_control(x, a, false, &value)) return value;
    switch (a->kind) {
    case AST_VAR: return expand_var(x, a);
    case AST_UNOP: return expand_unop(x, a);
    case AST_BINOP: return expand_binop(x, a);
    case AST_LCHAIN: return expand_lchain(x, a);
    case AST_RCHAIN: return expand_rchain(x, a);
    case AST_CATCH: return expand_catch(x, a);
    case AST_BLOCK: return expand_body(x, &a->block.body);
    default: return expand_data(x, a);
    }
}
