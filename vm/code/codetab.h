/*
 * The code table of a VM: modules, exports, fun entries, and which version a code address lies in.
 *
 * Readers (calls, traces, collectors) take no lock; what they see is replaced as a whole and
 * freed by quiescent states.  Writers hold `lock`.  Design page: docs/design/loader.md.
 */
#pragma once

#include "vm/base/epoch.h"
#include "vm/base/htab.h"
#include "vm/base/lock.h"
#include "vm/code/area.h"
#include "vm/code/module.h"

/* All versions there are, sorted by address; replaced as a whole. */
typedef struct VersionList {
    size_t count;
    ModuleVersion *by_address[]; /* then the same sorted by id */
} VersionList;

/* Exports by {module, function, arity}: open addressing, never more than half full, replaced
 * when it grows; entries are never removed. */
typedef struct ExportTable {
    size_t mask;
    AtomicU64 count;
    _Atomic(Export *) at[];
} ExportTable;

struct CodeTable {
    Lock lock;
    Mem *mem;
    Epoch *epoch;
    AtomTable *atoms;
    CodeArea *area;
    _Atomic(VersionList *) versions;
    _Atomic(ExportTable *) exports;
    Htab modules; /* by atom index; Module *; under lock */
    Htab funs;    /* by hash of FunKey; chains of FunNode; under lock */
    uint32_t next_id;
    ModuleVersion *stubs;
    Module *purging;         /* the module whose purge was prepared last */
    ModuleVersion *leaving;  /* its literals are being copied out of all memory; or NULL */
    const Half *process_end; /* descriptor of the first frame's return address */
    const Half *apply;
    const Half *apply_fun;
};

/* NULL when the system refuses the address range. */
CodeTable *codetab_new(Mem *mem, Epoch *epoch, AtomTable *atoms);
void codetab_delete(CodeTable *t);

/* The module record, made if absent. The caller holds the lock. */
Module *codetab_module(CodeTable *t, uint32_t name);
/* The same if it exists, else NULL. */
Module *codetab_find_module(const CodeTable *t, uint32_t name);

/* Makes a version findable by its addresses and id; takes it out again. The caller holds the
 * lock. */
void codetab_add_version(CodeTable *t, ModuleVersion *v);
void codetab_drop_version(CodeTable *t, ModuleVersion *v);

/* The entry of a fun with this key, made if absent (then without code: calling it
 * raises).  Takes the lock. */
FunEntry *codetab_fun(CodeTable *t, const FunKey *key, uint32_t free_count, uint32_t function);
/* The same with the lock held. */
FunEntry *codetab_fun_locked(CodeTable *t, const FunKey *key, uint32_t free_count,
                             uint32_t function);
/* The entry if it exists and has code. */
FunEntry *codetab_fun_find(CodeTable *t, const FunKey *key);

/* How the external format finds code. */
FunResolver codetab_resolver(CodeTable *t);

/* Frees a version's memory that nobody refers to: it was never published, the last literal of it
 * has been copied away (upgrade.h), or the VM ends. */
void codetab_free_version(CodeTable *t, ModuleVersion *v);
