/* The door for chance: what a seed fixes. */
#include "tests/unit/unit.h"

#include "vm/sched/chance.h"

TEST(a_seed_fixes_everything)
{
    Chance a;
    Chance b;
    chance_init(&a, 42);
    chance_init(&b, 42);
    EXPECT(chance_seeded(&a));
    for (int i = 0; i < 1000; i++) {
        EXPECT_EQ(chance_pick(&a, 10), chance_pick(&b, 10));
        int64_t slice = chance_slice(&a);
        EXPECT_EQ(slice, chance_slice(&b));
        EXPECT(slice >= 1 && slice <= 4000);
        chance_spend(&a, (uint64_t)slice);
        chance_spend(&b, (uint64_t)slice);
        EXPECT_EQ(chance_now_ns(&a), chance_now_ns(&b));
    }
    uint8_t x[8];
    uint8_t y[8];
    chance_bytes(&a, x, sizeof x);
    chance_bytes(&b, y, sizeof y);
    EXPECT(memcmp(x, y, sizeof x) == 0);
}

TEST(time_stands_still_but_for_work)
{
    Chance c;
    chance_init(&c, 0);
    uint64_t now = chance_now_ns(&c);
    EXPECT_EQ(chance_now_ns(&c), now);
    chance_spend(&c, 100);
    EXPECT(chance_now_ns(&c) > now);
}

TEST(the_hash_tells_events_apart)
{
    Chance a;
    Chance b;
    chance_init(&a, 1);
    chance_init(&b, 1);
    EXPECT(a.hash == b.hash);
    chance_note(&a, CHANCE_SWITCH, 1, 2);
    chance_note(&b, CHANCE_SWITCH, 2, 1);
    EXPECT(a.hash != b.hash);
    EXPECT_EQ(a.events, 1);
    Chance none;
    chance_init(&none, -1);
    uint64_t before = none.hash;
    chance_note(&none, CHANCE_SWITCH, 1, 2);
    EXPECT(none.hash == before);
    EXPECT(!chance_seeded(&none));
}
