#include "vm/term/hamt.h"

#include "vm/term/hash.h"
#include "vm/term/order.h"

#include <string.h>

#define LAST_LEVEL HAMT_LEVELS /* of collision nodes */

/* A node, taken apart. */
typedef struct Node {
    const Word *words; /* header */
    uint32_t pairs;    /* bit per slot */
    uint32_t children;
    size_t pair_count;
    size_t child_count;
    bool collision;
} Node;

/* Where a search came through a node. */
typedef struct Step {
    Term node;
    uint32_t slot; /* 0 ... 15 */
} Step;

typedef struct Path {
    Step step[LAST_LEVEL + 1];
    int depth;
} Path;

static Node node_open(Term t)
{
    const Word *words = boxed_words(t);
    int64_t bits = small_value(TERM_RAW(words[1]));
    size_t n = header_words(words[0]) - 2;
    Node node = {.words = words, .collision = bits == HAMT_COLLISION};
    if (node.collision) {
        node.pair_count = n / 2;
        return node;
    }
    node.pairs = (uint32_t)bits & 0xFFFF;
    node.children = (uint32_t)(bits >> 16) & 0xFFFF;
    node.pair_count = hamt_popcount(node.pairs);
    node.child_count = hamt_popcount(node.children);
    return node;
}

static inline const Word *node_pairs(const Node *n) { return n->words + 3; }
static inline const Word *node_children(const Node *n)
{
    return n->words + 3 + n->pair_count * 2;
}
static inline size_t rank_below(uint32_t bits, uint32_t slot)
{
    return hamt_popcount(bits & ((1u << slot) - 1));
}
static inline uint32_t slot_of(uint64_t hash, int level)
{
    return (uint32_t)(hash >> (60 - 4 * level)) & 15;
}

/* Room for a node; the caller fills in pairs, then children, from the result on. */
static Word *node_new(Heap *h, uint32_t pairs, uint32_t children, size_t count, Term *node)
{
    size_t n = hamt_popcount(pairs) * 2 + hamt_popcount(children);
    Word *at = heap_alloc(h, n + 3);
    if (at == NULL) return NULL;
    at[0] = header_make(KIND_HAMT_NODE, n + 2);
    at[1] = small_from((int64_t)(pairs | children << 16)).w;
    at[2] = small_from((int64_t)count).w;
    *node = boxed_from(at);
    return at + 3;
}

static Word *collision_new(Heap *h, size_t count, Term *node)
{
    Word *at = heap_alloc(h, count * 2 + 3);
    if (at == NULL) return NULL;
    at[0] = header_make(KIND_HAMT_NODE, count * 2 + 2);
    at[1] = small_from(HAMT_COLLISION).w;
    at[2] = small_from((int64_t)count).w;
    *node = boxed_from(at);
    return at + 3;
}

static Word *put_words(Word *to, const Word *from, size_t n)
{
    memcpy(to, from, n * sizeof(Word));
    return to + n;
}

static Word *put_pair(Word *to, Term key, Term value)
{
    to[0] = key.w;
    to[1] = value.w;
    return to + 2;
}

/* Position of the key in a collision node, or where it belongs; *found tells which.  With k->more
 * neither. */
static size_t collision_find(Keys *k, const Node *n, Term key, bool *found)
{
    const Word *pair = node_pairs(n);
    *found = false;
    for (size_t i = 0; i < n->pair_count; i++) {
        int order = keys_order(k, key, TERM_RAW(pair[i * 2]));
        if (order > 0) continue;
        *found = order == 0 && !k->more;
        return i;
    }
    return n->pair_count;
}

Term hamt_get(Keys *k, Term root, Term key, uint64_t hash)
{
    for (;; hash <<= 4) {
        const Word *words = boxed_words(root);
        int64_t bits = small_value(TERM_RAW(words[1]));
        if (UNLIKELY(bits == HAMT_COLLISION)) break;
        uint32_t bit = 1u << (hash >> 60);
        if (((uint32_t)bits & bit) != 0) {
            const Word *pair = words + 3 + hamt_popcount((uint32_t)bits & (bit - 1)) * 2;
            return keys_same(k, TERM_RAW(pair[0]), key) ? TERM_RAW(pair[1]) : TERM_NONE;
        }
        if (((uint32_t)bits & bit << 16) == 0) return TERM_NONE;
        size_t pairs = hamt_popcount((uint32_t)bits & 0xFFFF);
        size_t before = hamt_popcount((uint32_t)bits >> 16 & (bit - 1));
        root = TERM_RAW(words[3 + pairs * 2 + before]);
    }
    bool found;
    Node n = node_open(root);
    size_t i = collision_find(k, &n, key, &found);
    return found ? TERM_RAW(node_pairs(&n)[i * 2 + 1]) : TERM_NONE;
}

/* ---- changed copies of one node ---- */

static Term copy_with_word(Heap *h, const Node *n, const Word *changed, Word word)
{
    size_t words = header_words(n->words[0]) + 1;
    Word *at = heap_alloc(h, words);
    if (at == NULL) return TERM_NONE;
    memcpy(at, n->words, words * sizeof(Word));
    at[changed - n->words] = word;
    return boxed_from(at);
}

// NOLINTNEXTLINE(clang-analyzer-core.*): a node that was opened has words
static size_t count_of(const Node *n) { return (size_t)small_value(TERM_RAW(n->words[2])); }

static Term copy_with_pair(Heap *h, const Node *n, uint32_t slot, Term key, Term value)
{
    Term node;
    size_t before = rank_below(n->pairs, slot) * 2;
    Word *to = node_new(h, n->pairs | 1u << slot, n->children, count_of(n) + 1, &node);
    if (to == NULL) return TERM_NONE;
    to = put_words(to, node_pairs(n), before);
    to = put_pair(to, key, value);
    put_words(to, node_pairs(n) + before, n->pair_count * 2 - before + n->child_count);
    return node;
}

static Term copy_without_pair(Heap *h, const Node *n, uint32_t slot)
{
    Term node;
    size_t before = rank_below(n->pairs, slot) * 2;
    Word *to = node_new(h, n->pairs & ~(1u << slot), n->children, count_of(n) - 1, &node);
    if (to == NULL) return TERM_NONE;
    to = put_words(to, node_pairs(n), before);
    put_words(to, node_pairs(n) + before + 2, n->pair_count * 2 - before - 2 + n->child_count);
    return node;
}

/* The pair in `slot` becomes a child with `grown` more pairs in all. */
static Term copy_pair_to_child(Heap *h, const Node *n, uint32_t slot, Term child)
{
    Term node;
    size_t before = rank_below(n->pairs, slot) * 2;
    size_t children = rank_below(n->children, slot);
    Word *to =
        node_new(h, n->pairs & ~(1u << slot), n->children | 1u << slot, count_of(n) + 1, &node);
    if (to == NULL) return TERM_NONE;
    to = put_words(to, node_pairs(n), before);
    to = put_words(to, node_pairs(n) + before + 2, n->pair_count * 2 - before - 2);
    to = put_words(to, node_children(n), children);
    *to++ = child.w;
    put_words(to, node_children(n) + children, n->child_count - children);
    return node;
}

/* The child in `slot`, of which one pair is left, becomes that pair. */
static Term copy_child_to_pair(Heap *h, const Node *n, uint32_t slot, const Word *pair)
{
    Term node;
    size_t before = rank_below(n->pairs, slot) * 2;
    size_t children = rank_below(n->children, slot);
    Word *to =
        node_new(h, n->pairs | 1u << slot, n->children & ~(1u << slot), count_of(n) - 1, &node);
    if (to == NULL) return TERM_NONE;
    to = put_words(to, node_pairs(n), before);
    to = put_words(to, pair, 2);
    to = put_words(to, node_pairs(n) + before, n->pair_count * 2 - before);
    to = put_words(to, node_children(n), children);
    put_words(to, node_children(n) + children + 1, n->child_count - children - 1);
    return node;
}

static Term copy_with_child(Heap *h, const Node *n, uint32_t slot, Term child, int64_t more)
{
    const Word *changed = node_children(n) + rank_below(n->children, slot);
    Term node = copy_with_word(h, n, changed, child.w);
    if (!term_is_none(node)) boxed_words(node)[2] += (Word)more << 2;
    return node;
}

/* ---- insertion ---- */

/* A node of `level` for two pairs whose hashes agree above it. */
static Term two_pairs(Heap *h, Keys *k, int level, const HamtPair *a, const HamtPair *b)
{
    int at = level;
    while (at < LAST_LEVEL && slot_of(a->hash, at) == slot_of(b->hash, at)) at++;
    Term node = TERM_NONE;
    bool swap;
    Word *to;
    if (at == LAST_LEVEL) {
        swap = keys_order(k, a->key, b->key) > 0;
        to = k->more ? NULL : collision_new(h, 2, &node);
    } else {
        swap = slot_of(a->hash, at) > slot_of(b->hash, at);
        to = node_new(h, 1u << slot_of(a->hash, at) | 1u << slot_of(b->hash, at), 0, 2, &node);
    }
    if (to == NULL) return TERM_NONE;
    const HamtPair *first = swap ? b : a;
    const HamtPair *second = swap ? a : b;
    put_pair(put_pair(to, first->key, first->value), second->key, second->value);
    while (at-- > level) {
        Term child = node;
        to = node_new(h, 0, 1u << slot_of(a->hash, at), 2, &node);
        if (to == NULL) return TERM_NONE;
        *to = child.w;
    }
    return node;
}

static Term collision_put(Heap *h, Keys *k, const Node *n, Term key, Term value, bool *added)
{
    bool found;
    size_t i = collision_find(k, n, key, &found);
    *added = !found;
    if (k->more) return TERM_NONE;
    if (found) return copy_with_word(h, n, node_pairs(n) + i * 2 + 1, value.w);
    Term node;
    Word *to = collision_new(h, n->pair_count + 1, &node);
    if (to == NULL) return TERM_NONE;
    to = put_words(to, node_pairs(n), i * 2);
    to = put_pair(to, key, value);
    put_words(to, node_pairs(n) + i * 2, (n->pair_count - i) * 2);
    return node;
}

/* The node at the end of the path with the pair put in. */
static Term put_here(Heap *h, Keys *k, const Node *n, int level, const HamtPair *pair,
                     bool *added)
{
    if (n->collision) return collision_put(h, k, n, pair->key, pair->value, added);
    uint32_t slot = slot_of(pair->hash, level);
    *added = true;
    if ((n->pairs >> slot & 1) == 0) return copy_with_pair(h, n, slot, pair->key, pair->value);
    const Word *there = node_pairs(n) + rank_below(n->pairs, slot) * 2;
    if (keys_same(k, TERM_RAW(there[0]), pair->key)) {
        *added = false;
        return copy_with_word(h, n, there + 1, pair->value.w);
    }
    HamtPair old = {0, TERM_RAW(there[0]), TERM_RAW(there[1])};
    if (k->more || !keys_hash(k, old.key, &old.hash)) return TERM_NONE;
    Term child = two_pairs(h, k, level + 1, &old, pair);
    return term_is_none(child) ? child : copy_pair_to_child(h, n, slot, child);
}

/* Follows the hash down to the node that has or would get the key. */
static Node descend(Path *path, Term root, uint64_t hash)
{
    path->depth = 0;
    for (;;) {
        Node n = node_open(root);
        if (n.collision) return n;
        uint32_t slot = slot_of(hash, path->depth);
        if ((n.children >> slot & 1) == 0) return n;
        path->step[path->depth++] = (Step){root, slot};
        root = TERM_RAW(node_children(&n)[rank_below(n.children, slot)]);
    }
}

/* Copies the path upwards with `node` at its end. */
static Term ascend(Heap *h, const Path *path, int depth, Term node, int64_t more)
{
    while (depth-- > 0 && !term_is_none(node)) {
        Node n = node_open(path->step[depth].node);
        node = copy_with_child(h, &n, path->step[depth].slot, node, more);
    }
    return node;
}

static bool has_key(Keys *k, const Node *n, int level, Term key, uint64_t hash)
{
    bool found = false;
    if (n->collision) {
        collision_find(k, n, key, &found);
        return found;
    }
    uint32_t slot = slot_of(hash, level);
    if ((n->pairs >> slot & 1) == 0) return false;
    return keys_same(k, TERM_RAW(node_pairs(n)[rank_below(n->pairs, slot) * 2]), key);
}

Term hamt_put(Heap *h, Keys *k, Term root, const HamtPair *pair, bool only_existing,
              bool *added)
{
    Path path;
    Node n = descend(&path, root, pair->hash);
    if (only_existing && !has_key(k, &n, path.depth, pair->key, pair->hash)) {
        *added = true;
        return root;
    }
    Term node = put_here(h, k, &n, path.depth, pair, added);
    return ascend(h, &path, path.depth, node, *added ? 1 : 0);
}

/* ---- removal ---- */

static Term collision_remove(Heap *h, const Node *n, size_t i)
{
    Term node;
    Word *to = collision_new(h, n->pair_count - 1, &node);
    if (to == NULL) return TERM_NONE;
    to = put_words(to, node_pairs(n), i * 2);
    put_words(to, node_pairs(n) + i * 2 + 2, (n->pair_count - i - 1) * 2);
    return node;
}

/* The pair that is left if the node loses the one at `gone`, or NULL if more or none are
 * left. */
static const Word *only_other(const Node *n, const Word *gone)
{
    if (n->pair_count != 2 || n->child_count != 0) return NULL;
    return gone == node_pairs(n) ? gone + 2 : node_pairs(n);
}

Term hamt_remove(Heap *h, Keys *k, Term root, Term key, uint64_t hash, Term *taken)
{
    Path path;
    Node n = descend(&path, root, hash);
    *taken = TERM_NONE;
    if (!has_key(k, &n, path.depth, key, hash)) return root;
    bool found;
    uint32_t slot = n.collision ? 0 : slot_of(hash, path.depth);
    size_t i = n.collision ? collision_find(k, &n, key, &found) : rank_below(n.pairs, slot);
    const Word *gone = node_pairs(&n) + i * 2;
    *taken = TERM_RAW(gone[1]);
    const Word *left = path.depth > 0 ? only_other(&n, gone) : NULL;
    if (left == NULL) {
        Term node = n.collision ? collision_remove(h, &n, i) : copy_without_pair(h, &n, slot);
        return ascend(h, &path, path.depth, node, -1);
    }
    /* The last pair moves up, past nodes that have nothing but the way to it. */
    int depth = path.depth;
    do {
        n = node_open(path.step[--depth].node);
    } while (depth > 0 && n.pair_count == 0 && n.child_count == 1);
    Term node = copy_child_to_pair(h, &n, path.step[depth].slot, left);
    return ascend(h, &path, depth, node, -1);
}

/* ---- building from sorted pairs ---- */

/* Where the pairs of the slot of pair `next` end. */
static size_t slot_end(const HamtPair *pairs, const HamtLevel *l, int level)
{
    uint32_t slot = slot_of(pairs[l->next].hash, level);
    size_t low = l->next + 1;
    size_t high = l->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slot_of(pairs[middle].hash, level) == slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static Term build_collision(Heap *h, const HamtPair *pairs, size_t start, size_t end)
{
    Term node = TERM_NONE;
    Word *to = collision_new(h, end - start, &node);
    for (size_t i = start; to != NULL && i < end; i++)
        to = put_pair(to, pairs[i].key, pairs[i].value);
    return node;
}

static Term build_node(Heap *h, const HamtPair *pairs, const HamtLevel *l, const Term *children)
{
    Term node = TERM_NONE;
    Word *to = node_new(h, l->pairs, l->children, l->end - l->start, &node);
    if (to == NULL) return TERM_NONE;
    size_t own = hamt_popcount(l->pairs);
    for (size_t i = 0; i < own; i++)
        to = put_pair(to, pairs[l->own[i]].key, pairs[l->own[i]].value);
    put_words(to, (const Word *)children, hamt_popcount(l->children));
    return node;
}

void hamt_build_begin(HamtBuild *b, const HamtPair *pairs, size_t n)
{
    b->pairs = pairs;
    b->root = TERM_NONE;
    b->at = 0;
    b->finished = 0;
    b->level[0] = (HamtLevel){.end = n};
}

/* The next slot of a level: one pair, or a level below. */
static void build_slot(HamtBuild *b, HamtLevel *l)
{
    uint32_t bit = 1u << slot_of(b->pairs[l->next].hash, b->at);
    size_t end = slot_end(b->pairs, l, b->at);
    if (end == l->next + 1) {
        l->own[hamt_popcount(l->pairs)] = l->next;
        l->pairs |= bit;
    } else {
        l->children |= bit;
        b->at++;
        b->level[b->at] = (HamtLevel){
            .start = l->next, .end = end, .next = l->next, .first_child = b->finished};
    }
    l->next = end;
}

bool hamt_build_step(HamtBuild *b, Heap *h, size_t *budget)
{
    while (*budget > 0) {
        HamtLevel *l = &b->level[b->at];
        --*budget;
        if (b->at < LAST_LEVEL && l->next < l->end) {
            build_slot(b, l);
            continue;
        }
        Term node = b->at == LAST_LEVEL ? build_collision(h, b->pairs, l->start, l->end)
                                        : build_node(h, b->pairs, l, b->done + l->first_child);
        if (b->at == 0 || term_is_none(node)) {
            b->root = node;
            return true;
        }
        b->finished = l->first_child;
        b->done[b->finished++] = node;
        b->at--;
    }
    return false;
}

/* ---- iteration ---- */

static void iter_enter(MapIter *it, Term node)
{
    ASSERT(it->depth < MAP_MAX_DEPTH);
    it->node[it->depth] = boxed_words(node);
    it->slot[it->depth++] = 0;
}

void hamt_iter_start(MapIter *it, Term root, uint64_t skip)
{
    it->depth = 0;
    it->position = skip;
    if (skip >= hamt_count(root)) return;
    iter_enter(it, root);
    while (skip > 0) {
        int top = it->depth - 1;
        size_t pairs = hamt_pairs(it->node[top]);
        if (skip < pairs) {
            it->slot[top] = (uint32_t)skip;
            return;
        }
        skip -= pairs;
        size_t i = 0;
        const Word *child = it->node[top] + 3 + pairs * 2;
        while (skip >= hamt_count(TERM_RAW(child[i]))) skip -= hamt_count(TERM_RAW(child[i++]));
        it->slot[top] = (uint32_t)(pairs + i + 1);
        iter_enter(it, TERM_RAW(child[i]));
    }
}

bool hamt_next_run(MapIter *it, size_t most, MapRun *run)
{
    while (it->depth > 0) {
        int top = it->depth - 1;
        const Word *words = it->node[top];
        size_t pairs = hamt_pairs(words);
        size_t i = it->slot[top];
        if (i < pairs) {
            size_t n = pairs - i < most ? pairs - i : most;
            *run = (MapRun){words + 3 + i * 2, words + 4 + i * 2, 2, n};
            it->slot[top] += (uint32_t)n;
            it->position += n;
            return true;
        }
        it->slot[top]++;
        if (i < header_words(words[0]) - 2 - pairs)
            iter_enter(it, TERM_RAW(words[3 + pairs + i]));
        else
            it->depth--;
    }
    return false;
}

bool hamt_next(MapIter *it, Term *key, Term *value)
{
    MapRun run;
    if (!hamt_next_run(it, 1, &run)) return false;
    *key = TERM_RAW(*run.keys);
    *value = TERM_RAW(*run.values);
    return true;
}

/* ---- checking ---- */

/* One node: pairs in their slots, counts that add up. */
static void check_node(const AtomTable *atoms, const Node *n, int level, uint64_t prefix)
{
    const Word *pair = node_pairs(n);
    CHECK(n->collision == (level == LAST_LEVEL));
    CHECK((n->pairs & n->children) == 0);
    size_t count = n->pair_count;
    const Word *child = node_children(n);
    for (size_t i = 0; i < n->child_count; i++) count += hamt_count(TERM_RAW(child[i]));
    CHECK(count == count_of(n) && count >= 2);
    uint32_t slots = n->pairs;
    for (size_t i = 0; i < n->pair_count; i++, slots &= slots - 1) {
        uint64_t hash = hash_internal(atoms, TERM_RAW(pair[i * 2]));
        if (level > 0) CHECK(hash >> (64 - 4 * level) == prefix);
        if (!n->collision)
            CHECK(slot_of(hash, level) == (uint32_t)__builtin_ctz(slots));
        else if (i > 0)
            CHECK(order_compare_exact(atoms, TERM_RAW(pair[i * 2 - 2]), TERM_RAW(pair[i * 2]))
                  < 0);
    }
}

void hamt_check(const AtomTable *atoms, Term root)
{
    Term node[LAST_LEVEL + 1];
    uint32_t next[LAST_LEVEL + 1] = {0};
    uint64_t prefix[LAST_LEVEL + 1] = {0};
    int level = 0;
    CHECK(hamt_count(root) > MAP_FLAT_MAX);
    node[0] = root;
    while (level >= 0) {
        Node n = node_open(node[level]);
        if (next[level] == 0) check_node(atoms, &n, level, prefix[level]);
        uint32_t rest = n.children >> next[level];
        if (rest == 0) {
            level--;
            continue;
        }
        uint32_t slot = next[level] + (uint32_t)__builtin_ctz(rest);
        next[level] = slot + 1;
        node[level + 1] = TERM_RAW(node_children(&n)[rank_below(n.children, slot)]);
        next[level + 1] = 0;
        prefix[level + 1] = prefix[level] << 4 | slot;
        level++;
    }
}
