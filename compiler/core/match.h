/* Patterns to a decision graph.
 *
 * Rows of patterns are sorted by what their first open column asks for, all rows in one pass, so
 * that a column is tested once on the way down.  A row without a guard that asks nothing of the
 * column is copied into each group, as long as copies stay in proportion to the rows; otherwise,
 * and for rows with guards, the rows are cut in two, and the second part is where all failures of
 * the first one go.  So each guard and each body exists once.
 *
 * Owns: nothing.  No recursion: tasks stand on a list.  Design page: docs/design/compiler.md. */
#pragma once

#include "compiler/core/expand_parts.h"

/* One clause.  The caller fills the first part. */
typedef struct {
    const AstList *patterns; /* as many as there are subjects */
    const AstList *guard;    /* or NULL */
    SrcPos pos;
    /* Results: where control arrives when the clause is chosen; its parameters are the variables
     * that the patterns bind. */
    CoreBlockId body; /* 0: it is never chosen */
    bool takes_all;   /* it asks nothing */
    NameId *names;
    uint32_t name_count;
} MatchClause;

/* Write the tests from here on; control is then nowhere.  `no` is where it goes when no clause
 * is right.  Of a clause that can never be chosen the body is a block that nothing reaches. */
void match_clauses(Expand *x, MatchClause *clauses, uint32_t n, const CoreRef *subjects,
                   uint32_t columns, CoreBlockId no);

/* The same, but variables of the patterns are new ones, whatever is in scope: heads of funs,
 * generators. */
void match_heads(Expand *x, MatchClause *clauses, uint32_t n, const CoreRef *subjects,
                 uint32_t columns, CoreBlockId no);

/* Warn of clauses written in the source that are never chosen. */
void match_warn(Expand *x, const MatchClause *clauses, uint32_t n);

/* Start the body of a chosen clause: go there and bind its variables. */
void match_enter(Expand *x, const MatchClause *clause);

/* The clauses of case, receive ... with their patterns and guards. */
MatchClause *clauses_of(Expand *x, const AstList *list);

/* Expand the bodies of clauses as ways of a merge; `accepts`: each takes the message first. */
void merge_clauses(Expand *x, Merge *m, const MatchClause *clauses, const AstList *list,
                   bool accepts);
