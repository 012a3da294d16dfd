/*
 * The order of what has an identity: atoms, pids, ports, references, funs.  A part of order.c: two
 * terms of one kind each, < 0, 0, > 0; where only equality matters (o->ordered), 0 or not.
 */
#pragma once

#include "vm/term/order.h"

static inline int order_ids_words(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static inline int order_ids_atoms(const OrderWalk *o, Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (!o->ordered) return 1;
    return atom_compare(o->atoms, a, b);
}

int order_ids_pids(const OrderWalk *o, Term a, Term b);
int order_ids_ports(const OrderWalk *o, Term a, Term b);
int order_ids_refs(const OrderWalk *o, Term a, Term b);
/* Without what they have captured. */
int order_ids_funs(const OrderWalk *o, Term a, Term b);
