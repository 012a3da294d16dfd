/*
 * A process's mailbox: an outer inbox that anybody pushes to, an inner queue and a cursor that are
 * the owner's alone.
 *
 *   outer:  newest first, linked by Message.next; one exchange takes it all, or closes it for ever
 *   inner:  a ring; last->next is the oldest.  cursor and mark name the message *before* their
 *           place, NULL the start of the queue
 *
 * Pushes of one sender arrive in their order.  Signals and messages travel together, so their order
 * between two processes is kept; vm/actor/signal.c sorts them when the owner looks.
 * Design page: docs/design/mailbox.md.
 */
#pragma once

#include "vm/base/atomic.h"
#include "vm/proc/message.h"

typedef struct Mailbox {
    _Atomic(Message *) outer; /* shared */
    Message *last;            /* newest of the inner queue, or NULL */
    Message *cursor;          /* receive looks at the one behind this */
    Message *mark;            /* where the marker `mark_number` points */
    uint32_t length;          /* inner */
    uint32_t mark_number;
} Mailbox;

_Static_assert(sizeof(Mailbox) == 40, "Process has 40 bytes for it");

void mailbox_init(Mailbox *b);

/* ---- any thread, under the epoch rule ---- */

/* Takes the message, unless the box is closed: then false, and the message is still the
 * caller's. */
MUST_USE bool mailbox_push(Mailbox *b, Message *m);
/* Something is in the outer inbox (closed counts as nothing). */
bool mailbox_has_outer(const Mailbox *b);

/* ---- the owner ---- */

/* All of the outer inbox, newest first, linked by next; NULL if empty. */
Message *mailbox_take_outer(Mailbox *b);
/* The same, and nothing can be pushed from now on. */
Message *mailbox_close(Mailbox *b);

/* What was taken and is being worked off: first turned round, then one by one.  While `newest` is
 * not NULL, `oldest` is the part that has been turned. */
typedef struct Intake {
    Message *newest;
    Message *oldest;
} Intake;

static inline bool intake_is_empty(const Intake *in)
{
    return in->newest == NULL && in->oldest == NULL;
}
/* The oldest message, which stays; NULL when there is none, or when turning round has used up the
 * budget (messages). */
Message *intake_first(Intake *in, size_t *budget);
/* The one that intake_first gave leaves. */
static inline void intake_drop_first(Intake *in) { in->oldest = in->oldest->next; }
/* Puts a message at the end of the inner queue. */
void mailbox_append(Mailbox *b, Message *m);

/* The message at the cursor, or NULL at the end of the inner queue.  m->value is readable as
 * it stands. */
static inline Message *mailbox_peek(const Mailbox *b)
{
    if (b->last == NULL || b->cursor == b->last) return NULL;
    return b->cursor == NULL ? b->last->next : b->cursor->next;
}
/* The message at the cursor leaves the queue, its terms become part of `h`; the cursor goes
 * to the start. Terms peeked stay where they are. */
void mailbox_accept(Mailbox *b, Heap *h);
/* The same without keeping it: the caller owns it. */
Message *mailbox_remove(Mailbox *b);
/* The cursor moves past the message it stands at. */
static inline void mailbox_next(Mailbox *b) { b->cursor = mailbox_peek(b); }
/* The cursor goes to the start. */
static inline void mailbox_rewind(Mailbox *b) { b->cursor = NULL; }

/* Marks the end of the inner queue; the result is what RECV_MARK gives.  Fetch the outer
 * inbox first. */
Term mailbox_mark(Mailbox *b);
/* The cursor starts at the marker; at the start if it is not the newest marker. */
void mailbox_from(Mailbox *b, Term marker);

static inline uint32_t mailbox_length(const Mailbox *b) { return b->length; }
/* The oldest message, for walks over the queue: while (m) { ... m = mailbox_after(b, m); } */
static inline Message *mailbox_first(const Mailbox *b)
{
    return b->last == NULL ? NULL : b->last->next;
}
static inline Message *mailbox_after(const Mailbox *b, const Message *m)
{
    return m == b->last ? NULL : m->next;
}
/* Debug builds: ring, length, cursor and mark agree. */
void mailbox_check(const Mailbox *b);
