/* Terms as text: as ~w of OTP 25 prints them; quoting; strings in reports; limits and
 * slices. */
#include "tests/unit/terms.h"
#include "vm/term/fun.h"
#include "vm/term/pid.h"

static const char *flagged(Terms *x, Term t, PrintFlags flags)
{
    bytes_clear(&x->text);
    print_term(&x->text, x->atoms, t, flags);
    bytes_put_u8(&x->text, 0);
    return (const char *)x->text.at;
}

/* Text and whether ~w quotes it. */
TEST(quoting_of_atoms)
{
    static const char *const plain[] = {"a",     "aB_1@", "é", "a@b", "maybe", "else",
                                        "query", "ß",     "ÿ", "aÀ",  "true"};
    static const char *const quoted[][2] = {
        {"A", "'A'"},
        {"", "''"},
        {" ", "' '"},
        {"a b", "'a b'"},
        {"\1", "'\\001'"},
        {"\n", "'\\n'"},
        {"\t", "'\\t'"},
        {"\v", "'\\v'"},
        {"\b", "'\\b'"},
        {"\r", "'\\r'"},
        {"\f", "'\\f'"},
        {"\033", "'\\e'"},
        {"\177", "'\\d'"},
        {"\xC2\x80", "'\\200'"},
        {"\xC2\x9F", "'\\237'"},
        {"÷", "'÷'"},
        {"a÷", "'a÷'"},
        {"É", "'É'"},
        {"×", "'×'"},
        {"cond", "'cond'"},
        {"let", "'let'"},
        {"if", "'if'"},
        {"after", "'after'"},
        {"of", "'of'"},
        {"@a", "'@a'"},
        {"_a", "'_a'"},
        {"a'b", "'a\\'b'"},
        {"a\"b", "'a\"b'"},
        {"a\\b", "'a\\\\b'"},
        {"1a", "'1a'"},
        {"aª", "'aª'"},
        {"orelse", "'orelse'"},
        {"!", "'!'"},
        {"a.b", "'a.b'"},
        {"receive", "'receive'"},
        {"xor", "'xor'"},
    };
    Terms x;
    terms_open(&x);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        EXPECT_STR(terms_text(&x, atom_make(x.atoms, plain[i])), plain[i]);
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
        EXPECT_STR(terms_text(&x, atom_make(x.atoms, quoted[i][0])), quoted[i][1]);
    EXPECT_STR(flagged(&x, atom_make(x.atoms, "aж"), PRINT_LATIN1), "'a\\x{436}'");
    EXPECT_STR(flagged(&x, atom_make(x.atoms, "aж"), PRINT_PLAIN), "'aж'");
    terms_close(&x);
}

TEST(every_kind)
{
    Terms x;
    terms_open(&x);
    Term a = atom_make(x.atoms, "a");
    ExportKey export = {atom_make(x.atoms, "A"), atom_make(x.atoms, "b"), 1};
    FunKey key = {.module = a, .old_index = 3, .old_uniq = 77};
    EXPECT_STR(terms_text(&x, fun_make_export(&x.heap, &export)), "fun 'A':b/1");
    EXPECT_STR(terms_text(&x, fun_make(&x.heap, &key, 0, NULL)), "#Fun<a.3.77>");
    EXPECT_STR(terms_text(&x, pid_make(5, 2)), "<0.5.2>");
    EXPECT_STR(terms_text(&x, port_make(9)), "#Port<0.9>");
    EXPECT_STR(terms_text(&x, pid_make_ref(&x.heap, 5)), "#Ref<0.0.0.5>");
    EXPECT_STR(terms_text(&x, heap_tuple(&x.heap, 0, NULL)), "{}");
    Term nested =
        heap_cons(&x.heap, TERM_NIL,
                  heap_cons(&x.heap, heap_cons(&x.heap, TERM_NIL, TERM_NIL), TERM_NIL));
    EXPECT_STR(terms_text(&x, nested), "[[],[[]]]");
    EXPECT_STR(terms_text(&x, heap_cons(&x.heap, a, a)), "[a|a]");
    EXPECT_STR(
        terms_text(&x, heap_tuple2(&x.heap, map_empty(&x.heap), heap_float(&x.heap, 1.0))),
        "{#{},1.0}");
    EXPECT_STR(
        terms_text(&x, binary_from_bits(&x.heap, (BitView){(const uint8_t *)"\1\2\3", 0, 20})),
        "<<1,2,0:4>>");
    terms_close(&x);
}

TEST(reports)
{
    Terms x;
    terms_open(&x);
    Term text = list_from_text(&x.heap, "a\"b\\\n\xC3\xA9");
    EXPECT_STR(flagged(&x, text, PRINT_STRINGS), "\"a\\\"b\\\\\\n\xC3\xA9\"");
    EXPECT_STR(flagged(&x, heap_cons(&x.heap, small_from(0), text), PRINT_STRINGS),
               "[0,97,34,98,92,10,233]");
    EXPECT_STR(flagged(&x, binary_from_text(&x.heap, "hello"), PRINT_STRINGS), "<<\"hello\">>");
    EXPECT_STR(flagged(&x, TERM_NIL, PRINT_STRINGS), "[]");
    bytes_clear(&x.text);
    print_term_limited(&x.text, x.atoms, list_from_text(&x.heap, "abcdef"), PRINT_PLAIN, 10);
    bytes_put_u8(&x.text, 0);
    EXPECT_STR((const char *)x.text.at, "[97,98,99,...");
    Term map = map_empty(&x.heap);
    for (int i = 0; i < 40; i++) map = map_put(&x.heap, x.atoms, map, small_from(i), TERM_NIL);
    EXPECT(strncmp(flagged(&x, map, PRINT_SORT_MAPS), "#{0 => [],1 => [],2 => [],3", 26) == 0);
    terms_close(&x);
}

TEST(slices_give_the_same)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(500); round++) {
        Term t = terms_random(&x, 4);
        Bytes slow = {0};
        PrintWalk w;
        size_t budget = 1;
        print_begin(&w, &slow, x.atoms, t, PRINT_PLAIN, x.mem);
        while (!print_step(&w, &budget)) budget = 1;
        print_end(&w);
        bytes_put_u8(&slow, 0);
        EXPECT_STR((const char *)slow.at, terms_text(&x, t));
        bytes_free(&slow);
        terms_clear(&x);
    }
    terms_close(&x);
}

TEST(deep_terms)
{
    Terms x;
    terms_open(&x);
    Term t = TERM_NIL;
    int n = UNIT_SIZE(300000);
    for (int i = 0; i < n; i++)
        t = i % 2 ? heap_tuple(&x.heap, 1, &t) : heap_cons(&x.heap, t, TERM_NIL);
    EXPECT_EQ(strlen(terms_text(&x, t)), 2 * n + 2);
    terms_close(&x);
}
