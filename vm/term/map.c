#include "vm/term/map.h"

#include "vm/term/hamt.h"
#include "vm/term/map_build.h"
#include "vm/term/order.h"

#include <string.h>

/* ---- flat maps ---- */

static const Word *flat_keys(Term map) { return boxed_words(map_flat_keys(map)) + 1; }

/* Position of the key, or the size if it is not there. */
static size_t flat_find(Keys *k, Term map, Term key)
{
    size_t n = map_flat_size(map);
    if (n == 0) return 0;
    const Word *keys = flat_keys(map);
    if (term_is_atomic(key)) {
        for (size_t i = 0; i < n; i++)
            if (keys[i] == key.w) return i;
        return n;
    }
    for (size_t i = 0; i < n && !k->more; i++)
        if (keys_same(k, TERM_RAW(keys[i]), key)) return i;
    return n;
}

/* Where an absent key belongs. */
static size_t flat_place(Keys *k, Term map, Term key)
{
    size_t low = 0;
    size_t high = map_flat_size(map);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (keys_order(k, key, map_flat_key(map, middle)) < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Room for a flat map of n > 0 values over `keys`. */
static Word *flat_new(Heap *h, Term keys, size_t n)
{
    Word *at = heap_alloc(h, n + 2);
    if (at == NULL) return NULL;
    at[0] = header_make(KIND_MAP, n + 1);
    at[1] = keys.w;
    return at;
}

/* The same for a map with a key tuple of its own, which stands behind it; keys are for the
 * caller. */
static Word *flat_new_with_keys(Heap *h, size_t n, Word **keys)
{
    Word *at = heap_alloc(h, n + 2 + n + 1);
    if (at == NULL) return NULL;
    Word *tuple = at + n + 2;
    tuple[0] = header_make(KIND_TUPLE, n);
    at[0] = header_make(KIND_MAP, n + 1);
    at[1] = boxed_from(tuple).w;
    *keys = tuple + 1;
    return at;
}

Term map_empty(Heap *h)
{
    Word *at = heap_alloc(h, 2);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_MAP, 1);
    at[1] = TERM_NIL.w;
    return boxed_from(at);
}

static Term flat_with_value(Heap *h, Term map, size_t i, Term value)
{
    size_t n = map_flat_size(map);
    if (map_flat_value(map, i).w == value.w) return map;
    Word *at = flat_new(h, map_flat_keys(map), n);
    if (at == NULL) return TERM_NONE;
    memcpy(at + 2, boxed_words(map) + 2, n * sizeof(Word));
    at[2 + i] = value.w;
    return boxed_from(at);
}

static Term flat_insert(Heap *h, Term map, size_t i, Term key, Term value)
{
    size_t n = map_flat_size(map);
    Word *keys = NULL;
    Word *at = flat_new_with_keys(h, n + 1, &keys);
    if (at == NULL) return TERM_NONE;
    const Word *old_keys = n == 0 ? NULL : flat_keys(map);
    const Word *old_values = boxed_words(map) + 2;
    Word *values = at + 2;
    for (size_t k = 0; k < n; k++) {
        keys[k + (k >= i)] = old_keys[k];
        values[k + (k >= i)] = old_values[k];
    }
    keys[i] = key.w;
    values[i] = value.w;
    return boxed_from(at);
}

static Term flat_remove(Heap *h, Term map, size_t i)
{
    size_t n = map_flat_size(map);
    if (n == 1) return map_empty(h);
    Word *keys = NULL;
    Word *at = flat_new_with_keys(h, n - 1, &keys);
    if (at == NULL) return TERM_NONE;
    const Word *old_keys = flat_keys(map);
    const Word *old_values = boxed_words(map) + 2;
    for (size_t k = 0; k < n; k++) {
        if (k == i) continue;
        keys[k - (k > i)] = old_keys[k];
        at[2 + k - (k > i)] = old_values[k];
    }
    return boxed_from(at);
}

/* ---- between the two kinds ---- */

Term map_from_root(Heap *h, Term root)
{
    if (term_is_none(root)) return root;
    Word *at = heap_alloc(h, 3);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_HASHMAP, 2);
    at[1] = small_from((int64_t)hamt_count(root)).w;
    at[2] = root.w;
    return boxed_from(at);
}

static Term map_root(Term map) { return boxed_term(map, 1); }

/* Where a pair belongs among `n` in map-key order. */
static size_t pairs_place(Keys *k, const HamtPair *pairs, size_t n, Term key)
{
    size_t low = 0;
    while (low < n) {
        size_t middle = (low + n) / 2;
        if (keys_order(k, key, pairs[middle].key) < 0)
            n = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Flat, from at most MAP_FLAT_MAX pairs with different keys, which are sorted here by
 * insertion: with few comparisons, as keys may be large. */
Term map_from_different(Heap *h, Keys *k, HamtPair *pairs, size_t n)
{
    if (n == 0) return map_empty(h);
    for (size_t i = 1; i < n; i++) {
        HamtPair pair = pairs[i];
        size_t at = pairs_place(k, pairs, i, pair.key);
        if (k->more) return TERM_NONE;
        memmove(pairs + at + 1, pairs + at, (i - at) * sizeof *pairs);
        pairs[at] = pair;
    }
    Word *keys = NULL;
    Word *at = flat_new_with_keys(h, n, &keys);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++) {
        keys[i] = pairs[i].key.w;
        at[2 + i] = pairs[i].value.w;
    }
    return boxed_from(at);
}

/* One key more than a flat map holds. */
static Term flat_to_hash(Heap *h, Keys *keys, Term map, Term key, Term value)
{
    HamtPair pairs[MAP_FLAT_MAX + 1];
    for (size_t n = 0; n <= MAP_FLAT_MAX; n++) {
        HamtPair pair = {0, key, value};
        if (n > 0) pair = (HamtPair){0, map_flat_key(map, n - 1), map_flat_value(map, n - 1)};
        if (!keys_hash(keys, pair.key, &pair.hash)) return TERM_NONE;
        size_t i = n;
        for (; i > 0 && pairs[i - 1].hash >= pair.hash; i--) {
            if (pairs[i - 1].hash == pair.hash
                && keys_order(keys, pairs[i - 1].key, pair.key) < 0)
                break;
            pairs[i] = pairs[i - 1];
        }
        pairs[i] = pair;
    }
    if (keys->more) return TERM_NONE;
    HamtBuild b;
    size_t budget = SIZE_MAX;
    hamt_build_begin(&b, pairs, MAP_FLAT_MAX + 1);
    hamt_build_step(&b, h, &budget);
    return map_from_root(h, b.root);
}

static Term hash_to_flat(Heap *h, Keys *k, Term root)
{
    HamtPair pairs[MAP_FLAT_MAX];
    size_t n = 0;
    MapIter it;
    Term key;
    Term value;
    hamt_iter_start(&it, root, 0);
    while (hamt_next(&it, &key, &value)) pairs[n++] = (HamtPair){0, key, value};
    return map_from_different(h, k, pairs, n);
}

/* ---- one key ---- */

Term map_get_immediate(const AtomTable *atoms, Term map, Term key)
{
    if (map_is_flat(map)) {
        size_t n = map_flat_size(map);
        if (n == 0) return TERM_NONE;
        const Word *keys = flat_keys(map);
        for (size_t i = 0; i < n; i++)
            if (keys[i] == key.w) return map_flat_value(map, i);
        return TERM_NONE;
    }
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return hamt_get(&k, map_root(map), key, hash_internal(atoms, key));
}

Term map_get_by(Keys *k, Term map, Term key)
{
    if (!map_is_flat(map)) {
        uint64_t hash;
        return keys_hash(k, key, &hash) ? hamt_get(k, map_root(map), key, hash) : TERM_NONE;
    }
    size_t i = flat_find(k, map, key);
    return i == map_flat_size(map) ? TERM_NONE : map_flat_value(map, i);
}

Term map_get_quick_slow(const AtomTable *atoms, Term map, Term key)
{
    Keys k;
    keys_init(&k, atoms, ORDER_QUICK);
    Term value = map_get_by(&k, map, key);
    return UNLIKELY(k.more) ? TERM_YIELD : value;
}

Term map_put_by(Heap *h, Keys *k, Term map, Term key, Term value)
{
    if (!map_is_flat(map)) {
        HamtPair pair = {0, key, value};
        bool added;
        if (!keys_hash(k, key, &pair.hash)) return TERM_NONE;
        return map_from_root(h, hamt_put(h, k, map_root(map), &pair, false, &added));
    }
    size_t n = map_flat_size(map);
    size_t i = flat_find(k, map, key);
    if (i < n) return flat_with_value(h, map, i, value);
    if (k->more) return TERM_NONE;
    if (n == MAP_FLAT_MAX) return flat_to_hash(h, k, map, key, value);
    i = flat_place(k, map, key);
    return k->more ? TERM_NONE : flat_insert(h, map, i, key, value);
}

Term map_update_by(Heap *h, Keys *k, Term map, Term key, Term value, bool *found)
{
    *found = false;
    if (!map_is_flat(map)) {
        HamtPair pair = {0, key, value};
        bool absent;
        if (!keys_hash(k, key, &pair.hash)) return TERM_NONE;
        Term root = hamt_put(h, k, map_root(map), &pair, true, &absent);
        *found = !absent;
        return absent ? TERM_NONE : map_from_root(h, root);
    }
    size_t i = flat_find(k, map, key);
    *found = i < map_flat_size(map);
    return *found ? flat_with_value(h, map, i, value) : TERM_NONE;
}

static Term hash_remove(Heap *h, Keys *k, Term map, Term key, Term *value)
{
    uint64_t hash;
    if (!keys_hash(k, key, &hash)) return TERM_NONE;
    Term old = map_root(map);
    Term root = hamt_remove(h, k, old, key, hash, value);
    if (k->more || term_is_none(root)) return TERM_NONE;
    if (root.w == old.w) return map;
    return hamt_count(root) > MAP_FLAT_MAX ? map_from_root(h, root) : hash_to_flat(h, k, root);
}

Term map_remove_by(Heap *h, Keys *k, Term map, Term key, Term *taken)
{
    Term value = TERM_NONE;
    Term result = map;
    if (map_is_flat(map)) {
        size_t i = flat_find(k, map, key);
        if (i < map_flat_size(map)) {
            value = map_flat_value(map, i);
            result = flat_remove(h, map, i);
        } else if (k->more) {
            result = TERM_NONE;
        }
    } else {
        result = hash_remove(h, k, map, key, &value);
    }
    if (taken != NULL) *taken = value;
    return result;
}

/* ---- many keys ---- */

Term map_from_sorted(Heap *h, Term keys, size_t n, const Term *values)
{
    if (n == 0) return map_empty(h);
    Word *at = flat_new(h, keys, n);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++) at[2 + i] = values[i].w;
    return boxed_from(at);
}

static Term from_few_pairs(Heap *h, Keys *keys, const Term *pairs, size_t n)
{
    HamtPair few[MAP_FLAT_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kept && !keys_same(keys, few[k].key, pairs[i * 2])) k++;
        if (keys->more) return TERM_NONE;
        few[k] = (HamtPair){0, pairs[i * 2], pairs[i * 2 + 1]};
        kept += k == kept;
    }
    return map_from_different(h, keys, few, kept);
}

/* A build that is not to go beyond the budget of `k`. */
static Term run_build(MapBuild *b, Heap *h, Keys *k)
{
    size_t budget = k->budget;
    bool done = map_build_step(b, h, &budget);
    k->budget = budget;
    k->more = !done;
    map_build_end(b);
    return done ? b->result : TERM_NONE;
}

Term map_from_pairs_by(Heap *h, Keys *k, const Term *pairs, size_t n)
{
    if (n <= MAP_FLAT_MAX) return from_few_pairs(h, k, pairs, n);
    MapBuild b;
    if (!map_build_begin(&b, k->atoms, n, h->mem)) return TERM_NONE;
    for (size_t i = 0; i < n; i++) map_build_add(&b, pairs[i * 2], pairs[i * 2 + 1]);
    return run_build(&b, h, k);
}

static Term merge_all(Heap *h, Keys *k, Term a, Term b)
{
    MapBuild build;
    if (!map_build_begin_merge(&build, k->atoms, a, b, h->mem)) return TERM_NONE;
    return run_build(&build, h, k);
}

Term map_merge_by(Heap *h, Keys *k, Term a, Term b)
{
    size_t an = map_size(a);
    size_t bn = map_size(b);
    if (an == 0) return b;
    if (bn == 0 || a.w == b.w) return a;
    if (bn > MAP_MERGE_ONE_BY_ONE && an > MAP_MERGE_ONE_BY_ONE) return merge_all(h, k, a, b);
    bool from_b = bn <= an;
    Term map = from_b ? a : b;
    MapIter it = map_iter(from_b ? b : a);
    Term key;
    Term value;
    while (!term_is_none(map) && map_next(&it, &key, &value)) {
        bool wanted = from_b || term_is_none(map_get_by(k, b, key));
        if (k->more) return TERM_NONE;
        if (wanted) map = map_put_by(h, k, map, key, value);
    }
    return map;
}

/* ---- all at once ---- */

Term map_get(const AtomTable *atoms, Term map, Term key)
{
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return map_get_by(&k, map, key);
}

Term map_put(Heap *h, const AtomTable *atoms, Term map, Term key, Term value)
{
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return map_put_by(h, &k, map, key, value);
}

Term map_update(Heap *h, const AtomTable *atoms, Term map, Term key, Term value, bool *found)
{
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return map_update_by(h, &k, map, key, value, found);
}

Term map_remove(Heap *h, const AtomTable *atoms, Term map, Term key, Term *taken)
{
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return map_remove_by(h, &k, map, key, taken);
}

Term map_merge(Heap *h, const AtomTable *atoms, Term a, Term b)
{
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return map_merge_by(h, &k, a, b);
}

Term map_from_pairs(Heap *h, const AtomTable *atoms, const Term *pairs, size_t n)
{
    Keys k;
    keys_init(&k, atoms, SIZE_MAX);
    return map_from_pairs_by(h, &k, pairs, n);
}

/* ---- iteration ---- */

MapIter map_iter_at(Term map, uint64_t position)
{
    MapIter it;
    it.map = map;
    it.position = position;
    it.depth = 0;
    if (!map_is_flat(map)) hamt_iter_start(&it, map_root(map), position);
    return it;
}

MapIter map_iter(Term map) { return map_iter_at(map, 0); }

bool map_next(MapIter *it, Term *key, Term *value)
{
    if (!map_is_flat(it->map)) return hamt_next(it, key, value);
    if (it->position >= map_flat_size(it->map)) return false;
    *key = map_flat_key(it->map, it->position);
    *value = map_flat_value(it->map, it->position);
    it->position++;
    return true;
}

bool map_next_run(MapIter *it, size_t most, MapRun *run)
{
    if (!map_is_flat(it->map)) return hamt_next_run(it, most, run);
    size_t left = map_flat_size(it->map) - it->position;
    if (left == 0) return false;
    size_t n = left < most ? left : most;
    *run = (MapRun){flat_keys(it->map) + it->position, boxed_words(it->map) + 2 + it->position,
                    1, n};
    it->position += n;
    return true;
}

void map_check(const AtomTable *atoms, Term map)
{
    CHECK(term_is_map(map));
    if (!map_is_flat(map)) {
        CHECK(map_size(map) == hamt_count(map_root(map)));
        hamt_check(atoms, map_root(map));
        return;
    }
    size_t n = map_flat_size(map);
    CHECK(n <= MAP_FLAT_MAX);
    if (n == 0) {
        CHECK(term_is_nil(map_flat_keys(map)));
        return;
    }
    CHECK(term_is_tuple_of(map_flat_keys(map), n));
    for (size_t i = 1; i < n; i++)
        CHECK(order_compare_exact(atoms, map_flat_key(map, i - 1), map_flat_key(map, i)) < 0);
}
