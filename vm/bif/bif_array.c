/* What `array` does on the way from the root of an array to an entry: the functions of mote_array.
 *
 *   {array, Size, Fixed, Default, Height, Tree}
 *
 * A tree of height 0 is a tuple of 16 entries, one of height H a tuple of 16 trees of height H - 1;
 * `[]` is a tree of defaults, and the atom $unset stands for an entry that was never set. */
#include "vm/bif/bif.h"

#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/tuple.h"

#define ARRAY_BITS       4
#define ARRAY_FAN        16
#define ARRAY_HEIGHT_MAX 14 /* small integers have no more digits */

enum { ARRAY_SIZE = 1, ARRAY_FIXED, ARRAY_DEFAULT, ARRAY_HEIGHT, ARRAY_TREE, ARRAY_PARTS };

/* NULL: it is none that was made here. */
static const Word *array_record(Term t)
{
    if (!term_is_tuple(t) || tuple_size(t) != ARRAY_PARTS) return NULL;
    const Word *parts = boxed_words(t) + 1;
    Term height = TERM_RAW(parts[ARRAY_HEIGHT]);
    bool good = parts[0] == TERM_ATOM(ARRAY).w && term_is_small(TERM_RAW(parts[ARRAY_SIZE]))
                && term_is_small(height) && small_value(height) >= 0
                && small_value(height) <= ARRAY_HEIGHT_MAX;
    return good ? parts : NULL;
}

/* The 16 words of a node, or NULL. */
static const Word *array_node(Term t)
{
    bool good = term_is_boxed(t) && boxed_header(t) == header_make(KIND_TUPLE, ARRAY_FAN);
    return good ? boxed_words(t) + 1 : NULL;
}

static size_t array_digit(int64_t index, int64_t height)
{
    return (size_t)(index >> (ARRAY_BITS * height)) & (ARRAY_FAN - 1);
}

/* get(Index, Array) */
BifResult bif_array_get(Process *p)
{
    Term index = arg(p, 0);
    const Word *array = array_record(arg(p, 1));
    if (array == NULL) return raise_badarg(p);
    Term missing = TERM_RAW(array[ARRAY_DEFAULT]);
    if (!term_is_small(index) || small_value(index) < 0) {
        bool grows = term_same(TERM_RAW(array[ARRAY_FIXED]), TERM_FALSE);
        return grows && term_is_kind(index, KIND_BIG_POSITIVE) ? missing : raise_badarg(p);
    }
    int64_t i = small_value(index);
    if (i >= small_value(TERM_RAW(array[ARRAY_SIZE])))
        return term_same(TERM_RAW(array[ARRAY_FIXED]), TERM_FALSE) ? missing : raise_badarg(p);
    Term tree = TERM_RAW(array[ARRAY_TREE]);
    for (int64_t h = small_value(TERM_RAW(array[ARRAY_HEIGHT])); h >= 0; h--) {
        if (term_is_nil(tree)) return missing;
        const Word *node = array_node(tree);
        if (node == NULL) return raise_badarg(p);
        tree = TERM_RAW(node[array_digit(i, h)]);
    }
    return term_same(tree, TERM_ATOM(UNSET)) ? missing : tree;
}

/* A copy of a node with one part replaced; a node of nothing for nil.  NULL: memory was refused, or
 * it is no node. */
static Word *array_copy(Heap *h, Term tree, int64_t height)
{
    const Word *node = array_node(tree);
    if (node == NULL && !term_is_nil(tree)) return NULL;
    Word *copy = heap_alloc(h, ARRAY_FAN + 1);
    if (copy == NULL) return NULL;
    Word empty = height == 0 ? TERM_ATOM(UNSET).w : TERM_NIL.w;
    copy[0] = header_make(KIND_TUPLE, ARRAY_FAN);
    for (size_t i = 0; i < ARRAY_FAN; i++) copy[i + 1] = node == NULL ? empty : node[i];
    return copy;
}

/* The tree with `value`; TERM_NONE as above.  Each copy is linked into the one above at once. */
static Term array_put(Heap *h, Term tree, int64_t height, int64_t i, Term value)
{
    Word root = 0;
    Word *link = &root;
    for (; height >= 0; height--) {
        Word *copy = array_copy(h, tree, height);
        if (copy == NULL) return TERM_NONE;
        *link = boxed_from(copy).w;
        link = copy + 1 + array_digit(i, height);
        tree = TERM_RAW(*link);
    }
    *link = value.w;
    return TERM_RAW(root);
}

/* set(Index, Value, Array): the array; none when it has to become higher, or cannot be done. */
BifResult bif_array_set(Process *p)
{
    Term index = arg(p, 0);
    const Word *array = array_record(arg(p, 2));
    if (array == NULL || !term_is_small(index) || small_value(index) < 0)
        return TERM_ATOM(NONE);
    int64_t i = small_value(index);
    int64_t height = small_value(TERM_RAW(array[ARRAY_HEIGHT]));
    bool grows = i >= small_value(TERM_RAW(array[ARRAY_SIZE]));
    if (grows && !term_same(TERM_RAW(array[ARRAY_FIXED]), TERM_FALSE)) return TERM_ATOM(NONE);
    if (i >> (ARRAY_BITS * (height + 1)) != 0) return TERM_ATOM(NONE);
    Term tree = array_put(&p->heap, TERM_RAW(array[ARRAY_TREE]), height, i, arg(p, 1));
    Word *copy = term_is_none(tree) ? NULL : heap_alloc(&p->heap, ARRAY_PARTS + 1);
    if (copy == NULL) return TERM_ATOM(NONE);
    copy[0] = header_make(KIND_TUPLE, ARRAY_PARTS);
    for (size_t k = 0; k < ARRAY_PARTS; k++) copy[k + 1] = array[k];
    if (grows) copy[ARRAY_SIZE + 1] = small_from(i + 1).w;
    copy[ARRAY_TREE + 1] = tree.w;
    bif_charge(p, 2 * height + 1);
    return boxed_from(copy);
}

/* entries(Leaf, N, Default, Rest): the first N entries of a leaf in front of a list. */
BifResult bif_array_entries(Process *p)
{
    const Word *leaf = array_node(arg(p, 0));
    Term count = arg(p, 1);
    if (leaf == NULL || !term_is_small(count) || (uint64_t)small_value(count) > ARRAY_FAN)
        return raise_badarg(p);
    Term missing = arg(p, 2);
    size_t n = (size_t)small_value(count);
    Term entries[ARRAY_FAN];
    for (size_t i = 0; i < n; i++)
        entries[i] = leaf[i] == TERM_ATOM(UNSET).w ? missing : TERM_RAW(leaf[i]);
    Term list = list_from_array(&p->heap, entries, n, arg(p, 3));
    return term_is_none(list) ? raise_system_limit(p) : list;
}
