#include "compiler/core/fold.h"
#include "vm/term/number.h"

/* Constants of more words than this are left to run time: a module should not grow by them. */
#define FOLD_WORDS_MAX 64

static int number_op(AstOp op)
{
    switch (op) {
    case OP_ADD: return NUMBER_ADD;
    case OP_SUB: return NUMBER_SUB;
    case OP_MUL: return NUMBER_MUL;
    case OP_FDIV: return NUMBER_DIVIDE;
    case OP_DIV: return NUMBER_DIV;
    case OP_REM: return NUMBER_REM;
    case OP_BAND: return NUMBER_BAND;
    case OP_BOR: return NUMBER_BOR;
    case OP_BXOR: return NUMBER_BXOR;
    case OP_BSL: return NUMBER_BSL;
    case OP_BSR: return NUMBER_BSR;
    case OP_MINUS: return NUMBER_NEG;
    case OP_BNOT: return NUMBER_BNOT;
    default: return -1;
    }
}

static bool fold_is_short(Term t)
{
    return !term_is_big(t) || header_words(boxed_header(t)) <= FOLD_WORDS_MAX;
}

Term fold_arith(CoreUnit *u, AstOp op, Term a, Term b)
{
    if (op == OP_AND || op == OP_OR || op == OP_XOR) {
        if (!term_is_boolean(a) || !term_is_boolean(b)) return TERM_NONE;
        bool p = term_same(a, TERM_TRUE);
        bool q = term_same(b, TERM_TRUE);
        return term_bool(op == OP_AND ? p && q : op == OP_OR ? p || q : p != q);
    }
    int n = number_op(op);
    if (n < 0 || !term_is_number(a) || !term_is_number(b)) return TERM_NONE;
    if (!fold_is_short(a) || !fold_is_short(b)) return TERM_NONE;
    if ((op == OP_BSL || op == OP_BSR)
        && (!term_is_small(b) || small_value(b) > 1024 || small_value(b) < -1024))
        return TERM_NONE;
    return number_apply(&u->heap, (NumberOp)n, a, b);
}

Term fold_unary(CoreUnit *u, AstOp op, Term a)
{
    if (op == OP_NOT)
        return term_is_boolean(a) ? term_bool(term_same(a, TERM_FALSE)) : TERM_NONE;
    if (!term_is_number(a)) return TERM_NONE;
    if (op == OP_PLUS) return a;
    int n = number_op(op);
    if (n < 0 || !fold_is_short(a)) return TERM_NONE;
    return number_apply(&u->heap, (NumberOp)n, a, small_from(0));
}
