/* Built-ins about the VM as a whole: its end, its node, its memory. */
#include "vm/bif/bif_bytes.h"

#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- the end ---- */

/* halt(Status | abort | Slogan, Options): all workers stop. */
static BifResult bif_halt(Process *p, Term status)
{
    int code = 1;
    if (term_is_small(status) && small_value(status) >= 0)
        code = (int)(small_value(status) & 0xFF);
    else if (term_same(status, TERM_ATOM(ABORT)))
        abort();
    else if (term_is_list(status)) {
        Bytes b = bif_bytes(p);
        bool text = list_to_utf8(status, &b);
        if (text && b.count > 0) (void)!write(STDERR_FILENO, b.at, b.count);
        if (text) (void)!write(STDERR_FILENO, "\n", 1);
        bytes_free(&b);
        if (!text) return raise_badarg(p);
    } else {
        return raise_badarg(p);
    }
    sched_halt(sched_worker(p->run)->sched, code);
    p->run->reductions = 0;
    return bif_yield(p);
}

BifResult bif_halt_0(Process *p) { return bif_halt(p, small_from(0)); }
BifResult bif_halt_1(Process *p) { return bif_halt(p, arg(p, 0)); }

BifResult bif_halt_2(Process *p)
{
    Term options = arg(p, 1);
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2) || !term_is_the_atom(tuple_at(option, 0), ATOM_FLUSH)
            || !term_is_boolean(tuple_at(option, 1)))
            return raise_badarg(p);
    }
    if (!term_is_nil(options)) return raise_badarg(p);
    return bif_halt(p, arg(p, 0));
}

/* ---- nodes ---- */

BifResult bif_node_0(Process *p)
{
    (void)p;
    return TERM_ATOM(NONODE_AT_NOHOST);
}

BifResult bif_node_1(Process *p)
{
    Term t = arg(p, 0);
    if (term_is_local_pid(t) || term_is_local_port(t) || term_is_local_ref(t))
        return TERM_ATOM(NONODE_AT_NOHOST);
    if (term_is_pid(t) || term_is_port(t) || term_is_ref(t)) return boxed_term(t, 0);
    return raise_badarg(p);
}

BifResult bif_nodes_0(Process *p)
{
    (void)p;
    return TERM_NIL;
}

/* Is it a kind of nodes; `here` is set if this node is of that kind. */
static bool bif_node_kind(Term kind, bool *here)
{
    if (!term_is_atom(kind)) return false;
    switch ((int)atom_of(kind)) {
    case ATOM_THIS:
    case ATOM_KNOWN: *here = true; return true;
    case ATOM_VISIBLE:
    case ATOM_HIDDEN:
    case ATOM_CONNECTED: return true;
    default: return false;
    }
}

BifResult bif_nodes_1(Process *p)
{
    Term which = arg(p, 0);
    bool here = false;
    if (term_is_atom(which) && !bif_node_kind(which, &here)) return raise_badarg(p);
    if (!term_is_atom(which)) {
        for (; term_is_cons(which); which = list_tail(which))
            if (!bif_node_kind(list_head(which), &here)) return raise_badarg(p);
        if (!term_is_nil(which)) return raise_badarg(p);
    }
    if (!here) return TERM_NIL;
    Term list = heap_cons(&p->heap, TERM_ATOM(NONODE_AT_NOHOST), TERM_NIL);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

BifResult bif_is_alive(Process *p)
{
    (void)p;
    return TERM_FALSE;
}

/* ---- memory ---- */

static BifResult bif_info_number(Process *p, uint64_t n)
{
    Term t = heap_uint64(&p->heap, n);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

static BifResult bif_memory_of(Process *p, AtomName what)
{
    const Mem *mem = p->run->mem;
    switch (what) {
    case ATOM_TOTAL: return bif_info_number(p, mem_total(mem));
    case ATOM_PROCESSES:
    case ATOM_PROCESSES_USED:
        return bif_info_number(p, mem_used(mem, MEM_HEAP) + mem_used(mem, MEM_PROCESS)
                                      + mem_used(mem, MEM_MESSAGE));
    case ATOM_SYSTEM:
        return bif_info_number(p, mem_total(mem) - mem_used(mem, MEM_HEAP)
                                      - mem_used(mem, MEM_PROCESS)
                                      - mem_used(mem, MEM_MESSAGE));
    case ATOM_ATOM:
    case ATOM_ATOM_USED: return bif_info_number(p, mem_used(mem, MEM_ATOM));
    case ATOM_BINARY: return bif_info_number(p, mem_used(mem, MEM_BINARY));
    case ATOM_CODE: return bif_info_number(p, mem_used(mem, MEM_CODE));
    case ATOM_ETS: return bif_info_number(p, mem_used(mem, MEM_TABLE));
    default: return raise_badarg(p);
    }
}

static BifResult bif_memory_item(Process *p, Term what)
{
    return term_is_atom(what) ? bif_memory_of(p, atom_of(what)) : raise_badarg(p);
}

/* One number, or a pair for each kind of a list. */
BifResult bif_memory_1(Process *p)
{
    if (!term_is_list(arg(p, 0))) return bif_memory_item(p, arg(p, 0));
    ListBuilder b = list_builder(&p->heap);
    Term rest = arg(p, 0);
    for (; term_is_cons(rest); rest = list_tail(rest)) {
        Term n = bif_memory_item(p, list_head(rest));
        if (term_is_none(n)) return TERM_NONE;
        Term pair = heap_tuple2(&p->heap, list_head(rest), n);
        if (term_is_none(pair)) return raise_system_limit(p);
        list_add(&b, pair);
    }
    if (!term_is_nil(rest)) return raise_badarg(p);
    Term list = list_finish(&b, TERM_NIL);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

BifResult bif_memory_0(Process *p)
{
    static const AtomName items[] = {ATOM_TOTAL,  ATOM_PROCESSES, ATOM_PROCESSES_USED,
                                     ATOM_SYSTEM, ATOM_ATOM,      ATOM_ATOM_USED,
                                     ATOM_BINARY, ATOM_CODE,      ATOM_ETS};
    Term list = TERM_NIL;
    for (size_t i = ARRAY_LEN(items); i > 0; i--) {
        Term n = bif_memory_of(p, items[i - 1]);
        if (term_is_none(n)) return TERM_NONE;
        Term pair = heap_tuple2(&p->heap, atom_from(items[i - 1]), n);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}
