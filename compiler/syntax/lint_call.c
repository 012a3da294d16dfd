#include <string.h>

#include "compiler/syntax/lint_hint.h"
#include "compiler/syntax/lint_state.h"

/* Built-ins that were imported by themselves before release 14: a clash with them is an error. */
typedef struct {
    const char *name;
    uint8_t arity;
} OldBuiltin;

static const OldBuiltin old_builtins[] = {
    {"abs", 1},
    {"apply", 2},
    {"apply", 3},
    {"atom_to_binary", 2},
    {"atom_to_list", 1},
    {"binary_to_atom", 2},
    {"binary_to_existing_atom", 2},
    {"binary_to_list", 1},
    {"binary_to_list", 3},
    {"binary_to_term", 1},
    {"bit_size", 1},
    {"bitstring_to_list", 1},
    {"byte_size", 1},
    {"check_process_code", 2},
    {"concat_binary", 1},
    {"date", 0},
    {"delete_module", 1},
    {"disconnect_node", 1},
    {"element", 2},
    {"erase", 0},
    {"erase", 1},
    {"exit", 1},
    {"exit", 2},
    {"float", 1},
    {"float_to_list", 1},
    {"garbage_collect", 0},
    {"garbage_collect", 1},
    {"get", 0},
    {"get", 1},
    {"get_keys", 1},
    {"group_leader", 0},
    {"group_leader", 2},
    {"halt", 0},
    {"halt", 1},
    {"hd", 1},
    {"integer_to_list", 1},
    {"iolist_size", 1},
    {"iolist_to_binary", 1},
    {"is_alive", 0},
    {"is_atom", 1},
    {"is_binary", 1},
    {"is_bitstring", 1},
    {"is_boolean", 1},
    {"is_float", 1},
    {"is_function", 1},
    {"is_function", 2},
    {"is_integer", 1},
    {"is_list", 1},
    {"is_number", 1},
    {"is_pid", 1},
    {"is_port", 1},
    {"is_process_alive", 1},
    {"is_record", 2},
    {"is_record", 3},
    {"is_reference", 1},
    {"is_tuple", 1},
    {"length", 1},
    {"link", 1},
    {"list_to_atom", 1},
    {"list_to_binary", 1},
    {"list_to_bitstring", 1},
    {"list_to_existing_atom", 1},
    {"list_to_float", 1},
    {"list_to_integer", 1},
    {"list_to_pid", 1},
    {"list_to_tuple", 1},
    {"load_module", 2},
    {"make_ref", 0},
    {"module_loaded", 1},
    {"monitor_node", 2},
    {"node", 0},
    {"node", 1},
    {"nodes", 0},
    {"nodes", 1},
    {"now", 0},
    {"open_port", 2},
    {"pid_to_list", 1},
    {"port_close", 1},
    {"port_command", 2},
    {"port_connect", 2},
    {"port_control", 3},
    {"pre_loaded", 0},
    {"process_flag", 2},
    {"process_flag", 3},
    {"process_info", 1},
    {"process_info", 2},
    {"processes", 0},
    {"purge_module", 1},
    {"put", 2},
    {"register", 2},
    {"registered", 0},
    {"round", 1},
    {"self", 0},
    {"setelement", 3},
    {"size", 1},
    {"spawn", 1},
    {"spawn", 2},
    {"spawn", 3},
    {"spawn", 4},
    {"spawn_link", 1},
    {"spawn_link", 2},
    {"spawn_link", 3},
    {"spawn_link", 4},
    {"spawn_monitor", 1},
    {"spawn_monitor", 3},
    {"spawn_opt", 2},
    {"spawn_opt", 3},
    {"spawn_opt", 4},
    {"spawn_opt", 5},
    {"split_binary", 2},
    {"statistics", 1},
    {"term_to_binary", 1},
    {"term_to_binary", 2},
    {"throw", 1},
    {"time", 0},
    {"tl", 1},
    {"trunc", 1},
    {"tuple_size", 1},
    {"tuple_to_list", 1},
    {"unlink", 1},
    {"unregister", 1},
    {"whereis", 1},
};

bool lint_is_old_builtin(const Lint *l, const FunctionInfo *f)
{
    const char *name = names_text(&l->c->names, f->name);
    for (size_t i = 0; i < ARRAY_LEN(old_builtins); i++)
        if (old_builtins[i].arity == f->arity && strcmp(old_builtins[i].name, name) == 0)
            return true;
    return false;
}

FunctionInfo *lint_function(Lint *l, NameId name, uint32_t arity)
{
    bool added;
    HtabValue *value = htab_put(&l->functions, lint_key(name, arity), &added);
    if (!added) return value->ptr;
    FunctionInfo *f = ARENA_NEW(l->arena, FunctionInfo);
    value->ptr = f;
    f->name = name;
    f->arity = arity;
    VEC_IN_ARENA(&f->calls, l->arena);
    VEC_IN_ARENA(&f->records, l->arena);
    f->builtin =
        builtin_kind(names_text(&l->c->names, name), names_size(&l->c->names, name), arity);
    VEC_PUSH(&l->function_list, f);
    return f;
}

bool lint_is_broken(const Lint *l, NameId name) { return htab_find(&l->broken, name) != NULL; }

bool lint_is_local(const FunctionInfo *f) { return f->form != NULL; }

static bool auto_import_suppressed(const Lint *l, const FunctionInfo *f)
{
    return l->no_auto_import_all || f->no_auto_import;
}

bool lint_is_builtin(const Lint *l, const FunctionInfo *f)
{
    return !f->form && f->imported_from == NAME_NONE && f->builtin != BUILTIN_NONE
           && !auto_import_suppressed(l, f);
}

/* Functions that every module has without writing them. */
static bool is_given(const FunctionInfo *f)
{
    return (f->name == NAME_MODULE_INFO && f->arity <= 1)
           || (f->name == NAME_RECORD_INFO && f->arity == 2);
}

void lint_note_call(Lint *l, FunctionInfo *f, SrcPos pos)
{
    VEC_PUSH(&l->calls, (CallSite){f, pos});
    if (l->function)
        VEC_PUSH(&l->function->calls, f);
    else if (l->record)
        VEC_PUSH(&l->record->calls, f);
    else
        VEC_PUSH(&l->roots, f);
}

void lint_fun_local(Lint *l, const Ast *node)
{
    FunctionInfo *f = lint_function(l, node->v.pair.name, node->v.pair.second);
    if (f->name == NAME_RECORD_INFO && f->arity == 2) {
        LINT_REPORT(l, DIAG_RECORD_INFO, node->pos);
        return;
    }
    if (!f->form && f->builtin != BUILTIN_NONE && !auto_import_suppressed(l, f)) return;
    lint_note_call(l, f, node->pos);
}

/* record_info(fields | size, Name) */
static void call_record_info(Lint *l, const Ast *call)
{
    const AstList *args = &call->call.args;
    if (args->at[0]->kind != AST_ATOM || args->at[1]->kind != AST_ATOM) {
        LINT_REPORT(l, DIAG_RECORD_INFO, call->pos);
    } else if (args->at[0]->v.name != NAME_FIELDS && args->at[0]->v.name != NAME_SIZE) {
        LINT_REPORT(l, DIAG_RECORD_INFO, args->at[0]->pos);
    } else {
        lint_record_use(l, args->at[1]->v.name, call->pos);
    }
}

/* is_record(Term, name): true when that is what it is. */
static bool call_is_record(Lint *l, const Ast *call)
{
    const AstList *args = &call->call.args;
    if (args->n != 2 || args->at[1]->kind != AST_ATOM) return false;
    lint_expr(l, args->at[0]);
    lint_record_use(l, args->at[1]->v.name, args->at[1]->pos);
    return true;
}

static void call_local(Lint *l, const Ast *call)
{
    const AstList *args = &call->call.args;
    NameId name = call->call.callee->v.name;
    if (name == NAME_IS_RECORD && call_is_record(l, call)) return;
    lint_sibling_list(l, args);
    FunctionInfo *f = lint_function(l, name, args->n);
    if (lint_is_builtin(l, f)) return;
    if (f->imported_from != NAME_NONE) {
        f->import_used = true;
        lint_format_call(l, call, f->imported_from, name);
    } else if (name == NAME_RECORD_INFO && args->n == 2) {
        call_record_info(l, call);
    } else {
        bool clash = f->builtin != BUILTIN_NONE && !auto_import_suppressed(l, f)
                     && l->enabled[OPT_BIF_CLASH];
        if (clash)
            LINT_REPORT(l, lint_is_old_builtin(l, f) ? DIAG_BIF_CLASH_OLD : DIAG_BIF_CLASH,
                        call->pos, name, (int)args->n, name, name, (int)args->n);
        if (f != l->function) lint_note_call(l, f, call->pos);
    }
}

static void call_remote(Lint *l, const Ast *call)
{
    const Ast *module = call->call.callee->remote.module;
    const Ast *function = call->call.callee->remote.function;
    const AstList *args = &call->call.args;
    if (module->kind == AST_ATOM && function->kind == AST_ATOM) {
        NameId name = function->v.name;
        bool in_erlang = module->v.name == NAME_ERLANG;
        if (in_erlang && name == NAME_IS_RECORD && call_is_record(l, call)) return;
        if (in_erlang && name == NAME_LOAD_NIF && args->n == 2) l->calls_load_nif = true;
        lint_format_call(l, call, module->v.name, name);
        lint_sibling_list(l, args);
        return;
    }
    VarMark mark = vars_mark(l);
    lint_sibling(l, mark, module, lint_expr);
    lint_sibling(l, mark, function, lint_expr);
    for (uint32_t i = 0; i < args->n; i++) lint_sibling(l, mark, args->at[i], lint_expr);
    lint_siblings_end(l, mark);
}

/* Can a value of this kind be called? */
static bool may_be_called(const Ast *callee)
{
    switch (callee->kind) {
    case AST_CHAR:
    case AST_INT:
    case AST_BIGINT:
    case AST_FLOAT:
    case AST_STRING:
    case AST_LIST:
    case AST_NIL:
    case AST_LC:
    case AST_RECORD_INDEX: return false;
    case AST_TUPLE: return callee->tuple.items.n == 2;
    default: return true;
    }
}

void lint_call(Lint *l, const Ast *call)
{
    const Ast *callee = call->call.callee;
    const AstList *args = &call->call.args;
    if (args->n > 255) LINT_REPORT(l, DIAG_TOO_MANY_ARGUMENTS, call->pos, (int)args->n);
    if (callee->kind == AST_ATOM) {
        call_local(l, call);
        return;
    }
    if (callee->kind == AST_REMOTE) {
        call_remote(l, call);
        return;
    }
    if (!may_be_called(callee)) LINT_REPORT(l, DIAG_CALL_INVALID, call->pos);
    VarMark mark = vars_mark(l);
    lint_sibling(l, mark, callee, lint_expr);
    for (uint32_t i = 0; i < args->n; i++) lint_sibling(l, mark, args->at[i], lint_expr);
    lint_siblings_end(l, mark);
}

/* After the whole file: what is undefined, what is unused. */

static void report_undefined(Lint *l)
{
    VEC_EACH (CallSite, site, &l->calls) {
        FunctionInfo *f = site->function;
        if (f->form || is_given(f) || lint_is_broken(l, f->name)) continue;
        LINT_REPORT(l, DIAG_FUNCTION_UNDEFINED, site->pos, f->name, (int)f->arity);
        lint_hint_function(l, f->name, f->arity);
    }
}

typedef VEC(FunctionInfo *) FunctionStack;

static void reach(FunctionStack *stack, FunctionInfo *f)
{
    if (f->reached) return;
    f->reached = true;
    VEC_PUSH(stack, f);
}

static void report_unused(Lint *l)
{
    if (l->export_all || !l->enabled[OPT_UNUSED_FUNCTION] || l->broken.count > 0) return;
    FunctionStack stack = {0};
    VEC_EACH (FunctionInfo *, root, &l->roots) reach(&stack, *root);
    VEC_EACH (FunctionInfo *, f, &l->function_list) {
        bool entry = l->file->is_script && (*f)->name == NAME_MAIN && (*f)->arity <= 1;
        if ((*f)->exported || entry) reach(&stack, *f);
    }
    while (stack.count > 0) {
        FunctionInfo *f = VEC_POP(&stack);
        VEC_EACH (FunctionInfo *, called, &f->calls) reach(&stack, *called);
        VEC_EACH (RecordInfo *, record, &f->records) {
            if ((*record)->reached) continue;
            (*record)->reached = true;
            VEC_EACH (FunctionInfo *, called, &(*record)->calls) reach(&stack, *called);
        }
    }
    VEC_FREE(&stack);
    VEC_EACH (FunctionInfo *, item, &l->function_list) {
        const FunctionInfo *f = *item;
        if (f->form && !f->reached && !f->nowarn_unused)
            LINT_REPORT(l, DIAG_FUNCTION_UNUSED, f->form->pos, f->name, (int)f->arity);
    }
}

void lint_check_functions(Lint *l)
{
    report_undefined(l);
    if (!(l->options && l->options->is_shell)) report_unused(l);
    VEC_EACH (FunctionInfo *, item, &l->function_list) {
        const FunctionInfo *f = *item;
        if (f->imported_from != NAME_NONE && !f->import_used)
            LINT_WARN(l, OPT_UNUSED_IMPORT, DIAG_IMPORT_UNUSED, f->import_pos, f->imported_from,
                      f->name, (int)f->arity);
    }
}
