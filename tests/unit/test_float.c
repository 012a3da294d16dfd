/* Floats as text: forms as OTP 25 prints them, exact reading, the table of powers. */
#include "tests/unit/unit.h"
#include "vm/base/rng.h"
#include "vm/term/float.h"

#include <gmp.h>

static const char *printed(double d)
{
    static char text[FLOAT_TEXT_MAX];
    text[float_print(d, text)] = 0;
    return text;
}

static const char *decimals(double d, int n, bool compact)
{
    static char text[FLOAT_TEXT_MAX];
    text[float_print_decimals(d, n, compact, text)] = 0;
    return text;
}

static const char *scientific(double d, int n)
{
    static char text[FLOAT_TEXT_MAX];
    text[float_print_scientific(d, n, text)] = 0;
    return text;
}

/* From io:format("~w") of OTP 25. */
TEST(shortest_form)
{
    static const struct {
        double d;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {100.0, "100.0"},
        {1000.0, "1.0e3"},
        {120.0, "120.0"},
        {1200.0, "1.2e3"},
        {123456789.0, "123456789.0"},
        {1234567890123456.0, "1234567890123456.0"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740992.0, "9.007199254740992e15"},
        {90071992547409910.0, "9.00719925474099e16"},
        {1.0e22, "1.0e22"},
        {1.0e23, "1.0e23"},
        {0.1, "0.1"},
        {0.001, "0.001"},
        {0.0001, "0.0001"},
        {0.00001, "1.0e-5"},
        {0.00012, "1.2e-4"},
        {0.00123, "0.00123"},
        {0.000123, "1.23e-4"},
        {1.23456789e-5, "1.23456789e-5"},
        {5e-324, "5.0e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {-1.5, "-1.5"},
        {2e-44, "2.0e-44"},
        {5.684341886080801e-14, "5.684341886080801e-14"},
        {1.1e-100, "1.1e-100"},
        {1.2345e11, "1.2345e11"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        EXPECT_STR(printed(cases[i].d), cases[i].text);
}

/* From float_to_list/2 of OTP 25. */
TEST(chosen_forms)
{
    EXPECT_STR(decimals(0.125, 2, false), "0.13");
    EXPECT_STR(decimals(2.5, 0, false), "3");
    EXPECT_STR(decimals(1.005, 2, false), "1.00");
    EXPECT_STR(decimals(1.005, 2, true), "1.0");
    EXPECT_STR(decimals(1.005, 18, false), "1.004999999999999893");
    EXPECT_STR(decimals(4.35, 18, false), "4.349999999999999616");
    EXPECT_STR(decimals(4.35, 19, false), "4.3499999999999996447");
    EXPECT_STR(decimals(99.9999, 2, false), "100.00");
    EXPECT_STR(decimals(-0.04, 1, false), "-0.0");
    EXPECT_STR(decimals(1e23, 2, false), "99999999999999991611392.00");
    EXPECT_STR(decimals(1e-10, 10, true), "0.0000000001");
    EXPECT_STR(decimals(1.7976931348623157e308, 0, false), "");
    EXPECT_EQ(strlen(decimals(0.0, 253, false)), 255);
    EXPECT_STR(decimals(0.0, 254, false), "");
    EXPECT_STR(scientific(1234.5678, 20), "1.23456780000000003383e+03");
    EXPECT_STR(scientific(-0.0, 3), "-0.000e+00");
    EXPECT_STR(scientific(1.5, 0), "2e+00");
    EXPECT_STR(scientific(1e100, 3), "1.000e+100");
    EXPECT_STR(scientific(0.0, 250), "");
}

TEST(print_then_read_is_identity)
{
    Rng rng;
    rng_seed(&rng, 3);
    for (int i = 0; i < UNIT_SIZE(300000); i++) {
        uint64_t bits = rng_next(&rng);
        if (i % 4 == 0) bits &= UINT64_C(0x800FFFFFFFFFFFFF);
        if (i % 4 == 1) bits &= ~(UINT64_C(0xFFFFFFFFFFFF) >> (bits >> 56 & 31));
        double d;
        double back = 0;
        memcpy(&d, &bits, sizeof d);
        if (!float_is_finite(d)) continue;
        char text[FLOAT_TEXT_MAX];
        size_t n = float_print(d, text);
        EXPECT(float_read((const uint8_t *)text, n, &back) == FLOAT_READ_OK && back == d);
        text[n] = 0;
        EXPECT(strtod(text, NULL) == d);
        char shorter[FLOAT_TEXT_MAX];
        char digits[17];
        int point;
        int count = d == 0 ? 1 : float_shortest_digits(d, digits, &point);
        if (count < 2) continue;
        snprintf(shorter, sizeof shorter, "%.*e", count - 2, d);
        EXPECT(strtod(shorter, NULL) != d);
    }
}

TEST(reading_is_exact)
{
    Rng rng;
    rng_seed(&rng, 4);
    char text[900];
    for (int i = 0; i < UNIT_SIZE(60000); i++) {
        size_t n = 0;
        size_t whole = 1 + rng_below(&rng, i % 50 == 0 ? 800 : 24);
        for (size_t k = 0; k < whole; k++) text[n++] = (char)('0' + rng_below(&rng, 10));
        text[n++] = '.';
        for (size_t k = 0, fraction = 1 + rng_below(&rng, 24); k < fraction; k++)
            text[n++] = (char)('0' + rng_below(&rng, 10));
        n += (size_t)snprintf(text + n, 16, "e%d", (int)rng_below(&rng, 700) - 360);
        double wanted = strtod(text, NULL);
        double got = -1;
        FloatRead result = float_read((const uint8_t *)text, n, &got);
        if (float_is_finite(wanted))
            EXPECT(result == FLOAT_READ_OK && got == wanted);
        else
            EXPECT_EQ(result, FLOAT_READ_RANGE);
    }
}

TEST(what_is_no_float)
{
    static const char *const bad[] = {"",      "1",     "1.",   ".5",    "1e5",    "1.0e",
                                      "1.0e+", " 1.0",  "1.0 ", "1_0.0", "-",      "+.0",
                                      "1..0",  "0x1.0", "inf",  "nan",   "1.0e5x", "1,0"};
    double d;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT_EQ(float_read((const uint8_t *)bad[i], strlen(bad[i]), &d), FLOAT_READ_BAD);
    EXPECT_EQ(float_read((const uint8_t *)"1.8e308", 7, &d), FLOAT_READ_RANGE);
    EXPECT(float_read((const uint8_t *)"-1.0e-400", 9, &d) == FLOAT_READ_OK && d == 0);
    EXPECT(float_read((const uint8_t *)"0.0e999999999999999999999", 25, &d) == FLOAT_READ_OK
           && d == 0);
    EXPECT(float_read((const uint8_t *)"1.0e0000000000000000000000001", 29, &d) == FLOAT_READ_OK
           && d == 10);
}

/* Ties between two neighbours, and just beside them, with all their digits. */
TEST(halfway_cases)
{
    double d;
    EXPECT(float_read((const uint8_t *)"9007199254740993.0", 18, &d) == FLOAT_READ_OK
           && d == 0x1p53);
    EXPECT(float_read((const uint8_t *)"9007199254740993.00000000000000000000000000001", 46, &d)
               == FLOAT_READ_OK
           && d == 0x1p53 + 2);
    EXPECT(float_read((const uint8_t *)"9007199254740995.0", 18, &d) == FLOAT_READ_OK
           && d == 0x1p53 + 4);
}

TEST(table_of_powers)
{
    static const uint64_t rows[][2] = {
#define POWER(high, low) {high, low},
#include "vm/term/float_powers.def"
#undef POWER
    };
    mpz_t p, q, wanted;
    mpz_inits(p, q, wanted, NULL);
    EXPECT_EQ(ARRAY_LEN(rows), 617);
    for (int k = -292; k <= 324; k++) {
        mpz_ui_pow_ui(p, 10, (unsigned)abs(k));
        if (k >= 0) {
            size_t bits = mpz_sizeinbase(p, 2);
            if (bits <= 128) {
                mpz_mul_2exp(p, p, 128 - bits);
            } else {
                mpz_cdiv_q_2exp(p, p, bits - 128);
            }
        } else {
            /* 2^s / 10^-k, rounded up, with s such that it has 128 bits. */
            mpz_set_ui(q, 1);
            mpz_mul_2exp(q, q, mpz_sizeinbase(p, 2) + 127);
            mpz_cdiv_q(p, q, p);
        }
        uint64_t words[2] = {rows[k + 292][1], rows[k + 292][0]};
        mpz_import(wanted, 2, -1, 8, 0, 0, words);
        EXPECT(mpz_cmp(p, wanted) == 0);
    }
    mpz_clears(p, q, wanted, NULL);
}
