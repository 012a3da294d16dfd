/* Built-ins of erts_debug and erts_internal that look below what terms mean; and of erlang
 * those about what Mote has none of: other nodes, ports. */
#include "vm/bif/bif.h"

#include "vm/proc/state.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/copy.h"
#include "vm/term/order.h"

/* Words of a copy. */
BifResult bif_flat_size(Process *p)
{
    size_t words = copy_size(arg(p, 0), SIZE_MAX, NULL);
    bif_charge(p, (int64_t)(words / 16));
    return small_from((int64_t)words);
}

/* Are both one object? */
BifResult bif_debug_same(Process *p) { return term_bool(term_same(arg(p, 0), arg(p, 1))); }

/* -1, 0 or 1 in the order of keys of maps, where 1 stands before 1.0. */
BifResult bif_cmp_term(Process *p)
{
    int order = order_compare_exact(p->run->atoms, arg(p, 0), arg(p, 1));
    return small_from(order < 0 ? -1 : order > 0);
}

/* set_internal_state(refuse_memory, N): in debug builds one of N allocations for this process, and
 * for those it spawns from now on, is refused; 0: none any more.  False in others: there is no such
 * state. */
BifResult bif_set_internal_state(Process *p)
{
    Term n = arg(p, 1);
    if (!term_same(arg(p, 0), TERM_ATOM(REFUSE_MEMORY)) || !term_is_small(n)
        || small_value(n) < 0)
        return raise_badarg(p);
    if (!CONFIG_DEBUG) return TERM_FALSE;
    if (small_value(n) > 0) atomic_or_acq_rel(&p->state, STATE_REFUSED);
    mem_refuse_after(p->run->mem, 0);
    atomic_store_relaxed(&p->run->worker->sched->refuse_one_in, (uint64_t)small_value(n));
    return TERM_TRUE;
}

BifResult bif_ports(Process *p)
{
    (void)p;
    return TERM_NIL;
}

/* monitor_node(Node, Flag[, Options]): this node is always there, others cannot be reached. */
BifResult bif_monitor_node(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    if (term_same(arg(p, 0), TERM_ATOM(NONODE_AT_NOHOST)))
        return term_is_boolean(arg(p, 1)) ? TERM_TRUE : raise_badarg(p);
    return raise_error(p, TERM_ATOM(NOTALIVE));
}
