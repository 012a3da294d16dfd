#include "compiler/codegen/dominate.h"

#include "compiler/core/ancestors.h"

/* An edge; handlers have one from the block before their try. */
typedef struct Edge {
    uint32_t from;
    uint32_t to;
} Edge;

typedef struct Search {
    CoreFunction *f;
    Arena *arena;
    Dominators d;
    VEC(Edge) edges;
    uint32_t from;
    uint32_t *start; /* by block: its edges in `into` */
    uint32_t *into;  /* where they come from, ascending */
} Search;

/* NOLINTNEXTLINE(readability-non-const-parameter): CoreVisit may change the block. */
static void add_edge(void *to, CoreBlockId *block)
{
    Search *s = to;
    VEC_PUSH(&s->edges, (Edge){s->from, *block});
    s->d.edges[*block]++;
}

static void find_edges(Search *s)
{
    CoreFunction *f = s->f;
    uint32_t n = (uint32_t)f->blocks.count;
    for (s->from = 1; s->from < n; s->from++) {
        CoreInstr *last = core_last(f, s->from);
        if (last) core_targets(last, add_edge, s);
    }
    for (uint32_t t = 1; t < f->tries.count; t++)
        if (f->tries.at[t].handler && f->tries.at[t].before)
            VEC_PUSH(&s->edges, (Edge){f->tries.at[t].before, f->tries.at[t].handler});
    s->start = ARENA_ARRAY(s->arena, uint32_t, (size_t)n + 2);
    s->into = ARENA_ARRAY(s->arena, uint32_t, s->edges.count + 1);
    VEC_EACH (Edge, e, &s->edges) s->start[e->to + 2]++;
    for (uint32_t b = 2; b < n + 2; b++) s->start[b] += s->start[b - 1];
    VEC_EACH (Edge, e, &s->edges) s->into[s->start[e->to + 1]++] = e->from;
}

/* The last block on all ways from the entry to this one; 0: none of them is known yet. */
static uint32_t parent_of(const Search *s, const Ancestors *known, uint32_t block)
{
    uint32_t found = 0;
    for (uint32_t i = s->start[block]; i < s->start[block + 1]; i++) {
        uint32_t from = s->into[i];
        if (from != 1 && !known->parent[from]) continue;
        found = found ? ancestors_common(known, found, from) : from;
    }
    return found;
}

static void find_parents(Search *s)
{
    uint32_t n = (uint32_t)s->f->blocks.count;
    Ancestors known = ancestors_new(s->arena, n);
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t b = 2; b < n; b++) {
            uint32_t parent = parent_of(s, &known, b);
            if (!parent) continue;
            changed = changed || parent != known.parent[b];
            ancestors_set(&known, b, parent);
        }
    }
    s->d.parent = known.parent;
}

/* Children of each block as linked lists, then one walk with the list as its stack. */
static void number_tree(Search *s)
{
    uint32_t n = (uint32_t)s->f->blocks.count;
    uint32_t *first = ARENA_ARRAY(s->arena, uint32_t, n + 1);
    uint32_t *next = ARENA_ARRAY(s->arena, uint32_t, n + 1);
    uint32_t clock = 1;
    for (uint32_t b = n; b-- > 2;) {
        next[b] = first[s->d.parent[b]];
        first[s->d.parent[b]] = b;
    }
    uint32_t b = 1;
    s->d.enter[1] = clock++;
    while (b) {
        uint32_t child = first[b];
        if (child) {
            first[b] = next[child];
            s->d.enter[child] = clock++;
            b = child;
        } else {
            s->d.leave[b] = clock++;
            b = b == 1 ? 0 : s->d.parent[b];
        }
    }
}

Dominators dominate_find(CoreFunction *f, Arena *arena)
{
    size_t n = f->blocks.count + 1;
    Search s = {.f = f, .arena = arena};
    s.d = (Dominators){NULL, ARENA_ARRAY(arena, uint32_t, n), ARENA_ARRAY(arena, uint32_t, n),
                       ARENA_ARRAY(arena, uint32_t, n)};
    VEC_IN_ARENA(&s.edges, arena);
    find_edges(&s);
    find_parents(&s);
    number_tree(&s);
    return s.d;
}
