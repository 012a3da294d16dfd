/* Built-ins about purging code: who runs it, who holds literals of it, and its end. */
#include "vm/bif/bif_process.h"

#include "vm/actor/send.h"
#include "vm/actor/signal.h"
#include "vm/bif/bif_code.h"
#include "vm/code/upgrade.h"
#include "vm/proc/codeuse.h"
#include "vm/proc/proctab.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/tuple.h"

/* ---- purging: hot-code.md tells the protocol, stdlib/sys/code.mote drives it ---- */

typedef struct BifPurge {
    RunContext *run;
    Module *module;
    LiteralRange (*step)(CodeTable *t, Module *m);
} BifPurge;

/* While all workers stand still: the step, and what they know of the code goes. */
static void bif_purge_alone(void *context)
{
    const BifPurge *b = context;
    const Sched *s = b->run->worker->sched;
    LiteralRange literals = b->step(b->run->code, b->module);
    for (unsigned i = 0; i < s->worker_count; i++) {
        s->workers[i]->run.literals = literals;
        s->workers[i]->run.extent_from = s->workers[i]->run.extent_to = NULL;
    }
}

static void bif_purge_exclusive(Process *p, Module *m,
                                LiteralRange (*step)(CodeTable *t, Module *m))
{
    BifPurge b = {p->run, m, step};
    sched_run_exclusive(p->run, bif_purge_alone, &b);
}

static void bif_purge_timer(void *context, Message *m)
{
    const RunContext *run = context;
    message_expel_surely(m, &run->literals, run->mem);
}

/* The first step of expulsion.  Timers come before processes: one that fires afterwards sends no
 * literal that leaves, one that has fired before is in its receiver's inbox by now. */
static BifResult bif_purge_mark(Process *p, Module *m)
{
    enum { WHEEL = 2, AT = 3 };
    const Sched *s = p->run->worker->sched;
    if (raw_slot(p, AT) == 0) bif_purge_exclusive(p, m, upgrade_purge_mark);
    size_t wheel = raw_slot(p, WHEEL);
    size_t at = raw_slot(p, AT) == 0 ? TIMER_WALK_START : raw_slot(p, AT) - 1;
    while (wheel < s->worker_count) {
        bool more = timer_walk(&s->workers[wheel]->wheel, &at, bif_purge_timer, p->run);
        bif_charge(p, 100);
        if (!more) {
            wheel++;
            at = TIMER_WALK_START;
        }
        if (!bif_spent(p)) continue;
        raw_slot_set(p, WHEEL, wheel);
        raw_slot_set(p, AT, at + 1);
        return bif_yield(p);
    }
    return TERM_TRUE;
}

/* erts_internal:purge_module(Module, Step): false: there is nothing to purge.  `prepare` lets no
 * fun enter it any more, `abort` lets it be; `mark`: copies of terms hold no literal of it any
 * more; `complete` removes it, once no process runs it or holds a literal. */
BifResult bif_purge_module(Process *p)
{
    if (!term_is_atom(arg(p, 0)) || !term_is_atom(arg(p, 1))) return raise_badarg(p);
    CodeTable *t = p->run->code;
    lock_take(&t->lock);
    Module *m = codetab_find_module(t, atom_index(arg(p, 0)));
    bool old = m != NULL && upgrade_victim(m) != NULL;
    lock_drop(&t->lock);
    if (!old) return TERM_FALSE;
    switch (atom_of(arg(p, 1))) {
    case ATOM_PREPARE: upgrade_purge_prepare(t, m); return TERM_TRUE;
    case ATOM_ABORT: upgrade_purge_abort(t, m); return TERM_TRUE;
    case ATOM_MARK: return bif_purge_mark(p, m);
    case ATOM_COMPLETE: bif_purge_exclusive(p, m, upgrade_purge); return TERM_TRUE;
    default: return raise_badarg(p);
    }
}

/* A CHECK_CODE signal with {Module, Id, Step}.  False: no memory. */
static bool bif_check_code_send(Process *p, Term other, Term module, Term id, Term step)
{
    RunContext *run = p->run;
    Term request = heap_tuple3(&p->heap, module, id, step);
    if (term_is_none(request)) return false;
    Signal *s = message_new_signal(run, SIGNAL_CHECK_CODE, p->pid, 0, request);
    if (s == NULL) return false;
    Process *target = proctab_find(run->processes, other);
    if (target == NULL || !send_push_to(run, target, &s->message)) {
        signal_refuse(run, other, &s->message);
        message_free(&s->message, run->mem);
    }
    return true;
}

/* erts_internal:check_code(Pid, Module, Id, Step): the process says by a message
 * {check_process_code, Id, Bool} whether it runs what is purged; after `expel` it holds no literal
 * of it either, if it does not. */
BifResult bif_check_code(Process *p)
{
    if (!term_is_local_pid(arg(p, 0)) || !term_is_atom(arg(p, 1)) || !term_is_atom(arg(p, 3)))
        return raise_badarg(p);
    bool sent = bif_check_code_send(p, arg(p, 0), arg(p, 1), arg(p, 2), arg(p, 3));
    return sent ? TERM_TRUE : raise_system_limit(p);
}

/* erts_internal:dying_processes(): those that have begun to die, and are not gone; in slices. */
BifResult bif_dying_processes(Process *p)
{
    enum { AT = 0, LIST = 1 };
    const ProcTable *t = p->run->processes;
    size_t at = raw_slot(p, AT);
    Term list = at == 0 ? TERM_NIL : slot(p, LIST);
    for (; at < proctab_slots(t); at++) {
        const Process *other = proctab_at(t, at);
        if (other != NULL && (atomic_load_acquire(&other->state) & STATE_EXITING) != 0)
            list = heap_cons(&p->heap, other->pid, list);
        if (term_is_none(list)) return raise_system_limit(p);
        if ((at & 63) != 63) continue;
        bif_charge(p, 64);
        if (!bif_spent(p)) continue;
        raw_slot_set(p, AT, at + 1);
        slot_set(p, LIST, list);
        return bif_yield(p);
    }
    return list;
}

/* erts_internal:is_gone(Pid): has nothing but its pid been left? */
BifResult bif_is_gone(Process *p)
{
    if (!term_is_local_pid(arg(p, 0))) return raise_badarg(p);
    return term_bool(proctab_find(p->run->processes, arg(p, 0)) == NULL);
}

/* ---- who runs old code ---- */

static const ModuleVersion *bif_code_asked(CodeTable *t, Term module, bool purging)
{
    lock_take(&t->lock);
    const Module *m = codetab_find_module(t, atom_index(module));
    const ModuleVersion *v = m == NULL ? NULL : purging ? upgrade_victim(m) : m->old;
    lock_drop(&t->lock);
    return v;
}

static bool bif_uses_code(Process *p, const ModuleVersion *v)
{
    return v != NULL && codeuse_check(p, v);
}

Term bif_check_code_request(RunContext *run, Process *p, Term request)
{
    if (term_is_atom(request))
        return term_bool(bif_uses_code(p, bif_code_asked(run->code, request, false)));
    Term step = tuple_at(request, 2);
    bool purging = !term_same(step, TERM_ATOM(ASYNC));
    if (bif_uses_code(p, bif_code_asked(run->code, tuple_at(request, 0), purging)))
        return TERM_TRUE;
    if (term_same(step, TERM_ATOM(EXPEL)) && !codeuse_expel(p)) return TERM_NONE;
    return TERM_FALSE;
}

static BifResult bif_check_code_of(Process *p, size_t asked)
{
    Term other = arg(p, 0);
    if (!term_is_local_pid(other) || !term_is_atom(arg(p, 1))) return raise_badarg(p);
    if (!term_same(other, p->pid))
        return bif_ask(p, asked, SIGNAL_CHECK_CODE, other, arg(p, 1));
    return term_bool(bif_uses_code(p, bif_code_asked(p->run->code, arg(p, 1), false)));
}

BifResult bif_check_process_code_2(Process *p) { return bif_check_code_of(p, 2); }

/* Options: {allow_gc, boolean()}, which changes nothing, as nothing here needs a collection; and
 * {async, Id}, whose last one counts. */
BifResult bif_check_process_code_3(Process *p)
{
    Term id = TERM_NONE;
    Term list = arg(p, 2);
    for (; term_is_cons(list); list = list_tail(list)) {
        Term option = list_head(list);
        if (!term_is_tuple_of(option, 2)) return raise_badarg(p);
        if (term_same(tuple_at(option, 0), TERM_ATOM(ASYNC)))
            id = tuple_at(option, 1);
        else if (!term_same(tuple_at(option, 0), TERM_ATOM(ALLOW_GC))
                 || !term_is_boolean(tuple_at(option, 1)))
            return raise_badarg(p);
    }
    if (!term_is_nil(list)) return raise_badarg(p);
    if (term_is_none(id)) return bif_check_code_of(p, 3);
    if (!term_is_local_pid(arg(p, 0)) || !term_is_atom(arg(p, 1))) return raise_badarg(p);
    bool sent = bif_check_code_send(p, arg(p, 0), arg(p, 1), id, TERM_ATOM(ASYNC));
    return sent ? TERM_ATOM(ASYNC) : raise_system_limit(p);
}
