/* Built-ins of persistent_term (vm/ets/persist.h). */
#include "vm/bif/task.h"

#include "vm/ets/persist.h"
#include "vm/proc/message.h"
#include "vm/term/atom.h"
#include "vm/term/copy.h"
#include "vm/term/map.h"
#include "vm/term/order.h"

/* Terms of up to so many words are handled at once; larger keys, and larger values on their way
 * into the table, on the blocking pool. */
#define PERSISTENT_AT_ONCE 4096

static bool persistent_is_large(Term t)
{
    return copy_size(t, PERSISTENT_AT_ONCE, NULL) == COPY_TOO_LARGE;
}

/* ---- work over terms of any size, at once or as a job ---- */

typedef struct PersistWork {
    Persist *table;
    Mem *mem;
    Offload *job; /* NULL: what is done is small */
    bool stopped; /* the job is not wanted any more */
} PersistWork;

/* Words that are handled between two looks whether the job is still wanted. */
#define PERSISTENT_LOOK 65536

static bool work_goes_on(PersistWork *w)
{
    w->stopped = w->stopped || (w->job != NULL && !offload_goes_on(w->job));
    return !w->stopped;
}

/* A closed copy; TERM_NONE: refused, or stopped. */
static Term work_copy(PersistWork *w, Heap *h, Term t)
{
    if (w->job == NULL) return copy_term(h, t, SIZE_MAX, NULL);
    CopyWalk c;
    copy_begin(&c, t, message_limit(w->mem), NULL, w->mem);
    bool done = false;
    while (!done && work_goes_on(w)) {
        size_t budget = PERSISTENT_LOOK;
        done = copy_step(&c, h, &budget);
    }
    copy_end(&c);
    return done ? c.result : TERM_NONE;
}

/* a =:= b; false if stopped, too. */
static bool work_same(PersistWork *w, Term a, Term b)
{
    if (w->job == NULL) return order_same(a, b);
    OrderWalk o;
    order_begin_equal(&o, ORDER_EXACT, a, b, w->mem);
    bool done = false;
    while (!done && work_goes_on(w)) {
        size_t budget = PERSISTENT_LOOK;
        done = order_step(&o, &budget);
    }
    bool same = done && o.result == 0;
    order_end(&o);
    return same;
}

/* Could a key of the table be as large?  So it is not endless work to hash it. */
static bool work_may_be_key(PersistWork *w, Term key)
{
    size_t count;
    size_t bytes;
    persist_size(w->table, &count, &bytes);
    CopyWalk c;
    copy_begin(&c, key, bytes / sizeof(Word), NULL, w->mem);
    bool done = false;
    while (!done && work_goes_on(w)) {
        size_t budget = PERSISTENT_LOOK;
        done = copy_count(&c, &budget);
    }
    bool may = done && c.words != COPY_TOO_LARGE;
    copy_end(&c);
    return may;
}

/* Goes on until it finds the key; NULL: there is none, or stopped. */
static PersistEntry *work_find(PersistWork *w, PersistSearch *s, Term key)
{
    PersistEntry *e;
    while (work_goes_on(w) && (e = persist_next(w->table, s)) != NULL)
        if (work_same(w, e->key, key)) return e;
    return NULL;
}

/* The key's entry, retained, or NULL. */
static PersistEntry *work_get(PersistWork *w, Term key)
{
    if (w->job != NULL && !work_may_be_key(w, key)) return NULL;
    PersistSearch s = {.hash = persist_hash(w->table, key)};
    PersistEntry *e = work_find(w, &s, key);
    if (e == NULL) persist_search_end(w->table, &s);
    return e; /* with the reference of the search */
}

/* ---- get ---- */

/* A large value on its way to a process. */
typedef struct PersistentTask {
    Pause pause; /* first */
    Persist *table;
    PersistEntry *entry; /* retained */
    CopyWalk copy;
} PersistentTask;

static void persistent_release(Pause *pause, Process *p)
{
    PersistentTask *t = (PersistentTask *)pause;
    copy_end(&t->copy);
    persist_drop(t->table, t->entry);
    task_free(pause, sizeof *t, p);
}

static BifResult persistent_step(Process *p, PersistentTask *t)
{
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = copy_step(&t->copy, &p->heap, &left);
    pause_charge(p, budget, left);
    if (!done) return bif_yield(p);
    Term value = t->copy.result;
    pause_end(p);
    return term_is_none(value) ? raise_system_limit(p) : value;
}

/* A copy of the entry's value; drops the entry. */
static BifResult persistent_value(Process *p, PersistEntry *e)
{
    uint64_t before = p->heap.fragment_words;
    Term value = copy_term(&p->heap, e->value, PERSISTENT_AT_ONCE, NULL);
    bif_charge(p, (int64_t)((p->heap.fragment_words - before) / 16) + 1);
    if (!term_is_none(value)) {
        persist_drop(p->run->persist, e);
        return value;
    }
    PersistentTask *t = (PersistentTask *)pause_new(p, sizeof *t, persistent_release);
    t->table = p->run->persist;
    t->entry = e;
    copy_begin(&t->copy, e->value, SIZE_MAX, NULL, p->heap.mem);
    return persistent_step(p, t);
}

/* Why a job has no value. */
enum { PERSISTENT_NO_ROOM, PERSISTENT_NO_KEY };

static void persistent_get_run(Offload *o)
{
    PersistWork w = {.table = (Persist *)(uintptr_t)o->number, .mem = o->mem, .job = o};
    PersistEntry *e = work_get(&w, o->in[0]);
    o->why = e == NULL ? PERSISTENT_NO_KEY : PERSISTENT_NO_ROOM;
    if (e == NULL) return;
    o->out = work_copy(&w, &o->heap, e->value);
    persist_drop(w.table, e);
}

static BifResult persistent_absent(Process *p, Term otherwise)
{
    return term_is_none(otherwise) ? raise_badarg(p) : otherwise;
}

/* The key is large. */
static BifResult persistent_get_pooled(Process *p, Term otherwise)
{
    const Offload *o = offload_find(p);
    if (o == NULL)
        return offload_start(p, persistent_get_run, (const Term[]){arg(p, 0)}, 1,
                             (int64_t)(uintptr_t)p->run->persist);
    if (!job_done(&o->job)) return bif_wait(p);
    int why;
    Term value = offload_take(p, &why);
    if (!term_is_none(value)) return value;
    return why == PERSISTENT_NO_KEY ? persistent_absent(p, otherwise) : raise_system_limit(p);
}

static BifResult persistent_get(Process *p, Term otherwise)
{
    PersistentTask *t = (PersistentTask *)pause_find(p, persistent_release);
    if (t != NULL) return persistent_step(p, t);
    if (task_is_pooled(p) || persistent_is_large(arg(p, 0)))
        return persistent_get_pooled(p, otherwise);
    PersistWork w = {.table = p->run->persist, .mem = p->heap.mem};
    PersistEntry *e = work_get(&w, arg(p, 0));
    return e == NULL ? persistent_absent(p, otherwise) : persistent_value(p, e);
}

BifResult bif_persistent_get_1(Process *p) { return persistent_get(p, TERM_NONE); }
BifResult bif_persistent_get_2(Process *p) { return persistent_get(p, arg(p, 1)); }

static Term persistent_all(PersistWork *w, Heap *h)
{
    size_t n;
    PersistEntry **all = persist_all(w->table, &n);
    if (all == NULL) return TERM_NONE;
    Term list = TERM_NIL;
    for (size_t i = 0; i < n && !term_is_none(list); i++) {
        Term key = work_copy(w, h, all[i]->key);
        Term value = work_copy(w, h, all[i]->value);
        Term pair = TERM_NONE;
        if (!term_is_none(key) && !term_is_none(value)) pair = heap_tuple2(h, key, value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(h, pair, list);
    }
    persist_all_free(w->table, all, n);
    return list;
}

static void persistent_all_run(Offload *o)
{
    PersistWork w = {.table = (Persist *)(uintptr_t)o->number, .mem = o->mem, .job = o};
    o->out = persistent_all(&w, &o->heap);
}

BifResult bif_persistent_get_0(Process *p)
{
    return task_pool(p, persistent_all_run, NULL, 0, (int64_t)(uintptr_t)p->run->persist);
}

/* ---- put, erase ---- */

typedef enum PersistPut {
    PERSIST_PUT_DONE,
    PERSIST_PUT_TAKEN, /* the key has another value, which is to stay */
    PERSIST_PUT_NO_MEMORY
} PersistPut;

/* Sees to it that the value is there to be put in. */
static bool work_fill(PersistWork *w, PersistEntry *fresh, Term value)
{
    if (term_is_none(fresh->value)) fresh->value = work_copy(w, &fresh->heap, value);
    return !term_is_none(fresh->value);
}

/* With the key in `fresh`, which is taken if it says so. */
static PersistPut work_put_entry(PersistWork *w, PersistEntry *fresh, Term value, bool only_new,
                                 bool *taken)
{
    PersistPut result = PERSIST_PUT_NO_MEMORY;
    PersistSearch s = {.hash = persist_hash(w->table, fresh->key)};
    while (!*taken && work_goes_on(w)) {
        PersistEntry *e = work_find(w, &s, fresh->key);
        if (w->stopped) break;
        bool same = e != NULL && work_same(w, e->value, value);
        if (e != NULL && (same || only_new)) {
            result = same ? PERSIST_PUT_DONE : PERSIST_PUT_TAKEN;
            break;
        }
        if (!work_fill(w, fresh, value)) break;
        *taken =
            e == NULL ? persist_add(w->table, &s, fresh) : persist_replace(w->table, &s, fresh);
        if (*taken) result = PERSIST_PUT_DONE;
    }
    persist_search_end(w->table, &s);
    return result;
}

/* Binds the key to a copy of the value. */
static PersistPut work_put(PersistWork *w, Term key, Term value, bool only_new)
{
    PersistEntry *fresh = persist_entry_new(w->table);
    if (fresh == NULL) return PERSIST_PUT_NO_MEMORY;
    fresh->key = work_copy(w, &fresh->heap, key);
    bool taken = false;
    PersistPut result = PERSIST_PUT_NO_MEMORY;
    if (!term_is_none(fresh->key)) result = work_put_entry(w, fresh, value, only_new, &taken);
    if (!taken) persist_drop(w->table, fresh);
    return result;
}

static void persistent_put_run(Offload *o)
{
    PersistWork w = {.table = (Persist *)(uintptr_t)o->number, .mem = o->mem, .job = o};
    PersistPut put = work_put(&w, o->in[0], o->in[1], term_same(o->in[2], TERM_TRUE));
    o->why = put == PERSIST_PUT_TAKEN ? TASK_BADARG : TASK_NO_ROOM;
    if (put == PERSIST_PUT_DONE) o->out = TERM_ATOM(OK);
}

static BifResult persistent_put(Process *p, bool only_new)
{
    Term in[] = {arg(p, 0), arg(p, 1), term_bool(only_new)};
    if (task_is_pooled(p) || persistent_is_large(in[0]) || persistent_is_large(in[1]))
        return task_pool(p, persistent_put_run, in, ARRAY_LEN(in),
                         (int64_t)(uintptr_t)p->run->persist);
    PersistWork w = {.table = p->run->persist, .mem = p->heap.mem};
    PersistPut put = work_put(&w, in[0], in[1], only_new);
    if (put == PERSIST_PUT_DONE) return TERM_ATOM(OK);
    return put == PERSIST_PUT_TAKEN ? raise_badarg(p) : raise_system_limit(p);
}

BifResult bif_persistent_put(Process *p) { return persistent_put(p, false); }
BifResult bif_persistent_put_new(Process *p) { return persistent_put(p, true); }

static bool work_erase(PersistWork *w, Term key)
{
    if (w->job != NULL && !work_may_be_key(w, key)) return false;
    PersistSearch s = {.hash = persist_hash(w->table, key)};
    bool gone = false;
    while (!gone && work_find(w, &s, key) != NULL) gone = persist_replace(w->table, &s, NULL);
    persist_search_end(w->table, &s);
    return gone;
}

static void persistent_erase_run(Offload *o)
{
    PersistWork w = {.table = (Persist *)(uintptr_t)o->number, .mem = o->mem, .job = o};
    o->out = term_bool(work_erase(&w, o->in[0]));
}

BifResult bif_persistent_erase(Process *p)
{
    Term key = arg(p, 0);
    if (task_is_pooled(p) || persistent_is_large(key))
        return task_pool(p, persistent_erase_run, &key, 1, (int64_t)(uintptr_t)p->run->persist);
    PersistWork w = {.table = p->run->persist, .mem = p->heap.mem};
    return term_bool(work_erase(&w, key));
}

BifResult bif_persistent_info(Process *p)
{
    size_t count;
    size_t bytes;
    persist_size(p->run->persist, &count, &bytes);
    Term pairs[] = {TERM_ATOM(COUNT), small_from((int64_t)count), TERM_ATOM(MEMORY),
                    small_from((int64_t)bytes)};
    Term map = map_from_pairs(&p->heap, p->run->atoms, pairs, 2);
    return term_is_none(map) ? raise_system_limit(p) : map;
}
