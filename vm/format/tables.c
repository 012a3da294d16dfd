#include "vm/format/tables.h"

const AtomRow tables_atoms[ATOM_NAMED_COUNT] = {
#define ATOM(name, text) [ATOM_##name] = {text, sizeof(text) - 1},
#include "vm/format/atoms.def"
#undef ATOM
};
