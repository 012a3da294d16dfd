/* Look-ups whose questions are answered in small steps: the same maps and values as at once. */
#include "tests/unit/terms.h"
#include "vm/term/keys.h"
#include "vm/term/map_build.h"

/* A budget that few keys fit into. */
#define LITTLE 3

static uint64_t hash_by_steps(Terms *x, Term t, size_t step)
{
    HashInternal w;
    size_t budget = step;
    hash_internal_begin(&w, x->atoms, t, x->mem);
    while (!hash_internal_step(&w, &budget)) budget = step;
    hash_internal_end(&w);
    return w.hash;
}

TEST(hashes_by_steps)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(1000); round++) {
        Term t = terms_random(&x, 4);
        for (size_t step = 1; step < 6; step++)
            EXPECT_EQ(hash_by_steps(&x, t, step), hash_internal_slow(x.atoms, t));
        terms_clear(&x);
    }
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7);
    Term whole = binary_from_bytes(&x.heap, bytes, sizeof bytes);
    Term big = number_bsl(&x.heap, small_from(12345), small_from(5000));
    EXPECT_EQ(hash_by_steps(&x, big, 7), hash_internal(x.atoms, big));
    EXPECT_EQ(hash_by_steps(&x, whole, 7), hash_internal(x.atoms, whole));
    for (size_t from = 0; from < 9; from++) {
        Term part = binary_part(&x.heap, whole, from, 700 * 8 + 3);
        uint64_t hash = hash_internal(x.atoms, part);
        EXPECT_EQ(hash_by_steps(&x, part, 5), hash);
        Term few = binary_part(&x.heap, whole, from, 61 * 8 + 3);
        Term copy = binary_from_bits(&x.heap, binary_view(few));
        EXPECT_EQ(hash_internal(x.atoms, copy), hash_internal(x.atoms, few));
    }
    terms_close(&x);
}

/* Large integers are compared from the top, some limbs at a time. */
TEST(integers_by_steps)
{
    Terms x;
    terms_open(&x);
    Term big = number_bsl(&x.heap, small_from(3), small_from(64 * 300));
    for (int bit = 0; bit < 64 * 300; bit += 997) {
        Term one = number_bsl(&x.heap, small_from(1), small_from(bit));
        Term more = big_add(&x.heap, big, one);
        Term again = big_sub(&x.heap, more, one);
        EXPECT_EQ(order_compare(x.atoms, big, more), -1);
        EXPECT_EQ(order_compare(x.atoms, more, big), 1);
        EXPECT_EQ(order_compare(x.atoms, big_neg(&x.heap, big), big_neg(&x.heap, more)), 1);
        EXPECT_EQ(order_compare(x.atoms, big, again), 0);
        EXPECT(order_same(big, again) && order_equal(big, again) && !order_same(big, more));
        OrderWalk o;
        size_t budget = 1;
        order_begin_kind(&o, x.atoms, ORDER_KIND_ORDER, big, more, x.mem);
        while (!order_step(&o, &budget)) budget = 1;
        EXPECT_EQ(o.result, -1);
        order_end(&o);
    }
    terms_close(&x);
}

/* True while a look-up has to be tried again. */
static bool more(KeysStudy *s)
{
    bool again = s->keys.more;
    size_t budget = 1;
    while (!keys_study_step(s, &budget)) budget = 1;
    if (!again) keys_study_forget(s);
    s->keys.budget = LITTLE;
    return again;
}

static Term put(Terms *x, KeysStudy *s, Term map, Term key, Term value)
{
    Term result;
    do result = map_put_by(&x->heap, &s->keys, map, key, value);
    while (more(s));
    return result;
}

static Term without(Terms *x, KeysStudy *s, Term map, Term key, Term *taken)
{
    Term result;
    do result = map_remove_by(&x->heap, &s->keys, map, key, taken);
    while (more(s));
    return result;
}

static Term get(KeysStudy *s, Term map, Term key)
{
    Term result;
    do result = map_get_by(&s->keys, map, key);
    while (more(s));
    return result;
}

/* Lists of nearly the same numbers, so that comparing takes its time. */
static Term long_key(Terms *x, int i)
{
    Term list = heap_cons(&x->heap, small_from(i), TERM_NIL);
    for (int k = 0; k < 10; k++) list = heap_cons(&x->heap, small_from(k), list);
    return list;
}

TEST(maps_by_steps)
{
    Terms x;
    terms_open(&x);
    KeysStudy s;
    keys_study_begin(&s, x.atoms, x.mem);
    s.keys.budget = LITTLE;
    for (int round = 0; round < UNIT_SIZE(20); round++) {
        enum { N = 60 };
        Term map = map_empty(&x.heap);
        Term model = map;
        for (int i = 0; i < 4 * N; i++) {
            Term key = long_key(&x, (i * 37 + round) % N);
            Term value = small_from(i);
            bool removes = i > N && i % 3 != 0;
            Term taken = TERM_NONE;
            Term wanted = TERM_NONE;
            map = removes ? without(&x, &s, map, key, &taken) : put(&x, &s, map, key, value);
            model = removes ? map_remove(&x.heap, x.atoms, model, key, &wanted)
                            : map_put(&x.heap, x.atoms, model, key, value);
            EXPECT(term_same(taken, wanted));
            map_check(x.atoms, map);
            EXPECT(order_same(map, model));
            Term other = long_key(&x, i % N);
            EXPECT(term_same(get(&s, map, other), map_get(x.atoms, model, other)));
        }
        terms_clear(&x);
    }
    keys_study_end(&s);
    terms_close(&x);
}

TEST(many_pairs_by_steps)
{
    Terms x;
    terms_open(&x);
    MapBuild *b = mem_alloc(x.mem, MEM_WORK, sizeof *b);
    for (int n = 1; n < 90; n += 11) {
        EXPECT(map_build_begin(b, x.atoms, (size_t)n * 2, x.mem));
        Term model = map_empty(&x.heap);
        for (int i = 0; i < 2 * n; i++) {
            Term key = i % 3 == 0 ? terms_random(&x, 3) : long_key(&x, i % n);
            map_build_add(b, key, small_from(i));
            model = map_put(&x.heap, x.atoms, model, key, small_from(i));
        }
        size_t budget = 1;
        while (!map_build_step(b, &x.heap, &budget)) budget = 1;
        map_check(x.atoms, b->result);
        EXPECT(order_same(b->result, model));
        map_build_end(b);
        terms_clear(&x);
    }
    mem_free(x.mem, MEM_WORK, b, sizeof *b);
    terms_close(&x);
}
