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

/* {timeout, Ref, Message} */
static Message *alarm_wrap(RunContext *rc, uint64_t number, Term message)
{
    size_t words = copy_size(message, message_limit(rc->mem), &rc->literals);
    if (words == COPY_TOO_LARGE) return NULL;
    Heap area;
    Message *m = message_open(rc->mem, SIGNAL_MESSAGE, words + 2 + 4, &area);
    if (m == NULL) return NULL;
    if (words > 0)
        message = copy_into(&area, heap_take(&area, words), words, message, &rc->literals);
    Term ref = pid_ref_at(heap_take(&area, 2), number);
    Term tuple = heap_tuple3(&area, TERM_ATOM(TIMEOUT), ref, message);
    message_close(m, &area, tuple);
    return m;
}

bool alarm_start(Process *p, Term to, uint64_t due_ns, Term message, bool wrapped,
                 uint64_t *number)
{
    RunContext *rc = p->run;
    *number = sched_reference(rc);
    Message *m = wrapped ? alarm_wrap(rc, *number, message) : message_new(rc, message);
    if (m == NULL) return false;
    if (term_is_local_pid(to)) {
        Process *target = proctab_find(rc->processes, to);
        if (target == NULL) {
            message_free(m, rc->mem);
            return true;
        }
        /* Before the timer is armed: who dies looks at this flag after it has closed its
         * mailbox. */
        atomic_or_acq_rel(&target->state, STATE_TIMERS);
    }
    timer_add(&rc->worker->wheel, *number, to, due_ns, m);
    return true;
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
