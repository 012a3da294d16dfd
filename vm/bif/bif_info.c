/* process_info: who asks about itself looks, who asks about another sends a question. */
#include "vm/bif/bif_process.h"
#include "vm/bif/inspect.h"

#include "vm/actor/signal.h"
#include "vm/proc/extra.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"

static void info_release(Pause *pause, Process *p)
{
    Inspection *i = (Inspection *)pause;
    inspect_end(i);
    mem_free(p->heap.mem, MEM_WORK, i, sizeof *i);
}

static Inspection *info_new(Process *p, bool self, Term items)
{
    Inspection *i = mem_alloc(p->heap.mem, MEM_WORK, sizeof *i);
    inspect_begin(i, p, self, items);
    i->pause.release = info_release;
    return i;
}

/* ---- on behalf of another ---- */

/* True when i->parcel has the reply, or there is no memory for it. */
static bool info_post(Inspection *i, RunContext *rc, size_t *budget)
{
    if (!i->posting) {
        if (!inspect_step(i, rc, budget)) return false;
        if (term_is_none(i->answer)) return true;
        parcel_begin(&i->parcel, rc, SIGNAL_REPLY, 0, i->answer);
        i->posting = true;
    }
    return parcel_step(&i->parcel, budget) != PARCEL_MORE;
}

static Message *info_take_reply(Inspection *i, RunContext *rc)
{
    Message *reply = i->posting && i->parcel.copy.done ? i->parcel.message : NULL;
    if (reply == NULL) return signal_without_value(rc, SIGNAL_REPLY);
    i->parcel.message = NULL;
    return reply;
}

Message *bif_inspect(RunContext *rc, Process *p, Term items)
{
    Inspection *i = p->extra == NULL ? NULL : (Inspection *)p->extra->answer;
    bool held = i != NULL;
    if (!held) i = info_new(p, false, items);
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = info_post(i, rc, &left);
    pause_charge(p, budget, left);
    if (!done) {
        if (!held) pause_hang_answer(p, &i->pause);
        return NULL;
    }
    Message *reply = info_take_reply(i, rc);
    if (held)
        pause_end_answer(p);
    else
        info_release(&i->pause, p);
    return reply;
}

/* ---- process_info ---- */

static BifResult info_self(Process *p, Term items)
{
    Inspection *i = (Inspection *)pause_find(p, info_release);
    bool held = i != NULL;
    if (!held) i = info_new(p, true, items);
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = inspect_step(i, p->run, &left);
    pause_charge(p, budget, left);
    if (!done) {
        if (!held) pause_hang(p, &i->pause);
        return bif_yield(p);
    }
    Term answer = i->answer;
    if (held)
        pause_end(p);
    else
        info_release(&i->pause, p);
    return term_is_none(answer) ? raise_system_limit(p) : answer;
}

static BifResult info_ask(Process *p, size_t at, Term items)
{
    Term other = arg(p, 0);
    if (!term_same(other, p->pid)) return bif_ask(p, at, SIGNAL_INFO, other, items);
    /* What was sent before counts: the outer inbox is looked at, and may end this process. */
    if (raw_slot(p, at) == 0 && mailbox_has_outer(&p->mailbox)) {
        raw_slot_set(p, at, 1);
        return bif_wait(p);
    }
    return info_self(p, items);
}

BifResult bif_process_info_1(Process *p)
{
    enum { ASKED = 1 };
    if (!term_is_local_pid(arg(p, 0))) return raise_badarg(p);
    return info_ask(p, ASKED, TERM_ATOM(ALL));
}

static bool info_are_items(Term items)
{
    for (; term_is_cons(items); items = list_tail(items))
        if (!inspect_is_item(list_head(items))) return false;
    return term_is_nil(items);
}

BifResult bif_process_info_2(Process *p)
{
    enum { ASKED = 2 };
    Term items = arg(p, 1);
    if (!term_is_local_pid(arg(p, 0))) return raise_badarg(p);
    bool first = raw_slot(p, ASKED) == 0 && !pause_is_held(p);
    if (first && !inspect_is_item(items) && !(term_is_list(items) && info_are_items(items)))
        return raise_badarg(p);
    return info_ask(p, ASKED, items);
}
