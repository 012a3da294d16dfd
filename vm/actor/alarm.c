#include "vm/actor/alarm.h"

#include "vm/actor/registry.h"
#include "vm/actor/send.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"
#include "vm/term/pid.h"

bool alarm_deliver(RunContext *rc, Timer *t)
{
    Term pid = term_is_atom(t->to) ? registry_find(rc, t->to) : t->to;
    Process *p = term_is_none(pid) ? NULL : proctab_find(rc->processes, pid);
    return p != NULL && send_push_to(rc, p, t->message);
}

/* Words of {timeout, Ref, Message}: the reference and the tuple. */
#define ALARM_REF_WORDS   2
#define ALARM_TUPLE_WORDS 4

static void alarm_wrap(Message *m, uint64_t number)
{
    Term ref = pid_ref_at(message_take_spare(m, ALARM_REF_WORDS), number);
    Word *at = message_take_spare(m, ALARM_TUPLE_WORDS);
    at[0] = header_make(KIND_TUPLE, 3);
    at[1] = TERM_ATOM(TIMEOUT).w;
    at[2] = ref.w;
    at[3] = m->value.w;
    m->value = boxed_from(at);
}

ParcelResult alarm_start(Process *p, Term to, uint64_t due_ns, Term message, bool wrapped,
                         uint64_t *number)
{
    RunContext *rc = p->run;
    Message *m;
    size_t spare = wrapped ? ALARM_REF_WORDS + ALARM_TUPLE_WORDS : 0;
    ParcelResult made = parcel_make(p, SIGNAL_MESSAGE, spare, message, &m);
    if (made != PARCEL_DONE) return made;
    *number = sched_reference(rc);
    if (wrapped) alarm_wrap(m, *number);
    if (term_is_local_pid(to)) {
        Process *target = proctab_find(rc->processes, to);
        if (target == NULL) {
            message_drop(m, &p->heap);
            return PARCEL_DONE;
        }
        /* Before the timer is armed: who dies looks at this flag after it has closed its
         * mailbox. */
        atomic_or_acq_rel(&target->state, STATE_TIMERS);
    }
    timer_add(&rc->worker->wheel, *number, to, due_ns, m);
    return PARCEL_DONE;
}

int64_t alarm_cancel(Process *p, uint64_t number)
{
    Sched *s = p->run->worker->sched;
    return timer_cancel(sched_wheel_of(s, number), number, chance_now_ns(&s->chance));
}

int64_t alarm_left(Process *p, uint64_t number)
{
    Sched *s = p->run->worker->sched;
    return timer_left(sched_wheel_of(s, number), number, chance_now_ns(&s->chance));
}
