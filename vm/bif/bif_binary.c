/* Built-ins of erlang about binaries, bitstrings and iolists. */
#include "vm/bif/bif_bytes.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"
#include "vm/term/walk.h"

static BifResult bif_binary_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_byte_size(Process *p)
{
    if (!term_is_bitstring(arg(p, 0))) return raise_badarg(p);
    return small_from((int64_t)binary_bytes(arg(p, 0)));
}

BifResult bif_bit_size(Process *p)
{
    if (!term_is_bitstring(arg(p, 0))) return raise_badarg(p);
    return small_from((int64_t)binary_bits(arg(p, 0)));
}

/* ---- parts ---- */

/* Start and length in bytes, the length possibly negative, inside `bytes`; false: badarg. */
static bool bif_part_range(Term start, Term length, size_t bytes, size_t *at, size_t *n)
{
    if (!term_is_small(start) || !term_is_small(length)) return false;
    int64_t from = small_value(start);
    int64_t to;
    if (from < 0 || __builtin_add_overflow(from, small_value(length), &to)) return false;
    if (to < from) {
        int64_t kept = from;
        from = to;
        to = kept;
    }
    if (from < 0 || (uint64_t)to > bytes) return false;
    *at = (size_t)from;
    *n = (size_t)(to - from);
    return true;
}

static BifResult bif_part(Process *p, Term start, Term length)
{
    size_t at;
    size_t n;
    Term t = arg(p, 0);
    if (!term_is_bitstring(t) || !bif_part_range(start, length, binary_bits(t) / 8, &at, &n))
        return raise_badarg(p);
    return bif_binary_done(p, binary_part(&p->heap, t, 8 * at, 8 * n));
}

BifResult bif_binary_part_3(Process *p) { return bif_part(p, arg(p, 1), arg(p, 2)); }

BifResult bif_binary_part_2(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_tuple_of(range, 2)) return raise_badarg(p);
    return bif_part(p, tuple_at(range, 0), tuple_at(range, 1));
}

BifResult bif_split_binary(Process *p)
{
    Term t = arg(p, 0);
    Term at = arg(p, 1);
    if (!term_is_bitstring(t) || !term_is_small(at) || small_value(at) < 0
        || (uint64_t)small_value(at) > binary_bits(t) / 8)
        return raise_badarg(p);
    size_t bits = (size_t)small_value(at) * 8;
    Term a = binary_part(&p->heap, t, 0, bits);
    Term b = binary_part(&p->heap, t, bits, binary_bits(t) - bits);
    if (term_is_none(a) || term_is_none(b)) return raise_system_limit(p);
    return bif_binary_done(p, heap_tuple2(&p->heap, a, b));
}

/* ---- to lists ---- */

static BifResult bif_bytes_list(Process *p, size_t first, size_t n, Term tail)
{
    BitView v = binary_view(arg(p, 0));
    Term list = tail;
    bif_charge(p, (int64_t)(n / 4));
    for (size_t i = first + n; i > first; i--) {
        uint64_t byte = bits_get_uint64(v.at, v.offset + 8 * (i - 1), 8);
        list = heap_cons(&p->heap, small_from((int64_t)byte), list);
        if (term_is_none(list)) return raise_system_limit(p);
    }
    return list;
}

BifResult bif_binary_to_list_1(Process *p)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    return bif_bytes_list(p, 0, binary_bits(arg(p, 0)) / 8, TERM_NIL);
}

BifResult bif_binary_to_list_3(Process *p)
{
    Term from = arg(p, 1);
    Term to = arg(p, 2);
    if (!term_is_binary(arg(p, 0)) || !term_is_small(from) || !term_is_small(to))
        return raise_badarg(p);
    int64_t n = (int64_t)(binary_bits(arg(p, 0)) / 8);
    if (small_value(from) < 1 || small_value(to) > n || small_value(from) > small_value(to))
        return raise_badarg(p);
    size_t first = (size_t)small_value(from) - 1;
    return bif_bytes_list(p, first, (size_t)small_value(to) - first, TERM_NIL);
}

BifResult bif_bitstring_to_list(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_bitstring(t)) return raise_badarg(p);
    size_t bits = binary_bits(t);
    Term tail = TERM_NIL;
    if (bits % 8 != 0) {
        Term last = binary_part(&p->heap, t, bits - bits % 8, bits % 8);
        tail = term_is_none(last) ? TERM_NONE : heap_cons(&p->heap, last, TERM_NIL);
        if (term_is_none(tail)) return raise_system_limit(p);
    }
    return bif_bytes_list(p, 0, bits / 8, tail);
}

/* ---- from iolists ---- */

BifResult bif_iolist_to_binary(Process *p)
{
    if (term_is_binary(arg(p, 0))) return arg(p, 0);
    Bytes b = bif_bytes(p);
    bool is_list = term_is_list(arg(p, 0));
    if (!is_list || !bif_iolist_put(p, arg(p, 0), &b)) {
        bytes_free(&b);
        return raise_badarg(p);
    }
    return bif_bytes_to_binary(p, &b);
}

BifResult bif_list_to_binary(Process *p)
{
    return term_is_list(arg(p, 0)) ? bif_iolist_to_binary(p) : raise_badarg(p);
}

BifResult bif_iolist_length(Process *p)
{
    size_t n;
    bool is_one = term_is_list(arg(p, 0)) || term_is_binary(arg(p, 0));
    if (!is_one || !bif_iolist_size(p, arg(p, 0), &n)) return raise_badarg(p);
    return small_from((int64_t)n);
}

/* ---- bit lists: like iolists, but bitstrings of any size may stand in them ---- */

typedef struct BitSink {
    Bytes bytes;
    size_t bits;
} BitSink;

static void bif_sink_bits(BitSink *s, BitView v)
{
    size_t need = (s->bits + v.bits + 7) / 8;
    if (need > s->bytes.count) {
        uint8_t *at = bytes_extend(&s->bytes, need - s->bytes.count);
        __builtin_memset(at, 0, (size_t)(s->bytes.at + s->bytes.count - at));
    }
    if (v.bits > 0) bits_copy(s->bytes.at, s->bits, v.at, v.offset, v.bits);
    s->bits += v.bits;
}

static bool bif_sink_leaf(BitSink *s, Term t, bool is_element)
{
    if (term_is_nil(t)) return true;
    if (term_is_bitstring(t)) {
        bif_sink_bits(s, binary_view(t));
        return true;
    }
    if (!is_element || !term_is_small(t) || small_value(t) < 0 || small_value(t) > 255)
        return false;
    uint8_t byte = (uint8_t)small_value(t);
    bif_sink_bits(s, (BitView){&byte, 0, 8});
    return true;
}

static bool bif_sink_list(BitSink *s, Term t, Mem *mem)
{
    Walk stack;
    walk_init(&stack, mem);
    bool good = true;
    for (;;) {
        while (good && term_is_cons(t)) {
            Term head = list_head(t);
            t = list_tail(t);
            if (term_is_cons(head)) {
                walk_push(&stack, t.w);
                t = head;
            } else {
                good = bif_sink_leaf(s, head, true);
            }
        }
        good = good && bif_sink_leaf(s, t, false);
        if (!good || walk_is_empty(&stack)) break;
        t = TERM_RAW(walk_pop(&stack));
    }
    walk_free(&stack);
    return good;
}

BifResult bif_list_to_bitstring(Process *p)
{
    if (!term_is_list(arg(p, 0))) return raise_badarg(p);
    BitSink s = {bif_bytes(p), 0};
    if (!bif_sink_list(&s, arg(p, 0), p->run->mem)) {
        bytes_free(&s.bytes);
        return raise_badarg(p);
    }
    bif_charge(p, (int64_t)(s.bits / 128));
    Term t = binary_from_bits(&p->heap, (BitView){s.bytes.at, 0, s.bits});
    bytes_free(&s.bytes);
    return bif_binary_done(p, t);
}
