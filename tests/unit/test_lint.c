/* Lint: scopes and the rest, in small; tests/lang/errors has whole modules. */
#include "tests/unit/front.h"

#define FUNCTION(text) "-module(m).\n-export([f/1]).\n" text

TEST(bound_and_unbound)
{
    EXPECT_LINT(FUNCTION("f(X) -> X."), "");
    EXPECT_LINT(FUNCTION("f(X) -> Y, X."), "E0501@3:9");
    EXPECT_LINT(FUNCTION("f(X) -> Y = X, Y."), "");
    EXPECT_LINT(FUNCTION("f(X) -> {Y = X, Y}, Y."), "W0609@3:9 E0501@3:17");
    EXPECT_LINT(FUNCTION("f(X) -> {Y = X, Y = 1}, Y."), "W0609@3:9");
    EXPECT_LINT(FUNCTION("f(X) -> g(Y = X), Y.\ng(_) -> ok."), "");
    EXPECT_LINT(FUNCTION("f(X) -> begin Y = X end, Y."), "");
    EXPECT_LINT(FUNCTION("f(_) -> _."), "E0501@3:9");
}

TEST(clauses_export_what_all_bind)
{
    EXPECT_LINT(FUNCTION("f(X) -> case X of 1 -> Y = 1; _ -> Y = 2 end, Y."), "");
    EXPECT_LINT(FUNCTION("f(X) -> case X of 1 -> Y = 1; _ -> ok end, Y."), "E0502@3:44");
    EXPECT_LINT(FUNCTION("f(X) -> case X of {Y} -> ok; Y -> ok end, Y."), "");
    EXPECT_LINT(FUNCTION("f(X) -> case X of {Y} -> ok; _ -> ok end, Y = 1."), "E0502@3:43");
    EXPECT_LINT(FUNCTION("f(X) -> case X of {_} -> ok; Y -> ok end."), "W0503@3:30");
    EXPECT_LINT(FUNCTION("f(X) -> if X -> Y = 1; true -> Y = 2 end, Y."), "");
    EXPECT_LINT(FUNCTION("f(X) -> receive X -> Y = 1 after 0 -> Y = 2 end, Y."), "");
    EXPECT_LINT(FUNCTION("f(X) -> receive X -> ok after Y = 1 -> Y end, Y."), "E0501@3:40");
    EXPECT_LINT(
        FUNCTION("f(X) -> case X of 1 -> Y = 1; _ -> Y = 2 end, case X of Y -> ok end."),
        "W0505@3:57");
}

TEST(nothing_comes_out_of_a_try)
{
    EXPECT_LINT(FUNCTION("f(X) -> try Y = X, Y catch _:_ -> ok end."), "");
    EXPECT_LINT(FUNCTION("f(X) -> try Y = X of _ -> Y catch _:_ -> ok end."), "");
    EXPECT_LINT(FUNCTION("f(X) -> try Y = X catch _:_ -> Y end."), "E0502@3:32");
    EXPECT_LINT(FUNCTION("f(X) -> try Y = X after Y end."), "E0502@3:25");
    EXPECT_LINT(FUNCTION("f(X) -> try ok after Y = X end, Y."), "E0502@3:33");
    EXPECT_LINT(FUNCTION("f(X) -> catch (Y = X), Y."), "E0502@3:24");
    EXPECT_LINT(FUNCTION("f(X) -> X andalso (Y = X), Y."), "E0502@3:28");
    EXPECT_LINT(FUNCTION("f(X) -> (Y = X) andalso Y, Y."), "");
    EXPECT_LINT(FUNCTION("f(X) -> maybe Y ?= X, Y end, Y."), "E0502@3:30");
    EXPECT_LINT(FUNCTION("f(X) -> maybe Y ?= X else _ -> Y end."), "E0502@3:32");
}

TEST(funs_and_comprehensions_have_their_own)
{
    EXPECT_LINT(FUNCTION("f(X) -> fun(Y) -> X + Y end."), "");
    EXPECT_LINT(FUNCTION("f(X) -> fun(X) -> X end."), "W0503@3:3 W0504@3:13");
    EXPECT_LINT(FUNCTION("f(X) -> F = fun() -> Y = X, Y end, F(), Y."), "E0501@3:41");
    EXPECT_LINT(FUNCTION("f(X) -> fun G(0) -> X; G(N) -> G(N - 1) end."), "");
    EXPECT_LINT(FUNCTION("f(X) -> fun G(N) -> X + N end."), "W0503@3:9");
    EXPECT_LINT(FUNCTION("f(X) -> [Y || Y <- X, Z <- Y, Z > Y]."), "");
    EXPECT_LINT(FUNCTION("f(X) -> [Z || Y <- X, Z <- [Y], Z > 1], Z."), "E0501@3:41");
    EXPECT_LINT(FUNCTION("f(X) -> [Y || Y <- X, Y <- Y]."), "W0504@3:23");
    EXPECT_LINT(FUNCTION("f(X) -> [Y || <<N, Y:N>> <= X]."), "");
    EXPECT_LINT(FUNCTION("f(X) -> [Y || Y <- Y = X]."), "W0503@3:20");
    EXPECT_LINT(FUNCTION("f(X) -> #{K => V || K := V <- X}."), "");
    EXPECT_LINT(FUNCTION("f(X) -> [{A, B} || A <- X && B <- X]."), "");
    EXPECT_LINT(FUNCTION("f(X) -> [{A, B} || A <- X && B <- A]."), "E0501@3:35");
}

TEST(patterns_see_what_was_bound_before_them)
{
    EXPECT_LINT(FUNCTION("f({N, <<X:N>>}) -> X."), "E0501@3:11");
    EXPECT_LINT(FUNCTION("f(<<N, X:N>>) -> X."), "");
    EXPECT_LINT(FUNCTION("f(X) -> N = 8, <<Y:N>> = X, Y."), "");
    EXPECT_LINT(FUNCTION("f({K, #{K := V}}) -> {K, V}."), "E0501@3:9");
    EXPECT_LINT(FUNCTION("f(X) -> K = a, #{K := V} = X, V."), "");
    EXPECT_LINT(FUNCTION("f({X, X}) -> ok."), "");
}

TEST(guards)
{
    EXPECT_LINT(FUNCTION("f(X) when is_list(X), length(X) > 1; X == a -> ok."), "");
    EXPECT_LINT(FUNCTION("f(X) when erlang:is_list(X), erlang:'+'(X, 1) > 1 -> ok."), "");
    EXPECT_LINT(FUNCTION("f(X) when lists:member(X, []) -> ok."), "E0603@3:11");
    EXPECT_LINT(FUNCTION("f(X) when g(X) -> ok.\ng(X) -> X."), "E0604@3:11 W0403@4:1");
    EXPECT_LINT(FUNCTION("f(X) when Y > X -> ok."), "E0501@3:11");
    EXPECT_LINT(FUNCTION("f(X) when X -> ok; f(X) when X ++ [] -> ok."), "E0603@3:32");
}

TEST(scripts)
{
    EXPECT_LINT("X = 1.\nX + 1.", "");
    EXPECT_LINT("X = 1.\nf() -> X.\nf().", "W0503@1:1 E0501@2:8");
    EXPECT_LINT("f(#r{a = A}) -> A.\n-record(r, {a}).\nf(#r{a = 1}).", "");
    EXPECT_LINT("main(_) -> ok.", "");
    EXPECT_LINT("main() -> ok.\nhelper() -> ok.", "W0403@2:1");
    EXPECT_LINT("Y = 1.", "W0503@1:1");
    EXPECT_LINT("undefined_function().", "E0401@1:1");
}

TEST(shell_inputs_find_variables_bound)
{
    Compilation c;
    compilation_init(&c, NULL);
    const NameId bound[] = {names_intern_text(&c.names, "A"), names_intern_text(&c.names, "B")};
    const LintOptions options = {.bound = bound, .bound_count = 2, .is_shell = true};
    EXPECT_STR(front_lint(&c, "C = A + D.", &options), "E0501@1:9");
    compilation_free(&c);
}

TEST(options)
{
    EXPECT_LINT(FUNCTION("-compile(nowarn_unused_vars).\nf(X) -> 1."), "");
    EXPECT_LINT(
        FUNCTION("-compile([{nowarn_unused_function, [{g, 0}]}]).\nf(_) -> 1.\ng() -> 2."), "");
    EXPECT_LINT("-module(m).\n-compile(export_all).\nf() -> 1.", "W0307@2:2");
    EXPECT_LINT("-module(m).\n-compile([export_all, nowarn_export_all]).\nf() -> 1.", "");
    const CompileOptions quiet = {.no_warnings = true};
    Compilation c;
    compilation_init(&c, &quiet);
    EXPECT_STR(front_lint(&c, FUNCTION("f(X) -> Y."), NULL), "E0501@3:9");
    EXPECT(compilation_failed(&c));
    compilation_free(&c);
}

TEST(messages_are_shown_with_their_line)
{
    Compilation c;
    compilation_init(&c, NULL);
    const char *text = FUNCTION("f(Count) ->\n\tCuont + 1.");
    const AstFile *file = parse_text(&c, "m.mote", text, strlen(text));
    lint_file(&c, file, NULL);
    diags_sort(&c.diags);
    EXPECT_EQ(c.diags.count, 2);
    EXPECT_STR(diag_render(&c.diags, &c.sources, &c.diags.at[1]),
               "m.mote:4:2: error: variable 'Cuont' is unbound [E0501]\n"
               "     4 | \tCuont + 1.\n"
               "       | \t^~~~~\n"
               "       = hint: there is a variable 'Count'\n");
    compilation_free(&c);
}

/* Doubling a program doubles the work: sizes that would be felt if it did not. */
TEST(large_programs)
{
    const int count = UNIT_SIZE(50000);
    Bytes text = {0};
    bytes_put_text(&text, "-module(m).\n-export([f/1, g/1]).\nf(X) ->\n");
    for (int i = 0; i < count; i++) bytes_printf(&text, "V%d = X + %d, _ = V%d,\n", i, i, i);
    bytes_put_text(&text, "ok.\n");
    for (int i = 0; i < count; i++) bytes_printf(&text, "g(%d) -> h%d(%d);\n", i, i, i);
    bytes_put_text(&text, "g(_) -> ok.\n");
    for (int i = 0; i < count; i++) bytes_printf(&text, "h%d(X) -> X.\n", i);
    bytes_put_u8(&text, 0);
    EXPECT_LINT((const char *)text.at, "");
    bytes_free(&text);
}
