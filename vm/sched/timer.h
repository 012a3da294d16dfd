/*
 * Timers: one wheel per worker, under its own lock; any thread may arm and cancel.
 *
 * A timer holds a pid or a name, never a pointer, and the message it will send, made
 * beforehand. Firing happens under the wheel's lock up to the push and the wake-up, so when
 * timer_cancel returns the timer has either been fully delivered or never will be. A timer is
 * due at a tick of 2^18 ns, never early.  Those due in one tick fire in the order of their
 * exact times.  Design page: docs/design/timers.md.
 */
#pragma once

#include "vm/base/htab.h"
#include "vm/base/lock.h"
#include "vm/proc/message.h"

#define TIMER_TICK_BITS  18
#define TIMER_LEVEL_BITS 6
#define TIMER_SLOTS      (1 << TIMER_LEVEL_BITS)
#define TIMER_LEVELS     8 /* 2^(18 + 48) ns and more: never runs over */

typedef enum TimerKind {
    TIMER_RECEIVE, /* sets STATE_TIMED_OUT and wakes; the record belongs to the process */
    TIMER_MESSAGE  /* sends its message; the record belongs to the wheel */
} TimerKind;

typedef struct Timer Timer;
struct Timer {
    Timer *next;      /* in its slot of the wheel */
    Timer **at;       /* what points to it; NULL: not armed */
    Timer *mate_next; /* same receiver, under by_pid */
    Timer *mate_previous;
    uint64_t due_ns;
    uint64_t tick;
    uint64_t order;  /* of arming, in its wheel */
    uint64_t number; /* of its reference; TIMER_MESSAGE only */
    Term to;         /* pid, or atom: name resolved when it fires */
    Message *message;
    uint32_t wheel; /* worker whose wheel it is in */
    uint8_t kind;
    uint8_t level;
};

typedef struct TimerWheel {
    Lock lock;
    AtomicU64 next_ns; /* no timer is due before; UINT64_MAX: none.  Written under the lock */
    uint64_t tick;     /* handled up to here */
    uint64_t armed;    /* order of arming */
    size_t count;
    uint64_t occupied[TIMER_LEVELS];
    Timer *slots[TIMER_LEVELS][TIMER_SLOTS];
    Timer *due;  /* taken out of the slots, in the order of firing */
    Timer *walk; /* the next one that timer_walk visits */
    Timer **due_end;
    Htab by_number; /* TIMER_MESSAGE only */
    Htab by_pid;    /* first of the mates */
    Mem *mem;
    uint32_t index;
} TimerWheel;

void timer_wheel_init(TimerWheel *wheel, Mem *mem, uint32_t index, uint64_t now_ns);
/* Frees the timers left in it, with their messages. */
void timer_wheel_destroy(TimerWheel *wheel);

/* Arms a TIMER_RECEIVE record of the caller's, not armed now. */
void timer_arm(TimerWheel *wheel, Timer *t, Term pid, uint64_t due_ns);
/* It is not armed afterwards and will not fire any more. True if it had not fired. */
bool timer_disarm(TimerWheel *wheel, Timer *t);

/* Arms a new TIMER_MESSAGE; takes the message. */
void timer_add(TimerWheel *wheel, uint64_t number, Term to, uint64_t due_ns, Message *m);
/* Cancels it: the time left in ns (0 if overdue), or -1 if there is none of that number. */
int64_t timer_cancel(TimerWheel *wheel, uint64_t number, uint64_t now_ns);
int64_t timer_left(TimerWheel *wheel, uint64_t number, uint64_t now_ns);
/* Cancels all TIMER_MESSAGE timers that send to `pid`. */
void timer_cancel_all(TimerWheel *wheel, Term pid);

/* Delivers one due timer, under the lock: allocates nothing, takes locks of a higher rank
 * only.  True: the message is the receiver's now; else the wheel frees it. */
typedef bool TimerDeliver(void *context, Timer *t);
/* Fires what is due at `now_ns`; returns how many. */
size_t timer_fire(TimerWheel *wheel, uint64_t now_ns, TimerDeliver *deliver, void *context);
/* Visits messages of timers, a batch of them under one holding of the lock: each timer that is in
 * the wheel from the first call to the last, and others perhaps.  *at starts as TIMER_WALK_START;
 * false: that was all.  One walk at a time. */
#define TIMER_WALK_START (TIMER_LEVELS * TIMER_SLOTS + 1)
typedef void TimerVisit(void *context, Message *m);
bool timer_walk(TimerWheel *wheel, size_t *at, TimerVisit *visit, void *context);
/* Nothing fires before; UINT64_MAX if the wheel is empty. */
static inline uint64_t timer_next_ns(const TimerWheel *wheel)
{
    return atomic_load_acquire(&wheel->next_ns); /* pairs with the release in timer.c */
}
