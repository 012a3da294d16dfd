#include "vm/base/clock.h"

#include "tests/unit/unit.h"

TEST(the_system_clock_moves_on)
{
    Clock c;
    clock_init(&c);
    uint64_t a = clock_monotonic_ns(&c);
    uint64_t b = clock_monotonic_ns(&c);
    EXPECT(b >= a);
    EXPECT(clock_wall_ns(&c) > UINT64_C(1600000000000000000));
}

TEST(a_virtual_clock_moves_when_told)
{
    Clock c;
    clock_init_virtual(&c, 5000);
    uint64_t start = clock_monotonic_ns(&c);
    EXPECT(clock_monotonic_ns(&c) == start);
    clock_advance(&c, 70);
    EXPECT_EQ(clock_monotonic_ns(&c) - start, 70);
    EXPECT_EQ(clock_wall_ns(&c), 5070);
    clock_advance_to(&c, start + 10);
    EXPECT_EQ(clock_wall_ns(&c), 5070);
    clock_advance_to(&c, start + 100);
    EXPECT_EQ(clock_wall_ns(&c), 5100);
}
