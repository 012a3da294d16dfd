#include "vm/term/order.h"

#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/hamt.h"
#include "vm/term/keys.h"
#include "vm/term/map.h"
#include "vm/term/number.h"
#include "vm/term/order_ids.h"

#include <string.h>

/*
 * What is left to compare stands on the walk, newest last; each entry ends with its tag:
 *
 *   PAIR   [a][b][tag]                two terms, usually tails of lists
 *   RANGE  [from a][from b][n][tag]   n neighbouring words each
 *   NODES  [from a][from b][n][tag]   the same, keys and values in turn: keys compare exactly
 *   BITS   [a][b][done][tag]          bitstrings equal up to bit `done`
 *   LIMBS  [a][b][n][tag]             big integers of one sign and size, equal above limb n
 *
 * A difference ends everything, except inside a comparison of two large maps (OrderMaps), which
 * collects what it needs from several comparisons.
 */
enum {
    FRAME_PAIR,
    FRAME_RANGE,
    FRAME_NODES,
    FRAME_BITS,
    FRAME_LIMBS,
    FRAME_MASK = 7,
    FRAME_EXACT = 8
};

/*
 * Two hash maps of one size in order.  Sorting all keys would cost n log n; it is enough to
 * find the smallest key that only one of them has (that map is then the smaller one) or, when
 * the keys are the same, the smallest key whose values differ.
 */
struct OrderMaps {
    OrderMaps *below;
    size_t base; /* entries of the walk below this one */
    Term a;
    Term b;
    bool exact;
    bool in_b;    /* going through b; else through a */
    bool missing; /* a key of one map is not in the other: values no longer matter */
    enum { MAPS_NEXT, MAPS_FOUND, MAPS_VALUE, MAPS_KEY } waits;
    MapIter it;
    Term key;         /* the key at hand */
    Term value;       /* and its value */
    KeysStudy *study; /* of keys that take long to look up, or NULL */
    int key_result;   /* what the map comparison gives if `key` is the smallest */
    Term least;       /* smallest key that counts so far, or TERM_NONE */
    int least_result;
};

/* ---- ranks and atomic kinds ---- */

enum {
    RANK_NUMBER,
    RANK_ATOM,
    RANK_REF,
    RANK_FUN,
    RANK_PORT,
    RANK_PID,
    RANK_TUPLE,
    RANK_MAP,
    RANK_NIL,
    RANK_LIST,
    RANK_BITS,
    RANK_NODE /* inside hash maps only */
};

static const uint8_t rank_of_kind[KIND_COUNT] = {
    [KIND_TUPLE] = RANK_TUPLE,
    [KIND_MAP] = RANK_MAP,
    [KIND_HASHMAP] = RANK_MAP,
    [KIND_HAMT_NODE] = RANK_NODE,
    [KIND_FUN] = RANK_FUN,
    [KIND_EXPORT_FUN] = RANK_FUN,
    [KIND_SUB_BINARY] = RANK_BITS,
    [KIND_MATCH_CONTEXT] = RANK_BITS,
    [KIND_REMOTE_FUN] = RANK_FUN,
    [KIND_BIG_POSITIVE] = RANK_NUMBER,
    [KIND_BIG_NEGATIVE] = RANK_NUMBER,
    [KIND_FLOAT] = RANK_NUMBER,
    [KIND_BINARY] = RANK_BITS,
    [KIND_SHARED_BINARY] = RANK_BITS,
    [KIND_REF] = RANK_REF,
    [KIND_REMOTE_PID] = RANK_PID,
    [KIND_REMOTE_PORT] = RANK_PORT,
    [KIND_REMOTE_REF] = RANK_REF,
    [KIND_FOREIGN] = RANK_REF,
    [KIND_FILLER] = RANK_NODE,
};

static int rank_of(Term t)
{
    if (term_is_boxed(t)) return rank_of_kind[boxed_kind(t)];
    if (term_is_small(t)) return RANK_NUMBER;
    if (term_is_cons(t)) return RANK_LIST;
    if (term_is_atom(t)) return RANK_ATOM;
    if (term_is_local_pid(t)) return RANK_PID;
    return term_is_local_port(t) ? RANK_PORT : RANK_NIL;
}

/* ---- frames ---- */

static void push_frame(OrderWalk *o, Word x, Word y, Word n, Word tag)
{
    walk_reserve(&o->stack, 4);
    Word *at = o->stack.at + o->stack.count;
    at[0] = x;
    at[1] = y;
    at[2] = n;
    at[3] = tag;
    o->stack.count += 4;
}

static void push_pair(OrderWalk *o, Term a, Term b, bool exact)
{
    push_frame(o, a.w, b.w, 0, FRAME_PAIR | (exact ? FRAME_EXACT : 0));
}

static void push_range(OrderWalk *o, const Word *a, const Word *b, size_t n, bool exact)
{
    if (n != 0)
        push_frame(o, (Word)(uintptr_t)a, (Word)(uintptr_t)b, n,
                   FRAME_RANGE | (exact ? FRAME_EXACT : 0));
}

/* Limbs from which on integers are compared in steps. */
#define LIMBS_MANY 64

static int compare_numbers(OrderWalk *o, Term a, Term b, bool exact)
{
    if (term_is_small(a) || term_is_small(b) || boxed_header(a) != boxed_header(b)) {
        bool a_float = term_is_float(a);
        bool b_float = term_is_float(b);
        if (exact && a_float != b_float) return a_float ? 1 : -1;
        return number_compare(a, b);
    }
    if (term_is_float(a) || big_limbs(a) < LIMBS_MANY) return number_compare(a, b);
    push_frame(o, a.w, b.w, big_limbs(a), FRAME_LIMBS);
    return 0;
}

static int compare_funs(OrderWalk *o, Term a, Term b, bool exact)
{
    int order = order_ids_funs(o, a, b);
    if (order != 0 || boxed_kind(a) == KIND_EXPORT_FUN) return order;
    size_t n = fun_free_count(a);
    order = order_ids_words(n, fun_free_count(b));
    if (order != 0) return order;
    push_range(o, boxed_words(a) + 1 + header_words(boxed_header(a)) - n,
               boxed_words(b) + 1 + header_words(boxed_header(b)) - n, n, exact);
    return 0;
}

/* Nodes of hash maps, for equality alone: equal maps have the same shape. */
static int compare_hamt_nodes(OrderWalk *o, Term a, Term b, bool exact)
{
    const Word *x = boxed_words(a);
    const Word *y = boxed_words(b);
    if (x[0] != y[0] || x[1] != y[1] || x[2] != y[2]) return 1;
    size_t pairs = hamt_pairs(x);
    push_range(o, x + 3 + pairs * 2, y + 3 + pairs * 2, hamt_children(x), exact);
    if (pairs != 0)
        push_frame(o, (Word)(uintptr_t)(x + 3), (Word)(uintptr_t)(y + 3), pairs * 2,
                   FRAME_NODES | (exact ? FRAME_EXACT : 0));
    return 0;
}

static void begin_maps(OrderWalk *o, Term a, Term b, bool exact)
{
    OrderMaps *m = mem_alloc(o->stack.mem, MEM_WORK, sizeof *m);
    *m = (OrderMaps){.below = o->maps,
                     .base = o->stack.count,
                     .a = a,
                     .b = b,
                     .exact = exact,
                     .waits = MAPS_NEXT,
                     .it = map_iter(a),
                     .study = NULL,
                     .least = TERM_NONE};
    o->maps = m;
}

static int compare_maps(OrderWalk *o, Term a, Term b, bool exact)
{
    int order = order_ids_words(map_size(a), map_size(b));
    if (order != 0 || map_size(a) == 0) return order;
    if (map_is_flat(a)) {
        size_t n = map_flat_size(a);
        push_range(o, boxed_words(a) + 2, boxed_words(b) + 2, n, exact);
        Term x = map_flat_keys(a);
        Term y = map_flat_keys(b);
        if (x.w != y.w) push_range(o, boxed_words(x) + 1, boxed_words(y) + 1, n, true);
        return 0;
    }
    Term x = boxed_term(a, 1);
    Term y = boxed_term(b, 1);
    if (x.w == y.w) return 0;
    if (!o->ordered) return compare_hamt_nodes(o, x, y, exact);
    begin_maps(o, a, b, exact);
    return 0;
}

/* Two terms: their order, or 0 with what is left to look at pushed. */
static int compare_terms(OrderWalk *o, Term a, Term b, bool exact)
{
    if (a.w == b.w) return 0;
    int rank = rank_of(a);
    int b_rank = rank_of(b);
    if (rank != b_rank) return rank < b_rank ? -1 : 1;
    switch (rank) {
    case RANK_NUMBER: return compare_numbers(o, a, b, exact);
    case RANK_ATOM: return order_ids_atoms(o, a, b);
    case RANK_REF: return order_ids_refs(o, a, b);
    case RANK_FUN: return compare_funs(o, a, b, exact);
    case RANK_PORT: return order_ids_ports(o, a, b);
    case RANK_PID: return order_ids_pids(o, a, b);
    case RANK_MAP: return compare_maps(o, a, b, exact);
    case RANK_LIST: push_pair(o, a, b, exact); return 0;
    case RANK_NODE: return compare_hamt_nodes(o, a, b, exact);
    case RANK_TUPLE: {
        size_t n = tuple_size(a);
        int order = order_ids_words(n, tuple_size(b));
        if (order == 0) push_range(o, boxed_words(a) + 1, boxed_words(b) + 1, n, exact);
        return order;
    }
    case RANK_BITS:
        if (!o->ordered && binary_bits(a) != binary_bits(b)) return 1;
        push_frame(o, a.w, b.w, 0, FRAME_BITS);
        return 0;
    default: return order_ids_words(a.w, b.w);
    }
}

/* ---- working frames off ---- */

static int step_pair(OrderWalk *o, size_t *budget)
{
    Word *f = o->stack.at + o->stack.count - 4;
    Term a = TERM_RAW(f[0]);
    Term b = TERM_RAW(f[1]);
    bool exact = (f[3] & FRAME_EXACT) != 0;
    while (term_is_cons(a) && term_is_cons(b) && a.w != b.w) {
        Term x = list_head(a);
        Term y = list_head(b);
        a = list_tail(a);
        b = list_tail(b);
        bool out = *budget == 0;
        *budget -= !out;
        if (x.w == y.w && !out) continue;
        if (term_both_small(x, y) && x.w != y.w) return (int64_t)x.w < (int64_t)y.w ? -1 : 1;
        f[0] = a.w;
        f[1] = b.w;
        return compare_terms(o, x, y, exact);
    }
    o->stack.count -= 4;
    return compare_terms(o, a, b, exact);
}

static int step_range(OrderWalk *o, size_t *budget)
{
    Word *f = o->stack.at + o->stack.count - 4;
    const Word *a = (const Word *)(uintptr_t)f[0];
    const Word *b = (const Word *)(uintptr_t)f[1];
    size_t n = (size_t)f[2];
    size_t i = 0;
    size_t most = n < *budget + 1 ? n : *budget + 1;
    while (i < most && a[i] == b[i]) i++;
    *budget -= i < *budget ? i : *budget;
    if (i == n) {
        o->stack.count -= 4;
        return 0;
    }
    bool is_key = (f[3] & FRAME_MASK) == FRAME_NODES && (n - i) % 2 == 0;
    bool exact = is_key || (f[3] & FRAME_EXACT) != 0;
    Term x = TERM_RAW(a[i]);
    Term y = TERM_RAW(b[i]);
    f[0] = (Word)(uintptr_t)(a + i + 1);
    f[1] = (Word)(uintptr_t)(b + i + 1);
    f[2] = n - i - 1;
    if (f[2] == 0) o->stack.count -= 4;
    return compare_terms(o, x, y, exact);
}

/* Bytes that count as one term. */
#define BYTES_PER_TERM 64

static int step_bits(OrderWalk *o, size_t *budget)
{
    Word *f = o->stack.at + o->stack.count - 4;
    size_t done = (size_t)f[2];
    size_t bytes =
        *budget < SIZE_MAX / BYTES_PER_TERM ? (*budget + 1) * BYTES_PER_TERM : SIZE_MAX;
    size_t left = bytes;
    int order = binary_compare_step(TERM_RAW(f[0]), TERM_RAW(f[1]), &done, &left);
    size_t used = (bytes - left) / BYTES_PER_TERM;
    *budget -= used < *budget ? used : *budget;
    if (order != BINARY_COMPARE_MORE) {
        o->stack.count -= 4;
        return order;
    }
    f[2] = done;
    return 0;
}

/* Limbs that count as one term. */
#define LIMBS_PER_TERM 8

static int step_limbs(OrderWalk *o, size_t *budget)
{
    Word *f = o->stack.at + o->stack.count - 4;
    const Word *a = boxed_words(TERM_RAW(f[0]));
    const Word *b = boxed_words(TERM_RAW(f[1]));
    size_t n = (size_t)f[2];
    size_t terms = n / LIMBS_PER_TERM < *budget ? n / LIMBS_PER_TERM : *budget;
    size_t stop = n - (terms + 1) * LIMBS_PER_TERM < n ? n - (terms + 1) * LIMBS_PER_TERM : 0;
    *budget -= terms;
    while (n > stop && a[n] == b[n]) n--;
    f[2] = n;
    if (n > 0 && n == stop) return 0;
    o->stack.count -= 4;
    if (n == 0) return 0;
    return (a[n] < b[n]) == (boxed_kind(TERM_RAW(f[0])) == KIND_BIG_POSITIVE) ? -1 : 1;
}

static int step_frame(OrderWalk *o, size_t *budget)
{
    switch (*walk_top(&o->stack) & FRAME_MASK) {
    case FRAME_PAIR: return step_pair(o, budget);
    case FRAME_BITS: return step_bits(o, budget);
    case FRAME_LIMBS: return step_limbs(o, budget);
    default: return step_range(o, budget);
    }
}

/* ---- large maps ---- */

/* The key at hand counts, and gives `result` if it is the smallest: compare it with the
 * smallest so far, first forgetting keys that counted for less. */
static void maps_candidate(OrderWalk *o, OrderMaps *m, int result)
{
    m->key_result = result;
    if (term_is_none(m->least)) {
        m->least = m->key;
        m->least_result = result;
        m->waits = MAPS_NEXT;
        return;
    }
    m->waits = MAPS_KEY;
    push_pair(o, m->key, m->least, true);
}

static int maps_finish(OrderWalk *o, OrderMaps *m)
{
    int result = term_is_none(m->least) ? 0 : m->least_result;
    o->maps = m->below;
    if (m->study != NULL) {
        keys_study_end(m->study);
        mem_free(o->stack.mem, MEM_WORK, m->study, sizeof *m->study);
    }
    mem_free(o->stack.mem, MEM_WORK, m, sizeof *m);
    return result;
}

/* The value of the key at hand in the other map, or TERM_NONE; false: the budget is used up. */
static bool maps_look_up(OrderWalk *o, OrderMaps *m, size_t *budget, Term *other)
{
    Keys quick;
    Keys *k = m->study == NULL ? &quick : &m->study->keys;
    keys_init(&quick, o->atoms, KEYS_QUICK);
    if (m->study != NULL && !keys_study_step(m->study, budget)) return false;
    *other = map_get_by(k, m->in_b ? m->a : m->b, m->key);
    size_t used = KEYS_QUICK - k->budget;
    *budget -= used < *budget ? used : *budget;
    if (!k->more) {
        if (m->study != NULL) keys_study_forget(m->study);
        return true;
    }
    if (m->study != NULL) return false;
    m->study = mem_alloc(o->stack.mem, MEM_WORK, sizeof *m->study);
    keys_study_begin(m->study, o->atoms, o->stack.mem);
    keys_study_take(m->study, k);
    return false;
}

static int maps_found(OrderWalk *o, OrderMaps *m, size_t *budget)
{
    Term other;
    m->waits = MAPS_FOUND;
    if (!maps_look_up(o, m, budget, &other)) return 0;
    m->waits = MAPS_NEXT;
    if (term_is_none(other)) {
        if (!m->missing) m->least = TERM_NONE;
        m->missing = true;
        maps_candidate(o, m, m->in_b ? 1 : -1);
    } else if (!m->missing && other.w != m->value.w) {
        m->waits = MAPS_VALUE;
        push_pair(o, m->value, other, m->exact);
    }
    return 0;
}

/* The next key, as far as it needs no comparison. Returns a result only at the end. */
static int maps_next(OrderWalk *o, OrderMaps *m, bool *finished, size_t *budget)
{
    while (!map_next(&m->it, &m->key, &m->value)) {
        if (m->in_b || !m->missing) {
            *finished = true;
            return maps_finish(o, m);
        }
        m->in_b = true;
        m->it = map_iter(m->b);
    }
    return maps_found(o, m, budget);
}

/* The innermost map comparison goes on, `order` being what it waited for. */
static int maps_resume(OrderWalk *o, int order, bool *finished, size_t *budget)
{
    OrderMaps *m = o->maps;
    *finished = false;
    switch (m->waits) {
    case MAPS_NEXT: return maps_next(o, m, finished, budget);
    case MAPS_FOUND: return maps_found(o, m, budget);
    case MAPS_VALUE:
        m->waits = MAPS_NEXT;
        if (order != 0) maps_candidate(o, m, order);
        return 0;
    case MAPS_KEY:
        m->waits = MAPS_NEXT;
        if (order < 0) {
            m->least = m->key;
            m->least_result = m->key_result;
        }
        return 0;
    }
    UNREACHABLE();
}

/* ---- the loop ---- */

static bool settled(OrderWalk *o, int order, size_t *budget)
{
    bool finished = false;
    while (o->maps != NULL && (order != 0 || o->stack.count == o->maps->base)) {
        o->stack.count = o->maps->base;
        order = maps_resume(o, order, &finished, budget);
        if (!finished) return false;
    }
    o->result = order;
    return order != 0 || walk_is_empty(&o->stack);
}

bool order_step(OrderWalk *o, size_t *budget)
{
    if (o->done) return true;
    while (*budget != 0) {
        --*budget;
        int order = 0;
        if (o->stack.count > (o->maps != NULL ? o->maps->base : 0))
            order = step_frame(o, budget);
        if (settled(o, order, budget)) {
            o->done = true;
            return true;
        }
    }
    return false;
}

/* `atoms` NULL: only equality matters. */
static void begin(OrderWalk *o, const AtomTable *atoms, OrderMode mode, Term a, Term b)
{
    o->atoms = atoms;
    o->ordered = atoms != NULL;
    o->maps = NULL;
    o->result = compare_terms(o, a, b, mode == ORDER_EXACT);
    o->done = o->result != 0 || (walk_is_empty(&o->stack) && o->maps == NULL);
}

void order_begin(OrderWalk *o, const AtomTable *atoms, OrderMode mode, Term a, Term b, Mem *mem)
{
    walk_init(&o->stack, mem);
    begin(o, atoms, mode, a, b);
}

void order_begin_equal(OrderWalk *o, OrderMode mode, Term a, Term b, Mem *mem)
{
    walk_init(&o->stack, mem);
    begin(o, NULL, mode, a, b);
}

void order_end(OrderWalk *o)
{
    while (o->maps != NULL) maps_finish(o, o->maps);
    walk_free(&o->stack);
}

static int run(const AtomTable *atoms, OrderMode mode, Term a, Term b)
{
    OrderWalk o;
    walk_init(&o.stack, NULL);
    begin(&o, atoms, mode, a, b);
    size_t budget = SIZE_MAX;
    while (!order_step(&o, &budget)) budget = SIZE_MAX;
    order_end(&o);
    return o.result;
}

/* Nor do terms of different types, and tuples, as keys are, that differ in a word. */
static bool is_ordered(const AtomTable *atoms, Term a, Term b, int *order)
{
    *order = rank_of(a) - rank_of(b);
    if (*order != 0) return true;
    if (term_is_atom(a)) *order = atom_compare(atoms, a, b);
    if (rank_of(a) != RANK_TUPLE) return term_is_atom(a);
    const Word *x = boxed_words(a);
    const Word *y = boxed_words(b);
    if (x[0] != y[0] || header_words(x[0]) > 16) return false;
    size_t i = 1;
    while (i <= header_words(x[0]) && x[i] == y[i]) i++;
    if (i > header_words(x[0])) return true;
    Term p = TERM_RAW(x[i]);
    Term q = TERM_RAW(y[i]);
    if (term_is_atom(p) && term_is_atom(q)) *order = atom_compare(atoms, p, q);
    if (term_both_small(p, q)) *order = (int64_t)p.w < (int64_t)q.w ? -1 : 1;
    return *order != 0;
}

int order_compare_slow(const AtomTable *atoms, Term a, Term b)
{
    int order;
    if (is_ordered(atoms, a, b, &order)) return order;
    return run(atoms, ORDER_STANDARD, a, b);
}

int order_compare_exact_slow(const AtomTable *atoms, Term a, Term b)
{
    int order;
    if (is_ordered(atoms, a, b, &order)) return order;
    return run(atoms, ORDER_EXACT, a, b);
}

bool order_equal_slow(Term a, Term b) { return run(NULL, ORDER_STANDARD, a, b) == 0; }

bool order_is_plain(Term a, Term b, bool *same)
{
    if (!term_is_boxed(a) || !term_is_boxed(b)) return false;
    const Word *x = boxed_words(a);
    const Word *y = boxed_words(b);
    if (x[0] != y[0]) {
        *same = false;
        return rank_of_kind[header_kind(x[0])] != rank_of_kind[header_kind(y[0])]
               || rank_of_kind[header_kind(x[0])] == RANK_TUPLE;
    }
    size_t n = header_words(x[0]);
    if (header_kind(x[0]) == KIND_BINARY && n < 32) {
        *same = memcmp(x + 1, y + 1, n * sizeof(Word)) == 0;
        return true;
    }
    if (header_kind(x[0]) != KIND_TUPLE || n > 8) return false;
    *same = true;
    for (size_t i = 1; i <= n; i++) {
        if (x[i] == y[i]) continue;
        if (!term_is_atomic(TERM_RAW(x[i])) || !term_is_atomic(TERM_RAW(y[i]))) return false;
        *same = false;
        return true;
    }
    return true;
}

int order_within(const AtomTable *atoms, OrderKind kind, Term a, Term b, size_t *budget)
{
    int order;
    if (kind >= ORDER_KIND_ORDER && is_ordered(atoms, a, b, &order)) return order;
    OrderWalk o;
    order_begin_kind(&o, atoms, kind, a, b, NULL);
    int result = order_step(&o, budget) ? o.result : ORDER_MORE;
    order_end(&o);
    return result;
}

bool order_same_slow(Term a, Term b)
{
    bool same;
    if (order_is_plain(a, b, &same)) return same;
    return run(NULL, ORDER_EXACT, a, b) == 0;
}
