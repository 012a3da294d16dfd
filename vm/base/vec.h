/* A typed growable array: VEC(Type) is a struct whose elements are v.at[0 … v.count-1].
 *
 *     VEC(Token) tokens = {0};          malloc, not counted; VEC_FREE when done
 *     VEC_IN_ARENA(&tokens, arena);     or: lives in an arena, is never freed alone
 *     VEC_IN_MEM(&tokens, mem, tag);    or: counted in a Mem
 *     VEC_PUSH(&tokens, token);
 *     VEC_EACH (Token, t, &tokens) use(t);     t is a Token *
 *
 * One thread at a time.  Pushing may move the elements.  Running out of memory stops the VM. */
#pragma once

#include "vm/base/arena.h"
#include "vm/base/mem.h"
#include "vm/base/panic.h"

typedef struct VecOwner {
    Arena *arena; /* not NULL: elements live there */
    Mem *mem;     /* else: the account, or NULL */
    MemTag tag;
} VecOwner;

#define VEC(Type)       \
    struct {            \
        Type *at;       \
        size_t count;   \
        size_t room;    \
        VecOwner owner; \
    }

/* Make room for `more` elements behind `count`; returns where the elements are now. */
static inline void *vec_grow(void *at, size_t count, size_t *room, size_t more, size_t size,
                             const VecOwner *owner)
{
    size_t wanted = *room < 8 ? 8 : *room + *room / 2;
    if (wanted < count + more) wanted = count + more;
    CHECK(count + more >= count && wanted <= SIZE_MAX / 2 / size);
    void *grown = owner->arena
                      ? arena_grow(owner->arena, at, count, wanted, size)
                      : mem_realloc(owner->mem, owner->tag, at, *room * size, wanted * size);
    *room = wanted;
    return grown;
}

#define VEC_IN_ARENA(v, arena_)   ((void)((v)->owner = (VecOwner){(arena_), NULL, MEM_MISC}))
#define VEC_IN_MEM(v, mem_, tag_) ((void)((v)->owner = (VecOwner){NULL, (mem_), (tag_)}))

/* After this, `more` pushes do not move the elements. */
#define VEC_RESERVE(v, more)                                                          \
    ((v)->room - (v)->count >= (size_t)(more)                                         \
         ? (void)0                                                                    \
         : (void)((v)->at = vec_grow((v)->at, (v)->count, &(v)->room, (size_t)(more), \
                                     sizeof *(v)->at, &(v)->owner)))

#define VEC_PUSH(v, ...) (VEC_RESERVE(v, 1), (void)((v)->at[(v)->count++] = (__VA_ARGS__)))

/* Append `n` elements from `from`, which is not in the vector. */
#define VEC_APPEND(v, from, n)                                     \
    do {                                                           \
        size_t append_n = (n);                                     \
        VEC_RESERVE(v, append_n);                                  \
        for (size_t append_i = 0; append_i < append_n; append_i++) \
            (v)->at[(v)->count++] = (from)[append_i];              \
    } while (0)

/* The vector is not empty. */
#define VEC_POP(v)   ((v)->at[--(v)->count])
#define VEC_LAST(v)  ((v)->at[(v)->count - 1])
#define VEC_CLEAR(v) ((void)((v)->count = 0))

#define VEC_EACH(Type, it, v)                                                           \
    for (__typeof__(Type) *it = (v)->at, *it##_end = (v)->count ? it + (v)->count : it; \
         it != it##_end; it++)

#define VEC_FREE(v)                                                                         \
    do {                                                                                    \
        if (!(v)->owner.arena)                                                              \
            mem_free((v)->owner.mem, (v)->owner.tag, (v)->at, (v)->room * sizeof *(v)->at); \
        (v)->at = NULL;                                                                     \
        (v)->count = (v)->room = 0;                                                         \
    } while (0)
