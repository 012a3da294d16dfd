#include "compiler/core/expand_parts.h"
#include "compiler/core/fold.h"

CoreBlockId new_block(Expand *x) { return core_block_new(x->u, x->w->f, x->w->in_try); }

CoreVar new_var(Expand *x) { return core_var_new(x->w->f); }

CoreInstr *write_instr(Expand *x, CoreKind kind, uint32_t args, SrcPos pos)
{
    Writing *w = x->w;
    if (w->block == 0) w->block = new_block(x);
    CoreInstr *i = core_append(x->u, w->f, w->block, kind, args, pos);
    if (core_ends(i)) w->block = 0;
    return i;
}

CoreRef write_op0(Expand *x, CoreKind kind, SrcPos pos)
{
    CoreVar dst = core_info[kind].flags & CORE_FLAG_DST ? new_var(x) : 0;
    write_instr(x, kind, 0, pos)->dst = dst;
    return core_var(dst);
}

CoreRef write_op1(Expand *x, CoreKind kind, CoreRef a, SrcPos pos)
{
    CoreVar dst = core_info[kind].flags & CORE_FLAG_DST ? new_var(x) : 0;
    CoreInstr *i = write_instr(x, kind, 1, pos);
    i->args[0] = a;
    i->dst = dst;
    return core_var(dst);
}

CoreRef write_op2(Expand *x, CoreKind kind, CoreRef a, CoreRef b, SrcPos pos)
{
    CoreVar dst = core_info[kind].flags & CORE_FLAG_DST ? new_var(x) : 0;
    CoreInstr *i = write_instr(x, kind, 2, pos);
    i->args[0] = a;
    i->args[1] = b;
    i->dst = dst;
    return core_var(dst);
}

CoreRef write_element(Expand *x, CoreRef tuple, uint32_t index, SrcPos pos)
{
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_ELEMENT, 1, pos);
    i->args[0] = tuple;
    i->index = index;
    i->dst = dst;
    return core_var(dst);
}

/* Of a module still to be set. */
static CoreInstr *write_named(Expand *x, CoreKind kind, Term name, uint32_t n,
                              const CoreRef *args, SrcPos pos)
{
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, kind, n, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = args[k];
    i->name = name;
    i->dst = dst;
    return i;
}

CoreRef write_bif(Expand *x, Term name, uint32_t n, const CoreRef *args, SrcPos pos)
{
    CoreInstr *i = write_named(x, CORE_BIF, name, n, args, pos);
    i->module = TERM_ATOM(ERLANG);
    return core_var(i->dst);
}

CoreRef write_call_ext(Expand *x, Term module, Term name, uint32_t n, const CoreRef *args,
                       SrcPos pos)
{
    CoreInstr *i = write_named(x, CORE_CALL_EXT, name, n, args, pos);
    i->module = module;
    return core_var(i->dst);
}

CoreRef write_apply(Expand *x, Term module, Term name, uint32_t n, const CoreRef *args,
                    SrcPos pos)
{
    CoreKind kind = is_inline_bif(x, module, name, n) ? CORE_BIF : CORE_CALL_EXT;
    CoreInstr *i = write_named(x, kind, name, n, args, pos);
    i->module = module;
    return core_var(i->dst);
}

void write_jump(Expand *x, CoreBlockId to, SrcPos pos)
{
    if (x->w->block == 0) return;
    write_instr(x, CORE_JUMP, 0, pos)->then_ = to;
}

void write_jump1(Expand *x, CoreBlockId to, CoreRef arg, SrcPos pos)
{
    if (x->w->block == 0) return;
    CoreInstr *i = write_instr(x, CORE_JUMP, 1, pos);
    i->args[0] = arg;
    i->then_ = to;
}

void write_return(Expand *x, CoreRef value, SrcPos pos)
{
    if (x->w->block == 0) return;
    write_instr(x, CORE_RETURN, 1, pos)->args[0] = value;
}

void write_raise(Expand *x, CoreKind kind, CoreRef arg, SrcPos pos)
{
    if (x->w->block == 0) return;
    CoreInstr *i = write_instr(x, kind, core_is_none(arg) ? 0 : 1, pos);
    if (!core_is_none(arg)) i->args[0] = arg;
}

void write_error2(Expand *x, AtomName tag, CoreRef value, SrcPos pos)
{
    if (x->w->block == 0) return;
    CoreRef pair[2] = {const_atom(x, tag), value};
    write_raise(x, CORE_RAISE_ERROR, write_tuple(x, pair, 2, pos), pos);
}

CoreInstr *write_branch(Expand *x, CoreKind kind, uint32_t args, CoreBlockId yes,
                        CoreBlockId no, SrcPos pos)
{
    CoreInstr *i = write_instr(x, kind, args, pos);
    i->then_ = yes;
    i->else_ = no;
    return i;
}

CoreInstr *write_test(Expand *x, CoreKind kind, uint32_t args, CoreBlockId no, SrcPos pos)
{
    CoreBlockId yes = new_block(x);
    CoreVar dst = core_info[kind].flags & CORE_FLAG_DST ? new_var(x) : 0;
    CoreInstr *i = write_branch(x, kind, args, yes, no, pos);
    i->dst = dst;
    go_to(x, yes);
    return i;
}

void write_test1(Expand *x, CoreKind kind, CoreRef a, CoreBlockId no, SrcPos pos)
{
    write_test(x, kind, 1, no, pos)->args[0] = a;
}

void write_test2(Expand *x, CoreKind kind, CoreRef a, CoreRef b, CoreBlockId no, SrcPos pos)
{
    CoreInstr *i = write_test(x, kind, 2, no, pos);
    i->args[0] = a;
    i->args[1] = b;
}

/* ---- data ---- */

static Term *const_terms(Expand *x, const CoreRef *items, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!core_is_const(items[i])) return NULL;
    Term *terms = ARENA_ARRAY(x->arena, Term, n + 1);
    for (uint32_t i = 0; i < n; i++) terms[i] = core_term(x->u, items[i]);
    return terms;
}

static Term cons_or_stop(Expand *x, Term head, Term tail)
{
    Term t = heap_cons(&x->u->heap, head, tail);
    CHECK(!term_is_none(t));
    return t;
}

CoreRef write_list(Expand *x, const CoreRef *items, uint32_t n, CoreRef tail, SrcPos pos)
{
    CoreRef list = tail;
    while (n > 0 && core_is_const(list) && core_is_const(items[n - 1])) {
        Term t = core_term(x->u, list);
        while (n > 0 && core_is_const(items[n - 1]))
            t = cons_or_stop(x, core_term(x->u, items[--n]), t);
        list = core_const(x->u, t);
    }
    while (n > 0) list = write_op2(x, CORE_CONS, items[--n], list, pos);
    return list;
}

CoreRef write_tuple(Expand *x, const CoreRef *items, uint32_t n, SrcPos pos)
{
    Term *terms = const_terms(x, items, n);
    if (terms) return core_const(x->u, const_tuple(x, terms, n, pos));
    if (n > CORE_WIDE_MAX) {
        CoreRef list = write_list(x, items, n, core_const(x->u, TERM_NIL), pos);
        return write_apply(x, TERM_ATOM(ERLANG), text_atom(x, "list_to_tuple"), 1, &list, pos);
    }
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_TUPLE, n, pos);
    for (uint32_t k = 0; k < n; k++) i->args[k] = items[k];
    i->dst = dst;
    return core_var(dst);
}

/* ---- operators ---- */

static const struct {
    uint8_t kind; /* CoreKind; 0 (CONS): a built-in of erlang of that name */
    AtomName name;
} write_ops[OP_COUNT] = {
    [OP_PLUS] = {0, ATOM_PLUS},
    [OP_MINUS] = {CORE_NEGATE, ATOM_MINUS},
    [OP_BNOT] = {CORE_BNOT, ATOM_BNOT},
    [OP_NOT] = {0, ATOM_NOT},
    [OP_MUL] = {CORE_MUL, ATOM_TIMES},
    [OP_FDIV] = {CORE_DIV, ATOM_SLASH},
    [OP_DIV] = {CORE_INT_DIV, ATOM_DIV},
    [OP_REM] = {CORE_REM, ATOM_REM},
    [OP_BAND] = {CORE_BAND, ATOM_BAND},
    [OP_AND] = {0, ATOM_AND},
    [OP_ADD] = {CORE_ADD, ATOM_PLUS},
    [OP_SUB] = {CORE_SUB, ATOM_MINUS},
    [OP_BOR] = {CORE_BOR, ATOM_BOR},
    [OP_BXOR] = {CORE_BXOR, ATOM_BXOR},
    [OP_BSL] = {CORE_BSL, ATOM_BSL},
    [OP_BSR] = {CORE_BSR, ATOM_BSR},
    [OP_OR] = {0, ATOM_OR},
    [OP_XOR] = {0, ATOM_XOR},
    [OP_APPEND] = {0, ATOM_APPEND},
    [OP_SUBTRACT] = {0, ATOM_SUBTRACT},
    [OP_SEND] = {0, ATOM_SEND},
};

Term operator_name(AstOp op) { return atom_from(write_ops[op].name); }

CoreRef write_arith(Expand *x, AstOp op, CoreRef a, CoreRef b, SrcPos pos)
{
    if (core_is_const(a) && core_is_const(b)) {
        Term t = fold_arith(x->u, op, core_term(x->u, a), core_term(x->u, b));
        if (!term_is_none(t)) return core_const(x->u, t);
    }
    if (write_ops[op].kind != 0) return write_op2(x, write_ops[op].kind, a, b, pos);
    CoreRef args[2] = {a, b};
    return write_apply(x, TERM_ATOM(ERLANG), operator_name(op), 2, args, pos);
}

CoreRef write_unary(Expand *x, AstOp op, CoreRef a, SrcPos pos)
{
    if (core_is_const(a)) {
        Term t = fold_unary(x->u, op, core_term(x->u, a));
        if (!term_is_none(t)) return core_const(x->u, t);
    }
    if (write_ops[op].kind != 0) return write_op1(x, write_ops[op].kind, a, pos);
    return write_apply(x, TERM_ATOM(ERLANG), operator_name(op), 1, &a, pos);
}
