#include "vm/term/order.h"

#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/hamt.h"
#include "vm/term/map.h"
#include "vm/term/number.h"
#include "vm/term/pid.h"

#include <string.h>

/*
 * What is left to compare stands on the walk, newest last; each entry ends with its tag:
 *
 *   PAIR   [a][b][tag]                two terms, usually tails of lists
 *   RANGE  [from a][from b][n][tag]   n neighbouring words each
 *   NODES  [from a][from b][n][tag]   the same, keys and values in turn: keys compare exactly
 *   BITS   [a][b][done][tag]          bitstrings equal up to bit `done`
 *
 * A difference ends everything, except inside a comparison of two large maps (OrderMaps), which
 * collects what it needs from several comparisons.
 */
enum { FRAME_PAIR, FRAME_RANGE, FRAME_NODES, FRAME_BITS, FRAME_MASK = 3, FRAME_EXACT = 4 };

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
    enum { MAPS_NEXT, MAPS_VALUE, MAPS_KEY } waits;
    MapIter it;
    Term key;       /* the key at hand */
    int key_result; /* what the map comparison gives if `key` is the smallest */
    Term least;     /* smallest key that counts so far, or TERM_NONE */
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

static int compare_words(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int compare_atoms(const OrderWalk *o, Term a, Term b)
{
    if (a.w == b.w) return 0;
    if (!o->ordered) return 1;
    return atom_compare(o->atoms, a, b);
}

static int compare_numbers(Term a, Term b, bool exact)
{
    if (!exact) return number_compare(a, b);
    bool a_float = term_is_float(a);
    bool b_float = term_is_float(b);
    if (a_float != b_float) return a_float ? 1 : -1;
    return number_compare(a, b);
}

/* What is of this node stands before what is of another. */
static int compare_nodes(const OrderWalk *o, Term a, Term b)
{
    if (pid_is_remote(a) != pid_is_remote(b)) return pid_is_remote(a) ? 1 : -1;
    if (!pid_is_remote(a)) return 0;
    int order = compare_atoms(o, pid_node(a), pid_node(b));
    return order != 0 ? order : compare_words(pid_creation(a), pid_creation(b));
}

static int compare_pids(const OrderWalk *o, Term a, Term b)
{
    uint32_t a_id;
    uint32_t b_id;
    uint32_t a_serial;
    uint32_t b_serial;
    pid_numbers(a, &a_id, &a_serial);
    pid_numbers(b, &b_id, &b_serial);
    int order = compare_words((uint64_t)a_serial << 32 | a_id, (uint64_t)b_serial << 32 | b_id);
    return order != 0 ? order : compare_nodes(o, a, b);
}

static int compare_ports(const OrderWalk *o, Term a, Term b)
{
    int order = compare_nodes(o, a, b);
    if (order != 0) return order;
    return compare_words(pid_is_remote(a) ? pid_remote_port(a) : port_number(a),
                         pid_is_remote(b) ? pid_remote_port(b) : port_number(b));
}

static int compare_refs(const OrderWalk *o, Term a, Term b)
{
    int order = compare_nodes(o, a, b);
    if (order != 0) return order;
    if (!pid_is_remote(a)) return compare_words(pid_ref_number(a), pid_ref_number(b));
    uint32_t x[PID_REF_MAX_IDS] = {0};
    uint32_t y[PID_REF_MAX_IDS] = {0};
    pid_ref_ids(a, x);
    pid_ref_ids(b, y);
    for (size_t i = PID_REF_MAX_IDS; i-- > 0 && order == 0;) order = compare_words(x[i], y[i]);
    return order;
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

static int compare_funs(OrderWalk *o, Term a, Term b, bool exact)
{
    bool a_export = boxed_kind(a) == KIND_EXPORT_FUN;
    bool b_export = boxed_kind(b) == KIND_EXPORT_FUN;
    if (a_export != b_export) return a_export ? 1 : -1;
    if (a_export) {
        const ExportKey *x = fun_export(a);
        const ExportKey *y = fun_export(b);
        int order = compare_atoms(o, x->module, y->module);
        if (order == 0) order = compare_atoms(o, x->function, y->function);
        return order != 0 ? order : compare_words(x->arity, y->arity);
    }
    FunKey x = fun_key_of(a);
    FunKey y = fun_key_of(b);
    int order = compare_atoms(o, x.module, y.module);
    if (order == 0) order = compare_words(x.old_index, y.old_index);
    if (order == 0) order = compare_words(x.old_uniq, y.old_uniq);
    if (order == 0) order = compare_words(x.index, y.index);
    if (order == 0) order = memcmp(x.uniq, y.uniq, sizeof x.uniq);
    size_t n = fun_free_count(a);
    if (order == 0) order = compare_words(n, fun_free_count(b));
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
                     .least = TERM_NONE};
    o->maps = m;
}

static int compare_maps(OrderWalk *o, Term a, Term b, bool exact)
{
    int order = compare_words(map_size(a), map_size(b));
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
    case RANK_NUMBER: return compare_numbers(a, b, exact);
    case RANK_ATOM: return compare_atoms(o, a, b);
    case RANK_REF: return compare_refs(o, a, b);
    case RANK_FUN: return compare_funs(o, a, b, exact);
    case RANK_PORT: return compare_ports(o, a, b);
    case RANK_PID: return compare_pids(o, a, b);
    case RANK_MAP: return compare_maps(o, a, b, exact);
    case RANK_LIST: push_pair(o, a, b, exact); return 0;
    case RANK_NODE: return compare_hamt_nodes(o, a, b, exact);
    case RANK_TUPLE: {
        size_t n = tuple_size(a);
        int order = compare_words(n, tuple_size(b));
        if (order == 0) push_range(o, boxed_words(a) + 1, boxed_words(b) + 1, n, exact);
        return order;
    }
    case RANK_BITS:
        if (!o->ordered && binary_bits(a) != binary_bits(b)) return 1;
        push_frame(o, a.w, b.w, 0, FRAME_BITS);
        return 0;
    default: return compare_words(a.w, b.w);
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

static int step_frame(OrderWalk *o, size_t *budget)
{
    switch (*walk_top(&o->stack) & FRAME_MASK) {
    case FRAME_PAIR: return step_pair(o, budget);
    case FRAME_BITS: return step_bits(o, budget);
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
    mem_free(o->stack.mem, MEM_WORK, m, sizeof *m);
    return result;
}

/* The next key, as far as it needs no comparison. Returns a result only at the end. */
static int maps_next(OrderWalk *o, OrderMaps *m, bool *finished)
{
    Term key;
    Term value;
    while (!map_next(&m->it, &key, &value)) {
        if (m->in_b || !m->missing) {
            *finished = true;
            return maps_finish(o, m);
        }
        m->in_b = true;
        m->it = map_iter(m->b);
    }
    Term other = map_get(o->atoms, m->in_b ? m->a : m->b, key);
    m->key = key;
    if (term_is_none(other)) {
        if (!m->missing) m->least = TERM_NONE;
        m->missing = true;
        maps_candidate(o, m, m->in_b ? 1 : -1);
    } else if (!m->missing && other.w != value.w) {
        m->waits = MAPS_VALUE;
        push_pair(o, value, other, m->exact);
    }
    return 0;
}

/* The innermost map comparison goes on, `order` being what it waited for. */
static int maps_resume(OrderWalk *o, int order, bool *finished)
{
    OrderMaps *m = o->maps;
    *finished = false;
    switch (m->waits) {
    case MAPS_NEXT: return maps_next(o, m, finished);
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

static bool settled(OrderWalk *o, int order)
{
    bool finished = false;
    while (o->maps != NULL && (order != 0 || o->stack.count == o->maps->base)) {
        o->stack.count = o->maps->base;
        order = maps_resume(o, order, &finished);
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
        if (settled(o, order)) {
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

/* Strings and small tuples are most of what is compared: they need no walk. */
static bool is_settled(Term a, Term b, bool *same)
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

int order_quick_slow(const AtomTable *atoms, OrderKind kind, Term a, Term b)
{
    bool same;
    if (kind == ORDER_KIND_SAME && is_settled(a, b, &same)) return !same;
    int order;
    if (kind >= ORDER_KIND_ORDER && is_ordered(atoms, a, b, &order)) return order;
    if (kind == ORDER_KIND_ORDER || kind == ORDER_KIND_EQUAL) {
        size_t steps;
        order = order_shallow(atoms, a, b, &steps);
        if (order != ORDER_MORE) return order;
    }
    OrderWalk o;
    order_begin_kind(&o, atoms, kind, a, b, NULL);
    size_t budget = ORDER_QUICK;
    int result = order_step(&o, &budget) ? o.result : ORDER_MORE;
    order_end(&o);
    return result;
}

bool order_same_slow(Term a, Term b)
{
    bool same;
    if (is_settled(a, b, &same)) return same;
    return run(NULL, ORDER_EXACT, a, b) == 0;
}
