/*
 * Hashes of terms: the stable one that programs see (phash2), and the one inside hash tries.
 *
 * Both depend on values alone: atoms by text, funs by their keys, never on addresses.  Equal
 * (=:=) terms have equal hashes.  Nothing here collects; terms of any depth; huge ones in
 * slices.
 */
#pragma once

#include "vm/term/atom.h"
#include "vm/term/walk.h"

/* 64 bits for hash tries and tables of the VM; may change between versions. */
uint64_t hash_internal_slow(const AtomTable *atoms, Term t);

/* Within a budget of steps, which is taken from; false: that is too little. */
bool hash_internal_within(const AtomTable *atoms, Term t, size_t *budget, uint64_t *hash);

/* The same in slices.  An element of a list takes two steps, eight bytes or a digit of a big
 * integer one. */
typedef struct HashInternal {
    const AtomTable *atoms;
    uint64_t hash; /* the result once hash_internal_step has returned true */
    Walk stack;
} HashInternal;

void hash_internal_begin(HashInternal *w, const AtomTable *atoms, Term t, Mem *mem);
bool hash_internal_step(HashInternal *w, size_t *budget);
void hash_internal_end(HashInternal *w);

static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93u;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93u;
    return x ^ (x >> 32);
}
static inline uint64_t hash_internal(const AtomTable *atoms, Term t)
{
    if (term_is_atom(t)) return atom_hash(atoms, t);
    if (term_is_small(t)) return hash_mix(t.w + 0x9E3779B97F4A7C15u);
    return hash_internal_slow(atoms, t);
}

/* What erlang:phash2/1 gives before its range is applied: 32 bits. */
uint32_t hash_phash2(const AtomTable *atoms, Term t);

/* phash2 in slices; phash.c. */
typedef struct HashWalk {
    const AtomTable *atoms;
    uint32_t hash;  /* the result once hash_step has returned true */
    uint32_t pairs; /* pairs of the innermost map so far */
    Walk stack;
} HashWalk;

void hash_begin(HashWalk *w, const AtomTable *atoms, Term t, Mem *mem);
bool hash_step(HashWalk *w, size_t *budget);
void hash_end(HashWalk *w);
