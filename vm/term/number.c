#include "vm/term/number.h"

#include "vm/term/big.h"
#include "vm/term/float.h"

#include <math.h>

bool number_to_double(Term t, double *out)
{
    if (term_is_small(t)) {
        *out = (double)small_value(t);
        return true;
    }
    if (!term_is_boxed(t)) return false;
    if (boxed_kind(t) == KIND_FLOAT) {
        *out = float_value(t);
        return true;
    }
    return term_is_big(t) && big_to_double(t, out);
}

static Term float_result(Heap *h, double d)
{
    return float_is_finite(d) ? heap_float(h, d) : TERM_NONE;
}

static bool both_integers(Term a, Term b) { return term_is_integer(a) && term_is_integer(b); }

Term number_add(Heap *h, Term a, Term b)
{
    if (term_both_small(a, b)) return heap_int64(h, small_value(a) + small_value(b));
    if (both_integers(a, b)) return big_add(h, a, b);
    double x;
    double y;
    if (!number_to_double(a, &x) || !number_to_double(b, &y)) return TERM_NONE;
    return float_result(h, x + y);
}

Term number_sub(Heap *h, Term a, Term b)
{
    if (term_both_small(a, b)) return heap_int64(h, small_value(a) - small_value(b));
    if (both_integers(a, b)) return big_sub(h, a, b);
    double x;
    double y;
    if (!number_to_double(a, &x) || !number_to_double(b, &y)) return TERM_NONE;
    return float_result(h, x - y);
}

Term number_mul(Heap *h, Term a, Term b)
{
    if (term_both_small(a, b)) {
        int64_t product;
        if (!__builtin_mul_overflow(small_value(a), small_value(b), &product))
            return heap_int64(h, product);
    }
    if (both_integers(a, b)) return big_mul(h, a, b);
    double x;
    double y;
    if (!number_to_double(a, &x) || !number_to_double(b, &y)) return TERM_NONE;
    return float_result(h, x * y);
}

Term number_divide(Heap *h, Term a, Term b)
{
    double x;
    double y;
    if (!number_to_double(a, &x) || !number_to_double(b, &y) || y == 0) return TERM_NONE;
    return float_result(h, x / y);
}

Term number_div(Heap *h, Term a, Term b)
{
    if (!both_integers(a, b) || b.w == small_from(0).w) return TERM_NONE;
    if (term_both_small(a, b)) return heap_int64(h, small_value(a) / small_value(b));
    return big_div(h, a, b);
}

Term number_rem(Heap *h, Term a, Term b)
{
    if (!both_integers(a, b) || b.w == small_from(0).w) return TERM_NONE;
    if (term_both_small(a, b)) return small_from(small_value(a) % small_value(b));
    return big_rem(h, a, b);
}

Term number_band(Heap *h, Term a, Term b)
{
    if (term_both_small(a, b)) return TERM_RAW(a.w & b.w);
    return both_integers(a, b) ? big_logic(h, BIG_AND, a, b) : TERM_NONE;
}

Term number_bor(Heap *h, Term a, Term b)
{
    if (term_both_small(a, b)) return TERM_RAW(a.w | b.w);
    return both_integers(a, b) ? big_logic(h, BIG_OR, a, b) : TERM_NONE;
}

Term number_bxor(Heap *h, Term a, Term b)
{
    if (term_both_small(a, b)) return TERM_RAW(a.w ^ b.w);
    return both_integers(a, b) ? big_logic(h, BIG_XOR, a, b) : TERM_NONE;
}

/* a shifted left by b, or right if `right`; a count beyond 64 bits shifts everything out. */
static Term shift(Heap *h, Term a, Term b, bool right)
{
    if (!both_integers(a, b)) return TERM_NONE;
    if (a.w == small_from(0).w) return a;
    if (!term_is_small(b)) {
        bool to_right = big_is_negative(b) != right;
        if (!to_right) return TERM_NONE;
        return small_from(number_compare(a, small_from(0)) < 0 ? -1 : 0);
    }
    int64_t n = right ? -small_value(b) : small_value(b);
    if (term_is_small(a)) {
        int64_t v = small_value(a);
        if (n <= 0) return small_from(n > -63 ? v >> -n : v < 0 ? -1 : 0);
        if (n < 63 && (int64_t)((uint64_t)v << n) >> n == v)
            return heap_int64(h, (int64_t)((uint64_t)v << n));
    }
    return big_shift(h, a, n);
}

Term number_bsl(Heap *h, Term a, Term b) { return shift(h, a, b, false); }

Term number_bsr(Heap *h, Term a, Term b) { return shift(h, a, b, true); }

Term number_neg(Heap *h, Term a)
{
    if (term_is_small(a)) return heap_int64(h, -small_value(a));
    if (term_is_float(a)) return heap_float(h, -float_value(a));
    return term_is_big(a) ? big_neg(h, a) : TERM_NONE;
}

Term number_bnot(Heap *h, Term a)
{
    if (term_is_small(a)) return small_from(~small_value(a));
    return term_is_big(a) ? big_not(h, a) : TERM_NONE;
}

Term number_abs(Heap *h, Term a)
{
    if (term_is_small(a)) return small_value(a) < 0 ? number_neg(h, a) : a;
    if (term_is_float(a)) return signbit(float_value(a)) ? heap_float(h, -float_value(a)) : a;
    if (!term_is_big(a)) return TERM_NONE;
    return big_is_negative(a) ? big_neg(h, a) : a;
}

Term number_apply(Heap *h, NumberOp op, Term a, Term b)
{
    switch (op) {
    case NUMBER_ADD: return number_add(h, a, b);
    case NUMBER_SUB: return number_sub(h, a, b);
    case NUMBER_MUL: return number_mul(h, a, b);
    case NUMBER_DIVIDE: return number_divide(h, a, b);
    case NUMBER_DIV: return number_div(h, a, b);
    case NUMBER_REM: return number_rem(h, a, b);
    case NUMBER_BAND: return number_band(h, a, b);
    case NUMBER_BOR: return number_bor(h, a, b);
    case NUMBER_BXOR: return number_bxor(h, a, b);
    case NUMBER_BSL: return number_bsl(h, a, b);
    case NUMBER_BSR: return number_bsr(h, a, b);
    case NUMBER_NEG: return number_neg(h, a);
    case NUMBER_BNOT: return number_bnot(h, a);
    case NUMBER_ABS: return number_abs(h, a);
    case NUMBER_OP_COUNT: break;
    }
    UNREACHABLE();
}

NumberError number_why(NumberOp op, Term a, Term b)
{
    bool unary = op == NUMBER_NEG || op == NUMBER_BNOT || op == NUMBER_ABS;
    if (unary) b = small_from(1);
    /* Anything with a float in it fails by its operands or by its range. */
    if (op == NUMBER_DIVIDE || !both_integers(a, b)) {
        bool floats = term_is_number(a) && term_is_number(b);
        /* A float result that only lacked memory. */
        double x;
        double y;
        if (!floats || op > NUMBER_DIVIDE || !number_to_double(a, &x)
            || !number_to_double(b, &y))
            return NUMBER_BADARITH;
        if (op == NUMBER_DIVIDE && y == 0) return NUMBER_BADARITH;
        double r = op == NUMBER_ADD   ? x + y
                   : op == NUMBER_SUB ? x - y
                   : op == NUMBER_MUL ? x * y
                                      : x / y;
        return float_is_finite(r) ? NUMBER_SYSTEM_LIMIT : NUMBER_BADARITH;
    }
    bool divides = op == NUMBER_DIV || op == NUMBER_REM;
    return divides && b.w == small_from(0).w ? NUMBER_BADARITH : NUMBER_SYSTEM_LIMIT;
}

static size_t limbs_of(Term t) { return term_is_big(t) ? big_limbs(t) : 1; }

/* The measured times of GMP grow like n log^2 n with about these factors. */
static uint64_t limbs_cost(size_t n)
{
    uint64_t log = 64 - (uint64_t)__builtin_clzll(n | 1);
    return n * log * log;
}

uint64_t number_cost(NumberOp op, Term a, Term b)
{
    size_t x = limbs_of(a);
    size_t y = limbs_of(b);
    size_t large = x > y ? x : y;
    size_t other = x > y ? y : x;
    if (large < 64) return 0;
    switch (op) {
    case NUMBER_MUL: {
        uint64_t simple = (uint64_t)large * other / 2;
        uint64_t clever = large * (limbs_cost(other) / other + 1);
        return simple < clever ? simple : clever;
    }
    case NUMBER_DIV:
    case NUMBER_REM: {
        if (x < y) return 0;
        uint64_t simple = (uint64_t)(x - y + 1) * y;
        uint64_t clever = 3 * limbs_cost(x);
        return simple < clever ? simple : clever;
    }
    case NUMBER_BSL:
        return term_is_small(b) && small_value(b) > 0 ? x + (uint64_t)small_value(b) / 64 : x;
    default: return large;
    }
}

static int compare_small_with_double(int64_t i, double d)
{
    if (d >= 0x1p62) return -1;
    if (d < -0x1p62) return 1;
    int64_t whole = (int64_t)d;
    if (i != whole) return i < whole ? -1 : 1;
    double rest = d - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

/* The magnitude of a big whose length in bits is the float's: at least 62, so the float is
 * whole. Its 64 top bits decide; what lies below can only make the integer larger. */
static int compare_mantissas(const BigView *v, size_t bits, double fraction)
{
    Limb mantissa = (Limb)ldexp(fraction, 64);
    unsigned space = (unsigned)(v->count * 64 - bits);
    Limb top = v->limbs[v->count - 1] << space;
    bool below = false;
    if (v->count > 1) {
        Limb next = v->limbs[v->count - 2];
        if (space != 0) top |= next >> (64 - space);
        below = next << space != 0;
        for (size_t i = 0; i + 2 < v->count && !below; i++) below = v->limbs[i] != 0;
    }
    if (top != mantissa) return top < mantissa ? -1 : 1;
    return below;
}

/* An integer and a float, exactly. */
static int compare_with_double(Term t, double d)
{
    if (term_is_small(t)) return compare_small_with_double(small_value(t), d);
    BigView v;
    big_view(&v, t);
    if (d == 0 || v.negative != (d < 0)) return v.negative ? -1 : 1;
    int exponent = 0;
    double fraction = frexp(fabs(d), &exponent);
    size_t bits = big_bits(t);
    int order;
    if (exponent <= 0 || bits != (size_t)exponent)
        order = exponent <= 0 || bits > (size_t)exponent ? 1 : -1;
    else
        order = compare_mantissas(&v, bits, fraction);
    return v.negative ? -order : order;
}

int number_compare(Term a, Term b)
{
    bool a_float = !term_is_small(a) && boxed_kind(a) == KIND_FLOAT;
    bool b_float = !term_is_small(b) && boxed_kind(b) == KIND_FLOAT;
    if (a_float && b_float) {
        double x = float_value(a);
        double y = float_value(b);
        return x < y ? -1 : x > y;
    }
    if (a_float) return -compare_with_double(b, float_value(a));
    if (b_float) return compare_with_double(a, float_value(b));
    if (term_both_small(a, b)) {
        int64_t x = small_value(a);
        int64_t y = small_value(b);
        return x < y ? -1 : x > y;
    }
    return big_compare(a, b);
}

Term number_round(Heap *h, NumberRound how, Term t)
{
    if (term_is_integer(t)) return t;
    double d = float_value(t);
    switch (how) {
    case NUMBER_TRUNC: break;
    case NUMBER_ROUND: d = round(d); break;
    case NUMBER_FLOOR: d = floor(d); break;
    case NUMBER_CEIL: d = ceil(d); break;
    }
    return big_from_double(h, d);
}

void number_print_integer(Bytes *to, Term t, int base)
{
    if (!term_is_small(t)) {
        big_print(to, t, base);
        return;
    }
    int64_t value = small_value(t);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint8_t digits[65];
    size_t n = sizeof digits;
    do {
        uint8_t digit = (uint8_t)(rest % (uint64_t)base);
        digits[--n] = (uint8_t)(digit < 10 ? '0' + digit : 'A' + digit - 10);
        rest /= (uint64_t)base;
    } while (rest != 0);
    if (value < 0) digits[--n] = '-';
    bytes_put(to, digits + n, sizeof digits - n);
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

Term number_read_integer(Heap *h, const uint8_t *text, size_t n, int base, bool *too_large)
{
    if (too_large != NULL) *too_large = false;
    bool negative = n > 0 && *text == '-';
    if (n > 0 && (*text == '-' || *text == '+')) {
        text++;
        n--;
    }
    if (n == 0) return TERM_NONE;
    uint64_t value = 0;
    bool fits = true;
    for (size_t i = 0; i < n; i++) {
        int digit = digit_of(text[i]);
        if (digit >= base) return TERM_NONE;
        fits = fits && !__builtin_mul_overflow(value, (uint64_t)base, &value)
               && !__builtin_add_overflow(value, (uint64_t)digit, &value);
    }
    if (fits && value <= (uint64_t)SMALL_MAX)
        return small_from(negative ? -(int64_t)value : (int64_t)value);
    Term t = big_read(h, text, n, base, negative);
    if (too_large != NULL) *too_large = term_is_none(t);
    return t;
}

uint64_t number_radix_cost(size_t digits, int base)
{
    if ((base & (base - 1)) == 0) return digits;
    return digits < 1000 ? digits * 2 : 4 * limbs_cost(digits / 19 + 1);
}
