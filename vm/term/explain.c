#include "vm/term/explain.h"

#include "vm/term/binary.h"
#include "vm/term/list.h"
#include "vm/term/tuple.h"

#include <stdio.h>
#include <string.h>

typedef enum ExplainCheck {
    EXPLAIN_CHECK_ANY,
    EXPLAIN_CHECK_NONE, /* too deep to check: only the second text is ever said */
    EXPLAIN_CHECK_ADDRESS,
    EXPLAIN_CHECK_ATOM,
    EXPLAIN_CHECK_BASE,
    EXPLAIN_CHECK_BINARY,
    EXPLAIN_CHECK_BITSTRING,
    EXPLAIN_CHECK_BOOLEAN,
    EXPLAIN_CHECK_COUNT,
    EXPLAIN_CHECK_ENCODING,
    EXPLAIN_CHECK_ENDIAN,
    EXPLAIN_CHECK_FLOAT,
    EXPLAIN_CHECK_FUN,
    EXPLAIN_CHECK_INDEX,
    EXPLAIN_CHECK_INTEGER,
    EXPLAIN_CHECK_LIST,
    EXPLAIN_CHECK_MAP,
    EXPLAIN_CHECK_NUMBER,
    EXPLAIN_CHECK_PID,
    EXPLAIN_CHECK_PLACE,
    EXPLAIN_CHECK_PORT,
    EXPLAIN_CHECK_PROCESS,
    EXPLAIN_CHECK_REF,
    EXPLAIN_CHECK_TUPLE,
    EXPLAIN_CHECK_UNIT
} ExplainCheck;

typedef struct ExplainKind {
    const char *word;
    ExplainCheck check;
    const char *wrong;
    const char *otherwise;
} ExplainKind;

static const ExplainKind explain_kinds[] = {
#define KIND(word, check, wrong, otherwise) {word, EXPLAIN_CHECK_##check, wrong, otherwise},
#include "vm/format/explain.def"
#undef KIND
};

typedef struct ExplainRow {
    const char *name;  /* module:function/arity */
    const char *kinds; /* as many words as there are arguments */
} ExplainRow;

static const ExplainRow explain_rows[] = {
#define EXPLAIN(name, kinds) {name, kinds},
#include "vm/format/explain.def"
#undef EXPLAIN
};

static bool explain_is_boolean(Term t)
{
    return term_same(t, TERM_ATOM(TRUE)) || term_same(t, TERM_ATOM(FALSE));
}

static bool explain_is_process(Term t) { return term_is_pid(t) || term_is_port(t); }

static bool explain_is_encoding(Term t)
{
    return term_same(t, TERM_ATOM(LATIN1)) || term_same(t, TERM_ATOM(UTF8))
           || term_same(t, TERM_ATOM(UNICODE));
}

static bool explain_is_place(Term t)
{
    return term_is_tuple_of(t, 2) && term_is_integer(tuple_at(t, 0))
           && term_is_integer(tuple_at(t, 1));
}

static bool explain_is_unit(Term t)
{
    if (term_is_small(t)) return small_value(t) > 0;
    return term_same(t, TERM_ATOM(SECOND)) || term_same(t, TERM_ATOM(MILLISECOND))
           || term_same(t, TERM_ATOM(MICROSECOND)) || term_same(t, TERM_ATOM(NANOSECOND))
           || term_same(t, TERM_ATOM(NATIVE)) || term_same(t, TERM_ATOM(PERF_COUNTER));
}

static bool explain_passes(ExplainCheck check, Term t)
{
    switch (check) {
    case EXPLAIN_CHECK_ANY:
    case EXPLAIN_CHECK_NONE: return true;
    case EXPLAIN_CHECK_ADDRESS: return term_is_pid(t) || term_is_atom(t);
    case EXPLAIN_CHECK_ATOM: return term_is_atom(t);
    case EXPLAIN_CHECK_BASE:
        return term_is_small(t) && small_value(t) >= 2 && small_value(t) <= 36;
    case EXPLAIN_CHECK_BINARY: return term_is_binary(t);
    case EXPLAIN_CHECK_BITSTRING: return term_is_bitstring(t);
    case EXPLAIN_CHECK_BOOLEAN: return explain_is_boolean(t);
    case EXPLAIN_CHECK_COUNT:
    case EXPLAIN_CHECK_INDEX:
    case EXPLAIN_CHECK_INTEGER: return term_is_integer(t);
    case EXPLAIN_CHECK_ENCODING: return explain_is_encoding(t);
    case EXPLAIN_CHECK_ENDIAN:
        return term_same(t, TERM_ATOM(BIG)) || term_same(t, TERM_ATOM(LITTLE));
    case EXPLAIN_CHECK_FLOAT: return term_is_float(t);
    case EXPLAIN_CHECK_FUN: return term_is_fun(t);
    case EXPLAIN_CHECK_LIST: return list_length(t) >= 0;
    case EXPLAIN_CHECK_MAP: return term_is_map(t);
    case EXPLAIN_CHECK_NUMBER: return term_is_number(t);
    case EXPLAIN_CHECK_PID: return term_is_pid(t);
    case EXPLAIN_CHECK_PLACE: return explain_is_place(t);
    case EXPLAIN_CHECK_PORT: return term_is_port(t);
    case EXPLAIN_CHECK_PROCESS: return explain_is_process(t);
    case EXPLAIN_CHECK_REF: return term_is_ref(t);
    case EXPLAIN_CHECK_TUPLE: return term_is_tuple(t);
    case EXPLAIN_CHECK_UNIT: return explain_is_unit(t);
    }
    return true;
}

/* Integers that can be no place or number of anything. */
static bool explain_out_of_range(ExplainCheck check, Term t)
{
    int64_t least = check == EXPLAIN_CHECK_INDEX ? 1 : 0;
    return (check == EXPLAIN_CHECK_INDEX || check == EXPLAIN_CHECK_COUNT) && term_is_integer(t)
           && (!term_is_small(t) || small_value(t) < least);
}

static const char *explain_wrong(const ExplainKind *kind, Term t)
{
    if (explain_out_of_range(kind->check, t)) return "out of range";
    if (explain_passes(kind->check, t)) return NULL;
    if (kind->check == EXPLAIN_CHECK_LIST && term_is_cons(t)) return "not a proper list";
    if (strcmp(kind->word, "bytes") == 0 && term_is_bitstring(t))
        return "is a bitstring (expected a binary)";
    return kind->wrong;
}

/* The kind named at *at, which moves behind it. */
static const ExplainKind *explain_next_kind(const char **at)
{
    size_t length = strcspn(*at, " ");
    const char *word = *at;
    *at += length + (word[length] == ' ');
    for (size_t i = 0; i < ARRAY_LEN(explain_kinds); i++)
        if (strlen(explain_kinds[i].word) == length
            && memcmp(explain_kinds[i].word, word, length) == 0)
            return &explain_kinds[i];
    UNREACHABLE();
}

static const ExplainRow *explain_row(const AtomTable *atoms, Term module, Term function,
                                     int64_t arity)
{
    char name[64];
    if (arity < 0 || !term_is_atom(module) || !term_is_atom(function)) return NULL;
    int n = snprintf(name, sizeof name, "%s:%s/%d", atom_text(atoms, module),
                     atom_text(atoms, function), (int)arity);
    if (n < 0 || (size_t)n >= sizeof name) return NULL;
    for (size_t i = 0; i < ARRAY_LEN(explain_rows); i++)
        if (strcmp(explain_rows[i].name, name) == 0) return &explain_rows[i];
    return NULL;
}

static bool explain_is_tagged(Term reason, Term tag)
{
    return term_is_tuple_of(reason, 2) && term_same(tuple_at(reason, 0), tag);
}

/* A key that is not there is what is wrong, whatever the rest. */
static size_t explain_key(const ExplainRow *row, ExplainNote *note)
{
    const char *at = row->kinds;
    for (unsigned i = 1; *at != 0; i++)
        if (strcmp(explain_next_kind(&at)->word, "key") == 0) {
            *note = (ExplainNote){i, "not present in map"};
            return 1;
        }
    return 0;
}

size_t explain_call(const AtomTable *atoms, Term module, Term function, Term arguments,
                    Term reason, ExplainNote notes[EXPLAIN_MOST])
{
    const ExplainRow *row = explain_row(atoms, module, function, list_length(arguments));
    if (row == NULL) return 0;
    if (explain_is_tagged(reason, TERM_ATOM(BADKEY))) return explain_key(row, notes);
    bool badarg = term_same(reason, TERM_ATOM(BADARG));
    if (!badarg && !term_same(reason, TERM_ATOM(BADARITH))
        && !explain_is_tagged(reason, TERM_ATOM(BADMAP)))
        return 0;
    size_t n = 0;
    ExplainNote otherwise = {0, NULL};
    const char *at = row->kinds;
    for (unsigned i = 1; *at != 0 && n < EXPLAIN_MOST; i++) {
        const ExplainKind *kind = explain_next_kind(&at);
        const char *wrong = explain_wrong(kind, list_head(arguments));
        if (wrong != NULL) notes[n++] = (ExplainNote){i, wrong};
        if (otherwise.text == NULL) otherwise = (ExplainNote){i, kind->otherwise};
        arguments = list_tail(arguments);
    }
    if (n == 0 && otherwise.text != NULL) notes[n++] = otherwise;
    return n;
}
