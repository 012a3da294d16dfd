/*
 * Maps: up to 32 keys a sorted tuple of keys with the values beside it, beyond that a hash
 * trie.
 *
 *   KIND_MAP      [keys: tuple, or nil when empty][value 1] ... [value n]    n <= MAP_FLAT_MAX
 *   KIND_HASHMAP  [count: small][root: KIND_HAMT_NODE]                       n >  MAP_FLAT_MAX
 *
 * Keys of a flat map stand in map-key order (order_compare_exact), so maps with the same keys
 * have equal key tuples, and updates of a value share them.  Every size has exactly one
 * representation. Nothing here collects; a memory refusal gives TERM_NONE.  `atoms` gives texts
 * for order and hash. Design page: docs/design/terms.md.
 */
#pragma once

#include "vm/term/atom.h"
#include "vm/term/heap.h"

#define MAP_FLAT_MAX 32

static inline bool map_is_flat(Term map) { return boxed_kind(map) == KIND_MAP; }
static inline size_t map_flat_size(Term map) { return header_words(boxed_header(map)) - 1; }
static inline size_t map_size(Term map)
{
    return map_is_flat(map) ? map_flat_size(map) : (size_t)small_value(boxed_term(map, 0));
}
/* Flat maps only; i from 0. */
static inline Term map_flat_keys(Term map) { return boxed_term(map, 0); }
static inline Term map_flat_key(Term map, size_t i) { return tuple_at(map_flat_keys(map), i); }
static inline Term map_flat_value(Term map, size_t i) { return boxed_term(map, i + 1); }

Term map_empty(Heap *h);

/* The value under `key`, or TERM_NONE if there is none. */
Term map_get(const AtomTable *atoms, Term map, Term key);
/* The same for a key that is an immediate (atom, small integer, nil, local pid). */
Term map_get_immediate(const AtomTable *atoms, Term map, Term key);

/* The map with `key` bound to `value`, whether it was there or not. */
Term map_put(Heap *h, const AtomTable *atoms, Term map, Term key, Term value);
/* The map with an existing key bound to `value`.  *found false (and TERM_NONE): no such key. */
Term map_update(Heap *h, const AtomTable *atoms, Term map, Term key, Term value, bool *found);
/* The map without `key`; the map itself if it was not there.  *taken (may be NULL) is the
 * value, or TERM_NONE. */
Term map_remove(Heap *h, const AtomTable *atoms, Term map, Term key, Term *taken);
/* Up to this many keys of one side it is cheaper to put them into the other one by one. */
#define MAP_MERGE_ONE_BY_ONE 8
/* All of both; what is in both comes from `b`.  O(size of the result), or O(1) with that few keys
 * on one side. */
Term map_merge(Heap *h, const AtomTable *atoms, Term a, Term b);

/* From `n` pairs key, value, key, value ... in any order; a later pair wins. */
Term map_from_pairs(Heap *h, const AtomTable *atoms, const Term *pairs, size_t n);
/* From n keys that already stand in map-key order without doubles, n <= MAP_FLAT_MAX. */
Term map_from_sorted(Heap *h, Term keys_tuple, size_t n, const Term *values);

/* ---- the same within a budget (keys.h) ----
 * TERM_NONE with k->more: it was too little. */

typedef struct Keys Keys;

Term map_get_by(Keys *k, Term map, Term key);
Term map_put_by(Heap *h, Keys *k, Term map, Term key, Term value);
Term map_update_by(Heap *h, Keys *k, Term map, Term key, Term value, bool *found);
Term map_remove_by(Heap *h, Keys *k, Term map, Term key, Term *taken);
Term map_merge_by(Heap *h, Keys *k, Term a, Term b);
Term map_from_pairs_by(Heap *h, Keys *k, const Term *pairs, size_t n);

/* For instructions that look a key up: TERM_YIELD if that takes more than a hundred steps. */
Term map_get_quick_slow(const AtomTable *atoms, Term map, Term key);
static inline Term map_get_quick(const AtomTable *atoms, Term map, Term key)
{
    if (LIKELY(term_is_atomic(key))) return map_get_immediate(atoms, map, key);
    return map_get_quick_slow(atoms, map, key);
}

/* ---- iteration ---- */

/* Flat maps in map-key order, others in an order that depends only on the keys.
 *     MapIter it = map_iter(map);
 *     while (map_next(&it, &key, &value)) ...
 * The iterator holds terms: nothing may collect meanwhile.  To go on after a pause, remember
 * `position` and start again with map_iter_at: it costs O(depth). */
#define MAP_MAX_DEPTH 24
typedef struct MapIter {
    Term map;
    uint64_t position; /* how many pairs have been given */
    int depth;         /* hash maps: nodes on the way */
    Word *node[MAP_MAX_DEPTH];
    uint32_t slot[MAP_MAX_DEPTH];
} MapIter;

MapIter map_iter(Term map);
/* Starts behind the first `position` pairs. O(depth * 16) for hash maps. */
MapIter map_iter_at(Term map, uint64_t position);
bool map_next(MapIter *it, Term *key, Term *value);
/* Several at once: `n` neighbouring keys and values, `stride` words apart. */
typedef struct MapRun {
    const Word *keys;
    const Word *values;
    size_t stride;
    size_t n;
} MapRun;
/* At most `most` (> 0) of them; false at the end. */
bool map_next_run(MapIter *it, size_t most, MapRun *run);

/* Aborts if the structure is damaged: order, counts, shape (debug and stress builds,
 * fuzzing). */
void map_check(const AtomTable *atoms, Term map);
