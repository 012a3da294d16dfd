/* A module file as readable text: `mote disasm`, and what golden tests of the compiler compare.
 *
 *     function fib/1, 5 registers
 *          ; fib.mote:4
 *        0 ENTER             need 5, arity 1, 5
 *        2 IS_LESS_SMALL     r0, 2, else 6
 *
 * Numbers at the left and behind `else` and `to` are 4-byte units.  Takes any ModFile that
 * modfile_read accepted, verified or not.  One thread. */
#pragma once

#include "vm/format/modfile.h"

/* Appends the text of a literal (bytes in the external format) to `out`. */
typedef void DisasmLiteral(void *context, ModSpan literal, Bytes *out);

/* Append the whole module.  Without `literal` (NULL) literals are shown by number and size. */
void disasm_module(const ModFile *m, DisasmLiteral *literal, void *context, Bytes *out);

/* Append one function. */
void disasm_function(const ModFile *m, uint32_t function, DisasmLiteral *literal, void *context,
                     Bytes *out);
