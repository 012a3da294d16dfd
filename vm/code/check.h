/* Before code that this build did not make runs: what its literals are, then the verifier.
 *
 * Pure; any thread.  Design page: docs/design/verifier.md. */
#pragma once

#include "vm/format/verify.h"
#include "vm/term/atom.h"

/* `literals` are the decoded literals of `m`. Scratch memory comes from `arena`. */
MUST_USE bool check_code(const ModFile *m, const AtomTable *atoms, const Term *literals,
                         Arena *arena, VerifyProblem *problem);
