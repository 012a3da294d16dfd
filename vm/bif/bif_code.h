/*
 * What the VM's wiring needs of the built-ins about code.
 */
#pragma once

#include "vm/proc/process.h"

/* SchedHooks.check_code: true if p runs old code of the module, or has a fun of it. */
Term bif_uses_old_code(RunContext *run, Process *p, Term module);
