/* From text to core: constants are folded, tests are not repeated, bodies exist once, and the
 * size of what comes out is in proportion to what goes in. */
#include "tests/unit/unit.h"

#include "compiler/core/expand.h"
#include "compiler/core/fold.h"
#include "compiler/syntax/parser.h"
#include "vm/base/bytes.h"

typedef struct Made {
    Compilation c;
    AtomTable *atoms;
    CoreUnit *u;
} Made;

static void make(Made *to, const char *text)
{
    CompileOptions options = {.no_warnings = true};
    *to = (Made){.atoms = atom_table_new(NULL, 0)};
    compilation_init(&to->c, &options);
    AstFile *file = parse_text(&to->c, "m.mote", text, strlen(text));
    EXPECT_EQ(to->c.diags.errors, 0);
    to->u = expand_file(&to->c, to->atoms, file);
    core_check(to->u);
    fold_unit(to->u);
    core_check(to->u);
}

static void unmake(Made *made)
{
    core_unit_free(made->u);
    compilation_free(&made->c);
    atom_table_delete(made->atoms);
}

static CoreFunction *function(const Made *made, const char *name)
{
    for (size_t i = 0; i < made->u->functions.count; i++)
        if (strcmp(atom_text(made->atoms, made->u->functions.at[i]->name), name) == 0)
            return made->u->functions.at[i];
    return NULL;
}

static uint32_t count_kind(const CoreFunction *f, CoreKind kind)
{
    uint32_t n = 0;
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        for (uint32_t i = 0; i < f->blocks.at[b].count; i++)
            n += f->blocks.at[b].at[i].kind == kind;
    return n;
}

static uint32_t count_all(const Made *made)
{
    uint32_t n = 0;
    for (size_t k = 0; k < made->u->functions.count; k++) {
        const CoreFunction *f = made->u->functions.at[k];
        for (CoreBlockId b = 1; b < f->blocks.count; b++) n += f->blocks.at[b].count;
    }
    return n;
}

/* The only value that a function returns, or TERM_NONE. */
static Term returned(const Made *made, const char *name)
{
    const CoreFunction *f = function(made, name);
    if (!f || f->blocks.count != 2 || f->blocks.at[1].count != 1) return TERM_NONE;
    const CoreInstr *i = &f->blocks.at[1].at[0];
    return i->kind == CORE_RETURN && core_is_const(i->args[0]) ? core_term(made->u, i->args[0])
                                                               : TERM_NONE;
}

TEST(constants_are_folded)
{
    Made m;
    make(&m, "-module(m).\n"
             "a() -> 1 + 2 * 3.\n"
             "b() -> case {x, 1} of {x, N} -> N; _ -> no end.\n"
             "c() -> X = 5, if X > 3 -> yes; true -> no end.\n"
             "d() -> [H | _] = [a, b], H.\n"
             "e() -> true andalso false.\n"
             "f() -> not (1 =:= 1.0).\n");
    EXPECT(term_same(returned(&m, "a"), small_from(7)));
    EXPECT(term_same(returned(&m, "b"), small_from(1)));
    EXPECT(term_same(returned(&m, "c"), atom_make(m.atoms, "yes")));
    EXPECT(term_same(returned(&m, "d"), atom_make(m.atoms, "a")));
    EXPECT(term_same(returned(&m, "e"), TERM_FALSE));
    EXPECT(term_same(returned(&m, "f"), TERM_TRUE));
    unmake(&m);
}

TEST(what_fails_at_run_time_stays)
{
    Made m;
    make(&m, "-module(m).\na() -> 1 div 0.\nb() -> 1 + x.\nc() -> {a} = b.\n");
    EXPECT_EQ(count_kind(function(&m, "a"), CORE_INT_DIV), 1);
    EXPECT_EQ(count_kind(function(&m, "b"), CORE_ADD), 1);
    EXPECT_EQ(count_kind(function(&m, "c"), CORE_BADMATCH), 1);
    unmake(&m);
}

TEST(a_test_is_made_once)
{
    Made m;
    make(&m, "-module(m).\n"
             "f(X) when is_integer(X), X > 9 -> a;\n"
             "f(X) when is_integer(X) -> b;\n"
             "f({a, _}) -> c;\n"
             "f({b, _}) -> d;\n"
             "f(X) when is_tuple(X) -> e;\n"
             "f(_) -> f.\n");
    const CoreFunction *f = function(&m, "f");
    EXPECT_EQ(count_kind(f, CORE_IS_INTEGER), 1);
    EXPECT_EQ(count_kind(f, CORE_IS_TUPLE_OF), 1);
    EXPECT_EQ(count_kind(f, CORE_SWITCH_ATOM), 1);
    unmake(&m);
}

TEST(a_body_exists_once)
{
    Made m;
    make(&m, "-module(m).\n"
             "f(a, 1) -> m:a();\n"
             "f(_, 2) -> m:b();\n"
             "f(b, 3) -> m:c();\n"
             "f(c, 4) -> m:d();\n"
             "f(_, _) -> m:e().\n");
    EXPECT_EQ(count_kind(function(&m, "f"), CORE_TAIL_EXT), 5);
    unmake(&m);
}

TEST(conditions_need_no_truth_values)
{
    Made m;
    make(&m, "-module(m).\nf(X, Y) -> case X > 1 andalso (Y < 2 orelse is_atom(Y)) of true -> "
             "a; false -> b end.\n");
    const CoreFunction *f = function(&m, "f");
    EXPECT_EQ(count_kind(f, CORE_IS_LESS), 2);
    EXPECT_EQ(count_kind(f, CORE_IS_ATOM), 1);
    EXPECT_EQ(count_kind(f, CORE_IS_SAME) + count_kind(f, CORE_SWITCH_ATOM), 0);
    unmake(&m);
}

TEST(a_receive_starts_behind_its_reference)
{
    Made m;
    make(&m, "-module(m).\n"
             "f(P) -> R = make_ref(), P ! R, receive {R, X} -> X; {no, R} -> no end.\n"
             "g(P) -> R = make_ref(), P ! R, receive {R, X} -> X; stop -> no end.\n");
    EXPECT_EQ(count_kind(function(&m, "f"), CORE_RECV_FROM), 1);
    EXPECT_EQ(count_kind(function(&m, "f"), CORE_RECV_MARK), 1);
    EXPECT_EQ(count_kind(function(&m, "g"), CORE_RECV_FROM), 0);
    EXPECT_EQ(count_kind(function(&m, "g"), CORE_RECV_MARK), 0);
    unmake(&m);
}

TEST(a_known_fun_is_called_directly)
{
    Made m;
    make(&m, "-module(m).\nf(X) -> G = fun(Y) -> X + Y end, G(1) + G(2).\n");
    EXPECT_EQ(count_kind(function(&m, "f"), CORE_CALL), 2);
    EXPECT_EQ(count_kind(function(&m, "f"), CORE_CALL_FUN), 0);
    unmake(&m);
}

/* ---- size ---- */

static uint32_t size_of(const char *head, const char *row, const char *between, const char *end,
                        int n)
{
    Bytes text = {0};
    bytes_printf(&text, "-module(m).\n%s", head);
    for (int i = 0; i < n; i++) {
        if (i > 0) bytes_put_text(&text, between);
        for (const char *c = row; *c != '\0'; c++) {
            if (*c == '@')
                bytes_printf(&text, "%d", i);
            else
                bytes_put_u8(&text, (uint8_t)*c);
        }
    }
    bytes_put_text(&text, end);
    bytes_put_u8(&text, 0);
    Made m;
    make(&m, (const char *)text.at);
    uint32_t size = count_all(&m);
    unmake(&m);
    bytes_free(&text);
    return size;
}

/* Twice the rows: about twice the instructions, and few per row. */
static void expect_linear(const char *head, const char *row, const char *between,
                          const char *end)
{
    int n = UNIT_SIZE(4000);
    uint32_t once = size_of(head, row, between, end, n);
    uint32_t twice = size_of(head, row, between, end, 2 * n);
    EXPECT(twice <= 2 * once + once / 4);
    EXPECT(once <= 20u * (uint32_t)n + 100);
}

TEST(size_of_literal_clauses) { expect_linear("", "f(@) -> a@", ";\n", ".\n"); }
TEST(size_of_guarded_clauses) { expect_linear("", "f(a@, X) when X > @ -> b", ";\n", ".\n"); }
TEST(size_of_guards) { expect_linear("", "f(X) when X > @, X < @0 -> b", ";\n", ".\n"); }
TEST(size_of_tuples) { expect_linear("", "f({t@, @, X}) -> X", ";\n", ";\nf(_) -> no.\n"); }
TEST(size_of_interleaved_rows)
{
    expect_linear("", "f(@, _) -> a; f(_, @) -> b", ";\n", ".\n");
}
TEST(size_of_keys) { expect_linear("", "f(#{k@ := X}) -> X", ";\n", ".\n"); }
TEST(size_of_strings) { expect_linear("", "f(\"key@\") -> @", ";\n", ".\n"); }
TEST(size_of_prefixes) { expect_linear("", "f(<<\"key@\", R/binary>>) -> R", ";\n", ".\n"); }
TEST(size_of_sequences)
{
    expect_linear("f(X) -> ", "case X of @ -> g(@); _ -> ok end", ",\n", ".\ng(X) -> X.\n");
}
TEST(size_of_lists) { expect_linear("f(X) -> [", "g(X)", ",\n", "].\ng(X) -> X.\n"); }
TEST(size_of_chains) { expect_linear("f(X) -> ", "X", " + ", ".\n"); }
TEST(size_of_short_circuits) { expect_linear("f(X) -> ", "X", " andalso ", ".\n"); }
TEST(size_of_comprehensions) { expect_linear("f(X) -> [", "[Y + @ || Y <- X]", ",\n", "].\n"); }
