#include "vm/proc/pause.h"

#include "vm/proc/reserve.h"
#include "vm/proc/state.h"

static Pause *pause_make(Process *p, Pause **at, size_t bytes, PauseRelease *release)
{
    ASSERT(*at == NULL);
    Pause *pause = mem_alloc_zero(p->heap.mem, MEM_WORK, bytes);
    pause->release = release;
    *at = pause;
    return pause;
}

void pause_hang(Process *p, Pause *pause)
{
    ASSERT(!pause_is_held(p));
    extra_get(p)->pause = pause;
}

void pause_hang_answer(Process *p, Pause *pause)
{
    ASSERT(p->extra == NULL || p->extra->answer == NULL);
    extra_get(p)->answer = pause;
}

static void pause_release(Process *p, Pause **at)
{
    Pause *pause = *at;
    *at = NULL;
    if (pause != NULL) pause->release(pause, p);
}

Pause *pause_new(Process *p, size_t bytes, PauseRelease *release)
{
    return pause_make(p, &extra_get(p)->pause, bytes, release);
}

void pause_end(Process *p)
{
    if (!pause_is_held(p)) return;
    pause_release(p, &p->extra->pause);
    /* Signals have waited for this: the slice ends at the next charge point. */
    if (p->run != NULL && (atomic_load_relaxed(&p->state) & STATE_LOOK) != 0)
        p->run->reductions = 0;
    /* So has the collector: work whose pauses always end the slice would never let it in. */
    if (p->run != NULL && reserve_is_wanted(p)) reserve_soon(p);
}

Pause *pause_new_answer(Process *p, size_t bytes, PauseRelease *release)
{
    return pause_make(p, &extra_get(p)->answer, bytes, release);
}

void pause_end_answer(Process *p)
{
    if (p->extra != NULL) pause_release(p, &p->extra->answer);
}

void pause_end_all(Process *p)
{
    pause_end(p);
    pause_end_answer(p);
}
