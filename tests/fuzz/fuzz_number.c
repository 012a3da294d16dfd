/* Integer arithmetic, text and comparison against GMP's integers. */
#include "tests/fuzz/fuzz.h"

#include <gmp.h>

#include "vm/base/bytes.h"
#include "vm/term/number.h"

/* A number of up to 40 bytes; often with long runs of equal bits, where carries go wrong. */
static void take_integer(FuzzInput *in, mpz_t n)
{
    uint8_t how = fuzz_byte(in);
    unsigned bytes = how % 41;
    mpz_set_ui(n, 0);
    for (unsigned i = 0; i < bytes; i++) {
        mpz_mul_2exp(n, n, 8);
        mpz_add_ui(n, n, how & 64 ? 0xFF : fuzz_byte(in));
    }
    if (how & 128) mpz_neg(n, n);
}

static Term to_term(Heap *h, const mpz_t n)
{
    char *text = mpz_get_str(NULL, 36, n);
    Term t = number_read_integer(h, (const uint8_t *)text, strlen(text), 36, NULL);
    free(text);
    return t;
}

static void check_same(Heap *h, Term got, const mpz_t wanted, int base)
{
    FUZZ_CHECK(!term_is_none(got));
    Bytes text = {0};
    number_print_integer(&text, got, base);
    bytes_put_u8(&text, 0);
    char *expected = mpz_get_str(NULL, -base, wanted);
    FUZZ_CHECK(strcmp((char *)text.at, expected) == 0);
    free(expected);
    bytes_free(&text);
    FUZZ_CHECK(number_compare(got, to_term(h, wanted)) == 0);
}

/* The answer in `r`; false where the operation has none. */
static bool answer(NumberOp op, mpz_t r, const mpz_t a, const mpz_t b)
{
    switch (op) {
    case NUMBER_ADD: mpz_add(r, a, b); return true;
    case NUMBER_SUB: mpz_sub(r, a, b); return true;
    case NUMBER_MUL: mpz_mul(r, a, b); return true;
    case NUMBER_DIV:
        if (mpz_sgn(b) != 0) mpz_tdiv_q(r, a, b);
        return mpz_sgn(b) != 0;
    case NUMBER_REM:
        if (mpz_sgn(b) != 0) mpz_tdiv_r(r, a, b);
        return mpz_sgn(b) != 0;
    case NUMBER_BAND: mpz_and(r, a, b); return true;
    case NUMBER_BOR: mpz_ior(r, a, b); return true;
    case NUMBER_BXOR: mpz_xor(r, a, b); return true;
    case NUMBER_BSL: mpz_mul_2exp(r, a, mpz_get_ui(b)); return true;
    case NUMBER_BSR: mpz_fdiv_q_2exp(r, a, mpz_get_ui(b)); return true;
    case NUMBER_NEG: mpz_neg(r, a); return true;
    case NUMBER_BNOT: mpz_com(r, a); return true;
    case NUMBER_ABS: mpz_abs(r, a); return true;
    case NUMBER_DIVIDE:
    case NUMBER_OP_COUNT: break;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = {data, data + size};
    Heap h;
    heap_init_detached(&h, NULL);
    mpz_t a;
    mpz_t b;
    mpz_t r;
    mpz_inits(a, b, r, NULL);
    NumberOp op = (NumberOp)(fuzz_byte(&in) % NUMBER_OP_COUNT);
    int base = 2 + fuzz_byte(&in) % 35;
    take_integer(&in, a);
    take_integer(&in, b);
    if (op == NUMBER_BSL || op == NUMBER_BSR) mpz_set_ui(b, mpz_get_ui(b) % 700);
    if (op != NUMBER_DIVIDE) {
        Term x = to_term(&h, a);
        Term y = to_term(&h, b);
        int order = mpz_cmp(a, b);
        int got = number_compare(x, y);
        FUZZ_CHECK((got < 0) == (order < 0) && (got > 0) == (order > 0));
        if (answer(op, r, a, b)) {
            check_same(&h, number_apply(&h, op, x, y), r, base);
        } else {
            FUZZ_CHECK(term_is_none(number_apply(&h, op, x, y)));
            FUZZ_CHECK(number_why(op, x, y) == NUMBER_BADARITH);
        }
    }
    mpz_clears(a, b, r, NULL);
    heap_release(&h);
    return 0;
}
