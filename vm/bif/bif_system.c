/* Built-ins about the VM as a whole, and its surroundings. */
#include "vm/bif/bif_bytes.h"

#include "vm/proc/proctab.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

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
    if (list_length(arg(p, 1)) < 0) return raise_badarg(p);
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

BifResult bif_nodes_1(Process *p)
{
    Term which = arg(p, 0);
    bool here = term_same(which, TERM_ATOM(THIS)) || term_same(which, TERM_ATOM(KNOWN));
    if (!here) return term_is_atom(which) || term_is_list(which) ? TERM_NIL : raise_badarg(p);
    Term list = heap_cons(&p->heap, TERM_ATOM(NONODE_AT_NOHOST), TERM_NIL);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

BifResult bif_is_alive(Process *p)
{
    (void)p;
    return TERM_FALSE;
}

/* ---- environment ---- */

/* A term of a C text that may not be UTF-8: a list of characters, then of bytes. */
static BifResult bif_text_list(Process *p, const char *text, size_t n)
{
    Term t = list_from_utf8(&p->heap, (const uint8_t *)text, n, TERM_NIL);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_getenv_1(Process *p)
{
    Bytes b = bif_bytes(p);
    bool good = list_to_utf8(arg(p, 0), &b) && memchr(b.at, 0, b.count) == NULL;
    if (!good) {
        bytes_free(&b);
        return raise_badarg(p);
    }
    bytes_put_u8(&b, 0);
    const char *value = getenv((const char *)b.at);
    bytes_free(&b);
    return value == NULL ? TERM_FALSE : bif_text_list(p, value, strlen(value));
}

BifResult bif_env(Process *p)
{
    Term list = TERM_NIL;
    for (char **at = environ; *at != NULL; at++) {
        const char *equals = strchr(*at, '=');
        if (equals == NULL) continue;
        Term key = bif_text_list(p, *at, (size_t)(equals - *at));
        Term value = bif_text_list(p, equals + 1, strlen(equals + 1));
        Term pair = heap_tuple2(&p->heap, key, value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

BifResult bif_getpid(Process *p)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%ld", (long)getpid());
    return bif_text_list(p, text, (size_t)n);
}

/* ---- system_info ---- */

static BifResult bif_info_number(Process *p, uint64_t n)
{
    Term t = heap_uint64(&p->heap, n);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_system_info(Process *p)
{
    Term item = arg(p, 0);
    const Sched *s = sched_worker(p->run)->sched;
    if (!term_is_atom(item)) return raise_badarg(p);
    switch (atom_of(item)) {
    case ATOM_SCHEDULERS:
    case ATOM_SCHEDULERS_ONLINE:
    case ATOM_LOGICAL_PROCESSORS: return bif_info_number(p, s->worker_count);
    case ATOM_PROCESS_COUNT: return bif_info_number(p, proctab_count(p->run->processes));
    case ATOM_PROCESS_LIMIT: return bif_info_number(p, proctab_limit(p->run->processes));
    case ATOM_ATOM_COUNT: return bif_info_number(p, atom_count(p->run->atoms));
    case ATOM_ATOM_LIMIT: return bif_info_number(p, p->run->atoms->limit);
    case ATOM_WORDSIZE: return small_from(sizeof(Word));
    case ATOM_ENDIAN: return TERM_ATOM(LITTLE);
    case ATOM_OTP_RELEASE: return bif_text_list(p, "25", 2);
    case ATOM_VERSION: return bif_text_list(p, CONFIG_VERSION, strlen(CONFIG_VERSION));
    case ATOM_MACHINE: return bif_text_list(p, "MOTE", 4);
    case ATOM_SMP_SUPPORT:
    case ATOM_THREADS: return TERM_TRUE;
    default: return raise_badarg(p);
    }
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

BifResult bif_memory_1(Process *p)
{
    return term_is_atom(arg(p, 0)) ? bif_memory_of(p, atom_of(arg(p, 0))) : raise_badarg(p);
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
