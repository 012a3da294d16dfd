/* Register code to the bytes and tables of a module file.
 *
 * Owns: the code and the tables of one module while it is made; they lie in buffers of its own
 * and in the compilation's arena.  One thread.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/codegen/peephole.h"

typedef struct Emitter {
    CodePool *pool;
    Bytes code;
    VEC(ModFunction) functions;
    VEC(ModHandler) handlers;
    VEC(ModLine) lines;
    uint32_t last_line; /* of the row added last */
    uint32_t last_file;
    /* of an operand above 65535, or SRC_POS_NONE; the code is then unusable */
    SrcPos too_large;
    bool is_too_large;
} Emitter;

void emit_init(Emitter *e, CodePool *pool);
void emit_free(Emitter *e);

/* Append one function.  Functions come in the order of the unit. */
void emit_function(Emitter *e, LirFunction *lir, MirFunction *f);
