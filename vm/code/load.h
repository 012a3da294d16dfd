/*
 * From a module file to code that runs: one block of resolved code and data (machine.md 14).
 *
 * load_prepare does all the work aside and changes nothing that others see; load_commit publishes a
 * prepared version in one step, to be called while no other thread runs code of this VM (sched_run_exclusive)
 * or under the table's lock before there are any.  Design page: docs/design/loader.md.
 */
#pragma once

#include "vm/code/codetab.h"
#include "vm/format/modfile.h"

typedef struct LoadError {
    char text[256]; /* a sentence for the user */
} LoadError;

/* What load_prepare was asked for. */
typedef struct LoadSource {
    const uint8_t *bytes;
    size_t size;
    bool trusted; /* this build's own: neither checksum nor verifier */
    bool keep;    /* copy the bytes into the version (they go away); else they outlive the VM */
    const char *path; /* UTF-8, for code:which/1; copied; NULL: none */
    size_t path_length;
} LoadSource;

/* A version that nothing refers to yet; NULL: *error says why. Any thread. */
ModuleVersion *load_prepare(CodeTable *t, const LoadSource *source, LoadError *error);
/* Drops a version that was not committed. */
void load_discard(CodeTable *t, ModuleVersion *v);

typedef enum LoadResult {
    LOAD_DONE,
    LOAD_NOT_PURGED, /* there are two versions already */
} LoadResult;

/* Makes it the module's current version; what was current becomes old.  Exports of the version before
 * that it lacks become undefined in the same step.  Takes the lock. */
MUST_USE LoadResult load_commit(CodeTable *t, ModuleVersion *v);

/* A version with an -on_load function: its code can run, but nobody finds it by name until load_commit,
 * or load_unstage drops it again.  False: another one of the module is staged.  *entry is the function. */
MUST_USE bool load_stage(CodeTable *t, ModuleVersion *v, const FunEntry **entry);
void load_unstage(CodeTable *t, ModuleVersion *v);

/* Funs of the old code can no longer be called; a call waits (load_state) for what becomes of it. */
void load_purge_prepare(CodeTable *t, Module *m);
/* They can be again: the old code stays. */
void load_purge_abort(CodeTable *t, Module *m);

typedef enum LoadState {
    LOAD_STATE_ABSENT,  /* no current code */
    LOAD_STATE_LOADED,
    LOAD_STATE_PURGING, /* between load_purge_prepare and the end of that purge */
} LoadState;

/* What there is of a module now.  Takes the lock. */
LoadState load_state(CodeTable *t, Term module);

/* Old code is gone for good: no process runs it or holds terms of it (hot-code.md). */
void load_purge(CodeTable *t, Module *m);

/* The current version becomes old and its exports undefined (code:delete/1); false: there is old code. */
MUST_USE bool load_delete(CodeTable *t, Module *m);

/* The name that a file is of, as an atom index; false: it is no module file. */
MUST_USE bool load_module_name(CodeTable *t, const LoadSource *source, Term *name, LoadError *error);
/* The hash of its code (ModuleVersion.unique); false: it is no module file. */
MUST_USE bool load_module_unique(CodeTable *t, const LoadSource *source, uint8_t unique[16]);
