#include "compiler/core/expand_parts.h"

static CoreRef *copy_of(CoreInstr *i, uint32_t at, const CoreRef *args, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) i->args[at + k] = args[k];
    return i->args;
}

/* Append a call; as a tail call it ends the block and gives none. */
static CoreInstr *call_instr(Expand *x, CoreKind kind, uint32_t n, bool tail, SrcPos pos)
{
    static const uint8_t tails[] = {
        [0] = CORE_TAIL_CALL,
        [CORE_CALL_EXT - CORE_CALL] = CORE_TAIL_EXT,
        [CORE_CALL_DYN - CORE_CALL] = CORE_TAIL_DYN,
        [CORE_CALL_FUN - CORE_CALL] = CORE_TAIL_FUN,
    };
    CoreVar dst = tail ? 0 : new_var(x);
    CoreInstr *i = write_instr(x, tail ? (CoreKind)tails[kind - CORE_CALL] : kind, n, pos);
    i->dst = dst;
    return i;
}

static CoreRef call_local(Expand *x, uint32_t function, const AstList *list, bool tail,
                          SrcPos pos)
{
    CoreRef *args = expand_list(x, list);
    CoreInstr *i = call_instr(x, CORE_CALL, list->n, tail, pos);
    copy_of(i, 0, args, list->n);
    i->index = function;
    return core_var(i->dst);
}

/* true or false from one test instruction. */
static CoreRef test_value(Expand *x, CoreKind kind, const CoreRef *args, uint32_t n,
                          uint32_t index, SrcPos pos)
{
    CoreBlockId yes = new_block(x);
    CoreBlockId no = new_block(x);
    CoreInstr *i = write_branch(x, kind, n, yes, no, pos);
    i->index = index;
    copy_of(i, 0, args, n);
    return expand_truth(x, yes, no, pos);
}

/* is_record(Term, name) and is_record(Term, name, size) with literals; none: not of that form. */
static CoreRef call_is_record(Expand *x, const AstList *args, SrcPos pos)
{
    uint32_t size;
    if (!record_test_size(x, args, &size)) return CORE_REF_NONE;
    CoreRef values[2] = {expand_expr(x, args->at[0]),
                         core_const(x->u, atom_term(x, args->at[1]->v.name))};
    return test_value(x, CORE_IS_RECORD, values, 2, size, pos);
}

bool record_test_size(Expand *x, const AstList *args, uint32_t *size)
{
    if (args->n < 2 || args->at[1]->kind != AST_ATOM) return false;
    if (args->n == 2) {
        const Record *r = find_record(x, args->at[1]->v.name);
        if (!r) return false;
        *size = r->count + 1;
        return true;
    }
    if (args->at[2]->kind != AST_INT || args->at[2]->v.i < 1 || args->at[2]->v.i > UINT16_MAX)
        return false;
    *size = (uint32_t)args->at[2]->v.i;
    return true;
}

static CoreRef call_external(Expand *x, Term module, Term name, const AstList *list, bool tail,
                             SrcPos pos)
{
    if (term_same(module, TERM_ATOM(ERLANG))) {
        bool is_record = term_same(name, text_atom(x, "is_record"));
        CoreRef value = is_record ? call_is_record(x, list, pos) : CORE_REF_NONE;
        CoreKind test = type_test(x, name, list->n);
        if (test != CORE_KIND_COUNT && test != CORE_IS_FUN_OF) {
            ASSERT(list->at != NULL);
            CoreRef arg = expand_expr(x, list->at[0]);
            value = test_value(x, test, &arg, 1, 0, pos);
        }
        if (core_is_none(value) && list->n == 2) value = call_operator(x, name, list, pos);
        if (!core_is_none(value)) {
            if (tail) write_return(x, value, pos);
            return value;
        }
    }
    CoreRef *args = expand_list(x, list);
    CoreRef marker = tail ? CORE_REF_NONE : mark_before(x, module, name, pos);
    CoreRef value;
    if (is_inline_bif(x, module, name, list->n)) {
        value = write_apply(x, module, name, list->n, args, pos);
        if (tail) write_return(x, value, pos);
    } else {
        CoreInstr *i = call_instr(x, CORE_CALL_EXT, list->n, tail, pos);
        copy_of(i, 0, args, list->n);
        i->module = module;
        i->name = name;
        value = core_var(i->dst);
    }
    mark_reference(x, marker, name, value);
    return value;
}

/* erlang:'=='(A, B) and the like: the operator itself. */
CoreRef call_operator(Expand *x, Term name, const AstList *list, SrcPos pos)
{
    AstOp op;
    switch (atom_of(name)) {
    case ATOM_EQ: op = OP_EQ; break;
    case ATOM_NE: op = OP_NE; break;
    case ATOM_EXACT_EQ: op = OP_EXACT_EQ; break;
    case ATOM_EXACT_NE: op = OP_EXACT_NE; break;
    case ATOM_LT: op = OP_LT; break;
    case ATOM_GT: op = OP_GT; break;
    case ATOM_LE: op = OP_LE; break;
    case ATOM_GE: op = OP_GE; break;
    case ATOM_PLUS: op = OP_ADD; break;
    case ATOM_MINUS: op = OP_SUB; break;
    case ATOM_TIMES: op = OP_MUL; break;
    default: return CORE_REF_NONE;
    }
    CoreRef a = expand_expr(x, list->at[0]);
    CoreRef b = expand_expr(x, list->at[1]);
    if (op < OP_EQ) return write_arith(x, op, a, b, pos);
    CoreBlockId yes = new_block(x);
    CoreBlockId no = new_block(x);
    write_compare(x, (Comparison){op, a, b}, yes, no, pos);
    return expand_truth(x, yes, no, pos);
}

static CoreRef call_dynamic(Expand *x, const Ast *a, bool tail)
{
    const Ast *callee = a->call.callee;
    CoreRef module = expand_expr(x, callee->remote.module);
    CoreRef function = expand_expr(x, callee->remote.function);
    CoreRef *args = expand_list(x, &a->call.args);
    CoreInstr *i = call_instr(x, CORE_CALL_DYN, a->call.args.n + 2, tail, a->pos);
    i->args[0] = module;
    i->args[1] = function;
    copy_of(i, 2, args, a->call.args.n);
    return core_var(i->dst);
}

static CoreRef call_fun(Expand *x, const Ast *a, bool tail)
{
    CoreRef fun = expand_expr(x, a->call.callee);
    CoreRef *args = expand_list(x, &a->call.args);
    CoreInstr *i = call_instr(x, CORE_CALL_FUN, a->call.args.n + 1, tail, a->pos);
    i->args[0] = fun;
    copy_of(i, 1, args, a->call.args.n);
    return core_var(i->dst);
}

/* record_info(fields | size, Record), which is no function. */
static CoreRef call_record_info(Expand *x, const Ast *a)
{
    const AstList *args = &a->call.args;
    const Record *r = find_record(x, args->at[1]->v.name);
    if (!r) return const_atom(x, ATOM_UNDEFINED);
    if (term_same(atom_term(x, args->at[0]->v.name), TERM_ATOM(SIZE)))
        return const_small(x, r->count + 1);
    CoreRef *names = ARENA_ARRAY(x->arena, CoreRef, r->count + 1);
    for (uint32_t i = 0; i < r->count; i++)
        names[i] = core_const(x->u, atom_term(x, r->fields[i].name));
    return write_list(x, names, r->count, core_const(x->u, TERM_NIL), a->pos);
}

static bool is_record_info(Expand *x, const Ast *a)
{
    const AstList *args = &a->call.args;
    return args->n == 2 && args->at[0]->kind == AST_ATOM && args->at[1]->kind == AST_ATOM
           && term_same(atom_term(x, a->call.callee->v.name), text_atom(x, "record_info"));
}

/* apply(F, [A…]) and apply(M, F, [A…]) with a list that is written out are the calls
 * themselves; so their errors are told as those of the calls. */
static bool call_is_apply(Callee meant, const AstList *args)
{
    if (meant.kind == CALLEE_LOCAL || !term_same(meant.module, TERM_ATOM(ERLANG))) return false;
    if (!term_same(meant.name, TERM_ATOM(APPLY)) || (args->n != 2 && args->n != 3))
        return false;
    const Ast *list = args->at[args->n - 1];
    return list->kind == AST_NIL || (list->kind == AST_LIST && list->list.tail == NULL);
}

static CoreRef call_apply(Expand *x, const AstList *args, bool tail, SrcPos pos)
{
    const Ast *list = args->at[args->n - 1];
    AstList items = {0};
    if (list->kind == AST_LIST) items = list->list.items;
    if (args->n == 3 && args->at[0]->kind == AST_ATOM && args->at[1]->kind == AST_ATOM)
        return call_external(x, atom_term(x, args->at[0]->v.name),
                             atom_term(x, args->at[1]->v.name), &items, tail, pos);
    uint32_t first = args->n - 1;
    CoreRef callee[2];
    for (uint32_t i = 0; i < first; i++) callee[i] = expand_expr(x, args->at[i]);
    CoreRef *values = expand_list(x, &items);
    CoreInstr *i =
        call_instr(x, first == 1 ? CORE_CALL_FUN : CORE_CALL_DYN, items.n + first, tail, pos);
    copy_of(i, 0, callee, first);
    copy_of(i, first, values, items.n);
    return core_var(i->dst);
}

CoreRef expand_call(Expand *x, const Ast *a, bool tail)
{
    const Ast *callee = a->call.callee;
    if (callee->kind == AST_REMOTE) {
        if (callee->remote.module->kind != AST_ATOM
            || callee->remote.function->kind != AST_ATOM)
            return call_dynamic(x, a, tail);
        Callee named = {.kind = CALLEE_EXTERNAL,
                        .module = atom_term(x, callee->remote.module->v.name),
                        .name = atom_term(x, callee->remote.function->v.name)};
        if (call_is_apply(named, &a->call.args))
            return call_apply(x, &a->call.args, tail, a->pos);
        return call_external(x, named.module, named.name, &a->call.args, tail, a->pos);
    }
    if (callee->kind != AST_ATOM) return call_fun(x, a, tail);
    if (is_record_info(x, a)) {
        CoreRef value = call_record_info(x, a);
        if (tail) write_return(x, value, a->pos);
        return value;
    }
    Callee meant = resolve_call(x, callee->v.name, a->call.args.n);
    if (meant.kind == CALLEE_LOCAL)
        return call_local(x, meant.function, &a->call.args, tail, a->pos);
    if (call_is_apply(meant, &a->call.args)) return call_apply(x, &a->call.args, tail, a->pos);
    return call_external(x, meant.module, meant.name, &a->call.args, tail, a->pos);
}
