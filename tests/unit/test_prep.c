/* The preprocessor: macros, conditions, includes. */
#include "tests/unit/front.h"

TEST(macros)
{
    EXPECT_PARSE("-define(A, 1).\n{?A, ?A}.", "(EXPRS [(TUPLE [(INT 1) (INT 1)])])");
    EXPECT_PARSE("-define(a, [b).\n?a].", "(EXPRS [(LIST [(ATOM b)])])");
    EXPECT_PARSE("-define(M(X, Y), {Y, X}).\n?M(1, [2, 3]).",
                 "(EXPRS [(TUPLE [(LIST [(INT 2) (INT 3)]) (INT 1)])])");
    EXPECT_PARSE("-define(M(), 0).\n-define(M(X), X).\n{?M(), ?M(1)}.",
                 "(EXPRS [(TUPLE [(INT 0) (INT 1)])])");
    EXPECT_PARSE("-define(M(X), ??X).\n?M(foo(X, \"s\")).",
                 "(EXPRS [(STRING \"foo ( X , \"s\" )\")])");
    EXPECT_PARSE("-define(A(X), ?B(X)).\n-define(B(X), {X}).\n?A(?A(1)).",
                 "(EXPRS [(TUPLE [(TUPLE [(INT 1)])])])");
    EXPECT_PARSE("-define(F(X), X).\n?F(fun(A, B) -> A end).",
                 "(EXPRS [(FUN [(CLAUSE [(VAR A) (VAR B)] [] [(VAR A)])])])");
    EXPECT_PARSE("-define(F(X), X).\n?F(case a of b -> c, d end).",
                 "(EXPRS [(CASE (ATOM a) [(CLAUSE [(ATOM b)] [] [(ATOM c) (ATOM d)])])])");
    EXPECT_PARSE("-define(N, f).\n?N(X) -> X.",
                 "(FUNCTION f/1 [(CLAUSE f [(VAR X)] [] [(VAR X)])])");
}

TEST(macro_mistakes)
{
    EXPECT_PARSE("?A.", "E0102@1:2");
    EXPECT_PARSE("?A(1).", "E0103@1:2");
    EXPECT_PARSE("-define(M(X), X).\n?M(1, 2).", "E0104@2:2");
    EXPECT_PARSE("-define(M(X), X).\n?M(1.", "E0105@2:2");
    EXPECT_PARSE("-define(M(X), X).\n?M(,).", "E0105@2:2");
    EXPECT_PARSE("-define(A, 1).\n-define(A, 2).", "E0106@2:9");
    EXPECT_PARSE("-define(LINE, 1).", "E0107@1:9");
    EXPECT_PARSE("-define(A, ?B).\n-define(B, ?A).\n?A.", "E0108@3:2");
    EXPECT_PARSE("-define(M(X, X), X).", "E0109@1:14");
    EXPECT_PARSE("-define(M).", "E0101@1:10");
    EXPECT_PARSE("? .", "E0110@1:1");
    EXPECT_PARSE("x() -> ok.\n-vsn(?FUNCTION_NAME).", "E0112@2:7");
}

TEST(macros_cannot_explode)
{
    Bytes text = {0};
    bytes_put_text(&text, "-define(D(X), [X, X]).\n");
    for (int i = 0; i < 40; i++) bytes_put_text(&text, "?D(");
    bytes_put_text(&text, "1");
    for (int i = 0; i < 40; i++) bytes_put_text(&text, ")");
    bytes_put_text(&text, ".");
    bytes_put_u8(&text, 0);
    EXPECT_PARSE((const char *)text.at, "E0111@2:119");
    bytes_free(&text);
}

TEST(predefined)
{
    EXPECT_PARSE("\n?LINE.", "(EXPRS [(INT 2)])");
    EXPECT_PARSE("?FILE.", "(EXPRS [(STRING \"test.mote\")])");
    EXPECT_PARSE("{?MODULE, ?MODULE_STRING}.",
                 "(EXPRS [(TUPLE [(ATOM test) (STRING \"test\")])])");
    EXPECT_PARSE("-module(m).\n-vsn(?MODULE).", "(MODULE m)\n(ATTR vsn (ATOM m))");
    EXPECT_PARSE("?MACHINE.", "(EXPRS [(ATOM BEAM)])");
    EXPECT_PARSE("?OTP_RELEASE.", "(EXPRS [(INT 28)])");
    EXPECT_PARSE("f({A, B}, _) -> {?FUNCTION_NAME, ?FUNCTION_ARITY, A, B}.",
                 "(FUNCTION f/2 [(CLAUSE f [(TUPLE [(VAR A) (VAR B)]) (VAR _)] [] "
                 "[(TUPLE [(ATOM f) (INT 2) (VAR A) (VAR B)])])])");
    EXPECT_PARSE("{?FEATURE_AVAILABLE(maybe_expr), ?FEATURE_ENABLED(x)}.",
                 "(EXPRS [(TUPLE [(ATOM true) (ATOM false)])])");
}

TEST(conditions)
{
    EXPECT_PARSE("-ifdef(A).\na.\n-else.\nb.\n-endif.", "(EXPRS [(ATOM b)])");
    EXPECT_PARSE("-define(A, 1).\n-ifndef(A).\na.\n-else.\nb.\n-endif.", "(EXPRS [(ATOM b)])");
    EXPECT_PARSE("-define(A, 1).\n-undef(A).\n-ifdef(A).\na.\n-endif.\nb.",
                 "(EXPRS [(ATOM b)])");
    EXPECT_PARSE("-if(1 > 2).\na.\n-elif(true).\nb.\n-elif(true).\nc.\n-else.\nd.\n-endif.",
                 "(EXPRS [(ATOM b)])");
    EXPECT_PARSE("-if(defined(X) orelse ?OTP_RELEASE >= 25).\na.\n-endif.",
                 "(EXPRS [(ATOM a)])");
    EXPECT_PARSE("-if(is_list(\"a\") andalso \"a\" < \"b\" andalso 1 == 1.0 andalso 1 =/= "
                 "1.0).\na.\n-endif.",
                 "(EXPRS [(ATOM a)])");
    EXPECT_PARSE("-if(1 / 0 == 1).\na.\n-else.\nb.\n-endif.", "(EXPRS [(ATOM b)])");
    EXPECT_PARSE("-ifdef(A).\n-ifdef(B).\n-else.\n'x\n.\n-endif.\n-endif.\n",
                 "E0118@1:1 E0118@2:1");
    EXPECT_PARSE("-ifdef(A).\n\"\\x{x}\" (.\n-error(x).\n-endif.\nok.", "(EXPRS [(ATOM ok)])");
}

TEST(condition_mistakes)
{
    EXPECT_PARSE("-endif.", "E0116@1:1");
    EXPECT_PARSE("-else.", "E0116@1:1");
    EXPECT_PARSE("-ifdef(A).\n-else.\n-else.\n-endif.", "E0117@3:1");
    EXPECT_PARSE("-ifdef(A).\n-else.\n-elif(true).\n-endif.", "E0117@3:1");
    EXPECT_PARSE("-if(true).", "E0118@1:1");
    EXPECT_PARSE("-ifdef(1).\n-endif.", "E0101@1:2");
    EXPECT_PARSE("-if(foo(1)).\n-endif.", "");
    EXPECT_PARSE("-if(X = 1).\n-endif.", "E0123@1:2");
    EXPECT_PARSE("-if(~).\n-endif.", "E0011@1:5");
    EXPECT_PARSE("-if(false).\n-elif(~).\n-endif.", "E0123@2:2");
}

TEST(directives)
{
    EXPECT_PARSE("-error(\"no\").", "E0119@1:1");
    EXPECT_PARSE("-warning({a, 1}).", "W0120@1:1");
    EXPECT_PARSE("-feature(maybe_expr, disable).\nmaybe.", "(EXPRS [(ATOM maybe)])");
    EXPECT_PARSE("-feature(nothing, enable).", "E0122@1:10");
    EXPECT_PARSE("a() -> b.\n-feature(maybe_expr, disable).", "E0121@2:1");
    EXPECT_PARSE("-include(\"no/such/file\").", "E0113@1:10");
    EXPECT_PARSE("-include_lib(\"no/such/file\").", "E0114@1:14");
    EXPECT_PARSE("-include(x).", "E0101@1:2");
}

TEST(file_attribute)
{
    Compilation c;
    compilation_init(&c, NULL);
    const char *text = "-file(\"other.src\", 100).\n{?FILE, ?LINE}.\n?A.";
    const AstFile *file = parse_text(&c, "test", text, strlen(text));
    EXPECT_EQ(file->forms.n, 2);
    const Ast *tuple = file->forms.at[1]->exprs.body.at[0];
    EXPECT_EQ(tuple->tuple.items.at[0]->v.str->n, 9);
    EXPECT_EQ(tuple->tuple.items.at[1]->v.i, 101);
    SrcLoc loc = sources_locate(&c.sources, c.diags.at[0].pos);
    EXPECT_STR(loc.file, "other.src");
    EXPECT_EQ(loc.line, 102);
    EXPECT_EQ(loc.physical_line, 3);
    compilation_free(&c);
}

TEST(options_define_macros)
{
    const MacroOption macros[] = {{"A", NULL}, {"B", "{1, x}"}};
    const CompileOptions options = {.macros = macros, .macro_count = 2};
    Compilation c;
    compilation_init(&c, &options);
    EXPECT_STR(front_parse(&c, "{?A, ?B}."),
               "(EXPRS [(TUPLE [(ATOM true) (TUPLE [(INT 1) (ATOM x)])])])");
    compilation_free(&c);
}

static void write_file(const char *path, const char *text)
{
    EXPECT(bytes_write_file(path, text, strlen(text)));
}

TEST(includes)
{
    char dir[] = "/tmp/mote-prep-XXXXXX";
    EXPECT(mkdtemp(dir) != NULL);
    char main_path[64];
    char header_path[64];
    snprintf(main_path, sizeof main_path, "%s/main.mote", dir);
    snprintf(header_path, sizeof header_path, "%s/header.hrl", dir);
    write_file(main_path,
               "-include(\"header.hrl\").\n?FROM_HEADER.\n-include(\"main.mote\").\n");
    write_file(header_path,
               "-ifdef(FROM_HEADER).\n?UNDEFINED.\n-endif.\n-define(FROM_HEADER, ?LINE).\n");
    Compilation c;
    compilation_init(&c, NULL);
    const AstFile *file = parse_file(&c, main_path);
    EXPECT_EQ(file->forms.at[0]->exprs.body.at[0]->v.i, 2);
    diags_sort(&c.diags);
    bool found = false;
    for (uint32_t i = 0; i < c.diags.count; i++) {
        SrcLoc loc = sources_locate(&c.sources, c.diags.at[i].pos);
        found = found
                || (c.diags.at[i].code == DIAG_UNDEFINED_MACRO
                    && strcmp(loc.file, header_path) == 0 && loc.line == 2);
    }
    EXPECT(found);
    EXPECT_EQ(c.diags.at[c.diags.count - 1].code, DIAG_INCLUDE_DEPTH);
    compilation_free(&c);
    remove(main_path);
    remove(header_path);
    remove(dir);
}
