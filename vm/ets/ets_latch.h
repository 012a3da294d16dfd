/*
 * A lock for a few instructions: one word, taken by an exchange.
 *
 * Who holds it never pauses, blocks or takes another lock, so who waits turns round, then gives
 * way, as the holder's thread may not be running, and at last sleeps.  tsan sees it through its
 * atomics.  Design page: docs/design/ets.md.
 */
#pragma once

#include "vm/base/atomic.h"

typedef struct EtsLatch {
    AtomicU32 held;
} EtsLatch;

/* Waits after `turns` tries. */
void ets_latch_wait(unsigned turns);

static inline void ets_latch_take(EtsLatch *l)
{
    /* Pairs with the release of ets_latch_drop. */
    for (unsigned turns = 0; UNLIKELY(atomic_swap_acquire(&l->held, 1) != 0);)
        while (atomic_load_relaxed(&l->held) != 0) ets_latch_wait(turns++);
}
static inline void ets_latch_drop(EtsLatch *l) { atomic_store_release(&l->held, 0); }
