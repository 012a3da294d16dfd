/* Copies: equal, of the size foretold, closed, with their own handles; limits, literals,
 * slices. */
#include "tests/unit/terms.h"
#include "vm/term/copy.h"

static Term copy_slowly(Terms *x, Heap *to, Term t)
{
    CopyWalk c;
    copy_begin(&c, t, SIZE_MAX, NULL, x->mem);
    size_t budget = 1;
    while (!copy_step(&c, to, &budget)) budget = 1;
    copy_end(&c);
    return c.result;
}

TEST(random_terms)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(2000); round++) {
        Heap other;
        heap_init_detached(&other, x.mem);
        Term t = terms_random(&x, 4);
        size_t words = copy_size(t, SIZE_MAX, NULL);
        Term a = copy_term(&other, t, words, NULL);
        EXPECT_EQ(other.fragment_words, words);
        Term b = copy_slowly(&x, &other, t);
        EXPECT_EQ(other.fragment_words, 2 * words);
        EXPECT(order_same(t, a));
        if (words > 0) EXPECT(term_is_none(copy_term(&other, t, words - 1, NULL)));
        if (words > 0) EXPECT_EQ(copy_size(t, words - 1, NULL), COPY_TOO_LARGE);
        terms_clear(&x);
        EXPECT(order_same(a, b));
        heap_release(&other);
    }
    terms_close(&x);
}

TEST(large_bodies_in_pieces)
{
    Terms x;
    terms_open(&x);
    Heap other;
    heap_init_detached(&other, x.mem);
    size_t n = 5000;
    Term *elements = mem_alloc(x.mem, MEM_MISC, n * sizeof(Term));
    for (size_t i = 0; i < n; i++)
        elements[i] = i % 7 == 0 ? heap_cons(&x.heap, small_from((int64_t)i), TERM_NIL)
                                 : small_from((int64_t)i);
    Term inner = heap_tuple(&x.heap, n, elements);
    elements[n / 2] = inner;
    Term t = heap_tuple(&x.heap, n, elements);
    EXPECT(order_same(copy_slowly(&x, &other, t), t));
    EXPECT(order_same(copy_term(&other, t, SIZE_MAX - 1, NULL), t));
    CopyWalk c;
    copy_begin(&c, t, SIZE_MAX, NULL, x.mem);
    size_t budget = 3 * n;
    EXPECT(!copy_step(&c, &other, &budget));
    copy_end(&c);
    mem_free(x.mem, MEM_MISC, elements, n * sizeof(Term));
    heap_release(&other);
    terms_close(&x);
}

TEST(stopped_half_way)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(500); round++) {
        Heap other;
        CopyWalk c;
        heap_init_detached(&other, x.mem);
        Term t = heap_tuple2(&x.heap, binary_new(&x.heap, 8000, &(uint8_t *){NULL}),
                             terms_random(&x, 3));
        copy_begin(&c, t, SIZE_MAX, NULL, x.mem);
        size_t budget = (size_t)terms_below(&x, 60);
        copy_step(&c, &other, &budget);
        copy_end(&c);
        heap_release(&other);
        terms_clear(&x);
    }
    terms_close(&x);
}

TEST(shared_binaries_are_shared)
{
    Terms x;
    terms_open(&x);
    Heap other;
    heap_init_detached(&other, x.mem);
    uint8_t *bytes;
    Term large = binary_new(&x.heap, 1000 * 8, &bytes);
    memset(bytes, 'x', 1000);
    Term part = binary_part(&x.heap, large, 80, 4000);
    Term copy = copy_term(&other, heap_tuple2(&x.heap, large, part), SIZE_MAX, NULL);
    EXPECT(binary_shared(tuple_at(copy, 0)) == binary_shared(large));
    EXPECT_EQ(binary_shared(large)->head.references, 3);
    EXPECT_EQ(mem_blocks(x.mem, MEM_BINARY), 1);
    terms_clear(&x);
    EXPECT_EQ(binary_shared(tuple_at(copy, 0))->head.references, 2);
    EXPECT_EQ(binary_view(tuple_at(copy, 1)).at[0], 'x');
    heap_release(&other);
    EXPECT_EQ(mem_blocks(x.mem, MEM_BINARY), 0);
    terms_close(&x);
}

TEST(literals_stay_if_they_may)
{
    Terms x;
    terms_open(&x);
    Word area[64];
    Heap literals = {.top = area, .limit = area + 64, .mem = x.mem};
    Term literal =
        heap_tuple2(&literals, small_from(1), heap_cons(&literals, small_from(2), TERM_NIL));
    Term mixed =
        heap_tuple3(&x.heap, literal, small_from(5), heap_cons(&x.heap, literal, TERM_NIL));
    LiteralRange keep = {.start = area, .end = area + 64};
    EXPECT_EQ(copy_size(literal, SIZE_MAX, &keep), 0);
    EXPECT_EQ(copy_size(mixed, SIZE_MAX, &keep), 4 + 2);
    EXPECT_EQ(copy_size(mixed, SIZE_MAX, NULL), 4 + 2 + 2 * 5);
    Term copy = copy_term(&x.heap, mixed, SIZE_MAX, &keep);
    EXPECT(term_same(tuple_at(copy, 0), literal));
    Term apart = copy_term(&x.heap, mixed, SIZE_MAX, NULL);
    EXPECT(!term_same(tuple_at(apart, 0), literal) && order_same(apart, copy));
    terms_close(&x);
}

/* A small part of a large literal takes only its own bytes along. */
TEST(parts_of_large_literals)
{
    Terms x;
    terms_open(&x);
    Word *area = calloc(2002, sizeof *area);
    area[0] = header_make(KIND_BINARY, 2001);
    area[1] = 16000 * 8;
    memset(area + 2, 'z', 16000);
    Term part = binary_part(&x.heap, boxed_from(area), 13, 100 * 8);
    EXPECT_EQ(copy_size(part, SIZE_MAX, NULL), 2 + 13);
    LiteralRange keep = {.start = area, .end = area + 2002};
    EXPECT_EQ(copy_size(part, SIZE_MAX, &keep), 4);
    Term copy = copy_term(&x.heap, part, SIZE_MAX, NULL);
    EXPECT(order_same(copy, part));
    free(area);
    EXPECT_EQ(binary_bits(copy), 800);
    terms_close(&x);
}

TEST(refused_memory)
{
    Terms x;
    terms_open(&x);
    Term list = TERM_NIL;
    for (int i = 0; i < 1000; i++) list = heap_cons(&x.heap, small_from(i), list);
    Heap other;
    heap_init_detached(&other, x.mem);
    mem_inject_failure(x.mem, 0, 1);
    EXPECT(term_is_none(copy_term(&other, list, SIZE_MAX, NULL)));
    EXPECT(term_is_none(copy_slowly(&x, &other, list)));
    mem_inject_failure(x.mem, 0, 0);
    EXPECT(order_same(copy_term(&other, list, SIZE_MAX, NULL), list));
    heap_release(&other);
    terms_close(&x);
}
