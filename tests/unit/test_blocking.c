/* The blocking pool: threads, order, who is woken, which jobs are not wanted any more, the end.
 * Processes are written in C: a process's first function name picks its role. */
#include "tests/unit/unit.h"

#include "vm/actor/alarm.h"
#include "vm/actor/arrival.h"
#include "vm/actor/exit.h"
#include "vm/actor/registry.h"
#include "vm/actor/signal.h"
#include "vm/actor/spawn.h"
#include "vm/proc/extra.h"
#include "vm/proc/state.h"
#include "vm/sched/blocking.h"
#include "vm/term/pid.h"

#include <sched.h>

typedef struct World World;

typedef struct PoolJob {
    Job job; /* first */
    World *world;
} PoolJob;

struct World {
    Mem *mem;
    AtomTable *atoms;
    Registry *registry;
    Sched *sched;
    void (*run)(PoolJob *job); /* what jobs do */
    bool holds_heap;
    bool traps;         /* the processes trap exits */
    AtomName sent;      /* with this reason they get an exit signal; ATOM_OK: with none */
    uint64_t size;      /* processes, each with a job */
    AtomicU64 begun;    /* jobs */
    AtomicU64 ended;    /* jobs */
    AtomicU64 running;  /* jobs, now */
    AtomicU64 most;     /* that ran at once */
    AtomicU64 freed;    /* jobs */
    AtomicU64 answered; /* processes that have seen their job done */
    AtomicU64 wrong;
    AtomicBool go;
};

static World *world_of(RunContext *rc) { return (World *)(void *)rc->vm; }

/* ---- jobs ---- */

static void pool_job_release(Counted *object)
{
    PoolJob *t = (PoolJob *)(void *)object;
    atomic_add_relaxed(&t->world->freed, 1);
    free(t);
}

static void pool_job_run(Job *job)
{
    PoolJob *t = (PoolJob *)(void *)job;
    World *w = t->world;
    uint64_t number = atomic_add_relaxed(&w->begun, 1);
    if (w->size < 10 && number > job->number) atomic_add_relaxed(&w->wrong, 1);
    uint64_t now = atomic_add_relaxed(&w->running, 1) + 1;
    uint64_t most = atomic_load_relaxed(&w->most);
    while (now > most && !atomic_cas_relaxed(&w->most, &most, now)) continue;
    w->run(t);
    atomic_sub_acq_rel(&w->running, 1);
    atomic_add_relaxed(&w->ended, 1);
}

static void work_short(PoolJob *t)
{
    if (job_is_unwanted(&t->job)) atomic_add_relaxed(&t->world->wrong, 1);
    for (int i = 0; i < 10; i++) sched_yield();
}

static void work_until_unwanted(PoolJob *t)
{
    while (!job_is_unwanted(&t->job)) sched_yield();
}

static void work_until_go(PoolJob *t)
{
    while (!atomic_load_acquire(&t->world->go)) sched_yield();
    if (job_is_unwanted(&t->job)) atomic_add_relaxed(&t->world->wrong, 1);
}

static void work_until_go_whatever(PoolJob *t)
{
    while (!atomic_load_acquire(&t->world->go)) sched_yield();
}

/* ---- processes ---- */

static SchedStop end_normally(RunContext *rc, Process *p)
{
    exit_begin(rc, p, TERM_ATOM(NORMAL));
    return SCHED_EXITED;
}

/* A job of p's, which a handle on its heap keeps; its address stands behind the handle. */
static PoolJob *submit(World *w, Process *p)
{
    PoolJob *t = calloc(1, sizeof *t);
    t->job.counted = (Counted){.references = 1, .release = pool_job_release};
    t->job.run = pool_job_run;
    t->job.holds_heap = w->holds_heap;
    t->world = w;
    Word *at = heap_alloc(&p->heap, 4);
    at[0] = header_make(KIND_FOREIGN, 3);
    at[2] = (Word)(uintptr_t)&t->job.counted;
    at[3] = small_from(0).w;
    heap_add_handle(&p->heap, at, 0);
    blocking_submit(w->sched->blocking, p, &t->job);
    return t;
}

/* Submits a job and ends when it is done. */
static SchedStop run_asker(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    ProcessExtra *x = extra_get(p);
    if (!term_is_small(x->label)) {
        if (w->traps) atomic_or_acq_rel(&p->state, STATE_TRAP_EXIT);
        /* An aligned address looks like a small integer: nobody minds it there. */
        x->label = TERM_RAW((Word)(uintptr_t)submit(w, p));
        return SCHED_WAITS;
    }
    const PoolJob *t = (PoolJob *)(uintptr_t)x->label.w;
    if (!job_done(&t->job)) return SCHED_WAITS;
    x->label = TERM_NONE;
    atomic_add_relaxed(&w->answered, 1);
    return end_normally(rc, p);
}

static Term start(RunContext *rc, Process *parent, AtomName role)
{
    SpawnRequest r;
    spawn_request_init(&r);
    r.module = TERM_ATOM(MODULE);
    r.name = atom_from(role);
    r.arguments = TERM_NIL;
    r.monitor = parent != NULL;
    Term pid = TERM_NONE;
    uint64_t monitor;
    if (spawn_process(rc, parent, &r, &pid, &monitor) != SPAWN_DONE) pid = TERM_NONE;
    return pid;
}

/* Tells the only asker to die, once its job runs. */
static bool tell_asker(World *w, Process *p)
{
    if (w->sent == ATOM_OK) return true;
    if (atomic_load_relaxed(&w->begun) == 0) return false;
    while (!signal_exit(p, p->extra->label, atom_from(w->sent))) continue;
    atomic_store_release(&w->go, true);
    w->sent = ATOM_OK;
    return true;
}

/* Starts the askers and halts when all of them are gone. */
static SchedStop run_main(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    ProcessExtra *x = extra_get(p);
    if (x->collections == 0) {
        x->collections = 1;
        for (uint64_t i = 0; i < w->size; i++) x->label = start(rc, p, ATOM_IO);
    }
    if (!tell_asker(w, p)) {
        rc->reductions = 0;
        return SCHED_SPENT;
    }
    SchedStop stop = arrival_fetch(rc, p);
    if (stop != SCHED_GOES) return stop;
    while (mailbox_peek(&p->mailbox) != NULL) {
        mailbox_accept(&p->mailbox, &p->heap);
        x->collections++;
    }
    if (x->collections <= w->size) return SCHED_WAITS;
    sched_halt(w->sched, 7);
    return end_normally(rc, p);
}

/* Starts the askers and halts at once when so many jobs run as there are threads: one. */
static SchedStop run_hasty(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    ProcessExtra *x = extra_get(p);
    if (x->collections == 0) {
        x->collections = 1;
        for (uint64_t i = 0; i < w->size; i++) start(rc, NULL, ATOM_IO);
    }
    if (atomic_load_relaxed(&w->begun) == 0
        || blocking_pending(w->sched->blocking) + 1 < w->size) {
        rc->reductions = 0;
        return SCHED_SPENT;
    }
    sched_halt(w->sched, 7);
    return end_normally(rc, p);
}

static SchedStop run_role(RunContext *rc, Process *p)
{
    switch (atom_of(process_call_function(p->initial_call))) {
    case ATOM_IO: return run_asker(rc, p);
    case ATOM_PORT: return run_main(rc, p);
    default: return run_hasty(rc, p);
    }
}

/* ---- the world ---- */

static bool take_all(RunContext *rc, Process *p, size_t *budget)
{
    (void)rc;
    (void)p;
    (void)budget;
    return true;
}

static void world_open(World *w, unsigned threads, int64_t seed)
{
    static const ExitHooks exits = {.release = take_all};
    w->mem = mem_new(0);
    w->atoms = atom_table_new(w->mem, 0);
    SchedConfig config = {
        .workers = 2, .blocking_threads = threads, .seed = seed, .process_limit = 10000};
    config.base.mem = w->mem;
    config.base.atoms = w->atoms;
    void *self = w;
    config.base.vm = self;
    config.base.exit_hooks = &exits;
    config.hooks = (SchedHooks){.run = run_role,
                                .signals = arrival_fetch,
                                .exit_step = exit_step,
                                .deliver = alarm_deliver};
    w->sched = sched_new(&config);
    w->registry = registry_new(w->mem, w->sched->epoch);
    for (unsigned i = 0; i < w->sched->worker_count; i++)
        w->sched->workers[i]->run.registry = w->registry;
}

static void world_run(World *w, AtomName role)
{
    EXPECT(!term_is_none(start(&w->sched->workers[0]->run, NULL, role)));
    EXPECT_EQ(sched_run(w->sched), 7);
}

static void world_close(World *w)
{
    EXPECT(exit_free_all(&w->sched->workers[0]->run));
    registry_delete(w->registry);
    EXPECT(sched_delete(w->sched));
    atom_table_delete(w->atoms);
    EXPECT_EQ(mem_blocks(w->mem, MEM_SCHED), 0);
    EXPECT_EQ(mem_blocks(w->mem, MEM_PROCESS), 0);
    mem_delete(w->mem);
    EXPECT_EQ(atomic_load_relaxed(&w->freed), w->size);
    EXPECT_EQ(atomic_load_relaxed(&w->wrong), 0);
}

static void world_all(World *w, unsigned threads, int64_t seed)
{
    world_open(w, threads, seed);
    world_run(w, ATOM_PORT);
    world_close(w);
}

/* ---- tests ---- */

TEST(at_most_so_many_run_at_once)
{
    for (int held = 0; held < 2; held++) {
        World w = {
            .run = work_short, .size = UNIT_SIZE(200), .sent = ATOM_OK, .holds_heap = held};
        world_all(&w, 3, -1);
        EXPECT_EQ(atomic_load_relaxed(&w.answered), w.size);
        EXPECT(atomic_load_relaxed(&w.most) <= 3);
    }
}

TEST(one_thread_takes_them_in_order)
{
    World w = {.run = work_short, .size = 9, .sent = ATOM_OK};
    world_all(&w, 1, -1);
    EXPECT_EQ(atomic_load_relaxed(&w.most), 1);
    EXPECT_EQ(atomic_load_relaxed(&w.answered), 9);
}

TEST(with_a_seed_a_worker_runs_them)
{
    for (int64_t seed = 0; seed < 10; seed++) {
        World w = {.run = work_short, .size = 20, .sent = ATOM_OK, .holds_heap = seed % 2 != 0};
        world_all(&w, 0, seed);
        EXPECT_EQ(atomic_load_relaxed(&w.most), 1);
        EXPECT_EQ(atomic_load_relaxed(&w.answered), 20);
    }
}

TEST(a_job_of_the_dead_is_not_wanted)
{
    World w = {.run = work_until_unwanted, .size = 1, .sent = ATOM_KILL};
    world_all(&w, 1, -1);
    EXPECT_EQ(atomic_load_relaxed(&w.ended), 1);
    EXPECT_EQ(atomic_load_relaxed(&w.answered), 0);
}

TEST(a_job_that_holds_the_heap_stops_for_what_kills)
{
    AtomName reasons[] = {ATOM_KILL, ATOM_ERROR};
    for (size_t i = 0; i < 2; i++) {
        World w = {
            .run = work_until_unwanted, .size = 1, .sent = reasons[i], .holds_heap = true};
        world_all(&w, 1, -1);
        EXPECT_EQ(atomic_load_relaxed(&w.ended), 1);
        EXPECT_EQ(atomic_load_relaxed(&w.answered), 0);
    }
}

TEST(what_does_not_kill_does_not_stop_a_job)
{
    for (int traps = 0; traps < 2; traps++) {
        World w = {.run = work_until_go,
                   .size = 1,
                   .sent = traps ? ATOM_ERROR : ATOM_NORMAL,
                   .holds_heap = true,
                   .traps = traps};
        world_all(&w, 1, -1);
        EXPECT_EQ(atomic_load_relaxed(&w.answered), 1);
    }
}

TEST(at_the_end_jobs_that_look_stop_and_others_never_begin)
{
    World w = {.run = work_until_unwanted, .size = 5, .sent = ATOM_OK};
    world_open(&w, 1, -1);
    world_run(&w, ATOM_OK);
    EXPECT_EQ(atomic_load_relaxed(&w.begun), 1);
    EXPECT_EQ(atomic_load_relaxed(&w.ended), 1);
    world_close(&w);
}

TEST(a_job_that_does_not_stop_is_left_running)
{
    World w = {.run = work_until_go_whatever, .size = 1, .sent = ATOM_OK};
    world_open(&w, 1, -1);
    world_run(&w, ATOM_OK);
    EXPECT_EQ(atomic_load_relaxed(&w.ended), 0);
    EXPECT(!sched_settle(w.sched));
    EXPECT(!exit_free_all(&w.sched->workers[0]->run));
    EXPECT(!sched_delete(w.sched));
    atomic_store_release(&w.go, true);
    while (!sched_settle(w.sched)) sched_yield();
    EXPECT_EQ(atomic_load_relaxed(&w.ended), 1);
    world_close(&w);
}
