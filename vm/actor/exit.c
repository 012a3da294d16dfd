#include "vm/actor/exit.h"

#include "vm/actor/registry.h"
#include "vm/actor/signal.h"
#include "vm/proc/extra.h"
#include "vm/proc/links.h"
#include "vm/proc/parcel.h"
#include "vm/proc/proctab.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"

/* Work of one step, in entries, messages or handles. */
#define EXIT_BUDGET 200

/* Reductions that one of them costs. */
#define EXIT_REDUCTIONS 10

typedef enum ExitPhase {
    EXIT_TIMERS,
    EXIT_RELEASE, /* tables, ports */
    EXIT_NAME,
    EXIT_SIGNALS, /* that were pending */
    EXIT_LINKS,
    EXIT_MONITORS,
    EXIT_QUEUE,
    EXIT_HANDLES,
    EXIT_FRAGMENTS,
    EXIT_LAST
} ExitPhase;

struct Dying {
    Message *holder; /* has the reason, or NULL: the reason is on the heap */
    Term reason;
    Message *closed; /* what was in the mailbox when it closed, newest first */
    size_t cursor;   /* in the relations */
    ExitPhase phase;
};

/* Takes one from the budget of a step; false when it is used up. */
static bool exit_spend(size_t *budget)
{
    if (*budget == 0) return false;
    --*budget;
    return true;
}

void exit_begin_with(RunContext *rc, Process *p, Message *holder, Term reason)
{
    pause_end_all(p);
    /* Look-ups say from now on that it is dead. */
    atomic_or_seq(&p->state, STATE_EXITING);
    Dying *d = mem_alloc_zero(rc->mem, MEM_PROCESS, sizeof *d);
    if (holder != NULL && literals_leave(&rc->literals)) {
        bool whole = term_same(reason, holder->value);
        message_expel_surely(holder, &rc->literals, rc->mem);
        if (whole) reason = holder->value;
    }
    d->holder = holder;
    d->reason = reason;
    extra_get(p)->dying = d;
    chance_note(&rc->worker->sched->chance, CHANCE_EXIT, p->pid.w, 0);
    if (rc->exit_hooks != NULL && rc->exit_hooks->begun != NULL)
        rc->exit_hooks->begun(rc, p, reason);
}

/* While literals leave, a reason is not looked at where it is. */
void exit_begin(RunContext *rc, Process *p, Term reason)
{
    Message *holder = NULL;
    if (literals_leave(&rc->literals) && !term_is_atomic(reason)) {
        holder = message_new(rc, reason);
        reason = holder == NULL ? TERM_ATOM(SYSTEM_LIMIT) : holder->value;
    }
    exit_begin_with(rc, p, holder, reason);
}

/* ---- steps: each works off part of *budget; true when its phase is over ---- */

static bool exit_timers(RunContext *rc, Process *p, Dying *d)
{
    /* One exchange closes the mailbox; what was in it is answered for the dead. */
    d->closed = mailbox_close(&p->mailbox);
    sched_timeout_free(p);
    if ((atomic_load_acquire(&p->state) & STATE_TIMERS) == 0) return true;
    const Sched *s = rc->worker->sched;
    for (unsigned i = 0; i < s->worker_count; i++)
        timer_cancel_all(&s->workers[i]->wheel, p->pid);
    return true;
}

static bool exit_release(RunContext *rc, Process *p, size_t *budget)
{
    const ExitHooks *hooks = rc->exit_hooks;
    return hooks == NULL || hooks->release == NULL || hooks->release(rc, p, budget);
}

/* What was taken from the mailbox and not acted upon, and then what came after it. */
static bool exit_signals(RunContext *rc, Process *p, Dying *d, size_t *budget)
{
    Intake *in = &p->extra->intake;
    while (p->extra->checks != NULL) {
        if (!exit_spend(budget)) return false;
        Message *m = p->extra->checks;
        p->extra->checks = m->next;
        signal_refuse(rc, p->pid, m);
        message_drop(m, &p->heap);
    }
    for (;;) {
        if (intake_is_empty(in)) {
            in->newest = d->closed;
            d->closed = NULL;
        }
        Message *m = intake_first(in, budget);
        if (m == NULL) return intake_is_empty(in);
        if (!exit_spend(budget)) return false;
        intake_drop_first(in);
        signal_refuse(rc, p->pid, m);
        message_drop(m, &p->heap);
    }
}

/* Tells one of the others; false when the reason is large and the slice is over. */
static bool exit_tell(RunContext *rc, Process *p, const Dying *d, Relation *r)
{
    switch ((RelationKind)r->kind) {
    case RELATION_LINK:
        /* A link being taken down has sent its unlink: the other forgets it by that. */
        return r->number != 0 || signal_tell(p, SIGNAL_EXIT_LINK, r->other, 0, d->reason);
    case RELATION_WATCHER: return signal_tell(p, SIGNAL_DOWN, r->other, r->key, d->reason);
    case RELATION_MONITOR:
        signal_send_demonitor(rc, p->pid, signal_monitored(r), r->key);
        return true;
    case RELATION_SUSPENDED: signal_send_resume(rc, p->pid, r->other); return --r->number == 0;
    case RELATION_NONE:
    case RELATION_ALIAS: break;
    }
    return true;
}

/* Tells the others: links first, then, in a second round, all that is left. */
static bool exit_relations(RunContext *rc, Process *p, Dying *d, bool links, size_t *budget)
{
    for (;;) {
        size_t here = d->cursor;
        Relation *r = links_next(p, &d->cursor);
        if (r == NULL) break;
        if (rc->reductions <= 0 || !exit_spend(budget)) {
            d->cursor = here;
            return false;
        }
        if (links && r->kind != RELATION_LINK) continue;
        if (exit_tell(rc, p, d, r))
            links_remove(p, r);
        else
            d->cursor = here;
    }
    d->cursor = 0;
    return true;
}

/* The reason, which has been told, and the messages; what holds many counted objects leaves them to
 * the next phase. */
static bool exit_queue(Process *p, Dying *d, size_t *budget)
{
    if (d != NULL && d->holder != NULL) {
        message_drop(d->holder, &p->heap);
        d->holder = NULL;
        d->reason = TERM_NIL;
    }
    mailbox_rewind(&p->mailbox);
    while (mailbox_peek(&p->mailbox) != NULL) {
        if (!exit_spend(budget)) return false;
        message_drop(mailbox_remove(&p->mailbox), &p->heap);
    }
    return true;
}

/* Counted objects, one by one: the last holder of a large one frees it. */
static bool exit_handles(Process *p, size_t *budget)
{
    Word **lists[2] = {&p->heap.handles, &p->extra->old.handles};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        while (*lists[i] != NULL) {
            if (!exit_spend(budget)) return false;
            Word *handle = *lists[i];
            *lists[i] = (Word *)(uintptr_t)handle[1];
            counted_drop((Counted *)(uintptr_t)handle[2]);
        }
    }
    return true;
}

/* Fragments: as many as messages were accepted since the last collection. */
static bool exit_fragments(Process *p, size_t *budget)
{
    while (p->heap.fragments != NULL) {
        if (!exit_spend(budget)) return false;
        heap_free_fragment(&p->heap);
    }
    return true;
}

static void exit_free_list(RunContext *rc, Message *m)
{
    for (Message *next; m != NULL; m = next) {
        next = m->next;
        message_free(m, rc->mem);
    }
}

/* What the machine's end leaves in the middle of its way to the queue. */
static void exit_free_intake(RunContext *rc, Process *p)
{
    Intake *in = &p->extra->intake;
    exit_free_list(rc, in->newest);
    exit_free_list(rc, in->oldest);
    *in = (Intake){NULL, NULL};
}

/* Everything but the control block, which others may be looking at. */
static void exit_free_parts(RunContext *rc, Process *p, Dying *d)
{
    if (d != NULL) {
        exit_free_list(rc, d->closed);
        mem_free(rc->mem, MEM_PROCESS, d, sizeof *d);
        p->extra->dying = NULL;
    }
    links_free(p);
    if (p->extra != NULL) exit_free_intake(rc, p);
    extra_free(p);
    process_free_block(p);
}

static void exit_last(RunContext *rc, Process *p, Dying *d)
{
    exit_free_parts(rc, p, d);
    p->run = NULL;
    proctab_remove(rc->processes, p);
    epoch_retire(rc->worker->epoch, process_release, rc->mem, p);
}

static bool exit_phase(RunContext *rc, Process *p, Dying *d, size_t *budget)
{
    switch (d->phase) {
    case EXIT_TIMERS: return exit_timers(rc, p, d);
    case EXIT_RELEASE: return exit_release(rc, p, budget);
    case EXIT_NAME:
        if ((atomic_load_acquire(&p->state) & STATE_REGISTERED) != 0) registry_forget(rc, p);
        return true;
    case EXIT_SIGNALS: return exit_signals(rc, p, d, budget);
    case EXIT_LINKS: return exit_relations(rc, p, d, true, budget);
    case EXIT_MONITORS: return exit_relations(rc, p, d, false, budget);
    case EXIT_QUEUE: return exit_queue(p, d, budget);
    case EXIT_HANDLES: return exit_handles(p, budget);
    case EXIT_FRAGMENTS: return exit_fragments(p, budget);
    case EXIT_LAST: break;
    }
    UNREACHABLE();
}

SchedStop exit_step(RunContext *rc, Process *p)
{
    Dying *d = p->extra->dying;
    size_t budget = EXIT_BUDGET;
    while (d->phase != EXIT_LAST) {
        bool over = exit_phase(rc, p, d, &budget);
        if (!over) {
            rc->reductions -= (int64_t)((EXIT_BUDGET - budget) * EXIT_REDUCTIONS);
            return SCHED_SPENT;
        }
        d->phase = (ExitPhase)(d->phase + 1);
    }
    rc->reductions -= (int64_t)((EXIT_BUDGET - budget) * EXIT_REDUCTIONS);
    exit_last(rc, p, d);
    return SCHED_EXITED;
}

bool exit_free_all(RunContext *rc)
{
    if (!rc->worker->sched->quiet) return false;
    size_t slots = proctab_slots(rc->processes);
    for (size_t i = 0; i < slots; i++) {
        Process *p = proctab_at(rc->processes, i);
        if (p == NULL) continue;
        size_t budget = SIZE_MAX;
        (void)exit_release(rc, p, &budget);
        exit_free_list(rc, mailbox_close(&p->mailbox));
        (void)exit_queue(p, p->extra == NULL ? NULL : p->extra->dying, &budget);
        p->run = NULL;
        sched_timeout_free(p);
        exit_free_parts(rc, p, p->extra == NULL ? NULL : p->extra->dying);
        proctab_remove(rc->processes, p);
        process_release(rc->mem, p);
    }
    return true;
}
