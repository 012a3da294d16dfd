#include "vm/proc/parcel.h"

/* ---- in slices ---- */

void parcel_begin(Parcel *parcel, RunContext *rc, SignalKind kind, size_t spare, Term value)
{
    copy_begin(&parcel->copy, value, message_limit(rc->mem), &rc->literals, rc->mem);
    parcel->message = NULL;
    parcel->kind = kind;
    parcel->spare = spare;
}

/* The message for a walk that has counted; false: refused. */
static bool parcel_open(Parcel *parcel)
{
    CopyWalk *copy = &parcel->copy;
    if (copy->words == COPY_TOO_LARGE) return false;
    parcel->message = message_open_with(copy->stack.mem, parcel->kind, copy->words,
                                        parcel->spare, &parcel->area);
    if (parcel->message == NULL) return false;
    if (copy->words > 0) copy_place(copy, &parcel->area, heap_take(&parcel->area, copy->words));
    return true;
}

ParcelResult parcel_step(Parcel *parcel, size_t *budget)
{
    if (parcel->message == NULL) {
        if (!copy_count(&parcel->copy, budget)) return PARCEL_MORE;
        if (!parcel_open(parcel)) return PARCEL_REFUSED;
    }
    if (!copy_step(&parcel->copy, &parcel->area, budget)) return PARCEL_MORE;
    message_close_long(parcel->message, &parcel->area, parcel->copy.result,
                       parcel->copy.first_handle);
    if (copy_is_stale(&parcel->copy)
        && !message_expel(parcel->message, parcel->copy.now, parcel->copy.stack.mem))
        return PARCEL_REFUSED;
    return PARCEL_DONE;
}

void parcel_end(Parcel *parcel, Heap *h)
{
    bool finished = parcel->copy.done;
    copy_end(&parcel->copy);
    if (parcel->message == NULL) return;
    /* What was retained for the copy is on the area's list. */
    if (!finished)
        message_close_long(parcel->message, &parcel->area, TERM_NIL, parcel->copy.first_handle);
    message_drop(parcel->message, h);
    parcel->message = NULL;
}

/* ---- on a process's behalf ---- */

typedef struct ParcelPause {
    Pause pause;
    Parcel parcel;
} ParcelPause;

static void parcel_release(Pause *pause, Process *p)
{
    ParcelPause *held = (ParcelPause *)pause;
    parcel_end(&held->parcel, &p->heap);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

void parcel_forget(Process *p)
{
    if (UNLIKELY(pause_find(p, parcel_release) != NULL)) pause_end(p);
}

static ParcelResult parcel_make_at_once(Process *p, SignalKind kind, size_t spare, Term value,
                                        size_t words, Message **made)
{
    Heap area;
    Message *m = message_open_with(p->heap.mem, kind, words, spare, &area);
    if (m == NULL) return PARCEL_REFUSED;
    p->run->reductions -= (int64_t)(words / 4);
    if (words > 0)
        value = copy_into(&area, heap_take(&area, words), words, value, &p->run->literals);
    message_close(m, &area, value);
    *made = m;
    return PARCEL_DONE;
}

static ParcelResult parcel_continue(Process *p, Parcel *parcel, Message **made)
{
    size_t budget = pause_budget(p);
    size_t left = budget;
    ParcelResult result = parcel_step(parcel, &left);
    pause_charge(p, budget, left);
    if (result == PARCEL_MORE) return result;
    if (result == PARCEL_DONE) {
        *made = parcel->message;
        parcel->message = NULL;
    }
    pause_end(p);
    return result;
}

ParcelResult parcel_make(Process *p, SignalKind kind, size_t spare, Term value, Message **made)
{
    ParcelPause *held = (ParcelPause *)pause_find(p, parcel_release);
    if (LIKELY(held == NULL)) {
        size_t words =
            term_is_atomic(value) ? 0 : copy_size(value, PARCEL_QUICK_WORDS, &p->run->literals);
        if (LIKELY(words != COPY_TOO_LARGE))
            return parcel_make_at_once(p, kind, spare, value, words, made);
        held = (ParcelPause *)pause_new(p, sizeof *held, parcel_release);
        parcel_begin(&held->parcel, p->run, kind, spare, value);
    }
    ASSERT(term_same(held->parcel.copy.source, value));
    return parcel_continue(p, &held->parcel, made);
}
