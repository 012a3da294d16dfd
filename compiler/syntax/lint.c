#include "compiler/syntax/lint.h"

#include "compiler/syntax/lint_state.h"

/* Attributes that may stand behind functions. */
static bool may_be_late(const Ast *form)
{
    switch (form->kind) {
    case AST_RECORD_DECL:
    case AST_TYPE_DECL:
    case AST_FILE_DECL:
    case AST_FUNCTION:
    case AST_EXPRS: return true;
    case AST_SPEC: return form->op == OP_SPEC;
    case AST_ATTR:
        return form->v.name == NAME_DIALYZER || form->v.name == NAME_DOC
               || form->v.name == NAME_COMPILE;
    default: return false;
    }
}

static NameId attribute_name(const Ast *form)
{
    switch (form->kind) {
    case AST_EXPORT: return NAME_EXPORT;
    case AST_EXPORT_TYPE: return NAME_EXPORT_TYPE;
    case AST_OPTIONAL_CALLBACKS: return NAME_OPTIONAL_CALLBACKS;
    case AST_IMPORT: return NAME_IMPORT;
    case AST_MODULE: return NAME_MODULE;
    case AST_SPEC: return NAME_CALLBACK;
    default: return form->v.name;
    }
}

/* The module is named first, once; attributes stand in front of functions. */
static void check_order(Lint *l)
{
    bool named = l->file->is_script;
    bool functions = false;
    for (uint32_t i = 0; i < l->file->forms.n && !l->file->is_script; i++) {
        const Ast *form = l->file->forms.at[i];
        if (form->kind == AST_FILE_DECL) continue;
        if (form->kind == AST_MODULE) {
            if (named)
                LINT_REPORT(l, DIAG_MODULE_AGAIN, form->pos);
            else if (names_size(&l->c->names, form->v.name) == 0)
                LINT_REPORT(l, DIAG_MODULE_NAME, form->pos);
            named = true;
            continue;
        }
        if (!named) LINT_REPORT(l, DIAG_NO_MODULE, form->pos);
        named = true;
        if (functions && !may_be_late(form))
            LINT_REPORT(l, DIAG_LATE_ATTRIBUTE, form->pos, attribute_name(form));
        functions = functions || form->kind == AST_FUNCTION;
    }
}

static void collect_functions(Lint *l)
{
    for (uint32_t i = 0; i < l->file->forms.n; i++) {
        const Ast *form = l->file->forms.at[i];
        if (form->kind != AST_FUNCTION) continue;
        AstPair pair = form->v.pair;
        if (pair.second > 255)
            LINT_REPORT(l, DIAG_TOO_MANY_ARGUMENTS, form->pos, (int)pair.second);
        bool given = (pair.name == NAME_MODULE_INFO && pair.second <= 1)
                     || (pair.name == NAME_RECORD_INFO && pair.second == 2);
        FunctionInfo *f = lint_function(l, pair.name, pair.second);
        if (given)
            LINT_REPORT(l, DIAG_BUILTIN_REDEFINED, form->pos, pair.name, (int)pair.second);
        else if (f->form)
            LINT_REPORT(l, DIAG_FUNCTION_AGAIN, form->pos, pair.name, (int)pair.second);
        else
            f->form = form;
    }
}

static void lint_function_form(Lint *l, const Ast *form)
{
    l->function = lint_function(l, form->v.pair.name, form->v.pair.second);
    lint_function_clauses(l, &form->function.clauses);
    l->function = NULL;
}

/* In a module everything is looked at in its order: a record is known from its definition on. */
static void lint_module(Lint *l)
{
    for (uint32_t i = 0; i < l->file->forms.n; i++) {
        const Ast *form = l->file->forms.at[i];
        if (form->kind == AST_FUNCTION)
            lint_function_form(l, form);
        else
            lint_attribute(l, form);
    }
}

/* In a script functions and records may stand anywhere; functions do not see the variables of the
 * expressions, which are one body. */
static void lint_script(Lint *l)
{
    const AstList *forms = &l->file->forms;
    for (uint32_t i = 0; i < forms->n; i++) lint_attribute(l, forms->at[i]);
    for (uint32_t i = 0; i < forms->n; i++)
        if (forms->at[i]->kind == AST_FUNCTION) lint_function_form(l, forms->at[i]);
    VarMark mark = vars_mark(l);
    for (uint32_t i = 0; l->options && i < l->options->bound_count; i++) {
        Binding *b = vars_new(l, SRC_POS_NONE);
        b->used = true;
        vars_bind(l, l->options->bound[i], b);
    }
    for (uint32_t i = 0; i < forms->n; i++)
        if (forms->at[i]->kind == AST_EXPRS) lint_exprs(l, &forms->at[i]->exprs.body);
    vars_report_unused(l, mark);
    vars_undo(l, mark);
}

static void lint_free(Lint *l)
{
    VEC_FREE(&l->trail);
    VEC_FREE(&l->pending_names);
    VEC_FREE(&l->deltas);
    VEC_FREE(&l->function_list);
    VEC_FREE(&l->record_list);
    VEC_FREE(&l->type_list);
    VEC_FREE(&l->calls);
    VEC_FREE(&l->type_uses);
    VEC_FREE(&l->specs);
    VEC_FREE(&l->roots);
    VEC_FREE(&l->type_roots);
}

bool lint_file(Compilation *c, const AstFile *file, const LintOptions *options)
{
    Lint l = {.c = c, .arena = &c->arena, .file = file, .options = options};
    htab_init_in_arena(&l.functions, l.arena);
    htab_init_in_arena(&l.records, l.arena);
    htab_init_in_arena(&l.types, l.arena);
    htab_init_in_arena(&l.callbacks, l.arena);
    htab_init_in_arena(&l.quiet_records, l.arena);
    htab_init_in_arena(&l.type_vars, l.arena);
    htab_init_in_arena(&l.broken, l.arena);
    for (uint32_t i = 0; i < file->broken_count; i++)
        htab_put(&l.broken, file->broken[i], NULL);
    vars_init(&l);
    collect_functions(&l);
    lint_options(&l);
    check_order(&l);
    if (file->is_script)
        lint_script(&l);
    else
        lint_module(&l);
    lint_check_functions(&l);
    lint_check_types(&l);
    lint_check_records(&l);
    lint_check_attributes(&l);
    lint_free(&l);
    if (c->options.no_warnings) diags_drop_warnings(&c->diags);
    return c->diags.errors == 0;
}
