/* Built-ins of unicode: character data between encodings, and normal forms (utf8proc). */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/task.h"

#include "vm/base/utf8.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"
#include "vm/term/walk.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef enum CharEncoding {
    CHARS_LATIN1,
    CHARS_UTF8,
    CHARS_UTF16_BIG,
    CHARS_UTF16_LITTLE,
    CHARS_UTF32_BIG,
    CHARS_UTF32_LITTLE,
    CHARS_UNKNOWN
} CharEncoding;

static CharEncoding chars_encoding(Term t)
{
    bool little = false;
    if (term_is_tuple_of(t, 2)) {
        little = term_same(tuple_at(t, 1), TERM_ATOM(LITTLE));
        if (!little && !term_same(tuple_at(t, 1), TERM_ATOM(BIG))) return CHARS_UNKNOWN;
        t = tuple_at(t, 0);
        if (!term_same(t, TERM_ATOM(UTF16)) && !term_same(t, TERM_ATOM(UTF32)))
            return CHARS_UNKNOWN;
    }
    if (term_same(t, TERM_ATOM(LATIN1))) return CHARS_LATIN1;
    if (term_same(t, TERM_ATOM(UTF8)) || term_same(t, TERM_ATOM(UNICODE))) return CHARS_UTF8;
    if (term_same(t, TERM_ATOM(UTF16))) return little ? CHARS_UTF16_LITTLE : CHARS_UTF16_BIG;
    if (term_same(t, TERM_ATOM(UTF32))) return little ? CHARS_UTF32_LITTLE : CHARS_UTF32_BIG;
    return CHARS_UNKNOWN;
}

typedef enum CharsEnd {
    CHARS_ALL,
    CHARS_ERROR,
    CHARS_INCOMPLETE,
    CHARS_BADARG,
    CHARS_LONG /* the budget does not reach */
} CharsEnd;

/* Bytes and elements that are converted at once; more go to the blocking pool. */
#define CHARS_AT_ONCE 16384

/* A conversion under way: the result so far as UTF-32 in the byte order of this
 * machine, or as `out`. */
typedef struct CharsReader {
    Heap *heap;
    size_t budget; /* bytes and elements that may still be read */
    /* what could not be converted stands in a list of its own, as where OTP converts in Erlang */
    bool wraps;
    CharEncoding in;
    CharEncoding out; /* of `to`; CHARS_UNKNOWN: code points of 4 bytes, for a list */
    Bytes to;
    uint8_t left[4]; /* the start of a character, at the end of the last binary */
    size_t left_count;
    bool left_leads; /* an integer follows it: it leads what could not be converted */
    Term rest;       /* what could not be converted; set with an error */
} CharsReader;

static bool chars_is_scalar(int64_t c)
{
    return c >= 0 && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

/* Appends one character in the target's encoding; false if it has none there. */
static bool chars_put(CharsReader *r, uint32_t c)
{
    size_t bits;
    switch (r->out) {
    case CHARS_LATIN1:
        if (c > 255) return false;
        bytes_put_u8(&r->to, (uint8_t)c);
        return true;
    case CHARS_UTF8:
        bits = bits_utf8_size(c);
        bits_put_utf8(bytes_extend(&r->to, bits / 8), 0, c);
        return true;
    case CHARS_UTF16_BIG:
    case CHARS_UTF16_LITTLE:
        bits = bits_utf16_size(c);
        bits_put_utf16(bytes_extend(&r->to, bits / 8), 0, c, r->out == CHARS_UTF16_LITTLE);
        return true;
    case CHARS_UTF32_BIG:
    case CHARS_UTF32_LITTLE:
        bits_put_utf32(bytes_extend(&r->to, 4), 0, c, r->out == CHARS_UTF32_LITTLE);
        return true;
    case CHARS_UNKNOWN: memcpy(bytes_extend(&r->to, 4), &c, 4); return true;
    }
    UNREACHABLE();
}

/* One character at the start of `n` bytes: how many it takes; 0: there is none. */
static size_t chars_get(CharEncoding in, const uint8_t *at, size_t n, uint32_t *c)
{
    switch (in) {
    case CHARS_LATIN1: *c = at[0]; return 1;
    case CHARS_UTF8: return bits_get_utf8(at, 0, 8 * n, c) / 8;
    case CHARS_UTF16_BIG:
    case CHARS_UTF16_LITTLE:
        return bits_get_utf16(at, 0, 8 * n, in == CHARS_UTF16_LITTLE, c) / 8;
    default: return bits_get_utf32(at, 0, 8 * n, in == CHARS_UTF32_LITTLE, c) / 8;
    }
}

/* Could these bytes, which are no character, be the start of one? */
static bool chars_is_start_utf8(const uint8_t *at, size_t n)
{
    size_t need = at[0] >= 0xF0 && at[0] <= 0xF4  ? 4
                  : at[0] >= 0xE0 && at[0] < 0xF0 ? 3
                  : at[0] >= 0xC2 && at[0] < 0xE0 ? 2
                                                  : 0;
    if (need <= n) return false;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xC0) != 0x80) return false;
    if (n > 1 && at[0] == 0xE0 && at[1] < 0xA0) return false;
    if (n > 1 && at[0] == 0xED && at[1] > 0x9F) return false;
    if (n > 1 && at[0] == 0xF0 && at[1] < 0x90) return false;
    return !(n > 1 && at[0] == 0xF4 && at[1] > 0x8F);
}

/* The first, second … byte of a character in the order of big-endian ones; 0 if it is not there. */
static unsigned chars_byte(bool little, const uint8_t *at, size_t n, size_t i, size_t of)
{
    size_t place = little ? of - 1 - i : i;
    return place < n ? at[place] : 0;
}

static bool chars_is_start_utf32(bool little, const uint8_t *at, size_t n)
{
    unsigned plane = chars_byte(little, at, n, 1, 4);
    unsigned row = chars_byte(little, at, n, 2, 4);
    bool is_known = n > 2; /* the plane and the row are */
    bool is_surrogate = is_known && plane == 0 && row >= 0xD8 && row <= 0xDF;
    return n < 4 && chars_byte(little, at, n, 0, 4) == 0 && plane <= 0x10 && !is_surrogate;
}

static bool chars_is_start_utf16(bool little, const uint8_t *at, size_t n)
{
    if (n < 2) return true;
    unsigned high = chars_byte(little, at, n, 0, 2);
    if (n > 3 || high < 0xD8 || high > 0xDB) return false;
    return n < 3 || little || (at[2] >= 0xDC && at[2] <= 0xDF);
}

static bool chars_is_start(CharEncoding in, const uint8_t *at, size_t n)
{
    if (in == CHARS_LATIN1) return false;
    if (in == CHARS_UTF8) return chars_is_start_utf8(at, n);
    if (in == CHARS_UTF32_BIG || in == CHARS_UTF32_LITTLE)
        return chars_is_start_utf32(in == CHARS_UTF32_LITTLE, at, n);
    return chars_is_start_utf16(in == CHARS_UTF16_LITTLE, at, n);
}

/* ---- runs of what is nearly always there, without a look at each character's encoding ---- */

/* Characters that a run makes room for at a time. */
#define CHARS_RUN 256

/* Code points of UTF-8 at `to`; moves *at over what was read, and returns how many they are. */
static size_t chars_points(const uint8_t **at, const uint8_t *end, uint32_t *to, size_t most)
{
    const uint8_t *from = *at;
    size_t n = 0;
    while (n < most && from < end) {
        uint32_t c = *from;
        int length = 1;
        if (c >= 0x80) length = utf8_decode(from, (size_t)(end - from), &c);
        if (length <= 0) break;
        to[n++] = c;
        from += length;
    }
    *at = from;
    return n;
}

static size_t chars_latin1_points(const uint8_t **at, const uint8_t *end, uint32_t *to,
                                  size_t most)
{
    size_t n = (size_t)(end - *at) < most ? (size_t)(end - *at) : most;
    for (size_t i = 0; i < n; i++) to[i] = (*at)[i];
    *at += n;
    return n;
}

/* As many of `n` bytes as are characters, all of which the target has; how many bytes. */
static size_t chars_run_bytes(CharsReader *r, const uint8_t *at, size_t n)
{
    if (r->in == CHARS_UTF8 && r->out == CHARS_UTF8) {
        size_t good = utf8_valid_prefix(at, n);
        bytes_put(&r->to, at, good);
        return good;
    }
    if (r->in > CHARS_UTF8 || (r->out != CHARS_UTF8 && r->out != CHARS_UNKNOWN)) return 0;
    const uint8_t *from = at;
    for (;;) {
        uint32_t points[CHARS_RUN];
        size_t count = r->in == CHARS_UTF8
                           ? chars_points(&from, at + n, points, CHARS_RUN)
                           : chars_latin1_points(&from, at + n, points, CHARS_RUN);
        if (r->out == CHARS_UNKNOWN) bytes_put(&r->to, points, 4 * count);
        bytes_reserve(&r->to, UTF8_MAX * count);
        for (size_t i = 0; r->out == CHARS_UTF8 && i < count; i++)
            r->to.count += (size_t)utf8_encode(points[i], r->to.at + r->to.count);
        if (count < CHARS_RUN) return (size_t)(from - at);
    }
}

/* Characters at the start of a list, UTF-8 or code points of them; returns what follows. */
static Term chars_run_list(CharsReader *r, Term t)
{
    if (r->out != CHARS_UTF8 && r->out != CHARS_UNKNOWN) return t;
    uint64_t most = r->in == CHARS_LATIN1 ? 0xFF : 0x10FFFF;
    size_t n = CHARS_RUN;
    while (n == CHARS_RUN && r->budget >= CHARS_RUN) {
        bytes_reserve(&r->to, UTF8_MAX * CHARS_RUN);
        uint8_t *to = r->to.at + r->to.count;
        for (n = 0; n < CHARS_RUN && term_is_cons(t); n++, t = list_tail(t)) {
            Term head = list_head(t);
            uint64_t c = term_is_small(head) ? (uint64_t)small_value(head) : UINT64_MAX;
            if (c > most || (c >= 0xD800 && c <= 0xDFFF)) break;
            uint32_t point = (uint32_t)c;
            if (r->out == CHARS_UNKNOWN) {
                memcpy(to, &point, 4);
                to += 4;
            } else if (point < 0x80) {
                *to++ = (uint8_t)point;
            } else {
                to += utf8_encode(point, to);
            }
        }
        r->to.count = (size_t)(to - r->to.at);
        r->budget -= n;
    }
    return t;
}

/* The bytes that were left followed by those from `at`, as a binary. */
static Term chars_rest_binary(CharsReader *r, const uint8_t *at, size_t n)
{
    uint8_t *to;
    Term t = binary_new(r->heap, 8 * (r->left_count + n), &to);
    if (term_is_none(t)) return TERM_NIL;
    memcpy(to, r->left, r->left_count);
    if (n > 0) memcpy(to + r->left_count, at, n);
    return t;
}

/* Completes the character whose start was left over, with bytes from `at`; how many it took. */
static size_t chars_complete(CharsReader *r, const uint8_t *at, size_t n, CharsEnd *end)
{
    uint8_t both[8];
    size_t more = n < 4 ? n : 4;
    memcpy(both, r->left, r->left_count);
    memcpy(both + r->left_count, at, more);
    uint32_t c;
    size_t took = chars_get(r->in, both, r->left_count + more, &c);
    if (took > 0 && chars_put(r, c)) {
        took -= r->left_count;
        r->left_count = 0;
        return took;
    }
    if (took == 0 && more == n && chars_is_start(r->in, both, r->left_count + more)) {
        memcpy(r->left + r->left_count, at, more);
        r->left_count += more;
        return n;
    }
    r->rest = chars_rest_binary(r, at, n);
    *end = CHARS_ERROR;
    return 0;
}

static CharsEnd chars_bytes(CharsReader *r, const uint8_t *at, size_t n)
{
    size_t i = 0;
    CharsEnd end = CHARS_ALL;
    if (r->left_count > 0 && n > 0) i = chars_complete(r, at, n, &end);
    if (end == CHARS_ALL && r->left_count == 0) i += chars_run_bytes(r, at + i, n - i);
    while (end == CHARS_ALL && i < n) {
        uint32_t c;
        size_t took = chars_get(r->in, at + i, n - i, &c);
        if (took > 0 && chars_put(r, c)) {
            i += took;
        } else if (took == 0 && n - i < 4 && chars_is_start(r->in, at + i, n - i)) {
            memcpy(r->left, at + i, n - i);
            r->left_count = n - i;
            i = n;
        } else {
            r->rest = chars_rest_binary(r, at + i, n - i);
            end = CHARS_ERROR;
        }
    }
    return end;
}

static CharsEnd chars_binary(CharsReader *r, Term t)
{
    size_t n = binary_bytes(t);
    if (n > r->budget) return CHARS_LONG;
    r->budget -= n;
    uint8_t *scratch;
    const uint8_t *at = binary_aligned(t, r->heap->mem, &n, &scratch);
    if (at == NULL) return CHARS_BADARG;
    CharsEnd end = chars_bytes(r, at, n);
    if (scratch != NULL) mem_free(r->heap->mem, MEM_WORK, scratch, n == 0 ? 1 : n);
    return end;
}

/* An integer of a list: a code point, or a Latin-1 character. */
static CharsEnd chars_integer(CharsReader *r, Term t, Term list)
{
    int64_t c = term_is_small(t) ? small_value(t) : -1;
    bool good = chars_is_scalar(c) && (r->in != CHARS_LATIN1 || c <= 255);
    if (r->left_count > 0) {
        r->rest = list;
        if (r->wraps) r->rest = heap_cons(r->heap, chars_rest_binary(r, NULL, 0), list);
        r->left_leads = !r->wraps;
        return CHARS_ERROR;
    }
    if (good && chars_put(r, (uint32_t)c)) return CHARS_ALL;
    r->rest = list;
    /* Not of the target, or of Latin-1 on either side: OTP tells it in a list of its own. */
    if (good || r->out == CHARS_LATIN1 || (r->wraps && r->in == CHARS_LATIN1)) {
        Term one = heap_cons(r->heap, t, TERM_NIL);
        Term rest = term_is_none(one) ? TERM_NONE : heap_cons(r->heap, one, list_tail(list));
        if (!term_is_none(rest)) r->rest = rest;
    }
    return CHARS_ERROR;
}

/* What was not converted, inside the lists it stood in: [Rest | Tail] for each of them. */
static Term chars_wrap_rest(CharsReader *r, Walk *tails)
{
    Term rest = r->rest;
    while (!walk_is_empty(tails)) {
        rest = heap_cons(r->heap, rest, TERM_RAW(walk_pop(tails)));
        if (term_is_none(rest)) return TERM_NIL;
    }
    return rest;
}

static CharsEnd chars_leaf(CharsReader *r, Term t, Term list)
{
    if (term_is_binary(t)) return chars_binary(r, t);
    if (term_is_integer(t) && term_is_cons(list)) return chars_integer(r, t, list);
    return term_is_nil(t) ? CHARS_ALL : CHARS_BADARG;
}

static CharsEnd chars_data(CharsReader *r, Term t)
{
    Walk tails;
    walk_init(&tails, r->heap->mem);
    CharsEnd end = CHARS_ALL;
    for (;;) {
        while (end == CHARS_ALL && term_is_cons(t)) {
            if (r->left_count == 0) t = chars_run_list(r, t);
            if (!term_is_cons(t)) break;
            if (r->budget == 0) {
                end = CHARS_LONG;
                break;
            }
            r->budget--;
            Term list = t;
            Term head = list_head(t);
            t = list_tail(t);
            if (term_is_cons(head)) {
                walk_push(&tails, t.w);
                t = head;
            } else {
                end = chars_leaf(r, head, list);
                if (end == CHARS_ERROR && term_is_binary(head)) walk_push(&tails, t.w);
            }
        }
        if (end == CHARS_ALL) end = chars_leaf(r, t, TERM_NIL);
        if (end != CHARS_ALL || walk_is_empty(&tails)) break;
        t = TERM_RAW(walk_pop(&tails));
    }
    if (end == CHARS_ERROR) r->rest = chars_wrap_rest(r, &tails);
    if (r->left_leads) {
        r->rest = heap_cons(r->heap, r->rest, TERM_NIL);
        r->rest = heap_cons(r->heap, chars_rest_binary(r, NULL, 0), r->rest);
    }
    walk_free(&tails);
    if (end == CHARS_ALL && r->left_count > 0) {
        r->rest = chars_rest_binary(r, NULL, 0);
        end = CHARS_INCOMPLETE;
    }
    return end;
}

/* The code points of 4 bytes in `to` as a list. */
static Term chars_list(CharsReader *r)
{
    size_t n = r->to.count / 4;
    if (n == 0) return TERM_NIL;
    Word *at = heap_alloc(r->heap, 2 * n);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++) {
        uint32_t c;
        memcpy(&c, r->to.at + 4 * i, 4);
        Word *cell = at + 2 * i;
        cons_at(cell, small_from((int64_t)c), i + 1 < n ? cons_from(cell + 2) : TERM_NIL);
    }
    return cons_from(at);
}

/* The whole conversion; TERM_NONE: *end and no memory tell why. */
static Term chars_all(CharsReader *r, Term data, CharsEnd *end)
{
    *end = chars_data(r, data);
    Term done = TERM_NONE;
    if (*end != CHARS_BADARG && *end != CHARS_LONG)
        done = r->out == CHARS_UNKNOWN ? chars_list(r)
                                       : binary_from_bytes(r->heap, r->to.at, r->to.count);
    bytes_free(&r->to);
    if (*end == CHARS_ALL || term_is_none(done)) return done;
    Term tag = *end == CHARS_ERROR ? TERM_ATOM(ERROR) : TERM_ATOM(INCOMPLETE);
    return heap_tuple3(r->heap, tag, done, r->rest);
}

static CharsReader chars_reader(Heap *h, CharEncoding in, CharEncoding out, size_t budget)
{
    CharsReader r = {.heap = h, .budget = budget, .in = in, .out = out, .rest = TERM_NIL};
    bytes_init(&r.to, h->mem, MEM_WORK);
    r.wraps = in > CHARS_UTF8 || (out != CHARS_UTF8 && out != CHARS_UNKNOWN);
    return r;
}

static void chars_run(Offload *o)
{
    CharsReader r = chars_reader(&o->heap, (CharEncoding)(o->number & 0xFF),
                                 (CharEncoding)(o->number >> 8), SIZE_MAX);
    CharsEnd end;
    o->out = chars_all(&r, o->in[0], &end);
    o->why = end == CHARS_BADARG ? TASK_BADARG : TASK_NO_ROOM;
}

static BifResult chars_convert(Process *p, CharEncoding in, CharEncoding out)
{
    if (in == CHARS_UNKNOWN) return raise_badarg(p);
    CharsEnd end = CHARS_LONG;
    if (!task_is_pooled(p)) {
        CharsReader r = chars_reader(&p->heap, in, out, CHARS_AT_ONCE);
        Term done = chars_all(&r, arg(p, 0), &end);
        bif_charge(p, (int64_t)(CHARS_AT_ONCE - r.budget) / 8);
        if (!term_is_none(done)) return done;
    }
    if (end == CHARS_LONG)
        return task_pool(p, chars_run, (const Term[]){arg(p, 0)}, 1,
                         (int64_t)in | (int64_t)out << 8);
    return end == CHARS_BADARG ? raise_badarg(p) : raise_system_limit(p);
}

bool bif_characters_put(Process *p, Term t, Bytes *to)
{
    CharsReader r = chars_reader(&p->heap, CHARS_UTF8, CHARS_UTF8, SIZE_MAX);
    r.to = *to;
    CharsEnd end = chars_data(&r, t);
    *to = r.to;
    return end == CHARS_ALL;
}

static BifResult chars_to_binary(Process *p, CharEncoding in, CharEncoding out)
{
    return out == CHARS_UNKNOWN ? raise_badarg(p) : chars_convert(p, in, out);
}

BifResult bif_characters_to_binary_1(Process *p)
{
    return chars_to_binary(p, CHARS_UTF8, CHARS_UTF8);
}
BifResult bif_characters_to_binary_2(Process *p)
{
    return chars_to_binary(p, chars_encoding(arg(p, 1)), CHARS_UTF8);
}
BifResult bif_characters_to_binary_3(Process *p)
{
    return chars_to_binary(p, chars_encoding(arg(p, 1)), chars_encoding(arg(p, 2)));
}
BifResult bif_characters_to_list_1(Process *p)
{
    return chars_convert(p, CHARS_UTF8, CHARS_UNKNOWN);
}
BifResult bif_characters_to_list_2(Process *p)
{
    return chars_convert(p, chars_encoding(arg(p, 1)), CHARS_UNKNOWN);
}

static bool chars_is_7bit(Term binary)
{
    BitView v = binary_view(binary);
    size_t i = 0;
    if (v.offset == 0)
        while (v.bits - i >= 64 && utf8_is_ascii8(v.at + i / 8)) i += 64;
    for (; i < v.bits; i += 8)
        if (bits_get_uint64(v.at, v.offset + i, 8) > 127) return false;
    return true;
}

static void is_7bit_run(Offload *o) { o->out = term_bool(chars_is_7bit(o->in[0])); }

/* unicode:bin_is_7bit/1 */
BifResult bif_bin_is_7bit(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_binary(t)) return TERM_FALSE;
    if (binary_bytes(t) > OFFLOAD_BYTES)
        return task_pool(p, is_7bit_run, (const Term[]){t}, 1, 0);
    bif_charge(p, (int64_t)(binary_bytes(t) / 16));
    return term_bool(chars_is_7bit(t));
}

/* ---- normal forms ---- */

static int chars_form(Term form)
{
    if (term_same(form, TERM_ATOM(NFC))) return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    if (term_same(form, TERM_ATOM(NFD))) return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    if (term_same(form, TERM_ATOM(NFKC)))
        return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    if (term_same(form, TERM_ATOM(NFKD)))
        return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
    return -1;
}

/* The list in that form; TERM_NONE: *why. */
static Term chars_normal(Heap *h, int options, Term characters, int *why)
{
    Bytes from = {.mem = h->mem, .tag = MEM_WORK};
    uint8_t *to = NULL;
    ssize_t n = -1;
    if (list_to_utf8(characters, &from))
        n = utf8proc_map(from.at, (ssize_t)from.count, &to, (utf8proc_option_t)options);
    bytes_free(&from);
    *why = n < 0 ? TASK_BADARG : TASK_NO_ROOM;
    if (n < 0) return TERM_NONE;
    Term list = list_from_utf8(h, to, (size_t)n, TERM_NIL);
    free(to);
    return list;
}

static void normal_run(Offload *o)
{
    o->out = chars_normal(&o->heap, (int)o->number, o->in[0], &o->why);
}

/* Longer lists go to the blocking pool. */
#define NORMAL_AT_ONCE 300

/* Has every normal form these characters as they are?  Composed forms leave what is below U+0300,
 * the compatible and decomposed ones ASCII alone. */
static bool chars_is_normal(Term list, int options, size_t most)
{
    int64_t end = options == (UTF8PROC_STABLE | UTF8PROC_COMPOSE) ? 0x300 : 0x80;
    for (; most > 0 && term_is_cons(list); list = list_tail(list), most--) {
        Term c = list_head(list);
        if (!term_is_small(c) || small_value(c) < 0 || small_value(c) >= end) return false;
    }
    return term_is_nil(list);
}

/* Characters that are looked at in that way at once. */
#define NORMAL_QUICK 10000

/* mote_uni:normalize(Form, Characters): the list in that form; badarg if it is
 * no list of characters. */
BifResult bif_uni_normalize(Process *p)
{
    int options = chars_form(arg(p, 0));
    if (options < 0) return raise_badarg(p);
    if (!task_is_pooled(p) && chars_is_normal(arg(p, 1), options, NORMAL_QUICK)) {
        bif_charge(p, NORMAL_AT_ONCE / 2);
        return arg(p, 1);
    }
    if (task_is_pooled(p) || task_list_is_longer(arg(p, 1), NORMAL_AT_ONCE))
        return task_pool(p, normal_run, (const Term[]){arg(p, 1)}, 1, options);
    int why;
    Term list = chars_normal(&p->heap, options, arg(p, 1), &why);
    bif_charge(p, NORMAL_AT_ONCE / 2);
    if (!term_is_none(list)) return list;
    return why == TASK_BADARG ? raise_badarg(p) : raise_system_limit(p);
}
