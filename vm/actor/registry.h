/*
 * Registered names.  Looking up takes no lock; changes take the registry's.
 * A name held by a dying process counts as free (machine.md 18).  docs/design/signals.md.
 */
#pragma once

#include "vm/base/epoch.h"
#include "vm/proc/process.h"

typedef struct Registry Registry;

Registry *registry_new(Mem *mem, Epoch *epoch);
void registry_delete(Registry *r);

typedef enum RegistryResult {
    REGISTRY_DONE,
    REGISTRY_TAKEN,
    REGISTRY_HAS_NAME,
    REGISTRY_NO_PROCESS
} RegistryResult;

/* The caller is under the epoch rule. */
MUST_USE RegistryResult registry_add(RunContext *rc, Term name, Term pid);
/* False: nobody has that name. */
MUST_USE bool registry_remove(RunContext *rc, Term name);
/* The pid of the living process with that name, or TERM_NONE. */
Term registry_find(RunContext *rc, Term name);
/* The name of a process, or TERM_NONE. */
Term registry_name_of(RunContext *rc, Term pid);
/* p dies: its name is free. */
void registry_forget(RunContext *rc, Process *p);
/* All names, newest first, as a list; TERM_NONE if memory is refused. */
Term registry_names(RunContext *rc, Heap *h);
