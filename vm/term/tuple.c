#include "vm/term/tuple.h"

#include <string.h>

Term tuple_fill(Heap *h, size_t n, Term element)
{
    Word *at = heap_alloc(h, n + 1);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++) at[i + 1] = element.w;
    return tuple_at_words(at, n);
}

Term tuple_with(Heap *h, Term tuple, size_t i, Term element)
{
    size_t n = tuple_size(tuple);
    ASSERT(i < n);
    Word *at = heap_alloc(h, n + 1);
    if (at == NULL) return TERM_NONE;
    memcpy(at, boxed_words(tuple), (n + 1) * sizeof(Word));
    at[i + 1] = element.w;
    return boxed_from(at);
}

Term tuple_insert(Heap *h, Term tuple, size_t i, Term element)
{
    size_t n = tuple_size(tuple);
    ASSERT(i <= n);
    Word *at = heap_alloc(h, n + 2);
    if (at == NULL) return TERM_NONE;
    const Word *from = boxed_words(tuple) + 1;
    memcpy(at + 1, from, i * sizeof(Word));
    at[i + 1] = element.w;
    memcpy(at + i + 2, from + i, (n - i) * sizeof(Word));
    return tuple_at_words(at, n + 1);
}

Term tuple_without(Heap *h, Term tuple, size_t i)
{
    size_t n = tuple_size(tuple);
    ASSERT(i < n);
    Word *at = heap_alloc(h, n);
    if (at == NULL) return TERM_NONE;
    const Word *from = boxed_words(tuple) + 1;
    memcpy(at + 1, from, i * sizeof(Word));
    memcpy(at + 1 + i, from + i + 1, (n - i - 1) * sizeof(Word));
    return tuple_at_words(at, n - 1);
}

Term tuple_from_list(Heap *h, Term list, size_t n)
{
    Word *at = heap_alloc(h, n + 1);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++, list = list_tail(list)) at[i + 1] = list_head(list).w;
    return tuple_at_words(at, n);
}

Term tuple_to_list(Heap *h, Term tuple)
{
    size_t n = tuple_size(tuple);
    if (n == 0) return TERM_NIL;
    Word *at = heap_alloc(h, n * 2);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++)
        cons_at(at + i * 2, tuple_at(tuple, i),
                i + 1 < n ? cons_from(at + i * 2 + 2) : TERM_NIL);
    return cons_from(at);
}

Term heap_tuple4(Heap *h, Term a, Term b, Term c, Term d)
{
    return heap_tuple(h, 4, (const Term[]){a, b, c, d});
}

Term heap_tuple5(Heap *h, Term a, Term b, Term c, Term d, Term e)
{
    return heap_tuple(h, 5, (const Term[]){a, b, c, d, e});
}
