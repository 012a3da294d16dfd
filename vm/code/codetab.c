#include "vm/code/codetab.h"

#include <string.h>

#define CODE_AREA_BYTES ((size_t)64 << 30)
#define EXPORTS_FIRST   4096

/* Funs of equal hash. */
typedef struct FunNode {
    struct FunNode *next;
    FunEntry entry;
} FunNode;

static size_t export_table_bytes(size_t places)
{
    return sizeof(ExportTable) + places * sizeof(_Atomic(Export *));
}

static ExportTable *export_table_new(Mem *mem, size_t places)
{
    ExportTable *e = mem_alloc_zero(mem, MEM_CODE, export_table_bytes(places));
    e->mask = places - 1;
    return e;
}

static VersionList *version_list_new(Mem *mem, size_t count)
{
    VersionList *list =
        mem_alloc(mem, MEM_CODE, sizeof(VersionList) + 2 * count * sizeof(ModuleVersion *));
    list->count = count;
    return list;
}

static size_t version_list_bytes(const VersionList *list)
{
    return sizeof(VersionList) + 2 * list->count * sizeof(ModuleVersion *);
}

CodeTable *codetab_new(Mem *mem, Epoch *epoch, AtomTable *atoms)
{
    CodeArea *area = area_new(mem, CODE_AREA_BYTES);
    if (area == NULL) return NULL;
    CodeTable *t = mem_alloc_zero(mem, MEM_CODE, sizeof *t);
    lock_init(&t->lock, LOCK_RANK_CODE, "code");
    t->mem = mem;
    t->epoch = epoch;
    t->atoms = atoms;
    t->area = area;
    t->next_id = 1;
    atomic_store_relaxed(&t->versions, version_list_new(mem, 0));
    atomic_store_relaxed(&t->exports, export_table_new(mem, EXPORTS_FIRST));
    htab_init(&t->modules, mem, MEM_CODE);
    htab_init(&t->funs, mem, MEM_CODE);
    return t;
}

static void codetab_free_funs(CodeTable *t)
{
    size_t cursor = 0;
    const HtabEntry *e;
    while ((e = htab_next(&t->funs, &cursor)) != NULL) {
        for (FunNode *node = e->value.ptr, *next; node != NULL; node = next) {
            next = node->next;
            mem_free(t->mem, MEM_CODE, node, sizeof *node);
        }
    }
    htab_free(&t->funs);
}

static void codetab_free_exports(CodeTable *t)
{
    ExportTable *e = atomic_load_relaxed(&t->exports);
    for (size_t i = 0; i <= e->mask; i++)
        mem_free(t->mem, MEM_CODE, atomic_load_relaxed(&e->at[i]), sizeof(Export));
    mem_free(t->mem, MEM_CODE, e, export_table_bytes(e->mask + 1));
}

void codetab_delete(CodeTable *t)
{
    VersionList *list = atomic_load_relaxed(&t->versions);
    for (size_t i = 0; i < list->count; i++) codetab_free_version(t, list->by_address[i]);
    mem_free(t->mem, MEM_CODE, list, version_list_bytes(list));
    size_t cursor = 0;
    const HtabEntry *e;
    while ((e = htab_next(&t->modules, &cursor)) != NULL)
        mem_free(t->mem, MEM_CODE, e->value.ptr, sizeof(Module));
    htab_free(&t->modules);
    codetab_free_funs(t);
    codetab_free_exports(t);
    area_delete(t->area);
    lock_destroy(&t->lock);
    mem_free(t->mem, MEM_CODE, t, sizeof *t);
}

/* ---- modules ---- */

Module *codetab_module(CodeTable *t, uint32_t name)
{
    bool added;
    HtabValue *value = htab_put(&t->modules, name, &added);
    if (added) {
        Module *m = mem_alloc_zero(t->mem, MEM_CODE, sizeof *m);
        m->name = name;
        value->ptr = m;
    }
    return value->ptr;
}

Module *codetab_find_module(const CodeTable *t, uint32_t name)
{
    HtabValue *value = htab_find(&t->modules, name);
    return value == NULL ? NULL : value->ptr;
}

/* ---- versions by address and by id ---- */

static void version_list_release(void *context, void *at)
{
    CodeTable *t = context;
    mem_free(t->mem, MEM_CODE, at, version_list_bytes(at));
}

static void codetab_publish_versions(CodeTable *t, VersionList *list)
{
    VersionList *before = atomic_load_relaxed(&t->versions);
    /* Pairs with the acquire of readers in code_place and code_version. */
    atomic_store_release(&t->versions, list);
    epoch_retire_shared(t->epoch, version_list_release, t, before);
}

static ModuleVersion *const *version_list_ids(const VersionList *list)
{
    return list->by_address + list->count;
}

void codetab_add_version(CodeTable *t, ModuleVersion *v)
{
    const VersionList *before = atomic_load_relaxed(&t->versions);
    VersionList *list = version_list_new(t->mem, before->count + 1);
    size_t at = 0;
    while (at < before->count && before->by_address[at]->code < v->code) at++;
    memcpy(list->by_address, before->by_address, at * sizeof v);
    list->by_address[at] = v;
    memcpy(list->by_address + at + 1, before->by_address + at, (before->count - at) * sizeof v);
    ModuleVersion **ids = list->by_address + list->count;
    memcpy(ids, version_list_ids(before), before->count * sizeof v);
    ids[before->count] = v; /* ids only grow */
    codetab_publish_versions(t, list);
}

void codetab_drop_version(CodeTable *t, ModuleVersion *v)
{
    const VersionList *before = atomic_load_relaxed(&t->versions);
    VersionList *list = version_list_new(t->mem, before->count - 1);
    size_t by_address = 0;
    size_t by_id = list->count;
    for (size_t i = 0; i < before->count; i++)
        if (before->by_address[i] != v) list->by_address[by_address++] = before->by_address[i];
    for (size_t i = 0; i < before->count; i++)
        if (version_list_ids(before)[i] != v)
            list->by_address[by_id++] = version_list_ids(before)[i];
    ASSERT(by_address == list->count && by_id == 2 * list->count);
    codetab_publish_versions(t, list);
}

static const CodeFunction *version_function(const ModuleVersion *v, uint32_t unit)
{
    size_t low = 0;
    size_t n = v->function_count;
    while (n > 1) { /* the last function that starts at or before `unit` */
        size_t half = n / 2;
        if (v->functions[low + half].start <= unit) {
            low += half;
            n -= half;
        } else {
            n = half;
        }
    }
    const CodeFunction *f = &v->functions[low];
    return v->function_count > 0 && unit >= f->start && unit < f->end ? f : NULL;
}

const ModuleVersion *code_version_at(const CodeTable *t, const Half *at)
{
    /* Pairs with the release in codetab_publish_versions. */
    const VersionList *list = atomic_load_acquire(&t->versions);
    size_t low = 0;
    size_t n = list->count;
    while (n > 1) {
        size_t half = n / 2;
        if (list->by_address[low + half]->code <= at) {
            low += half;
            n -= half;
        } else {
            n = half;
        }
    }
    if (list->count == 0) return NULL;
    const ModuleVersion *v = list->by_address[low];
    return version_holds(v, at) ? v : NULL;
}

bool code_place(const CodeTable *t, const Half *at, CodePlace *out)
{
    out->version = code_version_at(t, at);
    if (out->version == NULL) return false;
    out->unit = version_unit(out->version, at);
    out->function = version_function(out->version, out->unit);
    return out->function != NULL;
}

const CodeFunction *code_function(const ModuleVersion *v, uint32_t unit)
{
    return version_function(v, unit);
}

const ModuleVersion *code_version(const CodeTable *t, uint32_t id)
{
    const VersionList *list = atomic_load_acquire(&t->versions);
    ModuleVersion *const *ids = version_list_ids(list);
    size_t low = 0;
    size_t n = list->count;
    while (n > 0) {
        size_t half = n / 2;
        if (ids[low + half]->id == id) return ids[low + half];
        if (ids[low + half]->id < id) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return NULL;
}

uint32_t code_line(const ModuleVersion *v, uint32_t unit, Term *file)
{
    size_t low = 0;
    size_t n = v->line_count;
    while (n > 0) { /* first row behind `unit` */
        size_t half = n / 2;
        if (v->lines[low + half].unit <= unit) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    if (low == 0 || v->lines[low - 1].line == 0) return 0;
    *file = v->files[v->lines[low - 1].file];
    return v->lines[low - 1].line;
}

/* ---- exports ---- */

static uint64_t export_hash(Term module, Term function, uint32_t arity)
{
    return htab_hash_number(module.w ^ htab_hash_number(function.w ^ htab_hash_number(arity)));
}

static bool export_has_key(const Export *e, Term module, Term function, uint32_t arity)
{
    return term_same(e->key.module, module) && term_same(e->key.function, function)
           && e->key.arity == arity;
}

Export *code_export_find(const CodeTable *t, Term module, Term function, uint32_t arity)
{
    /* Pairs with the release in code_export and export_table_grow. */
    ExportTable *table = atomic_load_acquire(&t->exports);
    for (size_t i = export_hash(module, function, arity);; i++) {
        Export *e = atomic_load_acquire(&table->at[i & table->mask]);
        if (e == NULL || export_has_key(e, module, function, arity)) return e;
    }
}

static void export_table_put(ExportTable *table, Export *e)
{
    size_t i = export_hash(e->key.module, e->key.function, e->key.arity);
    while (atomic_load_relaxed(&table->at[i & table->mask]) != NULL) i++;
    /* Pairs with the acquire in code_export_find. */
    atomic_store_release(&table->at[i & table->mask], e);
    atomic_add_relaxed(&table->count, 1);
}

static void export_table_release(void *context, void *at)
{
    CodeTable *t = context;
    mem_free(t->mem, MEM_CODE, at, export_table_bytes(((ExportTable *)at)->mask + 1));
}

static ExportTable *export_table_grow(CodeTable *t, ExportTable *table)
{
    ExportTable *larger = export_table_new(t->mem, 2 * (table->mask + 1));
    for (size_t i = 0; i <= table->mask; i++) {
        Export *e = atomic_load_relaxed(&table->at[i]);
        if (e != NULL) export_table_put(larger, e);
    }
    atomic_store_release(&t->exports, larger);
    epoch_retire_shared(t->epoch, export_table_release, t, table);
    return larger;
}

static Export *export_new(CodeTable *t, Term module, Term function, uint32_t arity)
{
    Export *e = mem_try_alloc(t->mem, MEM_CODE, sizeof *e);
    if (e == NULL) return NULL;
    memset(e, 0, sizeof *e);
    e->key = (ExportKey){module, function, arity};
    e->undefined_code[0] = OP_UNDEFINED;
    atomic_store_relaxed(&e->entry, e->undefined_code);
    return e;
}

Export *code_export(CodeTable *t, Term module, Term function, uint32_t arity)
{
    Export *e = code_export_find(t, module, function, arity);
    if (e != NULL) return e;
    lock_take(&t->lock);
    e = code_export_find(t, module, function, arity);
    if (e == NULL && (e = export_new(t, module, function, arity)) != NULL) {
        ExportTable *table = atomic_load_relaxed(&t->exports);
        if (atomic_load_relaxed(&table->count) * 2 >= table->mask)
            table = export_table_grow(t, table);
        export_table_put(table, e);
    }
    lock_drop(&t->lock);
    return e;
}

/* ---- funs ---- */

static uint64_t fun_hash(const FunKey *key)
{
    uint64_t seed = key->module.w ^ ((uint64_t)key->index << 32);
    return htab_hash_bytes(key->uniq, sizeof key->uniq, seed);
}

static bool fun_key_same(const FunKey *a, const FunKey *b)
{
    return term_same(a->module, b->module) && a->index == b->index && a->arity == b->arity
           && memcmp(a->uniq, b->uniq, sizeof a->uniq) == 0;
}

static FunEntry *fun_lookup(const CodeTable *t, const FunKey *key)
{
    HtabValue *value = htab_find(&t->funs, fun_hash(key));
    for (FunNode *node = value == NULL ? NULL : value->ptr; node != NULL; node = node->next)
        if (fun_key_same(&node->entry.key, key)) return &node->entry;
    return NULL;
}

FunEntry *codetab_fun_locked(CodeTable *t, const FunKey *key, uint32_t free_count,
                             uint32_t function)
{
    FunEntry *e = fun_lookup(t, key);
    if (e != NULL) return e;
    FunNode *node = mem_alloc_zero(t->mem, MEM_CODE, sizeof *node);
    node->entry.key = *key;
    node->entry.free_count = free_count;
    node->entry.function = function;
    node->entry.gone_code[0] = OP_FUN_GONE;
    atomic_store_relaxed(&node->entry.entry, node->entry.gone_code);
    HtabValue *value = htab_put(&t->funs, fun_hash(key), NULL);
    node->next = value->ptr;
    value->ptr = node;
    return &node->entry;
}

FunEntry *codetab_fun(CodeTable *t, const FunKey *key, uint32_t free_count, uint32_t function)
{
    lock_take(&t->lock);
    FunEntry *e = codetab_fun_locked(t, key, free_count, function);
    lock_drop(&t->lock);
    return e;
}

FunEntry *codetab_fun_find(CodeTable *t, const FunKey *key)
{
    lock_take(&t->lock);
    FunEntry *e = fun_lookup(t, key);
    lock_drop(&t->lock);
    return e;
}

static const void *codetab_resolve_export(void *context, Term module, Term function,
                                          uint32_t arity, bool only_existing)
{
    if (only_existing) return code_export_find(context, module, function, arity);
    return code_export(context, module, function, arity);
}

static const void *codetab_resolve_fun(void *context, const FunKey *key, size_t n)
{
    const FunEntry *e = codetab_fun_find(context, key);
    return e != NULL && e->free_count == n ? e : NULL;
}

FunResolver codetab_resolver(CodeTable *t)
{
    return (FunResolver){t, codetab_resolve_export, codetab_resolve_fun};
}

/* ---- the end of a version ---- */

void codetab_free_version(CodeTable *t, ModuleVersion *v)
{
    heap_drop_handles(v->handles);
    mem_free(t->mem, MEM_CODE, v->image, v->file_size);
    arena_free(&v->tables);
    lock_take(&t->lock);
    area_free(t->area, v, v->block_bytes);
    lock_drop(&t->lock);
}
