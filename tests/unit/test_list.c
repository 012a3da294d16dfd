/* Lists and tuples: building, changing, the way from and to C. */
#include "tests/unit/terms.h"

TEST(builder)
{
    Terms x;
    terms_open(&x);
    ListBuilder b = list_builder(&x.heap);
    EXPECT_STR(terms_text(&x, list_finish(&b, TERM_NIL)), "[]");
    for (int i = 0; i < 5; i++) list_add(&b, small_from(i));
    EXPECT_STR(terms_text(&x, list_finish(&b, TERM_NIL)), "[0,1,2,3,4]");
    EXPECT_STR(terms_text(&x, list_finish(&b, TERM_ATOM(OK))), "[0,1,2,3,4|ok]");
    mem_inject_failure(x.mem, 0, 1);
    for (int i = 0; i < 100; i++) list_add(&b, small_from(i));
    mem_inject_failure(x.mem, 0, 0);
    EXPECT(term_is_none(list_finish(&b, TERM_NIL)));
    terms_close(&x);
}

TEST(lengths)
{
    Terms x;
    terms_open(&x);
    Term list = list_from_bytes(&x.heap, (const uint8_t *)"abcdef", 6, TERM_NIL);
    EXPECT_EQ(list_length(list), 6);
    EXPECT_EQ(list_length(TERM_NIL), 0);
    EXPECT_EQ(list_length(heap_cons(&x.heap, TERM_NIL, TERM_ATOM(OK))), -1);
    EXPECT_EQ(list_length(TERM_ATOM(OK)), -1);
    Term rest = list;
    int64_t n = 0;
    size_t budget = 4;
    EXPECT(!list_length_step(&rest, &n, &budget));
    EXPECT_EQ(n, 4);
    budget = 4;
    EXPECT(list_length_step(&rest, &n, &budget));
    EXPECT(n == 6 && budget == 2 && term_is_nil(rest));
    terms_close(&x);
}

TEST(text)
{
    Terms x;
    terms_open(&x);
    Bytes b = {0};
    Term list = list_from_text(&x.heap, "aéж");
    EXPECT_STR(terms_text(&x, list), "[97,233,1078]");
    EXPECT(!list_to_bytes(list, &b) && b.count == 0);
    EXPECT(list_to_utf8(list, &b) && b.count == 5 && memcmp(b.at, "aéж", 5) == 0);
    bytes_clear(&b);
    EXPECT(list_to_bytes(list_from_bytes(&x.heap, (const uint8_t *)"\0\xFF", 2, TERM_NIL), &b));
    EXPECT(b.count == 2 && b.at[1] == 0xFF);
    EXPECT(!list_to_utf8(heap_cons(&x.heap, small_from(0xD800), TERM_NIL), &b));
    EXPECT(!list_to_utf8(heap_cons(&x.heap, small_from('a'), TERM_ATOM(OK)), &b));
    EXPECT_EQ(b.count, 2);
    EXPECT_STR(terms_text(&x, list_reverse(&x.heap, list, TERM_ATOM(OK))), "[1078,233,97|ok]");
    EXPECT(
        term_is_none(list_reverse(&x.heap, heap_cons(&x.heap, list, TERM_ATOM(OK)), TERM_NIL)));
    bytes_free(&b);
    terms_close(&x);
}

TEST(tuples)
{
    Terms x;
    terms_open(&x);
    Term t = heap_tuple3(&x.heap, small_from(1), small_from(2), small_from(3));
    EXPECT_STR(terms_text(&x, tuple_with(&x.heap, t, 1, TERM_ATOM(OK))), "{1,ok,3}");
    EXPECT_STR(terms_text(&x, tuple_insert(&x.heap, t, 0, TERM_ATOM(OK))), "{ok,1,2,3}");
    EXPECT_STR(terms_text(&x, tuple_insert(&x.heap, t, 3, TERM_ATOM(OK))), "{1,2,3,ok}");
    EXPECT_STR(terms_text(&x, tuple_without(&x.heap, t, 0)), "{2,3}");
    EXPECT_STR(terms_text(&x, tuple_without(&x.heap, t, 2)), "{1,2}");
    EXPECT_STR(terms_text(&x, t), "{1,2,3}");
    Term list = tuple_to_list(&x.heap, t);
    EXPECT_STR(terms_text(&x, list), "[1,2,3]");
    EXPECT(order_same(tuple_from_list(&x.heap, list, 3), t));
    EXPECT(term_is_nil(tuple_to_list(&x.heap, heap_tuple(&x.heap, 0, NULL))));
    EXPECT_STR(terms_text(&x, tuple_fill(&x.heap, 2, TERM_NIL)), "{[],[]}");
    terms_close(&x);
}
