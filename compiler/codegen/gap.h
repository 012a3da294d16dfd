/* Where a frame's room must be made sure of again: behind a call the callee may have moved the
 * heap's top up to LIMIT_CALL_GAP registers above the window (docs/design/bytecode.md, Room).
 *
 * regalloc has put a RESERVE of nothing behind every call and at every handler; those stay
 * before which no other RESERVE comes until a register is written that is too high, the
 * rest go.  One thread. */
#pragma once

#include "compiler/codegen/regalloc.h"

void gap_check_frames(LirFunction *lir, MirFunction *f);
