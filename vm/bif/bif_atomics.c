/* Built-ins of atomics: arrays of 64-bit numbers that processes share. */
#include "vm/bif/bif_foreign.h"

#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/list.h"
#include "vm/term/map.h"

#include <string.h>

/* Counted; a signed one keeps its numbers as two's complement. */
typedef struct Atomics {
    Counted counted; /* first */
    Mem *mem;
    size_t count;
    bool is_signed;
    AtomicU64 values[];
} Atomics;

static size_t atomics_bytes(size_t count)
{
    return sizeof(Atomics) + count * sizeof(AtomicU64);
}

static void atomics_release(Counted *object)
{
    Atomics *a = (Atomics *)object;
    mem_free(a->mem, MEM_BINARY, a, atomics_bytes(a->count));
}

/* The options [{signed, boolean()}]; false: badarg. */
static bool atomics_options(Term list, bool *is_signed)
{
    *is_signed = true;
    for (; term_is_cons(list); list = list_tail(list)) {
        Term option = list_head(list);
        if (!term_is_tuple_of(option, 2) || !term_same(tuple_at(option, 0), TERM_ATOM(SIGNED)))
            return false;
        if (!term_is_boolean(tuple_at(option, 1))) return false;
        *is_signed = term_same(tuple_at(option, 1), TERM_TRUE);
    }
    return term_is_nil(list);
}

BifResult bif_atomics_new(Process *p)
{
    Term size = arg(p, 0);
    bool is_signed;
    bool none = term_is_small(size) ? small_value(size) < 1
                                    : !term_is_big(size) || big_is_negative(size);
    if (none || !atomics_options(arg(p, 1), &is_signed)) return raise_badarg(p);
    if (!term_is_small(size) || small_value(size) > INT64_C(1) << 48)
        return raise_system_limit(p);
    size_t n = (size_t)small_value(size);
    Atomics *a = mem_try_alloc(p->run->mem, MEM_BINARY, atomics_bytes(n));
    if (a == NULL) return raise_system_limit(p);
    memset(a, 0, atomics_bytes(n));
    atomic_store_relaxed(&a->counted.references, 1);
    a->counted.release = atomics_release;
    a->counted.bytes = atomics_bytes(n);
    a->mem = p->run->mem;
    a->count = n;
    a->is_signed = is_signed;
    bif_charge(p, (int64_t)(n / 16));
    Term t = bif_foreign_new(p, &a->counted);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* The array of argument 0, or NULL. */
static Atomics *atomics_of(const Process *p)
{
    Counted *object = bif_foreign_of(arg(p, 0));
    return object != NULL && object->release == atomics_release ? (Atomics *)object : NULL;
}

/* The number that arguments 0 and 1 name, or NULL. */
static AtomicU64 *atomics_at(const Process *p, Atomics **array)
{
    Atomics *a = atomics_of(p);
    Term at = arg(p, 1);
    if (a == NULL || !term_is_small(at) || small_value(at) < 1
        || (uint64_t)small_value(at) > a->count)
        return NULL;
    *array = a;
    return &a->values[small_value(at) - 1];
}

/* A value as the array keeps it; false: out of its range. */
static bool atomics_value(const Atomics *a, Term t, uint64_t *value)
{
    int64_t n;
    if (term_is_small(t)) {
        *value = (uint64_t)small_value(t);
        return a->is_signed || small_value(t) >= 0;
    }
    if (!term_is_big(t)) return false;
    if (!a->is_signed) return big_to_uint64(t, value);
    if (!big_to_int64(t, &n)) return false;
    *value = (uint64_t)n;
    return true;
}

/* What is added: from -2^63 to 2^64 - 1 for either kind; with `minus`, what is taken away. */
static bool atomics_increment(Term t, bool minus, uint64_t *value)
{
    int64_t n;
    if (term_is_small(t)) {
        n = small_value(t);
        *value = (uint64_t)(minus ? -n : n);
        return true;
    }
    if (!term_is_big(t)) return false;
    BigView v;
    big_view(&v, t);
    bool negative = v.negative != minus;
    if (v.count != 1 || (negative && v.limbs[0] > UINT64_C(1) << 63)) return false;
    *value = negative ? 0 - v.limbs[0] : v.limbs[0];
    return true;
}

static BifResult atomics_result(Process *p, const Atomics *a, uint64_t value)
{
    Term t = a->is_signed ? heap_int64(&p->heap, (int64_t)value) : heap_uint64(&p->heap, value);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_atomics_put(Process *p)
{
    Atomics *a;
    AtomicU64 *at = atomics_at(p, &a);
    uint64_t value;
    if (at == NULL || !atomics_value(a, arg(p, 2), &value)) return raise_badarg(p);
    atomic_store_seq(at, value);
    return TERM_ATOM(OK);
}

BifResult bif_atomics_get(Process *p)
{
    Atomics *a;
    AtomicU64 *at = atomics_at(p, &a);
    return at == NULL ? raise_badarg(p) : atomics_result(p, a, atomic_load_seq(at));
}

static BifResult atomics_add(Process *p, bool minus, bool tell)
{
    Atomics *a;
    AtomicU64 *at = atomics_at(p, &a);
    uint64_t increment;
    if (minus && !term_is_number(arg(p, 2))) return raise_badarith(p);
    if (at == NULL || !atomics_increment(arg(p, 2), minus, &increment)) return raise_badarg(p);
    uint64_t value = atomic_add_seq(at, increment) + increment;
    return tell ? atomics_result(p, a, value) : TERM_ATOM(OK);
}

BifResult bif_atomics_add(Process *p) { return atomics_add(p, false, false); }
BifResult bif_atomics_add_get(Process *p) { return atomics_add(p, false, true); }
BifResult bif_atomics_sub(Process *p) { return atomics_add(p, true, false); }
BifResult bif_atomics_sub_get(Process *p) { return atomics_add(p, true, true); }

BifResult bif_atomics_exchange(Process *p)
{
    Atomics *a;
    AtomicU64 *at = atomics_at(p, &a);
    uint64_t value;
    if (at == NULL || !atomics_value(a, arg(p, 2), &value)) return raise_badarg(p);
    return atomics_result(p, a, atomic_swap_seq(at, value));
}

/* compare_exchange(Ref, Index, Expected, Desired): ok, or the value that was there instead. */
BifResult bif_atomics_compare_exchange(Process *p)
{
    Atomics *a;
    AtomicU64 *at = atomics_at(p, &a);
    uint64_t expected;
    uint64_t desired;
    if (at == NULL || !atomics_value(a, arg(p, 2), &expected)
        || !atomics_value(a, arg(p, 3), &desired))
        return raise_badarg(p);
    return atomic_cas_seq(at, &expected, desired) ? TERM_ATOM(OK)
                                                  : atomics_result(p, a, expected);
}

BifResult bif_atomics_info(Process *p)
{
    const Atomics *a = atomics_of(p);
    if (a == NULL) return raise_badarg(p);
    Term least = heap_int64(&p->heap, a->is_signed ? INT64_MIN : 0);
    Term most = heap_uint64(&p->heap, a->is_signed ? INT64_MAX : UINT64_MAX);
    if (term_is_none(least) || term_is_none(most)) return raise_system_limit(p);
    Term pairs[] = {TERM_ATOM(SIZE),   small_from((int64_t)a->count),
                    TERM_ATOM(MIN),    least,
                    TERM_ATOM(MAX),    most,
                    TERM_ATOM(MEMORY), small_from((int64_t)atomics_bytes(a->count))};
    Term map = map_from_pairs(&p->heap, p->run->atoms, pairs, 4);
    return term_is_none(map) ? raise_system_limit(p) : map;
}
