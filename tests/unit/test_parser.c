/* The grammar: trees of every construct, precedence, limits, recovery. */
#include "tests/unit/front.h"

/* The tree of one expression. */
#define EXPECT_EXPR(text, wanted) EXPECT_PARSE(text ".", "(EXPRS [" wanted "])")

TEST(literals)
{
    EXPECT_EXPR("1", "(INT 1)");
    EXPECT_EXPR("16#fffffffffffffffff", "(BIGINT 16#fffffffffffffffff)");
    EXPECT_EXPR("$a", "(CHAR 97)");
    EXPECT_EXPR("1.5", "(FLOAT 1.5)");
    EXPECT_EXPR("\"a\" \"b\"", "(STRING \"ab\")");
    EXPECT_EXPR("~\"a\"", "(BIN [(SEGMENT 5.0.0.0 (STRING \"a\"))])");
    EXPECT_EXPR("~s(a)", "(STRING \"a\")");
    EXPECT_EXPR("foo", "(ATOM foo)");
    EXPECT_EXPR("Foo", "(VAR Foo)");
    EXPECT_EXPR("[]", "(NIL)");
}

TEST(operators)
{
    EXPECT_EXPR("1 + 2", "(BINOP + (INT 1) (INT 2))");
    EXPECT_EXPR("1 + 2 - 3", "(LCHAIN (INT 1) [(LINK + (INT 2)) (LINK - (INT 3))])");
    EXPECT_EXPR("1 + 2 * 3", "(BINOP + (INT 1) (BINOP * (INT 2) (INT 3)))");
    EXPECT_EXPR("1 * 2 + 3", "(BINOP + (BINOP * (INT 1) (INT 2)) (INT 3))");
    EXPECT_EXPR("(1 + 2) + 3", "(BINOP + (BINOP + (INT 1) (INT 2)) (INT 3))");
    EXPECT_EXPR("1 - (2 - 3)", "(BINOP - (INT 1) (BINOP - (INT 2) (INT 3)))");
    EXPECT_EXPR("a ++ b -- c", "(RCHAIN [(LINK ++ (ATOM a)) (LINK -- (ATOM b))] (ATOM c))");
    EXPECT_EXPR("A = B ! C", "(RCHAIN [(LINK = (VAR A)) (LINK ! (VAR B))] (VAR C))");
    EXPECT_EXPR("A = B = C = d",
                "(RCHAIN [(LINK = (VAR A)) (LINK = (VAR B)) (LINK = (VAR C))] (ATOM d))");
    EXPECT_EXPR("a orelse b andalso c orelse d",
                "(RCHAIN [(LINK orelse (ATOM a)) (LINK orelse (BINOP andalso (ATOM b) (ATOM "
                "c)))] (ATOM d))");
    EXPECT_EXPR("- - 1", "(UNOP - (UNOP - (INT 1)))");
    EXPECT_EXPR("-1 + not A", "(BINOP + (UNOP - (INT 1)) (UNOP not (VAR A)))");
    EXPECT_EXPR("bnot A band B", "(BINOP band (UNOP bnot (VAR A)) (VAR B))");
    EXPECT_EXPR("A + B == C ++ D",
                "(BINOP == (BINOP + (VAR A) (VAR B)) (BINOP ++ (VAR C) (VAR D)))");
    EXPECT_EXPR("catch A = B", "(CATCH (BINOP = (VAR A) (VAR B)))");
    EXPECT_EXPR("A = catch B", "(BINOP = (VAR A) (CATCH (VAR B)))");
    EXPECT_PARSE("a == b == c.", "E0201@1:8");
    EXPECT_PARSE("a < b =< c.", "E0201@1:7");
}

TEST(data)
{
    EXPECT_EXPR("[a, b | C]", "(LIST [(ATOM a) (ATOM b)] (VAR C))");
    EXPECT_EXPR("{}", "(TUPLE [])");
    EXPECT_EXPR("#{a => 1, b := 2}",
                "(MAP [(MAP_FIELD => (ATOM a) (INT 1)) (MAP_FIELD := (ATOM b) (INT 2))])");
    EXPECT_EXPR("M#{}#{a => 1}", "(MAP (MAP (VAR M) []) [(MAP_FIELD => (ATOM a) (INT 1))])");
    EXPECT_EXPR("#r{a = 1, _ = 2}",
                "(RECORD r [(RECORD_FIELD a (INT 1)) (RECORD_FIELD _ (INT 2))])");
    EXPECT_EXPR("R#r{a = 1}#r.a",
                "(RECORD_GET r.a (RECORD r (VAR R) [(RECORD_FIELD a (INT 1))]))");
    EXPECT_EXPR("#r.a", "(RECORD_INDEX r.a)");
    EXPECT_EXPR("<<A:8/little-signed, B/binary, \"x\", -1:(A+1)/unit:4>>",
                "(BIN [(SEGMENT 0.2.2.0 (VAR A) (INT 8)) (SEGMENT 3.0.0.0 (VAR B)) (SEGMENT "
                "0.0.0.0 (STRING \"x\")) "
                "(SEGMENT 0.0.0.4 (UNOP - (INT 1)) (BINOP + (VAR A) (INT 1)))])");
}

TEST(calls_and_funs)
{
    EXPECT_EXPR("f(1, 2)", "(CALL (ATOM f) [(INT 1) (INT 2)])");
    EXPECT_EXPR("m:f()", "(CALL (REMOTE (ATOM m) (ATOM f)) [])");
    EXPECT_EXPR("(F())()", "(CALL (CALL (VAR F) []) [])");
    EXPECT_EXPR("fun f/1", "(FUN_LOCAL f/1)");
    EXPECT_EXPR("fun m:f/1", "(FUN_REMOTE (ATOM m) (ATOM f) (INT 1))");
    EXPECT_EXPR("fun M:F/A", "(FUN_REMOTE (VAR M) (VAR F) (VAR A))");
    EXPECT_EXPR("fun F(1) when A; B, C -> F(2); F(_) -> 3 end",
                "(FUN F [(CLAUSE F [(INT 1)] [(GUARD [(VAR A)]) (GUARD [(VAR B) (VAR C)])] "
                "[(CALL (VAR F) [(INT 2)])]) "
                "(CLAUSE F [(VAR _)] [] [(INT 3)])])");
    EXPECT_PARSE("f()().", "E0201@1:4");
    EXPECT_PARSE("fun(1) -> a; (1, 2) -> b end.", "E0208@1:14");
    EXPECT_PARSE("fun F(1) -> a; G(1) -> b end.", "E0209@1:16");
}

TEST(control)
{
    EXPECT_EXPR("begin a, b end", "(BLOCK [(ATOM a) (ATOM b)])");
    EXPECT_EXPR("if A; B -> c; true -> d end",
                "(IF [(CLAUSE [] [(GUARD [(VAR A)]) (GUARD [(VAR B)])] [(ATOM c)]) "
                "(CLAUSE [] [(GUARD [(ATOM true)])] [(ATOM d)])])");
    EXPECT_EXPR("case A of B when C -> d end",
                "(CASE (VAR A) [(CLAUSE [(VAR B)] [(GUARD [(VAR C)])] [(ATOM d)])])");
    EXPECT_EXPR("receive A -> b after 5 -> c end",
                "(RECEIVE [(CLAUSE [(VAR A)] [] [(ATOM b)])] (INT 5) [(ATOM c)])");
    EXPECT_EXPR("receive after infinity -> ok end", "(RECEIVE [] (ATOM infinity) [(ATOM ok)])");
    EXPECT_EXPR("try a of B -> c catch D -> e; error:F:S when G -> h; C:_ -> i after j end",
                "(TRY [(ATOM a)] [(CLAUSE [(VAR B)] [] [(ATOM c)])] "
                "[(CLAUSE [(ATOM throw) (VAR D) (VAR _)] [] [(ATOM e)]) "
                "(CLAUSE [(ATOM error) (VAR F) (VAR S)] [(GUARD [(VAR G)])] [(ATOM h)]) "
                "(CLAUSE [(VAR C) (VAR _) (VAR _)] [] [(ATOM i)])] [(ATOM j)])");
    EXPECT_EXPR(
        "maybe A ?= b, c else D -> e end",
        "(MAYBE [(MAYBE_MATCH (VAR A) (ATOM b)) (ATOM c)] [(CLAUSE [(VAR D)] [] [(ATOM e)])])");
}

TEST(comprehensions)
{
    EXPECT_EXPR("[X || X <- L, X > 1]",
                "(LC (VAR X) [(GENERATE <- (VAR X) (VAR L)) (BINOP > (VAR X) (INT 1))])");
    EXPECT_EXPR("<<X || <<X>> <= B>>",
                "(BC (VAR X) [(GENERATE <= (BIN [(SEGMENT 0.0.0.0 (VAR X))]) (VAR B))])");
    EXPECT_EXPR("#{K => V || K := V <- M}", "(MC (MAP_FIELD => (VAR K) (VAR V)) [(GENERATE <- "
                                            "(MAP_FIELD := (VAR K) (VAR V)) (VAR M))])");
    EXPECT_EXPR("[{X, Y} || X <:- L && <<Y>> <:= B]",
                "(LC (TUPLE [(VAR X) (VAR Y)]) [(ZIP [(GENERATE <:- (VAR X) (VAR L)) "
                "(GENERATE <:= (BIN [(SEGMENT 0.0.0.0 (VAR Y))]) (VAR B))])])");
    EXPECT_PARSE("[X || X <= B].", "E0220@1:7");
    EXPECT_PARSE("[X || K => V <- B].", "E0219@1:9");
    EXPECT_PARSE("#{K := V || K <- L}.", "E0218@1:5");
}

TEST(forms)
{
    EXPECT_PARSE("-module(m).\n-export([f/1, 'g h'/0]).",
                 "(MODULE m)\n(EXPORT [(FA f/1) (FA g h/0)])");
    EXPECT_PARSE("-import(lists, [map/2]).", "(IMPORT lists [(FA map/2)])");
    EXPECT_PARSE("-foo({a, [f/1], #{k => -1}, \"s\"}).",
                 "(ATTR foo (TUPLE [(ATOM a) (LIST [(TUPLE [(ATOM f) (INT 1)])]) "
                 "(MAP [(MAP_FIELD => (ATOM k) (UNOP - (INT 1)))]) (STRING \"s\")]))");
    EXPECT_PARSE(
        "-record(r, {a, b = 1, c :: t(), d = 2 :: integer()}).",
        "(RECORD_DECL r [(FIELD_DECL a) (FIELD_DECL b (INT 1)) (FIELD_DECL c (T_CALL t [])) "
        "(FIELD_DECL d (INT 2) (T_CALL integer []))])");
    EXPECT_PARSE("f(0) -> a; f(N) when N > 0 -> b.",
                 "(FUNCTION f/1 [(CLAUSE f [(INT 0)] [] [(ATOM a)]) "
                 "(CLAUSE f [(VAR N)] [(GUARD [(BINOP > (VAR N) (INT 0))])] [(ATOM b)])])");
    EXPECT_PARSE("f(0) -> a; g(1) -> b.", "E0207@1:12");
    EXPECT_PARSE("f -> a.", "E0205@1:1");
    EXPECT_PARSE("-module(m).\nX = 1.", "E0221@2:1");
    EXPECT_PARSE("-doc \"text\".\n-doc #{since => \"1\"}.",
                 "(ATTR doc (STRING \"text\"))\n(ATTR doc (MAP [(MAP_FIELD => (ATOM since) "
                 "(STRING \"1\"))]))");
}

TEST(types)
{
    EXPECT_PARSE(
        "-type t(A) :: A | [A, ...] | 1..2 | {a, b} | #{k := v, w => x} | #r{f :: any()}.",
        "(TYPE_DECL type t [(VAR A)] (T_UNION [(VAR A) (T_LIST ... (VAR A)) (T_RANGE (INT 1) "
        "(INT 2)) "
        "(T_TUPLE [(ATOM a) (ATOM b)]) (T_MAP [(T_MAP_FIELD := (ATOM k) (ATOM v)) (T_MAP_FIELD "
        "=> (ATOM w) (ATOM x))]) "
        "(T_RECORD r [(T_FIELD f (T_CALL any []))])]))");
    EXPECT_PARSE("-opaque b() :: <<>> | <<_:8>> | <<_:_*8>> | <<_:1, _:_*2>>.",
                 "(TYPE_DECL opaque b [] (T_UNION [(T_BIN) (T_BIN (INT 8)) (T_BIN (INT 8)) "
                 "(T_BIN (INT 1) (INT 2))]))");
    EXPECT_PARSE("-spec m:f(A) -> b.", "(SPEC spec f/1 (ATOM m) [(T_FUN [(VAR A)] (ATOM b))])");
    EXPECT_PARSE("-spec f(...) -> b.", "E0761@1:2");
    EXPECT_PARSE("-spec f(A) -> D when A :: x(), is_subtype(D, y:z()).",
                 "(SPEC spec f/1 [(T_BOUNDED (T_FUN [(VAR A)] (VAR D)) [(T_ANN A (T_CALL x "
                 "[])) (T_ANN D (T_REMOTE y.z []))])])");
    EXPECT_PARSE(
        "-callback c(fun(), fun((...) -> a), fun(() -> b)) -> c.",
        "(SPEC callback c/3 [(T_FUN [(T_FUN fun() []) (T_FUN (...) [] (ATOM a)) (T_FUN "
        "[] (ATOM b))] (ATOM c))])");
    EXPECT_PARSE("-type t(a) :: b.", "E0213@1:9");
    EXPECT_PARSE("-spec f(_) -> D when _ :: x().", "E0213@1:22");
    EXPECT_PARSE("-type t() :: <<X:8>>.", "E0216@1:14");
}

/* Each form is on its own: what is right behind a mistake is still seen. */
TEST(recovery)
{
    EXPECT_PARSE("a(.\nb( -> 1.\nc() -> {1.\nd() -> 1.", "E0202@1:3 E0201@2:4 E0202@3:10");
}

/* `unit` nested `depth` times around x. */
static char *nested(const char *open, const char *close, size_t depth)
{
    size_t n = strlen(open);
    size_t m = strlen(close);
    char *text = malloc(depth * (n + m) + 3);
    char *at = text;
    for (size_t i = 0; i < depth; i++, at += n) memcpy(at, open, n);
    *at++ = 'x';
    for (size_t i = 0; i < depth; i++, at += m) memcpy(at, close, m);
    memcpy(at, ".", 2);
    return text;
}

static uint32_t count_messages(const char *text, DiagCode *first)
{
    Compilation c;
    compilation_init(&c, NULL);
    const AstFile *file = parse_text(&c, "deep", text, strlen(text));
    lint_file(&c, file, NULL);
    uint32_t errors = c.diags.errors;
    *first = c.diags.count ? c.diags.at[0].code : DIAG_COUNT;
    compilation_free(&c);
    return errors;
}

static void expect_nesting(const char *open, const char *close)
{
    DiagCode code;
    char *text = nested(open, close, 300);
    EXPECT_EQ(count_messages(text, &code), 0);
    free(text);
    text = nested(open, close, 20000);
    EXPECT_EQ(count_messages(text, &code), 1);
    EXPECT(code == DIAG_TOO_DEEP);
    free(text);
}

TEST(nesting_is_limited)
{
    expect_nesting("[", "]");
    expect_nesting("{", "}");
    expect_nesting("#{a=>", "}");
    expect_nesting("begin ", " end");
    expect_nesting("case a of _ -> ", " end");
    expect_nesting("catch ", "");
    expect_nesting("- ", "");
    expect_nesting("fun() -> ", " end");
    expect_nesting("try ", " catch _:_ -> ok end");
}

/* What is long is not deep. */
static void expect_length(const char *before, const char *item, const char *between,
                          const char *after)
{
    const size_t count = UNIT_SIZE(100000);
    Bytes text = {0};
    bytes_put_text(&text, before);
    for (size_t i = 0; i < count; i++) {
        if (i) bytes_put_text(&text, between);
        bytes_put_text(&text, item);
    }
    bytes_put_text(&text, after);
    bytes_put_u8(&text, 0);
    DiagCode code;
    EXPECT_EQ(count_messages((const char *)text.at, &code), 0);
    bytes_free(&text);
}

TEST(length_is_not_limited)
{
    expect_length("[", "a", ",", "].");
    expect_length("", "1", " + ", ".");
    expect_length("", "[]", " ++ ", ".");
    expect_length("", "x", " andalso ", ".");
    expect_length("", "x", " orelse ", ".");
    expect_length("", "_", " = ", " = 1.");
    expect_length("self() ! ", "x", " ! ", ".");
    expect_length("", "\"a\"", " ", ".");
    expect_length("f() -> ", "ok", ", ", ". f().");
    expect_length("", "f(_) -> ok", "; ", ". f(1).");
    expect_length("f(X) when ", "X == 1", "; ", " -> ok. f(1).");
    expect_length("case 1 of ", "_ -> ok", "; ", " end.");
    expect_length("-type t() :: ", "a", " | ", ". -export_type([t/0]).");
}

/* A row of operators has the tree that its elements in parentheses have. */
TEST(start_of_a_node)
{
    Compilation c;
    compilation_init(&c, NULL);
    const char *text = "(a) + b * c:d(e).";
    const AstFile *file = parse_text(&c, "test", text, strlen(text));
    const Ast *sum = file->forms.at[0]->exprs.body.at[0];
    EXPECT_EQ(sources_locate(&c.sources, sum->pos).column, 5);
    EXPECT_EQ(sources_locate(&c.sources, ast_start(sum)).column, 2);
    EXPECT_EQ(sources_locate(&c.sources, ast_start(sum->binop.right)).column, 7);
    compilation_free(&c);
}
