/* Which arithmetic is done on floats: operators with a float constant or with the result of such
 * an operator, of `/` or of a function of math, and those whose results such operators take.
 *
 * It is a guess as far as arguments go: the instructions chosen from it work on any numbers, but
 * have room for a float promised (codegen.md, Room).  Linear in the instructions. */
#pragma once

#include "compiler/core/core.h"

/* By variable, `vars` of them: its value is the result of an operator on floats.  In the arena. */
const bool *floats_find(CoreUnit *unit, const CoreFunction *f, uint32_t vars, Arena *arena);
