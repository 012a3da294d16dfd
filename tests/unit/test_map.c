/* Maps of both kinds against a plain array, with random operations; shape, order, hashes,
 * iteration. */
#include "tests/unit/terms.h"
#include "vm/term/copy.h"
#include "vm/term/hamt.h"
#include "vm/term/hash.h"
#include "vm/term/map_build.h"

enum { KEYS = 300 };

/* Key number i is always the same term; kinds are mixed. */
static Term key_of(Terms *x, unsigned i)
{
    switch (i % 5) {
    case 0: return small_from(i);
    case 1: return atom_from(i % ATOM_NAMED_COUNT);
    case 2: return heap_float(&x->heap, i);
    case 3: return heap_tuple2(&x->heap, small_from(i), TERM_NIL);
    default: return binary_from_bytes(&x->heap, &i, sizeof i);
    }
}

typedef struct Model {
    bool there[KEYS];
    int64_t value[KEYS];
    size_t count;
} Model;

static void expect_model(Terms *x, const Model *m, Term map)
{
    map_check(x->atoms, map);
    EXPECT_EQ(map_size(map), m->count);
    EXPECT_EQ(map_is_flat(map), m->count <= MAP_FLAT_MAX);
    for (unsigned i = 0; i < KEYS; i++) {
        Term got = map_get(x->atoms, map, key_of(x, i));
        EXPECT_EQ(term_is_none(got), !m->there[i]);
        if (m->there[i]) EXPECT_EQ(small_value(got), m->value[i]);
    }
    MapIter it = map_iter(map);
    Term key;
    Term value;
    size_t n = 0;
    for (; map_next(&it, &key, &value); n++) {
        EXPECT(term_same(map_get(x->atoms, map, key), value));
        Term again;
        MapIter later = map_iter_at(map, n);
        EXPECT(map_next(&later, &again, &value) && term_same(again, key));
    }
    EXPECT_EQ(n, m->count);
    MapIter end = map_iter_at(map, n);
    EXPECT(!map_next(&end, &key, &value));
}

static Term model_map(Terms *x, const Model *m)
{
    Term pairs[2 * KEYS];
    size_t n = 0;
    for (unsigned i = KEYS; i-- > 0;) {
        if (!m->there[i]) continue;
        pairs[n * 2] = key_of(x, i);
        pairs[n++ * 2 + 1] = small_from(m->value[i]);
    }
    return map_from_pairs(&x->heap, x->atoms, pairs, n);
}

static Term one_step(Terms *x, Model *m, Term map, unsigned range, bool shrinks)
{
    unsigned i = (unsigned)terms_below(x, range);
    int64_t v = (int64_t)terms_below(x, 1000);
    Term key = key_of(x, i);
    Term taken;
    bool found;
    switch (terms_below(x, 6) + (shrinks ? 2 : 0)) {
    case 0:
    case 1:
    case 2:
        m->count += !m->there[i];
        m->there[i] = true;
        m->value[i] = v;
        return map_put(&x->heap, x->atoms, map, key, small_from(v));
    case 3: {
        Term next = map_update(&x->heap, x->atoms, map, key, small_from(v), &found);
        EXPECT_EQ(found, m->there[i]);
        if (found) m->value[i] = v;
        return found ? next : map;
    }
    default: {
        Term next = map_remove(&x->heap, x->atoms, map, key, &taken);
        EXPECT_EQ(term_is_none(taken), !m->there[i]);
        if (m->there[i])
            EXPECT_EQ(small_value(taken), m->value[i]);
        else
            EXPECT(term_same(next, map));
        m->count -= m->there[i];
        m->there[i] = false;
        return next;
    }
    }
}

TEST(random_operations)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(40); round++) {
        Model m = {0};
        Term map = map_empty(&x.heap);
        unsigned range = round % 3 == 0 ? 40 : KEYS;
        for (int i = 0; i < 900; i++) {
            map = one_step(&x, &m, map, range, i > 500);
            if (i % 50 == 0) {
                expect_model(&x, &m, map);
                /* The same content made otherwise is the same map, to order and hash as
                 * well. */
                Term other = model_map(&x, &m);
                EXPECT(order_same(map, other) && order_equal(map, other));
                EXPECT_EQ(order_compare(x.atoms, map, other), 0);
                EXPECT_EQ(hash_internal(x.atoms, map), hash_internal(x.atoms, other));
                EXPECT_EQ(hash_phash2(x.atoms, map), hash_phash2(x.atoms, other));
            }
        }
        expect_model(&x, &m, map);
        terms_clear(&x);
    }
    terms_close(&x);
}

TEST(old_versions_stay)
{
    Terms x;
    terms_open(&x);
    Term versions[101];
    versions[0] = map_empty(&x.heap);
    for (int i = 0; i < 100; i++)
        versions[i + 1] = map_put(&x.heap, x.atoms, versions[i], small_from(i), small_from(-i));
    for (int i = 0; i <= 100; i++) {
        EXPECT_EQ(map_size(versions[i]), i);
        map_check(x.atoms, versions[i]);
        for (int k = 0; k < 100; k++)
            EXPECT_EQ(term_is_none(map_get(x.atoms, versions[i], small_from(k))), k >= i);
    }
    terms_close(&x);
}

TEST(merging)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(300); round++) {
        Model m = {0};
        Term part[2];
        unsigned range = round % 2 ? 60 : KEYS;
        for (int p = 0; p < 2; p++) {
            size_t n = (size_t)terms_below(&x, round % 3 ? 200 : 6);
            part[p] = map_empty(&x.heap);
            for (size_t i = 0; i < n; i++) {
                unsigned k = (unsigned)terms_below(&x, range);
                m.count += !m.there[k];
                m.there[k] = true;
                m.value[k] = p;
                part[p] = map_put(&x.heap, x.atoms, part[p], key_of(&x, k), small_from(p));
            }
        }
        expect_model(&x, &m, map_merge(&x.heap, x.atoms, part[0], part[1]));
        terms_clear(&x);
    }
    terms_close(&x);
}

TEST(keys_are_exact)
{
    Terms x;
    terms_open(&x);
    Term map = map_put(&x.heap, x.atoms, map_empty(&x.heap), small_from(1), TERM_ATOM(OK));
    map = map_put(&x.heap, x.atoms, map, heap_float(&x.heap, 1.0), TERM_ATOM(ERROR));
    EXPECT_STR(terms_text(&x, map), "#{1 => ok,1.0 => error}");
    map = map_put(&x.heap, x.atoms, map, heap_float(&x.heap, -0.0), small_from(1));
    map = map_put(&x.heap, x.atoms, map, heap_float(&x.heap, 0.0), small_from(2));
    EXPECT_EQ(map_size(map), 3);
    map = map_put(&x.heap, x.atoms, map, TERM_ATOM(OK), TERM_NIL);
    map = map_put(&x.heap, x.atoms, map, TERM_ATOM(BADARG), TERM_NIL);
    EXPECT_STR(terms_text(&x, map), "#{1 => ok,-0.0 => 2,1.0 => error,badarg => [],ok => []}");
    terms_close(&x);
}

TEST(later_pairs_win)
{
    Terms x;
    terms_open(&x);
    enum { N = 2000 };
    Term *pairs = malloc(2 * N * sizeof *pairs);
    for (int i = 0; i < N; i++) {
        pairs[2 * i] = small_from(i % 100);
        pairs[2 * i + 1] = small_from(i);
    }
    Term map = map_from_pairs(&x.heap, x.atoms, pairs, N);
    EXPECT_EQ(map_size(map), 100);
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(small_value(map_get(x.atoms, map, small_from(i))), N - 100 + i);
    Term few = map_from_pairs(&x.heap, x.atoms, pairs + 2 * (N - 5), 5);
    EXPECT_EQ(map_size(few), 5);
    for (int i = 0; i < N; i++) pairs[2 * i] = small_from(i % 3);
    few = map_from_pairs(&x.heap, x.atoms, pairs, N);
    EXPECT_STR(terms_text(&x, few), "#{0 => 1998,1 => 1999,2 => 1997}");
    free(pairs);
    terms_close(&x);
}

TEST(a_large_map)
{
    Terms x;
    terms_open(&x);
    int n = UNIT_SIZE(100000) + 40;
    Term map = map_empty(&x.heap);
    for (int i = 0; i < n; i++)
        map = map_put(&x.heap, x.atoms, map, small_from(i), small_from(i * 2));
    map_check(x.atoms, map);
    for (int i = 0; i < n; i++)
        EXPECT_EQ(small_value(map_get_immediate(x.atoms, map, small_from(i))), i * 2);
    Heap other;
    heap_init_detached(&other, x.mem);
    Term copy = copy_term(&other, map, SIZE_MAX, NULL);
    terms_clear(&x);
    map_check(x.atoms, copy);
    for (int i = 0; i < n; i++) {
        Term taken;
        copy = map_remove(&other, x.atoms, copy, small_from(i), &taken);
        EXPECT_EQ(small_value(taken), i * 2);
        if (i % 5000 == 0 || n - i < 40) map_check(x.atoms, copy);
    }
    EXPECT_EQ(map_size(copy), 0);
    heap_release(&other);
    terms_close(&x);
}

/* Keys whose 64-bit hashes are all the same go through the trie's own functions. */
TEST(colliding_keys)
{
    Terms x;
    terms_open(&x);
    enum { N = 40 };
    HamtPair pairs[N + 1];
    for (int i = 0; i < N; i++)
        pairs[i] = (HamtPair){i < 36 ? UINT64_C(0xABCDEF) : UINT64_C(0xABCDEF) + 1,
                              small_from(i), small_from(i)};
    HamtBuild build;
    size_t budget = SIZE_MAX;
    Keys keys;
    keys_init(&keys, x.atoms, SIZE_MAX);
    hamt_build_begin(&build, pairs, N);
    EXPECT(hamt_build_step(&build, &x.heap, &budget));
    Term root = build.root;
    bool added;
    root = hamt_put(&x.heap, &keys, root, &(HamtPair){0xABCDEF, small_from(-3), TERM_NIL},
                    false, &added);
    EXPECT(added && hamt_count(root) == N + 1);
    root = hamt_put(&x.heap, &keys, root, &(HamtPair){0xABCDEF, small_from(7), TERM_NIL}, false,
                    &added);
    EXPECT(!added && hamt_count(root) == N + 1);
    EXPECT(term_is_nil(hamt_get(&keys, root, small_from(7), 0xABCDEF)));
    EXPECT(term_is_none(hamt_get(&keys, root, small_from(77), 0xABCDEF)));
    MapIter it;
    Term key;
    Term value;
    int64_t last = -100;
    hamt_iter_start(&it, root, 0);
    for (size_t i = 0; hamt_next(&it, &key, &value); i++) {
        if (i > 0 && i < 37) EXPECT(small_value(key) > last);
        last = small_value(key);
        MapIter later;
        Term again;
        hamt_iter_start(&later, root, i);
        EXPECT(hamt_next(&later, &again, &value) && term_same(again, key));
    }
    for (int i = -3; i < N; i = i == -3 ? 0 : i + 1) {
        Term taken;
        root = hamt_remove(&x.heap, &keys, root, small_from(i), i < 36 ? 0xABCDEF : 0xABCDF0,
                           &taken);
        EXPECT(!term_is_none(taken));
    }
    EXPECT_EQ(hamt_count(root), 0);
    terms_close(&x);
}

TEST(building_in_slices)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(200); round++) {
        Model m = {0};
        MapBuild *b = malloc(sizeof *b);
        size_t n = (size_t)terms_below(&x, 500);
        EXPECT(map_build_begin(b, x.atoms, n, x.mem));
        for (size_t i = 0; i < n; i++) {
            unsigned k = (unsigned)terms_below(&x, round % 2 ? 20 : KEYS);
            m.count += !m.there[k];
            m.there[k] = true;
            m.value[k] = (int64_t)i;
            map_build_add(b, key_of(&x, k), small_from((int64_t)i));
        }
        size_t budget = 1 + (size_t)terms_below(&x, 100);
        size_t slice = budget;
        while (!map_build_step(b, &x.heap, &budget)) budget = slice;
        Term map = b->result;
        map_build_end(b);
        expect_model(&x, &m, map);
        EXPECT(map_build_begin_merge(b, x.atoms, map, map, x.mem));
        budget = 1;
        while (!map_build_step(b, &x.heap, &budget)) budget = 1;
        EXPECT(order_same(b->result, map));
        map_build_end(b);
        EXPECT(map_build_begin_merge(b, x.atoms, map, map, x.mem));
        budget = (size_t)terms_below(&x, 4 * n + 1);
        map_build_step(b, &x.heap, &budget);
        map_build_end(b);
        free(b);
        terms_clear(&x);
    }
    terms_close(&x);
}
