/*
 * Does a process still run a version of a module: where it stands, or a return address of its
 * stack? Funs of the version do not count: calling one that is gone is an error, not a danger.
 * The owner calls it; nothing moves.  Design page: docs/design/hot-code.md.
 */
#pragma once

#include "vm/proc/process.h"

bool codeuse_check(const Process *p, const ModuleVersion *v);

/* Copies the literals that leave (RunContext.literals) into stack, heap, dictionary, queue and
 * whatever else p holds.  p stands at a safepoint and no instruction of it is half-way.  False: no
 * memory; p must not run on. */
MUST_USE bool codeuse_expel(Process *p);
