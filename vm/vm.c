#include "vm/vm.h"

#include "vm/actor/alarm.h"
#include "vm/actor/arrival.h"
#include "vm/actor/exit.h"
#include "vm/actor/report.h"
#include "vm/actor/spawn.h"
#include "vm/base/env.h"
#include "vm/bif/bif_code.h"
#include "vm/bif/bif_ets.h"
#include "vm/bif/bif_folder.h"
#include "vm/bif/bif_process.h"
#include "vm/code/stubs.h"
#include "vm/ets/ets_directory.h"
#include "vm/ets/persist.h"
#include "vm/interp/interp.h"
#include "vm/interp/trace.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/proc/stretch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- hooks ---- */

#define VM_HEAP_TRACE 8 /* frames in a report about a heap that is too large */

/* The program ends when its main process does, by itself or by a signal. */
static void vm_exit_begun(RunContext *run, Process *p, Term reason)
{
    Vm *vm = run->vm;
    if (!term_same(p->pid, vm->main_pid)) return;
    bool failed = !term_same(reason, TERM_ATOM(NORMAL));
    if (failed) atomic_store_release(&vm->main_failed, true);
    if (failed && !vm->main_reported) report_signal(run, p, reason);
    sched_halt(vm->sched, failed ? 1 : 0);
}

static const ExitHooks vm_exit_hooks = {.begun = vm_exit_begun, .release = bif_ets_release};

/* p's code has come to an end. */
static SchedStop vm_ended(RunContext *run, Process *p, Term reason)
{
    exit_begin(run, p, reason);
    return SCHED_EXITED;
}

static SchedStop vm_crashed(RunContext *run, Process *p)
{
    bool is_exit = term_same(run->exc_class, TERM_ATOM(EXIT));
    bool is_main = term_same(p->pid, run->vm->main_pid);
    if (is_main) run->vm->main_reported = true;
    bool normal = is_exit && term_same(run->exc_reason, TERM_ATOM(NORMAL));
    if (!is_exit || (is_main && !normal))
        report_crash(run, p, run->exc_class, run->exc_reason, run->exc_trace);
    return vm_ended(run, p, run->exc_reason);
}

static void vm_heap_full(RunContext *run, Process *p, bool refused)
{
    if (term_same(p->pid, run->vm->main_pid)) run->vm->main_reported = true;
    Heap scratch;
    heap_init_detached(&scratch, run->mem);
    Term trace = trace_current(p, &scratch, VM_HEAP_TRACE);
    report_heap(run, p, refused, trace);
    heap_release(&scratch);
}

static SchedStop vm_run_process(RunContext *run, Process *p)
{
    raise_nothing(run);
    switch (interp_run(run, p)) {
    case RUN_SPENT: return SCHED_SPENT;
    case RUN_WAITING: return SCHED_WAITS;
    case RUN_ENDED: return vm_ended(run, p, TERM_ATOM(NORMAL));
    case RUN_CRASHED: return vm_crashed(run, p);
    case RUN_EXITING: return SCHED_EXITED;
    case RUN_KILLED: return vm_ended(run, p, run->exc_reason);
    }
    UNREACHABLE();
}

static bool vm_is_embedded(RunContext *run, Term module)
{
    const Vm *vm = run->vm;
    return vm->has_archive
           && archive_find(&vm->archive, atom_text(vm->atoms, module),
                           atom_length(vm->atoms, module))
                  != NULL;
}

static size_t vm_path_count(RunContext *run) { return run->vm->config.path_count; }
static const char *vm_path_at(RunContext *run, size_t i) { return run->vm->config.paths[i]; }
static size_t vm_argument_count(RunContext *run)
{
    return (size_t)run->vm->config.argument_count;
}
static const char *vm_argument_at(RunContext *run, size_t i)
{
    return run->vm->config.arguments[i];
}

static const CodeHooks vm_code_hooks = {.autoload = vm_autoload,
                                        .is_embedded = vm_is_embedded,
                                        .path_count = vm_path_count,
                                        .path_at = vm_path_at,
                                        .argument_count = vm_argument_count,
                                        .argument_at = vm_argument_at};

/* ---- code ---- */

typedef struct VmCommit {
    CodeTable *code;
    ModuleVersion *version;
    UpgradeResult result;
} VmCommit;

static void vm_commit_alone(void *context)
{
    VmCommit *c = context;
    c->result = upgrade_commit(c->code, c->version);
}

UpgradeResult vm_commit(RunContext *run, ModuleVersion *v)
{
    VmCommit c = {run->code, v, UPGRADE_DONE};
    sched_run_exclusive(run, vm_commit_alone, &c);
    return c.result;
}

static bool vm_is_loaded(RunContext *run, Term module)
{
    lock_take(&run->code->lock);
    const Module *m = codetab_find_module(run->code, atom_index(module));
    bool loaded = m != NULL && (m->current != NULL || m->old != NULL);
    lock_drop(&run->code->lock);
    return loaded;
}

bool vm_autoload(RunContext *run, Term module)
{
    Vm *vm = run->vm;
    if (!vm->has_archive || vm_is_loaded(run, module)) return false;
    const ArchiveEntry *e = archive_find(&vm->archive, atom_text(vm->atoms, module),
                                         atom_length(vm->atoms, module));
    if (e == NULL) return false;
    LoadSource source = {.bytes = e->bytes, .size = e->size, .trusted = true};
    LoadError error;
    ModuleVersion *v = load_prepare(vm->code, &source, &error);
    /* It is no process's fault that it was the first to need it. */
    for (int tries = 0; v == NULL && tries < 20; tries++) {
        mem_insist(vm->mem, e->size);
        v = load_prepare(vm->code, &source, &error);
    }
    if (v == NULL) PANIC("embedded module %s: %s", atom_text(vm->atoms, module), error.text);
    if (vm_commit(run, v) == UPGRADE_DONE) return true;
    load_discard(vm->code, v); /* somebody else was first */
    return true;
}

/* ---- boot ---- */

static void vm_make_sched(Vm *vm)
{
    const VmConfig *c = &vm->config;
    SchedConfig config = {
        .workers = (unsigned)c->schedulers,
        .process_limit = (size_t)c->max_processes,
        .seed = c->seed,
        .base = {.atoms = vm->atoms,
                 .mem = vm->mem,
                 .bifs = bif_functions,
                 .vm = vm,
                 .code_hooks = &vm_code_hooks,
                 .exit_hooks = &vm_exit_hooks,
                 .heap_full = vm_heap_full},
        .hooks = {.run = vm_run_process,
                  .signals = arrival_look,
                  .inspect = bif_inspect,
                  .trace = trace_current,
                  .check_code = bif_check_code_request,
                  .exit_step = exit_step,
                  .deliver = alarm_deliver},
    };
    if (CONFIG_STRESS) config.slice = 40;
    if (CONFIG_TSAN) config.slice = 400;
    vm->sched = sched_new(&config);
}

/* What needs the scheduler's epoch is made after it and handed to the workers then. */
static bool vm_make_code(Vm *vm)
{
    Sched *s = vm->sched;
    vm->registry = registry_new(vm->mem, s->epoch);
    vm->persist = persist_new(vm->mem, vm->atoms);
    vm->tables = ets_directory_new(vm->mem, s->epoch, vm->atoms, s->worker_count);
    vm->env = env_new(vm->mem, environ);
    vm->folder = file_folder_new(vm->mem);
    vm->code = codetab_new(vm->mem, s->epoch, vm->atoms);
    if (vm->code == NULL) return false;
    stubs_make(vm->code);
    s->hooks.process_end = vm->code->process_end;
    s->hooks.apply = vm->code->apply;
    s->hooks.apply_fun = vm->code->apply_fun;
    for (unsigned i = 0; i < s->worker_count; i++) {
        RunContext *run = &s->workers[i]->run;
        run->code = vm->code;
        run->literals = area_range(vm->code->area);
        run->registry = vm->registry;
        run->persist = vm->persist;
        run->tables = vm->tables;
        run->env = vm->env;
        run->folder = vm->folder;
    }
    return true;
}

Vm *vm_new(const VmConfig *config, const char **why)
{
    size_t budget = config->max_memory > 0 ? (size_t)config->max_memory : mem_default_budget();
    Mem *mem = mem_new(budget);
    Vm *vm = mem_alloc_zero(mem, MEM_MISC, sizeof *vm);
    vm->config = *config;
    vm->mem = mem;
    vm->main_pid = TERM_NONE;
    vm->atoms = atom_table_new(mem, (uint32_t)config->max_atoms);
    vm_make_sched(vm);
    if (!vm_make_code(vm)) {
        *why = "the system refuses the address range for code";
        vm_delete(vm);
        return NULL;
    }
    if (config->archive != NULL) {
        vm->has_archive =
            archive_open(&vm->archive, mem, config->archive, config->archive_size);
        if (!vm->has_archive) {
            *why = "the embedded standard library is damaged";
            vm_delete(vm);
            return NULL;
        }
    }
    return vm;
}

bool vm_start(Vm *vm, Term module, Term function, Term arguments)
{
    SpawnRequest r;
    spawn_request_init(&r);
    r.function = TERM_NONE;
    r.module = module;
    r.name = function;
    r.arguments = arguments;
    uint64_t monitor;
    return spawn_process(&vm->sched->workers[0]->run, NULL, &r, &vm->main_pid, &monitor)
           == SPAWN_DONE;
}

int vm_run(Vm *vm) { return sched_run(vm->sched); }

/* ---- shutdown ---- */

void vm_print_stats(const Vm *vm)
{
    for (int tag = 0; tag < MEM_TAG_COUNT; tag++)
        fprintf(stderr, "%-9s %12zu bytes in %9zu blocks\n", mem_tag_name((MemTag)tag),
                mem_used(vm->mem, (MemTag)tag), mem_blocks(vm->mem, (MemTag)tag));
    fprintf(stderr, "processes %12zu\n", proctab_count(vm->sched->processes));
    if (!CONFIG_DEBUG) return;
    Stretch longest = {0};
    for (unsigned i = 0; i < vm->sched->worker_count; i++)
        stretch_merge(&longest, &vm->sched->workers[i]->run.stretch);
    stretch_print(&longest, stderr);
}

void vm_print_trace_hash(const Vm *vm)
{
    fprintf(stderr, "trace-hash: %016" PRIx64 "\n", vm->sched->chance.hash);
}

void vm_delete(Vm *vm)
{
    Mem *mem = vm->mem;
    if (!sched_settle(vm->sched)) return; /* a job of a library still runs in this memory */
    exit_free_all(&vm->sched->workers[0]->run);
    if (vm->persist != NULL) persist_delete(vm->persist);
    if (vm->tables != NULL) ets_directory_delete(vm->tables);
    if (vm->env != NULL) env_delete(vm->env);
    if (vm->folder != NULL) file_folder_delete(vm->folder);
    if (vm->registry != NULL) registry_delete(vm->registry);
    if (!sched_delete(vm->sched)) return;
    if (vm->code != NULL) codetab_delete(vm->code);
    if (vm->has_archive) archive_close(&vm->archive);
    atom_table_delete(vm->atoms);
    mem_free(mem, MEM_MISC, vm, sizeof *vm);
    if (CONFIG_DEBUG)
        for (int tag = 0; tag < MEM_TAG_COUNT; tag++)
            if (mem_used(mem, (MemTag)tag) != 0)
                PANIC("%zu bytes of %s are left over", mem_used(mem, (MemTag)tag),
                      mem_tag_name((MemTag)tag));
    mem_delete(mem);
}
