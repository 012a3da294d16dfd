#include "vm/bif/chars.h"

#include "vm/base/utf8.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"

#include <string.h>

static bool chars_is_scalar(int64_t c)
{
    return c >= 0 && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

/* Appends one character in the target's encoding; false if it has none there. */
static bool chars_put(CharsWalk *w, uint32_t c)
{
    size_t bits;
    switch (w->out) {
    case CHARS_LATIN1:
        if (c > 255) return false;
        bytes_put_u8(&w->to, (uint8_t)c);
        return true;
    case CHARS_UTF8:
        bits = bits_utf8_size(c);
        bits_put_utf8(bytes_extend(&w->to, bits / 8), 0, c);
        return true;
    case CHARS_UTF16_BIG:
    case CHARS_UTF16_LITTLE:
        bits = bits_utf16_size(c);
        bits_put_utf16(bytes_extend(&w->to, bits / 8), 0, c, w->out == CHARS_UTF16_LITTLE);
        return true;
    case CHARS_UTF32_BIG:
    case CHARS_UTF32_LITTLE:
        bits_put_utf32(bytes_extend(&w->to, 4), 0, c, w->out == CHARS_UTF32_LITTLE);
        return true;
    case CHARS_UNKNOWN: memcpy(bytes_extend(&w->to, 4), &c, 4); return true;
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

/* Characters of a run. */
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
static size_t chars_run_bytes(CharsWalk *w, const uint8_t *at, size_t n)
{
    if (w->in == CHARS_UTF8 && w->out == CHARS_UTF8) {
        size_t good = utf8_valid_prefix(at, n);
        bytes_put(&w->to, at, good);
        return good;
    }
    if (w->in > CHARS_UTF8 || (w->out != CHARS_UTF8 && w->out != CHARS_UNKNOWN)) return 0;
    const uint8_t *from = at;
    for (;;) {
        uint32_t points[CHARS_RUN];
        size_t count = w->in == CHARS_UTF8
                           ? chars_points(&from, at + n, points, CHARS_RUN)
                           : chars_latin1_points(&from, at + n, points, CHARS_RUN);
        if (w->out == CHARS_UNKNOWN) {
            bytes_put(&w->to, points, 4 * count);
        } else {
            bytes_reserve(&w->to, UTF8_MAX * count);
            for (size_t i = 0; i < count; i++)
                w->to.count += (size_t)utf8_encode(points[i], w->to.at + w->to.count);
        }
        if (count < CHARS_RUN) return (size_t)(from - at);
    }
}

/* As many characters at the start of a list as are plain, a run at most; how many.  There is
 * room for them. */
static size_t chars_run_list(CharsWalk *w)
{
    if (w->out != CHARS_UTF8 && w->out != CHARS_UNKNOWN) return 0;
    uint64_t most = w->in == CHARS_LATIN1 ? 0xFF : 0x10FFFF;
    uint8_t *to = w->to.at + w->to.count;
    Term t = w->at;
    size_t n = 0;
    for (; n < CHARS_RUN && term_is_cons(t); n++, t = list_tail(t)) {
        Term head = list_head(t);
        uint64_t c = term_is_small(head) ? (uint64_t)small_value(head) : UINT64_MAX;
        if (c > most || (c >= 0xD800 && c <= 0xDFFF)) break;
        uint32_t point = (uint32_t)c;
        if (w->out == CHARS_UNKNOWN) {
            memcpy(to, &point, 4);
            to += 4;
        } else if (point < 0x80) {
            *to++ = (uint8_t)point;
        } else {
            to += utf8_encode(point, to);
        }
    }
    w->at = t;
    w->to.count = (size_t)(to - w->to.at);
    return n;
}

/* ---- what could not be converted ---- */

/* The bytes that were left followed by those of the leaf from `at` on, as a binary. */
static Term chars_rest_binary(CharsWalk *w, size_t at)
{
    BitView v = term_is_none(w->leaf) ? (BitView){0} : binary_view(w->leaf);
    Term t;
    if (w->left_here == w->left_count && v.bits > 0) {
        at -= w->left_count;
        t = binary_part(w->heap, w->leaf, 8 * at, v.bits - 8 * at);
    } else {
        size_t n = v.bits / 8 - at;
        uint8_t *to;
        t = binary_new(w->heap, 8 * (w->left_count + n), &to);
        if (term_is_none(t)) return TERM_NIL;
        memcpy(to, w->left, w->left_count);
        if (n > 0) bits_copy(to, 8 * w->left_count, v.at, v.offset + 8 * at, 8 * n);
    }
    return term_is_none(t) ? TERM_NIL : t;
}

static void chars_fail(CharsWalk *w, Term rest)
{
    w->failed = true;
    w->rest = rest;
}

/* The bytes that were left come from further up, and nothing goes on with them: OTP tells them
 * and all that follows as two elements. */
static bool chars_is_cut(const CharsWalk *w)
{
    return !w->wraps && w->left_count > 0 && w->left_here != w->left_count;
}

/* The leaf cannot go on at its byte `at`. */
static void chars_fail_leaf(CharsWalk *w, size_t at)
{
    chars_fail(w, chars_is_cut(w) ? w->leaf : chars_rest_binary(w, at));
    if (w->leaf_in_list) walk_push(&w->tails, w->at.w);
    w->leaf = TERM_NONE;
}

/* What was not converted, inside the lists it stood in: [Rest | Tail] for each of them. */
static CharsStep chars_wrap_rest(CharsWalk *w, size_t *budget)
{
    for (; !walk_is_empty(&w->tails) && !term_is_none(w->rest); --*budget) {
        if (*budget == 0) return CHARS_MORE;
        w->rest = heap_cons(w->heap, w->rest, TERM_RAW(walk_pop(&w->tails)));
    }
    w->leaf = TERM_NONE;
    if (chars_is_cut(w) && !term_is_none(w->rest))
        w->rest =
            list_from_array(w->heap, (Term[]){chars_rest_binary(w, 0), w->rest}, 2, TERM_NIL);
    return term_is_none(w->rest) ? CHARS_NO_ROOM : CHARS_ERROR;
}

/* ---- binaries ---- */

/* Bytes of a binary that are taken at once. */
#define CHARS_PART 2048

/* Completes the character whose start was left over, with bytes from `at`; how many it took; 0:
 * it cannot be. */
static size_t chars_complete(CharsWalk *w, const uint8_t *at, size_t n)
{
    uint8_t both[8];
    size_t more = n < 4 ? n : 4;
    memcpy(both, w->left, w->left_count);
    memcpy(both + w->left_count, at, more);
    uint32_t c;
    size_t took = chars_get(w->in, both, w->left_count + more, &c);
    if (took > 0 && chars_put(w, c)) {
        took -= w->left_count;
        w->left_count = w->left_here = 0;
        return took;
    }
    if (took != 0 || more != n || !chars_is_start(w->in, both, w->left_count + more)) return 0;
    memcpy(w->left + w->left_count, at, more);
    if (w->left_here == w->left_count) w->left_here += more;
    w->left_count += more;
    return n;
}

/* Converts bytes; how many are done.  Fewer than n: there is no character. */
static size_t chars_bytes(CharsWalk *w, const uint8_t *at, size_t n)
{
    size_t i = 0;
    if (w->left_count > 0) {
        i = chars_complete(w, at, n);
        if (i == 0) return 0;
    }
    if (w->left_count == 0) i += chars_run_bytes(w, at + i, n - i);
    while (i < n) {
        uint32_t c;
        size_t took = chars_get(w->in, at + i, n - i, &c);
        if (took > 0 && chars_put(w, c)) {
            i += took;
        } else if (took == 0 && n - i < 4 && chars_is_start(w->in, at + i, n - i)) {
            memcpy(w->left, at + i, n - i);
            w->left_count = w->left_here = n - i;
            i = n;
        } else {
            break;
        }
    }
    return i;
}

/* Room for what `n` bytes or characters become, and a character before them. */
static BytesRoom chars_room(CharsWalk *w, size_t n, size_t *budget)
{
    size_t more = 4 * n + 8;
    if (w->to.room - w->to.count >= more) return BYTES_ROOM;
    /* Moving a byte is some ten times as fast as converting one. */
    size_t bytes = *budget < SIZE_MAX / 8 ? 8 * *budget + CHARS_PART : SIZE_MAX;
    size_t left = bytes;
    BytesRoom room = bytes_make_room(&w->to, &w->move, more, &left);
    size_t used = (bytes - left) / 8;
    *budget -= *budget < used ? *budget : used;
    return room;
}

/* One part of the leaf. */
static CharsStep chars_leaf(CharsWalk *w, size_t *budget)
{
    BitView v = binary_view(w->leaf);
    size_t n = v.bits / 8 - w->leaf_at;
    if (n > CHARS_PART) n = CHARS_PART;
    BytesRoom room = chars_room(w, n, budget);
    if (room != BYTES_ROOM) return room == BYTES_MOVING ? CHARS_MORE : CHARS_NO_ROOM;
    *budget -= *budget < n ? *budget : n;
    uint8_t aligned[CHARS_PART];
    const uint8_t *at = v.at + w->leaf_at;
    if (v.offset != 0) {
        bits_copy(aligned, 0, v.at, v.offset + 8 * w->leaf_at, 8 * n);
        at = aligned;
    }
    size_t done = chars_bytes(w, at, n);
    if (done < n) {
        chars_fail_leaf(w, w->leaf_at + done);
        return CHARS_ALL;
    }
    w->leaf_at += n;
    if (8 * w->leaf_at == v.bits) {
        w->leaf = TERM_NONE;
        w->left_here = 0;
    }
    return CHARS_ALL;
}

/* ---- lists ---- */

/* An integer, the head of `list`: a code point, or a Latin-1 character. */
static void chars_integer(CharsWalk *w, Term t, Term list)
{
    int64_t c = term_is_small(t) ? small_value(t) : -1;
    bool good = chars_is_scalar(c) && (w->in != CHARS_LATIN1 || c <= 255);
    if (w->left_count > 0) {
        w->left_here = 0;
        Term rest = list;
        if (w->wraps) rest = heap_cons(w->heap, chars_rest_binary(w, 0), list);
        chars_fail(w, rest);
        return;
    }
    if (good && chars_put(w, (uint32_t)c)) return;
    chars_fail(w, list);
    /* Not of the target, or of Latin-1 on either side: OTP tells it in a list of its own. */
    if (!good && w->out != CHARS_LATIN1 && !(w->wraps && w->in == CHARS_LATIN1)) return;
    Term one = heap_cons(w->heap, t, TERM_NIL);
    Term rest = term_is_none(one) ? TERM_NONE : heap_cons(w->heap, one, list_tail(list));
    if (!term_is_none(rest)) w->rest = rest;
}

/* What is neither a list nor an integer; false: it is no such data. */
static bool chars_begin_leaf(CharsWalk *w, Term t, bool in_list)
{
    if (term_is_nil(t)) return true;
    if (!term_is_binary(t)) return false;
    if (binary_bits(t) == 0) return true;
    w->leaf = t;
    w->leaf_at = 0;
    w->leaf_in_list = in_list;
    return true;
}

/* The head of `at` is an integer: it and those that follow. */
static CharsStep chars_integers(CharsWalk *w, size_t *budget)
{
    BytesRoom room = chars_room(w, CHARS_RUN, budget);
    if (room != BYTES_ROOM) return room == BYTES_MOVING ? CHARS_MORE : CHARS_NO_ROOM;
    size_t n = w->left_count == 0 ? chars_run_list(w) : 0;
    if (n == 0) {
        Term cell = w->at;
        w->at = list_tail(cell);
        chars_integer(w, list_head(cell), cell);
    }
    *budget -= *budget < n ? *budget : n;
    return CHARS_ALL;
}

/* The next cell, or several. */
static CharsStep chars_cell(CharsWalk *w, size_t *budget)
{
    Term head = list_head(w->at);
    if (term_is_integer(head)) return chars_integers(w, budget);
    w->at = list_tail(w->at);
    if (term_is_cons(head)) {
        walk_push(&w->tails, w->at.w);
        w->at = head;
        return CHARS_ALL;
    }
    return chars_begin_leaf(w, head, true) ? CHARS_ALL : CHARS_BADARG;
}

/* CHARS_ALL: go on. */
static CharsStep chars_next(CharsWalk *w, size_t *budget)
{
    if (!term_is_none(w->leaf)) return chars_leaf(w, budget);
    if (term_is_cons(w->at)) return chars_cell(w, budget);
    Term t = w->at;
    w->at = TERM_NIL;
    if (!chars_begin_leaf(w, t, false)) return CHARS_BADARG;
    if (term_is_none(w->leaf) && !walk_is_empty(&w->tails))
        w->at = TERM_RAW(walk_pop(&w->tails));
    return CHARS_ALL;
}

static bool chars_is_over(const CharsWalk *w)
{
    return term_is_none(w->leaf) && term_is_nil(w->at) && walk_is_empty(&w->tails);
}

CharsStep chars_step(CharsWalk *w, size_t *budget)
{
    while (!w->failed && !chars_is_over(w)) {
        if (*budget == 0) return CHARS_MORE;
        --*budget;
        CharsStep step = chars_next(w, budget);
        if (step != CHARS_ALL) return step;
    }
    if (w->failed) return chars_wrap_rest(w, budget);
    if (w->left_count == 0) return CHARS_ALL;
    w->rest = chars_rest_binary(w, 0);
    return CHARS_INCOMPLETE;
}

void chars_begin(CharsWalk *w, Heap *h, Term t, CharEncoding in, CharEncoding out, Bytes to)
{
    w->heap = h;
    w->in = in;
    w->out = out;
    w->wraps = in > CHARS_UTF8 || (out != CHARS_UTF8 && out != CHARS_UNKNOWN);
    w->failed = false;
    w->leaf_in_list = false;
    w->at = t;
    w->leaf = TERM_NONE;
    w->leaf_at = 0;
    w->rest = TERM_NIL;
    w->left_count = w->left_here = 0;
    w->to = to;
    w->move = (BytesMove){0};
    walk_init(&w->tails, h->mem);
}

void chars_end(CharsWalk *w)
{
    bytes_move_free(&w->to, &w->move);
    bytes_free(&w->to);
    walk_free(&w->tails);
}
