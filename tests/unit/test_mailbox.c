/* The mailbox alone: order, cursor, marker, closing, many producers. */
#include "tests/unit/unit.h"

#include "vm/base/thread.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/proctab.h"

static Message *message(int64_t n)
{
    Heap area;
    Message *m = message_open(NULL, SIGNAL_MESSAGE, 0, &area);
    message_close(m, &area, small_from(n));
    return m;
}

static void fetch(Mailbox *b)
{
    Intake in = {.newest = mailbox_take_outer(b)};
    size_t budget = SIZE_MAX;
    for (Message *m; (m = intake_first(&in, &budget)) != NULL;) {
        intake_drop_first(&in);
        mailbox_append(b, m);
    }
    mailbox_check(b);
}

static int64_t peeked(const Mailbox *b)
{
    Message *m = mailbox_peek(b);
    return m == NULL ? -1 : small_value(m->value);
}

static int64_t accepted(Mailbox *b)
{
    Heap h;
    heap_init_detached(&h, NULL);
    int64_t n = peeked(b);
    mailbox_accept(b, &h);
    mailbox_check(b);
    heap_release(&h);
    return n;
}

static void fill(Mailbox *b, int64_t from, int64_t to)
{
    for (int64_t n = from; n <= to; n++) EXPECT(mailbox_push(b, message(n)));
    fetch(b);
}

static void drain(Mailbox *b)
{
    mailbox_rewind(b);
    while (mailbox_peek(b) != NULL) (void)accepted(b);
    EXPECT_EQ(mailbox_length(b), 0);
}

TEST(order_is_kept)
{
    Mailbox b;
    mailbox_init(&b);
    EXPECT(!mailbox_has_outer(&b));
    fill(&b, 1, 100);
    EXPECT_EQ(mailbox_length(&b), 100);
    for (int64_t n = 1; n <= 100; n++) EXPECT_EQ(accepted(&b), n);
    EXPECT(mailbox_peek(&b) == NULL);
}

TEST(the_cursor_skips_and_starts_again)
{
    Mailbox b;
    mailbox_init(&b);
    fill(&b, 1, 5);
    mailbox_next(&b);
    mailbox_next(&b);
    EXPECT_EQ(accepted(&b), 3);
    EXPECT_EQ(peeked(&b), 1);
    for (int i = 0; i < 4; i++) mailbox_next(&b);
    EXPECT(mailbox_peek(&b) == NULL);
    fill(&b, 6, 6);
    EXPECT_EQ(peeked(&b), 6);
    EXPECT_EQ(accepted(&b), 6);
    EXPECT_EQ(accepted(&b), 1);
    mailbox_next(&b);
    mailbox_next(&b);
    EXPECT_EQ(accepted(&b), 5);
    drain(&b);
}

TEST(a_marker_skips_what_was_there)
{
    Mailbox b;
    mailbox_init(&b);
    fill(&b, 1, 3);
    Term marker = mailbox_mark(&b);
    fill(&b, 4, 5);
    mailbox_from(&b, marker);
    EXPECT_EQ(peeked(&b), 4);
    EXPECT_EQ(accepted(&b), 4);
    /* The message that the marker stands behind leaves: the marker moves to the one before. */
    mailbox_next(&b);
    mailbox_next(&b);
    EXPECT_EQ(accepted(&b), 3);
    mailbox_from(&b, marker);
    EXPECT_EQ(peeked(&b), 5);
    /* An older marker than the newest: from the start. */
    (void)mailbox_mark(&b);
    mailbox_from(&b, marker);
    EXPECT_EQ(peeked(&b), 1);
    drain(&b);
    marker = mailbox_mark(&b);
    fill(&b, 7, 8);
    mailbox_from(&b, marker);
    EXPECT_EQ(peeked(&b), 7);
    drain(&b);
}

TEST(closed_is_closed)
{
    Mailbox b;
    mailbox_init(&b);
    EXPECT(mailbox_push(&b, message(1)));
    Message *left = mailbox_close(&b);
    EXPECT(left != NULL && left->next == NULL);
    message_free(left, NULL);
    Message *late = message(2);
    EXPECT(!mailbox_push(&b, late));
    message_free(late, NULL);
    EXPECT(mailbox_take_outer(&b) == NULL);
    EXPECT(mailbox_close(&b) == NULL);
    EXPECT(!mailbox_has_outer(&b));
}

/* ---- many producers, one consumer ---- */

#define PRODUCERS 4

typedef struct Producer {
    Thread thread;
    Mailbox *box;
    int64_t number;
} Producer;

static void produce(void *arg)
{
    Producer *p = arg;
    for (int64_t i = 0; i < UNIT_SIZE(20000); i++)
        if (!mailbox_push(p->box, message(p->number << 32 | i))) abort();
}

TEST(producers_do_not_lose_or_reorder)
{
    Mailbox b;
    mailbox_init(&b);
    Producer producers[PRODUCERS];
    int64_t next[PRODUCERS] = {0};
    for (int64_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (Producer){.box = &b, .number = i};
        EXPECT(thread_start(&producers[i].thread, "producer", produce, &producers[i], 0));
    }
    for (int64_t left = PRODUCERS * (int64_t)UNIT_SIZE(20000); left > 0;) {
        Intake in = {.newest = mailbox_take_outer(&b)};
        while (!intake_is_empty(&in)) {
            size_t budget = 7; /* turned round in pieces */
            Message *m = intake_first(&in, &budget);
            if (m == NULL) continue;
            intake_drop_first(&in);
            left--;
            int64_t n = small_value(m->value);
            if ((n & 0xFFFFFFFF) != next[n >> 32]++) unit_fail(__FILE__, __LINE__, "order");
            message_free(m, NULL);
        }
    }
    for (size_t i = 0; i < PRODUCERS; i++) thread_join(&producers[i].thread);
    EXPECT(!mailbox_has_outer(&b));
}

/* ---- payload ---- */

TEST(an_accepted_payload_becomes_a_fragment)
{
    Mailbox b;
    Heap h;
    Heap area;
    mailbox_init(&b);
    heap_init_detached(&h, NULL);
    Message *m = message_open(NULL, SIGNAL_MESSAGE, 3, &area);
    Word *at = heap_take(&area, 3);
    at[0] = header_make(KIND_TUPLE, 2);
    at[1] = small_from(7).w;
    at[2] = small_from(8).w;
    message_close(m, &area, boxed_from(at));
    EXPECT_EQ(message_words(m), 3);
    EXPECT(mailbox_push(&b, m));
    fetch(&b);
    Term t = mailbox_peek(&b)->value;
    mailbox_accept(&b, &h);
    EXPECT(h.fragments != NULL);
    EXPECT_EQ(header_kind(h.fragments->data[0]), KIND_FILLER);
    EXPECT_EQ(1 + header_words(h.fragments->data[0]) + 3, h.fragments->used);
    EXPECT_EQ(small_value(tuple_at(t, 1)), 8);
    heap_release(&h);
}
