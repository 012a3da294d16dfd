/* erlang:system_info/1. */
#include "vm/bif/bif.h"

#include "vm/proc/proctab.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/map.h"

#include <unistd.h>

#if defined(__x86_64__)
#define SYSINFO_ARCHITECTURE "x86_64-pc-linux-gnu"
#elif defined(__aarch64__)
#define SYSINFO_ARCHITECTURE "aarch64-unknown-linux-gnu"
#else
#define SYSINFO_ARCHITECTURE "unknown-linux-gnu"
#endif

/* Sizes of tables that have no limit of their own. */
#define SYSINFO_NO_LIMIT (INT64_C(1) << 27)

static Term sysinfo_pair(Process *p, AtomName tag, Term value)
{
    return heap_tuple2(&p->heap, atom_from(tag), value);
}

/* What is a number; -1: the item is none. */
static int64_t sysinfo_number(const Process *p, AtomName item)
{
    const Sched *s = p->run->worker->sched;
    switch (item) {
    case ATOM_SCHEDULERS:
    case ATOM_SCHEDULERS_ONLINE:
    case ATOM_SCHEDULERS_TOTAL:
    case ATOM_DIRTY_CPU_SCHEDULERS:
    case ATOM_DIRTY_CPU_SCHEDULERS_ONLINE: return s->worker_count;
    case ATOM_SCHEDULER_ID: return p->run->worker->index + 1;
    case ATOM_DIRTY_IO_SCHEDULERS: return BLOCKING_THREADS;
    case ATOM_THREAD_POOL_SIZE: return 1;
    case ATOM_LOGICAL_PROCESSORS:
    case ATOM_LOGICAL_PROCESSORS_ONLINE:
    case ATOM_LOGICAL_PROCESSORS_AVAILABLE: return sysconf(_SC_NPROCESSORS_ONLN);
    case ATOM_PROCESS_COUNT: return (int64_t)proctab_count(p->run->processes);
    case ATOM_PROCESS_LIMIT: return (int64_t)proctab_limit(p->run->processes);
    case ATOM_ATOM_COUNT: return atom_count(p->run->atoms);
    case ATOM_ATOM_LIMIT: return p->run->atoms->limit;
    case ATOM_PORT_COUNT:
    case ATOM_ETS_COUNT:
    case ATOM_CREATION:
    case ATOM_TRACE_CONTROL_WORD: return 0;
    case ATOM_PORT_LIMIT:
    case ATOM_ETS_LIMIT: return SYSINFO_NO_LIMIT;
    case ATOM_WORDSIZE: return sizeof(Word);
    case ATOM_COMPAT_REL: return 25;
    default: return -1;
    }
}

/* What is text; NULL: the item is none. */
static const char *sysinfo_text(AtomName item)
{
    switch (item) {
    case ATOM_OTP_RELEASE: return "25";
    case ATOM_VERSION: return CONFIG_VERSION;
    case ATOM_MACHINE: return "MOTE";
    case ATOM_SYSTEM_VERSION: return "Mote " CONFIG_VERSION "\n";
    case ATOM_SYSTEM_ARCHITECTURE: return SYSINFO_ARCHITECTURE;
    case ATOM_DRIVER_VERSION:
    case ATOM_NIF_VERSION: return "0.0";
    default: return NULL;
    }
}

/* What is an atom or nil; TERM_NONE: the item is none. */
static Term sysinfo_atom(AtomName item)
{
    switch (item) {
    case ATOM_ENDIAN: return TERM_ATOM(LITTLE);
    case ATOM_SMP_SUPPORT:
    case ATOM_THREADS:
    case ATOM_TIME_CORRECTION:
    case ATOM_KERNEL_POLL: return TERM_TRUE;
    case ATOM_DEBUG_COMPILED: return term_bool(CONFIG_DEBUG);
    case ATOM_BUILD_TYPE:
    case ATOM_EMU_TYPE: return CONFIG_DEBUG ? TERM_ATOM(DEBUG) : TERM_ATOM(OPT);
    case ATOM_EMU_FLAVOR: return TERM_ATOM(EMU);
    case ATOM_TIME_WARP_MODE: return TERM_ATOM(NO_TIME_WARP);
    case ATOM_MULTI_SCHEDULING:
    case ATOM_TOLERANT_TIMEOFDAY: return TERM_ATOM(ENABLED);
    case ATOM_HEAP_TYPE: return TERM_ATOM(PRIVATE);
    case ATOM_MESSAGE_QUEUE_DATA: return TERM_ATOM(OFF_HEAP);
    case ATOM_SCHEDULER_BIND_TYPE: return TERM_ATOM(UNBOUND);
    case ATOM_CPU_TOPOLOGY:
    case ATOM_MODIFIED_TIMING_LEVEL: return TERM_ATOM(UNDEFINED);
    case ATOM_DIST_CTRL:
    case ATOM_MULTI_SCHEDULING_BLOCKERS: return TERM_NIL;
    default: return TERM_NONE;
    }
}

static Term sysinfo_max_heap(Process *p)
{
    Term pairs[] = {TERM_ATOM(SIZE), small_from(0),           TERM_ATOM(KILL),
                    TERM_TRUE,       TERM_ATOM(ERROR_LOGGER), TERM_TRUE};
    return map_from_pairs(&p->heap, p->run->atoms, pairs, 3);
}

/* What is made of parts; TERM_NIL: the item is none; TERM_NONE: no memory. */
static Term sysinfo_built(Process *p, AtomName item)
{
    switch (item) {
    case ATOM_OS_TYPE: return sysinfo_pair(p, ATOM_UNIX, TERM_ATOM(LINUX));
    case ATOM_FULLSWEEP_AFTER: return sysinfo_pair(p, ATOM_FULLSWEEP_AFTER, small_from(65535));
    case ATOM_MIN_HEAP_SIZE:
        return sysinfo_pair(p, ATOM_MIN_HEAP_SIZE, small_from(PROCESS_FIRST_WORDS));
    case ATOM_MIN_BIN_VHEAP_SIZE:
        return sysinfo_pair(p, ATOM_MIN_BIN_VHEAP_SIZE, small_from(0));
    case ATOM_MAX_HEAP_SIZE: return sysinfo_max_heap(p);
    case ATOM_START_TIME: return heap_int64(&p->heap, (int64_t)p->run->worker->sched->start_ns);
    default: return TERM_NIL;
    }
}

BifResult bif_system_info(Process *p)
{
    Term item = arg(p, 0);
    if (!term_is_atom(item)) {
        bool words =
            term_is_tuple_of(item, 2) && term_same(tuple_at(item, 0), TERM_ATOM(WORDSIZE));
        return words ? small_from(sizeof(Word)) : raise_badarg(p);
    }
    AtomName name = atom_of(item);
    int64_t number = sysinfo_number(p, name);
    if (number >= 0) return small_from(number);
    const char *text = sysinfo_text(name);
    Term t = text != NULL ? list_from_text(&p->heap, text) : sysinfo_atom(name);
    if (text == NULL && term_is_none(t)) {
        t = sysinfo_built(p, name);
        if (term_is_nil(t)) return raise_badarg(p);
    }
    return term_is_none(t) ? raise_system_limit(p) : t;
}
