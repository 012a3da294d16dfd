#include "compiler/syntax/lint_state.h"

/* A clause of case, if, receive, of, else: one of several ways on. */
static void clause_part(Lint *l, const Ast *clause, VarMark mark, uint32_t part)
{
    lint_patterns(l, &clause->clause.patterns, PATTERN_MATCHES, NULL);
    lint_guard(l, &clause->clause.guard);
    lint_exprs(l, &clause->clause.body);
    vars_take(l, mark, part);
}

static void clause_parts(Lint *l, const AstList *clauses, VarMark mark)
{
    for (uint32_t i = 0; i < clauses->n; i++) clause_part(l, clauses->at[i], mark, i);
}

static void control_clauses(Lint *l, const AstList *clauses, const char *where, SrcPos pos)
{
    VarMark mark = vars_mark(l);
    clause_parts(l, clauses, mark);
    vars_merge_clauses(l, mark, clauses->n, where, pos);
}

static void control_receive(Lint *l, const Ast *node)
{
    VarMark start = vars_mark(l);
    uint32_t parts = node->receive.clauses.n;
    Delta *kept = NULL;
    size_t kept_count = 0;
    if (node->receive.timeout) {
        /* What the time-out binds is known behind the receive, not inside its clauses. */
        lint_expr(l, node->receive.timeout);
        vars_take(l, start, 0);
        kept_count = l->deltas.count - start.deltas;
        if (kept_count)
            kept = arena_copy_bytes(l->arena, l->deltas.at + start.deltas,
                                    kept_count * sizeof *kept);
        l->deltas.count = start.deltas;
        lint_exprs(l, &node->receive.after);
        vars_take(l, start, parts++);
    }
    clause_parts(l, &node->receive.clauses, start);
    vars_merge_clauses(l, start, parts, "receive", node->pos);
    for (size_t i = 0; i < kept_count; i++) vars_bind(l, kept[i].name, kept[i].after);
}

/* A handler: what the stack trace variable holds may not be looked at in the guard. */
static void handler_part(Lint *l, const Ast *clause, VarMark mark, uint32_t part)
{
    const Ast *stack = clause->clause.patterns.at[2];
    lint_patterns(l, &clause->clause.patterns, PATTERN_MATCHES, NULL);
    Binding *b = stack->v.name == NAME__ ? NULL : l->env[stack->v.name];
    uint8_t state = VAR_BOUND;
    if (b) {
        if (b->used) LINT_REPORT(l, DIAG_STACK_BOUND, stack->pos, stack->v.name);
        state = b->state;
        b->state = VAR_STACK;
    }
    lint_guard(l, &clause->clause.guard);
    if (b) b->state = state;
    lint_exprs(l, &clause->clause.body);
    vars_take(l, mark, part);
}

static void control_try(Lint *l, const Ast *node)
{
    VarMark start = vars_mark(l);
    uint32_t parts = 0;
    lint_exprs(l, &node->try_.body);
    VarMark mark = vars_mark(l);
    for (uint32_t i = 0; i < node->try_.of.n; i++)
        clause_part(l, node->try_.of.at[i], mark, parts++);
    vars_make_unsafe(l, start, "try", node->pos);
    for (uint32_t i = 0; i < node->try_.handlers.n; i++)
        handler_part(l, node->try_.handlers.at[i], mark, parts++);
    vars_merge_clauses(l, mark, parts, "try", node->pos);
    vars_make_unsafe(l, start, "try", node->pos);
    lint_exprs(l, &node->try_.after);
    vars_make_unsafe(l, start, "try", node->pos);
}

static void control_maybe(Lint *l, const Ast *node)
{
    VarMark start = vars_mark(l);
    lint_exprs(l, &node->maybe.body);
    vars_make_unsafe(l, start, "maybe", node->pos);
    if (node->maybe.clauses.n == 0) return;
    control_clauses(l, &node->maybe.clauses, "else", node->pos);
    vars_make_unsafe(l, start, "maybe", node->pos);
}

/* Funs: their arguments hide variables of the same name. */

static void fun_clause(Lint *l, const Ast *clause)
{
    VarMark mark = vars_mark(l);
    l->scope++;
    lint_patterns(l, &clause->clause.patterns, PATTERN_SHADOWS, "fun");
    lint_guard(l, &clause->clause.guard);
    lint_exprs(l, &clause->clause.body);
    vars_report_unused(l, mark);
    vars_undo(l, mark);
    l->scope--;
}

static void control_fun(Lint *l, const Ast *node)
{
    bool in_record = l->in_record;
    VarMark mark = vars_mark(l);
    NameId name = node->v.name;
    l->in_record = false;
    l->scope++;
    if (name != NAME_NONE) {
        const Binding *hidden = l->env[name];
        if (hidden && hidden->state != VAR_UNSAFE)
            LINT_WARN(l, OPT_SHADOW_VARS, DIAG_VAR_SHADOWED, node->pos, name, "named fun");
        vars_bind(l, name, vars_new(l, node->pos));
    }
    for (uint32_t i = 0; i < node->fun.clauses.n; i++) fun_clause(l, node->fun.clauses.at[i]);
    vars_report_unused(l, mark);
    vars_undo(l, mark);
    l->scope--;
    l->in_record = in_record;
}

/* Comprehensions. */

static void generator_source(Lint *l, const Ast *generator)
{
    VarMark mark = vars_mark(l);
    const Ast *pattern = generator->generate.pattern;
    lint_expr(l, generator->generate.source);
    vars_report_unused(l, mark);
    vars_undo(l, mark);
    if (generator->op != OP_GEN_BIN && generator->op != OP_GEN_BIN_STRICT) return;
    const AstList *segments = &pattern->bin.segments;
    if (segments->n == 0) return;
    const Ast *last = segments->at[segments->n - 1];
    bool binary = last->v.seg.type == SEG_BINARY || last->v.seg.type == SEG_BITSTRING;
    if (binary && !last->segment.size) LINT_REPORT(l, DIAG_BIT_UNSIZED_GENERATOR, last->pos);
}

static void qualifier(Lint *l, const Ast *node)
{
    if (node->kind == AST_GENERATE) {
        generator_source(l, node);
        lint_pattern(l, node->generate.pattern, PATTERN_SHADOWS, "generate");
    } else if (node->kind == AST_ZIP) {
        const AstList *generators = &node->zip.generators;
        AstList patterns = {ARENA_ARRAY(l->arena, Ast *, generators->n), generators->n};
        for (uint32_t i = 0; i < generators->n; i++) {
            generator_source(l, generators->at[i]);
            patterns.at[i] = generators->at[i]->generate.pattern;
        }
        lint_patterns(l, &patterns, PATTERN_SHADOWS, "generate");
    } else if (node->kind == AST_CALL && lint_is_guard(l, node, true)) {
        lint_guard_test(l, node);
    } else {
        lint_expr(l, node);
    }
}

static void control_comprehension(Lint *l, const Ast *node)
{
    bool in_record = l->in_record;
    VarMark mark = vars_mark(l);
    l->in_record = false;
    l->scope++;
    for (uint32_t i = 0; i < node->lc.qualifiers.n; i++)
        qualifier(l, node->lc.qualifiers.at[i]);
    lint_expr(l, node->lc.item);
    vars_report_unused(l, mark);
    vars_undo(l, mark);
    l->scope--;
    l->in_record = in_record;
}

void lint_control(Lint *l, const Ast *node)
{
    VarMark mark = vars_mark(l);
    switch (node->kind) {
    case AST_IF: control_clauses(l, &node->if_.clauses, "if", node->pos); break;
    case AST_CASE:
        lint_expr(l, node->case_.subject);
        control_clauses(l, &node->case_.clauses, "case", node->pos);
        break;
    case AST_RECEIVE: control_receive(l, node); break;
    case AST_TRY: control_try(l, node); break;
    case AST_MAYBE: control_maybe(l, node); break;
    case AST_CATCH:
        lint_expr(l, node->catch_.arg);
        vars_make_unsafe(l, mark, "catch", node->pos);
        break;
    case AST_FUN: control_fun(l, node); break;
    case AST_LC:
    case AST_BC:
    case AST_MC: control_comprehension(l, node); break;
    default: LINT_REPORT(l, DIAG_ILLEGAL_EXPRESSION, node->pos); break;
    }
}

void lint_function_clauses(Lint *l, const AstList *clauses)
{
    for (uint32_t i = 0; i < clauses->n; i++) {
        const Ast *clause = clauses->at[i];
        VarMark mark = vars_mark(l);
        l->scope++;
        lint_patterns(l, &clause->clause.patterns, PATTERN_MATCHES, NULL);
        lint_guard(l, &clause->clause.guard);
        lint_exprs(l, &clause->clause.body);
        vars_report_unused(l, mark);
        vars_undo(l, mark);
        l->scope--;
    }
}
