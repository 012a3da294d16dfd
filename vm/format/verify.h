/* Proves that the code of a module file cannot break memory safety, before it runs.
 *
 * One pass in address order over each function, with one fact per register: undefined, any
 * value, cons, tuple of n, map, ...  Where control meets, facts meet; backward jumps must imply
 * the facts of their target, else the loop is looked at again with fewer.  Every edge to an
 * exception handler is an edge.  Accepted code reads only registers that hold what the
 * instruction wants, calls with the right number of arguments inside its frame, allocates only
 * promised room, names to the collector exactly registers that hold terms, and never lets a
 * message that it has not accepted escape.
 *
 * Pure function of its arguments; one thread.  Design page: docs/design/verifier.md. */
#pragma once

#include "vm/format/modfile.h"

/* What the verifier must know about a literal; vm/format cannot decode terms, so the loader
 * tells. */
typedef enum VerifyLiteralKind {
    VERIFY_LITERAL_ANY,
    VERIFY_LITERAL_CONS,
    VERIFY_LITERAL_TUPLE, /* size: elements */
    VERIFY_LITERAL_MAP,
    VERIFY_LITERAL_BITSTRING, /* size: bits */
} VerifyLiteralKind;

typedef struct VerifyLiteral {
    uint8_t kind;     /* VerifyLiteralKind */
    bool sorted_keys; /* a tuple of different terms in map-key order */
    uint64_t size;
} VerifyLiteral;

typedef struct VerifyProblem {
    uint32_t unit;   /* where */
    const char *why; /* a static sentence */
} VerifyProblem;

/* `m` is what modfile_read accepted; `literals` has m->literal_count rows.  Scratch memory
 * comes from `arena`.  False: the code must not run. */
MUST_USE bool verify_module(const ModFile *m, const VerifyLiteral *literals, Arena *arena,
                            VerifyProblem *problem);
