#include "vm/base/similar.h"

#include "vm/base/config.h"

/* Words of more bytes are not compared. */
#define WORD_MAX 64

Similar similar_to(const char *word, size_t size)
{
    unsigned steps = size < 3 ? 0 : size < 6 ? 1 : 2;
    return (Similar){word, size, steps + 1};
}

static unsigned char folded(char c)
{
    if (c == '_') return '-';
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Optimal string alignment over three rows of the table. */
static unsigned similar_distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned rows[3][WORD_MAX + 1];
    for (size_t k = 0; k <= m; k++) rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *higher = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= m; k++) {
            bool same = folded(a[i - 1]) == folded(b[k - 1]);
            row[k] = least(above[k - 1] + !same, least(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && folded(a[i - 1]) == folded(b[k - 2])
                && folded(a[i - 2]) == folded(b[k - 1]))
                row[k] = least(row[k], higher[k - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

bool similar_offer(Similar *s, const char *other, size_t size)
{
    size_t longer = s->size > size ? s->size : size;
    if (longer > WORD_MAX || longer - (s->size + size - longer) >= s->distance) return false;
    unsigned distance = similar_distance(s->word, s->size, other, size);
    if (distance >= s->distance) return false;
    s->distance = distance;
    return true;
}
