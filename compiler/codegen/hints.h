/* Where a variable would best live: what its next use wants of it.
 *
 * Filled by one pass from the last block to the first, so the nearest use wins.  Pure advice. */
#pragma once

#include "compiler/codegen/lower.h"

typedef enum HintKind {
    HINT_NONE,
    HINT_REGISTER, /* argument of a tail call: register `index` */
    HINT_CALL,     /* argument `index` of a call or built-in */
    HINT_SAME      /* becomes the parameter `index` (a variable) of a block */
} HintKind;

typedef struct Hint {
    uint8_t kind;
    uint32_t index;
    LirInstr *instr; /* HINT_CALL */
} Hint;

/* By variable; in the function's arena.  Runs after live_deaths. */
Hint *hints_find(LirFunction *f);
