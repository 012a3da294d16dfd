/* Searching with a regular expression: on the worker in small steps, or to the end on the pool. */
#include "vm/bif/bif_re.h"

#include "vm/base/utf8.h"
#include "vm/bif/bif_foreign.h"
#include "vm/term/binary.h"

#include <string.h>

/* Bytes of a subject in characters that a worker looks through; of a pattern that it compiles. */
#define RE_NEAR        65536
#define RE_NEAR_SOURCE 2048
/* The same in characters: a range of them without case may take 30 us. */
#define RE_NEAR_CHARACTERS 256
/* Starting points times bytes of the subject that a worker tries: each point may cost as many
 * steps as there are bytes, about 1 ns each. */
#define RE_WORK 250000
/* Starting points times calls of the matcher. */
#define RE_CALLS 10000
/* Bytes of a subject in which a worker searches: a match that does not look beyond them is the
 * same in the whole subject. */
#define RE_WINDOW 4096

void re_run_clear(ReRun *r)
{
    if (r->scratch != NULL) re_scratch_return(r->pattern, r->scratch);
    if (r->pattern != NULL) counted_drop(&r->pattern->counted);
    if (r->held != NULL) counted_drop(r->held);
    bytes_free(&r->source);
    bytes_free(&r->own);
    VEC_FREE(&r->places);
    r->scratch = NULL;
    r->pattern = NULL;
    r->held = NULL;
}

static void re_run_release(Counted *object)
{
    ReRun *r = (ReRun *)object;
    re_run_clear(r);
    mem_free(r->mem, MEM_WORK, r, sizeof *r);
}

ReRun *re_run_at(const Process *p, size_t slot_index)
{
    Counted *object = bif_foreign_of(slot(p, slot_index));
    return object != NULL && object->release == re_run_release ? (ReRun *)object : NULL;
}

/* ---- one match ---- */

/* The limits that bound the work of one match on a worker: where the subject ends for it, the last
 * starting point, the number of calls, which is counted anew at each starting point. */
typedef struct ReBounds {
    size_t end;
    size_t starts;
    uint32_t calls;
} ReBounds;

static ReBounds re_bounds(const ReRun *r)
{
    ReBounds b = {.end = r->size};
    if (r->size - r->at > RE_WINDOW) {
        b.end = r->at + RE_WINDOW;
        if (r->pattern->utf)
            while (b.end > r->at && (r->subject[b.end] & 0xC0) == 0x80) b.end--;
    }
    size_t left = b.end - r->at;
    b.starts = RE_WORK / (left + 1);
    if (b.starts > left + 1) b.starts = left + 1;
    b.calls = (uint32_t)(RE_CALLS / b.starts);
    if (b.calls < 10) b.calls = 10;
    return b;
}

static ReStatus re_status(int code)
{
    switch (code) {
    case PCRE2_ERROR_MATCHLIMIT: return RE_MATCH_LIMIT;
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT: return RE_DEPTH_LIMIT;
    case PCRE2_ERROR_NOMEMORY: return RE_NO_MEMORY;
    default: return RE_DONE; /* no match, or what comes to the same */
    }
}

/* The number of pairs that are set, or 0 with a status. */
static size_t re_match(ReRun *r, uint32_t flags, bool bounded)
{
    ReBounds b = {.end = r->size, .starts = PCRE2_UNSET, .calls = r->match_limit};
    if (bounded) b = re_bounds(r);
    if (b.calls > r->match_limit) b.calls = r->match_limit;
    bool all = b.end == r->size && b.starts > r->size - r->at;
    pcre2_match_context *context = r->scratch->context;
    (void)pcre2_set_match_limit(context, b.calls);
    (void)pcre2_set_depth_limit(context, r->depth_limit);
    (void)pcre2_set_offset_limit(context, all ? PCRE2_UNSET : r->at + b.starts);
    flags |= r->flags | PCRE2_NO_UTF_CHECK;
    bool anchored = (flags & PCRE2_ANCHORED) != 0;
    if (b.end < r->size) flags |= PCRE2_PARTIAL_HARD;
    static const uint8_t nothing[1];
    int n = pcre2_match(r->pattern->code, r->size > 0 ? r->subject : nothing, b.end, r->at,
                        flags, r->scratch->data, context);
    if (n > 0) return (size_t)n;
    r->status = re_status(n);
    if (r->status == RE_MATCH_LIMIT && b.calls < r->match_limit) r->status = RE_TOO_LONG;
    if (n == PCRE2_ERROR_PARTIAL || (n == PCRE2_ERROR_NOMATCH && !all && !anchored))
        r->status = RE_TOO_LONG;
    return 0;
}

/* ---- one match after the other ---- */

static void re_add(ReRun *r, size_t set)
{
    r->rows++;
    if (r->pairs == 0) return;
    const size_t *v = pcre2_get_ovector_pointer(r->scratch->data);
    if (set > r->pairs) set = r->pairs;
    VEC_RESERVE(&r->places, 1 + 2 * r->pairs);
    VEC_PUSH(&r->places, set);
    for (size_t i = 0; i < 2 * r->pairs; i++)
        VEC_PUSH(&r->places, i < 2 * set ? v[i] : PCRE2_UNSET);
}

/* The place one character behind `at`; CR LF is one where it may end a line. */
static size_t re_forward(const ReRun *r, size_t at)
{
    const uint8_t *s = r->subject;
    if (at >= r->size) return at + 1;
    if (r->pattern->crlf && s[at] == '\r' && at + 1 < r->size && s[at + 1] == '\n')
        return at + 2;
    at++;
    if (r->pattern->unicode)
        while (at < r->size && (s[at] & 0xC0) == 0x80) at++;
    return at;
}

/* The first try at a place. */
static void re_step_search(ReRun *r, bool bounded)
{
    if (r->at > r->size) {
        r->status = RE_DONE;
        return;
    }
    size_t set = re_match(r, 0, bounded);
    if (set == 0) return;
    re_add(r, set);
    if (!r->global || r->rows == r->most) {
        r->status = RE_DONE;
        return;
    }
    const size_t *v = pcre2_get_ovector_pointer(r->scratch->data);
    if (v[1] > v[0] && v[1] > r->at) {
        r->at = v[1];
    } else {
        r->retry = true;
        r->empty = v[0];
    }
}

/* After an empty match: is there one at the same place that is not empty? */
static void re_step_retry(ReRun *r, bool bounded)
{
    size_t set = re_match(r, PCRE2_ANCHORED | PCRE2_NOTEMPTY_ATSTART, bounded);
    if (set == 0 && r->status != RE_DONE) return;
    size_t next = re_forward(r, r->empty);
    if (set > 0) {
        re_add(r, set);
        const size_t *v = pcre2_get_ovector_pointer(r->scratch->data);
        if (v[1] > v[0]) next = r->empty + (v[1] - v[0]);
    }
    if (next <= r->at) next = re_forward(r, r->at);
    r->at = next;
    r->retry = false;
    r->status = r->rows == r->most ? RE_DONE : RE_RUNNING;
}

static void re_step(ReRun *r, bool bounded)
{
    if (r->retry)
        re_step_retry(r, bounded);
    else
        re_step_search(r, bounded);
}

/* ---- what comes before ---- */

static bool re_check_subject(ReRun *r)
{
    if (!r->pattern->utf) return true;
    if (!r->subject_is_own && !utf8_is_valid(r->subject, r->size)) return false;
    /* A search cannot begin inside a character. */
    return r->at >= r->size || (r->subject[r->at] & 0xC0) != 0x80;
}

/* Compiles what is to be compiled, looks at the subject.  `run` is NULL on the pool. */
static void re_check(ReRun *r, RunContext *run)
{
    r->checked = true;
    if (r->pattern == NULL && run != NULL)
        r->pattern = re_pattern_kept(run, r->source.at, r->source.count, &r->how, &r->fault);
    else if (r->pattern == NULL)
        r->pattern = re_pattern_new(r->mem, r->source.at, r->source.count, &r->how, &r->fault);
    if (r->pattern == NULL) {
        r->status = r->fault.code == 0 ? RE_NO_MEMORY : RE_NO_PATTERN;
        return;
    }
    if (r->compile_only) {
        r->status = RE_DONE;
        return;
    }
    if (r->pairs > r->pattern->groups + 1) r->pairs = r->pattern->groups + 1;
    r->scratch = re_scratch_take(r->pattern);
    if (r->scratch == NULL)
        r->status = RE_NO_MEMORY;
    else if (!re_check_subject(r))
        r->status = RE_NO_SUBJECT;
}

void re_run_slice(Process *p, ReRun *r)
{
    if (!r->checked) {
        size_t near = (r->how.flags & PCRE2_UTF) != 0 ? RE_NEAR_CHARACTERS : RE_NEAR_SOURCE;
        if (r->source.count > near
            || (r->size > RE_NEAR && (r->pattern == NULL || r->pattern->utf))) {
            r->status = RE_TOO_LONG;
            return;
        }
        bif_charge(p, (int64_t)(4 * r->source.count + r->size / 64) + 10);
        re_check(r, r->compile_only ? NULL : p->run);
    }
    while (r->status == RE_RUNNING) {
        size_t at = r->at;
        re_step(r, true);
        bif_charge(p, 20 + (int64_t)((r->at - at) / 4));
        if (bif_spent(p)) break;
    }
}

/* ---- on the pool ---- */

static void re_job(Job *job)
{
    ReRun *r = (ReRun *)job;
    r->status = RE_RUNNING;
    if (!r->checked) re_check(r, NULL);
    while (r->status == RE_RUNNING && !job_is_unwanted(job)) re_step(r, false);
}

ReRun *re_run_keep(Process *p, size_t slot_index, ReRun *r)
{
    if (r->kept) return r;
    ReRun *kept = mem_try_alloc(r->mem, MEM_WORK, sizeof *kept);
    if (kept == NULL) {
        re_run_clear(r);
        return NULL;
    }
    *kept = *r;
    kept->kept = true;
    atomic_store_relaxed(&kept->job.counted.references, 1);
    kept->job.counted.release = re_run_release;
    kept->job.counted.bytes = sizeof *kept;
    kept->job.run = re_job;
    /* A subject on the heap would move. */
    if (kept->held == NULL && kept->own.at == NULL && kept->size > 0) {
        bytes_put(&kept->own, kept->subject, kept->size);
        kept->subject = kept->own.at;
    }
    Term handle = bif_foreign_new(p, &kept->job.counted);
    if (term_is_none(handle)) return NULL;
    slot_set(p, slot_index, handle);
    return kept;
}

BifResult re_run_submit(Process *p, size_t slot_index, ReRun *r)
{
    r = re_run_keep(p, slot_index, r);
    if (r == NULL) return raise_system_limit(p);
    r->submitted = true;
    counted_retain(&r->job.counted);
    return bif_job_start(p, slot_index, &r->job);
}
