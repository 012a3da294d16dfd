#include "vm/base/utf8.h"

int utf8_decode(const uint8_t *at, size_t left, uint32_t *character)
{
    uint8_t first = at[0];
    if (first < 0x80) {
        *character = first;
        return 1;
    }
    int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4) return -1;
    uint32_t c = first & (0xFFu >> (length + 1));
    for (int i = 1; i < length; i++) {
        if ((size_t)i == left) return 0;
        uint8_t next = at[i];
        if ((next & 0xC0) != 0x80) return -1;
        /* The second byte already tells overlong forms, surrogates and what is too large. */
        if (i == 1
            && ((first == 0xE0 && next < 0xA0) || (first == 0xED && next > 0x9F)
                || (first == 0xF0 && next < 0x90) || (first == 0xF4 && next > 0x8F)))
            return -1;
        c = c << 6 | (next & 0x3Fu);
    }
    *character = c;
    return length;
}

int utf8_length(uint32_t c)
{
    if (!utf8_is_scalar(c)) return 0;
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

int utf8_encode(uint32_t c, uint8_t *to)
{
    int length = utf8_length(c);
    switch (length) {
    case 1: to[0] = (uint8_t)c; break;
    case 2:
        to[0] = (uint8_t)(0xC0 | c >> 6);
        to[1] = (uint8_t)(0x80 | (c & 0x3F));
        break;
    case 3:
        to[0] = (uint8_t)(0xE0 | c >> 12);
        to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (c & 0x3F));
        break;
    case 4:
        to[0] = (uint8_t)(0xF0 | c >> 18);
        to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        to[3] = (uint8_t)(0x80 | (c & 0x3F));
        break;
    default: break;
    }
    return length;
}

size_t utf8_valid_prefix(const uint8_t *at, size_t count)
{
    size_t i = 0;
    while (i < count) {
        if (count - i >= 8 && utf8_is_ascii8(at + i)) {
            i += 8;
            continue;
        }
        uint32_t c;
        int length = utf8_decode(at + i, count - i, &c);
        if (length <= 0) break;
        i += (size_t)length;
    }
    return i;
}

size_t utf8_count(const uint8_t *at, size_t count)
{
    size_t characters = 0;
    for (size_t i = 0; i < count; i++) characters += (at[i] & 0xC0) != 0x80;
    return characters;
}

typedef struct Utf8Range {
    uint32_t from;
    uint32_t to;
} Utf8Range;

static bool utf8_in(uint32_t c, const Utf8Range *ranges, size_t count)
{
    for (size_t i = 0; i < count && c >= ranges[i].from; i++)
        if (c <= ranges[i].to) return true;
    return false;
}

int utf8_width(uint32_t c)
{
    static const Utf8Range none[] = {
        {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},   {0x0610, 0x061A},
        {0x064B, 0x065F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},   {0x200B, 0x200F},
        {0x2028, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20FF},   {0xFE00, 0xFE0F},
        {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
    };
    static const Utf8Range wide[] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
        {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
        {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
    };
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return 0;
    if (c < 0x300) return 1;
    if (utf8_in(c, none, ARRAY_LEN(none))) return 0;
    return utf8_in(c, wide, ARRAY_LEN(wide)) ? 2 : 1;
}
