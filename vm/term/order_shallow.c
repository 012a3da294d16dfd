/* The order of terms that are small and not deep, which nearly all are, without the work stack of
 * order.c: four levels, and only so many terms. */
#include "vm/term/binary.h"
#include "vm/term/number.h"
#include "vm/term/order.h"

#include <string.h>

#define SHALLOW_DEPTH 4
#define SHALLOW_BYTES ((size_t)512) /* of binaries compared at once */

/* What is left of two tuples, or (n is SHALLOW_TAILS) two tails. */
typedef struct ShallowFrame {
    const Word *a;
    const Word *b;
    size_t n;
} ShallowFrame;

#define SHALLOW_TAILS SIZE_MAX

typedef struct Shallow {
    const AtomTable *atoms;
    Term a;
    Term b;
    size_t depth;
    size_t left;
    ShallowFrame frames[SHALLOW_DEPTH];
} Shallow;

static int shallow_binaries(const Word *x, const Word *y)
{
    if (((x[1] | y[1]) & 7) != 0 || x[1] > SHALLOW_BYTES * 8 || y[1] > SHALLOW_BYTES * 8)
        return ORDER_MORE;
    size_t n = (x[1] < y[1] ? x[1] : y[1]) / 8;
    int order = memcmp(x + 2, y + 2, n);
    if (order != 0) return order < 0 ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

static bool shallow_is_number(Term t)
{
    if (term_is_small(t)) return true;
    if (!term_is_boxed(t)) return false;
    Kind kind = boxed_kind(t);
    return kind == KIND_FLOAT || kind == KIND_BIG_POSITIVE || kind == KIND_BIG_NEGATIVE;
}

/* Two terms of different words, boxed or of different kinds. */
static int shallow_other(Shallow *s)
{
    Term a = s->a;
    Term b = s->b;
    if (!term_is_boxed(a) || !term_is_boxed(b)) {
        if (shallow_is_number(a) && shallow_is_number(b)) return number_compare(a, b);
        return ORDER_MORE;
    }
    const Word *x = boxed_words(a);
    const Word *y = boxed_words(b);
    if (header_kind(x[0]) == KIND_TUPLE && header_kind(y[0]) == KIND_TUPLE) {
        size_t n = header_words(x[0]);
        size_t m = header_words(y[0]);
        if (n != m) return n < m ? -1 : 1;
        if (s->depth == SHALLOW_DEPTH) return ORDER_MORE;
        s->frames[s->depth++] = (ShallowFrame){x + 1, y + 1, n};
        return 0;
    }
    if (header_kind(x[0]) == KIND_BINARY && header_kind(y[0]) == KIND_BINARY)
        return shallow_binaries(x, y);
    return shallow_is_number(a) && shallow_is_number(b) ? number_compare(a, b) : ORDER_MORE;
}

/* Two lists: as far as the elements are the same words. */
static int shallow_lists(Shallow *s)
{
    Term a = s->a;
    Term b = s->b;
    while (list_head(a).w == list_head(b).w) {
        a = list_tail(a);
        b = list_tail(b);
        if (a.w == b.w) return 0;
        if (term_is_nil(a) && term_is_cons(b)) return -1;
        if (term_is_cons(a) && term_is_nil(b)) return 1;
        if (!term_is_cons(a) || !term_is_cons(b) || s->left == 0) return ORDER_MORE;
        s->left--;
    }
    Term x = list_head(a);
    Term y = list_head(b);
    if (term_both_small(x, y)) return (int64_t)x.w < (int64_t)y.w ? -1 : 1;
    if (s->depth == SHALLOW_DEPTH) return ORDER_MORE;
    Term tail_a = list_tail(a);
    Term tail_b = list_tail(b);
    s->frames[s->depth++] = (ShallowFrame){(const Word *)(uintptr_t)tail_a.w,
                                           (const Word *)(uintptr_t)tail_b.w, SHALLOW_TAILS};
    s->a = x;
    s->b = y;
    return 0;
}

typedef enum ShallowNext { SHALLOW_PAIR, SHALLOW_EQUAL, SHALLOW_TOO_LARGE } ShallowNext;

/* The next two words that differ. */
static ShallowNext shallow_next(Shallow *s)
{
    while (s->depth > 0) {
        ShallowFrame *f = &s->frames[s->depth - 1];
        if (f->n == SHALLOW_TAILS) {
            s->depth--;
            s->a = TERM_RAW((Word)(uintptr_t)f->a);
            s->b = TERM_RAW((Word)(uintptr_t)f->b);
            if (s->a.w != s->b.w) return SHALLOW_PAIR;
            continue;
        }
        size_t i = 0;
        size_t most = f->n < s->left ? f->n : s->left;
        while (i < most && f->a[i] == f->b[i]) i++;
        s->left -= i;
        if (i == f->n) {
            s->depth--;
            continue;
        }
        if (i == most) return SHALLOW_TOO_LARGE;
        s->a = TERM_RAW(f->a[i]);
        s->b = TERM_RAW(f->b[i]);
        f->a += i + 1;
        f->b += i + 1;
        f->n -= i + 1;
        return SHALLOW_PAIR;
    }
    return SHALLOW_EQUAL;
}

/* The words at hand, which differ: their order, or 0 with what is left to look at in frames. */
static int shallow_pair(Shallow *s)
{
    for (;;) {
        if (s->left == 0) return ORDER_MORE;
        s->left--;
        if (term_both_small(s->a, s->b)) return (int64_t)s->a.w < (int64_t)s->b.w ? -1 : 1;
        if (term_is_atom(s->a) && term_is_atom(s->b))
            return s->atoms == NULL ? 1 : atom_compare(s->atoms, s->a, s->b);
        if (!term_is_cons(s->a) || !term_is_cons(s->b)) return shallow_other(s);
        size_t depth = s->depth;
        int order = shallow_lists(s);
        if (order != 0 || s->depth == depth) return order;
    }
}

int order_shallow(const AtomTable *atoms, Term a, Term b, size_t *steps)
{
    Shallow s;
    s.atoms = atoms;
    s.a = a;
    s.b = b;
    s.depth = 0;
    s.left = ORDER_SHALLOW;
    int order = 0;
    ShallowNext next = SHALLOW_PAIR;
    while (order == 0 && next == SHALLOW_PAIR) {
        order = shallow_pair(&s);
        if (order == 0) next = shallow_next(&s);
    }
    *steps = ORDER_SHALLOW - s.left;
    return next == SHALLOW_TOO_LARGE ? ORDER_MORE : order;
}

void order_begin_kind(OrderWalk *o, const AtomTable *atoms, OrderKind kind, Term a, Term b,
                      Mem *mem)
{
    bool exact = kind == ORDER_KIND_SAME || kind == ORDER_KIND_KEYS;
    OrderMode mode = exact ? ORDER_EXACT : ORDER_STANDARD;
    if (kind == ORDER_KIND_ORDER || kind == ORDER_KIND_KEYS)
        order_begin(o, atoms, mode, a, b, mem);
    else
        order_begin_equal(o, mode, a, b, mem);
}

int order_quick_slow(const AtomTable *atoms, OrderKind kind, Term a, Term b)
{
    bool same;
    if (kind == ORDER_KIND_SAME && order_is_plain(a, b, &same)) return !same;
    if (kind == ORDER_KIND_ORDER || kind == ORDER_KIND_EQUAL) {
        size_t steps;
        int order = order_shallow(atoms, a, b, &steps);
        if (order != ORDER_MORE) return order;
    }
    size_t budget = ORDER_QUICK;
    return order_within(atoms, kind, a, b, &budget);
}
