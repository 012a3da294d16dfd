#include "vm/base/rng.h"

#include "tests/unit/unit.h"

TEST(a_seed_repeats)
{
    Rng a;
    Rng b;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    for (int i = 0; i < 100; i++) EXPECT(rng_next(&a) == rng_next(&b));
    rng_seed(&b, 8);
    EXPECT(rng_next(&a) != rng_next(&b));
}

/* The first outputs of the published splitmix64 for state 0. */
TEST(splitmix_gives_its_published_numbers)
{
    uint64_t state = 0;
    EXPECT(rng_splitmix(&state) == UINT64_C(0xe220a8397b1dcdaf));
    EXPECT(rng_splitmix(&state) == UINT64_C(0x6e789e6aa1b965f4));
}

TEST(below_is_even)
{
    enum { SIDES = 6, THROWS = 60000 };
    Rng r;
    rng_seed(&r, 3);
    int seen[SIDES] = {0};
    for (int i = 0; i < THROWS; i++) seen[rng_below(&r, SIDES)]++;
    for (int i = 0; i < SIDES; i++) EXPECT(abs(seen[i] - THROWS / SIDES) < 500);
    for (int i = 0; i < 100; i++) EXPECT_EQ(rng_below(&r, 1), 0);
}

TEST(doubles_stay_below_one)
{
    Rng r;
    rng_seed(&r, 4);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        double d = rng_double(&r);
        EXPECT(d >= 0 && d < 1);
        sum += d;
    }
    EXPECT(sum > 4800 && sum < 5200);
}

TEST(split_generators_differ)
{
    Rng a;
    rng_seed(&a, 5);
    Rng b = rng_split(&a);
    Rng c = rng_split(&a);
    EXPECT(rng_next(&b) != rng_next(&c));
}

TEST(the_system_has_random_bytes)
{
    uint64_t words[4] = {0};
    EXPECT(rng_system_bytes(words, sizeof words));
    EXPECT((words[0] | words[1] | words[2] | words[3]) != 0);
}
