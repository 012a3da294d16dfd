/* What the fuzz targets share: reading choices out of the input, and terms made from it.  A
 * target is one file with LLVMFuzzerTestOneInput; it aborts (FUZZ_CHECK) on a wrong answer, and
 * the sanitizers watch the rest.  Each input starts from nothing: no state is carried over. */
#pragma once

#include "vm/base/panic.h"
#include "vm/term/atom.h"
#include "vm/term/heap.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                             \
    do {                                                  \
        if (!(condition)) PANIC("wrong: %s", #condition); \
    } while (0)

typedef struct FuzzInput {
    const uint8_t *at;
    const uint8_t *end;
} FuzzInput;

/* 0 once the input is used up. */
static inline uint8_t fuzz_byte(FuzzInput *in) { return in->at < in->end ? *in->at++ : 0; }

static inline uint64_t fuzz_number(FuzzInput *in, unsigned bytes)
{
    uint64_t n = 0;
    while (bytes--) n = n << 8 | fuzz_byte(in);
    return n;
}

static inline bool fuzz_left(const FuzzInput *in) { return in->at < in->end; }

/* Integers near the borders, floats, atoms, nil. */
static inline Term fuzz_leaf(FuzzInput *in, Heap *h)
{
    static const int64_t borders[] = {SMALL_MAX,     SMALL_MIN,        INT64_MAX,
                                      INT64_MIN + 1, INT64_C(1) << 53, 1};
    uint8_t choice = fuzz_byte(in);
    switch (choice & 7) {
    case 0: return heap_int64(h, (int64_t)fuzz_number(in, 8));
    case 1: return heap_int64(h, borders[(choice >> 3) % ARRAY_LEN(borders)] - (choice & 1));
    case 2: return heap_float(h, (double)(int8_t)fuzz_byte(in) / 2);
    case 3: return heap_float(h, (double)borders[(choice >> 3) % ARRAY_LEN(borders)]);
    case 4: return atom_from(fuzz_byte(in) % ATOM_NAMED_COUNT);
    case 5: return TERM_NIL;
    default: return small_from((int8_t)fuzz_byte(in));
    }
}

/* A term of a few levels. */
static inline Term fuzz_term(FuzzInput *in, Heap *h)
{
    Term stack[8];
    size_t n = 0;
    for (int steps = 0; steps < 24 && fuzz_left(in); steps++) {
        uint8_t choice = fuzz_byte(in) & 7;
        if (choice < 4 && n < ARRAY_LEN(stack)) {
            stack[n++] = fuzz_leaf(in, h);
        } else if (choice == 4 && n >= 2) {
            stack[n - 2] = heap_cons(h, stack[n - 2], stack[n - 1]);
            n--;
        } else if (n >= 1 && n < ARRAY_LEN(stack)) {
            size_t size = choice % (n + 1);
            Term tuple = heap_tuple(h, size, stack + n - size);
            n -= size;
            stack[n++] = tuple;
            if (choice == 7) break;
        }
    }
    return n ? stack[n - 1] : TERM_NIL;
}
