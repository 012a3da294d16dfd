/*
 * Does a process still use a version of a module: a return address in its code, or a fun of it?
 * The owner calls it; nothing moves.  Design page: docs/design/hot-code.md.
 */
#pragma once

#include "vm/proc/process.h"

bool codeuse_check(Process *p, const ModuleVersion *v);
