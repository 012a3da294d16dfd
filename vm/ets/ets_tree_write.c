/* Changing a tree: who changes what locks it by the version by which it was found, and begins
 * again when that is not the version any more. */
#include "vm/ets/ets_tree_node.h"

#include "vm/base/mem.h"
#include "vm/term/order.h"

/* ---- one node, locked ---- */

static void node_insert(EtsNode *n, uint32_t at, Word key, uint32_t child_at, void *child)
{
    uint32_t count = node_count(n);
    uint32_t children = count + (n->leaf ? 0 : 1);
    for (uint32_t i = count; i > at; i--) node_set_key(n, i, node_key(n, i - 1).w);
    for (uint32_t i = children; i > child_at; i--) node_set_child(n, i, node_child(n, i - 1));
    node_set_key(n, at, key);
    node_set_child(n, child_at, child);
    node_set_count(n, count + 1);
}

static void node_delete(EtsNode *n, uint32_t at, uint32_t child_at)
{
    uint32_t count = node_count(n);
    uint32_t children = count + (n->leaf ? 0 : 1);
    for (uint32_t i = at; i + 1 < count; i++) node_set_key(n, i, node_key(n, i + 1).w);
    for (uint32_t i = child_at; i + 1 < children; i++)
        node_set_child(n, i, node_child(n, i + 1));
    node_set_count(n, count - 1);
}

/* ---- dividing ---- */

/* Where a full node is cut: in the middle, but where keys come in order at the end that they
 * come to, so that what is left behind stays full. */
static uint32_t cut_place(uint32_t count, uint32_t at, bool leaf)
{
    if (at == count) return leaf ? count : count - 1;
    return at == 0 && leaf ? 1 : count / 2;
}

/* Moves what is behind the cut to a new node; *key parts the two. */
static EtsNode *node_divide(EtsTree *t, EtsNode *n, uint32_t cut, Word *key)
{
    EtsNode *right = ets_node_new(t, n->leaf);
    uint32_t count = node_count(n);
    uint32_t from = n->leaf ? cut : cut + 1;
    *key = n->leaf ? ets_node_new_key(t->mem, node_key(n, cut - 1)) : node_key(n, cut).w;
    for (uint32_t i = from; i < count; i++) node_set_key(right, i - from, node_key(n, i).w);
    for (uint32_t i = from; i < count + (n->leaf ? 0 : 1); i++)
        node_set_child(right, i - from, node_child(n, i));
    node_set_count(right, count - from);
    node_set_count(n, cut);
    return right;
}

static void divide_root(EtsTree *t, EtsWay *way)
{
    EtsNode *root = way->node[0];
    if (!node_lock(root, way->version[0])) return;
    Word key;
    EtsNode *above = ets_node_new(t, false);
    uint32_t cut = cut_place(node_count(root), way->index[0], root->leaf);
    EtsNode *right = node_divide(t, root, cut, &key);
    node_set_key(above, 0, key);
    node_set_child(above, 0, root);
    node_set_child(above, 1, right);
    node_set_count(above, 1);
    /* Pairs with the loads of way_try, find_try and gather_try. */
    atomic_store_release(&t->root, above);
    node_unlock(root);
}

/* Divides the uppermost full node of those above the leaf and the leaf, if nobody is quicker. */
static void tree_divide(EtsTree *t, EtsWay *way)
{
    unsigned level = way->depth;
    while (level > 0 && node_count(way->node[level - 1]) == ETS_NODE_KEYS) level--;
    if (level == 0) {
        divide_root(t, way);
        return;
    }
    EtsNode *above = way->node[level - 1];
    EtsNode *n = way->node[level];
    if (!node_lock(above, way->version[level - 1])) return;
    if (node_lock(n, way->version[level])) {
        Word key;
        uint32_t at = way->index[level - 1];
        uint32_t cut = cut_place(node_count(n), way->index[level], n->leaf);
        EtsNode *right = node_divide(t, n, cut, &key);
        node_insert(above, at, key, at + 1, right);
        node_unlock(n);
    }
    node_unlock(above);
}

/* ---- putting ---- */

bool ets_tree_put(EtsTree *t, EtsObject *o, bool only_new, EtsObject **old)
{
    Term key = ets_object_key(o, t->keypos);
    *old = NULL;
    for (;;) {
        EtsWay way;
        ets_tree_way(t, key, &way);
        EtsNode *leaf = way.node[way.depth];
        uint32_t at = way.index[way.depth];
        if (way.found && only_new) return false;
        if (!way.found && node_count(leaf) == ETS_NODE_KEYS) {
            tree_divide(t, &way);
            continue;
        }
        if (!node_lock(leaf, way.version[way.depth])) continue;
        if (way.found) {
            *old = node_child(leaf, at);
            node_set_key(leaf, at, key.w);
            node_set_child(leaf, at, o);
        } else {
            node_insert(leaf, at, key.w, at, o);
        }
        node_unlock(leaf);
        return true;
    }
}

bool ets_tree_swap(EtsTree *t, EtsObject *old, EtsObject *fresh)
{
    Term key = ets_object_key(old, t->keypos);
    for (;;) {
        EtsWay way;
        ets_tree_way(t, key, &way);
        EtsNode *leaf = way.node[way.depth];
        uint32_t at = way.index[way.depth];
        if (!way.found) return false;
        if (!node_lock(leaf, way.version[way.depth])) continue;
        bool there = node_child(leaf, at) == old;
        if (there) {
            node_set_key(leaf, at, ets_object_key(fresh, t->keypos).w);
            node_set_child(leaf, at, fresh);
        }
        node_unlock(leaf);
        return there;
    }
}

/* ---- taking out ---- */

/* Locks the nodes of a way from `first` to the leaf, or none of them. */
static bool way_lock(EtsWay *way, unsigned first)
{
    for (unsigned i = first; i <= way->depth; i++) {
        if (node_lock(way->node[i], way->version[i])) continue;
        while (i > first) node_unlock(way->node[--i]);
        return false;
    }
    return true;
}

static void way_retire(EtsTree *t, EpochThread *epoch, EtsWay *way, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++) {
        node_unlock_gone(way->node[i]);
        ets_node_retire(epoch, t, way->node[i]);
    }
}

/* The tree's last leaf below nodes with one child each becomes the root; all are locked. */
static void tree_flatten(EtsTree *t, EpochThread *epoch, EtsWay *way)
{
    EtsNode *leaf = way->node[way->depth];
    node_delete(leaf, 0, 0);
    atomic_store_release(&t->root, leaf);
    way_retire(t, epoch, way, 0, way->depth - 1);
    node_unlock(leaf);
}

/* Takes the child that was gone to, with all below, out of node[at]; all are locked. */
static void tree_cut_off(EtsTree *t, EpochThread *epoch, EtsWay *way, unsigned at)
{
    EtsNode *above = way->node[at];
    uint32_t child = way->index[at];
    uint32_t count = node_count(above);
    uint32_t key = child < count ? child : count - 1;
    ets_node_retire_key(epoch, t->mem, node_key(above, key).w);
    node_delete(above, key, child);
    way_retire(t, epoch, way, at + 1, way->depth);
    if (at == 0 && count == 1) {
        atomic_store_release(&t->root, node_child(above, 0));
        way_retire(t, epoch, way, 0, 0);
    } else {
        node_unlock(above);
    }
}

/* Takes the only object out of a leaf, and the leaf out of the tree; NULL: somebody was quicker,
 * or it is another object than `only`. */
static EtsObject *remove_last(EtsTree *t, EpochThread *epoch, EtsWay *way,
                              const EtsObject *only)
{
    unsigned at = way->depth - 1;
    while (at > 0 && node_count(way->node[at]) == 0) at--;
    if (!way_lock(way, at)) return NULL;
    EtsObject *o = node_child(way->node[way->depth], 0);
    if (only != NULL && o != only) {
        for (unsigned i = at; i <= way->depth; i++) node_unlock(way->node[i]);
        return NULL;
    }
    if (node_count(way->node[at]) == 0)
        tree_flatten(t, epoch, way);
    else
        tree_cut_off(t, epoch, way, at);
    return o;
}

EtsObject *ets_tree_remove(EtsTree *t, EpochThread *epoch, Term key, const EtsObject *only)
{
    for (;;) {
        EtsWay way;
        ets_tree_way(t, key, &way);
        EtsNode *leaf = way.node[way.depth];
        uint32_t at = way.index[way.depth];
        if (!way.found) return NULL;
        EtsObject *o = node_child(leaf, at);
        if (only != NULL && o != only) {
            if (node_unchanged(leaf, way.version[way.depth])) return NULL;
            continue;
        }
        if (way.depth > 0 && node_count(leaf) == 1) {
            o = remove_last(t, epoch, &way, only);
            if (o != NULL) return o;
            continue;
        }
        if (!node_lock(leaf, way.version[way.depth])) continue;
        o = node_child(leaf, at);
        node_delete(leaf, at, at);
        node_unlock(leaf);
        return o;
    }
}

size_t ets_tree_check(const EtsTree *t)
{
    EtsObject *some[ETS_NODE_KEYS];
    EtsBound bound = {NULL, NULL, false};
    Term last = TERM_NONE;
    size_t total = 0;
    for (size_t n; (n = ets_tree_gather(t, &bound, false, some, ETS_NODE_KEYS)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            Term key = ets_object_key(some[i], t->keypos);
            CHECK(term_is_none(last) || order_compare(t->atoms, last, key) < 0);
            CHECK(ets_tree_find(t, key) == some[i]);
            last = key;
        }
        total += n;
        bound = (EtsBound){ets_compare_term, &last, false};
    }
    return total;
}
