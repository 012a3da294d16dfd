/* The character tables of regular expressions, against rules; patterns alone. */
#include "tests/unit/unit.h"
#include "vm/bif/bif_re.h"

#include <ctype.h>
#include <string.h>

static const uint8_t tables[1088] = {
#include "vm/bif/re_latin1.def"
};

/* Where a set of characters begins, in the order of PCRE2. */
enum { SPACE, XDIGIT, DIGIT, UPPER, LOWER, WORD, GRAPH, PRINT, PUNCT, CNTRL, CLASSES };

static bool is_upper(int c)
{
    return c < 128 ? isupper(c) : c >= 0xC0 && c <= 0xDE && c != 0xD7;
}

static bool is_lower(int c)
{
    if (c < 128) return islower(c);
    return (c >= 0xDF && c != 0xF7) || c == 0xAA || c == 0xB5 || c == 0xBA;
}

static bool is_letter(int c) { return is_upper(c) || is_lower(c); }

static bool is_in(int class_number, int c)
{
    bool ascii = c < 128;
    bool high = c >= 0xA0;
    switch (class_number) {
    case SPACE: return ascii && isspace(c);
    case XDIGIT: return ascii && isxdigit(c);
    case DIGIT: return ascii && isdigit(c);
    case UPPER: return is_upper(c);
    case LOWER: return is_lower(c);
    case WORD: return is_letter(c) || c == '_' || (ascii && isdigit(c));
    case GRAPH: return ascii ? isgraph(c) : high;
    case PRINT: return ascii ? isprint(c) : high;
    case PUNCT: return ascii ? ispunct(c) : high && !is_letter(c);
    default: return ascii ? iscntrl(c) : !high;
    }
}

TEST(classes_follow_iso_8859_1)
{
    for (int k = 0; k < CLASSES; k++)
        for (int c = 0; c < 256; c++) {
            const uint8_t *set = tables + 512 + 32 * k;
            EXPECT((set[c / 8] >> (c % 8) & 1) == is_in(k, c));
        }
}

TEST(cases_are_pairs)
{
    for (int c = 0; c < 256; c++) {
        bool pair =
            is_upper(c)
            || (is_lower(c) && c != 0xDF && c != 0xFF && c != 0xAA && c != 0xB5 && c != 0xBA);
        int other = !pair ? c : is_upper(c) ? c + 32 : c - 32;
        EXPECT(tables[c] == (is_upper(c) ? c + 32 : c));
        EXPECT(tables[256 + c] == other);
    }
}

TEST(patterns_compile_and_leave_nothing)
{
    Mem *mem = mem_new(0);
    ReFault fault;
    ReHow how = {.flags = PCRE2_UTF};
    RePattern *p = re_pattern_new(mem, (const uint8_t *)"(*UTF8)(a)\\w", 12, &how, &fault);
    EXPECT(p != NULL && p->groups == 1 && p->unicode && !p->crlf);
    ReScratch *one = re_scratch_take(p);
    ReScratch *two = re_scratch_take(p);
    EXPECT(one != NULL && two != NULL && one != two);
    re_scratch_return(p, one);
    re_scratch_return(p, two);
    EXPECT(re_scratch_take(p) == two);
    re_scratch_return(p, two);
    counted_drop(&p->counted);
    EXPECT(re_pattern_new(mem, (const uint8_t *)"a(", 2, &how, &fault) == NULL);
    EXPECT(fault.code != 0 && fault.at == 2);
    how.newline = RE_NEWLINE_BAD;
    EXPECT(re_pattern_new(mem, (const uint8_t *)"a", 1, &how, &fault) == NULL);
    EXPECT(fault.code == RE_FAULT_OPTIONS);
    EXPECT(mem_blocks(mem, MEM_WORK) == 0);
    mem_delete(mem);
}
