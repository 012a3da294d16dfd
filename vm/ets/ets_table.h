/*
 * A table: what it is, whose it is, and its objects behind one door for all kinds.
 *
 * Threads use tables as an EtsUser each, online in the epoch.  A reader takes no lock.  A writer
 * of one object holds the latch of its stripe, or, in an ordered_set, says at its gate which table
 * it is in.  What must look like one step though it is many (a batch of objects, emptying the
 * table) makes the table's version odd, closes the stripes and waits until nobody is at the
 * gates: while it is odd, everybody else helps to finish the batch or comes back later
 * (ETS_BUSY).  A pause between two slices of a built-in is never inside read or write.  Design
 * page: docs/design/ets.md.
 */
#pragma once

#include "vm/base/lock.h"
#include "vm/ets/ets_hash.h"
#include "vm/ets/ets_tree.h"

typedef enum EtsKind { ETS_SET, ETS_ORDERED_SET, ETS_BAG, ETS_DUPLICATE_BAG } EtsKind;
typedef enum EtsAccess { ETS_PUBLIC, ETS_PROTECTED, ETS_PRIVATE } EtsAccess;

#define ETS_COUNTS 8

typedef struct EtsCount {
    AtomicI64 objects;
    AtomicI64 words; /* of objects */
    uint8_t apart[112];
} EtsCount;

/* A tree and what is in it: threads count apart, the sums count. */
typedef struct EtsCounted {
    EtsTree tree;
    EtsCount counts[ETS_COUNTS];
} EtsCounted;

/* The objects of a table; emptying it puts a new one in its place.  As large as its kind. */
typedef struct EtsStore {
    EtsKind kind;
    Mem *mem;
    struct EtsStore *next; /* buried: to be freed when `ticket` has elapsed */
    uint64_t ticket;
    union {
        EtsHash hash;
        EtsCounted ordered;
    };
} EtsStore;

typedef struct EtsTable EtsTable;
typedef struct EtsBatch EtsBatch;
typedef struct EtsFix EtsFix;
typedef struct EtsDirectory EtsDirectory;

struct EtsTable {
    AtomicU64 version; /* odd: a batch is going in; changed under the lock */
    _Atomic(EtsStore *) store;
    EtsKind kind;
    EtsAccess access;
    size_t keypos;     /* from 0 */
    uint64_t id;       /* number of its reference */
    bool named;        /* programs see the name, not the reference */
    AtomicU64 name;    /* atom; changed under the directory's lock */
    AtomicU64 owner;   /* pid; changed under the directory's lock */
    AtomicU64 heir;    /* pid, or nil; changed under the directory's lock */
    EtsObject *legacy; /* {HeirData}, or NULL; under the directory's lock */
    AtomicU32 fixed;   /* how many fixations there are */
    EtsFix *fixes;     /* under the directory's lock */
    int64_t fixed_ns;  /* when the first of them began: monotonic, and wall time in us */
    int64_t fixed_us;
    bool read_concurrency;
    bool compressed;
    Term write_concurrency; /* as given */
    bool decentralized;
    Lock lock;          /* batch; held while objects of the batch go in */
    EtsBatch *batch;    /* going in now; holds one count */
    EtsTable *previous; /* all tables, in the order of their making: the directory's lock */
    EtsTable *next;
    EtsTable *owner_previous; /* of one owner */
    EtsTable *owner_next;
    EtsTable *dead_next;
    Mem *mem;
    const AtomTable *atoms;
};

/* The door of one thread to ordered sets; those of others have stripes that close. */
typedef struct EtsGate {
    _Atomic(void *) table; /* the table that this thread writes to, or NULL */
    uint8_t apart[56];
} EtsGate;

typedef struct EtsUser {
    EtsDirectory *directory;
    EpochThread *epoch;
    unsigned index; /* of its gate */
} EtsUser;

/* ---- making and freeing ---- */

EtsStore *ets_store_new(Mem *mem, const AtomTable *atoms, EtsKind kind, size_t keypos);
/* Frees, counting *budget down; true when it is gone.  Nobody looks any more. */
bool ets_store_free_some(EtsStore *s, size_t *budget);
/* Objects; a sum taken on the way. */
int64_t ets_store_size(const EtsStore *s);
/* A table without a place in the directory. */
EtsTable *ets_table_new(Mem *mem, const AtomTable *atoms, EtsKind kind, size_t keypos);
/* Frees all but the store. Nobody looks any more. */
void ets_table_free(EtsTable *t);

static inline EtsStore *ets_table_store(const EtsTable *t)
{
    return atomic_load_acquire(&t->store); /* pairs with ets_clear and ets_table_new */
}
static inline bool ets_table_is_ordered(const EtsTable *t)
{
    return t->kind == ETS_ORDERED_SET;
}
static inline Term ets_table_owner(const EtsTable *t)
{
    return TERM_RAW(atomic_load_acquire(&t->owner));
}
static inline Term ets_table_key(const EtsTable *t, const EtsObject *o)
{
    return ets_object_key(o, t->keypos);
}
/* The same of a table, and words of memory. */
int64_t ets_table_size(const EtsTable *t);
int64_t ets_table_words(const EtsTable *t);

/* ---- reading: find, look, and if ets_read_holds say no, begin again ---- */

/* The version to read at; odd: ETS_BUSY. */
static inline uint64_t ets_read_begin(const EtsTable *t)
{
    return atomic_load_acquire(&t->version);
}
static inline bool ets_read_holds(const EtsTable *t, uint64_t version)
{
    return (version & 1) == 0 && atomic_load_relaxed(&t->version) == version;
}
/* The newest object of the key; further ones of a bag. */
EtsObject *ets_find(const EtsTable *t, Term key);
EtsObject *ets_find_more(const EtsTable *t, const EtsObject *o, Term key);

/* ---- writing: one object or one key, at once ---- */

/* Puts `o` in as the table's kind says; only_new: unless the key is there.  DONE takes it. */
MUST_USE EtsResult ets_put(EtsUser *u, EtsTable *t, EtsObject *o, bool only_new);
/* `fresh` for `old`, if that is still there: DONE takes it, LOST does not. */
MUST_USE EtsResult ets_swap(EtsUser *u, EtsTable *t, EtsObject *old, EtsObject *fresh);
/* Takes `o` out, if it is still there. */
MUST_USE EtsResult ets_remove(EtsUser *u, EtsTable *t, EtsObject *o);
/* Takes all objects of a key out; they are pushed on `removed`, newest first, and stay readable
 * until the caller's next quiescent state. */
MUST_USE EtsResult ets_remove_key(EtsUser *u, EtsTable *t, Term key, Walk *removed);
/* Takes all objects out at once; *old is what they were in, to be buried. */
MUST_USE EtsResult ets_clear(EtsUser *u, EtsTable *t, EtsStore **old);

/* ---- many objects in one step ---- */

struct EtsBatch {
    Counted counted; /* first */
    Mem *mem;
    EtsObject *first; /* linked by link.next, in the order of putting */
    EtsObject *last;
    EtsObject *at; /* the next one to look at or to put; under the table's lock */
    bool only_new; /* all or none: none if a key is there */
    bool checked;  /* no key is there */
    AtomicBool done;
    bool exists; /* released by done: nothing was put */
};

/* An empty one, with one reference; NULL when memory is refused. */
EtsBatch *ets_batch_new(Mem *mem, bool only_new);
/* Takes the object. */
void ets_batch_add(EtsBatch *b, EtsObject *o);
/* From now on the batch is what the table waits for.  BUSY: another one is going in. */
MUST_USE EtsResult ets_batch_start(EtsUser *u, EtsTable *t, EtsBatch *b);
/* Puts objects in, counting *budget down; true when no batch is going in any more. False also
 * when another thread is at it. */
bool ets_batch_help(EtsUser *u, EtsTable *t, size_t *budget);
