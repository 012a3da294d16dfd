/* Built-ins about processes: identity, links, monitors, aliases, names, sending,
 * ending. */
#include "vm/bif/bif_process.h"

#include "vm/actor/registry.h"
#include "vm/actor/send.h"
#include "vm/actor/signal.h"
#include "vm/proc/extra.h"
#include "vm/proc/parcel.h"
#include "vm/proc/reserve.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/order.h"
#include "vm/term/pid.h"

/* ---- who ---- */

BifResult bif_self(Process *p) { return p->pid; }

BifResult bif_make_ref(Process *p)
{
    Term ref = pid_make_ref(&p->heap, sched_reference(p->run));
    return term_is_none(ref) ? raise_system_limit(p) : ref;
}

BifResult bif_group_leader_0(Process *p) { return p->group_leader; }

BifResult bif_group_leader_2(Process *p)
{
    Term leader = arg(p, 0);
    Term other = arg(p, 1);
    if (!term_is_pid(leader) || !term_is_pid(other)) return raise_badarg(p);
    bool known = signal_group_leader(p, other, leader) || !term_is_local_pid(other);
    return known ? TERM_TRUE : raise_badarg(p);
}

/* ---- links ---- */

BifResult bif_link(Process *p)
{
    Term other = arg(p, 0);
    if (!term_is_pid(other)) return raise_badarg(p);
    return signal_link(p, other) ? TERM_TRUE : raise_error(p, TERM_ATOM(NOPROC));
}

BifResult bif_unlink(Process *p)
{
    Term other = arg(p, 0);
    if (!term_is_pid(other) && !term_is_port(other)) return raise_badarg(p);
    signal_unlink(p, other);
    return TERM_TRUE;
}

/* exit/2.  To oneself: waits until the signal has arrived, which may be the end. */
BifResult bif_exit_2(Process *p)
{
    enum { SENT = 2 };
    Term other = arg(p, 0);
    if (raw_slot(p, SENT) != 0) return TERM_TRUE;
    if (!term_is_pid(other) && !term_is_port(other)) return raise_badarg(p);
    if (term_is_pid(other) && !signal_exit(p, other, arg(p, 1))) return bif_yield(p);
    if (!term_same(other, p->pid)) return TERM_TRUE;
    raw_slot_set(p, SENT, 1);
    return bif_wait(p);
}

/* ---- monitors ---- */

/* {alias, Mode}: the flags of a reference; 0: no such mode. */
static unsigned alias_flags(Term mode)
{
    if (!term_is_atom(mode)) return 0;
    switch ((int)atom_of(mode)) {
    case ATOM_EXPLICIT_UNALIAS: return RELATION_ALIAS_ON | RELATION_ALIAS_MADE;
    case ATOM_DEMONITOR:
        return RELATION_ALIAS_ON | RELATION_ALIAS_MADE | RELATION_ALIAS_DEMONITOR;
    case ATOM_REPLY_DEMONITOR:
        return RELATION_ALIAS_ON | RELATION_ALIAS_MADE | RELATION_ALIAS_DEMONITOR
               | RELATION_ALIAS_REPLY;
    default: return 0;
    }
}

/* monitor/3's options; also {monitor, Options} of spawn_opt. */
bool bif_monitor_options(Term options, unsigned *flags, Term *tag)
{
    *flags = 0;
    *tag = TERM_NONE;
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2)) return false;
        if (term_is_the_atom(tuple_at(option, 0), ATOM_ALIAS)) {
            *flags = alias_flags(tuple_at(option, 1));
            if (*flags == 0) return false;
        } else if (term_is_the_atom(tuple_at(option, 0), ATOM_TAG)) {
            *tag = tuple_at(option, 1);
        } else {
            return false;
        }
    }
    return term_is_nil(options);
}

/* The reference of a monitor or request, as an alias if it is one. */
Term bif_reference(Process *p, uint64_t number, unsigned flags)
{
    Term ref = (flags & RELATION_ALIAS_MADE) != 0 ? pid_make_alias(&p->heap, number, p->pid)
                                                  : pid_make_ref(&p->heap, number);
    return term_is_none(ref) ? raise_system_limit(p) : ref;
}

static BifResult monitor_process(Process *p, Term item, unsigned flags, Term tag)
{
    Term name = TERM_NONE;
    Term pid = TERM_NONE;
    Term node = TERM_ATOM(NONODE_AT_NOHOST);
    if (term_is_tuple_of(item, 2) && term_is_atom(tuple_at(item, 0))
        && term_is_atom(tuple_at(item, 1))) {
        name = tuple_at(item, 0);
        node = tuple_at(item, 1);
        /* A node that is not alive knows no other by name. */
        if (!term_same(node, TERM_ATOM(NONODE_AT_NOHOST)) && p->run->remote == NULL)
            return raise_badarg(p);
    } else if (term_is_atom(item)) {
        name = item;
    } else if (term_is_pid(item)) {
        pid = item;
    } else {
        return raise_badarg(p);
    }
    Message *own = NULL;
    switch (term_is_none(tag) ? PARCEL_DONE : parcel_make(p, SIGNAL_MESSAGE, 0, tag, &own)) {
    case PARCEL_MORE: return bif_yield(p);
    case PARCEL_REFUSED: return raise_system_limit(p);
    case PARCEL_DONE: break;
    }
    uint64_t number = term_same(node, TERM_ATOM(NONODE_AT_NOHOST))
                          ? signal_monitor(p, pid, name, flags, own)
                          : signal_monitor_on_node(p, name, node, flags, own);
    return bif_reference(p, number, flags);
}

static BifResult monitor_anything(Process *p, unsigned flags, Term tag)
{
    Term kind = arg(p, 0);
    if (term_is_the_atom(kind, ATOM_PROCESS)) return monitor_process(p, arg(p, 1), flags, tag);
    if (term_is_the_atom(kind, ATOM_TIME_OFFSET)
        && term_is_the_atom(arg(p, 1), ATOM_CLOCK_SERVICE))
        return bif_reference(p, sched_reference(p->run), flags);
    return raise_badarg(p);
}

BifResult bif_monitor_2(Process *p) { return monitor_anything(p, 0, TERM_NONE); }

BifResult bif_monitor_3(Process *p)
{
    unsigned flags;
    Term tag;
    if (!bif_monitor_options(arg(p, 2), &flags, &tag)) return raise_badarg(p);
    return monitor_anything(p, flags, tag);
}

BifResult bif_demonitor_1(Process *p)
{
    Term ref = arg(p, 0);
    if (!term_is_local_ref(ref)) return raise_badarg(p);
    if (term_is_kind(ref, KIND_REF)) (void)signal_demonitor(p, pid_ref_number(ref));
    return TERM_TRUE;
}

BifResult bif_demonitor_2(Process *p)
{
    Term ref = arg(p, 0);
    if (!term_is_local_ref(ref)) return raise_badarg(p);
    bool flush = false;
    bool info = false;
    Term options = arg(p, 1);
    for (; term_is_cons(options); options = list_tail(options)) {
        if (term_is_the_atom(list_head(options), ATOM_FLUSH))
            flush = true;
        else if (term_is_the_atom(list_head(options), ATOM_INFO))
            info = true;
        else
            return raise_badarg(p);
    }
    if (!term_is_nil(options)) return raise_badarg(p);
    if (!term_is_kind(ref, KIND_REF)) return info ? TERM_FALSE : TERM_TRUE;
    uint64_t number = pid_ref_number(ref);
    bool there = !signal_is_flushing(p) && signal_demonitor(p, number);
    if (!there && flush && !signal_flush_down(p, number)) return bif_yield(p);
    return term_bool(there || !info);
}

/* ---- aliases ---- */

static BifResult make_alias(Process *p, unsigned flags)
{
    return bif_reference(p, signal_alias(p, flags), RELATION_ALIAS_MADE);
}

BifResult bif_alias_0(Process *p) { return make_alias(p, RELATION_ALIAS_ON); }

BifResult bif_alias_1(Process *p)
{
    unsigned flags = RELATION_ALIAS_ON;
    Term options = arg(p, 0);
    for (; term_is_cons(options); options = list_tail(options)) {
        if (term_is_the_atom(list_head(options), ATOM_REPLY))
            flags |= RELATION_ALIAS_REPLY;
        else if (term_is_the_atom(list_head(options), ATOM_EXPLICIT_UNALIAS))
            flags &= ~RELATION_ALIAS_REPLY;
        else
            return raise_badarg(p);
    }
    return term_is_nil(options) ? make_alias(p, flags) : raise_badarg(p);
}

BifResult bif_unalias(Process *p)
{
    Term ref = arg(p, 0);
    if (!term_is_ref(ref)) return raise_badarg(p);
    if (!term_is_kind(ref, KIND_REF) || !pid_ref_is_alias(ref)) return TERM_FALSE;
    return term_bool(term_same(pid_ref_owner(ref), p->pid)
                     && signal_unalias(p, pid_ref_number(ref)));
}

/* ---- names ---- */

BifResult bif_register(Process *p)
{
    Term name = arg(p, 0);
    Term pid = arg(p, 1);
    if (!term_is_atom(name) || !term_is_local_pid(pid)
        || term_is_the_atom(name, ATOM_UNDEFINED))
        return raise_badarg(p);
    return registry_add(p->run, name, pid) == REGISTRY_DONE ? TERM_TRUE : raise_badarg(p);
}

BifResult bif_unregister(Process *p)
{
    Term name = arg(p, 0);
    if (!term_is_atom(name) || !registry_remove(p->run, name)) return raise_badarg(p);
    return TERM_TRUE;
}

BifResult bif_whereis(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    Term pid = registry_find(p->run, arg(p, 0));
    return term_is_none(pid) ? TERM_ATOM(UNDEFINED) : pid;
}

BifResult bif_registered(Process *p)
{
    Term names = registry_names(p->run, &p->heap);
    return term_is_none(names) ? raise_system_limit(p) : names;
}

/* ---- sending ---- */

static BifResult send_result(Process *p, SendResult result, Term value)
{
    switch (result) {
    case SEND_DONE: return value;
    case SEND_MORE: return bif_yield(p);
    case SEND_NO_MEMORY: return raise_system_limit(p);
    case SEND_BAD_NAME:
    case SEND_BAD_DEST: break;
    }
    return raise_badarg(p);
}

BifResult bif_send_2(Process *p)
{
    return send_result(p, send_message(p, arg(p, 0), arg(p, 1)), arg(p, 1));
}

/* `connects` is cleared by noconnect. */
static bool send_options(Term options, bool *connects)
{
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (term_is_the_atom(option, ATOM_NOCONNECT))
            *connects = false;
        else if (!term_is_the_atom(option, ATOM_NOSUSPEND)
                 && !term_is_the_atom(option, ATOM_PRIORITY))
            return false;
    }
    return term_is_nil(options);
}

BifResult bif_send_3(Process *p)
{
    bool connects = true;
    if (!send_options(arg(p, 2), &connects)) return raise_badarg(p);
    if (!connects && !send_is_connected(p, arg(p, 0))) return TERM_ATOM(NOCONNECT);
    return send_result(p, send_message(p, arg(p, 0), arg(p, 1)), TERM_ATOM(OK));
}

BifResult bif_send_nosuspend_2(Process *p)
{
    return send_result(p, send_message(p, arg(p, 0), arg(p, 1)), TERM_TRUE);
}

BifResult bif_send_nosuspend_3(Process *p)
{
    bool connects = true;
    if (!send_options(arg(p, 2), &connects)) return raise_badarg(p);
    if (!connects && !send_is_connected(p, arg(p, 0))) return TERM_FALSE;
    return send_result(p, send_message(p, arg(p, 0), arg(p, 1)), TERM_TRUE);
}

/* ---- giving time away ---- */

BifResult bif_erlang_yield(Process *p)
{
    enum { DONE = 0 };
    if (raw_slot(p, DONE) != 0) return TERM_TRUE;
    raw_slot_set(p, DONE, 1);
    if (!bif_spent(p)) p->run->reductions = 0;
    return bif_yield(p);
}

BifResult bif_bump_reductions(Process *p)
{
    Term n = arg(p, 0);
    if (!term_is_small(n) || small_value(n) < 0) return raise_badarg(p);
    /* At most one slice: more could not be taken from this one. */
    bif_charge(p, small_value(n) < p->run->slice ? small_value(n) : p->run->slice);
    return TERM_TRUE;
}

/* ---- requests that others answer ---- */

/* Sends the request the first time, then waits for its answer.  Slot `at` has the number in
 * two halves. */
Term bif_ask(Process *p, size_t at, SignalKind kind, Term other, Term value)
{
    if (raw_slot(p, at) == 0) {
        uint64_t number = signal_request(p, kind, other, value);
        raw_slot_set(p, at, (number >> 32) + 1);
        raw_slot_set(p, at + 1, number & 0xFFFFFFFF);
    }
    uint64_t number = (uint64_t)(raw_slot(p, at) - 1) << 32 | raw_slot(p, at + 1);
    Term answer = signal_answer(p, number);
    return term_is_none(answer) ? bif_wait(p) : answer;
}

BifResult bif_is_process_alive(Process *p)
{
    enum { ASKED = 1 };
    Term other = arg(p, 0);
    if (!term_is_local_pid(other)) return raise_badarg(p);
    if (term_same(other, p->pid)) return TERM_TRUE;
    return bif_ask(p, ASKED, SIGNAL_ALIVE, other, TERM_NIL);
}

/* All that are there the whole time; in slices. */
BifResult bif_processes(Process *p)
{
    enum { SLOT = 0, LIST = 1 };
    const ProcTable *t = p->run->processes;
    Term list = raw_slot(p, SLOT) == 0 ? TERM_NIL : slot(p, LIST);
    /* From the last to the first, so that the list is in order. */
    size_t left = raw_slot(p, SLOT) == 0 ? proctab_slots(t) : raw_slot(p, SLOT) - 1;
    for (size_t n = 0; left > 0; n++) {
        Process *other = proctab_at(t, --left);
        if (other != NULL && (atomic_load_acquire(&other->state) & STATE_EXITING) == 0)
            list = heap_cons(&p->heap, other->pid, list);
        if (term_is_none(list)) return raise_system_limit(p);
        if ((n & 63) != 63) continue;
        bif_charge(p, 64);
        if (!bif_spent(p)) continue;
        raw_slot_set(p, SLOT, left + 1);
        slot_set(p, LIST, list);
        return bif_yield(p);
    }
    return list;
}

/* ---- suspending ---- */

static BifResult suspend(Process *p, Term other, size_t at)
{
    Term answer = bif_ask(p, at, SIGNAL_SUSPEND, other, TERM_NIL);
    if (term_same(answer, TERM_WAIT)) return answer;
    if (term_same(answer, TERM_FALSE)) return raise_badarg(p);
    Relation *r = links_find(p, RELATION_SUSPENDED, other.w);
    if (r == NULL) r = links_add(p, RELATION_SUSPENDED, other.w, other);
    r->number++;
    return TERM_TRUE;
}

BifResult bif_suspend_1(Process *p)
{
    enum { ASKED = 1 };
    Term other = arg(p, 0);
    if (!term_is_local_pid(other) || term_same(other, p->pid)) return raise_badarg(p);
    return suspend(p, other, ASKED);
}

/* Options: unless_suspending (at most once by the caller) and asynchronous (the answer is
 * not waited for). */
BifResult bif_suspend_2(Process *p)
{
    enum { ASKED = 2 };
    Term other = arg(p, 0);
    Term options = arg(p, 1);
    bool once = false;
    if (!term_is_local_pid(other) || term_same(other, p->pid)) return raise_badarg(p);
    for (; term_is_cons(options); options = list_tail(options)) {
        if (term_is_the_atom(list_head(options), ATOM_UNLESS_SUSPENDING))
            once = true;
        else if (!term_is_the_atom(list_head(options), ATOM_ASYNCHRONOUS))
            return raise_badarg(p);
    }
    if (!term_is_nil(options)) return raise_badarg(p);
    bool first = raw_slot(p, ASKED) == 0;
    if (first && once && links_find(p, RELATION_SUSPENDED, other.w) != NULL) return TERM_FALSE;
    return suspend(p, other, ASKED);
}

BifResult bif_resume(Process *p)
{
    Term other = arg(p, 0);
    if (!term_is_local_pid(other) || !signal_resume(p, other)) return raise_badarg(p);
    return TERM_TRUE;
}

/* ---- collecting ---- */

static BifResult collect_self(Process *p, bool full)
{
    /* The stub's registers are all live, so this is a safepoint as long as nothing is held
     * here. */
    if (reserve_collect(p, 0, RESERVE_BY_PC, full) == RESERVE_DONE) return TERM_TRUE;
    return raise_exit(p, p->run->exc_reason);
}

BifResult bif_garbage_collect_0(Process *p) { return collect_self(p, true); }

BifResult bif_garbage_collect_1(Process *p)
{
    enum { ASKED = 1 };
    Term other = arg(p, 0);
    if (!term_is_local_pid(other)) return raise_badarg(p);
    if (term_same(other, p->pid)) return collect_self(p, true);
    return bif_ask(p, ASKED, SIGNAL_COLLECT, other, TERM_ATOM(MAJOR));
}

/* {garbage_collect, RequestId, Result} */
static BifResult collect_later(Process *p, Term other, Term type, Term id)
{
    Process *target = proctab_find(p->run->processes, other);
    bool there = target != NULL && (atomic_load_acquire(&target->state) & STATE_EXITING) == 0;
    if (there) (void)signal_request(p, SIGNAL_COLLECT, other, type);
    Term answer = heap_tuple3(&p->heap, TERM_ATOM(GARBAGE_COLLECT), id, term_bool(there));
    if (term_is_none(answer) || !send_system(p->run, p->pid, answer))
        return raise_system_limit(p);
    return TERM_ATOM(ASYNC);
}

BifResult bif_garbage_collect_2(Process *p)
{
    enum { ASKED = 2 };
    Term other = arg(p, 0);
    Term options = arg(p, 1);
    Term type = TERM_ATOM(MAJOR);
    Term id = TERM_NONE;
    if (!term_is_local_pid(other)) return raise_badarg(p);
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2)) return raise_badarg(p);
        Term value = tuple_at(option, 1);
        if (term_is_the_atom(tuple_at(option, 0), ATOM_ASYNC)) {
            id = value;
            continue;
        }
        bool known = term_is_the_atom(value, ATOM_MAJOR) || term_is_the_atom(value, ATOM_MINOR);
        if (!known || !term_is_the_atom(tuple_at(option, 0), ATOM_TYPE)) return raise_badarg(p);
        type = value;
    }
    if (!term_is_nil(options)) return raise_badarg(p);
    if (!term_is_none(id)) return collect_later(p, other, type, id);
    if (term_same(other, p->pid)) return collect_self(p, term_is_the_atom(type, ATOM_MAJOR));
    return bif_ask(p, ASKED, SIGNAL_COLLECT, other, type);
}
