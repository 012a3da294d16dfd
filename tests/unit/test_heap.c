/* Heaps without and with an area, giving back, handles; the work stack; names of processes. */
#include "tests/unit/terms.h"
#include "vm/term/pid.h"
#include "vm/term/walk.h"

TEST(area_first_then_fragments)
{
    Terms x;
    terms_open(&x);
    Word area[10];
    x.heap.top = area;
    x.heap.limit = area + 10;
    EXPECT(heap_alloc(&x.heap, 8) == area);
    Word *outside = heap_alloc(&x.heap, 3);
    EXPECT(outside < area || outside >= area + 10);
    EXPECT_EQ(x.heap.fragment_words, 3);
    EXPECT(heap_alloc(&x.heap, 2) == area + 8);
    EXPECT(heap_alloc(&x.heap, 100000) != NULL);
    EXPECT_EQ(x.heap.fragment_words, 100003);
    EXPECT(heap_alloc(&x.heap, SIZE_MAX / 8) == NULL);
    mem_inject_failure(x.mem, 0, 1);
    EXPECT(heap_alloc(&x.heap, 100000) == NULL);
    mem_inject_failure(x.mem, 0, 0);
    terms_close(&x);
}

TEST(giving_back)
{
    Terms x;
    terms_open(&x);
    Word area[20];
    x.heap.top = area;
    x.heap.limit = area + 20;
    Word *a = heap_alloc(&x.heap, 8);
    heap_shrink(&x.heap, a, 8, 5);
    EXPECT(x.heap.top == area + 5);
    Word *b = heap_alloc(&x.heap, 4);
    heap_shrink(&x.heap, a, 5, 2);
    EXPECT_EQ(a[2], header_make(KIND_FILLER, 2));
    heap_shrink(&x.heap, b, 4, 0);
    EXPECT(x.heap.top == b);
    Word *c = heap_alloc(&x.heap, 40);
    heap_shrink(&x.heap, c, 40, 1);
    EXPECT_EQ(x.heap.fragment_words, 1);
    EXPECT(heap_alloc(&x.heap, 30) == c + 1);
    terms_close(&x);
}

TEST(integers_of_64_bits)
{
    Terms x;
    terms_open(&x);
    EXPECT_STR(terms_text(&x, heap_int64(&x.heap, INT64_MIN)), "-9223372036854775808");
    EXPECT_STR(terms_text(&x, heap_uint64(&x.heap, UINT64_MAX)), "18446744073709551615");
    EXPECT(term_is_small(heap_int64(&x.heap, SMALL_MAX))
           && term_is_big(heap_int64(&x.heap, SMALL_MAX + 1)));
    EXPECT(term_is_small(heap_int64(&x.heap, SMALL_MIN))
           && term_is_big(heap_int64(&x.heap, SMALL_MIN - 1)));
    EXPECT(order_same(heap_uint64(&x.heap, 1ull << 61), heap_int64(&x.heap, 1ll << 61)));
    terms_close(&x);
}

TEST(handles_are_dropped_once)
{
    Terms x;
    terms_open(&x);
    uint8_t *bytes;
    for (int i = 0; i < 10; i++) EXPECT(!term_is_none(binary_new(&x.heap, 8000, &bytes)));
    EXPECT_EQ(mem_blocks(x.mem, MEM_BINARY), 10);
    EXPECT(x.heap.handle_bytes >= 10 * 1000);
    EXPECT_EQ(heap_drop_handles(x.heap.handles), 10);
    x.heap.handles = NULL;
    EXPECT_EQ(mem_blocks(x.mem, MEM_BINARY), 0);
    terms_close(&x);
}

TEST(work_stack)
{
    Mem *mem = mem_new(0);
    Walk w;
    walk_init(&w, mem);
    for (Word i = 0; i < 10000; i++) walk_push(&w, i);
    for (Word i = 10000; i-- > 0;) EXPECT_EQ(walk_pop(&w), i);
    EXPECT(walk_is_empty(&w));
    walk_free(&w);
    EXPECT_EQ(mem_total(mem), 0);
    mem_delete(mem);
}

TEST(names_as_text_and_back)
{
    Terms x;
    terms_open(&x);
    Term all[] = {pid_make(0, 0),
                  pid_make((1u << 28) - 1, UINT32_MAX),
                  port_make(0),
                  port_make(1ull << 57),
                  pid_make_ref(&x.heap, 0),
                  pid_make_ref(&x.heap, UINT64_MAX),
                  pid_make_alias(&x.heap, 1ull << 40, pid_make(3, 4))};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *text = terms_text(&x, all[i]);
        size_t n = strlen(text);
        Term back = i < 2   ? pid_read(text, n)
                    : i < 4 ? pid_read_port(text, n)
                            : pid_read_ref(&x.heap, text, n);
        EXPECT(order_same(back, all[i]));
        if (i == 6)
            EXPECT(pid_ref_is_alias(back) && term_same(pid_ref_owner(back), pid_make(3, 4)));
    }
    static const char *const bad[] = {"",
                                      "<",
                                      "<0.1>",
                                      "<0.1.2",
                                      "<0.1.2>x",
                                      "<1.1.2>",
                                      "<0.268435456.0>",
                                      "<0.-1.2>",
                                      "<0..2>",
                                      "<0.1.4294967296>",
                                      "<0.1.99999999999999999999>"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT(term_is_none(pid_read(bad[i], strlen(bad[i]))));
    EXPECT(term_is_none(pid_read_ref(&x.heap, "#Ref<0.1>", 9)));
    EXPECT(term_is_none(pid_read_ref(&x.heap, "#Ref<0.1.2.999999>", 18)));
    terms_close(&x);
}
