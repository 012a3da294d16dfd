#include "vm/base/htab.h"

#include "tests/unit/unit.h"
#include "vm/base/rng.h"

TEST(numbers_are_found_again)
{
    Htab h = {0};
    for (uint64_t i = 0; i < 1000; i++) htab_put(&h, i * 7919, NULL)->num = i;
    EXPECT_EQ(h.count, 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        HtabValue *v = htab_find(&h, i * 7919);
        EXPECT(v && v->num == i);
    }
    EXPECT(!htab_find(&h, 1));
    htab_check(&h);
    htab_free(&h);
}

TEST(put_says_whether_it_added)
{
    Htab h = {0};
    bool added;
    htab_put(&h, 0, &added)->num = 1;
    EXPECT(added);
    EXPECT_EQ(htab_put(&h, 0, &added)->num, 1);
    EXPECT(!added);
    EXPECT_EQ(h.count, 1);
    htab_free(&h);
}

TEST(texts_with_equal_prefixes_differ)
{
    Htab h = {0};
    htab_put_text(&h, "abc", 3, NULL)->num = 3;
    htab_put_text(&h, "abcd", 4, NULL)->num = 4;
    htab_put_text(&h, "", 0, NULL)->num = 0;
    EXPECT_EQ(htab_find_text(&h, "abcd", 3)->num, 3);
    EXPECT_EQ(htab_find_text(&h, "abcd", 4)->num, 4);
    EXPECT(htab_find_text(&h, "x", 0) != NULL);
    EXPECT(htab_find_text(&h, "abd", 3) == NULL);
    EXPECT(htab_remove_text(&h, "abc", 3));
    EXPECT(!htab_remove_text(&h, "abc", 3));
    EXPECT(htab_find_text(&h, "abc", 3) == NULL);
    htab_free(&h);
}

TEST(iteration_follows_insertion)
{
    Htab h = {0};
    for (uint64_t i = 0; i < 100; i++) htab_put(&h, 1000 - i, NULL);
    for (uint64_t i = 0; i < 100; i += 2) htab_remove(&h, 1000 - i);
    size_t cursor = 0;
    uint64_t expected = 999;
    for (const HtabEntry *e; (e = htab_next(&h, &cursor)); expected -= 2)
        EXPECT_EQ(e->key, expected);
    EXPECT_EQ(expected, 899);
    htab_free(&h);
}

/* Against a plain array, under a seed. */
TEST(agrees_with_an_array)
{
    enum { KEYS = 300 };
    uint64_t model[KEYS] = {0};
    size_t live = 0;
    Htab h = {0};
    Rng r;
    rng_seed(&r, 42);
    for (size_t step = 0; step < UNIT_SIZE(20000u); step++) {
        uint64_t key = rng_below(&r, KEYS);
        if (rng_below(&r, 3)) {
            bool added;
            HtabValue *v = htab_put(&h, key, &added);
            EXPECT_EQ(added, model[key] == 0);
            live += added;
            v->num = model[key] = step + 1;
        } else {
            EXPECT_EQ(htab_remove(&h, key), model[key] != 0);
            live -= model[key] != 0;
            model[key] = 0;
        }
        EXPECT_EQ(h.count, live);
    }
    for (uint64_t key = 0; key < KEYS; key++) {
        HtabValue *v = htab_find(&h, key);
        EXPECT_EQ(v ? v->num : 0, model[key]);
    }
    htab_check(&h);
    htab_clear(&h);
    EXPECT(!htab_find(&h, 1));
    htab_free(&h);
}

TEST(lives_in_an_arena)
{
    Arena a;
    arena_init(&a, NULL, MEM_MISC);
    Htab h;
    htab_init_in_arena(&h, &a);
    for (uint64_t i = 0; i < 50; i++) htab_put(&h, i, NULL)->num = i;
    EXPECT_EQ(htab_find(&h, 49)->num, 49);
    htab_free(&h);
    arena_free(&a);
}
