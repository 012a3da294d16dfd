/* Built-ins of persistent_term (vm/ets/persist.h). */
#include "vm/bif/task.h"

#include "vm/ets/persist.h"
#include "vm/term/atom.h"
#include "vm/term/copy.h"
#include "vm/term/map.h"

/* Terms of up to so many words are copied at once. */
#define PERSISTENT_AT_ONCE 4096

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

static BifResult persistent_get(Process *p, Term otherwise)
{
    PersistentTask *t = (PersistentTask *)pause_find(p, persistent_release);
    if (t != NULL) return persistent_step(p, t);
    Persist *table = p->run->persist;
    PersistEntry *e = persist_find(table, arg(p, 0));
    if (e == NULL) return term_is_none(otherwise) ? raise_badarg(p) : otherwise;
    uint64_t before = p->heap.fragment_words;
    Term value = copy_term(&p->heap, e->value, PERSISTENT_AT_ONCE, NULL);
    bif_charge(p, (int64_t)((p->heap.fragment_words - before) / 16) + 1);
    if (!term_is_none(value)) {
        persist_drop(table, e);
        return value;
    }
    t = (PersistentTask *)pause_new(p, sizeof *t, persistent_release);
    t->table = table;
    t->entry = e;
    copy_begin(&t->copy, e->value, SIZE_MAX, NULL, p->heap.mem);
    return persistent_step(p, t);
}

BifResult bif_persistent_get_1(Process *p) { return persistent_get(p, TERM_NONE); }
BifResult bif_persistent_get_2(Process *p) { return persistent_get(p, arg(p, 1)); }

static Term persistent_all(Persist *table, Heap *h)
{
    size_t n;
    PersistEntry **all = persist_all(table, &n);
    if (all == NULL) return TERM_NONE;
    Term list = TERM_NIL;
    for (size_t i = 0; i < n && !term_is_none(list); i++) {
        Term key = copy_term(h, all[i]->key, SIZE_MAX, NULL);
        Term value = copy_term(h, all[i]->value, SIZE_MAX, NULL);
        Term pair = TERM_NONE;
        if (!term_is_none(key) && !term_is_none(value)) pair = heap_tuple2(h, key, value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(h, pair, list);
    }
    persist_all_free(table, all, n);
    return list;
}

static void persistent_all_run(Offload *o)
{
    o->out = persistent_all((Persist *)(uintptr_t)o->number, &o->heap);
}

BifResult bif_persistent_get_0(Process *p)
{
    return task_pool(p, persistent_all_run, NULL, 0, (int64_t)(uintptr_t)p->run->persist);
}

/* TERM_NONE: *why. */
static Term persistent_put_term(Persist *table, Term key, Term value, bool only_new, int *why)
{
    PersistPut put = persist_put(table, key, value, only_new);
    *why = put == PERSIST_PUT_TAKEN ? TASK_BADARG : TASK_NO_ROOM;
    return put == PERSIST_PUT_DONE ? TERM_ATOM(OK) : TERM_NONE;
}

static void persistent_put_run(Offload *o)
{
    o->out = persistent_put_term((Persist *)(uintptr_t)o->number, o->in[0], o->in[1],
                                 term_same(o->in[2], TERM_TRUE), &o->why);
}

static bool persistent_is_large(Term t)
{
    return copy_size(t, PERSISTENT_AT_ONCE, NULL) == COPY_TOO_LARGE;
}

static BifResult persistent_put(Process *p, bool only_new)
{
    Term in[] = {arg(p, 0), arg(p, 1), term_bool(only_new)};
    if (task_is_pooled(p) || persistent_is_large(in[0]) || persistent_is_large(in[1]))
        return task_pool(p, persistent_put_run, in, ARRAY_LEN(in),
                         (int64_t)(uintptr_t)p->run->persist);
    int why;
    Term t = persistent_put_term(p->run->persist, in[0], in[1], only_new, &why);
    if (!term_is_none(t)) return t;
    return why == TASK_BADARG ? raise_badarg(p) : raise_system_limit(p);
}

BifResult bif_persistent_put(Process *p) { return persistent_put(p, false); }
BifResult bif_persistent_put_new(Process *p) { return persistent_put(p, true); }
BifResult bif_persistent_erase(Process *p)
{
    return term_bool(persist_erase(p->run->persist, arg(p, 0)));
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
