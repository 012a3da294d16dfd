/* Reads and writes of bits against one bit at a time. */
#include "tests/fuzz/fuzz.h"

#include "vm/term/bits.h"

enum { ROOM = 64 };

static bool bit_at(const uint8_t *from, size_t i) { return from[i / 8] >> (7 - i % 8) & 1; }

static void set_bit(uint8_t *to, size_t i, bool bit)
{
    uint8_t mask = (uint8_t)(0x80 >> i % 8);
    to[i / 8] = (uint8_t)(bit ? to[i / 8] | mask : to[i / 8] & ~mask);
}

static void check_copy(uint8_t *area, size_t to, const uint8_t *from, size_t at, size_t n)
{
    uint8_t wanted[ROOM];
    memcpy(wanted, area, ROOM);
    for (size_t i = 0; i < n; i++) set_bit(wanted, to + i, bit_at(from, at + i));
    bits_copy(area, to, from, at, n);
    FUZZ_CHECK(memcmp(wanted, area, ROOM) == 0);
    FUZZ_CHECK(bits_compare(area, to, from, at, n) == 0);
}

static void check_compare(const uint8_t *a, size_t at, const uint8_t *b, size_t from, size_t n)
{
    int wanted = 0;
    for (size_t i = 0; i < n && wanted == 0; i++)
        wanted = (int)bit_at(a, at + i) - (int)bit_at(b, from + i);
    int got = bits_compare(a, at, b, from, n);
    FUZZ_CHECK((got < 0) == (wanted < 0) && (got > 0) == (wanted > 0));
}

static void check_number(uint8_t *area, size_t at, uint64_t value, size_t n)
{
    uint8_t wanted[ROOM];
    memcpy(wanted, area, ROOM);
    for (size_t i = 0; i < n; i++) set_bit(wanted, at + i, value >> (n - 1 - i) & 1);
    bits_put_uint64(area, at, value, n);
    FUZZ_CHECK(memcmp(wanted, area, ROOM) == 0);
    uint64_t mask = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
    FUZZ_CHECK(bits_get_uint64(area, at, n) == (value & mask));
}

static void check_character(uint8_t *area, size_t at, uint32_t c)
{
    uint32_t back;
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return;
    bits_put_utf8(area, at, c);
    size_t n = bits_utf8_size(c);
    FUZZ_CHECK(bits_get_utf8(area, at, n, &back) == n && back == c);
    for (int little = 0; little < 2; little++) {
        bits_put_utf16(area, at, c, little);
        n = bits_utf16_size(c);
        FUZZ_CHECK(bits_get_utf16(area, at, n, little, &back) == n && back == c);
        bits_put_utf32(area, at, c, little);
        FUZZ_CHECK(bits_get_utf32(area, at, 32, little, &back) == 32 && back == c);
    }
}

/* A field of `n` bits as a term, there and back. */
static void check_integer(uint8_t *area, size_t at, size_t n, uint8_t how)
{
    Heap h;
    heap_init_detached(&h, NULL);
    bool little = how & 1;
    Term t = bits_get_integer(&h, area, at, n, little, how & 2);
    uint8_t again[ROOM];
    memcpy(again, area, ROOM);
    bits_zero(again, at, n);
    bits_put_integer(again, at, n, t, little);
    FUZZ_CHECK(memcmp(again, area, ROOM) == 0);
    heap_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = {data, data + size};
    uint8_t area[ROOM] = {0};
    uint8_t other[ROOM];
    for (size_t i = 0; i < ROOM; i++) other[i] = fuzz_byte(&in);
    while (fuzz_left(&in)) {
        uint8_t choice = fuzz_byte(&in);
        size_t to = fuzz_byte(&in);
        size_t from = fuzz_byte(&in);
        size_t n = fuzz_byte(&in);
        switch (choice % 5) {
        case 0: check_copy(area, to, other, from, n); break;
        case 1: check_compare(area, to, other, from, n); break;
        case 2: check_number(area, to, fuzz_number(&in, 8), n % 65); break;
        case 3: check_character(area, to, (uint32_t)fuzz_number(&in, 3) % 0x110800); break;
        default: check_integer(area, to, n, choice >> 3); break;
        }
    }
    return 0;
}
