/*
 * An object of a table: a closed copy of a tuple in one block of memory.
 *
 *   [EtsObject ...][tuple header][element 1] ... [what the elements point to ...]
 *
 * Immutable once it is in a table, but for its link.  It points to itself and to counted objects
 * only, never to literals, so no module has to ask the tables before it goes.  Whoever found
 * it in a table may look at it until its own next quiescent state (vm/base/epoch.h); taken out,
 * it is retired.  Design page: docs/design/ets.md.
 */
#pragma once

#include "vm/base/epoch.h"
#include "vm/term/heap.h"

typedef struct EtsLink EtsLink;
struct EtsLink {
    _Atomic(EtsLink *)
        next;       /* hash tables: the next in their order; the stripe's latch writes */
    uint64_t order; /* the hash turned round; the lowest bit is set in objects */
};

typedef struct EtsObject {
    EtsLink link;      /* first */
    uint64_t sequence; /* hash tables: falls along objects of the same order */
    uint32_t words;    /* of data */
    uint32_t handles;  /* where the first counted object of the copy is in data; 0: none */
    Word data[];
} EtsObject;

/* With a tuple of three words one cache line. */
_Static_assert(sizeof(EtsObject) == 32, "an object's head");
/* Words of the largest object. */
#define ETS_OBJECT_MAX UINT32_MAX

/* Sets the list of counted objects, all of which are in data. */
static inline void ets_object_set_handles(EtsObject *o, const Word *first)
{
    o->handles = first == NULL ? 0 : (uint32_t)(first - o->data);
}

static inline Term ets_object_tuple(const EtsObject *o) { return boxed_from(o->data); }
/* `keypos` counts from 0 here. */
static inline Term ets_object_key(const EtsObject *o, size_t keypos)
{
    return TERM_RAW(o->data[1 + keypos]);
}
static inline EtsObject *ets_object_of(EtsLink *link) { return (EtsObject *)(void *)link; }
/* What becomes of a change of a table. */
typedef enum EtsResult {
    ETS_DONE,
    ETS_EXISTS, /* not put: there is one of that key */
    ETS_LOST,   /* what was to be changed is not there any more */
    ETS_BUSY    /* a batch is going in: ets_batch_help, or come back in another slice */
} EtsResult;

/* What an object weighs, in words. */
static inline int64_t ets_object_weight(const EtsObject *o)
{
    return (int64_t)(sizeof *o / sizeof(Word) + o->words);
}

/* A copy of `tuple` of at most `limit` words; NULL when memory is refused. */
MUST_USE EtsObject *ets_object_new(Mem *mem, Term tuple, size_t limit);
/* A copy of an object with element `i` (from 0), which is a word like `value`, replaced. */
MUST_USE EtsObject *ets_object_with(Mem *mem, const EtsObject *from, size_t i, Term value);
void ets_object_free(Mem *mem, EtsObject *o);
/* The object is in no table any more. */
void ets_object_retire(EpochThread *epoch, Mem *mem, EtsObject *o);

/* A copy on `h`; TERM_NONE when memory is refused. */
Term ets_object_copy_out(Heap *h, const EtsObject *o);
/* The same of one element or part. */
Term ets_part_copy_out(Heap *h, Term part);
