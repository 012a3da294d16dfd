/*
 * Terms as text, in the form of ~w and erlang:display/1: any term, in UTF-8, appended to Bytes.
 * Nothing here collects; terms of any depth; huge ones in slices.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/term/atom.h"
#include "vm/term/walk.h"

/* Ored together. */
typedef unsigned PrintFlags;
enum {
    PRINT_PLAIN = 0,
    PRINT_STRINGS = 1, /* lists of printable Latin-1 characters as "text", for reports */
    PRINT_SORT_MAPS =
        2, /* pairs of large maps in map-key order, which does not depend on hashes */
    PRINT_LATIN1 =
        4 /* characters of atoms beyond Latin-1 as \x{...}: ~w; else as they are: ~tw */
};

/* The whole term. */
void print_term(Bytes *to, const AtomTable *atoms, Term t, PrintFlags flags);
/* At most about `limit` bytes, then "..."; for reports. */
void print_term_limited(Bytes *to, const AtomTable *atoms, Term t, PrintFlags flags,
                        size_t limit);
/* An atom, quoted if it has to be. */
void print_atom(Bytes *to, const AtomTable *atoms, Term atom, PrintFlags flags);
/* Whether the text of an atom needs quotes (characters beyond Latin-1 do). */
bool print_atom_needs_quotes(const uint8_t *text, size_t length);

typedef struct PrintScratch PrintScratch; /* private to print.c */

typedef struct PrintWalk {
    Bytes *to;
    const AtomTable *atoms;
    PrintFlags flags;
    PrintScratch *scratch;
    Walk stack;
} PrintWalk;

void print_begin(PrintWalk *w, Bytes *to, const AtomTable *atoms, Term t, PrintFlags flags,
                 Mem *mem);
/* Takes terms printed from *budget; true when done. */
bool print_step(PrintWalk *w, size_t *budget);
void print_end(PrintWalk *w);
