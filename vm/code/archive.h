/*
 * Modules inside the executable: a read-only table of module files by name.
 *
 *   "MOTEARC1", u32 count, then for each module u32 length and bytes of its name, u32 size, padding
 *   to 8 bytes, the module file; little-endian (the Makefile writes it).
 */
#pragma once

#include "vm/base/htab.h"

typedef struct Archive {
    Htab by_name; /* index into entries */
    struct ArchiveEntry *entries;
    size_t count;
    Mem *mem;
} Archive;

typedef struct ArchiveEntry {
    const char *name;
    size_t name_length;
    const uint8_t *bytes; /* 8-byte aligned */
    size_t size;
} ArchiveEntry;

/* Reads the table of `size` bytes that outlive it; false if they are damaged. */
MUST_USE bool archive_open(Archive *a, Mem *mem, const uint8_t *bytes, size_t size);
void archive_close(Archive *a);
/* NULL if there is none of that name. */
const ArchiveEntry *archive_find(const Archive *a, const char *name, size_t length);
