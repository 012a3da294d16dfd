#include "compiler/syntax/lint_state.h"

static bool integer_op(unsigned op, int64_t a, int64_t b, int64_t *r)
{
    switch (op) {
    case OP_ADD: return !__builtin_add_overflow(a, b, r);
    case OP_SUB: return !__builtin_sub_overflow(a, b, r);
    case OP_MUL: return !__builtin_mul_overflow(a, b, r);
    case OP_DIV:
    case OP_REM:
        if (b == 0 || (a == INT64_MIN && b == -1)) return false;
        *r = op == OP_DIV ? a / b : a % b;
        return true;
    case OP_BAND: *r = a & b; return true;
    case OP_BOR: *r = a | b; return true;
    case OP_BXOR: *r = a ^ b; return true;
    case OP_BSL: return b >= 0 && b < 62 && !__builtin_mul_overflow(a, (int64_t)1 << b, r);
    case OP_BSR:
        if (b < 0) return false;
        *r = a >> (b > 63 ? 63 : b);
        return true;
    default: return false;
    }
}

bool lint_integer(const Ast *node, int64_t *value)
{
    int64_t right;
    switch (node->kind) {
    case AST_INT:
    case AST_CHAR: *value = node->v.i; return true;
    case AST_UNOP:
        if (!lint_integer(node->unop.arg, value)) return false;
        if (node->op == OP_MINUS)
            *value = -*value;
        else if (node->op == OP_BNOT)
            *value = ~*value;
        else
            return node->op == OP_PLUS;
        return true;
    case AST_BINOP:
        return lint_integer(node->binop.left, value) && lint_integer(node->binop.right, &right)
               && integer_op(node->op, *value, right, value);
    case AST_LCHAIN:
        if (!lint_integer(node->lchain.first, value)) return false;
        for (uint32_t i = 0; i < node->lchain.links.n; i++) {
            const Ast *link = node->lchain.links.at[i];
            if (!lint_integer(link->link.arg, &right)
                || !integer_op(link->op, *value, right, value))
                return false;
        }
        return true;
    default: return false;
    }
}

/* A constant that is no size. */
static bool never_a_size(const Ast *node)
{
    switch (node->kind) {
    case AST_ATOM:
    case AST_BIN:
    case AST_LIST:
    case AST_NIL:
    case AST_FLOAT:
    case AST_MAP:
    case AST_TUPLE: return true;
    default: return false;
    }
}

static void pattern_size(Lint *l, const Ast *size)
{
    int64_t value;
    bool outer = l->in_size;
    l->in_size = true;
    if (size->kind == AST_VAR) {
        vars_use(l, size);
    } else if (!lint_integer(size, &value)) {
        lint_guard_expr(l, size);
        if (never_a_size(size)) LINT_REPORT(l, DIAG_BIT_SIZE_NOT_INTEGER, size->pos);
    }
    l->in_size = outer;
}

void lint_segment(Lint *l, const Ast *segment, bool in_pattern, bool *all)
{
    const AstSegSpec spec = segment->v.seg;
    const Ast *size = segment->segment.size;
    AstSegSpec full = ast_segment_spec(segment);
    bool binary = full.type == SEG_BINARY || full.type == SEG_BITSTRING;
    bool takes_all = size && size->kind == AST_ATOM && size->v.name == NAME_ALL;
    *all = binary && !size;
    if (in_pattern && size) pattern_size(l, size);
    if (full.type >= SEG_UTF8) {
        if (size || spec.unit) LINT_REPORT(l, DIAG_BIT_UTF_SIZE, segment->pos);
        return;
    }
    if (!size) {
        if (!binary && spec.unit) LINT_REPORT(l, DIAG_BIT_UNIT_WITHOUT_SIZE, segment->pos);
        return;
    }
    if (takes_all) {
        if (!binary) LINT_REPORT(l, DIAG_BIT_SIZE_ILLEGAL, segment->pos);
        *all = binary && in_pattern;
        return;
    }
    int64_t bits;
    if (full.type != SEG_FLOAT || !lint_integer(size, &bits)
        || __builtin_mul_overflow(bits, (int64_t)full.unit, &bits))
        return;
    if (bits != 16 && bits != 32 && bits != 64)
        LINT_REPORT(l, DIAG_BIT_SIZE_BAD, segment->pos, "float");
}

void lint_bin(Lint *l, const Ast *bin, LintVisit visit)
{
    VarMark mark = vars_mark(l);
    for (uint32_t i = 0; i < bin->bin.segments.n; i++) {
        const Ast *segment = bin->bin.segments.at[i];
        const Ast *size = segment->segment.size;
        int64_t constant;
        bool all;
        lint_sibling(l, mark, segment->segment.value, visit);
        if (size && size->kind != AST_ATOM && !lint_integer(size, &constant))
            lint_sibling(l, mark, size, visit);
        lint_segment(l, segment, false, &all);
    }
    lint_siblings_end(l, mark);
}
