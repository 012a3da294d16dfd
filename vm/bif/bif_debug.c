/* Built-ins of erts_debug and erts_internal that look below what terms mean; and of erlang
 * those about what Mote has none of: other nodes, ports. */
#include "vm/bif/task.h"

#include "vm/proc/compare.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/copy.h"
#include "vm/term/order.h"

typedef struct FlatTask {
    Pause pause;
    CopyWalk copy; /* counts only */
} FlatTask;

static void flat_release(Pause *pause, Process *p)
{
    FlatTask *t = (FlatTask *)pause;
    copy_end(&t->copy);
    task_free(pause, sizeof *t, p);
}

/* Words of a copy; of a term whose parts are shared that may be for ever. */
BifResult bif_flat_size(Process *p)
{
    FlatTask here;
    FlatTask *t = (FlatTask *)pause_find(p, flat_release);
    if (t == NULL) {
        t = &here;
        copy_begin(&t->copy, arg(p, 0), COPY_TOO_LARGE, NULL, p->heap.mem);
    }
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = copy_count(&t->copy, &left);
    pause_charge(p, budget, left);
    if (!done) {
        FlatTask *kept = task_keep(p, t, sizeof *t, flat_release);
        if (kept != t) walk_moved(&kept->copy.stack, &t->copy.stack);
        return bif_yield(p);
    }
    size_t words = t->copy.words;
    task_end(p, &t->pause, flat_release);
    return small_from((int64_t)words);
}

/* Are both one object? */
BifResult bif_debug_same(Process *p) { return term_bool(term_same(arg(p, 0), arg(p, 1))); }

/* -1, 0 or 1 in the order of keys of maps, where 1 stands before 1.0. */
BifResult bif_cmp_term(Process *p)
{
    int order = compare_in_slices(p, ORDER_KIND_KEYS, arg(p, 0), arg(p, 1));
    if (order == ORDER_MORE) return bif_yield(p);
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
BifResult bif_monitor_node_2(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    if (term_same(arg(p, 0), TERM_ATOM(NONODE_AT_NOHOST)))
        return term_is_boolean(arg(p, 1)) ? TERM_TRUE : raise_badarg(p);
    return raise_error(p, TERM_ATOM(NOTALIVE));
}

BifResult bif_monitor_node_3(Process *p)
{
    Term options = arg(p, 2);
    for (; term_is_cons(options); options = list_tail(options))
        if (!term_same(list_head(options), TERM_ATOM(ALLOW_PASSIVE_CONNECT)))
            return raise_badarg(p);
    return term_is_nil(options) ? bif_monitor_node_2(p) : raise_badarg(p);
}
