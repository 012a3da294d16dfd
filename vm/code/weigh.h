/*
 * Reductions of loaded code: each charge point gets the longest path, in instructions, since
 * the one before (machine.md 11).  One pass: within a function control only goes forward, but
 * for LOOP and RECV_….
 */
#pragma once

#include "vm/format/code.h"
#include "vm/format/modfile.h"

/* Longest paths up to each unit of a module's code, built instruction by instruction in order. */
typedef struct Weigh {
    uint32_t *longest; /* by unit; zeroed by the caller: code units + 1 */
    uint32_t units;
} Weigh;

/* Visits one instruction at `unit`; its weight, which matters for charge points only. */
uint32_t weigh_visit(Weigh *w, const CodeInstr *instr, uint32_t unit);
/* A handler starts there. */
void weigh_handler(Weigh *w, uint32_t unit);
