/* Writing core: each function appends to the block where the code of an Expand stands now
 * (expand_parts.h).  Owns nothing; one thread. */
#pragma once

#include "compiler/core/core.h"
#include "compiler/syntax/ast.h"

typedef struct Expand Expand;

/* Append an instruction; opens an unreachable block when control does not get here. */
CoreInstr *write_instr(Expand *x, CoreKind kind, uint32_t args, SrcPos pos);
/* The same with arguments and a result. */
CoreRef write_op0(Expand *x, CoreKind kind, SrcPos pos);
CoreRef write_op1(Expand *x, CoreKind kind, CoreRef a, SrcPos pos);
CoreRef write_op2(Expand *x, CoreKind kind, CoreRef a, CoreRef b, SrcPos pos);
CoreRef write_element(Expand *x, CoreRef tuple, uint32_t index, SrcPos pos);
CoreRef write_bif(Expand *x, Term name, uint32_t n, const CoreRef *args, SrcPos pos);
CoreRef write_call_ext(Expand *x, Term module, Term name, uint32_t n, const CoreRef *args,
                       SrcPos pos);
/* Instructions that end the block; control is then nowhere. */
void write_jump(Expand *x, CoreBlockId to, SrcPos pos);
void write_jump1(Expand *x, CoreBlockId to, CoreRef arg, SrcPos pos);
void write_return(Expand *x, CoreRef value, SrcPos pos);
void write_raise(Expand *x, CoreKind kind, CoreRef arg, SrcPos pos);
/* error({Tag, Value}) */
void write_error2(Expand *x, AtomName tag, CoreRef value, SrcPos pos);
/* A test: control goes on in a new block when it holds, else in `no`.  The instruction may be
 * given more; its dst is made when `wants_value`. */
CoreInstr *write_test(Expand *x, CoreKind kind, uint32_t args, CoreBlockId no, SrcPos pos);
void write_test1(Expand *x, CoreKind kind, CoreRef a, CoreBlockId no, SrcPos pos);
void write_test2(Expand *x, CoreKind kind, CoreRef a, CoreRef b, CoreBlockId no, SrcPos pos);
/* A test with both ways given; ends the block. */
CoreInstr *write_branch(Expand *x, CoreKind kind, uint32_t args, CoreBlockId yes,
                        CoreBlockId no, SrcPos pos);
CoreBlockId new_block(Expand *x);
CoreVar new_var(Expand *x);
/* The value that a list of values makes, in any number; built in pieces when it is long. */
CoreRef write_list(Expand *x, const CoreRef *items, uint32_t n, CoreRef tail, SrcPos pos);
CoreRef write_tuple(Expand *x, const CoreRef *items, uint32_t n, SrcPos pos);
CoreRef write_apply(Expand *x, Term module, Term name, uint32_t n, const CoreRef *args,
                    SrcPos pos);
/* An operator of a body; constants are folded. */
CoreRef write_arith(Expand *x, AstOp op, CoreRef a, CoreRef b, SrcPos pos);
CoreRef write_unary(Expand *x, AstOp op, CoreRef a, SrcPos pos);

/* left op right, where op is a comparison. */
typedef struct {
    AstOp op;
    CoreRef left;
    CoreRef right;
} Comparison;

/* A comparison; ends the block. */
void write_compare(Expand *x, Comparison c, CoreBlockId yes, CoreBlockId no, SrcPos pos);
