/*
 * Maps from many pairs, in slices: of a list, of two maps to be merged.
 *
 *     if (!map_build_begin(&b, atoms, n, mem)) ... refused ...
 *     map_build_add(&b, key, value);            at most n times; a later pair wins
 *     while (!map_build_step(&b, h, &budget)) ... pause ...
 *     map = b.result; map_build_end(&b);
 *
 * Pairs are hashed, sorted by their hashes (radix, so that it can stop anywhere) and joined
 * from the leaves up; that costs far less than as many single insertions.  Large keys are hashed
 * and compared in slices too.  Nothing may collect until the end, and the MapBuild does not move.
 */
#pragma once

#include "vm/term/hamt.h"

#define MAP_BUILD_PASSES 3
#define MAP_BUILD_DIGIT  11 /* bits of a radix pass */

typedef struct MapBuild {
    KeysStudy study; /* of the keys at hand */
    Mem *mem;
    Term result; /* once done; TERM_NONE: memory was refused */
    enum {
        MAP_BUILD_COLLECT,
        MAP_BUILD_HASH,
        MAP_BUILD_SCATTER,
        MAP_BUILD_SETTLE,
        MAP_BUILD_KEEP,
        MAP_BUILD_TRIE,
        MAP_BUILD_DONE
    } phase;
    MapIter it;      /* through the map whose pairs are being added */
    Term rest;       /* the map after that, or TERM_NONE */
    HamtPair *pairs; /* count of them */
    HamtPair *other; /* as much room, for sorting */
    size_t room;
    size_t count;
    size_t at;   /* position in the phase */
    size_t kept; /* pairs with different keys so far */
    unsigned pass;
    /* How many pairs have each digit, then where the next one of them goes. */
    uint32_t digits[MAP_BUILD_PASSES][1 << MAP_BUILD_DIGIT];
    HamtBuild trie;
} MapBuild;

/* Room for `n` pairs; false when memory is refused, and then there is nothing to end. */
MUST_USE bool map_build_begin(MapBuild *b, const AtomTable *atoms, size_t n, Mem *mem);
/* All pairs of both maps; what is in both comes from `second`. */
MUST_USE bool map_build_begin_merge(MapBuild *b, const AtomTable *atoms, Term first,
                                    Term second, Mem *mem);
static inline void map_build_add(MapBuild *b, Term key, Term value)
{
    ASSERT(b->count < b->room);
    b->pairs[b->count++] = (HamtPair){0, key, value};
}
/* Takes pairs handled from *budget; true when done. */
bool map_build_step(MapBuild *b, Heap *h, size_t *budget);
void map_build_end(MapBuild *b);

/* Parts of map.c that a build ends with. */
Term map_from_different(Heap *h, Keys *k, HamtPair *pairs, size_t n);
Term map_from_root(Heap *h, Term root);
