/*
 * Regular expressions: what the built-ins of module re are made of.
 *
 *   RePattern   a compiled pattern behind a reference; counted, read by any thread
 *   ReOptions   what a list of options says
 *   ReRun       one search, from the subject to the places found
 *
 * A search begins on the worker with limits that keep it within some 100 us, and goes on in
 * slices. What needs more (a long subject, much backtracking) is one job of the blocking pool; a
 * ReRun holds all that the job touches, so that its process may die or collect meanwhile.
 * Design page: docs/design/library.md.
 */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8

#include "vm/base/atomic.h"
#include "vm/base/bytes.h"
#include "vm/base/vec.h"
#include "vm/bif/bif_job.h"

#include <pcre2.h>

/* ---- patterns ---- */

/* What compiling depends on. */
typedef struct ReHow {
    uint32_t flags;   /* PCRE2_CASELESS ... */
    uint32_t newline; /* PCRE2_NEWLINE_LF ..., 0: line feed; RE_NEWLINE_BAD: no such */
    uint32_t bsr;     /* PCRE2_BSR_UNICODE ..., 0: Unicode; RE_BSR_BAD: both were asked for */
} ReHow;

#define RE_NEWLINE_BAD 99
#define RE_BSR_BAD     3

/* Memory of one search at a time, kept with its pattern between searches. */
typedef struct ReScratch {
    Mem *mem;
    pcre2_match_data *data;
    pcre2_match_context *context;
} ReScratch;

typedef struct RePattern {
    Counted counted; /* first */
    Mem *mem;
    pcre2_code *code;
    ReHow how;
    Bytes source;
    uint32_t groups;
    bool unicode; /* asked for by option: subjects are characters */
    bool utf;     /* that, or asked for by the pattern itself */
    bool crlf;    /* CR LF may be one end of a line */
    _Atomic(ReScratch *) spare;
} RePattern;

/* Why a pattern does not compile: a code of PCRE2, or 0 when memory was refused. */
typedef struct ReFault {
    int code;
    size_t at;
} ReFault;

#define RE_FAULT_OPTIONS 1000 /* of our own: options that exclude each other */

/* A new pattern with one reference; NULL and a fault. */
RePattern *re_pattern_new(Mem *mem, const uint8_t *source, size_t n, const ReHow *how,
                          ReFault *fault);
/* The same on a worker, which keeps those it compiled last: programs that search with texts do not
 * compile the same one again and again. */
RePattern *re_pattern_kept(RunContext *run, const uint8_t *source, size_t n, const ReHow *how,
                           ReFault *fault);
/* The pattern behind a reference, borrowed; NULL if there is none. */
RePattern *re_pattern_of(Term t);
/* Memory for a search with it; NULL when it is refused. Given back with re_scratch_return. */
ReScratch *re_scratch_take(RePattern *pattern);
void re_scratch_return(RePattern *pattern, ReScratch *scratch);
/* What a fault means, as text into `to`. */
void re_fault_text(const ReFault *fault, char *to, size_t room);

/* ---- options ---- */

typedef enum ReCapture {
    RE_CAPTURE_ALL,
    RE_CAPTURE_ALL_BUT_FIRST,
    RE_CAPTURE_ALL_NAMES,
    RE_CAPTURE_FIRST,
    RE_CAPTURE_NONE,
    RE_CAPTURE_LIST
} ReCapture;

typedef enum ReType { RE_TYPE_INDEX, RE_TYPE_LIST, RE_TYPE_BINARY } ReType;

typedef struct ReOptions {
    ReHow how;
    bool compiles; /* an option stands there that only compiling knows */
    bool runs;     /* one that only searching knows */
    bool global;
    bool report_errors;
    uint32_t flags; /* of the search: PCRE2_NOTBOL ... */
    size_t offset;
    uint32_t match_limit;
    uint32_t depth_limit;
    ReCapture capture;
    ReType type;
    Term list; /* RE_CAPTURE_LIST: numbers and names, checked */
} ReOptions;

/* False: it is no list of options. */
bool re_options(Process *p, Term list, ReOptions *o);

/* ---- searching ---- */

typedef enum ReStatus {
    RE_RUNNING,
    RE_TOO_LONG, /* more work than a worker should do: for the pool */
    RE_DONE,
    RE_NO_PATTERN, /* it does not compile: see the fault */
    RE_NO_SUBJECT, /* not UTF-8 */
    RE_MATCH_LIMIT,
    RE_DEPTH_LIMIT,
    RE_NO_MEMORY
} ReStatus;

typedef struct ReRun {
    Job job; /* first */
    Mem *mem;
    bool kept;          /* stands outside the C stack */
    bool submitted;     /* the pool has it */
    bool checked;       /* pattern compiled, subject looked at */
    RePattern *pattern; /* one reference, or NULL: to be compiled from `source` */
    Bytes source;
    ReHow how;
    ReFault fault;
    ReScratch *scratch; /* while it runs */
    const uint8_t *subject;
    size_t size;
    Counted *held;       /* keeps the subject, or NULL */
    Bytes own;           /* the subject, when it was made for this search */
    bool subject_is_own; /* then it is characters for sure */
    bool compile_only;
    bool global;
    bool retry; /* after an empty match: once more at the same place */
    uint32_t flags;
    uint32_t match_limit;
    uint32_t depth_limit;
    size_t at;    /* where the search goes on */
    size_t empty; /* where the empty match was */
    size_t pairs; /* of a match that are kept: 0 ... groups + 1 */
    size_t most;  /* matches, then it ends; 0: no bound */
    size_t rows;
    VEC(size_t) places; /* per match: pairs that are set, then `pairs` times start and end */
    ReStatus status;
} ReRun;

/* The slot, behind the arguments, that holds a kept search. */
ReRun *re_run_at(const Process *p, size_t slot_index);
/* Frees what it holds, not the record. */
void re_run_clear(ReRun *r);
/* Goes on until the slice is spent, or it ends, or is RE_TOO_LONG. */
void re_run_slice(Process *p, ReRun *r);
/* Puts it outside the C stack and into the slot; NULL when memory is refused (it is cleared). */
ReRun *re_run_keep(Process *p, size_t slot_index, ReRun *r);
/* Hands it to the pool; what the built-in returns for now. */
BifResult re_run_submit(Process *p, size_t slot_index, ReRun *r);

/* ---- results ---- */

/* What a search found, as terms; a BifResult. Uses the slots from `slots` on. */
BifResult re_result(Process *p, ReRun *r, const ReOptions *o, size_t slots);
/* {Text, Position} of a fault; TERM_NONE: no memory. */
Term re_fault_term(Process *p, const ReFault *fault);

/* Behind the arguments. */
enum { RE_SLOT_RUN, RE_SLOT_LIST, RE_SLOT_LEFT, RE_SLOT_SUBJECT, RE_SLOT_BEGUN, RE_SLOTS };
