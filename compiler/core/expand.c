#include "compiler/core/expand_parts.h"

#include <string.h>

#include "compiler/core/inline.h"

/* ---- what forms declare ---- */

static void declare_function(Expand *x, const Ast *form)
{
    bool added;
    NameId name = form->v.pair.name;
    uint32_t arity = form->v.pair.second;
    HtabValue *value = htab_put(&x->functions, expand_key(name, arity), &added);
    if (added) value->num = x->declared++;
}

static void declare_record(Expand *x, const Ast *form)
{
    Record *r = ARENA_NEW(x->arena, Record);
    const AstList *fields = &form->record_decl.fields;
    r->name = form->v.name;
    r->count = fields->n;
    r->fields = ARENA_ARRAY(x->arena, RecordField, fields->n + 1);
    for (uint32_t i = 0; i < fields->n; i++)
        r->fields[i] = (RecordField){fields->at[i]->v.name, fields->at[i]->field_decl.value};
    htab_init_in_arena(&r->by_name, x->arena);
    if (r->count > RECORD_FEW)
        for (uint32_t i = r->count; i > 0; i--)
            htab_put(&r->by_name, r->fields[i - 1].name, NULL)->num = i;
    htab_put(&x->records, r->name, NULL)->ptr = r;
}

static void declare_imports(Expand *x, const Ast *form)
{
    for (uint32_t i = 0; i < form->import.names.n; i++) {
        AstPair fa = form->import.names.at[i]->v.pair;
        htab_put(&x->imports, expand_key(fa.name, fa.second), NULL)->num = form->v.name;
    }
}

/* Is this atom the value of -compile, or in its list? */
static bool option_has(const Ast *value, NameId option)
{
    if (value->kind == AST_ATOM) return value->v.name == option;
    if (value->kind != AST_LIST) return false;
    for (uint32_t i = 0; i < value->list.items.n; i++)
        if (option_has(value->list.items.at[i], option)) return true;
    return false;
}

/* {inline, [F/N, ...]} or {inline, F/N}. */
static void declare_inline(Expand *x, const Ast *value)
{
    bool is_pair = value->kind == AST_TUPLE && value->tuple.items.n == 2
                   && value->tuple.items.at[1]->kind == AST_INT;
    if (is_pair)
        htab_put(&x->inlined,
                 expand_key(value->tuple.items.at[0]->v.name,
                            (uint32_t)value->tuple.items.at[1]->v.i),
                 NULL)
            ->num = 1;
    if (value->kind != AST_LIST) return;
    for (uint32_t i = 0; i < value->list.items.n; i++)
        declare_inline(x, value->list.items.at[i]);
}

/* What -compile says about inlining. */
static void declare_option(Expand *x, const Ast *value)
{
    if (value->kind == AST_ATOM && value->v.name == NAME_INLINE) x->u->inline_all = true;
    if (value->kind == AST_LIST)
        for (uint32_t i = 0; i < value->list.items.n; i++)
            declare_option(x, value->list.items.at[i]);
    if (value->kind != AST_TUPLE || value->tuple.items.n != 2
        || value->tuple.items.at[0]->kind != AST_ATOM)
        return;
    const Ast *with = value->tuple.items.at[1];
    NameId option = value->tuple.items.at[0]->v.name;
    if (option == NAME_INLINE) declare_inline(x, with);
    if (strcmp(names_text(&x->c->names, option), "inline_size") == 0 && with->kind == AST_INT)
        x->u->inline_size = with->v.i < UINT32_MAX ? (uint32_t)with->v.i : UINT32_MAX;
}

static void declare_attribute(Expand *x, const Ast *form)
{
    const Ast *value = form->attr.value;
    if (form->v.name == NAME_COMPILE) {
        if (value && option_has(value, NAME_EXPORT_ALL)) x->export_all = true;
        if (value) declare_option(x, value);
        return;
    }
    if (form->v.name == NAME_DOC || form->v.name == NAME_MODULEDOC
        || form->v.name == NAME_FOREIGN)
        return;
    if (form->v.name == NAME_ON_LOAD && value && value->kind == AST_TUPLE
        && value->tuple.items.n == 2)
        x->u->on_load = atom_term(x, value->tuple.items.at[0]->v.name);
    x->in_attribute = true;
    Term t = value ? ground_term(x, value) : TERM_NIL;
    x->in_attribute = false;
    if (term_is_none(t)) {
        diag_add(&x->c->diags, DIAG_BAD_ATTRIBUTE, form->pos, form->v.name);
        return;
    }
    if (!term_is_list(t)) t = heap_cons(&x->u->heap, t, TERM_NIL);
    CHECK(!term_is_none(t));
    VEC_PUSH(&x->u->attributes, (CoreAttribute){atom_term(x, form->v.name), t});
}

static void declare_form(Expand *x, const Ast *form)
{
    switch (form->kind) {
    case AST_FUNCTION: declare_function(x, form); return;
    case AST_RECORD_DECL: declare_record(x, form); return;
    case AST_IMPORT: declare_imports(x, form); return;
    case AST_ATTR: declare_attribute(x, form); return;
    case AST_EXPRS: x->has_exprs = true; return;
    case AST_SPEC: x->has_callbacks = x->has_callbacks || form->op == OP_CALLBACK; return;
    case AST_EXPORT:
        for (uint32_t i = 0; i < form->export.names.n; i++) {
            AstPair fa = form->export.names.at[i]->v.pair;
            htab_put(&x->exports, expand_key(fa.name, fa.second), NULL)->num = 1;
        }
        return;
    default: return;
    }
}

/* ---- functions ---- */

static void set_exported(Expand *x, CoreFunction *f, uint64_t key)
{
    f->exported = x->export_all || htab_find(&x->exports, key) != NULL;
}

/* Written functions come first and in order, so that their numbers are known before they are
 * expanded; what is generated for them goes behind. */
static void reserve_functions(Expand *x)
{
    size_t n = x->declared;
    VEC_RESERVE(&x->u->functions, n);
    for (size_t i = 0; i < n; i++) VEC_PUSH(&x->u->functions, NULL);
}

static Writing *enter_function(Expand *x, Term name, uint32_t arity, SrcPos pos)
{
    x->function_name = name;
    x->function_arity = arity;
    x->fun_counter = 0;
    x->loop_counter = 0;
    return scope_enter(x, name, arity, false, pos);
}

static void expand_function(Expand *x, const Ast *form)
{
    NameId name = form->v.pair.name;
    uint32_t arity = form->v.pair.second;
    uint64_t key = expand_key(name, arity);
    uint32_t index = (uint32_t)htab_find(&x->functions, key)->num;
    if (x->u->functions.at[index] != NULL) return;
    Writing *w = enter_function(x, atom_term(x, name), arity, form->pos);
    expand_function_clauses(x, &form->function.clauses, arity);
    scope_leave(x);
    /* It was numbered at the end of the table; its reserved place is the one that calls name. */
    x->u->functions.at[index] = w->f;
    x->u->functions.at[w->index] = NULL;
    set_exported(x, w->f, key);
    w->f->inline_wanted = htab_find(&x->inlined, key) != NULL;
}

/* ---- scripts ---- */

static bool has_function(Expand *x, NameId name, uint32_t arity, uint32_t *index)
{
    HtabValue *found = htab_find(&x->functions, expand_key(name, arity));
    if (found) *index = (uint32_t)found->num;
    return found != NULL;
}

/* The end of a script: main(Args), else main(), else the last value. */
static void script_end(Expand *x, CoreRef args, CoreRef value, SrcPos pos)
{
    uint32_t index = 0;
    uint32_t n = has_function(x, NAME_MAIN, 1, &index) ? 1 : 0;
    if (n == 0 && !has_function(x, NAME_MAIN, 0, &index)) {
        write_return(x, value, pos);
        return;
    }
    CoreInstr *call = write_instr(x, CORE_TAIL_CALL, n, pos);
    call->index = index;
    if (n > 0) call->args[0] = args;
}

/* '$script'(Args): the expressions of all EXPRS forms in order. */
static void expand_script(Expand *x)
{
    Writing *w =
        enter_function(x, text_atom(x, CORE_SCRIPT_NAME), 1,
                       x->file->forms.n > 0 ? x->file->forms.at[0]->pos : x->file->end);
    CoreRef value = const_atom(x, ATOM_OK);
    for (uint32_t i = 0; i < x->file->forms.n; i++) {
        const Ast *form = x->file->forms.at[i];
        if (form->kind == AST_EXPRS) value = expand_body(x, &form->exprs.body);
    }
    script_end(x, core_var(w->f->params[0]), value, x->file->end);
    if (w->block != 0) write_return(x, value, x->file->end);
    scope_leave(x);
    w->f->exported = true;
}

/* ---- module_info, behaviour_info ---- */

static void expand_module_info(Expand *x, uint32_t arity)
{
    uint32_t index;
    if (has_function(x, NAME_MODULE_INFO, arity, &index)) return;
    Writing *w = enter_function(x, TERM_ATOM(MODULE_INFO), arity, SRC_POS_NONE);
    CoreInstr *call = write_instr(x, CORE_TAIL_EXT, arity + 1, SRC_POS_NONE);
    call->module = TERM_ATOM(ERLANG);
    call->name = text_atom(x, "get_module_info");
    call->args[0] = core_const(x->u, x->u->name);
    if (arity == 1) call->args[1] = core_var(w->f->params[0]);
    scope_leave(x);
    w->f->exported = true;
    w->f->is_generated = true;
}

static Term name_arity(Expand *x, NameId name, uint32_t arity)
{
    Term pair = heap_tuple2(&x->u->heap, atom_term(x, name), small_from(arity));
    CHECK(!term_is_none(pair));
    return pair;
}

/* [{f, Arity}, ...] of the callbacks, or of the optional ones. */
static Term callback_list(Expand *x, bool optional)
{
    Term list = TERM_NIL;
    for (uint32_t i = x->file->forms.n; i > 0; i--) {
        const Ast *form = x->file->forms.at[i - 1];
        if (optional && form->kind == AST_OPTIONAL_CALLBACKS) {
            for (uint32_t k = form->optional_callbacks.names.n; k > 0; k--) {
                AstPair fa = form->optional_callbacks.names.at[k - 1]->v.pair;
                list = heap_cons(&x->u->heap, name_arity(x, fa.name, fa.second), list);
            }
        } else if (!optional && form->kind == AST_SPEC && form->op == OP_CALLBACK) {
            list = heap_cons(&x->u->heap, name_arity(x, form->v.pair.name, form->v.pair.second),
                             list);
        }
        CHECK(!term_is_none(list));
    }
    return list;
}

/* behaviour_info(callbacks | optional_callbacks), when there is a -callback. */
static void expand_behaviour_info(Expand *x)
{
    uint32_t index;
    if (!x->has_callbacks || has_function(x, NAME_BEHAVIOUR_INFO, 1, &index)) return;
    Writing *w = enter_function(x, atom_term(x, NAME_BEHAVIOUR_INFO), 1, SRC_POS_NONE);
    CoreRef key = core_var(w->f->params[0]);
    const char *const keys[] = {"callbacks", "optional_callbacks"};
    for (int i = 0; i < 2; i++) {
        CoreBlockId no = new_block(x);
        write_test2(x, CORE_IS_SAME, key, core_const(x->u, text_atom(x, keys[i])), no,
                    SRC_POS_NONE);
        write_return(x, core_const(x->u, callback_list(x, i == 1)), SRC_POS_NONE);
        go_to(x, no);
    }
    write_instr(x, CORE_FUNCTION_CLAUSE, 1, SRC_POS_NONE)->args[0] = key;
    scope_leave(x);
    w->f->exported = true;
    w->f->is_generated = true;
}

/* ---- the file ---- */

static void expand_init(Expand *x, Compilation *c, AtomTable *atoms, const AstFile *file)
{
    x->c = c;
    x->arena = &c->arena;
    x->file = file;
    x->u = core_unit_new(c, atoms);
    VEC_IN_ARENA(&x->bindings, x->arena);
    VEC_PUSH(&x->bindings, (Binding){0});
    htab_init_in_arena(&x->functions, x->arena);
    htab_init_in_arena(&x->imports, x->arena);
    htab_init_in_arena(&x->exports, x->arena);
    htab_init_in_arena(&x->inlined, x->arena);
    htab_init_in_arena(&x->records, x->arena);
    htab_init_in_arena(&x->fun_refs, x->arena);
    x->u->name = atom_term(x, file->module);
    x->u->is_script = file->is_script;
    x->u->end = file->end;
    x->u->inline_size = INLINE_SIZE_DEFAULT;
}

CoreUnit *expand_file(Compilation *c, AtomTable *atoms, const AstFile *file)
{
    Expand *x = ARENA_NEW(&c->arena, Expand);
    expand_init(x, c, atoms, file);
    for (uint32_t i = 0; i < file->forms.n; i++) declare_form(x, file->forms.at[i]);
    if (file->is_script) x->export_all = true;
    reserve_functions(x);
    for (uint32_t i = 0; i < file->forms.n; i++)
        if (file->forms.at[i]->kind == AST_FUNCTION) expand_function(x, file->forms.at[i]);
    if (file->is_script) expand_script(x);
    expand_module_info(x, 0);
    expand_module_info(x, 1);
    expand_behaviour_info(x);
    core_close_functions(x->u);
    for (size_t i = 0; i < x->u->functions.count; i++) core_tidy(x->u, x->u->functions.at[i]);
    return x->u;
}
