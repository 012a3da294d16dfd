#include "vm/ets/ets_tree_node.h"

#include "vm/base/mem.h"
#include "vm/term/copy.h"
#include "vm/term/order.h"

void ets_tree_init(EtsTree *t, Mem *mem, const AtomTable *atoms, size_t keypos)
{
    t->mem = mem;
    t->atoms = atoms;
    t->keypos = keypos;
    atomic_store_relaxed(&t->root, ets_node_new(t, true));
}

/* ---- nodes and keys ---- */

static void node_count_words(EtsTree *t, const EtsNode *n, int sign)
{
    (void)atomic_add_relaxed(&t->words, sign * (int64_t)(node_bytes(n->leaf) / sizeof(Word)));
}

EtsNode *ets_node_new(EtsTree *t, bool leaf)
{
    EtsNode *n = mem_alloc_zero(t->mem, MEM_TABLE, node_bytes(leaf));
    n->leaf = leaf;
    node_count_words(t, n, 1);
    return n;
}

/* An inner node's key that is more than a word lives in an object of its own: {Key}. */
static EtsObject *key_object(Word key)
{
    Word *at = (Word *)(uintptr_t)(key & ~(Word)TAG_MASK);
    return (EtsObject *)(void *)((char *)(at - 2) - offsetof(EtsObject, data));
}

Word ets_node_new_key(Mem *mem, Term key)
{
    if (term_is_atomic(key)) return key.w;
    size_t words = 2 + copy_size(key, SIZE_MAX - 2, NULL);
    EtsObject *o = mem_alloc(mem, MEM_TABLE, ets_object_bytes(words));
    Heap h = {.top = o->data, .limit = o->data + words, .mem = mem};
    CHECK(words <= ETS_OBJECT_MAX); /* it was the key of an object */
    o->words = (uint32_t)words;
    atomic_store_relaxed(&o->holders, 0);
    o->data[0] = header_make(KIND_TUPLE, 1);
    /* The copy begins behind the tuple: that is how key_object finds its way back. */
    o->data[1] = copy_into(&h, o->data + 2, words - 2, key, NULL).w;
    ets_object_set_handles(o, h.handles);
    return o->data[1];
}

void ets_node_free_key(Mem *mem, Word key)
{
    if (!term_is_atomic(TERM_RAW(key))) ets_object_free(mem, key_object(key));
}

void ets_node_retire_key(EpochThread *epoch, Mem *mem, Word key)
{
    if (!term_is_atomic(TERM_RAW(key))) ets_object_retire(epoch, mem, key_object(key));
}

static void node_release(void *context, void *at)
{
    EtsNode *n = at;
    mem_free(context, MEM_TABLE, n, node_bytes(n->leaf));
}

void ets_node_retire(EpochThread *epoch, EtsTree *t, EtsNode *n)
{
    node_count_words(t, n, -1);
    epoch_retire(epoch, node_release, t->mem, n);
}

/* Frees objects of a leaf from its end; false: the budget is used up. */
static bool leaf_free_some(const EtsTree *t, EtsNode *leaf, size_t *budget)
{
    uint32_t count = node_count(leaf);
    for (; count > 0 && *budget > 0; --*budget) {
        count--;
        ets_object_free(t->mem, node_child(leaf, count));
    }
    node_set_count(leaf, count);
    return count == 0;
}

/* The rightmost leaf first, then what has no children left. */
bool ets_tree_free_some(EtsTree *t, size_t *budget)
{
    while (atomic_load_relaxed(&t->root) != NULL) {
        EtsNode *way[NODE_MAX_DEPTH];
        unsigned depth = 0;
        way[0] = atomic_load_relaxed(&t->root);
        for (; !way[depth]->leaf; depth++)
            way[depth + 1] = node_child(way[depth], node_count(way[depth]));
        if (!leaf_free_some(t, way[depth], budget)) return false;
        for (;;) {
            mem_free(t->mem, MEM_TABLE, way[depth], node_bytes(way[depth]->leaf));
            if (depth == 0) {
                atomic_store_relaxed(&t->root, NULL);
                break;
            }
            EtsNode *above = way[--depth];
            uint32_t keys = node_count(above);
            if (keys == 0) continue;
            ets_node_free_key(t->mem, node_key(above, keys - 1).w);
            node_set_count(above, keys - 1);
            break;
        }
    }
    return true;
}

/* ---- finding the way ---- */

int ets_compare_term(const AtomTable *atoms, const void *probe, Term key)
{
    return order_compare(atoms, *(const Term *)probe, key);
}

/* The first place whose key is not below `key`; *equal: it is that key. */
static uint32_t node_search(const EtsTree *t, const EtsNode *n, Term key, bool *equal)
{
    uint32_t low = 0;
    uint32_t high = node_count(n);
    *equal = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = order_compare(t->atoms, key, node_key(n, middle));
        if (order <= 0) {
            high = middle;
            *equal = order == 0;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static bool way_try(const EtsTree *t, Term key, EtsWay *way)
{
    EtsNode *n = atomic_load_acquire(&t->root);
    uint64_t v = node_version(n);
    if ((v & NODE_GONE) != 0 || atomic_load_acquire(&t->root) != n) return false;
    for (unsigned depth = 0;; depth++) {
        CHECK(depth < NODE_MAX_DEPTH);
        way->node[depth] = n;
        way->version[depth] = v;
        way->index[depth] = node_search(t, n, key, &way->found);
        if (n->leaf) {
            way->depth = depth;
            return node_unchanged(n, v);
        }
        EtsNode *child = node_child(n, way->index[depth]);
        if (!node_unchanged(n, v)) return false;
        uint64_t below = node_version(child);
        if ((below & NODE_GONE) != 0 || !node_unchanged(n, v)) return false;
        n = child;
        v = below;
    }
}

void ets_tree_way(const EtsTree *t, Term key, EtsWay *way)
{
    while (!way_try(t, key, way)) {
    }
}

static bool find_try(const EtsTree *t, Term key, EtsObject **found)
{
    EtsNode *n = atomic_load_acquire(&t->root);
    uint64_t v = node_version(n);
    bool equal;
    if ((v & NODE_GONE) != 0 || atomic_load_acquire(&t->root) != n) return false;
    while (!n->leaf) {
        EtsNode *child = node_child(n, node_search(t, n, key, &equal));
        if (!node_unchanged(n, v)) return false;
        uint64_t below = node_version(child);
        if ((below & NODE_GONE) != 0 || !node_unchanged(n, v)) return false;
        n = child;
        v = below;
    }
    uint32_t at = node_search(t, n, key, &equal);
    *found = equal ? node_child(n, at) : NULL;
    return node_unchanged(n, v);
}

EtsObject *ets_tree_find(const EtsTree *t, Term key)
{
    EtsObject *found;
    while (!find_try(t, key, &found)) {
    }
    return found;
}

/* ---- walking ---- */

/* Where a bound lies among the keys of a node: the first place that is behind it. */
static uint32_t bound_search(const EtsTree *t, const EtsNode *n, const EtsBound *bound,
                             bool backward)
{
    uint32_t low = 0;
    uint32_t high = node_count(n);
    if (bound->compare == NULL) return backward ? high : 0;
    /* Equal keys are behind it if the walk goes forward and wants them, or backward and not.
     * Left of an inner key stands what is =< it; only a pattern has equal keys on both
     * sides. */
    bool equal_behind = bound->inclusive != backward;
    if (!n->leaf && bound->compare == ets_compare_term)
        equal_behind = bound->inclusive || backward;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = bound->compare(t->atoms, bound->probe, node_key(n, middle));
        if (order < 0 || (order == 0 && equal_behind))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* One leaf's share of a walk. */
typedef struct Share {
    EtsObject **out;
    size_t room;
    size_t count;
    /* The key of an inner node that bounds the leaf where the walk goes on; TERM_NONE at the
     * end of the table. */
    Term edge;
} Share;

static void share_leaf(Share *s, const EtsNode *leaf, uint32_t at, bool backward)
{
    uint32_t keys = node_count(leaf);
    s->count = 0;
    while (s->count < s->room && (backward ? at > 0 : at < keys))
        s->out[s->count++] = node_child(leaf, backward ? --at : at++);
}

static bool share_try(const EtsTree *t, const EtsBound *bound, bool backward, Share *s)
{
    EtsNode *node = atomic_load_acquire(&t->root);
    uint64_t v = node_version(node);
    s->edge = TERM_NONE;
    if ((v & NODE_GONE) != 0 || atomic_load_acquire(&t->root) != node) return false;
    while (!node->leaf) {
        uint32_t at = bound_search(t, node, bound, backward);
        uint32_t keys = node_count(node);
        if (at > keys) return false;
        if (backward ? at > 0 : at < keys) s->edge = node_key(node, backward ? at - 1 : at);
        EtsNode *child = node_child(node, at);
        if (!node_unchanged(node, v)) return false;
        uint64_t below = node_version(child);
        if ((below & NODE_GONE) != 0 || !node_unchanged(node, v)) return false;
        node = child;
        v = below;
    }
    share_leaf(s, node, bound_search(t, node, bound, backward), backward);
    return node_unchanged(node, v);
}

size_t ets_tree_gather(const EtsTree *t, const EtsBound *bound, bool backward, EtsObject **out,
                       size_t n)
{
    EtsBound at = *bound;
    Term last;
    size_t total = 0;
    for (;;) {
        Share s = {.out = out + total, .room = n - total};
        while (!share_try(t, &at, backward, &s)) {
        }
        total += s.count;
        if (total == n || term_is_none(s.edge)) return total;
        /* Left of an inner key stands what is =< it, and perhaps the key itself. */
        last = s.edge;
        at = (EtsBound){ets_compare_term, &last, backward};
    }
}
