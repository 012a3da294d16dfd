#include "vm/sched/balance.h"

/* A worker without work looks at everybody's queue so many times before it sleeps. */
#define BALANCE_TRIES 4

bool balance_steal(Worker *w)
{
    Sched *s = w->sched;
    unsigned n = s->worker_count;
    for (unsigned try = 0; n > 1 && try < BALANCE_TRIES; try++) {
        unsigned from = (unsigned)rng_below(&w->rng, n);
        for (unsigned i = 0; i < n; i++) {
            Worker *victim = s->workers[(from + i) % n];
            if (victim == w || runq_length(&victim->queue) == 0) continue;
            if (runq_steal(&victim->queue, &w->queue) > 0) return true;
        }
        atomic_pause();
    }
    return false;
}

/* Something to do came after the worker had last looked and before it said that it sleeps. */
static bool balance_has_work(const Sched *s)
{
    if (atomic_load_seq(&s->stopping) || atomic_load_seq(&s->exclusive) != 0) return true;
    if (atomic_load_seq(&s->events) != NULL) return true;
    for (unsigned i = 0; i < s->worker_count; i++)
        if (runq_length(&s->workers[i]->queue) > 0) return true;
    return false;
}

void balance_sleep(Worker *w, uint64_t due_ns)
{
    Sched *s = w->sched;
    /* Pairs with the loads in balance_wake_one and sched_run_exclusive, which come after
     * their own stores: one side sees the other. */
    atomic_store_seq(&s->searching, 0);
    atomic_store_seq(&w->asleep, true);
    atomic_add_seq(&s->sleeping, 1);
    if (!balance_has_work(s)) {
        epoch_offline(w->epoch);
        lock_take(&w->sleep_lock);
        while (!w->notified) {
            if (due_ns == UINT64_MAX)
                lock_wait(&w->sleep_cond, &w->sleep_lock);
            else if (!lock_wait_until(&w->sleep_cond, &w->sleep_lock, due_ns))
                break;
        }
        w->notified = false;
        lock_drop(&w->sleep_lock);
        epoch_online(w->epoch);
    }
    atomic_sub_acq_rel(&s->sleeping, 1);
    /* Sequentially consistent: the worker looks at `exclusive` next. */
    atomic_store_seq(&w->asleep, false);
}

static void balance_wake(Worker *w)
{
    lock_take(&w->sleep_lock);
    w->notified = true;
    lock_signal(&w->sleep_cond);
    lock_drop(&w->sleep_lock);
}

void balance_wake_one(Sched *s)
{
    if (atomic_load_seq(&s->sleeping) == 0) return;
    /* One woken worker looks around for all; when it finds work it wakes the next. */
    uint32_t none = 0;
    if (!atomic_cas_seq(&s->searching, &none, 1)) return;
    for (unsigned i = 0; i < s->worker_count; i++) {
        if (!atomic_load_seq(&s->workers[i]->asleep)) continue;
        balance_wake(s->workers[i]);
        return;
    }
    atomic_store_seq(&s->searching, 0);
}

void balance_wake_all(Sched *s)
{
    for (unsigned i = 0; i < s->worker_count; i++) balance_wake(s->workers[i]);
}
