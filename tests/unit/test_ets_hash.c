/* Tables by hash: against an array, and with several threads. */
#include "vm/ets/ets_hash.h"

#include "tests/unit/unit.h"
#include "vm/base/epoch.h"
#include "vm/base/rng.h"
#include "vm/base/thread.h"
#include "vm/term/order.h"

#define KEYS 500

typedef struct World {
    Epoch *epoch;
    EpochThread *thread;
    AtomTable *atoms;
    EtsHash hash;
} World;

static World *world_new(void)
{
    World *w = mem_alloc_zero(NULL, MEM_MISC, sizeof *w);
    w->epoch = epoch_new(NULL);
    w->thread = epoch_register(w->epoch);
    w->atoms = atom_table_new(NULL, 0);
    ets_hash_init(&w->hash, NULL, w->atoms, 0);
    return w;
}

static void world_delete(World *w)
{
    size_t budget = SIZE_MAX;
    EXPECT(ets_hash_free_some(&w->hash, &budget));
    epoch_unregister(w->thread);
    epoch_delete(w->epoch);
    atom_table_delete(w->atoms);
    mem_free(NULL, MEM_MISC, w, sizeof *w);
}

static EtsObject *object(int64_t key, int64_t value)
{
    Term parts[2] = {small_from(key), small_from(value)};
    Heap h;
    heap_init_detached(&h, NULL);
    EtsObject *o = ets_object_new(NULL, heap_tuple(&h, 2, parts), SIZE_MAX);
    heap_release(&h);
    return o;
}

static int64_t value_of(const EtsObject *o)
{
    return small_value(tuple_at(ets_object_tuple(o), 1));
}

static bool put(World *w, EtsObject *o, EtsPutMode mode, EtsObject **old)
{
    return ets_hash_put(&w->hash, o, mode, false, old) == ETS_DONE;
}

static size_t remove_key(World *w, EpochThread *thread, int64_t key)
{
    Walk removed;
    walk_init(&removed, NULL);
    EXPECT(ets_hash_remove_key(&w->hash, small_from(key), &removed) == ETS_DONE);
    size_t n = removed.count;
    for (size_t i = 0; i < n; i++)
        ets_object_retire(thread, NULL, (EtsObject *)(uintptr_t)removed.at[i]);
    walk_free(&removed);
    return n;
}

TEST(set_like_an_array)
{
    World *w = world_new();
    static int64_t model[KEYS];
    Rng rng;
    rng_seed(&rng, 11);
    for (int i = 0; i < KEYS; i++) model[i] = -1;
    for (int i = 0; i < UNIT_SIZE(50000); i++) {
        int64_t key = (int64_t)rng_below(&rng, KEYS);
        if (rng_below(&rng, 3) > 0) {
            EtsObject *old;
            EXPECT(put(w, object(key, i), ETS_PUT_REPLACE, &old));
            EXPECT_EQ(old == NULL ? -1 : value_of(old), model[key]);
            if (old != NULL) ets_object_retire(w->thread, NULL, old);
            model[key] = i;
        } else {
            EXPECT_EQ(remove_key(w, w->thread, key), model[key] >= 0);
            model[key] = -1;
        }
        if (i % 997 == 0) ets_hash_check(&w->hash);
        if (i % 64 == 0) epoch_quiescent(w->thread);
    }
    size_t count = 0;
    for (int key = 0; key < KEYS; key++) {
        const EtsObject *o = ets_hash_find(&w->hash, small_from(key));
        EXPECT_EQ(o == NULL ? -1 : value_of(o), model[key]);
        count += o != NULL;
    }
    EtsPosition at = {0, 0};
    EtsObject *some[9];
    size_t walked = 0;
    for (size_t n; (n = ets_hash_gather(&w->hash, &at, some, 9)) > 0;) walked += n;
    EXPECT_EQ(walked, count);
    size_t in_buckets = 0;
    for (size_t b = 0; b < ets_hash_buckets(&w->hash); b++) {
        at = (EtsPosition){0, 0};
        for (size_t n; (n = ets_hash_bucket(&w->hash, b, &at, some, 2)) > 0;) in_buckets += n;
    }
    EXPECT_EQ(in_buckets, count);
    size_t keys = 0;
    bool present;
    Term key = TERM_NONE;
    for (EtsObject *o; (o = ets_hash_next_key(&w->hash, key, &present)) != NULL; keys++) {
        EXPECT(present);
        key = ets_object_key(o, 0);
    }
    EXPECT_EQ(keys, count);
    world_delete(w);
}

TEST(bags_keep_what_comes)
{
    World *w = world_new();
    EtsObject *old;
    for (int64_t i = 0; i < 100; i++) {
        EtsObject *o = object(i % 10, i % 20);
        bool fresh = put(w, o, ETS_PUT_UNLESS_EQUAL, &old);
        EXPECT_EQ(fresh, i < 20);
        if (!fresh) ets_object_free(NULL, o);
    }
    for (int64_t i = 0; i < 10; i++) {
        const EtsObject *o = ets_hash_find(&w->hash, small_from(i));
        EXPECT_EQ(value_of(o), i + 10); /* the newest */
        o = ets_hash_find_more(&w->hash, o, small_from(i));
        EXPECT_EQ(value_of(o), i);
        EXPECT(ets_hash_find_more(&w->hash, o, small_from(i)) == NULL);
    }
    for (int64_t i = 0; i < 5; i++) EXPECT(put(w, object(3, 3), ETS_PUT_ALWAYS, &old));
    ets_hash_check(&w->hash);
    EXPECT_EQ(remove_key(w, w->thread, 3), 7);
    world_delete(w);
}

/* A walk that is interrupted between any two objects sees each object that stays once, while
 * the table grows and others go. */
TEST(walk_while_it_changes)
{
    World *w = world_new();
    EtsObject *old;
    static uint8_t seen[KEYS];
    for (int64_t i = 0; i < KEYS; i++) EXPECT(put(w, object(i, 0), ETS_PUT_REPLACE, &old));
    EtsPosition at = {0, 0};
    EtsObject *one;
    int64_t fresh = KEYS;
    while (ets_hash_gather(&w->hash, &at, &one, 1) == 1) {
        int64_t key = small_value(ets_object_key(one, 0));
        if (key < KEYS) seen[key]++;
        (void)remove_key(w, w->thread, key); /* where the walk stands */
        for (int i = 0; i < 3 && fresh < 4 * KEYS; i++)
            EXPECT(put(w, object(fresh++, 0), ETS_PUT_REPLACE, &old));
    }
    for (int64_t i = 0; i < KEYS; i++) EXPECT_EQ(seen[i], 1);
    ets_hash_check(&w->hash);
    world_delete(w);
}

/* Closed stripes take nothing but batches. */
TEST(closed)
{
    World *w = world_new();
    EtsObject *old;
    Walk removed;
    walk_init(&removed, NULL);
    EtsObject *there = object(1, 1);
    EXPECT(put(w, there, ETS_PUT_REPLACE, &old));
    EtsObject *o = object(2, 2);
    ets_hash_close(&w->hash);
    EXPECT(ets_hash_put(&w->hash, o, ETS_PUT_REPLACE, false, &old) == ETS_BUSY);
    EXPECT(ets_hash_swap(&w->hash, there, o) == ETS_BUSY);
    EXPECT(ets_hash_remove(&w->hash, there) == ETS_BUSY);
    EXPECT(ets_hash_remove_key(&w->hash, small_from(1), &removed) == ETS_BUSY);
    EXPECT(ets_hash_put(&w->hash, o, ETS_PUT_REPLACE, true, &old) == ETS_DONE);
    EXPECT_EQ(ets_hash_count(&w->hash), 2);
    EXPECT_EQ(ets_hash_words(&w->hash), ets_object_weight(o) + ets_object_weight(there));
    ets_hash_open(&w->hash);
    EXPECT(ets_hash_remove(&w->hash, o) == ETS_DONE);
    ets_object_retire(w->thread, NULL, o);
    EXPECT_EQ(ets_hash_count(&w->hash), 1);
    walk_free(&removed);
    world_delete(w);
}

typedef struct Hand {
    World *w;
    int64_t number;
    bool wrong;
} Hand;

enum { HANDS = 3, STAY = 3000 };

static void hand_run(void *context)
{
    Hand *h = context;
    World *w = h->w;
    EpochThread *thread = epoch_register(w->epoch);
    Rng rng;
    rng_seed(&rng, (uint64_t)h->number);
    for (int i = 0; i < UNIT_SIZE(30000); i++) {
        int64_t own = (int64_t)rng_below(&rng, 4000) * 4 + h->number;
        int64_t shared = (int64_t)rng_below(&rng, 50) * 4 + 3;
        EtsObject *old = NULL;
        if (!put(w, object(own, i), ETS_PUT_REPLACE, &old)) h->wrong = true;
        /* What stays is found whatever is linked beside it. */
        Term stays = small_from(-1 - (int64_t)rng_below(&rng, STAY));
        if (ets_hash_find(&w->hash, stays) == NULL) h->wrong = true;
        if (old != NULL) ets_object_retire(thread, NULL, old);
        const EtsObject *o = ets_hash_find(&w->hash, small_from(own));
        if (o == NULL || value_of(o) != i) h->wrong = true;
        /* A counter that all add to: not one addition is lost. */
        EtsObject *first = object(3, 0);
        if (!put(w, first, ETS_PUT_IF_ABSENT, &old)) ets_object_free(NULL, first);
        for (;;) {
            EtsObject *counter = ets_hash_find(&w->hash, small_from(3));
            EtsObject *next =
                ets_object_with(NULL, counter, 1, small_from(value_of(counter) + 1));
            if (ets_hash_swap(&w->hash, counter, next) == ETS_DONE) {
                ets_object_retire(thread, NULL, counter);
                break;
            }
            ets_object_free(NULL, next);
        }
        if (shared != 3) {
            if (put(w, object(shared, i), ETS_PUT_REPLACE, &old) && old != NULL)
                ets_object_retire(thread, NULL, old);
            if (rng_below(&rng, 2) == 0) (void)remove_key(w, thread, shared);
        }
        if (rng_below(&rng, 3) == 0 && remove_key(w, thread, own) != 1) h->wrong = true;
        epoch_quiescent(thread);
    }
    epoch_unregister(thread);
}

TEST(several_hands)
{
    World *w = world_new();
    Hand hands[HANDS];
    Thread threads[HANDS];
    EtsObject *old;
    for (int64_t i = 1; i <= STAY; i++) EXPECT(put(w, object(-i, 0), ETS_PUT_REPLACE, &old));
    epoch_offline(w->thread);
    for (int i = 0; i < HANDS; i++) {
        hands[i] = (Hand){w, i, false};
        EXPECT(thread_start(&threads[i], "hand", hand_run, &hands[i], 0));
    }
    for (int i = 0; i < HANDS; i++) {
        thread_join(&threads[i]);
        EXPECT(!hands[i].wrong);
    }
    epoch_online(w->thread);
    EXPECT_EQ(value_of(ets_hash_find(&w->hash, small_from(3))), HANDS * UNIT_SIZE(30000));
    ets_hash_check(&w->hash);
    world_delete(w);
}
