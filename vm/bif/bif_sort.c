/* lists:sort/1, usort/1, keysort/2, ukeysort/2: a merge sort over natural runs.
 *
 * The elements go with their keys into an array outside the heap.  Runs that rise already (those
 * that fall strictly are turned round) are merged pairwise into the other half of the array and
 * back until one is left; of elements that compare equal the earlier one stays earlier, or is the
 * only one kept.  A list that is in order already is the result itself; a short one is sorted on
 * the C stack.  Everything may stop anywhere, also in the middle of a comparison. */
#include "vm/bif/comparing.h"
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/tuple.h"

typedef struct SortRow {
    Term key;
    Term value;
} SortRow;

typedef enum SortPhase {
    SORT_CHECK, /* is the list in order? */
    SORT_COUNT,
    SORT_LOAD,
    SORT_RUNS,
    SORT_TURN, /* a falling run is turned round */
    SORT_MERGE,
    SORT_REST, /* what one of two runs has left */
    SORT_BUILD,
    SORT_DONE,  /* `result` is the list */
    SORT_FAILED /* raised */
} SortPhase;

typedef struct SortTask {
    Pause pause; /* first */
    Mem *mem;
    SortPhase phase;
    bool unique;
    bool improper;
    size_t field; /* of tuples, from 0; SORT_WHOLE: the element is its own key */
    Term list;
    Term rest;
    int64_t count; /* comparisons of the check; then elements of the list */
    Term result;

    SortRow *rows;  /* `count` rows here, as many in `other`: one block */
    SortRow *other; /* where a pass writes */
    size_t *ends;   /* where runs of `rows` end; behind the rows */
    size_t room;    /* bytes of the block */
    size_t runs;
    size_t next_run; /* of this pass: the first of the two being merged */
    size_t merged;   /* runs that the pass has made */
    bool falls;

    /* Places in the phase at hand. */
    size_t at;
    size_t from; /* first row of the run */
    size_t out;
    size_t a;
    size_t b;

    Comparing comparing;
} SortTask;

#define SORT_WHOLE SIZE_MAX
/* Steps (rows moved, terms compared) that a reduction pays for. */
#define SORT_RATE 4
/* Lists up to here are sorted where they are loaded, if that takes few comparisons. */
#define SORT_SHORT       24
#define SORT_SHORT_STEPS 500

/* ---- from the list ---- */

/* TERM_NONE: the element has no such key. */
static inline Term sort_key(const SortTask *t, Term element)
{
    if (t->field == SORT_WHOLE) return element;
    if (!term_is_tuple(element) || tuple_size(element) <= t->field) return TERM_NONE;
    return tuple_at(element, t->field);
}

static bool sort_fail(SortTask *t, Process *p)
{
    t->phase = SORT_FAILED;
    raise_badarg(p);
    return true;
}

/* The list is improper; with one element or none it is not even looked at. */
static bool sort_fail_improper(SortTask *t, Process *p)
{
    t->phase = SORT_FAILED;
    if (t->field != SORT_WHOLE && t->count == 0)
        raise_tagged(p, TERM_ATOM(CASE_CLAUSE), t->list);
    else
        raise_error(p, TERM_ATOM(FUNCTION_CLAUSE));
    return true;
}

/* The list is at its end and in order, or falls all the way. */
static bool sort_checked(SortTask *t, Process *p, Term end)
{
    if (!term_is_nil(end)) return sort_fail_improper(t, p);
    if (!t->falls) t->result = t->list;
    t->phase = term_is_none(t->result) ? SORT_FAILED : SORT_DONE;
    if (t->phase == SORT_FAILED) raise_system_limit(p);
    return true;
}

/* As long as the elements rise (strictly if doubles are to go) or fall strictly: those that fall
 * are laid onto `result`.  `rest` begins with the last one seen. */
static bool sort_check(SortTask *t, Process *p, size_t *budget)
{
    Term rest = t->rest;
    if (!term_is_cons(rest)) return sort_checked(t, p, rest);
    Term tail = list_tail(rest);
    if (!term_is_cons(tail)) return sort_checked(t, p, tail);
    Term key = sort_key(t, list_head(rest));
    if (term_is_none(key)) return sort_fail(t, p);
    for (; term_is_cons(tail); tail = list_tail(rest)) {
        Term next = sort_key(t, list_head(tail));
        if (term_is_none(next)) return sort_fail(t, p);
        t->rest = rest;
        if (*budget == 0) return false;
        --*budget;
        int order = comparing_order(&t->comparing, key, next, budget);
        if (order == ORDER_MORE) return false;
        if (t->count++ == 0) t->falls = order > 0;
        if (t->falls != (order > 0) || (order == 0 && t->unique)) {
            t->phase = SORT_COUNT;
            t->rest = t->list;
            t->count = 0;
            t->falls = false;
            return true;
        }
        if (t->count == 1 && t->falls)
            t->result = heap_cons(&p->heap, list_head(rest), TERM_NIL);
        if (t->falls) t->result = heap_cons(&p->heap, list_head(tail), t->result);
        rest = tail;
        key = next;
    }
    return sort_checked(t, p, tail);
}

static bool sort_count(SortTask *t, Process *p, size_t *budget)
{
    if (!list_length_step(&t->rest, &t->count, budget)) return false;
    t->improper = !term_is_nil(t->rest);
    size_t n = (size_t)t->count;
    size_t bytes = 2 * n * sizeof(SortRow) + (n / 2 + 2) * sizeof(size_t);
    t->rows = mem_try_alloc(t->mem, MEM_WORK, bytes);
    if (t->rows == NULL) {
        t->phase = SORT_FAILED;
        raise_system_limit(p);
        return true;
    }
    t->room = bytes;
    t->other = t->rows + n;
    t->ends = (size_t *)(void *)(t->other + n);
    t->rest = t->list;
    t->phase = SORT_LOAD;
    return true;
}

static bool sort_load(SortTask *t, Process *p, size_t *budget)
{
    size_t n = (size_t)t->count;
    for (; t->at < n; t->at++, t->rest = list_tail(t->rest)) {
        if (*budget == 0) return false;
        --*budget;
        Term value = list_head(t->rest);
        Term key = sort_key(t, value);
        if (term_is_none(key)) return sort_fail(t, p);
        t->rows[t->at] = (SortRow){key, value};
    }
    if (t->improper) return sort_fail_improper(t, p);
    t->at = 1;
    t->out = 1;
    t->phase = SORT_RUNS;
    return true;
}

/* ---- runs ---- */

/* Rows up to `out` are in runs, the last of which began at `from`; the next one is at `at`.  Rows
 * that are not kept close up. */
static bool sort_runs(SortTask *t, size_t *budget)
{
    size_t n = (size_t)t->count;
    for (; t->at < n; t->at++) {
        if (*budget == 0) return false;
        --*budget;
        SortRow *rows = t->rows;
        int order =
            comparing_order(&t->comparing, rows[t->out - 1].key, rows[t->at].key, budget);
        if (order == ORDER_MORE) return false;
        if (order == 0 && t->unique) continue;
        bool falls = order > 0;
        if (t->out - t->from == 1) t->falls = falls;
        if (falls != t->falls) {
            if (t->falls) {
                t->phase = SORT_TURN;
                t->a = t->from;
                t->b = t->out - 1;
                return true;
            }
            t->ends[t->runs++] = t->out;
            t->from = t->out;
            t->falls = false;
        }
        rows[t->out++] = rows[t->at];
    }
    t->phase = SORT_TURN;
    t->a = t->from;
    t->b = t->falls ? t->out - 1 : t->from;
    return true;
}

/* Turns the run from `a` to `b` round, and begins another if there are rows left. */
static bool sort_turn(SortTask *t, size_t *budget)
{
    for (; t->a < t->b; t->a++, t->b--) {
        if (*budget == 0) return false;
        --*budget;
        SortRow kept = t->rows[t->a];
        t->rows[t->a] = t->rows[t->b];
        t->rows[t->b] = kept;
    }
    t->ends[t->runs++] = t->out;
    t->from = t->out;
    t->falls = false;
    if (t->at < (size_t)t->count) {
        t->rows[t->out++] = t->rows[t->at++];
        t->phase = SORT_RUNS;
        return true;
    }
    t->out = 0;
    t->from = 0;
    t->phase = SORT_MERGE;
    return true;
}

/* ---- merging ---- */

static size_t sort_start_of(const SortTask *t, size_t run)
{
    return run == 0 ? 0 : t->ends[run - 1];
}

/* Two runs of `rows` into `other`, from `a` and `b` to `out`. */
static bool sort_merge(SortTask *t, size_t *budget)
{
    const SortRow *a = t->rows + t->a;
    const SortRow *b = t->rows + t->b;
    const SortRow *a_end = t->rows + t->ends[t->next_run];
    const SortRow *b_end = t->rows + t->ends[t->next_run + 1];
    SortRow *out = t->other + t->out;
    size_t left = *budget;
    bool whole = true;
    while (a < a_end && b < b_end) {
        whole = left != 0;
        if (!whole) break;
        left--;
        bool less = (int64_t)b->key.w < (int64_t)a->key.w;
        bool same = a->key.w == b->key.w;
        if (UNLIKELY(!term_both_small(a->key, b->key)) && !same) {
            int order = comparing_order_slow(&t->comparing, a->key, b->key, &left);
            whole = order != ORDER_MORE;
            if (!whole) break;
            less = order > 0;
            same = order == 0;
        }
        if (UNLIKELY(same)) {
            if (t->unique)
                b++;
            else
                *out++ = *a++;
            continue;
        }
        /* Without branches: which one comes next cannot be foretold. */
        *out++ = *(less ? b : a);
        const SortRow *next_a = a + 1;
        const SortRow *next_b = b + 1;
        a = less ? a : next_a;
        b = less ? next_b : b;
    }
    t->a = (size_t)(a - t->rows);
    t->b = (size_t)(b - t->rows);
    t->out = (size_t)(out - t->other);
    *budget = left;
    if (whole) t->phase = SORT_REST;
    return whole;
}

/* The pass is over: what was written is read next. */
static void sort_turn_pass(SortTask *t)
{
    SortRow *kept = t->rows;
    t->rows = t->other;
    t->other = kept;
    t->runs = t->merged;
    t->merged = 0;
    t->next_run = 0;
    t->out = 0;
}

/* Begins with the next two runs, or the one that is left, or the next pass. */
static void sort_next_runs(SortTask *t)
{
    if (t->next_run >= t->runs) sort_turn_pass(t);
    if (t->runs == 1) {
        t->at = t->ends[0];
        t->result = TERM_NIL;
        t->phase = SORT_BUILD;
        return;
    }
    bool two = t->next_run + 1 < t->runs;
    t->a = sort_start_of(t, t->next_run);
    t->b = two ? sort_start_of(t, t->next_run + 1) : t->ends[t->next_run];
    t->phase = two ? SORT_MERGE : SORT_REST;
}

static bool sort_rest_of(SortTask *t, size_t *at, size_t end, size_t *budget)
{
    size_t n = end - *at < *budget ? end - *at : *budget;
    if (n > 0) memcpy(t->other + t->out, t->rows + *at, n * sizeof(SortRow));
    *budget -= n;
    *at += n;
    t->out += n;
    return *at == end;
}

static bool sort_rest(SortTask *t, size_t *budget)
{
    size_t last = t->next_run + 1 < t->runs ? t->next_run + 1 : t->next_run;
    if (!sort_rest_of(t, &t->a, t->ends[t->next_run], budget)) return false;
    if (last != t->next_run && !sort_rest_of(t, &t->b, t->ends[last], budget)) return false;
    t->ends[t->merged++] = t->out;
    t->next_run = last + 1;
    sort_next_runs(t);
    return true;
}

/* From the last row on, several cells at a time. */
static bool sort_build(SortTask *t, Process *p, size_t *budget)
{
    while (t->at > 0) {
        if (*budget == 0) return false;
        size_t n = t->at < *budget ? t->at : *budget;
        *budget -= n;
        Word *cells = heap_alloc(&p->heap, 2 * n);
        if (cells == NULL) {
            t->phase = SORT_FAILED;
            raise_system_limit(p);
            return true;
        }
        const SortRow *rows = t->rows + t->at - n;
        for (size_t i = 0; i < n; i++)
            cons_at(cells + 2 * i, rows[i].value,
                    i + 1 < n ? cons_from(cells + 2 * i + 2) : t->result);
        t->result = cons_from(cells);
        t->at -= n;
    }
    t->phase = SORT_DONE;
    return true;
}

/* ---- the built-ins ---- */

/* A phase; true when it has come to its end. */
static bool sort_step(SortTask *t, Process *p, size_t *budget)
{
    switch (t->phase) {
    case SORT_CHECK: return sort_check(t, p, budget);
    case SORT_COUNT: return sort_count(t, p, budget);
    case SORT_LOAD: return sort_load(t, p, budget);
    case SORT_RUNS: return sort_runs(t, budget);
    case SORT_TURN:
        if (!sort_turn(t, budget)) return false;
        if (t->phase == SORT_MERGE) sort_next_runs(t);
        return true;
    case SORT_MERGE: return sort_merge(t, budget);
    case SORT_REST: return sort_rest(t, budget);
    case SORT_BUILD: return sort_build(t, p, budget);
    case SORT_DONE:
    case SORT_FAILED: return true;
    }
    UNREACHABLE();
}

static void sort_release(Pause *pause, Process *p)
{
    SortTask *t = (SortTask *)pause;
    comparing_end(&t->comparing);
    if (t->room != 0) {
        SortRow *block = t->rows < t->other ? t->rows : t->other;
        mem_free(t->mem, MEM_WORK, block, t->room);
    }
    task_free(pause, sizeof *t, p);
}

static BifResult sort_run(SortTask *t, Process *p)
{
    size_t budget = task_budget(p, SORT_RATE);
    size_t left = budget;
    for (;;) {
        if (t->comparing.asks) {
            t = task_keep(p, t, sizeof *t, sort_release);
            if (!comparing_answer(&t->comparing, &left)) break;
        }
        if (!sort_step(t, p, &left) && !t->comparing.asks) break;
        if (t->phase == SORT_DONE || t->phase == SORT_FAILED) break;
    }
    task_charge(p, budget, left, SORT_RATE);
    if (t->phase != SORT_DONE && t->phase != SORT_FAILED) {
        task_keep(p, t, sizeof *t, sort_release);
        return bif_yield(p);
    }
    Term result = t->phase == SORT_DONE ? t->result : TERM_NONE;
    task_end(p, &t->pause, sort_release);
    return result;
}

/* The rows' elements as a list; TERM_NONE: memory was refused. */
static Term sort_rows_list(Heap *h, const SortRow *rows, size_t n)
{
    Word *cells = heap_alloc(h, 2 * n);
    if (cells == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++)
        cons_at(cells + 2 * i, rows[i].value,
                i + 1 < n ? cons_from(cells + 2 * i + 2) : TERM_NIL);
    return cons_from(cells);
}

/* A short list without long comparisons, by insertion; else TERM_NONE, and nothing has happened. */
static Term sort_short(SortTask *t, Process *p)
{
    SortRow rows[SORT_SHORT];
    size_t n = 0;
    bool in_order = true;
    size_t budget = SORT_SHORT_STEPS;
    for (Term rest = t->list; !term_is_nil(rest); rest = list_tail(rest)) {
        if (!term_is_cons(rest) || n == SORT_SHORT) return TERM_NONE;
        SortRow row = {sort_key(t, list_head(rest)), list_head(rest)};
        if (term_is_none(row.key)) return TERM_NONE;
        size_t at = n;
        int order = -1;
        for (; at > 0; at--) {
            order = comparing_order(&t->comparing, rows[at - 1].key, row.key, &budget);
            if (order == ORDER_MORE || budget == 0) return TERM_NONE;
            if (order <= 0) break;
        }
        in_order &= at == n && !(order == 0 && t->unique);
        if (order == 0 && t->unique) continue;
        for (size_t i = n; i > at; i--) rows[i] = rows[i - 1];
        rows[at] = row;
        n++;
    }
    if (in_order) return t->list;
    bif_charge(p, (int64_t)(2 * n + (SORT_SHORT_STEPS - budget)) / SORT_RATE);
    return sort_rows_list(&p->heap, rows, n);
}

static BifResult sort_list(Process *p, Term list, size_t field, bool unique)
{
    SortTask *held = (SortTask *)pause_find(p, sort_release);
    if (held != NULL) return sort_run(held, p);
    SortTask here;
    comparing_init(&here.comparing, p->run->atoms, p->heap.mem);
    here.unique = unique;
    here.field = field;
    here.list = list;
    bool some = term_is_cons(list) && term_is_cons(list_tail(list));
    if (some && !task_list_is_longer(list, SORT_SHORT)) {
        Term result = sort_short(&here, p);
        if (!term_is_none(result)) return result;
    }
    here.mem = p->heap.mem;
    here.phase = SORT_CHECK;
    here.rest = list;
    here.count = 0;
    here.room = 0;
    here.rows = NULL;
    here.other = NULL;
    here.runs = 0;
    here.next_run = 0;
    here.merged = 0;
    here.falls = false;
    here.at = 0;
    here.from = 0;
    here.comparing.asks = false;
    return sort_run(&here, p);
}

static BifResult sort_by_key(Process *p, bool unique)
{
    Term n = arg(p, 0);
    bool small = term_is_small(n);
    if (small ? small_value(n) < 1 : !term_is_kind(n, KIND_BIG_POSITIVE))
        return raise_error(p, TERM_ATOM(FUNCTION_CLAUSE));
    /* No tuple has so many elements. */
    return sort_list(p, arg(p, 1), small ? (size_t)small_value(n) - 1 : SORT_WHOLE - 1, unique);
}

BifResult bif_sort(Process *p) { return sort_list(p, arg(p, 0), SORT_WHOLE, false); }
BifResult bif_usort(Process *p) { return sort_list(p, arg(p, 0), SORT_WHOLE, true); }
BifResult bif_keysort(Process *p) { return sort_by_key(p, false); }
BifResult bif_ukeysort(Process *p) { return sort_by_key(p, true); }
