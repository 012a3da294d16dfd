#include "vm/sched/timer.h"

#include "vm/base/panic.h"

/* Timers fired under one holding of the lock. */
#define TIMER_BATCH 128

/* In `due`, not in a slot. */
#define TIMER_LEVEL_DUE TIMER_LEVELS

static uint64_t tick_of(uint64_t due_ns)
{
    /* Rounded up: a timer is never early. */
    uint64_t mask = ((uint64_t)1 << TIMER_TICK_BITS) - 1;
    return (due_ns >> TIMER_TICK_BITS) + ((due_ns & mask) != 0);
}

void timer_wheel_init(TimerWheel *wheel, Mem *mem, uint32_t index, uint64_t now_ns)
{
    *wheel = (TimerWheel){.mem = mem, .index = index};
    lock_init(&wheel->lock, LOCK_RANK_TIMER, "timer wheel");
    atomic_init(&wheel->next_ns, UINT64_MAX);
    wheel->tick = now_ns >> TIMER_TICK_BITS;
    wheel->due_end = &wheel->due;
    htab_init(&wheel->by_number, mem, MEM_TIMER);
    htab_init(&wheel->by_pid, mem, MEM_TIMER);
}

/* ---- slots ---- */

static void timer_link(Timer **at, Timer *t)
{
    t->next = *at;
    if (t->next != NULL) t->next->at = &t->next;
    t->at = at;
    *at = t;
}

/* Puts it where it belongs, given how far the wheel has turned. */
static void timer_place(TimerWheel *wheel, Timer *t)
{
    uint64_t tick = t->tick > wheel->tick ? t->tick : wheel->tick;
    uint64_t differ = (tick ^ wheel->tick) | 1;
    unsigned level = (unsigned)(63 - __builtin_clzll(differ)) / TIMER_LEVEL_BITS;
    ASSERT(level < TIMER_LEVELS);
    unsigned slot = (unsigned)(tick >> level * TIMER_LEVEL_BITS) & (TIMER_SLOTS - 1);
    t->level = (uint8_t)level;
    t->tick = tick;
    timer_link(&wheel->slots[level][slot], t);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

static void timer_unlink(TimerWheel *wheel, Timer *t)
{
    if (wheel->walk == t) wheel->walk = t->next;
    *t->at = t->next;
    if (t->next != NULL) t->next->at = t->at;
    if (t->level == TIMER_LEVEL_DUE) {
        if (wheel->due_end == &t->next) wheel->due_end = t->at;
    } else {
        unsigned slot = (unsigned)(t->tick >> t->level * TIMER_LEVEL_BITS) & (TIMER_SLOTS - 1);
        if (wheel->slots[t->level][slot] == NULL)
            wheel->occupied[t->level] &= ~((uint64_t)1 << slot);
    }
    t->at = NULL;
    t->next = NULL;
    wheel->count--;
}

/* The first occupied slot: its level, slot and starting tick; false if the wheel is empty.
 * A lower level's slots all come before the next slot of a higher one, whose present slot is
 * always empty. */
static bool wheel_first(const TimerWheel *wheel, unsigned *level, unsigned *slot,
                        uint64_t *start)
{
    for (unsigned l = 0; l < TIMER_LEVELS; l++) {
        unsigned shift = l * TIMER_LEVEL_BITS;
        unsigned here = (unsigned)(wheel->tick >> shift) & (TIMER_SLOTS - 1);
        uint64_t later = wheel->occupied[l] >> here << here;
        if (later == 0) continue;
        *level = l;
        *slot = (unsigned)__builtin_ctzll(later);
        uint64_t group = wheel->tick >> (shift + TIMER_LEVEL_BITS)
                                            << (shift + TIMER_LEVEL_BITS);
        *start = group + ((uint64_t)*slot << shift);
        return true;
    }
    return false;
}

static void wheel_publish(TimerWheel *wheel)
{
    unsigned level;
    unsigned slot;
    uint64_t start;
    uint64_t next = UINT64_MAX;
    if (wheel->due != NULL)
        next = 0;
    else if (wheel_first(wheel, &level, &slot, &start))
        next = start << TIMER_TICK_BITS;
    /* Pairs with the acquire in timer_next_ns. */
    atomic_store_release(&wheel->next_ns, next);
}

/* ---- order of firing ---- */

static bool timer_before(const Timer *a, const Timer *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static Timer *timer_merge(Timer *a, Timer *b)
{
    Timer *first = NULL;
    Timer **end = &first;
    while (a != NULL && b != NULL) {
        Timer **from = timer_before(b, a) ? &b : &a;
        *end = *from;
        end = &(*from)->next;
        *from = *end;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Sorts a list linked by `next` alone: runs of length 2^i wait in run[i]. */
static Timer *timer_sort(Timer *list)
{
    Timer *run[40] = {NULL};
    while (list != NULL) {
        Timer *one = list;
        list = list->next;
        one->next = NULL;
        unsigned i = 0;
        for (; run[i] != NULL; i++) {
            one = timer_merge(run[i], one);
            run[i] = NULL;
        }
        run[i] = one;
    }
    Timer *sorted = NULL;
    for (unsigned i = 0; i < ARRAY_LEN(run); i++)
        if (run[i] != NULL) sorted = timer_merge(run[i], sorted);
    return sorted;
}

static void wheel_append_due(TimerWheel *wheel, Timer *list)
{
    for (Timer *t = timer_sort(list); t != NULL;) {
        Timer *next = t->next;
        t->level = TIMER_LEVEL_DUE;
        t->next = NULL;
        t->at = wheel->due_end;
        *wheel->due_end = t;
        wheel->due_end = &t->next;
        t = next;
    }
}

/* Turns the wheel to `tick`: what is due goes to the due list, in order. */
static void wheel_turn(TimerWheel *wheel, uint64_t tick)
{
    unsigned level;
    unsigned slot;
    uint64_t start;
    while (wheel_first(wheel, &level, &slot, &start) && start <= tick) {
        Timer *list = wheel->slots[level][slot];
        wheel->slots[level][slot] = NULL;
        wheel->occupied[level] &= ~((uint64_t)1 << slot);
        wheel->tick = start;
        if (level == 0) {
            wheel_append_due(wheel, list);
            continue;
        }
        /* A slot of a higher level opens: its timers go to lower ones. */
        while (list != NULL) {
            Timer *t = list;
            list = list->next;
            timer_place(wheel, t);
        }
    }
    if (wheel->tick < tick) wheel->tick = tick;
}

/* ---- arming and disarming ---- */

static void timer_enter(TimerWheel *wheel, Timer *t, Term to, uint64_t due_ns)
{
    t->to = to;
    t->due_ns = due_ns < INT64_MAX ? due_ns : INT64_MAX;
    t->tick = tick_of(t->due_ns);
    t->order = wheel->armed++;
    t->wheel = wheel->index;
    timer_place(wheel, t);
    wheel->count++;
    wheel_publish(wheel);
}

void timer_arm(TimerWheel *wheel, Timer *t, Term pid, uint64_t due_ns)
{
    lock_take(&wheel->lock);
    ASSERT(t->at == NULL);
    t->kind = TIMER_RECEIVE;
    timer_enter(wheel, t, pid, due_ns);
    lock_drop(&wheel->lock);
}

bool timer_disarm(TimerWheel *wheel, Timer *t)
{
    lock_take(&wheel->lock);
    bool armed = t->at != NULL;
    if (armed) {
        timer_unlink(wheel, t);
        wheel_publish(wheel);
    }
    lock_drop(&wheel->lock);
    return armed;
}

void timer_add(TimerWheel *wheel, uint64_t number, Term to, uint64_t due_ns, Message *m)
{
    Timer *t = mem_alloc_zero(wheel->mem, MEM_TIMER, sizeof *t);
    t->kind = TIMER_MESSAGE;
    t->number = number;
    t->message = m;
    lock_take(&wheel->lock);
    htab_put(&wheel->by_number, number, NULL)->ptr = t;
    if (term_is_local_pid(to)) {
        HtabValue *first = htab_put(&wheel->by_pid, to.w, NULL);
        t->mate_next = first->ptr;
        if (t->mate_next != NULL) t->mate_next->mate_previous = t;
        first->ptr = t;
    }
    timer_enter(wheel, t, to, due_ns);
    lock_drop(&wheel->lock);
}

/* Out of the tables, not of the slots. */
static void timer_forget(TimerWheel *wheel, Timer *t)
{
    htab_remove(&wheel->by_number, t->number);
    if (!term_is_local_pid(t->to)) return;
    if (t->mate_next != NULL) t->mate_next->mate_previous = t->mate_previous;
    if (t->mate_previous != NULL)
        t->mate_previous->mate_next = t->mate_next;
    else if (t->mate_next != NULL)
        htab_find(&wheel->by_pid, t->to.w)->ptr = t->mate_next;
    else
        htab_remove(&wheel->by_pid, t->to.w);
}

static void timer_free(TimerWheel *wheel, Timer *t)
{
    if (t->message != NULL) message_free(t->message, wheel->mem);
    mem_free(wheel->mem, MEM_TIMER, t, sizeof *t);
}

static int64_t timer_time_left(const Timer *t, uint64_t now_ns)
{
    return t->due_ns > now_ns ? (int64_t)(t->due_ns - now_ns) : 0;
}

int64_t timer_cancel(TimerWheel *wheel, uint64_t number, uint64_t now_ns)
{
    lock_take(&wheel->lock);
    HtabValue *found = htab_find(&wheel->by_number, number);
    Timer *t = found == NULL ? NULL : found->ptr;
    if (t != NULL) {
        timer_forget(wheel, t);
        timer_unlink(wheel, t);
        wheel_publish(wheel);
    }
    lock_drop(&wheel->lock);
    if (t == NULL) return -1;
    int64_t left = timer_time_left(t, now_ns);
    timer_free(wheel, t);
    return left;
}

int64_t timer_left(TimerWheel *wheel, uint64_t number, uint64_t now_ns)
{
    lock_take(&wheel->lock);
    HtabValue *found = htab_find(&wheel->by_number, number);
    int64_t left = found == NULL ? -1 : timer_time_left(found->ptr, now_ns);
    lock_drop(&wheel->lock);
    return left;
}

void timer_cancel_all(TimerWheel *wheel, Term pid)
{
    lock_take(&wheel->lock);
    HtabValue *first = htab_find(&wheel->by_pid, pid.w);
    Timer *list = first == NULL ? NULL : first->ptr;
    for (Timer *t = list; t != NULL; t = t->mate_next) {
        htab_remove(&wheel->by_number, t->number);
        timer_unlink(wheel, t);
    }
    if (list != NULL) {
        htab_remove(&wheel->by_pid, pid.w);
        wheel_publish(wheel);
    }
    lock_drop(&wheel->lock);
    while (list != NULL) {
        Timer *t = list;
        list = t->mate_next;
        timer_free(wheel, t);
    }
}

size_t timer_fire(TimerWheel *wheel, uint64_t now_ns, TimerDeliver *deliver, void *context)
{
    Timer *done = NULL;
    size_t n = 0;
    lock_take(&wheel->lock);
    wheel_turn(wheel, now_ns >> TIMER_TICK_BITS);
    for (; wheel->due != NULL && n < TIMER_BATCH; n++) {
        Timer *t = wheel->due;
        timer_unlink(wheel, t);
        bool owned = t->kind == TIMER_MESSAGE;
        if (owned) timer_forget(wheel, t);
        /* A TIMER_RECEIVE record is its process's again as soon as the lock is dropped. */
        bool taken = deliver(context, t);
        if (!owned) continue;
        if (taken) t->message = NULL;
        t->next = done;
        done = t;
    }
    wheel_publish(wheel);
    lock_drop(&wheel->lock);
    while (done != NULL) {
        Timer *t = done;
        done = t->next;
        timer_free(wheel, t);
    }
    return n;
}

/* The list that stands at a place of the walk. */
static Timer *timer_walk_list(const TimerWheel *wheel, size_t at)
{
    if (at == 0) return wheel->due;
    return wheel->slots[(at - 1) / TIMER_SLOTS][(at - 1) % TIMER_SLOTS];
}

/* From the highest level down, then what is due: timers move only this way, so none slips by. */
bool timer_walk(TimerWheel *wheel, size_t *at, TimerVisit *visit, void *context)
{
    lock_take(&wheel->lock);
    if (*at == TIMER_WALK_START) wheel->walk = NULL;
    unsigned n = 0;
    for (; n < TIMER_BATCH && (wheel->walk != NULL || *at > 0); n++) {
        if (wheel->walk == NULL) {
            --*at;
            wheel->walk = timer_walk_list(wheel, *at);
            continue;
        }
        Timer *t = wheel->walk;
        wheel->walk = t->next;
        if (t->message != NULL) visit(context, t->message);
    }
    lock_drop(&wheel->lock);
    return n == TIMER_BATCH;
}

void timer_wheel_destroy(TimerWheel *wheel)
{
    size_t cursor = 0;
    for (const HtabEntry *e; (e = htab_next(&wheel->by_number, &cursor)) != NULL;)
        timer_free(wheel, e->value.ptr);
    htab_free(&wheel->by_number);
    htab_free(&wheel->by_pid);
    lock_destroy(&wheel->lock);
}
