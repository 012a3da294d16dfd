/* The constants that the tables of this directory make.
 *
 * ATOM_NAME is the index of an atom that C code names; it is the same in every VM because boot
 * interns the rows of atoms.def first and in order.  Pure data; any thread. */
#pragma once

#include "vm/base/config.h"

typedef enum AtomName {
#define ATOM(name, text) ATOM_##name,
#include "vm/format/atoms.def"
#undef ATOM
    ATOM_NAMED_COUNT
} AtomName;

typedef struct AtomRow {
    const char *text;
    uint32_t length;
} AtomRow;

/* Text of each named atom, by AtomName. */
extern const AtomRow tables_atoms[ATOM_NAMED_COUNT];
