#include "vm/actor/arrival.h"

#include "vm/actor/exit.h"
#include "vm/actor/send.h"
#include "vm/actor/signal.h"
#include "vm/proc/extra.h"
#include "vm/proc/links.h"
#include "vm/proc/parcel.h"
#include "vm/proc/reserve.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"
#include "vm/term/pid.h"

/* Messages and signals that are looked at before the process gives way. */
#define ARRIVAL_BUDGET 1000

/* What a signal costs. */
#define ARRIVAL_REDUCTIONS 2

/* What became of a signal. */
typedef enum Arrival {
    ARRIVAL_OVER,  /* it has done its work: freed by the caller */
    ARRIVAL_TAKEN, /* its record has gone elsewhere */
    ARRIVAL_MORE,  /* it is looked at again in the next slice */
    ARRIVAL_DEADLY /* p dies; the record holds the reason */
} Arrival;

/* ---- a signal becomes a message ---- */

/* The words of from and number, inside the record, are hidden with it when it is adopted. */
static void arrival_becomes(Process *p, Message *m, Term value)
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
    arrival_becomes(p, &s->message, tuple_over(at, 3, tuple));
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
    if (term_is_boxed(item)) {
        item = message_signal(m)->from; /* the same pid, in the payload */
    } else if ((r->flags & RELATION_BY_NAME) != 0) {
        Term pair[2] = {r->name,
                        r->number != 0 ? TERM_RAW(r->number) : TERM_ATOM(NONODE_AT_NOHOST)};
        item = tuple_over(message_take_spare(m, 3), 2, pair);
    }
    Term tuple[5] = {TERM_ATOM(DOWN), ref, TERM_ATOM(PROCESS), item, reason};
    return tuple_over(message_take_spare(m, 6), 5, tuple);
}

/* ---- a monitor's own tag ---- */

/* Tag and reason lie in two messages: what the program gets is copied together, in slices. */
typedef struct TaggedDown {
    Pause pause;
    Parcel parcel;
    Word pair[2]; /* [tag | reason] */
} TaggedDown;

static void tagged_release(Pause *pause, Process *p)
{
    TaggedDown *down = (TaggedDown *)pause;
    parcel_end(&down->parcel, &p->heap);
    mem_free(p->heap.mem, MEM_WORK, down, sizeof *down);
}

static TaggedDown *tagged_begin(RunContext *rc, Process *p, const Relation *r, Term reason)
{
    TaggedDown *down = (TaggedDown *)pause_new_answer(p, sizeof *down, tagged_release);
    Term pair = cons_at(down->pair, r->tag->value, reason);
    parcel_begin(&down->parcel, rc, SIGNAL_DOWN, message_sender_words(r->other), pair);
    return down;
}

/* DONE: the message is in the queue.  REFUSED: no memory for it. */
static ParcelResult tagged_down(RunContext *rc, Process *p, const Relation *r, Term reason)
{
    TaggedDown *down = (TaggedDown *)extra_get(p)->answer;
    if (down == NULL) down = tagged_begin(rc, p, r, reason);
    size_t budget = pause_budget(p);
    size_t left = budget;
    ParcelResult result = parcel_step(&down->parcel, &left);
    pause_charge(p, budget, left);
    if (result == PARCEL_DONE) {
        Message *m = down->parcel.message;
        down->parcel.message = NULL;
        message_set_sender(message_signal(m), r->other);
        Term tuple = down_tuple(p, r, m, list_tail(m->value));
        boxed_words(tuple)[1] = list_head(m->value).w;
        arrival_becomes(p, m, tuple);
    }
    if (result != PARCEL_MORE) pause_end_answer(p);
    return result;
}

/* ---- what each signal does ---- */

static Arrival on_down(RunContext *rc, Process *p, Signal *s)
{
    Relation *r = links_find(p, RELATION_MONITOR, s->number);
    if (r == NULL) return ARRIVAL_OVER;
    Term reason = s->message.value;
    ParcelResult tagged = PARCEL_REFUSED;
    if (r->tag != NULL) tagged = tagged_down(rc, p, r, reason);
    if (tagged == PARCEL_MORE) return ARRIVAL_MORE;
    if (tagged == PARCEL_REFUSED)
        arrival_becomes(p, &s->message, down_tuple(p, r, &s->message, reason));
    signal_monitor_ends(p, r);
    return tagged == PARCEL_REFUSED ? ARRIVAL_TAKEN : ARRIVAL_OVER;
}

static void on_unlink(RunContext *rc, Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_LINK, links_key(s->from));
    /* A link that we are taking down ourselves waits for its own acknowledgement. */
    if (r != NULL && r->number == 0) links_remove(p, r);
    signal_send_unlink_ack(rc, p->pid, s->from, s->number);
}

static void on_unlink_ack(Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_LINK, links_key(s->from));
    if (r != NULL && r->number == s->number) links_remove(p, r);
}

static void on_link(Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_LINK, links_key(s->from));
    if (r == NULL) links_add(p, RELATION_LINK, links_key(s->from), s->from);
}

static void alias_used(RunContext *rc, Process *p, Relation *r)
{
    if ((r->flags & RELATION_ALIAS_REPLY) == 0) return;
    if (r->kind == RELATION_MONITOR) signal_send_demonitor(rc, p->pid, r->other, r->key);
    links_remove(p, r);
}

static Arrival on_alias_message(RunContext *rc, Process *p, Signal *s)
{
    Relation *r = links_find(p, RELATION_MONITOR, s->number);
    if (r == NULL) r = links_find(p, RELATION_ALIAS, s->number);
    if (r == NULL || (r->flags & RELATION_ALIAS_ON) == 0) return ARRIVAL_OVER;
    arrival_becomes(p, &s->message, s->message.value);
    alias_used(rc, p, r);
    return ARRIVAL_TAKEN;
}

static Arrival on_info(RunContext *rc, Process *p, const Signal *s)
{
    Message *answer = rc->worker->sched->hooks.inspect(rc, p, s->message.value);
    if (answer == NULL) return ARRIVAL_MORE;
    signal_send_reply(rc, s->from, s->number, answer);
    return ARRIVAL_OVER;
}

/* At the start of a slice p stands at a safepoint: arrival_look. */
static void arrival_look_soon(Process *p) { atomic_or_acq_rel(&p->state, STATE_LOOK); }

static Arrival on_check_code(Process *p, Message *m)
{
    ProcessExtra *x = extra_get(p);
    m->next = x->checks;
    x->checks = m;
    arrival_look_soon(p);
    return ARRIVAL_TAKEN;
}

static void on_collect(RunContext *rc, Process *p, const Signal *s)
{
    ProcessExtra *x = extra_get(p);
    x->collect_wanted = true;
    x->collect_minor = term_is_the_atom(s->message.value, ATOM_MINOR);
    arrival_look_soon(p);
    signal_reply(rc, s->from, s->number, TERM_TRUE);
}

static void on_save_calls(RunContext *rc, Process *p, const Signal *s)
{
    ProcessExtra *x = extra_get(p);
    signal_reply(rc, s->from, s->number, small_from(x->save_calls));
    x->save_calls = (uint32_t)small_value(s->message.value);
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

static Arrival on_group_leader(Process *p, Message *m)
{
    p->group_leader = m->value;
    message_adopt(m, &p->heap);
    return ARRIVAL_TAKEN;
}

static Arrival on_reply(Process *p, Message *m)
{
    ProcessExtra *x = extra_get(p);
    m->next = x->replies;
    x->replies = m;
    return ARRIVAL_TAKEN;
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
    Relation *r = links_find(p, RELATION_LINK, links_key(s->from));
    if (r == NULL) return false;
    bool active = r->number == 0;
    links_remove(p, r);
    return active;
}

static Arrival on_exit_signal(RunContext *rc, Process *p, Signal *s)
{
    bool trapped = false;
    if (!exit_arrives(p, s)) return ARRIVAL_OVER;
    if (exit_is_deadly(p, s, &trapped)) {
        Term reason = s->message.value;
        bool kill = s->message.kind == SIGNAL_EXIT && term_is_the_atom(reason, ATOM_KILL);
        exit_begin_with(rc, p, &s->message, kill ? TERM_ATOM(KILLED) : reason);
        return ARRIVAL_DEADLY;
    }
    if (!trapped) return ARRIVAL_OVER;
    exit_becomes_message(p, s);
    return ARRIVAL_TAKEN;
}

static Arrival on_demonitor(Process *p, const Signal *s)
{
    Relation *r = links_find(p, RELATION_WATCHER, s->number);
    if (r != NULL) links_remove(p, r);
    return ARRIVAL_OVER;
}

/* Signals of which nothing is left afterwards. */
static Arrival on_plain_signal(RunContext *rc, Process *p, const Signal *s)
{
    switch ((SignalKind)s->message.kind) {
    case SIGNAL_LINK: on_link(p, s); break;
    case SIGNAL_UNLINK: on_unlink(rc, p, s); break;
    case SIGNAL_UNLINK_ACK: on_unlink_ack(p, s); break;
    case SIGNAL_MONITOR: links_add(p, RELATION_WATCHER, s->number, s->from); break;
    case SIGNAL_ALIVE: signal_reply(rc, s->from, s->number, TERM_TRUE); break;
    case SIGNAL_COLLECT: on_collect(rc, p, s); break;
    case SIGNAL_SUSPEND: on_suspend(rc, p, s, true); break;
    case SIGNAL_RESUME: on_suspend(rc, p, s, false); break;
    case SIGNAL_SAVE_CALLS: on_save_calls(rc, p, s); break;
    default: UNREACHABLE();
    }
    return ARRIVAL_OVER;
}

static Arrival on_signal(RunContext *rc, Process *p, Message *m)
{
    Signal *s = message_signal(m);
    switch ((SignalKind)m->kind) {
    case SIGNAL_EXIT:
    case SIGNAL_EXIT_LINK: return on_exit_signal(rc, p, s);
    case SIGNAL_DOWN: return on_down(rc, p, s);
    case SIGNAL_DEMONITOR: return on_demonitor(p, s);
    case SIGNAL_ALIAS_MESSAGE: return on_alias_message(rc, p, s);
    case SIGNAL_INFO: return on_info(rc, p, s);
    case SIGNAL_REPLY: return on_reply(p, m);
    case SIGNAL_GROUP_LEADER: return on_group_leader(p, m);
    case SIGNAL_CHECK_CODE: return on_check_code(p, m);
    case SIGNAL_LINK:
    case SIGNAL_UNLINK:
    case SIGNAL_UNLINK_ACK:
    case SIGNAL_MONITOR:
    case SIGNAL_ALIVE:
    case SIGNAL_COLLECT:
    case SIGNAL_SUSPEND:
    case SIGNAL_RESUME:
    case SIGNAL_SAVE_CALLS: return on_plain_signal(rc, p, s);
    case SIGNAL_MESSAGE:
    case SIGNAL_KIND_COUNT: break;
    }
    UNREACHABLE();
}

/* ---- the inbox ---- */

/* One signal, the first of the intake: it leaves unless there is MORE. */
static Arrival arrival_act(RunContext *rc, Process *p, Intake *in, Message *m)
{
    Message *next = m->next;
    rc->reductions -= ARRIVAL_REDUCTIONS;
    Arrival result = on_signal(rc, p, m);
    if (result == ARRIVAL_MORE) return result;
    in->oldest = next;
    if (result == ARRIVAL_OVER) message_drop(m, &p->heap);
    return result;
}

static SchedStop arrival_over(const Process *p)
{
    bool suspended = (atomic_load_relaxed(&p->state) & STATE_SUSPENDED) != 0;
    return UNLIKELY(suspended) ? SCHED_WAITS : SCHED_GOES;
}

static SchedStop arrival_sort(RunContext *rc, Process *p, Intake *in)
{
    size_t budget = ARRIVAL_BUDGET;
    for (Message *m; (m = intake_first(in, &budget)) != NULL;) {
        if (m->kind == SIGNAL_MESSAGE) {
            intake_drop_first(in);
            mailbox_append(&p->mailbox, m);
        } else {
            Arrival result = arrival_act(rc, p, in, m);
            if (result == ARRIVAL_MORE) return SCHED_SPENT;
            if (result == ARRIVAL_DEADLY) return SCHED_EXITED;
        }
        if (budget-- == 0) break;
    }
    return intake_is_empty(in) ? arrival_over(p) : SCHED_SPENT;
}

/* What is already on its way to the queue, and the new messages `newest` if that is nothing. */
static SchedStop arrival_fetch_all(RunContext *rc, Process *p, Message *newest)
{
    Intake in = {NULL, NULL};
    if (p->extra != NULL) {
        in = p->extra->intake;
        p->extra->intake = (Intake){NULL, NULL};
    }
    if (newest != NULL) in.newest = newest;
    SchedStop stop = arrival_sort(rc, p, &in);
    if (!intake_is_empty(&in)) extra_get(p)->intake = in;
    return stop;
}

SchedStop arrival_fetch(RunContext *rc, Process *p)
{
    if (UNLIKELY(extra_has_intake(p))) return arrival_fetch_all(rc, p, NULL);
    Message *newest = mailbox_take_outer(&p->mailbox);
    if (newest == NULL) return arrival_over(p);
    if (newest->next != NULL || newest->kind != SIGNAL_MESSAGE)
        return arrival_fetch_all(rc, p, newest);
    mailbox_append(&p->mailbox, newest);
    return arrival_over(p);
}

bool arrival_is_busy(const Process *p) { return p->extra != NULL && p->extra->answer != NULL; }

/* What was asked about code, now that p stands at a safepoint; false: no memory. */
static bool arrival_answer_checks(RunContext *rc, Process *p)
{
    const SchedHooks *hooks = &rc->worker->sched->hooks;
    while (p->extra->checks != NULL) {
        Message *m = p->extra->checks;
        Term answer =
            hooks->check_code == NULL ? TERM_FALSE : hooks->check_code(rc, p, m->value);
        if (term_is_none(answer)) return false;
        p->extra->checks = m->next;
        signal_answer_check(rc, message_signal(m), answer);
        message_free(m, rc->mem);
    }
    return true;
}

static SchedStop arrival_dies(RunContext *rc, Process *p, Term reason)
{
    exit_begin(rc, p, reason);
    return SCHED_EXITED;
}

/* What needs a safepoint, with `stop` what else is to be done. */
static SchedStop arrival_at_safepoint(RunContext *rc, Process *p, SchedStop stop)
{
    atomic_and_acq_rel(&p->state, ~STATE_LOOK);
    if (!arrival_answer_checks(rc, p)) return arrival_dies(rc, p, TERM_ATOM(SYSTEM_LIMIT));
    if (!p->extra->collect_wanted) return stop;
    p->extra->collect_wanted = false;
    if (reserve_collect(p, 0, RESERVE_BY_PC, !p->extra->collect_minor) == RESERVE_DONE)
        return stop;
    return arrival_dies(rc, p, rc->exc_reason);
}

SchedStop arrival_look(RunContext *rc, Process *p)
{
    SchedStop stop = arrival_fetch(rc, p);
    if ((atomic_load_relaxed(&p->state) & STATE_LOOK) == 0 || stop == SCHED_EXITED) return stop;
    /* What is half-way is finished first; pause_end sees to it that this comes next. */
    if (pause_is_held(p) || arrival_is_busy(p)) return stop;
    return arrival_at_safepoint(rc, p, stop);
}
