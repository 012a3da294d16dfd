/* The state of one lint run.  Private to the lint_*.c files.
 *
 * Scopes.  `env` says for each name which Binding it has here.  Every change is on the trail, so
 * that a construct whose parts see the same variables (arguments of a call, clauses of a case) can
 * go back to where it began: it takes what a part has bound as Deltas and, when all are done, binds
 * the merged result.  A Binding is shared by all who refer to it: being used needs no way back. */
#pragma once

#include "compiler/source/builtins.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/lint.h"
#include "vm/base/htab.h"
#include "vm/base/vec.h"

typedef enum { VAR_BOUND, VAR_UNSAFE, VAR_EXPORTED, VAR_STACK } VarState;

/* A place where the variable was bound and not used in the clause that bound it. */
typedef struct VarPlace {
    SrcPos pos;
    struct VarPlace *next;
} VarPlace;

typedef struct {
    uint8_t state; /* VarState */
    bool used;
    bool reported;     /* as unused */
    uint32_t scope;    /* number of the scope that made it */
    uint32_t bin;      /* binary pattern that bound it, while that pattern is looked at */
    const char *where; /* UNSAFE, EXPORTED: "case" */
    SrcPos where_pos;
    VarPlace place; /* the first; pos 0: none left */
} Binding;

typedef struct {
    NameId name;
    Binding *old;
} TrailEntry;

/* What a part of a construct did to one name. */
typedef struct {
    NameId name;
    uint32_t part;
    Binding *before; /* NULL: it was not bound */
    Binding *after;
} Delta;

typedef struct FunctionInfo FunctionInfo;
typedef struct RecordInfo RecordInfo;
typedef struct TypeInfo TypeInfo;

/* A function that is defined, called or exported. */
struct FunctionInfo {
    NameId name;
    uint32_t arity;
    const Ast *form;      /* NULL: not defined */
    NameId imported_from; /* or NAME_NONE */
    SrcPos import_pos;
    BuiltinKind builtin;
    bool exported;
    bool import_used;
    bool reached;
    bool no_auto_import;
    bool nowarn_unused;
    bool has_spec;
    VEC(FunctionInfo *) calls; /* local functions its body refers to */
    VEC(RecordInfo *) records; /* whose defaults it uses */
};

typedef struct {
    FunctionInfo *function;
    SrcPos pos;
} CallSite;

typedef struct {
    NameId name;
    const Ast *value; /* NULL: undefined */
} FieldInfo;

struct RecordInfo {
    NameId name;
    const Ast *form;
    FieldInfo *fields;
    uint32_t count;
    Htab by_name; /* field -> index, when there are many */
    bool used;
    bool reached;
    VEC(FunctionInfo *) calls; /* of its defaults */
};

struct TypeInfo {
    NameId name;
    uint32_t arity;
    const Ast *form; /* NULL: not defined */
    bool exported;
    bool reached;
    VEC(TypeInfo *) uses;
};

typedef struct {
    TypeInfo *type;
    SrcPos pos;
} TypeUse;

/* Warnings that -compile options switch, each on unless said otherwise. */
typedef enum {
    OPT_UNUSED_VARS,
    OPT_UNDERSCORE_MATCH,
    OPT_EXPORT_ALL,
    OPT_EXPORT_VARS,
    OPT_SHADOW_VARS,
    OPT_UNUSED_IMPORT,
    OPT_UNUSED_FUNCTION,
    OPT_UNUSED_TYPE,
    OPT_UNUSED_RECORD,
    OPT_BIF_CLASH,
    OPT_OBSOLETE_GUARD,
    OPT_FORMAT,
    OPT_UNUSED_TERM,
    OPT_BEHAVIOURS,
    OPT_COUNT
} LintOption;

typedef struct {
    Compilation *c;
    Arena *arena;
    const AstFile *file;
    const LintOptions *options;
    bool enabled[OPT_COUNT];
    bool no_auto_import_all;
    bool export_all;
    bool types_imported; /* no_auto_import_types was not given */

    Binding **env;     /* by NameId */
    Binding **pending; /* by NameId: bound in the pattern being looked at */
    uint32_t *slot;    /* by NameId: scratch of merges */
    size_t env_size;
    VEC(TrailEntry) trail;
    VEC(NameId) pending_names;
    VEC(Delta) deltas;
    uint32_t scope;
    uint32_t bin;
    bool in_record; /* the value of a record's field: binds nothing */
    bool in_size;   /* of a segment in a pattern: sees the variables of its binary */

    Htab functions;     /* name, arity -> FunctionInfo */
    Htab records;       /* name -> RecordInfo */
    Htab types;         /* name, arity -> TypeInfo */
    Htab quiet_records; /* names in nowarn_unused_record */
    Htab broken;        /* names that forms with errors would have defined */
    Htab callbacks;     /* name, arity -> position of the -callback */
    VEC(FunctionInfo *) function_list;
    VEC(RecordInfo *) record_list;
    VEC(TypeInfo *) type_list;
    VEC(CallSite) calls;
    VEC(TypeUse) type_uses;
    VEC(const Ast *) specs;
    VEC(FunctionInfo *) roots; /* called from outside functions */
    VEC(TypeInfo *) type_roots;
    FunctionInfo *function; /* whose body is looked at, or NULL */
    RecordInfo *record;     /* whose defaults are looked at, or NULL */
    TypeInfo *type;         /* whose definition is looked at, or NULL */
    /* of the present declaration: name -> position of a single use, 0: several */
    Htab type_vars;
    const Ast *on_load;
    bool calls_load_nif;
    uint32_t hints; /* given so far */
} Lint;

/* -- reports -- */

#define LINT_REPORT(l, code, pos, ...) diag_add(&(l)->c->diags, (code), (pos), ##__VA_ARGS__)
/* A warning that an option may have switched off. */
#define LINT_WARN(l, option, code, pos, ...)                                \
    do {                                                                    \
        if ((l)->enabled[option]) LINT_REPORT(l, code, pos, ##__VA_ARGS__); \
    } while (0)

typedef void (*LintVisit)(Lint *l, const Ast *node);

/* -- variables (lint_vars.c) -- */

typedef struct {
    size_t trail;
    size_t deltas;
} VarMark;

void vars_init(Lint *l);
VarMark vars_mark(const Lint *l);
void vars_bind(Lint *l, NameId name, Binding *binding);
Binding *vars_new(Lint *l, SrcPos pos);
/* Take back everything since the mark, keeping what changed as deltas of part number `part`. */
void vars_take(Lint *l, VarMark mark, uint32_t part);
/* Take back everything since the mark. */
void vars_undo(Lint *l, VarMark mark);
/* Merge the deltas since the mark of parts that all ran, and bind the result. */
void vars_merge_all(Lint *l, VarMark mark);
/* Merge the deltas since the mark of `parts` clauses of which one ran, and bind the result. */
void vars_merge_clauses(Lint *l, VarMark mark, uint32_t parts, const char *where, SrcPos pos);
/* What was bound since the mark may not be used from here on. */
void vars_make_unsafe(Lint *l, VarMark mark, const char *where, SrcPos pos);
/* Report what was bound since the mark and never used. */
void vars_report_unused(Lint *l, VarMark mark);
/* A variable in an expression. */
void vars_use(Lint *l, const Ast *var);

/* Does the name begin with an underscore? */
static inline bool vars_is_ignored(const Lint *l, NameId name)
{
    return names_text(&l->c->names, name)[0] == '_';
}

/* -- patterns (lint_pattern.c) -- */

typedef enum { PATTERN_MATCHES, PATTERN_SHADOWS } PatternMode;

/* Patterns that together bind variables; with PATTERN_SHADOWS all of them are new.  `in` says
 * what they belong to, for warnings of shadowing. */
void lint_patterns(Lint *l, const AstList *patterns, PatternMode mode, const char *in);
void lint_pattern(Lint *l, const Ast *node, PatternMode mode, const char *in);
/* Is this an expression of constants that may stand in a pattern? */
bool pattern_is_constant(const Ast *node);

/* -- expressions (lint_expr.c, lint_clause.c) -- */

void lint_expr(Lint *l, const Ast *node);
void lint_exprs(Lint *l, const AstList *body);
/* Expressions that see the same variables: mark, each with lint_sibling(), lint_siblings_end(). */
void lint_sibling(Lint *l, VarMark mark, const Ast *node, LintVisit visit);
void lint_siblings_end(Lint *l, VarMark mark);
void lint_sibling_list(Lint *l, const AstList *list);
void lint_function_clauses(Lint *l, const AstList *clauses);
void lint_control(Lint *l, const Ast *node);

/* -- guards (lint_guard.c) -- */

void lint_guard(Lint *l, const AstList *guard);
void lint_guard_expr(Lint *l, const Ast *node);
/* A test as a whole: only here the tests of old, `integer(X)`, are known. */
void lint_guard_test(Lint *l, const Ast *node);
/* Would this be right in a guard? */
bool lint_is_guard(Lint *l, const Ast *node, bool is_test);

/* -- bit syntax (lint_bits.c) -- */

void lint_bin(Lint *l, const Ast *bin, LintVisit visit);
/* Check what is written behind the value of a segment; *all: it takes the rest. */
void lint_segment(Lint *l, const Ast *segment, bool in_pattern, bool *all);
/* Evaluate constant integers; false when it is something else. */
bool lint_integer(const Ast *node, int64_t *value);

/* -- calls and functions (lint_call.c) -- */

FunctionInfo *lint_function(Lint *l, NameId name, uint32_t arity);
bool lint_is_local(const FunctionInfo *f);
/* Did an error hide what defines this name? */
bool lint_is_broken(const Lint *l, NameId name);
/* Was it imported by itself before release 14? */
bool lint_is_old_builtin(const Lint *l, const FunctionInfo *f);
bool lint_is_builtin(const Lint *l, const FunctionInfo *f); /* and nothing hides it */
void lint_call(Lint *l, const Ast *call);
void lint_fun_local(Lint *l, const Ast *node);
/* The present function, record or script refers to `f`. */
void lint_note_call(Lint *l, FunctionInfo *f, SrcPos pos);
void lint_check_functions(Lint *l);
void lint_format_call(Lint *l, const Ast *call, NameId module, NameId function);

/* -- records (lint_record.c) -- */

RecordInfo *lint_record_use(Lint *l, NameId name, SrcPos pos);
bool lint_record_field(const RecordInfo *r, NameId field);
/* Report a field that the record does not have. */
void lint_record_no_field(Lint *l, const RecordInfo *r, SrcPos pos, NameId field);
void lint_record_decl(Lint *l, const Ast *form);
void lint_record_expr(Lint *l, const Ast *node, LintVisit visit);
void lint_record_pattern_names(Lint *l, const Ast *node, const RecordInfo *r);
void lint_record_index(Lint *l, const Ast *node);
void lint_check_records(Lint *l);

/* -- types (lint_type.c) -- */

void lint_type_decl(Lint *l, const Ast *form);
void lint_spec(Lint *l, const Ast *form);
void lint_export_type(Lint *l, const Ast *form);
void lint_record_types(Lint *l, const Ast *form);
void lint_check_types(Lint *l);

/* -- attributes (lint_attr.c, lint_option.c) -- */

void lint_options(Lint *l);
void lint_attribute(Lint *l, const Ast *form);
void lint_check_attributes(Lint *l);

typedef void (*LintFunctionVisit)(Lint *l, SrcPos pos, NameId name, uint32_t arity);
/* Call `visit` for each {Name, Arity} in nested lists; false when something else is there. */
bool lint_each_function(Lint *l, const Ast *term, LintFunctionVisit visit);

static inline uint64_t lint_key(NameId name, uint32_t arity)
{
    return (uint64_t)name << 32 | arity;
}
