/* Built-ins that make a binary of a binary, in slices: base 64, hexadecimal digits, ASCII in upper
 * and lower case. */
#include "vm/bif/task.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"

/* Where a conversion stands.  The result is filled where nobody else sees it. */
typedef struct Recode {
    Pause pause; /* first */
    Mem *mem;
    const uint8_t *from;
    size_t n;         /* bytes of it */
    size_t at;        /* of which so many are done */
    uint8_t *scratch; /* a copy of the argument on a byte border, or NULL */
    Term result;
    uint8_t *to;
    size_t out;     /* bytes written */
    unsigned flags; /* of the function: RECODE_… */
    /* base 64 backwards: letters of a group so far, and what may follow */
    uint32_t group;
    unsigned letters;
    enum { RECODE_LETTERS, RECODE_SECOND_PAD, RECODE_BLANKS } expects;
} Recode;

enum { RECODE_URLSAFE = 1, RECODE_NO_PADDING = 2, RECODE_MIME = 4, RECODE_LOWERCASE = 1 };

typedef enum RecodeStep { RECODE_MORE, RECODE_END, RECODE_BAD, RECODE_MISSING } RecodeStep;
/* Goes on for about so many bytes of the argument. */
typedef RecodeStep RecodeRun(Recode *r, size_t bytes);

/* Bytes of the argument that one reduction pays for. */
#define RECODE_RATE 8

static void recode_release(Pause *pause, Process *p)
{
    Recode *r = (Recode *)pause;
    task_free_scratch(r->mem, r->scratch, r->n);
    task_free(pause, sizeof(Recode), p);
}

/* The bytes of argument 0: as task_align. */
static Term recode_begin(Process *p, Recode *r, unsigned flags)
{
    TaskBytes bytes;
    Term ready = task_align(p, arg(p, 0), &bytes);
    *r = (Recode){.mem = p->heap.mem,
                  .flags = flags,
                  .expects = RECODE_LETTERS,
                  .from = bytes.at,
                  .n = bytes.n,
                  .scratch = bytes.scratch};
    return ready;
}

static bool recode_room(Process *p, Recode *r, size_t bytes)
{
    r->result = binary_new(&p->heap, 8 * bytes, &r->to);
    return !term_is_none(r->result);
}

/* The result when all is done: without the room that was not needed. */
static Term recode_result(Process *p, const Recode *r)
{
    if (8 * r->out == binary_bits(r->result)) return r->result;
    if (r->out <= BINARY_HEAP_MAX) return binary_from_bytes(&p->heap, r->to, r->out);
    return binary_part(&p->heap, r->result, 0, 8 * r->out);
}

/* The atoms badarg and missing_padding say what is wrong with the argument. */
static BifResult recode_go(Process *p, Recode *r, RecodeRun *run)
{
    size_t budget = task_budget(p, RECODE_RATE);
    size_t before = r->at;
    RecodeStep step = run(r, budget);
    bif_charge(p, (int64_t)((r->at - before) / RECODE_RATE));
    if (step == RECODE_MORE) {
        (void)task_keep(p, r, sizeof *r, recode_release);
        return bif_yield(p);
    }
    Term result = step == RECODE_END ? recode_result(p, r) : TERM_ATOM(BADARG);
    if (step == RECODE_MISSING) result = TERM_ATOM(MISSING_PADDING);
    task_end(p, &r->pause, recode_release);
    return term_is_none(result) ? raise_system_limit(p) : result;
}

static BifResult recode_refused(Process *p, Recode *r)
{
    task_end(p, &r->pause, recode_release);
    return raise_system_limit(p);
}

/* ---- base 64 ---- */

static const char base64_letters[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

static RecodeStep base64_encode_run(Recode *r, size_t bytes)
{
    const char *letters = base64_letters[r->flags & RECODE_URLSAFE];
    size_t whole = r->n - r->n % 3;
    size_t end = whole - r->at > bytes ? r->at + bytes - bytes % 3 : whole;
    const uint8_t *from = r->from;
    uint8_t *to = r->to + r->out;
    for (; r->at < end; r->at += 3, to += 4) {
        uint32_t v =
            (uint32_t)from[r->at] << 16 | (uint32_t)from[r->at + 1] << 8 | from[r->at + 2];
        to[0] = (uint8_t)letters[v >> 18];
        to[1] = (uint8_t)letters[v >> 12 & 63];
        to[2] = (uint8_t)letters[v >> 6 & 63];
        to[3] = (uint8_t)letters[v & 63];
    }
    r->out = (size_t)(to - r->to);
    if (r->at < whole) return RECODE_MORE;
    size_t rest = r->n - whole;
    if (rest == 0) return RECODE_END;
    uint32_t v = (uint32_t)from[whole] << 16 | (rest == 2 ? (uint32_t)from[whole + 1] << 8 : 0);
    uint8_t last[4] = {(uint8_t)letters[v >> 18], (uint8_t)letters[v >> 12 & 63],
                       rest == 2 ? (uint8_t)letters[v >> 6 & 63] : '=', '='};
    size_t more = r->flags & RECODE_NO_PADDING ? rest + 1 : 4;
    memcpy(to, last, more);
    r->out += more;
    r->at = r->n;
    return RECODE_END;
}

#define X 64 /* no letter */
#define B 65 /* white space */
#define P 66 /* padding */
/* What each byte stands for. */
static const uint8_t base64_value_standard[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  B,  B,  X,  X,  B,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  B,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62,
    X,  X,  X,  63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  P,  X,  X,  X,  0,
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, X,  X,  X,  X,  X,  X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};
static const uint8_t base64_value_urlsafe[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  B,  B,  X,  X,  B,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  B,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  62, X,  X,  52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  P,  X,  X,  X,  0,
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, X,  X,  X,  X,  63, X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};
#undef X
#undef B
#undef P
enum { BASE64_BLANK = 65, BASE64_PAD = 66 };

/* Whole groups of letters, while there are nothing else; up to `end`. */
static void base64_decode_groups(Recode *r, const uint8_t *values, size_t end)
{
    const uint8_t *from = r->from;
    uint8_t *to = r->to + r->out;
    while (end - r->at >= 4) {
        uint8_t a = values[from[r->at]];
        uint8_t b = values[from[r->at + 1]];
        uint8_t c = values[from[r->at + 2]];
        uint8_t d = values[from[r->at + 3]];
        if ((a | b | c | d) > 63) break;
        to[0] = (uint8_t)(a << 2 | b >> 4);
        to[1] = (uint8_t)(b << 4 | c >> 2);
        to[2] = (uint8_t)(c << 6 | d);
        to += 3;
        r->at += 4;
    }
    r->out = (size_t)(to - r->to);
}

static void base64_put_letter(Recode *r, uint8_t value)
{
    r->group = r->group << 6 | value;
    if (++r->letters < 4) return;
    uint8_t *to = r->to + r->out;
    to[0] = (uint8_t)(r->group >> 16);
    to[1] = (uint8_t)(r->group >> 8);
    to[2] = (uint8_t)r->group;
    r->out += 3;
    r->letters = 0;
}

/* The bytes of a group of two or three letters. */
static RecodeStep base64_put_short(Recode *r)
{
    if (r->letters < 2) return RECODE_MISSING;
    uint32_t bits = r->group << (r->letters == 2 ? 12 : 6);
    r->to[r->out++] = (uint8_t)(bits >> 16);
    if (r->letters == 3) r->to[r->out++] = (uint8_t)(bits >> 8);
    return RECODE_END;
}

/* One byte that is no whole group: RECODE_MORE to go on. */
static RecodeStep base64_strict_byte(Recode *r, uint8_t value)
{
    if (value == BASE64_BLANK) return RECODE_MORE;
    if (r->expects == RECODE_BLANKS) return RECODE_BAD;
    if (r->expects == RECODE_SECOND_PAD) {
        if (value != BASE64_PAD) return RECODE_MISSING;
        r->expects = RECODE_BLANKS;
    } else if (value < 64) {
        base64_put_letter(r, value);
    } else {
        if (value != BASE64_PAD || r->letters < 2) return RECODE_BAD;
        r->expects = r->letters == 2 ? RECODE_SECOND_PAD : RECODE_BLANKS;
    }
    return RECODE_MORE;
}

/* What is no letter is passed over; padding counts where no letter follows it. */
static void base64_mime_byte(Recode *r, uint8_t value)
{
    if (value < 64) {
        r->expects = RECODE_LETTERS;
        base64_put_letter(r, value);
    } else if (value == BASE64_PAD) {
        r->expects = RECODE_BLANKS;
    }
}

static RecodeStep base64_decode_end(Recode *r)
{
    if (r->expects == RECODE_SECOND_PAD) return RECODE_MISSING;
    if (r->letters == 0) return RECODE_END;
    if (r->expects == RECODE_LETTERS && (r->flags & RECODE_NO_PADDING) == 0)
        return RECODE_MISSING;
    return base64_put_short(r);
}

static RecodeStep base64_decode_run(Recode *r, size_t bytes)
{
    const uint8_t *values =
        r->flags & RECODE_URLSAFE ? base64_value_urlsafe : base64_value_standard;
    size_t end = r->n - r->at > bytes ? r->at + bytes : r->n;
    while (r->at < end) {
        if (r->letters == 0 && r->expects == RECODE_LETTERS)
            base64_decode_groups(r, values, end);
        if (r->at == end) break;
        uint8_t value = values[r->from[r->at]];
        if (r->flags & RECODE_MIME) {
            base64_mime_byte(r, value);
        } else {
            RecodeStep step = base64_strict_byte(r, value);
            if (step != RECODE_MORE) return step;
        }
        r->at++;
    }
    return r->at < r->n ? RECODE_MORE : base64_decode_end(r);
}

static Recode *recode_find(const Process *p) { return (Recode *)pause_find(p, recode_release); }

static bool recode_flags(Process *p, unsigned *flags)
{
    if (!term_is_binary(arg(p, 0)) || !term_is_small(arg(p, 1))) return false;
    *flags = (unsigned)small_value(arg(p, 1)) & 7;
    return true;
}

/* mote_base64:encode(Binary, Flags) */
BifResult bif_base64_encode(Process *p)
{
    Recode here;
    Recode *r = recode_find(p);
    unsigned flags;
    if (r == NULL) {
        r = &here;
        if (!recode_flags(p, &flags)) return raise_badarg(p);
        Term ready = recode_begin(p, r, flags);
        if (!term_is_nil(ready)) return ready;
        size_t rest = r->n % 3;
        size_t last = rest == 0 ? 0 : flags & RECODE_NO_PADDING ? rest + 1 : 4;
        if (!recode_room(p, r, r->n / 3 * 4 + last)) return recode_refused(p, r);
    }
    return recode_go(p, r, base64_encode_run);
}

/* mote_base64:decode(Binary, Flags): the bytes, badarg or missing_padding. */
BifResult bif_base64_decode(Process *p)
{
    Recode here;
    Recode *r = recode_find(p);
    unsigned flags;
    if (r == NULL) {
        r = &here;
        if (!recode_flags(p, &flags)) return raise_badarg(p);
        Term ready = recode_begin(p, r, flags);
        if (!term_is_nil(ready)) return ready;
        size_t letters = r->n;
        for (int i = 0; i < 2 && letters > 0 && r->from[letters - 1] == '='; i++) letters--;
        if (!recode_room(p, r, letters / 4 * 3 + letters % 4 * 3 / 4))
            return recode_refused(p, r);
    }
    return recode_go(p, r, base64_decode_run);
}

/* ---- hexadecimal digits ---- */

static RecodeStep hex_encode_run(Recode *r, size_t bytes)
{
    const char *digits = r->flags & RECODE_LOWERCASE ? "0123456789abcdef" : "0123456789ABCDEF";
    size_t end = r->n - r->at > bytes ? r->at + bytes : r->n;
    for (; r->at < end; r->at++) {
        r->to[r->out++] = (uint8_t)digits[r->from[r->at] >> 4];
        r->to[r->out++] = (uint8_t)digits[r->from[r->at] & 15];
    }
    return r->at < r->n ? RECODE_MORE : RECODE_END;
}

/* 16 or more: none. */
static unsigned hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

static RecodeStep hex_decode_run(Recode *r, size_t bytes)
{
    size_t end = r->n - r->at > bytes ? r->at + bytes - bytes % 2 : r->n;
    for (; r->at < end; r->at += 2) {
        unsigned high = hex_digit(r->from[r->at]);
        unsigned low = hex_digit(r->from[r->at + 1]);
        if ((high | low) > 15) return RECODE_BAD;
        r->to[r->out++] = (uint8_t)(high << 4 | low);
    }
    return r->at < r->n ? RECODE_MORE : RECODE_END;
}

static BifResult hex_encode(Process *p, unsigned flags)
{
    Recode here;
    Recode *r = recode_find(p);
    if (r == NULL) {
        r = &here;
        Term ready = recode_begin(p, r, flags);
        if (!term_is_nil(ready)) return ready;
        if (!recode_room(p, r, 2 * r->n)) return recode_refused(p, r);
    }
    return recode_go(p, r, hex_encode_run);
}

BifResult bif_encode_hex_1(Process *p)
{
    return term_is_binary(arg(p, 0)) ? hex_encode(p, 0) : raise_badarg(p);
}

BifResult bif_encode_hex_2(Process *p)
{
    bool lowercase = term_same(arg(p, 1), TERM_ATOM(LOWERCASE));
    if (!term_is_binary(arg(p, 0))
        || (!lowercase && !term_same(arg(p, 1), TERM_ATOM(UPPERCASE))))
        return raise_badarg(p);
    return hex_encode(p, lowercase ? RECODE_LOWERCASE : 0);
}

BifResult bif_decode_hex(Process *p)
{
    Recode here;
    Recode *r = recode_find(p);
    if (r == NULL) {
        r = &here;
        if (!term_is_binary(arg(p, 0)) || binary_bytes(arg(p, 0)) % 2 != 0)
            return raise_badarg(p);
        Term ready = recode_begin(p, r, 0);
        if (!term_is_nil(ready)) return ready;
        if (!recode_room(p, r, r->n / 2)) return recode_refused(p, r);
    }
    BifResult result = recode_go(p, r, hex_decode_run);
    return term_same(result, TERM_ATOM(BADARG)) ? raise_badarg(p) : result;
}

/* ---- case ---- */

static RecodeStep case_run(Recode *r, size_t bytes)
{
    uint8_t first = r->flags & RECODE_LOWERCASE ? 'A' : 'a';
    size_t end = r->n - r->at > bytes ? r->at + bytes : r->n;
    uint8_t all = 0;
    for (; r->at < end; r->at++) {
        uint8_t c = r->from[r->at];
        all |= c;
        r->to[r->out++] = c ^ ((uint8_t)(c - first) < 26 ? 0x20 : 0);
    }
    if (all > 127) return RECODE_BAD;
    return r->at < r->n ? RECODE_MORE : RECODE_END;
}

static BifResult binary_case(Process *p, unsigned flags)
{
    Recode here;
    Recode *r = recode_find(p);
    if (r == NULL) {
        r = &here;
        if (!term_is_binary(arg(p, 0))) return TERM_ATOM(OTHER);
        Term ready = recode_begin(p, r, flags);
        if (!term_is_nil(ready)) return ready;
        if (!recode_room(p, r, r->n)) return recode_refused(p, r);
    }
    BifResult result = recode_go(p, r, case_run);
    return term_same(result, TERM_ATOM(BADARG)) ? TERM_ATOM(OTHER) : result;
}

/* upper_binary(Binary), lower_binary(Binary): `other` if there is anything but ASCII in it. */
BifResult bif_upper_binary(Process *p) { return binary_case(p, 0); }
BifResult bif_lower_binary(Process *p) { return binary_case(p, RECODE_LOWERCASE); }
