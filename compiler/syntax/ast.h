/* The syntax tree: one node type, its kinds in ast.def.
 *
 * Owns: nothing; nodes lie in the arena of the Compilation and die with it.  One thread per
 * compilation.  Nodes are not changed once the parser has returned them.
 *
 * A node is cut to the slots its kind has: never copy an Ast by value, never read a member of
 * another kind.  A walk that treats all kinds alike uses ast_info[kind].shape.
 *
 * Depth.  node->depth is 1 + the largest depth below, at most AST_DEPTH_MAX: the parser refuses
 * what is nested deeper, so every pass may recurse over nodes in C.  What is long is wide, never
 * deep: elements of a list, body, clauses are one AstList; a row of operators is a chain.
 *
 * Chains.  The grammar has these levels of binary operators, loosest first:
 *     = !    orelse    andalso    comparison    ++ --    + - bor bxor bsl bsr or xor
 *     * / div rem band and
 * Comparison does not associate.  The last two levels associate to the left: `A + B - C` is
 *     LCHAIN first=A links=[LINK(+, B), LINK(-, C)]            meaning (A + B) - C.
 * The others associate to the right: `A ++ B -- C` is
 *     RCHAIN links=[LINK(++, A), LINK(--, B)] last=C           meaning A ++ (B -- C),
 * and likewise `P = Q = E`, `P ! Q ! M`, `A orelse B orelse C`.  With only two operands the node
 * is a BINOP.  A chain never contains a node of its own level that the grammar would have put
 * in the same row; `(A ++ B) ++ C` is a BINOP whose left side is a BINOP in parentheses.
 * Prefix operators and `catch` nest and count as depth.
 *
 * Postfixes.  `M#{…}#{…}`, `R#r{…}#r{…}`, `R#r.f#s.g` are nodes whose base is the one before.  Such
 * a row does not count as depth, so whoever looks at a base goes along the row in a loop: see
 * ast_postfixes().  Each generator of a comprehension counts as depth: loops stand in loops. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "compiler/source/compilation.h"
#include "compiler/source/names.h"
#include "compiler/source/source.h"
#include "vm/base/arena.h"

typedef enum {
#define AST(KIND, member, VALUE, slots) AST_##KIND,
#include "compiler/syntax/ast.def"
#undef AST
    AST_KIND_COUNT
} AstKind;

typedef enum {
    OP_NONE,
    /* UNOP, BINOP, LINK; order of the table in ast.c */
    OP_PLUS,
    OP_MINUS,
    OP_BNOT,
    OP_NOT,
    OP_MUL,
    OP_FDIV,
    OP_DIV,
    OP_REM,
    OP_BAND,
    OP_AND,
    OP_ADD,
    OP_SUB,
    OP_BOR,
    OP_BXOR,
    OP_BSL,
    OP_BSR,
    OP_OR,
    OP_XOR,
    OP_APPEND,
    OP_SUBTRACT,
    OP_EQ,
    OP_NE,
    OP_LE,
    OP_LT,
    OP_GE,
    OP_GT,
    OP_EXACT_EQ,
    OP_EXACT_NE,
    OP_ANDALSO,
    OP_ORELSE,
    OP_MATCH,
    OP_SEND,
    /* MAP_FIELD, T_MAP_FIELD */
    OP_ASSOC,
    OP_EXACT,
    /* GENERATE: `<-`, `<=`, `K := V <-`, and the strict ones `<:-`, `<:=`, `K := V <:-` */
    OP_GEN_LIST,
    OP_GEN_BIN,
    OP_GEN_MAP,
    OP_GEN_LIST_STRICT,
    OP_GEN_BIN_STRICT,
    OP_GEN_MAP_STRICT,
    /* T_LIST, T_FUN */
    OP_NONEMPTY,
    OP_ANY_FUN,
    OP_ANY_ARGS,
    /* SPEC, TYPE_DECL */
    OP_SPEC,
    OP_CALLBACK,
    OP_TYPE,
    OP_OPAQUE,
    OP_NOMINAL,
    OP_COUNT
} AstOp;

/* Deepest nesting of nodes; passes may count on C stacks of 512 KB for this many levels. */
#define AST_DEPTH_MAX 1000

typedef struct Ast Ast;

typedef struct {
    Ast **at;
    uint32_t n;
} AstList;

/* A string: its code points, at most 0x10FFFF each. */
typedef struct {
    uint32_t n;
    uint32_t at[];
} AstStr;

/* A large integer as digits 0-9a-z in `base` (2 to 36), no sign, no underscores, no leading
 * zero, NUL behind them: what mpz_set_str() reads. */
typedef struct {
    uint32_t base;
    uint32_t n;
    char at[];
} AstDigits;

typedef enum {
    SEG_DEFAULT,
    SEG_INTEGER,
    SEG_FLOAT,
    SEG_BINARY,
    SEG_BITSTRING,
    SEG_UTF8,
    SEG_UTF16,
    SEG_UTF32
} SegType;
typedef enum { SEG_SIGN_DEFAULT, SEG_UNSIGNED, SEG_SIGNED } SegSign;
typedef enum { SEG_ENDIAN_DEFAULT, SEG_BIG, SEG_LITTLE, SEG_NATIVE } SegEndian;

/* What stood behind `/` of a segment, as written (`bytes` is BINARY, `bits` is BITSTRING): the
 * defaults depend on whether it is a pattern and are filled in by ast_segment_spec(). */
typedef struct {
    uint8_t type;   /* SegType */
    uint8_t sign;   /* SegSign */
    uint8_t endian; /* SegEndian */
    uint16_t unit;  /* 1 to 256; 0: not written */
} AstSegSpec;

typedef struct {
    NameId name;
    uint32_t second; /* a NameId or an arity: ast.def says which */
} AstPair;

struct Ast {
    uint8_t kind;        /* AstKind */
    uint8_t op;          /* AstOp */
    uint16_t depth : 15; /* see above */
    uint16_t paren : 1;  /* stood in parentheses of its own */
    /* first character, except where ast.def says otherwise; a macro's use, not its text */
    SrcPos pos;
    union {
        int64_t i;
        double f;
        NameId name;
        AstPair pair;
        const AstStr *str;
        const AstDigits *digits;
        AstSegSpec seg;
    } v;
    union {
#define NODE(x) Ast *x;
#define LIST(x) AstList x;
#define AST(KIND, member, VALUE, slots) \
    struct {                            \
        slots                           \
    } member;
#include "compiler/syntax/ast.def"
#undef AST
#undef NODE
#undef LIST
    };
};

typedef enum {
    VALUE_NONE,
    VALUE_NAME,
    VALUE_PAIR,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_STR,
    VALUE_DIGITS,
    VALUE_SEGMENT
} AstValue;

/* What a table of all kinds says about one, for walks that treat all kinds alike.  The slots lie
 * one behind the other from AST_SLOTS on; shape has a letter for each: 'n' for an Ast *, 'l' for
 * an AstList. */
typedef struct {
    const char *name; /* "VAR" */
    AstValue value;
    uint16_t size;     /* bytes of a node of this kind */
    const char *shape; /* "nl" */
} AstInfo;

#define AST_SLOTS offsetof(Ast, unop)

extern const AstInfo ast_info[AST_KIND_COUNT];

/* The slots' names in order, each with a NUL behind it: "subject\0clauses\0". */
extern const char *const ast_slot_names[AST_KIND_COUNT];

/* How an operator is written: "+", "andalso", "=>"; NULL for those that have no text. */
extern const char *const ast_op_text[OP_COUNT];

/* A node of `kind` with all slots empty; the caller fills them, then calls ast_finish(). */
Ast *ast_new(Arena *arena, AstKind kind, SrcPos pos);

/* Set node->depth from its slots; false when it exceeds AST_DEPTH_MAX. */
bool ast_finish(Ast *node);

/* The base of an update `M#{…}`, `R#r{…}` or of `R#r.f`; NULL for every other node. */
const Ast *ast_base(const Ast *node);

/* The row of postfixes that ends with `node`, which has a base: the innermost first, *n of them.
 * The base of the first has none itself. */
const Ast **ast_postfixes(Arena *arena, const Ast *node, uint32_t *n);

/* The segment's type, sign, endianness and unit with all defaults filled in; a binary's unit is
 * 8. */
AstSegSpec ast_segment_spec(const Ast *segment);

/* Position of the first character that belongs to the node (pos may be an operator's place). */
SrcPos ast_start(const Ast *node);

/* Write the tree as indented text, one node a line; for tests and --dump. */
void ast_dump(const Ast *node, Compilation *c, FILE *out);

/* A whole file, or one input of the shell. */
typedef struct {
    NameId module;  /* from -module; for a script the file's base name */
    bool is_script; /* no -module: EXPRS forms run in order, then main/1 or main/0 */
    Source *source; /* the file itself, not what it includes */
    AstList forms;  /* in order, of all included files too */
    SrcPos end;     /* end of input */
    NameId
        *broken; /* names of functions and records whose forms had errors: not to be missed */
    uint32_t broken_count;
} AstFile;
