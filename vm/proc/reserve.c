#include "vm/proc/reserve.h"

#include "vm/format/opcodes.h"
#include "vm/gc/evac.h"
#include "vm/proc/dict.h"
#include "vm/proc/extra.h"
#include "vm/proc/frame.h"

uint32_t reserve_extent_slow(Process *p, const uint8_t *pc)
{
    RunContext *run = p->run;
    CodePlace place;
    bool found = code_place(run->code, (const Half *)(const void *)pc, &place);
    CHECK(found);
    run->extent_from = place.version->code + 2 * (size_t)place.function->start;
    run->extent_to = place.version->code + 2 * (size_t)place.function->end;
    run->extent = place.function->extent;
    return run->extent;
}

/* ---- which registers of a frame are live ---- */

typedef struct Liveness {
    LiveMap live;        /* map, window: registers below window - 1 are described */
    const uint8_t *bits; /* for LIVE_FLAG_BIG_MAP */
    uint32_t all_below;  /* these are live without looking at a map */
    uint32_t also;       /* one more register that is live, plus one */
} Liveness;

static const uint8_t *liveness_big_map(const Process *p, LiveMap live, const uint8_t *inside)
{
    if ((live.flags & LIVE_FLAG_BIG_MAP) == 0) return NULL;
    CodePlace place;
    bool found = code_place(p->run->code, (const Half *)(const void *)inside, &place);
    CHECK(found);
    return place.version->maps[live.map];
}

static Liveness liveness_at(const Process *p, const uint8_t *descriptor)
{
    Liveness l = {.live = operand_live(descriptor)};
    l.bits = liveness_big_map(p, l.live, descriptor - 4);
    return l;
}

/* Where the process stands at an instruction that may be run (again) after a collection. */
static Liveness liveness_by_pc(const Process *p)
{
    const uint8_t *pc = (const uint8_t *)p->pc;
    switch ((Opcode)*p->pc) {
    case OP_ENTER: return (Liveness){.all_below = operand_u16(pc + OPOFF_ENTER_1)};
    case OP_RETURN: {
        uint32_t src = (uint32_t)(-1 - operand_i16(pc + OPOFF_RETURN_1));
        Liveness l = {.live = {.window = (uint16_t)(src + 2)}};
        if (src < LIMIT_INLINE_MAP)
            l.live.map = (uint32_t)1 << src;
        else
            l.live.flags = LIVE_FLAG_BIG_MAP; /* without bits: the highest register alone */
        return l;
    }
    case OP_BIF_STUB: return (Liveness){.all_below = operand_u16(pc + OPOFF_BIF_STUB_1)};
    case OP_RESERVE: return liveness_at(p, pc + OPOFF_RESERVE_1);
    case OP_RETURN_CONS: return liveness_at(p, pc + OPOFF_RETURN_CONS_4);
    case OP_LOOP: return liveness_at(p, pc + OPOFF_LOOP_2);
    case OP_RECV_NEXT: return liveness_at(p, pc + OPOFF_RECV_NEXT_2);
    case OP_RECV_WAIT: return liveness_at(p, pc + OPOFF_RECV_WAIT_2);
    case OP_RECV_WAIT_FOR: {
        /* It is run again when it wakes, and reads its time again. */
        Liveness l = liveness_at(p, pc + OPOFF_RECV_WAIT_FOR_3);
        l.also = (uint32_t)-operand_i16(pc + OPOFF_RECV_WAIT_FOR_1);
        return l;
    }
    case OP_SEND:
    case OP_APPLY_FUN: return (Liveness){.all_below = 2};
    case OP_APPLY:
    case OP_HIBERNATE: return (Liveness){.all_below = 3};
    case OP_UNDEFINED: {
        const Export *e = (const Export *)(const void *)(pc - offsetof(Export, undefined_code));
        return (Liveness){.all_below = e->key.arity};
    }
    case OP_FUN_GONE: {
        const FunEntry *e =
            (const FunEntry *)(const void *)(pc - offsetof(FunEntry, gone_code));
        return (Liveness){.all_below = e->key.arity + 1};
    }
    default: return (Liveness){0};
    }
}

static uint32_t liveness_registers(const Liveness *l)
{
    if (l->all_below > 0 || l->live.window == 0) return l->all_below;
    return l->live.window - 1u > l->also ? l->live.window - 1u : l->also;
}

static bool liveness_has(const Liveness *l, uint32_t r)
{
    if (l->all_below > 0) return r < l->all_below;
    if (r + 1 == l->also) return true;
    if (r + 1u >= l->live.window) return false;
    if ((l->live.flags & LIVE_FLAG_BIG_MAP) == 0)
        return r < LIMIT_INLINE_MAP && (l->live.map >> r & 1) != 0;
    if (l->bits == NULL) return r + 2 == l->live.window;
    return (l->bits[r / 8] >> (r % 8) & 1) != 0;
}

static void liveness_visit(const Liveness *l, Word *fp, ReserveVisit *visit, void *context)
{
    uint32_t n = liveness_registers(l);
    for (uint32_t r = 0; r < n; r++) {
        Word *slot = &fp[-1 - (ptrdiff_t)r];
        if (liveness_has(l, r))
            visit(context, slot);
        else if (CONFIG_DEBUG)
            *slot = TERM_POISON.w;
    }
}

/* A frame with an inline map, as nearly all are: goes from one live register to the next. False:
 * it has another. */
static ALWAYS_INLINE bool liveness_visit_map(const uint8_t *descriptor, Word *fp,
                                             ReserveVisit *visit, void *context)
{
    LiveMap live = operand_live(descriptor);
    if ((live.flags & LIVE_FLAG_BIG_MAP) != 0) return false;
    for (uint32_t map = live.map; map != 0; map &= map - 1)
        visit(context, &fp[-1 - __builtin_ctz(map)]);
    return true;
}

static Liveness liveness_newest(const Process *p, int live_count)
{
    if (live_count == RESERVE_BY_PC) return liveness_by_pc(p);
    return (Liveness){.all_below = (uint32_t)live_count};
}

static ALWAYS_INLINE void reserve_walk(Process *p, int live_count, ReserveVisit *visit,
                                       void *context)
{
    Word *fp = p->fp;
    const Word *base = p->block + p->block_words - 1;
    Liveness newest = liveness_newest(p, live_count);
    liveness_visit(&newest, fp, visit, context);
    while (fp < base) {
        const uint8_t *descriptor = frame_descriptor(fp[0]);
        fp += frame_window(fp[0]);
        if (!CONFIG_DEBUG && liveness_visit_map(descriptor, fp, visit, context)) continue;
        Liveness l = liveness_at(p, descriptor);
        liveness_visit(&l, fp, visit, context);
    }
    ASSERT(fp == base);
}

void reserve_visit_stack(Process *p, int live_count, ReserveVisit *visit, void *context)
{
    reserve_walk(p, live_count, visit, context);
}

/* ---- collecting ---- */

typedef struct ReserveRoots {
    Process *p;
    GcSpace *space; /* where block and stack are by now: a collection may take two passes */
    size_t registers;
    int live_count;
} ReserveRoots;

static void reserve_take_over(const ReserveRoots *roots)
{
    Process *p = roots->p;
    p->block = roots->space->block;
    p->block_words = (uint32_t)roots->space->block_words;
    p->high_water = (uint32_t)roots->space->high_water;
    p->fp = roots->space->stack_low + roots->registers;
}

static void reserve_evac_slot(void *context, Word *slot) { evac_slot(context, slot); }

static void reserve_scan_roots(Evac *e, void *owner)
{
    ReserveRoots *roots = owner;
    Process *p = roots->p;
    reserve_take_over(roots);
    reserve_walk(p, roots->live_count, reserve_evac_slot, e);
    evac_slot(e, &p->group_leader.w);
    evac_slot(e, &p->parent.w);
    if (p->extra == NULL) return;
    evac_slot(e, &p->extra->label.w);
    size_t n;
    Term *terms = dict_roots(p, &n);
    for (size_t i = 0; i < n; i++) evac_slot(e, &terms[i].w);
}

static bool reserve_wants_full(const ProcessExtra *x, bool full)
{
    return full || (x != NULL && x->minor_collections >= x->fullsweep_after);
}

static ReserveResult reserve_killed(Process *p, Term reason)
{
    p->run->exc_class = TERM_ATOM(EXIT);
    p->run->exc_reason = reason;
    return RESERVE_KILLED;
}

/* Words that a stress build collects and audits at every safepoint; a larger heap waits its
 * turn. */
#define RESERVE_STRESS_WORDS 256

bool reserve_stress_skips(Process *p, size_t need)
{
    if (!CONFIG_STRESS || p->fp - p->heap.top < (ptrdiff_t)need) return false;
    const OldGeneration *old = p->extra == NULL ? NULL : &p->extra->old;
    size_t used = (size_t)(p->heap.top - p->block) + p->heap.fragment_words
                  + (size_t)(p->block + p->block_words - p->fp);
    if (old != NULL) used += (size_t)(old->top - old->start);
    return p->run->stress_tick++ % (1 + used / RESERVE_STRESS_WORDS) != 0;
}

/* The frame itself, and what its caller may use when it returns, whatever else was asked for. */
static size_t reserve_least(const Process *p, size_t registers)
{
    CodePlace place;
    if (code_place(p->run->code, (const Half *)(const void *)p->pc, &place)
        && place.function->extent > registers)
        registers = place.function->extent;
    return registers + LIMIT_CALL_GAP;
}

/* Who collects this often in one slice makes much garbage, and with so many words more room each
 * collection's fixed cost is small beside what it makes room for. */
#define RESERVE_BUSY      4
#define RESERVE_BUSY_ROOM 512

static bool reserve_is_busy(const Process *p)
{
    bool limited = p->extra != NULL && p->extra->max_heap.words != 0;
    return ++p->run->collections > RESERVE_BUSY && !limited && !CONFIG_STRESS;
}

ReserveResult reserve_collect(Process *p, size_t need, int live_count, bool full)
{
    ASSERT(!pause_is_held(p));
    if (p->high_water > 0) (void)extra_get(p);
    ProcessExtra *x = p->extra;
    Liveness l = liveness_newest(p, live_count);
    size_t registers = liveness_registers(&l);
    size_t least = reserve_least(p, registers);
    if (need < least) need = least;
    if (reserve_is_busy(p) && need < RESERVE_BUSY_ROOM) need = RESERVE_BUSY_ROOM;
    ReserveRoots roots = {.p = p, .registers = registers, .live_count = live_count};
    GcSpace space = {
        .heap = &p->heap,
        .block = p->block,
        .block_words = p->block_words,
        .high_water = p->high_water,
        .stack_low = p->fp - registers,
        .old = x == NULL ? NULL : &x->old,
        .literals = p->run->literals,
        .mem = p->run->mem,
        .scan_roots = reserve_scan_roots,
        .owner = &roots,
        .limit_words = x == NULL ? 0 : x->max_heap.words,
    };
    roots.space = &space;
    GcReport report;
    GcResult result = gc_collect(&space, need, reserve_wants_full(x, full), &report);
    reserve_take_over(&roots);
    if (x != NULL) {
        x->collections++;
        x->minor_collections = report.full ? 0 : x->minor_collections + 1;
    }
    RunContext *run = p->run;
    if (result == GC_NO_MEMORY) {
        if (run->heap_full != NULL) run->heap_full(run, p, true);
        return reserve_killed(p, TERM_ATOM(SYSTEM_LIMIT));
    }
    if (result == GC_OVER_LIMIT && x != NULL && x->max_heap.report && run->heap_full != NULL)
        run->heap_full(run, p, false);
    if (result == GC_OVER_LIMIT && x != NULL && x->max_heap.kill)
        return reserve_killed(p, TERM_ATOM(KILLED));
    return RESERVE_DONE;
}
