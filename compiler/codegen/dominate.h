/* Which blocks of a core function every way to a block leads through.
 *
 * Owns nothing; the tables lie in the arena given.  Needs blocks in the order of
 * core_tidy.  One thread. */
#pragma once

#include "compiler/core/core.h"

typedef struct Dominators {
    uint32_t *parent; /* by block: its immediate dominator; 0: none, or not reached */
    uint32_t *enter;  /* numbering of the dominator tree: a dominates b if */
    uint32_t *leave;  /* enter[a] <= enter[b] and leave[b] <= leave[a] */
    uint32_t *edges;  /* by block: how many edges lead to it, handlers' apart */
} Dominators;

Dominators dominate_find(CoreFunction *f, Arena *arena);

static inline bool dominate_is(const Dominators *d, uint32_t a, uint32_t b)
{
    return d->enter[a] <= d->enter[b] && d->leave[b] <= d->leave[a];
}
