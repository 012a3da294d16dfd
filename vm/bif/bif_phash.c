/*
 * erlang:phash/2, the hash of old: the same numbers as OTP, for terms of up to any depth.  New
 * programs take phash2.
 */
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/fun.h"
#include "vm/term/hash.h"
#include "vm/term/map.h"
#include "vm/term/pid.h"
#include "vm/term/walk.h"

#include <string.h>

/* What kinds of terms are multiplied by. */
enum {
    PHASH_ATOM = 268440163,
    PHASH_INTEGER = 268439161,
    PHASH_POSITIVE = 268435459,
    PHASH_NIL = PHASH_POSITIVE,
    PHASH_NEGATIVE = 268436141,
    PHASH_BINARY = PHASH_NEGATIVE,
    PHASH_PID = 268438633,
    PHASH_FLOAT = 268437017,
    PHASH_LIST = 268437511,
    PHASH_TUPLE = 268439627,
    PHASH_REF = 268440479,
    PHASH_FUN = PHASH_REF,
    PHASH_EXPORT = 268440577,
    PHASH_BITS = 268440581,
    PHASH_MAP = 268440593,
    PHASH_MAP_MORE = 268440611
};

/* What waits: [terms *, how many, multiplier, added at the end], or a tail with marks. */
typedef enum PhashFrame { PHASH_RANGE, PHASH_TAIL, PHASH_LIST_END } PhashFrame;

typedef struct Phash {
    size_t most_bytes; /* larger binaries and maps are too long */
    bool too_long;
    const AtomTable *atoms;
    uint32_t hash;
    Walk stack;
} Phash;

static void phash_step(Phash *h, uint32_t x, uint32_t by)
{
    for (int shift = 0; shift < 32; shift += 8) h->hash = h->hash * by + (x >> shift & 0xFF);
}

static void phash_integer(Phash *h, Term t)
{
    BigView v;
    big_view(&v, t);
    h->too_long = v.count > h->most_bytes;
    if (h->too_long) return;
    if (v.count == 0) phash_step(h, 0, PHASH_INTEGER);
    for (size_t i = 0; i < v.count; i++) {
        phash_step(h, (uint32_t)v.limbs[i], PHASH_INTEGER);
        bool last = i + 1 == v.count;
        if (!last || v.limbs[i] >> 32 != 0)
            phash_step(h, (uint32_t)(v.limbs[i] >> 32), PHASH_INTEGER);
    }
    h->hash *= v.negative ? PHASH_NEGATIVE : PHASH_POSITIVE;
}

static void phash_float(Phash *h, double d)
{
    uint64_t bits;
    d += 0.0; /* minus zero is zero */
    memcpy(&bits, &d, sizeof bits);
    h->hash = h->hash * PHASH_FLOAT + ((uint32_t)bits ^ (uint32_t)(bits >> 32));
}

static void phash_bits(Phash *h, Term t)
{
    BitView v = binary_view(t);
    h->too_long = v.bits / 8 > h->most_bytes;
    if (h->too_long) return;
    size_t bytes = v.bits / 8;
    size_t odd = v.bits % 8;
    for (size_t i = 0; i < bytes; i++)
        h->hash = h->hash * PHASH_ATOM + (uint32_t)bits_get_uint64(v.at, v.offset + 8 * i, 8);
    if (odd > 0) {
        h->hash =
            h->hash * PHASH_ATOM + (uint32_t)bits_get_uint64(v.at, v.offset + 8 * bytes, odd);
        h->hash = h->hash * PHASH_BITS + (uint32_t)odd;
    }
    h->hash = h->hash * PHASH_BINARY + (uint32_t)bytes;
}

static void phash_atom(Phash *h, Term t)
{
    h->hash = h->hash * PHASH_ATOM + atom_entry(h->atoms, t)->phash;
}

/* The terms, then hash * by + more. */
static void phash_range(Phash *h, const Word *terms, size_t n, uint32_t by, uint32_t more)
{
    walk_reserve(&h->stack, 5);
    walk_push(&h->stack, (Word)(uintptr_t)terms);
    walk_push(&h->stack, n);
    walk_push(&h->stack, by);
    walk_push(&h->stack, more);
    walk_push(&h->stack, PHASH_RANGE);
}

static void phash_fun(Phash *h, Term t)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) {
        const ExportKey *e = fun_export(t);
        h->hash = h->hash * PHASH_EXPORT + e->arity;
        phash_atom(h, e->module);
        phash_atom(h, e->function);
        return;
    }
    FunKey key = fun_key_of(t);
    size_t n = fun_free_count(t);
    h->hash = h->hash * PHASH_FUN + (uint32_t)n;
    phash_atom(h, key.module);
    h->hash = h->hash * PHASH_INTEGER + key.old_index;
    h->hash = h->hash * PHASH_INTEGER + key.old_uniq;
    phash_range(h, boxed_words(t) + 1 + header_words(boxed_header(t)) - n, n, 1, 0);
}

/* phash2 of the whole map.  Which may be long: the budget of a short look does not reach. */
static void phash_map(Phash *h, Term t)
{
    h->too_long = h->most_bytes != SIZE_MAX && map_size(t) > 0;
    if (!h->too_long) h->hash = h->hash * PHASH_MAP + PHASH_MAP_MORE + hash_phash2(h->atoms, t);
}

static void phash_boxed(Phash *h, Term t)
{
    if (term_is_tuple(t))
        phash_range(h, boxed_words(t) + 1, tuple_size(t), PHASH_TUPLE, (uint32_t)tuple_size(t));
    else if (term_is_big(t))
        phash_integer(h, t);
    else if (term_is_float(t))
        phash_float(h, float_value(t));
    else if (term_is_bitstring(t))
        phash_bits(h, t);
    else if (term_is_fun(t))
        phash_fun(h, t);
    else if (term_is_map(t))
        phash_map(h, t);
    else if (term_is_ref(t)) {
        uint32_t ids[PID_REF_MAX_IDS];
        pid_ref_ids(t, ids);
        phash_step(h, ids[0], PHASH_TUPLE);
        h->hash *= PHASH_REF;
    } else {
        uint32_t id;
        uint32_t serial;
        pid_numbers(t, &id, &serial);
        phash_step(h, id, PHASH_PID);
        h->hash *= PHASH_FLOAT;
    }
}

static void phash_term(Phash *h, Term t)
{
    if (term_is_cons(t)) {
        walk_push(&h->stack, PHASH_LIST_END);
        walk_push(&h->stack, t.w);
        walk_push(&h->stack, PHASH_TAIL);
    } else if (term_is_small(t)) {
        phash_integer(h, t);
    } else if (term_is_atom(t)) {
        phash_atom(h, t);
    } else if (term_is_nil(t)) {
        h->hash = h->hash * PHASH_NIL + 1;
    } else if (term_is_boxed(t)) {
        phash_boxed(h, t);
    } else {
        phash_step(h, term_is_local_pid(t) ? pid_slot(t) : (uint32_t)port_number(t), PHASH_PID);
        h->hash *= PHASH_FLOAT;
    }
}

/* Bytes of a list, or of a binary, that go in at once. */
#define PHASH_RUN 64

/* Goes along a list; bytes count as they are, other elements as terms. */
static void phash_tail(Phash *h, Term t)
{
    for (size_t n = 0; term_is_cons(t); n++) {
        if (n == PHASH_RUN) {
            walk_push(&h->stack, t.w);
            walk_push(&h->stack, PHASH_TAIL);
            return;
        }
        Term head = list_head(t);
        t = list_tail(t);
        if (!term_is_small(head) || small_value(head) < 0 || small_value(head) > 255) {
            walk_push(&h->stack, t.w);
            walk_push(&h->stack, PHASH_TAIL);
            phash_term(h, head);
            return;
        }
        h->hash = h->hash * PHASH_INTEGER + (uint32_t)small_value(head);
    }
    phash_term(h, t);
}

static void phash_next(Phash *h)
{
    switch ((PhashFrame)walk_pop(&h->stack)) {
    case PHASH_TAIL: phash_tail(h, TERM_RAW(walk_pop(&h->stack))); return;
    case PHASH_LIST_END: h->hash *= PHASH_LIST; return;
    case PHASH_RANGE: break;
    }
    uint32_t more = (uint32_t)walk_pop(&h->stack);
    uint32_t by = (uint32_t)walk_pop(&h->stack);
    size_t n = (size_t)walk_pop(&h->stack);
    const Word *terms = (const Word *)(uintptr_t)walk_pop(&h->stack);
    if (n == 0) {
        h->hash = h->hash * by + more;
        return;
    }
    phash_range(h, terms + 1, n - 1, by, more);
    phash_term(h, TERM_RAW(terms[0]));
}

/* A number from 1 to `range`; at most `most` steps, else false. */
static bool phash_term_of(Mem *mem, const AtomTable *atoms, Term t, size_t most, uint32_t *hash)
{
    Phash h = {.atoms = atoms, .most_bytes = most};
    walk_init(&h.stack, mem);
    phash_term(&h, t);
    for (; most > 0 && !walk_is_empty(&h.stack) && !h.too_long; most--) phash_next(&h);
    bool done = walk_is_empty(&h.stack) && !h.too_long;
    walk_free(&h.stack);
    *hash = h.hash;
    return done;
}

static Term phash_in_range(uint32_t hash, int64_t range)
{
    return small_from(1 + (int64_t)(hash % (uint64_t)range));
}

static void phash_run(Offload *o)
{
    uint32_t hash;
    if (phash_term_of(o->mem, o->atoms, o->in[0], SIZE_MAX, &hash))
        o->out = phash_in_range(hash, o->number);
}

/* More steps, and larger binaries and maps, go to the blocking pool. */
#define PHASH_AT_ONCE 2000

BifResult bif_phash(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_small(range) || small_value(range) < 1
        || small_value(range) > INT64_C(1) << 32)
        return raise_badarg(p);
    uint32_t hash;
    if (!task_is_pooled(p)
        && phash_term_of(p->heap.mem, p->run->atoms, arg(p, 0), PHASH_AT_ONCE, &hash)) {
        bif_charge(p, 20);
        return phash_in_range(hash, small_value(range));
    }
    return task_pool(p, phash_run, (const Term[]){arg(p, 0)}, 1, small_value(range));
}
