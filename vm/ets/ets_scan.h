/*
 * Which objects of a table a match specification may concern, one handful after the other.
 *
 * A specification whose patterns name their keys looks only those up; in an ordered_set a key that
 * is bound from its front bounds the part that is walked; else the whole table is walked.  A scan
 * stands behind the last object it gave, by order or key, so it may go on in a later slice
 * whatever has happened meanwhile.  One thread at a time.
 */
#pragma once

#include "vm/ets/ets_match.h"
#include "vm/ets/ets_table.h"

typedef enum EtsScanMode { ETS_SCAN_ALL, ETS_SCAN_RANGE, ETS_SCAN_KEYS } EtsScanMode;

typedef struct EtsScan {
    EtsScanMode mode;
    bool backward;  /* ordered_set: from the end */
    Term pattern;   /* RANGE: of the key; in the program */
    VEC(Term) keys; /* KEYS: in the program */
    size_t key;     /* the one that is looked up next or now */
    EtsPosition at; /* hash tables: behind this one */
    Word last;      /* ordered_set: the key of the last one, owned; TERM_NONE at the start */
    Mem *mem;
} EtsScan;

void ets_scan_begin(EtsScan *s, const EtsTable *t, const EtsProgram *program, bool backward);
void ets_scan_end(EtsScan *s);
/* The next objects, up to `n`; 0 at the end.  The scan stays where it is until ets_scan_keep. */
size_t ets_scan_some(EtsScan *s, const EtsTable *t, EtsObject **out, size_t n);
/* The scan stands behind `o`, one of those given, from now on; it keeps what it needs. */
void ets_scan_keep(EtsScan *s, const EtsTable *t, const EtsObject *o);
/* The same behind a key that was kept elsewhere (a continuation's). */
void ets_scan_seek(EtsScan *s, Term key);
