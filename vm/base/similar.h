/* Which of several words somebody may have meant who wrote another one.
 * Owns nothing; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The nearest word so far.  Texts are borrowed. */
typedef struct {
    const char *word;
    size_t size;
    unsigned distance; /* an offer must be nearer than this */
} Similar;

/* Begin: `word` is what was written.  Longer words may differ more. */
Similar similar_to(const char *word, size_t size);

/* Is this word nearer than all before, and near enough?  Letters' case counts for nothing, nor
 * does '_' for '-'; one letter too many, missing, wrong, or two that changed places are one
 * step. */
bool similar_offer(Similar *s, const char *other, size_t size);
