/*
 * The address range that all code of a VM lives in, so that "is this a literal" is one comparison.
 *
 * Reserved at boot without using memory; pages are committed as modules are loaded.  Blocks
 * come from a first-fit list of free ranges.  The caller holds CodeTable.lock.
 */
#pragma once

#include "vm/base/mem.h"
#include "vm/term/copy.h"

typedef struct CodeArea CodeArea;

/* Reserves `bytes` of addresses, or less when the system refuses that much; NULL if it refuses
 * all. */
CodeArea *area_new(Mem *mem, size_t bytes);
void area_delete(CodeArea *a);

/* A block of at least `bytes`, 64-byte aligned, zeroed; NULL when the area or memory is
 * exhausted. */
void *area_alloc(CodeArea *a, size_t bytes);
void area_free(CodeArea *a, void *at, size_t bytes);

LiteralRange area_range(const CodeArea *a);
