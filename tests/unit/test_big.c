/* Integers of any size against GMP's own integers, and the borders where kinds change. */
#include "tests/unit/terms.h"

#include <gmp.h>

static void to_mpz(mpz_t z, Term t)
{
    BigView v;
    big_view(&v, t);
    mpz_import(z, v.count, -1, sizeof(Limb), 0, 0, v.limbs);
    if (v.negative) mpz_neg(z, z);
}

/* Also that the representation is the normal one. */
static bool is_mpz(Term t, const mpz_t wanted)
{
    if (term_is_none(t)) return false;
    mpz_t z;
    mpz_init(z);
    to_mpz(z, t);
    bool same = mpz_cmp(z, wanted) == 0;
    bool fits = mpz_sizeinbase(wanted, 2) <= 61
                || (mpz_sgn(wanted) < 0 && mpz_sizeinbase(wanted, 2) == 62
                    && mpz_scan1(wanted, 0) == 61);
    mpz_clear(z);
    return same && fits == term_is_small(t);
}

static void mpz_apply(NumberOp op, mpz_t z, const mpz_t a, const mpz_t b)
{
    switch (op) {
    case NUMBER_ADD: mpz_add(z, a, b); break;
    case NUMBER_SUB: mpz_sub(z, a, b); break;
    case NUMBER_MUL: mpz_mul(z, a, b); break;
    case NUMBER_DIV: mpz_tdiv_q(z, a, b); break;
    case NUMBER_REM: mpz_tdiv_r(z, a, b); break;
    case NUMBER_BAND: mpz_and(z, a, b); break;
    case NUMBER_BOR: mpz_ior(z, a, b); break;
    case NUMBER_BXOR: mpz_xor(z, a, b); break;
    case NUMBER_NEG: mpz_neg(z, a); break;
    case NUMBER_BNOT: mpz_com(z, a); break;
    case NUMBER_ABS: mpz_abs(z, a); break;
    default: break;
    }
}

TEST(arithmetic_is_gmps)
{
    Terms x;
    mpz_t a, b, z;
    terms_open(&x);
    mpz_inits(a, b, z, NULL);
    for (int i = 0; i < UNIT_SIZE(60000); i++) {
        Term s = terms_random_integer(&x, i % 2 ? 400 : 130);
        Term t = terms_random_integer(&x, i % 3 ? 200 : 64);
        to_mpz(a, s);
        to_mpz(b, t);
        for (NumberOp op = NUMBER_ADD; op < NUMBER_OP_COUNT; op++) {
            if (op == NUMBER_DIVIDE || op == NUMBER_BSL || op == NUMBER_BSR) continue;
            Term got = number_apply(&x.heap, op, s, t);
            if ((op == NUMBER_DIV || op == NUMBER_REM) && mpz_sgn(b) == 0) {
                EXPECT(term_is_none(got) && number_why(op, s, t) == NUMBER_BADARITH);
                continue;
            }
            mpz_apply(op, z, a, b);
            EXPECT(is_mpz(got, z));
        }
        EXPECT_EQ((number_compare(s, t) > 0) - (number_compare(s, t) < 0),
                  (mpz_cmp(a, b) > 0) - (mpz_cmp(a, b) < 0));
        if (i % 100 == 0) terms_clear(&x);
    }
    mpz_clears(a, b, z, NULL);
    terms_close(&x);
}

TEST(shifts_are_gmps)
{
    Terms x;
    mpz_t a, z;
    terms_open(&x);
    mpz_inits(a, z, NULL);
    for (int i = 0; i < UNIT_SIZE(20000); i++) {
        Term s = terms_random_integer(&x, 200);
        unsigned n = (unsigned)terms_below(&x, 260);
        to_mpz(a, s);
        mpz_mul_2exp(z, a, n);
        EXPECT(is_mpz(number_bsl(&x.heap, s, small_from(n)), z));
        EXPECT(is_mpz(number_bsr(&x.heap, s, small_from(-(int64_t)n)), z));
        mpz_fdiv_q_2exp(z, a, n);
        EXPECT(is_mpz(number_bsr(&x.heap, s, small_from(n)), z));
        EXPECT(is_mpz(number_bsl(&x.heap, s, small_from(-(int64_t)n)), z));
        if (i % 100 == 0) terms_clear(&x);
    }
    mpz_clears(a, z, NULL);
    terms_close(&x);
}

TEST(text_is_gmps)
{
    Terms x;
    mpz_t a;
    terms_open(&x);
    mpz_init(a);
    for (int i = 0; i < UNIT_SIZE(10000); i++) {
        Term s = terms_random_integer(&x, 500);
        int base = 2 + (int)terms_below(&x, 35);
        to_mpz(a, s);
        char *wanted = mpz_get_str(NULL, -base, a);
        bytes_clear(&x.text);
        number_print_integer(&x.text, s, base);
        bytes_put_u8(&x.text, 0);
        EXPECT_STR((const char *)x.text.at, wanted);
        Term back = number_read_integer(&x.heap, x.text.at, x.text.count - 1, base, NULL);
        EXPECT(order_same(back, s));
        free(wanted);
        if (i % 100 == 0) terms_clear(&x);
    }
    mpz_clear(a);
    terms_close(&x);
}

TEST(the_largest_integer)
{
    Terms x;
    terms_open(&x);
    Term one = small_from(1);
    Term most = number_bsl(&x.heap, one, small_from(33554367));
    EXPECT(term_is_big(most));
    EXPECT(term_is_none(number_bsl(&x.heap, one, small_from(33554368))));
    EXPECT_EQ(number_why(NUMBER_BSL, one, small_from(33554368)), NUMBER_SYSTEM_LIMIT);
    EXPECT(term_is_none(number_mul(&x.heap, most, small_from(2))));
    EXPECT(term_is_none(number_mul(&x.heap, most, most)));
    Term all = number_add(&x.heap, most, number_sub(&x.heap, most, one));
    EXPECT(term_is_big(all));
    EXPECT(term_is_none(number_add(&x.heap, all, one)));
    EXPECT_EQ(small_value(number_sub(&x.heap, all, all)), 0);
    EXPECT(term_is_none(number_bsl(&x.heap, one, most)));
    EXPECT_EQ(small_value(number_bsr(&x.heap, one, most)), 0);
    EXPECT_EQ(small_value(number_bsr(&x.heap, small_from(-1), most)), -1);
    EXPECT_EQ(small_value(number_bsl(&x.heap, small_from(0), most)), 0);
    EXPECT(number_cost(NUMBER_MUL, most, most) > 1000000);
    EXPECT_EQ(number_cost(NUMBER_MUL, one, one), 0);
    terms_close(&x);
}

/* Values from erl. */
TEST(comparison_with_floats_is_exact)
{
    static const struct {
        const char *integer;
        double d;
        int order;
    } cases[] = {
        {"9007199254740993", 9007199254740992.0, 1},
        {"9007199254740992", 9007199254740992.0, 0},
        {"9007199254740991", 9007199254740992.0, -1},
        {"18446744073709551616", 18446744073709551616.0, 0},
        {"18446744073709551617", 18446744073709551616.0, 1},
        {"-9007199254740993", -9007199254740992.0, -1},
        {"1", 1.5, -1},
        {"2", 1.5, 1},
        {"-1", -1.5, 1},
        {"-2", -1.5, -1},
        {"0", -0.0, 0},
        {"0", 5e-324, -1},
        {"2305843009213693952", 2305843009213693952.0, 0},
        {"1", 1e308, -1},
        {"-1", -1e308, 1},
        {"100000000000000000000000", 1e23, 1},
        {"99999999999999991611392", 1e23, 0},
    };
    Terms x;
    terms_open(&x);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Term d = heap_float(&x.heap, cases[i].d);
        Term n = terms_int(&x, cases[i].integer);
        EXPECT_EQ(number_compare(n, d), cases[i].order);
        EXPECT_EQ(number_compare(d, n), -cases[i].order);
    }
    Term huge = number_bsl(&x.heap, small_from(1), small_from(2000));
    EXPECT_EQ(number_compare(huge, heap_float(&x.heap, 1e308)), 1);
    EXPECT_EQ(number_compare(number_neg(&x.heap, huge), heap_float(&x.heap, -1e308)), -1);
    terms_close(&x);
}

TEST(between_integers_and_floats)
{
    Terms x;
    double d = 0;
    terms_open(&x);
    Term big = number_bsl(&x.heap, small_from(1), small_from(1023));
    EXPECT(number_to_double(big, &d) && d == 0x1p1023);
    EXPECT(!number_to_double(number_bsl(&x.heap, small_from(1), small_from(1024)), &d));
    /* Not the nearest double, but float/1 of OTP 25. */
    EXPECT(number_to_double(terms_int(&x, "340282366920938501242306470388929921025"), &d)
           && d == 0x1p128);
    EXPECT(number_to_double(terms_int(&x, "36893488147419103233"), &d) && d == 0x1p65);
    EXPECT(number_to_double(terms_int(&x, "-36893488147419111425"), &d)
           && d == -0x1.0000000000001p65);
    EXPECT_STR(terms_text(&x, number_round(&x.heap, NUMBER_TRUNC, heap_float(&x.heap, -1e25))),
               "-10000000000000000905969664");
    EXPECT_STR(terms_text(&x, number_round(&x.heap, NUMBER_ROUND, heap_float(&x.heap, -2.5))),
               "-3");
    EXPECT_STR(terms_text(&x, number_round(&x.heap, NUMBER_FLOOR, heap_float(&x.heap, -2.5))),
               "-3");
    EXPECT_STR(terms_text(&x, number_round(&x.heap, NUMBER_CEIL, heap_float(&x.heap, -2.5))),
               "-2");
    EXPECT_STR(terms_text(&x, number_round(&x.heap, NUMBER_TRUNC, heap_float(&x.heap, 0x1p62))),
               "4611686018427387904");
    EXPECT(term_is_none(number_mul(&x.heap, heap_float(&x.heap, 1e308), small_from(10))));
    EXPECT_EQ(number_why(NUMBER_MUL, heap_float(&x.heap, 1e308), small_from(10)),
              NUMBER_BADARITH);
    EXPECT(term_is_none(number_divide(&x.heap, small_from(1), small_from(0))));
    EXPECT(term_is_none(number_add(&x.heap, TERM_ATOM(OK), small_from(1))));
    EXPECT_EQ(number_why(NUMBER_ADD, TERM_ATOM(OK), small_from(1)), NUMBER_BADARITH);
    EXPECT_STR(terms_text(&x, number_divide(&x.heap, small_from(7), small_from(2))), "3.5");
    terms_close(&x);
}

TEST(bad_text)
{
    static const char *const bad[] = {"", "-", "+", "1a", "--1", " 1", "1 ", "1.0", "0x1"};
    Terms x;
    bool large = true;
    terms_open(&x);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) EXPECT(term_is_none(terms_int(&x, bad[i])));
    EXPECT(term_is_none(number_read_integer(&x.heap, (const uint8_t *)"z", 1, 35, &large))
           && !large);
    EXPECT_EQ(small_value(number_read_integer(&x.heap, (const uint8_t *)"+zZ", 3, 36, NULL)),
              35 * 36 + 35);
    terms_close(&x);
}
