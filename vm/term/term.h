/*
 * The tagged word: every value of the language is one Term, a struct of one 64-bit word.
 *
 *   ...vvvv 00   small integer, 62 bits, value << 2; aligned code and C addresses read as smalls
 *   ...aaaa 01   cons cell: two words [head][tail], no header
 *   ...aaaa 10   boxed object: a header word, then its body
 *   ..... 0011   atom, index << 4
 *   ..... 0111   local pid: slot (28 bits) << 4, generation (32 bits) << 32
 *   ... 001011   constant: nil and the machine's own marks (never visible to programs)
 *   ... 011011   local port, number << 6
 *   ..... 1111   header of a boxed object: kind (6 bits) << 4, body size in words << 10
 *
 * A header is never a legal value, so a collector that meets one knows where it stands.  Kinds
 * below KIND_FIRST_RAW have bodies made of terms only (a pointer to a C object is aligned and
 * reads as a small integer); kinds from there on have bodies that nobody scans.
 *
 * Immutable once built, except where gc and the marked instructions of opcodes.def say.
 * Design page: docs/design/terms.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/base/config.h"
#include "vm/base/panic.h"

typedef uint64_t Word;

typedef struct Term {
    Word w;
} Term;

_Static_assert(sizeof(Term) == 8 && sizeof(void *) == 8, "Mote needs 64-bit words");

/* ---- tags ---- */

enum {
    TAG_SMALL = 0,
    TAG_CONS = 1,
    TAG_BOXED = 2,
    TAG_IMMEDIATE = 3,
    TAG_MASK = 3,

    TAG4_ATOM = 0x3,
    TAG4_PID = 0x7,
    TAG4_OTHER = 0xB,
    TAG4_HEADER = 0xF,
    TAG4_MASK = 0xF,

    TAG6_CONSTANT = 0x0B,
    TAG6_PORT = 0x1B,
    TAG6_MASK = 0x3F
};

#define TERM_RAW(word) ((Term){(Word)(word)})

/* The empty list. */
#define TERM_NIL TERM_RAW((Word)0 << 6 | TAG6_CONSTANT)
/* No value: absent, or "an exception was raised". */
#define TERM_NONE TERM_RAW((Word)1 << 6 | TAG6_CONSTANT)
/* In the head of a cons cell that the collector has moved; the tail is the new address. */
#define TERM_FORWARD TERM_RAW((Word)2 << 6 | TAG6_CONSTANT)
/* What checking builds write into dead slots. */
#define TERM_POISON TERM_RAW((Word)3 << 6 | TAG6_CONSTANT)
/* Result of a built-in that wants to be run again after its slice (vm/bif/bif.h). */
#define TERM_YIELD TERM_RAW((Word)4 << 6 | TAG6_CONSTANT)
/* Result of a built-in whose process now waits; it is run again when something wakes it. */
#define TERM_WAIT TERM_RAW((Word)5 << 6 | TAG6_CONSTANT)

static inline bool term_same(Term a, Term b) { return a.w == b.w; }
static inline bool term_is_nil(Term t) { return t.w == TERM_NIL.w; }
static inline bool term_is_none(Term t) { return t.w == TERM_NONE.w; }

static inline bool term_is_small(Term t) { return (t.w & TAG_MASK) == TAG_SMALL; }
static inline bool term_is_cons(Term t) { return (t.w & TAG_MASK) == TAG_CONS; }
static inline bool term_is_boxed(Term t) { return (t.w & TAG_MASK) == TAG_BOXED; }
static inline bool term_is_immediate(Term t) { return (t.w & TAG_MASK) == TAG_IMMEDIATE; }
/* Neither cons nor boxed: the word is the whole value. */
static inline bool term_is_atomic(Term t) { return ((t.w + 1) & 2) == 0; }
static inline bool term_is_atom(Term t) { return (t.w & TAG4_MASK) == TAG4_ATOM; }
static inline bool term_is_local_pid(Term t) { return (t.w & TAG4_MASK) == TAG4_PID; }
static inline bool term_is_local_port(Term t) { return (t.w & TAG6_MASK) == TAG6_PORT; }
static inline bool term_is_header(Term t) { return (t.w & TAG4_MASK) == TAG4_HEADER; }

/* ---- small integers ---- */

#define SMALL_BITS 62
#define SMALL_MAX  (((int64_t)1 << (SMALL_BITS - 1)) - 1)
#define SMALL_MIN  (-((int64_t)1 << (SMALL_BITS - 1)))

static inline bool small_fits(int64_t n) { return n >= SMALL_MIN && n <= SMALL_MAX; }
static inline Term small_from(int64_t n) { return TERM_RAW((Word)n << 2); }
static inline int64_t small_value(Term t) { return (int64_t)t.w >> 2; }
static inline bool term_both_small(Term a, Term b) { return ((a.w | b.w) & TAG_MASK) == 0; }

/* ---- atoms, local pids, local ports ---- */

static inline Term atom_from(uint32_t index) { return TERM_RAW((Word)index << 4 | TAG4_ATOM); }
static inline uint32_t atom_index(Term t) { return (uint32_t)(t.w >> 4); }

#define PID_SLOT_BITS 28

static inline Term pid_make(uint32_t slot, uint32_t generation)
{
    return TERM_RAW((Word)generation << 32 | (Word)slot << 4 | TAG4_PID);
}
static inline uint32_t pid_slot(Term t) { return (uint32_t)(t.w & 0xFFFFFFFFu) >> 4; }
static inline uint32_t pid_generation(Term t) { return (uint32_t)(t.w >> 32); }

static inline Term port_make(uint64_t number) { return TERM_RAW(number << 6 | TAG6_PORT); }
static inline uint64_t port_number(Term t) { return t.w >> 6; }

/* ---- cons cells ---- */

static inline Term *cons_cell(Term t)
{
    ASSERT(term_is_cons(t));
    return (Term *)(t.w - TAG_CONS);
}
static inline Term list_head(Term t) { return cons_cell(t)[0]; }
static inline Term list_tail(Term t) { return cons_cell(t)[1]; }
static inline Term cons_from(const Word *at) { return TERM_RAW((Word)at | TAG_CONS); }

/* ---- boxed objects ---- */

/* Laid out as the comments say; H: a handle outside the heap, linked into a list (heap.h). */
typedef enum Kind {
    /* The body is terms. */
    KIND_TUPLE,      /* [element 1] ... [element n] */
    KIND_MAP,        /* [keys: tuple, or nil when empty][value 1] ...; at most 32 (map.h) */
    KIND_HASHMAP,    /* [count: small][root: KIND_HAMT_NODE]; more than 32 keys */
    KIND_HAMT_NODE,  /* laid out in hamt.h; never a value of its own */
    KIND_FUN,        /* [FunEntry *][free variable 1] ... */
    KIND_EXPORT_FUN, /* [Export *] fun M:F/A */
    KIND_SUB_BINARY, /* [base: BINARY or SHARED_BINARY][offset in bits][size in bits]: smalls */
    KIND_MATCH_CONTEXT, /* [base: BINARY or SHARED_BINARY][position in bits][end]: smalls */
    KIND_REMOTE_FUN,    /* [module][index] ... [environment] of another node (fun.h) */
    /* Nobody scans the body. */
    KIND_BIG_POSITIVE,  /* GMP limbs, least significant first, no leading zero limb */
    KIND_BIG_NEGATIVE,  /* the same */
    KIND_FLOAT,         /* [IEEE double] */
    KIND_BINARY,        /* [size in bits][bytes ...]; at most 64 bytes outside literals */
    KIND_SHARED_BINARY, /* [next handle][Counted *][size in bits] H */
    KIND_REF,           /* [number] or, for an alias, [number][pid word] */
    KIND_REMOTE_PID,    /* [node atom][creation][id | serial << 32] */
    KIND_REMOTE_PORT,   /* [node atom][creation][number] */
    KIND_REMOTE_REF,    /* [node atom][creation][count][ids ...] */
    KIND_FOREIGN,       /* [next handle][Counted *][number] H; a reference to programs */
    KIND_FILLER,        /* dead words, so that a heap can be walked */
    KIND_COUNT,
    KIND_FIRST_RAW = KIND_BIG_POSITIVE
} Kind;

static inline Word header_make(Kind kind, size_t words)
{
    return (Word)words << 10 | (Word)kind << 4 | TAG4_HEADER;
}
static inline Kind header_kind(Word header) { return (Kind)(header >> 4 & 0x3F); }
/* Words of the body; the object takes one more. */
static inline size_t header_words(Word header) { return (size_t)(header >> 10); }
static inline bool kind_is_raw(Kind kind) { return kind >= KIND_FIRST_RAW; }

static inline Term boxed_from(const Word *at) { return TERM_RAW((Word)at | TAG_BOXED); }
/* The header word; the body starts at [1]. */
static inline Word *boxed_words(Term t)
{
    ASSERT(term_is_boxed(t));
    return (Word *)(t.w - TAG_BOXED);
}
static inline Word boxed_header(Term t) { return *boxed_words(t); }
static inline Kind boxed_kind(Term t) { return header_kind(boxed_header(t)); }
static inline Term boxed_term(Term t, size_t i) { return TERM_RAW(boxed_words(t)[1 + i]); }
static inline bool term_is_kind(Term t, Kind kind)
{
    return term_is_boxed(t) && boxed_kind(t) == kind;
}

/* ---- tuples ---- */

static inline bool term_is_tuple(Term t) { return term_is_kind(t, KIND_TUPLE); }
static inline size_t tuple_size(Term t) { return header_words(boxed_header(t)); }
/* Elements count from 0 here. */
static inline Term tuple_at(Term t, size_t i) { return boxed_term(t, i); }
static inline bool term_is_tuple_of(Term t, size_t n)
{
    return term_is_boxed(t) && boxed_header(t) == header_make(KIND_TUPLE, n);
}

/* ---- numbers ---- */

static inline bool term_is_float(Term t) { return term_is_kind(t, KIND_FLOAT); }
static inline double float_value(Term t)
{
    double d;
    __builtin_memcpy(&d, boxed_words(t) + 1, sizeof d);
    return d;
}
static inline bool term_is_big(Term t)
{
    return term_is_boxed(t)
           && (boxed_kind(t) == KIND_BIG_POSITIVE || boxed_kind(t) == KIND_BIG_NEGATIVE);
}
static inline bool term_is_integer(Term t) { return term_is_small(t) || term_is_big(t); }
static inline bool term_is_number(Term t) { return term_is_integer(t) || term_is_float(t); }

/* ---- other kinds ---- */

static inline bool term_is_list(Term t) { return term_is_cons(t) || term_is_nil(t); }
static inline bool term_is_map(Term t)
{
    return term_is_boxed(t) && (boxed_kind(t) == KIND_MAP || boxed_kind(t) == KIND_HASHMAP);
}
static inline bool term_is_fun(Term t)
{
    return term_is_boxed(t)
           && (boxed_kind(t) == KIND_FUN || boxed_kind(t) == KIND_EXPORT_FUN
               || boxed_kind(t) == KIND_REMOTE_FUN);
}
static inline bool term_is_pid(Term t)
{
    return term_is_local_pid(t) || term_is_kind(t, KIND_REMOTE_PID);
}
static inline bool term_is_port(Term t)
{
    return term_is_local_port(t) || term_is_kind(t, KIND_REMOTE_PORT);
}
/* A reference of this node: plain, alias, or one that leads to an object outside the heap. */
static inline bool term_is_local_ref(Term t)
{
    return term_is_boxed(t) && (boxed_kind(t) == KIND_REF || boxed_kind(t) == KIND_FOREIGN);
}
static inline bool term_is_ref(Term t)
{
    return term_is_local_ref(t) || term_is_kind(t, KIND_REMOTE_REF);
}
static inline bool term_is_bitstring(Term t)
{
    return term_is_boxed(t)
           && (boxed_kind(t) == KIND_BINARY || boxed_kind(t) == KIND_SHARED_BINARY
               || boxed_kind(t) == KIND_SUB_BINARY);
}
