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
        while (code_export(t, atom_from(v->module->name), atom_from(f->name), f->arity) == NULL)
            mem_insist(t->mem, sizeof(Export));
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
    codetab_free_version(context, at);
}

static void upgrade_drop(CodeTable *t, ModuleVersion *v)
{
    upgrade_undefine_funs(v);
    codetab_drop_version(t, v);
    epoch_retire_shared(t->epoch, upgrade_release_version, t, v);
}

void upgrade_unstage(CodeTable *t, ModuleVersion *v)
{
    Module *m = v->module;
    lock_take(&t->lock);
    m->staged = NULL;
    v->failed_next = m->failed;
    m->failed = v;
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

/* ---- purging ---- */

ModuleVersion *upgrade_victim(const Module *m)
{
    return m->failed != NULL ? m->failed : m->old;
}

static void upgrade_purge_stop(Module *m)
{
    if (m->purging) upgrade_redefine_funs(upgrade_victim(m));
    m->purging = false;
}

void upgrade_purge_prepare(CodeTable *t, Module *m)
{
    lock_take(&t->lock);
    /* Left half-way by a code server that was killed. */
    if (t->purging != NULL && t->purging != m) upgrade_purge_stop(t->purging);
    t->purging = m;
    const ModuleVersion *v = upgrade_victim(m);
    m->purging = v != NULL;
    if (m->purging) upgrade_undefine_funs(v);
    lock_drop(&t->lock);
}

void upgrade_purge_abort(CodeTable *t, Module *m)
{
    lock_take(&t->lock);
    upgrade_purge_stop(m);
    lock_drop(&t->lock);
}

LiteralRange upgrade_purge_mark(CodeTable *t, Module *m)
{
    LiteralRange range = area_range(t->area);
    lock_take(&t->lock);
    ModuleVersion *v = upgrade_victim(m);
    t->leaving = v;
    lock_drop(&t->lock);
    if (v == NULL) return range;
    range.leaving_start = (const Word *)(const void *)v;
    range.leaving_end = range.leaving_start + v->block_bytes / sizeof(Word) + 1;
    return range;
}

LiteralRange upgrade_purge(CodeTable *t, Module *m)
{
    lock_take(&t->lock);
    ModuleVersion *v = upgrade_victim(m);
    if (m->failed != NULL)
        m->failed = v->failed_next;
    else
        m->old = NULL;
    m->purging = false;
    t->leaving = NULL;
    upgrade_drop(t, v);
    lock_drop(&t->lock);
    return area_range(t->area);
}
