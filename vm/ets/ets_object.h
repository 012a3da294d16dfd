/*
 * An object of a table: a closed copy of a tuple in one block of memory.
 *
 *   [EtsObject ...][tuple header][element 1] ... [what the elements point to ...]
 *
 * Immutable once it is in a table, but for its link.  It points to itself and to counted objects
 * only, never to literals, so no module has to ask the tables before it goes.  Whoever found
 * it in a table may look at it until its own next quiescent state (vm/base/epoch.h), and longer
 * after ets_object_hold; taken out, it is retired.  Design page: docs/design/ets.md.
 */
#pragma once

#include "vm/base/epoch.h"
#include "vm/term/copy.h"
#include "vm/term/heap.h"

typedef struct EtsLink EtsLink;
struct EtsLink {
    _Atomic(EtsLink *)
        next;       /* hash tables: the next in their order; the stripe's latch writes */
    uint64_t order; /* the hash turned round; the lowest bit is set in objects */
};

typedef struct EtsObject {
    EtsLink link;              /* first */
    uint64_t sequence;         /* hash tables: falls along objects of the same order */
    uint32_t words;            /* of data */
    uint16_t first_handle;     /* ets_object_handles */
    _Atomic(uint16_t) holders; /* besides the table */
    Word data[];
} EtsObject;

/* Of objects with more words than this the place of the first handle stands in a word behind them,
 * and what is done with them is done in slices. */
#define ETS_OBJECT_LARGE 4096

/* With a tuple of three words one cache line. */
_Static_assert(sizeof(EtsObject) == 32, "an object's head");
/* Words of the largest object. */
#define ETS_OBJECT_MAX UINT32_MAX

static inline bool ets_object_is_large(const EtsObject *o)
{
    return o->words > ETS_OBJECT_LARGE;
}
static inline size_t ets_object_bytes(size_t words)
{
    return sizeof(EtsObject) + (words + (words > ETS_OBJECT_LARGE ? 1 : 0)) * sizeof(Word);
}
/* Sets the list of counted objects, all of which are in data. */
static inline void ets_object_set_handles(EtsObject *o, const Word *first)
{
    size_t at = first == NULL ? 0 : (size_t)(first - o->data);
    o->first_handle = (uint16_t)at;
    if (ets_object_is_large(o)) o->data[o->words] = at;
}
/* Where in data the first of them is; 0: there is none. */
static inline size_t ets_object_handles(const EtsObject *o)
{
    return ets_object_is_large(o) ? o->data[o->words] : o->first_handle;
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
    return (int64_t)(ets_object_bytes(o->words) / sizeof(Word));
}

/* A copy of `tuple` of at most `limit` words; NULL when memory is refused. */
MUST_USE EtsObject *ets_object_new(Mem *mem, Term tuple, size_t limit);
/* The same of a tuple that is not large; else NULL and *large. */
MUST_USE EtsObject *ets_object_quick(Mem *mem, Term tuple, bool *large);
/* A copy of an object with element `i` (from 0), which is a word like `value`, replaced. */
MUST_USE EtsObject *ets_object_with(Mem *mem, const EtsObject *from, size_t i, Term value);
/* Frees it, or leaves that to the last holder. */
void ets_object_free(Mem *mem, EtsObject *o);
/* It stays readable until ets_object_drop, whatever becomes of the table.  False: too many hold it
 * already. */
MUST_USE bool ets_object_hold(EtsObject *o);
void ets_object_drop(Mem *mem, EtsObject *o);
/* The object is in no table any more. */
void ets_object_retire(EpochThread *epoch, Mem *mem, EtsObject *o);

/* A copy on `h`; TERM_NONE when memory is refused. */
Term ets_object_copy_out(Heap *h, const EtsObject *o);
/* The same of one element or part. */
Term ets_part_copy_out(Heap *h, Term part);

/* ---- in slices ---- */

/* A copy being made, which is what `object` points to once it is finished.  It stays where it was
 * begun; the tuple lies still meanwhile. */
typedef struct EtsMaking {
    CopyWalk copy;
    Heap area;
    EtsObject *object; /* NULL while its size is counted, when it was refused or taken */
    Mem *mem;
} EtsMaking;

void ets_making_begin(EtsMaking *m, Mem *mem, Term tuple, size_t limit);
/* Takes words handled from *budget; true: over, and m->object is the copy, or NULL: refused. */
MUST_USE bool ets_making_step(EtsMaking *m, size_t *budget);
/* Frees what was made and not taken (m->object set to NULL). */
void ets_making_end(EtsMaking *m);
