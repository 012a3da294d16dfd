#include "vm/term/bits.h"

#include "vm/base/utf8.h"
#include "vm/term/big.h"
#include "vm/term/float.h"
#include "vm/term/number.h"

#include <math.h>
#include <string.h>

/* n <= 8 bits from bit `offset` (0 ... 7) of `from`, at the low end of the result. */
static inline unsigned get_few(const uint8_t *from, size_t offset, size_t n)
{
    unsigned two = (unsigned)from[0] << 8;
    if (offset + n > 8) two |= from[1];
    return two >> (16 - offset - n) & ((1u << n) - 1);
}

/* Writes n bits into one byte, offset + n <= 8. */
static inline void put_few(uint8_t *to, size_t offset, unsigned value, size_t n)
{
    unsigned shift = (unsigned)(8 - offset - n);
    // NOLINTNEXTLINE(clang-analyzer-core.*): n is at most 8
    unsigned mask = ((1u << n) - 1) << shift;
    *to = (uint8_t)((*to & ~mask) | (value << shift & mask));
}

void bits_copy(uint8_t *to, size_t to_offset, const uint8_t *from, size_t from_offset, size_t n)
{
    if (n == 0) return;
    to += to_offset / 8;
    from += from_offset / 8;
    to_offset %= 8;
    from_offset %= 8;
    if (to_offset != 0) {
        size_t head = 8 - to_offset < n ? 8 - to_offset : n;
        put_few(to, to_offset, get_few(from, from_offset, head), head);
        to++;
        from += (from_offset + head) / 8;
        from_offset = (from_offset + head) % 8;
        n -= head;
    }
    size_t whole = n / 8;
    if (from_offset == 0) {
        memcpy(to, from, whole);
    } else {
        for (size_t i = 0; i < whole; i++)
            to[i] = (uint8_t)(from[i] << from_offset | from[i + 1] >> (8 - from_offset));
    }
    if (n % 8 != 0) put_few(to + whole, 0, get_few(from + whole, from_offset, n % 8), n % 8);
}

/* Whole bytes, the most significant first. */
static inline uint64_t get_bytes(const uint8_t *from, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) value = value << 8 | from[i];
    return value;
}

uint64_t bits_get_uint64(const uint8_t *from, size_t offset, size_t n)
{
    if (n == 0) return 0;
    from += offset / 8;
    offset %= 8;
    if (((offset | n) & 7) == 0) return get_bytes(from, n / 8);
    size_t bytes = (offset + n + 7) / 8;
    uint64_t value = from[0] & (0xFFu >> offset);
    size_t after = bytes * 8 - offset - n; /* bits of the last byte that are not ours */
    for (size_t i = 1; i + 1 < bytes; i++) value = value << 8 | from[i];
    if (bytes == 1) return value >> after;
    return value << (8 - after) | from[bytes - 1] >> after;
}

void bits_put_uint64(uint8_t *to, size_t offset, uint64_t value, size_t n)
{
    if (n == 0) return;
    to += offset / 8;
    offset %= 8;
    if (offset != 0) {
        size_t head = 8 - offset < n ? 8 - offset : n;
        n -= head;
        put_few(to++, offset, (unsigned)(value >> n & 0xFF), head);
    }
    for (; n >= 8; n -= 8) *to++ = (uint8_t)(value >> (n - 8));
    if (n != 0) put_few(to, 0, (unsigned)(value & 0xFF), n);
}

int bits_compare(const uint8_t *a, size_t a_offset, const uint8_t *b, size_t b_offset, size_t n)
{
    if (a_offset % 8 == 0 && b_offset % 8 == 0) {
        a += a_offset / 8;
        b += b_offset / 8;
        int order = memcmp(a, b, n / 8);
        if (order != 0) return order < 0 ? -1 : 1;
        a_offset = b_offset = n / 8 * 8;
        n %= 8;
    }
    for (size_t at = 0; at < n; at += 56) {
        size_t step = n - at < 56 ? n - at : 56;
        uint64_t x = bits_get_uint64(a, a_offset + at, step);
        uint64_t y = bits_get_uint64(b, b_offset + at, step);
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

void bits_zero(uint8_t *to, size_t offset, size_t n)
{
    to += offset / 8;
    offset %= 8;
    if (offset != 0) {
        size_t head = 8 - offset < n ? 8 - offset : n;
        put_few(to++, offset, 0, head);
        n -= head;
    }
    memset(to, 0, n / 8);
    if (n % 8 != 0) put_few(to + n / 8, 0, 0, n % 8);
}

/* ---- integers ---- */

/* Bytes in little-endian order turned into their negated two's complement of `n` bits. */
static void negate(uint8_t *bytes, size_t n)
{
    unsigned carry = 1;
    size_t count = (n + 7) / 8;
    for (size_t i = 0; i < count; i++) {
        unsigned sum = (uint8_t)~bytes[i] + carry;
        bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    if (n % 8 != 0) bytes[count - 1] &= (uint8_t)((1u << n % 8) - 1);
}

static Term get_large(Heap *h, const uint8_t *from, size_t offset, size_t n, bool little,
                      bool is_signed)
{
    size_t count = (n + 7) / 8;
    if (count > (LIMIT_BIG_WORDS + 1) * sizeof(Limb)) return TERM_NONE;
    uint8_t few[256];
    uint8_t *bytes = count <= sizeof few ? few : mem_try_alloc(h->mem, MEM_WORK, count);
    if (bytes == NULL) return TERM_NONE;
    size_t part = n % 8;
    if (little) {
        bytes[count - 1] = 0;
        bits_copy(bytes, 0, from, offset, n);
        if (part != 0) bytes[count - 1] = (uint8_t)(bytes[count - 1] >> (8 - part));
    } else {
        bytes[0] = 0;
        bits_copy(bytes, part == 0 ? 0 : 8 - part, from, offset, n);
        for (size_t i = 0, k = count - 1; i < k; i++, k--) {
            uint8_t byte = bytes[i];
            bytes[i] = bytes[k];
            bytes[k] = byte;
        }
    }
    bool negative = is_signed && (bytes[count - 1] >> ((n - 1) % 8) & 1) != 0;
    if (negative) negate(bytes, n);
    Term t = big_from_bytes(h, bytes, count, true, negative);
    if (bytes != few) mem_free(h->mem, MEM_WORK, bytes, count);
    return t;
}

/* n <= 64 bits read as if most significant first, put in the order that `little` means. */
static uint64_t from_little(uint64_t value, size_t n)
{
    size_t part = n % 8;
    uint64_t result = 0;
    uint64_t rest = value >> part;
    if (part != 0) result = value & ((1u << part) - 1);
    for (size_t i = 0; i < n / 8; i++) {
        result = result << 8 | (rest & 0xFF);
        rest >>= 8;
    }
    return result;
}

Term bits_get_integer(Heap *h, const uint8_t *from, size_t offset, size_t n, bool little,
                      bool is_signed)
{
    if (n == 0) return small_from(0);
    if (n > 64) return get_large(h, from, offset, n, little, is_signed);
    uint64_t value = bits_get_uint64(from, offset, n);
    if (little) value = from_little(value, n);
    if (is_signed) return heap_int64(h, (int64_t)(value << (64 - n)) >> (64 - n));
    return heap_uint64(h, value);
}

void bits_put_integer(uint8_t *to, size_t offset, size_t n, Term integer, bool little)
{
    if (!little && n <= 64 && term_is_small(integer)) {
        bits_put_uint64(to, offset, (uint64_t)small_value(integer), n);
        return;
    }
    BigView v;
    big_view(&v, integer);
    Limb carry = 1;
    for (size_t done = 0; done < n; done += 64) {
        Limb limb = done / 64 < v.count ? v.limbs[done / 64] : 0;
        if (v.negative) {
            limb = ~limb + carry;
            carry = carry && limb == 0;
        }
        size_t step = n - done < 64 ? n - done : 64;
        if (!little) {
            bits_put_uint64(to, offset + n - done - step, limb, step);
            continue;
        }
        for (size_t i = 0; i < step; i += 8)
            bits_put_uint64(to, offset + done + i, limb >> i, step - i < 8 ? step - i : 8);
    }
}

/* ---- floats ---- */

static uint64_t swap_bytes(uint64_t value, size_t n)
{
    return __builtin_bswap64(value) >> (64 - n);
}

static bool double_from_half(uint64_t bits, double *out)
{
    int exponent = (int)(bits >> 10 & 0x1F);
    double fraction = (double)(bits & 0x3FF);
    if (exponent == 0x1F) return false;
    double d = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    *out = bits >> 15 != 0 ? -d : d;
    return true;
}

bool bits_get_float(const uint8_t *from, size_t offset, size_t n, bool little, double *out)
{
    uint64_t bits = bits_get_uint64(from, offset, n);
    if (little) bits = swap_bytes(bits, n);
    if (n == 16) return double_from_half(bits, out);
    if (n == 32) {
        uint32_t word = (uint32_t)bits;
        float f;
        memcpy(&f, &word, sizeof f);
        *out = (double)f;
    } else {
        memcpy(out, &bits, sizeof *out);
    }
    return float_is_finite(*out);
}

/* Nearest half, ties to even. */
static uint64_t half_from_double(double value)
{
    uint64_t sign = signbit(value) ? 0x8000u : 0;
    double magnitude = fabs(value);
    if (magnitude == 0) return sign;
    if (magnitude >= 65520.0) return sign | 0x7C00;
    int exponent = 0;
    frexp(magnitude, &exponent); /* magnitude < 2^exponent */
    int lowest = exponent - 11 < -24 ? -24 : exponent - 11;
    double scaled = nearbyint(ldexp(magnitude, -lowest)); /* at most 2^11 */
    uint64_t mantissa = (uint64_t)scaled;
    /* Adding the whole mantissa to exponent - 1 lets its top bit count the exponent up. */
    uint64_t biased = lowest == -24 ? 0 : (uint64_t)(lowest + 24);
    return sign | (mantissa + (biased << 10));
}

void bits_put_float(uint8_t *to, size_t offset, size_t n, double value, bool little)
{
    uint64_t bits = 0;
    if (n == 64) {
        memcpy(&bits, &value, sizeof bits);
    } else {
        float f = (float)value;
        uint32_t word;
        memcpy(&word, &f, sizeof word);
        bits = word;
        if (n == 16) bits = half_from_double((double)f);
    }
    if (little) bits = swap_bytes(bits, n);
    bits_put_uint64(to, offset, bits, n);
}

bool bits_float_of(Term number, double *out) { return number_to_double(number, out); }

/* ---- characters ---- */

size_t bits_get_utf8(const uint8_t *from, size_t offset, size_t left, uint32_t *character)
{
    uint8_t bytes[UTF8_MAX];
    size_t n = left / 8 < UTF8_MAX ? left / 8 : UTF8_MAX;
    if (n == 0) return 0;
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)bits_get_uint64(from, offset + i * 8, 8);
    int length = utf8_decode(bytes, n, character);
    return length > 0 ? (size_t)length * 8 : 0;
}

static uint32_t get_unit(const uint8_t *from, size_t offset, size_t n, bool little)
{
    uint64_t value = bits_get_uint64(from, offset, n);
    return (uint32_t)(little ? swap_bytes(value, n) : value);
}

size_t bits_get_utf16(const uint8_t *from, size_t offset, size_t left, bool little,
                      uint32_t *character)
{
    if (left < 16) return 0;
    uint32_t first = get_unit(from, offset, 16, little);
    if (first < 0xD800 || first > 0xDFFF) {
        *character = first;
        return 16;
    }
    if (first > 0xDBFF || left < 32) return 0;
    uint32_t second = get_unit(from, offset + 16, 16, little);
    if (second < 0xDC00 || second > 0xDFFF) return 0;
    *character = 0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00));
    return 32;
}

size_t bits_get_utf32(const uint8_t *from, size_t offset, size_t left, bool little,
                      uint32_t *character)
{
    if (left < 32) return 0;
    *character = get_unit(from, offset, 32, little);
    return utf8_is_scalar(*character) ? 32 : 0;
}

size_t bits_utf8_size(uint32_t character) { return (size_t)utf8_length(character) * 8; }

size_t bits_utf16_size(uint32_t character)
{
    if (!utf8_is_scalar(character)) return 0;
    return character < 0x10000 ? 16 : 32;
}

void bits_put_utf8(uint8_t *to, size_t offset, uint32_t character)
{
    uint8_t bytes[UTF8_MAX];
    int n = utf8_encode(character, bytes);
    for (int i = 0; i < n; i++) bits_put_uint64(to, offset + (size_t)i * 8, bytes[i], 8);
}

static void put_unit(uint8_t *to, size_t offset, uint32_t unit, size_t n, bool little)
{
    bits_put_uint64(to, offset, little ? swap_bytes(unit, n) : unit, n);
}

void bits_put_utf16(uint8_t *to, size_t offset, uint32_t character, bool little)
{
    if (character < 0x10000) {
        put_unit(to, offset, character, 16, little);
        return;
    }
    uint32_t rest = character - 0x10000;
    put_unit(to, offset, 0xD800 + (rest >> 10), 16, little);
    put_unit(to, offset + 16, 0xDC00 + (rest & 0x3FF), 16, little);
}

void bits_put_utf32(uint8_t *to, size_t offset, uint32_t character, bool little)
{
    put_unit(to, offset, character, 32, little);
}
