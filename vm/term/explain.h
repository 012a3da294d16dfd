/*
 * Why a built-in refused its arguments, in words (vm/format/explain.def).
 *
 * Reads terms and atoms, builds nothing; any thread that may read the terms.  What it says comes
 * from the arguments as they are: it is a guess in hindsight, never a record of what was checked.
 */
#pragma once

#include "vm/term/atom.h"
#include "vm/term/term.h"

typedef struct ExplainNote {
    unsigned argument; /* from 1 */
    const char *text;  /* lives for ever */
} ExplainNote;

enum { EXPLAIN_MOST = 8 };

/* What is wrong with the arguments (a list) of module:function that failed with error:reason:
 * the number of notes, at most EXPLAIN_MOST, in order of arguments; 0 if nothing can be said. */
size_t explain_call(const AtomTable *atoms, Term module, Term function, Term arguments,
                    Term reason, ExplainNote notes[EXPLAIN_MOST]);
