#include "compiler/source/names.h"

#include <string.h>

static uint64_t load64(const char *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static uint64_t load32(const char *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

/* Overlapping loads instead of a loop over bytes: most names have 3 to 16 bytes. */
static uint32_t names_hash(const char *text, size_t size)
{
    uint64_t h = size * 0xd6e8feb86659fd93u;
    const char *at = text;
    size_t left = size;
    for (; left > 8; left -= 8, at += 8) h = mix(h, load64(at));
    if (size >= 8) {
        h = mix(h, load64(text + size - 8));
    } else if (size >= 4) {
        h = mix(h, load32(text) | load32(text + size - 4) << 32);
    } else if (size > 0) {
        uint64_t first = (unsigned char)text[0];
        uint64_t middle = (unsigned char)text[size / 2];
        uint64_t last = (unsigned char)text[size - 1];
        h = mix(h, first | middle << 8 | last << 16);
    }
    return (uint32_t)(h ^ h >> 32);
}

static void names_resize_table(Names *names, uint32_t slots)
{
    names->table = ARENA_ARRAY(names->arena, uint32_t, slots);
    names->mask = slots - 1;
    for (uint32_t id = 1; id < names->count; id++) {
        uint32_t i = names->at[id].hash & names->mask;
        while (names->table[i] != 0) i = (i + 1) & names->mask;
        names->table[i] = id;
    }
}

static NameId names_add(Names *names, const char *text, size_t size, uint32_t hash)
{
    if (names->count == names->capacity) {
        names->at = arena_grow(names->arena, names->at, names->count,
                               (size_t)names->capacity * 2, sizeof *names->at);
        names->capacity *= 2;
    }
    NameId id = names->count++;
    names->at[id] = (NameText){arena_copy_text(names->arena, text, size), (uint32_t)size, hash};
    return id;
}

NameId names_intern(Names *names, const char *text, size_t size)
{
    uint32_t hash = names_hash(text, size);
    uint32_t i = hash & names->mask;
    for (uint32_t id; (id = names->table[i]) != 0; i = (i + 1) & names->mask) {
        const NameText *known = &names->at[id];
        if (known->hash == hash && known->size == size && memcmp(known->text, text, size) == 0)
            return id;
    }
    NameId id = names_add(names, text, size, hash);
    names->table[i] = id;
    if (names->count * 2 > names->mask) names_resize_table(names, (names->mask + 1) * 2);
    return id;
}

NameId names_intern_text(Names *names, const char *text)
{
    return names_intern(names, text, strlen(text));
}

void names_init(Names *names, Arena *arena)
{
    static const char *const predefined[] = {
#define NAME(CONSTANT, text) text,
#include "compiler/source/names.def"
#undef NAME
    };
    *names = (Names){.arena = arena, .capacity = 1024};
    names->at = ARENA_ARRAY(arena, NameText, names->capacity);
    names_resize_table(names, 2048);
    /* NAME_NONE is the number 0 and "no entry" of the table at once: the empty atom '' gets
     * another number when a program uses it. */
    names->at[0] = (NameText){"", 0, 0};
    names->count = 1;
    for (uint32_t id = 1; id < NAME_PREDEFINED_COUNT; id++)
        names_intern(names, predefined[id], strlen(predefined[id]));
}
