/*
 * A node of a tree and its version lock; private to ets_tree*.c.
 *
 * Data is read with acquire and written with release, so that who sees a change also sees the
 * version odd, and who sees the version unchanged has seen no change.
 */
#pragma once

#include <sched.h>

#include "vm/ets/ets_tree.h"

struct EtsNode {
    AtomicU64 version; /* odd: locked; NODE_GONE: not in the tree any more */
    AtomicU32 count;   /* keys; stored after what it counts */
    bool leaf;
    AtomicU64 keys[ETS_NODE_KEYS];
    _Atomic(void *) children[]; /* leaf: as many as keys; inner: one more */
};

#define NODE_GONE ((uint64_t)1 << 63)
/* Beyond this the tree would have more objects than memory has bytes. */
#define NODE_MAX_DEPTH 48

static inline size_t node_bytes(bool leaf)
{
    return sizeof(EtsNode) + (ETS_NODE_KEYS + (leaf ? 0 : 1)) * sizeof(void *);
}

static inline uint32_t node_count(const EtsNode *n) { return atomic_load_acquire(&n->count); }
static inline Term node_key(const EtsNode *n, uint32_t i)
{
    return TERM_RAW(atomic_load_acquire(&n->keys[i]));
}
static inline void *node_child(const EtsNode *n, uint32_t i)
{
    return atomic_load_acquire(&n->children[i]);
}
static inline void node_set_count(EtsNode *n, uint32_t count)
{
    atomic_store_release(&n->count, count);
}
static inline void node_set_key(EtsNode *n, uint32_t i, Word key)
{
    atomic_store_release(&n->keys[i], key);
}
static inline void node_set_child(EtsNode *n, uint32_t i, void *child)
{
    atomic_store_release(&n->children[i], child);
}

/* The version to check against later; waits while a writer is at work.  Critical sections are
 * short and never pause. */
static inline uint64_t node_version(const EtsNode *n)
{
    for (unsigned turns = 0;; turns++) {
        uint64_t v = atomic_load_acquire(&n->version);
        if (LIKELY((v & 1) == 0)) return v;
        atomic_pause();
        if (turns % 64 == 63) sched_yield(); /* its holder may not be running */
    }
}
static inline bool node_unchanged(const EtsNode *n, uint64_t v)
{
    return atomic_load_relaxed(&n->version) == v;
}
/* Locks n if it is as it was at `v`. */
static inline bool node_lock(EtsNode *n, uint64_t v)
{
    return atomic_cas_acq_rel(&n->version, &v, v + 1);
}
static inline void node_unlock(EtsNode *n)
{
    /* Pairs with node_version. */
    atomic_store_release(&n->version, atomic_load_relaxed(&n->version) + 1);
}
static inline void node_unlock_gone(EtsNode *n)
{
    atomic_store_release(&n->version, (atomic_load_relaxed(&n->version) + 1) | NODE_GONE);
}

EtsNode *ets_node_new(EtsTree *t, bool leaf);
/* A key of an inner node: the term itself, or a copy that ets_node_free_key frees. */
Word ets_node_new_key(Mem *mem, Term key);
void ets_node_free_key(Mem *mem, Word key);
void ets_node_retire(EpochThread *epoch, EtsTree *t, EtsNode *n);
void ets_node_retire_key(EpochThread *epoch, Mem *mem, Word key);

/* The way from the root to a leaf. */
typedef struct EtsWay {
    EtsNode *node[NODE_MAX_DEPTH];
    uint64_t version[NODE_MAX_DEPTH];
    uint32_t index[NODE_MAX_DEPTH]; /* the child that was taken; in the leaf the key's place */
    unsigned depth;                 /* node[depth] is the leaf */
    bool found;
} EtsWay;

/* Finds the place of a key.  What was read fits together; who changes it locks by version. */
void ets_tree_way(const EtsTree *t, Term key, EtsWay *way);
