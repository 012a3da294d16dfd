/*
 * What travels between processes: a message or another signal, with the terms it carries.
 *
 *   one block:  [HeapFragment: next words used][Message ...][payload words ...]
 *                                              ^ HeapFragment.data
 *
 * The payload is closed: it points to itself, to literals and to counted objects only
 * (machine.md 5).  Copies of literals that left (message_expel) are in further fragments, chained
 * by HeapFragment.next.  When a message is accepted its block becomes a fragment of the receiver's
 * heap, the record in front turned into a KIND_FILLER, so nothing is copied again; a message
 * without payload is freed instead.
 * A message belongs to one thread at a time: its maker, then (once pushed) the receiving process.
 */
#pragma once

#include "vm/proc/context.h"
#include "vm/term/heap.h"

typedef enum SignalKind {
    SIGNAL_MESSAGE,       /* value */
    SIGNAL_EXIT_LINK,     /* from, value: reason; the link breaks */
    SIGNAL_EXIT,          /* from, value: reason; exit/2 */
    SIGNAL_LINK,          /* from */
    SIGNAL_UNLINK,        /* from, number: id to acknowledge */
    SIGNAL_UNLINK_ACK,    /* from, number */
    SIGNAL_MONITOR,       /* from, number: the reference; value: name used, or nil */
    SIGNAL_DEMONITOR,     /* from, number */
    SIGNAL_DOWN,          /* from, number, value: reason */
    SIGNAL_ALIAS_MESSAGE, /* number: the alias sent to; value */
    SIGNAL_INFO,          /* from, number: request; value: item or list of items */
    SIGNAL_ALIVE,         /* from, number: request */
    SIGNAL_REPLY,         /* number: request; value: answer */
    SIGNAL_GROUP_LEADER,  /* value */
    SIGNAL_COLLECT, /* from, number: request; value: minor or major; a none from: no answer */
    SIGNAL_SUSPEND, /* from, number: request or 0 */
    SIGNAL_RESUME,  /* from */
    SIGNAL_CHECK_CODE, /* from, number: request, or 0; value: module, or {Module, Id, Step} and
                          a message {check_process_code, Id, Answer} is the answer */
    SIGNAL_SAVE_CALLS, /* from, number: request; value: how many; the answer: how many it was */
    SIGNAL_KIND_COUNT
} SignalKind;

typedef struct Message Message;
struct Message {
    /* Becomes the header that hides this record.  Until then 0, or of a message with many handles
     * the address of the last, whose link is what they weigh: so accepting takes no time. */
    Word filler;
    Message *next;
    Term value;      /* what it says: in the payload, or immediate, or a literal */
    Word *handles;   /* counted objects of the payload */
    uint32_t kind;   /* SignalKind */
    uint32_t record; /* words of the record: a signal that became a message keeps its own */
};

/* A signal that is not a plain message has two words more, in front of its payload. */
typedef struct Signal {
    Message message;
    Term from; /* a pid of another node lies in the payload */
    uint64_t number;
} Signal;

#define MESSAGE_WORDS (sizeof(Message) / sizeof(Word))
#define SIGNAL_WORDS  (sizeof(Signal) / sizeof(Word))

static inline HeapFragment *message_fragment(Message *m)
{
    return (HeapFragment *)(void *)((char *)m - offsetof(HeapFragment, data));
}
static inline Signal *message_signal(Message *m)
{
    ASSERT(m->kind != SIGNAL_MESSAGE);
    return (Signal *)(void *)m;
}

/*
 * A message or signal with a copy of `value` (taken as it is when immediate or a literal).
 * Does not collect.  NULL when the budget refuses the memory.
 */
MUST_USE Message *message_new(RunContext *rc, Term value);
MUST_USE Signal *message_new_signal(RunContext *rc, SignalKind kind, Term from, uint64_t number,
                                    Term value);
/* A sender of another node takes so many spare words. */
size_t message_sender_words(Term from);
void message_set_sender(Signal *s, Term from);
/* Words that an EXIT or DOWN signal has spare, to become a message in place:
 * message_take_spare. */
#define MESSAGE_SPARE_EXIT 4
#define MESSAGE_SPARE_DOWN 12
Word *message_take_spare(Message *m, size_t words);
/* The same with room for `words` words that the caller fills: *area gets a heap over them,
 * from which terms are built (area->top, area->limit); close it with message_close.  What
 * does not fit is an error. */
MUST_USE Message *message_open(Mem *mem, SignalKind kind, size_t words, Heap *area);
/* With `spare` words behind those, for message_take_spare. */
MUST_USE Message *message_open_with(Mem *mem, SignalKind kind, size_t words, size_t spare,
                                    Heap *area);
void message_close(Message *m, const Heap *area, Term value);
/* The same for a payload with perhaps many handles: `last` ends their list, unless it is empty. */
void message_close_long(Message *m, const Heap *area, Term value, Word *last);
/* Most words that one message may carry under the account's budget. */
size_t message_limit(const Mem *mem);

/* Its payload becomes part of `h` (a fragment) or, without payload, is freed.  m->value
 * stays valid. */
void message_adopt(Message *m, Heap *h);
/* Lets it hold copies of the literals that leave, in fragments chained to its own.  False: no
 * memory; what is left of them must not be looked at. */
MUST_USE bool message_expel(Message *m, const LiteralRange *literals, Mem *mem);
/* The same for what nobody can be made to answer for: the budget grows if it must. */
void message_expel_surely(Message *m, const LiteralRange *literals, Mem *mem);
/* Drops it with all it holds. */
void message_free(Message *m, Mem *mem);
/* The same for a process's message, in no time: what holds much becomes garbage of `h`. */
void message_drop(Message *m, Heap *h);
/* Words of payload. */
size_t message_words(Message *m);
