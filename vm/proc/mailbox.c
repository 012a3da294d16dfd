#include "vm/proc/mailbox.h"

/* In `outer` once the process is dying: nothing can be pushed any more. */
#define MAILBOX_CLOSED ((Message *)(uintptr_t)8)

void mailbox_init(Mailbox *b)
{
    atomic_init(&b->outer, NULL);
    b->last = NULL;
    b->cursor = NULL;
    b->mark = NULL;
    b->length = 0;
    b->mark_number = 0;
}

bool mailbox_push(Mailbox *b, Message *m)
{
    Message *newest = atomic_load_relaxed(&b->outer);
    do {
        if (newest == MAILBOX_CLOSED) return false;
        m->next = newest;
        /* Pairs with the acquire in mailbox_take_outer; sequentially consistent because the
         * pusher looks at the state word next (state.h). */
    } while (!atomic_cas_seq(&b->outer, &newest, m));
    return true;
}

bool mailbox_has_outer(const Mailbox *b)
{
    /* Pairs with mailbox_push when the owner has just written WAITING (state.h). */
    Message *newest = atomic_load_seq(&b->outer);
    return newest != NULL && newest != MAILBOX_CLOSED;
}

Message *mailbox_take_outer(Mailbox *b)
{
    Message *newest = atomic_load_relaxed(&b->outer);
    if (newest == NULL || newest == MAILBOX_CLOSED) return NULL;
    /* Pairs with the release in mailbox_push. */
    return atomic_swap_acquire(&b->outer, NULL);
}

Message *mailbox_close(Mailbox *b)
{
    Message *newest = atomic_swap_acq_rel(&b->outer, MAILBOX_CLOSED);
    return newest == MAILBOX_CLOSED ? NULL : newest;
}

Message *intake_first(Intake *in, size_t *budget)
{
    while (in->newest != NULL) {
        if (*budget == 0) return NULL;
        --*budget;
        Message *m = in->newest;
        in->newest = m->next;
        m->next = in->oldest;
        in->oldest = m;
    }
    return in->oldest;
}

void mailbox_append(Mailbox *b, Message *m)
{
    if (b->last == NULL) {
        m->next = m;
    } else {
        m->next = b->last->next;
        b->last->next = m;
    }
    b->last = m;
    b->length++;
}

Message *mailbox_remove(Mailbox *b)
{
    Message *before = b->cursor == NULL ? b->last : b->cursor;
    Message *m = before->next;
    if (before == m) {
        b->last = NULL;
    } else {
        before->next = m->next;
        if (b->last == m) b->last = before;
    }
    if (b->mark == m) b->mark = b->cursor;
    b->cursor = NULL;
    b->length--;
    m->next = NULL;
    return m;
}

void mailbox_accept(Mailbox *b, Heap *h) { message_adopt(mailbox_remove(b), h); }

Term mailbox_mark(Mailbox *b)
{
    b->mark = b->last;
    b->mark_number++;
    return small_from(b->mark_number);
}

void mailbox_from(Mailbox *b, Term marker)
{
    b->cursor = term_same(marker, small_from(b->mark_number)) ? b->mark : NULL;
}

void mailbox_check(const Mailbox *b)
{
    uint32_t n = 0;
    bool cursor_seen = b->cursor == NULL;
    bool mark_seen = b->mark == NULL;
    for (const Message *m = mailbox_first(b); m != NULL; m = mailbox_after(b, m)) {
        n++;
        cursor_seen = cursor_seen || m == b->cursor;
        mark_seen = mark_seen || m == b->mark;
        CHECK(n <= b->length);
    }
    CHECK(n == b->length && cursor_seen && mark_seen);
}
