/*
 * Look-ups in maps and the like on a process's behalf, whatever the size of a key (vm/term/keys.h).
 *
 *     Keys here;
 *     Keys *k = keyed_begin(p, &here);
 *     if (k == NULL) return TERM_YIELD;           the slice is over: run again, with the same terms
 *     value = map_get_by(k, map, key);
 *     if (k->more) return keyed_yield(p, k);      likewise
 *     keyed_end(p, k);
 *
 * What takes long is studied in slices, by a record of the process (pause.h); nothing collects
 * until keyed_end.  The owner alone.
 */
#pragma once

#include "vm/proc/pause.h"
#include "vm/term/keys.h"

Keys *keyed_begin_again(Process *p, Keys *here);
/* `here`, ready for a first try; or the keys of the study that p is at, which goes on first. */
static inline Keys *keyed_begin(Process *p, Keys *here)
{
    if (UNLIKELY(pause_is_held(p))) return keyed_begin_again(p, here);
    keys_init(here, p->run->atoms, KEYS_QUICK);
    return here;
}

/* The question that `k` has is to be studied. */
Term keyed_yield(Process *p, const Keys *k);

void keyed_end_study(Process *p);
/* The look-up is done: charges for it. */
static inline void keyed_end(Process *p, const Keys *k)
{
    p->run->reductions -= (int64_t)((KEYS_QUICK - k->budget) / PAUSE_STEPS);
    if (UNLIKELY(k->known != NULL)) keyed_end_study(p);
}
