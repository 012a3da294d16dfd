/*
 * Objects in the order of their keys: what ordered_set is made of.
 *
 * A B+ tree.  Every node has a version: odd while a writer changes it.  Readers lock nothing:
 * they read, and begin again if a version they went by has changed.  A writer locks the leaf
 * it changes, and the nodes above only when a node divides or falls away; so writers in
 * different parts do not meet.
 *
 *   inner   keys[0 ... n-1], children[0 ... n]   left of keys[i] what is =< keys[i]
 *   leaf    keys[0 ... n-1], children[0 ... n-1] are objects, keys point into them
 *
 * Keys of inner nodes are copies of their own.  Nodes, keys and objects that fall away are
 * retired (vm/base/epoch.h).  Design page: docs/design/ets.md.
 */
#pragma once

#include "vm/ets/ets_object.h"
#include "vm/term/atom.h"

#define ETS_NODE_KEYS 32

typedef struct EtsNode EtsNode;

typedef struct EtsTree {
    _Atomic(EtsNode *) root; /* changes while the old root is locked */
    AtomicI64 words;         /* of nodes, without what their keys point to */
    Mem *mem;
    const AtomTable *atoms;
    size_t keypos; /* from 0 */
} EtsTree;

void ets_tree_init(EtsTree *t, Mem *mem, const AtomTable *atoms, size_t keypos);
/* Frees objects and nodes, counting *budget down; true when nothing is left.  Nobody looks any
 * more. */
bool ets_tree_free_some(EtsTree *t, size_t *budget);

/* The object of that key (==), or NULL. */
EtsObject *ets_tree_find(const EtsTree *t, Term key);

/* Puts `o` in.  An object of the same key gives way to it and comes back in *old, or, with
 * only_new, stays: false. */
bool ets_tree_put(EtsTree *t, EtsObject *o, bool only_new, EtsObject **old);
/* `fresh` takes the place of `old`, of an equal key, if that is still there. */
bool ets_tree_swap(EtsTree *t, EtsObject *old, EtsObject *fresh);
/* Takes the object of that key out, if there is one and, unless `only` is NULL, it is that one;
 * NULL otherwise. */
EtsObject *ets_tree_remove(EtsTree *t, EpochThread *epoch, Term key, const EtsObject *only);

/* How a walk compares what it looks for with a key of the tree: < 0, 0, > 0 as if by order of
 * terms.  `probe` is handed on. */
typedef int EtsCompare(const AtomTable *atoms, const void *probe, Term key);
/* Compares with the term that *probe is. */
EtsCompare ets_compare_term;

/* Where a walk goes on.  Equal keys are those for which `compare` gives 0: several, if the
 * probe is a pattern. */
typedef struct EtsBound {
    EtsCompare *compare; /* NULL: from the end of the table */
    const void *probe;
    bool inclusive; /* equal keys too */
} EtsBound;

/* Up to `n` objects behind (backward: before) a bound, in that order.  Fewer than n, even
 * none, only at the end of the table. */
size_t ets_tree_gather(const EtsTree *t, const EtsBound *bound, bool backward, EtsObject **out,
                       size_t n);

/* Aborts if the order is damaged; gives the number of objects.  Nobody else is at work. */
size_t ets_tree_check(const EtsTree *t);
