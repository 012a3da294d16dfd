/*
 * Running match specifications: for one process, while it runs, within one slice.
 *
 * Guards, and bodies whose results nobody keeps, compute in a scratch area; what is kept is
 * built on the process's heap and points nowhere else.  Nothing collects.
 */
#pragma once

#include "vm/ets/ets_match.h"
#include "vm/ets/ets_object.h"
#include "vm/proc/process.h"

#define MATCH_SPACE   64 /* words of variables and stack that need no memory of their own */
#define MATCH_SCRATCH 64

typedef enum MatchUse {
    MATCH_KEEP_FOREIGN, /* the result is kept; what is matched lies outside the heap */
    MATCH_KEEP_OWN,     /* the result is kept; what is matched is the process's own */
    MATCH_LOOK          /* the result is good until the next run or the end */
} MatchUse;

typedef enum MatchResult { MATCH_NOT, MATCH_DONE, MATCH_REFUSED } MatchResult;

typedef struct EtsMachine {
    Process *p;
    const EtsProgram *program;
    MatchUse use;
    Word *variables;
    Word *stack;
    uint64_t steps; /* run so far */
    Heap scratch;
    Heap heap; /* the process's own, while its place is taken by the scratch area */
    bool away; /* it is */
    Word space[MATCH_SPACE];
    Word area[MATCH_SCRATCH];
} EtsMachine;

/* False: no memory. */
MUST_USE bool ets_machine_begin(EtsMachine *m, Process *p, const EtsProgram *program,
                                MatchUse use);
void ets_machine_end(EtsMachine *m);

/* Tries the clauses on `t`; `object` is where it is the tuple of one, else NULL. */
MatchResult ets_machine_run(EtsMachine *m, Term t, const EtsObject *object, Term *result);
