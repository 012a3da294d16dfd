/* What carry*.c share.
 *
 * Owns: the scratch arena of the pass.  One thread. */
#pragma once

#include "compiler/core/carry.h"

/* Larger functions are not copied. */
#define CARRY_COPIED_MAX 20000

/* A function wanted with a context for one parameter. */
typedef struct CarryCopy {
    uint32_t function;
    uint32_t param;
    uint32_t copy;   /* index of the copy; 0: not made yet */
    bool whole;      /* what is left in the context is whole bytes at every call */
    bool is_planned; /* its own calls have been looked at since `whole` changed */
} CarryCopy;

typedef struct Carry {
    CoreUnit *u;
    Arena *scratch;
    uint64_t *starts; /* by function: which of its first 64 parameters it starts to match */
    VEC(CarryCopy) copies;
    Htab known;         /* function << 8 | param -> index + 1 into copies */
    uint32_t functions; /* of the source: copies stand behind */
} Carry;

/* BITS_REST whose result is passed on as a context. */
typedef struct CarryRest {
    CoreVar context;
    CoreVar position; /* where the rest begins; set when it is rewritten */
    uint16_t unit;
    bool is_carried;
} CarryRest;

/* One function at work. */
typedef struct CarryBody {
    Carry *c;
    CoreFunction *f;
    CoreVar context; /* in a copy: the parameter that is a context, else 0 */
    CoreVar start;   /* its position at the start */
    bool whole;
    uint32_t *rest_of; /* by variable: index + 1 into rests */
    uint32_t vars;
    VEC(CarryRest) rests;
} CarryBody;

/* ---- carry.c ---- */

/* The rest that a value is, or NULL. */
CarryRest *carry_rest(const CarryBody *b, CoreRef r);
/* Which argument of a call may be passed as a context, UINT32_MAX: none. */
uint32_t carry_argument(const CarryBody *b, const CoreInstr *i);
CarryCopy *carry_find(Carry *c, uint32_t function, uint32_t param);

/* ---- carry_write.c ---- */

/* The copy of a function for a context, before its calls are rewritten; returns its index. */
uint32_t carry_copy(Carry *c, const CarryCopy *copy);
/* Rewrites rests and calls; in a copy also what is done with the parameter. */
void carry_rewrite(CarryBody *b);

/* ---- carry_settle.c ---- */

/* Drops seeks to where a context is already, and tests for whole bytes that are known; `whole` is a
 * context that has whole bytes at the start, or 0. */
void carry_settle(CoreUnit *u, CoreFunction *f, Arena *scratch, CoreVar whole);
