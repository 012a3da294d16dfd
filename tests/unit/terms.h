/* What tests of terms share: a VM's atoms, a detached heap, random terms, text of a term.
 * Begin with terms_open, end with terms_close, which expects nothing left over. */
#pragma once

#include "tests/unit/unit.h"
#include "vm/base/rng.h"
#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/number.h"
#include "vm/term/order.h"
#include "vm/term/print.h"
#include "vm/term/tuple.h"

typedef struct Terms {
    Mem *mem;
    AtomTable *atoms;
    Heap heap;
    Rng rng;
    Bytes text;
} Terms;

UNUSED static void terms_open(Terms *x)
{
    x->mem = mem_new(0);
    x->atoms = atom_table_new(x->mem, 0);
    heap_init_detached(&x->heap, x->mem);
    rng_seed(&x->rng, 7);
    x->text = (Bytes){0};
}

/* Forgets all terms. */
UNUSED static void terms_clear(Terms *x)
{
    heap_release(&x->heap);
    heap_init_detached(&x->heap, x->mem);
}

UNUSED static void terms_close(Terms *x)
{
    heap_release(&x->heap);
    atom_table_delete(x->atoms);
    bytes_free(&x->text);
    EXPECT_EQ(mem_total(x->mem), 0);
    mem_delete(x->mem);
}

/* Borrowed until the next call. */
UNUSED static const char *terms_text(Terms *x, Term t)
{
    bytes_clear(&x->text);
    if (term_is_none(t)) return "none";
    print_term(&x->text, x->atoms, t, PRINT_PLAIN);
    bytes_put_u8(&x->text, 0);
    return (const char *)x->text.at;
}

UNUSED static Term terms_int(Terms *x, const char *digits)
{
    return number_read_integer(&x->heap, (const uint8_t *)digits, strlen(digits), 10, NULL);
}

UNUSED static uint64_t terms_below(Terms *x, uint64_t n) { return rng_below(&x->rng, n); }

/* An integer of up to `bits` bits, small ones and powers of two more often than chance has
 * them. */
UNUSED static Term terms_random_integer(Terms *x, unsigned bits)
{
    uint8_t bytes[64] = {0};
    unsigned n = (unsigned)terms_below(x, bits + 1);
    if (terms_below(x, 4) == 0) {
        bytes[n / 8 % sizeof bytes] = (uint8_t)(1u << n % 8);
    } else {
        for (unsigned i = 0; i < n; i += 8) bytes[i / 8] = (uint8_t)rng_next(&x->rng);
    }
    Term t = big_from_bytes(&x->heap, bytes, n / 8 + 1, true, terms_below(x, 2) == 0);
    return terms_below(x, 8) == 0 ? number_add(&x->heap, t, small_from(-1)) : t;
}

UNUSED static Term terms_random_leaf(Terms *x)
{
    uint8_t bytes[100];
    switch (terms_below(x, 8)) {
    case 0: return small_from((int64_t)terms_below(x, 20) - 5);
    case 1: return terms_random_integer(x, 160);
    case 2: return heap_float(&x->heap, (double)terms_below(x, 20) / 4);
    case 3: return atom_from((uint32_t)terms_below(x, ATOM_NAMED_COUNT));
    case 4: return TERM_NIL;
    case 5: return pid_make((uint32_t)terms_below(x, 50), (uint32_t)terms_below(x, 3));
    default: {
        size_t bits = (size_t)terms_below(x, 800);
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)terms_below(x, 3);
        Term t = binary_from_bits(&x->heap, (BitView){bytes, 0, bits});
        size_t from = (size_t)terms_below(x, bits + 1);
        return terms_below(x, 2) == 0 ? t : binary_part(&x->heap, t, from, bits - from);
    }
    }
}

/* A term of some levels, each made of leaves and of terms made before. */
UNUSED static Term terms_random(Terms *x, unsigned levels)
{
    enum { POOL = 24 };
    Term pool[POOL];
    Term pairs[2 * 40];
    size_t filled = 0;
    for (unsigned level = 0; level < levels * 4 || filled == 0; level++) {
        size_t n = (size_t)terms_below(x, 6);
        size_t kind = (size_t)terms_below(x, 6);
        if (kind == 5 && terms_below(x, 4) == 0) n = 40;
        for (size_t i = 0; i < (kind == 5 ? 2 * n : n); i++)
            pairs[i] = filled == 0 || terms_below(x, 3) != 0 ? terms_random_leaf(x)
                                                             : pool[terms_below(x, filled)];
        Term t;
        if (kind < 2)
            t = heap_tuple(&x->heap, n, pairs);
        else if (kind < 4)
            t = list_from_array(&x->heap, pairs, n, TERM_NIL);
        else if (kind == 4)
            t = list_from_array(&x->heap, pairs, n, terms_random_leaf(x));
        else
            t = map_from_pairs(&x->heap, x->atoms, pairs, n);
        if (filled < POOL) filled++;
        pool[filled == POOL ? terms_below(x, POOL) : filled - 1] = t;
    }
    return pool[filled - 1];
}
