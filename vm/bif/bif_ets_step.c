/* What select and match do with one object. */
#include "vm/bif/bif_ets_select.h"

#include "vm/base/mem.h"
#include "vm/proc/message.h"
#include "vm/proc/pause.h"

static SelectStep step_raised(Process *p)
{
    raise_system_limit(p);
    return STEP_RAISED;
}

static void large_end(Select *s)
{
    SelectLarge *large = s->large;
    if (large == NULL) return;
    if (s->stage == STAGE_MAKING)
        ets_making_end(&large->making);
    else
        copy_end(&large->copy);
    heap_release(&large->area);
    mem_free(s->mem, MEM_WORK, large, sizeof *large);
    s->large = NULL;
}

/* Done with the object, or back at its start. */
static SelectStep step_over(Select *s, SelectStep step)
{
    large_end(s);
    s->stage = STAGE_NONE;
    return step;
}

void select_step_end(Select *s)
{
    (void)step_over(s, STEP_ON);
    if (s->held != NULL) ets_object_drop(s->mem, s->held);
    s->held = NULL;
}

/* The object is for another slice. */
static SelectStep step_pause(Process *p, Select *s, EtsObject *o, SelectStage stage)
{
    s->stage = stage;
    if (s->held == NULL && !ets_object_hold(o)) {
        /* With so many holders somebody else will be done with it soon. */
        pause_end(p);
        return step_over(s, STEP_BUSY);
    }
    s->held = o;
    return STEP_PAUSE;
}

static SelectLarge *large_new(Select *s, SelectStage stage)
{
    s->stage = stage;
    s->large = mem_alloc(s->mem, MEM_WORK, sizeof *s->large);
    heap_init_detached(&s->large->area, s->mem);
    return s->large;
}

static SelectStep list_add(Process *p, Select *s, Term value, Term *list)
{
    *list = heap_cons(&p->heap, value, *list);
    if (term_is_none(*list)) return step_raised(p);
    s->count++;
    return STEP_ON;
}

/* The result of a large object, which points to it, becomes the process's. */
static SelectStep step_copy(Process *p, Select *s, EtsObject *o, Term *list)
{
    SelectLarge *large = s->large;
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = copy_step(&large->copy, &large->area, &left);
    pause_charge(p, budget, left);
    if (!done) return step_pause(p, s, o, STAGE_COPYING);
    if (term_is_none(large->copy.result)) return step_over(s, step_raised(p));
    Term value = large->copy.result;
    heap_splice(&p->heap, &large->area);
    return step_over(s, list_add(p, s, value, list));
}

/* The newest object of that key is to be matched instead: s->newer. */
static SelectStep step_anew(EtsTable *t, Select *s, const EtsObject *o)
{
    EtsObject *newer = t->kind == ETS_DUPLICATE_BAG ? NULL : ets_find(t, ets_table_key(t, o));
    (void)step_over(s, STEP_ON);
    if (newer == NULL) return STEP_ON;
    if (s->held != NULL) {
        if (!ets_object_hold(newer)) return STEP_BUSY;
        ets_object_drop(s->mem, s->held);
        s->held = newer;
    }
    s->newer = newer;
    return STEP_ANEW;
}

static SelectStep step_swap(Process *p, EtsTable *t, Select *s, EtsObject *o, EtsObject *fresh)
{
    EtsUser u = bif_ets_user(p);
    EtsResult r = ets_swap(&u, t, o, fresh);
    if (r == ETS_DONE) {
        s->count++;
        return step_over(s, STEP_ON);
    }
    ets_object_free(s->mem, fresh);
    return r == ETS_BUSY ? step_over(s, STEP_BUSY) : step_anew(t, s, o);
}

static SelectStep step_make(Process *p, EtsTable *t, Select *s, EtsObject *o)
{
    EtsMaking *making = &s->large->making;
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = ets_making_step(making, &left);
    pause_charge(p, budget, left);
    if (!done) return step_pause(p, s, o, STAGE_MAKING);
    EtsObject *fresh = making->object;
    making->object = NULL;
    if (fresh == NULL) return step_over(s, step_raised(p));
    return step_swap(p, t, s, o, fresh);
}

static bool is_large(const Select *s, const EtsObject *o)
{
    return s->heavy || ets_object_is_large(o);
}

static SelectStep step_replace(Process *p, EtsTable *t, Select *s, EtsObject *o)
{
    if (is_large(s, o)) {
        SelectLarge *large = large_new(s, STAGE_MAKING);
        ets_making_begin(&large->making, s->mem, s->result, message_limit(s->mem));
        return step_make(p, t, s, o);
    }
    EtsObject *fresh = ets_object_new(s->mem, s->result, SIZE_MAX);
    return fresh == NULL ? step_raised(p) : step_swap(p, t, s, o, fresh);
}

static SelectStep step_list(Process *p, Select *s, EtsObject *o, Term *list)
{
    if (is_large(s, o)) {
        SelectLarge *large = large_new(s, STAGE_COPYING);
        copy_begin(&large->copy, s->result, SIZE_MAX, NULL, s->mem);
        return step_copy(p, s, o, list);
    }
    bif_charge(p, (int64_t)(o->words / 16));
    return list_add(p, s, s->result, list);
}

static SelectStep step_delete(Process *p, EtsTable *t, Select *s, EtsObject *o)
{
    EtsUser u = bif_ets_user(p);
    EtsResult r = ets_remove(&u, t, o);
    s->count += r == ETS_DONE;
    return r == ETS_BUSY ? STEP_BUSY : STEP_ON;
}

static SelectStep step_matched(Process *p, EtsTable *t, Select *s, EtsObject *o, Term *list,
                               MatchResult r)
{
    bool holds = r == MATCH_DONE && term_same(s->result, TERM_TRUE);
    switch (r) {
    case MATCH_MORE: return step_pause(p, s, o, STAGE_MATCHING);
    case MATCH_NOT: return step_over(s, STEP_ON);
    case MATCH_REFUSED: return step_over(s, step_raised(p));
    case MATCH_DONE: break;
    }
    switch (s->action) {
    case SELECT_LIST: return step_list(p, s, o, list);
    case SELECT_COUNT: s->count += holds; return step_over(s, STEP_ON);
    case SELECT_DELETE: return step_over(s, holds ? step_delete(p, t, s, o) : STEP_ON);
    case SELECT_REPLACE: return step_replace(p, t, s, o);
    }
    UNREACHABLE();
}

SelectStep select_step(Process *p, EtsTable *t, Select *s, EtsObject *o, Term *list)
{
    SelectStep step;
    do {
        s->machine.use =
            s->action != SELECT_LIST || is_large(s, o) ? MATCH_LOOK : MATCH_KEEP_FOREIGN;
        MatchResult r = ets_machine_run(&s->machine, ets_object_tuple(o), o, &s->result);
        step = step_matched(p, t, s, o, list, r);
        o = s->newer;
    } while (step == STEP_ANEW);
    return step;
}

static SelectStep step_again(Process *p, EtsTable *t, Select *s, Term *list)
{
    EtsObject *o = s->held;
    switch (s->stage) {
    case STAGE_MATCHING:
        return step_matched(p, t, s, o, list, ets_machine_again(&s->machine, &s->result));
    case STAGE_COPYING: return step_copy(p, s, o, list);
    case STAGE_MAKING: return step_make(p, t, s, o);
    case STAGE_NONE: break;
    }
    UNREACHABLE();
}

SelectStep select_step_again(Process *p, EtsTable *t, Select *s, Term *list)
{
    SelectStep step = step_again(p, t, s, list);
    return step == STEP_ANEW ? select_step(p, t, s, s->newer, list) : step;
}
