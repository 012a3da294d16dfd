/*
 * From pid to process, without a lock; slots reused oldest first, each with a wide generation.
 *
 * Readers are threads under the epoch rule: a Process found stays readable until they are next
 * quiescent.  Reserving and freeing slots takes the table's lock.  The table grows in pieces up
 * to its limit and never moves.  Design page: docs/design/process.md.
 */
#pragma once

#include "vm/proc/process.h"

typedef struct ProcTable ProcTable;

/* `limit` processes at most (up to 2^28). */
ProcTable *proctab_new(Mem *mem, size_t limit);
void proctab_delete(ProcTable *t);

/* A slot for `p`: writes p->pid and publishes it, so p must be complete but for its pid
 * (acquire in proctab_find sees it all).  False when the table is full. */
MUST_USE bool proctab_insert(ProcTable *t, Process *p);
/* Nobody finds it any more; its slot goes to the end of the free ones with the next
 * generation. */
void proctab_remove(ProcTable *t, Process *p);

/* The process, possibly dying (STATE_EXITING), or NULL. */
Process *proctab_find(const ProcTable *t, Term pid);
/* Slots ever used; for walks: */
size_t proctab_slots(const ProcTable *t);
Process *proctab_at(const ProcTable *t, size_t slot);

size_t proctab_count(const ProcTable *t);
size_t proctab_limit(const ProcTable *t);
