/* Ordered tables: against a sorted array, and with several threads. */
#include "vm/ets/ets_tree.h"

#include "tests/unit/unit.h"
#include "vm/base/epoch.h"
#include "vm/base/rng.h"
#include "vm/base/thread.h"
#include "vm/term/order.h"

#define KEYS 600

typedef struct World {
    Epoch *epoch;
    EpochThread *thread;
    AtomTable *atoms;
    EtsTree tree;
} World;

static void world_init(World *w)
{
    w->epoch = epoch_new(NULL);
    w->thread = epoch_register(w->epoch);
    w->atoms = atom_table_new(NULL, 0);
    ets_tree_init(&w->tree, NULL, w->atoms, 0);
}

static void world_end(World *w)
{
    size_t budget = SIZE_MAX;
    EXPECT(ets_tree_free_some(&w->tree, &budget));
    epoch_unregister(w->thread);
    epoch_delete(w->epoch);
    atom_table_delete(w->atoms);
}

/* {Key, Value} */
static EtsObject *object(Term key, int64_t value)
{
    Term parts[2] = {key, small_from(value)};
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

/* Keys of odd numbers are tuples, so that inner nodes have copies of them. */
static Term key_of(Heap *h, int64_t n)
{
    return n % 2 == 0 ? small_from(n) : heap_tuple2(h, small_from(n), TERM_ATOM(OK));
}

static void put(World *w, int64_t n, int64_t value)
{
    Heap h;
    EtsObject *old;
    heap_init_detached(&h, NULL);
    EXPECT(ets_tree_put(&w->tree, object(key_of(&h, n), value), false, &old));
    if (old != NULL) ets_object_retire(w->thread, NULL, old);
    heap_release(&h);
}

static bool take(World *w, int64_t n)
{
    Heap h;
    heap_init_detached(&h, NULL);
    EtsObject *o = ets_tree_remove(&w->tree, w->thread, key_of(&h, n), NULL);
    if (o != NULL) ets_object_retire(w->thread, NULL, o);
    heap_release(&h);
    return o != NULL;
}

static const EtsObject *find(const World *w, int64_t n)
{
    Heap h;
    heap_init_detached(&h, NULL);
    const EtsObject *o = ets_tree_find(&w->tree, key_of(&h, n));
    heap_release(&h);
    return o;
}

TEST(like_an_array)
{
    World w;
    world_init(&w);
    static int64_t model[KEYS];
    size_t count = 0;
    Rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < KEYS; i++) model[i] = -1;
    for (int i = 0; i < UNIT_SIZE(60000); i++) {
        /* Phases of growing and shrinking; keys in bursts, so that leaves empty. */
        int64_t n = (int64_t)rng_below(&rng, KEYS);
        bool grow = rng_below(&rng, 8) < (uint64_t)(i / 2000 % 2 == 0 ? 6u : 2u);
        if (grow) {
            put(&w, n, i);
            count += model[n] < 0;
            model[n] = i;
        } else {
            EXPECT_EQ(take(&w, n), model[n] >= 0);
            count -= model[n] >= 0;
            model[n] = -1;
        }
        if (i % 997 == 0) EXPECT_EQ(ets_tree_check(&w.tree), count);
        if (i % 64 == 0) epoch_quiescent(w.thread);
    }
    for (int n = 0; n < KEYS; n++) {
        const EtsObject *o = find(&w, n);
        EXPECT_EQ(o == NULL ? -1 : value_of(o), model[n]);
    }
    world_end(&w);
}

TEST(both_ways_in_order)
{
    World w;
    world_init(&w);
    for (int64_t n = 0; n < 2000; n += 2) put(&w, n, n);
    for (int64_t n = 0; n < 2000; n += 34) (void)take(&w, n);
    EtsObject *some[7];
    EtsBound bound = {NULL, NULL, false};
    Term last = TERM_NONE;
    size_t forward = 0;
    for (size_t n; (n = ets_tree_gather(&w.tree, &bound, false, some, 7)) > 0; forward += n) {
        for (size_t i = 0; i < n; i++) {
            Term key = ets_object_key(some[i], 0);
            EXPECT(term_is_none(last) || small_value(last) < small_value(key));
            last = key;
        }
        bound = (EtsBound){ets_compare_term, &last, false};
    }
    size_t backward = 0;
    bound = (EtsBound){NULL, NULL, false};
    last = TERM_NONE;
    for (size_t n; (n = ets_tree_gather(&w.tree, &bound, true, some, 7)) > 0; backward += n) {
        for (size_t i = 0; i < n; i++) {
            Term key = ets_object_key(some[i], 0);
            EXPECT(term_is_none(last) || small_value(last) > small_value(key));
            last = key;
        }
        bound = (EtsBound){ets_compare_term, &last, false};
    }
    EXPECT_EQ(forward, 1000 - 59);
    EXPECT_EQ(backward, forward);
    Term at = small_from(501);
    bound = (EtsBound){ets_compare_term, &at, true};
    EXPECT_EQ(ets_tree_gather(&w.tree, &bound, false, some, 1), 1);
    EXPECT_EQ(small_value(ets_object_key(some[0], 0)), 502);
    EXPECT_EQ(ets_tree_gather(&w.tree, &bound, true, some, 1), 1);
    EXPECT_EQ(small_value(ets_object_key(some[0], 0)), 500);
    at = small_from(500);
    EXPECT_EQ(ets_tree_gather(&w.tree, &bound, true, some, 1), 1);
    EXPECT_EQ(small_value(ets_object_key(some[0], 0)), 500);
    bound.inclusive = false;
    EXPECT_EQ(ets_tree_gather(&w.tree, &bound, true, some, 1), 1);
    EXPECT_EQ(small_value(ets_object_key(some[0], 0)), 498);
    world_end(&w);
}

/* A queue: new keys at the end, old ones taken from the front. */
TEST(moving_window)
{
    World w;
    world_init(&w);
    for (int64_t n = 0; n < UNIT_SIZE(40000); n++) {
        put(&w, n, n);
        if (n >= 100) EXPECT(take(&w, n - 100));
        if (n % 32 == 0) epoch_quiescent(w.thread);
    }
    EXPECT_EQ(ets_tree_check(&w.tree), UNIT_SIZE(40000) < 100 ? UNIT_SIZE(40000) : 100);
    world_end(&w);
}

typedef struct Hand {
    World *w;
    unsigned seed;
    int64_t kept;
    bool wrong;
} Hand;

enum { HANDS = 3, SHARED = 97 };

/* Each hand has keys of its own, which nobody else touches, among shared ones that come and go. */
static void hand_run(void *context)
{
    Hand *h = context;
    World mine = *h->w;
    EtsTree *tree = &h->w->tree;
    mine.thread = epoch_register(mine.epoch);
    Rng rng;
    rng_seed(&rng, h->seed);
    for (int i = 0; i < UNIT_SIZE(30000); i++) {
        Term own = small_from((int64_t)rng_below(&rng, 300) * 8 + h->seed);
        Term shared = small_from((int64_t)rng_below(&rng, SHARED) * 8 + 7);
        EtsObject *old = NULL;
        EtsObject *some[5];
        if (rng_below(&rng, 2) == 0) {
            if (!ets_tree_put(tree, object(own, i), false, &old)) h->wrong = true;
            h->kept += old == NULL;
        } else {
            old = ets_tree_remove(tree, mine.thread, own, NULL);
            h->kept -= old != NULL;
        }
        if (old != NULL) ets_object_retire(mine.thread, NULL, old);
        bool was = ets_tree_find(tree, own) != NULL;
        EtsObject *fresh = object(shared, i);
        if (rng_below(&rng, 2) == 0) {
            if (!ets_tree_put(tree, fresh, true, &old)) ets_object_free(NULL, fresh);
        } else {
            ets_object_free(NULL, fresh);
            old = ets_tree_remove(tree, mine.thread, shared, NULL);
            if (old != NULL) ets_object_retire(mine.thread, NULL, old);
        }
        if ((ets_tree_find(tree, own) != NULL) != was) h->wrong = true;
        EtsBound bound = {ets_compare_term, &own, true};
        size_t n = ets_tree_gather(tree, &bound, i % 2 == 0, some, 5);
        if (was && (n == 0 || !term_same(ets_object_key(some[0], 0), own))) h->wrong = true;
        for (size_t at = 1; at < n; at++) {
            int64_t a = small_value(ets_object_key(some[at - 1], 0));
            int64_t b = small_value(ets_object_key(some[at], 0));
            if (i % 2 == 0 ? a <= b : a >= b) h->wrong = true;
        }
        epoch_quiescent(mine.thread);
    }
    epoch_unregister(mine.thread);
}

TEST(several_hands)
{
    World w;
    world_init(&w);
    Hand hands[HANDS] = {{&w, 1, 0, false}, {&w, 2, 0, false}, {&w, 3, 0, false}};
    Thread threads[HANDS];
    epoch_offline(w.thread);
    for (int i = 0; i < HANDS; i++)
        EXPECT(thread_start(&threads[i], "hand", hand_run, &hands[i], 0));
    int64_t kept = 0;
    for (int i = 0; i < HANDS; i++) {
        thread_join(&threads[i]);
        EXPECT(!hands[i].wrong);
        kept += hands[i].kept;
    }
    epoch_online(w.thread);
    int64_t shared = 0;
    for (int64_t n = 0; n < SHARED; n++) {
        Term key = small_from(n * 8 + 7);
        shared += ets_tree_find(&w.tree, key) != NULL;
    }
    EXPECT_EQ(ets_tree_check(&w.tree), kept + shared);
    world_end(&w);
}
