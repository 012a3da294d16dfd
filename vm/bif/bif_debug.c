/* Built-ins of erts_debug and erts_internal that look below what terms mean; and of erlang
 * those about what Mote has none of: other nodes, ports. */
#include "vm/bif/bif.h"

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
