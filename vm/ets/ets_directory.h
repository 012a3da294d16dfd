/*
 * The table of tables: by reference, by name, by owner; and what is left of deleted ones.
 *
 * Looking up takes no lock.  Changes take the directory's lock; what they concern is named at
 * the fields of EtsTable.  Processes are pids here: whether one lives the caller says.
 * Design page: docs/design/ets.md.
 */
#pragma once

#include "vm/ets/ets_match.h"
#include "vm/ets/ets_table.h"

/* How often a process has fixed a table. */
struct EtsFix {
    Term pid;
    uint64_t count;
    EtsTable *table;
    EtsFix *next;       /* of the table */
    EtsFix *owner_next; /* of the process */
};

/* `users` threads, numbered from 0, may be EtsUsers. */
EtsDirectory *ets_directory_new(Mem *mem, Epoch *epoch, AtomTable *atoms, unsigned users);
/* Frees every table.  Nobody looks any more. */
void ets_directory_delete(EtsDirectory *d);

EtsGate *ets_directory_gate(EtsDirectory *d, unsigned index);
unsigned ets_directory_gates(const EtsDirectory *d);
/* What names mean in match specifications. */
const MatchNames *ets_directory_match_names(const EtsDirectory *d);

/* Of a reference's number, or of a name: the table, or NULL. */
EtsTable *ets_directory_find(const EtsDirectory *d, uint64_t id);
EtsTable *ets_directory_find_name(const EtsDirectory *d, Term name);

/* Enters a table with id, name, named and owner set; false: the name is taken. */
MUST_USE bool ets_directory_add(EtsDirectory *d, EtsTable *t);
/* From now on nobody finds it; its objects are buried, the table is retired.  False: somebody
 * else has done it. */
bool ets_directory_remove(EtsUser *u, EtsTable *t);
/* False: the name is taken, or the table is deleted. */
MUST_USE bool ets_directory_rename(EtsDirectory *d, EtsTable *t, Term name);

/* Whether the process of a pid lives, for those that must not become owners when dead. */
typedef bool EtsAlive(void *context, Term pid);

/* Gives `t` from `from` to `to` if that lives; *legacy (may be NULL) takes over the heir's data.
 * False: `from` is not the owner, or `to` is dead. */
bool ets_directory_give(EtsDirectory *d, EtsTable *t, Term from, Term to, EtsAlive *alive,
                        void *context);
/* Sets the heir: a pid or nil, and {Data} or NULL, which it takes. */
void ets_directory_set_heir(EtsUser *u, EtsTable *t, Term heir, EtsObject *legacy);
/* The oldest table of an owner, or NULL. */
EtsTable *ets_directory_first_of(EtsDirectory *d, Term owner);

/* Fixes or releases once more. */
void ets_directory_fix(EtsDirectory *d, EtsTable *t, Term pid, int64_t now_ns, int64_t now_us);
void ets_directory_unfix(EtsDirectory *d, EtsTable *t, Term pid);
/* All that a dead process had fixed. */
void ets_directory_unfix_all(EtsDirectory *d, Term pid);
/* Copies who has fixed it, up to n; returns how many there are. */
size_t ets_directory_fixes(EtsDirectory *d, const EtsTable *t, EtsFix *out, size_t n);

/* How many tables there are; and up to n of them, oldest first: names, or TERM_NONE and the
 * number in ids[i]. */
size_t ets_directory_count(const EtsDirectory *d);
size_t ets_directory_all(EtsDirectory *d, uint64_t *ids, Term *names, size_t n);

/* Objects that nobody finds any more: freed when it is safe. */
void ets_directory_bury(EtsUser *u, EtsStore *s);
/* Frees buried objects, counting *budget down; true when none are left for this caller. */
bool ets_directory_sweep(EtsDirectory *d, size_t *budget);
