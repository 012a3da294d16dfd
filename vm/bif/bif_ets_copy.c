/* Copies of objects into tables and out of them, in slices where they are large. */
#include "vm/bif/bif_ets.h"

#include "vm/base/mem.h"
#include "vm/proc/message.h"
#include "vm/proc/pause.h"

/* ---- in ---- */

typedef struct ObjectPause {
    Pause pause;
    EtsMaking making;
} ObjectPause;

static void object_release(Pause *pause, Process *p)
{
    ObjectPause *held = (ObjectPause *)pause;
    ets_making_end(&held->making);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

static EtsObject *object_refused(Process *p)
{
    raise_system_limit(p);
    return NULL;
}

static EtsObject *object_continue(Process *p, EtsMaking *making, bool *more)
{
    size_t budget = pause_budget(p);
    size_t left = budget;
    *more = !ets_making_step(making, &left);
    pause_charge(p, budget, left);
    if (*more) return NULL;
    EtsObject *o = making->object;
    making->object = NULL;
    pause_end(p);
    return o == NULL ? object_refused(p) : o;
}

EtsObject *bif_ets_object(Process *p, Term tuple, bool *more)
{
    Mem *mem = p->run->mem;
    *more = false;
    ObjectPause *held = (ObjectPause *)pause_find(p, object_release);
    if (UNLIKELY(held != NULL)) return object_continue(p, &held->making, more);
    bool large;
    EtsObject *o = ets_object_quick(mem, tuple, &large);
    if (LIKELY(o != NULL)) {
        bif_ets_charge(p, o->words);
        return o;
    }
    if (!large) return object_refused(p);
    held = (ObjectPause *)pause_new(p, sizeof *held, object_release);
    ets_making_begin(&held->making, mem, tuple, message_limit(mem));
    return object_continue(p, &held->making, more);
}

/* ---- out ---- */

typedef struct OutPause {
    Pause pause;
    Walk objects; /* newest first; those from `next` on are held */
    size_t next;
    int64_t element;
    EtsOutForm form;
    bool copying;
    CopyWalk copy;
    Term list; /* of parts so far */
} OutPause;

static void out_release(Pause *pause, Process *p)
{
    OutPause *out = (OutPause *)pause;
    if (out->copying) copy_end(&out->copy);
    for (; out->next < out->objects.count; out->next++)
        ets_object_drop(out->objects.mem, (EtsObject *)(uintptr_t)out->objects.at[out->next]);
    walk_free(&out->objects);
    mem_free(p->heap.mem, MEM_WORK, out, sizeof *out);
}

bool bif_ets_out_is_held(const Process *p) { return pause_find(p, out_release) != NULL; }

static Term out_part(const EtsObject *o, int64_t element)
{
    return element < 0 ? ets_object_tuple(o) : TERM_RAW(o->data[1 + element]);
}

static Term out_finish(Process *p, EtsOutForm form, Term list, size_t keypos)
{
    if (term_is_none(list)) return raise_system_limit(p);
    if (form == ETS_OUT_LIST) return list;
    Term first = *(const Term *)(const void *)cons_cell(list);
    if (form == ETS_OUT_ONE) return first;
    Term pair = heap_tuple2(&p->heap, tuple_at(first, keypos), list);
    return term_is_none(pair) ? raise_system_limit(p) : pair;
}

/* All at once. */
static Term out_quick(Process *p, const Walk *objects, int64_t element)
{
    Term list = TERM_NIL;
    for (size_t i = 0; i < objects->count && !term_is_none(list); i++) {
        const EtsObject *o = (const EtsObject *)(uintptr_t)objects->at[i];
        Term part = element < 0 ? ets_object_copy_out(&p->heap, o)
                                : ets_part_copy_out(&p->heap, out_part(o, element));
        bif_ets_charge(p, element < 0 ? o->words : 0);
        list = heap_cons(&p->heap, part, list);
    }
    return list;
}

/* All objects from the first to the last but `n` are let go. */
static void out_unhold(const Walk *objects, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ets_object_drop(objects->mem, (EtsObject *)(uintptr_t)objects->at[i]);
}

static bool out_hold(const Walk *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        if (ets_object_hold((EtsObject *)(uintptr_t)objects->at[i])) continue;
        out_unhold(objects, i);
        return false;
    }
    return true;
}

BifResult bif_ets_out_again(Process *p, const EtsTable *t)
{
    OutPause *out = (OutPause *)pause_find(p, out_release);
    size_t budget = pause_budget(p);
    size_t left = budget;
    while (out->next < out->objects.count && left > 0 && !term_is_none(out->list)) {
        EtsObject *o = (EtsObject *)(uintptr_t)out->objects.at[out->next];
        if (!out->copying)
            copy_begin(&out->copy, out_part(o, out->element), SIZE_MAX, NULL, p->heap.mem);
        out->copying = !copy_step(&out->copy, &p->heap, &left);
        if (out->copying) break;
        out->list = heap_cons(&p->heap, out->copy.result, out->list);
        copy_end(&out->copy);
        left -= left < 4 ? left : 4;
        ets_object_drop(out->objects.mem, o);
        out->next++;
    }
    pause_charge(p, budget, left);
    if (out->next < out->objects.count && !term_is_none(out->list)) return bif_yield(p);
    Term list = out->list;
    EtsOutForm form = out->form;
    pause_end(p);
    return out_finish(p, form, list, t == NULL ? 0 : t->keypos);
}

BifResult bif_ets_out(Process *p, const EtsTable *t, Walk *objects, int64_t element,
                      EtsOutForm form)
{
    size_t words = 0;
    for (size_t i = 0; i < objects->count; i++)
        words += ((const EtsObject *)(uintptr_t)objects->at[i])->words + 2;
    if (LIKELY(words <= ETS_OBJECT_LARGE) || !out_hold(objects))
        return out_finish(p, form, out_quick(p, objects, element), t->keypos);
    OutPause *out = (OutPause *)pause_new(p, sizeof *out, out_release);
    walk_init(&out->objects, p->run->mem);
    walk_reserve(&out->objects, objects->count);
    for (size_t i = 0; i < objects->count; i++) walk_push(&out->objects, objects->at[i]);
    out->element = element;
    out->form = form;
    out->list = TERM_NIL;
    return bif_ets_out_again(p, t);
}
