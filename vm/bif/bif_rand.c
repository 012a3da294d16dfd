/*
 * Built-ins of mote_rand: steps of rand's default generator, exsss, whose state is
 * {exsss, [S1 | S0]} with two numbers of 58 bits; the normal distribution; splitmix64.
 */
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/tuple.h"

#define RAND_BITS     58
#define RAND_MASK     ((UINT64_C(1) << RAND_BITS) - 1)
#define RAND_TO_FLOAT 0x1p-53

typedef struct RandState {
    uint64_t s1;
    uint64_t s0;
} RandState;

static bool rand_number(Term t, uint64_t *n)
{
    if (!term_is_small(t) || small_value(t) < 0 || (uint64_t)small_value(t) > RAND_MASK)
        return false;
    *n = (uint64_t)small_value(t);
    return true;
}

/* [S1 | S0] */
static bool rand_read(Term t, RandState *s)
{
    return term_is_cons(t) && rand_number(list_head(t), &s->s1)
           && rand_number(list_tail(t), &s->s0);
}

/* The number that the state gives, of 58 bits; the state goes on. */
static inline uint64_t rand_next(RandState *s)
{
    uint64_t a = s->s0 * 5 & RAND_MASK;
    uint64_t b = (a << 7 | a >> (RAND_BITS - 7)) & RAND_MASK;
    uint64_t c = (s->s1 ^ s->s1 << 24) & RAND_MASK;
    uint64_t next = c ^ s->s0 ^ c >> 11 ^ s->s0 >> 41;
    s->s1 = s->s0;
    s->s0 = next;
    return b * 9 & RAND_MASK;
}

static Term rand_numbers_at(Word *at, const RandState *s)
{
    return cons_at(at, small_from((int64_t)s->s1), small_from((int64_t)s->s0));
}

/* Words of {exsss, [S1 | S0]}, and of {_, {exsss, [S1 | S0]}}. */
#define RAND_STATE_WORDS  5
#define RAND_RESULT_WORDS (3 + RAND_STATE_WORDS)

static Term rand_state_at(Word *at, const RandState *s)
{
    Term t = tuple_at_words(at, 2);
    at[1] = TERM_ATOM(EXSSS).w;
    at[2] = rand_numbers_at(at + 3, s).w;
    return t;
}

static Term rand_result_at(Word *at, Term value, const RandState *s)
{
    Term t = tuple_at_words(at, 2);
    at[1] = value.w;
    at[2] = rand_state_at(at + 3, s).w;
    return t;
}

static BifResult rand_float_result(Process *p, double value, const RandState *s)
{
    Word *at = heap_alloc(&p->heap, 2 + RAND_RESULT_WORDS);
    return at == NULL ? raise_system_limit(p) : rand_result_at(at + 2, float_at(at, value), s);
}

/* float([S1 | S0]): {Float, State} */
BifResult bif_rand_float(Process *p)
{
    RandState s;
    if (!rand_read(arg(p, 0), &s)) return raise_badarg(p);
    double value = (double)(rand_next(&s) >> 5) * RAND_TO_FLOAT;
    return rand_float_result(p, value, &s);
}

/* below(N, [S1 | S0]): {1 … N, State}, for N up to 2^58.  Numbers in the last, incomplete block
 * are given up for others: half of them, at worst. */
BifResult bif_rand_below(Process *p)
{
    RandState s;
    Term n = arg(p, 0);
    if (!rand_read(arg(p, 1), &s) || !term_is_small(n) || small_value(n) < 1
        || (uint64_t)small_value(n) > RAND_MASK + 1)
        return raise_badarg(p);
    uint64_t size = (uint64_t)small_value(n);
    uint64_t value;
    uint64_t index;
    do {
        value = rand_next(&s);
        index = value % size;
    } while (value - index + size > RAND_MASK + 1);
    Word *at = heap_alloc(&p->heap, RAND_RESULT_WORDS);
    return at == NULL ? raise_system_limit(p)
                      : rand_result_at(at, small_from((int64_t)index + 1), &s);
}

/* ---- the normal distribution ---- */

/* The 256 layers of equal area under the curve exp(-x*x/2) from 0 on, for numbers of 51 bits.
 * With x(255) = 3.654152885361009 and A the area of a layer (0.004928673233974652), layer i ends
 * at x(i), where f(x(i - 1)) - f(x(i)) = A / x(i); f(x) = exp(-x*x/2).  A number below 2^51 *
 * x(i - 1) / x(i) is surely under the curve; times x(i) / 2^51, it is the place on the axis.
 * Layer 0 is the one with the tail, as wide as a rectangle of its height and area. */
typedef struct RandLayer {
    int64_t bound;
    double step;
} RandLayer;

static const RandLayer rand_layers[256] = {
#include "vm/bif/rand_layers.def"
};

/* normal([S1 | S0]): {Float, State}; or, at the edge of a layer, {Layer, IsNegative, Float, State}
 * where the curve has to be asked. */
BifResult bif_rand_normal(Process *p)
{
    RandState s;
    if (!rand_read(arg(p, 0), &s)) return raise_badarg(p);
    uint64_t value = rand_next(&s);
    bool negative = (value & 1 << (RAND_BITS - 52)) != 0;
    int64_t place = (int64_t)(value >> (RAND_BITS - 51));
    const RandLayer *layer = &rand_layers[place & 255];
    double x = (double)place * layer->step;
    if (negative) x = -x;
    if (place < layer->bound) return rand_float_result(p, x, &s);
    Word *at = heap_alloc(&p->heap, 2 + RAND_STATE_WORDS + 5);
    if (at == NULL) return raise_system_limit(p);
    Term number = float_at(at, x);
    Term state = rand_state_at(at + 2, &s);
    at += 2 + RAND_STATE_WORDS;
    Term t = tuple_at_words(at, 4);
    at[1] = small_from(place & 255).w;
    at[2] = term_bool(negative).w;
    at[3] = number.w;
    at[4] = state.w;
    return t;
}

/* layer(0 … 255): {Bound, Step} */
BifResult bif_rand_layer(Process *p)
{
    Term i = arg(p, 0);
    if (!term_is_small(i) || small_value(i) < 0 || small_value(i) > 255) return raise_badarg(p);
    const RandLayer *layer = &rand_layers[small_value(i)];
    Term step = heap_float(&p->heap, layer->step);
    Term t = heap_tuple2(&p->heap, small_from(layer->bound), step);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- bytes ---- */

/* Seven of each number's 58 bits' eight, the highest; of the last number the lowest of those. */
#define RAND_BYTES 7
/* Bytes that a reduction pays for. */
#define RAND_RATE 16

typedef struct RandBytes {
    Pause pause; /* first */
    RandState state;
    Term result;
    uint8_t *to;
    size_t left;
} RandBytes;

static void rand_bytes_release(Pause *pause, Process *p)
{
    task_free(pause, sizeof(RandBytes), p);
}

static void rand_put(uint8_t *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (uint8_t)(value >> 8 * (n - 1 - i));
}

/* The last bytes take a number too, even when there are none. */
static bool rand_bytes_step(RandBytes *r, size_t budget)
{
    for (; r->left > RAND_BYTES && budget >= RAND_BYTES; budget -= RAND_BYTES) {
        rand_put(r->to, rand_next(&r->state) >> 2, RAND_BYTES);
        r->to += RAND_BYTES;
        r->left -= RAND_BYTES;
    }
    if (r->left > RAND_BYTES) return false;
    rand_put(r->to, rand_next(&r->state) >> 8 * (RAND_BYTES - r->left), r->left);
    return true;
}

/* bytes(N, [S1 | S0]): {N bytes, State} */
BifResult bif_rand_bytes(Process *p)
{
    RandBytes here;
    RandBytes *r = (RandBytes *)pause_find(p, rand_bytes_release);
    if (r == NULL) {
        r = &here;
        Term n = arg(p, 0);
        if (!rand_read(arg(p, 1), &r->state) || !term_is_small(n) || small_value(n) < 0)
            return raise_badarg(p);
        r->left = (size_t)small_value(n);
        if (r->left > BINARY_MAX_BYTES) return raise_system_limit(p);
        r->result = binary_new(&p->heap, 8 * r->left, &r->to);
        if (term_is_none(r->result)) return raise_system_limit(p);
    }
    size_t before = r->left;
    bool done = rand_bytes_step(r, task_budget(p, RAND_RATE));
    bif_charge(p, (int64_t)((before - r->left) / RAND_RATE));
    if (!done) {
        (void)task_keep(p, r, sizeof *r, rand_bytes_release);
        return bif_yield(p);
    }
    Term result = r->result;
    RandState state = r->state;
    task_end(p, &r->pause, rand_bytes_release);
    Word *at = heap_alloc(&p->heap, RAND_RESULT_WORDS);
    return at == NULL ? raise_system_limit(p) : rand_result_at(at, result, &state);
}

/* ---- seeds ---- */

/* The lowest 64 bits; false: no integer. */
static bool rand_low64(Term t, uint64_t *n)
{
    if (!term_is_integer(t)) return false;
    BigView v;
    big_view(&v, t);
    *n = v.count == 0 ? 0 : v.limbs[0];
    if (v.negative) *n = -*n;
    return true;
}

static uint64_t rand_split(uint64_t *x)
{
    *x += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t a = (*x ^ *x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    uint64_t b = (a ^ a >> 27) * UINT64_C(0x94D049BB133111EB);
    return b ^ b >> 31;
}

/* splitmix64(X): {64 bits, X1} */
BifResult bif_rand_splitmix64(Process *p)
{
    uint64_t x;
    if (!rand_low64(arg(p, 0), &x)) return raise_badarg(p);
    Term z = heap_uint64(&p->heap, rand_split(&x));
    Term t = heap_tuple2(&p->heap, z, heap_uint64(&p->heap, x));
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* seed(X): [S1 | S0] from a stream of splitmix64; zero is no state. */
BifResult bif_rand_seed(Process *p)
{
    uint64_t x;
    if (!rand_low64(arg(p, 0), &x)) return raise_badarg(p);
    RandState s;
    do s.s1 = rand_split(&x) & RAND_MASK;
    while (s.s1 == 0);
    do s.s0 = rand_split(&x) & RAND_MASK;
    while (s.s0 == 0);
    Word *at = heap_alloc(&p->heap, 2);
    return at == NULL ? raise_system_limit(p) : rand_numbers_at(at, &s);
}
