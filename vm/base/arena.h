/* A bump arena: allocate piece by piece, free everything at once (compiler, loader).
 * One thread at a time.  Memory comes in chunks that double up to 1 MB; no piece is freed alone,
 * but a mark can be rewound to.  Running out of memory stops the VM. */
#pragma once

#include "vm/base/mem.h"

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena {
    uint8_t *top; /* next free byte of the newest chunk */
    uint8_t *end; /* one past its last byte */
    ArenaChunk *chunk;
    size_t earlier; /* bytes taken from older chunks */
    Mem *mem;       /* account, or NULL */
    MemTag tag;
} Arena;

typedef struct ArenaMark {
    ArenaChunk *chunk;
    uint8_t *top;
    size_t earlier;
} ArenaMark;

/* An empty arena; allocates nothing until used.  `mem` may be NULL. */
void arena_init(Arena *a, Mem *mem, MemTag tag);
/* Frees all chunks; the arena is then empty and may be used again. */
void arena_free(Arena *a);

/* The slow path of arena_alloc: takes a new chunk. */
NOINLINE NEVER_NULL void *arena_alloc_slow(Arena *a, size_t bytes);

/* `bytes` bytes, aligned to 16, uninitialised, borrowed from the arena.  Never NULL. */
static inline void *arena_alloc(Arena *a, size_t bytes)
{
    size_t rounded = (bytes + 15) & ~(size_t)15;
    if (UNLIKELY(rounded < bytes || (size_t)(a->end - a->top) <= rounded))
        return arena_alloc_slow(a, bytes);
    void *at = a->top;
    a->top += rounded;
    return at;
}

NEVER_NULL void *arena_alloc_zero(Arena *a, size_t bytes);

/* `count` elements of `size` bytes, zeroed; stops the VM when the product overflows. */
NEVER_NULL void *arena_array(Arena *a, size_t count, size_t size);

/* A copy of `old_count` elements in a block for `new_count`; the old block stays until the end. */
NEVER_NULL void *arena_grow(Arena *a, const void *at, size_t old_count, size_t new_count,
                            size_t size);

/* A copy of `length` bytes with a NUL byte behind them. */
NEVER_NULL char *arena_copy_text(Arena *a, const char *text, size_t length);
NEVER_NULL void *arena_copy_bytes(Arena *a, const void *bytes, size_t length);
NEVER_NULL char *arena_printf(Arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

/* Bytes taken so far. */
size_t arena_used(const Arena *a);

/* Rewinding frees everything allocated since the mark was taken. */
ArenaMark arena_mark(const Arena *a);
void arena_rewind(Arena *a, ArenaMark mark);

#define ARENA_NEW(arena, Type)          ((Type *)arena_alloc_zero((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_array((arena), (count), sizeof(Type)))
