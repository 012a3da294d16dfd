#include "compiler/core/fold_parts.h"
#include "vm/term/binary.h"
#include "vm/term/order.h"

/* ---- values ---- */

static const CoreInstr *fold_def(Fold *d, CoreRef r)
{
    return core_is_var(r) && r.n < d->vars ? d->def[r.n] : NULL;
}

static AstOp arith_op(CoreKind kind)
{
    static const uint8_t ops[] = {OP_ADD, OP_SUB,  OP_MUL, OP_FDIV, OP_DIV,   OP_REM, OP_BAND,
                                  OP_BOR, OP_BXOR, OP_BSL, OP_BSR,  OP_MINUS, OP_BNOT};
    return (AstOp)ops[kind - CORE_ADD];
}

static CoreRef fold_arith_instr(Fold *d, CoreInstr *i)
{
    for (uint32_t k = 0; k < i->arg_count; k++)
        if (!core_is_const(i->args[k])) return CORE_REF_NONE;
    if (i->dst == 0) return CORE_REF_NONE;
    AstOp op = arith_op((CoreKind)i->kind);
    Term a = core_term(d->u, i->args[0]);
    Term t = i->arg_count == 1 ? fold_unary(d->u, op, a)
                               : fold_arith(d->u, op, a, core_term(d->u, i->args[1]));
    return term_is_none(t) ? CORE_REF_NONE : core_const(d->u, t);
}

static CoreRef fold_element(Fold *d, const CoreInstr *i)
{
    CoreRef tuple = i->args[0];
    if (core_is_const(tuple)) {
        Term t = core_term(d->u, tuple);
        if (term_is_tuple(t) && i->index < tuple_size(t))
            return core_const(d->u, tuple_at(t, i->index));
    }
    const CoreInstr *def = fold_def(d, tuple);
    if (def && def->kind == CORE_TUPLE && i->index < def->arg_count)
        return fold_value(d, def->args[i->index]);
    return CORE_REF_NONE;
}

static CoreRef fold_cell(Fold *d, const CoreInstr *i)
{
    CoreRef list = i->args[0];
    if (core_is_const(list)) {
        Term t = core_term(d->u, list);
        if (term_is_cons(t))
            return core_const(d->u, i->kind == CORE_HEAD ? list_head(t) : list_tail(t));
    }
    const CoreInstr *def = fold_def(d, list);
    if (def && def->kind == CORE_CONS)
        return fold_value(d, def->args[i->kind == CORE_HEAD ? 0 : 1]);
    return CORE_REF_NONE;
}

/* A call of a fun whose body is known is a call of that function, with the fun as last argument. */
static void fold_call_fun(Fold *d, CoreInstr *i)
{
    const CoreFunction *f = d->f;
    uint32_t arity = i->arg_count - 1;
    const CoreInstr *def = fold_def(d, i->args[0]);
    uint32_t function;
    if (f->is_fun && f->arity == arity && core_same(i->args[0], core_var(f->params[arity]))) {
        function = d->index;
    } else if (def && def->kind == CORE_MAKE_FUN
               && d->u->lambdas.at[def->index].arity == arity) {
        function = d->u->lambdas.at[def->index].function;
    } else {
        return;
    }
    CoreRef fun = i->args[0];
    for (uint32_t k = 0; k < arity; k++) i->args[k] = i->args[k + 1];
    i->args[arity] = fun;
    i->kind = i->kind == CORE_CALL_FUN ? CORE_CALL : CORE_TAIL_CALL;
    i->index = function;
    d->changed = true;
}

CoreRef fold_instr(Fold *d, CoreInstr *i)
{
    switch (i->kind) {
    case CORE_ELEMENT: return fold_element(d, i);
    case CORE_HEAD:
    case CORE_TAIL: return fold_cell(d, i);
    case CORE_ADD:
    case CORE_SUB:
    case CORE_MUL:
    case CORE_DIV:
    case CORE_INT_DIV:
    case CORE_REM:
    case CORE_BAND:
    case CORE_BOR:
    case CORE_BXOR:
    case CORE_BSL:
    case CORE_BSR:
    case CORE_NEGATE:
    case CORE_BNOT: return fold_arith_instr(d, i);
    case CORE_CALL_FUN: fold_call_fun(d, i); return CORE_REF_NONE;
    default: return CORE_REF_NONE;
    }
}

/* ---- tests ---- */

static Fact fact(bool b) { return b ? FACT_YES : FACT_NO; }

/* A test of one constant. */
static Fact fold_test_const(const CoreInstr *i, Term t)
{
    switch (i->kind) {
    case CORE_IS_INTEGER: return fact(term_is_integer(t));
    case CORE_IS_FLOAT: return fact(term_is_float(t));
    case CORE_IS_NUMBER: return fact(term_is_number(t));
    case CORE_IS_ATOM: return fact(term_is_atom(t));
    case CORE_IS_BOOLEAN: return fact(term_is_boolean(t));
    case CORE_IS_PID:
    case CORE_IS_PORT:
    case CORE_IS_REF:
    case CORE_IS_FUN: return FACT_NO;
    case CORE_IS_LIST: return fact(term_is_list(t));
    case CORE_IS_CONS: return fact(term_is_cons(t));
    case CORE_IS_NIL: return fact(term_is_nil(t));
    case CORE_IS_TUPLE: return fact(term_is_tuple(t));
    case CORE_IS_TUPLE_OF: return fact(term_is_tuple_of(t, i->index));
    case CORE_IS_MAP: return fact(term_is_map(t));
    case CORE_IS_BINARY: return fact(term_is_binary(t));
    case CORE_IS_BITSTRING: return fact(term_is_bitstring(t));
    default: return FACT_UNKNOWN;
    }
}

/* A test of two constants. */
static Fact fold_compare_const(const AtomTable *atoms, const CoreInstr *i, Term a, Term b)
{
    switch (i->kind) {
    case CORE_IS_SAME: return fact(order_same(a, b));
    case CORE_IS_EQUAL: return fact(order_equal(a, b));
    case CORE_IS_LESS: return fact(order_compare(atoms, a, b) < 0);
    case CORE_IS_AT_LEAST: return fact(order_compare(atoms, a, b) >= 0);
    case CORE_IS_RECORD:
        return fact(term_is_tuple_of(a, i->index) && term_same(tuple_at(a, 0), b));
    default: return FACT_UNKNOWN;
    }
}

typedef enum {
    SHAPE_UNKNOWN,
    SHAPE_TUPLE,
    SHAPE_CONS,
    SHAPE_MAP,
    SHAPE_FUN,
    SHAPE_BITS,
    SHAPE_NUMBER
} Shape;

static Shape fold_shape(const CoreInstr *def)
{
    switch (def->kind) {
    case CORE_TUPLE:
    case CORE_SET_ELEMENTS: return SHAPE_TUPLE;
    case CORE_CONS: return SHAPE_CONS;
    case CORE_MAP_BUILD:
    case CORE_MAP_PUT:
    case CORE_MAP_UPDATE: return SHAPE_MAP;
    case CORE_MAKE_FUN:
    case CORE_EXPORT_FUN: return SHAPE_FUN;
    case CORE_BITS_BUILD:
    case CORE_GUARD_BITS_BUILD: return SHAPE_BITS;
    case CORE_ADD:
    case CORE_SUB:
    case CORE_MUL:
    case CORE_DIV:
    case CORE_NEGATE: return SHAPE_NUMBER;
    default: return SHAPE_UNKNOWN;
    }
}

/* A test of a value whose making is known. */
static Fact fold_test_shape(Fold *d, const CoreInstr *i, const CoreInstr *def)
{
    Shape shape = fold_shape(def);
    uint32_t size = def->kind == CORE_TUPLE ? def->arg_count : def->index;
    if (shape == SHAPE_UNKNOWN) return FACT_UNKNOWN;
    switch (i->kind) {
    case CORE_IS_TUPLE: return fact(shape == SHAPE_TUPLE);
    case CORE_IS_TUPLE_OF: return fact(shape == SHAPE_TUPLE && size == i->index);
    case CORE_IS_CONS:
    case CORE_IS_LIST: return fact(shape == SHAPE_CONS);
    case CORE_IS_MAP: return fact(shape == SHAPE_MAP);
    case CORE_IS_FUN: return fact(shape == SHAPE_FUN);
    case CORE_IS_BITSTRING: return fact(shape == SHAPE_BITS);
    case CORE_IS_NUMBER: return fact(shape == SHAPE_NUMBER);
    case CORE_IS_NIL:
    case CORE_IS_ATOM:
    case CORE_IS_BOOLEAN:
    case CORE_IS_PID:
    case CORE_IS_PORT:
    case CORE_IS_REF: return FACT_NO;
    case CORE_IS_SAME:
        if (core_is_const(i->args[1])
            && (term_is_atom(core_term(d->u, i->args[1]))
                || term_is_nil(core_term(d->u, i->args[1]))))
            return FACT_NO;
        return FACT_UNKNOWN;
    case CORE_IS_RECORD:
        if (shape != SHAPE_TUPLE || size != i->index) return FACT_NO;
        if (def->kind == CORE_TUPLE && core_is_const(def->args[0]))
            return fact(term_same(core_term(d->u, def->args[0]), core_term(d->u, i->args[1])));
        return FACT_UNKNOWN;
    default: return FACT_UNKNOWN;
    }
}

static Fact fold_test(Fold *d, const CoreInstr *i)
{
    if (i->arg_count == 0 || i->dst != 0) return FACT_UNKNOWN;
    CoreRef a = i->args[0];
    if (i->arg_count == 2) {
        if (i->kind == CORE_IS_SAME && core_same(a, i->args[1])) return FACT_YES;
        if (core_is_const(a) && core_is_const(i->args[1]))
            return fold_compare_const(d->u->atoms, i, core_term(d->u, a),
                                      core_term(d->u, i->args[1]));
    } else if (core_is_const(a)) {
        return fold_test_const(i, core_term(d->u, a));
    }
    const CoreInstr *def = fold_def(d, a);
    return def ? fold_test_shape(d, i, def) : FACT_UNKNOWN;
}

static void become_jump(Fold *d, CoreInstr *i, CoreBlockId to)
{
    i->kind = CORE_JUMP;
    i->then_ = to;
    i->else_ = 0;
    i->arg_count = 0;
    i->case_count = 0;
    i->cases = NULL;
    d->changed = true;
}

static CoreBlockId switch_outcome(const CoreInstr *i, Term t)
{
    Term key = t;
    if (i->kind == CORE_SWITCH_ARITY) {
        if (!term_is_tuple(t)) return i->else_;
        key = small_from((int64_t)tuple_size(t));
    }
    for (uint32_t k = 0; k < i->case_count; k++)
        if (term_same(i->cases[k].key, key)) return i->cases[k].block;
    return i->else_;
}

static bool is_switch(const CoreInstr *i)
{
    return i->kind == CORE_SWITCH_ATOM || i->kind == CORE_SWITCH_SMALL
           || i->kind == CORE_SWITCH_ARITY;
}

void fold_branch(Fold *d, CoreInstr *i)
{
    if (i->kind == CORE_TAIL_FUN) {
        fold_call_fun(d, i);
        return;
    }
    if (is_switch(i)) {
        const CoreInstr *def = fold_def(d, i->args[0]);
        if (core_is_const(i->args[0])) {
            become_jump(d, i, switch_outcome(i, core_term(d->u, i->args[0])));
        } else if (def && i->kind == CORE_SWITCH_ARITY && def->kind == CORE_TUPLE) {
            for (uint32_t k = 0; k < i->case_count; k++)
                if (small_value(i->cases[k].key) == def->arg_count) {
                    become_jump(d, i, i->cases[k].block);
                    return;
                }
            become_jump(d, i, i->else_);
        }
        return;
    }
    if (!core_is_test(i)) return;
    Fact outcome = fold_test(d, i);
    if (outcome == FACT_UNKNOWN) outcome = (Fact)fold_known(d, i);
    if (outcome != FACT_UNKNOWN) become_jump(d, i, outcome == FACT_YES ? i->then_ : i->else_);
}

CoreBlockId fold_outcome(Fold *d, const CoreInstr *i, CoreVar var, Term t)
{
    if (is_switch(i)) return switch_outcome(i, t);
    Fact outcome = FACT_UNKNOWN;
    if (i->arg_count == 1) {
        outcome = fold_test_const(i, t);
    } else if (i->arg_count == 2) {
        Term a = core_same(i->args[0], core_var(var)) ? t
                 : core_is_const(i->args[0])          ? core_term(d->u, i->args[0])
                                                      : TERM_NONE;
        Term b = core_same(i->args[1], core_var(var)) ? t
                 : core_is_const(i->args[1])          ? core_term(d->u, i->args[1])
                                                      : TERM_NONE;
        if (!term_is_none(a) && !term_is_none(b))
            outcome = fold_compare_const(d->u->atoms, i, a, b);
    }
    return outcome == FACT_UNKNOWN ? 0 : outcome == FACT_YES ? i->then_ : i->else_;
}
