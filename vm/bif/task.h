/*
 * Long work of built-ins in slices, with what it remembers outside the heap (vm/proc/pause.h).
 *
 * A task is a struct that begins with a Pause.  It starts on the C stack and costs nothing if the
 * work is short; when the slice is spent, task_keep moves it into memory of its own, which hangs
 * from the process, and the built-in yields.  Run again, it finds its task with the same arguments
 * and an unmoved heap, so a task may hold terms and pointers into the heap.
 *
 *     SumTask here;
 *     SumTask *s = (SumTask *)pause_find(p, sum_release);
 *     if (s == NULL) { check the arguments; s = &here; begin }
 *     if (!sum_step(s, p)) { s = task_keep(p, s, sizeof *s, sum_release); return bif_yield(p); }
 *     result = ...;
 *     task_end(p, &s->pause, sum_release);
 *
 * The release function frees what the task has, and the struct by task_free.
 */
#pragma once

#include "vm/bif/bif.h"
#include "vm/proc/pause.h"
#include "vm/sched/offload.h"

#include <string.h>

/* The task as it is to be found in the next slice: `task` itself if that is kept already.  What
 * points into the struct is the caller's to set right (walk_moved). */
static inline void *task_keep(Process *p, void *task, size_t bytes, PauseRelease *release)
{
    if (pause_is_held(p)) return task;
    Pause *kept = pause_new(p, bytes, release);
    memcpy(kept + 1, (Pause *)task + 1, bytes - sizeof(Pause));
    return kept;
}

/* Frees the struct, unless it is on the C stack and p is NULL: at the end of a release
 * function. */
static inline void task_free(Pause *task, size_t bytes, Process *p)
{
    if (p != NULL) mem_free(p->heap.mem, MEM_WORK, task, bytes);
}

/* The work is done or has failed, wherever its task is. */
static inline void task_end(Process *p, Pause *task, PauseRelease *release)
{
    if (pause_is_held(p))
        pause_end(p);
    else
        release(task, NULL);
}

/* Units of work that the slice still allows, when one reduction pays for `rate` of them; a few at
 * least, so that every slice gets on. */
#define TASK_LEAST 64
static inline size_t task_budget(const Process *p, size_t rate)
{
    int64_t left = p->run->reductions;
    size_t units = left > 0 ? (size_t)left * rate : 0;
    return units > TASK_LEAST ? units : TASK_LEAST;
}
/* Elements and bytes / 64 of iolists that a reduction pays for. */
#define TASK_IOLIST_RATE 3
/* Charges for what was used of such a budget. */
static inline void task_charge(Process *p, size_t budget, size_t left, size_t rate)
{
    bif_charge(p, (int64_t)((budget - left) / rate));
}

/* What cannot stop half-way, on the blocking pool: begins it, or goes on.  `run` leaves a result,
 * or none and why: TASK_BADARG, or no room. */
enum { TASK_NO_ROOM, TASK_BADARG };
static inline bool task_is_pooled(Process *p) { return offload_find(p) != NULL; }
BifResult task_pool(Process *p, OffloadRun *run, const Term *in, size_t n, int64_t number);

/* Has the list more cells than so many? */
bool task_list_is_longer(Term list, size_t most);

/* The bytes of a binary argument, on byte borders. */
typedef struct TaskBytes {
    const uint8_t *at;
    size_t n;
    uint8_t *scratch; /* a copy, whose owner is the caller; or NULL: they stand so already */
} TaskBytes;
/* TERM_NIL: they are there.  TERM_YIELD: a large copy is half-way, and nothing else of the built-in
 * has begun.  TERM_NONE: system_limit was raised. */
Term task_align(Process *p, Term t, TaskBytes *bytes);
void task_free_scratch(Mem *mem, uint8_t *scratch, size_t n);
