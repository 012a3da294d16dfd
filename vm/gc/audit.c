#include "vm/gc/audit.h"

typedef struct Audit {
    const GcSpace *space;
    const HeapFragment *alone; /* a message's fragment: the only memory besides literals */
    LiteralRange literals;
    bool from_old;
} Audit;

static bool audit_in(const Word *at, const Word *start, const Word *end)
{
    return start != NULL && at >= start && at < end;
}

static bool audit_in_fragments(const HeapFragment *f, const Word *at)
{
    for (; f != NULL; f = f->next)
        if (audit_in(at, f->data, f->data + f->used)) return true;
    return false;
}

static bool audit_in_young(const Audit *a, const Word *at)
{
    if (a->alone != NULL) return audit_in(at, a->alone->data, a->alone->data + a->alone->used);
    const GcSpace *s = a->space;
    return audit_in(at, s->block, s->heap->top) || audit_in_fragments(s->heap->fragments, at);
}

static bool audit_is_remembered(const OldGeneration *old, const Word *slot)
{
    for (uint32_t i = 0; i < old->remembered_count; i++)
        if (old->remembered[i] == slot) return true;
    return false;
}

static void audit_word(const Audit *a, const Word *slot)
{
    Term t = TERM_RAW(*slot);
    if (term_is_atomic(t)) {
        if (term_is_immediate(t) && !term_is_header(t)) {
            bool mark = (t.w & TAG6_MASK) == TAG6_CONSTANT && !term_is_nil(t);
            CHECK(!mark);
        }
        return;
    }
    const Word *at = (const Word *)(t.w & ~(Word)TAG_MASK);
    if (audit_in(at, a->literals.start, a->literals.end)) return;
    const OldGeneration *old = a->space == NULL ? NULL : a->space->old;
    if (old != NULL && audit_in(at, old->start, old->top)) return;
    CHECK(audit_in_young(a, at));
    CHECK(!a->from_old || audit_is_remembered(old, slot));
    if (term_is_boxed(t)) CHECK(term_is_header(TERM_RAW(*at)));
    if (term_is_cons(t)) CHECK(!term_is_header(TERM_RAW(*at)));
}

static void audit_range(const Audit *a, const Word *at, const Word *end)
{
    while (at < end) {
        Term t = TERM_RAW(*at);
        if (term_is_header(t)) {
            CHECK(header_kind(t.w) < KIND_COUNT);
            CHECK(header_words(t.w) < (size_t)(end - at));
            at += 1 + (kind_is_raw(header_kind(t.w)) ? header_words(t.w) : 0);
        } else {
            audit_word(a, at);
            at++;
        }
    }
    CHECK(at == end);
}

static void audit_handles(const Word *handles, const Word *start, const Word *end,
                          const HeapFragment *fragments)
{
    for (; handles != NULL; handles = (const Word *)handles[1]) {
        CHECK(audit_in(handles, start, end) || audit_in_fragments(fragments, handles));
        Kind kind = header_kind(handles[0]);
        CHECK(kind == KIND_SHARED_BINARY || kind == KIND_FOREIGN);
    }
}

void audit_space(const GcSpace *s)
{
    Audit a = {.space = s, .literals = s->literals};
    CHECK(s->heap->top >= s->block && s->heap->top <= s->stack_low);
    CHECK(s->high_water <= (size_t)(s->heap->top - s->block));
    audit_range(&a, s->block, s->heap->top);
    for (const HeapFragment *f = s->heap->fragments; f != NULL; f = f->next)
        audit_range(&a, f->data, f->data + f->used);
    audit_handles(s->heap->handles, s->block, s->heap->top, s->heap->fragments);
    const OldGeneration *old = s->old;
    if (old == NULL || old->start == NULL) return;
    a.from_old = true;
    audit_range(&a, old->start, old->top);
    audit_handles(old->handles, old->start, old->top, NULL);
}

void audit_fragment(const HeapFragment *f, LiteralRange literals)
{
    Audit a = {.alone = f, .literals = literals};
    audit_range(&a, f->data, f->data + f->used);
}
