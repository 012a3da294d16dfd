#include "vm/base/utf8.h"

#include "tests/unit/unit.h"

TEST(every_scalar_value_comes_back)
{
    uint32_t wrong = 0;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        uint8_t bytes[UTF8_MAX];
        int length = utf8_encode(c, bytes);
        if (!utf8_is_scalar(c)) {
            wrong += length != 0;
            continue;
        }
        uint32_t back = UINT32_MAX;
        wrong += utf8_decode(bytes, (size_t)length, &back) != length || back != c;
        wrong += utf8_length(c) != length;
        for (int cut = 1; cut < length; cut++)
            wrong += utf8_decode(bytes, (size_t)cut, &back) != 0;
    }
    EXPECT_EQ(wrong, 0);
}

static int decode(const char *bytes)
{
    uint32_t c;
    return utf8_decode((const uint8_t *)bytes, strlen(bytes), &c);
}

TEST(what_is_not_utf8)
{
    EXPECT_EQ(decode("\x80"), -1);             /* a continuation alone */
    EXPECT_EQ(decode("\xC0\x80"), -1);         /* overlong */
    EXPECT_EQ(decode("\xC1\xBF"), -1);         /* overlong */
    EXPECT_EQ(decode("\xE0\x9F\xBF"), -1);     /* overlong */
    EXPECT_EQ(decode("\xF0\x8F\xBF\xBF"), -1); /* overlong */
    EXPECT_EQ(decode("\xED\xA0\x80"), -1);     /* surrogate */
    EXPECT_EQ(decode("\xF4\x90\x80\x80"), -1); /* above the last */
    EXPECT_EQ(decode("\xF5\x80\x80\x80"), -1);
    EXPECT_EQ(decode("\xFF"), -1);
    EXPECT_EQ(decode("\xC3("), -1);
    EXPECT_EQ(decode("\xE2\x82"), 0);
    EXPECT_EQ(decode("\xE2\x28"), -1);
}

TEST(prefixes_and_counts)
{
    const uint8_t *text = (const uint8_t *)"a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80!";
    EXPECT_EQ(utf8_valid_prefix(text, 11), 11);
    EXPECT_EQ(utf8_valid_prefix(text, 9), 6);
    EXPECT(utf8_is_valid(text, 6) && !utf8_is_valid(text, 7));
    EXPECT_EQ(utf8_count(text, 11), 5);
}

TEST(widths_on_a_terminal)
{
    EXPECT_EQ(utf8_width('a'), 1);
    EXPECT_EQ(utf8_width(0xE4), 1);
    EXPECT_EQ(utf8_width(0x301), 0);
    EXPECT_EQ(utf8_width(0x4E2D), 2);
    EXPECT_EQ(utf8_width(0x1F600), 2);
}
