/* Names of one compilation: texts of atoms and variables, each stored once and known by a number.
 *
 * Owns: the texts (UTF-8, NUL behind them) and the table; both lie in the arena given to
 * names_init, so nothing is freed here.  One thread per compilation.  Invariant: equal text,
 * equal NameId; the rows of names.def have the numbers of their constants. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vm/base/arena.h"

typedef uint32_t NameId;

enum {
#define NAME(CONSTANT, text) NAME_##CONSTANT,
#include "compiler/source/names.def"
#undef NAME
    NAME_PREDEFINED_COUNT
};

typedef struct {
    const char *text; /* UTF-8, NUL-terminated; may itself contain NULs: use size */
    uint32_t size;    /* bytes */
    uint32_t hash;
} NameText;

typedef struct {
    Arena *arena;
    NameText *at; /* by NameId */
    uint32_t count;
    uint32_t capacity;
    uint32_t *table; /* open addressing, NameId or 0 */
    uint32_t mask;
} Names;

/* Intern the rows of names.def in order. */
void names_init(Names *names, Arena *arena);

/* The number of `size` bytes of UTF-8, made if new.  The text is copied. */
NameId names_intern(Names *names, const char *text, size_t size);

/* The same for a NUL-terminated text. */
NameId names_intern_text(Names *names, const char *text);

/* The text of a name, borrowed until the arena goes. */
static inline const char *names_text(const Names *names, NameId id)
{
    return names->at[id].text;
}

static inline uint32_t names_size(const Names *names, NameId id) { return names->at[id].size; }
