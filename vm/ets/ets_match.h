/*
 * Match specifications, compiled to a small program of our own.
 *
 * A program belongs to whoever holds one of its references; it never changes, so any thread may
 * run it.  It carries a copy of its specification, to which its constants point.  Patterns are
 * a preorder list of ops that take terms from a stack and push their parts; guards and bodies are
 * postfix.  Nothing recurses.  Design page: docs/design/ets.md.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/base/vec.h"
#include "vm/term/atom.h"
#include "vm/term/heap.h"

/* MATCH_OP(NAME, "meaning") with one operand each, called n; stacks grow to the right. */
#define MATCH_OPS                                                                    \
    MATCH_OP(ANY, "t ->            ; any term")                                      \
    MATCH_OP(BIND, "t ->            ; variable n is t")                              \
    MATCH_OP(SAME, "t ->            ; if t =:= variable n")                          \
    MATCH_OP(WORD, "t ->            ; if t is the word constant n")                  \
    MATCH_OP(EQUAL, "t ->            ; if t =:= constant n")                         \
    MATCH_OP(TUPLE, "t -> en ... e1   ; if t has n elements")                        \
    MATCH_OP(CONS, "t -> tail head   ; if t is a pair")                              \
    MATCH_OP(MAP, "t -> v1 ... vn   ; if t has the n keys that follow as constants") \
    MATCH_OP(CONST, "-> constant n")                                                 \
    MATCH_OP(VARIABLE, "-> variable n")                                              \
    MATCH_OP(OBJECT, "-> what was matched")                                          \
    MATCH_OP(ALL, "-> list of all variables in the order of their numbers")          \
    MATCH_OP(MAKE_CONS, "head tail -> [head | tail]")                                \
    MATCH_OP(MAKE_TUPLE, "e1 ... en -> {e1, ... en}")                                \
    MATCH_OP(MAKE_MAP, "k1 v1 ... kn vn -> #{k1 => v1, ...}")                        \
    MATCH_OP(CALL, "a1 ... -> built-in of row n")                                    \
    MATCH_OP(SELF, "-> pid of the caller")                                           \
    MATCH_OP(AND, "b1 ... bn -> all of them")                                        \
    MATCH_OP(OR, "b1 ... bn -> one of them")                                         \
    MATCH_OP(ANDALSO, "b -> b          ; on at n if false")                          \
    MATCH_OP(ORELSE, "b -> b          ; on at n if true")                            \
    MATCH_OP(HOLDS, "b ->            ; if b is true")                                \
    MATCH_OP(DROP, "t ->")                                                           \
    MATCH_OP(BODY, "the guards hold: what fails gives 'EXIT' from here on")          \
    MATCH_OP(GIVE, "t -> t          ; the result")

typedef enum MatchOp {
#define MATCH_OP(name, meaning) MATCH_##name,
    MATCH_OPS
#undef MATCH_OP
} MatchOp;

typedef struct MatchStep {
    uint32_t op;
    uint32_t n;
    uint64_t constant; /* WORD, EQUAL, CONST and the keys behind MAP: a term */
} MatchStep;

typedef struct MatchClause {
    Term head;      /* the pattern, in the program's heap */
    Term body;      /* the list of body expressions */
    uint32_t first; /* step */
    uint32_t end;   /* behind the last one */
    uint32_t order; /* in the program's: how many variables, then their indexes for $$ */
} MatchClause;

typedef struct EtsProgram {
    Counted counted; /* first */
    Mem *mem;
    Heap heap; /* the specification */
    Term source;
    uint32_t variables; /* numbered from 0 in the order of their names' numbers */
    uint32_t depth;     /* words of the largest stack */
    bool gives_objects; /* every body is just $_ */
    VEC(MatchStep) steps;
    VEC(MatchClause) clauses;
    VEC(uint32_t) order;
} EtsProgram;

/* Functions and forms by name: filled once, then constant. */
typedef struct MatchNames MatchNames;
MatchNames *ets_match_names_new(Mem *mem, AtomTable *atoms);
void ets_match_names_delete(MatchNames *names, Mem *mem);

/* What a built-in name means in a specification. */
typedef enum MatchForm {
    MATCH_FORM_NONE, /* nothing */
    MATCH_FORM_CALL, /* of a built-in; other arities do not exist */
    MATCH_FORM_CONST,
    MATCH_FORM_AND,
    MATCH_FORM_OR,
    MATCH_FORM_ANDALSO,
    MATCH_FORM_ORELSE,
    MATCH_FORM_SELF,
    MATCH_FORM_TRACE, /* for tracing only */
    MATCH_FORM_WORD   /* the trace control word: for tracing only */
} MatchForm;
MatchForm ets_match_form(const MatchNames *names, Term name, size_t arity, uint32_t *row);

/* One problem of a specification in words, UTF-8. */
typedef VEC(Bytes) MatchErrors;
void ets_match_errors_free(MatchErrors *errors);

/* The program of a specification, with one reference; NULL when it is wrong (*errors has one text
 * at least; `errors` may be NULL) or, with *refused, when there is no memory. */
EtsProgram *ets_match_compile(const MatchNames *names, const AtomTable *atoms, Mem *mem,
                              Term source, MatchErrors *errors, bool *refused);
static inline void ets_match_drop(EtsProgram *program) { counted_drop(&program->counted); }
/* Is that counted object a program? */
bool ets_match_is_program(const Counted *object);

/* '_' or a variable: *number says which one, -1 for '_'. */
bool ets_match_is_variable(const AtomTable *atoms, Term t, int64_t *number);
/* Has the pattern neither variables nor maps: it stands for one term alone. */
bool ets_match_is_ground(const AtomTable *atoms, Term pattern);
/* Has it no variables?  As the pattern of a key it then names that key, maps included. */
bool ets_match_is_bound(const AtomTable *atoms, Term pattern);
/* Does every clause keep the key of what it changes (select_replace)? */
bool ets_match_keeps_key(const EtsProgram *program, const AtomTable *atoms, size_t keypos);
