/* Built-ins of module binary that search: compile_pattern, match, matches (vm/bif/pattern.h). */
#include "vm/bif/bif_foreign.h"
#include "vm/bif/pattern.h"
#include "vm/bif/task.h"
#include "vm/code/stubs.h"
#include "vm/sched/sched.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

#include <string.h>

/* ---- patterns ---- */

/* The binaries of a pattern as runs of bytes: those that do not stand on byte borders are
 * copied. */
typedef struct MatchRuns {
    Mem *mem;
    PatternRun *runs;
    uint8_t **scratch; /* by run, or NULL */
    size_t count;
    size_t room;
} MatchRuns;

static bool match_runs_init(MatchRuns *m, Mem *mem, size_t room)
{
    size_t bytes = room * (sizeof *m->runs + sizeof *m->scratch);
    *m = (MatchRuns){.mem = mem, .room = room, .runs = mem_try_alloc(mem, MEM_WORK, bytes)};
    if (m->runs != NULL) m->scratch = (uint8_t **)(m->runs + room);
    return m->runs != NULL;
}

static void match_runs_free(MatchRuns *m)
{
    Mem *mem = m->mem;
    for (size_t i = 0; i < m->count; i++)
        if (m->scratch[i] != NULL) mem_free(mem, MEM_WORK, m->scratch[i], m->runs[i].count);
    mem_free(mem, MEM_WORK, m->runs, m->room * (sizeof *m->runs + sizeof *m->scratch));
}

/* False: no binary with something in it, or no memory. */
static bool match_runs_add(MatchRuns *m, Term t)
{
    if (!term_is_binary(t) || binary_bits(t) == 0) return false;
    PatternRun *run = &m->runs[m->count];
    run->at = binary_aligned(t, m->mem, &run->count, &m->scratch[m->count]);
    if (run->at == NULL) return false;
    m->count++;
    return true;
}

/* A new pattern of a binary or a list of them; NULL: it is none. */
static Pattern *match_compile(Mem *mem, Term t)
{
    int64_t n = term_is_bitstring(t) ? 1 : term_is_cons(t) ? list_length(t) : -1;
    MatchRuns m;
    if (n < 1 || !match_runs_init(&m, mem, (size_t)n)) return NULL;
    bool good = true;
    if (term_is_bitstring(t)) good = match_runs_add(&m, t);
    for (; good && term_is_cons(t); t = list_tail(t)) good = match_runs_add(&m, list_head(t));
    Pattern *pattern = good ? pattern_new(mem, m.runs, m.count) : NULL;
    match_runs_free(&m);
    return pattern;
}

/* What compile_pattern/1 gave: {bm | ac, Reference}; NULL: it is none. */
static Counted *match_compiled(Term t)
{
    if (!term_is_tuple_of(t, 2)) return NULL;
    Counted *object = bif_foreign_of(tuple_at(t, 1));
    if (object == NULL || !pattern_is(object)) return NULL;
    bool single = pattern_is_single((Pattern *)object);
    return term_same(tuple_at(t, 0), single ? TERM_ATOM(BM) : TERM_ATOM(AC)) ? object : NULL;
}

/* More bytes, or runs, are made into a pattern on the blocking pool; and longer runs are searched
 * for there. */
#define PATTERN_AT_ONCE 4096

static bool match_is_large(Term t)
{
    if (term_is_bitstring(t)) return binary_bytes(t) > PATTERN_AT_ONCE;
    size_t sum = 0;
    for (; term_is_cons(t) && sum <= PATTERN_AT_ONCE; t = list_tail(t), sum++)
        if (term_is_bitstring(list_head(t))) sum += binary_bytes(list_head(t));
    return sum > PATTERN_AT_ONCE;
}

static void compile_run(Offload *o)
{
    Pattern *made = match_compile(o->mem, o->in[0]);
    if (made == NULL)
        o->why = TASK_BADARG;
    else
        o->out = bif_foreign_at(&o->heap, pattern_counted(made), (Word)o->number);
}

/* A reference to a new pattern; TERM_NONE: an exception was raised; TERM_WAIT. */
static Term match_pattern(Process *p, Term t)
{
    if (task_is_pooled(p)) return task_pool(p, compile_run, NULL, 0, 0);
    if (match_is_large(t))
        return task_pool(p, compile_run, (const Term[]){t}, 1,
                         (int64_t)sched_reference(p->run));
    Pattern *made = match_compile(p->heap.mem, t);
    if (made == NULL) return raise_badarg(p);
    Term reference = bif_foreign_new(p, pattern_counted(made));
    return term_is_none(reference) ? raise_system_limit(p) : reference;
}

BifResult bif_compile_pattern(Process *p)
{
    Term reference = match_pattern(p, arg(p, 0));
    if (term_is_none(reference) || term_same(reference, TERM_WAIT)) return reference;
    bool single = pattern_is_single((Pattern *)bif_foreign_of(reference));
    Term t = heap_tuple2(&p->heap, single ? TERM_ATOM(BM) : TERM_ATOM(AC), reference);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- searching ---- */

/* Behind the arguments. */
enum {
    MATCH_PATTERN,
    MATCH_SUBJECT,
    MATCH_FROM,
    MATCH_END,
    MATCH_FOUND,
    MATCH_PHASE,
    MATCH_SLOTS
};

/* What is in the last slot.  While turning, FOUND holds what is still to be turned round and
 * SUBJECT what has been. */
enum { MATCH_NOT_BEGUN, MATCH_SEARCHING, MATCH_TURNING };

/* The part of the subject that options name; a later one counts.  False: badarg. */
static bool match_scope(Term options, size_t bytes, size_t *from, size_t *end)
{
    *from = 0;
    *end = bytes;
    if (!term_is_list(options)) return false;
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2) || !term_same(tuple_at(option, 0), TERM_ATOM(SCOPE)))
            return false;
        Term range = tuple_at(option, 1);
        if (!term_is_tuple_of(range, 2) || !term_is_small(tuple_at(range, 0))) return false;
        if (!term_is_small(tuple_at(range, 1))) return false;
        int64_t a = small_value(tuple_at(range, 0));
        int64_t b = a + small_value(tuple_at(range, 1));
        if (a < 0 || b < 0 || (uint64_t)a > bytes || (uint64_t)b > bytes) return false;
        *from = (size_t)(a < b ? a : b);
        *end = (size_t)(a < b ? b : a);
    }
    return true;
}

/* Puts into the slots what the steps work on, and gives nil; TERM_NONE: an exception was raised;
 * TERM_WAIT. */
static Term match_begin(Process *p, size_t slots, Term options)
{
    size_t from;
    size_t end;
    if (!term_is_binary(arg(p, 0))
        || !match_scope(options, binary_bytes(arg(p, 0)), &from, &end))
        return raise_badarg(p);
    bool compiled = match_compiled(arg(p, 1)) != NULL;
    Term pattern = compiled ? tuple_at(arg(p, 1), 1) : match_pattern(p, arg(p, 1));
    if (term_is_none(pattern) || term_same(pattern, TERM_WAIT)) return pattern;
    Term subject = arg(p, 0);
    if (binary_view(subject).offset != 0)
        subject = binary_copy_part(&p->heap, subject, 0, binary_bits(subject));
    if (term_is_none(subject)) return raise_system_limit(p);
    slot_set(p, slots + MATCH_PATTERN, pattern);
    slot_set(p, slots + MATCH_SUBJECT, subject);
    raw_slot_set(p, slots + MATCH_FROM, from);
    raw_slot_set(p, slots + MATCH_END, end);
    slot_set(p, slots + MATCH_FOUND, TERM_NIL);
    raw_slot_set(p, slots + MATCH_PHASE, MATCH_SEARCHING);
    return TERM_NIL;
}

static Term match_pair(Heap *h, const PatternSearch *s)
{
    return heap_tuple2(h, small_from((int64_t)s->found_at), small_from((int64_t)s->found_size));
}

/* Steps until the slice is spent.  *found is the list of matches so far, last first; with `all`
 * false the first match ends it. */
static PatternStep match_steps(Process *p, size_t slots, bool all, PatternSearch *s,
                               Term *found)
{
    const Pattern *pattern = (Pattern *)bif_foreign_of(slot(p, slots + MATCH_PATTERN));
    PatternWindow window = {.mem = p->run->mem};
    PatternStep step;
    do {
        size_t work = 0;
        step = pattern_step(pattern, s, &window, &work);
        bif_charge(p, (int64_t)(work / 2) + 1);
        if (step == PATTERN_FOUND) {
            Term pair = match_pair(&p->heap, s);
            *found = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, *found);
            if (term_is_none(*found))
                step = PATTERN_NO_MEMORY;
            else if (all)
                step = PATTERN_MORE;
        }
        /* What a window cost is paid: its matches are taken out before others run. */
    } while (step == PATTERN_MORE && (!bif_spent(p) || s->from < window.start + window.count));
    pattern_window_free(&window);
    return step;
}

/* The most bytes that are searched at once, without anything kept from slice to slice; when all
 * matches are wanted there may be as many. */
#define MATCH_AT_ONCE     65536
#define MATCH_ALL_AT_ONCE 4096

/* One short search for one run of bytes, as most are; false: it is none. */
static bool match_at_once(Process *p, Term options, bool all, BifResult *result)
{
    Term subject = arg(p, 0);
    Term pattern = arg(p, 1);
    if (!term_is_binary(subject) || !term_is_binary(pattern)) return false;
    BitView in = binary_view(subject);
    BitView what = binary_view(pattern);
    size_t from;
    size_t end;
    if (in.offset != 0 || what.offset != 0 || what.bits == 0) return false;
    if (!match_scope(options, in.bits / 8, &from, &end)) return false;
    if (end - from > (all ? MATCH_ALL_AT_ONCE : MATCH_AT_ONCE)) return false;
    size_t n = what.bits / 8;
    bif_charge(p, (int64_t)((end - from) / 64));
    ListBuilder found = list_builder(&p->heap);
    for (const uint8_t *at; (at = memmem(in.at + from, end - from, what.at, n)) != NULL;) {
        from = (size_t)(at - in.at);
        Term pair = heap_tuple2(&p->heap, small_from((int64_t)from), small_from((int64_t)n));
        *result = term_is_none(pair) ? raise_system_limit(p) : pair;
        if (term_is_none(pair) || !all) return true;
        list_add(&found, pair);
        from += n;
    }
    *result = all ? list_finish(&found, TERM_NIL) : TERM_ATOM(NOMATCH);
    if (term_is_none(*result)) raise_system_limit(p);
    return true;
}

/* In an empty binary nothing is found, and nobody looks at the pattern. */
static bool match_in_nothing(Process *p, Term options)
{
    size_t from;
    size_t end;
    return term_is_bitstring(arg(p, 0)) && binary_bits(arg(p, 0)) == 0
           && match_scope(options, 0, &from, &end);
}

/* Cells that a reduction pays for. */
#define MATCH_TURN_RATE 4

/* All matches, which are there last first, turned round. */
static BifResult match_turn(Process *p, size_t slots)
{
    Term rest = slot(p, slots + MATCH_FOUND);
    Term done = slot(p, slots + MATCH_SUBJECT);
    size_t budget = task_budget(p, MATCH_TURN_RATE);
    size_t left = budget;
    for (; left > 0 && term_is_cons(rest) && !term_is_none(done); left--) {
        done = heap_cons(&p->heap, list_head(rest), done);
        rest = list_tail(rest);
    }
    task_charge(p, budget, left, MATCH_TURN_RATE);
    if (term_is_none(done)) return raise_system_limit(p);
    if (!term_is_cons(rest)) return done;
    slot_set(p, slots + MATCH_FOUND, rest);
    slot_set(p, slots + MATCH_SUBJECT, done);
    return bif_yield(p);
}

/* On the blocking pool: a search for very long runs, which does not stop half-way.  in: pattern,
 * subject, where to start; number: the end, doubled, and 1 if all matches are wanted. */
static void search_run(Offload *o)
{
    const Pattern *pattern = (Pattern *)bif_foreign_of(o->in[0]);
    PatternSearch s = {.subject = binary_view(o->in[1]).at,
                       .from = (size_t)small_value(o->in[2]),
                       .end = (size_t)(o->number / 2)};
    bool all = o->number % 2 != 0;
    PatternWindow window = {.mem = o->mem};
    ListBuilder found = list_builder(&o->heap);
    Term first = TERM_ATOM(NOMATCH);
    PatternStep step;
    do {
        size_t work = 0;
        step = pattern_step(pattern, &s, &window, &work);
        if (step != PATTERN_FOUND) continue;
        first = match_pair(&o->heap, &s);
        if (term_is_none(first))
            step = PATTERN_NO_MEMORY;
        else
            list_add(&found, first);
    } while ((step == PATTERN_MORE || (step == PATTERN_FOUND && all)) && offload_goes_on(o));
    pattern_window_free(&window);
    if (step != PATTERN_NO_MEMORY) o->out = all ? list_finish(&found, TERM_NIL) : first;
}

static BifResult match_search(Process *p, size_t slots, bool all)
{
    Term in[] = {slot(p, slots + MATCH_PATTERN), slot(p, slots + MATCH_SUBJECT),
                 slot(p, slots + MATCH_FROM)};
    int64_t end = (int64_t)raw_slot(p, slots + MATCH_END);
    if (pattern_longest((Pattern *)bif_foreign_of(in[0])) > PATTERN_AT_ONCE)
        return task_pool(p, search_run, in, ARRAY_LEN(in), 2 * end + all);
    PatternSearch s = {.subject = binary_view(in[1]).at,
                       .from = (size_t)small_value(in[2]),
                       .end = (size_t)end};
    Term found = slot(p, slots + MATCH_FOUND);
    PatternStep step = match_steps(p, slots, all, &s, &found);
    if (step == PATTERN_NO_MEMORY) return raise_system_limit(p);
    raw_slot_set(p, slots + MATCH_FROM, s.from);
    slot_set(p, slots + MATCH_FOUND, found);
    if (step == PATTERN_MORE) return bif_yield(p);
    if (!all) return term_is_nil(found) ? TERM_ATOM(NOMATCH) : list_head(found);
    slot_set(p, slots + MATCH_SUBJECT, TERM_NIL);
    raw_slot_set(p, slots + MATCH_PHASE, MATCH_TURNING);
    return match_turn(p, slots);
}

static BifResult match_run(Process *p, size_t slots, Term options, bool all)
{
    _Static_assert(MATCH_SLOTS <= STUB_STATE_SLOTS, "behind the arguments");
    size_t phase = raw_slot(p, slots + MATCH_PHASE);
    BifResult result;
    if (phase == MATCH_TURNING) return match_turn(p, slots);
    if (phase == MATCH_SEARCHING) return match_search(p, slots, all);
    if (match_in_nothing(p, options)) return all ? TERM_NIL : TERM_ATOM(NOMATCH);
    if (match_at_once(p, options, all, &result)) return result;
    Term begun = match_begin(p, slots, options);
    return term_is_nil(begun) ? match_search(p, slots, all) : begun;
}

BifResult bif_binary_match_2(Process *p) { return match_run(p, 2, TERM_NIL, false); }
BifResult bif_binary_match_3(Process *p) { return match_run(p, 3, arg(p, 2), false); }
BifResult bif_binary_matches_2(Process *p) { return match_run(p, 2, TERM_NIL, true); }
BifResult bif_binary_matches_3(Process *p) { return match_run(p, 3, arg(p, 2), true); }
