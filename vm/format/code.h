/* One instruction of a module file: encode, decode, length.
 *
 * Code is a row of 4-byte units; opcodes.def tells how operands lie.  Pure functions over
 * bytes; any thread.  Decoding believes nothing: it never reads behind the range it was given. */
#pragma once

#include "vm/base/bytes.h"
#include "vm/format/opcodes.h"

/* What a LIVE operand says. */
typedef struct CodeLive {
    uint32_t map;
    uint16_t window;
    uint16_t flags;
} CodeLive;

/* One instruction.  Operands are those of op_info[].operands, the list apart: S16 and I32 are sign
 * extended, LIVE is packed by code_live_pack. */
typedef struct CodeInstr {
    Opcode op;
    /* entries of the list; encoding sets the counting operand */
    uint32_t list_count;
    int64_t operands[OP_MAX_OPERANDS];
    const uint8_t *list; /* the entries as they lie in the file; borrowed */
    uint32_t units;      /* length; set by decoding */
} CodeInstr;

static inline int64_t code_live_pack(CodeLive live)
{
    return (int64_t)((uint64_t)live.map | (uint64_t)live.window << 32
                     | (uint64_t)live.flags << 48);
}
static inline CodeLive code_live(int64_t packed)
{
    uint64_t bits = (uint64_t)packed;
    return (CodeLive){(uint32_t)bits, (uint16_t)(bits >> 32), (uint16_t)(bits >> 48)};
}

static inline uint16_t code_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}
static inline uint32_t code_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16
           | (uint32_t)at[3] << 24;
}
static inline void code_set_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}
static inline void code_set_u32(uint8_t *at, uint32_t value)
{
    code_set_u16(at, (uint16_t)value);
    code_set_u16(at + 2, (uint16_t)(value >> 16));
}

/* Bytes of one entry of a list of this kind: 2, 4 or 8. */
uint32_t code_entry_bytes(OperandKind list_kind);

/* The entries of a list: a register of SRCS, or any half of PAIRS and SEGMENTS by its number. */
static inline uint16_t code_list_half(const CodeInstr *instr, uint32_t i)
{
    return code_get_u16(instr->list + 2 * (size_t)i);
}
static inline uint32_t code_case_key(const CodeInstr *instr, uint32_t i)
{
    return code_get_u32(instr->list + 8 * (size_t)i);
}
static inline uint32_t code_case_label(const CodeInstr *instr, uint32_t i)
{
    return code_get_u32(instr->list + 8 * (size_t)i + 4);
}
static inline BitsSegment code_segment(const CodeInstr *instr, uint32_t i)
{
    return (BitsSegment){code_list_half(instr, 4 * i), code_list_half(instr, 4 * i + 1),
                         code_list_half(instr, 4 * i + 2), code_list_half(instr, 4 * i + 3)};
}

/* Length in units of an instruction with `list_count` entries (0 where it has no list). */
uint32_t code_length(Opcode op, uint32_t list_count);

/* Append an instruction; returns its length in units.  Operands must fit their kinds. */
uint32_t code_encode(const CodeInstr *instr, Bytes *out);

/* Decode the instruction at unit `unit` of `size` bytes of code; false when the opcode is
 * unknown, it does not fit, or its padding is not zero. */
MUST_USE bool code_decode(const uint8_t *code, size_t size, uint32_t unit, CodeInstr *out);
