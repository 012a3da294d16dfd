/* Maps against an array of pairs. */
#include "tests/fuzz/fuzz.h"

#include "vm/term/map.h"
#include "vm/term/order.h"

enum { MOST = 300 };

typedef struct Model {
    Term keys[MOST];
    Term values[MOST];
    size_t count;
} Model;

static size_t model_find(const Model *m, Term key)
{
    size_t i = 0;
    while (i < m->count && !order_same(m->keys[i], key)) i++;
    return i;
}

static void model_put(Model *m, Term key, Term value)
{
    size_t i = model_find(m, key);
    if (i == m->count) m->count++;
    m->keys[i] = key;
    m->values[i] = value;
}

static void model_remove(Model *m, Term key)
{
    size_t i = model_find(m, key);
    if (i == m->count) return;
    m->count--;
    m->keys[i] = m->keys[m->count];
    m->values[i] = m->values[m->count];
}

static void check_all(const AtomTable *atoms, const Model *m, Term map)
{
    map_check(atoms, map);
    FUZZ_CHECK(map_size(map) == m->count);
    size_t seen = 0;
    Term key;
    Term value;
    MapIter it = map_iter(map);
    while (map_next(&it, &key, &value)) {
        size_t i = model_find(m, key);
        FUZZ_CHECK(i < m->count && order_same(m->values[i], value));
        seen++;
    }
    FUZZ_CHECK(seen == m->count);
}

static Term step(FuzzInput *in, Heap *h, const AtomTable *atoms, Model *m, Term map)
{
    uint8_t choice = fuzz_byte(in);
    /* Mostly small keys, so that the map grows past its flat form and keys meet again. */
    Term key = choice & 0xC0 ? small_from((int64_t)(fuzz_byte(in) % 200)) : fuzz_term(in, h);
    Term value = small_from(fuzz_byte(in));
    size_t at = model_find(m, key);
    Term had = map_get(atoms, map, key);
    FUZZ_CHECK(term_is_none(had) == (at == m->count));
    bool found;
    Term taken;
    switch (choice & 7) {
    case 0:
        map = map_remove(h, atoms, map, key, &taken);
        FUZZ_CHECK(term_is_none(taken) == (at == m->count));
        model_remove(m, key);
        return map;
    case 1: {
        Term updated = map_update(h, atoms, map, key, value, &found);
        FUZZ_CHECK(found == (at < m->count));
        if (!found) return map;
        m->values[at] = value;
        return updated;
    }
    case 2: {
        if (m->count >= MOST - 2) return map;
        const Term pairs[] = {key, value, small_from(7), key};
        Term other = map_from_pairs(h, atoms, pairs, 2);
        model_put(m, key, value);
        model_put(m, small_from(7), key);
        if (order_same(key, small_from(7))) model_put(m, key, key);
        return map_merge(h, atoms, map, other);
    }
    default:
        if (m->count >= MOST - 2) return map;
        model_put(m, key, value);
        return map_put(h, atoms, map, key, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = {data, data + size};
    AtomTable *atoms = atom_table_new(NULL, 0);
    Heap h;
    heap_init_detached(&h, NULL);
    Model m = {.count = 0};
    Term map = map_empty(&h);
    for (int steps = 0; fuzz_left(&in); steps++) {
        map = step(&in, &h, atoms, &m, map);
        if (steps % 16 == 0) check_all(atoms, &m, map);
    }
    check_all(atoms, &m, map);
    /* Built at once, it is the same map. */
    Term pairs[2 * MOST];
    for (size_t i = 0; i < m.count; i++) {
        pairs[2 * i] = m.keys[i];
        pairs[2 * i + 1] = m.values[i];
    }
    FUZZ_CHECK(order_same(map, map_from_pairs(&h, atoms, pairs, m.count)));
    heap_release(&h);
    atom_table_delete(atoms);
    return 0;
}
