/* Binaries: heap, shared and parts; append buffers and who owns them; concatenation,
 * comparison. */
#include "tests/unit/terms.h"
#include "vm/term/bits.h"
#include "vm/term/copy.h"

static Term append_byte(Heap *h, Term acc, uint8_t byte)
{
    uint8_t *to;
    size_t at;
    Term t = binary_append(h, acc, 8, &to, &at);
    bits_put_uint64(to, at, byte, 8);
    return t;
}

static void expect_counted(Terms *x, Term t, size_t n)
{
    BitView v = binary_view(t);
    EXPECT_EQ(v.bits, n * 8);
    for (size_t i = 0; i < n; i++)
        EXPECT_EQ(bits_get_uint64(v.at, v.offset + i * 8, 8), i & 0xFF);
    (void)x;
}

TEST(sizes)
{
    Terms x;
    terms_open(&x);
    uint8_t bytes[200] = {0};
    for (size_t n = 0; n < 200; n++) {
        Term t = binary_from_bytes(&x.heap, bytes, n);
        EXPECT_EQ(binary_bits(t), n * 8);
        EXPECT_EQ(boxed_kind(t), n <= BINARY_HEAP_MAX ? KIND_BINARY : KIND_SHARED_BINARY);
        EXPECT(term_is_binary(t));
        Term part = binary_part(&x.heap, t, n, n * 4);
        EXPECT_EQ(binary_bits(part), n * 4);
        EXPECT(term_is_bitstring(part));
    }
    terms_close(&x);
}

TEST(appending_in_place)
{
    Terms x;
    terms_open(&x);
    Term acc = binary_from_bytes(&x.heap, NULL, 0);
    size_t n = UNIT_SIZE(20000);
    size_t buffers = 0;
    const void *last = NULL;
    for (size_t i = 0; i < n; i++) {
        acc = append_byte(&x.heap, acc, (uint8_t)i);
        size_t offset;
        Term base = binary_base(acc, &offset);
        if (boxed_kind(base) == KIND_SHARED_BINARY && binary_base_bytes(base) != last) {
            last = binary_base_bytes(base);
            buffers++;
        }
    }
    expect_counted(&x, acc, n);
    EXPECT(buffers < 12);
    terms_close(&x);
}

TEST(two_appends_to_one_binary)
{
    Terms x;
    terms_open(&x);
    Term acc = binary_from_bytes(&x.heap, NULL, 0);
    for (int i = 0; i < 100; i++) acc = append_byte(&x.heap, acc, (uint8_t)i);
    Term a = append_byte(&x.heap, acc, 100);
    Term b = append_byte(&x.heap, acc, 100);
    Term c = append_byte(&x.heap, acc, 7);
    expect_counted(&x, acc, 100);
    expect_counted(&x, a, 101);
    expect_counted(&x, b, 101);
    EXPECT_EQ(binary_view(c).at[100], 7);
    EXPECT(!order_same(a, c));
    terms_close(&x);
}

TEST(copies_do_not_own_the_buffer)
{
    Terms x;
    terms_open(&x);
    Heap other;
    heap_init_detached(&other, x.mem);
    Term acc = binary_from_bytes(&x.heap, NULL, 0);
    for (int i = 0; i < 100; i++) acc = append_byte(&x.heap, acc, (uint8_t)i);
    Term theirs = copy_term(&other, acc, SIZE_MAX, NULL);
    Term theirs_more = append_byte(&other, theirs, 9);
    Term ours_more = acc;
    for (int i = 100; i < 3000; i++) ours_more = append_byte(&x.heap, ours_more, (uint8_t)i);
    expect_counted(&x, acc, 100);
    expect_counted(&x, ours_more, 3000);
    terms_clear(&x);
    expect_counted(&x, theirs, 100);
    EXPECT_EQ(binary_view(theirs_more).at[100], 9);
    heap_release(&other);
    EXPECT_EQ(mem_blocks(x.mem, MEM_BINARY), 0);
    terms_close(&x);
}

TEST(appending_bits)
{
    Terms x;
    terms_open(&x);
    Term acc = binary_from_bytes(&x.heap, NULL, 0);
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t *to;
        size_t at;
        acc = binary_append(&x.heap, acc, 3, &to, &at);
        EXPECT_EQ(bits_get_uint64(to, at, 3), 0);
        bits_put_uint64(to, at, i & 7, 3);
    }
    BitView v = binary_view(acc);
    EXPECT_EQ(v.bits, 9000);
    for (unsigned i = 0; i < 3000; i++)
        EXPECT_EQ(bits_get_uint64(v.at, v.offset + 3 * i, 3), i & 7);
    terms_close(&x);
}

TEST(parts_and_wholes)
{
    Terms x;
    terms_open(&x);
    uint8_t bytes[120];
    for (int round = 0; round < UNIT_SIZE(5000); round++) {
        size_t bits = (size_t)terms_below(&x, 120 * 8);
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rng_next(&x.rng);
        Term t = binary_from_bits(&x.heap, (BitView){bytes, 0, bits});
        size_t from = (size_t)terms_below(&x, bits + 1);
        size_t size = (size_t)terms_below(&x, bits - from + 1);
        Term part = binary_part(&x.heap, t, from, size);
        Term copy = binary_copy_part(&x.heap, t, from, size);
        EXPECT(order_same(part, copy));
        EXPECT_EQ(
            bits_compare(bytes, from, binary_view(part).at, binary_view(part).offset, size), 0);
        Term all = binary_concat(&x.heap, binary_part(&x.heap, t, 0, from),
                                 binary_part(&x.heap, t, from, bits - from));
        EXPECT(order_same(all, t));
        size_t n;
        uint8_t *scratch;
        const uint8_t *run = binary_aligned(part, x.mem, &n, &scratch);
        EXPECT_EQ(n, size / 8);
        EXPECT_EQ(bits_compare(run, 0, bytes, from, n * 8), 0);
        mem_free(x.mem, MEM_WORK, scratch, n == 0 ? 1 : n);
        if (round % 100 == 0) terms_clear(&x);
    }
    terms_close(&x);
}

TEST(refused_memory)
{
    Terms x;
    terms_open(&x);
    Term acc = binary_from_bytes(&x.heap, NULL, 0);
    for (int i = 0; i < 100; i++) acc = append_byte(&x.heap, acc, (uint8_t)i);
    uint8_t *to;
    size_t at;
    mem_inject_failure(x.mem, 0, 1);
    EXPECT(term_is_none(binary_append(&x.heap, acc, 80000, &to, &at)));
    EXPECT(term_is_none(binary_new(&x.heap, 80000, &to)));
    mem_inject_failure(x.mem, 0, 0);
    EXPECT(term_is_none(binary_append(&x.heap, acc, SIZE_MAX - 100, &to, &at)));
    expect_counted(&x, append_byte(&x.heap, acc, 100), 101);
    terms_close(&x);
}
