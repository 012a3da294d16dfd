#include "vm/base/htab.h"

#include "vm/base/panic.h"

#include <string.h>

#define HTAB_FIRST_ROOM 8

void htab_init(Htab *h, Mem *mem, MemTag tag) { *h = (Htab){.mem = mem, .tag = tag}; }

void htab_init_in_arena(Htab *h, Arena *arena) { *h = (Htab){.arena = arena}; }

void htab_free(Htab *h)
{
    if (!h->arena) {
        mem_free(h->mem, h->tag, h->entries, h->room * sizeof *h->entries);
        mem_free(h->mem, h->tag, h->index, h->room * 2 * sizeof *h->index);
    }
    *h = (Htab){.arena = h->arena, .mem = h->mem, .tag = h->tag};
}

uint64_t htab_hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
    const uint8_t *at = bytes;
    uint64_t hash = seed ^ (length * 0x9e3779b97f4a7c15u);
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * 0xd6e8feb86659fd93u;
        hash ^= hash >> 32;
    }
    uint64_t rest = 0;
    if (length) memcpy(&rest, at, length);
    return htab_hash_number(hash ^ rest);
}

static uint64_t entry_hash(const HtabEntry *e)
{
    return e->text ? e->key : htab_hash_number(e->key);
}

static void *htab_take(Htab *h, size_t count, size_t size)
{
    if (h->arena) return arena_array(h->arena, count, size);
    return mem_alloc_zero(h->mem, h->tag, count * size);
}

/* Move to arrays for `room` entries, dropping removed ones. */
static void htab_rebuild(Htab *h, size_t room)
{
    CHECK(room <= UINT32_MAX / 2);
    HtabEntry *entries = htab_take(h, room, sizeof *entries);
    uint32_t *index = htab_take(h, room * 2, sizeof *index);
    size_t mask = room * 2 - 1;
    size_t used = 0;
    for (size_t i = 0; i < h->used; i++) {
        if (!h->entries[i].live) continue;
        entries[used++] = h->entries[i];
        size_t place = entry_hash(&h->entries[i]) & mask;
        while (index[place]) place = (place + 1) & mask;
        index[place] = (uint32_t)used;
    }
    Htab old = *h;
    htab_free(&old);
    h->entries = entries;
    h->index = index;
    h->used = used;
    h->room = room;
}

/* The place of the key, or of the free index slot where the search ended. */
static size_t htab_search(const Htab *h, uint64_t hash, uint64_t key, const char *text,
                          size_t length)
{
    size_t mask = h->room * 2 - 1;
    size_t place = hash & mask;
    for (; h->index[place]; place = (place + 1) & mask) {
        const HtabEntry *e = &h->entries[h->index[place] - 1];
        if (!e->live || e->key != key) continue;
        if (!text) break;
        if (e->length == length && memcmp(e->text, text, length) == 0) break;
    }
    return place;
}

static HtabEntry *htab_get(const Htab *h, uint64_t hash, uint64_t key, const char *text,
                           size_t length)
{
    if (h->count == 0) return NULL;
    uint32_t position = h->index[htab_search(h, hash, key, text, length)];
    return position ? &h->entries[position - 1] : NULL;
}

static HtabValue *htab_add(Htab *h, uint64_t hash, uint64_t key, const char *text,
                           size_t length, bool *added)
{
    HtabEntry *found = htab_get(h, hash, key, text, length);
    if (added) *added = !found;
    if (found) return &found->value;
    if (h->used == h->room) {
        /* Many removed ones: the same size will do. */
        size_t room = h->room == 0             ? HTAB_FIRST_ROOM
                      : h->count < h->room / 2 ? h->room
                                               : h->room * 2;
        htab_rebuild(h, room);
    }
    size_t place = htab_search(h, hash, key, text, length);
    ASSERT(h->entries);
    HtabEntry *e = &h->entries[h->used++];
    *e = (HtabEntry){.key = key, .text = text, .length = (uint32_t)length, .live = true};
    h->index[place] = (uint32_t)h->used;
    h->count++;
    return &e->value;
}

HtabValue *htab_find(const Htab *h, uint64_t key)
{
    HtabEntry *e = htab_get(h, htab_hash_number(key), key, NULL, 0);
    return e ? &e->value : NULL;
}

HtabValue *htab_put(Htab *h, uint64_t key, bool *added)
{
    return htab_add(h, htab_hash_number(key), key, NULL, 0, added);
}

static bool htab_drop(Htab *h, HtabEntry *e)
{
    if (!e) return false;
    e->live = false;
    h->count--;
    return true;
}

bool htab_remove(Htab *h, uint64_t key)
{
    return htab_drop(h, htab_get(h, htab_hash_number(key), key, NULL, 0));
}

HtabValue *htab_find_text(const Htab *h, const char *text, size_t length)
{
    uint64_t hash = htab_hash_bytes(text, length, 0);
    HtabEntry *e = htab_get(h, hash, hash, text, length);
    return e ? &e->value : NULL;
}

HtabValue *htab_put_text(Htab *h, const char *text, size_t length, bool *added)
{
    CHECK(length <= UINT32_MAX);
    uint64_t hash = htab_hash_bytes(text, length, 0);
    return htab_add(h, hash, hash, text, length, added);
}

bool htab_remove_text(Htab *h, const char *text, size_t length)
{
    uint64_t hash = htab_hash_bytes(text, length, 0);
    return htab_drop(h, htab_get(h, hash, hash, text, length));
}

const HtabEntry *htab_next(const Htab *h, size_t *cursor)
{
    while (*cursor < h->used) {
        const HtabEntry *e = &h->entries[(*cursor)++];
        if (e->live) return e;
    }
    return NULL;
}

void htab_clear(Htab *h)
{
    if (h->room) memset(h->index, 0, h->room * 2 * sizeof *h->index);
    h->count = h->used = 0;
}

void htab_check(const Htab *h)
{
    CHECK(h->count <= h->used && h->used <= h->room);
    size_t live = 0;
    for (size_t i = 0; i < h->used; i++) {
        const HtabEntry *e = &h->entries[i];
        if (!e->live) continue;
        live++;
        CHECK(htab_get(h, entry_hash(e), e->key, e->text, e->length) == e);
    }
    CHECK(live == h->count);
    size_t filled = 0;
    for (size_t i = 0; i < h->room * 2; i++) filled += h->index[i] != 0;
    CHECK(filled == h->used);
}
