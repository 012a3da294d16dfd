/* Core: what a module is between syntax and code.  A function is a graph of blocks; a block is a
 * local function that is only ever jumped to: it has parameters, a row of instructions, and one
 * last instruction that says where control goes on.  Every variable is defined once.
 *
 *     f(X, Y):                    f/2  (v1, v2)
 *        case X of                b1:          is_cons v1 -> b2 else b4
 *           [H | _] -> H;         b2:          v3 = head v1;  jump b3(v3)
 *           _ -> g(Y)             b4:          v4 = call g/1 (v2);  jump b3(v4)
 *        end + 1                  b3(v5):      v6 = add v5, 1;  return v6
 *
 * Owns: nothing; all lies in the arena and the literal heap of the Unit.  One thread per unit.
 *
 * Invariants, which core_check() proves:
 *   - block 1 is the entry and has no parameters; blocks that nothing reaches are gone after
 *     core_tidy(), and blocks stand in an order in which every block comes after its dominator
 *   - a definition dominates its uses; for a handler block the edge from its try comes from the
 *     end of the block before the try (CoreTry.before), so a handler sees what was defined there
 *   - only JUMP passes arguments, as many as the target has parameters; blocks reached in any
 *     other way have none, except handlers: class, reason, raw trace, given by the exception
 *   - a block has one handler or none (CoreBlock.in_try), which takes every exception raised in
 *     it; no tail call stands in a try
 *   - jumps go backward only to a block that ends with RECV_PEEK, or to a loop header (is_loop)
 *
 * Design page: docs/design/compiler.md. */
#pragma once

#include <stdio.h>

#include "compiler/source/compilation.h"
#include "vm/base/htab.h"
#include "vm/base/vec.h"
#include "vm/term/atom.h"
#include "vm/term/heap.h"

enum {
    CORE_FLAG_DST = 1,
    CORE_FLAG_RAISES = 2,
    CORE_FLAG_PURE = 4,
    CORE_FLAG_ENDS = 8,
    CORE_FLAG_TEST = 16 | CORE_FLAG_ENDS
};

typedef enum {
#define CORE(KIND, args, flags, meaning) CORE_##KIND,
#include "compiler/core/core.def"
#undef CORE
    CORE_KIND_COUNT
} CoreKind;

/* Widest construction of a term by one instruction; wider ones are built in pieces. */
#define CORE_WIDE_MAX 250

/* The exported function of a script that runs its top-level expressions, then main/1 or main/0; its
 * one argument is the list of the program's arguments as strings. */
#define CORE_SCRIPT_NAME "$script"

typedef struct {
    const char *name; /* "map_get" */
    int args;         /* -1: any number */
    uint8_t flags;
} CoreInfo;

extern const CoreInfo core_info[CORE_KIND_COUNT];

/* Variables of a function count from 1; 0 is none. */
typedef uint32_t CoreVar;

/* Blocks of a function count from 1: index of function->blocks.at. at[0] is not a block. */
typedef uint32_t CoreBlockId;

/* A value: a variable, or a constant of the unit.  0 is none. */
typedef struct CoreRef {
    uint32_t n;
} CoreRef;

#define CORE_CONST_BIT 0x80000000u
#define CORE_REF_NONE  ((CoreRef){0})

static inline CoreRef core_var(CoreVar var) { return (CoreRef){var}; }
static inline bool core_is_none(CoreRef r) { return r.n == 0; }
static inline bool core_is_const(CoreRef r) { return (r.n & CORE_CONST_BIT) != 0; }
static inline bool core_is_var(CoreRef r) { return r.n != 0 && !core_is_const(r); }
static inline bool core_same(CoreRef a, CoreRef b) { return a.n == b.n; }

typedef enum {
    CORE_SEG_INTEGER,
    CORE_SEG_FLOAT,
    CORE_SEG_BITS,
    CORE_SEG_UTF8,
    CORE_SEG_UTF16,
    CORE_SEG_UTF32
} CoreSegType;

/* Bits of instr->flags for BITS_INT, BITS_FLOAT, BITS_UTF..., and of CoreSegment.flags.  Native
 * byte order has been made one of the two. */
enum { CORE_SEG_SIGNED = 1, CORE_SEG_LITTLE = 2 };

/* One segment of BITS_BUILD. */
typedef struct {
    uint8_t type; /* CoreSegType */
    uint8_t flags;
    uint16_t unit; /* 1 to 256; BITS without a size: all of the value must be a multiple */
    CoreRef value;
    CoreRef size; /* in units; none: BITS: the whole value, UTF: no size */
    SrcPos pos;
} CoreSegment;

typedef struct {
    Term key; /* an atom or a small integer */
    CoreBlockId block;
} CoreCase;

typedef struct {
    uint8_t kind; /* CoreKind */
    uint8_t flags;
    uint16_t argc_wide; /* unused, zero */
    SrcPos pos;
    CoreVar dst; /* 0: none */
    uint32_t arg_count;
    CoreRef *args;
    CoreBlockId then_;   /* JUMP, tests, RECV_NEXT, RECV_WAIT */
    CoreBlockId else_;   /* tests and switches */
    uint32_t index;      /* see core.def */
    uint32_t case_count; /* switches; BITS_BUILD: how many segments */
    union {
        struct {
            Term module; /* BIF, GUARD_BIF, CALL_EXT, TAIL_EXT, EXPORT_FUN */
            Term name;
        };
        CoreCase *cases;
        CoreSegment *segments;
        const uint32_t *indexes; /* SET_ELEMENTS */
    };
} CoreInstr;

typedef struct {
    CoreInstr *at;
    uint32_t count;
    uint32_t room;
    CoreVar *params;
    uint32_t param_count;
    uint32_t in_try; /* index into function->tries, 0: none */
    bool is_loop;    /* may be the target of a backward jump */
    bool is_handler; /* parameters: class, reason, raw trace */
} CoreBlock;

/* A protected part: the blocks whose in_try is this one, or one whose `outer` leads to this. */
typedef struct {
    CoreBlockId handler;
    CoreBlockId before; /* the block that jumps into the part */
    uint32_t outer;     /* the try around, 0: none */
} CoreTry;

typedef struct {
    Term name;
    uint32_t arity;       /* visible parameters */
    uint32_t shown_arity; /* in stack traces: with free variables, as OTP counts */
    CoreVar *params; /* arity of them; for the body of a fun one more, last: the fun itself */
    uint32_t param_count;
    bool is_fun;
    bool exported;
    bool is_generated;  /* not written in the source: lifted bodies, module_info */
    bool inline_wanted; /* named by -compile({inline, ...}) */
    uint32_t size;      /* instructions without jumps; kept by inline.c */
    SrcPos pos;
    uint32_t carries;      /* parameter that is a match context (carry.h), plus 1; 0: none */
    CoreVar var_count;     /* variables are 1 to var_count */
    VEC(CoreBlock) blocks; /* blocks.count counts at[0], which is none */
    VEC(CoreTry) tries;    /* at[0] is not one */
} CoreFunction;

/* A fun expression, or fun f/1 of this module: what MAKE_FUN names. */
typedef struct {
    uint32_t function; /* index into functions */
    uint32_t arity;
    uint32_t free_count;
} CoreLambda;

typedef struct {
    Term name;
    Term value; /* always a list, as module_info(attributes) shows it */
} CoreAttribute;

/* A module. */
typedef struct {
    Compilation *c;
    AtomTable *atoms;
    Heap heap; /* detached; literals live here */
    Term name;
    bool is_script;
    VEC(CoreFunction *) functions;
    VEC(CoreLambda) lambdas;
    VEC(Term) constants;
    VEC(CoreAttribute) attributes;
    Htab small_constants; /* word of an atomic term -> index */
    Term on_load;         /* name of the -on_load function, or TERM_NONE */
    bool inline_all;      /* -compile(inline) */
    uint32_t inline_size; /* up to this size, in instructions */
    SrcPos end;
} CoreUnit;

CoreUnit *core_unit_new(Compilation *c, AtomTable *atoms);
/* Release the literal heap; the rest dies with the compilation. */
void core_unit_free(CoreUnit *u);

/* The value for a constant; atomic terms are shared. */
CoreRef core_const(CoreUnit *u, Term t);
static inline Term core_term(const CoreUnit *u, CoreRef r)
{
    ASSERT(core_is_const(r));
    return u->constants.at[r.n & ~CORE_CONST_BIT];
}

/* Building.  Blocks move when one is added: hold ids, not pointers. */
uint32_t core_function_new(CoreUnit *u, Term name, uint32_t arity, SrcPos pos);
/* Close the holes (NULL) in the table of functions and rename calls and funs. */
void core_close_functions(CoreUnit *u);
CoreVar core_var_new(CoreFunction *f);
CoreBlockId core_block_new(CoreUnit *u, CoreFunction *f, uint32_t in_try);
/* A parameter more; not for a block that is already jumped to. */
CoreVar core_block_param(CoreUnit *u, CoreFunction *f, CoreBlockId block);
/* Append an instruction with room for `arg_count` arguments; the caller fills it at once. */
CoreInstr *core_append(CoreUnit *u, CoreFunction *f, CoreBlockId block, CoreKind kind,
                       uint32_t arg_count, SrcPos pos);

/* Copy the values and sizes of the segments to the arguments, which have room for them; and
 * back. */
void core_segments_args(CoreInstr *i);
void core_args_segments(CoreInstr *i);

static inline CoreInstr *core_last(CoreFunction *f, CoreBlockId block)
{
    CoreBlock *b = &f->blocks.at[block];
    return b->count == 0 ? NULL : &b->at[b->count - 1];
}
static inline bool core_ends(const CoreInstr *i)
{
    return (core_info[i->kind].flags & CORE_FLAG_ENDS) != 0;
}
static inline bool core_is_test(const CoreInstr *i)
{
    return (core_info[i->kind].flags & 16) != 0;
}

/* Where control may go after an instruction that ends a block: calls visit(to, block) for each
 * target; handlers are not among them. */
typedef void CoreVisit(void *to, CoreBlockId *block);
void core_targets(CoreInstr *i, CoreVisit *visit, void *to);

/* Drop blocks that nothing reaches and renumber the rest in reverse postorder, likely ways
 * first. */
void core_tidy(CoreUnit *u, CoreFunction *f);

/* Stops the compiler when an invariant does not hold (debug builds call it between passes). */
void core_check(CoreUnit *u);

/* The unit as text. */
void core_dump(CoreUnit *u, FILE *out);
