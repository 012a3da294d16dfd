/*
 * Where terms are built: a bump area, and fragments when the area is full.
 *
 * A Heap belongs to one process, one message or one C caller; only its owner touches it.
 * Nothing here ever collects, so terms and pointers stay put while a Heap is in use (machine.md
 * 1, 2).
 *
 *   area:       [start ....used.... top ....free.... limit)      limit is set by the owner
 *   fragments:  newest first, each its own block of memory: [HeapFragment][words ...]
 *   handles:    KIND_SHARED_BINARY and KIND_FOREIGN objects, linked through body word 0;
 *               each handle is on exactly one list (machine.md 6)
 *
 * Design page: docs/design/heap-and-gc.md.
 */
#pragma once

#include "vm/base/atomic.h"
#include "vm/term/term.h"

typedef struct Mem Mem; /* vm/base/mem.h: the account that pays for fragments */

/* An object outside all heaps, shared by reference count: a large binary, a foreign pointer. */
typedef struct Counted Counted;
struct Counted {
    _Atomic uint64_t references;
    void (*release)(Counted *object); /* called once, by whoever dropped the last reference */
    uint64_t bytes;                   /* what it weighs in the virtual heap of each holder */
};

static inline void counted_retain(Counted *object)
{
    atomic_add_relaxed(&object->references, 1);
}
/* Drops one reference; releases the object when it was the last. */
void counted_drop(Counted *object);

typedef struct HeapFragment HeapFragment;
struct HeapFragment {
    HeapFragment *next;
    size_t words; /* room in `data` */
    size_t used;  /* words of `data` that hold terms, from 0 */
    Word data[];
};

typedef struct Heap {
    Word *top;               /* next free word of the area */
    Word *limit;             /* the area may be used up to here */
    HeapFragment *fragments; /* newest first */
    Word *handles;           /* header of the first handle, or NULL */
    uint64_t handle_bytes;   /* virtual heap: counted bytes behind `handles` */
    uint64_t fragment_words; /* words used in fragments */
    Mem *mem;
} Heap;

static inline size_t heap_room(const Heap *h)
{
    return h->limit > h->top ? (size_t)(h->limit - h->top) : 0;
}

/* Take `words` words from the bump area.  The caller has reserved them: running short is a
 * bug. */
static inline Word *heap_take(Heap *h, size_t words)
{
    ASSERT(words <= heap_room(h));
    Word *at = h->top;
    h->top += words;
    return at;
}

/* Room for `words` words from a new fragment (or the newest one with room). NULL when memory is
 * refused. */
Word *heap_take_fragment(Heap *h, size_t words);

/*
 * Room for `words` words, from the area when it has them, else from a fragment.  Never
 * collects. Returns NULL only when the allocator refuses: then the caller raises system_limit.
 */
static inline Word *heap_alloc(Heap *h, size_t words)
{
    if (LIKELY(words <= heap_room(h))) return heap_take(h, words);
    return heap_take_fragment(h, words);
}

/* Gives back the end of what was just taken: of `had` words at `at`, the first `keep` stay;
 * what cannot be given back becomes a filler. */
void heap_shrink(Heap *h, Word *at, size_t had, size_t keep);

/* Puts a finished handle object (KIND_SHARED_BINARY, KIND_FOREIGN) on the heap's list. */
static inline void heap_add_handle(Heap *h, Word *handle, uint64_t bytes)
{
    handle[1] = (Word)h->handles;
    h->handles = handle;
    h->handle_bytes += bytes;
}

/* Drops the counted objects of a list of handles; returns how many there were. */
size_t heap_drop_handles(Word *handles);
/* Frees fragments (not what their handles hold): all, or the newest, which there is. */
void heap_free_fragments(Heap *h);
void heap_free_fragment(Heap *h);

/* A heap without an area: everything goes to fragments.  For messages, compilers and tests. */
void heap_init_detached(Heap *h, Mem *mem);
/* All that a detached heap has becomes part of `to`, where it is; `from` is empty then. */
void heap_splice(Heap *to, Heap *from);
/* Drops handles and fragments of a detached heap. */
void heap_release(Heap *h);

/* ---- building; all take from `heap_alloc` unless `_at` names the place ---- */

/* cons, or TERM_NONE when memory is refused; likewise below.  What is built from TERM_NONE, which
 * an earlier refusal gave, is TERM_NONE too. */
static inline Term cons_at(Word *at, Term head, Term tail)
{
    at[0] = head.w;
    at[1] = tail.w;
    return cons_from(at);
}
static inline Term heap_cons(Heap *h, Term head, Term tail)
{
    if (UNLIKELY(term_is_none(head) || term_is_none(tail))) return TERM_NONE;
    Word *at = heap_alloc(h, 2);
    return at == NULL ? TERM_NONE : cons_at(at, head, tail);
}
static inline Term float_at(Word *at, double value)
{
    at[0] = header_make(KIND_FLOAT, 1);
    __builtin_memcpy(at + 1, &value, sizeof value);
    return boxed_from(at);
}
static inline Term heap_float(Heap *h, double value)
{
    Word *at = heap_alloc(h, 2);
    return at == NULL ? TERM_NONE : float_at(at, value);
}
/* A tuple from `n` elements in memory. */
Term heap_tuple(Heap *h, size_t n, const Term *elements);
static inline Term heap_tuple2(Heap *h, Term a, Term b)
{
    return heap_tuple(h, 2, (const Term[]){a, b});
}
static inline Term heap_tuple3(Heap *h, Term a, Term b, Term c)
{
    return heap_tuple(h, 3, (const Term[]){a, b, c});
}
/* An integer of any 64-bit value: small if it fits, else big. */
Term heap_int64(Heap *h, int64_t value);
Term heap_uint64(Heap *h, uint64_t value);
