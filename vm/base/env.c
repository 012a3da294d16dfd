#include "vm/base/env.h"

#include "vm/base/lock.h"

#include <string.h>

typedef struct EnvEntry {
    size_t key_size;
    size_t size; /* of key, '=' and value */
    uint8_t *text;
} EnvEntry;

struct Env {
    Lock lock; /* all below */
    Mem *mem;
    EnvEntry *entries;
    size_t count;
    size_t room;
};

/* Takes the lock's holder's word that no entry has this key. */
static void env_add(Env *e, const uint8_t *key, size_t n, const uint8_t *value,
                    size_t value_size)
{
    if (e->count == e->room) {
        size_t room = e->room == 0 ? 32 : 2 * e->room;
        e->entries = mem_realloc(e->mem, MEM_MISC, e->entries, e->room * sizeof *e->entries,
                                 room * sizeof *e->entries);
        e->room = room;
    }
    EnvEntry *entry = &e->entries[e->count++];
    entry->key_size = n;
    entry->size = n + 1 + value_size;
    entry->text = mem_alloc(e->mem, MEM_MISC, entry->size);
    if (n > 0) memcpy(entry->text, key, n);
    entry->text[n] = '=';
    if (value_size > 0) memcpy(entry->text + n + 1, value, value_size);
}

/* Under the lock; NULL: there is none. */
static EnvEntry *env_find(Env *e, const uint8_t *key, size_t n)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->entries[i].key_size == n && (n == 0 || memcmp(e->entries[i].text, key, n) == 0))
            return &e->entries[i];
    return NULL;
}

static void env_remove(Env *e, EnvEntry *entry)
{
    mem_free(e->mem, MEM_MISC, entry->text, entry->size);
    *entry = e->entries[--e->count];
}

Env *env_new(Mem *mem, char *const *from)
{
    Env *e = mem_alloc_zero(mem, MEM_MISC, sizeof *e);
    lock_init(&e->lock, LOCK_RANK_LEAF, "environment");
    e->mem = mem;
    for (; *from != NULL; from++) {
        const char *equals = strchr(*from, '=');
        if (equals == NULL) continue;
        env_add(e, (const uint8_t *)*from, (size_t)(equals - *from),
                (const uint8_t *)equals + 1, strlen(equals + 1));
    }
    return e;
}

void env_delete(Env *e)
{
    while (e->count > 0) env_remove(e, &e->entries[e->count - 1]);
    mem_free(e->mem, MEM_MISC, e->entries, e->room * sizeof *e->entries);
    lock_destroy(&e->lock);
    mem_free(e->mem, MEM_MISC, e, sizeof *e);
}

bool env_get(Env *e, const uint8_t *key, size_t n, Bytes *value)
{
    lock_take(&e->lock);
    const EnvEntry *entry = env_find(e, key, n);
    if (entry != NULL) bytes_put(value, entry->text + n + 1, entry->size - n - 1);
    lock_drop(&e->lock);
    return entry != NULL;
}

void env_set(Env *e, const uint8_t *key, size_t n, const uint8_t *value, size_t value_size)
{
    lock_take(&e->lock);
    EnvEntry *entry = env_find(e, key, n);
    if (entry != NULL) env_remove(e, entry);
    env_add(e, key, n, value, value_size);
    lock_drop(&e->lock);
}

void env_unset(Env *e, const uint8_t *key, size_t n)
{
    lock_take(&e->lock);
    EnvEntry *entry = env_find(e, key, n);
    if (entry != NULL) env_remove(e, entry);
    lock_drop(&e->lock);
}

size_t env_put_all(Env *e, Bytes *to)
{
    lock_take(&e->lock);
    for (size_t i = 0; i < e->count; i++) {
        bytes_put(to, e->entries[i].text, e->entries[i].size);
        bytes_put_u8(to, 0);
    }
    size_t count = e->count;
    lock_drop(&e->lock);
    return count;
}
