/* process_flag: sets what a process is like, and tells what it was before. */
#include "vm/bif/bif_process.h"
#include "vm/bif/inspect.h"

#include "vm/actor/signal.h"
#include "vm/proc/extra.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"

/* As OTP. */
#define FLAG_MAX_CALLS 10000

static BifResult flag_bit(Process *p, uint64_t bit, Term value)
{
    if (!term_is_boolean(value)) return raise_badarg(p);
    uint64_t old = term_same(value, TERM_TRUE) ? atomic_or_acq_rel(&p->state, bit)
                                               : atomic_and_acq_rel(&p->state, ~bit);
    return term_bool((old & bit) != 0);
}

static BifResult flag_priority(Process *p, Term value)
{
    Term old = inspect_priority(p);
    uint64_t priority;
    if (term_is_the_atom(value, ATOM_MAX))
        priority = PRIORITY_MAX;
    else if (term_is_the_atom(value, ATOM_HIGH))
        priority = PRIORITY_HIGH;
    else if (term_is_the_atom(value, ATOM_NORMAL))
        priority = PRIORITY_NORMAL;
    else if (term_is_the_atom(value, ATOM_LOW))
        priority = PRIORITY_LOW;
    else
        return raise_badarg(p);
    /* Others set flags in the same word, but only the owner changes its priority. */
    uint64_t state = atomic_load_relaxed(&p->state);
    while (!atomic_cas_acq_rel(&p->state, &state,
                               (state & ~STATE_PRIORITY) | priority << STATE_PRIORITY_SHIFT)) {
    }
    return old;
}

static BifResult flag_count(Process *p, AtomName flag, Term value)
{
    if (!term_is_small(value) || small_value(value) < 0 || small_value(value) > INT32_MAX)
        return raise_badarg(p);
    ProcessExtra *x = extra_get(p);
    uint32_t *field = flag == ATOM_MIN_HEAP_SIZE        ? &x->min_heap_words
                      : flag == ATOM_MIN_BIN_VHEAP_SIZE ? &x->min_handle_words
                                                        : &x->fullsweep_after;
    uint32_t old = *field;
    *field = (uint32_t)small_value(value);
    if (old == 0 && flag == ATOM_MIN_HEAP_SIZE) old = INSPECT_MIN_HEAP;
    if (old == 0 && flag == ATOM_MIN_BIN_VHEAP_SIZE) old = INSPECT_MIN_HANDLES;
    return small_from(old);
}

static BifResult flag_max_heap(Process *p, Term value)
{
    HeapLimit limit;
    if (!bif_heap_limit(p, value, &limit)) return raise_badarg(p);
    Term old = inspect_max_heap(p, &p->heap);
    extra_get(p)->max_heap = limit;
    return term_is_none(old) ? raise_system_limit(p) : old;
}

static BifResult flag_message_data(Process *p, Term value)
{
    bool off = term_is_the_atom(value, ATOM_OFF_HEAP);
    if (!off && !term_is_the_atom(value, ATOM_ON_HEAP)) return raise_badarg(p);
    bool old = p->extra != NULL && p->extra->off_heap_messages;
    extra_get(p)->off_heap_messages = off;
    return old ? TERM_ATOM(OFF_HEAP) : TERM_ATOM(ON_HEAP);
}

static BifResult flag_error_handler(Process *p, Term value)
{
    if (!term_is_atom(value)) return raise_badarg(p);
    Term old = extra_get(p)->error_handler;
    p->extra->error_handler = value;
    return old;
}

/* How many calls last_calls should tell of.  None are noted. */
static BifResult flag_save_calls(Process *p, Term value)
{
    if (!term_is_small(value) || small_value(value) < 0 || small_value(value) > FLAG_MAX_CALLS)
        return raise_badarg(p);
    ProcessExtra *x = extra_get(p);
    uint32_t old = x->save_calls;
    x->save_calls = (uint32_t)small_value(value);
    return small_from(old);
}

/* Of another only save_calls can be set, as in OTP. */
BifResult bif_process_flag_3(Process *p)
{
    enum { ASKED = 3 };
    Term other = arg(p, 0);
    Term value = arg(p, 2);
    if (!term_is_local_pid(other) || !term_is_the_atom(arg(p, 1), ATOM_SAVE_CALLS)
        || !term_is_small(value) || small_value(value) < 0
        || small_value(value) > FLAG_MAX_CALLS)
        return raise_badarg(p);
    if (term_same(other, p->pid)) return flag_save_calls(p, value);
    Term answer = bif_ask(p, ASKED, SIGNAL_SAVE_CALLS, other, value);
    return term_same(answer, TERM_FALSE) ? raise_badarg(p) : answer;
}

BifResult bif_process_flag_2(Process *p)
{
    Term flag = arg(p, 0);
    Term value = arg(p, 1);
    if (!term_is_atom(flag)) return raise_badarg(p);
    switch ((int)atom_of(flag)) {
    case ATOM_TRAP_EXIT: return flag_bit(p, STATE_TRAP_EXIT, value);
    case ATOM_SENSITIVE: return flag_bit(p, STATE_SENSITIVE, value);
    case ATOM_PRIORITY: return flag_priority(p, value);
    case ATOM_MIN_HEAP_SIZE:
    case ATOM_MIN_BIN_VHEAP_SIZE:
    case ATOM_FULLSWEEP_AFTER: return flag_count(p, atom_of(flag), value);
    case ATOM_MAX_HEAP_SIZE: return flag_max_heap(p, value);
    case ATOM_MESSAGE_QUEUE_DATA: return flag_message_data(p, value);
    case ATOM_ERROR_HANDLER: return flag_error_handler(p, value);
    case ATOM_SAVE_CALLS: return flag_save_calls(p, value);
    case ATOM_SCHEDULER:
        return term_is_small(value) && small_value(value) >= 0 ? small_from(0)
                                                               : raise_badarg(p);
    case ATOM_ASYNC_DIST: return term_is_boolean(value) ? TERM_FALSE : raise_badarg(p);
    default: return raise_badarg(p);
    }
}

BifResult bif_set_label(Process *p)
{
    extra_get(p)->label = arg(p, 0);
    return TERM_ATOM(OK);
}
