#include "vm/actor/signal.h"

#include "vm/actor/exit.h"
#include "vm/actor/registry.h"
#include "vm/actor/remote.h"
#include "vm/actor/send.h"
#include "vm/proc/extra.h"
#include "vm/proc/parcel.h"
#include "vm/proc/proctab.h"
#include "vm/proc/reserve.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"

/* ---- making and sending ---- */

/* A signal whose value cannot be copied (the budget refuses) carries this instead: it must
 * arrive. */
static Signal *signal_make(RunContext *rc, SignalKind kind, Term from, uint64_t number,
                           Term value)
{
    Signal *s = message_new_signal(rc, kind, from, number, value);
    if (s != NULL) return s;
    Heap area;
    Message *m = NULL;
    while (m == NULL) {
        m = message_open_with(rc->mem, kind, 0, message_sender_words(from), &area);
        if (m == NULL) mem_insist(rc->mem, 4096);
    }
    message_close(m, &area, TERM_ATOM(SYSTEM_LIMIT));
    s = message_signal(m);
    message_set_sender(s, from);
    s->number = number;
    return s;
}

/* To a process of another node, or to the node. */
static bool signal_send_remote(RunContext *rc, SignalKind kind, Term from, Term to,
                               uint64_t number, Term value)
{
    return rc->remote != NULL && rc->remote->signal(rc, (int)kind, from, to, number, value);
}

/* Whether somebody was there to take it; else it is gone. */
static bool signal_send(RunContext *rc, SignalKind kind, Term from, Term to, uint64_t number,
                        Term value)
{
    if (UNLIKELY(!term_is_local_pid(to)))
        return !term_is_none(to) && signal_send_remote(rc, kind, from, to, number, value);
    Process *p = proctab_find(rc->processes, to);
    if (p == NULL) return false;
    Signal *s = signal_make(rc, kind, from, number, value);
    if (send_push_to(rc, p, &s->message)) return true;
    message_free(&s->message, rc->mem);
    return false;
}

void signal_send_exit(RunContext *rc, Term from, Term to, Term reason, bool through_link)
{
    (void)signal_send(rc, through_link ? SIGNAL_EXIT_LINK : SIGNAL_EXIT, from, to, 0, reason);
}

void signal_send_down(RunContext *rc, Term from, Term to, uint64_t number, Term reason)
{
    (void)signal_send(rc, SIGNAL_DOWN, from, to, number, reason);
}

void signal_send_demonitor(RunContext *rc, Term from, Term to, uint64_t number)
{
    (void)signal_send(rc, SIGNAL_DEMONITOR, from, to, number, TERM_NIL);
}

void signal_send_resume(RunContext *rc, Term from, Term to)
{
    if (term_is_local_pid(to)) (void)signal_send(rc, SIGNAL_RESUME, from, to, 0, TERM_NIL);
}

void signal_reply(RunContext *rc, Term to, uint64_t number, Term value)
{
    if (term_is_local_pid(to))
        (void)signal_send(rc, SIGNAL_REPLY, TERM_NONE, to, number, value);
}

void signal_send_reply(RunContext *rc, Term to, uint64_t number, Message *answer)
{
    message_signal(answer)->from = TERM_NONE;
    message_signal(answer)->number = number;
    (void)send_push(rc, to, answer);
}

void signal_send_unlink_ack(RunContext *rc, Term from, Term to, uint64_t number)
{
    (void)signal_send(rc, SIGNAL_UNLINK_ACK, from, to, number, TERM_NIL);
}

/* {check_process_code, Id, Answer}.  Whoever asked counts answers, so it must arrive. */
static Message *signal_check_message(RunContext *rc, Term id, Term answer)
{
    Heap area;
    Message *m = NULL;
    size_t words = copy_size(id, SIZE_MAX - 1, &rc->literals);
    for (;;) {
        m = message_open(rc->mem, SIGNAL_MESSAGE, words + 4, &area);
        if (m != NULL) break;
        mem_insist(rc->mem, 4096);
    }
    if (words > 0) id = copy_into(&area, heap_take(&area, words), words, id, &rc->literals);
    Term value = heap_tuple3(&area, TERM_ATOM(CHECK_PROCESS_CODE), id, answer);
    message_close(m, &area, value);
    return m;
}

void signal_answer_check(RunContext *rc, const Signal *s, Term answer)
{
    Term request = s->message.value;
    if (!term_is_tuple(request))
        signal_reply(rc, s->from, s->number, answer);
    else
        (void)send_push(rc, s->from, signal_check_message(rc, tuple_at(request, 1), answer));
}

void signal_refuse(RunContext *rc, Term dead, Message *m)
{
    const Signal *s = m->kind == SIGNAL_MESSAGE ? NULL : message_signal(m);
    switch ((SignalKind)m->kind) {
    case SIGNAL_LINK: signal_send_exit(rc, dead, s->from, TERM_ATOM(NOPROC), true); break;
    case SIGNAL_UNLINK: signal_send_unlink_ack(rc, dead, s->from, s->number); break;
    case SIGNAL_MONITOR:
        signal_send_down(rc, dead, s->from, s->number, TERM_ATOM(NOPROC));
        break;
    case SIGNAL_INFO: signal_reply(rc, s->from, s->number, TERM_ATOM(UNDEFINED)); break;
    case SIGNAL_ALIVE:
    case SIGNAL_COLLECT:
    case SIGNAL_SUSPEND:
    case SIGNAL_SAVE_CALLS: signal_reply(rc, s->from, s->number, TERM_FALSE); break;
    case SIGNAL_CHECK_CODE: signal_answer_check(rc, s, TERM_FALSE); break;
    case SIGNAL_MESSAGE:
    case SIGNAL_EXIT_LINK:
    case SIGNAL_EXIT:
    case SIGNAL_UNLINK_ACK:
    case SIGNAL_DEMONITOR:
    case SIGNAL_DOWN:
    case SIGNAL_ALIAS_MESSAGE:
    case SIGNAL_REPLY:
    case SIGNAL_GROUP_LEADER:
    case SIGNAL_RESUME:
    case SIGNAL_KIND_COUNT: break;
    }
}

/* ---- on behalf of p ---- */

/* Turns a monitor entry into what is left of it: an alias that outlives it, or nothing. */
void signal_monitor_ends(Process *p, Relation *r)
{
    unsigned flags = r->flags;
    uint64_t number = r->key;
    links_remove(p, r);
    bool stays = (flags & RELATION_ALIAS_ON) != 0 && (flags & RELATION_ALIAS_DEMONITOR) == 0;
    if (stays) links_add(p, RELATION_ALIAS, number, TERM_NONE)->flags = (uint8_t)flags;
}

static bool traps_exits(const Process *p)
{
    return (atomic_load_relaxed(&p->state) & STATE_TRAP_EXIT) != 0;
}

/* The link is there before the answer; what says that nobody is there takes it away again. */
static void signal_link_up(Process *p, Relation *r, Term other)
{
    if (r != NULL)
        r->number = 0;
    else
        links_add(p, RELATION_LINK, links_key(other), other);
}

bool signal_link(Process *p, Term other)
{
    RunContext *rc = p->run;
    if (term_same(other, p->pid)) return true;
    Relation *r = links_find(p, RELATION_LINK, links_key(other));
    if (r != NULL && r->number == 0) return true;
    bool there = signal_send(rc, SIGNAL_LINK, p->pid, other, 0, TERM_NIL);
    bool local = term_is_local_pid(other);
    if (there || !local) {
        signal_link_up(p, r, other);
        if (!there) signal_send_exit(rc, other, p->pid, TERM_ATOM(NOCONNECTION), true);
        return true;
    }
    if (r != NULL) links_remove(p, r);
    if (!traps_exits(p)) return false;
    signal_send_exit(rc, other, p->pid, TERM_ATOM(NOPROC), false);
    return true;
}

void signal_unlink(Process *p, Term other)
{
    RunContext *rc = p->run;
    if (!term_is_pid(other)) return;
    Relation *r = links_find(p, RELATION_LINK, links_key(other));
    if (r == NULL || r->number != 0) return;
    r->number = sched_reference(rc);
    if (!signal_send(rc, SIGNAL_UNLINK, p->pid, other, r->number, TERM_NIL)) links_remove(p, r);
}

Message *signal_without_value(RunContext *rc, SignalKind kind)
{
    return &signal_make(rc, kind, TERM_NONE, 0, TERM_ATOM(SYSTEM_LIMIT))->message;
}

bool signal_tell(Process *p, SignalKind kind, Term to, uint64_t number, Term value)
{
    RunContext *rc = p->run;
    if (UNLIKELY(!term_is_local_pid(to))) {
        (void)signal_send(rc, kind, p->pid, to, number, value);
        return true;
    }
    Process *target = proctab_find(rc->processes, to);
    if (target == NULL) {
        parcel_forget(p);
        return true;
    }
    Message *m = NULL;
    ParcelResult made = parcel_make(p, kind, 0, value, &m);
    if (made == PARCEL_MORE) return false;
    if (made == PARCEL_REFUSED) m = signal_without_value(rc, kind);
    message_signal(m)->from = p->pid;
    message_signal(m)->number = number;
    if (!send_push_to(rc, target, m)) message_drop(m, &p->heap);
    return true;
}

bool signal_exit(Process *p, Term other, Term reason)
{
    return signal_tell(p, SIGNAL_EXIT, other, 0, reason);
}

uint64_t signal_monitor(Process *p, Term pid, Term name, unsigned flags, Message *tag)
{
    RunContext *rc = p->run;
    uint64_t number = sched_reference(rc);
    bool named = !term_is_none(name);
    if (named) pid = registry_find(rc, name);
    bool self = term_same(pid, p->pid);
    /* A monitor of oneself never fires; as an alias it still counts. */
    if (self && (flags & RELATION_ALIAS_ON) == 0) {
        if (tag != NULL) message_drop(tag, &p->heap);
        return number;
    }
    Relation *r = links_add(p, RELATION_MONITOR, number, pid);
    r->flags = (uint8_t)(flags | (named ? RELATION_BY_NAME : 0));
    r->name = name;
    r->tag = tag;
    if (self) return number;
    bool there = signal_send(rc, SIGNAL_MONITOR, p->pid, pid, number, TERM_NIL);
    bool local = term_is_none(pid) || term_is_local_pid(pid);
    if (!there)
        signal_send_down(rc, pid, p->pid, number,
                         local ? TERM_ATOM(NOPROC) : TERM_ATOM(NOCONNECTION));
    return number;
}

bool signal_demonitor(Process *p, uint64_t number)
{
    Relation *r = links_find(p, RELATION_MONITOR, number);
    if (r == NULL) return false;
    if (!term_same(r->other, p->pid))
        signal_send_demonitor(p->run, p->pid, signal_monitored(r), number);
    signal_monitor_ends(p, r);
    return true;
}

Term signal_monitored(const Relation *r)
{
    return term_is_none(r->other) && r->number != 0 ? TERM_RAW(r->number) : r->other;
}

uint64_t signal_monitor_on_node(Process *p, Term name, Term node, unsigned flags, Message *tag)
{
    RunContext *rc = p->run;
    uint64_t number = sched_reference(rc);
    Relation *r = links_add(p, RELATION_MONITOR, number, TERM_NONE);
    r->flags = (uint8_t)(flags | RELATION_BY_NAME);
    r->name = name;
    r->number = node.w;
    r->tag = tag;
    if (!signal_send_remote(rc, SIGNAL_MONITOR, p->pid, node, number, name))
        signal_send_down(rc, TERM_NONE, p->pid, number, TERM_ATOM(NOCONNECTION));
    return number;
}

static bool is_down_of(Term t, uint64_t number)
{
    if (!term_is_tuple_of(t, 5)) return false;
    Term ref = tuple_at(t, 1);
    return term_is_kind(ref, KIND_REF) && pid_ref_number(ref) == number;
}

/* A walk over the queue is half-way; the mailbox's cursor says where. */
static void signal_release_flush(Pause *pause, Process *p)
{
    mailbox_rewind(&p->mailbox);
    mem_free(p->heap.mem, MEM_WORK, pause, sizeof *pause);
}

bool signal_is_flushing(const Process *p)
{
    return pause_find(p, signal_release_flush) != NULL;
}

/* Looks at as many messages as the slice allows; true: at the end, or it has been found. */
static bool signal_flush_some(Process *p, uint64_t number)
{
    Mailbox *b = &p->mailbox;
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool over = false;
    for (; !over && left > 0; left--) {
        const Message *m = mailbox_peek(b);
        over = m == NULL || is_down_of(m->value, number);
        if (!over) mailbox_next(b);
    }
    pause_charge(p, budget, left);
    return over;
}

bool signal_flush_down(Process *p, uint64_t number)
{
    bool begun = signal_is_flushing(p);
    if (!begun) mailbox_rewind(&p->mailbox);
    if (!signal_flush_some(p, number)) {
        if (!begun) (void)pause_new(p, sizeof(Pause), signal_release_flush);
        return false;
    }
    if (mailbox_peek(&p->mailbox) != NULL) message_drop(mailbox_remove(&p->mailbox), &p->heap);
    pause_end(p);
    mailbox_rewind(&p->mailbox);
    return true;
}

uint64_t signal_alias(Process *p, unsigned flags)
{
    uint64_t number = sched_reference(p->run);
    links_add(p, RELATION_ALIAS, number, TERM_NONE)->flags =
        (uint8_t)(flags | RELATION_ALIAS_MADE);
    return number;
}

bool signal_unalias(Process *p, uint64_t number)
{
    Relation *r = links_find(p, RELATION_ALIAS, number);
    if (r != NULL) {
        links_remove(p, r);
        return true;
    }
    r = links_find(p, RELATION_MONITOR, number);
    if (r == NULL || (r->flags & RELATION_ALIAS_ON) == 0) return false;
    r->flags &= (uint8_t)~RELATION_ALIAS_ON;
    return true;
}

uint64_t signal_request(Process *p, SignalKind kind, Term other, Term value)
{
    RunContext *rc = p->run;
    uint64_t number = sched_reference(rc);
    Signal *s = signal_make(rc, kind, p->pid, number, value);
    Process *target = proctab_find(rc->processes, other);
    if (target != NULL && send_push_to(rc, target, &s->message)) return number;
    signal_refuse(rc, other, &s->message);
    message_free(&s->message, rc->mem);
    return number;
}

Term signal_answer(Process *p, uint64_t number)
{
    if (p->extra == NULL) return TERM_NONE;
    for (Message **at = &p->extra->replies; *at != NULL; at = &(*at)->next) {
        Message *m = *at;
        if (message_signal(m)->number != number) continue;
        *at = m->next;
        Term value = m->value;
        if (CONFIG_DEBUG) p->run->stretch.adopted += message_words(m);
        message_adopt(m, &p->heap);
        return value;
    }
    return TERM_NONE;
}

bool signal_group_leader(Process *p, Term other, Term leader)
{
    if (!term_same(other, p->pid))
        return signal_send(p->run, SIGNAL_GROUP_LEADER, p->pid, other, 0, leader);
    p->group_leader = leader;
    return true;
}

bool signal_resume(Process *p, Term other)
{
    Relation *r = links_find(p, RELATION_SUSPENDED, other.w);
    if (r == NULL) return false;
    (void)signal_send(p->run, SIGNAL_RESUME, p->pid, other, 0, TERM_NIL);
    if (--r->number == 0) links_remove(p, r);
    return true;
}
