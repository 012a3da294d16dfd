/* Moves that happen all at once, as a sequence of MOVE, SWAP and loads.
 *
 * Owns nothing; a MoveSet lives on the arena of its function and is used again and again. */
#pragma once

#include "compiler/codegen/regalloc.h"

/* Registers can exceed LIMIT_FRAME before that is noticed at the end. */
#define MOVES_REGISTERS (LIMIT_FRAME + LIMIT_ARITY + 64)

typedef struct MoveSet {
    uint32_t count;
    struct {
        uint16_t to;
        uint16_t from;
        CoreRef constant; /* not none: a load */
    } at[LIMIT_FRAME];
    uint16_t reads[MOVES_REGISTERS];  /* how many pending moves read a register */
    uint16_t source[MOVES_REGISTERS]; /* index + 1 of the pending move into a register */
} MoveSet;

static inline void moves_add(MoveSet *m, uint32_t to, uint32_t from)
{
    /* Only a frame that is too large has more. */
    if (to == from || m->count == LIMIT_FRAME) return;
    m->at[m->count].to = (uint16_t)to;
    m->at[m->count].from = (uint16_t)from;
    m->at[m->count++].constant = CORE_REF_NONE;
}
static inline void moves_add_load(MoveSet *m, uint32_t to, CoreRef constant)
{
    if (m->count == LIMIT_FRAME) return;
    m->at[m->count].to = (uint16_t)to;
    m->at[m->count].from = 0;
    m->at[m->count++].constant = constant;
}

/* Append the instructions to `out` and empty the set.  Targets are different from each other. */
void moves_emit(MoveSet *m, CodePool *pool, MirFunction *out, SrcPos pos);

/* Append the shortest instruction that loads a constant. */
void moves_load(CodePool *pool, MirFunction *out, uint32_t to, CoreRef constant, SrcPos pos);
