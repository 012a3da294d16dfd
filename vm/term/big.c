#include "vm/term/big.h"

#include <float.h>
#include <gmp.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(mp_limb_t) == sizeof(Limb), "limbs are words of the heap");
_Static_assert(GMP_NAIL_BITS == 0, "limbs use all their bits");

void big_view(BigView *v, Term t)
{
    if (term_is_small(t)) {
        int64_t value = small_value(t);
        v->negative = value < 0;
        v->one = value < 0 ? 0 - (Limb)value : (Limb)value;
        v->limbs = &v->one;
        v->count = value != 0;
        return;
    }
    v->negative = big_is_negative(t);
    v->limbs = boxed_words(t) + 1;
    v->count = big_limbs(t);
}

static size_t significant(const Limb *limbs, size_t n)
{
    while (n > 0 && limbs[n - 1] == 0) n--;
    return n;
}

/* Room for a result of `n` limbs, header included; NULL if that is beyond the limit. */
static Word *result_room(Heap *h, size_t n)
{
    /* One limb of slack: sums and products are often one limb shorter than their bound. */
    return n > LIMIT_BIG_WORDS + 1 ? NULL : heap_alloc(h, n + 1);
}

/* Makes the integer whose `n` limbs stand at at[1], in room for `room` limbs: normalises, gives
 * back what is not needed. */
static Term result_finish(Heap *h, Word *at, size_t room, size_t n, bool negative)
{
    n = significant(at + 1, n);
    Limb limit = negative ? (Limb)1 << (SMALL_BITS - 1) : (Limb)SMALL_MAX;
    if (n == 0 || (n == 1 && at[1] <= limit)) {
        Limb value = n == 0 ? 0 : at[1];
        heap_shrink(h, at, room + 1, 0);
        return small_from(negative ? (int64_t)(0 - value) : (int64_t)value);
    }
    if (n > LIMIT_BIG_WORDS) {
        heap_shrink(h, at, room + 1, 0);
        return TERM_NONE;
    }
    at[0] = header_make(negative ? KIND_BIG_NEGATIVE : KIND_BIG_POSITIVE, n);
    heap_shrink(h, at, room + 1, n + 1);
    return boxed_from(at);
}

static int compare_limbs(const Limb *a, size_t an, const Limb *b, size_t bn)
{
    if (an != bn) return an < bn ? -1 : 1;
    return an == 0 ? 0 : mpn_cmp(a, b, (mp_size_t)an);
}

/* a + b, where the sign of b may be turned round. */
static Term add_signed(Heap *h, Term a, Term b, bool turn_b)
{
    BigView x;
    BigView y;
    big_view(&x, a);
    big_view(&y, b);
    bool y_negative = y.negative != turn_b;
    bool swap = x.negative == y_negative
                    ? x.count < y.count
                    : compare_limbs(x.limbs, x.count, y.limbs, y.count) < 0;
    const BigView *large = swap ? &y : &x;
    const BigView *other = swap ? &x : &y;
    bool negative = swap ? y_negative : x.negative;
    size_t n = large->count + 1;
    Word *at = result_room(h, n);
    if (at == NULL) return TERM_NONE;
    at[n] = 0;
    if (other->count == 0)
        memcpy(at + 1, large->limbs, large->count * sizeof(Limb));
    else if (x.negative == y_negative)
        at[n] = mpn_add(at + 1, large->limbs, (mp_size_t)large->count, other->limbs,
                        (mp_size_t)other->count);
    else
        mpn_sub(at + 1, large->limbs, (mp_size_t)large->count, other->limbs,
                (mp_size_t)other->count);
    return result_finish(h, at, n, n, negative);
}

Term big_add(Heap *h, Term a, Term b) { return add_signed(h, a, b, false); }

Term big_sub(Heap *h, Term a, Term b) { return add_signed(h, a, b, true); }

Term big_neg(Heap *h, Term a) { return add_signed(h, small_from(0), a, true); }

Term big_mul(Heap *h, Term a, Term b)
{
    BigView x;
    BigView y;
    big_view(&x, a);
    big_view(&y, b);
    if (x.count == 0 || y.count == 0) return small_from(0);
    const BigView *large = x.count >= y.count ? &x : &y;
    const BigView *other = x.count >= y.count ? &y : &x;
    size_t n = x.count + y.count;
    Word *at = result_room(h, n);
    if (at == NULL) return TERM_NONE;
    if (large->limbs == other->limbs && large->count == other->count)
        mpn_sqr(at + 1, large->limbs, (mp_size_t)large->count);
    else
        mpn_mul(at + 1, large->limbs, (mp_size_t)large->count, other->limbs,
                (mp_size_t)other->count);
    return result_finish(h, at, n, n, x.negative != y.negative);
}

/* Quotient or remainder; the other one goes to scratch. */
static Term divide(Heap *h, Term a, Term b, bool want_quotient)
{
    BigView x;
    BigView y;
    big_view(&x, a);
    big_view(&y, b);
    ASSERT(y.count != 0);
    if (x.count < y.count) return want_quotient ? small_from(0) : a;
    size_t qn = x.count - y.count + 1;
    size_t rn = y.count;
    size_t n = want_quotient ? qn : rn;
    size_t scratch_bytes = (want_quotient ? rn : qn) * sizeof(Limb);
    Word *at = result_room(h, n);
    Limb *scratch = at == NULL ? NULL : mem_try_alloc(h->mem, MEM_WORK, scratch_bytes);
    if (scratch == NULL) {
        if (at != NULL) heap_shrink(h, at, n + 1, 0);
        return TERM_NONE;
    }
    Limb *q = want_quotient ? at + 1 : scratch;
    Limb *r = want_quotient ? scratch : at + 1;
    mpn_tdiv_qr(q, r, 0, x.limbs, (mp_size_t)x.count, y.limbs, (mp_size_t)y.count);
    mem_free(h->mem, MEM_WORK, scratch, scratch_bytes);
    return result_finish(h, at, n, n, want_quotient ? x.negative != y.negative : x.negative);
}

Term big_div(Heap *h, Term a, Term b) { return divide(h, a, b, true); }

Term big_rem(Heap *h, Term a, Term b) { return divide(h, a, b, false); }

/* Limb i of the two's complement, low limbs first; *carry starts as 1. */
static inline Limb complement_limb(const BigView *v, size_t i, Limb *carry)
{
    Limb limb = i < v->count ? v->limbs[i] : 0;
    if (!v->negative) return limb;
    Limb result = ~limb + *carry;
    *carry = *carry && result == 0;
    return result;
}

static inline Limb logic_limb(BigLogic op, Limb x, Limb y)
{
    switch (op) {
    case BIG_AND: return x & y;
    case BIG_OR: return x | y;
    case BIG_XOR: return x ^ y;
    }
    UNREACHABLE();
}

Term big_logic(Heap *h, BigLogic op, Term a, Term b)
{
    BigView x;
    BigView y;
    big_view(&x, a);
    big_view(&y, b);
    size_t n = (x.count > y.count ? x.count : y.count) + 1;
    Word *at = result_room(h, n);
    if (at == NULL) return TERM_NONE;
    Limb x_carry = 1;
    Limb y_carry = 1;
    for (size_t i = 0; i < n; i++)
        at[1 + i] =
            logic_limb(op, complement_limb(&x, i, &x_carry), complement_limb(&y, i, &y_carry));
    bool negative = logic_limb(op, x.negative, y.negative) != 0;
    if (negative) mpn_neg(at + 1, at + 1, (mp_size_t)n);
    return result_finish(h, at, n, n, negative);
}

Term big_not(Heap *h, Term a) { return add_signed(h, small_from(-1), a, true); }

static Term shift_left(Heap *h, const BigView *v, uint64_t bits)
{
    if (bits / 64 > LIMIT_BIG_WORDS) return TERM_NONE;
    size_t whole = (size_t)(bits / 64);
    unsigned part = (unsigned)(bits % 64);
    size_t n = v->count + whole + 1;
    Word *at = result_room(h, n);
    if (at == NULL) return TERM_NONE;
    memset(at + 1, 0, whole * sizeof(Limb));
    at[n] = 0;
    if (part != 0)
        at[n] = mpn_lshift(at + 1 + whole, v->limbs, (mp_size_t)v->count, part);
    else
        memcpy(at + 1 + whole, v->limbs, v->count * sizeof(Limb));
    return result_finish(h, at, n, n, v->negative);
}

static Term shift_right(Heap *h, const BigView *v, uint64_t bits)
{
    if (bits / 64 >= v->count) return small_from(v->negative ? -1 : 0);
    size_t whole = (size_t)(bits / 64);
    unsigned part = (unsigned)(bits % 64);
    size_t n = v->count - whole;
    Word *at = result_room(h, n + 1);
    if (at == NULL) return TERM_NONE;
    bool lost = significant(v->limbs, whole) != 0;
    if (part != 0)
        lost |= mpn_rshift(at + 1, v->limbs + whole, (mp_size_t)n, part) != 0;
    else
        memcpy(at + 1, v->limbs + whole, n * sizeof(Limb));
    at[n + 1] = 0;
    /* Towards minus infinity: a negative number that loses bits has the next larger
     * magnitude. */
    if (v->negative && lost) mpn_add_1(at + 1, at + 1, (mp_size_t)(n + 1), 1);
    return result_finish(h, at, n + 1, n + 1, v->negative);
}

Term big_shift(Heap *h, Term a, int64_t bits)
{
    BigView v;
    big_view(&v, a);
    if (v.count == 0 || bits == 0) return a;
    return bits > 0 ? shift_left(h, &v, (uint64_t)bits)
                    : shift_right(h, &v, 0 - (uint64_t)bits);
}

int big_compare(Term a, Term b)
{
    BigView x;
    BigView y;
    big_view(&x, a);
    big_view(&y, b);
    if (x.negative != y.negative) return x.negative ? -1 : 1;
    int order = compare_limbs(x.limbs, x.count, y.limbs, y.count);
    return x.negative ? -order : order;
}

/* Limb by limb from the top, rounding at each: now and then that is not the nearest double, but
 * it is the one that OTP 25 gives, and programs see it. */
bool big_to_double(Term t, double *out)
{
    BigView v;
    big_view(&v, t);
    double d = 0.0;
    for (size_t i = v.count; i-- > 0 && d <= DBL_MAX;) d = d * 0x1p64 + (double)v.limbs[i];
    *out = v.negative ? -d : d;
    return d <= DBL_MAX;
}

Term big_from_double(Heap *h, double d)
{
    int exponent = 0;
    double fraction = frexp(fabs(d), &exponent);
    if (exponent <= 63) return heap_int64(h, (int64_t)d);
    Limb mantissa = (Limb)ldexp(fraction, 64); /* exact: 53 bits */
    BigView v = {.count = 1, .negative = d < 0, .one = mantissa};
    v.limbs = &v.one;
    return exponent >= 64 ? shift_left(h, &v, (uint64_t)(exponent - 64))
                          : shift_right(h, &v, (uint64_t)(64 - exponent));
}

bool big_to_int64(Term t, int64_t *out)
{
    BigView v;
    big_view(&v, t);
    if (v.count > 1) return false;
    Limb value = v.count == 0 ? 0 : v.limbs[0];
    if (value > (Limb)INT64_MAX + v.negative) return false;
    *out = (int64_t)(v.negative ? 0 - value : value);
    return true;
}

bool big_to_uint64(Term t, uint64_t *out)
{
    BigView v;
    big_view(&v, t);
    if (v.count > 1 || v.negative) return false;
    *out = v.count == 0 ? 0 : v.limbs[0];
    return true;
}

size_t big_bits(Term t)
{
    BigView v;
    big_view(&v, t);
    if (v.count == 0) return 0;
    return v.count * 64 - (size_t)__builtin_clzll(v.limbs[v.count - 1]);
}

Term big_from_limbs(Heap *h, const Limb *limbs, size_t n, bool negative)
{
    n = significant(limbs, n);
    Word *at = result_room(h, n);
    if (at == NULL) return TERM_NONE;
    memcpy(at + 1, limbs, n * sizeof(Limb));
    return result_finish(h, at, n, n, negative);
}

Term big_from_bytes(Heap *h, const uint8_t *bytes, size_t n, bool little, bool negative)
{
    while (n > 0 && bytes[little ? n - 1 : 0] == 0) {
        if (!little) bytes++;
        n--;
    }
    size_t limbs = (n + 7) / 8;
    Word *at = result_room(h, limbs);
    if (at == NULL) return TERM_NONE;
    if (limbs != 0) at[limbs] = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0) at[1 + i / 8] = 0;
        at[1 + i / 8] |= (Limb)bytes[little ? i : n - 1 - i] << (i % 8 * 8);
    }
    return result_finish(h, at, limbs, limbs, negative);
}

void big_to_bytes(Term t, uint8_t *to, size_t n)
{
    BigView v;
    big_view(&v, t);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(i / 8 < v.count ? v.limbs[i / 8] >> (i % 8 * 8) : 0);
}

void big_print(Bytes *to, Term t, int base)
{
    BigView v;
    big_view(&v, t);
    if (v.negative) bytes_put_u8(to, '-');
    if (v.count == 0) {
        bytes_put_u8(to, '0');
        return;
    }
    /* GMP wants a copy of the number, and room for one digit more than the number has. */
    size_t scratch_bytes = (v.count + 1) * sizeof(Limb);
    Limb *scratch = mem_alloc(to->mem, MEM_WORK, scratch_bytes);
    memcpy(scratch, v.limbs, v.count * sizeof(Limb));
    size_t most = (size_t)((double)(v.count * 64) / log2(base)) + 3;
    bytes_reserve(to, most);
    uint8_t *digits = to->at + to->count;
    size_t n = mpn_get_str(digits, base, scratch, (mp_size_t)v.count);
    mem_free(to->mem, MEM_WORK, scratch, scratch_bytes);
    size_t skip = 0;
    while (skip + 1 < n && digits[skip] == 0) skip++;
    for (size_t i = skip; i < n; i++)
        digits[i - skip] = (uint8_t)(digits[i] < 10 ? '0' + digits[i] : 'A' + digits[i] - 10);
    to->count += n - skip;
}

static uint8_t digit_value(uint8_t c)
{
    if (c <= '9') return (uint8_t)(c - '0');
    return (uint8_t)((c | 0x20) - 'a' + 10);
}

Term big_read(Heap *h, const uint8_t *digits, size_t n, int base, bool negative)
{
    while (n > 1 && *digits == '0') {
        digits++;
        n--;
    }
    double bits = (double)n * log2(base);
    if (bits > (double)LIMIT_BIG_WORDS * 64 + 64) return TERM_NONE;
    size_t room = (size_t)(bits / 64) + 2;
    Word *at = heap_alloc(h, room + 1);
    uint8_t *values = at == NULL ? NULL : mem_try_alloc(h->mem, MEM_WORK, n);
    if (values == NULL) {
        if (at != NULL) heap_shrink(h, at, room + 1, 0);
        return TERM_NONE;
    }
    for (size_t i = 0; i < n; i++) values[i] = digit_value(digits[i]);
    size_t limbs = (size_t)mpn_set_str(at + 1, values, n, base);
    mem_free(h->mem, MEM_WORK, values, n);
    return result_finish(h, at, room, limbs, negative);
}
