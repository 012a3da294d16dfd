/* From text to register code: typical functions come out as the design page promises, and what
 * is compiled passes the verifier. */
#include "tests/unit/unit.h"

#include "compiler/compile.h"
#include "vm/code/check.h"
#include "vm/format/disasm.h"
#include "vm/format/opcodes.h"
#include "vm/term/codec.h"

/* A compiled module and everything that it stands on. */
typedef struct Compiled {
    Compilation c;
    AtomTable *atoms;
    Heap heap;
    Bytes file;
    Arena arena;
    ModFile m;
    bool good;
} Compiled;

static void compile_text(Compiled *to, const char *text)
{
    CompileOptions options = {.no_warnings = true};
    CompileInput input = {.path = "m.mote", .text = text, .size = strlen(text)};
    const char *why = NULL;
    *to = (Compiled){.atoms = atom_table_new(NULL, 0)};
    compilation_init(&to->c, &options);
    heap_init_detached(&to->heap, NULL);
    arena_init(&to->arena, NULL, MEM_MISC);
    to->good = compile_module(&to->c, to->atoms, &input, &to->file, NULL);
    if (!to->good) return;
    EXPECT_EQ(modfile_read(to->file.at, to->file.count, &to->arena, &to->m, &why), MODFILE_OK);
}

static void compiled_free(Compiled *c)
{
    heap_release(&c->heap);
    arena_free(&c->arena);
    bytes_free(&c->file);
    compilation_free(&c->c);
    atom_table_delete(c->atoms);
}

static void expect_verified(Compiled *c)
{
    Term *literals = ARENA_ARRAY(&c->arena, Term, c->m.literal_count + 1u);
    CodecNode node = {.name = TERM_ATOM(NONODE_AT_NOHOST)};
    VerifyProblem problem;
    for (uint32_t i = 0; i < c->m.literal_count; i++)
        EXPECT_EQ(codec_decode(&c->heap, c->atoms, node, c->m.literals[i].at,
                               c->m.literals[i].size, NULL, false, CODEC_PLAIN, &literals[i],
                               NULL),
                  CODEC_OK);
    bool good = check_code(&c->m, c->atoms, literals, &c->arena, &problem);
    EXPECT_STR(good ? "" : problem.why, "");
}

/* The instructions of the first function, one per line, without units and comments. */
static char *first_function(Compiled *c, char *to, size_t size)
{
    Bytes text = {0};
    disasm_function(&c->m, 0, NULL, NULL, &text);
    bytes_put_u8(&text, 0);
    size_t n = 0;
    for (char *line = strtok((char *)text.at, "\n"); line; line = strtok(NULL, "\n")) {
        if (strchr(line, ';') || strncmp(line, "function", 8) == 0) continue;
        line += strspn(line, " 0123456789");
        size_t length = strlen(line);
        if (n + length + 2 > size) break;
        /* One blank where the columns are padded. */
        for (size_t i = 0; i < length; i++)
            if (line[i] != ' ' || (n && to[n - 1] != ' ')) to[n++] = line[i];
        to[n++] = '\n';
    }
    to[n] = 0;
    bytes_free(&text);
    return to;
}

static void expect_code(const char *text, const char *wanted)
{
    Compiled c;
    char got[4096];
    compile_text(&c, text);
    EXPECT(c.good);
    if (c.good) {
        expect_verified(&c);
        EXPECT_STR(first_function(&c, got, sizeof got), wanted);
    }
    compiled_free(&c);
}

TEST(codegen_fib_has_no_move)
{
    expect_code("-module(m).\n-export([f/1]).\n"
                "f(N) when N < 2 -> N;\n"
                "f(N) -> f(N - 1) + f(N - 2).\n",
                "ENTER need 5, arity 1, 5\n"
                "IS_LESS_SMALL r0, 2, else 7\n"
                "RETURN r0\n"
                "SUB_SMALL r2, r0, 1\n"
                "CALL f/1, window 2, live {r0}\n"
                "SUB_SMALL r4, r0, 2\n"
                "CALL f/1, window 4, live {r2}\n"
                "ADD r0, r2, r4\n"
                "RETURN r0\n");
}

TEST(codegen_reverse_has_no_move)
{
    expect_code("-module(m).\n-export([r/2]).\n"
                "r([H | T], A) -> r(T, [H | A]);\n"
                "r([], A) -> A.\n",
                "ENTER need 13, arity 2, 3\n"
                "UNCONS_OR r2, r0, r0, else 9\n"
                "CONS r1, r2, r1\n"
                "TAIL_CALL r/2\n"
                "IS_NIL r0, else 13\n"
                "RETURN r1\n"
                "FUNCTION_CLAUSE arity 2\n");
}

TEST(codegen_member_takes_both_parts_at_once)
{
    expect_code("-module(m).\n-export([e/2]).\n"
                "e(X, [X | _]) -> true;\n"
                "e(X, [_ | T]) -> e(X, T);\n"
                "e(_, []) -> false.\n",
                "ENTER need 3, arity 2, 3\n"
                "UNCONS_OR r2, r1, r1, else 12\n"
                "IS_SAME r2, r0, else 10\n"
                "RETURN_ATOM true\n"
                "TAIL_CALL e/2\n"
                "IS_NIL r1, else 16\n"
                "RETURN_ATOM false\n"
                "FUNCTION_CLAUSE arity 2\n");
}

TEST(codegen_swapped_arguments_are_swapped)
{
    expect_code("-module(m).\n-export([s/2]).\ns(A, B) -> s(B, A).\n",
                "ENTER need 2, arity 2, 2\n"
                "SWAP r0, r1\n"
                "TAIL_CALL s/2\n");
}

TEST(codegen_try_keeps_what_its_handler_reads)
{
    Compiled c;
    compile_text(&c,
                 "-module(m).\n-export([t/2]).\n"
                 "t(F, X) -> try F(1), F(2) of V -> {V} catch E:R:S -> {E, R, S, X} end.\n");
    EXPECT(c.good);
    expect_verified(&c);
    EXPECT(c.m.handler_count >= 1);
    EXPECT(c.m.handlers[0].target >= c.m.handlers[0].end);
    compiled_free(&c);
}

/* What recursion over a list does for each element is two instructions. */
TEST(codegen_append_is_short)
{
    expect_code("-module(m).\n-export([a/2]).\n"
                "a([H | T], L) -> [H | a(T, L)];\n"
                "a([], L) -> L.\n",
                "ENTER need 4, arity 2, 4\n"
                "LIST_CALL r0, r3, r1, else 13, window 2, live {r0}\n"
                "RETURN_CONS r0, r2, need 14, window 4, live {r0 r2}\n"
                "IS_NIL r0, else 17\n"
                "RETURN r1\n"
                "FUNCTION_CLAUSE arity 2\n");
}

/* Guards that build terms get their room before the message is looked at. */
TEST(codegen_receive_reserves_before_it_peeks)
{
    Compiled c;
    compile_text(&c, "-module(m).\n-export([w/1]).\n"
                     "w(X) -> receive {A, B} when [A, B] =:= X -> A; {C} when {C, C} > X -> C "
                     "after 10 -> X end.\n");
    EXPECT(c.good);
    expect_verified(&c);
    compiled_free(&c);
}

/* `each` with the number in place of every `%u`. */
static void put_numbered(Bytes *text, const char *each, uint32_t number)
{
    for (const char *at; (at = strstr(each, "%u")) != NULL; each = at + 2)
        bytes_printf(text, "%.*s%u", (int)(at - each), each, number);
    bytes_put_text(text, each);
}

static void put_many(Bytes *text, uint32_t n, const char *before, const char *each,
                     const char *after)
{
    bytes_put_text(text, before);
    for (uint32_t i = 0; i < n; i++) put_numbered(text, each, i);
    bytes_put_text(text, after);
    bytes_put_u8(text, 0);
}

static void expect_compiles(Bytes *text)
{
    Compiled c;
    compile_text(&c, (const char *)text->at);
    EXPECT(c.good);
    if (c.good) expect_verified(&c);
    compiled_free(&c);
    bytes_free(text);
}

TEST(codegen_takes_many_clauses)
{
    Bytes text = {0};
    put_many(&text, UNIT_SIZE(20000), "-module(m).\n-export([f/1]).\n", "f(%u) -> a%u;\n",
             "f(X) -> X.\n");
    expect_compiles(&text);
}

TEST(codegen_takes_many_receives_in_one_function)
{
    Bytes text = {0};
    put_many(&text, UNIT_SIZE(2000), "-module(m).\n-export([f/1]).\nf(X) ->\n",
             "receive {X, %u} -> ok; b%u -> X after 5 -> ok end,\n", "X.\n");
    expect_compiles(&text);
}

TEST(codegen_takes_many_variables_alive_at_once)
{
    Bytes text = {0};
    put_many(&text, 100, "-module(m).\n-export([f/1]).\nf(X) -> \n", "V%u = g(X, %u),\n", "");
    text.count--;
    put_many(&text, 99, "{V99", ", V%u", "}.\ng(X, Y) -> [X | Y].\n");
    Compiled c;
    compile_text(&c, (const char *)text.at);
    EXPECT(c.good);
    if (c.good) expect_verified(&c);
    EXPECT(c.m.map_count > 0);
    compiled_free(&c);
    bytes_free(&text);
}

TEST(codegen_takes_more_variables_than_a_frame_holds)
{
    Bytes text = {0};
    put_many(&text, LIMIT_FRAME + 10, "-module(m).\n-export([f/1]).\nf(X) -> \n",
             "V%u = g(X, %u),\n", "X = [");
    text.count--;
    put_many(&text, LIMIT_FRAME + 9, "X", ", V%u", "].\ng(X, Y) -> [X | Y].\n");
    Compiled c;
    compile_text(&c, (const char *)text.at);
    EXPECT(c.good);
    compiled_free(&c);
    bytes_free(&text);
}

TEST(codegen_gives_the_same_bytes_every_time)
{
    static const char text[] =
        "-module(m).\n-export([f/2, g/1]).\n"
        "f(A, #{k := V} = M) -> M#{A => [V, \"text\", 1.5, 123456789012345678901234567890]}.\n"
        "g(<<N:8, B:N/binary, _/bits>>) -> fun(X) -> {X, B} end.\n";
    Compiled one;
    Compiled two;
    compile_text(&one, text);
    compile_text(&two, text);
    EXPECT(one.good && two.good);
    EXPECT_EQ(one.file.count, two.file.count);
    EXPECT(memcmp(one.file.at, two.file.at, one.file.count) == 0);
    expect_verified(&one);
    compiled_free(&one);
    compiled_free(&two);
}
