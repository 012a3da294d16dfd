#include "vm/format/tables.h"

#include <string.h>

const AtomRow tables_atoms[ATOM_NAMED_COUNT] = {
#define ATOM(name, text) [ATOM_##name] = {text, sizeof(text) - 1},
#include "vm/format/atoms.def"
#undef ATOM
};

const BifRow tables_bifs[BIF_COUNT + 1] = {
#define BIF(module, name, arity, c_function, kind, needs, meaning) \
    {module,                                                       \
     name,                                                         \
     sizeof(module) - 1,                                           \
     sizeof(name) - 1,                                             \
     arity,                                                        \
     BIF_KIND_##kind,                                              \
     BIF_NEEDS_##needs,                                            \
     meaning},
#include "vm/format/bifs.def"
#undef BIF
    {"", "", 0, 0, 0, BIF_KIND_CONTROL, BIF_NEEDS_NOTHING, ""},
};

int tables_bif_find(const char *module, size_t module_length, const char *name,
                    size_t name_length, unsigned arity)
{
    for (int i = 0; i < BIF_COUNT; i++) {
        const BifRow *row = &tables_bifs[i];
        if (row->name_length == name_length && row->arity == arity
            && row->module_length == module_length && memcmp(row->name, name, name_length) == 0
            && memcmp(row->module, module, module_length) == 0)
            return i;
    }
    return -1;
}
