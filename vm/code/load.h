/*
 * From a module file to code that runs: one block of resolved code and data (machine.md 14).
 *
 * load_prepare does all the work aside and changes nothing that others see; upgrade_commit
 * publishes a prepared version in one step, to be called while no other thread runs code of
 * this VM (sched_run_exclusive) or under the table's lock before there are any.  Design page:
 * docs/design/loader.md.
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

/* The name that a file is of, as an atom index; false: it is no module file. */
MUST_USE bool load_module_name(CodeTable *t, const LoadSource *source, Term *name,
                               LoadError *error);
/* The hash of its code (ModuleVersion.unique); false: it is no module file. */
MUST_USE bool load_module_unique(CodeTable *t, const LoadSource *source, uint8_t unique[16]);
