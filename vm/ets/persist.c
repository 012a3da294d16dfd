#include "vm/ets/persist.h"

#include "vm/base/lock.h"
#include "vm/term/copy.h"
#include "vm/term/hash.h"
#include "vm/term/order.h"

#include <string.h>

#define PERSIST_FIRST_BUCKETS 16

struct Persist {
    Lock lock; /* all below */
    PersistEntry **buckets;
    size_t mask;
    size_t count;
    size_t bytes;
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

/* A closed copy of both; not in the table yet. */
static PersistEntry *persist_copy(Persist *t, Term key, Term value)
{
    PersistEntry *e = mem_try_alloc(t->mem, MEM_TABLE, sizeof *e);
    if (e == NULL) return NULL;
    atomic_store_relaxed(&e->references, 1);
    heap_init_detached(&e->heap, t->mem);
    e->hash = hash_internal(t->atoms, key);
    e->key = copy_term(&e->heap, key, SIZE_MAX, NULL);
    e->value = copy_term(&e->heap, value, SIZE_MAX, NULL);
    if (!term_is_none(e->key) && !term_is_none(e->value)) return e;
    persist_drop(t, e);
    return NULL;
}

static size_t persist_entry_bytes(const PersistEntry *e)
{
    return sizeof *e + e->heap.fragment_words * sizeof(Word);
}

/* Where the pointer to the entry with that key is, or to the NULL at the chain's end. */
static PersistEntry **persist_place(Persist *t, uint64_t hash, Term key)
{
    PersistEntry **at = &t->buckets[hash & t->mask];
    while (*at != NULL && ((*at)->hash != hash || !order_same((*at)->key, key)))
        at = &(*at)->next;
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
}

/* Takes the entry out of its chain; the caller drops it, outside the lock. */
static PersistEntry *persist_unlink(Persist *t, PersistEntry **at)
{
    PersistEntry *old = *at;
    *at = old->next;
    t->count--;
    t->bytes -= persist_entry_bytes(old);
    return old;
}

PersistPut persist_put(Persist *t, Term key, Term value, bool only_new)
{
    PersistEntry *fresh = persist_copy(t, key, value);
    if (fresh == NULL) return PERSIST_PUT_NO_MEMORY;
    PersistEntry *gone = NULL;
    PersistPut result = PERSIST_PUT_DONE;
    lock_take(&t->lock);
    PersistEntry **at = persist_place(t, fresh->hash, key);
    bool same = *at != NULL && order_same((*at)->value, value);
    if (*at != NULL && (same || only_new)) {
        gone = fresh;
        result = same ? PERSIST_PUT_DONE : PERSIST_PUT_TAKEN;
    } else {
        if (*at != NULL) gone = persist_unlink(t, at);
        fresh->next = *at;
        *at = fresh;
        t->count++;
        t->bytes += persist_entry_bytes(fresh);
        if (t->count > t->mask) persist_grow(t);
    }
    lock_drop(&t->lock);
    if (gone != NULL) persist_drop(t, gone);
    return result;
}

PersistEntry *persist_find(Persist *t, Term key)
{
    uint64_t hash = hash_internal(t->atoms, key);
    lock_take(&t->lock);
    PersistEntry *e = *persist_place(t, hash, key);
    if (e != NULL) atomic_add_relaxed(&e->references, 1);
    lock_drop(&t->lock);
    return e;
}

bool persist_erase(Persist *t, Term key)
{
    uint64_t hash = hash_internal(t->atoms, key);
    lock_take(&t->lock);
    PersistEntry **at = persist_place(t, hash, key);
    PersistEntry *gone = *at == NULL ? NULL : persist_unlink(t, at);
    lock_drop(&t->lock);
    if (gone != NULL) persist_drop(t, gone);
    return gone != NULL;
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
