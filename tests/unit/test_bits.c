/* Bit-level reads and writes against a model of one bool per bit. */
#include "tests/unit/terms.h"
#include "vm/term/bits.h"

enum { BYTES = 48, BITS = BYTES * 8 };

static bool bit_at(const uint8_t *bytes, size_t i)
{
    return (bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

static void fill(Terms *x, uint8_t *bytes)
{
    for (size_t i = 0; i < BYTES; i++) bytes[i] = (uint8_t)rng_next(&x->rng);
}

TEST(copying)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(100000); round++) {
        uint8_t from[BYTES], to[BYTES], before[BYTES];
        fill(&x, from);
        fill(&x, to);
        memcpy(before, to, sizeof to);
        size_t n = (size_t)terms_below(&x, BITS + 1);
        size_t a = (size_t)terms_below(&x, BITS - n + 1);
        size_t b = (size_t)terms_below(&x, BITS - n + 1);
        /* Exactly as long as it says, so that the sanitizer sees every byte too many. */
        uint8_t *exact = malloc((a + n + 7) / 8 + 1);
        memcpy(exact, from, (a + n + 7) / 8);
        bits_copy(to, b, exact, a, n);
        free(exact);
        for (size_t i = 0; i < BITS; i++)
            EXPECT_EQ(bit_at(to, i),
                      i >= b && i < b + n ? bit_at(from, a + i - b) : bit_at(before, i));
        EXPECT_EQ(bits_compare(to, b, from, a, n), 0);
        if (n > 0) {
            size_t i = (size_t)terms_below(&x, n);
            to[(b + i) / 8] ^= (uint8_t)(0x80 >> (b + i) % 8);
            EXPECT_EQ(bits_compare(to, b, from, a, n), bit_at(to, b + i) ? 1 : -1);
        }
        bits_zero(to, b, n);
        for (size_t i = 0; i < BITS; i++)
            EXPECT_EQ(bit_at(to, i), i >= b && i < b + n ? false : bit_at(before, i));
    }
    terms_close(&x);
}

/* The value of n bits by Erlang's definition: little-endian takes whole bytes from the lowest,
 * and the odd bits at the end are the highest. */
static Term model_integer(Terms *x, const uint8_t *bytes, size_t offset, size_t n, bool little,
                          bool is_signed)
{
    Heap *h = &x->heap;
    Term value = small_from(0);
    for (size_t i = 0; i < n; i++) {
        size_t weight = n - 1 - i;
        if (little) {
            size_t in_byte = i / 8 == n / 8 ? n % 8 : 8;
            weight = i / 8 * 8 + in_byte - 1 - i % 8;
        }
        if (bit_at(bytes, offset + i))
            value =
                number_add(h, value, number_bsl(h, small_from(1), small_from((int64_t)weight)));
    }
    if (is_signed && n > 0) {
        Term half = number_bsl(h, small_from(1), small_from((int64_t)n - 1));
        if (number_compare(value, half) >= 0)
            value = number_sub(h, value, number_bsl(h, half, small_from(1)));
    }
    return value;
}

TEST(integers)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(30000); round++) {
        uint8_t bytes[BYTES], copy[BYTES];
        fill(&x, bytes);
        if (round % 5 == 0) memset(bytes, round % 2 ? 0xFF : 0, sizeof bytes);
        memcpy(copy, bytes, sizeof bytes);
        size_t n = (size_t)terms_below(&x, round % 2 ? 70 : 300);
        size_t at = (size_t)terms_below(&x, BITS - n + 1);
        bool little = terms_below(&x, 2) != 0;
        bool is_signed = terms_below(&x, 2) != 0;
        Term got = bits_get_integer(&x.heap, bytes, at, n, little, is_signed);
        EXPECT(order_same(got, model_integer(&x, bytes, at, n, little, is_signed)));
        bits_zero(copy, at, n);
        bits_put_integer(copy, at, n, got, little);
        EXPECT(memcmp(copy, bytes, sizeof bytes) == 0);
        Term wide = number_add(
            &x.heap, got,
            number_bsl(&x.heap, terms_random_integer(&x, 100), small_from((int64_t)n)));
        bits_put_integer(copy, at, n, wide, little);
        EXPECT(memcmp(copy, bytes, sizeof bytes) == 0);
        if (n <= 64 && !little && !is_signed) {
            uint64_t value = bits_get_uint64(bytes, at, n);
            EXPECT(order_same(got, heap_uint64(&x.heap, value)));
            bits_zero(copy, at, n);
            bits_put_uint64(copy, at, value, n);
            EXPECT(memcmp(copy, bytes, sizeof bytes) == 0);
        }
        if (round % 100 == 0) terms_clear(&x);
    }
    terms_close(&x);
}

/* From <<F:16/float>> and <<F:32/float>> of OTP 25. */
TEST(floats)
{
    static const struct {
        double d;
        unsigned bits;
    } halves[] = {
        {0.0, 0x0000},
        {-0.0, 0x8000},
        {1.0, 0x3C00},
        {1.5, 0x3E00},
        {65504.0, 0x7BFF},
        {65519.99, 0x7BFF},
        {65520.0, 0x7C00},
        {65535.0, 0x7C00},
        {6.0e-8, 0x0001},
        {5.9e-8, 0x0001},
        {2.98e-8, 0},
        {2.9e-8, 0},
        {6.1e-5, 0x03FF},
        {6.0975e-5, 0x03FF},
        {1.0009765625, 0x3C01},
        {1.00048828125, 0x3C00},
        {1.00146484375, 0x3C02},
        {-2.0, 0xC000},
        {1.0e-10, 0},
        {0.1, 0x2E66},
        {1.0 / 3, 0x3555},
    };
    uint8_t b[9];
    double d;
    for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
        bits_put_float(b, 3, 16, halves[i].d, false);
        EXPECT_EQ(bits_get_uint64(b, 3, 16), halves[i].bits);
        bits_put_float(b, 0, 16, halves[i].d, true);
        EXPECT_EQ(b[0] | b[1] << 8, halves[i].bits);
    }
    static const struct {
        double d;
        unsigned bits;
    } singles[] = {{0.1, 0x3DCCCCCD},
                   {3.4028235e38, 0x7F7FFFFF},
                   {3.5e38, 0x7F800000},
                   {1.0e-45, 1},
                   {1.0e-46, 0}};
    for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
        bits_put_float(b, 1, 32, singles[i].d, false);
        EXPECT_EQ(bits_get_uint64(b, 1, 32), singles[i].bits);
    }
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        bits_put_uint64(b, 5, bits, 16);
        bool finite = bits_get_float(b, 5, 16, false, &d);
        EXPECT_EQ(finite, (bits & 0x7C00) != 0x7C00);
        if (!finite) continue;
        bits_put_float(b, 5, 16, d, false);
        EXPECT_EQ(bits_get_uint64(b, 5, 16), bits);
    }
    bits_put_float(b, 7, 64, -1.25, true);
    EXPECT(bits_get_float(b, 7, 64, true, &d) && d == -1.25);
    bits_put_uint64(b, 0, UINT64_C(0x7FF0000000000000), 64);
    EXPECT(!bits_get_float(b, 0, 64, false, &d));
}

TEST(characters)
{
    uint8_t b[8];
    for (uint32_t c = 0; c < 0x110100; c += c < 0x3000 ? 1 : 37) {
        uint32_t got = 0;
        bool scalar = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        EXPECT_EQ(bits_utf8_size(c) != 0, scalar);
        EXPECT_EQ(bits_utf16_size(c) != 0, scalar);
        bits_put_utf32(b, 3, c, true);
        EXPECT_EQ(bits_get_utf32(b, 3, 32, true, &got), scalar ? 32 : 0);
        if (!scalar) continue;
        EXPECT_EQ(got, c);
        bits_put_utf8(b, 5, c);
        EXPECT(bits_get_utf8(b, 5, bits_utf8_size(c), &got) == bits_utf8_size(c) && got == c);
        EXPECT_EQ(bits_get_utf8(b, 5, bits_utf8_size(c) - 1, &got), 0);
        bits_put_utf16(b, 1, c, true);
        EXPECT(bits_get_utf16(b, 1, bits_utf16_size(c), true, &got) == bits_utf16_size(c)
               && got == c);
        bits_put_utf16(b, 0, c, false);
        EXPECT(bits_get_utf16(b, 0, 40, false, &got) == bits_utf16_size(c) && got == c);
    }
    uint32_t got;
    EXPECT_EQ(bits_get_utf16((const uint8_t *)"\xDC\x00\xD8\x00", 0, 32, false, &got), 0);
    EXPECT_EQ(bits_get_utf16((const uint8_t *)"\xD8\x00\xD8\x00", 0, 32, false, &got), 0);
    EXPECT_EQ(bits_get_utf8((const uint8_t *)"\xC0\x80", 0, 16, &got), 0);
}
