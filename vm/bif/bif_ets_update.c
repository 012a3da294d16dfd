/* Built-ins of ets that change elements of one object. */
#include "vm/bif/bif_ets.h"

#include "vm/base/mem.h"
#include "vm/proc/message.h"
#include "vm/proc/pause.h"
#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/list.h"
#include "vm/term/number.h"
#include "vm/term/order.h"
#include "vm/term/tuple.h"

#define UPDATE_AREA 128

/* An object being changed: a tuple in a scratch area, whose elements point anywhere. */
typedef struct Update {
    Process *p;
    EtsTable *t;
    Heap heap; /* for the tuple and new numbers */
    Word *elements;
    size_t size;
    Word area[UPDATE_AREA];
} Update;

static void update_init(Update *x, Process *p, EtsTable *t)
{
    x->p = p;
    x->t = t;
    x->heap = (Heap){.top = x->area, .limit = x->area + UPDATE_AREA, .mem = p->run->mem};
}

static void update_end(Update *x)
{
    heap_release(&x->heap);
    x->heap.top = x->area;
}

/* A copy of the tuple alone; TERM_NONE: refused. */
static Term update_begin(Update *x, Term tuple)
{
    update_end(x);
    x->size = tuple_size(tuple);
    Term copy =
        heap_tuple(&x->heap, x->size, (const Term *)(const void *)(boxed_words(tuple) + 1));
    if (!term_is_none(copy)) x->elements = boxed_words(copy) + 1;
    return copy;
}

/* The element that position `at` means, from 0; false: there is none, or it is the key. */
static bool update_place(const Update *x, Term at, size_t *element)
{
    if (!term_is_small(at) || small_value(at) < 1) return false;
    *element = (size_t)small_value(at) - 1;
    return *element < x->size && *element != x->t->keypos;
}

/* Works on a copy of the tuple; false: raised. */
typedef bool EtsChange(Update *x, Term how, Term *result);

/* The changed tuple of an object, or of a default with the key at its place; TERM_NONE: raised. */
static Term update_tuple(Update *x, Term original, Term key, EtsChange *change, Term how,
                         Term *result)
{
    Term tuple = update_begin(x, original);
    if (term_is_none(tuple)) return raise_system_limit(x->p);
    if (!term_is_none(key)) x->elements[x->t->keypos] = key.w;
    return change(x, how, result) ? tuple : TERM_NONE;
}

/* The object of the key in a set; *busy. */
static EtsObject *update_find(const EtsTable *t, Term key, bool *busy)
{
    for (;;) {
        uint64_t version = ets_read_begin(t);
        EtsObject *o = ets_find(t, key);
        *busy = (version & 1) != 0;
        if (*busy || ets_read_holds(t, version)) return o;
    }
}

/* `fresh` comes instead of `old`, or if there is none yet; LOST: somebody was quicker. */
static EtsResult update_put(Process *p, EtsTable *t, EtsObject *old, EtsObject *fresh)
{
    EtsUser u = bif_ets_user(p);
    EtsResult r = old == NULL ? ets_put(&u, t, fresh, true) : ets_swap(&u, t, old, fresh);
    if (r != ETS_DONE) ets_object_free(p->run->mem, fresh);
    return r == ETS_EXISTS ? ETS_LOST : r;
}

/* What is changed, and how. */
typedef struct UpdateCall {
    EtsTable *t;
    EtsObject *old; /* NULL: `otherwise` is put */
    Term otherwise;
    EtsChange *change;
} UpdateCall;

static Term update_of(Update *x, const UpdateCall *call, Term *result)
{
    bool fresh = call->old == NULL;
    return update_tuple(x, fresh ? call->otherwise : ets_object_tuple(call->old),
                        fresh ? arg(x->p, 1) : TERM_NONE, call->change, arg(x->p, 2), result);
}

/* ---- objects that are large ---- */

typedef struct UpdatePause {
    Pause pause;
    Update x;
    EtsObject *old; /* held, or NULL */
    EtsMaking making;
    Term result;
} UpdatePause;

static void update_release(Pause *pause, Process *p)
{
    UpdatePause *held = (UpdatePause *)pause;
    ets_making_end(&held->making);
    update_end(&held->x);
    if (held->old != NULL) ets_object_drop(held->making.mem, held->old);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

/* Makes the changed object in slices; when another change comes in between, all begins again. */
static BifResult update_again(Process *p, EtsTable *t, UpdatePause *held)
{
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = ets_making_step(&held->making, &left);
    pause_charge(p, budget, left);
    if (!done) return bif_yield(p);
    EtsObject *fresh = held->making.object;
    Term result = held->result;
    held->making.object = NULL;
    EtsResult r = fresh == NULL ? ETS_EXISTS : update_put(p, t, held->old, fresh);
    pause_end(p);
    switch (r) {
    case ETS_DONE: return result;
    case ETS_EXISTS: return raise_system_limit(p);
    case ETS_LOST: return bif_ets_pause(p);
    case ETS_BUSY: break;
    }
    return bif_ets_busy(p, t);
}

static BifResult update_large(Process *p, const UpdateCall *call)
{
    if (call->old != NULL && !ets_object_hold(call->old)) return bif_ets_pause(p);
    UpdatePause *held = (UpdatePause *)pause_new(p, sizeof *held, update_release);
    held->old = call->old;
    update_init(&held->x, p, call->t);
    Term tuple = update_of(&held->x, call, &held->result);
    size_t limit = message_limit(p->run->mem);
    ets_making_begin(&held->making, p->run->mem, tuple, limit);
    if (!term_is_none(tuple)) return update_again(p, call->t, held);
    pause_end(p);
    return TERM_NONE;
}

/* ---- others ---- */

/* DONE with *result, or with what the rest of the work gives; LOST to begin again, BUSY. */
static EtsResult update_try(Process *p, const UpdateCall *call, Term *result)
{
    Update x;
    bool large = call->old != NULL && ets_object_is_large(call->old);
    update_init(&x, p, call->t);
    Term tuple = large ? TERM_NIL : update_of(&x, call, result);
    EtsObject *fresh =
        large || term_is_none(tuple) ? NULL : ets_object_quick(p->run->mem, tuple, &large);
    update_end(&x);
    if (large) {
        *result = update_large(p, call);
        return ETS_DONE;
    }
    if (fresh == NULL) {
        *result = term_is_none(tuple) ? TERM_NONE : raise_system_limit(p);
        return ETS_DONE;
    }
    bif_ets_charge(p, 2 * (size_t)fresh->words);
    return update_put(p, call->t, call->old, fresh);
}

/* Changes the object of the key, or puts the changed default; `absent` is the result when there
 * is neither. Somebody else's change in between: all over again. */
static BifResult update_any(Process *p, EtsChange *change, Term otherwise, Term absent)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    UpdatePause *held = (UpdatePause *)pause_find(p, update_release);
    if (UNLIKELY(held != NULL)) return update_again(p, t, held);
    if (t->kind == ETS_BAG || t->kind == ETS_DUPLICATE_BAG) return raise_badarg(p);
    if (!term_is_none(otherwise) && !term_is_tuple(otherwise)) return raise_badarg(p);
    EtsResult r;
    Term result;
    do {
        bool busy;
        EtsObject *old = update_find(t, arg(p, 1), &busy);
        if (busy) return bif_ets_busy(p, t);
        if (old == NULL && term_is_none(otherwise))
            return term_is_none(absent) ? raise_badarg(p) : absent;
        if (old == NULL && !bif_ets_is_object(t, otherwise)) return raise_badarg(p);
        const UpdateCall call = {t, old, otherwise, change};
        r = update_try(p, &call, &result);
    } while (r == ETS_LOST);
    return r == ETS_BUSY ? bif_ets_busy(p, t) : result;
}

/* ---- update_element ---- */

static bool element_one(Update *x, Term pair)
{
    size_t element;
    if (!term_is_tuple_of(pair, 2) || !update_place(x, tuple_at(pair, 0), &element)) {
        raise_badarg(x->p);
        return false;
    }
    x->elements[element] = tuple_at(pair, 1).w;
    return true;
}

static bool element_change(Update *x, Term how, Term *result)
{
    *result = TERM_TRUE;
    if (!term_is_list(how)) return element_one(x, how);
    for (; term_is_cons(how); how = list_tail(how)) {
        bif_charge(x->p, 2);
        if (!element_one(x, list_head(how))) return false;
    }
    if (!term_is_nil(how)) raise_badarg(x->p);
    return term_is_nil(how);
}

BifResult bif_ets_update_element_3(Process *p)
{
    return update_any(p, element_change, TERM_NONE, TERM_FALSE);
}
BifResult bif_ets_update_element_4(Process *p)
{
    return update_any(p, element_change, arg(p, 3), TERM_FALSE);
}

/* ---- update_counter ---- */

/* {Pos, Incr} or {Pos, Incr, Threshold, SetValue}: the new value, or TERM_NONE, raised. */
static Term counter_one(Update *x, Term op)
{
    size_t element;
    bool limited = term_is_tuple_of(op, 4);
    bool ok = (limited || term_is_tuple_of(op, 2)) && update_place(x, tuple_at(op, 0), &element)
              && term_is_integer(TERM_RAW(x->elements[element]));
    for (size_t i = 1; ok && i < tuple_size(op); i++) ok = term_is_integer(tuple_at(op, i));
    if (!ok) return raise_badarg(x->p);
    Term incr = tuple_at(op, 1);
    Term value = number_add(&x->heap, TERM_RAW(x->elements[element]), incr);
    if (term_is_none(value)) return raise_system_limit(x->p);
    bif_charge(x->p, 4);
    if (limited) {
        bool down = number_compare(incr, small_from(0)) < 0;
        int order = number_compare(value, tuple_at(op, 2));
        if (down ? order < 0 : order > 0) value = tuple_at(op, 3);
    }
    x->elements[element] = value.w;
    return value;
}

/* Values are copied: the area of the change goes. */
static bool counter_keep(Update *x, Term value, Term *result)
{
    *result = ets_part_copy_out(&x->p->heap, value);
    if (term_is_none(*result)) raise_system_limit(x->p);
    return !term_is_none(*result);
}

static bool counter_list(Update *x, Term ops, Term *result)
{
    ListBuilder values = list_builder(&x->p->heap);
    for (; term_is_cons(ops); ops = list_tail(ops)) {
        Term value = counter_one(x, list_head(ops));
        if (term_is_none(value) || !counter_keep(x, value, result)) return false;
        list_add(&values, *result);
    }
    if (!term_is_nil(ops)) {
        raise_badarg(x->p);
        return false;
    }
    *result = list_finish(&values, TERM_NIL);
    if (term_is_none(*result)) raise_system_limit(x->p);
    return !term_is_none(*result);
}

static bool counter_change(Update *x, Term how, Term *result)
{
    if (term_is_list(how)) return counter_list(x, how, result);
    Word words[3] = {header_make(KIND_TUPLE, 2), small_from((int64_t)x->t->keypos + 2).w,
                     how.w};
    Term value = counter_one(x, term_is_integer(how) ? boxed_from(words) : how);
    return !term_is_none(value) && counter_keep(x, value, result);
}

/* One small number added to another: the object's words are copied with one of them changed.
 * TERM_NIL: not as simple as that. */
static BifResult counter_quick(Process *p, EtsTable *t, EtsUser *u)
{
    Term how = arg(p, 2);
    Term at = small_from((int64_t)t->keypos + 2);
    if (term_is_tuple_of(how, 2)) {
        at = tuple_at(how, 0);
        how = tuple_at(how, 1);
    }
    if (!term_is_small(at) || small_value(at) < 1 || !term_is_small(how)) return TERM_NIL;
    size_t element = (size_t)small_value(at) - 1;
    for (;;) {
        bool busy;
        EtsObject *old = update_find(t, arg(p, 1), &busy);
        if (busy || old == NULL) return TERM_NIL;
        Term tuple = ets_object_tuple(old);
        if (ets_object_is_large(old) || element >= tuple_size(tuple) || element == t->keypos
            || !term_is_small(tuple_at(tuple, element)))
            return TERM_NIL;
        int64_t sum = small_value(tuple_at(tuple, element)) + small_value(how);
        if (!small_fits(sum)) return TERM_NIL;
        EtsObject *fresh = ets_object_with(p->run->mem, old, element, small_from(sum));
        if (fresh == NULL) return raise_system_limit(p);
        EtsResult r = ets_swap(u, t, old, fresh);
        bif_ets_charge(p, fresh->words);
        if (r == ETS_DONE) return small_from(sum);
        ets_object_free(p->run->mem, fresh);
        if (r == ETS_BUSY) return TERM_NIL;
    }
}

static BifResult update_counter(Process *p, Term otherwise)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    EtsUser u = bif_ets_user(p);
    bool fits = term_is_none(otherwise) || term_is_tuple(otherwise);
    fits = fits && !pause_is_held(p);
    if (fits && (t->kind == ETS_SET || t->kind == ETS_ORDERED_SET)) {
        BifResult quick = counter_quick(p, t, &u);
        if (!term_is_nil(quick)) return quick;
    }
    return update_any(p, counter_change, otherwise, TERM_NONE);
}

BifResult bif_ets_update_counter_3(Process *p) { return update_counter(p, TERM_NONE); }
BifResult bif_ets_update_counter_4(Process *p) { return update_counter(p, arg(p, 3)); }
