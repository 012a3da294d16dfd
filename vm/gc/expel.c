#include "vm/gc/expel.h"

void expel_begin(Expel *e, LiteralRange literals, Heap *heap, OldGeneration *old)
{
    *e = (Expel){.literals = literals, .heap = heap, .old = old};
    htab_init(&e->moved, heap->mem, MEM_WORK);
    walk_init(&e->unseen, heap->mem);
}

bool expel_end(Expel *e)
{
    htab_free(&e->moved);
    walk_free(&e->unseen);
    return !e->refused;
}

/* The words of an object: cells have no header. */
static size_t expel_size(Term t)
{
    return term_is_cons(t) ? 2 : 1 + header_words(boxed_header(t));
}

/* A copy still points to literals, unless nobody looks into it anyway. */
static void expel_note(Expel *e, Term t, Word *to, size_t words)
{
    if (term_is_boxed(t) && kind_is_raw(boxed_kind(t))) return;
    walk_push(&e->unseen, (Word)(uintptr_t)to);
    walk_push(&e->unseen, words);
}

static Word *expel_object(Expel *e, Term t, const Word *from)
{
    size_t words = expel_size(t);
    Word *to = heap_take_fragment(e->heap, words);
    if (to == NULL) return NULL;
    for (size_t i = 0; i < words; i++) to[i] = from[i];
    if (term_is_kind(t, KIND_SHARED_BINARY) || term_is_kind(t, KIND_FOREIGN)) {
        Counted *object = (Counted *)(uintptr_t)to[2];
        counted_retain(object);
        heap_add_handle(e->heap, to, object->bytes);
    }
    expel_note(e, t, to, words);
    return to;
}

/* Points the slot to the copy, made now if this is the first time. */
static void expel_redirect(Expel *e, Word *slot)
{
    Term t = TERM_RAW(*slot);
    Word tag = t.w & TAG_MASK;
    const Word *from = (const Word *)(uintptr_t)(t.w & ~(Word)TAG_MASK);
    bool added;
    HtabValue *moved = htab_put(&e->moved, (uint64_t)(uintptr_t)from, &added);
    if (added) moved->ptr = expel_object(e, t, from);
    if (moved->ptr == NULL)
        e->refused = true;
    else
        *slot = (Word)(uintptr_t)moved->ptr | tag;
}

static bool expel_leaves(const Expel *e, Word word)
{
    return !term_is_atomic(TERM_RAW(word))
           && literal_is_leaving(&e->literals, (const void *)(word & ~(Word)TAG_MASK));
}

void expel_literal(Expel *e, Word *slot)
{
    if (e->refused) return;
    expel_redirect(e, slot);
    while (!walk_is_empty(&e->unseen) && !e->refused) {
        size_t words = walk_pop(&e->unseen);
        Word *at = (Word *)(uintptr_t)walk_pop(&e->unseen);
        for (size_t i = 0; i < words && !e->refused; i++)
            if (expel_leaves(e, at[i])) expel_redirect(e, &at[i]);
    }
}

void expel_words(Expel *e, Word *at, const Word *end)
{
    while (at < end) {
        Term t = TERM_RAW(*at);
        if (term_is_header(t) && kind_is_raw(header_kind(t.w)))
            at += header_words(t.w);
        else
            expel_slot(e, at);
        at++;
    }
}

static void expel_old(Expel *e, OldGeneration *old)
{
    for (Word *at = old->start; at < old->top && !e->refused; at++) {
        Term t = TERM_RAW(*at);
        if (term_is_header(t) && kind_is_raw(header_kind(t.w))) {
            at += header_words(t.w);
        } else if (expel_leaves(e, t.w)) {
            if (!gc_remember(old, at, e->heap->mem)) e->refused = true;
            expel_literal(e, at);
        }
    }
}

void expel_generations(Expel *e, Word *block)
{
    expel_words(e, block, e->heap->top);
    /* Fragments that copies make come before those that were there. */
    for (HeapFragment *f = e->heap->fragments; f != NULL; f = f->next)
        expel_words(e, f->data, f->data + f->used);
    if (e->old != NULL) expel_old(e, e->old);
}
