/* What code generation made, as text: `--dump code`, and the golden tests. */
#pragma once

#include <stdio.h>

#include "vm/base/bytes.h"
#include "vm/term/atom.h"

/* Write the disassembly of a module file that this compiler made, with its literals as terms. */
void dump_code(AtomTable *atoms, const Bytes *file, FILE *out);
