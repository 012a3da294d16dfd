/*
 * What the two halves of the compiler of match specifications share: patterns (ets_match.c) and
 * expressions (ets_match_body.c).
 */
#pragma once

#include "vm/ets/ets_match.h"
#include "vm/term/walk.h"

/* A variable of the clause at hand; its place in the array is its index. */
typedef VEC(int64_t) MatchVariables;

typedef struct MatchCompiler {
    EtsProgram *program;
    const MatchNames *names;
    const AtomTable *atoms;
    MatchErrors *errors; /* or NULL */
    bool failed;
    MatchVariables variables;
    uint32_t depth; /* of the stack at this point */
} MatchCompiler;

/* Appends a step whose op takes `taken` words from the stack and leaves `left`; its position. */
uint32_t ets_match_step(MatchCompiler *c, MatchOp op, uint32_t n, Term constant, uint32_t taken,
                        uint32_t left);
/* Notes a problem: `format` with at most one %s, which is the text of `t`. */
void ets_match_wrong(MatchCompiler *c, const char *before, Term t, const char *after);

/* The index of a variable that the pattern has bound, or -1. */
int64_t ets_match_bound(const MatchCompiler *c, int64_t number);

/* Compiles a list of guards or body expressions. */
void ets_match_guards(MatchCompiler *c, Term guards);
void ets_match_body(MatchCompiler *c, Term body);
