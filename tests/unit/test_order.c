/* Order and equality: the kinds in their places, exactness, large maps, slices. */
#include "tests/unit/terms.h"
#include "vm/term/copy.h"
#include "vm/term/fun.h"
#include "vm/term/pid.h"

static int sign(int n) { return (n > 0) - (n < 0); }

/* In slices of one term each. */
static int compare_slowly(Terms *x, OrderMode mode, Term a, Term b)
{
    OrderWalk o;
    order_begin(&o, x->atoms, mode, a, b, x->mem);
    size_t budget = 1;
    while (!order_step(&o, &budget)) budget = 1;
    order_end(&o);
    return sign(o.result);
}

static void expect_order(Terms *x, Term a, Term b, int wanted)
{
    EXPECT_EQ(sign(order_compare(x->atoms, a, b)), wanted);
    EXPECT_EQ(sign(order_compare(x->atoms, b, a)), -wanted);
    EXPECT_EQ(compare_slowly(x, ORDER_STANDARD, a, b), wanted);
    EXPECT_EQ(order_equal(a, b), wanted == 0);
    if (wanted != 0) EXPECT(!order_same(a, b));
}

TEST(kinds_in_their_places)
{
    Terms x;
    terms_open(&x);
    ExportKey export = {TERM_ATOM(ERLANG), TERM_ATOM(APPLY), 2};
    FunKey closure = {.module = TERM_ATOM(ERLANG)};
    Term list[] = {
        number_bsl(&x.heap, small_from(-1), small_from(70)),
        small_from(-1),
        heap_float(&x.heap, -0.5),
        small_from(0),
        heap_float(&x.heap, 0.5),
        small_from(1),
        number_bsl(&x.heap, small_from(1), small_from(70)),
        TERM_ATOM(EMPTY),
        TERM_ATOM(FALSE),
        TERM_ATOM(TRUE),
        pid_make_ref(&x.heap, 1),
        pid_make_alias(&x.heap, 2, pid_make(1, 1)),
        pid_make_remote_ref(&x.heap, TERM_ATOM(ERROR), 1, 3, (uint32_t[]){1, 2, 3}),
        fun_make(&x.heap, &closure, 0, NULL),
        fun_make(&x.heap, &closure, 1, (Term[]){small_from(1)}),
        fun_make_export(&x.heap, &export),
        port_make(3),
        port_make(4),
        pid_make(5, 0),
        pid_make(1, 1),
        pid_make_remote(&x.heap, TERM_ATOM(ERROR), 1, 1, 1),
        heap_tuple(&x.heap, 0, NULL),
        heap_tuple2(&x.heap, small_from(1), small_from(9)),
        heap_tuple2(&x.heap, small_from(2), small_from(1)),
        heap_tuple3(&x.heap, small_from(0), small_from(0), small_from(0)),
        map_empty(&x.heap),
        map_put(&x.heap, x.atoms, map_empty(&x.heap), TERM_ATOM(OK), small_from(1)),
        TERM_NIL,
        heap_cons(&x.heap, small_from(1), TERM_NIL),
        heap_cons(&x.heap, small_from(1), heap_cons(&x.heap, small_from(1), TERM_NIL)),
        heap_cons(&x.heap, small_from(2), TERM_NIL),
        binary_from_text(&x.heap, ""),
        binary_from_bits(&x.heap, (BitView){(const uint8_t *)"a", 0, 7}),
        binary_from_text(&x.heap, "a"),
        binary_from_text(&x.heap, "aa"),
        binary_from_text(&x.heap, "b"),
    };
    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        for (size_t k = 0; k < ARRAY_LEN(list); k++)
            expect_order(&x, list[i], list[k], (i > k) - (i < k));
    terms_close(&x);
}

/* From erl. */
TEST(values_and_exactness)
{
    Terms x;
    terms_open(&x);
    Term one = small_from(1);
    Term one_float = heap_float(&x.heap, 1.0);
    expect_order(&x, one, one_float, 0);
    EXPECT(!order_same(one, one_float));
    EXPECT_EQ(sign(order_compare_exact(x.atoms, one_float, small_from(5))), 1);
    EXPECT_EQ(sign(order_compare_exact(x.atoms, small_from(5), one_float)), -1);
    EXPECT(order_same(heap_float(&x.heap, 0.0), heap_float(&x.heap, -0.0)));
    Term a = heap_cons(&x.heap, one, heap_cons(&x.heap, one, TERM_NIL));
    Term b = heap_cons(&x.heap, one_float, heap_cons(&x.heap, one, TERM_NIL));
    expect_order(&x, a, b, 0);
    EXPECT(!order_same(a, b));
    EXPECT(order_same(a, heap_cons(&x.heap, one, heap_cons(&x.heap, one, TERM_NIL))));
    /* Values of maps by value, keys exactly. */
    Term empty = map_empty(&x.heap);
    Term m1 = map_put(&x.heap, x.atoms, empty, one, one);
    Term m2 = map_put(&x.heap, x.atoms, empty, one, one_float);
    Term m3 = map_put(&x.heap, x.atoms, empty, one_float, one);
    expect_order(&x, m1, m2, 0);
    EXPECT(!order_same(m1, m2));
    expect_order(&x, m1, m3, -1);
    terms_close(&x);
}

/* A flat model: all pairs sorted by key. */
static int compare_by_sorting(Terms *x, Term a, Term b)
{
    Term keys[2][64];
    Term map[2] = {a, b};
    size_t n = map_size(a);
    for (int m = 0; m < 2; m++) {
        MapIter it = map_iter(map[m]);
        Term key;
        Term value;
        for (size_t count = 0; map_next(&it, &key, &value); count++) {
            size_t i = count;
            for (; i > 0 && order_compare_exact(x->atoms, keys[m][i - 1], key) > 0; i--)
                keys[m][i] = keys[m][i - 1];
            keys[m][i] = key;
        }
    }
    for (size_t i = 0; i < n; i++) {
        int order = order_compare_exact(x->atoms, keys[0][i], keys[1][i]);
        if (order != 0) return sign(order);
    }
    for (size_t i = 0; i < n; i++) {
        int order = order_compare(x->atoms, map_get(x->atoms, a, keys[0][i]),
                                  map_get(x->atoms, b, keys[0][i]));
        if (order != 0) return sign(order);
    }
    return 0;
}

TEST(large_maps)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(3000); round++) {
        Term map[2] = {map_empty(&x.heap), map_empty(&x.heap)};
        for (int m = 0; m < 2; m++)
            for (int i = 0; i < 40; i++) {
                Term value = heap_tuple2(&x.heap, small_from(i), TERM_NIL);
                Term key =
                    i % 3 == 0 ? small_from(i) : heap_cons(&x.heap, small_from(i), TERM_NIL);
                map[m] = map_put(&x.heap, x.atoms, map[m], key, value);
            }
        for (size_t i = terms_below(&x, 3); i-- > 0;) {
            int which = (int)terms_below(&x, 2);
            Term key = small_from((int64_t)terms_below(&x, 13) * 3);
            if (terms_below(&x, 2) == 0) {
                map[0] = map_remove(&x.heap, x.atoms, map[0], key, NULL);
                map[1] = map_remove(&x.heap, x.atoms, map[1],
                                    small_from((int64_t)terms_below(&x, 13) * 3), NULL);
            } else {
                map[which] = map_put(&x.heap, x.atoms, map[which], key,
                                     heap_float(&x.heap, (double)terms_below(&x, 2)));
            }
        }
        if (map_size(map[0]) != map_size(map[1])) continue;
        expect_order(&x, map[0], map[1], compare_by_sorting(&x, map[0], map[1]));
        /* The same as the only element of something, with something behind it. */
        Term a = heap_tuple2(&x.heap, map[0], small_from(1));
        Term b = heap_tuple2(&x.heap, map[1], small_from(2));
        int wanted = compare_by_sorting(&x, map[0], map[1]);
        expect_order(&x, a, b, wanted == 0 ? -1 : wanted);
        if (round % 20 == 0) terms_clear(&x);
    }
    terms_close(&x);
}

TEST(maps_in_maps)
{
    Terms x;
    terms_open(&x);
    Term outer[2] = {map_empty(&x.heap), map_empty(&x.heap)};
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < 40; i++) {
            Term inner = map_empty(&x.heap);
            for (int k = 0; k < 40; k++)
                inner = map_put(&x.heap, x.atoms, inner, small_from(k),
                                small_from(m == 1 && i > 20 && k > 20 ? k + i : k));
            outer[m] =
                map_put(&x.heap, x.atoms, outer[m], i % 2 ? inner : small_from(i), inner);
        }
    if (map_size(outer[0]) == map_size(outer[1]))
        expect_order(&x, outer[0], outer[1], sign(order_compare(x.atoms, outer[0], outer[1])));
    expect_order(&x, outer[0], outer[0], 0);
    Term small = heap_cons(&x.heap, outer[1], TERM_NIL);
    Term copy = heap_cons(&x.heap, map_put(&x.heap, x.atoms, outer[1], small_from(0), TERM_NIL),
                          TERM_NIL);
    expect_order(&x, small, copy, -1);
    terms_close(&x);
}

TEST(random_terms_are_totally_ordered)
{
    Terms x;
    terms_open(&x);
    enum { N = 40 };
    for (int round = 0; round < UNIT_SIZE(30); round++) {
        Term list[N];
        for (size_t i = 0; i < N; i++) list[i] = terms_random(&x, 1 + (unsigned)i % 3);
        for (size_t i = 0; i < N; i++)
            for (size_t k = 0; k < N; k++) {
                int order = sign(order_compare(x.atoms, list[i], list[k]));
                expect_order(&x, list[i], list[k], order);
                int exact = sign(order_compare_exact(x.atoms, list[i], list[k]));
                EXPECT_EQ(exact, compare_slowly(&x, ORDER_EXACT, list[i], list[k]));
                EXPECT_EQ(exact == 0, order_same(list[i], list[k]));
                for (size_t m = 0; m < N; m += 7)
                    if (order < 0 && order_compare(x.atoms, list[k], list[m]) < 0)
                        EXPECT(order_compare(x.atoms, list[i], list[m]) < 0);
            }
        terms_clear(&x);
    }
    terms_close(&x);
}

/* Depth is no matter, in any direction. */
TEST(deep_terms)
{
    Terms x;
    terms_open(&x);
    int n = UNIT_SIZE(1000000);
    Term a[2] = {TERM_NIL, TERM_NIL};
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < n; i++)
            a[m] = i % 2 ? heap_cons(&x.heap, a[m], TERM_NIL)
                         : heap_tuple2(&x.heap, TERM_NIL, a[m]);
    EXPECT(order_same(a[0], a[1]) && order_equal(a[0], a[1]));
    EXPECT_EQ(order_compare(x.atoms, a[0], a[1]), 0);
    OrderWalk o;
    size_t budget = 1000;
    order_begin(&o, x.atoms, ORDER_STANDARD, a[0], a[1], x.mem);
    EXPECT(n < 2000 || (!order_step(&o, &budget) && budget == 0));
    order_end(&o);
    terms_close(&x);
}

/* What is settled at once is settled rightly; what is not says so. */
TEST(quick_or_more)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(2000); round++) {
        Term a = terms_random(&x, 3);
        Term b =
            round % 3 == 0 ? terms_random(&x, 3) : copy_term(&x.heap, a, SIZE_MAX - 1, NULL);
        int order = order_quick(x.atoms, a, b);
        int equal = order_quick_equal(a, b);
        int same = order_quick_same(a, b);
        EXPECT(order == ORDER_MORE || sign(order) == sign(order_compare(x.atoms, a, b)));
        EXPECT(equal == ORDER_MORE || (equal == 0) == order_equal(a, b));
        EXPECT(same == ORDER_MORE || (same == 0) == order_same(a, b));
        terms_clear(&x);
    }
    Term list[2] = {TERM_NIL, TERM_NIL};
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < 4 * ORDER_QUICK; i++)
            list[m] = heap_cons(&x.heap, small_from(i), list[m]);
    EXPECT_EQ(order_quick(x.atoms, list[0], list[1]), ORDER_MORE);
    EXPECT_EQ(order_quick_same(list[0], list[1]), ORDER_MORE);
    EXPECT_EQ(order_quick_equal(list[0], list_tail(list[1])), 1);
    terms_close(&x);
}
