#include "vm/term/order_ids.h"

#include "vm/term/fun.h"
#include "vm/term/pid.h"

#include <string.h>

/* What is of this node stands before what is of another. */
static int order_ids_nodes(const OrderWalk *o, Term a, Term b)
{
    if (pid_is_remote(a) != pid_is_remote(b)) return pid_is_remote(a) ? 1 : -1;
    if (!pid_is_remote(a)) return 0;
    int order = order_ids_atoms(o, pid_node(a), pid_node(b));
    return order != 0 ? order : order_ids_words(pid_creation(a), pid_creation(b));
}

int order_ids_pids(const OrderWalk *o, Term a, Term b)
{
    uint32_t a_id;
    uint32_t b_id;
    uint32_t a_serial;
    uint32_t b_serial;
    pid_numbers(a, &a_id, &a_serial);
    pid_numbers(b, &b_id, &b_serial);
    int order =
        order_ids_words((uint64_t)a_serial << 32 | a_id, (uint64_t)b_serial << 32 | b_id);
    return order != 0 ? order : order_ids_nodes(o, a, b);
}

int order_ids_ports(const OrderWalk *o, Term a, Term b)
{
    int order = order_ids_nodes(o, a, b);
    if (order != 0) return order;
    return order_ids_words(pid_is_remote(a) ? pid_remote_port(a) : port_number(a),
                           pid_is_remote(b) ? pid_remote_port(b) : port_number(b));
}

int order_ids_refs(const OrderWalk *o, Term a, Term b)
{
    int order = order_ids_nodes(o, a, b);
    if (order != 0) return order;
    if (!pid_is_remote(a)) return order_ids_words(pid_ref_number(a), pid_ref_number(b));
    uint32_t x[PID_REF_MAX_IDS] = {0};
    uint32_t y[PID_REF_MAX_IDS] = {0};
    pid_ref_ids(a, x);
    pid_ref_ids(b, y);
    for (size_t i = PID_REF_MAX_IDS; i-- > 0 && order == 0;)
        order = order_ids_words(x[i], y[i]);
    return order;
}

int order_ids_funs(const OrderWalk *o, Term a, Term b)
{
    bool a_export = boxed_kind(a) == KIND_EXPORT_FUN;
    bool b_export = boxed_kind(b) == KIND_EXPORT_FUN;
    if (a_export != b_export) return a_export ? 1 : -1;
    if (a_export) {
        const ExportKey *x = fun_export(a);
        const ExportKey *y = fun_export(b);
        int order = order_ids_atoms(o, x->module, y->module);
        if (order == 0) order = order_ids_atoms(o, x->function, y->function);
        return order != 0 ? order : order_ids_words(x->arity, y->arity);
    }
    FunKey x = fun_key_of(a);
    FunKey y = fun_key_of(b);
    int order = order_ids_atoms(o, x.module, y.module);
    if (order == 0) order = order_ids_words(x.old_index, y.old_index);
    if (order == 0) order = order_ids_words(x.old_uniq, y.old_uniq);
    if (order == 0) order = order_ids_words(x.index, y.index);
    if (order == 0) order = memcmp(x.uniq, y.uniq, sizeof x.uniq);
    return order;
}
