/* The verifier refuses what could break memory safety, and says what it was. */
#include "tests/unit/unit.h"

#include "vm/format/code.h"
#include "vm/format/verify.h"

/* A module of one function f/2 with frame `extent`, and what may be refused in it. */
typedef struct Program {
    Bytes code;
    uint16_t extent;
    uint16_t context; /* of the function's row; then it is no fun's body */
    ModHandler handler;
    uint32_t handler_count;
} Program;

/* Append an instruction; returns the unit where it stands. */
static uint32_t put(Program *p, Opcode op, int64_t a, int64_t b, int64_t c, int64_t d)
{
    CodeInstr instr = {.op = op, .operands = {a, b, c, d}};
    uint32_t at = (uint32_t)(p->code.count / 4);
    code_encode(&instr, &p->code);
    return at;
}

static uint32_t put_list(Program *p, Opcode op, int64_t a, int64_t b, int64_t c, uint32_t n,
                         const uint8_t *list)
{
    CodeInstr instr = {.op = op, .operands = {a, b, c}, .list_count = n, .list = list};
    uint32_t at = (uint32_t)(p->code.count / 4);
    code_encode(&instr, &p->code);
    return at;
}

static int64_t live(uint32_t map, uint16_t window)
{
    return code_live_pack((CodeLive){map, window, 0});
}

static void begin(Program *p, uint16_t extent, uint16_t words)
{
    *p = (Program){.extent = extent};
    put(p, OP_ENTER, extent + words + (words ? LIMIT_CALL_GAP : 0), 2, extent, 0);
}

static const char *verdict(Program *p)
{
    static const uint8_t atoms[] = "mfaerlang+";
    ModSpan names[] = {
        {atoms, 1}, {atoms + 1, 1}, {atoms + 2, 1}, {atoms + 3, 6}, {atoms + 9, 1}};
    ModSpan literal = {atoms, 1};
    ModFunction f = {1, 0, (uint32_t)(p->code.count / 4), 2, p->extent, 2, p->context};
    ModImport imports[] = {{0, 2, 3}, {3, 4, 2}};
    ModLambda lambda = {.function = 0, .arity = 1, .free_count = 2};
    ModFile m = {.atoms = names,
                 .atom_count = 5,
                 .literals = &literal,
                 .literal_count = 1,
                 .functions = &f,
                 .function_count = 1,
                 .imports = imports,
                 .import_count = 2,
                 .lambdas = &lambda,
                 .lambda_count = p->context == 0 || p->context == 2,
                 .handlers = &p->handler,
                 .handler_count = p->handler_count};
    VerifyLiteral kind = {.kind = VERIFY_LITERAL_TUPLE, .size = 2};
    VerifyProblem problem = {0, NULL};
    Arena arena;
    m.code = (ModSpan){p->code.at, (uint32_t)p->code.count};
    arena_init(&arena, NULL, MEM_MISC);
    bool good = verify_module(&m, &kind, &arena, &problem);
    arena_free(&arena);
    bytes_free(&p->code);
    return good ? "fine" : problem.why;
}

TEST(verify_accepts_a_plain_function)
{
    Program p;
    begin(&p, 3, 2);
    put(&p, OP_CONS, 2, 0, 1, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "fine");
}

TEST(verify_refuses_undefined_registers)
{
    Program p;
    begin(&p, 3, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    begin(&p, 3, 0);
    put(&p, OP_MOVE, 0, 2, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    begin(&p, 3, 0);
    put(&p, OP_RETURN, 0, 3, 0, 0);
    EXPECT_STR(verdict(&p), "a register lies outside its frame");
}

TEST(verify_refuses_unchecked_parts)
{
    Program p;
    begin(&p, 3, 0);
    put(&p, OP_HEAD, 2, 0, 0, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a register does not hold what the instruction wants");
    begin(&p, 3, 0);
    uint32_t at = put(&p, OP_IS_TUPLE_OF, 0, 2, 7, 0);
    put(&p, OP_ELEMENT, 2, 0, 2, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_EQ(at, 2);
    EXPECT_STR(verdict(&p), "a tuple is not known to be that long");
    begin(&p, 3, 0);
    put(&p, OP_FREE_VAR, 2, 1, 2, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a fun has fewer free variables");
    begin(&p, 3, 0);
    put(&p, OP_FREE_VAR, 2, 1, 1, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "fine");
}

TEST(verify_knows_what_a_test_has_shown)
{
    Program p;
    begin(&p, 3, 0);
    put(&p, OP_IS_CONS, 0, 8, 0, 0); /* at 2, length 2 */
    put(&p, OP_HEAD, 2, 0, 0, 0);    /* at 4 */
    put(&p, OP_RETURN, 0, 2, 0, 0);  /* at 6 */
    put(&p, OP_RETURN, 0, 1, 0, 0);  /* at 8 */
    EXPECT_STR(verdict(&p), "fine");
    /* The same, read where the test failed. */
    begin(&p, 3, 0);
    put(&p, OP_IS_CONS, 0, 6, 0, 0);
    put(&p, OP_RETURN, 0, 1, 0, 0);
    put(&p, OP_HEAD, 2, 0, 0, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a register does not hold what the instruction wants");
}

TEST(verify_refuses_stray_jumps)
{
    Program p;
    begin(&p, 3, 0);
    put(&p, OP_JUMP, 5, 0, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a jump leads into the middle of an instruction");
    begin(&p, 3, 0);
    put(&p, OP_JUMP, 0, 0, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a jump leads backward or out of its function");
    begin(&p, 3, 0);
    put(&p, OP_JUMP, 400, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a jump leads backward or out of its function");
    begin(&p, 3, 0);
    put(&p, OP_MOVE, 2, 0, 0, 0);
    EXPECT_STR(verdict(&p), "control runs out of a function");
    begin(&p, 3, 0);
    put(&p, OP_LOOP, 0, 3, live(3, 3), 0);
    EXPECT_STR(verdict(&p), "a backward jump leads nowhere");
}

TEST(verify_counts_promised_room)
{
    Program p;
    begin(&p, 3, 1);
    put(&p, OP_CONS, 2, 0, 1, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "more heap is taken than was promised");
    begin(&p, 4, 4);
    put(&p, OP_CALL, 0, 0, live(0, 1), 0);
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    begin(&p, 6, 2);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 4));
    put(&p, OP_CONS, 4, 4, 0, 0);
    put(&p, OP_RETURN, 0, 4, 0, 0);
    EXPECT_STR(verdict(&p), "more heap is taken than was promised");
    begin(&p, 6, 2);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 4));
    put(&p, OP_RESERVE, 6 + 2 + LIMIT_CALL_GAP, live(0x11, 6), 0, 0);
    put(&p, OP_CONS, 4, 4, 0, 0);
    put(&p, OP_RETURN, 0, 4, 0, 0);
    EXPECT_STR(verdict(&p), "fine");
}

/* A callee may take heap up to the gap: registers above it are not the caller's
 * until it asks again. */
TEST(verify_keeps_frames_below_the_heap)
{
    Program p;
    begin(&p, 40, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 4));
    put(&p, OP_LOAD_NIL, 4 + LIMIT_CALL_GAP, 0, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "fine");
    begin(&p, 40, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 4));
    put(&p, OP_LOAD_NIL, 5 + LIMIT_CALL_GAP, 0, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a register is written beyond the frame's room");
    begin(&p, 40, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 4));
    put(&p, OP_RESERVE, 40, live(1, 2), 0, 0);
    put(&p, OP_LOAD_NIL, 39, 0, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "fine");
}

TEST(verify_looks_into_joined_instructions)
{
    Program p;
    begin(&p, 3, 0);
    put(&p, OP_RETURN_CONS, 0, 0, 1, 3 + 2 + LIMIT_CALL_GAP);
    EXPECT_STR(verdict(&p), "a call's window lies outside its frame");
    begin(&p, 3, 0);
    CodeInstr instr = {.op = OP_RETURN_CONS,
                       .operands = {0, 0, 1, 3 + 2 + LIMIT_CALL_GAP, live(1, 3)}};
    code_encode(&instr, &p.code);
    EXPECT_STR(verdict(&p), "a map does not name what is returned");
    begin(&p, 3, 0);
    instr.operands[4] = live(3, 3);
    code_encode(&instr, &p.code);
    EXPECT_STR(verdict(&p), "fine");
    begin(&p, 3, 0);
    instr.operands[3]--;
    code_encode(&instr, &p.code);
    EXPECT_STR(verdict(&p), "RETURN_CONS has no room");
    begin(&p, 4, 0);
    CodeInstr call = {.op = OP_MOVE_CALL, .operands = {0, 2, 3, 0, live(1, 2)}};
    code_encode(&call, &p.code);
    EXPECT_STR(verdict(&p), "an undefined register is moved");
}

TEST(verify_forgets_what_a_call_does_not_keep)
{
    Program p;
    begin(&p, 6, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 4));
    put(&p, OP_RETURN, 0, 1, 0, 0);
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    begin(&p, 6, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(5, 4));
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a map names a register that holds nothing");
    begin(&p, 6, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(8, 4));
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a map names registers in the window");
    begin(&p, 6, 0);
    put(&p, OP_MOVE2, 4, 0, 5, 1);
    put(&p, OP_CALL_FUN, 0, 1, 0, live(1, 5));
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "arguments lie outside the frame");
}

TEST(verify_keeps_messages_in_the_queue)
{
    Program p;
    /* The message is returned without having been accepted. */
    begin(&p, 4, 0);
    put(&p, OP_RECV_PEEK, 2, 6, 0, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    put(&p, OP_RECV_WAIT, 0, 2, live(0, 1), 0);
    EXPECT_STR(verdict(&p), "a message must be accepted first");
    /* It is kept for the next round. */
    begin(&p, 4, 0);
    put(&p, OP_RECV_PEEK, 2, 8, 0, 0);
    put(&p, OP_RECV_NEXT, 0, 2, live(4, 4), 0);
    put(&p, OP_RECV_WAIT, 0, 2, live(0, 1), 0);
    EXPECT_STR(verdict(&p), "a message that was not accepted is kept");
    begin(&p, 4, 0);
    put(&p, OP_RECV_PEEK, 2, 7, 0, 0);
    put(&p, OP_RECV_ACCEPT, 0, 0, 0, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    put(&p, OP_RECV_WAIT, 0, 2, live(0, 1), 0);
    EXPECT_STR(verdict(&p), "fine");
    begin(&p, 4, 0);
    put(&p, OP_RECV_ACCEPT, 0, 0, 0, 0);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "no message is there to be accepted");
}

TEST(verify_lowers_facts_around_loops)
{
    Program p;
    /* r0 is a cons the first time only: the head may not be taken. */
    begin(&p, 4, 2);
    put(&p, OP_CONS, 0, 0, 1, 0);          /* 2 */
    put(&p, OP_HEAD, 2, 0, 0, 0);          /* 4 */
    put(&p, OP_MOVE, 0, 2, 0, 0);          /* 6 */
    put(&p, OP_LOOP, 0, 4, live(3, 4), 0); /* 8 */
    EXPECT_STR(verdict(&p), "a register does not hold what the instruction wants");
    /* Tested each time: fine. */
    begin(&p, 4, 2);
    put(&p, OP_CONS, 0, 0, 1, 0);          /* 2 */
    put(&p, OP_UNCONS_OR, 2, 0, 0, 11);    /* 4, three units */
    put(&p, OP_LOOP, 0, 4, live(3, 4), 0); /* 7, four units */
    put(&p, OP_RETURN, 0, 1, 0, 0);        /* 11 */
    EXPECT_STR(verdict(&p), "fine");
}

TEST(verify_follows_exceptions)
{
    Program p;
    /* r2 is defined behind the first thing that can raise: the handler may not read it. */
    begin(&p, 8, 0);
    put(&p, OP_ADD, 2, 0, 1, 0);    /* 2 */
    put(&p, OP_ADD, 2, 0, 1, 0);    /* 4 */
    put(&p, OP_RETURN, 0, 2, 0, 0); /* 6 */
    put(&p, OP_RETURN, 0, 2, 0, 0); /* 8 */
    p.handler = (ModHandler){2, 6, 8, 3};
    p.handler_count = 1;
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    begin(&p, 8, 0);
    put(&p, OP_ADD, 2, 0, 1, 0);
    put(&p, OP_ADD, 2, 0, 1, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    put(&p, OP_RAISE, 3, 4, 5, 0);
    p.handler = (ModHandler){2, 6, 8, 3};
    p.handler_count = 1;
    EXPECT_STR(verdict(&p), "fine");
}

TEST(verify_ties_positions_to_their_context)
{
    Program p;
    begin(&p, 6, 0);
    put(&p, OP_BITS_START, 2, 0, 15, 0);   /* 2, three units */
    put(&p, OP_BITS_START, 3, 1, 15, 0);   /* 5 */
    put(&p, OP_BITS_POSITION, 4, 2, 0, 0); /* 8 */
    put(&p, OP_BITS_SEEK, 3, 4, 0, 0);     /* 10 */
    put(&p, OP_RETURN, 0, 0, 0, 0);        /* 12 */
    put(&p, OP_LOAD_NIL, 0, 0, 0, 0);      /* 14 */
    put(&p, OP_RETURN, 0, 0, 0, 0);        /* 15 */
    EXPECT_STR(verdict(&p), "a position belongs to another context");
    begin(&p, 6, 0);
    put(&p, OP_BITS_START, 2, 0, 11, 0);   /* 2 */
    put(&p, OP_BITS_POSITION, 4, 2, 0, 0); /* 5 */
    put(&p, OP_BITS_SEEK, 2, 4, 0, 0);     /* 7 */
    put(&p, OP_RETURN, 0, 4, 0, 0);        /* 9 */
    put(&p, OP_RETURN, 0, 0, 0, 0);        /* 11 */
    EXPECT_STR(verdict(&p), "fine");
    begin(&p, 6, 0);
    put(&p, OP_BITS_START, 2, 0, 7, 0); /* 2 */
    put(&p, OP_RETURN, 0, 2, 0, 0);     /* 5 */
    put(&p, OP_RETURN, 0, 0, 0, 0);     /* 7 */
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
}

TEST(verify_knows_functions_that_want_a_context)
{
    Program p;
    begin(&p, 4, 0);
    p.context = 1;
    put(&p, OP_BITS_POSITION, 2, 0, 0, 0);    /* 2 */
    put(&p, OP_BITS_SKIP_CONST, 0, 8, 10, 0); /* 4 */
    put(&p, OP_TAIL_CALL, 0, 0, 0, 0);        /* 7: r0 is still the context */
    put(&p, OP_LOAD_NIL, 3, 0, 0, 0);         /* 9 */
    put(&p, OP_BITS_TAIL, 3, 0, 2, 0);        /* 10 */
    put(&p, OP_RETURN, 0, 3, 0, 0);           /* 12 */
    EXPECT_STR(verdict(&p), "fine");
    /* A value in its place, and the context as a value. */
    begin(&p, 4, 0);
    p.context = 1;
    put(&p, OP_MOVE, 0, 1, 0, 0);
    put(&p, OP_TAIL_CALL, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a register does not hold what the instruction wants");
    begin(&p, 4, 0);
    p.context = 1;
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    begin(&p, 4, 0);
    p.context = 2;
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "the body of a fun wants a match context");
    /* A position of nothing. */
    begin(&p, 4, 0);
    p.context = 1;
    put(&p, OP_BITS_TAIL, 3, 0, 1, 0);
    put(&p, OP_RETURN, 0, 3, 0, 0);
    EXPECT_STR(verdict(&p), "a register does not hold what the instruction wants");
}

TEST(verify_bounds_constants_of_operators)
{
    Program p;
    begin(&p, 4, 0);
    put(&p, OP_REM_SMALL, 2, 0, 3, 0);
    put(&p, OP_BSL_SMALL, 3, 2, 61, 0);
    put(&p, OP_RETURN_SMALL, 0, 5, 0, 0);
    EXPECT_STR(verdict(&p), "fine");
    begin(&p, 4, 0);
    put(&p, OP_INT_DIV_SMALL, 2, 0, 0, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a constant divisor is not positive");
    begin(&p, 4, 0);
    put(&p, OP_BSR_SMALL, 2, 0, 62, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a constant shift is not 0 to 61");
    begin(&p, 4, 0);
    CodeInstr try = {.op = OP_TRY_ARITHMETIC, .operands = {2, 0, 1, ARITHMETIC_COUNT, 6}};
    code_encode(&try, &p.code);
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "no such operator");
    begin(&p, 4, 0);
    put(&p, OP_MOVE_TAIL, 0, 0, 3, 0);
    EXPECT_STR(verdict(&p), "an undefined register is moved");
}

TEST(verify_refuses_what_is_not_for_files)
{
    Program p;
    begin(&p, 3, 0);
    put(&p, OP_PROCESS_END, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "an instruction of the machine's own");
    begin(&p, 3, 0);
    put(&p, OP_LOAD_LIT, 2, 1, 0, 0);
    put(&p, OP_RETURN, 0, 2, 0, 0);
    EXPECT_STR(verdict(&p), "a literal is missing");
    begin(&p, 3, 0);
    put(&p, OP_CALL_EXT, 0, 7, live(0, 1), 0);
    EXPECT_STR(verdict(&p), "an import is missing");
    begin(&p, 3, 0);
    put(&p, OP_TAIL_EXT, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a register is read that holds no value");
    p = (Program){.extent = 3};
    put(&p, OP_RETURN, 0, 0, 0, 0);
    EXPECT_STR(verdict(&p), "a function begins with ENTER");
    begin(&p, 3, 0);
    static const uint8_t registers[] = {0, 0, 9, 0};
    put_list(&p, OP_TUPLE, 2, 0, 0, 2, registers);
    EXPECT_STR(verdict(&p), "a register lies outside its frame");
    begin(&p, 3, 4);
    static const uint8_t two[] = {0, 0, 1, 0};
    put_list(&p, OP_MAP_BUILD, 2, 0, 0, 2, two);
    EXPECT_STR(verdict(&p), "a literal is not the keys of a map");
}
