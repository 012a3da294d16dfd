/* What the files of the verifier share; nobody else includes this. */
#pragma once

#include "vm/base/vec.h"
#include "vm/format/code.h"
#include "vm/format/verify.h"

/* What is known about a register: a kind in the low byte, a number above it, and whether the
 * value came out of a message that has not been accepted. */
typedef uint32_t Fact;

typedef enum FactKind {
    FACT_UNDEFINED,
    FACT_ANY,
    FACT_NOT_NIL, /* any value but [] */
    FACT_LIST,    /* [] or a cons cell */
    FACT_CONS,
    FACT_TUPLE, /* number: elements */
    FACT_MAP,
    FACT_FUN,      /* number: free variables */
    FACT_POSITION, /* a small integer; number: the context it was read from */
    FACT_LAST_VALUE = FACT_POSITION,
    /* Terms for the collector, but not values of the language. */
    FACT_CONTEXT, /* number: unit of its BITS_START, or VERIFY_OWN_CONTEXT; 0: one of several */
    FACT_MARKER
} FactKind;

/* The number of the context that a function is called with: no BITS_START stands inside ENTER. */
#define VERIFY_OWN_CONTEXT 1

#define FACT_MESSAGE    0x80000000u
#define FACT_NUMBER_MAX 0x7fffffu

static inline Fact fact_make(FactKind kind, uint64_t number)
{
    return (Fact)kind | (Fact)(number <= FACT_NUMBER_MAX ? number : FACT_NUMBER_MAX) << 8;
}
static inline FactKind fact_kind(Fact f) { return (FactKind)(f & 0xff); }
static inline uint32_t fact_number(Fact f) { return f >> 8 & FACT_NUMBER_MAX; }

/* What is known where control is. */
typedef struct VerifyState {
    uint32_t room;  /* words of promised heap */
    uint32_t frame; /* registers below this may be written: the heap's top is below them */
    bool reached;
    bool peeking;   /* between RECV_PEEK and RECV_ACCEPT */
    uint32_t jumps; /* backward jumps to this label: index into Verifier.jumps + 1 */
    Fact *facts;    /* `count` of them; of a label: all others are undefined */
    uint32_t count;
} VerifyState;

/* A backward jump, in the list of its target. */
typedef struct VerifyJump {
    CodeLive live;
    uint32_t next; /* index + 1 */
} VerifyJump;

typedef struct Verifier {
    const ModFile *m;
    const VerifyLiteral *literals;
    Arena *arena;
    const char *why;   /* the first complaint */
    uint32_t unit;     /* of the instruction at hand */
    int16_t *bif_rows; /* by import: row of bifs.def, -1 none, -2 not looked up */
    /* by function: free variables + 1 of the fun whose body it is; 0: no fun's body */
    uint32_t *fun_free;
    /* The function at hand. */
    const ModFunction *f;
    VerifyState now;
    /* by unit from the function's start: what is known there; facts NULL: nothing yet */
    VerifyState *labels;
    uint8_t *marks; /* by unit: VERIFY_… */
    /* by unit: handler row + 1 that covers it; NULL: none in this function */
    uint32_t *rows;
    VEC(VerifyJump) jumps;
    uint32_t back_to; /* unit to go back to, UINT32_MAX: none */
    uint64_t steps;   /* instructions looked at, in all */
    uint64_t step_limit;
    uint64_t cells; /* facts that labels hold */
    Fact **spare;   /* rows for labels, each of the function's extent, that are free again */
    uint32_t spare_count;
    uint32_t spare_room;
} Verifier;

enum {
    VERIFY_START = 1, /* an instruction starts here */
    VERIFY_LABEL = 2, /* something jumps here */
    VERIFY_HEAD = 4   /* something jumps here from behind */
};

/* False, with the first complaint remembered. */
static inline bool verify_fail(Verifier *v, const char *why)
{
    if (!v->why) v->why = why;
    return false;
}

/* Operands name things that exist (verify_operands.c). */
MUST_USE bool verify_operands(Verifier *v, const CodeInstr *instr);
/* What the instruction needs and what is known behind it (verify_effect.c). */
MUST_USE bool verify_effect(Verifier *v, const CodeInstr *instr);

/* Control may go on at `unit`, forward, with what is known now. */
MUST_USE bool verify_edge(Verifier *v, uint32_t unit);
/* The same backward; `live` says which registers are kept. */
MUST_USE bool verify_back_edge(Verifier *v, uint32_t unit, CodeLive live);
/* An exception may be raised here. */
MUST_USE bool verify_raises(Verifier *v);
/* Is register r named by the map? */
bool verify_in_map(const Verifier *v, CodeLive live, uint32_t r);
/* Forget all registers that the map does not name. */
void verify_keep(Verifier *v, CodeLive live);
