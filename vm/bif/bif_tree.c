/* What gb_trees and gb_sets do on one way down a tree: the functions of mote_tree.
 *
 * A tree is `nil` or a node: a tuple {Key, Value, Weight, Left, Right} of gb_trees or {Key, Weight,
 * Left, Right} of gb_sets, with smaller keys on the left and Weight one more than the number of
 * keys.  Neither side weighs more than three times the other, so no way down is longer than
 * TREE_DEPTH.  The way is remembered, and the nodes on it are made anew from the bottom up.
 * What is no such tree is a function_clause, as it is in the language. */
#include "vm/bif/comparing.h"
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/tuple.h"

/* log(2^60) / log(4 / 3) */
#define TREE_DEPTH 150

#define TREE_PARTS_SET  4
#define TREE_PARTS_TREE 5

/* Terms compared that a reduction pays for. */
#define TREE_RATE 2

typedef struct TreeTask {
    Pause pause; /* first */
    size_t parts;
    size_t depth;
    Term at; /* where the way has come to */
    Comparing comparing;
    const Word *path[TREE_DEPTH]; /* nodes passed, each the header of a tuple */
    bool right[TREE_DEPTH];       /* which way it went there */
} TreeTask;

/* ---- nodes ---- */

static Term tree_left(const TreeTask *t, const Word *node)
{
    return TERM_RAW(node[t->parts - 1]);
}
static Term tree_right(const TreeTask *t, const Word *node) { return TERM_RAW(node[t->parts]); }

/* NULL: it is none. */
static inline const Word *tree_node(const TreeTask *t, Term tree)
{
    if (!term_is_boxed(tree)) return NULL;
    const Word *node = boxed_words(tree);
    return node[0] == header_make(KIND_TUPLE, t->parts) ? node : NULL;
}

static inline void tree_copy(Word *to, const Word *from, size_t parts)
{
    for (size_t i = 0; i <= TREE_PARTS_SET; i++) to[i] = from[i];
    if (parts == TREE_PARTS_TREE) to[TREE_PARTS_TREE] = from[TREE_PARTS_TREE];
}

/* A tuple that was never made here may say anything. */
#define TREE_WEIGHT_MAX ((int64_t)1 << 56)

static inline int64_t tree_weight_of(const TreeTask *t, const Word *node)
{
    Term weight = TERM_RAW(node[t->parts - 2]);
    bool good = term_is_small(weight) && small_value(weight) > 0
                && small_value(weight) < TREE_WEIGHT_MAX;
    return LIKELY(good) ? small_value(weight) : 1;
}

static inline int64_t tree_weight(const TreeTask *t, Term tree)
{
    const Word *node = tree_node(t, tree);
    return node == NULL ? 1 : tree_weight_of(t, node);
}

/* A node with the key and value of `like`; TERM_NONE: memory was refused. */
static Term tree_plain(const TreeTask *t, Heap *h, const Word *like, Term left, Term right)
{
    if (term_is_none(left) || term_is_none(right)) return TERM_NONE;
    Word *at = heap_alloc(h, t->parts + 1);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_TUPLE, t->parts);
    at[1] = like[1];
    at[2] = like[2];
    at[t->parts - 2] = small_from(tree_weight(t, left) + tree_weight(t, right)).w;
    at[t->parts - 1] = left.w;
    at[t->parts] = right.w;
    return boxed_from(at);
}

/* The right side is too heavy. */
static Term tree_turn_left(const TreeTask *t, Heap *h, const Word *like, Term left, Term right)
{
    const Word *r = tree_node(t, right);
    Term rl = tree_left(t, r);
    Term rr = tree_right(t, r);
    const Word *inner = tree_node(t, rl);
    if (inner == NULL || tree_weight(t, rl) < 2 * tree_weight(t, rr))
        return tree_plain(t, h, r, tree_plain(t, h, like, left, rl), rr);
    return tree_plain(t, h, inner, tree_plain(t, h, like, left, tree_left(t, inner)),
                      tree_plain(t, h, r, tree_right(t, inner), rr));
}

static Term tree_turn_right(const TreeTask *t, Heap *h, const Word *like, Term left, Term right)
{
    const Word *l = tree_node(t, left);
    Term ll = tree_left(t, l);
    Term lr = tree_right(t, l);
    const Word *inner = tree_node(t, lr);
    if (inner == NULL || tree_weight(t, lr) < 2 * tree_weight(t, ll))
        return tree_plain(t, h, l, ll, tree_plain(t, h, like, lr, right));
    return tree_plain(t, h, inner, tree_plain(t, h, l, ll, tree_left(t, inner)),
                      tree_plain(t, h, like, tree_right(t, inner), right));
}

typedef struct TreeSides {
    Term left;
    Term right;
    bool right_changed; /* else the left one */
} TreeSides;

/* A node over two trees that were in balance before one of them gained or lost a key; its weight is
 * what `like` weighed then, `change` 1 or -1.  The tree that has not changed is looked at only if
 * something has to move. */
static Term tree_join(const TreeTask *t, Heap *h, const Word *like, TreeSides sides,
                      int64_t change)
{
    Term left = sides.left;
    Term right = sides.right;
    bool right_changed = sides.right_changed;
    if (term_is_none(left) || term_is_none(right)) return TERM_NONE;
    int64_t weight = tree_weight_of(t, like);
    int64_t changed = tree_weight(t, right_changed ? right : left);
    int64_t other = weight - (changed - change);
    int64_t l = right_changed ? other : changed;
    int64_t r = right_changed ? changed : other;
    if (UNLIKELY(r > 3 * l) && tree_node(t, right) != NULL)
        return tree_turn_left(t, h, like, left, right);
    if (UNLIKELY(l > 3 * r) && tree_node(t, left) != NULL)
        return tree_turn_right(t, h, like, left, right);
    Word *at = heap_alloc(h, t->parts + 1);
    if (at == NULL) return TERM_NONE;
    at[0] = like[0];
    at[1] = like[1];
    at[2] = like[2];
    at[t->parts - 2] = small_from(weight + change).w;
    at[t->parts - 1] = left.w;
    at[t->parts] = right.w;
    return boxed_from(at);
}

/* From the nodes of the way down to `floor`, the last of which leads to `tree` now, to the
 * tree. */
static Term tree_climb(const TreeTask *t, Heap *h, size_t floor, Term tree, int64_t change)
{
    for (size_t i = t->depth; i > floor; i--) {
        const Word *node = t->path[i - 1];
        TreeSides right = {tree_left(t, node), tree, true};
        TreeSides left = {tree, tree_right(t, node), false};
        tree = tree_join(t, h, node, t->right[i - 1] ? right : left, change);
    }
    return tree;
}

/* ---- the way down ---- */

typedef enum TreeEnd { TREE_FOUND, TREE_MISSING, TREE_BAD, TREE_PAUSE } TreeEnd;

/* To the node of the key, which is then `at`, or to the place where it would be. */
static TreeEnd tree_descend(TreeTask *t, Term key, size_t *budget)
{
    for (;;) {
        const Word *node = tree_node(t, t->at);
        if (node == NULL) return term_same(t->at, TERM_ATOM(NIL)) ? TREE_MISSING : TREE_BAD;
        int order = comparing_order(&t->comparing, key, TERM_RAW(node[1]), budget);
        if (order == ORDER_MORE) return TREE_PAUSE;
        if (order == 0) return TREE_FOUND;
        if (t->depth == TREE_DEPTH) return TREE_BAD;
        t->path[t->depth] = node;
        t->right[t->depth] = order > 0;
        t->depth++;
        t->at = order > 0 ? tree_right(t, node) : tree_left(t, node);
        if (*budget > 0) --*budget;
    }
}

static void tree_release(Pause *pause, Process *p)
{
    TreeTask *t = (TreeTask *)pause;
    comparing_end(&t->comparing);
    task_free(pause, sizeof *t, p);
}

/* What is made of where the way ended; TERM_NONE with an exception raised. */
typedef Term TreeResult(TreeTask *t, Process *p, TreeEnd end);

static Term tree_refused(Process *p, Term tree)
{
    return term_is_none(tree) ? raise_system_limit(p) : tree;
}

static BifResult tree_run(TreeTask *t, Process *p, Term key, TreeResult *result)
{
    size_t budget = task_budget(p, TREE_RATE);
    size_t left = budget;
    TreeEnd end = t->comparing.asks ? TREE_PAUSE : tree_descend(t, key, &left);
    while (end == TREE_PAUSE) {
        t = task_keep(p, t, sizeof *t, tree_release);
        if (!comparing_answer(&t->comparing, &left)) break;
        end = tree_descend(t, key, &left);
    }
    task_charge(p, budget, left, TREE_RATE);
    if (end == TREE_PAUSE) return bif_yield(p);
    Term made =
        end == TREE_BAD ? raise_error(p, TERM_ATOM(FUNCTION_CLAUSE)) : result(t, p, end);
    task_end(p, &t->pause, tree_release);
    return made;
}

/* The key is argument 0, or the first element of it; the tree is the last argument. */
static BifResult tree_call(Process *p, Term key, Term tree, size_t parts, TreeResult *result)
{
    TreeTask *held = (TreeTask *)pause_find(p, tree_release);
    if (held != NULL) return tree_run(held, p, key, result);
    TreeTask here;
    here.parts = parts;
    here.depth = 0;
    here.at = tree;
    comparing_init(&here.comparing, p->run->atoms, p->heap.mem);
    return tree_run(&here, p, key, result);
}

/* ---- the built-ins ---- */

static size_t tree_parts_of(Term tree)
{
    return term_is_tuple(tree) && tuple_size(tree) == TREE_PARTS_SET ? TREE_PARTS_SET
                                                                     : TREE_PARTS_TREE;
}

static Term tree_found(TreeTask *t, Process *p, TreeEnd end)
{
    (void)p;
    return end == TREE_FOUND ? t->at : TERM_ATOM(NIL);
}

BifResult bif_tree_find(Process *p)
{
    return tree_call(p, arg(p, 0), arg(p, 1), tree_parts_of(arg(p, 1)), tree_found);
}

static Term tree_inserted(TreeTask *t, Process *p, TreeEnd end)
{
    if (end == TREE_FOUND) return TERM_ATOM(NIL);
    return tree_refused(p, tree_climb(t, &p->heap, 0, arg(p, 0), 1));
}

/* The same way with other nodes: nothing has changed its weight. */
static Term tree_replaced(TreeTask *t, Process *p)
{
    size_t words = t->parts + 1;
    Word *at = heap_alloc(&p->heap, words * (t->depth + 1));
    if (at == NULL) return raise_system_limit(p);
    tree_copy(at, boxed_words(t->at), t->parts);
    const Word *leaf = boxed_words(arg(p, 0));
    at[1] = leaf[1];
    if (t->parts == TREE_PARTS_TREE) at[2] = leaf[2];
    for (size_t i = t->depth; i > 0; i--, at += words) {
        Word *above = at + words;
        tree_copy(above, t->path[i - 1], t->parts);
        above[t->right[i - 1] ? t->parts : t->parts - 1] = boxed_from(at).w;
    }
    return boxed_from(at);
}

static Term tree_entered(TreeTask *t, Process *p, TreeEnd end)
{
    return end == TREE_FOUND ? tree_replaced(t, p) : tree_inserted(t, p, end);
}

static Term tree_updated(TreeTask *t, Process *p, TreeEnd end)
{
    return end == TREE_FOUND ? tree_replaced(t, p) : TERM_ATOM(NIL);
}

/* With a leaf {Key, ..., 2, nil, nil}. */
static BifResult tree_with_leaf(Process *p, TreeResult *result)
{
    Term leaf = arg(p, 0);
    size_t parts = tree_parts_of(leaf);
    bool whole = term_is_tuple(leaf) && tuple_size(leaf) == parts;
    if (!whole) return raise_error(p, TERM_ATOM(FUNCTION_CLAUSE));
    return tree_call(p, tuple_at(leaf, 0), arg(p, 1), parts, result);
}

BifResult bif_tree_insert(Process *p) { return tree_with_leaf(p, tree_inserted); }
BifResult bif_tree_enter(Process *p) { return tree_with_leaf(p, tree_entered); }
BifResult bif_tree_update(Process *p) { return tree_with_leaf(p, tree_updated); }

/* `next` in the place of `node`, over what is left of the right side. */
static Term tree_put_up(TreeTask *t, Heap *h, const Word *node, const Word *next, Term left,
                        Term rest)
{
    Word like[TREE_PARTS_TREE + 1];
    tree_copy(like, next, t->parts);
    like[t->parts - 2] = node[t->parts - 2];
    return tree_join(t, h, like, (TreeSides){left, rest, true}, -1);
}

/* Without `node`, whose key and value the next one's take the place of. */
static Term tree_without(TreeTask *t, Heap *h, const Word *node)
{
    Term left = tree_left(t, node);
    Term right = tree_right(t, node);
    if (tree_node(t, left) == NULL) return right;
    if (tree_node(t, right) == NULL) return left;
    size_t floor = t->depth;
    const Word *next = tree_node(t, right);
    while (tree_node(t, tree_left(t, next)) != NULL && t->depth < TREE_DEPTH) {
        t->path[t->depth] = next;
        t->right[t->depth++] = false;
        next = tree_node(t, tree_left(t, next));
    }
    Term rest = tree_climb(t, h, floor, tree_right(t, next), -1);
    t->depth = floor;
    return tree_put_up(t, h, node, next, left, rest);
}

static Term tree_deleted(TreeTask *t, Process *p, TreeEnd end)
{
    if (end != TREE_FOUND) return TERM_ATOM(NONE);
    Term tree = tree_without(t, &p->heap, boxed_words(t->at));
    return tree_refused(p, tree_climb(t, &p->heap, 0, tree, -1));
}

BifResult bif_tree_delete(Process *p)
{
    return tree_call(p, arg(p, 0), arg(p, 1), tree_parts_of(arg(p, 1)), tree_deleted);
}

/* {Node, Rest}: the first node or the last one, and the tree without it. */
static BifResult tree_take(Process *p, bool last)
{
    TreeTask t;
    t.parts = tree_parts_of(arg(p, 0));
    t.depth = 0;
    const Word *node = tree_node(&t, arg(p, 0));
    const Word *next = node;
    for (; next != NULL && t.depth < TREE_DEPTH; t.depth++) {
        node = next;
        t.path[t.depth] = node;
        t.right[t.depth] = last;
        next = tree_node(&t, last ? tree_right(&t, node) : tree_left(&t, node));
    }
    if (node == NULL || next != NULL) return raise_error(p, TERM_ATOM(FUNCTION_CLAUSE));
    t.depth--;
    Term rest =
        tree_climb(&t, &p->heap, 0, last ? tree_left(&t, node) : tree_right(&t, node), -1);
    bif_charge(p, (int64_t)t.depth);
    if (term_is_none(rest)) return raise_system_limit(p);
    return tree_refused(p, heap_tuple2(&p->heap, boxed_from(node), rest));
}

BifResult bif_tree_take_first(Process *p) { return tree_take(p, false); }
BifResult bif_tree_take_last(Process *p) { return tree_take(p, true); }

/* The first node of a tree or the last one. */
static BifResult tree_end(Process *p, bool last)
{
    TreeTask t;
    t.parts = tree_parts_of(arg(p, 0));
    const Word *node = NULL;
    size_t depth = 0;
    for (const Word *next = tree_node(&t, arg(p, 0)); next != NULL && depth <= TREE_DEPTH;
         depth++) {
        node = next;
        next = tree_node(&t, last ? tree_right(&t, node) : tree_left(&t, node));
    }
    if (node == NULL || depth > TREE_DEPTH) return raise_error(p, TERM_ATOM(FUNCTION_CLAUSE));
    return boxed_from(node);
}

BifResult bif_tree_first(Process *p) { return tree_end(p, false); }
BifResult bif_tree_last(Process *p) { return tree_end(p, true); }
