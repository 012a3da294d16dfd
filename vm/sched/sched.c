#include "vm/sched/sched.h"

#include "vm/proc/extra.h"
#include "vm/proc/stretch.h"
#include "vm/sched/balance.h"

#include <stdio.h>

/* A worker reads the clock after so many turns, or so many reductions. */
#define SCHED_CLOCK_TURNS      32
#define SCHED_CLOCK_REDUCTIONS 20000

/* Slices of the builds that look for races and lost roots. */
#if CONFIG_STRESS
#define SCHED_DEFAULT_SLICE 50
#elif CONFIG_TSAN
#define SCHED_DEFAULT_SLICE 500
#else
#define SCHED_DEFAULT_SLICE SCHED_SLICE
#endif

/* Worker numbers fill the low bits of a reference's number. */
#define SCHED_WORKER_BITS 10

/* ---- waking ---- */

static void sched_enqueue(Worker *w, Process *p, uint64_t state, RunHow how)
{
    size_t waiting = runq_push(&w->queue, p, state_priority(state), how);
    /* A process in `next` goes when the running one stops; what this worker cannot run at
     * once may interest others. */
    if (waiting > (w->run.current != NULL ? 0 : 1)) balance_wake_one(w->sched);
}

/* Sets `also`; takes p out of WAITING and queues it, else sets `otherwise` too. */
static void sched_rouse(RunContext *rc, Process *p, uint64_t also, uint64_t otherwise,
                        RunHow how)
{
    uint64_t state = atomic_load_seq(&p->state);
    for (;;) {
        bool take = state_status(state) == STATE_WAITING && (state & STATE_BLOCKED) == 0;
        uint64_t next = state | also;
        if (take)
            next = (next & ~(uint64_t)STATE_STATUS) | STATE_RUNNABLE;
        else
            next |= otherwise;
        if (next == state) return;
        /* Acquire: what the process did before it waited.  Release: for who runs it, and for
         * the owner who reads the flags. */
        if (!atomic_cas_seq(&p->state, &state, next)) continue;
        if (take) sched_enqueue(rc->worker, p, next, how);
        return;
    }
}

void sched_wake(RunContext *rc, Process *p) { sched_rouse(rc, p, 0, STATE_WAKE, RUNQ_WOKEN); }

void sched_notify(RunContext *rc, Process *p)
{
    sched_rouse(rc, p, 0, 0, rc->current != NULL ? RUNQ_NEXT : RUNQ_WOKEN);
}

void sched_unblock(RunContext *rc, Process *p)
{
    /* BLOCKED is set only by the owner and cleared only here, so two steps lose nothing. */
    atomic_and_acq_rel(&p->state, ~STATE_BLOCKED);
    sched_wake(rc, p);
}

void sched_start(RunContext *rc, Process *p)
{
    uint64_t state = atomic_load_relaxed(&p->state);
    for (;;) {
        ASSERT(state_status(state) == STATE_FREE);
        /* Others may find it already: they set flags. */
        if (atomic_cas_acq_rel(&p->state, &state, state | STATE_RUNNABLE)) break;
    }
    sched_enqueue(rc->worker, p, state, rc->current != NULL ? RUNQ_NEXT : RUNQ_WOKEN);
}

/* ---- running one process ---- */

/* RUNNABLE -> RUNNING; whatever woke it is looked at from here on. */
static uint64_t process_take(Process *p)
{
    uint64_t state = atomic_load_relaxed(&p->state);
    for (;;) {
        ASSERT(state_status(state) == STATE_RUNNABLE);
        uint64_t next = (state & ~(STATE_STATUS | STATE_WAKE)) | STATE_RUNNING;
        /* Acquire: the last owner's writes, and the waker's. */
        if (atomic_cas_acq_rel(&p->state, &state, next)) return next;
    }
}

/* RUNNING -> RUNNABLE, and into the queue. */
static void process_requeue(Worker *w, Process *p, RunHow how)
{
    uint64_t state = atomic_load_relaxed(&p->state);
    uint64_t next;
    do {
        next = (state & ~(uint64_t)STATE_STATUS) | STATE_RUNNABLE;
        /* Release: for who runs it next. */
    } while (!atomic_cas_acq_rel(&p->state, &state, next));
    sched_enqueue(w, p, next, how);
}

/* RUNNING -> WAITING, unless something happened meanwhile. */
static void process_wait(Worker *w, Process *p)
{
    uint64_t state = atomic_load_relaxed(&p->state);
    uint64_t next;
    do {
        bool woken = (state & (STATE_WAKE | STATE_TIMED_OUT | STATE_LOOK)) != 0;
        if (woken && (state & STATE_BLOCKED) == 0) {
            process_requeue(w, p, RUNQ_WOKEN);
            return;
        }
        next = (state & ~(uint64_t)STATE_STATUS) | STATE_WAITING;
        /* Sequentially consistent: then look at the inbox (state.h). */
    } while (!atomic_cas_seq(&p->state, &state, next));
    /* p may belong to somebody else already; its memory stays until this worker is
     * quiescent. */
    if (mailbox_has_outer(&p->mailbox)) sched_rouse(&w->run, p, 0, 0, RUNQ_WOKEN);
}

static SchedStop process_work(Worker *w, Process *p, uint64_t state)
{
    const SchedHooks *hooks = &w->sched->hooks;
    RunContext *rc = &w->run;
    SchedStop stop = SCHED_GOES;
    if ((state & STATE_EXITING) == 0) {
        /* A job works on the heap only while its process waits. */
        ASSERT((state & STATE_BLOCKED) == 0);
        if ((state & STATE_LOOK) != 0 || mailbox_has_outer(&p->mailbox) || extra_has_intake(p))
            stop = hooks->signals(rc, p);
        else if ((state & STATE_SUSPENDED) != 0)
            stop = SCHED_WAITS;
        if (stop == SCHED_GOES) stop = hooks->run(rc, p);
        if (stop != SCHED_EXITED) return stop;
    }
    return hooks->exit_step(rc, p);
}

/* Tests of the ways out when memory is refused: which allocation of this slice fails, if any. */
static void worker_refuse(Worker *w)
{
    uint64_t one_in = atomic_load_relaxed(&w->sched->refuse_one_in);
    Chance *chance = &w->sched->chance;
    if (one_in == 0) return;
    mem_refuse_after(
        w->run.mem,
        1 + (chance_seeded(chance) ? chance_pick(chance, one_in) : rng_below(&w->rng, one_in)));
}

static void worker_run(Worker *w, Process *p, bool inherits)
{
    Sched *s = w->sched;
    RunContext *rc = &w->run;
    uint64_t state = process_take(p);
    Term pid = p->pid;
    int64_t slice = rc->reductions;
    if (!inherits || slice <= 0)
        slice = chance_seeded(&s->chance) ? chance_slice(&s->chance) : s->slice;
    chance_note(&s->chance, CHANCE_SWITCH, pid.w, (uint64_t)slice);
    rc->slice = slice;
    rc->reductions = slice;
    rc->reductions_held = 0;
    rc->collections = 0;
    rc->current = p;
    p->run = rc;
    bool refused = CONFIG_DEBUG && (state & STATE_REFUSED) != 0;
    if (refused) worker_refuse(w);
    SchedStop stop = process_work(w, p, state);
    if (refused) mem_refuse_after(rc->mem, 0);
    rc->reductions += rc->reductions_held;
    rc->reductions_held = 0;
    if (CONFIG_DEBUG && stop != SCHED_EXITED) stretch_note_slice(rc, p, rc->reductions);
    uint64_t used = (uint64_t)(slice - rc->reductions);
    rc->current = NULL;
    /* Only this thread writes them. */
    atomic_store_relaxed(&w->reductions, atomic_load_relaxed(&w->reductions) + used);
    atomic_store_relaxed(&w->switches, atomic_load_relaxed(&w->switches) + 1);
    w->unclocked += used;
    chance_note(&s->chance, CHANCE_STOP, pid.w, used);
    if (chance_seeded(&s->chance)) chance_spend(&s->chance, used);
    if (stop == SCHED_EXITED) return;
    p->run = NULL;
    p->reductions += used;
    if (stop == SCHED_WAITS) {
        process_wait(w, p);
    } else {
        rc->reductions = 0;
        process_requeue(w, p, RUNQ_SPENT);
    }
}

/* ---- timers ---- */

static bool sched_deliver(void *context, Timer *t)
{
    Worker *w = context;
    chance_note(&w->sched->chance, CHANCE_TIMER, t->to.w, t->due_ns);
    if (t->kind == TIMER_MESSAGE) return w->sched->hooks.deliver(&w->run, t);
    Process *p = proctab_find(w->run.processes, t->to);
    if (p != NULL) sched_rouse(&w->run, p, STATE_TIMED_OUT, 0, RUNQ_WOKEN);
    return true;
}

/* Fires what is due in any wheel. */
static void worker_timers(Worker *w)
{
    Sched *s = w->sched;
    uint64_t now = chance_now_ns(&s->chance);
    for (unsigned i = 0; i < s->worker_count; i++) {
        TimerWheel *wheel = &s->workers[i]->wheel;
        if (timer_next_ns(wheel) <= now) timer_fire(wheel, now, sched_deliver, w);
    }
    w->unclocked = 0;
    w->turns = 0;
}

void sched_timeout_start(Process *p, uint64_t due_ns)
{
    ProcessExtra *x = extra_get(p);
    ASSERT(!x->timeout_active);
    if (x->receive_timer == NULL)
        x->receive_timer = mem_alloc_zero(p->heap.mem, MEM_TIMER, sizeof(Timer));
    x->timeout_active = true;
    timer_arm(&p->run->worker->wheel, x->receive_timer, p->pid, due_ns);
}

bool sched_timeout_active(const Process *p)
{
    return p->extra != NULL && p->extra->timeout_active;
}

bool sched_timeout_over(const Process *p)
{
    return (atomic_load_relaxed(&p->state) & STATE_TIMED_OUT) != 0;
}

void sched_timeout_cancel(Process *p)
{
    if (!sched_timeout_active(p)) return;
    ProcessExtra *x = p->extra;
    Sched *s = p->run->worker->sched;
    timer_disarm(&s->workers[x->receive_timer->wheel]->wheel, x->receive_timer);
    x->timeout_active = false;
    /* Nobody sets it after timer_disarm. */
    atomic_and_acq_rel(&p->state, ~STATE_TIMED_OUT);
}

void sched_timeout_free(Process *p)
{
    if (p->extra == NULL || p->extra->receive_timer == NULL) return;
    if (p->run != NULL) sched_timeout_cancel(p);
    mem_free(p->heap.mem, MEM_TIMER, p->extra->receive_timer, sizeof(Timer));
    p->extra->receive_timer = NULL;
}

/* ---- events and exclusive runs ---- */

void sched_post(Sched *s, SchedEvent *e)
{
    SchedEvent *newest = atomic_load_relaxed(&s->events);
    do {
        e->next = newest;
        /* Pairs with the acquire in worker_events; then the sleepers are looked at. */
    } while (!atomic_cas_seq(&s->events, &newest, e));
    balance_wake_one(s);
}

static void worker_events(Worker *w)
{
    Sched *s = w->sched;
    SchedEvent *newest = atomic_swap_acquire(&s->events, NULL);
    SchedEvent *oldest = NULL;
    while (newest != NULL) {
        SchedEvent *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        SchedEvent *e = oldest;
        oldest = e->next;
        e->run(&w->run, e);
    }
}

/* Stands still until the exclusive run is over. */
static void worker_park(Worker *w)
{
    Sched *s = w->sched;
    epoch_offline(w->epoch);
    lock_take(&s->lock);
    s->parked++;
    lock_broadcast(&s->cond);
    while (atomic_load_seq(&s->exclusive) != 0) lock_wait(&s->cond, &s->lock);
    s->parked--;
    lock_drop(&s->lock);
    epoch_online(w->epoch);
}

/* It stands still for good: an exclusive run that began meanwhile does not wait for it. */
static void worker_leave(Sched *s)
{
    lock_take(&s->lock);
    s->parked++;
    lock_broadcast(&s->cond);
    lock_drop(&s->lock);
}

/* Workers that stand still: parked, or asleep (they look at `exclusive` before they go on). */
static bool sched_stands_still(const Sched *s, const Worker *w)
{
    uint64_t still = s->parked;
    for (unsigned i = 0; i < s->worker_count; i++)
        if (s->workers[i] != w && atomic_load_seq(&s->workers[i]->asleep)) still++;
    return still >= s->worker_count - 1;
}

void sched_run_exclusive(RunContext *rc, void (*fn)(void *context), void *context)
{
    Worker *w = rc->worker;
    Sched *s = w->sched;
    lock_take(&s->lock);
    while (atomic_load_seq(&s->exclusive) != 0) {
        s->parked++;
        lock_broadcast(&s->cond);
        lock_wait(&s->cond, &s->lock);
        s->parked--;
    }
    atomic_store_seq(&s->exclusive, 1);
    /* A worker that has just decided to sleep does not signal: look again soon. */
    while (!sched_stands_still(s, w))
        lock_wait_until(&s->cond, &s->lock, clock_system_monotonic_ns() + 50000);
    lock_drop(&s->lock);
    fn(context);
    lock_take(&s->lock);
    atomic_store_seq(&s->exclusive, 0);
    lock_broadcast(&s->cond);
    lock_drop(&s->lock);
}

/* ---- the loop ---- */

/* With a seed and nobody ready: a job, or the next timer, or the world. */
static void seeded_idle(Worker *w)
{
    Sched *s = w->sched;
    size_t jobs = blocking_pending(s->blocking);
    if (jobs > 0) {
        blocking_run_one(s->blocking, chance_pick(&s->chance, jobs));
        return;
    }
    uint64_t next = timer_next_ns(&w->wheel);
    if (next == UINT64_MAX) {
        balance_sleep(w, UINT64_MAX);
        return;
    }
    clock_advance_to(&s->chance.clock, next);
    worker_timers(w);
}

static void worker_idle(Worker *w)
{
    Sched *s = w->sched;
    worker_timers(w);
    if (runq_length(&w->queue) > 0) return;
    if (chance_seeded(&s->chance)) {
        seeded_idle(w);
        return;
    }
    if (balance_steal(w)) {
        if (atomic_swap_seq(&s->searching, 0) != 0 && runq_length(&w->queue) > 1)
            balance_wake_one(s);
        return;
    }
    balance_sleep(w, timer_next_ns(&w->wheel));
}

static bool worker_clock_due(Worker *w)
{
    return chance_seeded(&w->sched->chance) || ++w->turns >= SCHED_CLOCK_TURNS
           || w->unclocked >= SCHED_CLOCK_REDUCTIONS;
}

static void worker_turn(Worker *w)
{
    Sched *s = w->sched;
    epoch_quiescent(w->epoch);
    if (UNLIKELY(atomic_load_seq(&s->exclusive) != 0)) worker_park(w);
    if (UNLIKELY(atomic_load_relaxed(&s->events) != NULL)) worker_events(w);
    if (worker_clock_due(w)) worker_timers(w);
    if (UNLIKELY(chance_seeded(&s->chance)) && blocking_pending(s->blocking) > 0
        && chance_pick(&s->chance, 4) == 0)
        blocking_run_one(s->blocking, chance_pick(&s->chance, blocking_pending(s->blocking)));
    bool inherits;
    Process *p = runq_pop(&w->queue, w->run.reductions > 0, &inherits);
    if (p != NULL)
        worker_run(w, p, inherits);
    else
        worker_idle(w);
}

static void worker_loop(Worker *w)
{
    /* Pairs with the release in sched_halt. */
    while (!atomic_load_acquire(&w->sched->stopping)) worker_turn(w);
    worker_leave(w->sched);
}

static void worker_thread(void *arg)
{
    Worker *w = arg;
    w->epoch = epoch_register(w->sched->epoch);
    worker_loop(w);
    epoch_unregister(w->epoch);
    w->epoch = NULL;
}

/* ---- start and stop ---- */

static Worker *worker_new(Sched *s, const SchedConfig *config, uint32_t index)
{
    Worker *w = mem_alloc_zero(s->mem, MEM_SCHED, sizeof *w);
    w->run = config->base;
    w->run.current = NULL;
    w->run.mem = s->mem;
    w->run.processes = s->processes;
    w->run.worker = w;
    w->sched = s;
    w->index = index;
    w->references = 1;
    rng_seed(&w->rng, index);
    runq_init(&w->queue, &s->chance);
    timer_wheel_init(&w->wheel, s->mem, index, chance_now_ns(&s->chance));
    lock_init(&w->sleep_lock, LOCK_RANK_SLEEP, "worker's sleep");
    lock_cond_init(&w->sleep_cond);
    return w;
}

Sched *sched_new(const SchedConfig *config)
{
    Sched *s = mem_alloc_zero(config->base.mem, MEM_SCHED, sizeof *s);
    s->mem = config->base.mem;
    s->hooks = config->hooks;
    s->slice = config->slice > 0 ? config->slice : SCHED_DEFAULT_SLICE;
    chance_init(&s->chance, config->seed);
    s->start_ns = chance_now_ns(&s->chance);
    s->time_offset_ns = (int64_t)(chance_wall_ns(&s->chance) - s->start_ns);
    s->epoch = epoch_new(s->mem);
    s->processes = proctab_new(s->mem, config->process_limit == 0 ? LIMIT_PROCESSES
                                                                  : config->process_limit);
    s->blocking = blocking_new(s, s->mem, config->blocking_threads);
    lock_init(&s->lock, LOCK_RANK_LEAF, "exclusive run");
    lock_cond_init(&s->cond);
    s->worker_count = config->workers > 0 ? config->workers : thread_cores();
    if (s->worker_count > 1u << SCHED_WORKER_BITS) s->worker_count = 1u << SCHED_WORKER_BITS;
    if (chance_seeded(&s->chance)) s->worker_count = 1;
    s->workers = mem_alloc_zero(s->mem, MEM_SCHED, s->worker_count * sizeof(void *));
    for (uint32_t i = 0; i < s->worker_count; i++) s->workers[i] = worker_new(s, config, i);
    s->workers[0]->epoch = epoch_register(s->epoch);
    return s;
}

int sched_run(Sched *s)
{
    unsigned started = 1;
    while (started < s->worker_count
           && thread_start(&s->workers[started]->thread, "mote-worker", worker_thread,
                           s->workers[started], 0))
        started++;
    if (started < s->worker_count) {
        (void)fprintf(stderr,
                      "mote: cannot start: no thread for scheduler %u of %u: ask for fewer\n",
                      started + 1, (unsigned)s->worker_count);
        sched_halt(s, 1);
    }
    worker_loop(s->workers[0]);
    balance_wake_all(s);
    /* The others may still wait for a quiescent state of this one. */
    epoch_offline(s->workers[0]->epoch);
    for (unsigned i = 1; i < started; i++) thread_join(&s->workers[i]->thread);
    epoch_online(s->workers[0]->epoch);
    s->quiet = blocking_stop(s->blocking);
    return s->status;
}

void sched_halt(Sched *s, int status)
{
    bool first = false;
    if (atomic_cas_seq(&s->halting, &first, true))
        s->status = status;
    else
        return;
    /* Pairs with the acquire in worker_loop. */
    atomic_store_seq(&s->stopping, true);
    balance_wake_all(s);
}

static void worker_delete(Worker *w)
{
    Mem *mem = w->sched->mem;
    context_forget(&w->run);
    timer_wheel_destroy(&w->wheel);
    runq_destroy(&w->queue);
    lock_cond_destroy(&w->sleep_cond);
    lock_destroy(&w->sleep_lock);
    mem_free(mem, MEM_SCHED, w, sizeof *w);
}

bool sched_settle(Sched *s)
{
    s->quiet = s->quiet || blocking_stop(s->blocking);
    return s->quiet;
}

bool sched_delete(Sched *s)
{
    if (!sched_settle(s)) return false;
    worker_events(s->workers[0]);
    blocking_delete(s->blocking);
    epoch_unregister(s->workers[0]->epoch);
    epoch_delete(s->epoch);
    for (unsigned i = 0; i < s->worker_count; i++) worker_delete(s->workers[i]);
    mem_free(s->mem, MEM_SCHED, s->workers, s->worker_count * sizeof(void *));
    proctab_delete(s->processes);
    lock_cond_destroy(&s->cond);
    lock_destroy(&s->lock);
    mem_free(s->mem, MEM_SCHED, s, sizeof *s);
    return true;
}

/* ---- references ---- */

uint64_t sched_reference(RunContext *rc)
{
    Worker *w = rc->worker;
    return w->references++ << SCHED_WORKER_BITS | w->index;
}

TimerWheel *sched_wheel_of(Sched *s, uint64_t number)
{
    unsigned index = (unsigned)(number & ((1u << SCHED_WORKER_BITS) - 1));
    return index < s->worker_count ? &s->workers[index]->wheel : &s->workers[0]->wheel;
}
