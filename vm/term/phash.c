#include "vm/term/hash.h"

#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/fun.h"
#include "vm/term/hamt.h"
#include "vm/term/map.h"
#include "vm/term/pid.h"

#include <string.h>

/*
 * phash2: Bob Jenkins' lookup2 mixing over a term from front to back, with a salt per kind of
 * term; the values are OTP's.  Pairs of a map are hashed apart and joined by exclusive or, so
 * that their order does not matter.
 */
#define GOLDEN  0x9E3779B9u
#define SALT(n) ((uint32_t)(n)*GOLDEN)

enum {
    SALT_SMALL = 1,
    SALT_NIL = 2,
    SALT_ATOM = 3,
    SALT_STRING = 4,
    SALT_PID = 5,
    SALT_PORT = 6,
    SALT_REF = 7,
    SALT_TUPLE = 9,
    SALT_NEGATIVE = 10,
    SALT_POSITIVE = 11,
    SALT_FLOAT = 12,
    SALT_BINARY = 13,
    SALT_FUNCTION = 14,
    SALT_REST = 15,
    SALT_MAP = 16,
    SALT_PAIRS = 19
};
#define HASH_OF_NIL 3468870702u

/* Entries of the walk that are not single terms end with a header word, which no term is:
 *   RANGE    [from][n]                    words to hash one after the other
 *   PAIRS    [keys][values][stride][n]    pairs of a map
 *   NODES    [from][n]                    nodes of a hash map
 *   PAIR_END []                           the hash so far is that of a pair
 *   MAP_END  [outer pairs][outer hash]    all pairs are done
 *   STRING   [rest][bytes][count]         inside a run of bytes in a list
 *   BYTES    [binary][at][a | b << 32][c] inside a binary
 *   LIMBS    [big][at]                    inside a large number
 */
#define FRAME(n) header_make(KIND_FILLER, (n))
enum {
    FRAME_RANGE = 1,
    FRAME_PAIRS,
    FRAME_NODES,
    FRAME_PAIR_END,
    FRAME_MAP_END,
    FRAME_STRING,
    FRAME_BYTES,
    FRAME_LIMBS
};

static inline void mix(uint32_t *a_at, uint32_t *b_at, uint32_t *c_at)
{
    uint32_t a = *a_at;
    uint32_t b = *b_at;
    uint32_t c = *c_at;
    a = (a - b - c) ^ (c >> 13);
    b = (b - c - a) ^ (a << 8);
    c = (c - a - b) ^ (b >> 13);
    a = (a - b - c) ^ (c >> 12);
    b = (b - c - a) ^ (a << 16);
    c = (c - a - b) ^ (b >> 5);
    a = (a - b - c) ^ (c >> 3);
    b = (b - c - a) ^ (a << 10);
    c = (c - a - b) ^ (b >> 15);
    *a_at = a;
    *b_at = b;
    *c_at = c;
}

static inline void put2(HashWalk *w, uint32_t x, uint32_t y, uint32_t salt)
{
    uint32_t a = SALT(salt) + x;
    uint32_t b = SALT(salt) + y;
    mix(&a, &b, &w->hash);
}

static inline void put1(HashWalk *w, uint32_t x, uint32_t salt) { put2(w, x, 0, salt); }

static void push_frame(HashWalk *w, int frame, size_t n, const Word *words)
{
    walk_reserve(&w->stack, n + 1);
    for (size_t i = 0; i < n; i++) walk_push(&w->stack, words[i]);
    walk_push(&w->stack, FRAME(frame));
}

static void push_range(HashWalk *w, int frame, const Word *from, size_t n)
{
    if (n != 0) push_frame(w, frame, 2, (const Word[]){(Word)(uintptr_t)from, n});
}

static void push_pairs(HashWalk *w, const Word *keys, const Word *values, size_t stride,
                       size_t n)
{
    if (n == 0) return;
    push_frame(w, FRAME_PAIRS, 4,
               (const Word[]){(Word)(uintptr_t)keys, (Word)(uintptr_t)values, stride, n});
}

/* Limbs that go in at once. */
#define LIMBS_AT_ONCE 256

static void put_limbs(HashWalk *w, Term t, size_t at)
{
    BigView v;
    big_view(&v, t);
    size_t stop = v.count - at > LIMBS_AT_ONCE ? at + LIMBS_AT_ONCE : v.count;
    for (; at < stop; at++)
        put2(w, (uint32_t)v.limbs[at], (uint32_t)(v.limbs[at] >> 32),
             v.negative ? SALT_NEGATIVE : SALT_POSITIVE);
    if (at < v.count) push_frame(w, FRAME_LIMBS, 2, (const Word[]){t.w, at});
}

static void put_integer(HashWalk *w, Term t)
{
    if (term_is_small(t)) {
        int64_t value = small_value(t);
        if (value >= -((int64_t)1 << 27) && value < (int64_t)1 << 27) {
            if (value < 0) put1(w, (uint32_t)-value, SALT_SMALL);
            put1(w, (uint32_t)value, SALT_SMALL);
            return;
        }
    }
    put_limbs(w, t, 0);
}

static void put_float(HashWalk *w, double d)
{
    d += 0.0; /* -0.0 becomes 0.0 */
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    put2(w, (uint32_t)(bits >> 32), (uint32_t)bits, SALT_FLOAT);
}

static uint32_t phash_of(const HashWalk *w, Term atom)
{
    return atom_entry(w->atoms, atom)->phash;
}

static void put_fun(HashWalk *w, Term t)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) {
        const ExportKey *e = fun_export(t);
        put2(w, e->arity, phash_of(w, e->module), SALT_SMALL);
        put1(w, phash_of(w, e->function), SALT_FUNCTION);
        return;
    }
    FunKey key = fun_key_of(t);
    size_t n = fun_free_count(t);
    put2(w, (uint32_t)n, phash_of(w, key.module), SALT_SMALL);
    put2(w, key.index, key.old_uniq, SALT_SMALL);
    push_range(w, FRAME_RANGE, boxed_words(t) + 1 + header_words(boxed_header(t)) - n, n);
}

static void begin_map(HashWalk *w, Term t)
{
    size_t size = map_size(t);
    put1(w, (uint32_t)size, SALT_MAP);
    if (size == 0) return;
    push_frame(w, FRAME_MAP_END, 2, (const Word[]){w->pairs, w->hash});
    w->hash = 0;
    w->pairs = 0;
    if (map_is_flat(t))
        push_pairs(w, boxed_words(map_flat_keys(t)) + 1, boxed_words(t) + 2, 1, size);
    else
        push_range(w, FRAME_NODES, boxed_words(t) + 2, 1);
}

static void begin_binary(HashWalk *w, Term t)
{
    uint32_t start = SALT(SALT_BINARY) + w->hash;
    if (binary_bits(t) == 0) {
        w->hash = start;
        return;
    }
    Word ab = (Word)GOLDEN << 32 | GOLDEN;
    push_frame(w, FRAME_BYTES, 4, (const Word[]){t.w, 0, ab, start});
}

static void put_boxed(HashWalk *w, Term t)
{
    const Word *at = boxed_words(t);
    switch (header_kind(at[0])) {
    case KIND_TUPLE:
        put1(w, (uint32_t)tuple_size(t), SALT_TUPLE);
        push_range(w, FRAME_RANGE, at + 1, tuple_size(t));
        return;
    case KIND_MAP:
    case KIND_HASHMAP: begin_map(w, t); return;
    case KIND_FUN:
    case KIND_EXPORT_FUN:
    case KIND_REMOTE_FUN: put_fun(w, t); return;
    case KIND_SUB_BINARY:
    case KIND_BINARY:
    case KIND_SHARED_BINARY: begin_binary(w, t); return;
    case KIND_BIG_POSITIVE:
    case KIND_BIG_NEGATIVE: put_integer(w, t); return;
    case KIND_FLOAT: put_float(w, float_value(t)); return;
    case KIND_REF:
    case KIND_FOREIGN:
    case KIND_REMOTE_REF: {
        uint32_t ids[PID_REF_MAX_IDS];
        pid_ref_ids(t, ids);
        put1(w, ids[0], SALT_REF);
        return;
    }
    case KIND_REMOTE_PID: put1(w, pid_remote_id(t), SALT_PID); return;
    case KIND_REMOTE_PORT: put1(w, (uint32_t)pid_remote_port(t), SALT_PORT); return;
    case KIND_HAMT_NODE:
    case KIND_MATCH_CONTEXT:
    case KIND_FILLER:
    case KIND_COUNT: put1(w, 0, SALT_REF); return;
    }
    UNREACHABLE();
}

/* Anything but a cons cell. */
static void put_term(HashWalk *w, Term t)
{
    if (term_is_boxed(t)) {
        put_boxed(w, t);
    } else if (term_is_small(t)) {
        put_integer(w, t);
    } else if (term_is_atom(t)) {
        if (w->hash == 0)
            w->hash = phash_of(w, t);
        else
            put1(w, phash_of(w, t), SALT_ATOM);
    } else if (term_is_local_pid(t)) {
        put1(w, pid_slot(t), SALT_PID);
    } else if (term_is_local_port(t)) {
        put1(w, (uint32_t)port_number(t), SALT_PORT);
    } else if (w->hash == 0) {
        w->hash = HASH_OF_NIL;
    } else {
        put1(w, 2, SALT_NIL);
    }
}

static bool is_byte(Term t) { return t.w <= small_from(255).w && term_is_small(t); }

/* A run of bytes in a list goes in by fours. */
static void step_string(HashWalk *w, Term t, uint32_t bytes, unsigned count, size_t *budget)
{
    for (bool moved = false; term_is_cons(t) && is_byte(list_head(t)); moved = true) {
        if (*budget == 0 && moved) {
            push_frame(w, FRAME_STRING, 3, (const Word[]){t.w, bytes, count});
            return;
        }
        if (moved) --*budget;
        bytes = (bytes << 8) + (uint32_t)small_value(list_head(t));
        if (++count == 4) {
            put1(w, bytes, SALT_STRING);
            bytes = 0;
            count = 0;
        }
        t = list_tail(t);
    }
    if (count != 0) put1(w, bytes, SALT_STRING);
    if (!term_is_cons(t)) {
        put_term(w, t);
        return;
    }
    walk_push(&w->stack, list_tail(t).w);
    walk_push(&w->stack, list_head(t).w);
}

static uint32_t word_at(const uint8_t *k)
{
    return k[0] | (uint32_t)k[1] << 8 | (uint32_t)k[2] << 16 | (uint32_t)k[3] << 24;
}

static void finish_bytes(HashWalk *w, BitView v, size_t at, uint32_t a, uint32_t b, uint32_t c)
{
    uint8_t rest[12] = {0};
    size_t whole = v.bits / 8;
    bits_copy(rest, 0, v.at, v.offset + at * 8, (whole - at) * 8);
    a += word_at(rest);
    b += word_at(rest + 4);
    /* The lowest byte of the last word is the length's. */
    c += (uint32_t)whole + (word_at(rest + 8) << 8);
    mix(&a, &b, &c);
    w->hash = c;
    size_t few = v.bits % 8;
    if (few != 0)
        put2(w, (uint32_t)few, (uint32_t)bits_get_uint64(v.at, v.offset + whole * 8, few),
             SALT_REST);
}

static void step_bytes(HashWalk *w, size_t *budget)
{
    Word *top = walk_top(&w->stack);
    BitView v = binary_view(TERM_RAW(top[-3]));
    size_t at = (size_t)top[-2];
    uint32_t a = (uint32_t)top[-1];
    uint32_t b = (uint32_t)(top[-1] >> 32);
    uint32_t c = (uint32_t)top[0];
    size_t whole = v.bits / 8;
    for (size_t n = 0; whole - at >= 12; at += 12, n++) {
        if (n % 4 == 3) {
            if (*budget == 0) {
                top[-2] = at;
                top[-1] = (Word)b << 32 | a;
                top[0] = c;
                walk_push(&w->stack, FRAME(FRAME_BYTES));
                return;
            }
            --*budget;
        }
        uint8_t chunk[12];
        bits_copy(chunk, 0, v.at, v.offset + at * 8, 96);
        a += word_at(chunk);
        b += word_at(chunk + 4);
        c += word_at(chunk + 8);
        mix(&a, &b, &c);
    }
    w->stack.count -= 4;
    finish_bytes(w, v, at, a, b, c);
}

static void open_node(HashWalk *w, Term node)
{
    const Word *at = boxed_words(node);
    size_t pairs = hamt_pairs(at);
    push_range(w, FRAME_NODES, at + 3 + pairs * 2, hamt_children(at));
    push_pairs(w, at + 3, at + 4, 2, pairs);
}

/* Takes the next word of the range on top, whose tag has been popped. */
static Term range_next(HashWalk *w, int frame)
{
    Word *top = walk_top(&w->stack);
    const Word *from = (const Word *)(uintptr_t)top[-1];
    if (--top[0] == 0) {
        w->stack.count -= 2;
    } else {
        top[-1] = (Word)(uintptr_t)(from + 1);
        walk_push(&w->stack, FRAME(frame));
    }
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    return TERM_RAW(*from);
}

static void next_pair(HashWalk *w)
{
    Word *top = walk_top(&w->stack);
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    const Word *key = (const Word *)(uintptr_t)top[-3];
    const Word *value = (const Word *)(uintptr_t)top[-2];
    size_t stride = (size_t)top[-1];
    if (--top[0] == 0) {
        w->stack.count -= 4;
    } else {
        top[-3] = (Word)(uintptr_t)(key + stride);
        top[-2] = (Word)(uintptr_t)(value + stride);
        walk_push(&w->stack, FRAME(FRAME_PAIRS));
    }
    push_frame(w, FRAME_PAIR_END, 0, NULL);
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    walk_push(&w->stack, *value);
    walk_push(&w->stack, *key);
}

static void step_frame(HashWalk *w, Word frame, size_t *budget)
{
    switch (header_words(frame)) {
    case FRAME_RANGE: {
        Term next = range_next(w, FRAME_RANGE);
        walk_push(&w->stack, next.w);
        break;
    }
    case FRAME_PAIRS: next_pair(w); break;
    case FRAME_NODES: open_node(w, range_next(w, FRAME_NODES)); break;
    case FRAME_PAIR_END:
        w->pairs ^= w->hash;
        w->hash = 0;
        break;
    case FRAME_MAP_END: {
        uint32_t pairs = w->pairs;
        w->hash = (uint32_t)walk_pop(&w->stack);
        w->pairs = (uint32_t)walk_pop(&w->stack);
        put1(w, pairs, SALT_PAIRS);
        break;
    }
    case FRAME_STRING: {
        unsigned count = (unsigned)walk_pop(&w->stack);
        uint32_t bytes = (uint32_t)walk_pop(&w->stack);
        Term rest = TERM_RAW(walk_pop(&w->stack));
        step_string(w, rest, bytes, count, budget);
        break;
    }
    case FRAME_LIMBS: {
        size_t at = (size_t)walk_pop(&w->stack);
        Term big = TERM_RAW(walk_pop(&w->stack));
        *budget -= *budget < LIMBS_AT_ONCE / 4 ? *budget : LIMBS_AT_ONCE / 4;
        put_limbs(w, big, at);
        break;
    }
    default: step_bytes(w, budget); break;
    }
}

void hash_begin(HashWalk *w, const AtomTable *atoms, Term t, Mem *mem)
{
    w->atoms = atoms;
    w->hash = 0;
    w->pairs = 0;
    walk_init(&w->stack, mem);
    walk_push(&w->stack, t.w);
}

bool hash_step(HashWalk *w, size_t *budget)
{
    while (!walk_is_empty(&w->stack)) {
        if (*budget == 0) return false;
        --*budget;
        Term t = TERM_RAW(walk_pop(&w->stack));
        if (term_is_header(t))
            step_frame(w, t.w, budget);
        else if (term_is_cons(t))
            step_string(w, t, 0, 0, budget);
        else
            put_term(w, t);
    }
    return true;
}

void hash_end(HashWalk *w) { walk_free(&w->stack); }

uint32_t hash_phash2(const AtomTable *atoms, Term t)
{
    HashWalk w;
    size_t budget = SIZE_MAX;
    hash_begin(&w, atoms, t, NULL);
    while (!hash_step(&w, &budget)) budget = SIZE_MAX;
    hash_end(&w);
    return w.hash;
}
