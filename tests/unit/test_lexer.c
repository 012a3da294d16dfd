/* Tokens: values, positions, mistakes. */
#include "tests/unit/front.h"

/* Tokens of a text as words; literals with their value. */
static const char *tokens(Compilation *c, const char *text)
{
    Bytes to = {0};
    const Source *source = sources_add(&c->sources, "test", text, strlen(text));
    Lexer lexer;
    Token token;
    lexer_init(&lexer, c, source);
    for (lexer_next(&lexer, &token); token.kind != TOKEN_EOF; lexer_next(&lexer, &token)) {
        if (to.count) bytes_put_u8(&to, ' ');
        size_t size = 0;
        bool literal = token.kind <= TOKEN_SIGIL_BINARY && token.kind != TOKEN_DOT;
        if (literal)
            bytes_put_text(&to, lexer_stringify(c, &token, 1, &size));
        else if (token.kind == TOKEN_DOT)
            bytes_put_text(&to, "DOT");
        else
            bytes_put_text(&to, token_text[token.kind]);
    }
    front_put_diags(&to, c);
    return front_text(c, &to);
}

#define EXPECT_TOKENS(text, wanted)            \
    do {                                       \
        Compilation c_;                        \
        compilation_init(&c_, NULL);           \
        EXPECT_STR(tokens(&c_, text), wanted); \
        compilation_free(&c_);                 \
    } while (0)

TEST(integers)
{
    EXPECT_TOKENS("0 7 42 1_000_000", "0 7 42 1000000");
    EXPECT_TOKENS("16#fF 2#1010 36#Zz 16#ff_ff", "255 10 1295 65535");
    EXPECT_TOKENS("9223372036854775807 9223372036854775808",
                  "9223372036854775807 9223372036854775808");
    EXPECT_TOKENS("16#10000000000000000", "18446744073709551616");
    EXPECT_TOKENS("1_ 1__2", "1 _ 1 __2");
    EXPECT_TOKENS("1#0", "error E0004@1:1");
    EXPECT_TOKENS("37#0", "error E0004@1:1");
    EXPECT_TOKENS("16#g", "error g E0003@1:1");
}

/* `n` times a digit behind a prefix, as tokens. */
static const char *tokens_of_digits(Compilation *c, const char *prefix, char digit, size_t n)
{
    size_t size = strlen(prefix);
    char *text = arena_alloc(&c->arena, size + n + 1);
    memcpy(text, prefix, size);
    memset(text + size, digit, n);
    text[size + n] = '\0';
    return tokens(c, text);
}

#define EXPECT_DIGITS(prefix, digit, n, wanted)                      \
    do {                                                             \
        Compilation c_;                                              \
        compilation_init(&c_, NULL);                                 \
        EXPECT_STR(tokens_of_digits(&c_, prefix, digit, n), wanted); \
        compilation_free(&c_);                                       \
    } while (0)

TEST(integers_too_large)
{
    EXPECT_DIGITS(" 16#1", '0', 8388593, "error E0015@1:2");
    EXPECT_DIGITS("7 + 1", '0', 10200000, "7 + error E0015@1:5");
    EXPECT_DIGITS("16#", '0', 9000000, "0");
}

TEST(floats)
{
    EXPECT_TOKENS("1.0 0.5 1.5e3 1.0E-3 2_0.2_5", "1.0 0.5 1.5e3 0.001 20.25");
    EXPECT_TOKENS("1.7976931348623157e308 5.0e-324 1.0e-400",
                  "1.7976931348623157e308 5.0e-324 0.0");
    EXPECT_TOKENS("1.0e999", "error E0005@1:1");
    EXPECT_TOKENS("1.0e", "error E0005@1:1");
    EXPECT_TOKENS("1.e5 1..2", "1 . e5 1 .. 2");
    EXPECT_TOKENS("2#1.01 16#f.8#e5 2#1.0#e-2 10#1.5#e3", "1.25 16252928.0 0.25 1.5e3");
    EXPECT_TOKENS("3#0.1", "0.3333333333333333");
    EXPECT_TOKENS("16#1.0#e99999", "error E0005@1:1");
}

TEST(characters)
{
    EXPECT_TOKENS("$a $\\n $\\x41 $\\x{1F600} $\\101 $\\^A $\\s $  $\\\\",
                  "$a $\\n $A $\xF0\x9F\x98\x80 $A $\\001 $\\s $\\s $\\\\");
    EXPECT_TOKENS("$\\x{D800}", "error } E0001@1:1");
    EXPECT_TOKENS("$", "error E0001@1:1");
}

TEST(strings)
{
    EXPECT_TOKENS("\"\" \"a\\\"b\" \"\\t\\x{e9}\\0\"", "\"\" \"a\\\"b\" \"\\t\xC3\xA9\\000\"");
    EXPECT_TOKENS("\"a\nb\"", "\"a\\nb\"");
    EXPECT_TOKENS("\"open", "error E0007@1:1");
    EXPECT_TOKENS("\"\\x{110000}\" ok", "error ok E0002@1:2");
}

TEST(triple_quoted)
{
    EXPECT_TOKENS("\"\"\"\n  a\n   b\n  \"\"\"", "\"a\\n b\"");
    EXPECT_TOKENS("\"\"\"\n\"\"\"", "\"\"");
    EXPECT_TOKENS("\"\"\"\n  a \\n \"q\"\n\n  \"\"\"", "\"a \\\\n \\\"q\\\"\\n\"");
    EXPECT_TOKENS("\"\"\"\"\n\"\"\"\n\"\"\"\"", "\"\\\"\\\"\\\"\"");
    EXPECT_TOKENS("\"\"\"\n a\n  \"\"\"", "error E0010@2:2");
    EXPECT_TOKENS("\"\"\"\nabc", "error E0009@1:1");
    EXPECT_TOKENS("\"\"\"a\"", "\"\" \"a\"");
}

TEST(sigils)
{
    EXPECT_TOKENS("~\"a\\n\" ~b(x) ~B[\\n] ~s{q} ~S/\\/ ~s'a\"b'",
                  "~\"a\\n\" ~\"x\" ~\"\\\\n\" ~s\"q\" ~s\"\\\\\" ~s\"a\\\"b\"");
    EXPECT_TOKENS("~\"\"\"\n \\n\n \"\"\"", "~\"\\\\n\"");
    EXPECT_TOKENS("~b\"\"\"\n \\n\n \"\"\"", "~\"\\n\"");
    EXPECT_TOKENS("~x\"a\"", "error \"a\" E0011@1:1");
    EXPECT_TOKENS("~s\"a\"x", "error E0012@1:6");
}

TEST(atoms_and_variables)
{
    EXPECT_TOKENS("a aB@_1 'A b' 'it\\'s' A _ _x A@1", "a aB@_1 'A b' 'it\\'s' A _ _x A@1");
    EXPECT_TOKENS("\xC3\xA9t\xC3\xA9 \xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\xA9 \xC3\x89t\xC3\xA9");
    EXPECT_TOKENS("case 'case' maybe else", "case case maybe else");
    EXPECT_TOKENS("\xCE\xB1", "error E0001@1:1");
    EXPECT_TOKENS("'open", "error E0008@1:1");
}

TEST(long_atoms)
{
    char text[300];
    memset(text, 'a', sizeof text);
    text[255] = '\0';
    EXPECT_TOKENS(text, text);
    text[255] = 'a';
    text[256] = '\0';
    EXPECT_TOKENS(text, "error E0006@1:1");
}

TEST(punctuation)
{
    EXPECT_TOKENS("<- <= <:- <:= => := :: ?= =:= =/= == /= =< >= << >> ++ -- || && -> .. ...",
                  "<- <= <:- <:= => := :: ?= =:= =/= == /= =< >= << >> ++ -- || && -> .. ...");
    EXPECT_TOKENS("a.b a. b", "a . b a DOT b");
    EXPECT_TOKENS("a.% comment\nb.", "a DOT b DOT");
}

TEST(maybe_is_an_atom_when_asked)
{
    const CompileOptions options = {.otp25 = true};
    Compilation c;
    compilation_init(&c, &options);
    const Source *source = sources_add(&c.sources, "test", "maybe else", 10);
    Lexer lexer;
    Token token;
    lexer_init(&lexer, &c, source);
    lexer_next(&lexer, &token);
    EXPECT(token.kind == TOKEN_ATOM);
    lexer_next(&lexer, &token);
    EXPECT_EQ(token.kind, TOKEN_ATOM);
    compilation_free(&c);
}

TEST(first_line_of_a_script) { EXPECT_TOKENS("#!/usr/bin/env mote\nok.", "ok DOT"); }

TEST(latin1_is_announced) { EXPECT_TOKENS("%% coding: latin-1\n\"\xE9\"", "\"\xC3\xA9\""); }

TEST(complete_inputs)
{
    EXPECT_EQ(parse_state("", 0), PARSE_EMPTY);
    EXPECT_EQ(parse_state("  % only a comment", 18), PARSE_EMPTY);
    EXPECT_EQ(parse_state("X = 1", 5), PARSE_INCOMPLETE);
    EXPECT_EQ(parse_state("X = 1.", 6), PARSE_COMPLETE);
    EXPECT_EQ(parse_state("X = \"1.", 7), PARSE_INCOMPLETE);
    EXPECT_EQ(parse_state("X = 1.5", 7), PARSE_INCOMPLETE);
    EXPECT_EQ(parse_state("X. Y", 4), PARSE_INCOMPLETE);
}
