#include "vm/base/epoch.h"

#include "tests/unit/unit.h"
#include "vm/base/atomic.h"
#include "vm/base/rng.h"
#include "vm/base/thread.h"

static void count_release(void *context, void *at)
{
    (void)at;
    ++*(int *)context;
}

static void turns(EpochThread *t, int n)
{
    for (int i = 0; i < n; i++) epoch_quiescent(t);
}

TEST(released_once_everybody_moved_on)
{
    Epoch *e = epoch_new(NULL);
    EpochThread *a = epoch_register(e);
    EpochThread *b = epoch_register(e);
    int released = 0;
    epoch_retire(a, count_release, &released, NULL);
    turns(a, 1000);
    EXPECT_EQ(released, 0); /* b may still hold it */
    for (int i = 0; i < 100; i++) {
        turns(a, 1);
        turns(b, 1);
    }
    EXPECT_EQ(released, 1);
    EXPECT_EQ(epoch_pending(e), 0);
    epoch_unregister(a);
    epoch_unregister(b);
    epoch_delete(e);
}

TEST(who_is_offline_delays_nobody)
{
    Epoch *e = epoch_new(NULL);
    EpochThread *a = epoch_register(e);
    EpochThread *b = epoch_register(e);
    int released = 0;
    epoch_offline(b);
    epoch_retire(a, count_release, &released, NULL);
    turns(a, 100);
    EXPECT_EQ(released, 1);
    epoch_online(b);
    epoch_retire(a, count_release, &released, NULL);
    turns(a, 100);
    EXPECT_EQ(released, 1);
    /* b leaves, then a: the last to go offline releases what is left. */
    epoch_offline(b);
    epoch_offline(a);
    EXPECT_EQ(released, 2);
    epoch_online(a);
    epoch_unregister(a);
    epoch_unregister(b);
    epoch_delete(e);
}

TEST(strangers_may_retire_and_deletion_releases)
{
    Mem *m = mem_new(0);
    Epoch *e = epoch_new(m);
    int released = 0;
    epoch_retire_shared(e, count_release, &released, NULL);
    EpochThread *a = epoch_register(e);
    turns(a, 100);
    EXPECT_EQ(released, 1);
    epoch_retire(a, count_release, &released, NULL);
    epoch_unregister(a);
    epoch_delete(e);
    EXPECT_EQ(released, 2);
    EXPECT_EQ(mem_total(m), 0);
    mem_delete(m);
}

TEST(tickets_elapse)
{
    Epoch *e = epoch_new(NULL);
    EpochThread *a = epoch_register(e);
    uint64_t ticket = epoch_ticket(e);
    EXPECT(!epoch_elapsed(e, ticket));
    turns(a, 100);
    EXPECT(epoch_elapsed(e, ticket));
    epoch_unregister(a);
    epoch_delete(e);
}

/* Readers follow pointers that writers replace; whoever reads a released cell is seen by its mark,
 * and by the sanitizers. */
enum { CELLS = 4, LIVE = 0x11FE };

typedef struct Cell {
    uint64_t mark;
} Cell;

typedef struct Storm {
    Epoch *epoch;
    _Atomic(Cell *) cells[CELLS];
    AtomicU64 bad;
    AtomicU64 seed;
} Storm;

static void release_cell(void *context, void *at)
{
    (void)context;
    ((Cell *)at)->mark = 0;
    free(at);
}

static Cell *new_cell(void)
{
    Cell *cell = malloc(sizeof *cell);
    cell->mark = LIVE;
    return cell;
}

static void storm_thread(void *arg)
{
    Storm *s = arg;
    EpochThread *t = epoch_register(s->epoch);
    Rng r;
    rng_seed(&r, atomic_add_relaxed(&s->seed, 1));
    for (size_t i = 0; i < UNIT_SIZE(30000); i++) {
        uint64_t chance = rng_below(&r, 100);
        size_t at = rng_below(&r, CELLS);
        if (chance < 60) {
            const Cell *cell = atomic_load_acquire(&s->cells[at]);
            if (cell->mark != LIVE) atomic_add_relaxed(&s->bad, 1);
        } else if (chance < 95) {
            Cell *old = atomic_swap_acq_rel(&s->cells[at], new_cell());
            epoch_retire(t, release_cell, NULL, old);
        } else if (chance < 98) {
            epoch_offline(t);
            thread_yield();
            epoch_online(t);
        } else {
            Cell *old = atomic_swap_acq_rel(&s->cells[at], new_cell());
            epoch_retire_shared(s->epoch, release_cell, NULL, old);
        }
        epoch_quiescent(t);
    }
    epoch_unregister(t);
}

TEST(a_storm_of_readers_and_writers)
{
    Storm s = {.epoch = epoch_new(NULL)};
    for (size_t i = 0; i < CELLS; i++) atomic_init(&s.cells[i], new_cell());
    Thread threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        EXPECT(thread_start(&threads[i], "storm", storm_thread, &s, 0));
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) thread_join(&threads[i]);
    EXPECT_EQ(s.bad, 0);
    for (size_t i = 0; i < CELLS; i++) free(s.cells[i]);
    epoch_delete(s.epoch);
}
