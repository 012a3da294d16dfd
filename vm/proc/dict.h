/*
 * The process dictionary: entries in the order of their first put, found by hash when they are
 * many. Keys and values are terms of the owner's heap: the collector gets them through
 * dict_roots. The owner alone.  None of these collects.
 *
 * What takes long is done in slices (pause.h): a large key, and making the table anew when it is
 * full.  Whoever gets TERM_YIELD comes again with the same terms; nothing has changed so far.
 */
#pragma once

#include "vm/proc/process.h"
#include "vm/term/keys.h"

typedef struct Dict Dict;

/* The value under `key`, or TERM_NONE, or TERM_YIELD. */
Term dict_get(Process *p, Term key);
/* Puts; the value before, or TERM_NONE, or TERM_YIELD. */
Term dict_put(Process *p, Term key, Term value);
/* Would the memory for a larger table be refused, when the next new key needs one. */
bool dict_is_refused(const Process *p);
/* Removes; the value it had, or TERM_NONE, or TERM_YIELD. */
Term dict_erase(Process *p, Term key);
/* dict_get with k->more in the place of TERM_YIELD. */
Term dict_get_by(Keys *k, const Process *p, Term key);
void dict_clear(Process *p);

/* How many entries. */
size_t dict_count(const Process *p);
/* The next entry in order; start with *cursor = 0; false at the end. */
bool dict_next(const Process *p, size_t *cursor, Term *key, Term *value);

/* The terms to scan: `*count` of them, keys, values and removed ones (constants) alike. */
Term *dict_roots(const Process *p, size_t *count);

void dict_free(Dict *d, Mem *mem);
