/*
 * An instruction or a built-in that stops half-way and is run again in its process's next slice.
 *
 * What it has done so far is a record outside the heap, hung from the process: at most one, as a
 * process stands at one instruction.  The instruction finds it again by the function that frees it,
 * which no two kinds of work share.  Registers and arguments stay as they were.
 *
 * The record may hold addresses inside the process's heap, stack excepted.  So while there is one
 * nothing collects (machine.md 2): reserve_is_wanted says no, requests to collect wait.  It goes
 * when the work is done or has failed, when its process begins to die, and with the process.
 * The owner alone.  Design page: docs/design/slices.md.
 */
#pragma once

#include "vm/proc/extra.h"

/* First member of every such record. */
typedef struct Pause Pause;
/* Frees the record with all that is half done. */
typedef void PauseRelease(Pause *pause, Process *p);
struct Pause {
    PauseRelease *release;
};

/* A new record of `bytes`, all zero but its head, hung from p, which has none. */
Pause *pause_new(Process *p, size_t bytes, PauseRelease *release);
/* The same with a record that the caller has made. */
void pause_hang(Process *p, Pause *pause);
void pause_hang_answer(Process *p, Pause *pause);
/* Frees p's record, if there is one. */
void pause_end(Process *p);
/* Likewise for an answer to a signal, which p gives before it runs on (vm/actor/arrival.c): it may
 * come while an instruction is half-way. */
Pause *pause_new_answer(Process *p, size_t bytes, PauseRelease *release);
void pause_end_answer(Process *p);
/* p begins to die: both. */
void pause_end_all(Process *p);

static inline bool pause_is_held(const Process *p)
{
    return p->extra != NULL && p->extra->pause != NULL;
}
/* What the same kind of work left, or NULL. */
static inline Pause *pause_find(const Process *p, PauseRelease *release)
{
    if (LIKELY(!pause_is_held(p))) return NULL;
    return p->extra->pause->release == release ? p->extra->pause : NULL;
}

/* Steps of a walk over terms (words copied, terms compared) that one reduction pays for. */
#define PAUSE_STEPS 4

/* Steps that the slice still allows; never none, so that every slice gets on. */
static inline size_t pause_budget(const Process *p)
{
    int64_t left = p->run->reductions;
    return (size_t)(left > 1 ? left : 1) * PAUSE_STEPS;
}
/* Charges for what was used of such a budget. */
static inline void pause_charge(Process *p, size_t budget, size_t left)
{
    p->run->reductions -= (int64_t)((budget - left) / PAUSE_STEPS);
}
