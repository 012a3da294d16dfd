/*
 * The long halves of long instructions.  Each takes and leaves the state in the process: p->pc
 * is the instruction, p->fp, p->heap.top and run->reductions are current.  On success a
 * function that fell through has moved p->pc behind the instruction or to a label.
 */
#pragma once

#include "vm/interp/interp.h"
#include "vm/proc/reserve.h"
#include "vm/term/number.h"

/* Behind an instruction of that length; a collection that it made necessary comes soon. */
static inline SlowResult slow_advance(Process *p, size_t bytes)
{
    p->pc += bytes / sizeof(Half);
    if (UNLIKELY(reserve_is_wanted(p))) reserve_soon(p);
    return SLOW_NEXT;
}

/* arith.c: arithmetic on anything; dst is the register's index from fp. */
/* TRY_ARITHMETIC whose operands are not two small integers, or whose operator is not in line. */
SlowResult slow_try_arithmetic(Process *p);
SlowResult slow_arithmetic(Process *p, NumberOp op, Term a, Term b, int32_t dst, size_t length);

/* ENTER or RESERVE without room: collects. */
SlowResult slow_enter(Process *p);
SlowResult slow_return_cons(Process *p);
SlowResult slow_reserve(Process *p);

/* A charge point with nothing left: collects if something asked for it, or ends the slice. */
SlowResult slow_charge(Process *p);

/* The instruction at p->pc has stopped half-way (pause.h): it is run again, in the next slice
 * when this one is spent. */
SlowResult slow_again(Process *p);

/* A comparison of large terms, IS_SAME to IS_AT_LEAST. */
SlowResult slow_compare(Process *p);

/* The inline built-in at p->pc gave something that is not a value. */
SlowResult slow_bif_result(Process *p, Term result);
/* The stub's built-in likewise. */
SlowResult slow_stub_result(Process *p, Term result);

SlowResult slow_call_fun(Process *p); /* CALL_FUN whose fun is not a closure of that arity */
SlowResult slow_tail_fun(Process *p);
SlowResult slow_call_dyn(Process *p);
SlowResult slow_tail_dyn(Process *p);
SlowResult slow_undefined(Process *p);
SlowResult slow_fun_gone(Process *p);

/* MAP_GET, MAP_HAS with a key that takes long. */
SlowResult slow_map_get(Process *p);
SlowResult slow_map_has(Process *p);
SlowResult slow_map_put(Process *p, bool exact);
SlowResult slow_set_elements(Process *p);

SlowResult slow_raise_value(Process *p, AtomName tag, Term value); /* error {tag, value} */
SlowResult slow_raise_atom(Process *p, AtomName reason);
SlowResult slow_raise_error(Process *p, Term reason);
SlowResult slow_raise_again(Process *p, Term exc_class, Term reason, Term raw_trace);
SlowResult slow_build_trace(Process *p);
SlowResult slow_catch_value(Process *p);

/* receive.c */
SlowResult slow_recv_wait(Process *p);
SlowResult slow_recv_wait_for(Process *p);
SlowResult slow_recv_accept(Process *p);

/* apply.c */
SlowResult slow_send(Process *p);
SlowResult slow_apply(Process *p);
SlowResult slow_apply_fun(Process *p);
SlowResult slow_hibernate(Process *p);

/* bitmatch.c, bitbuild.c */
SlowResult slow_bits_build(Process *p);
SlowResult slow_bits_start(Process *p);
SlowResult slow_bits_int(Process *p);
SlowResult slow_bits_int_const(Process *p);
SlowResult slow_bits_float(Process *p);
SlowResult slow_bits_binary(Process *p);
SlowResult slow_bits_rest(Process *p);
SlowResult slow_bits_tail(Process *p);
SlowResult slow_bits_utf(Process *p);
SlowResult slow_bits_skip(Process *p);
SlowResult slow_bits_skip_utf(Process *p);
SlowResult slow_bits_is_string(Process *p);
