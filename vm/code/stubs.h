/*
 * Every built-in is also an ordinary function (machine.md 9): one version without a module that
 * holds a stub for each row of bifs.def, and the code at the ends of processes.
 */
#pragma once

#include "vm/code/codetab.h"

/* Registers that a TRAPS or BLOCKS stub has behind its arguments; they start as small 0. */
#define STUB_STATE_SLOTS 6

/* Makes the stubs and their export cells; sets t->stubs, process_end, apply,
 * apply_fun.  Once, at boot. */
void stubs_make(CodeTable *t);
