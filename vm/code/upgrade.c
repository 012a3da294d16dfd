#include "vm/code/upgrade.h"

#include <string.h>

static Export *upgrade_export_of(CodeTable *t, const ModuleVersion *v, uint32_t i)
{
    const CodeFunction *f = &v->functions[v->exports[i]];
    return code_export_find(t, atom_from(v->module->name), atom_from(f->name), f->arity);
}

static void upgrade_undefine_exports(CodeTable *t, const ModuleVersion *v)
{
    for (uint32_t i = 0; i < v->export_count; i++) {
        Export *e = upgrade_export_of(t, v, i);
        if (e != NULL && e->bif == 0) atomic_store_release(&e->entry, e->undefined_code);
    }
}

static void upgrade_define_exports(CodeTable *t, const ModuleVersion *v)
{
    for (uint32_t i = 0; i < v->export_count; i++) {
        Export *e = upgrade_export_of(t, v, i);
        if (e == NULL || e->bif != 0) continue; /* the built-in stays */
        const CodeFunction *f = &v->functions[v->exports[i]];
        /* Pairs with the acquire of every call through the cell. */
        atomic_store_release(&e->entry, v->code + 2 * (size_t)f->start);
    }
}

static void upgrade_define_funs(const ModuleVersion *v)
{
    for (uint32_t i = 0; i < v->lambda_count; i++) {
        const CodeFunction *f = &v->functions[v->lambda_functions[i]];
        atomic_store_release(&v->lambdas[i]->entry, v->code + 2 * (size_t)f->start);
    }
}

/* Export cells are made before the world stops, so that the step itself cannot fail. */
static void upgrade_make_exports(CodeTable *t, const ModuleVersion *v)
{
    for (uint32_t i = 0; i < v->export_count; i++) {
        const CodeFunction *f = &v->functions[v->exports[i]];
        Export *e = code_export(t, atom_from(v->module->name), atom_from(f->name), f->arity);
        CHECK(e != NULL);
    }
}

UpgradeResult upgrade_commit(CodeTable *t, ModuleVersion *v)
{
    Module *m = v->module;
    if (m->old != NULL && m->current != NULL) return UPGRADE_NOT_PURGED;
    upgrade_make_exports(t, v);
    lock_take(&t->lock);
    if (m->current != NULL) {
        upgrade_undefine_exports(t, m->current);
        m->old = m->current;
    }
    m->current = v;
    if (m->staged == v)
        m->staged = NULL;
    else
        codetab_add_version(t, v);
    upgrade_define_exports(t, v);
    upgrade_define_funs(v);
    lock_drop(&t->lock);
    return UPGRADE_DONE;
}

/* The number of the fun that stands for an -on_load function; no lambda has it. */
#define UPGRADE_ON_LOAD_INDEX UINT32_MAX

bool upgrade_stage(CodeTable *t, ModuleVersion *v, const FunEntry **entry)
{
    Module *m = v->module;
    FunKey key = {.module = atom_from(m->name), .index = UPGRADE_ON_LOAD_INDEX};
    memcpy(key.uniq, v->unique, sizeof key.uniq);
    const CodeFunction *f = &v->functions[v->on_load - 1];
    lock_take(&t->lock);
    bool free = m->staged == NULL;
    if (free) {
        m->staged = v;
        codetab_add_version(t, v);
        upgrade_define_funs(v);
        FunEntry *e = codetab_fun_locked(t, &key, 0, f->name);
        atomic_store_release(&e->entry, v->code + 2 * (size_t)f->start);
        *entry = e;
    }
    lock_drop(&t->lock);
    return free;
}

/* Funs of a version that goes away have no code any more. */
static void upgrade_undefine_funs(const ModuleVersion *v)
{
    for (uint32_t i = 0; i < v->lambda_count; i++) {
        FunEntry *e = v->lambdas[i];
        const Half *at = atomic_load_relaxed(&e->entry);
        if (at >= v->code && at < v->code + 2 * (size_t)v->code_units)
            atomic_store_release(&e->entry, e->gone_code);
    }
}

/* The other way round: entries that are gone lead to this version. */
static void upgrade_redefine_funs(const ModuleVersion *v)
{
    for (uint32_t i = 0; i < v->lambda_count; i++) {
        FunEntry *e = v->lambdas[i];
        if (atomic_load_relaxed(&e->entry) != e->gone_code) continue;
        const CodeFunction *f = &v->functions[v->lambda_functions[i]];
        atomic_store_release(&e->entry, v->code + 2 * (size_t)f->start);
    }
}

static void upgrade_release_version(void *context, void *at)
{
    codetab_retire_version(context, at);
}

static void upgrade_drop(CodeTable *t, ModuleVersion *v)
{
    upgrade_undefine_funs(v);
    codetab_drop_version(t, v);
    epoch_retire_shared(t->epoch, upgrade_release_version, t, v);
}

void upgrade_unstage(CodeTable *t, ModuleVersion *v)
{
    lock_take(&t->lock);
    v->module->staged = NULL;
    upgrade_drop(t, v);
    lock_drop(&t->lock);
}

void upgrade_purge_prepare(CodeTable *t, Module *m)
{
    lock_take(&t->lock);
    m->purging = m->old != NULL;
    if (m->purging) upgrade_undefine_funs(m->old);
    lock_drop(&t->lock);
}

void upgrade_purge_abort(CodeTable *t, Module *m)
{
    lock_take(&t->lock);
    if (m->purging) upgrade_redefine_funs(m->old);
    m->purging = false;
    lock_drop(&t->lock);
}

UpgradeState upgrade_state(CodeTable *t, Term module)
{
    lock_take(&t->lock);
    const Module *m = codetab_find_module(t, atom_index(module));
    UpgradeState state = m == NULL || (m->current == NULL && !m->purging) ? UPGRADE_STATE_ABSENT
                         : m->purging ? UPGRADE_STATE_PURGING
                                      : UPGRADE_STATE_LOADED;
    lock_drop(&t->lock);
    return state;
}

void upgrade_purge(CodeTable *t, Module *m)
{
    lock_take(&t->lock);
    ModuleVersion *v = m->old;
    m->old = NULL;
    m->purging = false;
    if (v != NULL) upgrade_drop(t, v);
    lock_drop(&t->lock);
}

bool upgrade_delete(CodeTable *t, Module *m)
{
    if (m->old != NULL) return false;
    lock_take(&t->lock);
    if (m->current != NULL) upgrade_undefine_exports(t, m->current);
    m->old = m->current;
    m->current = NULL;
    lock_drop(&t->lock);
    return true;
}
