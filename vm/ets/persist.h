/*
 * Persistent terms: one table of keys and values for the whole VM, seldom written, often read.
 *
 * Any worker, at any time.  Each pair is a closed copy in a heap of its own and never
 * changes; replacing or erasing takes it out of the table, and the last reader frees it.
 * Readers copy the value out, so no process points into the table and nothing has to be
 * told when a value goes.
 */
#pragma once

#include "vm/base/atomic.h"
#include "vm/term/atom.h"
#include "vm/term/heap.h"

typedef struct Persist Persist;

typedef struct PersistEntry {
    AtomicU32 references;      /* the table's and those of readers */
    struct PersistEntry *next; /* in its bucket; under the table's lock */
    uint64_t hash;
    Term key;
    Term value;
    Heap heap;
} PersistEntry;

Persist *persist_new(Mem *mem, const AtomTable *atoms);
/* No reader is left. */
void persist_delete(Persist *t);

typedef enum PersistPut {
    PERSIST_PUT_DONE,
    PERSIST_PUT_TAKEN,
    PERSIST_PUT_NO_MEMORY
} PersistPut;

/* Binds key to a copy of value.  With only_new a key that is bound to another value stays:
 * TAKEN. */
MUST_USE PersistPut persist_put(Persist *t, Term key, Term value, bool only_new);
/* The entry of a key, retained, or NULL. */
PersistEntry *persist_find(Persist *t, Term key);
void persist_drop(Persist *t, PersistEntry *entry);
/* False: there was none. */
bool persist_erase(Persist *t, Term key);

/* All entries, retained; the array is freed by persist_all_free, which drops
 * them.  NULL: no memory. */
PersistEntry **persist_all(Persist *t, size_t *count);
void persist_all_free(Persist *t, PersistEntry **all, size_t count);

/* Pairs, and the bytes they take. */
void persist_size(Persist *t, size_t *count, size_t *bytes);
