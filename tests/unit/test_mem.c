#include "vm/base/mem.h"

#include "tests/unit/unit.h"
#include "vm/base/thread.h"

TEST(bytes_and_blocks_are_counted)
{
    Mem *m = mem_new(0);
    void *a = mem_alloc(m, MEM_HEAP, 100);
    void *b = mem_alloc_zero(m, MEM_CODE, 0);
    EXPECT_EQ(mem_used(m, MEM_HEAP), 100);
    EXPECT_EQ(mem_blocks(m, MEM_HEAP), 1);
    EXPECT_EQ(mem_blocks(m, MEM_CODE), 1);
    a = mem_realloc(m, MEM_HEAP, a, 100, 5000);
    EXPECT_EQ(mem_used(m, MEM_HEAP), 5000);
    a = mem_realloc(m, MEM_HEAP, a, 5000, 50);
    mem_count(m, MEM_BINARY, 7);
    EXPECT_EQ(mem_total(m), 57);
    mem_count(m, MEM_BINARY, -7);
    mem_free(m, MEM_HEAP, a, 50);
    mem_free(m, MEM_CODE, b, 0);
    mem_free(m, MEM_CODE, NULL, 10);
    EXPECT_EQ(mem_total(m), 0);
    EXPECT_EQ(mem_blocks(m, MEM_CODE), 0);
    mem_delete(m);
}

TEST(the_budget_refuses)
{
    Mem *m = mem_new(100000);
    void *a = mem_try_alloc(m, MEM_HEAP, 60000);
    EXPECT(a != NULL);
    EXPECT(mem_try_alloc(m, MEM_HEAP, 60000) == NULL);
    EXPECT(mem_try_realloc(m, MEM_HEAP, a, 60000, 200000) == NULL);
    EXPECT_EQ(mem_total(m), 60000);
    void *b = mem_try_alloc(m, MEM_HEAP, 39000);
    EXPECT(b != NULL);
    mem_free(m, MEM_HEAP, a, 60000);
    void *c = mem_try_alloc(m, MEM_HEAP, 60000);
    EXPECT(c != NULL);
    mem_set_budget(m, 0);
    EXPECT_EQ(mem_budget(m), 0);
    b = mem_try_realloc(m, MEM_HEAP, b, 39000, 500000);
    EXPECT(b != NULL);
    mem_free(m, MEM_HEAP, b, 500000);
    mem_free(m, MEM_HEAP, c, 60000);
    EXPECT_EQ(mem_total(m), 0);
    mem_delete(m);
}

TEST(many_small_blocks_meet_the_budget)
{
    enum { BLOCK = 512, BUDGET = 1 << 20 };
    Mem *m = mem_new(BUDGET);
    void *blocks[2 * BUDGET / BLOCK];
    size_t count = 0;
    while (count < ARRAY_LEN(blocks) && (blocks[count] = mem_try_alloc(m, MEM_HEAP, BLOCK)))
        count++;
    EXPECT(count * BLOCK <= BUDGET && count * BLOCK > BUDGET * 9 / 10);
    while (count) mem_free(m, MEM_HEAP, blocks[--count], BLOCK);
    EXPECT_EQ(mem_total(m), 0);
    mem_delete(m);
}

TEST(failures_can_be_injected)
{
    Mem *m = mem_new(0);
    mem_inject_failure(m, 2, 3);
    const bool expected[] = {true, true, false, true, true, false, true};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        void *at = mem_try_alloc(m, MEM_HEAP, 8);
        EXPECT_EQ(at != NULL, expected[i]);
        mem_free(m, MEM_HEAP, at, 8);
    }
    mem_inject_failure(m, 0, 0);
    void *at = mem_try_alloc(m, MEM_HEAP, 8);
    EXPECT(at != NULL);
    mem_free(m, MEM_HEAP, at, 8);
    mem_delete(m);
}

static void churn(void *arg)
{
    Mem *m = arg;
    for (size_t i = 0; i < UNIT_SIZE(20000); i++) {
        void *at = mem_try_alloc(m, MEM_MESSAGE, i % 500);
        if (at) mem_free(m, MEM_MESSAGE, at, i % 500);
    }
}

TEST(threads_count_together)
{
    Mem *m = mem_new(1 << 20);
    Thread threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        EXPECT(thread_start(&threads[i], "churn", churn, m, 0));
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) thread_join(&threads[i]);
    EXPECT_EQ(mem_total(m), 0);
    EXPECT_EQ(mem_blocks(m, MEM_MESSAGE), 0);
    mem_delete(m);
}

TEST(the_default_budget_is_sane) { EXPECT(mem_default_budget() > 16 << 20); }
