/* The way from core to a module file: lower, live, budget, regalloc, peephole, emit,
 * function by function.
 *
 * One thread.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/core/core.h"
#include "vm/format/modfile.h"

/* What goes into the file as it stands: terms in the external format, or empty. */
typedef struct CodegenExtras {
    ModSpan compile_info;
    ModSpan docs;
    ModSpan types;
    ModSpan forms;
} CodegenExtras;

/* Append the module file of a unit, whose core is used up.  False when something in it is too
 * large; then the compilation's messages say what. `extras` may be NULL. */
MUST_USE bool codegen_unit(CoreUnit *u, const CodegenExtras *extras, Bytes *out);
