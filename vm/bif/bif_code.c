/* Built-ins about code: loading, what is loaded, modules' and funs' own data. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/bif_process.h"

#include "vm/code/load.h"
#include "vm/code/upgrade.h"
#include "vm/format/modfile.h"
#include "vm/format/tables.h"
#include "vm/proc/extra.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/codec.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"
#include "vm/term/tuple.h"

#include <string.h>

static BifResult bif_code_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* The current version of a module, or NULL. */
static ModuleVersion *bif_code_current(Process *p, Term module)
{
    CodeTable *t = p->run->code;
    lock_take(&t->lock);
    const Module *m = codetab_find_module(t, atom_index(module));
    ModuleVersion *v = m == NULL ? NULL : m->current;
    lock_drop(&t->lock);
    return v;
}

/* ---- loading ---- */

typedef struct BifCommit {
    CodeTable *code;
    ModuleVersion *version;
    UpgradeResult result;
} BifCommit;

static void bif_commit_alone(void *context)
{
    BifCommit *c = context;
    c->result = upgrade_commit(c->code, c->version);
}

static BifResult bif_load_error(Process *p, Term why)
{
    return bif_code_done(p, heap_tuple2(&p->heap, TERM_ATOM(ERROR), why));
}

/* A version with an -on_load function: {on_load, Fun}, and the rest is
 * erts_internal:finish_on_load/2. */
static BifResult bif_load_staged(Process *p, ModuleVersion *v)
{
    const FunEntry *entry;
    if (!upgrade_stage(p->run->code, v, &entry)) {
        load_discard(p->run->code, v);
        return bif_load_error(p, TERM_ATOM(ON_LOAD_FAILURE));
    }
    Term f = fun_make(&p->heap, entry, 0, NULL);
    return bif_code_done(p, term_is_none(f) ? f : heap_tuple2(&p->heap, TERM_ATOM(ON_LOAD), f));
}

static BifResult bif_load_publish(Process *p, ModuleVersion *v)
{
    BifCommit c = {p->run->code, v, UPGRADE_DONE};
    sched_run_exclusive(p->run, bif_commit_alone, &c);
    if (c.result == UPGRADE_DONE)
        return bif_code_done(p, heap_tuple2(&p->heap, TERM_ATOM(MODULE), arg(p, 0)));
    load_discard(p->run->code, v);
    return bif_load_error(p, TERM_ATOM(NOT_PURGED));
}

static BifResult bif_load_refused(Process *p, const LoadError *error)
{
    Term text = binary_from_text(&p->heap, error->text);
    Term why = term_is_none(text) ? TERM_NONE : heap_tuple2(&p->heap, TERM_ATOM(BADFILE), text);
    return term_is_none(why) ? raise_system_limit(p) : bif_load_error(p, why);
}

/* erts_internal:load_module(Name, Bytes, Path): {module, Name}, {on_load, Fun} or
 * {error, badfile | not_purged | on_load_failure | {badfile, Text}}. */
BifResult bif_load_module(Process *p)
{
    RunContext *run = p->run;
    if (!term_is_atom(arg(p, 0)) || !term_is_binary(arg(p, 1)) || !term_is_binary(arg(p, 2)))
        return raise_badarg(p);
    Bytes b = bif_bytes(p);
    Bytes path = bif_bytes(p);
    bool good = bif_binary_put(arg(p, 1), &b) && bif_binary_put(arg(p, 2), &path);
    bif_charge(p, (int64_t)(b.count / 16));
    LoadSource source = {.bytes = b.at,
                         .size = b.count,
                         .keep = true,
                         .path = (const char *)path.at,
                         .path_length = path.count};
    LoadError error = {""};
    ModuleVersion *v = good ? load_prepare(run->code, &source, &error) : NULL;
    bytes_free(&b);
    bytes_free(&path);
    if (v == NULL) return bif_load_refused(p, &error);
    if (v->module->name != atom_index(arg(p, 0))) {
        load_discard(run->code, v);
        return bif_load_error(p, TERM_ATOM(BADFILE));
    }
    return v->on_load != 0 ? bif_load_staged(p, v) : bif_load_publish(p, v);
}

/* erts_internal:finish_on_load(Module, Keep): makes the staged version current, or drops it. */
BifResult bif_finish_on_load(Process *p)
{
    CodeTable *t = p->run->code;
    if (!term_is_atom(arg(p, 0)) || !term_is_boolean(arg(p, 1))) return raise_badarg(p);
    lock_take(&t->lock);
    const Module *m = codetab_find_module(t, atom_index(arg(p, 0)));
    ModuleVersion *v = m == NULL ? NULL : m->staged;
    lock_drop(&t->lock);
    if (v == NULL) return raise_badarg(p);
    if (!term_same(arg(p, 1), TERM_TRUE)) {
        upgrade_unstage(t, v);
        return TERM_TRUE;
    }
    BifCommit c = {t, v, UPGRADE_DONE};
    sched_run_exclusive(p->run, bif_commit_alone, &c);
    if (c.result == UPGRADE_DONE) return TERM_TRUE;
    upgrade_unstage(t, v);
    return TERM_FALSE;
}

/* erts_internal:module_path(Module): where it was loaded from: text, or preloaded. */
BifResult bif_module_path(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    const ModuleVersion *v = bif_code_current(p, arg(p, 0));
    if (v == NULL || v->path == NULL) return TERM_ATOM(PRELOADED);
    return bif_code_done(p, list_from_utf8(&p->heap, v->path, v->path_length, TERM_NIL));
}

/* erts_internal:is_embedded(Module): is it in the executable? */
BifResult bif_is_embedded(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    return term_bool(p->run->code_hooks->is_embedded(p->run, arg(p, 0)));
}

/* erts_internal:code_path(): the folders named by -pa and MOTE_PATH, then the current one. */
BifResult bif_code_path(Process *p)
{
    const CodeHooks *hooks = p->run->code_hooks;
    Term dot = list_from_text(&p->heap, ".");
    Term list = term_is_none(dot) ? TERM_NONE : heap_cons(&p->heap, dot, TERM_NIL);
    for (size_t i = hooks->path_count(p->run); i > 0 && !term_is_none(list); i--) {
        const char *path = hooks->path_at(p->run, i - 1);
        Term text = list_from_utf8(&p->heap, (const uint8_t *)path, strlen(path), TERM_NIL);
        list = term_is_none(text) ? TERM_NONE : heap_cons(&p->heap, text, list);
    }
    return bif_code_done(p, list);
}

/* One fact of a module file; TERM_NONE: the bytes are none. */
typedef Term BifFileFact(Process *p, const LoadSource *source);

static BifResult bif_file_fact(Process *p, BifFileFact *fact)
{
    Bytes b = bif_bytes(p);
    if (!bif_binary_put(arg(p, 0), &b)) return raise_badarg(p);
    LoadSource source = {.bytes = b.at, .size = b.count};
    Term t = fact(p, &source);
    bytes_free(&b);
    return term_is_none(t) ? TERM_ATOM(UNDEFINED) : t;
}

static Term bif_fact_name(Process *p, const LoadSource *source)
{
    LoadError error;
    Term name;
    return load_module_name(p->run->code, source, &name, &error) ? name : TERM_NONE;
}

static Term bif_fact_md5(Process *p, const LoadSource *source)
{
    uint8_t unique[16];
    if (!load_module_unique(p->run->code, source, unique)) return TERM_NONE;
    return binary_from_bytes(&p->heap, unique, sizeof unique);
}

/* erts_internal:module_name_of(Bytes): the name a module file is of, or undefined. */
BifResult bif_module_name_of(Process *p) { return bif_file_fact(p, bif_fact_name); }

/* erts_internal:module_md5_of(Bytes): what Module:module_info(md5) says once it is
 * loaded, or undefined. */
BifResult bif_module_md5_of(Process *p) { return bif_file_fact(p, bif_fact_md5); }

/* erts_internal:autoload(Module): loads it from the executable if it is there;
 * true if it is loaded. */
BifResult bif_autoload(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    if (bif_code_current(p, arg(p, 0)) != NULL) return TERM_TRUE;
    return term_bool(p->run->code_hooks->autoload(p->run, arg(p, 0)));
}

typedef struct BifDelete {
    CodeTable *code;
    Module *module;
    bool done;
} BifDelete;

static void bif_delete_alone(void *context)
{
    BifDelete *d = context;
    d->done = upgrade_delete(d->code, d->module);
}

BifResult bif_delete_module(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    CodeTable *t = p->run->code;
    lock_take(&t->lock);
    Module *m = codetab_find_module(t, atom_index(arg(p, 0)));
    lock_drop(&t->lock);
    if (m == NULL || m->current == NULL) return TERM_ATOM(UNDEFINED);
    BifDelete d = {t, m, false};
    sched_run_exclusive(p->run, bif_delete_alone, &d);
    return d.done ? TERM_TRUE : raise_badarg(p);
}

BifResult bif_module_loaded(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    bool is_erlang =
        term_same(arg(p, 0), TERM_ATOM(ERLANG)); /* built-ins alone, and always there */
    return term_bool(is_erlang || bif_code_current(p, arg(p, 0)) != NULL);
}

BifResult bif_check_old_code(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    CodeTable *t = p->run->code;
    lock_take(&t->lock);
    const Module *m = codetab_find_module(t, atom_index(arg(p, 0)));
    bool old = m != NULL && m->old != NULL;
    lock_drop(&t->lock);
    return term_bool(old);
}

/* Names of all modules with current code. */
BifResult bif_loaded(Process *p)
{
    CodeTable *t = p->run->code;
    Term list = TERM_NIL;
    size_t cursor = 0;
    const HtabEntry *e;
    lock_take(&t->lock);
    while ((e = htab_next(&t->modules, &cursor)) != NULL && !term_is_none(list)) {
        const Module *m = e->value.ptr;
        if (m->current != NULL) list = heap_cons(&p->heap, atom_from(m->name), list);
    }
    lock_drop(&t->lock);
    return bif_code_done(p, list);
}

/* ---- exports ---- */

static bool bif_arity(Term t, uint32_t *arity)
{
    if (!term_is_small(t)) return false;
    bool no_arity = small_value(t) < 0 || small_value(t) > UINT32_MAX;
    *arity = no_arity ? UINT32_MAX : (uint32_t)small_value(t);
    return true;
}

BifResult bif_function_exported(Process *p)
{
    uint32_t arity;
    if (!term_is_atom(arg(p, 0)) || !term_is_atom(arg(p, 1)) || !bif_arity(arg(p, 2), &arity))
        return raise_badarg(p);
    const Export *e = code_export_find(p->run->code, arg(p, 0), arg(p, 1), arity);
    return term_bool(e != NULL && export_is_defined(e));
}

BifResult bif_is_builtin(Process *p)
{
    uint32_t arity;
    if (!term_is_atom(arg(p, 0)) || !term_is_atom(arg(p, 1)) || !bif_arity(arg(p, 2), &arity))
        return raise_badarg(p);
    const Export *e = code_export_find(p->run->code, arg(p, 0), arg(p, 1), arity);
    return term_bool(e != NULL && e->bif != 0);
}

BifResult bif_make_fun(Process *p)
{
    uint32_t arity;
    if (!term_is_atom(arg(p, 0)) || !term_is_atom(arg(p, 1)) || !bif_arity(arg(p, 2), &arity)
        || arity > 255)
        return raise_badarg(p);
    Export *e = code_export(p->run->code, arg(p, 0), arg(p, 1), arity);
    return e == NULL ? raise_system_limit(p) : bif_code_done(p, fun_make_export(&p->heap, e));
}

/* ---- module_info ---- */

static Term bif_name_arity(Process *p, uint32_t name, uint32_t arity)
{
    return heap_tuple2(&p->heap, atom_from(name), small_from((int64_t)arity));
}

static BifResult bif_module_exports(Process *p, const ModuleVersion *v)
{
    Term list = TERM_NIL;
    for (uint32_t i = v->export_count; i > 0; i--) {
        const CodeFunction *f = &v->functions[v->exports[i - 1]];
        Term pair = bif_name_arity(p, f->name, f->arity);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

static BifResult bif_module_functions(Process *p, const ModuleVersion *v)
{
    Term list = TERM_NIL;
    for (uint32_t i = v->function_count; i > 0; i--) {
        if (v->functions[i - 1].is_copy) continue;
        Term pair = bif_name_arity(p, v->functions[i - 1].name, v->functions[i - 1].shown);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

/* A section of the module's file that holds one term; [] if it is not there. */
static BifResult bif_module_section(Process *p, const ModuleVersion *v, size_t offset)
{
    Arena arena;
    ModFile file;
    const char *why;
    arena_init(&arena, p->run->mem, MEM_WORK);
    Term t = TERM_NIL;
    if (modfile_read_trusted(v->file_bytes, v->file_size, &arena, &file, &why) == MODFILE_OK) {
        const ModSpan *span = (const ModSpan *)(const void *)((const char *)&file + offset);
        CodecNode node = {.name = TERM_ATOM(NONODE_AT_NOHOST)};
        FunResolver funs = codetab_resolver(p->run->code);
        if (span->size > 0
            && codec_decode(&p->heap, p->run->atoms, node, span->at, span->size, &funs, false,
                            CODEC_PLAIN, &t, NULL)
                   != CODEC_OK)
            t = TERM_NIL;
    }
    arena_free(&arena);
    return t;
}

static BifResult bif_module_item(Process *p, const ModuleVersion *v, Term item)
{
    if (term_same(item, TERM_ATOM(MODULE))) return arg(p, 0);
    if (term_same(item, TERM_ATOM(EXPORTS))) return bif_module_exports(p, v);
    if (term_same(item, TERM_ATOM(FUNCTIONS))) return bif_module_functions(p, v);
    if (term_same(item, TERM_ATOM(NIFS))) return TERM_NIL;
    if (term_same(item, TERM_ATOM(MD5)))
        return bif_code_done(p, binary_from_bytes(&p->heap, v->unique, sizeof v->unique));
    if (term_same(item, TERM_ATOM(ATTRIBUTES)))
        return bif_module_section(p, v, offsetof(ModFile, attributes));
    if (term_same(item, TERM_ATOM(COMPILE)))
        return bif_module_section(p, v, offsetof(ModFile, compile_info));
    return raise_badarg(p);
}

BifResult bif_get_module_info_2(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    const ModuleVersion *v = bif_code_current(p, arg(p, 0));
    return v == NULL ? raise_badarg(p) : bif_module_item(p, v, arg(p, 1));
}

BifResult bif_get_module_info_1(Process *p)
{
    static const AtomName items[] = {ATOM_MODULE, ATOM_EXPORTS, ATOM_ATTRIBUTES, ATOM_COMPILE,
                                     ATOM_MD5};
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    const ModuleVersion *v = bif_code_current(p, arg(p, 0));
    if (v == NULL) return raise_badarg(p);
    Term list = TERM_NIL;
    for (size_t i = ARRAY_LEN(items); i > 0; i--) {
        Term value = bif_module_item(p, v, atom_from(items[i - 1]));
        if (term_is_none(value)) return TERM_NONE;
        Term pair = heap_tuple2(&p->heap, atom_from(items[i - 1]), value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

/* ---- funs ---- */

static Term bif_fun_environment(Process *p, Term f)
{
    if (term_is_kind(f, KIND_EXPORT_FUN)) return TERM_NIL;
    Term list = TERM_NIL;
    for (size_t i = fun_free_count(f); i > 0 && !term_is_none(list); i--)
        list = heap_cons(&p->heap, fun_free_at(f, i - 1), list);
    return list;
}

static Term bif_fun_name(Process *p, Term f)
{
    (void)p;
    if (term_is_kind(f, KIND_EXPORT_FUN)) return fun_export(f)->function;
    if (term_is_kind(f, KIND_REMOTE_FUN)) return TERM_NIL;
    return atom_from(((const FunEntry *)(const void *)fun_key(f))->function);
}

/* The value of a fun_info item; TERM_NIL with *known false for what this kind of fun lacks. */
static Term bif_fun_item(Process *p, Term f, Term item, bool *known)
{
    *known = true;
    bool external = term_is_kind(f, KIND_EXPORT_FUN);
    if (term_same(item, TERM_ATOM(MODULE))) return fun_module(f);
    if (term_same(item, TERM_ATOM(NAME))) return bif_fun_name(p, f);
    if (term_same(item, TERM_ATOM(ARITY))) return small_from((int64_t)fun_arity(f));
    if (term_same(item, TERM_ATOM(ENV))) return bif_fun_environment(p, f);
    if (term_same(item, TERM_ATOM(TYPE)))
        return external ? TERM_ATOM(EXTERNAL) : TERM_ATOM(LOCAL);
    if (external) {
        bool lacks = term_same(item, TERM_ATOM(INDEX)) || term_same(item, TERM_ATOM(UNIQ))
                     || term_same(item, TERM_ATOM(NEW_INDEX))
                     || term_same(item, TERM_ATOM(NEW_UNIQ)) || term_same(item, TERM_ATOM(PID));
        *known = lacks;
        return TERM_ATOM(UNDEFINED);
    }
    FunKey key = fun_key_of(f);
    if (term_same(item, TERM_ATOM(INDEX)) || term_same(item, TERM_ATOM(NEW_INDEX)))
        return small_from((int64_t)key.index);
    if (term_same(item, TERM_ATOM(UNIQ))) return small_from((int64_t)key.old_uniq);
    if (term_same(item, TERM_ATOM(NEW_UNIQ)))
        return binary_from_bytes(&p->heap, key.uniq, sizeof key.uniq);
    if (term_same(item, TERM_ATOM(PID))) return p->pid;
    *known = false;
    return TERM_NIL;
}

BifResult bif_fun_info_2(Process *p)
{
    bool known;
    if (!term_is_fun(arg(p, 0))) return raise_badarg(p);
    Term value = bif_fun_item(p, arg(p, 0), arg(p, 1), &known);
    if (!known) return raise_badarg(p);
    if (term_is_none(value)) return raise_system_limit(p);
    return bif_code_done(p, heap_tuple2(&p->heap, arg(p, 1), value));
}

BifResult bif_fun_info_1(Process *p)
{
    static const AtomName closure[] = {ATOM_PID,   ATOM_MODULE, ATOM_NEW_INDEX, ATOM_NEW_UNIQ,
                                       ATOM_INDEX, ATOM_UNIQ,   ATOM_NAME,      ATOM_ARITY,
                                       ATOM_ENV,   ATOM_TYPE};
    static const AtomName external[] = {ATOM_MODULE, ATOM_NAME, ATOM_ARITY, ATOM_ENV,
                                        ATOM_TYPE};
    Term f = arg(p, 0);
    if (!term_is_fun(f)) return raise_badarg(p);
    bool is_external = term_is_kind(f, KIND_EXPORT_FUN);
    const AtomName *items = is_external ? external : closure;
    size_t n = is_external ? ARRAY_LEN(external) : ARRAY_LEN(closure);
    Term list = TERM_NIL;
    while (n > 0) {
        bool known;
        n--;
        Term value = bif_fun_item(p, f, atom_from(items[n]), &known);
        Term pair =
            term_is_none(value) ? TERM_NONE : heap_tuple2(&p->heap, atom_from(items[n]), value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

BifResult bif_fun_info_mfa(Process *p)
{
    Term f = arg(p, 0);
    if (!term_is_fun(f)) return raise_badarg(p);
    return bif_code_done(p, heap_tuple3(&p->heap, fun_module(f), bif_fun_name(p, f),
                                        small_from((int64_t)fun_arity(f))));
}
