#include "vm/base/arena.h"

#include "tests/unit/unit.h"

TEST(pieces_are_aligned_and_distinct)
{
    Arena a;
    arena_init(&a, NULL, MEM_MISC);
    uint8_t *last = NULL;
    for (size_t i = 0; i < 5000; i++) {
        uint8_t *at = arena_alloc(&a, i % 100);
        EXPECT(((uintptr_t)at & 15) == 0);
        EXPECT(at != last || i % 100 == 1);
        memset(at, 0xAB, i % 100);
        last = at;
    }
    uint8_t *large = arena_alloc(&a, 5 << 20);
    memset(large, 1, 5 << 20);
    EXPECT(arena_used(&a) >= 5 << 20);
    arena_free(&a);
    EXPECT_EQ(arena_used(&a), 0);
}

TEST(rewinding_frees_what_came_later)
{
    Mem *m = mem_new(0);
    Arena a;
    arena_init(&a, m, MEM_COMPILER);
    char *kept = arena_copy_text(&a, "kept!", 4);
    ArenaMark mark = arena_mark(&a);
    size_t before = mem_used(m, MEM_COMPILER);
    for (int i = 0; i < 100; i++) (void)arena_alloc_zero(&a, 10000);
    EXPECT(mem_used(m, MEM_COMPILER) > 1000000);
    arena_rewind(&a, mark);
    EXPECT_EQ(mem_used(m, MEM_COMPILER), before);
    EXPECT_STR(kept, "kept");
    EXPECT_STR(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    arena_free(&a);
    EXPECT_EQ(mem_total(m), 0);
    mem_delete(m);
}

TEST(rewinding_to_the_empty_arena)
{
    Arena a;
    arena_init(&a, NULL, MEM_MISC);
    ArenaMark mark = arena_mark(&a);
    (void)arena_alloc(&a, 1);
    arena_rewind(&a, mark);
    EXPECT_EQ(arena_used(&a), 0);
    int *numbers = ARENA_ARRAY(&a, int, 10);
    for (int i = 0; i < 10; i++) EXPECT_EQ(numbers[i], 0);
    arena_free(&a);
}
