#include "vm/proc/dict.h"

#include "vm/proc/extra.h"
#include "vm/term/hash.h"
#include "vm/term/order.h"

/* Up to this many entries are searched one by one. */
#define DICT_PLAIN 8

struct Dict {
    Term *at; /* pairs: key, value; a removed pair is two TERM_NONE */
    uint32_t
        *index; /* NULL for few; else open addressing: entry + 1, 0 free; twice `room` places */
    uint32_t used; /* pairs, removed ones included */
    uint32_t room;
    uint32_t live;
};

static Dict *dict_of(const Process *p) { return p->extra == NULL ? NULL : p->extra->dict; }

static uint32_t dict_hash(const Process *p, Term key)
{
    return (uint32_t)(hash_internal(p->run->atoms, key) >> 7);
}

/* The place in the index where a search for `key` ends. */
static uint32_t dict_place(const Process *p, const Dict *d, Term key)
{
    uint32_t mask = d->room * 2 - 1;
    for (uint32_t i = dict_hash(p, key) & mask;; i = (i + 1) & mask) {
        uint32_t entry = d->index[i];
        if (entry == 0 || order_same(d->at[(size_t)(entry - 1) * 2], key)) return i;
    }
}

/* The number of the entry, or d->used. */
static uint32_t dict_find(const Process *p, const Dict *d, Term key)
{
    if (d->index != NULL) {
        uint32_t entry = d->index[dict_place(p, d, key)];
        return entry == 0 ? d->used : entry - 1;
    }
    for (uint32_t i = 0; i < d->used; i++)
        if (order_same(d->at[(size_t)i * 2], key)) return i;
    return d->used;
}

static void dict_drop_index(Dict *d, Mem *mem)
{
    mem_free(mem, MEM_PROCESS, d->index, (size_t)d->room * 2 * sizeof *d->index);
    d->index = NULL;
}

/* Squeezes out removed entries and sizes the table for at least one more. */
static void dict_rebuild(Process *p, Dict *d)
{
    Mem *mem = p->heap.mem;
    dict_drop_index(d, mem);
    uint32_t live = 0;
    for (uint32_t i = 0; i < d->used; i++) {
        if (term_is_none(d->at[(size_t)i * 2])) continue;
        d->at[(size_t)live * 2] = d->at[(size_t)i * 2];
        d->at[(size_t)live * 2 + 1] = d->at[(size_t)i * 2 + 1];
        live++;
    }
    d->used = live;
    uint32_t room = d->room < 4 ? 4 : d->room;
    if (live * 4 >= room * 3) room *= 2;
    d->at = mem_realloc(mem, MEM_PROCESS, d->at, (size_t)d->room * 2 * sizeof(Term),
                        (size_t)room * 2 * sizeof(Term));
    d->room = room;
    if (room <= DICT_PLAIN) return;
    d->index = mem_alloc_zero(mem, MEM_PROCESS, (size_t)room * 2 * sizeof *d->index);
    for (uint32_t i = 0; i < d->used; i++)
        d->index[dict_place(p, d, d->at[(size_t)i * 2])] = i + 1;
}

Term dict_get(const Process *p, Term key)
{
    const Dict *d = dict_of(p);
    if (d == NULL) return TERM_NONE;
    uint32_t i = dict_find(p, d, key);
    return i == d->used ? TERM_NONE : d->at[(size_t)i * 2 + 1];
}

Term dict_put(Process *p, Term key, Term value)
{
    ProcessExtra *x = extra_get(p);
    if (x->dict == NULL) x->dict = mem_alloc_zero(p->heap.mem, MEM_PROCESS, sizeof(Dict));
    Dict *d = x->dict;
    uint32_t i = dict_find(p, d, key);
    if (i < d->used) {
        Term old = d->at[(size_t)i * 2 + 1];
        d->at[(size_t)i * 2 + 1] = value;
        return old;
    }
    if (d->used == d->room) dict_rebuild(p, d);
    if (d->index != NULL) d->index[dict_place(p, d, key)] = d->used + 1;
    d->at[(size_t)d->used * 2] = key;
    d->at[(size_t)d->used * 2 + 1] = value;
    d->used++;
    d->live++;
    return TERM_NONE;
}

/* Takes an entry out of the index by moving back those that had to go past it. */
static void dict_unindex(const Process *p, Dict *d, uint32_t place)
{
    uint32_t mask = d->room * 2 - 1;
    uint32_t hole = place;
    for (uint32_t i = (place + 1) & mask; d->index[i] != 0; i = (i + 1) & mask) {
        uint32_t home = dict_hash(p, d->at[(size_t)(d->index[i] - 1) * 2]) & mask;
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
    uint32_t i = dict_find(p, d, key);
    if (i == d->used) return TERM_NONE;
    if (d->index != NULL) dict_unindex(p, d, dict_place(p, d, key));
    Term old = d->at[(size_t)i * 2 + 1];
    d->at[(size_t)i * 2] = TERM_NONE;
    d->at[(size_t)i * 2 + 1] = TERM_NONE;
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
    dict_drop_index(d, mem);
    mem_free(mem, MEM_PROCESS, d->at, (size_t)d->room * 2 * sizeof(Term));
    mem_free(mem, MEM_PROCESS, d, sizeof *d);
}
