#include "vm/bif/bif.h"

#define NULL_BIF NULL

BifFunction *const bif_functions[] = {
#define BIF(module, name, arity, c_function, kind, needs, meaning) c_function,
#include "vm/format/bifs.def"
#undef BIF
    NULL,
};
