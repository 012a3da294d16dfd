#include "vm/format/code.h"

#include "vm/base/panic.h"

#include <string.h>

uint32_t code_entry_bytes(OperandKind list_kind)
{
    switch (list_kind) {
    case OPERAND_SRCS: return 2;
    case OPERAND_PAIRS: return 4;
    case OPERAND_SEGMENTS:
    case OPERAND_CASES: return 8;
    default: return 0;
    }
}

uint32_t code_length(Opcode op, uint32_t list_count)
{
    const OpInfo *info = &op_info[op];
    uint32_t bytes =
        info->fixed_bytes + list_count * code_entry_bytes((OperandKind)info->list_kind);
    return (bytes + 3) / 4;
}

/* Bytes that one operand takes, 0 for a list. */
static unsigned operand_bytes(OperandKind kind)
{
    if (kind >= OPERAND_SRCS) return 0;
    if (kind == OPERAND_LIVE) return 8;
    return kind >= OPERAND_I32 ? 4 : 2;
}

static bool operand_is_signed(OperandKind kind)
{
    return kind == OPERAND_S16 || kind == OPERAND_I32;
}

static void write_operand(uint8_t *at, OperandKind kind, int64_t value)
{
    switch (operand_bytes(kind)) {
    case 2:
        ASSERT(kind == OPERAND_S16 ? value == (int16_t)value : value == (uint16_t)value);
        code_set_u16(at, (uint16_t)value);
        break;
    case 4:
        ASSERT(kind == OPERAND_I32 ? value == (int32_t)value : value == (uint32_t)value);
        code_set_u32(at, (uint32_t)value);
        break;
    case 8:
        code_set_u32(at, (uint32_t)value);
        code_set_u32(at + 4, (uint32_t)((uint64_t)value >> 32));
        break;
    default: break;
    }
}

static int64_t read_operand(const uint8_t *at, OperandKind kind)
{
    switch (operand_bytes(kind)) {
    case 2: {
        uint16_t half = code_get_u16(at);
        return operand_is_signed(kind) ? (int64_t)(int16_t)half : (int64_t)half;
    }
    case 4: {
        uint32_t word = code_get_u32(at);
        return operand_is_signed(kind) ? (int64_t)(int32_t)word : (int64_t)word;
    }
    case 8: return (int64_t)((uint64_t)code_get_u32(at) | (uint64_t)code_get_u32(at + 4) << 32);
    default: return 0;
    }
}

uint32_t code_encode(const CodeInstr *instr, Bytes *out)
{
    const OpInfo *info = &op_info[instr->op];
    ASSERT(out->count % 4 == 0);
    uint32_t list_count = info->list_kind ? instr->list_count : 0;
    uint32_t units = code_length(instr->op, list_count);
    uint8_t *at = bytes_extend(out, (size_t)units * 4);
    memset(at, 0, (size_t)units * 4);
    code_set_u16(at, (uint16_t)instr->op);
    for (unsigned i = 0; i < info->operand_count; i++) {
        bool counts = info->list_kind && i == info->count_operand;
        write_operand(at + info->offsets[i], (OperandKind)info->operands[i],
                      counts ? (int64_t)list_count : instr->operands[i]);
    }
    if (list_count)
        memcpy(at + info->fixed_bytes, instr->list,
               (size_t)list_count * code_entry_bytes((OperandKind)info->list_kind));
    return units;
}

/* Every byte that no operand covers is zero, so that equal instructions are equal bytes. */
static bool padding_is_zero(const OpInfo *info, const uint8_t *at, uint32_t used,
                            uint32_t length)
{
    unsigned expected = 2;
    for (unsigned i = 0; i < info->operand_count; i++) {
        for (unsigned b = expected; b < info->offsets[i]; b++)
            if (at[b]) return false;
        expected = info->offsets[i] + operand_bytes((OperandKind)info->operands[i]);
    }
    if (!info->list_kind) used = expected;
    for (uint32_t b = used; b < length; b++)
        if (at[b]) return false;
    return true;
}

bool code_decode(const uint8_t *code, size_t size, uint32_t unit, CodeInstr *out)
{
    size_t begin = (size_t)unit * 4;
    if (begin >= size || size - begin < 4) return false;
    const uint8_t *at = code + begin;
    size_t left = size - begin;
    uint16_t op = code_get_u16(at);
    if (op >= OP_COUNT) return false;
    const OpInfo *info = &op_info[op];
    if (left < info->fixed_bytes) return false;
    out->op = (Opcode)op;
    out->list_count = 0;
    out->list = NULL;
    for (unsigned i = 0; i < info->operand_count; i++)
        out->operands[i] = read_operand(at + info->offsets[i], (OperandKind)info->operands[i]);
    uint32_t used = info->fixed_bytes;
    if (info->list_kind) {
        out->list_count = (uint32_t)out->operands[info->count_operand];
        out->list = at + used;
        used += out->list_count * code_entry_bytes((OperandKind)info->list_kind);
    }
    out->units = code_length(out->op, out->list_count);
    if (left < (size_t)out->units * 4) return false;
    return padding_is_zero(info, at, used, out->units * 4);
}
