#include "vm/actor/send.h"

#include "vm/actor/registry.h"
#include "vm/actor/remote.h"
#include "vm/actor/signal.h"
#include "vm/proc/parcel.h"
#include "vm/proc/proctab.h"
#include "vm/term/atom.h"
#include "vm/term/pid.h"

/* What a send costs besides the copy. */
#define SEND_REDUCTIONS 20

/* Will the signal end its receiver, as far as the sender can tell? */
static bool send_ends(const Process *p, const Message *m)
{
    if (m->kind != SIGNAL_EXIT && m->kind != SIGNAL_EXIT_LINK) return false;
    if (m->kind == SIGNAL_EXIT && term_is_the_atom(m->value, ATOM_KILL)) return true;
    return !term_is_the_atom(m->value, ATOM_NORMAL)
           && (atomic_load_relaxed(&p->state) & STATE_TRAP_EXIT) == 0;
}

bool send_push_to(RunContext *rc, Process *p, Message *m)
{
    uint32_t kind = m->kind;
    bool ends = UNLIKELY(kind != SIGNAL_MESSAGE) && send_ends(p, m);
    if (!mailbox_push(&p->mailbox, m)) return false;
    /* Behind the signal, so that it is there when a job has stopped for it. */
    if (ends) atomic_or_acq_rel(&p->state, STATE_ENDING);
    chance_note(&rc->worker->sched->chance, CHANCE_SIGNAL, p->pid.w, kind);
    sched_notify(rc, p);
    return true;
}

bool send_push(RunContext *rc, Term pid, Message *m)
{
    Process *p = proctab_find(rc->processes, pid);
    if (p != NULL && send_push_to(rc, p, m)) return true;
    message_free(m, rc->mem);
    return false;
}

bool send_system(RunContext *rc, Term pid, Term message)
{
    Process *p = proctab_find(rc->processes, pid);
    if (p == NULL) return true;
    Message *m = message_new(rc, message);
    if (m == NULL) return false;
    if (!send_push_to(rc, p, m)) message_free(m, rc->mem);
    return true;
}

/* The whole message, and then to `pid`; nobody there: nothing is copied (any further). */
static SendResult send_parcel(Process *from, Term pid, SignalKind kind, uint64_t number,
                              Term message)
{
    RunContext *rc = from->run;
    Process *p = proctab_find(rc->processes, pid);
    if (p == NULL) {
        parcel_forget(from);
        return SEND_DONE;
    }
    Message *m;
    ParcelResult result = parcel_make(from, kind, 0, message, &m);
    if (UNLIKELY(result != PARCEL_DONE))
        return result == PARCEL_MORE ? SEND_MORE : SEND_NO_MEMORY;
    if (kind != SIGNAL_MESSAGE) {
        message_signal(m)->from = TERM_NONE;
        message_signal(m)->number = number;
    }
    if (!send_push_to(rc, p, m)) message_drop(m, &from->heap);
    return SEND_DONE;
}

static SendResult send_local(Process *from, Term pid, Term message)
{
    return send_parcel(from, pid, SIGNAL_MESSAGE, 0, message);
}

static SendResult send_alias(Process *from, Term alias, Term message)
{
    if (!pid_ref_is_alias(alias)) return SEND_DONE;
    return send_parcel(from, pid_ref_owner(alias), SIGNAL_ALIAS_MESSAGE, pid_ref_number(alias),
                       message);
}

static SendResult send_remote(Process *from, Term to, Term message)
{
    RunContext *rc = from->run;
    if (rc->remote != NULL) rc->remote->send(rc, from, to, message);
    return SEND_DONE;
}

/* {Name, Node} */
static SendResult send_to_node(Process *from, Term to, Term message)
{
    Term name = tuple_at(to, 0);
    Term node = tuple_at(to, 1);
    if (!term_is_atom(name) || !term_is_atom(node)) return SEND_BAD_DEST;
    if (!term_is_the_atom(node, ATOM_NONODE_AT_NOHOST)) return send_remote(from, to, message);
    Term pid = registry_find(from->run, name);
    if (!term_is_none(pid)) return send_local(from, pid, message);
    parcel_forget(from);
    return SEND_DONE;
}

static SendResult send_to_name(Process *from, Term name, Term message)
{
    Term pid = registry_find(from->run, name);
    if (!term_is_none(pid)) return send_local(from, pid, message);
    parcel_forget(from);
    return SEND_BAD_NAME;
}

SendResult send_message(Process *from, Term to, Term message)
{
    if (!pause_is_held(from)) from->run->reductions -= SEND_REDUCTIONS;
    if (term_is_local_pid(to)) return send_local(from, to, message);
    if (term_is_atom(to)) return send_to_name(from, to, message);
    if (term_is_local_ref(to)) return send_alias(from, to, message);
    if (term_is_tuple_of(to, 2)) return send_to_node(from, to, message);
    if (term_is_kind(to, KIND_REMOTE_PID) || term_is_kind(to, KIND_REMOTE_REF))
        return send_remote(from, to, message);
    return SEND_BAD_DEST;
}

/* The other node that `to` is on, or TERM_NONE. */
static Term send_node(Term to)
{
    if (term_is_kind(to, KIND_REMOTE_PID) || term_is_kind(to, KIND_REMOTE_REF))
        return pid_node(to);
    if (!term_is_tuple_of(to, 2) || !term_is_atom(tuple_at(to, 0))) return TERM_NONE;
    Term node = tuple_at(to, 1);
    bool other = term_is_atom(node) && !term_is_the_atom(node, ATOM_NONODE_AT_NOHOST);
    return other ? node : TERM_NONE;
}

bool send_is_connected(Process *from, Term to)
{
    RunContext *rc = from->run;
    Term node = send_node(to);
    return term_is_none(node) || (rc->remote != NULL && rc->remote->is_connected(rc, node));
}
