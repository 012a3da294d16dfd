/* What a module's code refers to by number: atoms, literals, imports, live maps, file names.
 *
 * Each thing is kept once, numbered in the order of its first use, so the file depends on nothing
 * but the program.  Owns nothing: all lies in the compilation's arena.  One thread.
 * Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/core/core.h"
#include "vm/format/modfile.h"

typedef struct CodePool {
    CoreUnit *unit;
    Arena *arena; /* lives as long as the compilation */
    VEC(ModSpan) atoms;
    VEC(ModSpan) literals;
    VEC(ModImport) imports;
    VEC(ModSpan) maps;
    VEC(ModSpan) files;
    Htab atom_numbers;    /* atom index of the VM -> number */
    Htab literal_numbers; /* bytes -> number */
    Htab import_numbers;  /* bytes of the ModImport -> number */
    Htab map_numbers;
    Htab file_numbers;
    uint32_t *constant_literals; /* number + 1 of the unit's constants that have been used */
    Bytes scratch;
} CodePool;

/* The module's own name becomes atom 0. */
void pool_init(CodePool *pool, CoreUnit *unit, Arena *arena);
void pool_free(CodePool *pool);

uint32_t pool_atom(CodePool *pool, Term atom);
/* A constant of the unit as literal. */
uint32_t pool_constant(CodePool *pool, CoreRef constant);
uint32_t pool_import(CodePool *pool, Term module, Term name, uint32_t arity);
/* A live map of `size` bytes. */
uint32_t pool_map(CodePool *pool, const uint8_t *bits, uint32_t size);
uint32_t pool_file(CodePool *pool, const char *name);
/* A term in the external format, in the arena. */
ModSpan pool_encode(CodePool *pool, Term t);
