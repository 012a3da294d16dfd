#include "vm/actor/signal.h"

#include "vm/actor/exit.h"
#include "vm/actor/registry.h"
#include "vm/actor/send.h"
#include "vm/proc/extra.h"
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
        m = message_open(rc->mem, kind, 0, &area);
        if (m == NULL) mem_set_budget(rc->mem, mem_budget(rc->mem) + 4096);
    }
    message_close(m, &area, TERM_ATOM(SYSTEM_LIMIT));
    s = message_signal(m);
    s->from = from;
    s->number = number;
    return s;
}

/* Whether somebody was there to take it; else it is gone. */
static bool signal_send(RunContext *rc, SignalKind kind, Term from, Term to, uint64_t number,
                        Term value)
{
    Process *p = proctab_find(rc->processes, to);
    if (p == NULL) return false;
    Signal *s = signal_make(rc, kind, from, number, value);
    if (send_push_to(rc, p, &s->message)) return true;
    message_free(&s->message, rc->mem);
    return false;
}

void signal_send_exit(RunContext *rc, Term from, Term to, Term reason, bool through_link)
{
    if (!term_is_local_pid(to)) return;
    (void)signal_send(rc, through_link ? SIGNAL_EXIT_LINK : SIGNAL_EXIT, from, to, 0, reason);
}

void signal_send_down(RunContext *rc, Term from, Term to, uint64_t number, Term reason)
{
    if (!term_is_local_pid(to)) return;
    (void)signal_send(rc, SIGNAL_DOWN, from, to, number, reason);
}

void signal_send_demonitor(RunContext *rc, Term from, Term to, uint64_t number)
{
    if (term_is_local_pid(to))
        (void)signal_send(rc, SIGNAL_DEMONITOR, from, to, number, TERM_NIL);
}

void signal_send_resume(RunContext *rc, Term from, Term to)
{
    if (term_is_local_pid(to)) (void)signal_send(rc, SIGNAL_RESUME, from, to, 0, TERM_NIL);
}

static void signal_reply(RunContext *rc, Term to, uint64_t number, Term value)
{
    if (term_is_local_pid(to))
        (void)signal_send(rc, SIGNAL_REPLY, TERM_NONE, to, number, value);
}

void signal_refuse(RunContext *rc, Term dead, Message *m)
{
    const Signal *s = m->kind == SIGNAL_MESSAGE ? NULL : message_signal(m);
    switch ((SignalKind)m->kind) {
    case SIGNAL_LINK: signal_send_exit(rc, dead, s->from, TERM_ATOM(NOPROC), true); break;
    case SIGNAL_UNLINK:
        (void)signal_send(rc, SIGNAL_UNLINK_ACK, dead, s->from, s->number, TERM_NIL);
        break;
    case SIGNAL_MONITOR:
        signal_send_down(rc, dead, s->from, s->number, TERM_ATOM(NOPROC));
        break;
    case SIGNAL_INFO: signal_reply(rc, s->from, s->number, TERM_ATOM(UNDEFINED)); break;
    case SIGNAL_ALIVE:
    case SIGNAL_COLLECT:
    case SIGNAL_SUSPEND:
    case SIGNAL_CHECK_CODE: signal_reply(rc, s->from, s->number, TERM_FALSE); break;
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
    message_free(m, rc->mem);
}

/* ---- arriving: a signal becomes a message ---- */

/* The words of from and number, inside the record, are hidden with it when it is adopted. */
static void signal_becomes(Process *p, Message *m, Term value)
{
    m->kind = SIGNAL_MESSAGE;
    m->value = value;
    mailbox_append(&p->mailbox, m);
}

static Term tuple_over(Word *at, size_t n, const Term *elements)
{
    at[0] = header_make(KIND_TUPLE, n);
    for (size_t i = 0; i < n; i++) at[i + 1] = elements[i].w;
    return boxed_from(at);
}

/* {'EXIT', From, Reason} */
static void exit_becomes_message(Process *p, Signal *s)
{
    Term tuple[3] = {TERM_ATOM(UP_EXIT), s->from, s->message.value};
    Word *at = message_take_spare(&s->message, 4);
    signal_becomes(p, &s->message, tuple_over(at, 3, tuple));
}

/* The reference of a monitor, as it was given out. */
static Term down_reference(Word *at, const Process *p, const Relation *r)
{
    if ((r->flags & RELATION_ALIAS_MADE) == 0) return pid_ref_at(at, r->key);
    at[0] = header_make(KIND_REF, 2);
    at[1] = r->key;
    at[2] = p->pid.w;
    return boxed_from(at);
}

/* {'DOWN', Ref, process, Pid | {Name, Node}, Reason}, in the signal's spare words. */
static Term down_tuple(Process *p, const Relation *r, Message *m, Term reason)
{
    Term ref = down_reference(
        message_take_spare(m, (r->flags & RELATION_ALIAS_MADE) != 0 ? 3 : 2), p, r);
    Term item = r->other;
    if ((r->flags & RELATION_BY_NAME) != 0) {
        Term pair[2] = {r->name, TERM_ATOM(NONODE_AT_NOHOST)};
        item = tuple_over(message_take_spare(m, 3), 2, pair);
    }
    Term tuple[5] = {TERM_ATOM(DOWN), ref, TERM_ATOM(PROCESS), item, reason};
    return tuple_over(message_take_spare(m, 6), 5, tuple);
}

/* The same with the monitor's own tag, which needs another message.  False: no memory. */
static bool down_with_tag(RunContext *rc, Process *p, const Relation *r, Term reason)
{
    Heap area;
    size_t limit = message_limit(rc->mem);
    size_t tag_words = copy_size(r->tag->value, limit, &rc->literals);
    size_t reason_words = copy_size(reason, limit, &rc->literals);
    Message *m = message_open(rc->mem, SIGNAL_DOWN, tag_words + reason_words, &area);
    if (m == NULL) return false;
    Term tag = r->tag->value;
    if (tag_words > 0)
        tag = copy_into(&area, heap_take(&area, tag_words), tag_words, tag, &rc->literals);
    if (reason_words > 0)
        reason = copy_into(&area, heap_take(&area, reason_words), reason_words, reason,
                           &rc->literals);
    message_close(m, &area, reason);
    Term tuple = down_tuple(p, r, m, reason);
    boxed_words(tuple)[1] = tag.w;
    signal_becomes(p, m, tuple);
    return true;
}

/* ---- arriving: what each signal does.  True: the message is used up. ---- */

/* Turns a monitor entry into what is left of it: an alias that outlives it, or nothing. */
static void monitor_ends(Process *p, Relation *r)
{
    unsigned flags = r->flags;
    uint64_t number = r->key;
    links_remove(p, r);
    bool stays = (flags & RELATION_ALIAS_ON) != 0 && (flags & RELATION_ALIAS_DEMONITOR) == 0;
    if (stays) links_add(p, RELATION_ALIAS, number, TERM_NONE)->flags = (uint8_t)flags;
}

static bool on_down(RunContext *rc, Process *p, Signal *s)
{
    Relation *r = links_find(p, RELATION_MONITOR, s->number);
    if (r == NULL) return false;
    Term reason = s->message.value;
    bool tagged = r->tag != NULL && down_with_tag(rc, p, r, reason);
    if (!tagged) signal_becomes(p, &s->message, down_tuple(p, r, &s->message, reason));
    monitor_ends(p, r);
    return !tagged;
}

static void on_unlink(RunContext *rc, Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_LINK, s->from.w);
    /* A link that we are taking down ourselves waits for its own acknowledgement. */
    if (r != NULL && r->number == 0) links_remove(p, r);
    (void)signal_send(rc, SIGNAL_UNLINK_ACK, p->pid, s->from, s->number, TERM_NIL);
}

static void on_unlink_ack(Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_LINK, s->from.w);
    if (r != NULL && r->number == s->number) links_remove(p, r);
}

static void on_link(Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_LINK, s->from.w);
    if (r == NULL) links_add(p, RELATION_LINK, s->from.w, s->from);
}

static void alias_used(RunContext *rc, Process *p, Relation *r)
{
    if ((r->flags & RELATION_ALIAS_REPLY) == 0) return;
    if (r->kind == RELATION_MONITOR)
        (void)signal_send(rc, SIGNAL_DEMONITOR, p->pid, r->other, r->key, TERM_NIL);
    links_remove(p, r);
}

static bool on_alias_message(RunContext *rc, Process *p, Signal *s)
{
    Relation *r = links_find(p, RELATION_MONITOR, s->number);
    if (r == NULL) r = links_find(p, RELATION_ALIAS, s->number);
    if (r == NULL || (r->flags & RELATION_ALIAS_ON) == 0) return false;
    signal_becomes(p, &s->message, s->message.value);
    alias_used(rc, p, r);
    return true;
}

static void on_info(RunContext *rc, Process *p, const Signal *s)
{
    Heap h;
    heap_init_detached(&h, rc->mem);
    Term answer = rc->worker->sched->hooks.inspect(rc, p, s->message.value, &h);
    signal_reply(rc, s->from, s->number, term_is_none(answer) ? TERM_ATOM(UNDEFINED) : answer);
    heap_release(&h);
}

static void on_check_code(RunContext *rc, Process *p, const Signal *s)
{
    const SchedHooks *hooks = &rc->worker->sched->hooks;
    Term uses =
        hooks->check_code == NULL ? TERM_FALSE : hooks->check_code(rc, p, s->message.value);
    signal_reply(rc, s->from, s->number, uses);
}

static void on_collect(RunContext *rc, Process *p, const Signal *s)
{
    ProcessExtra *x = extra_get(p);
    x->collect_wanted = true;
    x->collect_minor = term_is_the_atom(s->message.value, ATOM_MINOR);
    signal_reply(rc, s->from, s->number, TERM_TRUE);
}

static void on_suspend(RunContext *rc, Process *p, const Signal *s, bool more)
{
    ProcessExtra *x = extra_get(p);
    if (more)
        x->suspend_count++;
    else if (x->suspend_count > 0)
        x->suspend_count--;
    if (x->suspend_count > 0)
        atomic_or_acq_rel(&p->state, STATE_SUSPENDED);
    else
        atomic_and_acq_rel(&p->state, ~STATE_SUSPENDED);
    if (more) signal_reply(rc, s->from, s->number, TERM_TRUE);
}

static void on_group_leader(Process *p, Message *m)
{
    p->group_leader = m->value;
    message_adopt(m, &p->heap);
}

static void on_reply(Process *p, Message *m)
{
    ProcessExtra *x = extra_get(p);
    m->next = x->replies;
    x->replies = m;
}

/* An exit signal: true if the process must die of it. */
static bool exit_is_deadly(Process *p, const Signal *s, bool *trapped)
{
    bool trap = (atomic_load_relaxed(&p->state) & STATE_TRAP_EXIT) != 0;
    Term reason = s->message.value;
    *trapped = false;
    if (s->message.kind == SIGNAL_EXIT && term_is_the_atom(reason, ATOM_KILL)) return true;
    *trapped = trap;
    if (trap) return false;
    if (!term_is_the_atom(reason, ATOM_NORMAL)) return true;
    return s->message.kind == SIGNAL_EXIT && term_same(s->from, p->pid);
}

/* Whether the signal concerns p at all: a broken link does only if it was there. */
static bool exit_arrives(Process *p, const Signal *s)
{
    if (s->message.kind == SIGNAL_EXIT) return true;
    Relation *r = links_find(p, RELATION_LINK, s->from.w);
    if (r == NULL) return false;
    bool active = r->number == 0;
    links_remove(p, r);
    return active;
}

/* True: p dies; the message holds the reason from now on. */
static bool on_exit_signal(RunContext *rc, Process *p, Signal *s)
{
    bool trapped = false;
    if (!exit_arrives(p, s)) {
        message_free(&s->message, rc->mem);
        return false;
    }
    if (exit_is_deadly(p, s, &trapped)) {
        Term reason = s->message.value;
        bool kill = s->message.kind == SIGNAL_EXIT && term_is_the_atom(reason, ATOM_KILL);
        exit_begin_with(rc, p, &s->message, kill ? TERM_ATOM(KILLED) : reason);
        return true;
    }
    if (trapped)
        exit_becomes_message(p, s);
    else
        message_free(&s->message, rc->mem);
    return false;
}

/* A signal that is neither a message nor an exit.  True: the message is used up. */
static bool on_signal(RunContext *rc, Process *p, Message *m)
{
    Signal *s = message_signal(m);
    switch ((SignalKind)m->kind) {
    case SIGNAL_LINK: on_link(p, s); return false;
    case SIGNAL_UNLINK: on_unlink(rc, p, s); return false;
    case SIGNAL_UNLINK_ACK: on_unlink_ack(p, s); return false;
    case SIGNAL_MONITOR: links_add(p, RELATION_WATCHER, s->number, s->from); return false;
    case SIGNAL_DEMONITOR: {
        Relation *r = links_find(p, RELATION_WATCHER, s->number);
        if (r != NULL) links_remove(p, r);
        return false;
    }
    case SIGNAL_DOWN: return on_down(rc, p, s);
    case SIGNAL_ALIAS_MESSAGE: return on_alias_message(rc, p, s);
    case SIGNAL_INFO: on_info(rc, p, s); return false;
    case SIGNAL_ALIVE: signal_reply(rc, s->from, s->number, TERM_TRUE); return false;
    case SIGNAL_REPLY: on_reply(p, m); return true;
    case SIGNAL_GROUP_LEADER: on_group_leader(p, m); return true;
    case SIGNAL_COLLECT: on_collect(rc, p, s); return false;
    case SIGNAL_SUSPEND:
    case SIGNAL_RESUME: on_suspend(rc, p, s, m->kind == SIGNAL_SUSPEND); return false;
    case SIGNAL_CHECK_CODE: on_check_code(rc, p, s); return false;
    case SIGNAL_MESSAGE:
    case SIGNAL_EXIT_LINK:
    case SIGNAL_EXIT:
    case SIGNAL_KIND_COUNT: break;
    }
    UNREACHABLE();
}

#define SIGNAL_REDUCTIONS 2

SchedStop signal_fetch(RunContext *rc, Process *p)
{
    Message *next;
    for (Message *m = mailbox_take_outer(&p->mailbox); m != NULL; m = next) {
        next = m->next;
        if (m->kind == SIGNAL_MESSAGE) {
            mailbox_append(&p->mailbox, m);
            continue;
        }
        rc->reductions -= SIGNAL_REDUCTIONS;
        if (m->kind == SIGNAL_EXIT || m->kind == SIGNAL_EXIT_LINK) {
            if (!on_exit_signal(rc, p, message_signal(m))) continue;
            exit_add_pending(p, next);
            return SCHED_EXITED;
        }
        if (!on_signal(rc, p, m)) message_free(m, rc->mem);
    }
    bool suspended = (atomic_load_relaxed(&p->state) & STATE_SUSPENDED) != 0;
    return suspended ? SCHED_WAITS : SCHED_SPENT;
}

SchedStop signal_look(RunContext *rc, Process *p)
{
    SchedStop stop = signal_fetch(rc, p);
    if (stop == SCHED_EXITED || p->extra == NULL || !p->extra->collect_wanted) return stop;
    p->extra->collect_wanted = false;
    if (reserve_collect(p, 0, RESERVE_BY_PC, !p->extra->collect_minor) == RESERVE_DONE)
        return stop;
    exit_begin(rc, p, rc->exc_reason);
    return SCHED_EXITED;
}

/* ---- on behalf of p ---- */

static bool traps_exits(const Process *p)
{
    return (atomic_load_relaxed(&p->state) & STATE_TRAP_EXIT) != 0;
}

bool signal_link(Process *p, Term other)
{
    RunContext *rc = p->run;
    if (term_same(other, p->pid)) return true;
    Relation *r = term_is_local_pid(other) ? links_find(p, RELATION_LINK, other.w) : NULL;
    if (r != NULL && r->number == 0) return true;
    bool there =
        term_is_local_pid(other) && signal_send(rc, SIGNAL_LINK, p->pid, other, 0, TERM_NIL);
    if (there) {
        if (r != NULL)
            r->number = 0;
        else
            links_add(p, RELATION_LINK, other.w, other);
        return true;
    }
    if (r != NULL) links_remove(p, r);
    if (!term_is_local_pid(other)) {
        (void)signal_send(rc, SIGNAL_EXIT, other, p->pid, 0, TERM_ATOM(NOCONNECTION));
        return true;
    }
    if (!traps_exits(p)) return false;
    (void)signal_send(rc, SIGNAL_EXIT, other, p->pid, 0, TERM_ATOM(NOPROC));
    return true;
}

void signal_unlink(Process *p, Term other)
{
    RunContext *rc = p->run;
    if (!term_is_local_pid(other)) return;
    Relation *r = links_find(p, RELATION_LINK, other.w);
    if (r == NULL || r->number != 0) return;
    r->number = sched_reference(rc);
    if (!signal_send(rc, SIGNAL_UNLINK, p->pid, other, r->number, TERM_NIL)) links_remove(p, r);
}

void signal_exit(Process *p, Term other, Term reason)
{
    signal_send_exit(p->run, p->pid, other, reason, false);
}

uint64_t signal_monitor(Process *p, Term pid, Term name, unsigned flags, Term tag)
{
    RunContext *rc = p->run;
    uint64_t number = sched_reference(rc);
    bool named = !term_is_none(name);
    if (named) pid = registry_find(rc, name);
    bool self = term_same(pid, p->pid);
    /* A monitor of oneself never fires; as an alias it still counts. */
    if (self && (flags & RELATION_ALIAS_ON) == 0) return number;
    Relation *r = links_add(p, RELATION_MONITOR, number, pid);
    r->flags = (uint8_t)(flags | (named ? RELATION_BY_NAME : 0));
    r->name = name;
    if (!term_is_none(tag)) r->tag = message_new(rc, tag);
    if (self) return number;
    bool there = term_is_local_pid(pid)
                 && signal_send(rc, SIGNAL_MONITOR, p->pid, pid, number, TERM_NIL);
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
    if (term_is_local_pid(r->other) && !term_same(r->other, p->pid))
        (void)signal_send(p->run, SIGNAL_DEMONITOR, p->pid, r->other, number, TERM_NIL);
    monitor_ends(p, r);
    return true;
}

static bool is_down_of(Term t, uint64_t number)
{
    if (!term_is_tuple_of(t, 5)) return false;
    Term ref = tuple_at(t, 1);
    return term_is_kind(ref, KIND_REF) && pid_ref_number(ref) == number;
}

bool signal_flush_down(Process *p, uint64_t number)
{
    Mailbox *b = &p->mailbox;
    for (mailbox_rewind(b); mailbox_peek(b) != NULL; mailbox_next(b)) {
        if (!is_down_of(mailbox_peek(b)->value, number)) continue;
        message_free(mailbox_remove(b), p->heap.mem);
        return true;
    }
    mailbox_rewind(b);
    return false;
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
    if (target == NULL || !send_push_to(rc, target, &s->message))
        signal_refuse(rc, other, &s->message);
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
