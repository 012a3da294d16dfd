#include <string.h>

#include "compiler/syntax/lint_hint.h"
#include "compiler/syntax/lint_state.h"

/* Exports and imports. */

static void attr_export(Lint *l, const Ast *form)
{
    const AstList *names = &form->export.names;
    for (uint32_t i = 0; i < names->n; i++) {
        AstPair pair = names->at[i]->v.pair;
        FunctionInfo *f = lint_function(l, pair.name, pair.second);
        bool given = pair.name == NAME_MODULE_INFO && pair.second <= 1;
        if (f->exported || given)
            LINT_REPORT(l, DIAG_EXPORT_TWICE, names->at[i]->pos, pair.name, (int)pair.second);
        else if (!f->form && !lint_is_broken(l, f->name)) {
            LINT_REPORT(l, DIAG_EXPORT_UNDEFINED, names->at[i]->pos, pair.name,
                        (int)pair.second);
            lint_hint_function(l, pair.name, pair.second);
        }
        f->exported = true;
    }
}

static void attr_import(Lint *l, const Ast *form)
{
    const AstList *names = &form->import.names;
    for (uint32_t i = 0; i < names->n; i++) {
        SrcPos pos = names->at[i]->pos;
        AstPair pair = names->at[i]->v.pair;
        int arity = (int)pair.second;
        FunctionInfo *f = lint_function(l, pair.name, pair.second);
        if (f->imported_from != NAME_NONE && f->import_pos != form->pos) {
            LINT_REPORT(l, DIAG_IMPORT_AGAIN, pos, pair.name, arity, f->imported_from);
            continue;
        }
        bool clash = f->builtin != BUILTIN_NONE && !f->no_auto_import && !l->no_auto_import_all
                     && l->enabled[OPT_BIF_CLASH];
        if (clash)
            LINT_REPORT(l, lint_is_old_builtin(l, f) ? DIAG_IMPORT_BIF : DIAG_IMPORT_BIF_NEW,
                        pos, pair.name, arity, pair.name, arity);
        f->imported_from = form->v.name;
        f->import_pos = form->pos;
        if (f->form) LINT_REPORT(l, DIAG_FUNCTION_IS_IMPORT, f->form->pos, pair.name, arity);
    }
}

/* -on_load */

static void visit_on_load(Lint *l, SrcPos pos, NameId name, uint32_t arity)
{
    FunctionInfo *f = lint_function(l, name, arity);
    VEC_PUSH(&l->roots, f);
    if (arity != 0)
        LINT_REPORT(l, DIAG_ON_LOAD_ARITY, pos, name, (int)arity);
    else if (!f->form)
        LINT_REPORT(l, DIAG_ON_LOAD_UNDEFINED, pos, name, (int)arity);
}

static void attr_on_load(Lint *l, const Ast *form)
{
    if (l->on_load) {
        LINT_REPORT(l, DIAG_ON_LOAD_TWICE, form->pos);
        return;
    }
    l->on_load = form;
    if (form->attr.value->kind != AST_TUPLE
        || !lint_each_function(l, form->attr.value, visit_on_load))
        LINT_REPORT(l, DIAG_ON_LOAD_BAD, form->pos);
}

/* -nifs, -deprecated, -removed, -dialyzer */

static void visit_nif(Lint *l, SrcPos pos, NameId name, uint32_t arity)
{
    FunctionInfo *f = lint_function(l, name, arity);
    if (!f->form) LINT_REPORT(l, DIAG_NIF_UNDEFINED, pos, name, (int)arity);
}

static bool is_any(const Ast *term) { return term->kind == AST_ATOM && term->v.name == NAME__; }

static bool is_description(const Lint *l, const Ast *term)
{
    static const char *const words[] = {"next_version", "next_major_release", "eventually"};
    if (term->kind == AST_STRING || term->kind == AST_NIL || term->kind == AST_LIST)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words) && term->kind == AST_ATOM; i++)
        if (strcmp(names_text(&l->c->names, term->v.name), words[i]) == 0) return true;
    return false;
}

static void check_deprecated_function(Lint *l, const Ast *form, const Ast *name,
                                      const Ast *arity)
{
    bool removed = form->v.name == NAME_REMOVED;
    if (is_any(name) || name->kind != AST_ATOM || arity->kind != AST_INT) return;
    FunctionInfo *f = lint_function(l, name->v.name, (uint32_t)arity->v.i);
    bool public = f->form && (f->exported || l->export_all);
    if (removed && public)
        LINT_REPORT(l, DIAG_REMOVED_STILL_EXPORTED, form->pos, f->name, (int)f->arity);
    if (!removed && !public)
        LINT_REPORT(l, DIAG_DEPRECATED_UNDEFINED, form->pos, f->name, (int)f->arity);
}

static void check_deprecated(Lint *l, const Ast *form, const Ast *term)
{
    if (term->kind == AST_LIST) {
        for (uint32_t i = 0; i < term->list.items.n; i++)
            check_deprecated(l, form, term->list.items.at[i]);
        return;
    }
    if (term->kind == AST_NIL || (term->kind == AST_ATOM && term->v.name == NAME_MODULE))
        return;
    const AstList *items = term->kind == AST_TUPLE ? &term->tuple.items : NULL;
    bool right = items && (items->n == 2 || (items->n == 3 && is_description(l, items->at[2])))
                 && items->at[0]->kind == AST_ATOM
                 && (is_any(items->at[1])
                     || (items->at[1]->kind == AST_INT && items->at[1]->v.i <= INT32_MAX));
    if (right)
        check_deprecated_function(l, form, items->at[0], items->at[1]);
    else
        LINT_REPORT(l, DIAG_DEPRECATED_BAD, form->pos, form->v.name);
}

static void visit_dialyzer(Lint *l, SrcPos pos, NameId name, uint32_t arity)
{
    if (!lint_function(l, name, arity)->form)
        LINT_REPORT(l, DIAG_DIALYZER_FUNCTION_UNDEFINED, pos, name, (int)arity);
}

static void check_dialyzer(Lint *l, const Ast *form, const Ast *term)
{
    bool right = true;
    if (term->kind == AST_LIST) {
        for (uint32_t i = 0; i < term->list.items.n; i++)
            check_dialyzer(l, form, term->list.items.at[i]);
    } else if (term->kind == AST_TUPLE && term->tuple.items.n == 2) {
        right = lint_each_function(l, term->tuple.items.at[1], visit_dialyzer);
    } else {
        right = term->kind == AST_ATOM || term->kind == AST_NIL;
    }
    if (!right) LINT_REPORT(l, DIAG_DIALYZER_BAD, form->pos);
}

/* Behaviours: what the well-known ones ask for. */
typedef struct {
    const char *behaviour;
    const char *name;
    uint8_t arity;
} CallbackRow;

static const CallbackRow callback_rows[] = {
    {"gen_server", "init", 1},
    {"gen_server", "handle_call", 3},
    {"gen_server", "handle_cast", 2},
    {"gen_statem", "init", 1},
    {"gen_statem", "callback_mode", 0},
    {"gen_event", "init", 1},
    {"gen_event", "handle_event", 2},
    {"gen_event", "handle_call", 2},
    {"supervisor", "init", 1},
    {"supervisor_bridge", "init", 1},
    {"supervisor_bridge", "terminate", 2},
    {"application", "start", 2},
    {"application", "stop", 1},
};

static void check_behaviour(Lint *l, const Ast *form)
{
    const Ast *value = form->attr.value;
    if (value->kind != AST_ATOM) return;
    const char *behaviour = names_text(&l->c->names, value->v.name);
    for (size_t i = 0; i < ARRAY_LEN(callback_rows); i++) {
        const CallbackRow *row = &callback_rows[i];
        if (strcmp(row->behaviour, behaviour) != 0) continue;
        NameId name = names_intern_text(&l->c->names, row->name);
        const FunctionInfo *f = lint_function(l, name, row->arity);
        if (f->form && (f->exported || l->export_all)) continue;
        LINT_WARN(l, OPT_BEHAVIOURS, DIAG_CALLBACK_MISSING, form->pos, name, (int)row->arity,
                  value->v.name);
    }
}

void lint_attribute(Lint *l, const Ast *form)
{
    switch (form->kind) {
    case AST_EXPORT: attr_export(l, form); break;
    case AST_EXPORT_TYPE: lint_export_type(l, form); break;
    case AST_IMPORT: attr_import(l, form); break;
    case AST_SPEC: lint_spec(l, form); break;
    case AST_TYPE_DECL: lint_type_decl(l, form); break;
    case AST_RECORD_DECL: lint_record_decl(l, form); break;
    case AST_ATTR:
        if (form->v.name == NAME_ON_LOAD) attr_on_load(l, form);
        break;
    default: break;
    }
}

static void check_optional_callbacks(Lint *l, const Ast *form)
{
    const AstList *names = &form->optional_callbacks.names;
    for (uint32_t i = 0; i < names->n; i++) {
        AstPair pair = names->at[i]->v.pair;
        HtabValue *callback = htab_find(&l->callbacks, lint_key(pair.name, pair.second));
        if (!callback) {
            LINT_REPORT(l, DIAG_OPTIONAL_CALLBACK_UNDEFINED, names->at[i]->pos, pair.name,
                        (int)pair.second);
            continue;
        }
        if (callback->num & (uint64_t)1 << 32)
            LINT_REPORT(l, DIAG_OPTIONAL_CALLBACK_TWICE, names->at[i]->pos, pair.name,
                        (int)pair.second);
        callback->num |= (uint64_t)1 << 32;
    }
}

static void check_nifs(Lint *l, const Ast *form)
{
    lint_each_function(l, form->attr.value, visit_nif);
    if (!l->calls_load_nif) LINT_REPORT(l, DIAG_NIF_NO_LOAD, form->pos);
}

static void check_attr(Lint *l, const Ast *form)
{
    switch (form->v.name) {
    case NAME_BEHAVIOUR:
    case NAME_BEHAVIOR: check_behaviour(l, form); break;
    case NAME_NIFS: check_nifs(l, form); break;
    case NAME_DIALYZER: check_dialyzer(l, form, form->attr.value); break;
    case NAME_DEPRECATED:
    case NAME_REMOVED: check_deprecated(l, form, form->attr.value); break;
    default: lint_check_attribute_name(l, form); break;
    }
}

void lint_check_attributes(Lint *l)
{
    for (uint32_t i = 0; i < l->file->forms.n; i++) {
        const Ast *form = l->file->forms.at[i];
        if (form->kind == AST_OPTIONAL_CALLBACKS)
            check_optional_callbacks(l, form);
        else if (form->kind == AST_ATTR)
            check_attr(l, form);
    }
    const HtabValue *info = htab_find(&l->functions, lint_key(NAME_BEHAVIOUR_INFO, 1));
    if (!info || !((const FunctionInfo *)info->ptr)->form) return;
    size_t cursor = 0;
    for (const HtabEntry *entry; (entry = htab_next(&l->callbacks, &cursor)) != NULL;)
        LINT_REPORT(l, DIAG_CALLBACK_AND_BEHAVIOUR_INFO, (SrcPos)entry->value.num,
                    (NameId)(entry->key >> 32), (int)(uint32_t)entry->key);
}
