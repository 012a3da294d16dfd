#include "vm/base/arena.h"

#include "vm/base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_FIRST_CHUNK 4096
#define ARENA_LAST_CHUNK  (1u << 20)

/*  | header: older, bytes | pieces … top → … end |  */
struct ArenaChunk {
    ArenaChunk *older;
    size_t bytes; /* of the whole chunk, this header included */
};

_Static_assert(sizeof(ArenaChunk) % 16 == 0, "pieces start aligned");

static uint8_t *chunk_start(ArenaChunk *c) { return (uint8_t *)(c + 1); }

void arena_init(Arena *a, Mem *mem, MemTag tag) { *a = (Arena){.mem = mem, .tag = tag}; }

void arena_free(Arena *a)
{
    for (ArenaChunk *c = a->chunk; c;) {
        ArenaChunk *older = c->older;
        mem_free(a->mem, a->tag, c, c->bytes);
        c = older;
    }
    arena_init(a, a->mem, a->tag);
}

void *arena_alloc_slow(Arena *a, size_t bytes)
{
    CHECK(bytes <= SIZE_MAX / 4);
    size_t rounded = (bytes + 15) & ~(size_t)15;
    size_t size = a->chunk ? a->chunk->bytes * 2 : ARENA_FIRST_CHUNK;
    if (size > ARENA_LAST_CHUNK) size = ARENA_LAST_CHUNK;
    if (size < rounded + sizeof(ArenaChunk)) size = rounded + sizeof(ArenaChunk);
    if (a->chunk) a->earlier += (size_t)(a->top - chunk_start(a->chunk));
    ArenaChunk *c = mem_alloc(a->mem, a->tag, size);
    c->older = a->chunk;
    c->bytes = size;
    a->chunk = c;
    a->top = chunk_start(c) + rounded;
    a->end = (uint8_t *)c + size;
    return chunk_start(c);
}

void *arena_alloc_zero(Arena *a, size_t bytes)
{
    return memset(arena_alloc(a, bytes), 0, bytes);
}

void *arena_array(Arena *a, size_t count, size_t size)
{
    CHECK(size == 0 || count <= SIZE_MAX / 4 / size);
    return arena_alloc_zero(a, count * size);
}

void *arena_grow(Arena *a, const void *at, size_t old_count, size_t new_count, size_t size)
{
    CHECK(size == 0 || new_count <= SIZE_MAX / 4 / size);
    void *grown = arena_alloc(a, new_count * size);
    if (old_count) memcpy(grown, at, old_count * size);
    return grown;
}

char *arena_copy_text(Arena *a, const char *text, size_t length)
{
    char *copy = arena_alloc(a, length + 1);
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void *arena_copy_bytes(Arena *a, const void *bytes, size_t length)
{
    void *copy = arena_alloc(a, length);
    if (length) memcpy(copy, bytes, length);
    return copy;
}

char *arena_printf(Arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0);
    char *text = arena_alloc(a, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const Arena *a)
{
    return a->chunk ? a->earlier + (size_t)(a->top - chunk_start(a->chunk)) : 0;
}

ArenaMark arena_mark(const Arena *a) { return (ArenaMark){a->chunk, a->top, a->earlier}; }

void arena_rewind(Arena *a, ArenaMark mark)
{
    while (a->chunk != mark.chunk) {
        ArenaChunk *c = a->chunk;
        a->chunk = c->older;
        mem_free(a->mem, a->tag, c, c->bytes);
    }
    a->top = mark.top;
    a->end = a->chunk ? (uint8_t *)a->chunk + a->chunk->bytes : NULL;
    a->earlier = mark.earlier;
}
