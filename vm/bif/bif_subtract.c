/*
 * A -- B: each element of B takes the first equal one out of A.
 *
 * O(n log n), in slices: the elements of B are sorted with how often each occurs, then A is walked.
 * Elements may be huge, so each comparison may stop half-way.
 */
#include "vm/bif/task.h"

#include "vm/term/list.h"
#include "vm/term/order.h"

/* An element of B. */
typedef struct SubtractRow {
    Term value;
    size_t count; /* how many of A it still takes */
} SubtractRow;

typedef enum SubtractPhase {
    SUBTRACT_LENGTHS,
    SUBTRACT_FILL,
    SUBTRACT_SORT,
    SUBTRACT_COUNT,
    SUBTRACT_WALK,
    SUBTRACT_BAD,
    SUBTRACT_NO_ROOM,
    SUBTRACT_DONE
} SubtractPhase;

typedef struct SubtractTask {
    Pause pause; /* first */
    SubtractPhase phase;
    Mem *mem;
    const AtomTable *atoms;
    Term from;
    Term what;
    Term rest; /* of the list that is walked */
    int64_t length;
    bool second; /* it is B whose length is counted */
    SubtractRow *rows;
    size_t made; /* rows */
    size_t n;    /* rows that count */
    size_t left; /* elements that are still to be taken out */
    /* sorting: a heap; rows from `end` on are in place */
    size_t end;
    size_t building; /* rows in front of which the heap is not one yet */
    bool sifting;
    size_t at; /* the row that sinks, and the larger of its children once that is known */
    size_t child;
    /* looking for an element: rows [low, low + many) may hold it */
    bool looking;
    size_t low;
    size_t many;
    /* a comparison that has taken more than a moment */
    bool comparing;
    OrderWalk order;
    ListBuilder list;
} SubtractTask;

/* Terms that a reduction pays for. */
#define SUBTRACT_RATE 1

static void subtract_release(Pause *pause, Process *p)
{
    SubtractTask *t = (SubtractTask *)pause;
    if (t->comparing) order_end(&t->order);
    mem_free(t->mem, MEM_WORK, t->rows, t->made * sizeof(SubtractRow));
    task_free(pause, sizeof *t, p);
}

/* < 0, 0, > 0; ORDER_MORE: the budget is spent, come again with the same terms. */
static int subtract_compare(SubtractTask *t, Term a, Term b, size_t *budget)
{
    if (!t->comparing) {
        *budget -= *budget > 0;
        if (a.w == b.w) return 0;
        if (term_both_small(a, b)) return (int64_t)a.w < (int64_t)b.w ? -1 : 1;
        int order = order_quick_slow(t->atoms, ORDER_KIND_KEYS, a, b);
        if (order != ORDER_MORE) return order;
        order_begin_kind(&t->order, t->atoms, ORDER_KIND_KEYS, a, b, t->mem);
        t->comparing = true;
    }
    if (!order_step(&t->order, budget)) return ORDER_MORE;
    int order = t->order.result;
    order_end(&t->order);
    t->comparing = false;
    return order;
}

/* ---- lengths, rows ---- */

static void subtract_lengths(SubtractTask *t, size_t *budget)
{
    if (!list_length_step(&t->rest, &t->length, budget)) return;
    if (!term_is_nil(t->rest)) {
        t->phase = SUBTRACT_BAD;
    } else if (!t->second) {
        t->second = true;
        t->left = (size_t)t->length; /* for a moment: of A */
        t->rest = t->what;
        t->length = 0;
    } else if (t->left == 0 || t->length == 0) {
        t->phase = SUBTRACT_DONE;
    } else {
        t->n = t->left = (size_t)t->length;
        t->rows = mem_try_alloc(t->mem, MEM_WORK, t->n * sizeof(SubtractRow));
        t->made = t->rows == NULL ? 0 : t->n;
        t->rest = t->what;
        t->end = 0;
        t->phase = t->rows == NULL ? SUBTRACT_NO_ROOM : SUBTRACT_FILL;
    }
}

static void subtract_fill(SubtractTask *t, size_t *budget)
{
    for (; term_is_cons(t->rest) && *budget > 0; t->rest = list_tail(t->rest), --*budget)
        t->rows[t->end++] = (SubtractRow){list_head(t->rest), 1};
    if (t->end < t->n) return;
    t->building = t->n / 2;
    t->phase = SUBTRACT_SORT;
}

/* ---- sorting ---- */

static void subtract_swap(SubtractTask *t, size_t a, size_t b)
{
    SubtractRow kept = t->rows[a];
    t->rows[a] = t->rows[b];
    t->rows[b] = kept;
}

static void subtract_sink(SubtractTask *t, size_t at)
{
    t->at = at;
    t->child = 0;
    t->sifting = true;
}

/* One comparison: which child is larger, or whether that one is larger than its parent. */
static void subtract_sift(SubtractTask *t, size_t *budget)
{
    size_t child = 2 * t->at + 1;
    if (child >= t->end) {
        t->sifting = false;
        return;
    }
    if (t->child == 0 && child + 1 < t->end) {
        int order = subtract_compare(t, t->rows[child].value, t->rows[child + 1].value, budget);
        if (order != ORDER_MORE) t->child = order < 0 ? child + 1 : child;
        return;
    }
    if (t->child != 0) child = t->child;
    int order = subtract_compare(t, t->rows[t->at].value, t->rows[child].value, budget);
    if (order == ORDER_MORE) return;
    if (order >= 0) {
        t->sifting = false;
        return;
    }
    subtract_swap(t, t->at, child);
    subtract_sink(t, child);
}

static void subtract_sort(SubtractTask *t, size_t *budget)
{
    if (t->sifting) {
        subtract_sift(t, budget);
    } else if (t->building > 0) {
        subtract_sink(t, --t->building);
    } else if (t->end > 1) {
        subtract_swap(t, 0, --t->end);
        subtract_sink(t, 0);
    } else {
        t->end = 0;
        t->at = 0;
        t->phase = SUBTRACT_COUNT;
    }
}

/* Equal neighbours become one row: row `at` joins the last of `end` rows, or follows it. */
static void subtract_count(SubtractTask *t, size_t *budget)
{
    if (t->at == t->n) {
        t->n = t->end;
        t->rest = t->from;
        t->phase = SUBTRACT_WALK;
        return;
    }
    int order = 1;
    if (t->end > 0)
        order = subtract_compare(t, t->rows[t->end - 1].value, t->rows[t->at].value, budget);
    if (order == ORDER_MORE) return;
    if (order == 0)
        t->rows[t->end - 1].count++;
    else
        t->rows[t->end++] = t->rows[t->at];
    t->at++;
}

/* ---- walking ---- */

/* The first element of `rest` is in the row, or (NULL) in none. */
static void subtract_found(SubtractTask *t, SubtractRow *row)
{
    t->looking = false;
    if (row != NULL && row->count > 0) {
        row->count--;
        t->left--;
    } else {
        list_add(&t->list, list_head(t->rest));
    }
    t->rest = list_tail(t->rest);
}

static void subtract_walk(SubtractTask *t, size_t *budget)
{
    if (!t->looking) {
        /* All are taken out: what is left of A stays as it is. */
        if (t->left == 0 || !term_is_cons(t->rest)) {
            t->phase = SUBTRACT_DONE;
            return;
        }
        t->looking = true;
        t->low = 0;
        t->many = t->n;
    }
    if (t->many == 0) {
        subtract_found(t, NULL);
        return;
    }
    size_t half = t->many / 2;
    SubtractRow *row = &t->rows[t->low + half];
    int order = subtract_compare(t, row->value, list_head(t->rest), budget);
    if (order == ORDER_MORE) return;
    if (order == 0) {
        subtract_found(t, row);
    } else if (order < 0) {
        t->low += half + 1;
        t->many -= half + 1;
    } else {
        t->many = half;
    }
}

/* ---- the built-in ---- */

/* False: the budget is spent. */
static bool subtract_go_on(SubtractTask *t, size_t *budget)
{
    while (t->phase < SUBTRACT_BAD) {
        if (*budget == 0) return false;
        switch (t->phase) {
        case SUBTRACT_LENGTHS: subtract_lengths(t, budget); break;
        case SUBTRACT_FILL: subtract_fill(t, budget); break;
        case SUBTRACT_SORT: subtract_sort(t, budget); break;
        case SUBTRACT_COUNT: subtract_count(t, budget); break;
        default: subtract_walk(t, budget); break;
        }
    }
    return true;
}

static BifResult subtract_result(Process *p, SubtractTask *t)
{
    SubtractPhase phase = t->phase;
    Term result = t->from;
    if (phase == SUBTRACT_DONE && t->made > 0) result = list_finish(&t->list, t->rest);
    task_end(p, &t->pause, subtract_release);
    if (phase == SUBTRACT_BAD) return raise_badarg(p);
    return phase == SUBTRACT_NO_ROOM || term_is_none(result) ? raise_system_limit(p) : result;
}

BifResult bif_subtract(Process *p)
{
    SubtractTask here;
    SubtractTask *t = (SubtractTask *)pause_find(p, subtract_release);
    if (t == NULL) {
        t = &here;
        t->phase = SUBTRACT_LENGTHS;
        t->mem = p->heap.mem;
        t->atoms = p->run->atoms;
        t->from = t->rest = arg(p, 0);
        t->what = arg(p, 1);
        t->length = 0;
        t->rows = NULL;
        t->made = 0;
        t->second = t->sifting = t->looking = t->comparing = false;
        t->list = list_builder(&p->heap);
    }
    size_t budget = task_budget(p, SUBTRACT_RATE);
    size_t left = budget;
    bool done = subtract_go_on(t, &left);
    task_charge(p, budget, left, SUBTRACT_RATE);
    if (done) return subtract_result(p, t);
    SubtractTask *kept = task_keep(p, t, sizeof *t, subtract_release);
    if (kept != t && kept->comparing) walk_moved(&kept->order.stack, &t->order.stack);
    return bif_yield(p);
}
