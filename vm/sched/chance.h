/*
 * The one door for chance: time, random numbers, new references, who runs next and for how
 * long.
 *
 * Normally it leads to the system.  With a seed everything behind it follows from the seed:
 * time is virtual, one thread does all the work, and each event is folded into a hash, so that
 * two runs can be compared event for event.  One Chance per VM; the seeded one is used by the
 * one worker thread. Design page: docs/design/determinism.md.
 */
#pragma once

#include "vm/base/clock.h"
#include "vm/base/rng.h"
#include "vm/term/term.h"

typedef enum ChanceEvent {
    CHANCE_SWITCH = 1, /* pid, slice */
    CHANCE_STOP,       /* pid, reductions used */
    CHANCE_SIGNAL,     /* pid of the receiver, kind */
    CHANCE_TIMER,      /* pid, due */
    CHANCE_JOB,        /* number of the job, 0 */
    CHANCE_SPAWN,      /* new pid, parent */
    CHANCE_EXIT        /* pid, 0 */
} ChanceEvent;

typedef struct Chance {
    bool seeded;
    uint64_t seed;
    Rng rng;
    Clock clock;
    uint64_t hash;   /* of all events so far; seeded only */
    uint64_t events; /* how many */
} Chance;

/* seed < 0: the system's chance. */
void chance_init(Chance *c, int64_t seed);

static inline bool chance_seeded(const Chance *c) { return c->seeded; }
static inline uint64_t chance_now_ns(const Chance *c) { return clock_monotonic_ns(&c->clock); }
static inline uint64_t chance_wall_ns(const Chance *c) { return clock_wall_ns(&c->clock); }

/* Folds an event into the hash; nothing to do without a seed. */
void chance_note_slow(Chance *c, ChanceEvent event, uint64_t a, uint64_t b);
static inline void chance_note(Chance *c, ChanceEvent event, uint64_t a, uint64_t b)
{
    if (UNLIKELY(c->seeded)) chance_note_slow(c, event, a, b);
}
/* Seeded only: 0 ... n-1, and the length of the next slice in reductions. */
uint64_t chance_pick(Chance *c, uint64_t n);
int64_t chance_slice(Chance *c);
/* Seeded only: virtual time passes as `reductions` are spent. */
void chance_spend(Chance *c, uint64_t reductions);
/* Random bytes: from the system, or from the seed. */
void chance_bytes(Chance *c, void *to, size_t count);
