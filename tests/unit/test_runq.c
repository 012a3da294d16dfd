/* The run queue's promises: priorities, woken before spent, `next`, stealing, seeded choice. */
#include "tests/unit/unit.h"

#include "vm/sched/runq.h"

#define COUNT 64

typedef struct Fixture {
    RunQueue q;
    Chance chance;
    Process p[COUNT];
} Fixture;

static Fixture *fixture(int64_t seed)
{
    Fixture *f = calloc(1, sizeof *f);
    chance_init(&f->chance, seed);
    runq_init(&f->q, &f->chance);
    return f;
}

static void drop(Fixture *f)
{
    runq_destroy(&f->q);
    free(f);
}

/* The number of the process that comes next, -1 if none. */
static long pop(Fixture *f)
{
    bool inherits;
    Process *p = runq_pop(&f->q, true, &inherits);
    return p == NULL ? -1 : p - f->p;
}

static void push(Fixture *f, long i, ProcessPriority priority, RunHow how)
{
    atomic_store_relaxed(&f->p[i].state,
                         (uint64_t)priority << STATE_PRIORITY_SHIFT | STATE_RUNNABLE);
    runq_push(&f->q, &f->p[i], priority, how);
}

TEST(first_in_first_out)
{
    Fixture *f = fixture(-1);
    for (long i = 0; i < 10; i++) push(f, i, PRIORITY_NORMAL, RUNQ_SPENT);
    EXPECT_EQ(runq_length(&f->q), 10);
    for (long i = 0; i < 10; i++) EXPECT_EQ(pop(f), i);
    EXPECT_EQ(pop(f), -1);
    drop(f);
}

TEST(higher_priorities_go_first)
{
    Fixture *f = fixture(-1);
    push(f, 0, PRIORITY_LOW, RUNQ_WOKEN);
    push(f, 1, PRIORITY_NORMAL, RUNQ_SPENT);
    push(f, 2, PRIORITY_HIGH, RUNQ_SPENT);
    push(f, 3, PRIORITY_MAX, RUNQ_SPENT);
    for (long i = 3; i >= 0; i--) EXPECT_EQ(pop(f), i);
    drop(f);
}

TEST(low_gets_one_turn_in_nine)
{
    Fixture *f = fixture(-1);
    push(f, 0, PRIORITY_LOW, RUNQ_SPENT);
    for (long i = 1; i < 20; i++) push(f, i, PRIORITY_NORMAL, RUNQ_SPENT);
    long turn = 0;
    while (pop(f) != 0) turn++;
    EXPECT_EQ(turn, RUNQ_RATIO);
    drop(f);
}

/* However many wait with their slices spent, a woken one is next; however many are woken, a
 * spent one waits for eight of them at most. */
TEST(woken_before_spent_but_not_for_ever)
{
    Fixture *f = fixture(-1);
    for (long i = 0; i < 30; i++) push(f, i, PRIORITY_NORMAL, RUNQ_SPENT);
    push(f, 40, PRIORITY_NORMAL, RUNQ_WOKEN);
    EXPECT_EQ(pop(f), 40);
    for (long i = 41; i < 61; i++) push(f, i, PRIORITY_NORMAL, RUNQ_WOKEN);
    long woken = 0;
    while (pop(f) >= 40) woken++;
    EXPECT(woken <= RUNQ_RATIO);
    drop(f);
}

TEST(next_goes_next)
{
    Fixture *f = fixture(-1);
    bool inherits;
    push(f, 0, PRIORITY_NORMAL, RUNQ_WOKEN);
    push(f, 1, PRIORITY_NORMAL, RUNQ_NEXT);
    push(f, 2, PRIORITY_NORMAL, RUNQ_NEXT);
    EXPECT(runq_pop(&f->q, true, &inherits) == &f->p[1]);
    EXPECT(inherits);
    EXPECT(runq_pop(&f->q, true, &inherits) == &f->p[0]);
    EXPECT(!inherits);
    EXPECT_EQ(pop(f), 2);
    push(f, 3, PRIORITY_NORMAL, RUNQ_NEXT);
    push(f, 4, PRIORITY_HIGH, RUNQ_SPENT);
    EXPECT_EQ(pop(f), 4);
    EXPECT_EQ(pop(f), 3);
    drop(f);
}

/* A chain of wake-ups does not go on for ever: when the slice is used up, the others have
 * their turn. */
TEST(next_waits_its_turn_when_nothing_is_left)
{
    Fixture *f = fixture(-1);
    bool inherits;
    push(f, 0, PRIORITY_NORMAL, RUNQ_WOKEN);
    push(f, 1, PRIORITY_NORMAL, RUNQ_NEXT);
    EXPECT(runq_pop(&f->q, false, &inherits) == &f->p[0]);
    EXPECT(!inherits);
    EXPECT(runq_pop(&f->q, false, &inherits) == &f->p[1]);
    EXPECT(!inherits);
    drop(f);
}

TEST(a_thief_takes_half)
{
    Fixture *f = fixture(-1);
    RunQueue thief;
    runq_init(&thief, &f->chance);
    EXPECT_EQ(runq_steal(&f->q, &thief), 0);
    for (long i = 0; i < 20; i++) push(f, i, PRIORITY_NORMAL, RUNQ_SPENT);
    push(f, 30, PRIORITY_NORMAL, RUNQ_NEXT);
    EXPECT_EQ(runq_steal(&f->q, &thief), 10);
    EXPECT_EQ(runq_length(&thief), 10);
    EXPECT_EQ(runq_length(&f->q), 10);
    EXPECT_EQ(pop(f), 30);
    EXPECT_EQ(pop(f), 10);
    bool inherits;
    EXPECT(runq_pop(&thief, true, &inherits) == &f->p[0]);
    runq_destroy(&thief);
    drop(f);
}

static uint64_t shuffled(int64_t seed)
{
    Fixture *f = fixture(seed);
    uint64_t order = 0;
    for (long i = 0; i < 16; i++) push(f, i, PRIORITY_NORMAL, RUNQ_SPENT);
    for (long i = 0; i < 16; i++) order = order * 16 + (uint64_t)pop(f);
    EXPECT_EQ(pop(f), -1);
    drop(f);
    return order;
}

TEST(a_seed_chooses_and_repeats)
{
    EXPECT_EQ(shuffled(3), shuffled(3));
    EXPECT(shuffled(3) != shuffled(4));
}
