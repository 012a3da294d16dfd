/*
 * Room on a process's block: the frame's extent, what is live where the process stands, collecting.
 *
 * Only the owner of the process calls this.  Collecting moves every term of the process; it
 * happens at safepoints only (machine.md 2), which are the instructions frame_live knows.
 */
#pragma once

#include "vm/code/operands.h"
#include "vm/gc/gc.h"
#include "vm/proc/pause.h"

/* Registers of the frame whose code holds `pc`; looks it up and keeps the answer in p->run. */
uint32_t reserve_extent_slow(Process *p, const uint8_t *pc);

static inline ptrdiff_t reserve_extent(Process *p, const Word *fp, const uint8_t *pc)
{
    (void)fp;
    const RunContext *run = p->run;
    const Half *at = (const Half *)(const void *)pc;
    if (LIKELY(at >= run->extent_from && at < run->extent_to)) return (ptrdiff_t)run->extent;
    return (ptrdiff_t)reserve_extent_slow(p, pc);
}

/* Lets heap_alloc use the block up to the frame at p->fp, p->pc, less the slack that was promised
 * (docs/design/bytecode.md, Room). */
static inline void reserve_set_limit(Process *p)
{
    p->heap.limit =
        p->fp - reserve_extent(p, p->fp, (const uint8_t *)p->pc) - LIMIT_BLOCK_SLACK;
}
/* Everything goes to fragments: for places whose frame's extent is not known. */
static inline void reserve_no_area(Process *p) { p->heap.limit = p->heap.top; }

typedef enum ReserveResult {
    RESERVE_DONE,
    RESERVE_KILLED, /* over max_heap_size, or no memory: run->exc_reason is the exit reason */
} ReserveResult;

/* The registers below `count` of the newest frame are live (function entry, stubs); or, with
 * count < 0, what the instruction at p->pc says. */
#define RESERVE_BY_PC (-1)

/* Collects so that `need` words, the frame included, are free below p->fp. */
MUST_USE ReserveResult reserve_collect(Process *p, size_t need, int live_count, bool full);

/* Stress builds come to a safepoint's slow path every time; `need` words are there, and the
 * memory is so large that it should be collected only every so often. */
bool reserve_stress_skips(Process *p, size_t need);

/* Something made fragments or a lot of binary data: collect at the next charge point.  Not while
 * an instruction is half-way: what it holds must lie still (pause.h). */
static inline bool reserve_is_wanted(const Process *p)
{
    return UNLIKELY(p->heap.fragment_words > p->block_words / 2
                    || p->heap.handle_bytes > ((uint64_t)4 << 20))
           && !pause_is_held(p);
}
static inline void reserve_soon(Process *p)
{
    RunContext *run = p->run;
    if (run->reductions > 0) {
        run->reductions_held += run->reductions;
        run->reductions = 0;
    }
}

/* Visits the live slots of every frame of p. `visit` gets the address of each slot. */
typedef void ReserveVisit(void *context, Word *slot);
void reserve_visit_stack(Process *p, int live_count, ReserveVisit *visit, void *context);
