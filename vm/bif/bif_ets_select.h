/*
 * A select or match under way, and what it does with one object; private to bif_ets_select.c and
 * bif_ets_step.c.
 *
 * A small object is matched and its result built at once.  A large one is held, its result computed
 * without copying (MATCH_LOOK), and then copied in slices, to a heap of its own or to a new
 * object, so that what is half done needs no record of the process.
 */
#pragma once

#include "vm/bif/bif_ets.h"

#include "vm/ets/ets_match_run.h"
#include "vm/ets/ets_scan.h"

typedef enum SelectAction {
    SELECT_LIST,
    SELECT_COUNT,
    SELECT_DELETE,
    SELECT_REPLACE
} SelectAction;

typedef enum SelectStage {
    STAGE_NONE,
    STAGE_MATCHING,
    STAGE_COPYING,
    STAGE_MAKING
} SelectStage;

/* What becomes of a result of a large object. */
typedef struct SelectLarge {
    CopyWalk copy;
    Heap area; /* of the copy */
    EtsMaking making;
} SelectLarge;

/* A counted object, so that it goes with the process that dies in it. */
typedef struct Select {
    Counted counted; /* first */
    Mem *mem;
    EtsProgram *program;
    EtsScan scan;
    SelectAction action;
    bool limited;
    bool backward; /* as the caller sees it */
    bool full;     /* the limit is reached */
    bool heavy;    /* the specification is large: so may be results of small objects */
    uint64_t limit;
    uint64_t count; /* results so far */
    EtsMachine machine;
    SelectStage stage; /* of the object that is held */
    EtsObject *held;
    EtsObject *newer; /* ANEW */
    Term result;      /* COPYING, MAKING: of the machine's last run */
    SelectLarge *large;
} Select;

typedef enum SelectStep {
    STEP_ON,
    STEP_BUSY, /* a batch is going in: nothing has been done with the object */
    STEP_RAISED,
    STEP_ANEW, /* inside bif_ets_step.c: another object of the key has come */
    STEP_PAUSE /* the object is held; select_step_again, when the built-in that gives *pause runs
                  * again */
} SelectStep;

/* Matches one object: counts it, takes it out, puts another in its place, or puts the result before
 * *list. */
SelectStep select_step(Process *p, EtsTable *t, Select *s, EtsObject *o, Term *list);
/* Goes on with the one that is held; unless PAUSE, it is left to select_step_end. */
SelectStep select_step_again(Process *p, EtsTable *t, Select *s, Term *list);
/* Frees what an object has left half done. */
void select_step_end(Select *s);
