#include <math.h>
#include <string.h>

#include "compiler/syntax/prep.h"

/* The value of a condition's expression.  What cannot be computed makes the condition false, as
 * an exception does in Erlang; ERROR is for what is no guard expression at all. */
typedef enum { IF_INT, IF_FLOAT, IF_ATOM, IF_NODE, IF_FAILS, IF_ERROR } IfKind;

typedef struct {
    IfKind kind;
    union {
        int64_t i;
        double f;
        NameId name;
        const Ast *node; /* a string, list or tuple of values */
    };
} IfValue;

static IfValue if_fails(void) { return (IfValue){.kind = IF_FAILS}; }

static IfValue if_bool(bool value)
{
    return (IfValue){.kind = IF_ATOM, .name = value ? NAME_TRUE : NAME_FALSE};
}

static IfValue if_int(int64_t value) { return (IfValue){.kind = IF_INT, .i = value}; }

static bool is_true(IfValue value) { return value.kind == IF_ATOM && value.name == NAME_TRUE; }

static bool is_boolean(IfValue value)
{
    return value.kind == IF_ATOM && (value.name == NAME_TRUE || value.name == NAME_FALSE);
}

static IfValue if_eval(Prep *prep, const Ast *node);

/* Elements of lists and strings, one after the other. */

static uint32_t sequence_length(const Ast *node)
{
    switch (node->kind) {
    case AST_NIL: return 0;
    case AST_STRING: return node->v.str->n;
    case AST_LIST: return node->list.items.n;
    case AST_TUPLE: return node->tuple.items.n;
    default: return 0;
    }
}

static IfValue sequence_item(Prep *prep, const Ast *node, uint32_t i)
{
    if (node->kind == AST_STRING) return if_int(node->v.str->at[i]);
    return if_eval(prep,
                   node->kind == AST_LIST ? node->list.items.at[i] : node->tuple.items.at[i]);
}

/* Place in Erlang's order of kinds. */
static int kind_rank(IfValue value)
{
    if (value.kind == IF_INT || value.kind == IF_FLOAT) return 0;
    if (value.kind == IF_ATOM) return 1;
    if (value.node->kind == AST_TUPLE) return 2;
    return sequence_length(value.node) == 0 ? 3 : 4;
}

static double as_float(IfValue value)
{
    return value.kind == IF_INT ? (double)value.i : value.f;
}

static int compare_atoms(const Names *names, NameId a, NameId b)
{
    return a == b ? 0 : strcmp(names_text(names, a), names_text(names, b));
}

static int if_compare(Prep *prep, IfValue a, IfValue b, bool exact);

static int compare_sequences(Prep *prep, const Ast *a, const Ast *b, bool exact)
{
    uint32_t n = sequence_length(a);
    uint32_t m = sequence_length(b);
    if (a->kind == AST_TUPLE && n != m) return n < m ? -1 : 1;
    for (uint32_t i = 0; i < n && i < m; i++) {
        int order =
            if_compare(prep, sequence_item(prep, a, i), sequence_item(prep, b, i), exact);
        if (order != 0) return order;
    }
    return n == m ? 0 : n < m ? -1 : 1;
}

/* Erlang's order; with `exact`, 1 and 1.0 differ. */
static int if_compare(Prep *prep, IfValue a, IfValue b, bool exact)
{
    if (a.kind >= IF_FAILS || b.kind >= IF_FAILS) return 1;
    int rank = kind_rank(a) - kind_rank(b);
    if (rank != 0) return rank;
    if (a.kind == IF_ATOM) return compare_atoms(&prep->c->names, a.name, b.name);
    if (a.kind == IF_NODE) return compare_sequences(prep, a.node, b.node, exact);
    if (exact && a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
    if (a.kind == IF_INT && b.kind == IF_INT) return a.i < b.i ? -1 : a.i > b.i;
    return as_float(a) < as_float(b) ? -1 : as_float(a) > as_float(b);
}

static IfValue if_arithmetic(unsigned op, IfValue a, IfValue b)
{
    if (a.kind > IF_FLOAT || b.kind > IF_FLOAT) return if_fails();
    if (op == OP_FDIV || a.kind == IF_FLOAT || b.kind == IF_FLOAT) {
        double x = as_float(a);
        double y = as_float(b);
        switch (op) {
        case OP_ADD: x += y; break;
        case OP_SUB: x -= y; break;
        case OP_MUL: x *= y; break;
        case OP_FDIV: x = y == 0 ? (double)NAN : x / y; break;
        default: return if_fails();
        }
        return isfinite(x) ? (IfValue){.kind = IF_FLOAT, .f = x} : if_fails();
    }
    int64_t r = 0;
    bool overflow = false;
    bool divides = b.i != 0 && !(a.i == INT64_MIN && b.i == -1);
    bool shifts = b.i >= 0 && b.i < 62;
    switch (op) {
    case OP_ADD: overflow = __builtin_add_overflow(a.i, b.i, &r); break;
    case OP_SUB: overflow = __builtin_sub_overflow(a.i, b.i, &r); break;
    case OP_MUL: overflow = __builtin_mul_overflow(a.i, b.i, &r); break;
    case OP_DIV:
        overflow = !divides;
        r = divides ? a.i / b.i : 0;
        break;
    case OP_REM:
        overflow = !divides;
        r = divides ? a.i % b.i : 0;
        break;
    case OP_BAND: r = a.i & b.i; break;
    case OP_BOR: r = a.i | b.i; break;
    case OP_BXOR: r = a.i ^ b.i; break;
    case OP_BSL:
        overflow = !shifts || __builtin_mul_overflow(a.i, (int64_t)1 << (shifts ? b.i : 0), &r);
        break;
    case OP_BSR:
        overflow = !shifts;
        r = shifts ? a.i >> b.i : 0;
        break;
    default: return if_fails();
    }
    return overflow ? if_fails() : if_int(r);
}

static IfValue if_operator(Prep *prep, unsigned op, IfValue a, IfValue b)
{
    if (a.kind >= IF_FAILS) return a;
    if (b.kind >= IF_FAILS) return b;
    switch (op) {
    case OP_EQ: return if_bool(if_compare(prep, a, b, false) == 0);
    case OP_NE: return if_bool(if_compare(prep, a, b, false) != 0);
    case OP_LE: return if_bool(if_compare(prep, a, b, false) <= 0);
    case OP_LT: return if_bool(if_compare(prep, a, b, false) < 0);
    case OP_GE: return if_bool(if_compare(prep, a, b, false) >= 0);
    case OP_GT: return if_bool(if_compare(prep, a, b, false) > 0);
    case OP_EXACT_EQ: return if_bool(if_compare(prep, a, b, true) == 0);
    case OP_EXACT_NE: return if_bool(if_compare(prep, a, b, true) != 0);
    case OP_AND:
    case OP_OR:
    case OP_XOR: {
        if (!is_boolean(a) || !is_boolean(b)) return if_fails();
        bool x = is_true(a);
        bool y = is_true(b);
        return if_bool(op == OP_AND ? x && y : op == OP_OR ? x || y : x != y);
    }
    case OP_APPEND:
    case OP_SUBTRACT:
    case OP_MATCH:
    case OP_SEND: return (IfValue){.kind = IF_ERROR};
    default: return if_arithmetic(op, a, b);
    }
}

/* `a op b` where op may decide without b. */
static IfValue if_binary(Prep *prep, unsigned op, IfValue a, const Ast *right)
{
    if (op == OP_ANDALSO || op == OP_ORELSE) {
        if (a.kind >= IF_FAILS) return a;
        if (!is_boolean(a)) return if_fails();
        return is_true(a) == (op == OP_ORELSE) ? a : if_eval(prep, right);
    }
    return if_operator(prep, op, a, if_eval(prep, right));
}

static IfValue if_unary(unsigned op, IfValue a)
{
    if (a.kind >= IF_FAILS) return a;
    if (op == OP_NOT) return is_boolean(a) ? if_bool(!is_true(a)) : if_fails();
    if (a.kind == IF_FLOAT && op != OP_BNOT)
        return (IfValue){.kind = IF_FLOAT, .f = op == OP_MINUS ? -a.f : a.f};
    if (a.kind != IF_INT) return if_fails();
    return if_int(op == OP_MINUS ? -a.i : op == OP_BNOT ? ~a.i : a.i);
}

/* Type tests; IF_ERROR when the name is of no test. */
static IfValue if_type_test(const char *name, IfValue a)
{
    bool sequence = a.kind == IF_NODE;
    bool tuple = sequence && a.node->kind == AST_TUPLE;
    if (strcmp(name, "is_integer") == 0) return if_bool(a.kind == IF_INT);
    if (strcmp(name, "is_float") == 0) return if_bool(a.kind == IF_FLOAT);
    if (strcmp(name, "is_number") == 0) return if_bool(a.kind <= IF_FLOAT);
    if (strcmp(name, "is_atom") == 0) return if_bool(a.kind == IF_ATOM);
    if (strcmp(name, "is_boolean") == 0) return if_bool(is_boolean(a));
    if (strcmp(name, "is_list") == 0) return if_bool(sequence && !tuple);
    if (strcmp(name, "is_tuple") == 0) return if_bool(tuple);
    return strncmp(name, "is_", 3) == 0 ? if_bool(false) : (IfValue){.kind = IF_ERROR};
}

static IfValue if_size(IfValue a, bool of_tuple)
{
    if (a.kind != IF_NODE || (a.node->kind == AST_TUPLE) != of_tuple) return if_fails();
    return if_int(sequence_length(a.node));
}

static IfValue if_head(Prep *prep, IfValue a)
{
    bool right = a.kind == IF_NODE && a.node->kind != AST_TUPLE && sequence_length(a.node) > 0;
    return right ? sequence_item(prep, a.node, 0) : if_fails();
}

/* Functions of one argument that make sense on constants. */
static IfValue if_function(Prep *prep, const char *name, IfValue a)
{
    if (a.kind >= IF_FAILS) return a;
    if (strcmp(name, "length") == 0) return if_size(a, false);
    if (strcmp(name, "tuple_size") == 0) return if_size(a, true);
    if (strcmp(name, "hd") == 0) return if_head(prep, a);
    if (strcmp(name, "abs") == 0 && a.kind == IF_INT) return if_int(a.i < 0 ? -a.i : a.i);
    if (strcmp(name, "abs") == 0 && a.kind == IF_FLOAT)
        return (IfValue){.kind = IF_FLOAT, .f = fabs(a.f)};
    if (strcmp(name, "float") == 0 && a.kind <= IF_FLOAT)
        return (IfValue){.kind = IF_FLOAT, .f = as_float(a)};
    IfValue test = if_type_test(name, a);
    return test.kind == IF_ERROR ? if_fails() : test;
}

static IfValue if_call(Prep *prep, const Ast *call)
{
    const Ast *callee = call->call.callee;
    bool in_erlang = callee->kind == AST_REMOTE && callee->remote.module->kind == AST_ATOM
                     && callee->remote.module->v.name == NAME_ERLANG;
    if (in_erlang) callee = callee->remote.function;
    if (callee->kind != AST_ATOM) return (IfValue){.kind = IF_ERROR};
    const AstList *args = &call->call.args;
    if (callee->v.name == NAME_DEFINED && args->n == 1 && !in_erlang) {
        const Ast *name = args->at[0];
        if (name->kind != AST_ATOM && name->kind != AST_VAR) return (IfValue){.kind = IF_ERROR};
        return if_bool(prep_is_defined(prep, name->v.name));
    }
    const char *name = names_text(&prep->c->names, callee->v.name);
    if (args->n == 1) return if_function(prep, name, if_eval(prep, args->at[0]));
    if (args->n == 2 && strcmp(name, "element") == 0) {
        IfValue index = if_eval(prep, args->at[0]);
        IfValue tuple = if_eval(prep, args->at[1]);
        bool right = index.kind == IF_INT && tuple.kind == IF_NODE
                     && tuple.node->kind == AST_TUPLE && index.i >= 1
                     && index.i <= sequence_length(tuple.node);
        return right ? sequence_item(prep, tuple.node, (uint32_t)index.i - 1) : if_fails();
    }
    return (IfValue){.kind = IF_ERROR};
}

static IfValue if_chain(Prep *prep, const Ast *node)
{
    if (node->kind == AST_LCHAIN) {
        IfValue value = if_eval(prep, node->lchain.first);
        for (uint32_t i = 0; i < node->lchain.links.n; i++)
            value = if_binary(prep, node->lchain.links.at[i]->op, value,
                              node->lchain.links.at[i]->link.arg);
        return value;
    }
    /* The chains to the right that make sense are of andalso or of orelse: the first that
     * decides is the value. */
    for (uint32_t i = 0; i < node->rchain.links.n; i++) {
        const Ast *link = node->rchain.links.at[i];
        if (link->op != OP_ANDALSO && link->op != OP_ORELSE) return (IfValue){.kind = IF_ERROR};
        IfValue value = if_eval(prep, link->link.arg);
        if (value.kind >= IF_FAILS) return value;
        if (!is_boolean(value)) return if_fails();
        if (is_true(value) == (link->op == OP_ORELSE)) return value;
    }
    return if_eval(prep, node->rchain.last);
}

static IfValue if_eval(Prep *prep, const Ast *node)
{
    switch (node->kind) {
    case AST_INT:
    case AST_CHAR: return if_int(node->v.i);
    case AST_FLOAT: return (IfValue){.kind = IF_FLOAT, .f = node->v.f};
    case AST_ATOM: return (IfValue){.kind = IF_ATOM, .name = node->v.name};
    case AST_STRING:
    case AST_NIL:
    case AST_TUPLE: return (IfValue){.kind = IF_NODE, .node = node};
    case AST_LIST:
        return node->list.tail ? if_fails() : (IfValue){.kind = IF_NODE, .node = node};
    case AST_UNOP: return if_unary(node->op, if_eval(prep, node->unop.arg));
    case AST_BINOP:
        return if_binary(prep, node->op, if_eval(prep, node->binop.left), node->binop.right);
    case AST_LCHAIN:
    case AST_RCHAIN: return if_chain(prep, node);
    case AST_CALL: return if_call(prep, node);
    case AST_BIGINT:
    case AST_BIN:
    case AST_MAP: return if_fails();
    default: return (IfValue){.kind = IF_ERROR};
    }
}

/* Is there a token that the lexer could not read?  In skipped text nobody has reported it. */
static bool has_broken_token(const Prep *prep)
{
    for (size_t i = 0; i < prep->form.count; i++)
        if (prep->form.at[i].kind == TOKEN_ERROR) return true;
    return false;
}

bool prep_if_value(Prep *prep, NameId word)
{
    SrcPos pos = prep->form.at[1].pos;
    if (has_broken_token(prep)) {
        prep_error(prep, DIAG_BAD_IF, pos, word);
        return false;
    }
    if (!prep_expand(prep, prep->form.at, prep->form.count)) return false;
    const Token *t = prep->out.at;
    size_t count = prep->out.count;
    if (count < 5 || t[2].kind != TOKEN_LPAREN || t[count - 2].kind != TOKEN_RPAREN) {
        prep_error(prep, DIAG_BAD_IF, pos, word);
        return false;
    }
    const Ast *form = parser_run(prep->parser, t + 2, count - 2);
    if (!form) return false;
    IfValue value = {.kind = IF_ERROR};
    if (form->kind == AST_EXPRS && form->exprs.body.n == 1)
        value = if_eval(prep, form->exprs.body.at[0]);
    if (value.kind == IF_ERROR) prep_error(prep, DIAG_BAD_IF, pos, word);
    return is_true(value);
}
