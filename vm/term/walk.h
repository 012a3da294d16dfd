/*
 * The explicit work stack of everything that traverses a term, so that depth of data never
 * becomes depth of the C stack.
 *
 * A Walk holds words.  The first WALK_INLINE of them live in the struct, the rest in malloc'ed
 * memory that doubles; a Walk in use moves only with walk_moved.  How much it holds is
 * bounded by the size of the terms walked.  Nothing may collect while a walk holds terms
 * (machine.md 2). One thread at a time.
 */
#pragma once

#include "vm/base/mem.h"
#include "vm/term/term.h"

#define WALK_INLINE 32

typedef struct Walk {
    Word *at;
    size_t count;
    size_t room;
    Mem *mem; /* account, or NULL */
    Word first[WALK_INLINE];
} Walk;

static inline void walk_init(Walk *w, Mem *mem)
{
    w->at = w->first;
    w->count = 0;
    w->room = WALK_INLINE;
    w->mem = mem;
}
void walk_free(Walk *w);
/* After the struct was copied from `from` to `w`, which is the walk from now on. */
static inline void walk_moved(Walk *w, const Walk *from)
{
    if (w->at == from->first) w->at = w->first;
}
/* The slow path of walk_push: room for at least `more` further words. */
NOINLINE void walk_grow(Walk *w, size_t more);

static inline bool walk_is_empty(const Walk *w) { return w->count == 0; }

/* Afterwards `more` pushes need no look at the room. */
static inline void walk_reserve(Walk *w, size_t more)
{
    if (UNLIKELY(w->room - w->count < more)) walk_grow(w, more);
}
static inline void walk_push(Walk *w, Word word)
{
    walk_reserve(w, 1);
    w->at[w->count++] = word;
}
static inline Word walk_pop(Walk *w)
{
    ASSERT(w->count > 0);
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    return w->at[--w->count];
}
static inline Word *walk_top(Walk *w) { return &w->at[w->count - 1]; }
