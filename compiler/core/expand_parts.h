/* What expand*.c and match*.c share: the state of the walk, scopes, writers.
 *
 * Owns: nothing; everything of the walk hangs from one Expand and lies in the arena. */
#pragma once

#include "compiler/core/expand.h"
#include "compiler/core/expand_write.h"

/* A variable that is in scope.  Bindings stand on a stack; the newest of a name counts. */
typedef struct {
    NameId name;
    CoreRef ref;
    uint32_t previous; /* binding of the same name below, 0: none */
    uint32_t depth;    /* of the function it belongs to */
} Binding;

/* A variable of an outer function as it is known inside. */
typedef struct {
    uint32_t binding; /* index of the outer function's binding */
    CoreRef outer;    /* its value there */
    CoreVar inner;
} Capture;

/* A value that no earlier message can hold, for it holds a reference made in this function, and
 * where the queue of messages ended just before that was made. */
typedef enum {
    MARKED_NEW,
    MARKED_PAIR,       /* {Pid, Reference} */
    MARKED_MAYBE_PAIR, /* that, or a pid, which need not be new */
} MarkedKind;
typedef struct {
    CoreVar reference;
    CoreVar marker;
    MarkedKind kind;
} Marked;

/* A function being written.  A fun gets its captured variables from its hidden parameter; a
 * lifted body gets them as further arguments. */
typedef struct Writing {
    struct Writing *outer;
    CoreFunction *f;
    uint32_t index;
    uint32_t depth;
    bool is_lifted;
    CoreBlockId block; /* where instructions go; 0: nothing gets here */
    uint32_t in_try;
    uint32_t first_binding;
    VEC(Marked) marked;
    VEC(Capture) captures;
    Htab by_binding;             /* binding -> index into captures + 1 */
    VEC(CoreInstr *) self_calls; /* of a lifted body to itself: they pass the captures on */
} Writing;

typedef struct {
    NameId name;
    const Ast *value; /* default, or NULL */
} RecordField;

/* Fields up to this number are searched one by one. */
#define RECORD_FEW 12

typedef struct {
    NameId name;
    RecordField *fields;
    uint32_t count;
    Htab by_name; /* of records with many fields: name -> position from 1 */
} Record;

typedef struct Expand {
    Compilation *c;
    CoreUnit *u;
    Arena *arena;
    const AstFile *file;
    Writing *w;
    VEC(Binding) bindings; /* at[0] is none */
    uint32_t *newest;      /* by NameId: binding, 0: not in scope */
    size_t newest_count;
    Term *atom_terms; /* by NameId; TERM_NONE: not made yet */
    size_t atom_count;
    Htab functions;    /* name << 8 | arity -> function index + 1 */
    Htab imports;      /* name << 8 | arity -> module NameId */
    Htab exports;      /* name << 8 | arity */
    Htab inlined;      /* name << 8 | arity, of -compile({inline, ...}) */
    uint32_t declared; /* functions written in the file */
    bool export_all;
    bool has_exprs;
    bool has_callbacks;
    bool in_attribute;     /* maps and binaries are constants there, elsewhere patterns */
    bool no_atoms;         /* the table of atoms is full, which has been reported */
    Htab records;          /* name -> Record * */
    Htab builtins;         /* atom indexes and arity -> ExpandBuiltin: rows for use in line */
    Htab fun_refs;         /* function index -> lambda index + 1: fun f/1 */
    uint32_t fun_counter;  /* numbers funs and comprehensions of a function, as OTP does */
    uint32_t loop_counter; /* numbers its comprehensions */
    Term function_name;    /* of the written function around */
    uint32_t function_arity;
} Expand;

static inline uint64_t expand_key(uint32_t name, uint32_t arity)
{
    return (uint64_t)name << 8 | arity;
}

/* Code goes on in that block. */
static inline void go_to(Expand *x, CoreBlockId block) { x->w->block = block; }

/* -- constants -- */

Term atom_term(Expand *x, NameId name);
/* The atom of a text.  Where the table is full this is the program's error, and '' is given. */
Term text_atom(Expand *x, const char *text);
CoreRef const_atom(Expand *x, AtomName name);
CoreRef const_small(Expand *x, int64_t value);
/* A literal node (ATOM, INT, BIGINT, CHAR, FLOAT, STRING, NIL); else TERM_NONE. */
Term literal_term(Expand *x, const Ast *a);
/* A tuple of constants; too many are an error of the program at `pos`. */
Term const_tuple(Expand *x, const Term *items, uint32_t n, SrcPos pos);
/* The same for expressions of literals that patterns allow: arithmetic, ground lists and tuples. */
Term ground_term(Expand *x, const Ast *a);

/* -- scopes (expand_scope.c) -- */

uint32_t scope_mark(Expand *x);
/* Forget the bindings since the mark. */
void scope_rewind(Expand *x, uint32_t mark);
void scope_bind(Expand *x, NameId name, CoreRef ref);
/* The value of a variable, captured from outside if need be; none: it is not bound. */
CoreRef scope_find(Expand *x, NameId name);
bool scope_knows(Expand *x, NameId name);
/* Start a function inside the present one, and end it.  After ending a fun, scope_closure() gives
 * the values it closes over. */
Writing *scope_enter(Expand *x, Term name, uint32_t arity, bool is_lifted, SrcPos pos);
void scope_leave(Expand *x);
/* MAKE_FUN for a fun that was just left. */
CoreRef scope_make_fun(Expand *x, const Writing *fun, SrcPos pos);
/* A call of a lifted body that was just left, with its captured values behind `args`. */
CoreRef scope_call_lifted(Expand *x, const Writing *body, uint32_t n, const CoreRef *args,
                          SrcPos pos);
/* From inside a lifted body: call itself as the last thing. */
void scope_call_self(Expand *x, uint32_t n, const CoreRef *args, SrcPos pos);
/* '-f/1-what-N-' */
Term generated_name(Expand *x, const char *what, uint32_t number);

/* -- merging of ways (expand_control.c) -- */

typedef struct {
    CoreInstr *jump;
    CoreRef value;
    CoreRef *refs; /* of the names, in order */
} MergeWay;

/* Several ways that give one value and may bind variables for what follows. */
typedef struct {
    bool tail; /* each way ends in a return instead */
    bool no_exports;
    bool started;
    CoreBlockId join;
    uint32_t mark;
    NameId *names; /* bound in every way so far */
    bool *dropped;
    uint32_t count;
    VEC(MergeWay) ways;
} Merge;

void merge_begin(Expand *x, Merge *m, bool tail);
/* Expand a body as one way; the scope is then as it was at the start. */
void merge_body(Expand *x, Merge *m, const AstList *body);
/* End a way whose value is known. */
void merge_value(Expand *x, Merge *m, CoreRef value, SrcPos pos);
/* Go on behind all ways.  None when m->tail. */
CoreRef merge_end(Expand *x, Merge *m, SrcPos pos);

/* -- expressions (expand_expr.c and others) -- */

CoreRef expand_expr(Expand *x, const Ast *a);
/* As the last thing of a function: ends the block. */
void expand_tail(Expand *x, const Ast *a);
/* All of a body; the value of the last. */
CoreRef expand_body(Expand *x, const AstList *body);
void expand_body_tail(Expand *x, const AstList *body);
/* Each in turn; values in the arena. */
CoreRef *expand_list(Expand *x, const AstList *list);
/* Expressions with ways of their own: `tail` as above, none is then returned. */
CoreRef expand_case(Expand *x, const Ast *a, bool tail);
CoreRef expand_if(Expand *x, const Ast *a, bool tail);
CoreRef expand_receive(Expand *x, const Ast *a, bool tail);
CoreRef expand_try(Expand *x, const Ast *a, bool tail);
CoreRef expand_maybe(Expand *x, const Ast *a, bool tail);
CoreRef expand_catch(Expand *x, const Ast *a);
CoreRef expand_match(Expand *x, const Ast *pattern, CoreRef value, SrcPos pos);
CoreRef expand_short(Expand *x, const Ast *a, bool tail);
CoreRef expand_call(Expand *x, const Ast *a, bool tail);
CoreRef expand_fun(Expand *x, const Ast *a);
CoreRef expand_fun_ref(Expand *x, const Ast *a);
CoreRef expand_comprehension(Expand *x, const Ast *a);
CoreRef expand_record_index(Expand *x, const Ast *a);
CoreRef expand_bin(Expand *x, const Ast *a, CoreBlockId no);
/* A value from a comparison or test that branches. */
CoreRef expand_condition_value(Expand *x, const Ast *a);
/* The clauses of the function being written, as its whole body. */
void expand_function_clauses(Expand *x, const AstList *list, uint32_t arity);

/* -- names (expand_names.c) -- */

typedef struct {
    Term module;
    Term name;
    bool guard;   /* may stand in guards */
    bool inlined; /* GUARD or PLAIN row: called in line */
} Builtin;

typedef enum { CALLEE_LOCAL, CALLEE_EXTERNAL } CalleeKind;
typedef struct {
    CalleeKind kind;
    uint32_t function; /* LOCAL */
    Term module;       /* EXTERNAL */
    Term name;
} Callee;

/* What a call name/arity without module means. */
Callee resolve_call(Expand *x, NameId name, uint32_t arity);
/* Is it an inline built-in of bifs.def?  `guard` asks for those that guards may call. */
bool is_inline_bif(Expand *x, Term module, Term name, uint32_t arity);
/* The guard built-in a call in a guard names, or TERM_NONE: a function of erlang. */
Term guard_bif(Expand *x, const Ast *call);
/* A test instruction for a type test of erlang, or CORE_KIND_COUNT. */
CoreKind type_test(Expand *x, Term name, uint32_t arity);
const Record *find_record(Expand *x, NameId name);
/* Position of a field from 1, as the tuple counts from 0; 0: no such field. */
uint32_t record_field(const Record *r, NameId field);

/* -- guards (expand_guard.c) -- */

/* A clause's guard: control goes on when one alternative holds, else to `no`. */
void expand_guard(Expand *x, const AstList *guard, CoreBlockId no);
/* One condition: to `yes`, `no`, or `bad` when it fails or is no boolean.  Ends the block. */
void expand_condition(Expand *x, const Ast *a, CoreBlockId yes, CoreBlockId no,
                      CoreBlockId bad);
/* A value in a guard; failure goes to `bad`. */
CoreRef expand_guard_value(Expand *x, const Ast *a, CoreBlockId bad);
/* Could this stand in a guard? */
bool is_guard_expr(Expand *x, const Ast *a);

/* -- bit syntax -- */

/* Bits per unit, size default and so on, of a segment of this kind. */
CoreSegType segment_type(AstSegSpec spec);
uint8_t segment_flags(AstSegSpec spec);
/* The function of erlang that an operator stands for. */
Term operator_name(AstOp op);
/* Calls that make a reference no earlier message can hold: remember where the queue ends. */
CoreRef mark_before(Expand *x, Term module, Term name, SrcPos pos);
void mark_reference(Expand *x, CoreRef marker, Term name, CoreRef reference);
/* Behind `pattern = expr`, whose value is given: what it makes of marked references is marked. */
void mark_match(Expand *x, const Ast *pattern, const Ast *expr, CoreRef value);
/* true or false, from two blocks that a test leads to. */
CoreRef expand_truth(Expand *x, CoreBlockId yes, CoreBlockId no, SrcPos pos);
/* The value of an operator of erlang called by its name; none: another function. */
CoreRef call_operator(Expand *x, Term name, const AstList *list, SrcPos pos);
/* Do these arguments of is_record name a known size?  Then IS_RECORD can tell. */
bool record_test_size(Expand *x, const AstList *args, uint32_t *size);
/* The parts of <<...>> behind `prefix` (none: nothing).  `no`: a guard's failure, or 0. */
CoreRef expand_bin_onto(Expand *x, CoreRef prefix, const Ast *a, CoreBlockId no);
/* A map expression whose values come from a body (no = 0) or a guard. */
CoreRef expand_map(Expand *x, const Ast *a, CoreBlockId no);
/* The update of a base that is known. */
CoreRef expand_map_update(Expand *x, CoreRef base, const Ast *a, CoreBlockId no);
/* A row of updates M#{...}, R#r{...} and fields R#r.f, in any number: the values of updates of
 * records come first, the last ones before all, then the base, then what is done to it. */
CoreRef expand_postfix(Expand *x, const Ast *a, CoreBlockId no);
/* A value of a body (no = 0) or of a guard. */
static inline CoreRef expand_value(Expand *x, const Ast *a, CoreBlockId no)
{
    return no == 0 ? expand_expr(x, a) : expand_guard_value(x, a, no);
}
/* Fields of a record construction as a tuple. */
CoreRef expand_record_new(Expand *x, const Ast *a, CoreBlockId no);
/* Branch on a value that should be true or false; ends the block. */
void condition_value(Expand *x, CoreRef value, CoreBlockId yes, CoreBlockId no, CoreBlockId bad,
                     SrcPos pos);
Term literal_empty_binary(Expand *x);
/* <<A/bitstring, B/bitstring>> */
CoreRef write_append_bits(Expand *x, CoreRef a, CoreRef b, SrcPos pos);
