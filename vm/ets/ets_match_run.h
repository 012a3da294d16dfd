/*
 * Running match specifications for one process, in slices when a term is huge.
 *
 * Guards, and bodies whose results nobody keeps, compute in a scratch area; what is kept is
 * built on the process's heap and points nowhere else.  While a run is half-way (MATCH_MORE) the
 * process has a record of it (vm/proc/pause.h), so nothing collects.
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

typedef enum MatchResult {
    MATCH_NOT,
    MATCH_DONE,
    MATCH_REFUSED,
    MATCH_MORE /* ets_machine_again, when the built-in that gives `pause` runs again */
} MatchResult;

/* It stays where it was begun. */
typedef struct EtsMachine {
    Process *p;
    Mem *mem;
    const EtsProgram *program;
    MatchUse use; /* may change between runs */
    Term subject; /* of this run */
    const EtsObject *object;
    size_t clause;
    const MatchStep *step; /* NULL: the clause begins */
    Word *top;
    bool in_values; /* of the clause: its pattern fits */
    bool in_body;
    Term pause; /* MORE: TERM_YIELD or TERM_WAIT */
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
/* Goes on after MATCH_MORE; nothing has been moved or freed since. */
MatchResult ets_machine_again(EtsMachine *m, Term *result);
