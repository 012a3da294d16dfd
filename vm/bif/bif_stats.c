/* statistics/1: what the machine has done so far. */
#include "vm/bif/bif.h"

#include "vm/sched/sched.h"
#include "vm/term/atom.h"

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
    for (unsigned i = 0; i < s->worker_count; i++) sum += runq_length(&s->workers[i]->queue);
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
    case ATOM_RUNTIME: return stats_since(p, &s->last_runtime, stats_runtime(p));
    case ATOM_WALL_CLOCK: return stats_since(p, &s->last_wall, stats_wall(p));
    case ATOM_RUN_QUEUE:
    case ATOM_TOTAL_RUN_QUEUE_LENGTHS: return small_from(stats_queued(p));
    case ATOM_CONTEXT_SWITCHES: return stats_pair(p, (int64_t)stats_switches(p), 0);
    case ATOM_GARBAGE_COLLECTION: {
        Term t = heap_tuple3(&p->heap, small_from(0), small_from(0), small_from(0));
        return term_is_none(t) ? raise_system_limit(p) : t;
    }
    case ATOM_IO: return stats_io(p);
    default: return raise_badarg(p);
    }
}
