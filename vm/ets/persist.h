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
    struct PersistEntry *next; /* in its bucket; under the table's lock, as `linked` is */
    bool linked;               /* it is in the table */
    uint64_t hash;
    Term key;
    Term value;
    Heap heap; /* of both */
} PersistEntry;

Persist *persist_new(Mem *mem, const AtomTable *atoms);
/* No reader is left. */
void persist_delete(Persist *t);

/* An entry that is not in the table yet, to be filled: key and value are copies on its heap.
 * NULL: no memory. */
PersistEntry *persist_entry_new(Persist *t);
void persist_drop(Persist *t, PersistEntry *entry);

/* A search among the entries that have a key's hash, one at a time, so that keys and values, which
 * may be huge, are compared outside the table's lock.
 *
 *     PersistSearch s = {.hash = persist_hash(t, key)};
 *     while ((e = persist_next(t, &s)) != NULL && !order_same(e->key, key)) ...
 *     persist_search_end(t, &s); */
typedef struct PersistSearch {
    uint64_t hash;
    uint64_t shape;   /* the table's when `at` was found */
    PersistEntry *at; /* the last one, retained; NULL at the start */
} PersistSearch;

uint64_t persist_hash(const Persist *t, Term key);
/* The next entry, kept alive by the search until it goes on or ends; or NULL. */
PersistEntry *persist_next(Persist *t, PersistSearch *s);
void persist_search_end(Persist *t, PersistSearch *s);
/* Nothing was found: adds `fresh`, with the hash that was sought, and takes it.  False: another
 * one has come meanwhile; the search goes on. */
MUST_USE bool persist_add(Persist *t, PersistSearch *s, PersistEntry *fresh);
/* Puts `fresh` (taken; NULL: nothing) in the place of the entry that was found.  False: that one
 * has gone meanwhile; the search goes on, from the start. */
MUST_USE bool persist_replace(Persist *t, PersistSearch *s, PersistEntry *fresh);

/* All entries, retained; the array is freed by persist_all_free, which drops
 * them.  NULL: no memory. */
PersistEntry **persist_all(Persist *t, size_t *count);
void persist_all_free(Persist *t, PersistEntry **all, size_t count);

/* Pairs, and the bytes they take. */
void persist_size(Persist *t, size_t *count, size_t *bytes);
