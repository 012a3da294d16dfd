/*
 * Atoms: text to index and back.
 *
 * An AtomTable belongs to one Vm and is shared by all its threads: looking up by index or by
 * text takes no lock; inserting a new text takes one.  Atoms are never freed; entries never
 * move. Texts are UTF-8, at most 255 characters.  Order and hashes come from the text alone,
 * never from the index.  The atoms of vm/format/atoms.def are there from the start, in the
 * table's order.
 */
#pragma once

#include "vm/base/atomic.h"
#include "vm/base/mem.h"
#include "vm/format/limits.h"
#include "vm/format/tables.h"
#include "vm/term/term.h"

#define ATOM_CHUNK_BITS 10

typedef struct AtomEntry {
    const uint8_t *text; /* UTF-8, with a NUL behind it that does not count */
    uint64_t hash;       /* of the text, 64 bits well mixed */
    uint64_t prefix;     /* first 8 bytes of the text, big-endian: decides most comparisons */
    uint32_t phash;      /* what phash2 takes for this atom */
    uint16_t length;     /* bytes */
    uint16_t characters;
} AtomEntry;

typedef struct AtomTable {
    _Atomic(AtomEntry *) *chunks; /* by index >> ATOM_CHUNK_BITS; the directory never moves */
    uint32_t limit;
    AtomicU32 count;           /* released by the inserter; acquired by atom_count */
    struct AtomWriter *writer; /* lock, text index; private to atom.c */
} AtomTable;

/* A constant atom: TERM_ATOM(OK). */
#define TERM_ATOM(name) atom_from(ATOM_##name)
#define TERM_TRUE       TERM_ATOM(TRUE)
#define TERM_FALSE      TERM_ATOM(FALSE)

static inline Term term_bool(bool b) { return b ? TERM_TRUE : TERM_FALSE; }
static inline bool term_is_boolean(Term t)
{
    return term_same(t, TERM_TRUE) || term_same(t, TERM_FALSE);
}
/* For `switch (atom_of(t))`; t is an atom, named in the table or not. */
static inline AtomName atom_of(Term t) { return (AtomName)atom_index(t); }
static inline bool term_is_the_atom(Term t, AtomName name) { return t.w == atom_from(name).w; }

/* A table for at most `limit` atoms (0: LIMIT_ATOMS), the named ones included. */
AtomTable *atom_table_new(Mem *mem, uint32_t limit);
void atom_table_delete(AtomTable *atoms);

typedef enum AtomPut {
    ATOM_PUT_DONE,
    ATOM_PUT_TOO_LONG,
    ATOM_PUT_NOT_UTF8,
    ATOM_PUT_FULL
} AtomPut;

/* The atom with this UTF-8 text, made if absent.  Anything but ATOM_PUT_DONE leaves *out
 * alone. */
MUST_USE AtomPut atom_put(AtomTable *atoms, const void *text, size_t length, Term *out);
/* The same from Latin-1 bytes. */
MUST_USE AtomPut atom_put_latin1(AtomTable *atoms, const void *text, size_t length, Term *out);
/* The same for the embedded library, which goes on loading when programs have made all the atoms
 * they may: from LIMIT_ATOMS_LIBRARY further places. */
MUST_USE AtomPut atom_put_library(AtomTable *atoms, const void *text, size_t length, Term *out);
/* The atom of a C string that fits the rules by construction; stops the VM when the table is
 * full. */
Term atom_make(AtomTable *atoms, const char *text);
/* The atom with this text if it exists, else TERM_NONE. */
Term atom_find(const AtomTable *atoms, const void *text, size_t length);
Term atom_find_latin1(const AtomTable *atoms, const void *text, size_t length);

/* `t` is an atom of this table. */
static inline const AtomEntry *atom_entry(const AtomTable *atoms, Term t)
{
    uint32_t index = atom_index(t);
    /* Pairs with the release in atom.c that publishes the chunk; the entry itself was published
     * to this thread by whatever handed it the term. */
    AtomEntry *chunk = atomic_load_acquire(&atoms->chunks[index >> ATOM_CHUNK_BITS]);
    return &chunk[index & ((1u << ATOM_CHUNK_BITS) - 1)];
}
static inline const char *atom_text(const AtomTable *atoms, Term t)
{
    return (const char *)atom_entry(atoms, t)->text;
}
static inline size_t atom_length(const AtomTable *atoms, Term t)
{
    return atom_entry(atoms, t)->length;
}
static inline uint64_t atom_hash(const AtomTable *atoms, Term t)
{
    return atom_entry(atoms, t)->hash;
}

/* How many atoms there are; every index below is valid. */
uint32_t atom_count(const AtomTable *atoms);

/* Order by text, character by character: < 0, 0, > 0. */
int atom_compare(const AtomTable *atoms, Term a, Term b);
