/* Built-ins of module binary about one binary, and about the common ends of several. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"

#include <string.h>

static BifResult binmod_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- bytes ---- */

static BifResult binmod_byte(Process *p, Term binary, int64_t at)
{
    if (!term_is_binary(binary) || at < 0 || (uint64_t)at >= binary_bytes(binary))
        return raise_badarg(p);
    BitView v = binary_view(binary);
    return small_from((int64_t)bits_get_uint64(v.at, v.offset + 8 * (size_t)at, 8));
}

BifResult bif_binary_at(Process *p)
{
    return binmod_byte(p, arg(p, 0), term_is_small(arg(p, 1)) ? small_value(arg(p, 1)) : -1);
}

BifResult bif_binary_first(Process *p) { return binmod_byte(p, arg(p, 0), 0); }

BifResult bif_binary_last(Process *p)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    return binmod_byte(p, arg(p, 0), (int64_t)binary_bytes(arg(p, 0)) - 1);
}

/* binary:part/2,3 take whole binaries and bitstrings, as erlang:binary_part/2,3
 * do; so do the lists. */
static BifResult binmod_list(Process *p, Term start, Term length)
{
    Term t = arg(p, 0);
    if (!term_is_binary(t) || !term_is_small(start) || !term_is_small(length))
        return raise_badarg(p);
    int64_t from = small_value(start);
    int64_t to;
    if (from < 0 || __builtin_add_overflow(from, small_value(length), &to))
        return raise_badarg(p);
    int64_t first = from < to ? from : to;
    int64_t last = from < to ? to : from;
    if (first < 0 || (uint64_t)last > binary_bytes(t)) return raise_badarg(p);
    return bif_binary_list(p, (size_t)first, (size_t)(last - first));
}

BifResult bif_bin_to_list_1(Process *p)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    return binmod_list(p, small_from(0), small_from((int64_t)binary_bytes(arg(p, 0))));
}

BifResult bif_bin_to_list_2(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_tuple_of(range, 2)) return raise_badarg(p);
    return binmod_list(p, tuple_at(range, 0), tuple_at(range, 1));
}

BifResult bif_bin_to_list_3(Process *p) { return binmod_list(p, arg(p, 1), arg(p, 2)); }

/* ---- copies ---- */

/* Bytes that a copy writes before it looks whether others should run. */
#define BINMOD_COPY_STEP ((size_t)65536)

/* `done` bytes of the result are there; another step; how many then. */
static size_t binmod_copy_step(uint8_t *to, size_t done, BitView unit, size_t total)
{
    size_t size = unit.bits / 8;
    ASSERT(size > 0); /* nothing is copied nowhere */
    size_t n = total - done < BINMOD_COPY_STEP ? total - done : BINMOD_COPY_STEP;
    if (done < size) {
        if (n > size - done) n = size - done;
        size_t at = unit.offset + 8 * done;
        bits_copy(to + done, 0, unit.at + at / 8, at % 8, 8 * n);
    } else {
        size_t from = done % size;
        if (n > done - from) n = done - from;
        memcpy(to + done, to + from, n);
    }
    return done + n;
}

/* The result is filled in steps; it waits in a slot meanwhile, where nobody else sees it. */
static BifResult binmod_copy(Process *p, size_t slots, uint64_t times)
{
    size_t result_slot = slots;
    size_t done_slot = slots + 1;
    BitView unit = binary_view(arg(p, 0));
    if (unit.bits == 0 || times == 0) return binmod_done(p, binary_from_bytes(&p->heap, "", 0));
    size_t total;
    if (__builtin_mul_overflow(unit.bits / 8, times, &total) || total > BINARY_MAX_BYTES)
        return raise_system_limit(p);
    Term result = slot(p, result_slot);
    size_t done = raw_slot(p, done_slot);
    if (done == 0) {
        uint8_t *at;
        result = binary_new(&p->heap, 8 * total, &at);
        if (term_is_none(result)) return raise_system_limit(p);
        unit = binary_view(arg(p, 0));
    }
    /* Nobody but this call has seen these bytes. */
    uint8_t *to = (uint8_t *)(uintptr_t)binary_view(result).at;
    while (done < total) {
        size_t before = done;
        done = binmod_copy_step(to, done, unit, total);
        bif_charge(p, (int64_t)((done - before) / 64));
        if (done < total && bif_spent(p)) {
            slot_set(p, result_slot, result);
            raw_slot_set(p, done_slot, done);
            return bif_yield(p);
        }
    }
    return result;
}

BifResult bif_binary_copy_1(Process *p)
{
    return term_is_binary(arg(p, 0)) ? binmod_copy(p, 1, 1) : raise_badarg(p);
}

BifResult bif_binary_copy_2(Process *p)
{
    Term times = arg(p, 1);
    if (!term_is_binary(arg(p, 0)) || !term_is_small(times) || small_value(times) < 0)
        return raise_badarg(p);
    return binmod_copy(p, 2, (uint64_t)small_value(times));
}

/* Bytes that a part keeps alive. */
BifResult bif_referenced_byte_size(Process *p)
{
    if (!term_is_bitstring(arg(p, 0))) return raise_badarg(p);
    size_t offset;
    Term base = binary_base(arg(p, 0), &offset);
    return small_from((int64_t)((binary_base_bits(base) + 7) / 8));
}

/* ---- unsigned integers ---- */

/* False: neither big nor little. */
static bool binmod_is_little(Term t, bool *little)
{
    *little = term_same(t, TERM_ATOM(LITTLE));
    return *little || term_same(t, TERM_ATOM(BIG));
}

static Term binmod_integer(Heap *h, Term binary, bool little)
{
    BitView v = binary_view(binary);
    return bits_get_integer(h, v.at, v.offset, v.bits, little, false);
}

static void decode_run(Offload *o)
{
    o->out = binmod_integer(&o->heap, o->in[0], o->number != 0);
}

static BifResult binmod_decode(Process *p, Term endian)
{
    bool little;
    if (!term_is_binary(arg(p, 0)) || !binmod_is_little(endian, &little))
        return raise_badarg(p);
    if (binary_bytes(arg(p, 0)) > OFFLOAD_BYTES)
        return task_pool(p, decode_run, (const Term[]){arg(p, 0)}, 1, little);
    bif_charge(p, (int64_t)(binary_bytes(arg(p, 0)) / 8));
    return binmod_done(p, binmod_integer(&p->heap, arg(p, 0), little));
}

BifResult bif_decode_unsigned_1(Process *p) { return binmod_decode(p, TERM_ATOM(BIG)); }
BifResult bif_decode_unsigned_2(Process *p) { return binmod_decode(p, arg(p, 1)); }

static Term binmod_bytes(Heap *h, Term n, bool little)
{
    BigView v;
    big_view(&v, n);
    size_t bytes = 1;
    if (v.count > 0) bytes = 8 * v.count - (size_t)__builtin_clzll(v.limbs[v.count - 1]) / 8;
    uint8_t *to;
    Term result = binary_new(h, 8 * bytes, &to);
    if (term_is_none(result)) return TERM_NONE;
    for (size_t i = 0; i < bytes; i++) {
        Limb limb = v.count == 0 ? 0 : v.limbs[i / 8];
        to[little ? i : bytes - 1 - i] = (uint8_t)(limb >> 8 * (i % 8));
    }
    return result;
}

static void encode_run(Offload *o)
{
    o->out = binmod_bytes(&o->heap, o->in[0], o->number != 0);
}

static BifResult binmod_encode(Process *p, Term endian)
{
    bool little;
    Term n = arg(p, 0);
    bool negative =
        term_is_small(n) ? small_value(n) < 0 : !term_is_big(n) || big_is_negative(n);
    if (negative || !binmod_is_little(endian, &little)) return raise_badarg(p);
    if (term_is_big(n) && big_limbs(n) * sizeof(Limb) > OFFLOAD_BYTES)
        return task_pool(p, encode_run, (const Term[]){n}, 1, little);
    return binmod_done(p, binmod_bytes(&p->heap, n, little));
}

BifResult bif_encode_unsigned_1(Process *p) { return binmod_encode(p, TERM_ATOM(BIG)); }
BifResult bif_encode_unsigned_2(Process *p) { return binmod_encode(p, arg(p, 1)); }

/* ---- common ends ---- */

/* How many bytes at the start (or end) of both are equal, at most `most`. */
static size_t binmod_common(BitView a, BitView b, bool from_end, size_t most)
{
    size_t n = 0;
    while (n < most) {
        size_t a_at = from_end ? a.bits - 8 * (n + 1) : 8 * n;
        size_t b_at = from_end ? b.bits - 8 * (n + 1) : 8 * n;
        if (bits_get_uint64(a.at, a.offset + a_at, 8)
            != bits_get_uint64(b.at, b.offset + b_at, 8))
            break;
        n++;
    }
    return n;
}

/* Of all binaries of a list; -1: badarg. */
static int64_t binmod_common_of(Term list, bool from_end)
{
    if (!term_is_cons(list) || list_length(list) < 0 || !term_is_binary(list_head(list)))
        return -1;
    BitView first = binary_view(list_head(list));
    size_t common = first.bits / 8;
    for (Term rest = list_tail(list); term_is_cons(rest); rest = list_tail(rest)) {
        if (!term_is_binary(list_head(rest))) return -1;
        BitView v = binary_view(list_head(rest));
        if (v.bits / 8 < common) common = v.bits / 8;
        common = binmod_common(first, v, from_end, common);
    }
    return (int64_t)common;
}

static void common_run(Offload *o)
{
    int64_t n = binmod_common_of(o->in[0], o->number != 0);
    o->why = TASK_BADARG;
    if (n >= 0) o->out = small_from(n);
}

/* More bytes to compare, or binaries, go to the blocking pool. */
#define COMMON_AT_ONCE 2000

static BifResult binmod_longest_common(Process *p, bool from_end)
{
    Term list = arg(p, 0);
    size_t bytes = 0;
    size_t n = 0;
    for (Term rest = list; term_is_cons(rest) && bytes + n < COMMON_AT_ONCE;
         rest = list_tail(rest), n++)
        if (term_is_bitstring(list_head(rest))) bytes += binary_bytes(list_head(rest));
    if (bytes + n >= COMMON_AT_ONCE)
        return task_pool(p, common_run, (const Term[]){list}, 1, from_end);
    int64_t common = binmod_common_of(list, from_end);
    bif_charge(p, (int64_t)(bytes + n) / 4);
    return common < 0 ? raise_badarg(p) : small_from(common);
}

BifResult bif_longest_common_prefix(Process *p) { return binmod_longest_common(p, false); }
BifResult bif_longest_common_suffix(Process *p) { return binmod_longest_common(p, true); }
