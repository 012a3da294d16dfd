/*
 * Pids, references and port ids, of this node and of others.
 *
 * A local pid or port is an immediate (term.h).  A local reference is a 64-bit number that is
 * never given twice; an alias carries the pid it leads to in a second word.  The number alone
 * decides equality and order.  Those of other nodes carry node and creation.  Values only; any
 * thread.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/term/heap.h"

#define PID_REF_MAX_IDS 5

/* Local reference with this number. */
Term pid_make_ref(Heap *h, uint64_t number);
static inline Term pid_ref_at(Word *at, uint64_t number)
{
    at[0] = header_make(KIND_REF, 1);
    at[1] = number;
    return boxed_from(at);
}
/* An alias of local process `pid`. */
Term pid_make_alias(Heap *h, uint64_t number, Term pid);
/* Of any local reference. */
static inline uint64_t pid_ref_number(Term t)
{
    return boxed_words(t)[boxed_kind(t) == KIND_FOREIGN ? 3 : 1];
}
/* An identifier (pid, port, reference) of another node. */
static inline bool pid_is_remote(Term t)
{
    return term_is_boxed(t) && boxed_kind(t) != KIND_REF && boxed_kind(t) != KIND_FOREIGN;
}
/* Of local references. */
static inline bool pid_ref_is_alias(Term t) { return header_words(boxed_header(t)) == 2; }
/* Pid behind an alias. */
static inline Term pid_ref_owner(Term t) { return TERM_RAW(boxed_words(t)[2]); }

Term pid_make_remote(Heap *h, Term node, uint32_t creation, uint32_t id, uint32_t serial);
Term pid_make_remote_port(Heap *h, Term node, uint32_t creation, uint64_t number);
/* `count` is 1 ... PID_REF_MAX_IDS. */
Term pid_make_remote_ref(Heap *h, Term node, uint32_t creation, size_t count,
                         const uint32_t *ids);

/* Node and creation of KIND_REMOTE_PID, _PORT, _REF. */
static inline Term pid_node(Term t) { return boxed_term(t, 0); }
static inline uint32_t pid_creation(Term t) { return (uint32_t)boxed_words(t)[2]; }
static inline uint32_t pid_remote_id(Term t) { return (uint32_t)boxed_words(t)[3]; }
static inline uint32_t pid_remote_serial(Term t) { return (uint32_t)(boxed_words(t)[3] >> 32); }
static inline uint64_t pid_remote_port(Term t) { return boxed_words(t)[3]; }

/* The two numbers that stand for a pid of any node in text and external form. */
void pid_numbers(Term pid, uint32_t *id, uint32_t *serial);
/* The 32-bit words that stand for a reference of any node, least significant first; returns how
 * many there are (at most PID_REF_MAX_IDS). */
size_t pid_ref_ids(Term ref, uint32_t ids[PID_REF_MAX_IDS]);
/* The local reference that those words stand for; false if they cannot come from
 * pid_ref_ids. */
MUST_USE bool pid_ref_from_ids(size_t count, const uint32_t *ids, uint64_t *number,
                               Term *owner);

/* Text forms: <0.1.2>, #Ref<0.1.2.3>, #Port<0.1>; the first number is 0 for this node, else the
 * index of the node's atom. */
void pid_print(Bytes *to, Term t);
/* Reads the text form of a local one, all of `text`; TERM_NONE if it is none. */
Term pid_read(const char *text, size_t length);
Term pid_read_port(const char *text, size_t length);
Term pid_read_ref(Heap *h, const char *text, size_t length);
