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

/* What waits: [terms *, how many, multiplier, added at the end], a tail with marks, or a
 * binary or a big integer with the place from which on it is still to go in. */
typedef enum PhashFrame {
    PHASH_RANGE,
    PHASH_TAIL,
    PHASH_LIST_END,
    PHASH_BYTES,
    PHASH_LIMBS
} PhashFrame;

typedef struct Phash {
    Pause pause; /* first */
    const AtomTable *atoms;
    uint32_t hash;
    bool in_map; /* `map` is hashed, and goes in as a whole */
    HashWalk map;
    Walk stack;
} Phash;

/* Bytes of a list or a binary and limbs of an integer that go in at once. */
#define PHASH_RUN 64

static void phash_step(Phash *h, uint32_t x, uint32_t by)
{
    for (int shift = 0; shift < 32; shift += 8) h->hash = h->hash * by + (x >> shift & 0xFF);
}

static void phash_push(Phash *h, Term t, size_t at, PhashFrame frame)
{
    walk_reserve(&h->stack, 3);
    walk_push(&h->stack, t.w);
    walk_push(&h->stack, at);
    walk_push(&h->stack, frame);
}

/* Limbs from `at` on. */
static void phash_limbs(Phash *h, Term t, size_t at)
{
    BigView v;
    big_view(&v, t);
    size_t end = v.count - at > PHASH_RUN ? at + PHASH_RUN : v.count;
    for (size_t i = at; i < end; i++) {
        phash_step(h, (uint32_t)v.limbs[i], PHASH_INTEGER);
        bool last = i + 1 == v.count;
        if (!last || v.limbs[i] >> 32 != 0)
            phash_step(h, (uint32_t)(v.limbs[i] >> 32), PHASH_INTEGER);
    }
    if (end < v.count) {
        phash_push(h, t, end, PHASH_LIMBS);
        return;
    }
    if (v.count == 0) phash_step(h, 0, PHASH_INTEGER);
    h->hash *= v.negative ? PHASH_NEGATIVE : PHASH_POSITIVE;
}

static void phash_float(Phash *h, double d)
{
    uint64_t bits;
    d += 0.0; /* minus zero is zero */
    memcpy(&bits, &d, sizeof bits);
    h->hash = h->hash * PHASH_FLOAT + ((uint32_t)bits ^ (uint32_t)(bits >> 32));
}

/* Bytes from `at` on. */
static void phash_bits(Phash *h, Term t, size_t at)
{
    BitView v = binary_view(t);
    size_t bytes = v.bits / 8;
    size_t odd = v.bits % 8;
    size_t end = bytes - at > PHASH_RUN ? at + PHASH_RUN : bytes;
    for (size_t i = at; i < end; i++)
        h->hash = h->hash * PHASH_ATOM + (uint32_t)bits_get_uint64(v.at, v.offset + 8 * i, 8);
    if (end < bytes) {
        phash_push(h, t, end, PHASH_BYTES);
        return;
    }
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

/* A map goes in by its phash2, which phash_in_map works out. */
static void phash_map(Phash *h, Term t)
{
    h->in_map = true;
    hash_begin(&h->map, h->atoms, t, h->stack.mem);
}

static void phash_in_map(Phash *h, size_t *budget)
{
    if (!hash_step(&h->map, budget)) return;
    h->hash = h->hash * PHASH_MAP + PHASH_MAP_MORE + h->map.hash;
    hash_end(&h->map);
    h->in_map = false;
}

static void phash_boxed(Phash *h, Term t)
{
    if (term_is_tuple(t))
        phash_range(h, boxed_words(t) + 1, tuple_size(t), PHASH_TUPLE, (uint32_t)tuple_size(t));
    else if (term_is_big(t))
        phash_limbs(h, t, 0);
    else if (term_is_float(t))
        phash_float(h, float_value(t));
    else if (term_is_bitstring(t))
        phash_bits(h, t, 0);
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
        phash_limbs(h, t, 0);
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

static void phash_range_next(Phash *h)
{
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

static void phash_next(Phash *h)
{
    PhashFrame frame = (PhashFrame)walk_pop(&h->stack);
    switch (frame) {
    case PHASH_TAIL: phash_tail(h, TERM_RAW(walk_pop(&h->stack))); return;
    case PHASH_LIST_END: h->hash *= PHASH_LIST; return;
    case PHASH_RANGE: phash_range_next(h); return;
    case PHASH_BYTES:
    case PHASH_LIMBS: break;
    }
    size_t at = (size_t)walk_pop(&h->stack);
    Term t = TERM_RAW(walk_pop(&h->stack));
    if (frame == PHASH_BYTES)
        phash_bits(h, t, at);
    else
        phash_limbs(h, t, at);
}

/* ---- in slices ---- */

/* Steps that a reduction pays for: of 2 to 100 ns. */
#define PHASH_RATE 1

static void phash_release(Pause *pause, Process *p)
{
    Phash *h = (Phash *)pause;
    if (h->in_map) hash_end(&h->map);
    walk_free(&h->stack);
    task_free(pause, sizeof *h, p);
}

/* True: all is in h->hash. */
static bool phash_go_on(Phash *h, size_t *budget)
{
    while (h->in_map || !walk_is_empty(&h->stack)) {
        if (*budget == 0) return false;
        if (h->in_map) {
            phash_in_map(h, budget);
        } else {
            --*budget;
            phash_next(h);
        }
    }
    return true;
}

static BifResult phash_pause(Process *p, Phash *h)
{
    Phash *kept = task_keep(p, h, sizeof *h, phash_release);
    if (kept != h) {
        walk_moved(&kept->stack, &h->stack);
        walk_moved(&kept->map.stack, &h->map.stack);
    }
    return bif_yield(p);
}

BifResult bif_phash(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_small(range) || small_value(range) < 1
        || small_value(range) > INT64_C(1) << 32)
        return raise_badarg(p);
    Phash here;
    Phash *h = (Phash *)pause_find(p, phash_release);
    if (h == NULL) {
        h = &here;
        h->atoms = p->run->atoms;
        h->hash = 0;
        h->in_map = false;
        walk_init(&h->map.stack, p->heap.mem);
        walk_init(&h->stack, p->heap.mem);
        phash_term(h, arg(p, 0));
    }
    size_t budget = task_budget(p, PHASH_RATE);
    size_t left = budget;
    bool done = phash_go_on(h, &left);
    task_charge(p, budget, left, PHASH_RATE);
    if (!done) return phash_pause(p, h);
    uint32_t hash = h->hash;
    task_end(p, &h->pause, phash_release);
    return small_from(1 + (int64_t)(hash % (uint64_t)small_value(range)));
}
