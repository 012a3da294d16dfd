/* A hash table keyed by 64-bit numbers or by texts; iteration follows insertion, so nothing that
 * is printed from it depends on a hash or an address.
 *
 * One thread at a time.  One table holds one kind of key.  Entries stand in an array in the order
 * of their insertion; an open-addressed index of 32-bit positions finds them.  Texts are borrowed:
 * they must outlive the entry.  Pointers to values are good until the next insertion.
 * Running out of memory stops the VM. */
#pragma once

#include "vm/base/arena.h"
#include "vm/base/mem.h"

typedef union HtabValue {
    void *ptr;
    uint64_t num;
} HtabValue;

typedef struct HtabEntry {
    uint64_t key;     /* the number, or the hash of the text */
    const char *text; /* NULL in a table of numbers */
    uint32_t length;  /* of the text, in bytes */
    bool live;        /* false once removed */
    HtabValue value;
} HtabEntry;

typedef struct Htab {
    HtabEntry *entries;
    uint32_t *index; /* 0: free; else position in entries + 1; removed ones keep their place */
    size_t count;    /* live entries */
    size_t used;     /* entries, removed ones included */
    size_t room;     /* entries that fit; the index has twice as many places */
    Arena *arena;    /* where it lives, or NULL */
    Mem *mem;        /* else its account, or NULL */
    MemTag tag;
} Htab;

/* An empty table; `{0}` is one too, uncounted. */
void htab_init(Htab *h, Mem *mem, MemTag tag);
void htab_init_in_arena(Htab *h, Arena *arena);
/* Nothing to do for a table in an arena. */
void htab_free(Htab *h);

/* The value under `key`, or NULL. */
HtabValue *htab_find(const Htab *h, uint64_t key);
/* The value under `key`, inserted as zero if it was absent; `*added` (may be NULL) says which. */
HtabValue *htab_put(Htab *h, uint64_t key, bool *added);
/* Whether there was one to remove. */
bool htab_remove(Htab *h, uint64_t key);

HtabValue *htab_find_text(const Htab *h, const char *text, size_t length);
HtabValue *htab_put_text(Htab *h, const char *text, size_t length, bool *added);
bool htab_remove_text(Htab *h, const char *text, size_t length);

/* The next live entry in order of insertion; start with *cursor = 0; NULL at the end.  Removing
 * entries meanwhile is allowed, inserting is not. */
const HtabEntry *htab_next(const Htab *h, size_t *cursor);

/* Remove all entries, keep the memory. */
void htab_clear(Htab *h);

/* Hashes that depend on nothing but their argument; for use elsewhere too. */
uint64_t htab_hash_bytes(const void *bytes, size_t length, uint64_t seed);

static inline uint64_t htab_hash_number(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

/* Aborts if the structure is damaged (debug and stress builds). */
void htab_check(const Htab *h);
