/*
 * struct Vm: gathers the layers of one virtual machine, boots and stops them in
 * order, fills the hooks.
 *
 * Only the command and the public API see this struct; each layer below keeps its own state in its
 * own struct.  Several VMs can live in one process of the operating system.
 * Design page: docs/architecture.md.
 */
#pragma once

#include "vm/actor/registry.h"
#include "vm/code/archive.h"
#include "vm/code/codetab.h"
#include "vm/code/load.h"
#include "vm/code/upgrade.h"
#include "vm/sched/sched.h"

typedef struct VmConfig {
    int64_t max_memory;     /* bytes; 0: the default budget */
    int64_t max_atoms;      /* 0: the default */
    int64_t max_processes;  /* 0: the default */
    int64_t schedulers;     /* 0: one per core */
    int64_t seed;           /* < 0: none */
    const uint8_t *archive; /* the standard library; NULL: none */
    size_t archive_size;
    int argument_count; /* what init:get_plain_arguments/0 gives; borrowed */
    char *const *arguments;
    const char *const *paths; /* folders of modules, the first one wins; borrowed */
    size_t path_count;
    const struct CompilerHooks *compiler; /* NULL: this program has no compiler */
} VmConfig;

struct Vm {
    VmConfig config;
    Mem *mem;
    AtomTable *atoms;
    Sched *sched;
    CodeTable *code;
    Registry *registry;
    struct Persist *persist;
    struct EtsDirectory *tables;
    struct FileFolder *folder;
    struct Env *env;
    Archive archive;
    bool has_archive;
    Term main_pid; /* its end is the program's end; TERM_NONE: there is none */
    AtomicBool main_failed;
    bool main_reported; /* why it failed has been told; its worker's */
};

/* NULL: *why is a sentence for the user. */
Vm *vm_new(const VmConfig *config, const char **why);

/* Makes `v` the current version of its module, with every worker at a safepoint. */
MUST_USE UpgradeResult vm_commit(RunContext *run, ModuleVersion *v);
/* Loads a module of the archive; false: there is none of that name, or it is loaded already. */
bool vm_autoload(RunContext *run, Term module);

/* Starts the main process: module:function(arguments).  Before vm_run; false: no memory. */
MUST_USE bool vm_start(Vm *vm, Term module, Term function, Term arguments);
/* Runs until the main process ends or somebody halts; the exit status. */
int vm_run(Vm *vm);

/* The accounting line of --stats and the trace hash, to standard error. */
void vm_print_stats(const Vm *vm);
void vm_print_trace_hash(const Vm *vm);

/* Frees it all.  Debug builds stop with a report if anything was left over. */
void vm_delete(Vm *vm);
