#include "vm/proc/dict.h"

#include "vm/proc/extra.h"
#include "vm/proc/keyed.h"

#include <string.h>

/* Up to this many entries are searched one by one. */
#define DICT_PLAIN 8

struct Dict {
    Term *at;        /* pairs: key, value; a removed pair is two TERM_NONE */
    uint32_t *hash;  /* of each entry's key; NULL for few, likewise: */
    uint32_t *index; /* open addressing: entry + 1, 0 free; twice `room` places */
    uint32_t used;   /* pairs, removed ones included */
    uint32_t room;
    uint32_t live;
};

static Dict *dict_of(const Process *p) { return p->extra == NULL ? NULL : p->extra->dict; }

static Term dict_key(const Dict *d, uint32_t entry) { return d->at[(size_t)entry * 2]; }

static uint32_t dict_fold(uint64_t hash) { return (uint32_t)(hash >> 7); }

/* The place in the index where a search for `key` ends; anywhere with k->more. */
static uint32_t dict_place(Keys *k, const Dict *d, Term key, uint32_t hash)
{
    uint32_t mask = d->room * 2 - 1;
    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t entry = d->index[i];
        if (entry == 0) return i;
        if (d->hash[entry - 1] != hash) continue;
        if (keys_same(k, dict_key(d, entry - 1), key) || k->more) return i;
    }
}

/* The place for a key that is not there. */
static uint32_t dict_free_place(const Dict *d, uint32_t hash)
{
    uint32_t mask = d->room * 2 - 1;
    uint32_t i = hash & mask;
    while (d->index[i] != 0) i = (i + 1) & mask;
    return i;
}

/* An entry that was searched for. */
typedef struct DictSpot {
    uint32_t entry; /* d->used: there is none */
    uint32_t hash;  /* of the key, and ... */
    uint32_t place; /* in the index, if there is one */
} DictSpot;

/* Nothing that counts with k->more. */
static DictSpot dict_find(Keys *k, const Dict *d, Term key)
{
    DictSpot spot = {.entry = d->used};
    if (d->index != NULL) {
        uint64_t hash;
        if (!keys_hash(k, key, &hash)) return spot;
        spot.hash = dict_fold(hash);
        spot.place = dict_place(k, d, key, spot.hash);
        if (d->index[spot.place] != 0) spot.entry = d->index[spot.place] - 1;
        return spot;
    }
    for (uint32_t i = 0; i < d->used && !k->more; i++) {
        if (!keys_same(k, dict_key(d, i), key)) continue;
        spot.entry = i;
        return spot;
    }
    return spot;
}

/* The same for a key that is an immediate. */
static DictSpot dict_find_atomic(const Process *p, const Dict *d, Term key)
{
    DictSpot spot = {.entry = 0};
    if (d->index == NULL) {
        while (spot.entry < d->used && dict_key(d, spot.entry).w != key.w) spot.entry++;
        return spot;
    }
    uint32_t mask = d->room * 2 - 1;
    spot.hash = dict_fold(hash_internal(p->run->atoms, key));
    for (spot.place = spot.hash & mask;; spot.place = (spot.place + 1) & mask) {
        spot.entry = d->index[spot.place] - 1;
        if (spot.entry == UINT32_MAX) break;
        if (dict_key(d, spot.entry).w == key.w) return spot;
    }
    spot.entry = d->used;
    return spot;
}

static void dict_free_tables(Dict *d, Mem *mem)
{
    size_t room = d->room;
    if (d->index != NULL) {
        mem_free(mem, MEM_PROCESS, d->index, room * 2 * sizeof *d->index);
        mem_free(mem, MEM_PROCESS, d->hash, room * sizeof *d->hash);
    }
    mem_free(mem, MEM_PROCESS, d->at, room * 2 * sizeof(Term));
}

/* ---- a larger table, or the same without removed entries ---- */

typedef struct DictGrowth {
    Pause pause; /* first; of a large table */
    Dict next;
    uint32_t from;   /* entries before are in `next` */
    uint32_t zeroed; /* places of next.index */
    uint32_t hash;   /* of the key that is to be put */
} DictGrowth;

/* Entries of a table that is made anew at once. */
#define DICT_AT_ONCE 128
/* Places that a step clears, and steps that an entry costs. */
#define DICT_CLEAR_STEP 16
#define DICT_MOVE_STEPS 8

static uint32_t dict_next_room(const Dict *d)
{
    uint32_t room = d->room < 4 ? 4 : d->room;
    return d->live * 4 >= room * 3 ? room * 2 : room;
}

static void dict_growth_begin(Process *p, DictGrowth *g, uint32_t hash)
{
    Mem *mem = p->heap.mem;
    size_t room = dict_next_room(dict_of(p));
    g->hash = hash;
    g->next.room = (uint32_t)room;
    g->next.at = mem_alloc(mem, MEM_PROCESS, room * 2 * sizeof(Term));
    if (room <= DICT_PLAIN) return;
    g->next.hash = mem_alloc(mem, MEM_PROCESS, room * sizeof(uint32_t));
    g->next.index = mem_alloc(mem, MEM_PROCESS, room * 2 * sizeof(uint32_t));
}

static void dict_growth_release(Pause *pause, Process *p)
{
    DictGrowth *g = (DictGrowth *)pause;
    dict_free_tables(&g->next, p->heap.mem);
    mem_free(p->heap.mem, MEM_WORK, g, sizeof *g);
}

static void dict_growth_move(DictGrowth *g, const Dict *d, uint32_t hash)
{
    Dict *next = &g->next;
    next->at[(size_t)next->used * 2] = d->at[(size_t)g->from * 2];
    next->at[(size_t)next->used * 2 + 1] = d->at[(size_t)g->from * 2 + 1];
    if (next->index != NULL) {
        next->hash[next->used] = hash;
        next->index[dict_free_place(next, hash)] = next->used + 1;
    }
    next->used++;
}

/* True when all is in the new table.  `first`: hashes for a table that has none. */
static bool dict_growth_step(DictGrowth *g, const Dict *d, const uint32_t *first,
                             size_t *budget)
{
    Dict *next = &g->next;
    const uint32_t *hash = d->hash != NULL ? d->hash : first;
    uint32_t places = next->index == NULL ? 0 : next->room * 2;
    for (; g->zeroed < places; g->zeroed += DICT_CLEAR_STEP) {
        if (*budget == 0) return false;
        --*budget;
        memset(next->index + g->zeroed, 0, DICT_CLEAR_STEP * sizeof *next->index);
    }
    for (; g->from < d->used; g->from++) {
        if (*budget == 0) return false;
        *budget -= *budget < DICT_MOVE_STEPS ? *budget : DICT_MOVE_STEPS;
        if (!term_is_none(dict_key(d, g->from)))
            dict_growth_move(g, d, hash == NULL ? 0 : hash[g->from]);
    }
    return true;
}

static void dict_growth_end(Process *p, DictGrowth *g)
{
    Dict *d = dict_of(p);
    dict_free_tables(d, p->heap.mem);
    g->next.live = d->live;
    *d = g->next;
    g->next = (Dict){0};
}

/* Hashes of the entries of a table that gets its first index; false: k->more. */
static bool dict_hash_first(Keys *k, const Dict *d, uint32_t *hash)
{
    for (uint32_t i = 0; i < d->used; i++) {
        uint64_t whole = 0;
        if (!term_is_none(dict_key(d, i)) && !keys_hash(k, dict_key(d, i), &whole))
            return false;
        hash[i] = dict_fold(whole);
    }
    return true;
}

/* ---- one entry ---- */

Term dict_get_by(Keys *k, const Process *p, Term key)
{
    const Dict *d = dict_of(p);
    if (d == NULL) return TERM_NONE;
    uint32_t i = dict_find(k, d, key).entry;
    return i == d->used || k->more ? TERM_NONE : d->at[(size_t)i * 2 + 1];
}

/* False: the slice is over. */
static bool dict_seek(Process *p, const Dict *d, Term key, DictSpot *spot)
{
    if (LIKELY(term_is_atomic(key))) {
        *spot = dict_find_atomic(p, d, key);
        return true;
    }
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return false;
    *spot = dict_find(k, d, key);
    if (UNLIKELY(k->more)) {
        keyed_yield(p, k);
        return false;
    }
    keyed_end(p, k);
    return true;
}

Term dict_get(Process *p, Term key)
{
    const Dict *d = dict_of(p);
    DictSpot spot;
    if (d == NULL) return TERM_NONE;
    if (!dict_seek(p, d, key, &spot)) return TERM_YIELD;
    return spot.entry == d->used ? TERM_NONE : d->at[(size_t)spot.entry * 2 + 1];
}

static Term dict_replace(Dict *d, uint32_t entry, Term value)
{
    Term old = d->at[(size_t)entry * 2 + 1];
    d->at[(size_t)entry * 2 + 1] = value;
    return old;
}

/* A new entry, for which there is room. */
static Term dict_append(Dict *d, Term key, uint32_t hash, Term value)
{
    if (d->index != NULL) {
        d->index[dict_free_place(d, hash)] = d->used + 1;
        d->hash[d->used] = hash;
    }
    d->at[(size_t)d->used * 2] = key;
    d->at[(size_t)d->used * 2 + 1] = value;
    d->used++;
    d->live++;
    return TERM_NONE;
}

/* A large table is made anew; then the entry is put. */
static Term dict_put_growing(Process *p, DictGrowth *g, Term key, Term value)
{
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = dict_growth_step(g, dict_of(p), NULL, &left);
    pause_charge(p, budget, left);
    if (!done) return TERM_YIELD;
    uint32_t hash = g->hash;
    dict_growth_end(p, g);
    pause_end(p);
    return dict_append(dict_of(p), key, hash, value);
}

/* Adds an entry whose key is not there. */
static Term dict_put_new(Process *p, Keys *k, Term key, uint32_t hash, Term value)
{
    Dict *d = dict_of(p);
    if (d->used < d->room) {
        keyed_end(p, k);
        return dict_append(d, key, hash, value);
    }
    uint32_t first[DICT_PLAIN] = {0}; /* hashes of a table that gets its first index */
    bool indexes = d->index == NULL && dict_next_room(d) > DICT_PLAIN;
    uint64_t whole = hash;
    if (indexes && (!dict_hash_first(k, d, first) || !keys_hash(k, key, &whole)))
        return keyed_yield(p, k);
    if (indexes) hash = dict_fold(whole);
    keyed_end(p, k);
    if (d->used > DICT_AT_ONCE) {
        DictGrowth *g = (DictGrowth *)pause_new(p, sizeof *g, dict_growth_release);
        dict_growth_begin(p, g, hash);
        return dict_put_growing(p, g, key, value);
    }
    DictGrowth here = {.hash = hash};
    size_t budget = SIZE_MAX;
    dict_growth_begin(p, &here, hash);
    dict_growth_step(&here, d, first, &budget);
    dict_growth_end(p, &here);
    return dict_append(d, key, hash, value);
}

static Term dict_put_slow(Process *p, Term key, Term value)
{
    DictGrowth *g = (DictGrowth *)pause_find(p, dict_growth_release);
    if (g != NULL) return dict_put_growing(p, g, key, value);
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return TERM_YIELD;
    ProcessExtra *x = extra_get(p);
    if (x->dict == NULL) x->dict = mem_alloc_zero(p->heap.mem, MEM_PROCESS, sizeof(Dict));
    Dict *d = x->dict;
    DictSpot spot = dict_find(k, d, key);
    if (UNLIKELY(k->more)) return keyed_yield(p, k);
    if (spot.entry == d->used) return dict_put_new(p, k, key, spot.hash, value);
    keyed_end(p, k);
    return dict_replace(d, spot.entry, value);
}

bool dict_is_refused(const Process *p)
{
    const Dict *d = dict_of(p);
    if (d == NULL || d->used < d->room || d->room <= DICT_AT_ONCE || pause_is_held(p))
        return false;
    size_t entry = 2 * sizeof(Term) + sizeof(*d->hash) + 2 * sizeof(*d->index);
    return !mem_has_room(p->heap.mem, dict_next_room(d) * entry);
}

Term dict_put(Process *p, Term key, Term value)
{
    Dict *d = dict_of(p);
    if (d == NULL || !term_is_atomic(key) || pause_is_held(p))
        return dict_put_slow(p, key, value);
    DictSpot spot = dict_find_atomic(p, d, key);
    if (spot.entry < d->used) return dict_replace(d, spot.entry, value);
    if (d->used < d->room) return dict_append(d, key, spot.hash, value);
    return dict_put_slow(p, key, value);
}

/* Takes an entry out of the index by moving back those that had to go past it. */
static void dict_unindex(Dict *d, uint32_t place)
{
    uint32_t mask = d->room * 2 - 1;
    uint32_t hole = place;
    for (uint32_t i = (place + 1) & mask; d->index[i] != 0; i = (i + 1) & mask) {
        uint32_t home = d->hash[d->index[i] - 1] & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        d->index[hole] = d->index[i];
        hole = i;
    }
    d->index[hole] = 0;
}

Term dict_erase(Process *p, Term key)
{
    Dict *d = dict_of(p);
    if (d == NULL) return TERM_NONE;
    DictSpot spot;
    if (!dict_seek(p, d, key, &spot)) return TERM_YIELD;
    size_t i = spot.entry;
    if (i == d->used) return TERM_NONE;
    if (d->index != NULL) dict_unindex(d, spot.place);
    Term old = d->at[i * 2 + 1];
    d->at[i * 2] = TERM_NONE;
    d->at[i * 2 + 1] = TERM_NONE;
    d->live--;
    return old;
}

void dict_clear(Process *p)
{
    Dict *d = dict_of(p);
    if (d == NULL) return;
    dict_free(d, p->heap.mem);
    p->extra->dict = NULL;
}

size_t dict_count(const Process *p)
{
    const Dict *d = dict_of(p);
    return d == NULL ? 0 : d->live;
}

bool dict_next(const Process *p, size_t *cursor, Term *key, Term *value)
{
    const Dict *d = dict_of(p);
    for (; d != NULL && *cursor < d->used; ++*cursor) {
        if (term_is_none(d->at[*cursor * 2])) continue;
        *key = d->at[*cursor * 2];
        *value = d->at[*cursor * 2 + 1];
        ++*cursor;
        return true;
    }
    return false;
}

Term *dict_roots(const Process *p, size_t *count)
{
    const Dict *d = dict_of(p);
    *count = d == NULL ? 0 : (size_t)d->used * 2;
    return d == NULL ? NULL : d->at;
}

void dict_free(Dict *d, Mem *mem)
{
    dict_free_tables(d, mem);
    mem_free(mem, MEM_PROCESS, d, sizeof *d);
}
