/* The constants that the tables of this directory make.
 *
 * ATOM_NAME is the index of an atom that C code names; it is the same in every VM because boot
 * interns the rows of atoms.def first and in order.  Pure data; any thread. */
#pragma once

#include "vm/base/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* How a built-in is called, and what it may touch: bifs.def explains each word. */
typedef enum BifKind {
    BIF_KIND_GUARD,
    BIF_KIND_GUARD_LONG,
    BIF_KIND_PLAIN,
    BIF_KIND_PLAIN_LONG,
    BIF_KIND_TRAPS,
    BIF_KIND_BLOCKS,
    BIF_KIND_CONTROL
} BifKind;

typedef enum BifNeeds {
    BIF_NEEDS_NOTHING,
    BIF_NEEDS_FILES,
    BIF_NEEDS_NETWORK,
    BIF_NEEDS_FOREIGN,
    BIF_NEEDS_SYSTEM
} BifNeeds;

typedef struct BifRow {
    const char *module;
    const char *name;
    uint8_t module_length;
    uint8_t name_length;
    uint8_t arity;
    uint8_t kind;  /* BifKind */
    uint8_t needs; /* BifNeeds */
    const char *meaning;
} BifRow;

enum {
    BIF_COUNT = 0
#define BIF(module, name, arity, c_function, kind, needs, meaning) +1
#include "vm/format/bifs.def"
#undef BIF
};

/* The rows of bifs.def in order; row numbers are what loaded code holds. One row more than
 * BIF_COUNT, which is empty. */
extern const BifRow tables_bifs[BIF_COUNT + 1];

/* The row of a built-in, or -1. Linear: the compiler and the loader ask once per name. */
int tables_bif_find(const char *module, size_t module_length, const char *name,
                    size_t name_length, unsigned arity);

/* The rows that may stand in a BIF instruction. */
static inline bool tables_bif_is_inline(int row)
{
    return tables_bifs[row].kind <= BIF_KIND_PLAIN_LONG;
}
