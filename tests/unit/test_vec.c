#include "vm/base/vec.h"

#include "tests/unit/unit.h"

typedef struct Pair {
    int a;
    int b;
} Pair;

TEST(elements_keep_their_order)
{
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++) VEC_PUSH(&v, i);
    int sum = 0;
    VEC_EACH (int, n, &v) sum += *n;
    EXPECT_EQ(sum, 499500);
    EXPECT_EQ(VEC_LAST(&v), 999);
    EXPECT_EQ(VEC_POP(&v), 999);
    EXPECT_EQ(v.count, 999);
    VEC_FREE(&v);
    EXPECT_EQ(v.count, 0);
}

TEST(structs_pointers_and_empty_vectors)
{
    VEC(Pair) pairs = {0};
    VEC_PUSH(&pairs, (Pair){1, 2});
    EXPECT_EQ(pairs.at[0].b, 2);
    VEC(const char *) names = {0};
    VEC_EACH (const char *, name, &names) EXPECT(name == NULL);
    VEC_PUSH(&names, "a");
    VEC_PUSH(&names, "b");
    size_t seen = 0;
    VEC_EACH (const char *, name, &names) seen += strlen(*name);
    EXPECT_EQ(seen, 2);
    VEC_FREE(&pairs);
    VEC_FREE(&names);
}

TEST(owners_are_an_arena_or_an_account)
{
    Mem *m = mem_new(0);
    Arena a;
    arena_init(&a, m, MEM_COMPILER);
    VEC(Word) in_arena = {0};
    VEC_IN_ARENA(&in_arena, &a);
    VEC(Word) counted = {0};
    VEC_IN_MEM(&counted, m, MEM_WORK);
    Word some[40] = {1, 2, 3};
    for (Word i = 0; i < 10; i++) {
        VEC_APPEND(&in_arena, some, 40);
        VEC_APPEND(&counted, some, 40);
    }
    EXPECT_EQ(in_arena.count, 400);
    EXPECT_EQ(counted.at[41], 2);
    EXPECT_EQ(mem_used(m, MEM_WORK), counted.room * sizeof(Word));
    EXPECT_EQ(mem_blocks(m, MEM_WORK), 1);
    VEC_FREE(&counted);
    VEC_FREE(&in_arena);
    arena_free(&a);
    EXPECT_EQ(mem_total(m), 0);
    mem_delete(m);
}
