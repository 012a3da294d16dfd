#include "compiler/source/builtins.h"

#include <string.h>

#include "vm/base/similar.h"

typedef struct {
    const char *name;
    uint16_t size;
    uint8_t arity;
    uint8_t kind;
} Builtin;

static const Builtin builtins[] = {
#define AUTO(name, arity, kind) {name, sizeof(name) - 1, arity, BUILTIN_##kind},
#include "compiler/source/builtins.def"
#undef AUTO
};

static int builtins_compare(const Builtin *b, const char *name, size_t size, uint32_t arity)
{
    size_t common = b->size < size ? b->size : size;
    int order = memcmp(b->name, name, common);
    if (order != 0) return order;
    if (b->size != size) return b->size < size ? -1 : 1;
    return (int)b->arity - (int)arity;
}

BuiltinKind builtin_kind(const char *name, size_t size, uint32_t arity)
{
    size_t low = 0;
    size_t high = sizeof builtins / sizeof *builtins;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = builtins_compare(&builtins[middle], name, size, arity);
        if (order == 0) return (BuiltinKind)builtins[middle].kind;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return BUILTIN_NONE;
}

const char *builtin_similar(const char *name, size_t size, uint32_t arity, uint32_t *has)
{
    const Builtin *best = NULL;
    Similar s = similar_to(name, size);
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        const Builtin *b = &builtins[i];
        bool better = best && best->arity != arity && b->arity == arity;
        s.distance += better;
        if (similar_offer(&s, b->name, b->size))
            best = b;
        else
            s.distance -= better;
    }
    if (!best) return NULL;
    *has = best->arity;
    return best->name;
}
