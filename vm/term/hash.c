#include "vm/term/hash.h"

#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/fun.h"
#include "vm/term/hamt.h"
#include "vm/term/map.h"
#include "vm/term/pid.h"

#include <string.h>

/* On the walk stand terms, and frames ending with one of these headers, which no term is. */
#define FRAME_RANGE header_make(KIND_FILLER, 1) /* neighbouring terms: [from][n] */
#define FRAME_WORDS header_make(KIND_FILLER, 2) /* digits of a big integer: [from][n] */
#define FRAME_BITS  header_make(KIND_FILLER, 3) /* the rest of a bitstring: [term][from bit] */

static void push_frame(Walk *w, Word first, Word second, Word frame)
{
    walk_reserve(w, 3);
    walk_push(w, first);
    walk_push(w, second);
    walk_push(w, frame);
}

static void push_range(Walk *w, const Word *from, size_t n)
{
    if (n != 0) push_frame(w, (Word)(uintptr_t)from, n, FRAME_RANGE);
}

/* ---- the internal hash ---- */

/* Keep apart what would otherwise be the same numbers. */
enum {
    SALT_START = 0x51,
    SALT_CONS = 0x2D,
    SALT_TUPLE = 0x33,
    SALT_MAP = 0x47,
    SALT_FLOAT = 0x5F
};

static inline uint64_t combine(uint64_t h, uint64_t value)
{
    return hash_mix((h << 5 | h >> 59) ^ value) + 0x9E3779B97F4A7C15u;
}

/* So much is taken in the place of *budget steps, or all of it. */
static inline size_t spend(size_t *budget, size_t steps)
{
    if (UNLIKELY(steps > *budget)) steps = *budget;
    *budget -= steps;
    return steps;
}

/* A bitstring from that bit on; what the budget does not allow is left on the walk. */
static uint64_t combine_bits(uint64_t h, Term t, BitView v, size_t at, Walk *w, size_t *budget)
{
    size_t stop = at + 64 * spend(budget, (v.bits - at) / 64);
    for (; at < stop; at += 64) {
        uint64_t chunk;
        if (v.offset == 0) {
            memcpy(&chunk, v.at + at / 8, sizeof chunk);
            chunk = __builtin_bswap64(chunk);
        } else {
            chunk = bits_get_uint64(v.at, v.offset + at, 64);
        }
        h = combine(h, chunk);
    }
    if (UNLIKELY(v.bits - at >= 64)) {
        push_frame(w, t.w, at, FRAME_BITS);
        return h;
    }
    return at < v.bits ? combine(h, bits_get_uint64(v.at, v.offset + at, v.bits - at)) : h;
}

static uint64_t combine_words(uint64_t h, const Word *from, size_t n, Walk *w, size_t *budget)
{
    size_t now = spend(budget, n);
    for (size_t i = 0; i < now; i++) h = combine(h, from[i]);
    if (now < n) push_frame(w, (Word)(uintptr_t)(from + now), n - now, FRAME_WORDS);
    return h;
}

/* The bytes stand on the heap, in whole words. */
static uint64_t combine_heap_binary(uint64_t h, const Word *at)
{
    size_t bits = (size_t)at[1];
    const Word *word = at + 2;
    h = combine(h, bits);
    for (; bits >= 64; bits -= 64) h = combine(h, __builtin_bswap64(*word++));
    return bits == 0 ? h : combine(h, __builtin_bswap64(*word) >> (64 - bits));
}

/* A term that is one word. */
static inline uint64_t combine_atomic(const AtomTable *atoms, uint64_t h, Term t)
{
    if (term_is_atom(t)) return combine(h, atom_hash(atoms, t));
    return combine(h, term_is_small(t) ? hash_mix(t.w) : t.w);
}

/* Neighbouring terms up to one that is not a single word, which is left on the walk. */
static uint64_t combine_range(const AtomTable *atoms, uint64_t h, const Word *from, size_t n,
                              Walk *w, size_t *budget)
{
    size_t now = n < *budget ? n : *budget;
    size_t i = 0;
    for (; i < now && term_is_atomic(TERM_RAW(from[i])); i++)
        h = combine_atomic(atoms, h, TERM_RAW(from[i]));
    *budget -= i;
    if (i == n) return h;
    if (i == now) {
        push_range(w, from + i, n - i);
        return h;
    }
    push_range(w, from + i + 1, n - i - 1);
    walk_push(w, from[i]);
    return h;
}

static uint64_t combine_pid(const AtomTable *atoms, uint64_t h, Term t)
{
    if (pid_is_remote(t)) {
        h = combine(h, atom_hash(atoms, pid_node(t)));
        h = combine(h, pid_creation(t));
    }
    if (term_is_ref(t)) {
        if (term_is_local_ref(t)) return combine(h, pid_ref_number(t));
        uint32_t ids[PID_REF_MAX_IDS];
        size_t n = pid_ref_ids(t, ids);
        for (size_t i = 0; i < n; i++) h = combine(h, ids[i]);
        return h;
    }
    if (term_is_local_pid(t) || term_is_local_port(t)) return combine(h, t.w);
    return combine(h, boxed_words(t)[3]);
}

static uint64_t combine_fun(const AtomTable *atoms, uint64_t h, Term t, Walk *w)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) {
        const ExportKey *e = fun_export(t);
        h = combine(h, atom_hash(atoms, e->module));
        return combine(combine(h, atom_hash(atoms, e->function)), e->arity);
    }
    FunKey key = fun_key_of(t);
    size_t n = fun_free_count(t);
    h = combine(h, atom_hash(atoms, key.module));
    h = combine(h, (uint64_t)key.old_uniq << 32 | key.index);
    push_range(w, boxed_words(t) + 1 + header_words(boxed_header(t)) - n, n);
    return combine(h, n);
}

static uint64_t combine_boxed(const AtomTable *atoms, uint64_t h, Term t, Walk *w,
                              size_t *budget)
{
    const Word *at = boxed_words(t);
    size_t n = header_words(at[0]);
    switch (header_kind(at[0])) {
    case KIND_TUPLE:
        return combine_range(atoms, combine(h, n << 8 | SALT_TUPLE), at + 1, n, w, budget);
    case KIND_MAP:
        push_range(w, at + 2, n - 1);
        if (n > 1) push_range(w, boxed_words(map_flat_keys(t)) + 1, n - 1);
        return combine(h, n << 8 | SALT_MAP);
    case KIND_HASHMAP: push_range(w, at + 2, 1); return combine(h, at[1] << 8 | SALT_MAP);
    case KIND_HAMT_NODE: push_range(w, at + 3, n - 2); return combine(h, at[1]);
    case KIND_FUN:
    case KIND_EXPORT_FUN:
    case KIND_REMOTE_FUN: return combine_fun(atoms, h, t, w);
    case KIND_BINARY:
        if (LIKELY(at[1] <= BINARY_HEAP_MAX * 8)) return combine_heap_binary(h, at);
        FALLTHROUGH;
    case KIND_SUB_BINARY:
    case KIND_SHARED_BINARY: {
        BitView v = binary_view(t);
        return combine_bits(combine(h, v.bits), t, v, 0, w, budget);
    }
    case KIND_BIG_POSITIVE:
    case KIND_BIG_NEGATIVE: return combine_words(combine(h, at[0]), at + 1, n, w, budget);
    case KIND_FLOAT: {
        double d = float_value(t) + 0.0; /* -0.0 becomes 0.0, which it equals */
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        return combine(h, bits ^ SALT_FLOAT);
    }
    case KIND_REF:
    case KIND_FOREIGN:
    case KIND_REMOTE_PID:
    case KIND_REMOTE_PORT:
    case KIND_REMOTE_REF: return combine_pid(atoms, h, t);
    case KIND_MATCH_CONTEXT:
    case KIND_FILLER:
    case KIND_COUNT: return combine(h, SALT_FLOAT);
    }
    UNREACHABLE();
}

static uint64_t combine_term(const AtomTable *atoms, uint64_t h, Term t, Walk *w,
                             size_t *budget)
{
    size_t left = *budget;
    while (term_is_cons(t)) {
        if (UNLIKELY(left < 2)) {
            walk_push(w, t.w);
            *budget = 0;
            return h;
        }
        left -= 2;
        Term head = list_head(t);
        h = combine(h, SALT_CONS);
        if (!term_is_small(head) && !term_is_atom(head)) {
            walk_push(w, list_tail(t).w);
            t = head;
            continue;
        }
        h = combine(h, term_is_atom(head) ? atom_hash(atoms, head) : hash_mix(head.w));
        t = list_tail(t);
    }
    *budget = left;
    return term_is_boxed(t) ? combine_boxed(atoms, h, t, w, budget)
                            : combine_atomic(atoms, h, t);
}

void hash_internal_begin(HashInternal *w, const AtomTable *atoms, Term t, Mem *mem)
{
    w->atoms = atoms;
    w->hash = SALT_START;
    walk_init(&w->stack, mem);
    walk_push(&w->stack, t.w);
}

static void step_frame(HashInternal *w, Word frame, size_t *budget)
{
    Walk *stack = &w->stack;
    Word n = walk_pop(stack);
    Word first = walk_pop(stack);
    const Word *from = (const Word *)(uintptr_t)first;
    if (frame == FRAME_RANGE)
        w->hash = combine_range(w->atoms, w->hash, from, n, stack, budget);
    else if (frame == FRAME_WORDS)
        w->hash = combine_words(w->hash, from, n, stack, budget);
    else
        w->hash = combine_bits(w->hash, TERM_RAW(first), binary_view(TERM_RAW(first)), n, stack,
                               budget);
}

bool hash_internal_step(HashInternal *w, size_t *budget)
{
    /* An element of a list must fit in, whatever the budget. */
    if (*budget < 3) *budget = 3;
    while (!walk_is_empty(&w->stack)) {
        if (*budget == 0) return false;
        --*budget;
        Word word = walk_pop(&w->stack);
        if (word == FRAME_RANGE || word == FRAME_BITS || word == FRAME_WORDS)
            step_frame(w, word, budget);
        else
            w->hash = combine_term(w->atoms, w->hash, TERM_RAW(word), &w->stack, budget);
    }
    return true;
}

void hash_internal_end(HashInternal *w) { walk_free(&w->stack); }

bool hash_internal_within(const AtomTable *atoms, Term t, size_t *budget, uint64_t *hash)
{
    HashInternal w;
    w.atoms = atoms;
    walk_init(&w.stack, NULL);
    w.hash = combine_term(atoms, SALT_START, t, &w.stack, budget);
    bool done = walk_is_empty(&w.stack) || hash_internal_step(&w, budget);
    *hash = w.hash;
    if (UNLIKELY(w.stack.at != w.stack.first)) hash_internal_end(&w);
    return done;
}

uint64_t hash_internal_slow(const AtomTable *atoms, Term t)
{
    size_t budget = SIZE_MAX;
    uint64_t hash = 0;
    bool done = hash_internal_within(atoms, t, &budget, &hash);
    ASSERT(done);
    (void)done;
    return hash;
}
