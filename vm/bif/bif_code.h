/*
 * What the VM's wiring needs of the built-ins about code.
 */
#pragma once

#include "vm/proc/process.h"

/* SchedHooks.check_code: true if p runs the code that the request asks about. */
Term bif_check_code_request(RunContext *run, Process *p, Term request);
