#include "vm/gc/evac.h"

/* Where an object at `from` goes: old generation if it was there at the last collection. */
static Word **evac_destination(Evac *e, const Word *from)
{
    bool mature = from >= e->mature_start && from < e->mature_end;
    return mature ? &e->old_top : &e->to_top;
}

Term evac_cons(Evac *e, Term t)
{
    Word *from = (Word *)cons_cell(t);
    if (from[0] == TERM_FORWARD.w) return TERM_RAW(from[1]);
    Word **top = evac_destination(e, from);
    Word *to = *top;
    *top = to + 2;
    to[0] = from[0];
    to[1] = from[1];
    Term moved = cons_from(to);
    from[0] = TERM_FORWARD.w;
    from[1] = moved.w;
    return moved;
}

Term evac_boxed(Evac *e, Term t)
{
    Word *from = boxed_words(t);
    Word header = from[0];
    if ((header & TAG_MASK) == TAG_BOXED) return TERM_RAW(header);
    ASSERT(term_is_header(TERM_RAW(header)));
    size_t words = header_words(header) + 1;
    Word **top = evac_destination(e, from);
    Word *to = *top;
    *top = to + words;
    for (size_t i = 0; i < words; i++) to[i] = from[i];
    Term moved = boxed_from(to);
    from[0] = moved.w;
    return moved;
}

static Word *evac_scan(Evac *e, Word *at, Word *const *top)
{
    while (at < *top) {
        Term t = TERM_RAW(*at);
        if (term_is_header(t)) {
            at += 1 + (kind_is_raw(header_kind(t.w)) ? header_words(t.w) : 0);
            continue;
        }
        evac_slot(e, at);
        at++;
    }
    return at;
}

void evac_drain(Evac *e)
{
    while (e->to_scan < e->to_top || e->old_scan < e->old_top) {
        e->to_scan = evac_scan(e, e->to_scan, &e->to_top);
        e->old_scan = evac_scan(e, e->old_scan, &e->old_top);
    }
}

Word *evac_moved_to(const Word *handle)
{
    return (handle[0] & TAG_MASK) == TAG_BOXED ? boxed_words(TERM_RAW(handle[0])) : NULL;
}
