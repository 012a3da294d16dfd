/* Instructions in the form of module files: random ones survive encoding and decoding. */
#include "tests/unit/unit.h"

#include "vm/format/code.h"

/* A small generator of its own, so that a failure repeats. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int64_t random_operand(OperandKind kind, uint64_t *state)
{
    uint64_t bits = next_random(state);
    switch (kind) {
    case OPERAND_S16: return (int16_t)bits;
    case OPERAND_I32: return (int32_t)bits;
    case OPERAND_LIVE: return (int64_t)bits;
    case OPERAND_SRCS:
    case OPERAND_PAIRS:
    case OPERAND_SEGMENTS:
    case OPERAND_CASES: return 0;
    default: return kind >= OPERAND_I32 ? (int64_t)(uint32_t)bits : (int64_t)(uint16_t)bits;
    }
}

static void round_trip(Opcode op, uint64_t *state)
{
    uint8_t list[64 * 8];
    const OpInfo *info = &op_info[op];
    CodeInstr in = {.op = op, .list = list};
    for (size_t i = 0; i < sizeof list; i++) list[i] = (uint8_t)next_random(state);
    for (unsigned i = 0; i < info->operand_count; i++)
        in.operands[i] = random_operand((OperandKind)info->operands[i], state);
    if (info->list_kind) in.list_count = (uint32_t)(next_random(state) % 64);
    Bytes out = {0};
    uint32_t units = code_encode(&in, &out);
    EXPECT_EQ(out.count, units * 4);
    EXPECT_EQ(units, code_length(op, in.list_count));
    CodeInstr back;
    EXPECT(code_decode(out.at, out.count, 0, &back));
    EXPECT_EQ(back.op, op);
    EXPECT_EQ(back.units, units);
    EXPECT_EQ(back.list_count, in.list_count);
    for (unsigned i = 0; i < info->operand_count; i++) {
        bool counts = info->list_kind && i == info->count_operand;
        EXPECT_EQ(back.operands[i], counts ? (int64_t)in.list_count : in.operands[i]);
    }
    size_t bytes = in.list_count * (size_t)code_entry_bytes((OperandKind)info->list_kind);
    if (bytes) EXPECT(memcmp(back.list, list, bytes) == 0);
    /* One unit less, and it does not fit. */
    EXPECT(!code_decode(out.at, out.count - 4, 0, &back));
    bytes_free(&out);
}

TEST(code_every_row_survives_the_round_trip)
{
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < UNIT_SIZE(200); round++)
        for (int op = 0; op < OP_COUNT; op++) round_trip((Opcode)op, &state);
}

TEST(code_of_unknown_opcodes_is_refused)
{
    uint8_t bytes[16] = {(uint8_t)OP_COUNT, OP_COUNT >> 8};
    CodeInstr out;
    EXPECT(!code_decode(bytes, sizeof bytes, 0, &out));
    bytes[0] = bytes[1] = 0xff;
    EXPECT(!code_decode(bytes, sizeof bytes, 0, &out));
    EXPECT(!code_decode(bytes, sizeof bytes, 4, &out));
    EXPECT(!code_decode(bytes, sizeof bytes, 1u << 30, &out));
    EXPECT(!code_decode(bytes, 0, 0, &out));
}

TEST(code_padding_must_be_zero)
{
    Bytes out = {0};
    CodeInstr in = {.op = OP_LOAD_NIL, .operands = {3}};
    CodeInstr back;
    code_encode(&in, &out);
    EXPECT(code_decode(out.at, out.count, 0, &back));
    CodeInstr live = {.op = OP_RESERVE, .operands = {7, code_live_pack((CodeLive){5, 4, 1})}};
    bytes_clear(&out);
    code_encode(&live, &out);
    EXPECT(code_decode(out.at, out.count, 0, &back));
    CodeLive got = code_live(back.operands[1]);
    EXPECT_EQ(got.map, 5);
    EXPECT_EQ(got.window, 4);
    EXPECT_EQ(got.flags, 1);
    CodeInstr padded = {.op = OP_JUMP, .operands = {9}};
    bytes_clear(&out);
    code_encode(&padded, &out);
    EXPECT(code_decode(out.at, out.count, 0, &back));
    out.at[2] = 1;
    EXPECT(!code_decode(out.at, out.count, 0, &back));
    bytes_free(&out);
}

TEST(code_lists_lie_where_the_table_says)
{
    Bytes out = {0};
    uint8_t list[16];
    code_set_u32(list, 7);
    code_set_u32(list + 4, 70);
    code_set_u32(list + 8, (uint32_t)-9);
    code_set_u32(list + 12, 90);
    CodeInstr in = {
        .op = OP_SELECT_SMALL, .list_count = 2, .list = list, .operands = {4, 0, 33}};
    CodeInstr back;
    code_encode(&in, &out);
    EXPECT(code_decode(out.at, out.count, 0, &back));
    EXPECT_EQ(code_case_key(&back, 0), 7);
    EXPECT_EQ(code_case_label(&back, 0), 70);
    EXPECT_EQ((int32_t)code_case_key(&back, 1), -9);
    EXPECT_EQ(code_case_label(&back, 1), 90);
    EXPECT_EQ(back.operands[2], 33);
    EXPECT_EQ(OPOFF_SELECT_SMALL_2 % 4, 0);
    bytes_free(&out);
}
