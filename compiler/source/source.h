/* Texts being compiled, and positions in them.
 *
 * Owns: every text read during one compilation (in its arena).  A position is one 32-bit number
 * for file and offset: the texts of a compilation stand one behind the other in one numbering,
 * starting at 1; 0 is "nowhere".  A file included twice has two ranges.  Lines and columns count
 * from 1 and are computed only when asked for; columns count code points.  Texts are UTF-8:
 * what a `coding: latin-1` comment announces is converted when read.  One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/base/arena.h"

typedef uint32_t SrcPos;

#define SRC_POS_NONE 0u

/* From `offset` on, lines are shown as those of another file (-file attribute). */
typedef struct {
    uint32_t offset;
    int64_t line_delta;
    const char *file;
} SourceRemap;

typedef struct {
    const char *path; /* as opened, and as shown unless remapped */
    const char *text; /* UTF-8, size bytes and a NUL */
    uint32_t size;
    SrcPos base;           /* position of the first byte; the end of text is base + size */
    SrcPos included_from;  /* position of the -include, or SRC_POS_NONE */
    uint32_t invalid_at;   /* offset of the first byte that is not UTF-8, else UINT32_MAX */
    bool is_binary;        /* it is not UTF-8 and holds zeros: no text at all */
    uint32_t *line_starts; /* offsets; NULL until first asked for */
    uint32_t line_count;
    SourceRemap *remaps;
    uint32_t remap_count;
    uint32_t remap_capacity;
} Source;

typedef struct {
    Arena *arena;
    Source **at; /* in order of base */
    uint32_t count;
    uint32_t capacity;
    SrcPos next_base;
    Source *recent; /* where the last look-up ended */
    uint32_t recent_line;
    /* the last column counted, so that those behind it on its line need not start anew */
    SrcPos column_pos;
    uint32_t column;
} Sources;

typedef struct {
    const Source *source;
    const char *file; /* as shown */
    uint32_t line;    /* as shown */
    uint32_t column;
    uint32_t physical_line; /* line of the text itself, not remapped */
} SrcLoc;

typedef enum {
    SOURCE_OK,
    SOURCE_NOT_FOUND,
    SOURCE_IS_DIRECTORY,
    SOURCE_NOT_READABLE,
    SOURCE_TOO_LARGE
} SourceResult;

void sources_init(Sources *sources, Arena *arena);

/* Read a file.  On failure *out is NULL.  A text may have up to SOURCE_SIZE_MAX bytes. */
SourceResult sources_read(Sources *sources, const char *path, Source **out);

/* Take over a text that is already in memory; it is copied.  NULL when it is too large. */
Source *sources_add(Sources *sources, const char *path, const char *text, size_t size);

/* The text that a position is in, or NULL. */
Source *sources_find(Sources *sources, SrcPos pos);

/* Where a position is; a position of 0 gives a location without a source, line 0.  Asked in
 * order, all positions of a line together cost one walk along it. */
SrcLoc sources_locate(Sources *sources, SrcPos pos);

/* The line as shown alone: constant time when asked in order. */
uint32_t sources_line(Sources *sources, SrcPos pos);

/* The file's name as shown at this position. */
const char *sources_file(Sources *sources, SrcPos pos);

/* From the line behind `pos` on, show lines as `file`, beginning with number `line`. */
void sources_remap(Sources *sources, SrcPos pos, const char *file, int64_t line);

/* The text of one physical line, without its end; *size is its bytes. */
const char *source_line_text(Sources *sources, const Source *source, uint32_t line,
                             uint32_t *size);

#define SOURCE_SIZE_MAX (1u << 30)
