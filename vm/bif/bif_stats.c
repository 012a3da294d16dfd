/* statistics/1, memory/0,1, system_info/1: what the machine tells about itself. */
#include "vm/bif/bif.h"

#include "vm/base/mem.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"

static Sched *stats_sched(const Process *p) { return p->run->worker->sched; }

static Term stats_pair(Process *p, int64_t a, int64_t b)
{
    Term first = heap_int64(&p->heap, a);
    Term second = heap_int64(&p->heap, b);
    if (term_is_none(first) || term_is_none(second)) return raise_system_limit(p);
    Term pair = heap_tuple2(&p->heap, first, second);
    return term_is_none(pair) ? raise_system_limit(p) : pair;
}

/* {Total, Since the last call} */
static Term stats_since(Process *p, AtomicI64 *last, int64_t now)
{
    return stats_pair(p, now, now - atomic_swap_relaxed(last, now));
}

/* Other workers' counters are read as they stand: a sum taken on the way. */
static uint64_t stats_reductions(const Process *p)
{
    const Sched *s = stats_sched(p);
    uint64_t sum = (uint64_t)(p->run->slice - p->run->reductions - p->run->reductions_held);
    for (unsigned i = 0; i < s->worker_count; i++)
        sum += atomic_load_relaxed(&s->workers[i]->reductions);
    return sum;
}

static uint64_t stats_switches(const Process *p)
{
    const Sched *s = stats_sched(p);
    uint64_t sum = 0;
    for (unsigned i = 0; i < s->worker_count; i++)
        sum += atomic_load_relaxed(&s->workers[i]->switches);
    return sum;
}

static int64_t stats_queued(const Process *p)
{
    const Sched *s = stats_sched(p);
    size_t sum = 0;
    for (unsigned i = 0; i < s->worker_count; i++)
        sum += runq_length(&s->workers[i]->queue);
    return (int64_t)sum;
}

/* Processor time in ms; under a seed, virtual time. */
static int64_t stats_runtime(const Process *p)
{
    const Chance *c = &stats_sched(p)->chance;
    uint64_t ns = chance_seeded(c) ? chance_now_ns(c) : clock_system_cpu_ns();
    return (int64_t)(ns / 1000000);
}

static int64_t stats_wall(const Process *p)
{
    const Sched *s = stats_sched(p);
    return (int64_t)((chance_now_ns(&s->chance) - s->start_ns) / 1000000);
}

static BifResult stats_io(Process *p)
{
    Term in = heap_tuple2(&p->heap, TERM_ATOM(INPUT), small_from(0));
    Term out = heap_tuple2(&p->heap, TERM_ATOM(OUTPUT), small_from(0));
    if (term_is_none(in) || term_is_none(out)) return raise_system_limit(p);
    Term pair = heap_tuple2(&p->heap, in, out);
    return term_is_none(pair) ? raise_system_limit(p) : pair;
}

BifResult bif_statistics(Process *p)
{
    Sched *s = stats_sched(p);
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    switch ((int)atom_of(arg(p, 0))) {
    case ATOM_REDUCTIONS:
    case ATOM_EXACT_REDUCTIONS:
        return stats_since(p, &s->last_reductions, (int64_t)stats_reductions(p));
    case ATOM_RUNTIME:
        return stats_since(p, &s->last_runtime, stats_runtime(p));
    case ATOM_WALL_CLOCK:
        return stats_since(p, &s->last_wall, stats_wall(p));
    case ATOM_RUN_QUEUE:
    case ATOM_TOTAL_RUN_QUEUE_LENGTHS:
        return small_from(stats_queued(p));
    case ATOM_CONTEXT_SWITCHES:
        return stats_pair(p, (int64_t)stats_switches(p), 0);
    case ATOM_GARBAGE_COLLECTION: {
        Term t = heap_tuple3(&p->heap, small_from(0), small_from(0), small_from(0));
        return term_is_none(t) ? raise_system_limit(p) : t;
    }
    case ATOM_IO:
        return stats_io(p);
    default:
        return raise_badarg(p);
    }
}

/* ---- memory/0,1 ---- */

/* Bytes of a kind of memory, or -1. */
static int64_t stats_memory(const Process *p, AtomName what)
{
    const Mem *m = p->run->mem;
    int64_t processes = (int64_t)(mem_used(m, MEM_HEAP) + mem_used(m, MEM_PROCESS) + mem_used(m, MEM_MESSAGE));
    switch ((int)what) {
    case ATOM_TOTAL:
        return (int64_t)mem_total(m);
    case ATOM_PROCESSES:
    case ATOM_PROCESSES_USED:
        return processes;
    case ATOM_SYSTEM:
        return (int64_t)mem_total(m) - processes;
    case ATOM_ATOM:
    case ATOM_ATOM_USED:
        return (int64_t)mem_used(m, MEM_ATOM);
    case ATOM_BINARY:
        return (int64_t)mem_used(m, MEM_BINARY);
    case ATOM_CODE:
        return (int64_t)mem_used(m, MEM_CODE);
    case ATOM_ETS:
        return (int64_t)mem_used(m, MEM_TABLE);
    default:
        return -1;
    }
}

BifResult bif_memory_0(Process *p)
{
    static const AtomName items[] = {ATOM_TOTAL,     ATOM_PROCESSES, ATOM_PROCESSES_USED,
                                     ATOM_SYSTEM,    ATOM_ATOM,      ATOM_ATOM_USED,
                                     ATOM_BINARY,    ATOM_CODE,      ATOM_ETS};
    ListBuilder all = list_builder(&p->heap);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_add(&all, heap_tuple2(&p->heap, atom_from(items[i]), small_from(stats_memory(p, items[i]))));
    Term list = list_finish(&all, TERM_NIL);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

/* The sum of a list of kinds, as a list of pairs; or one kind. */
BifResult bif_memory_1(Process *p)
{
    Term what = arg(p, 0);
    if (term_is_atom(what)) {
        int64_t bytes = stats_memory(p, atom_of(what));
        return bytes < 0 ? raise_badarg(p) : small_from(bytes);
    }
    ListBuilder all = list_builder(&p->heap);
    for (; term_is_cons(what); what = list_tail(what)) {
        Term kind = list_head(what);
        int64_t bytes = term_is_atom(kind) ? stats_memory(p, atom_of(kind)) : -1;
        if (bytes < 0) return raise_badarg(p);
        list_add(&all, heap_tuple2(&p->heap, kind, small_from(bytes)));
    }
    if (!term_is_nil(what)) return raise_badarg(p);
    Term list = list_finish(&all, TERM_NIL);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

/* ---- system_info/1 ---- */

static BifResult info_text(Process *p, const char *text)
{
    Term t = list_from_text(&p->heap, text);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

static BifResult info_os_type(Process *p)
{
    Term t = heap_tuple2(&p->heap, TERM_ATOM(UNIX), TERM_ATOM(LINUX));
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* The numbers; -1: no such item. */
static int64_t info_number(const Process *p, AtomName item)
{
    const RunContext *rc = p->run;
    const Sched *s = stats_sched(p);
    switch ((int)item) {
    case ATOM_SCHEDULERS:
    case ATOM_SCHEDULERS_ONLINE:
        return s->worker_count;
    case ATOM_LOGICAL_PROCESSORS:
    case ATOM_LOGICAL_PROCESSORS_ONLINE:
    case ATOM_LOGICAL_PROCESSORS_AVAILABLE:
        return chance_seeded(&s->chance) ? 1 : thread_cores();
    case ATOM_DIRTY_CPU_SCHEDULERS:
    case ATOM_DIRTY_IO_SCHEDULERS:
        return BLOCKING_THREADS;
    case ATOM_PROCESS_COUNT:
        return (int64_t)proctab_count(rc->processes);
    case ATOM_PROCESS_LIMIT:
        return (int64_t)proctab_limit(rc->processes);
    case ATOM_ATOM_COUNT:
        return atom_count(rc->atoms);
    case ATOM_ATOM_LIMIT:
        return rc->atoms->limit;
    case ATOM_WORDSIZE:
        return WORD_BYTES;
    case ATOM_START_TIME:
        return (int64_t)s->start_ns;
    case ATOM_PORT_COUNT:
    case ATOM_ETS_COUNT:
    case ATOM_CREATION:
        return 0;
    default:
        return -1;
    }
}

BifResult bif_system_info(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    switch ((int)atom_of(arg(p, 0))) {
    case ATOM_OTP_RELEASE:
        return info_text(p, "25");
    case ATOM_VERSION:
        return info_text(p, CONFIG_VERSION);
    case ATOM_SYSTEM_VERSION:
        return info_text(p, "Mote " CONFIG_VERSION "\n");
    case ATOM_SYSTEM_ARCHITECTURE:
        return info_text(p, "linux");
    case ATOM_MACHINE:
        return info_text(p, "MOTE");
    case ATOM_THREADS:
    case ATOM_SMP_SUPPORT:
    case ATOM_TIME_CORRECTION:
        return TERM_TRUE;
    case ATOM_ENDIAN:
        return TERM_ATOM(LITTLE);
    case ATOM_OS_TYPE:
        return info_os_type(p);
    case ATOM_TIME_WARP_MODE:
        return TERM_ATOM(NO_TIME_WARP);
    case ATOM_BUILD_TYPE:
        return CONFIG_DEBUG ? TERM_ATOM(DEBUG) : TERM_ATOM(NORMAL);
    default:
        break;
    }
    int64_t n = info_number(p, atom_of(arg(p, 0)));
    return n < 0 ? raise_badarg(p) : small_from(n);
}
