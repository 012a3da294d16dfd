#include "vm/term/heap.h"

#include "vm/base/mem.h"

/* Fragments grow with what a heap already has in them, so that a large result built piece by
 * piece needs few. */
#define FRAGMENT_MIN_WORDS  62
#define FRAGMENT_MAX_GROWTH ((size_t)1 << 16)

void counted_drop(Counted *object)
{
    /* Release: our writes happen before another holder's release.  Acquire: the last holder
     * sees them all before it frees. */
    if (atomic_sub_acq_rel(&object->references, 1) == 1) object->release(object);
}

static size_t fragment_bytes(size_t words)
{
    return sizeof(HeapFragment) + words * sizeof(Word);
}

Word *heap_take_fragment(Heap *h, size_t words)
{
    HeapFragment *f = h->fragments;
    if (f == NULL || f->words - f->used < words) {
        size_t wanted = h->fragment_words;
        if (wanted > FRAGMENT_MAX_GROWTH) wanted = FRAGMENT_MAX_GROWTH;
        if (wanted < FRAGMENT_MIN_WORDS) wanted = FRAGMENT_MIN_WORDS;
        if (wanted < words) wanted = words;
        if (wanted > (SIZE_MAX >> 4)) return NULL;
        f = mem_try_alloc(h->mem, MEM_HEAP, fragment_bytes(wanted));
        if (f == NULL) return NULL;
        f->next = h->fragments;
        f->words = wanted;
        f->used = 0;
        h->fragments = f;
    }
    Word *at = f->data + f->used;
    f->used += words;
    h->fragment_words += words;
    return at;
}

void heap_shrink(Heap *h, Word *at, size_t had, size_t keep)
{
    if (had == keep) return;
    HeapFragment *f = h->fragments;
    if (at + had == h->top) {
        h->top = at + keep;
    } else if (f != NULL && at + had == f->data + f->used) {
        f->used -= had - keep;
        h->fragment_words -= had - keep;
    } else {
        at[keep] = header_make(KIND_FILLER, had - keep - 1);
    }
}

size_t heap_drop_handles(Word *handles)
{
    size_t n = 0;
    while (handles != NULL) {
        Word *next = (Word *)(uintptr_t)handles[1];
        counted_drop((Counted *)(uintptr_t)handles[2]);
        handles = next;
        n++;
    }
    return n;
}

void heap_free_fragment(Heap *h)
{
    HeapFragment *f = h->fragments;
    h->fragments = f->next;
    mem_free(h->mem, MEM_HEAP, f, fragment_bytes(f->words));
}

void heap_free_fragments(Heap *h)
{
    while (h->fragments != NULL) heap_free_fragment(h);
    h->fragment_words = 0;
}

void heap_init_detached(Heap *h, Mem *mem) { *h = (Heap){.mem = mem}; }

void heap_splice(Heap *to, Heap *from)
{
    HeapFragment **end = &from->fragments;
    while (*end != NULL) end = &(*end)->next;
    *end = to->fragments;
    to->fragments = from->fragments;
    to->fragment_words += from->fragment_words;
    Word *last = from->handles;
    while (last != NULL && last[1] != 0) last = (Word *)(uintptr_t)last[1];
    if (last != NULL) {
        last[1] = (Word)(uintptr_t)to->handles;
        to->handles = from->handles;
    }
    to->handle_bytes += from->handle_bytes;
    heap_init_detached(from, from->mem);
}

void heap_release(Heap *h)
{
    heap_drop_handles(h->handles);
    h->handles = NULL;
    h->handle_bytes = 0;
    heap_free_fragments(h);
}

Term heap_tuple(Heap *h, size_t n, const Term *elements)
{
    for (size_t i = 0; i < n; i++)
        if (UNLIKELY(term_is_none(elements[i]))) return TERM_NONE;
    Word *at = heap_alloc(h, n + 1);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_TUPLE, n);
    for (size_t i = 0; i < n; i++) at[i + 1] = elements[i].w;
    return boxed_from(at);
}

Term heap_int64(Heap *h, int64_t value)
{
    if (small_fits(value)) return small_from(value);
    Word *at = heap_alloc(h, 2);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(value < 0 ? KIND_BIG_NEGATIVE : KIND_BIG_POSITIVE, 1);
    at[1] = value < 0 ? 0 - (Word)value : (Word)value;
    return boxed_from(at);
}

Term heap_uint64(Heap *h, uint64_t value)
{
    if (value <= (uint64_t)SMALL_MAX) return small_from((int64_t)value);
    Word *at = heap_alloc(h, 2);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_BIG_POSITIVE, 1);
    at[1] = value;
    return boxed_from(at);
}
