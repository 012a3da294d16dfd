/* Built-ins of mote_string: what string does with plain characters, printable ones of ASCII, which
 * are grapheme clusters by themselves unless one beyond ASCII follows; and parts of binaries. */
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"
#include "vm/term/tuple.h"

#define STRING_RATE 8 /* elements that a reduction pays for */

/* ---- runs of plain characters ---- */

/* Elements that plain/2 looks at. */
#define STRING_PLAIN_MOST 4000

static bool string_is_plain(Term t)
{
    return term_is_small(t) && small_value(t) >= ' ' && small_value(t) < 127;
}

/* plain(List, Stop): {N, Rest}, where N elements at the start are plain characters, none of them
 * Stop, and another plain one or the end follows each.  Not more than STRING_PLAIN_MOST at once. */
BifResult bif_string_plain(Process *p)
{
    Term rest = arg(p, 0);
    Term stop = arg(p, 1);
    int64_t n = 0;
    while (n < STRING_PLAIN_MOST && term_is_cons(rest)) {
        Term c = list_head(rest);
        Term next = list_tail(rest);
        if (!string_is_plain(c) || term_same(c, stop)) break;
        if (term_is_cons(next) ? !string_is_plain(list_head(next)) : !term_is_nil(next)) break;
        rest = next;
        n++;
    }
    bif_charge(p, n / STRING_RATE);
    Term t = heap_tuple2(&p->heap, small_from(n), rest);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* is_unescaped(List, Quote): is it a string of plain characters that stands between such quotes
 * as it is?  Not of more than STRING_PLAIN_MOST. */
BifResult bif_string_is_unescaped(Process *p)
{
    Term rest = arg(p, 0);
    size_t n = 0;
    for (; term_is_cons(rest) && n < STRING_PLAIN_MOST; rest = list_tail(rest), n++) {
        Term c = list_head(rest);
        if (!string_is_plain(c) || term_same(c, arg(p, 1)) || small_value(c) == '\\') break;
    }
    bif_charge(p, (int64_t)(n / STRING_RATE));
    return term_bool(term_is_nil(rest));
}

/* ---- case ---- */

typedef struct StringCase {
    Pause pause; /* first */
    Term rest;
    ListBuilder list;
} StringCase;

static void string_case_release(Pause *pause, Process *p)
{
    task_free(pause, sizeof(StringCase), p);
}

/* upper(List), lower(List): ASCII in that case; `other` if there is anything else in it. */
static BifResult string_case(Process *p, int64_t first, int64_t last)
{
    StringCase here;
    StringCase *s = (StringCase *)pause_find(p, string_case_release);
    if (s == NULL) {
        s = &here;
        *s = (StringCase){.rest = arg(p, 0), .list = list_builder(&p->heap)};
    }
    size_t budget = task_budget(p, STRING_RATE);
    size_t left = budget;
    bool good = true;
    for (; left > 0 && term_is_cons(s->rest); left--, s->rest = list_tail(s->rest)) {
        Term t = list_head(s->rest);
        int64_t c = term_is_small(t) ? small_value(t) : -1;
        good = c >= 0 && c < 128;
        if (!good) break;
        list_add(&s->list, small_from(c >= first && c <= last ? c ^ 0x20 : c));
    }
    task_charge(p, budget, left, STRING_RATE);
    if (good && term_is_cons(s->rest)) {
        (void)task_keep(p, s, sizeof *s, string_case_release);
        return bif_yield(p);
    }
    good = good && term_is_nil(s->rest);
    Term result = good ? list_finish(&s->list, TERM_NIL) : TERM_ATOM(OTHER);
    task_end(p, &s->pause, string_case_release);
    return term_is_none(result) ? raise_system_limit(p) : result;
}

BifResult bif_string_upper(Process *p) { return string_case(p, 'a', 'z'); }
BifResult bif_string_lower(Process *p) { return string_case(p, 'A', 'Z'); }

/* ---- parts ---- */

typedef struct StringParts {
    Pause pause; /* first */
    Term rest;
    size_t from; /* where the next part begins, in bytes */
    ListBuilder list;
} StringParts;

static void string_parts_release(Pause *pause, Process *p)
{
    task_free(pause, sizeof(StringParts), p);
}

/* A match {At, Length}, behind the byte `from`; false: it is none. */
static bool string_match(Term match, size_t from, size_t size, size_t *at, size_t *n)
{
    if (!term_is_tuple_of(match, 2) || !term_is_small(tuple_at(match, 0))
        || !term_is_small(tuple_at(match, 1)))
        return false;
    int64_t begin = small_value(tuple_at(match, 0));
    int64_t length = small_value(tuple_at(match, 1));
    if (begin < (int64_t)from || length < 0 || begin > (int64_t)size
        || length > (int64_t)size - begin)
        return false;
    *at = (size_t)begin;
    *n = (size_t)length;
    return true;
}

/* One more part, up to a match; false: it is none. */
static bool string_part(Process *p, StringParts *s, Term match)
{
    size_t at;
    size_t n;
    if (!string_match(match, s->from, binary_bytes(arg(p, 0)), &at, &n)) return false;
    list_add(&s->list, binary_part(&p->heap, arg(p, 0), 8 * s->from, 8 * (at - s->from)));
    s->from = at + n;
    return true;
}

/* Parts of binaries that a reduction pays for. */
#define STRING_PARTS_RATE 1

/* parts(Binary, [{At, Length}]): what stands around the matches. */
BifResult bif_string_parts(Process *p)
{
    StringParts here;
    StringParts *s = (StringParts *)pause_find(p, string_parts_release);
    if (s == NULL) {
        if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
        s = &here;
        *s = (StringParts){.rest = arg(p, 1), .list = list_builder(&p->heap)};
    }
    size_t budget = task_budget(p, STRING_PARTS_RATE);
    size_t left = budget;
    bool good = true;
    for (; good && left > 0 && term_is_cons(s->rest); left--, s->rest = list_tail(s->rest))
        good = string_part(p, s, list_head(s->rest));
    task_charge(p, budget, left, STRING_PARTS_RATE);
    if (good && term_is_cons(s->rest)) {
        (void)task_keep(p, s, sizeof *s, string_parts_release);
        return bif_yield(p);
    }
    size_t bytes = binary_bytes(arg(p, 0)) - s->from;
    Term last = binary_part(&p->heap, arg(p, 0), 8 * s->from, 8 * bytes);
    list_add(&s->list, last);
    Term result = list_finish(&s->list, TERM_NIL);
    task_end(p, &s->pause, string_parts_release);
    if (!good) return raise_badarg(p);
    return term_is_none(result) ? raise_system_limit(p) : result;
}

/* ---- replacing ---- */

/* Bytes of a binary that are to be copied into the result. */
typedef struct StringPiece {
    Term binary;
    size_t from;
    size_t n;
} StringPiece;

/* A first walk over the matches tells the size of the result, a second one fills it. */
typedef struct StringReplace {
    Pause pause; /* first */
    Term rest;
    size_t from;  /* where the next part begins, in bytes */
    size_t total; /* bytes of the result, while it is not there */
    Term result;
    uint8_t *to;
    StringPiece piece[2]; /* the last match's, the first one first */
    bool ends;            /* what follows the last match is among them */
} StringReplace;

static void string_replace_release(Pause *pause, Process *p)
{
    task_free(pause, sizeof(StringReplace), p);
}

/* Bytes that are copied without a look at the slice, and bytes that a step pays for. */
#define STRING_COPY_MOST 65536
#define STRING_COPY_RATE 64

/* Copies pieces until there are none, or the slice is spent: false. */
static bool string_put_pieces(StringReplace *s, size_t *budget)
{
    for (StringPiece *piece = s->piece; piece < s->piece + 2; piece++) {
        while (piece->n > 0) {
            if (*budget == 0) return false;
            size_t n = piece->n < STRING_COPY_MOST ? piece->n : STRING_COPY_MOST;
            BitView v = binary_view(piece->binary);
            size_t bit = v.offset + 8 * piece->from;
            bits_copy(s->to, 0, v.at + bit / 8, bit % 8, 8 * n);
            s->to += n;
            piece->from += n;
            piece->n -= n;
            size_t cost = n / STRING_COPY_RATE;
            *budget -= cost < *budget ? cost : *budget;
        }
    }
    return true;
}

/* A match; what stands before it and what replaces it is counted or to be put; false: it is
 * none. */
static bool string_replace_match(Process *p, StringReplace *s, Term match)
{
    size_t at;
    size_t n;
    if (!string_match(match, s->from, binary_bytes(arg(p, 0)), &at, &n)) return false;
    size_t bytes = at - s->from;
    size_t more = binary_bytes(arg(p, 2));
    if (!term_is_none(s->result)) {
        s->piece[0] = (StringPiece){arg(p, 0), s->from, bytes};
        s->piece[1] = (StringPiece){arg(p, 2), 0, more};
    } else if (s->total <= BINARY_MAX_BYTES) {
        s->total += bytes + more;
    }
    s->from = at + n;
    return true;
}

typedef enum StringEnd { STRING_MORE, STRING_DONE, STRING_BAD, STRING_NO_ROOM } StringEnd;

/* The matches have come to their end: a binary for the result, or the piece behind the last. */
static StringEnd string_replace_turn(Process *p, StringReplace *s)
{
    size_t bytes = binary_bytes(arg(p, 0)) - s->from;
    if (!term_is_none(s->result)) {
        if (s->ends) return STRING_DONE;
        s->piece[0] = (StringPiece){arg(p, 0), s->from, bytes};
        s->ends = true;
        return STRING_MORE;
    }
    s->total += bytes;
    if (s->total > BINARY_MAX_BYTES) return STRING_NO_ROOM;
    s->rest = arg(p, 1);
    s->from = 0;
    s->result = binary_new(&p->heap, 8 * s->total, &s->to);
    return term_is_none(s->result) ? STRING_NO_ROOM : STRING_MORE;
}

/* Goes on while the slice lasts. */
static StringEnd string_replace_run(Process *p, StringReplace *s, size_t *budget)
{
    while (*budget > 0) {
        if (!string_put_pieces(s, budget)) break;
        if (term_is_cons(s->rest)) {
            --*budget;
            if (!string_replace_match(p, s, list_head(s->rest))) return STRING_BAD;
            s->rest = list_tail(s->rest);
        } else {
            StringEnd end = string_replace_turn(p, s);
            if (end != STRING_MORE) return end;
        }
    }
    return STRING_MORE;
}

/* replace(Binary, [{At, Length}], New): New in the place of each match. */
BifResult bif_string_replace(Process *p)
{
    StringReplace here;
    StringReplace *s = (StringReplace *)pause_find(p, string_replace_release);
    if (s == NULL) {
        if (!term_is_binary(arg(p, 0)) || !term_is_binary(arg(p, 2))) return raise_badarg(p);
        s = &here;
        *s = (StringReplace){.rest = arg(p, 1), .result = TERM_NONE};
    }
    size_t budget = task_budget(p, STRING_RATE);
    size_t left = budget;
    StringEnd end = string_replace_run(p, s, &left);
    task_charge(p, budget, left, STRING_RATE);
    if (end == STRING_MORE) {
        (void)task_keep(p, s, sizeof *s, string_replace_release);
        return bif_yield(p);
    }
    Term result = s->result;
    task_end(p, &s->pause, string_replace_release);
    if (end == STRING_BAD) return raise_badarg(p);
    return end == STRING_DONE ? result : raise_system_limit(p);
}
