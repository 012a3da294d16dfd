/* The operands of register code: registers, labels, constants and lists, in the order of an
 * instruction's row of opcodes.def.
 *
 * `homes` tells by variable the register + 1 it has (regalloc.h decides); lists lie in the
 * function's arena.  One thread.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/regalloc.h"

/* The register of argument `i`, which is a variable that has one. */
uint32_t fill_arg_home(const uint32_t *homes, const LirInstr *instr, uint32_t i);

/* Fills in all operands but DST, LIVE and the frame's extent; the SRC ones only with
 * `takes_srcs`, else the arguments are where the instruction finds them. */
void fill_operands(const LirFunction *f, const uint32_t *homes, const LirInstr *instr,
                   MirInstr *mir, bool takes_srcs);

/* Puts the results' registers into the DST operands. */
void fill_dst(MirInstr *mir, const uint32_t to[2]);

/* Which operand of an instruction is the frame's extent, which is known when the frame is done;
 * -1: none. */
int fill_extent_operand(Opcode op);
