/* Hashes: phash2 as OTP's (more values in test_codec.c), slices, equal terms, spread. */
#include "tests/unit/terms.h"
#include "vm/term/copy.h"
#include "vm/term/hash.h"

TEST(large_terms_as_otp)
{
    Terms x;
    terms_open(&x);
    Term elements[300];
    for (int i = 0; i < 300; i++) elements[i] = small_from(i + 1);
    EXPECT_EQ(hash_phash2(x.atoms, heap_tuple(&x.heap, 300, elements)), 770782224);
    uint8_t zeros[100] = {0};
    EXPECT_EQ(hash_phash2(x.atoms, binary_from_bytes(&x.heap, zeros, 100)), 3713328501);
    char name[256];
    memset(name, 'x', 255);
    name[255] = 0;
    EXPECT_EQ(hash_phash2(x.atoms, atom_make(x.atoms, name)), 32760);
    EXPECT_EQ(hash_phash2(x.atoms, number_bsl(&x.heap, small_from(1), small_from(2040))),
              3126717521);
    terms_close(&x);
}

TEST(slices_give_the_same)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(1000); round++) {
        Term t = terms_random(&x, 4);
        HashWalk w;
        size_t budget = 1;
        hash_begin(&w, x.atoms, t, x.mem);
        while (!hash_step(&w, &budget)) budget = 1;
        hash_end(&w);
        EXPECT_EQ(w.hash, hash_phash2(x.atoms, t));
        Term copy = copy_term(&x.heap, t, SIZE_MAX, NULL);
        EXPECT_EQ(hash_phash2(x.atoms, copy), w.hash);
        EXPECT_EQ(hash_internal(x.atoms, copy), hash_internal(x.atoms, t));
        terms_clear(&x);
    }
    terms_close(&x);
}

/* -0.0 =:= 0.0, whatever its bits. */
TEST(equal_terms)
{
    Terms x;
    terms_open(&x);
    Term a = heap_float(&x.heap, 0.0);
    Term b = heap_float(&x.heap, -0.0);
    EXPECT_EQ(hash_internal(x.atoms, a), hash_internal(x.atoms, b));
    EXPECT_EQ(hash_phash2(x.atoms, a), hash_phash2(x.atoms, b));
    EXPECT(hash_internal(x.atoms, a) != hash_internal(x.atoms, small_from(0)));
    terms_close(&x);
}

/* No slot of sixteen gets much more than its share, at any level, for dull sequences of
 * keys. */
TEST(spread)
{
    enum { N = 16000 };
    Terms x;
    terms_open(&x);
    for (int kind = 0; kind < 4; kind++) {
        int slots[8][16] = {{0}};
        for (int i = 0; i < N; i++) {
            Term key = kind == 0   ? small_from(i)
                       : kind == 1 ? small_from((int64_t)i << 20)
                       : kind == 2
                           ? heap_tuple2(&x.heap, small_from(i % 100), small_from(i / 100))
                           : binary_from_bytes(&x.heap, &i, sizeof i);
            uint64_t hash = hash_internal(x.atoms, key);
            for (int level = 0; level < 8; level++)
                slots[level][hash >> (60 - 4 * level) & 15]++;
        }
        for (int level = 0; level < 8; level++)
            for (int slot = 0; slot < 16; slot++)
                EXPECT(slots[level][slot] > 800 && slots[level][slot] < 1200);
    }
    terms_close(&x);
}
