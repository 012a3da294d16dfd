/* The preprocessor: tokens of files to tokens of forms, macros replaced, conditions decided,
 * includes followed.
 *
 * Owns: macro definitions (arena) and its scratch vectors (freed by prep_free).  Positions of
 * tokens that come out of a macro are those of its use.  Errors go to the Diags; a form with an
 * error in it is left out.  One thread. */
#pragma once

#include "compiler/syntax/build.h"
#include "compiler/syntax/lexer.h"
#include "vm/base/htab.h"
#include "vm/base/vec.h"

/* A macro used in another's text. */
typedef struct {
    NameId name;
    int32_t arity; /* -1: without arguments */
} MacroUse;

typedef struct MacroDef MacroDef;
struct MacroDef {
    int32_t arity; /* -1: no argument list */
    const NameId *params;
    const Token *body;
    uint32_t body_size;
    const MacroUse *uses;
    uint32_t use_count;
    uint32_t checked; /* generation of the table in which it was found free of circles */
    bool predefined;
    MacroDef *next; /* of the same name, another arity */
};

/* One -if, -ifdef or -ifndef that is open. */
typedef struct {
    SrcPos pos;
    NameId word;
    bool active; /* the present branch is compiled */
    bool taken;  /* a branch was active already, or none may be */
    bool saw_else;
} PrepCond;

typedef struct {
    Lexer lexer;
    size_t cond_base; /* conditions open when the file was entered */
} PrepFile;

/* Tokens to read before those below it. */
typedef struct {
    const Token *at;
    const Token *end;
    SrcPos pos;   /* of all of them, unless SRC_POS_NONE */
    bool barrier; /* arguments do not reach beyond its end */
} PrepFrame;

typedef struct {
    Compilation *c;
    Parser *parser; /* for the expressions of -if */
    VEC(PrepFile *) files;
    VEC(PrepCond) conds;
    VEC(Token) form; /* as read */
    VEC(Token) out;  /* macros replaced */
    VEC(PrepFrame) frames;
    VEC(Token) args; /* of the macro being replaced */
    VEC(uint32_t) arg_ends;
    VEC(uint8_t) closers; /* token kinds that close what an argument has open */
    Htab macros;          /* NameId to MacroDef */
    uint32_t generation;
    uint64_t expanded; /* tokens of the present form so far */
    const Source *main_source;
    NameId module;
    bool module_seen;
    bool in_prefix; /* -feature is still allowed */
    bool supply_dot;
    bool form_has_macros;
    bool form_broken;
} Prep;

/* Begin with `source`; `supply_dot` ends the last form if the text does not. */
void prep_init(Prep *prep, Compilation *c, Parser *parser, const Source *source,
               bool supply_dot);
void prep_free(Prep *prep);

/* The next form's tokens, the last a TOKEN_DOT, borrowed until the next call; NULL at the end.
 * The `-` of an attribute has become one of the TOKEN_ATTR kinds.  With prep->form_broken they
 * are what was read of a form in which an error was reported: not to be parsed. */
const Token *prep_next(Prep *prep, size_t *count);

/* Private to the prep_*.c files. */

/* Report, naming `name` where the text wants one, and mark the form as broken. */
void prep_error(Prep *prep, DiagCode code, SrcPos pos, NameId name);

/* Replace the macros of `tokens` into prep->out; false after an error. */
bool prep_expand(Prep *prep, const Token *tokens, size_t count);

/* What the next token does to an argument whose tokens so far are tokens[0 … n-1]; keeps
 * prep->closers. */
typedef enum { ARG_GOES_ON, ARG_ENDS, ARGS_END } ArgStep;
ArgStep prep_arg_step(Prep *prep, const Token *tokens, size_t n, uint8_t kind);

/* The definitions of a name, or NULL; the one of an arity; is its value made where it is used;
 * does it use itself? */
MacroDef *prep_macro_defs(const Prep *prep, NameId name);
MacroDef *prep_macro_find(MacroDef *defs, int32_t arity);
bool prep_macro_is_dynamic(NameId name);
bool prep_macro_is_circular(Prep *prep, MacroDef *start);

void prep_define_options(Prep *prep);
void prep_define(Prep *prep, const Token *tokens, size_t count);
void prep_undef(Prep *prep, const Token *tokens, size_t count);
bool prep_is_defined(const Prep *prep, NameId name);

/* Handle the form in prep->form if it is a directive. */
bool prep_directive(Prep *prep);
/* The same in skipped text: only what opens, turns or closes a condition. */
void prep_skipped(Prep *prep);
/* The form holds an error: keep conditions in balance, compile no branch of one it opens. */
void prep_broken(Prep *prep);
bool prep_skipping(const Prep *prep);
/* Report conditions opened since `base` and still open. */
void prep_check_open(Prep *prep, size_t base);

/* Value of the -if or -elif in prep->form. */
bool prep_if_value(Prep *prep, NameId word);

void prep_include(Prep *prep, bool lib);
void prep_push_file(Prep *prep, const Source *source);
