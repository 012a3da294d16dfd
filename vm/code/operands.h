/*
 * Typed access to the operands of an instruction in loaded code (opcodes.def says what each holds).
 * AT is a byte address inside the instruction: pc + OPOFF_NAME_n.
 */
#pragma once

#include "vm/code/module.h"

/* The loader turns TAIL_EXT of erlang:apply/2,3 into TAIL_DYN with these in place of an arity: what
 * is wrong with the arguments is then told where the caller stands. */
#define OPERAND_TAIL_APPLY_2 0xFFFE
#define OPERAND_TAIL_APPLY_3 0xFFFF

static inline int32_t operand_i16(const uint8_t *at)
{
    return *(const int16_t *)(const void *)at;
}
static inline uint32_t operand_u16(const uint8_t *at)
{
    return *(const uint16_t *)(const void *)at;
}
static inline int32_t operand_i32(const uint8_t *at)
{
    int32_t v;
    __builtin_memcpy(&v, at, sizeof v);
    return v;
}
static inline uint32_t operand_u32(const uint8_t *at) { return (uint32_t)operand_i32(at); }
static inline LiveMap operand_live(const uint8_t *at)
{
    LiveMap m;
    __builtin_memcpy(&m, at, sizeof m);
    return m;
}
/* A word of the version's data, by byte offset from the instruction. */
static inline Word operand_word(const uint8_t *pc, int32_t offset)
{
    Word w;
    __builtin_memcpy(&w, pc + offset, sizeof w);
    return w;
}
