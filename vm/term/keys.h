/*
 * Hashing and comparing the keys of maps, however large they are.
 *
 * A look-up cannot know what its key, and the keys that it meets, will cost.  So it puts its
 * questions to a Keys, which answers from a budget of steps.  Where that does not suffice for one
 * of them, the question stays in `question`, `more` is set, and the look-up ends without having
 * done anything.  A KeysStudy works the question off in slices and remembers the answer; then the
 * look-up begins anew, with the study's keys, and gets one question further.  It has few: a hash,
 * a comparison or two with what it finds.
 *
 *     keys_init(&k, atoms, KEYS_QUICK);          or k is &study->keys
 *     value = map_get_by(&k, map, key);
 *     if (k.more) ... keys_study_take, keys_study_step until it is true, and again ...
 *
 * Answers are remembered by the terms' words: nothing may collect until the study ends.
 */
#pragma once

#include "vm/term/hash.h"
#include "vm/term/order.h"

typedef enum KeysKind { KEYS_HASH, KEYS_SAME, KEYS_ORDER } KeysKind;

typedef struct KeysFact {
    KeysKind kind;
    Term a;
    Term b;
    uint64_t answer; /* a hash; or an order, as int */
} KeysFact;

typedef struct Keys {
    const AtomTable *atoms;
    size_t budget;
    bool more;             /* `question` was too long */
    const KeysFact *known; /* count of them; NULL: nothing has been studied */
    size_t count;
    KeysFact question;
} Keys;

/* Steps that a look-up may take at once: to hash an element of a list takes two, to compare it
 * one. */
#define KEYS_QUICK 4096

static inline void keys_init(Keys *k, const AtomTable *atoms, size_t budget)
{
    k->atoms = atoms;
    k->budget = budget;
    k->more = false;
    k->known = NULL;
    k->count = 0;
}

/* False: more. */
bool keys_hash_slow(Keys *k, Term t, uint64_t *hash);
static inline bool keys_hash(Keys *k, Term t, uint64_t *hash)
{
    if (!term_is_atom(t) && !term_is_small(t)) return keys_hash_slow(k, t, hash);
    *hash = hash_internal(k->atoms, t);
    return true;
}

/* a =:= b.  False may mean more. */
bool keys_same_slow(Keys *k, Term a, Term b);
static inline bool keys_same(Keys *k, Term a, Term b)
{
    if (a.w == b.w) return true;
    if (((a.w ^ b.w) & TAG_MASK) != 0 || term_is_atomic(a)) return false;
    bool same;
    return order_is_plain(a, b, &same) ? same : keys_same_slow(k, a, b);
}

/* Map-key order: < 0, 0, > 0.  0 may mean more. */
int keys_order_slow(Keys *k, Term a, Term b);
static inline int keys_order(Keys *k, Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (term_both_small(a, b)) return (int64_t)a.w < (int64_t)b.w ? -1 : 1;
    return keys_order_slow(k, a, b);
}

/* ---- long questions ---- */

typedef struct KeysStudy {
    Keys keys;
    Mem *mem;
    KeysFact *facts; /* keys.known */
    size_t room;
    bool working; /* at keys.question, with: */
    union {
        HashInternal hash;
        OrderWalk order;
    } at;
} KeysStudy;

/* Nothing is known yet.  The study does not move while it works. */
void keys_study_begin(KeysStudy *s, const AtomTable *atoms, Mem *mem);
/* The same with the question that `k` could not answer. */
void keys_study_take(KeysStudy *s, const Keys *k);
/* Works at the question, taking steps from *budget; true when it is answered, or there is none. */
bool keys_study_step(KeysStudy *s, size_t *budget);
/* Forgets what it knows: the next look-up has other keys. */
void keys_study_forget(KeysStudy *s);
void keys_study_end(KeysStudy *s);
