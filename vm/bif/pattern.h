/*
 * What binary:match and its like search for: one run of bytes, or several of which the longest that
 * starts first counts.
 *
 * A Pattern is immutable once made and may be used by any thread.  Several runs are a trie of
 * the runs turned round, with a failure link at each node: walking a stretch of the subject
 * from its end to its start gives, at each byte, the longest run that starts there, in time
 * linear in the stretch.
 */
#pragma once

#include "vm/base/mem.h"
#include "vm/term/heap.h"

typedef struct Pattern Pattern;

typedef struct PatternRun {
    const uint8_t *at;
    size_t count; /* at least 1 */
} PatternRun;

/* One byte of a run turned round.  Node 0 is the root. */
typedef struct PatternNode {
    uint32_t child;   /* first of a chain; 0: none */
    uint32_t sibling; /* next in the chain of the parent's children; 0: none */
    uint32_t fail;
    /* bytes of the longest run that ends here, by way of failure links too; 0: none */
    uint32_t longest;
    uint8_t byte;
} PatternNode;

/* Counted with one reference, the maker's; NULL when memory is refused.  The runs are copied. */
Pattern *pattern_new(Mem *mem, const PatternRun *runs, size_t n);
static inline Counted *pattern_counted(Pattern *pattern) { return (Counted *)pattern; }
/* Is this counted object one that pattern_new made? */
bool pattern_is(const Counted *object);
/* Made from one run, by the tag of what compile_pattern/1 gives. */
bool pattern_is_single(const Pattern *pattern);

/* Bytes of its longest run. */
size_t pattern_longest(const Pattern *pattern);

/* How far a search over a subject has come. */
typedef struct PatternSearch {
    const uint8_t *subject;
    size_t from; /* nothing before counts any more */
    size_t end;
    size_t found_at; /* the last match */
    size_t found_size;
} PatternSearch;

typedef enum PatternStep {
    PATTERN_FOUND, /* found_at, found_size; `from` is behind it */
    PATTERN_MORE,  /* `from` has advanced; call again */
    PATTERN_END,
    PATTERN_NO_MEMORY
} PatternStep;

/* What several runs need while they search: kept from call to call of one slice. */
typedef struct PatternWindow {
    Mem *mem;
    uint32_t *longest; /* by byte of the window, or NULL before the first */
    size_t room;
    size_t start;
    size_t count;
} PatternWindow;

void pattern_window_free(PatternWindow *w);

/* Looks through at most some ten thousand bytes; *work is increased by how many. */
PatternStep pattern_step(const Pattern *pattern, PatternSearch *s, PatternWindow *w,
                         size_t *work);
