#include "vm/term/map_build.h"

#include <string.h>

#define DIGIT_MASK (((uint32_t)1 << MAP_BUILD_DIGIT) - 1)

/* The passes go from lower to higher bits of the top 33.  Pairs that agree in all of those are
 * few; they are settled one by one. */
static inline uint32_t digit_of(uint64_t hash, unsigned pass)
{
    return (uint32_t)(hash >> (64 - MAP_BUILD_DIGIT * (MAP_BUILD_PASSES - pass))) & DIGIT_MASK;
}

bool map_build_begin(MapBuild *b, const AtomTable *atoms, size_t n, Mem *mem)
{
    if (n > UINT32_MAX) return false;
    keys_study_begin(&b->study, atoms, mem);
    b->mem = mem;
    b->result = TERM_NONE;
    b->phase = MAP_BUILD_HASH;
    b->rest = TERM_NONE;
    b->room = n;
    b->count = b->at = b->kept = 0;
    b->pass = 0;
    memset(b->digits, 0, sizeof b->digits);
    b->pairs = mem_try_alloc(mem, MEM_WORK, n * sizeof(HamtPair));
    b->other = b->pairs == NULL ? NULL : mem_try_alloc(mem, MEM_WORK, n * sizeof(HamtPair));
    if (b->other == NULL) mem_free(mem, MEM_WORK, b->pairs, n * sizeof(HamtPair));
    return b->other != NULL;
}

bool map_build_begin_merge(MapBuild *b, const AtomTable *atoms, Term first, Term second,
                           Mem *mem)
{
    if (!map_build_begin(b, atoms, map_size(first) + map_size(second), mem)) return false;
    b->phase = MAP_BUILD_COLLECT;
    b->rest = second;
    b->it = map_iter(first);
    return true;
}

void map_build_end(MapBuild *b)
{
    mem_free(b->mem, MEM_WORK, b->pairs, b->room * sizeof(HamtPair));
    mem_free(b->mem, MEM_WORK, b->other, b->room * sizeof(HamtPair));
    b->pairs = b->other = NULL;
    keys_study_end(&b->study);
}

/* ---- phases: each returns whether it came to its end; false also when a key needs study ---- */

/* Steps with keys that count as one pair. */
#define KEY_STEPS 4

/* Goes on with the study of a key; false: the budget is used up. */
static bool study_keys(MapBuild *b, size_t *budget)
{
    size_t steps = *budget < SIZE_MAX / KEY_STEPS ? *budget * KEY_STEPS : SIZE_MAX;
    bool known = keys_study_step(&b->study, &steps);
    if (*budget > steps / KEY_STEPS) *budget = steps / KEY_STEPS;
    return known;
}

/* Keys have been dealt with: what that took, and what is known of them, goes. */
static void charge_keys(MapBuild *b, size_t *budget)
{
    Keys *k = &b->study.keys;
    size_t used = (KEYS_QUICK - k->budget) / KEY_STEPS;
    *budget -= used < *budget ? used : *budget;
    if (k->more)
        k->budget = KEYS_QUICK;
    else
        keys_study_forget(&b->study);
}

static bool step_collect(MapBuild *b, size_t *budget)
{
    while (*budget > 0) {
        Term key;
        Term value;
        if (map_next(&b->it, &key, &value)) {
            map_build_add(b, key, value);
            --*budget;
            continue;
        }
        if (term_is_none(b->rest)) return true;
        b->it = map_iter(b->rest);
        b->rest = TERM_NONE;
    }
    return false;
}

static bool step_hash(MapBuild *b, size_t *budget)
{
    for (; b->at < b->count; b->at++) {
        if (*budget == 0) return false;
        --*budget;
        HamtPair *pair = &b->pairs[b->at];
        bool known = keys_hash(&b->study.keys, pair->key, &pair->hash);
        charge_keys(b, budget);
        if (!known) return false;
        for (unsigned pass = 0; pass < MAP_BUILD_PASSES; pass++)
            b->digits[pass][digit_of(pair->hash, pass)]++;
    }
    for (unsigned pass = 0; pass < MAP_BUILD_PASSES; pass++) {
        uint32_t before = 0;
        for (size_t digit = 0; digit <= DIGIT_MASK; digit++) {
            uint32_t n = b->digits[pass][digit];
            b->digits[pass][digit] = before;
            before += n;
        }
    }
    return true;
}

static bool step_scatter(MapBuild *b, size_t *budget)
{
    while (b->pass < MAP_BUILD_PASSES) {
        for (; b->at < b->count; b->at++) {
            if (*budget == 0) return false;
            --*budget;
            const HamtPair *pair = &b->pairs[b->at];
            b->other[b->digits[b->pass][digit_of(pair->hash, b->pass)]++] = *pair;
        }
        HamtPair *sorted = b->other;
        b->other = b->pairs;
        b->pairs = sorted;
        b->at = 0;
        b->pass++;
    }
    return true;
}

/* Where a pair belongs by its whole hash and then its key, behind others with the same key. */
static size_t settled_place(MapBuild *b, const HamtPair *pair)
{
    size_t to = b->at;
    for (; to > 0; to--) {
        const HamtPair *before = &b->pairs[to - 1];
        if (before->hash < pair->hash) break;
        if (before->hash == pair->hash
            && keys_order(&b->study.keys, before->key, pair->key) <= 0)
            break;
    }
    return to;
}

static bool step_settle(MapBuild *b, size_t *budget)
{
    for (; b->at < b->count; b->at++) {
        if (*budget == 0) return false;
        --*budget;
        HamtPair pair = b->pairs[b->at];
        size_t to = settled_place(b, &pair);
        bool more = b->study.keys.more;
        charge_keys(b, budget);
        if (more) return false;
        memmove(b->pairs + to + 1, b->pairs + to, (b->at - to) * sizeof pair);
        b->pairs[to] = pair;
    }
    return true;
}

/* Of each key the last pair stays. */
static bool step_keep(MapBuild *b, size_t *budget)
{
    for (; b->at < b->count; b->at++) {
        if (*budget == 0) return false;
        --*budget;
        ASSERT(b->pairs != NULL);
        const HamtPair *pair = &b->pairs[b->at];
        HamtPair *last = b->kept == 0 ? NULL : &b->pairs[b->kept - 1];
        bool again = last != NULL && last->hash == pair->hash
                     && keys_same(&b->study.keys, last->key, pair->key);
        bool more = b->study.keys.more;
        charge_keys(b, budget);
        if (more) return false;
        if (again)
            *last = *pair;
        else
            b->pairs[b->kept++] = *pair;
    }
    return true;
}

/* Few pairs: a flat map.  The answers about all keys are kept until it stands. */
static bool step_flat(MapBuild *b, Heap *h, size_t *budget)
{
    if (*budget == 0) return false;
    Keys *k = &b->study.keys;
    b->result = map_from_different(h, k, b->pairs, b->kept);
    size_t used = 1 + (KEYS_QUICK - k->budget) / KEY_STEPS;
    *budget -= used < *budget ? used : *budget;
    k->budget = KEYS_QUICK;
    return !k->more;
}

static bool step_trie(MapBuild *b, Heap *h, size_t *budget)
{
    if (b->kept <= MAP_FLAT_MAX) return step_flat(b, h, budget);
    if (!hamt_build_step(&b->trie, h, budget)) return false;
    b->result = map_from_root(h, b->trie.root);
    return true;
}

static bool step_phase(MapBuild *b, Heap *h, size_t *budget)
{
    switch (b->phase) {
    case MAP_BUILD_COLLECT: return step_collect(b, budget);
    case MAP_BUILD_HASH: return step_hash(b, budget);
    case MAP_BUILD_SCATTER: return step_scatter(b, budget);
    case MAP_BUILD_SETTLE: return step_settle(b, budget);
    case MAP_BUILD_KEEP: return step_keep(b, budget);
    case MAP_BUILD_TRIE: return step_trie(b, h, budget);
    case MAP_BUILD_DONE: return true;
    }
    UNREACHABLE();
}

bool map_build_step(MapBuild *b, Heap *h, size_t *budget)
{
    while (b->phase != MAP_BUILD_DONE) {
        if (!study_keys(b, budget)) return false;
        if (!step_phase(b, h, budget)) {
            if (b->study.keys.more) continue;
            return false;
        }
        b->at = 0;
        b->phase++;
        if (b->phase == MAP_BUILD_TRIE && b->kept > MAP_FLAT_MAX)
            hamt_build_begin(&b->trie, b->pairs, b->kept);
    }
    return true;
}
