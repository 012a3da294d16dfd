/* Workers, signals, exits and timers together, with processes written in C instead of
 * bytecode: a process's first function name picks its role. */
#include "tests/unit/unit.h"

#include "vm/actor/alarm.h"
#include "vm/actor/arrival.h"
#include "vm/actor/exit.h"
#include "vm/actor/registry.h"
#include "vm/actor/send.h"
#include "vm/actor/signal.h"
#include "vm/actor/spawn.h"
#include "vm/proc/extra.h"
#include "vm/proc/state.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"

#include <unistd.h>

typedef struct World {
    Mem *mem;
    AtomTable *atoms;
    Registry *registry;
    Sched *sched;
    AtomicU64 done;
    AtomicU64 wrong;
    uint64_t size;
    Rng rng;
} World;

static World *world_of(RunContext *rc) { return (World *)(void *)rc->vm; }

/* What is in r2: the argument list. */
static Term argument(Process *p, size_t i)
{
    Term list = slot(p, 2);
    while (i-- > 0) list = list_tail(list);
    return list_head(list);
}

static Term start(RunContext *rc, Process *parent, AtomName role, size_t n,
                  const Term *arguments, bool link, uint64_t *monitor)
{
    SpawnRequest r;
    Heap h;
    heap_init_detached(&h, rc->mem);
    spawn_request_init(&r);
    r.module = TERM_ATOM(MODULE);
    r.name = atom_from(role);
    r.arguments = TERM_NIL;
    for (size_t i = n; i > 0; i--) r.arguments = heap_cons(&h, arguments[i - 1], r.arguments);
    r.link = link;
    r.monitor = monitor != NULL;
    Term pid = TERM_NONE;
    if (spawn_process(rc, parent, &r, &pid, monitor) != SPAWN_DONE) pid = TERM_NONE;
    heap_release(&h);
    return pid;
}

/* The next message, accepted; TERM_NONE: wait, or (if *stop is EXITED) end. */
static Term next_message(RunContext *rc, Process *p, SchedStop *stop)
{
    *stop = SCHED_WAITS;
    Message *m = mailbox_peek(&p->mailbox);
    if (m == NULL) {
        *stop = arrival_fetch(rc, p);
        if (*stop != SCHED_GOES) return TERM_NONE;
        *stop = SCHED_WAITS;
        m = mailbox_peek(&p->mailbox);
    }
    if (m == NULL) return TERM_NONE;
    Term value = m->value;
    mailbox_accept(&p->mailbox, &p->heap);
    rc->reductions -= 50;
    return value;
}

static SchedStop end_normally(RunContext *rc, Process *p, AtomName reason)
{
    exit_begin(rc, p, atom_from(reason));
    return SCHED_EXITED;
}

static void say(Process *p, Term to, Term message)
{
    if (send_message(p, to, message) != SEND_DONE)
        atomic_add_relaxed(&world_of(p->run)->wrong, 1);
}

/* ---- a ring: each node hands on what it gets; `stop` ends it ---- */

static SchedStop run_node(RunContext *rc, Process *p)
{
    SchedStop stop;
    for (Term m; !term_is_none(m = next_message(rc, p, &stop));) {
        say(p, argument(p, 0), m);
        if (term_is_the_atom(m, ATOM_STOP)) return end_normally(rc, p, ATOM_NORMAL);
        if (rc->reductions <= 0) return SCHED_SPENT;
    }
    return stop;
}

#define RING_NODES 50

static SchedStop run_ring(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    if (p->extra == NULL) {
        Term next = p->pid;
        for (int i = 0; i < RING_NODES; i++)
            next = start(rc, p, ATOM_LINK, 1, &next, false, NULL);
        extra_get(p)->label = next;
        say(p, next, small_from(0));
    }
    SchedStop stop;
    for (Term m; !term_is_none(m = next_message(rc, p, &stop));) {
        if (term_is_the_atom(m, ATOM_STOP)) {
            sched_halt(w->sched, 7);
            return end_normally(rc, p, ATOM_NORMAL);
        }
        int64_t n = small_value(m) + 1;
        atomic_add_relaxed(&w->done, 1);
        say(p, p->extra->label, (uint64_t)n < w->size ? small_from(n) : TERM_ATOM(STOP));
    }
    return stop;
}

/* ---- a storm: workers link to each other, watch each other, kill each other ---- */

/* To the end, however many slices it takes. */
static void storm_exit(Process *p, Term other, Term reason)
{
    while (!signal_exit(p, other, reason)) {
    }
}

static void storm_act(Process *p, Term what, Term other)
{
    switch (atom_of(what)) {
    case ATOM_LINK:
        if (!signal_link(p, other)) say(p, p->pid, TERM_ATOM(STOP));
        break;
    case ATOM_EXIT: signal_unlink(p, other); break;
    case ATOM_MONITOR: (void)signal_monitor(p, other, TERM_NONE, 0, NULL); break;
    case ATOM_KILL: storm_exit(p, other, TERM_ATOM(KILL)); break;
    default: storm_exit(p, other, what);
    }
}

/* Messages: {What, Pid}, `stop`, or what signals became. */
static SchedStop run_stormer(RunContext *rc, Process *p)
{
    SchedStop stop;
    if (term_is_the_atom(argument(p, 0), ATOM_TRAP_EXIT))
        atomic_or_relaxed(&p->state, STATE_TRAP_EXIT);
    for (Term m; !term_is_none(m = next_message(rc, p, &stop));) {
        if (term_is_the_atom(m, ATOM_STOP)) return end_normally(rc, p, ATOM_NORMAL);
        if (term_is_tuple_of(m, 2)) storm_act(p, tuple_at(m, 0), tuple_at(m, 1));
        if (rc->reductions <= 0) return SCHED_SPENT;
    }
    return stop;
}

static const AtomName storm_acts[] = {ATOM_LINK,   ATOM_LINK, ATOM_MONITOR, ATOM_EXIT,
                                      ATOM_NORMAL, ATOM_KILL, ATOM_ERROR};

static void storm_begin(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    Term *pids = malloc(w->size * sizeof *pids);
    for (uint64_t i = 0; i < w->size; i++) {
        uint64_t monitor;
        Term trap = rng_below(&w->rng, 3) == 0 ? TERM_ATOM(TRAP_EXIT) : TERM_NIL;
        pids[i] = start(rc, p, ATOM_MONITOR, 1, &trap, false, &monitor);
    }
    for (uint64_t i = 0; i < w->size * 10; i++) {
        Term from = pids[rng_below(&w->rng, w->size)];
        Term to = pids[rng_below(&w->rng, w->size)];
        uint64_t act = rng_below(&w->rng, i < w->size * 5 ? 4 : ARRAY_LEN(storm_acts));
        Heap h;
        heap_init_detached(&h, rc->mem);
        say(p, from, heap_tuple2(&h, atom_from(storm_acts[act]), to));
        uint64_t number;
        if (rng_below(&w->rng, 20) == 0
            && alarm_start(p, from, chance_now_ns(&w->sched->chance) + 50000000,
                           TERM_ATOM(STOP), true, &number)
                   != PARCEL_DONE)
            atomic_add_relaxed(&w->wrong, 1);
        heap_release(&h);
    }
    for (uint64_t i = 0; i < w->size; i++) say(p, pids[i], TERM_ATOM(STOP));
    free(pids);
}

/* Ends when a DOWN has come from each of them. */
static SchedStop run_storm(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    if (p->extra == NULL) {
        extra_get(p);
        storm_begin(rc, p);
    }
    SchedStop stop;
    for (Term m; !term_is_none(m = next_message(rc, p, &stop));) {
        if (!term_is_tuple_of(m, 5) || !term_is_the_atom(tuple_at(m, 0), ATOM_DOWN)) {
            atomic_add_relaxed(&w->wrong, 1);
            continue;
        }
        Process *dead = proctab_find(rc->processes, tuple_at(m, 3));
        if (dead != NULL && (atomic_load_acquire(&dead->state) & STATE_EXITING) == 0)
            atomic_add_relaxed(&w->wrong, 1);
        if (atomic_add_relaxed(&w->done, 1) + 1 == w->size) {
            sched_halt(w->sched, 7);
            return end_normally(rc, p, ATOM_NORMAL);
        }
    }
    return stop;
}

/* ---- sleepers: receive with a time-out, several times ---- */

static SchedStop run_sleeper(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    uint64_t now = chance_now_ns(&w->sched->chance);
    if (sched_timeout_over(p)) {
        sched_timeout_cancel(p);
        uint64_t due = (uint64_t)small_value(extra_get(p)->label);
        if (now < due) atomic_add_relaxed(&w->wrong, 1);
        atomic_add_relaxed(&w->done, 1);
        extra_get(p)->suspend_count++;
        if (p->extra->suspend_count == 5) return end_normally(rc, p, ATOM_NORMAL);
    }
    if (!sched_timeout_active(p)) {
        uint64_t due = now + (uint64_t)small_value(argument(p, 0)) * 100000;
        extra_get(p)->label = small_from((int64_t)due);
        sched_timeout_start(p, due);
    }
    return SCHED_WAITS;
}

static SchedStop run_sleep(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    if (p->extra == NULL) {
        extra_get(p);
        for (uint64_t i = 0; i < w->size; i++) {
            Term ms = small_from((int64_t)(i % 97 + 1));
            uint64_t monitor;
            start(rc, p, ATOM_TIMEOUT, 1, &ms, false, &monitor);
        }
    }
    SchedStop stop;
    for (Term m; !term_is_none(m = next_message(rc, p, &stop));) {
        if (++p->extra->collections < w->size) continue;
        sched_halt(w->sched, 7);
        return end_normally(rc, p, ATOM_NORMAL);
    }
    return stop;
}

/* ---- blocking jobs ---- */

typedef struct TestJob {
    Job job;
    World *world;
    uint64_t result;
} TestJob;

static void test_job_release(Counted *c) { free(c); }

static void test_job_run(Job *job)
{
    TestJob *t = (TestJob *)(void *)job;
    t->result = 42;
}

static SchedStop run_blocker(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    ProcessExtra *x = extra_get(p);
    /* An aligned address looks like a small integer: nobody minds it there. */
    if (!term_is_small(x->label)) {
        TestJob *t = calloc(1, sizeof *t);
        t->job.counted = (Counted){.references = 1, .release = test_job_release};
        t->job.run = test_job_run;
        t->job.holds_heap = p->pid.w >> 4 & 1;
        t->world = w;
        x->label = TERM_RAW((Word)(uintptr_t)t);
        blocking_submit(w->sched->blocking, p, &t->job);
        return SCHED_WAITS;
    }
    TestJob *t = (TestJob *)(uintptr_t)x->label.w;
    if (!job_done(&t->job)) return SCHED_WAITS;
    if (t->result != 42) atomic_add_relaxed(&w->wrong, 1);
    x->label = TERM_NONE;
    counted_drop(&t->job.counted);
    if (atomic_add_relaxed(&w->done, 1) + 1 == w->size) sched_halt(w->sched, 7);
    return end_normally(rc, p, ATOM_NORMAL);
}

static SchedStop run_block(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    for (uint64_t i = 0; i < w->size; i++) start(rc, p, ATOM_IO, 0, NULL, false, NULL);
    return end_normally(rc, p, ATOM_NORMAL);
}

/* ---- running alone ---- */

static void alone(void *context)
{
    World *w = context;
    uint64_t before = atomic_load_relaxed(&w->done);
    atomic_store_relaxed(&w->done, before + 1);
    if (atomic_load_relaxed(&w->done) != before + 1) atomic_add_relaxed(&w->wrong, 1);
}

static SchedStop run_loner(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    ProcessExtra *x = extra_get(p);
    sched_run_exclusive(rc, alone, w);
    rc->reductions = 0;
    if (++x->collections < 20) return SCHED_SPENT;
    return end_normally(rc, p, ATOM_NORMAL);
}

static SchedStop run_alone(RunContext *rc, Process *p)
{
    World *w = world_of(rc);
    if (p->extra == NULL) {
        extra_get(p);
        for (uint64_t i = 0; i < w->size; i++) {
            uint64_t monitor;
            start(rc, p, ATOM_LOCAL, 0, NULL, false, &monitor);
        }
    }
    SchedStop stop;
    for (Term m; !term_is_none(m = next_message(rc, p, &stop));) {
        if (++p->extra->collections < w->size) continue;
        sched_halt(w->sched, 7);
        return end_normally(rc, p, ATOM_NORMAL);
    }
    return stop;
}

/* ---- the world ---- */

static SchedStop run_role(RunContext *rc, Process *p)
{
    switch (atom_of(process_call_function(p->initial_call))) {
    case ATOM_LINK: return run_node(rc, p);
    case ATOM_MESSAGES: return run_ring(rc, p);
    case ATOM_MONITOR: return run_stormer(rc, p);
    case ATOM_MONITORS: return run_storm(rc, p);
    case ATOM_TIMEOUT: return run_sleeper(rc, p);
    case ATOM_SECONDS: return run_sleep(rc, p);
    case ATOM_IO: return run_blocker(rc, p);
    case ATOM_PORT: return run_block(rc, p);
    case ATOM_LOCAL: return run_loner(rc, p);
    case ATOM_GLOBAL: return run_alone(rc, p);
    default: return end_normally(rc, p, ATOM_ERROR);
    }
}

static bool take_all(RunContext *rc, Process *p, size_t *budget)
{
    (void)rc;
    (void)p;
    (void)budget;
    return true;
}

/* Runs one world to its end; returns its trace hash. */
static uint64_t run_world(AtomName role, uint64_t size, unsigned workers, int64_t seed,
                          uint64_t wanted)
{
    static const ExitHooks exits = {.release = take_all};
    World w = {.size = size};
    w.mem = mem_new(0);
    w.atoms = atom_table_new(w.mem, 0);
    rng_seed(&w.rng, 1);
    SchedConfig config = {.workers = workers, .seed = seed, .process_limit = 100000};
    config.base.mem = w.mem;
    config.base.atoms = w.atoms;
    void *self = &w;
    config.base.vm = self;
    config.base.exit_hooks = &exits;
    config.hooks = (SchedHooks){.run = run_role,
                                .signals = arrival_fetch,
                                .exit_step = exit_step,
                                .deliver = alarm_deliver};
    w.sched = sched_new(&config);
    w.registry = registry_new(w.mem, w.sched->epoch);
    for (unsigned i = 0; i < w.sched->worker_count; i++)
        w.sched->workers[i]->run.registry = w.registry;
    RunContext *rc = &w.sched->workers[0]->run;
    Term main_pid = start(rc, NULL, role, 0, NULL, false, NULL);
    EXPECT(!term_is_none(main_pid));
    EXPECT_EQ(sched_run(w.sched), 7);
    EXPECT_EQ(atomic_load_relaxed(&w.done), wanted);
    EXPECT_EQ(atomic_load_relaxed(&w.wrong), 0);
    uint64_t hash = w.sched->chance.hash;
    EXPECT(exit_free_all(rc));
    EXPECT_EQ(proctab_count(w.sched->processes), 0);
    registry_delete(w.registry);
    EXPECT(sched_delete(w.sched));
    atom_table_delete(w.atoms);
    for (int tag = 0; tag < MEM_TAG_COUNT; tag++)
        if (mem_blocks(w.mem, (MemTag)tag) != 0 || mem_used(w.mem, (MemTag)tag) != 0)
            unit_fail(__FILE__, __LINE__, mem_tag_name((MemTag)tag));
    mem_delete(w.mem);
    return hash;
}

static void run_everywhere(AtomName role, uint64_t size, uint64_t wanted)
{
    run_world(role, size, 1, -1, wanted);
    run_world(role, size, 4, -1, wanted);
    uint64_t first = run_world(role, size, 1, 1, wanted);
    EXPECT_EQ(run_world(role, size, 1, 1, wanted), first);
    EXPECT(run_world(role, size, 1, 2, wanted) != first);
}

TEST(messages_go_round_a_ring)
{
    run_everywhere(ATOM_MESSAGES, UNIT_SIZE(500), UNIT_SIZE(500));
}

TEST(a_storm_leaves_nothing) { run_everywhere(ATOM_MONITORS, UNIT_SIZE(500), UNIT_SIZE(500)); }

TEST(timers_are_never_early)
{
    run_everywhere(ATOM_SECONDS, UNIT_SIZE(1000), 5 * UNIT_SIZE(1000));
}

TEST(blocking_jobs_come_back) { run_everywhere(ATOM_PORT, UNIT_SIZE(300), UNIT_SIZE(300)); }

TEST(exclusive_runs_are_alone)
{
    run_everywhere(ATOM_GLOBAL, UNIT_SIZE(50), 20 * UNIT_SIZE(50));
}
