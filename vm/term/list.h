/* Lists: building, measuring, reversing, and the way from and to C arrays and text.
 * One thread per heap; nothing here collects.  A memory refusal gives TERM_NONE. */
#pragma once

#include "vm/base/bytes.h"
#include "vm/term/heap.h"

/* Builds a list from front to back:
 *     ListBuilder b = list_builder(h);
 *     list_add(&b, x); ...
 *     Term all = list_finish(&b, TERM_NIL);      TERM_NONE if memory was refused on the way
 * The last cell's tail is nil meanwhile, so the heap stays walkable. */
typedef struct ListBuilder {
    Heap *heap;
    Term first;
    Word *last; /* newest cell, or NULL */
    bool failed;
} ListBuilder;

static inline ListBuilder list_builder(Heap *h)
{
    return (ListBuilder){h, TERM_NIL, NULL, false};
}
void list_add(ListBuilder *b, Term element);
Term list_finish(ListBuilder *b, Term tail);

/* Elements of a proper list, or -1 for anything else.  O(n). */
int64_t list_length(Term list);
/* At most `budget` cells: advances *rest and *count; true when the end (proper or not) is
 * reached. */
bool list_length_step(Term *rest, int64_t *count, size_t *budget);

/* `n` elements from memory, in front of `tail`. */
Term list_from_array(Heap *h, const Term *elements, size_t n, Term tail);
/* Small integers from bytes, in front of `tail`. */
Term list_from_bytes(Heap *h, const uint8_t *bytes, size_t n, Term tail);
/* One small integer per character of valid UTF-8. */
Term list_from_utf8(Heap *h, const uint8_t *text, size_t bytes, Term tail);
/* The same from a C string in UTF-8. */
Term list_from_text(Heap *h, const char *text);
/* The elements of a proper list turned round, in front of `tail`; TERM_NONE also if
 * improper. */
Term list_reverse(Heap *h, Term list, Term tail);

/* Appends a list of bytes (0 ... 255) to `to`; false if it is no such list (`to` is then as
 * before). */
MUST_USE bool list_to_bytes(Term list, Bytes *to);
/* Appends a list of characters as UTF-8; false if it is no such list. */
MUST_USE bool list_to_utf8(Term list, Bytes *to);
