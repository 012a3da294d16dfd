#include <string.h>

#include "compiler/syntax/lint_state.h"

typedef struct {
    const char *name;
    LintOption option;
    bool by_default;
} OptionRow;

/* warn_NAME and nowarn_NAME in -compile. */
static const OptionRow option_rows[] = {
    {"unused_vars", OPT_UNUSED_VARS, true},
    {"underscore_match", OPT_UNDERSCORE_MATCH, true},
    {"export_all", OPT_EXPORT_ALL, true},
    {"export_vars", OPT_EXPORT_VARS, false},
    {"shadow_vars", OPT_SHADOW_VARS, true},
    {"unused_import", OPT_UNUSED_IMPORT, false},
    {"unused_function", OPT_UNUSED_FUNCTION, true},
    {"unused_type", OPT_UNUSED_TYPE, true},
    {"unused_record", OPT_UNUSED_RECORD, true},
    {"bif_clash", OPT_BIF_CLASH, true},
    {"obsolete_guard", OPT_OBSOLETE_GUARD, true},
    {"format", OPT_FORMAT, true},
    {"unused_term", OPT_UNUSED_TERM, true},
    {"behaviours", OPT_BEHAVIOURS, true},
};

static bool is_farity(const Ast *term)
{
    if (term->kind != AST_TUPLE || term->tuple.items.n != 2) return false;
    const Ast *arity = term->tuple.items.at[1];
    return term->tuple.items.at[0]->kind == AST_ATOM && arity->kind == AST_INT
           && arity->v.i <= INT32_MAX;
}

bool lint_each_function(Lint *l, const Ast *term, LintFunctionVisit visit)
{
    if (term->kind == AST_NIL) return true;
    if (is_farity(term)) {
        visit(l, term->pos, term->tuple.items.at[0]->v.name,
              (uint32_t)term->tuple.items.at[1]->v.i);
        return true;
    }
    if (term->kind != AST_LIST || term->list.tail) return false;
    bool right = true;
    for (uint32_t i = 0; i < term->list.items.n; i++)
        right = lint_each_function(l, term->list.items.at[i], visit) && right;
    return right;
}

static void visit_no_auto_import(Lint *l, SrcPos pos, NameId name, uint32_t arity)
{
    (void)pos;
    lint_function(l, name, arity)->no_auto_import = true;
}

static void visit_nowarn_unused(Lint *l, SrcPos pos, NameId name, uint32_t arity)
{
    FunctionInfo *f = lint_function(l, name, arity);
    f->nowarn_unused = true;
    if (!f->form) LINT_REPORT(l, DIAG_OPTION_FUNCTION_UNDEFINED, pos, name, (int)arity);
}

static void visit_inline(Lint *l, SrcPos pos, NameId name, uint32_t arity)
{
    if (!lint_function(l, name, arity)->form)
        LINT_REPORT(l, DIAG_INLINE_UNDEFINED, pos, name, (int)arity);
}

static void switch_warning(Lint *l, const char *text)
{
    bool on = strncmp(text, "warn_", 5) == 0;
    if (!on && strncmp(text, "nowarn_", 7) != 0) return;
    const char *name = text + (on ? 5 : 7);
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
        if (strcmp(option_rows[i].name, name) == 0) l->enabled[option_rows[i].option] = on;
}

static void option_atom(Lint *l, const Ast *atom)
{
    const char *text = names_text(&l->c->names, atom->v.name);
    if (atom->v.name == NAME_EXPORT_ALL) {
        l->export_all = true;
    } else if (atom->v.name == NAME_NO_AUTO_IMPORT) {
        l->no_auto_import_all = true;
    } else if (strcmp(text, "no_auto_import_types") == 0) {
        l->types_imported = false;
    } else if (strcmp(text, "nowarn_bif_clash") == 0) {
        LINT_REPORT(l, DIAG_NOWARN_BIF_CLASH, atom->pos);
    } else {
        switch_warning(l, text);
    }
}

static void nowarn_records(Lint *l, const Ast *term)
{
    if (term->kind == AST_ATOM) {
        htab_put(&l->quiet_records, term->v.name, NULL)->num = term->pos;
    } else if (term->kind == AST_LIST) {
        for (uint32_t i = 0; i < term->list.items.n; i++)
            nowarn_records(l, term->list.items.at[i]);
    }
}

static void option_inline(Lint *l, const Ast *tuple, const Ast *value)
{
    if (!lint_each_function(l, value, visit_inline))
        LINT_REPORT(l, DIAG_INLINE_BAD, tuple->pos);
}

static void option_tuple(Lint *l, const Ast *tuple)
{
    const Ast *tag = tuple->tuple.items.at[0];
    const Ast *value = tuple->tuple.items.at[1];
    if (tag->kind != AST_ATOM) return;
    const char *text = names_text(&l->c->names, tag->v.name);
    if (tag->v.name == NAME_NO_AUTO_IMPORT)
        lint_each_function(l, value, visit_no_auto_import);
    else if (tag->v.name == NAME_NOWARN_UNUSED_FUNCTION)
        lint_each_function(l, value, visit_nowarn_unused);
    else if (tag->v.name == NAME_INLINE)
        option_inline(l, tuple, value);
    else if (strcmp(text, "nowarn_unused_record") == 0)
        nowarn_records(l, value);
    else if (strcmp(text, "parse_transform") == 0)
        l->enabled[OPT_UNUSED_FUNCTION] = l->enabled[OPT_UNUSED_RECORD] = false;
    else if (strcmp(text, "nowarn_bif_clash") == 0)
        LINT_REPORT(l, DIAG_NOWARN_BIF_CLASH, tuple->pos);
}

static void option_term(Lint *l, const Ast *term)
{
    if (term->kind == AST_ATOM)
        option_atom(l, term);
    else if (term->kind == AST_TUPLE && term->tuple.items.n == 2)
        option_tuple(l, term);
    else if (term->kind == AST_LIST)
        for (uint32_t i = 0; i < term->list.items.n; i++)
            option_term(l, term->list.items.at[i]);
}

void lint_options(Lint *l)
{
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
        l->enabled[option_rows[i].option] = option_rows[i].by_default;
    l->types_imported = true;
    const Ast *export_all = NULL;
    for (uint32_t i = 0; i < l->file->forms.n; i++) {
        const Ast *form = l->file->forms.at[i];
        if (form->kind != AST_ATTR || form->v.name != NAME_COMPILE) continue;
        option_term(l, form->attr.value);
        if (l->export_all && !export_all) export_all = form;
    }
    if (export_all) LINT_WARN(l, OPT_EXPORT_ALL, DIAG_EXPORT_ALL, export_all->pos);
}
