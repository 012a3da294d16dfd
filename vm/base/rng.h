/* A seeded generator (xoshiro256**, seeded through splitmix64).  Its state is the struct: the same
 * seed gives the same numbers everywhere.  One thread at a time.  Not for secrets. */
#pragma once

#include "vm/base/config.h"

typedef struct Rng {
    uint64_t s[4];
} Rng;

void rng_seed(Rng *r, uint64_t seed);
/* Another generator that shares no sequence with this one; advances this one. */
Rng rng_split(Rng *r);
uint64_t rng_next(Rng *r);
/* Uniform in 0 … n-1; n > 0. */
uint64_t rng_below(Rng *r, uint64_t n);
/* Uniform in [0, 1). */
double rng_double(Rng *r);

/* One step of splitmix64 on `*state`. */
uint64_t rng_splitmix(uint64_t *state);

/* Bytes from the system, fit for secrets; false if it has none. */
MUST_USE bool rng_system_bytes(void *to, size_t count);
