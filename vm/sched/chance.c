#include "vm/sched/chance.h"

#include "vm/base/panic.h"

/* What a reduction lasts in virtual time, and what a switch adds. */
#define CHANCE_REDUCTION_NS 10
#define CHANCE_SWITCH_NS    200

/* 2020-01-01 00:00:00 UTC: where seeded runs begin. */
#define CHANCE_WALL_START_NS UINT64_C(1577836800000000000)

void chance_init(Chance *c, int64_t seed)
{
    c->seeded = seed >= 0;
    c->seed = seed >= 0 ? (uint64_t)seed : 0;
    c->hash = UINT64_C(0xcbf29ce484222325);
    c->events = 0;
    rng_seed(&c->rng, c->seed);
    if (c->seeded)
        clock_init_virtual(&c->clock, CHANCE_WALL_START_NS);
    else
        clock_init(&c->clock);
}

void chance_note_slow(Chance *c, ChanceEvent event, uint64_t a, uint64_t b)
{
    uint64_t words[3] = {(uint64_t)event, a, b};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        c->hash ^= words[i];
        c->hash *= UINT64_C(0x9fb21c651e98df25);
        c->hash ^= c->hash >> 32;
    }
    c->events++;
}

uint64_t chance_pick(Chance *c, uint64_t n)
{
    ASSERT(c->seeded);
    return n <= 1 ? 0 : rng_below(&c->rng, n);
}

/* Mostly short, so that a run of little work sees many switches; now and then a long one. */
int64_t chance_slice(Chance *c)
{
    uint64_t kind = chance_pick(c, 8);
    uint64_t most = kind == 0 ? 4000 : kind < 4 ? 400 : 60;
    return 1 + (int64_t)chance_pick(c, most);
}

void chance_spend(Chance *c, uint64_t reductions)
{
    clock_advance(&c->clock, reductions * CHANCE_REDUCTION_NS + CHANCE_SWITCH_NS);
}

void chance_bytes(Chance *c, void *to, size_t count)
{
    if (!c->seeded && rng_system_bytes(to, count)) return;
    uint8_t *at = to;
    for (size_t i = 0; i < count; i++) at[i] = (uint8_t)rng_next(&c->rng);
}
