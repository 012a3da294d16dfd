#include "vm/sched/runq.h"

/* With a seed, one of the first so many of a list is taken: any order of neighbours, yet
 * fair. */
#define RUNQ_CHOICE 16

/* Most that one theft moves. */
#define RUNQ_LOOT 256

void runq_init(RunQueue *q, Chance *chance)
{
    *q = (RunQueue){.chance = chance};
    lock_init(&q->lock, LOCK_RANK_RUNQ, "run queue");
    atomic_init(&q->length, 0);
}

void runq_destroy(RunQueue *q) { lock_destroy(&q->lock); }

static void list_push(RunList *l, Process *p)
{
    p->queue_next = NULL;
    if (l->last == NULL)
        l->first = p;
    else
        l->last->queue_next = p;
    l->last = p;
    l->count++;
}

/* The one behind `before` (NULL: the first) leaves. */
static Process *list_take_behind(RunList *l, Process *before)
{
    Process *p = before == NULL ? l->first : before->queue_next;
    CHECK(p != NULL);
    if (before == NULL)
        l->first = p->queue_next;
    else
        before->queue_next = p->queue_next;
    if (l->last == p) l->last = before;
    l->count--;
    p->queue_next = NULL;
    return p;
}

static Process *list_take(RunList *l, Chance *chance)
{
    Process *before = NULL;
    if (UNLIKELY(chance_seeded(chance))) {
        size_t choice = l->count < RUNQ_CHOICE ? l->count : RUNQ_CHOICE;
        for (uint64_t n = chance_pick(chance, choice); n > 0; n--)
            before = before == NULL ? l->first : before->queue_next;
    }
    return list_take_behind(l, before);
}

static void runq_set_length(RunQueue *q, size_t length)
{
    /* Pairs with balance_sleep: either it sees the process, or we see that it sleeps. */
    atomic_store_seq(&q->length, length);
}

size_t runq_push(RunQueue *q, Process *p, ProcessPriority priority, RunHow how)
{
    size_t waiting = 0;
    lock_take(&q->lock);
    if (how == RUNQ_NEXT && chance_seeded(q->chance) && chance_pick(q->chance, 2) == 0)
        how = RUNQ_WOKEN;
    if (how == RUNQ_NEXT && q->next == NULL) {
        p->queue_next = NULL;
        q->next = p;
    } else {
        list_push(how == RUNQ_SPENT ? &q->spent[priority] : &q->woken[priority], p);
        size_t length = atomic_load_relaxed(&q->length) + 1;
        runq_set_length(q, length);
        waiting = length + (q->next != NULL);
    }
    lock_drop(&q->lock);
    return waiting;
}

static bool runq_has(const RunQueue *q, unsigned priority)
{
    return q->woken[priority].first != NULL || q->spent[priority].first != NULL;
}

static Process *runq_pop_at(RunQueue *q, unsigned priority)
{
    RunList *woken = &q->woken[priority];
    RunList *spent = &q->spent[priority];
    if (woken->first != NULL && (spent->first == NULL || q->turns[priority] < RUNQ_RATIO)) {
        if (spent->first != NULL) q->turns[priority]++;
        return list_take(woken, q->chance);
    }
    q->turns[priority] = 0;
    return list_take(spent, q->chance);
}

/* Under the lock; there is something in the lists. */
static Process *runq_pop_list(RunQueue *q)
{
    if (runq_has(q, PRIORITY_MAX)) return runq_pop_at(q, PRIORITY_MAX);
    if (runq_has(q, PRIORITY_HIGH)) return runq_pop_at(q, PRIORITY_HIGH);
    bool low = runq_has(q, PRIORITY_LOW);
    if (runq_has(q, PRIORITY_NORMAL) && !(low && q->low_turns >= RUNQ_RATIO)) {
        if (low) q->low_turns++;
        return runq_pop_at(q, PRIORITY_NORMAL);
    }
    q->low_turns = 0;
    return runq_pop_at(q, PRIORITY_LOW);
}

/* Nothing of a higher priority waits in the lists. */
static bool runq_next_may_go(const RunQueue *q)
{
    ProcessPriority mine = state_priority(atomic_load_relaxed(&q->next->state));
    if (mine != PRIORITY_MAX && runq_has(q, PRIORITY_MAX)) return false;
    return mine <= PRIORITY_HIGH || !runq_has(q, PRIORITY_HIGH);
}

/* `next` becomes one of the woken.  Under the lock. */
static void runq_demote_next(RunQueue *q)
{
    ProcessPriority priority = state_priority(atomic_load_relaxed(&q->next->state));
    list_push(&q->woken[priority], q->next);
    q->next = NULL;
    runq_set_length(q, atomic_load_relaxed(&q->length) + 1);
}

Process *runq_pop(RunQueue *q, bool something_left, bool *inherits)
{
    *inherits = false;
    lock_take(&q->lock);
    Process *p = NULL;
    if (q->next != NULL && !something_left) runq_demote_next(q);
    size_t length = atomic_load_relaxed(&q->length);
    if (q->next != NULL && (length == 0 || runq_next_may_go(q))) {
        p = q->next;
        q->next = NULL;
        *inherits = true;
    } else if (length > 0) {
        p = runq_pop_list(q);
        runq_set_length(q, length - 1);
    }
    lock_drop(&q->lock);
    return p;
}

/* Moves up to half of a list, rounded up, oldest first. */
static void loot_list(RunList *from, RunList *to, size_t *room)
{
    for (size_t n = (from->count + 1) / 2; n > 0 && *room > 0; n--, --*room)
        list_push(to, list_take_behind(from, NULL));
}

static void append_list(RunList *to, const RunList *from)
{
    if (from->first == NULL) return;
    if (to->last == NULL)
        to->first = from->first;
    else
        to->last->queue_next = from->first;
    to->last = from->last;
    to->count += from->count;
}

size_t runq_steal(RunQueue *from, RunQueue *to)
{
    RunList woken[4] = {{0}};
    RunList spent[4] = {{0}};
    size_t room = RUNQ_LOOT;
    lock_take(&from->lock);
    for (unsigned i = 0; i < 4; i++) {
        loot_list(&from->woken[i], &woken[i], &room);
        loot_list(&from->spent[i], &spent[i], &room);
    }
    size_t moved = RUNQ_LOOT - room;
    runq_set_length(from, atomic_load_relaxed(&from->length) - moved);
    lock_drop(&from->lock);
    if (moved == 0) return 0;
    lock_take(&to->lock);
    for (unsigned i = 0; i < 4; i++) {
        append_list(&to->woken[i], &woken[i]);
        append_list(&to->spent[i], &spent[i]);
    }
    runq_set_length(to, atomic_load_relaxed(&to->length) + moved);
    lock_drop(&to->lock);
    return moved;
}
