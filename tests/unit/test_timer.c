/* The timer wheel: order, never early, cancelling, far times, many at random. */
#include "tests/unit/unit.h"

#include "vm/base/rng.h"
#include "vm/base/vec.h"
#include "vm/sched/timer.h"

#define TICK ((uint64_t)1 << TIMER_TICK_BITS)

typedef struct Log {
    VEC(uint64_t) due;
    uint64_t now;
    bool early;
} Log;

static bool deliver(void *context, Timer *t)
{
    Log *log = context;
    VEC_PUSH(&log->due, t->due_ns);
    if (t->due_ns > log->now) log->early = true;
    return false;
}

static Message *nothing(void)
{
    Heap area;
    Message *m = message_open(NULL, SIGNAL_MESSAGE, 0, &area);
    message_close(m, &area, TERM_NIL);
    return m;
}

static void fire(TimerWheel *w, Log *log, uint64_t now)
{
    log->now = now;
    while (timer_fire(w, now, deliver, log) > 0) {
    }
}

static const Term to = {(Word)5 << 4 | TAG4_PID};

TEST(they_fire_in_the_order_of_their_times)
{
    TimerWheel w;
    Log log = {0};
    timer_wheel_init(&w, NULL, 0, 1000 * TICK);
    uint64_t base = 1000 * TICK;
    const uint64_t offsets[] = {70 * TICK, 5, 4096 * TICK, 3, 64 * TICK,
                                63 * TICK, 4, 65 * TICK,   1};
    for (size_t i = 0; i < ARRAY_LEN(offsets); i++)
        timer_add(&w, i + 1, to, base + offsets[i], nothing());
    EXPECT_EQ(w.count, ARRAY_LEN(offsets));
    EXPECT(timer_next_ns(&w) <= base + TICK);
    fire(&w, &log, base);
    EXPECT_EQ(log.due.count, 0);
    for (uint64_t now = base; now <= base + 5000 * TICK; now += 13 * TICK / 7)
        fire(&w, &log, now);
    EXPECT_EQ(log.due.count, ARRAY_LEN(offsets));
    for (size_t i = 1; i < log.due.count; i++) EXPECT(log.due.at[i - 1] <= log.due.at[i]);
    EXPECT(!log.early);
    EXPECT_EQ(timer_next_ns(&w), UINT64_MAX);
    VEC_FREE(&log.due);
    timer_wheel_destroy(&w);
}

TEST(a_cancelled_timer_never_fires)
{
    TimerWheel w;
    Log log = {0};
    timer_wheel_init(&w, NULL, 0, 0);
    timer_add(&w, 1, to, 10 * TICK, nothing());
    timer_add(&w, 2, to, 20 * TICK, nothing());
    EXPECT_EQ(timer_left(&w, 1, 4 * TICK), 6 * TICK);
    EXPECT_EQ(timer_cancel(&w, 1, 4 * TICK), 6 * TICK);
    EXPECT_EQ(timer_cancel(&w, 1, 4 * TICK), -1);
    EXPECT_EQ(timer_left(&w, 1, 4 * TICK), -1);
    fire(&w, &log, 30 * TICK);
    EXPECT_EQ(log.due.count, 1);
    EXPECT_EQ(timer_cancel(&w, 2, 30 * TICK), -1);
    VEC_FREE(&log.due);
    timer_wheel_destroy(&w);
}

TEST(all_of_a_process_are_cancelled_together)
{
    TimerWheel w;
    Log log = {0};
    Term other = pid_make(9, 0);
    timer_wheel_init(&w, NULL, 0, 0);
    for (uint64_t i = 1; i <= 30; i++)
        timer_add(&w, i, i % 3 == 0 ? other : to, i * TICK, nothing());
    EXPECT_EQ(timer_cancel(&w, 3, 0), 3 * TICK);
    EXPECT_EQ(timer_cancel(&w, 30, 0), 30 * TICK);
    timer_cancel_all(&w, other);
    timer_cancel_all(&w, other);
    fire(&w, &log, 100 * TICK);
    EXPECT_EQ(log.due.count, 20);
    VEC_FREE(&log.due);
    timer_wheel_destroy(&w);
}

TEST(receive_timers_are_armed_and_disarmed)
{
    TimerWheel w;
    Log log = {0};
    Timer t = {0};
    timer_wheel_init(&w, NULL, 0, 0);
    timer_arm(&w, &t, to, 10 * TICK);
    EXPECT(timer_disarm(&w, &t));
    EXPECT(!timer_disarm(&w, &t));
    timer_arm(&w, &t, to, 20 * TICK);
    fire(&w, &log, 15 * TICK);
    EXPECT_EQ(log.due.count, 0);
    fire(&w, &log, 25 * TICK);
    EXPECT_EQ(log.due.count, 1);
    EXPECT(!timer_disarm(&w, &t));
    VEC_FREE(&log.due);
    timer_wheel_destroy(&w);
}

TEST(overdue_and_far_times)
{
    TimerWheel w;
    Log log = {0};
    timer_wheel_init(&w, NULL, 0, 500 * TICK);
    timer_add(&w, 1, to, 3, nothing());
    timer_add(&w, 2, to, UINT64_MAX, nothing());
    timer_add(&w, 3, to, (uint64_t)1 << 60, nothing());
    fire(&w, &log, 500 * TICK);
    EXPECT_EQ(log.due.count, 1);
    fire(&w, &log, ((uint64_t)1 << 60) + TICK);
    EXPECT_EQ(log.due.count, 2);
    EXPECT_EQ(timer_cancel(&w, 2, 0), INT64_MAX);
    VEC_FREE(&log.due);
    timer_wheel_destroy(&w);
}

/* Every timer fires once, in the first look at the wheel at or after its tick. */
TEST(random_times)
{
    TimerWheel w;
    Log log = {0};
    Rng rng;
    rng_seed(&rng, 11);
    uint64_t now = 77 * TICK;
    timer_wheel_init(&w, NULL, 3, now);
    uint64_t number = 0;
    size_t cancelled = 0;
    for (size_t round = 0; round < UNIT_SIZE(2000); round++) {
        for (uint64_t i = rng_below(&rng, 5); i > 0; i--)
            timer_add(&w, ++number, to, now + (rng_next(&rng) >> (30 + rng_below(&rng, 20))),
                      nothing());
        if (number > 0 && rng_below(&rng, 3) == 0)
            cancelled += timer_cancel(&w, 1 + rng_below(&rng, number), now) >= 0;
        now += rng_next(&rng) >> (36 + rng_below(&rng, 10));
        EXPECT(timer_next_ns(&w) != 0);
        fire(&w, &log, now);
        EXPECT(timer_next_ns(&w) > now - TICK);
    }
    EXPECT(!log.early);
    fire(&w, &log, (uint64_t)1 << 62);
    EXPECT_EQ(log.due.count + cancelled, number);
    EXPECT_EQ(w.count, 0);
    VEC_FREE(&log.due);
    timer_wheel_destroy(&w);
}

/* ---- walking while the wheel turns ---- */

static void mark(void *context, Message *m)
{
    size_t *visits = context;
    ++*visits;
    m->value = TERM_TRUE;
}

static bool deliver_marked(void *context, Timer *t)
{
    size_t *unmarked = context;
    if (!term_same(t->message->value, TERM_TRUE)) ++*unmarked;
    return false;
}

TEST(a_walk_misses_none_that_stays)
{
    enum { MANY = 3000 };
    TimerWheel w;
    Rng rng;
    rng_seed(&rng, 8);
    timer_wheel_init(&w, NULL, 0, 1000 * TICK);
    uint64_t base = 1000 * TICK;
    for (uint64_t i = 0; i < MANY; i++)
        timer_add(&w, i + 1, to, base + 200 * TICK + rng_below(&rng, 200000 * TICK), nothing());
    size_t visits = 0;
    size_t unmarked = 0;
    size_t at = TIMER_WALK_START;
    uint64_t now = base;
    for (uint64_t n = 1; timer_walk(&w, &at, mark, &visits); n++) {
        /* Some fall due, some are cancelled, the rest goes down the levels. */
        now += 4096 * TICK / 7;
        while (timer_fire(&w, now, deliver_marked, &unmarked) > 0) {
        }
        timer_cancel(&w, 1 + rng_below(&rng, MANY), now);
        unmarked = 0; /* of those that fired before the walk was over */
    }
    EXPECT(visits > 0);
    while (timer_fire(&w, now + 400000 * TICK, deliver_marked, &unmarked) > 0) {
    }
    EXPECT_EQ(unmarked, 0);
    EXPECT_EQ(w.count, 0);
    timer_wheel_destroy(&w);
}
