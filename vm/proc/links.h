/*
 * Relations of a process: links, monitors of both sides, aliases.
 *
 * An entry is found by its key: the other's pid for links, the number of the reference for the
 * rest. Entries stay in the order of their making; above a few of them an index finds a key, so
 * a process with 100,000 links adds and drops one in constant time.  The owner alone.
 */
#pragma once

#include "vm/proc/process.h"

typedef enum RelationKind {
    RELATION_NONE,     /* removed */
    RELATION_LINK,     /* key: pid.  number: 0, or the id of an unlink not yet acknowledged */
    RELATION_MONITOR,  /* key: reference.  We watch `other` */
    RELATION_WATCHER,  /* key: reference.  `other` watches us */
    RELATION_ALIAS,    /* key: reference.  An alias without a monitor */
    RELATION_SUSPENDED /* key: pid.  We suspended it, `number` times */
} RelationKind;

enum {
    RELATION_ALIAS_ON = 1,        /* the reference is an active alias */
    RELATION_ALIAS_REPLY = 2,     /* ... until a message came through it */
    RELATION_ALIAS_DEMONITOR = 4, /* ... or the monitor ends */
    RELATION_BY_NAME = 8,         /* `name` is what the monitor was set on */
    RELATION_ALIAS_MADE = 16      /* the reference was given out as an alias */
};

typedef struct Relation {
    uint64_t key;
    Term other;
    Term name; /* atom, with RELATION_BY_NAME */
    uint64_t
        number; /* see above; of a monitor by name on another node: the node, an atom's word */
    Message *tag; /* monitor/3's tag, in its own closed fragment, or NULL */
    Word *held;   /* the words of `other` when it is a pid of another node, or NULL */
    uint8_t kind;
    uint8_t flags;
} Relation;

/* The entry, or NULL.  Pointers are good until the next links_add or links_remove. */
Relation *links_find(const Process *p, RelationKind kind, uint64_t key);
/* The key of a link to that pid, of this node or another, where a hash must do. */
uint64_t links_key(Term pid);
/* A new entry; there is none of that kind and key.  Keeps a copy of a pid of another node. */
Relation *links_add(Process *p, RelationKind kind, uint64_t key, Term other);
/* Removes it (and frees its tag). */
void links_remove(Process *p, Relation *r);
/* The next entry in order of making, removed ones skipped; start with *cursor = 0; NULL at
 * the end. Removing entries meanwhile is allowed, adding is not. */
Relation *links_next(const Process *p, size_t *cursor);
/* Changes when a cursor means other entries than before. */
uint32_t links_moves(const Process *p);
/* How many entries of all kinds. */
size_t links_count(const Process *p);
/* The oldest entry leaves into *out (its tag now the caller's); false when there is none. */
bool links_take_first(Process *p, Relation *out);
void links_free(Process *p);
void links_check(const Process *p);
