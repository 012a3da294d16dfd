#include "vm/term/hash.h"

#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/fun.h"
#include "vm/term/hamt.h"
#include "vm/term/map.h"
#include "vm/term/pid.h"

#include <string.h>

/* On the walk stand terms, and ranges of neighbouring words ending with this header, which no
 * term is. */
#define FRAME_RANGE header_make(KIND_FILLER, 1) /* [from][n] */

static void push_range(Walk *w, const Word *from, size_t n)
{
    if (n == 0) return;
    walk_reserve(w, 3);
    walk_push(w, (Word)(uintptr_t)from);
    walk_push(w, n);
    walk_push(w, FRAME_RANGE);
}

/* Takes the next word of the range on top, whose tag has been popped already. */
static Term range_next(Walk *w)
{
    Word *top = walk_top(w);
    const Word *from = (const Word *)(uintptr_t)top[-1];
    if (--top[0] == 0) {
        w->count -= 2;
    } else {
        top[-1] = (Word)(uintptr_t)(from + 1);
        walk_push(w, FRAME_RANGE);
    }
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    return TERM_RAW(*from);
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

static uint64_t combine_view(uint64_t h, BitView v)
{
    size_t at = 0;
    h = combine(h, v.bits);
    for (; at + 64 <= v.bits; at += 64) {
        uint64_t chunk;
        if (v.offset == 0) {
            memcpy(&chunk, v.at + at / 8, sizeof chunk);
            chunk = __builtin_bswap64(chunk);
        } else {
            chunk = bits_get_uint64(v.at, v.offset + at, 64);
        }
        h = combine(h, chunk);
    }
    return at < v.bits ? combine(h, bits_get_uint64(v.at, v.offset + at, v.bits - at)) : h;
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

static uint64_t combine_boxed(const AtomTable *atoms, uint64_t h, Term t, Walk *w)
{
    const Word *at = boxed_words(t);
    size_t n = header_words(at[0]);
    switch (header_kind(at[0])) {
    case KIND_TUPLE: push_range(w, at + 1, n); return combine(h, n << 8 | SALT_TUPLE);
    case KIND_MAP:
        push_range(w, at + 2, n - 1);
        if (n > 1) push_range(w, boxed_words(map_flat_keys(t)) + 1, n - 1);
        return combine(h, n << 8 | SALT_MAP);
    case KIND_HASHMAP: push_range(w, at + 2, 1); return combine(h, at[1] << 8 | SALT_MAP);
    case KIND_HAMT_NODE: push_range(w, at + 3, n - 2); return combine(h, at[1]);
    case KIND_FUN:
    case KIND_EXPORT_FUN:
    case KIND_REMOTE_FUN: return combine_fun(atoms, h, t, w);
    case KIND_SUB_BINARY:
    case KIND_BINARY:
    case KIND_SHARED_BINARY: return combine_view(h, binary_view(t));
    case KIND_BIG_POSITIVE:
    case KIND_BIG_NEGATIVE:
        h = combine(h, at[0]);
        for (size_t i = 1; i <= n; i++) h = combine(h, at[i]);
        return h;
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

static uint64_t combine_term(const AtomTable *atoms, uint64_t h, Term t, Walk *w)
{
    while (term_is_cons(t)) {
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
    if (term_is_boxed(t)) return combine_boxed(atoms, h, t, w);
    if (term_is_atom(t)) return combine(h, atom_hash(atoms, t));
    return combine(h, term_is_small(t) ? hash_mix(t.w) : t.w);
}

uint64_t hash_internal_slow(const AtomTable *atoms, Term t)
{
    Walk w;
    walk_init(&w, NULL);
    uint64_t h = combine_term(atoms, SALT_START, t, &w);
    while (!walk_is_empty(&w)) {
        Word word = walk_pop(&w);
        Term next = word == FRAME_RANGE ? range_next(&w) : TERM_RAW(word);
        h = combine_term(atoms, h, next, &w);
    }
    walk_free(&w);
    return h;
}
