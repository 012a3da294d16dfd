#include "vm/interp/slow.h"

#include "vm/actor/arrival.h"
#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/sched/sched.h"

#define NS_PER_MS UINT64_C(1000000)
/* The longest time-out, as OTP: 32 bits of milliseconds. */
#define RECEIVE_MAX_MS INT64_C(0xFFFFFFFF)

static SlowResult receive_stop(Process *p, RunStop stop)
{
    p->run->stop = stop;
    return SLOW_STOP;
}

/* Looks for new messages behind the cursor. True: go to the loop; else *result says what to do. */
static bool receive_has_more(Process *p, SlowResult *result)
{
    if (mailbox_peek(&p->mailbox) != NULL) return true;
    switch (arrival_fetch(p->run, p)) {
    case SCHED_EXITED: *result = receive_stop(p, RUN_EXITING); return false;
    case SCHED_WAITS: *result = receive_stop(p, RUN_WAITING); return false;
    case SCHED_SPENT:
        *result = receive_stop(p, RUN_SPENT);
        return mailbox_peek(&p->mailbox) != NULL && !arrival_is_busy(p);
    case SCHED_GOES: break;
    }
    *result = receive_stop(p, RUN_WAITING);
    return mailbox_peek(&p->mailbox) != NULL;
}

static SlowResult receive_goto(Process *p, const uint8_t *label)
{
    p->pc += 2 * (ptrdiff_t)operand_i32(label);
    return SLOW_NEXT;
}

SlowResult slow_recv_wait(Process *p)
{
    SlowResult result;
    if (receive_has_more(p, &result))
        return receive_goto(p, (const uint8_t *)p->pc + OPOFF_RECV_WAIT_1);
    return result;
}

/* The time is over: the receive ends without a message. */
static SlowResult receive_fall_through(Process *p)
{
    sched_timeout_cancel(p);
    mailbox_rewind(&p->mailbox);
    p->pc += OPLEN_RECV_WAIT_FOR / sizeof(Half);
    return SLOW_NEXT;
}

SlowResult slow_recv_wait_for(Process *p)
{
    const uint8_t *pc = (const uint8_t *)p->pc;
    Term time = TERM_RAW(p->fp[operand_i16(pc + OPOFF_RECV_WAIT_FOR_1)]);
    bool forever = term_same(time, TERM_ATOM(INFINITY));
    SlowResult result;
    if (receive_has_more(p, &result)) return receive_goto(p, pc + OPOFF_RECV_WAIT_FOR_2);
    if (p->run->stop != RUN_WAITING || forever) return result;
    /* Only who would have to wait is told that the time is none. */
    if (!term_is_small(time) || small_value(time) < 0 || small_value(time) > RECEIVE_MAX_MS) {
        raise_error(p, TERM_ATOM(TIMEOUT_VALUE));
        return SLOW_RAISE;
    }
    if (small_value(time) == 0 || sched_timeout_over(p)) return receive_fall_through(p);
    if (!sched_timeout_active(p)) {
        uint64_t now = chance_now_ns(&sched_worker(p->run)->sched->chance);
        sched_timeout_start(p, now + (uint64_t)small_value(time) * NS_PER_MS);
    }
    return result;
}

SlowResult slow_recv_accept(Process *p)
{
    if (sched_timeout_active(p) || sched_timeout_over(p)) sched_timeout_cancel(p);
    mailbox_accept(&p->mailbox, &p->heap);
    p->pc += OPLEN_RECV_ACCEPT / sizeof(Half);
    if (UNLIKELY(reserve_is_wanted(p))) reserve_soon(p);
    return SLOW_NEXT;
}
