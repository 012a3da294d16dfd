/* Versions of modules while the VM runs: from prepared (load.h) to current, to old, to gone.
 *
 * A commit is one step, to be called while no other thread runs code of this VM
 * (sched_run_exclusive) or before there are any.  Design page: docs/design/hot-code.md. */
#pragma once

#include "vm/code/codetab.h"

typedef enum UpgradeResult {
    UPGRADE_DONE,
    UPGRADE_NOT_PURGED, /* there are two versions already */
} UpgradeResult;

/* Makes it the module's current version; what was current becomes old.  Exports of the version
 * before that it lacks become undefined in the same step.  Takes the lock. */
MUST_USE UpgradeResult upgrade_commit(CodeTable *t, ModuleVersion *v);

/* A version with an -on_load function: its code can run, but nobody finds it by name until
 * upgrade_commit, or upgrade_unstage drops it again.  False: another one of the module is
 * staged.  *entry is the function. */
MUST_USE bool upgrade_stage(CodeTable *t, ModuleVersion *v, const FunEntry **entry);
/* It failed: processes may run its code and hold its literals, so it waits to be purged. */
void upgrade_unstage(CodeTable *t, ModuleVersion *v);

/* The version that a purge of the module is about: one whose -on_load function failed, else the
 * old one; NULL: there is none.  The caller holds the lock. */
ModuleVersion *upgrade_victim(const Module *m);

/* Funs of the victim can no longer be called; a call waits (upgrade_state)
 * for what becomes of it.  A purge of another module that was left half-way is over. */
void upgrade_purge_prepare(CodeTable *t, Module *m);
/* They can be again: the old code stays. */
void upgrade_purge_abort(CodeTable *t, Module *m);

typedef enum UpgradeState {
    UPGRADE_STATE_ABSENT, /* no current code */
    UPGRADE_STATE_LOADED,
    UPGRADE_STATE_PURGING, /* between upgrade_purge_prepare and the end of that purge */
} UpgradeState;

/* What there is of a module now.  Takes the lock. */
UpgradeState upgrade_state(CodeTable *t, Term module);

/* Literals of the victim are to be copied out of all memory from now on, those of any other
 * version no longer.  Gives what RunContext.literals must be: the caller hands it to all workers,
 * which stand still. */
LiteralRange upgrade_purge_mark(CodeTable *t, Module *m);
/* The victim is gone for good: no process runs it or holds terms of it (hot-code.md).  All workers
 * stand still and are given the result likewise; the block is freed after a quiescent period. */
LiteralRange upgrade_purge(CodeTable *t, Module *m);

/* The current version becomes old and its exports undefined (code:delete/1);
 * false: there is old code. */
MUST_USE bool upgrade_delete(CodeTable *t, Module *m);
