/* What fold*.c share: one function and what is known of its variables.
 *
 * Owns: the scratch arena of the unit, which is rewound between functions.  One thread. */
#pragma once

#include "compiler/core/fold.h"

typedef enum { FACT_NO, FACT_YES, FACT_UNKNOWN } Fact;

/* What a test on the way here has shown: kinds of terms that a variable may still be, or that a
 * claim holds or does not.  The newest stands first. */
typedef struct Known {
    struct Known *next;
    const CoreInstr *test;
    bool holds;
} Known;

typedef struct Fold {
    CoreUnit *u;
    CoreFunction *f;
    Arena *scratch;
    CoreRef *same;         /* by variable: what stands for it; none: itself */
    const CoreInstr **def; /* by variable: the instruction that makes it, or NULL */
    uint32_t *uses;        /* by variable */
    uint32_t *preds;       /* by block: ways in, handlers' ones included */
    Known **known;         /* by block: at its start */
    Known *here;           /* of the block being looked at */
    uint32_t index;        /* number of the function */
    uint32_t vars;         /* variables that the tables know */
    bool *is_before;       /* by block: a try starts behind it */
    bool changed;
} Fold;

/* The value that stands for another in the end. */
CoreRef fold_value(Fold *d, CoreRef r);

/* ---- fold_facts.c ---- */

/* The value of an instruction that need not run; none: it must. */
CoreRef fold_instr(Fold *d, CoreInstr *i);
/* A test or switch whose outcome is certain becomes a jump. */
void fold_branch(Fold *d, CoreInstr *i);
/* Where control goes from a test or switch on `var` if that is the constant `t`; 0: not certain. */
CoreBlockId fold_outcome(Fold *d, const CoreInstr *i, CoreVar var, Term t);

/* ---- fold_known.c ---- */

/* What the tests on the way here say of a test. */
Fact fold_known(Fold *d, const CoreInstr *i);
/* Start a block: what its only way in has shown. */
void fold_known_enter(Fold *d, CoreBlockId block);
/* End a block: what its last instruction shows to where it leads. */
void fold_known_leave(Fold *d, CoreBlockId block);

/* ---- fold_jumps.c ---- */

/* Jumps to jumps, tests of values that are known on the way in, blocks with one way in. */
void fold_jumps(Fold *d);
/* The test or switch that is all of a block, else NULL. */
const CoreInstr *fold_only_test(Fold *d, CoreBlockId b);
/* Count the ways into each block. */
void fold_count(Fold *d);
