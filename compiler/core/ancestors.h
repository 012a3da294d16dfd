/* A tree that grows at its leaves, and the last common ancestor of two nodes in logarithmic time.
 *
 * Nodes are numbers from 1, 1 is the root; a node's parent is known before those of its children.
 * Beside the parent each node has one that is farther up, in the manner of a skew binary list.
 * The tables belong to whoever made them.  One thread. */
#pragma once

#include <stdint.h>

#include "vm/base/arena.h"

typedef struct Ancestors {
    uint32_t *parent; /* by node; 0: none, or not known yet; of the root itself: 0 */
    uint32_t *depth;
    uint32_t *jump;
} Ancestors;

static inline Ancestors ancestors_new(Arena *arena, size_t nodes)
{
    Ancestors a = {ARENA_ARRAY(arena, uint32_t, nodes + 1),
                   ARENA_ARRAY(arena, uint32_t, nodes + 1),
                   ARENA_ARRAY(arena, uint32_t, nodes + 1)};
    a.jump[1] = 1;
    return a;
}

static inline void ancestors_set(Ancestors *a, uint32_t node, uint32_t parent)
{
    uint32_t jump = a->jump[parent];
    uint32_t far = a->jump[jump];
    a->parent[node] = parent;
    a->depth[node] = a->depth[parent] + 1;
    a->jump[node] =
        a->depth[parent] - a->depth[jump] == a->depth[jump] - a->depth[far] ? far : parent;
}

static inline uint32_t ancestors_common(const Ancestors *a, uint32_t x, uint32_t y)
{
    while (a->depth[x] > a->depth[y])
        x = a->depth[a->jump[x]] >= a->depth[y] ? a->jump[x] : a->parent[x];
    while (a->depth[y] > a->depth[x])
        y = a->depth[a->jump[y]] >= a->depth[x] ? a->jump[y] : a->parent[y];
    while (x != y) {
        bool apart = a->jump[x] != a->jump[y];
        x = apart ? a->jump[x] : a->parent[x];
        y = apart ? a->jump[y] : a->parent[y];
    }
    return x;
}
