#include "vm/term/float.h"

#include "vm/base/panic.h"

#include <gmp.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- shortest digits ----
 *
 * The method is Raffaello Giulietti's: scale the float and the two ends of the interval of
 * numbers that round to it by one power of ten known to 128 bits; rounding the products to odd
 * keeps every comparison exact.  Among the decimals of the interval with the fewest digits the
 * closest wins. */

typedef struct Power {
    uint64_t high;
    uint64_t low;
} Power;

#define POWER_MIN (-292)

static const Power powers[] = {
#define POWER(high, low) {high, low},
#include "vm/term/float_powers.def"
#undef POWER
};

/* floor(log10(2^q)), or of 3/4 * 2^q; floor(log2(10^k)): exact in the range of doubles. */
static int floor_log10_pow2(int q, bool three_quarters)
{
    return (q * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

static int floor_log2_pow10(int k) { return (k * 1741647) >> 19; }

__extension__ typedef unsigned __int128 Uint128;

/* The top 64 bits of power * c, with the lowest set if anything was lost. */
static uint64_t round_to_odd(Power power, uint64_t c)
{
    Uint128 low = (Uint128)power.low * c;
    Uint128 high = (Uint128)power.high * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

typedef struct Decimal {
    uint64_t digits;
    int exponent;
} Decimal;

/* The decimal for c * 2^q. */
static Decimal shortest_decimal(uint64_t c, int q, bool closer_below)
{
    bool even = (c & 1) == 0;
    int k = floor_log10_pow2(q, closer_below);
    int h = q + floor_log2_pow10(-k) + 1;
    Power power = powers[-k - POWER_MIN];
    uint64_t below = round_to_odd(power, (4 * c - 2 + closer_below) << h);
    uint64_t value = round_to_odd(power, (4 * c) << h);
    uint64_t above = round_to_odd(power, (4 * c + 2) << h);
    uint64_t lower = below + !even;
    uint64_t upper = above - !even;
    uint64_t s = value / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down = lower <= 40 * tens;
        bool up = 40 * tens + 40 <= upper;
        if (down != up) return (Decimal){tens + up, k + 1};
    }
    bool down = lower <= 4 * s;
    bool up = 4 * s + 4 <= upper;
    if (down != up) return (Decimal){s + up, k};
    uint64_t middle = 4 * s + 2;
    bool round_up = value > middle || (value == middle && (s & 1) != 0);
    return (Decimal){s + round_up, k};
}

int float_shortest_digits(double d, char digits[17], int *point)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7FF);
    uint64_t c = exponent == 0 ? fraction : fraction | (uint64_t)1 << 52;
    int q = (exponent == 0 ? 1 : exponent) - 1075;
    Decimal decimal;
    if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0)
        decimal = (Decimal){c >> -q, 0}; /* a whole number below 2^53 */
    else
        decimal = shortest_decimal(c, q, fraction == 0 && exponent > 1);
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    char reversed[20];
    int n = 0;
    for (; decimal.digits != 0; decimal.digits /= 10)
        reversed[n++] = (char)('0' + decimal.digits % 10);
    for (int i = 0; i < n; i++) digits[i] = reversed[n - 1 - i];
    *point = n + decimal.exponent;
    return n;
}

/* ---- text ---- */

static size_t put_exponent(char *to, int exponent)
{
    size_t n = 0;
    to[n++] = 'e';
    if (exponent < 0) to[n++] = '-';
    unsigned value = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (value >= 100) to[n++] = (char)('0' + value / 100);
    if (value >= 10) to[n++] = (char)('0' + value / 10 % 10);
    to[n++] = (char)('0' + value % 10);
    return n;
}

static size_t put_zeros(char *to, int n)
{
    for (int i = 0; i < n; i++) to[i] = '0';
    return (size_t)(n > 0 ? n : 0);
}

static size_t put_digits(char *to, const char *digits, int n)
{
    memcpy(to, digits, (size_t)n);
    return (size_t)n;
}

/* How many characters the two forms take, without sign. */
static int plain_length(int n, int point)
{
    if (point <= 0) return 2 - point + n;
    return point >= n ? point + 2 : n + 1;
}

static int scientific_length(int n, int exponent)
{
    int magnitude = exponent < 0 ? -exponent : exponent;
    int digits = magnitude >= 100 ? 3 : magnitude >= 10 ? 2 : 1;
    return (n == 1 ? 3 : n + 1) + 1 + (exponent < 0) + digits;
}

size_t float_print(double d, char to[FLOAT_TEXT_MAX])
{
    size_t at = 0;
    if (signbit(d)) to[at++] = '-';
    if (d == 0) {
        return at + put_digits(to + at, "0.0", 3);
    }
    char digits[17] = {0};
    int point = 0;
    int n = float_shortest_digits(d, digits, &point);
    /* From 2^53 on neighbouring floats are more than 1 apart: plain digits would pretend a
     * precision that is not there. */
    bool plain = plain_length(n, point) <= scientific_length(n, point - 1) && fabs(d) < 0x1p53;
    if (!plain) {
        to[at++] = digits[0];
        to[at++] = '.';
        at += n == 1 ? put_zeros(to + at, 1) : put_digits(to + at, digits + 1, n - 1);
        return at + put_exponent(to + at, point - 1);
    }
    if (point <= 0) {
        at += put_zeros(to + at, 1);
        to[at++] = '.';
        at += put_zeros(to + at, -point);
        return at + put_digits(to + at, digits, n);
    }
    int whole = n < point ? n : point;
    at += put_digits(to + at, digits, whole);
    at += put_zeros(to + at, point - n);
    to[at++] = '.';
    return at
           + (n > point ? put_digits(to + at, digits + point, n - point)
                        : put_zeros(to + at, 1));
}

/* What printf wrote, with a point in place of whatever the host's locale has; 0 if it is too
 * long. */
static size_t without_locale(const char *from, int length, char to[FLOAT_TEXT_MAX])
{
    size_t n = 0;
    for (int i = 0; i < length && from[i] != 0; i++) {
        char c = from[i];
        bool ours = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e';
        if (!ours) {
            if (n > 0 && to[n - 1] == '.') continue;
            c = '.';
        }
        if (n == FLOAT_TEXT_MAX - 1) return 0;
        to[n++] = c;
    }
    return n;
}

size_t float_print_scientific(double d, int decimals, char to[FLOAT_TEXT_MAX])
{
    char text[FLOAT_TEXT_MAX + 8];
    if (decimals >= FLOAT_TEXT_MAX) return 0;
    int n = snprintf(text, sizeof text, "%.*e", decimals, d);
    return n >= (int)sizeof text ? 0 : without_locale(text, n, to);
}

/* With few decimals and a moderate value OTP rounds the scaled fraction in double precision;
 * the last digits differ from the exact ones, and programs see them. */
#define FAST_DECIMALS 18

static size_t print_decimals_fast(double d, int decimals, char to[FLOAT_TEXT_MAX])
{
    double value = fabs(d);
    double scale = 1.0;
    for (int i = 0; i < decimals; i++) scale *= 10.0;
    uint64_t whole;
    uint64_t fraction = 0;
    if (decimals == 0) {
        whole = (uint64_t)(value + 0.5);
    } else {
        whole = (uint64_t)value;
        double scaled = (value - (double)whole) * scale;
        fraction = (uint64_t)scaled;
        if (scaled - (double)fraction >= 0.5) fraction++;
        if ((double)fraction >= scale) {
            whole++;
            fraction = 0;
        }
    }
    const char *sign = signbit(d) ? "-" : "";
    int n = decimals == 0
                ? snprintf(to, FLOAT_TEXT_MAX, "%s%llu", sign, (unsigned long long)whole)
                : snprintf(to, FLOAT_TEXT_MAX, "%s%llu.%0*llu", sign, (unsigned long long)whole,
                           decimals, (unsigned long long)fraction);
    return (size_t)n;
}

size_t float_print_decimals(double d, int decimals, bool compact, char to[FLOAT_TEXT_MAX])
{
    size_t n;
    if (decimals <= FAST_DECIMALS && fabs(d) < 0x1p53 - 1) {
        n = print_decimals_fast(d, decimals, to);
    } else {
        char text[FLOAT_TEXT_MAX + 8];
        if (decimals >= FLOAT_TEXT_MAX) return 0;
        int length = snprintf(text, sizeof text, "%.*f", decimals, d);
        n = length >= (int)sizeof text ? 0 : without_locale(text, length, to);
    }
    if (compact && decimals > 0)
        while (n > 2 && to[n - 1] == '0' && to[n - 2] != '.') n--;
    return n;
}

/* ---- reading ---- */

/* More digits than this cannot matter except by not being all zero: a tie between two doubles
 * has at most 767 significant digits. */
#define READ_DIGITS 780
#define READ_LIMBS  128

typedef struct Literal {
    bool negative;
    uint8_t digits[READ_DIGITS + 1]; /* values, without leading zeros */
    int count;
    int64_t exponent; /* value = DIGITS * 10^exponent */
} Literal;

static void add_digit(Literal *l, uint8_t digit, bool *rest)
{
    if (l->count == 0 && digit == 0) return;
    if (l->count < READ_DIGITS) {
        l->digits[l->count++] = digit;
    } else {
        *rest = *rest || digit != 0;
        l->exponent++;
    }
}

static size_t scan_digits(const uint8_t *text, size_t n, Literal *l, bool *rest, bool fraction)
{
    size_t i = 0;
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++) {
        add_digit(l, (uint8_t)(text[i] - '0'), rest);
        if (fraction) l->exponent--;
    }
    return i;
}

static bool scan(const uint8_t *text, size_t n, Literal *l)
{
    bool rest = false;
    size_t i = 0;
    l->count = 0;
    l->exponent = 0;
    l->negative = n > 0 && text[0] == '-';
    if (n > 0 && (text[0] == '-' || text[0] == '+')) i++;
    size_t whole = scan_digits(text + i, n - i, l, &rest, false);
    i += whole;
    if (whole == 0 || i == n || text[i++] != '.') return false;
    size_t fraction = scan_digits(text + i, n - i, l, &rest, true);
    i += fraction;
    if (fraction == 0) return false;
    if (rest) { /* any further digit stands for all that were left out */
        l->digits[l->count++] = 1;
        l->exponent--;
    }
    if (i == n) return true;
    if (text[i] != 'e' && text[i] != 'E') return false;
    i++;
    bool minus = i < n && text[i] == '-';
    if (i < n && (text[i] == '-' || text[i] == '+')) i++;
    if (i == n) return false;
    int64_t exponent = 0;
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        if (exponent < INT64_MAX / 100) exponent = exponent * 10 + (text[i] - '0');
    l->exponent += minus ? -exponent : exponent;
    return i == n;
}

static size_t pow5(mp_limb_t *to, int64_t n)
{
    size_t count = 1;
    to[0] = 1;
    while (n > 0) {
        mp_limb_t factor = 5;
        int64_t step = 1;
        for (; step < n && step < 27; step++) factor *= 5;
        mp_limb_t carry = mpn_mul_1(to, to, (mp_size_t)count, factor);
        if (carry != 0) to[count++] = carry;
        n -= step;
    }
    return count;
}

static size_t bits_of(const mp_limb_t *limbs, size_t n)
{
    return n * 64 - (size_t)__builtin_clzll(limbs[n - 1]);
}

/* Shifts left into `to`; returns the new count. */
static size_t shift_up(mp_limb_t *to, const mp_limb_t *from, size_t n, size_t bits)
{
    size_t whole = bits / 64;
    unsigned part = (unsigned)(bits % 64);
    to[n + whole] = 0;
    if (part != 0)
        to[n + whole] = mpn_lshift(to + whole, from, (mp_size_t)n, part);
    else
        memmove(to + whole, from, n * sizeof *from);
    memset(to, 0, whole * sizeof *to);
    return n + whole + (to[n + whole] != 0);
}

/* The double nearest to limbs * 2^exponent, where `lost` says that the exact value is a little
 * more. */
static double round_limbs(const mp_limb_t *limbs, size_t n, bool lost, int64_t exponent)
{
    int64_t bits = (int64_t)bits_of(limbs, n);
    int64_t lowest = exponent + bits - 53; /* weight of the result's last bit */
    if (lowest < -1074) lowest = -1074;
    int64_t drop = lowest - exponent;
    if (drop > bits + 1) return 0.0;
    uint64_t mantissa = 0;
    for (int64_t i = bits - 1; i >= drop && i >= 0; i--)
        mantissa = mantissa << 1 | (limbs[i / 64] >> (i % 64) & 1);
    if (drop <= 0) return ldexp((double)mantissa, (int)exponent);
    bool half = drop <= bits && (limbs[(drop - 1) / 64] >> ((drop - 1) % 64) & 1) != 0;
    for (int64_t i = 0; i < drop - 1 && !lost; i++) lost = (limbs[i / 64] >> (i % 64) & 1) != 0;
    if (half && (lost || (mantissa & 1) != 0)) mantissa++;
    return ldexp((double)mantissa, (int)lowest);
}

static double read_exactly(const Literal *l)
{
    mp_limb_t number[READ_LIMBS];
    mp_limb_t power[READ_LIMBS];
    mp_limb_t product[READ_LIMBS * 2];
    size_t n = (size_t)mpn_set_str(number, l->digits, (size_t)l->count, 10);
    if (l->exponent >= 0) {
        size_t pn = pow5(power, l->exponent);
        if (n >= pn)
            mpn_mul(product, number, (mp_size_t)n, power, (mp_size_t)pn);
        else
            mpn_mul(product, power, (mp_size_t)pn, number, (mp_size_t)n);
        size_t total = n + pn - (product[n + pn - 1] == 0);
        return round_limbs(product, total, false, l->exponent);
    }
    size_t pn = pow5(power, -l->exponent);
    /* Enough bits that the quotient has at least 66. */
    int64_t missing = (int64_t)bits_of(power, pn) + 66 - (int64_t)bits_of(number, n);
    size_t shift = missing > 0 ? (size_t)missing : 0;
    n = shift_up(product, number, n, shift);
    mp_limb_t quotient[READ_LIMBS * 2];
    mpn_tdiv_qr(quotient, number, 0, product, (mp_size_t)n, power, (mp_size_t)pn);
    size_t qn = n - pn + 1;
    while (quotient[qn - 1] == 0) qn--;
    bool lost = false;
    for (size_t i = 0; i < pn && !lost; i++) lost = number[i] != 0;
    return round_limbs(quotient, qn, lost, l->exponent - (int64_t)shift);
}

/* Up to 2^53 and 10^22 are exact in a double, so one operation rounds once. */
static bool read_fast(const Literal *l, double *out)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (l->count > 15 || l->exponent < -22 || l->exponent > 22) return false;
    uint64_t value = 0;
    for (int i = 0; i < l->count; i++) value = value * 10 + l->digits[i];
    *out = l->exponent < 0 ? (double)value / tens[-l->exponent]
                           : (double)value * tens[l->exponent];
    return true;
}

FloatRead float_read(const uint8_t *text, size_t n, double *out)
{
    Literal l;
    if (!scan(text, n, &l)) return FLOAT_READ_BAD;
    double d = 0.0;
    /* Trailing zeros only cost time. */
    while (l.count > 0 && l.digits[l.count - 1] == 0) {
        l.count--;
        l.exponent++;
    }
    if (l.count != 0 && l.exponent + l.count > 310) return FLOAT_READ_RANGE;
    if (l.count != 0 && l.exponent + l.count >= -325 && !read_fast(&l, &d))
        d = read_exactly(&l);
    if (!float_is_finite(d)) return FLOAT_READ_RANGE;
    *out = l.negative ? -d : d;
    return FLOAT_READ_OK;
}
