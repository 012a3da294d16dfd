/*
 * What the built-ins of ets share: finding a table and the right to it, pausing for a batch.
 */
#pragma once

#include "vm/bif/bif.h"
#include "vm/ets/ets_directory.h"
#include "vm/sched/sched.h"

/* What a caller wants to do with a table: who may is said by its protection. */
typedef enum EtsRight { ETS_READ, ETS_WRITE, ETS_OWN } EtsRight;

/* The table that argument `i` names, if the caller has the right; else NULL, with badarg
 * raised. */
EtsTable *bif_ets_open(Process *p, size_t i, EtsRight right);
/* The same whoever asks, without raising. */
EtsTable *bif_ets_table(const Process *p, Term tab);

static inline EtsUser bif_ets_user(const Process *p)
{
    const Worker *w = sched_worker(p->run);
    return (EtsUser){p->run->tables, w->epoch, w->index};
}
/* How programs name the table: its name or its reference; TERM_NONE: no memory. */
Term bif_ets_name(Process *p, const EtsTable *t);

/* A batch is going into the table: helps for a while, then the built-in is run again. */
BifResult bif_ets_busy(Process *p, EtsTable *t);
/* The slice is over, whatever is left of it. */
BifResult bif_ets_pause(Process *p);

/* A copy of an object for the table at hand; NULL: system_limit was raised, or, with *more, the
 * slice is over: yield, and come again with the same tuple. */
EtsObject *bif_ets_object(Process *p, Term tuple, bool *more);

/* What is made of parts of objects. */
typedef enum EtsOutForm {
    ETS_OUT_LIST, /* a list of them, in the other order */
    ETS_OUT_ONE,  /* the only one */
    ETS_OUT_KEYED /* {Key, List} */
} EtsOutForm;

/* The result of a built-in that copies objects which are in the table or have just been taken out:
 * an element of each (from 0), or with -1 all of it.  Large ones are held and copied in slices:
 * while bif_ets_out_is_held, the built-in has nothing to do but bif_ets_out_again. */
BifResult bif_ets_out(Process *p, const EtsTable *t, Walk *objects, int64_t element,
                      EtsOutForm form);
bool bif_ets_out_is_held(const Process *p);
BifResult bif_ets_out_again(Process *p, const EtsTable *t);

/* Is it an object of the table: a tuple with a key? */
static inline bool bif_ets_is_object(const EtsTable *t, Term tuple)
{
    return term_is_tuple(tuple) && tuple_size(tuple) > t->keypos;
}
/* `t` if memory was not refused, else system_limit is raised. */
BifResult bif_ets_done(Process *p, Term t);
/* What looking at one object costs. */
static inline void bif_ets_charge(Process *p, size_t words)
{
    bif_charge(p, (int64_t)(8 + words / 16));
}

/* ExitHooks.release: the tables of a dying process. */
bool bif_ets_release(RunContext *run, Process *p, size_t *budget);

/* A heir's data as it is kept: {Data}; NULL: refused. */
EtsObject *bif_ets_legacy(Process *p, Term data);
