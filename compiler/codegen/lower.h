/* Core to linear code on virtual registers: the instructions of opcodes.def are chosen here.
 *
 * A virtual register is a variable of the core function or a temporary behind them; each is
 * defined once.  Block numbers are those of core.  Constants that an instruction cannot hold
 * are loaded into temporaries; arguments of calls, jumps and returns stay constants, because
 * the moves that put them in place can load them.  An IS_CONS whose then-block takes both
 * parts becomes UNCONS_OR.
 *
 * Owns: nothing; all lies in the arena given, for one function at a time.  One thread.
 * Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/pool.h"
#include "vm/format/opcodes.h"

/* In LirInstr.args, beside CORE_CONST_BIT: the variable is not used behind this instruction. */
#define LIR_DIES 0x40000000u

static inline uint32_t lir_var(CoreRef arg)
{
    return core_is_const(arg) ? 0 : arg.n & ~LIR_DIES;
}
static inline bool lir_dies(CoreRef arg) { return !core_is_const(arg) && (arg.n & LIR_DIES); }

/* How the operands of an instruction come to stand in registers. */
typedef enum LirShape {
    LIR_PLAIN,  /* SRCs are where their variables are */
    LIR_LOAD,   /* args[0] is a constant; regalloc picks the instruction */
    LIR_CALL,   /* arguments from r(K) on, result in r(K) */
    LIR_TAIL,   /* arguments from r0 on */
    LIR_BIF,    /* arguments in neighbouring registers */
    LIR_JUMP,   /* arguments become the parameters of then_ */
    LIR_RETURN, /* args[0] may be a constant */
} LirShape;

typedef struct LirInstr {
    uint8_t op;    /* Opcode; not valid for LIR_LOAD */
    uint8_t shape; /* LirShape */
    bool is_test;  /* ends its block; dst and dst2 are defined in then_ */
    uint8_t imm_count;
    uint32_t window; /* LIR_CALL: an early guess at K, 0 when there is none; see regalloc.c */
    uint32_t across; /* LIR_CALL: how many variables live across it */
    SrcPos pos;
    uint32_t dst; /* 0: none, or not used */
    uint32_t dst2;
    uint32_t arg_count;
    CoreRef *args;  /* in operand order; LIR_CALL…: in register order */
    uint32_t then_; /* blocks, as in core; RESERVE has none */
    uint32_t else_;
    /* the constant operands, in the row's order, but for list counts and extents */
    int32_t imm[4];
    const CoreInstr *core; /* cases, segments, indexes */
} LirInstr;

typedef struct LirBlock {
    LirInstr *at;
    uint32_t count;
    uint32_t room;
    uint32_t *params;
    uint32_t param_count;
    uint32_t edge_dst[2]; /* defined by the test that leads here, 0: none */
    uint32_t in_try;
    /* words of heap needed from its start on until the next refill; budget.h */
    uint32_t demand;
    bool is_handler;
    bool is_loop;      /* target of a backward jump */
    uint32_t *live_in; /* live.h */
    uint32_t live_in_count;
    uint32_t live_in_room;
} LirBlock;

typedef struct LirFunction {
    CoreFunction *core;
    CodePool *pool;
    Arena *arena;
    LirBlock *blocks; /* [1 … block_count - 1] */
    uint32_t block_count;
    uint32_t var_count; /* virtual registers are 1 … var_count */
    uint32_t need;      /* words of heap that ENTER makes sure of; set by budget */
} LirFunction;

/* Lower one function. */
LirFunction *lower_function(CoreUnit *unit, CoreFunction *core, CodePool *pool, Arena *arena);

/* Append an instruction with room for `arg_count` arguments. */
LirInstr *lower_append(LirFunction *f, uint32_t block, Opcode op, uint32_t arg_count,
                       SrcPos pos);

/* Calls visit(to, block) for each block that control may reach from the last instruction of a
 * block; handlers are not among them. */
typedef void LirVisit(void *to, uint32_t block);
void lower_targets(const LirInstr *last, LirVisit *visit, void *to);
