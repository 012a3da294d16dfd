#include "vm/term/list.h"

#include "vm/base/utf8.h"

void list_add(ListBuilder *b, Term element)
{
    Word *at = term_is_none(element) ? NULL : heap_alloc(b->heap, 2);
    if (at == NULL) {
        b->failed = true;
        return;
    }
    Term cell = cons_at(at, element, TERM_NIL);
    if (b->last == NULL)
        b->first = cell;
    else
        b->last[1] = cell.w;
    b->last = at;
}

Term list_finish(ListBuilder *b, Term tail)
{
    if (b->failed) return TERM_NONE;
    if (b->last == NULL) return tail;
    b->last[1] = tail.w;
    return b->first;
}

int64_t list_length(Term list)
{
    int64_t n = 0;
    for (; term_is_cons(list); list = list_tail(list)) n++;
    return term_is_nil(list) ? n : -1;
}

bool list_length_step(Term *rest, int64_t *count, size_t *budget)
{
    Term at = *rest;
    size_t n = 0;
    while (term_is_cons(at) && n < *budget) {
        at = list_tail(at);
        n++;
    }
    *rest = at;
    *count += (int64_t)n;
    *budget -= n;
    return !term_is_cons(at);
}

Term list_from_array(Heap *h, const Term *elements, size_t n, Term tail)
{
    if (n == 0) return tail;
    Word *at = heap_alloc(h, n * 2);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++)
        cons_at(at + i * 2, elements[i], i + 1 < n ? cons_from(at + i * 2 + 2) : tail);
    return cons_from(at);
}

Term list_from_bytes(Heap *h, const uint8_t *bytes, size_t n, Term tail)
{
    if (n == 0) return tail;
    Word *at = heap_alloc(h, n * 2);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++)
        cons_at(at + i * 2, small_from(bytes[i]), i + 1 < n ? cons_from(at + i * 2 + 2) : tail);
    return cons_from(at);
}

Term list_from_utf8(Heap *h, const uint8_t *text, size_t bytes, Term tail)
{
    size_t n = utf8_count(text, bytes);
    if (n == 0) return tail;
    Word *at = heap_alloc(h, n * 2);
    if (at == NULL) return TERM_NONE;
    Word *cell = at;
    for (size_t i = 0; i < n; i++, cell += 2) {
        uint32_t c = 0;
        int step = utf8_decode(text, bytes, &c);
        ASSERT(step > 0);
        text += step;
        bytes -= (size_t)step;
        cons_at(cell, small_from(c), i + 1 < n ? cons_from(cell + 2) : tail);
    }
    return cons_from(at);
}

Term list_from_text(Heap *h, const char *text)
{
    return list_from_utf8(h, (const uint8_t *)text, __builtin_strlen(text), TERM_NIL);
}

Term list_reverse(Heap *h, Term list, Term tail)
{
    for (; term_is_cons(list); list = list_tail(list)) {
        tail = heap_cons(h, list_head(list), tail);
        if (term_is_none(tail)) return tail;
    }
    return term_is_nil(list) ? tail : TERM_NONE;
}

bool list_to_bytes(Term list, Bytes *to)
{
    size_t before = to->count;
    for (; term_is_cons(list); list = list_tail(list)) {
        Term t = list_head(list);
        if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > 255) break;
        bytes_put_u8(to, (uint8_t)small_value(t));
    }
    if (term_is_nil(list)) return true;
    to->count = before;
    return false;
}

bool list_to_utf8(Term list, Bytes *to)
{
    size_t before = to->count;
    for (; term_is_cons(list); list = list_tail(list)) {
        Term t = list_head(list);
        if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > 0x10FFFF) break;
        uint8_t utf8[UTF8_MAX];
        int n = utf8_encode((uint32_t)small_value(t), utf8);
        if (n == 0) break;
        bytes_put(to, utf8, (size_t)n);
    }
    if (term_is_nil(list)) return true;
    to->count = before;
    return false;
}
