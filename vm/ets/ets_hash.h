/*
 * Objects by the hash of their keys: what set, bag and duplicate_bag are made of.
 *
 * One list in the order of the hashes read backwards, with buckets as entrances: doubling the
 * buckets moves nothing, and the order in which a table is walked depends on its keys alone.
 *
 *   buckets   [0]------------------->[1] ...
 *              v                      v
 *   list      mark -> object -> object -> mark -> object -> tail       order rises
 *
 * Readers take no lock: they follow `next` under the epoch rule.  Writers hold the latch of
 * the key's stripe; an object and what stands before it are always of one stripe.  Objects of
 * one order stand newest first.  While the stripes are closed, writers get ETS_BUSY.  Design page:
 * docs/design/ets.md.
 */
#pragma once

#include "vm/ets/ets_latch.h"
#include "vm/ets/ets_object.h"
#include "vm/term/atom.h"
#include "vm/term/walk.h"

#define ETS_STRIPE_BITS 4
#define ETS_STRIPES     (1 << ETS_STRIPE_BITS)
#define ETS_LEVELS      48

/* All of it is written with the latch held. */
typedef struct EtsStripe {
    EtsLatch latch;    /* the objects whose hash ends in this stripe's number */
    bool closed;       /* to all but who puts a batch */
    uint64_t sequence; /* of the newest object */
    AtomicSize count;  /* objects */
    AtomicI64 words;   /* of objects */
    uint8_t apart[96]; /* writers of two stripes do not share a cache line */
} EtsStripe;

typedef _Atomic(EtsLink *) EtsChunk;

typedef struct EtsHash {
    EtsStripe stripes[ETS_STRIPES];
    EtsLink first[ETS_STRIPES]; /* the buckets that are always there */
    /* Level k has buckets 2^k ... 2^(k+1)-1 in chunks, which come when they are needed. */
    _Atomic(EtsChunk *) levels[ETS_LEVELS];
    AtomicU64 mask; /* buckets - 1; released when the level is there */
    AtomicBool growing;
    EtsLink tail;
    struct EtsHash *itself; /* for who has it as const */
    Mem *mem;
    const AtomTable *atoms;
    size_t keypos; /* from 0 */
} EtsHash;

/* What to do when an object of the key is there already. */
typedef enum EtsPutMode {
    ETS_PUT_REPLACE,      /* set */
    ETS_PUT_IF_ABSENT,    /* insert_new */
    ETS_PUT_UNLESS_EQUAL, /* bag */
    ETS_PUT_ALWAYS        /* duplicate_bag */
} EtsPutMode;

/* Where a walk stands: behind the object of this order and sequence. */
typedef struct EtsPosition {
    uint64_t order; /* 0: at the start */
    uint64_t sequence;
} EtsPosition;

void ets_hash_init(EtsHash *h, Mem *mem, const AtomTable *atoms, size_t keypos);
/* Frees objects, counting *budget down; true when nothing is left, the struct can go then.
 * Nobody looks any more. */
bool ets_hash_free_some(EtsHash *h, size_t *budget);

/* The newest object of that key, or NULL; and the next one behind it. */
EtsObject *ets_hash_find(const EtsHash *h, Term key);
EtsObject *ets_hash_find_more(const EtsHash *h, const EtsObject *o, Term key);

/* An object of that key will be put soon: asks for the memory that takes, and gives what can be
 * the object's link.order by then. */
uint64_t ets_hash_expect(const EtsHash *h, Term key);

/* Puts `o` in: DONE and, if it took the place of another, that one in *old.  EXISTS: it was not
 * put, as `mode` says.  BUSY: closed, unless `batch`. */
MUST_USE EtsResult ets_hash_put(EtsHash *h, EtsObject *o, EtsPutMode mode, bool batch,
                                EtsObject **old);
/* `fresh` takes the place of `old`, of the same key, if that is still there; else LOST. */
MUST_USE EtsResult ets_hash_swap(EtsHash *h, EtsObject *old, EtsObject *fresh);
/* Takes `o` out if it is still there; else LOST. */
MUST_USE EtsResult ets_hash_remove(EtsHash *h, EtsObject *o);
/* Takes all objects of a key out and pushes them on `removed`. */
MUST_USE EtsResult ets_hash_remove_key(EtsHash *h, Term key, Walk *removed);

/* From its return on no writer is at work, but for batches. */
void ets_hash_close(EtsHash *h);
void ets_hash_open(EtsHash *h);
/* Objects, and words of them; sums taken on the way. */
int64_t ets_hash_count(const EtsHash *h);
int64_t ets_hash_words(const EtsHash *h);

/* Up to `n` objects behind *position, which moves on; returns how many.  Fewer than n only at
 * the end of the table. */
size_t ets_hash_gather(const EtsHash *h, EtsPosition *position, EtsObject **out, size_t n);
/* The first object of the first key behind all of `key`'s order; with TERM_NONE the first of
 * all. NULL: there is none.  *present: the key is in the table. */
EtsObject *ets_hash_next_key(const EtsHash *h, Term key, bool *present);
/* Buckets, and up to n objects of one of them behind *position. */
size_t ets_hash_buckets(const EtsHash *h);
size_t ets_hash_bucket(const EtsHash *h, size_t bucket, EtsPosition *position, EtsObject **out,
                       size_t n);

/* Aborts if the order or a count is damaged; nobody else is at work. */
void ets_hash_check(const EtsHash *h);
