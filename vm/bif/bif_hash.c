/* Hashes, checksums, and the external form of terms. */
#include "vm/bif/bif_bytes.h"

#include "vm/code/codetab.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/codec.h"
#include "vm/term/hash.h"
#include "vm/term/list.h"
#include "vm/term/order.h"

#include <zlib.h>

#define BIF_PHASH2_DEFAULT (UINT64_C(1) << 27)

static BifResult bif_hash_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_phash2_1(Process *p)
{
    return small_from((int64_t)(hash_phash2(p->run->atoms, arg(p, 0)) % BIF_PHASH2_DEFAULT));
}

BifResult bif_phash2_2(Process *p)
{
    Term range = arg(p, 1);
    if (!term_is_small(range) || small_value(range) < 1
        || small_value(range) > INT64_C(1) << 32)
        return raise_badarg(p);
    return small_from(
        (int64_t)(hash_phash2(p->run->atoms, arg(p, 0)) % (uint64_t)small_value(range)));
}

/* ---- term_to_binary ---- */

typedef struct BifEncode {
    CodecFlags flags;
    int level; /* of compression; 0: none */
} BifEncode;

static bool bif_encode_pair(Term key, Term value, BifEncode *e)
{
    if (!term_is_small(value)) return false;
    int64_t n = small_value(value);
    if (term_same(key, TERM_ATOM(COMPRESSED)) && n >= 0 && n <= 9) {
        e->level = (int)n;
        return true;
    }
    if (!term_same(key, TERM_ATOM(MINOR_VERSION)) || n < 0 || n > 2) return false;
    if (n == 0) e->flags |= CODEC_OLD_FLOATS;
    if (n == 2) e->flags |= CODEC_UTF8_ATOMS;
    return true;
}

static bool bif_encode_options(Term list, BifEncode *e)
{
    for (; term_is_cons(list); list = list_tail(list)) {
        Term option = list_head(list);
        if (term_same(option, TERM_ATOM(COMPRESSED)))
            e->level = 6;
        else if (term_same(option, TERM_ATOM(DETERMINISTIC)))
            e->flags |= CODEC_DETERMINISTIC;
        else if (term_same(option, TERM_ATOM(LOCAL)))
            continue;
        else if (!term_is_tuple_of(option, 2)
                 || !bif_encode_pair(tuple_at(option, 0), tuple_at(option, 1), e))
            return false;
    }
    return term_is_nil(list);
}

static CodecNode bif_node(void) { return (CodecNode){.name = TERM_ATOM(NONODE_AT_NOHOST)}; }

static BifResult bif_encode(Process *p, const BifEncode *e)
{
    Bytes b = bif_bytes(p);
    if (!codec_encode(&b, p->run->atoms, bif_node(), arg(p, 0), e->flags)) {
        bytes_free(&b);
        return raise_system_limit(p);
    }
    bif_charge(p, (int64_t)(b.count / 16));
    if (e->level > 0) codec_compress(&b, 0, e->level);
    return bif_bytes_to_binary(p, &b);
}

BifResult bif_term_to_binary_1(Process *p)
{
    return bif_encode(p, &(BifEncode){CODEC_PLAIN, 0});
}

BifResult bif_term_to_binary_2(Process *p)
{
    BifEncode e = {CODEC_PLAIN, 0};
    return bif_encode_options(arg(p, 1), &e) ? bif_encode(p, &e) : raise_badarg(p);
}

/* The same as a list of binaries: one. */
static BifResult bif_as_list(Process *p, Term binary)
{
    if (term_is_none(binary)) return binary;
    return bif_hash_done(p, heap_cons(&p->heap, binary, TERM_NIL));
}

BifResult bif_term_to_iovec_1(Process *p) { return bif_as_list(p, bif_term_to_binary_1(p)); }
BifResult bif_term_to_iovec_2(Process *p) { return bif_as_list(p, bif_term_to_binary_2(p)); }

BifResult bif_external_size_2(Process *p)
{
    BifEncode e = {CODEC_PLAIN, 0};
    if (!bif_encode_options(arg(p, 1), &e)) return raise_badarg(p);
    return small_from((int64_t)codec_size(p->run->atoms, bif_node(), arg(p, 0), e.flags));
}

BifResult bif_external_size(Process *p)
{
    return small_from((int64_t)codec_size(p->run->atoms, bif_node(), arg(p, 0), CODEC_PLAIN));
}

static BifResult bif_decode(Process *p, bool safe, bool tell_used)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    uint8_t *scratch = NULL;
    size_t n;
    const uint8_t *bytes = binary_aligned(arg(p, 0), p->run->mem, &n, &scratch);
    if (bytes == NULL && n > 0) return raise_system_limit(p);
    FunResolver funs = codetab_resolver(p->run->code);
    Term t;
    size_t used;
    CodecResult result = codec_decode(&p->heap, p->run->atoms, bif_node(), bytes, n, &funs,
                                      safe, CODEC_PLAIN, &t, &used);
    if (scratch != NULL) mem_free(p->run->mem, MEM_WORK, scratch, n == 0 ? 1 : n);
    bif_charge(p, (int64_t)(n / 16));
    if (result == CODEC_ATOMS_FULL || result == CODEC_NO_MEMORY) return raise_system_limit(p);
    if (result != CODEC_OK) return raise_badarg(p);
    return tell_used ? bif_hash_done(p, heap_tuple2(&p->heap, t, small_from((int64_t)used)))
                     : t;
}

BifResult bif_binary_to_term_1(Process *p) { return bif_decode(p, false, false); }

BifResult bif_binary_to_term_2(Process *p)
{
    bool safe = false;
    bool used = false;
    Term list = arg(p, 1);
    for (; term_is_cons(list); list = list_tail(list)) {
        if (term_same(list_head(list), TERM_ATOM(SAFE)))
            safe = true;
        else if (term_same(list_head(list), TERM_ATOM(USED)))
            used = true;
        else
            return raise_badarg(p);
    }
    return term_is_nil(list) ? bif_decode(p, safe, used) : raise_badarg(p);
}

/* ---- checksums of iolists ---- */

typedef uLong BifSum(uLong sum, const Bytef *bytes, uInt n);

static BifResult bif_checksum(Process *p, Term data, uint32_t start, BifSum *sum)
{
    Bytes b = bif_bytes(p);
    bool is_one = term_is_list(data) || term_is_binary(data);
    bool good =
        is_one
        && (term_is_binary(data) ? bif_binary_put(data, &b) : bif_iolist_put(p, data, &b));
    uLong result = start;
    for (size_t at = 0; good && at < b.count;) {
        size_t n = b.count - at < (1u << 30) ? b.count - at : 1u << 30;
        result = sum(result, b.at + at, (uInt)n);
        at += n;
    }
    bif_charge(p, (int64_t)(b.count / 32));
    bytes_free(&b);
    return good ? small_from((int64_t)(result & 0xFFFFFFFFu)) : raise_badarg(p);
}

static bool bif_sum_start(Term t, uint32_t *start)
{
    if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > UINT32_MAX) return false;
    *start = (uint32_t)small_value(t);
    return true;
}

BifResult bif_crc32_1(Process *p) { return bif_checksum(p, arg(p, 0), 0, crc32); }
BifResult bif_adler32_1(Process *p) { return bif_checksum(p, arg(p, 0), 1, adler32); }

BifResult bif_crc32_2(Process *p)
{
    uint32_t start;
    return bif_sum_start(arg(p, 0), &start) ? bif_checksum(p, arg(p, 1), start, crc32)
                                            : raise_badarg(p);
}

BifResult bif_adler32_2(Process *p)
{
    uint32_t start;
    return bif_sum_start(arg(p, 0), &start) ? bif_checksum(p, arg(p, 1), start, adler32)
                                            : raise_badarg(p);
}

/* ---- sums of two runs of bytes, of which one follows the other ---- */

typedef uLong BifCombine(uLong first, uLong second, z_off_t size);

static BifResult bif_combine(Process *p, BifCombine *combine)
{
    uint32_t n[3];
    for (size_t i = 0; i < 3; i++)
        if (!bif_sum_start(arg(p, i), &n[i])) return raise_badarg(p);
    return small_from((int64_t)(combine(n[0], n[1], (z_off_t)n[2]) & 0xFFFFFFFFu));
}

BifResult bif_crc32_combine(Process *p) { return bif_combine(p, crc32_combine); }
BifResult bif_adler32_combine(Process *p) { return bif_combine(p, adler32_combine); }
