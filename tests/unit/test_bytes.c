#include "vm/base/bytes.h"

#include <errno.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vm/base/rng.h"

TEST(numbers_come_back)
{
    Bytes b = {0};
    bytes_put_u8(&b, 0xFE);
    bytes_put_u16(&b, 0x1234);
    bytes_put_u32(&b, 0x89ABCDEF);
    bytes_put_u64(&b, UINT64_C(0x0123456789ABCDEF));
    bytes_put_u16_be(&b, 0x1234);
    bytes_put_u32_be(&b, 0x89ABCDEF);
    bytes_put_u64_be(&b, UINT64_C(0x0123456789ABCDEF));
    EXPECT_EQ(b.at[1], 0x34);
    EXPECT_EQ(b.at[15], 0x12);
    ByteReader r = bytes_reader(b.at, b.count);
    EXPECT_EQ(bytes_read_u8(&r), 0xFE);
    EXPECT_EQ(bytes_read_u16(&r), 0x1234);
    EXPECT_EQ(bytes_read_u32(&r), 0x89ABCDEF);
    EXPECT(bytes_read_u64(&r) == UINT64_C(0x0123456789ABCDEF));
    EXPECT_EQ(bytes_read_u16_be(&r), 0x1234);
    EXPECT_EQ(bytes_read_u32_be(&r), 0x89ABCDEF);
    EXPECT(bytes_read_u64_be(&r) == UINT64_C(0x0123456789ABCDEF));
    EXPECT(!r.failed && bytes_left(&r) == 0);
    bytes_free(&b);
}

TEST(leb_of_every_length)
{
    Bytes b = {0};
    for (unsigned shift = 0; shift < 64; shift++)
        for (int d = -1; d <= 1; d++) {
            uint64_t value = (UINT64_C(1) << shift) + (uint64_t)(int64_t)d;
            bytes_clear(&b);
            bytes_put_leb(&b, value);
            bytes_put_sleb(&b, (int64_t)value);
            bytes_put_sleb(&b, (int64_t)(0 - value));
            ByteReader r = bytes_reader(b.at, b.count);
            EXPECT(bytes_read_leb(&r) == value);
            EXPECT(bytes_read_sleb(&r) == (int64_t)value);
            EXPECT(bytes_read_sleb(&r) == (int64_t)(0 - value));
            EXPECT(!r.failed && bytes_left(&r) == 0);
        }
    bytes_free(&b);
}

TEST(leb_refuses_more_than_64_bits)
{
    const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1};
    const uint8_t large[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
    ByteReader r = bytes_reader(eleven, sizeof eleven);
    EXPECT_EQ(bytes_read_leb(&r), 0);
    EXPECT(r.failed);
    r = bytes_reader(large, sizeof large);
    EXPECT_EQ(bytes_read_leb(&r), 0);
    EXPECT(r.failed);
    r = bytes_reader(large, 5);
    EXPECT_EQ(bytes_read_sleb(&r), 0);
    EXPECT(r.failed);
    r = bytes_reader("\x05", 1);
    EXPECT_EQ(bytes_read_leb_max(&r, 4), 0);
    EXPECT(r.failed);
}

TEST(a_failed_reader_stays_failed)
{
    ByteReader r = bytes_reader("abc", 3);
    EXPECT(bytes_read(&r, 4) == NULL);
    EXPECT(r.failed);
    EXPECT_EQ(bytes_read_u8(&r), 0);
    EXPECT_EQ(bytes_left(&r), 0);
    r = bytes_reader("abcdef", 6);
    ByteReader inner = bytes_read_range(&r, 2);
    EXPECT_EQ(bytes_read_u8(&inner), 'a');
    EXPECT_EQ(bytes_read_u16(&inner), 0);
    EXPECT(inner.failed && !r.failed);
    EXPECT_EQ(bytes_read_u8(&r), 'c');
    EXPECT(bytes_read_range(&r, SIZE_MAX).failed);
}

/* Whatever the bytes, a reader stays inside them: the sanitizers watch. */
TEST(hostile_bytes_stay_inside)
{
    Rng g;
    rng_seed(&g, 1);
    for (size_t round = 0; round < UNIT_SIZE(5000); round++) {
        size_t count = rng_below(&g, 40);
        uint8_t *bytes = mem_alloc(NULL, MEM_MISC, count);
        for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)rng_next(&g);
        ByteReader r = bytes_reader(bytes, count);
        while (!r.failed) {
            switch (rng_below(&g, 5)) {
            case 0: (void)bytes_read_leb(&r); break;
            case 1: (void)bytes_read_sleb(&r); break;
            case 2: (void)bytes_read_u64_be(&r); break;
            case 3: (void)bytes_read(&r, bytes_read_u8(&r)); break;
            default: (void)bytes_read_u16(&r);
            }
        }
        mem_free(NULL, MEM_MISC, bytes, count);
    }
}

TEST(text_and_patches)
{
    Bytes b = {0};
    bytes_put_u32(&b, 0);
    bytes_printf(&b, "%s=%d", "x", 42);
    bytes_put_text(&b, ";");
    bytes_patch_u32(&b, 0, 0x44434241);
    bytes_put_u8(&b, 0);
    EXPECT_STR((char *)b.at, "ABCDx=42;");
    EXPECT_EQ(b.count, 10);
    bytes_free(&b);
}

TEST(files_are_read_and_replaced)
{
    char name[] = "/tmp/mote-unit-XXXXXX";
    int fd = mkstemp(name);
    EXPECT(fd >= 0);
    close(fd);
    EXPECT(bytes_write_file(name, "hello", 5));
    EXPECT(bytes_write_file(name, "bye", 3));
    Bytes b = {0};
    EXPECT(bytes_read_file(&b, name));
    EXPECT(b.count == 3 && memcmp(b.at, "bye", 3) == 0);
    unlink(name);
    EXPECT(!bytes_read_file(&b, name));
    EXPECT_EQ(errno, ENOENT);
    EXPECT(!bytes_read_file(&b, "/tmp"));
    EXPECT_EQ(errno, EISDIR);
    EXPECT(!bytes_write_file("/nowhere/at/all", "x", 1));
    bytes_free(&b);
}

TEST(crc_of_the_usual_text)
{
    EXPECT_EQ(bytes_crc32(0, "123456789", 9), 0xCBF43926);
    EXPECT_EQ(bytes_crc32(bytes_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
}
