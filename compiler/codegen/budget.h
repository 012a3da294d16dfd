/* Heap room: what ENTER promises, and where RESERVE must stand (docs/design/bytecode.md, Room).
 *
 * One thread.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/lower.h"

/* Sets f->need and inserts RESERVE instructions (imm[0]: words), so that every allocation
 * has room on every path. */
void budget_reserve(LirFunction *f);
