/* What match*.c share: rows, tests, places within the subjects.
 *
 * Owns: nothing; everything lies in the arena.  One thread.  No recursion over patterns, except
 * through `=` and down the depth of one pattern's syntax. */
#pragma once

#include "compiler/core/match.h"

/* A place within a subject: known by a value, or still to be taken out of its parent. */
typedef struct Place {
    struct Place *parent;
    CoreRef ref;      /* none: not taken out yet on this way */
    CoreRef position; /* of a context: saved on this way, or none */
    uint8_t how;      /* CORE_HEAD, CORE_TAIL, CORE_ELEMENT */
    uint32_t index;
    uint32_t id; /* numbers the places of a match that rows ask about */
} Place;

typedef enum {
    WANT_CONST, /* an atom, a small integer of 32 bits, [] */
    WANT_CONS,
    WANT_TUPLE,
    WANT_MAP,
    WANT_KEY, /* the place is a value of a map: is it there? */
    WANT_BIN,
    WANT_REST, /* the place is a context: segments from here on */
    WANT_SAME  /* equal to a value known elsewhere */
} WantKind;

/* What stands in front of a list's tail. */
typedef struct Sequence {
    const AstList *items;
    const AstStr *text;
    uint32_t at;
    const Ast *tail;        /* NULL: [] */
    struct Sequence *then_; /* instead of the tail */
} Sequence;

/* One open question of a row. */
typedef struct Want {
    struct Want *next;
    Place *place;
    uint8_t kind;   /* WantKind */
    uint32_t depth; /* 1 + that of next: at least as many wants as are left from here on */
    bool skipped;   /* REST: the rest is taken; nothing more is asked */
    union {
        Term value;     /* CONST */
        Sequence *list; /* CONS */
        struct {
            const Ast **items; /* TUPLE: NULL: anything */
            uint32_t size;
            Term tag; /* of a record, or TERM_NONE */
        };
        const Ast *ast; /* MAP, BIN; KEY: the value's pattern */
        struct {
            const AstList *segments; /* REST */
            uint32_t segment;
            uint32_t character; /* within a string segment */
        };
        struct {
            CoreRef same; /* SAME */
            Place *other; /* instead: the place of an earlier variable */
        };
    };
} Want;

/* A variable that a row binds.  Copies of a row share their first variables: the lists are the ways
 * up a tree. */
typedef struct Bound {
    struct Bound *next;
    NameId name;
    Place *place;
    uint32_t depth;      /* how many are left from here on */
    struct Bound *jump;  /* one farther down, so that any depth is found in few steps */
    struct Bound *older; /* of the same name and clause, see Match.names */
    bool is_noted;       /* there */
} Bound;

typedef struct {
    MatchClause *clause;
    Want *wants;
    Bound *bound;
} Row;

typedef struct {
    Row *at;
    uint32_t n;
    uint32_t room;
} Rows;

/* A context in use on the way to a task; others may move its position. */
typedef struct Context {
    struct Context *next;
    Place *place;
} Context;

typedef struct Seek {
    struct Seek *next;
    CoreRef context;
    CoreRef position;
} Seek;

typedef struct {
    Rows rows;
    CoreBlockId block;
    CoreBlockId no;
    size_t mark;  /* of the trail */
    Place *place; /* gets `ref` at the start */
    CoreRef ref;
    Context *contexts;
    Seek *seeks;
} Task;

typedef struct {
    Place *place;
    bool is_position;
} TrailEntry;

typedef struct Match {
    Expand *x;
    Arena *arena;
    bool fresh;
    SrcPos pos;
    uint64_t copies_left;
    const MatchClause *clauses;
    uint32_t place_count;
    Htab
        asked; /* of rows with many wants: place and clause -> how many wants about it were made */
    Htab names; /* of rows with many variables: name and clause -> Bound */
    VEC(Task) tasks;
    VEC(TrailEntry) trail;
} Match;

/* ---- match_row.c ---- */

/* Ask of `row` that what is at `place` matches the pattern `a`. */
void row_add(Match *m, Row *row, Place *place, const Ast *a);
void row_add_sequence(Match *m, Row *row, Place *place, Sequence *s);
Want *row_want(Match *m, Row *row, Place *place, WantKind kind);
void row_want_const(Match *m, Row *row, Place *place, Term value);
/* The first want of the row about this place that a group of constructors answers (not SAME). */
Want *row_find(const Match *m, const Row *row, const Place *place);
/* May the row hold several such wants about the place?  False is certain. */
bool row_asks_again(const Match *m, const Row *row, const Place *place);
/* Take a want out of the row; the list is copied up to it, other rows may share it. */
void row_remove(Match *m, Row *row, const Want *want);
Place *place_child(Match *m, Place *parent, CoreKind how, uint32_t index);
void rows_push(Match *m, Rows *rows, Row row);
/* Is the claim true of a child of the node? */
bool ast_some(const Ast *a, bool (*is)(const Ast *, void *), void *with);
/* Bind the variables of a pattern to anything: for the body of a clause that is never chosen. */
void pattern_bind_nothing(Expand *x, const Ast *pattern);

/* ---- match.c ---- */

/* The value at a place, taken out here if need be. */
CoreRef place_ref(Match *m, Place *place);
void place_set(Match *m, Place *place, CoreRef ref);
/* Leave rows[cut...] for when the first rows have failed: where those go then.  With nothing left
 * that is where the task goes itself. */
CoreBlockId match_cut(Match *m, const Task *task, uint32_t cut);
/* A task for later, starting in a new block. */
CoreBlockId match_later(Match *m, const Task *from, Rows rows, CoreBlockId no);
CoreBlockId match_later_with(Match *m, const Task *from, Rows rows, CoreBlockId no,
                             Place *place, CoreRef ref);
/* Make the variables of a row known to expressions; scope_rewind() ends it. */
void row_into_scope(Match *m, const Row *row);

bool row_is_guarded(const Row *row);
/* The variable of that name that the row has bound, or NULL. */
Bound *row_bound(const Match *m, const Row *row, NameId name);

/* ---- match_group.c ---- */

/* No open question and no guard: what comes behind it is never chosen. */
bool row_takes_all(const Row *row);
/* The first row wants a constructor: sort the rows and write the tests. */
void match_groups(Match *m, Task *task, Want *want);

/* ---- match_bits.c ---- */

/* The next segment of the first row, which wants REST. */
void match_segment(Match *m, Task *task, Want *want);
/* A pattern of only literal bytes as a binary, or TERM_NONE. */
Term ground_binary(Expand *x, const Ast *bin);
