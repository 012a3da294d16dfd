/* Built-ins about time: clocks, units, unique integers, timers that send messages. */
#include "vm/bif/bif.h"

#include "vm/actor/alarm.h"
#include "vm/actor/send.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/number.h"
#include "vm/term/pid.h"

#define NS_PER_MS INT64_C(1000000)

/* What monotonic time starts from is anything; the difference to wall time is fixed at boot. */
static Sched *time_sched(const Process *p) { return p->run->worker->sched; }
static int64_t time_monotonic(const Process *p)
{
    return (int64_t)chance_now_ns(&time_sched(p)->chance);
}
static int64_t time_wall(const Process *p)
{
    return (int64_t)chance_wall_ns(&time_sched(p)->chance);
}

static Term time_term(Process *p, int64_t value)
{
    Term t = heap_int64(&p->heap, value);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- units: parts per second; 0: no unit ---- */

static int64_t time_unit(Term unit)
{
    if (term_is_small(unit)) return small_value(unit) > 0 ? small_value(unit) : 0;
    if (!term_is_atom(unit)) return 0;
    switch ((int)atom_of(unit)) {
    case ATOM_SECOND:
    case ATOM_SECONDS: return 1;
    case ATOM_MILLISECOND:
    case ATOM_MILLI_SECONDS: return 1000;
    case ATOM_MICROSECOND:
    case ATOM_MICRO_SECONDS: return 1000000;
    case ATOM_NANOSECOND:
    case ATOM_NANO_SECONDS:
    case ATOM_NATIVE:
    case ATOM_PERF_COUNTER: return 1000000000;
    default: return 0;
    }
}

/* floor(value * to / from), exactly. */
static Term time_convert(Process *p, Term value, int64_t from, int64_t to)
{
    Heap *h = &p->heap;
    Term product = number_mul(h, value, heap_int64(h, to));
    if (term_is_none(product)) return raise_system_limit(p);
    Term divisor = heap_int64(h, from);
    Term quotient = number_div(h, product, divisor);
    if (term_is_none(quotient)) return raise_system_limit(p);
    bool negative = number_compare(product, small_from(0)) < 0;
    if (!negative) return quotient;
    Term rest = number_rem(h, product, divisor);
    if (term_is_small(rest) && small_value(rest) == 0) return quotient;
    Term below = number_sub(h, quotient, small_from(1));
    return term_is_none(below) ? raise_system_limit(p) : below;
}

static BifResult time_in_unit(Process *p, int64_t ns, Term unit_term)
{
    int64_t unit = time_unit(unit_term);
    if (unit == 0) return raise_badarg(p);
    return time_convert(p, time_term(p, ns), 1000000000, unit);
}

BifResult bif_convert_time_unit(Process *p)
{
    int64_t from = time_unit(arg(p, 1));
    int64_t to = time_unit(arg(p, 2));
    if (!term_is_integer(arg(p, 0)) || from == 0 || to == 0) return raise_badarg(p);
    return time_convert(p, arg(p, 0), from, to);
}

/* ---- clocks ---- */

BifResult bif_monotonic_time_0(Process *p) { return time_term(p, time_monotonic(p)); }
BifResult bif_monotonic_time_1(Process *p)
{
    return time_in_unit(p, time_monotonic(p), arg(p, 0));
}
BifResult bif_system_time_0(Process *p) { return time_term(p, time_wall(p)); }
BifResult bif_system_time_1(Process *p) { return time_in_unit(p, time_wall(p), arg(p, 0)); }

/* Wall time less monotonic time, as it was at boot. */
BifResult bif_time_offset_0(Process *p) { return time_term(p, time_sched(p)->time_offset_ns); }
BifResult bif_time_offset_1(Process *p)
{
    return time_in_unit(p, time_sched(p)->time_offset_ns, arg(p, 0));
}

static BifResult time_triple(Process *p, int64_t us)
{
    Term t = heap_tuple3(&p->heap, small_from(us / 1000000000000),
                         small_from(us / 1000000 % 1000000), small_from(us % 1000000));
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_timestamp(Process *p) { return time_triple(p, time_wall(p) / 1000); }

/* now/0: never the same twice, never back. */
BifResult bif_now(Process *p)
{
    AtomicI64 *last = &time_sched(p)->last_now_us;
    int64_t us = time_wall(p) / 1000;
    int64_t before = atomic_load_relaxed(last);
    int64_t next;
    do {
        next = us > before ? us : before + 1;
    } while (!atomic_cas_relaxed(last, &before, next));
    return time_triple(p, next);
}

BifResult bif_perf_counter_1(Process *p)
{
    return time_in_unit(p, time_monotonic(p), arg(p, 0));
}

/* ---- unique integers ---- */

static BifResult unique(Process *p, bool positive, bool monotonic)
{
    Sched *s = time_sched(p);
    int64_t n = 1
                + (monotonic ? atomic_add_relaxed(&s->unique_monotonic, 1)
                             : atomic_add_relaxed(&s->unique_positive, 1));
    /* Those that may be negative start far below zero, as programs are used to. */
    return time_term(p, positive ? n : n - ((int64_t)1 << 59));
}

BifResult bif_unique_integer_0(Process *p) { return unique(p, false, false); }

BifResult bif_unique_integer_1(Process *p)
{
    bool positive = false;
    bool monotonic = false;
    Term options = arg(p, 0);
    for (; term_is_cons(options); options = list_tail(options)) {
        if (term_is_the_atom(list_head(options), ATOM_POSITIVE))
            positive = true;
        else if (term_is_the_atom(list_head(options), ATOM_MONOTONIC))
            monotonic = true;
        else
            return raise_badarg(p);
    }
    return term_is_nil(options) ? unique(p, positive, monotonic) : raise_badarg(p);
}

/* ---- timers ---- */

/* {abs, Bool}; false: badarg. */
static bool timer_options(Term options, bool *absolute)
{
    *absolute = false;
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2) || !term_is_the_atom(tuple_at(option, 0), ATOM_ABS)
            || !term_is_boolean(tuple_at(option, 1)))
            return false;
        *absolute = term_same(tuple_at(option, 1), TERM_TRUE);
    }
    return term_is_nil(options);
}

/* Milliseconds from now, or of monotonic time, as nanoseconds of ours; false: badarg. */
static bool timer_due(const Process *p, Term time, bool absolute, uint64_t *due_ns)
{
    if (!term_is_small(time)) return false;
    int64_t ms = small_value(time);
    if (ms > INT64_MAX / NS_PER_MS / 2) return false;
    int64_t now = time_monotonic(p);
    if (absolute) {
        *due_ns = ms * NS_PER_MS > now ? (uint64_t)(ms * NS_PER_MS) : (uint64_t)now;
        return true;
    }
    if (ms < 0) return false;
    *due_ns = (uint64_t)(now + ms * NS_PER_MS);
    return true;
}

static BifResult timer_start(Process *p, Term options, bool wrapped)
{
    Term to = arg(p, 1);
    bool absolute;
    uint64_t due_ns;
    if (!timer_options(options, &absolute) || !timer_due(p, arg(p, 0), absolute, &due_ns))
        return raise_badarg(p);
    if (!term_is_local_pid(to) && !term_is_atom(to)) return raise_badarg(p);
    uint64_t number;
    switch (alarm_start(p, to, due_ns, arg(p, 2), wrapped, &number)) {
    case PARCEL_MORE: return bif_yield(p);
    case PARCEL_REFUSED: return raise_system_limit(p);
    case PARCEL_DONE: break;
    }
    Term ref = pid_make_ref(&p->heap, number);
    return term_is_none(ref) ? raise_system_limit(p) : ref;
}

BifResult bif_send_after_3(Process *p) { return timer_start(p, TERM_NIL, false); }
BifResult bif_send_after_4(Process *p) { return timer_start(p, arg(p, 3), false); }
BifResult bif_start_timer_3(Process *p) { return timer_start(p, TERM_NIL, true); }
BifResult bif_start_timer_4(Process *p) { return timer_start(p, arg(p, 3), true); }

/* {async, Bool} and {info, Bool}; false: badarg. */
static bool cancel_options(Term options, bool *async, bool *info)
{
    *async = false;
    *info = true;
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2) || !term_is_boolean(tuple_at(option, 1))) return false;
        bool value = term_same(tuple_at(option, 1), TERM_TRUE);
        if (term_is_the_atom(tuple_at(option, 0), ATOM_ASYNC))
            *async = value;
        else if (term_is_the_atom(tuple_at(option, 0), ATOM_INFO))
            *info = value;
        else
            return false;
    }
    return term_is_nil(options);
}

/* Whole milliseconds, not fewer than are left; false: no such timer. */
static Term timer_answer(Process *p, int64_t left_ns)
{
    return left_ns < 0 ? TERM_FALSE : time_term(p, (left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* The answer itself, or for async {Tag, Ref, Answer} as a message and ok. */
static BifResult timer_tell(Process *p, Term tag, int64_t left_ns, bool async, bool info)
{
    Term answer = timer_answer(p, left_ns);
    if (term_is_none(answer) || (!async && info)) return answer;
    if (async && info) {
        Term message = heap_tuple3(&p->heap, tag, arg(p, 0), answer);
        if (term_is_none(message) || !send_system(p->run, p->pid, message))
            return raise_system_limit(p);
    }
    return TERM_ATOM(OK);
}

static BifResult cancel_timer(Process *p, Term options)
{
    bool async;
    bool info;
    Term ref = arg(p, 0);
    if (!term_is_kind(ref, KIND_REF) || !cancel_options(options, &async, &info))
        return raise_badarg(p);
    return timer_tell(p, TERM_ATOM(CANCEL_TIMER), alarm_cancel(p, pid_ref_number(ref)), async,
                      info);
}

static BifResult read_timer(Process *p, Term options)
{
    bool async;
    bool info;
    Term ref = arg(p, 0);
    if (!term_is_kind(ref, KIND_REF) || !cancel_options(options, &async, &info) || !info)
        return raise_badarg(p);
    return timer_tell(p, TERM_ATOM(READ_TIMER), alarm_left(p, pid_ref_number(ref)), async,
                      true);
}

BifResult bif_cancel_timer_1(Process *p) { return cancel_timer(p, TERM_NIL); }
BifResult bif_cancel_timer_2(Process *p) { return cancel_timer(p, arg(p, 1)); }
BifResult bif_read_timer_1(Process *p) { return read_timer(p, TERM_NIL); }
BifResult bif_read_timer_2(Process *p) { return read_timer(p, arg(p, 1)); }
