/*
 * The hash trie behind maps of more than 32 keys; used through map.h.
 *
 * Sixteen-way.  A node has, for each of 16 slots chosen by 4 bits of the key's hash (from the
 * highest down), nothing, one pair, or a child node:
 *
 * KIND_HAMT_NODE  [pairs | children << 16: small][pairs below: small][key][value] ... [child]
 * ...
 *
 * pairs in slot order, then children in slot order.  A child holds at least two pairs, so equal
 * sets of keys give the same shape whatever was done before.  Behind HAMT_LEVELS levels all 64
 * hash bits are used; keys that still collide share one node of a further kind, sorted in
 * map-key order:
 *
 *   KIND_HAMT_NODE  [HAMT_COLLISION: small][count: small][key][value] ...
 *
 * The root always holds more than MAP_FLAT_MAX pairs.  Nothing here collects; refusal of memory
 * gives TERM_NONE.
 */
#pragma once

#include "vm/term/atom.h"
#include "vm/term/heap.h"
#include "vm/term/keys.h"
#include "vm/term/map.h"

#define HAMT_LEVELS    16
#define HAMT_COLLISION ((int64_t)1 << 32)

_Static_assert(HAMT_LEVELS + 1 <= MAP_MAX_DEPTH, "an iterator holds one node per level");

typedef struct HamtPair {
    uint64_t hash;
    Term key;
    Term value;
} HamtPair;

/* `root` is a node; each gives TERM_NONE when absent, when memory is refused, or with k->more. */
Term hamt_get(Keys *k, Term root, Term key, uint64_t hash);
/* The new root; *added tells whether the key is new.  With `only_existing`, an absent key gives
 * the old root and *added true. */
Term hamt_put(Heap *h, Keys *k, Term root, const HamtPair *pair, bool only_existing,
              bool *added);
/* The new root; the same root and *taken = TERM_NONE if absent. */
Term hamt_remove(Heap *h, Keys *k, Term root, Term key, uint64_t hash, Term *taken);
/* One node under construction: its range of pairs. */
typedef struct HamtLevel {
    size_t start;
    size_t end;
    size_t next;        /* pairs before this one are dealt with */
    size_t first_child; /* among the finished children of all levels */
    size_t own[16];     /* the pairs that stand in the node itself */
    uint32_t pairs;     /* bit per slot */
    uint32_t children;
} HamtLevel;

/* A trie from many pairs with different keys, more than MAP_FLAT_MAX of them, sorted by hash
 * and, where hashes are equal, in map-key order.  The pairs stay where they are until it is
 * done. */
typedef struct HamtBuild {
    const HamtPair *pairs;
    Term root; /* once done; TERM_NONE: memory was refused */
    int at;    /* level that is being worked on */
    size_t finished;
    HamtLevel level[HAMT_LEVELS + 1];
    Term done[(HAMT_LEVELS + 1) * 16];
} HamtBuild;

void hamt_build_begin(HamtBuild *b, const HamtPair *pairs, size_t n);
/* Takes pairs from *budget; true when done. */
bool hamt_build_step(HamtBuild *b, Heap *h, size_t *budget);

/* Bits set among the low 32; the baseline instruction set has none for it. */
static inline size_t hamt_popcount(uint32_t bits)
{
    bits = bits - (bits >> 1 & 0x55555555u);
    bits = (bits & 0x33333333u) + (bits >> 2 & 0x33333333u);
    return ((bits + (bits >> 4)) & 0x0F0F0F0Fu) * 0x01010101u >> 24;
}
/* Of a node at `words` (its header): pairs stand from words[3] on, children behind them. */
static inline size_t hamt_pairs(const Word *words)
{
    int64_t bits = small_value(TERM_RAW(words[1]));
    if (bits == HAMT_COLLISION) return (header_words(words[0]) - 2) / 2;
    return hamt_popcount((uint32_t)bits & 0xFFFF);
}
static inline size_t hamt_children(const Word *words)
{
    return header_words(words[0]) - 2 - hamt_pairs(words) * 2;
}

static inline size_t hamt_count(Term root) { return (size_t)small_value(boxed_term(root, 1)); }

void hamt_iter_start(MapIter *it, Term root, uint64_t skip);
bool hamt_next(MapIter *it, Term *key, Term *value);
bool hamt_next_run(MapIter *it, size_t most, MapRun *run);

void hamt_check(const AtomTable *atoms, Term root);
