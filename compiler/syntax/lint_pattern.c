#include "compiler/syntax/lint_state.h"

static void pattern(Lint *l, const Ast *node, PatternMode mode);

static void pattern_list(Lint *l, const AstList *list, PatternMode mode)
{
    for (uint32_t i = 0; i < list->n; i++) pattern(l, list->at[i], mode);
}

/* The name was bound by another place of the same pattern. */
static void pattern_var_again(Lint *l, const Ast *var, Binding *b)
{
    if (vars_is_ignored(l, var->v.name)) {
        if (b->bin != 0 && b->bin == l->bin) {
            LINT_WARN(l, OPT_UNDERSCORE_MATCH, DIAG_VAR_UNDERSCORE_BOUND, var->pos,
                      var->v.name);
        } else {
            if (!b->used)
                LINT_WARN(l, OPT_UNDERSCORE_MATCH, DIAG_VAR_UNDERSCORE_TWICE, b->place.pos,
                          var->v.name);
            LINT_WARN(l, OPT_UNDERSCORE_MATCH, DIAG_VAR_UNDERSCORE_TWICE, var->pos,
                      var->v.name);
        }
    }
    b->used = true;
}

/* The name is bound already: the value must be equal to its value. */
static void pattern_var_bound(Lint *l, const Ast *var, Binding *b)
{
    NameId name = var->v.name;
    SrcLoc loc;
    b->used = true;
    if (b->state == VAR_BOUND || b->state == VAR_STACK) {
        if (vars_is_ignored(l, name))
            LINT_WARN(l, OPT_UNDERSCORE_MATCH, DIAG_VAR_UNDERSCORE_BOUND, var->pos, name);
        return;
    }
    loc = sources_locate(&l->c->sources, b->where_pos);
    if (b->state == VAR_UNSAFE)
        LINT_REPORT(l, DIAG_VAR_UNSAFE, var->pos, name, b->where, (int)loc.line,
                    (int)loc.column);
    else
        LINT_REPORT(l, DIAG_VAR_EXPORTED, var->pos, name, b->where, (int)loc.line,
                    (int)loc.column);
    Binding *again = vars_new(l, var->pos);
    again->used = true;
    vars_bind(l, name, again);
}

static void pattern_var(Lint *l, const Ast *var, PatternMode mode)
{
    NameId name = var->v.name;
    if (name == NAME__) return;
    if (l->pending[name]) {
        pattern_var_again(l, var, l->pending[name]);
    } else if (mode == PATTERN_MATCHES && l->env[name]) {
        pattern_var_bound(l, var, l->env[name]);
    } else {
        if (l->in_record) LINT_REPORT(l, DIAG_VAR_IN_RECORD, var->pos, name);
        l->pending[name] = vars_new(l, var->pos);
        l->pending[name]->bin = l->bin;
        VEC_PUSH(&l->pending_names, name);
    }
}

/* Constant expressions. */

static bool is_number(const Ast *node)
{
    return node->kind == AST_INT || node->kind == AST_BIGINT || node->kind == AST_CHAR
           || node->kind == AST_FLOAT;
}

static bool is_arithmetic(unsigned op) { return op >= OP_MUL && op <= OP_BSR && op != OP_AND; }

static bool constant_operand(const Ast *node, unsigned op)
{
    if (!pattern_is_constant(node) || node->kind == AST_ATOM) return false;
    return node->kind != AST_FLOAT || op == OP_MUL || op == OP_ADD || op == OP_SUB
           || op == OP_FDIV;
}

static bool divides_by_zero(const Ast *node, unsigned op)
{
    return (op == OP_DIV || op == OP_REM || op == OP_FDIV)
           && ((node->kind == AST_INT && node->v.i == 0)
               || (node->kind == AST_FLOAT && node->v.f == 0));
}

bool pattern_is_constant(const Ast *node)
{
    switch (node->kind) {
    case AST_ATOM: return true;
    case AST_UNOP:
        if (node->op == OP_NOT) return false;
        return constant_operand(node->unop.arg, node->op == OP_BNOT ? OP_BAND : OP_ADD);
    case AST_BINOP:
        return is_arithmetic(node->op) && constant_operand(node->binop.left, node->op)
               && constant_operand(node->binop.right, node->op)
               && !divides_by_zero(node->binop.right, node->op);
    case AST_LCHAIN:
        if (!constant_operand(node->lchain.first, node->lchain.links.at[0]->op)) return false;
        for (uint32_t i = 0; i < node->lchain.links.n; i++) {
            const Ast *link = node->lchain.links.at[i];
            if (!is_arithmetic(link->op) || !constant_operand(link->link.arg, link->op)
                || divides_by_zero(link->link.arg, link->op))
                return false;
        }
        return true;
    default: return is_number(node);
    }
}

/* `"abc" ++ Tail`: may this stand on the left of ++ in a pattern? */
static bool is_prefix(const Ast *node)
{
    if (node->kind == AST_STRING || node->kind == AST_NIL) return true;
    if (node->kind != AST_LIST)
        return node->kind == AST_BINOP && node->op == OP_APPEND && is_prefix(node->binop.left)
               && is_prefix(node->binop.right);
    for (uint32_t i = 0; i < node->list.items.n; i++) {
        AstKind kind = node->list.items.at[i]->kind;
        if (kind != AST_INT && kind != AST_CHAR) return false;
    }
    return !node->list.tail || is_prefix(node->list.tail);
}

static void illegal(Lint *l, const Ast *node)
{
    LINT_REPORT(l, DIAG_ILLEGAL_PATTERN, node->pos);
}

/* Alternatives of one value: P = Q. */

static void reject_two_bins(Lint *l, const Ast *a, const Ast *b);

static void reject_in_lists(Lint *l, const AstList *a, const AstList *b)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) reject_two_bins(l, a->at[i], b->at[i]);
}

static void reject_in_records(Lint *l, const Ast *a, const Ast *b)
{
    if (a->v.name != b->v.name) return;
    for (uint32_t i = 0; i < a->record.fields.n; i++)
        for (uint32_t k = 0; k < b->record.fields.n; k++)
            if (a->record.fields.at[i]->v.name == b->record.fields.at[k]->v.name)
                reject_two_bins(l, a->record.fields.at[i]->record_field.value,
                                b->record.fields.at[k]->record_field.value);
}

static void reject_two_bins(Lint *l, const Ast *a, const Ast *b)
{
    if (b->kind == AST_BINOP && b->op == OP_MATCH) {
        reject_two_bins(l, a, b->binop.left);
        reject_two_bins(l, a, b->binop.right);
    } else if (a->kind == AST_BINOP && a->op == OP_MATCH) {
        reject_two_bins(l, a->binop.left, b);
        reject_two_bins(l, a->binop.right, b);
    } else if (a->kind == b->kind) {
        if (a->kind == AST_BIN)
            LINT_REPORT(l, DIAG_ILLEGAL_BIN_PATTERN, a->pos);
        else if (a->kind == AST_TUPLE)
            reject_in_lists(l, &a->tuple.items, &b->tuple.items);
        else if (a->kind == AST_LIST)
            reject_in_lists(l, &a->list.items, &b->list.items);
        else if (a->kind == AST_RECORD)
            reject_in_records(l, a, b);
    }
}

/* All patterns of a row of matches see the same value. */
static void reject_in_row(Lint *l, const Ast *const *patterns, uint32_t n)
{
    enum { ALL_PAIRS = 16 };
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n && k <= i + ALL_PAIRS; k++)
            reject_two_bins(l, patterns[i], patterns[k]);
}

/* Each kind. */

static void pattern_rchain(Lint *l, const Ast *node, PatternMode mode)
{
    const AstList *links = &node->rchain.links;
    unsigned op = links->at[0]->op;
    bool right = op == OP_MATCH || op == OP_APPEND;
    for (uint32_t i = 0; i < links->n && right; i++) {
        right = links->at[i]->op == op && (op == OP_MATCH || is_prefix(links->at[i]->link.arg));
    }
    if (!right) {
        illegal(l, node);
        return;
    }
    if (op == OP_MATCH) {
        const Ast **row = ARENA_ARRAY(l->arena, const Ast *, links->n + 1u);
        for (uint32_t i = 0; i < links->n; i++) {
            row[i] = links->at[i]->link.arg;
            pattern(l, row[i], mode);
        }
        row[links->n] = node->rchain.last;
        pattern(l, node->rchain.last, mode);
        reject_in_row(l, row, links->n + 1u);
        return;
    }
    pattern(l, node->rchain.last, mode);
}

static void pattern_binop(Lint *l, const Ast *node, PatternMode mode)
{
    if (node->op == OP_MATCH) {
        pattern(l, node->binop.left, mode);
        pattern(l, node->binop.right, mode);
        reject_two_bins(l, node->binop.left, node->binop.right);
    } else if (node->op == OP_APPEND && is_prefix(node->binop.left)) {
        pattern(l, node->binop.right, mode);
    } else if (!pattern_is_constant(node)) {
        illegal(l, node);
    }
}

static void pattern_map(Lint *l, const Ast *node, PatternMode mode)
{
    if (node->map.base) {
        illegal(l, node);
        return;
    }
    for (uint32_t i = 0; i < node->map.fields.n; i++) {
        const Ast *field = node->map.fields.at[i];
        if (field->op == OP_ASSOC) {
            LINT_REPORT(l, DIAG_ILLEGAL_MAP_PATTERN, field->pos);
            continue;
        }
        lint_guard_expr(l, field->map_field.key);
        pattern(l, field->map_field.value, mode);
    }
}

static void pattern_record(Lint *l, const Ast *node, PatternMode mode)
{
    if (node->record.base) {
        illegal(l, node);
        return;
    }
    RecordInfo *r = lint_record_use(l, node->v.name, node->pos);
    if (r) lint_record_pattern_names(l, node, r);
    for (uint32_t i = 0; i < node->record.fields.n; i++)
        pattern(l, node->record.fields.at[i]->record_field.value, mode);
}

static void pattern_segment(Lint *l, const Ast *segment, PatternMode mode, bool *all)
{
    const Ast *value = segment->segment.value;
    AstSegSpec spec = segment->v.seg;
    bool utf = spec.type >= SEG_UTF8;
    bool typed =
        segment->segment.size || (!utf && (spec.type || spec.sign || spec.endian || spec.unit));
    *all = false;
    if (value->kind == AST_STRING && typed) {
        LINT_REPORT(l, DIAG_BIT_TYPED_STRING, segment->pos);
        return;
    }
    if (value->kind == AST_VAR)
        pattern_var(l, value, mode);
    else if (value->kind != AST_STRING
             && (value->kind == AST_ATOM || !pattern_is_constant(value)))
        illegal(l, value);
    lint_segment(l, segment, true, all);
}

static void pattern_bin(Lint *l, const Ast *node, PatternMode mode)
{
    uint32_t outer = l->bin;
    const Ast *open = NULL;
    l->bin = node->pos;
    for (uint32_t i = 0; i < node->bin.segments.n; i++) {
        const Ast *segment = node->bin.segments.at[i];
        bool all = false;
        if (open) LINT_REPORT(l, DIAG_BIT_UNSIZED, open->pos);
        pattern_segment(l, segment, mode, &all);
        open = all ? segment : NULL;
    }
    l->bin = outer;
}

static void pattern(Lint *l, const Ast *node, PatternMode mode)
{
    switch (node->kind) {
    case AST_VAR: pattern_var(l, node, mode); break;
    case AST_ATOM:
    case AST_INT:
    case AST_BIGINT:
    case AST_CHAR:
    case AST_FLOAT:
    case AST_STRING:
    case AST_NIL: break;
    case AST_LIST:
        pattern_list(l, &node->list.items, mode);
        if (node->list.tail) pattern(l, node->list.tail, mode);
        break;
    case AST_TUPLE: pattern_list(l, &node->tuple.items, mode); break;
    case AST_MAP: pattern_map(l, node, mode); break;
    case AST_MAP_FIELD: /* of a map generator */
        pattern(l, node->map_field.key, mode);
        pattern(l, node->map_field.value, mode);
        break;
    case AST_RECORD: pattern_record(l, node, mode); break;
    case AST_RECORD_INDEX: lint_record_index(l, node); break;
    case AST_BIN: pattern_bin(l, node, mode); break;
    case AST_BINOP: pattern_binop(l, node, mode); break;
    case AST_RCHAIN: pattern_rchain(l, node, mode); break;
    default:
        if (!pattern_is_constant(node)) illegal(l, node);
        break;
    }
}

static void pattern_commit(Lint *l, PatternMode mode, const char *in)
{
    VEC_EACH (NameId, name, &l->pending_names) {
        Binding *b = l->pending[*name];
        const Binding *hidden = l->env[*name];
        if (mode == PATTERN_SHADOWS && hidden && hidden->state != VAR_UNSAFE)
            LINT_WARN(l, OPT_SHADOW_VARS, DIAG_VAR_SHADOWED, b->place.pos, *name, in);
        l->pending[*name] = NULL;
        vars_bind(l, *name, b);
    }
    VEC_CLEAR(&l->pending_names);
}

void lint_patterns(Lint *l, const AstList *patterns, PatternMode mode, const char *in)
{
    pattern_list(l, patterns, mode);
    pattern_commit(l, mode, in);
}

void lint_pattern(Lint *l, const Ast *node, PatternMode mode, const char *in)
{
    pattern(l, node, mode);
    pattern_commit(l, mode, in);
}
