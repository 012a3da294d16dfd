#include "vm/ets/persist.h"

#include "vm/base/lock.h"
#include "vm/term/hash.h"

#define PERSIST_FIRST_BUCKETS 16

struct Persist {
    Lock lock; /* all below */
    PersistEntry **buckets;
    size_t mask;
    size_t count;
    size_t bytes;
    uint64_t shape; /* another number whenever chains were made anew */
    Mem *mem;
    const AtomTable *atoms;
};

Persist *persist_new(Mem *mem, const AtomTable *atoms)
{
    Persist *t = mem_alloc_zero(mem, MEM_TABLE, sizeof *t);
    lock_init(&t->lock, LOCK_RANK_TABLE, "persistent terms");
    t->mem = mem;
    t->atoms = atoms;
    t->mask = PERSIST_FIRST_BUCKETS - 1;
    t->buckets = mem_alloc_zero(mem, MEM_TABLE, PERSIST_FIRST_BUCKETS * sizeof *t->buckets);
    return t;
}

void persist_drop(Persist *t, PersistEntry *entry)
{
    if (atomic_sub_acq_rel(&entry->references, 1) != 1) return;
    heap_release(&entry->heap);
    mem_free(t->mem, MEM_TABLE, entry, sizeof *entry);
}

void persist_delete(Persist *t)
{
    for (size_t i = 0; i <= t->mask; i++) {
        for (PersistEntry *e = t->buckets[i], *next; e != NULL; e = next) {
            next = e->next;
            persist_drop(t, e);
        }
    }
    mem_free(t->mem, MEM_TABLE, t->buckets, (t->mask + 1) * sizeof *t->buckets);
    lock_destroy(&t->lock);
    mem_free(t->mem, MEM_TABLE, t, sizeof *t);
}

PersistEntry *persist_entry_new(Persist *t)
{
    PersistEntry *e = mem_try_alloc(t->mem, MEM_TABLE, sizeof *e);
    if (e == NULL) return NULL;
    *e = (PersistEntry){.key = TERM_NONE, .value = TERM_NONE};
    atomic_store_relaxed(&e->references, 1);
    heap_init_detached(&e->heap, t->mem);
    return e;
}

uint64_t persist_hash(const Persist *t, Term key) { return hash_internal(t->atoms, key); }

static size_t persist_entry_bytes(const PersistEntry *e)
{
    return sizeof *e + e->heap.fragment_words * sizeof(Word);
}

/* ---- searching; under the lock ---- */

/* Where the pointer to the next entry with the hash is, or to the NULL at the chain's end.  What
 * was found last may have gone, or moved to another chain: then from the start. */
static PersistEntry **persist_place(Persist *t, const PersistSearch *s)
{
    PersistEntry **at = &t->buckets[s->hash & t->mask];
    if (s->at != NULL && s->at->linked && s->shape == t->shape) at = &s->at->next;
    while (*at != NULL && (*at)->hash != s->hash) at = &(*at)->next;
    return at;
}

static void persist_grow(Persist *t)
{
    size_t buckets = 2 * (t->mask + 1);
    PersistEntry **fresh = mem_alloc_zero(t->mem, MEM_TABLE, buckets * sizeof *fresh);
    for (size_t i = 0; i <= t->mask; i++) {
        for (PersistEntry *e = t->buckets[i], *next; e != NULL; e = next) {
            next = e->next;
            e->next = fresh[e->hash & (buckets - 1)];
            fresh[e->hash & (buckets - 1)] = e;
        }
    }
    mem_free(t->mem, MEM_TABLE, t->buckets, (t->mask + 1) * sizeof *t->buckets);
    t->buckets = fresh;
    t->mask = buckets - 1;
    t->shape++;
}

/* `fresh` comes to stand there. */
static void persist_link(Persist *t, PersistEntry **at, PersistEntry *fresh)
{
    fresh->linked = true;
    fresh->next = *at;
    *at = fresh;
    t->count++;
    t->bytes += persist_entry_bytes(fresh);
}

/* ---- for any worker ---- */

/* The search goes on from `e`, or from the start. */
static void persist_search_at(Persist *t, PersistSearch *s, PersistEntry *e)
{
    PersistEntry *before = s->at;
    s->at = e;
    if (before != NULL) persist_drop(t, before);
}

void persist_search_end(Persist *t, PersistSearch *s) { persist_search_at(t, s, NULL); }

PersistEntry *persist_next(Persist *t, PersistSearch *s)
{
    lock_take(&t->lock);
    PersistEntry *e = *persist_place(t, s);
    if (e != NULL) {
        atomic_add_relaxed(&e->references, 1);
        s->shape = t->shape;
    }
    lock_drop(&t->lock);
    /* At the end the search stays where it is: what is added later stands behind. */
    if (e != NULL) persist_search_at(t, s, e);
    return e;
}

bool persist_add(Persist *t, PersistSearch *s, PersistEntry *fresh)
{
    lock_take(&t->lock);
    PersistEntry **at = persist_place(t, s);
    bool none = *at == NULL;
    if (none) {
        fresh->hash = s->hash;
        persist_link(t, at, fresh);
        if (t->count > t->mask) persist_grow(t);
    }
    lock_drop(&t->lock);
    return none;
}

bool persist_replace(Persist *t, PersistSearch *s, PersistEntry *fresh)
{
    PersistEntry *old = s->at;
    lock_take(&t->lock);
    bool there = old->linked;
    if (there) {
        PersistEntry **at = &t->buckets[s->hash & t->mask];
        while (*at != old) at = &(*at)->next;
        *at = old->next;
        old->linked = false;
        t->count--;
        t->bytes -= persist_entry_bytes(old);
        if (fresh != NULL) {
            fresh->hash = s->hash;
            persist_link(t, at, fresh);
        }
    }
    lock_drop(&t->lock);
    persist_search_at(t, s, NULL);
    if (there) persist_drop(t, old);
    return there;
}

PersistEntry **persist_all(Persist *t, size_t *count)
{
    lock_take(&t->lock);
    PersistEntry **all = mem_try_alloc(t->mem, MEM_WORK, t->count * sizeof *all);
    *count = 0;
    for (size_t i = 0; all != NULL && i <= t->mask; i++) {
        for (PersistEntry *e = t->buckets[i]; e != NULL; e = e->next) {
            atomic_add_relaxed(&e->references, 1);
            all[(*count)++] = e;
        }
    }
    lock_drop(&t->lock);
    return all;
}

void persist_all_free(Persist *t, PersistEntry **all, size_t count)
{
    for (size_t i = 0; i < count; i++) persist_drop(t, all[i]);
    mem_free(t->mem, MEM_WORK, all, count * sizeof *all);
}

void persist_size(Persist *t, size_t *count, size_t *bytes)
{
    lock_take(&t->lock);
    *count = t->count;
    *bytes = t->bytes;
    lock_drop(&t->lock);
}
