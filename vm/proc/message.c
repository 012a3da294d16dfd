#include "vm/proc/message.h"

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
    size_t record = record_words(kind);
    size_t spare = spare_words(kind);
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

/* Opens a record of that kind and copies `value` behind it. */
static Message *message_make(RunContext *rc, SignalKind kind, Term value)
{
    size_t words = 0;
    if (!term_is_atomic(value)) {
        words = copy_size(value, message_limit(rc->mem), &rc->literals);
        if (words == COPY_TOO_LARGE) return NULL;
        rc->reductions -= (int64_t)(words / 4);
    }
    Heap area;
    Message *m = message_open(rc->mem, kind, words, &area);
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
    return message_make(rc, SIGNAL_MESSAGE, value);
}

Signal *message_new_signal(RunContext *rc, SignalKind kind, Term from, uint64_t number,
                           Term value)
{
    ASSERT(kind != SIGNAL_MESSAGE);
    Message *m = message_make(rc, kind, value);
    if (m == NULL) return NULL;
    Signal *s = (Signal *)(void *)m;
    s->from = from;
    s->number = number;
    return s;
}

void message_adopt(Message *m, Heap *h)
{
    HeapFragment *f = message_fragment(m);
    if (f->used == m->record) {
        ASSERT(m->handles == NULL);
        mem_free(h->mem, MEM_HEAP, f, fragment_bytes(f->words));
        return;
    }
    Word *last = NULL;
    for (Word *at = m->handles; at != NULL; at = (Word *)(uintptr_t)at[1]) {
        h->handle_bytes += ((Counted *)(uintptr_t)at[2])->bytes;
        last = at;
    }
    if (last != NULL) {
        last[1] = (Word)(uintptr_t)h->handles;
        h->handles = m->handles;
    }
    m->filler = header_make(KIND_FILLER, m->record - 1);
    f->next = h->fragments;
    h->fragments = f;
    h->fragment_words += f->used;
}

void message_free(Message *m, Mem *mem)
{
    HeapFragment *f = message_fragment(m);
    heap_drop_handles(m->handles);
    mem_free(mem, MEM_HEAP, f, fragment_bytes(f->words));
}

size_t message_words(Message *m) { return message_fragment(m)->used - m->record; }

Word *message_take_spare(Message *m, size_t words)
{
    HeapFragment *f = message_fragment(m);
    CHECK(f->words - f->used >= words);
    Word *at = f->data + f->used;
    f->used += words;
    return at;
}
