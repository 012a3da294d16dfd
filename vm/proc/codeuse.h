/*
 * Whether a process still uses a range of code: it stands in it, will return into it, or holds a fun
 * whose code lies there (machine.md 16).  The owner alone; nothing collects.
 */
#pragma once

#include "vm/proc/process.h"

/* O(size of the process): stack, heap and old generation are walked. */
bool codeuse_in_range(Process *p, const Half *from, const Half *to);
