/* What the reader and the writer of module files share; nobody else includes this. */
#pragma once

#include "vm/format/modfile.h"

#define MODFILE_MAGIC       "MOTEmob\n"
#define MODFILE_MAGIC_BYTES 8
#define MODFILE_HASH_AT     24
#define MODFILE_TABLE_AT    40 /* first row of the section table */
#define MODFILE_ROW_BYTES   16

#define MODFILE_TAG(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* In the order in which they stand in a file.  Those up to PART_ON_LOAD decide what the code does
 * and are hashed. */
typedef enum ModPart {
    PART_ATOMS,
    PART_LITERALS,
    PART_CODE,
    PART_FUNCTIONS,
    PART_EXPORTS,
    PART_IMPORTS,
    PART_LAMBDAS,
    PART_HANDLERS,
    PART_MAPS,
    PART_ON_LOAD,
    PART_FILES,
    PART_LINES,
    PART_ATTRIBUTES,
    PART_COMPILE_INFO,
    PART_DOCS,
    PART_TYPES,
    PART_FORMS,
    PART_COUNT
} ModPart;

/* Tags that begin with a small letter may be unknown to a reader. */
extern const uint32_t modfile_tags[PART_COUNT];

/* The hash over the bodies of the parts that decide what the code does. */
void modfile_hash(const ModSpan parts[PART_COUNT], uint8_t hash[16]);
