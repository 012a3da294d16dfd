#include "vm/base/rng.h"

#include "vm/base/panic.h"

#include <errno.h>
#include <sys/random.h>

static uint64_t rotate_left(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

uint64_t rng_splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void rng_seed(Rng *r, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) r->s[i] = rng_splitmix(&seed);
}

Rng rng_split(Rng *r)
{
    Rng other;
    rng_seed(&other, rng_next(r));
    return other;
}

uint64_t rng_next(Rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rng_below(Rng *r, uint64_t n)
{
    ASSERT(n > 0);
    /* The low end of the range that would favour small results is drawn again. */
    uint64_t reject = (0 - n) % n;
    uint64_t x = rng_next(r);
    while (x < reject) x = rng_next(r);
    return x % n;
}

double rng_double(Rng *r) { return (double)(rng_next(r) >> 11) * 0x1p-53; }

bool rng_system_bytes(void *to, size_t count)
{
    uint8_t *at = to;
    while (count) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        count -= (size_t)got;
    }
    return true;
}
