#include "vm/proc/message.h"

#include "vm/gc/expel.h"

static size_t record_words(SignalKind kind)
{
    return kind == SIGNAL_MESSAGE ? MESSAGE_WORDS : SIGNAL_WORDS;
}

/* Signals that turn into messages need room for the tuple around what they carry. */
static size_t spare_words(SignalKind kind)
{
    if (kind == SIGNAL_EXIT || kind == SIGNAL_EXIT_LINK) return MESSAGE_SPARE_EXIT;
    return kind == SIGNAL_DOWN ? MESSAGE_SPARE_DOWN : 0;
}

static size_t fragment_bytes(size_t words)
{
    return sizeof(HeapFragment) + words * sizeof(Word);
}

size_t message_limit(const Mem *mem)
{
    size_t budget = mem == NULL ? 0 : mem_budget(mem);
    return budget == 0 ? ((size_t)1 << 40) : budget / sizeof(Word);
}

Message *message_open(Mem *mem, SignalKind kind, size_t words, Heap *area)
{
    return message_open_with(mem, kind, words, 0, area);
}

Message *message_open_with(Mem *mem, SignalKind kind, size_t words, size_t spare, Heap *area)
{
    size_t record = record_words(kind);
    spare += spare_words(kind);
    HeapFragment *f = mem_try_alloc(mem, MEM_HEAP, fragment_bytes(record + words + spare));
    if (f == NULL) return NULL;
    f->next = NULL;
    f->words = record + words + spare;
    f->used = record;
    Message *m = (Message *)(void *)((char *)f + offsetof(HeapFragment, data));
    m->filler = 0;
    m->next = NULL;
    m->value = TERM_NIL;
    m->handles = NULL;
    m->kind = kind;
    m->record = (uint32_t)record;
    Word *start = f->data + record;
    *area = (Heap){.top = start, .limit = start + words, .mem = mem};
    return m;
}

void message_close(Message *m, const Heap *area, Term value)
{
    HeapFragment *f = message_fragment(m);
    ASSERT(area->fragments == NULL);
    f->used = (size_t)(area->top - f->data);
    m->handles = area->handles;
    m->value = value;
}

void message_close_long(Message *m, const Heap *area, Term value, Word *last)
{
    message_close(m, area, value);
    if (m->handles == NULL) return;
    ASSERT(last[1] == 0);
    last[1] = area->handle_bytes;
    m->filler = (Word)(uintptr_t)last;
}

/* Opens a record of that kind and copies `value` behind it, with `spare` words behind that. */
static Message *message_make(RunContext *rc, SignalKind kind, size_t spare, Term value)
{
    size_t words = 0;
    if (!term_is_atomic(value)) {
        words = copy_size(value, message_limit(rc->mem), &rc->literals);
        if (words == COPY_TOO_LARGE) return NULL;
        rc->reductions -= (int64_t)(words / 4);
    }
    Heap area;
    Message *m = message_open_with(rc->mem, kind, words, spare, &area);
    if (m == NULL) return NULL;
    if (words > 0) {
        Word *at = heap_take(&area, words);
        value = copy_into(&area, at, words, value, &rc->literals);
    }
    message_close(m, &area, value);
    return m;
}

Message *message_new(RunContext *rc, Term value)
{
    return message_make(rc, SIGNAL_MESSAGE, 0, value);
}

size_t message_sender_words(Term from)
{
    return term_is_boxed(from) ? 1 + header_words(boxed_header(from)) : 0;
}

void message_set_sender(Signal *s, Term from)
{
    size_t words = message_sender_words(from);
    s->from = from;
    if (words == 0) return;
    Word *at = message_take_spare(&s->message, words);
    for (size_t i = 0; i < words; i++) at[i] = boxed_words(from)[i];
    s->from = boxed_from(at);
}

Signal *message_new_signal(RunContext *rc, SignalKind kind, Term from, uint64_t number,
                           Term value)
{
    ASSERT(kind != SIGNAL_MESSAGE);
    Message *m = message_make(rc, kind, message_sender_words(from), value);
    if (m == NULL) return NULL;
    Signal *s = (Signal *)(void *)m;
    message_set_sender(s, from);
    s->number = number;
    return s;
}

/* The last handle, and what all of them weigh. */
static Word *message_weigh(const Message *m, uint64_t *bytes)
{
    Word *last = (Word *)(uintptr_t)m->filler;
    *bytes = 0;
    if (last != NULL) {
        *bytes = last[1];
        return last;
    }
    for (Word *at = m->handles; at != NULL; at = (Word *)(uintptr_t)at[1]) {
        *bytes += ((Counted *)(uintptr_t)at[2])->bytes;
        last = at;
    }
    return last;
}

void message_adopt(Message *m, Heap *h)
{
    HeapFragment *f = message_fragment(m);
    HeapFragment *end = f;
    while (UNLIKELY(end->next != NULL)) {
        end = end->next;
        h->fragment_words += end->used;
    }
    if (f->used == m->record && end == f) {
        ASSERT(m->handles == NULL);
        mem_free(h->mem, MEM_HEAP, f, fragment_bytes(f->words));
        return;
    }
    if (m->handles != NULL) {
        uint64_t bytes;
        Word *last = message_weigh(m, &bytes);
        h->handle_bytes += bytes;
        last[1] = (Word)(uintptr_t)h->handles;
        h->handles = m->handles;
    }
    m->filler = header_make(KIND_FILLER, m->record - 1);
    end->next = h->fragments;
    h->fragments = f;
    h->fragment_words += f->used;
}

void message_free(Message *m, Mem *mem)
{
    HeapFragment *f = message_fragment(m);
    if (m->filler != 0) ((Word *)(uintptr_t)m->filler)[1] = 0;
    heap_drop_handles(m->handles);
    for (HeapFragment *next; f != NULL; f = next) {
        next = f->next;
        mem_free(mem, MEM_HEAP, f, fragment_bytes(f->words));
    }
}

void message_drop(Message *m, Heap *h)
{
    if (m->filler != 0)
        message_adopt(m, h);
    else
        message_free(m, h->mem);
}

size_t message_words(Message *m)
{
    const HeapFragment *f = message_fragment(m);
    size_t words = f->used - m->record;
    while ((f = f->next) != NULL) words += f->used;
    return words;
}

static void message_take_over(Message *m, const Heap *copies)
{
    HeapFragment *f = message_fragment(m);
    while (f->next != NULL) f = f->next;
    f->next = copies->fragments;
    Word *last = copies->handles;
    if (last == NULL) return;
    while (last[1] != 0) last = (Word *)(uintptr_t)last[1];
    if (m->filler != 0) ((Word *)(uintptr_t)m->filler)[1] += copies->handle_bytes;
    last[1] = (Word)(uintptr_t)m->handles;
    m->handles = copies->handles;
}

bool message_expel(Message *m, const LiteralRange *literals, Mem *mem)
{
    HeapFragment *f = message_fragment(m);
    Heap copies;
    Expel e;
    heap_init_detached(&copies, mem);
    expel_begin(&e, *literals, &copies, NULL);
    expel_slot(&e, &m->value.w);
    expel_words(&e, f->data + m->record, f->data + f->used);
    while ((f = f->next) != NULL) expel_words(&e, f->data, f->data + f->used);
    message_take_over(m, &copies);
    return expel_end(&e);
}

#define MESSAGE_BUDGET_STEP ((size_t)64 << 10)

void message_expel_surely(Message *m, const LiteralRange *literals, Mem *mem)
{
    while (!message_expel(m, literals, mem)) mem_insist(mem, MESSAGE_BUDGET_STEP);
}

Word *message_take_spare(Message *m, size_t words)
{
    HeapFragment *f = message_fragment(m);
    CHECK(f->words - f->used >= words);
    Word *at = f->data + f->used;
    f->used += words;
    return at;
}
