/*
 * Order and equality of all terms.
 *
 *   number < atom < reference < fun < port < pid < tuple < map < nil < list < bitstring
 *
 * Tuples by size, then elements; lists element by element; maps by size, then keys in map-key
 * order, then values in the order of their keys; bitstrings bit by bit, a prefix first.  Two
 * equalities:
 *   ==   numbers by value (1 == 1.0), but keys of maps exactly
 *   =:=  exactly; 0.0 =:= -0.0
 * Map-key order (ORDER_EXACT) is the same total order with every integer before every float.
 * Nothing here collects.  Terms of any depth; huge ones may be compared in slices.
 */
#pragma once

#include "vm/term/atom.h"
#include "vm/term/walk.h"

#include <limits.h>

typedef enum OrderMode { ORDER_STANDARD, ORDER_EXACT } OrderMode;

/* < 0, 0, > 0; run to their end. */
int order_compare_slow(const AtomTable *atoms, Term a, Term b);
int order_compare_exact_slow(const AtomTable *atoms, Term a, Term b);
bool order_equal_slow(Term a, Term b);
bool order_same_slow(Term a, Term b);

static inline int order_compare(const AtomTable *atoms, Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (term_both_small(a, b)) return (int64_t)a.w < (int64_t)b.w ? -1 : 1;
    return order_compare_slow(atoms, a, b);
}
static inline int order_compare_exact(const AtomTable *atoms, Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (term_both_small(a, b)) return (int64_t)a.w < (int64_t)b.w ? -1 : 1;
    return order_compare_exact_slow(atoms, a, b);
}
/* a == b */
static inline bool order_equal(Term a, Term b)
{
    if (a.w == b.w) return true;
    /* Two words that stand for themselves and differ are different values. */
    if (term_is_atomic(a) && term_is_atomic(b)) return false;
    return order_equal_slow(a, b);
}
/* a =:= b */
static inline bool order_same(Term a, Term b)
{
    if (a.w == b.w) return true;
    /* Exactly equal terms have equal tags. */
    if (((a.w ^ b.w) & TAG_MASK) != 0 || term_is_atomic(a)) return false;
    return order_same_slow(a, b);
}

/* ---- for whoever can stop half-way ---- */

/* What a comparison is about. */
typedef enum OrderKind {
    ORDER_KIND_SAME,  /* =:=: 0 or not */
    ORDER_KIND_EQUAL, /* ==: 0 or not */
    ORDER_KIND_ORDER, /* < 0, 0, > 0 */
    ORDER_KIND_KEYS   /* the same for keys of maps, where 1 stands before 1.0 */
} OrderKind;

/* More terms than so many have to be looked at: order_begin is the way. */
#define ORDER_QUICK 100
#define ORDER_MORE  INT_MIN

int order_quick_slow(const AtomTable *atoms, OrderKind kind, Term a, Term b);
/* a =:= b where it is seen at a glance, as of most keys: short binaries, tuples of atoms, terms of
 * different kinds.  False: it is not. */
bool order_is_plain(Term a, Term b, bool *same);
/* order_quick_slow with a budget of terms, which is taken from. */
int order_within(const AtomTable *atoms, OrderKind kind, Term a, Term b, size_t *budget);

/* The standard order of terms that are not the same word, if few parts of them have to be looked
 * at; ORDER_MORE else.  `atoms` NULL: only equality matters.  *steps: terms looked at. */
#define ORDER_SHALLOW 64
int order_shallow(const AtomTable *atoms, Term a, Term b, size_t *steps);

/* The result, or ORDER_MORE. */
static inline int order_quick(const AtomTable *atoms, Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (term_both_small(a, b)) return (int64_t)a.w < (int64_t)b.w ? -1 : 1;
    return order_quick_slow(atoms, ORDER_KIND_ORDER, a, b);
}
static inline int order_quick_equal(Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (term_is_atomic(a) && term_is_atomic(b)) return 1;
    return order_quick_slow(NULL, ORDER_KIND_EQUAL, a, b);
}
static inline int order_quick_same(Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (((a.w ^ b.w) & TAG_MASK) != 0 || term_is_atomic(a)) return 1;
    return order_quick_slow(NULL, ORDER_KIND_SAME, a, b);
}

typedef struct OrderMaps OrderMaps; /* private to order.c */

/* A comparison in slices.  The walk lives outside the heap; nothing may collect until it
 * ends. */
typedef struct OrderWalk {
    const AtomTable *atoms;
    int result;   /* valid once order_step has returned true: < 0, 0, > 0 */
    bool ordered; /* else only equality matters: result is 0 or not */
    bool done;
    OrderMaps *maps; /* innermost comparison of two large maps, or NULL */
    Walk stack;
} OrderWalk;

/* `mem` pays for the work stack and may be NULL. */
void order_begin(OrderWalk *o, const AtomTable *atoms, OrderMode mode, Term a, Term b,
                 Mem *mem);
/* Equality only, faster and without atoms: ORDER_STANDARD is ==, ORDER_EXACT is =:=. */
void order_begin_equal(OrderWalk *o, OrderMode mode, Term a, Term b, Mem *mem);
/* By kind. */
void order_begin_kind(OrderWalk *o, const AtomTable *atoms, OrderKind kind, Term a, Term b,
                      Mem *mem);
/* Works off at most about *budget terms and takes them from it; true when done. */
bool order_step(OrderWalk *o, size_t *budget);
void order_end(OrderWalk *o);
