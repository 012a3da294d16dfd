/* Built-ins of erlang between atoms, numbers, identifiers and their texts. */
#include "vm/bif/bif_bytes.h"

#include "vm/base/utf8.h"
#include "vm/format/limits.h"
#include "vm/sched/offload.h"
#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/float.h"
#include "vm/term/list.h"
#include "vm/term/number.h"
#include "vm/term/pid.h"
#include "vm/term/print.h"

#include <string.h>

static BifResult bif_text_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- atoms ---- */

BifResult bif_atom_to_list(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_atom(t)) return raise_badarg(p);
    const AtomEntry *e = atom_entry(p->run->atoms, t);
    return bif_text_done(p, list_from_utf8(&p->heap, e->text, e->length, TERM_NIL));
}

typedef enum BifEncoding { BIF_LATIN1, BIF_UTF8, BIF_NO_ENCODING } BifEncoding;

static BifEncoding bif_encoding(Term t)
{
    if (term_same(t, TERM_ATOM(LATIN1))) return BIF_LATIN1;
    if (term_same(t, TERM_ATOM(UTF8)) || term_same(t, TERM_ATOM(UNICODE))) return BIF_UTF8;
    return BIF_NO_ENCODING;
}

/* Characters of UTF-8 text as Latin-1 bytes; false if one does not fit. */
static bool bif_put_latin1(Bytes *to, const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t c = text[i];
        if (c >= 0x80) {
            if (c > 0xC3) return false;
            c = (uint8_t)(c << 6 | (text[++i] & 0x3F));
        }
        bytes_put_u8(to, c);
    }
    return true;
}

static BifResult bif_atom_binary(Process *p, BifEncoding encoding)
{
    Term t = arg(p, 0);
    if (!term_is_atom(t) || encoding == BIF_NO_ENCODING) return raise_badarg(p);
    const AtomEntry *e = atom_entry(p->run->atoms, t);
    Bytes b = bif_bytes(p);
    if (encoding == BIF_UTF8) {
        bytes_put(&b, e->text, e->length);
    } else if (!bif_put_latin1(&b, e->text, e->length)) {
        bytes_free(&b);
        return raise_badarg(p);
    }
    return bif_bytes_to_binary(p, &b);
}

BifResult bif_atom_to_binary_1(Process *p) { return bif_atom_binary(p, BIF_UTF8); }
BifResult bif_atom_to_binary_2(Process *p)
{
    return bif_atom_binary(p, bif_encoding(arg(p, 1)));
}

/* The atom of UTF-8 text in b, which is freed; raises when there is none (existing) or cannot
 * be. */
static BifResult bif_make_atom(Process *p, Bytes *b, bool existing)
{
    Term t = TERM_NONE;
    AtomPut put = ATOM_PUT_NOT_UTF8;
    if (existing) {
        t = atom_find(p->run->atoms, b->at, b->count);
        if (!term_is_none(t)) put = ATOM_PUT_DONE;
    } else {
        put = atom_put(p->run->atoms, b->at, b->count, &t);
    }
    bytes_free(b);
    switch (put) {
    case ATOM_PUT_DONE: return t;
    case ATOM_PUT_TOO_LONG:
    case ATOM_PUT_FULL: return raise_system_limit(p);
    case ATOM_PUT_NOT_UTF8: break;
    }
    return raise_badarg(p);
}

/* A text that is longer than any atom: nobody reads on.  What is there of it in b is freed. */
static BifResult bif_atom_too_long(Process *p, Bytes *b, bool existing)
{
    bytes_free(b);
    return existing ? raise_badarg(p) : raise_system_limit(p);
}

static BifResult bif_list_atom(Process *p, bool existing)
{
    Bytes b = bif_bytes(p);
    Term rest = arg(p, 0);
    bool good = true;
    for (size_t n = 0; good && term_is_cons(rest); rest = list_tail(rest), n++) {
        if (n == LIMIT_ATOM_CHARACTERS) return bif_atom_too_long(p, &b, existing);
        Term c = list_head(rest);
        good = term_is_small(c) && small_value(c) >= 0 && small_value(c) <= UINT32_MAX
               && utf8_is_scalar((uint32_t)small_value(c));
        uint8_t text[4];
        if (good) bytes_put(&b, text, (size_t)utf8_encode((uint32_t)small_value(c), text));
    }
    if (good && term_is_nil(rest)) return bif_make_atom(p, &b, existing);
    bytes_free(&b);
    return raise_badarg(p);
}

BifResult bif_list_to_atom(Process *p) { return bif_list_atom(p, false); }
BifResult bif_list_to_existing_atom(Process *p) { return bif_list_atom(p, true); }

static void bif_latin1_to_utf8(Bytes *to, const Bytes *from)
{
    for (size_t i = 0; i < from->count; i++) {
        uint8_t c = from->at[i];
        if (c >= 0x80) bytes_put_u8(to, (uint8_t)(0xC0 | c >> 6));
        bytes_put_u8(to, c < 0x80 ? c : (uint8_t)(0x80 | (c & 0x3F)));
    }
}

/* Whether it begins with more characters than an atom may have. */
static bool bif_binary_atom_long(Term t, BifEncoding encoding)
{
    BitView v = binary_view(t);
    if (v.bits / 8 <= LIMIT_ATOM_CHARACTERS || encoding == BIF_LATIN1)
        return v.bits / 8 > LIMIT_ATOM_CHARACTERS;
    size_t at = 0;
    for (size_t n = 0; n <= LIMIT_ATOM_CHARACTERS; n++) {
        uint32_t c;
        size_t bits = at < v.bits ? bits_get_utf8(v.at, v.offset + at, v.bits - at, &c) : 0;
        if (bits == 0) return false;
        at += bits;
    }
    return true;
}

static BifResult bif_binary_atom(Process *p, BifEncoding encoding, bool existing)
{
    Bytes b = bif_bytes(p);
    Term t = arg(p, 0);
    if (encoding == BIF_NO_ENCODING || !term_is_binary(t)) return raise_badarg(p);
    if (bif_binary_atom_long(t, encoding)) return bif_atom_too_long(p, &b, existing);
    /* So long, and not so many characters: somewhere near the start is none. */
    if (binary_bytes(t) > (size_t)4 * LIMIT_ATOM_CHARACTERS) return raise_badarg(p);
    (void)bif_binary_put(t, &b);
    if (encoding == BIF_UTF8) return bif_make_atom(p, &b, existing);
    Bytes utf8 = bif_bytes(p);
    bif_latin1_to_utf8(&utf8, &b);
    bytes_free(&b);
    return bif_make_atom(p, &utf8, existing);
}

BifResult bif_binary_to_atom_1(Process *p) { return bif_binary_atom(p, BIF_UTF8, false); }
BifResult bif_binary_to_atom_2(Process *p)
{
    return bif_binary_atom(p, bif_encoding(arg(p, 1)), false);
}
BifResult bif_binary_to_existing_atom_1(Process *p)
{
    return bif_binary_atom(p, BIF_UTF8, true);
}
BifResult bif_binary_to_existing_atom_2(Process *p)
{
    return bif_binary_atom(p, bif_encoding(arg(p, 1)), true);
}

/* ---- integers ---- */

static bool bif_base(Process *p, size_t i, int *base)
{
    Term t = arg(p, i);
    if (!term_is_small(t) || small_value(t) < 2 || small_value(t) > 36) return false;
    *base = (int)small_value(t);
    return true;
}

/* What a text becomes. */
static Term text_made(Heap *h, const Bytes *b, bool binary)
{
    return binary ? binary_from_bytes(h, b->at, b->count)
                  : list_from_bytes(h, b->at, b->count, TERM_NIL);
}

/* On the blocking pool; number: the base, and 64 for a binary. */
static void integer_to_run(Offload *o)
{
    Bytes b = {.mem = o->mem, .tag = MEM_WORK};
    number_print_integer(&b, o->in[0], (int)(o->number & 63));
    o->out = text_made(&o->heap, &b, (o->number & 64) != 0);
    bytes_free(&b);
}

/* About how many nanoseconds the text takes to make. */
static uint64_t integer_to_cost(Term t, int base)
{
    size_t bits = big_bits(t);
    size_t digits = bits / (size_t)(31 - __builtin_clz((unsigned)base)) + 1;
    return number_radix_cost(digits, base) + 4 * digits;
}

static BifResult bif_integer_to(Process *p, bool has_base, bool binary)
{
    const Offload *o = offload_find(p);
    if (o != NULL)
        return job_done(&o->job) ? bif_text_done(p, offload_take(p, NULL)) : bif_wait(p);
    int base = 10;
    if (has_base && !bif_base(p, 1, &base)) return raise_badarg(p);
    Term t = arg(p, 0);
    if (!term_is_integer(t)) return raise_badarg(p);
    uint64_t cost = term_is_big(t) ? integer_to_cost(t, base) : 50;
    if (cost > OFFLOAD_NS)
        return offload_start(p, integer_to_run, (const Term[]){t}, 1, base | (binary ? 64 : 0));
    Bytes b = bif_bytes(p);
    number_print_integer(&b, t, base);
    bif_charge(p, (int64_t)(cost / 10));
    Term text = text_made(&p->heap, &b, binary);
    bytes_free(&b);
    return bif_text_done(p, text);
}

BifResult bif_integer_to_list_1(Process *p) { return bif_integer_to(p, false, false); }
BifResult bif_integer_to_list_2(Process *p) { return bif_integer_to(p, true, false); }
BifResult bif_integer_to_binary_1(Process *p) { return bif_integer_to(p, false, true); }
BifResult bif_integer_to_binary_2(Process *p) { return bif_integer_to(p, true, true); }

/* Longer texts of numbers are read on the blocking pool. */
#define TEXT_QUICK_BYTES 2000

/* The bytes of argument 0, a list or a binary, if they are few: `from` and `n`.  False: it is no
 * such thing, or too long (*is_long). */
static bool text_few(Term t, bool binary, uint8_t room[TEXT_QUICK_BYTES], size_t *n,
                     bool *is_long)
{
    *is_long = false;
    if (binary) {
        if (!term_is_binary(t)) return false;
        BitView v = binary_view(t);
        *n = v.bits / 8;
        *is_long = *n > TEXT_QUICK_BYTES;
        if (!*is_long) bits_copy(room, 0, v.at, v.offset, v.bits);
        return !*is_long;
    }
    size_t count = 0;
    for (; term_is_cons(t); t = list_tail(t)) {
        Term c = list_head(t);
        if (!term_is_small(c) || small_value(c) < 0 || small_value(c) > 255) return false;
        *is_long = count == TEXT_QUICK_BYTES;
        if (*is_long) return false;
        room[count++] = (uint8_t)small_value(c);
    }
    *n = count;
    return term_is_nil(t);
}

static bool text_all(Term t, Bytes *b)
{
    return term_is_bitstring(t) ? bif_binary_put(t, b) : list_to_bytes(t, b);
}

/* On the blocking pool; `why` tells a number that is too large. */
static void to_integer_run(Offload *o)
{
    Bytes b = {.mem = o->mem, .tag = MEM_WORK};
    bool too_large = false;
    if (text_all(o->in[0], &b))
        o->out = number_read_integer(&o->heap, b.at, b.count, (int)o->number, &too_large);
    o->why = too_large;
    bytes_free(&b);
}

static BifResult to_integer_result(Process *p, Term t, bool too_large)
{
    if (!term_is_none(t)) return t;
    return too_large ? raise_system_limit(p) : raise_badarg(p);
}

static BifResult bif_to_integer(Process *p, bool has_base, bool binary)
{
    const Offload *o = offload_find(p);
    if (o != NULL) {
        if (!job_done(&o->job)) return bif_wait(p);
        int why;
        Term t = offload_take(p, &why);
        return to_integer_result(p, t, why != 0);
    }
    int base = 10;
    if (has_base && !bif_base(p, 1, &base)) return raise_badarg(p);
    uint8_t text[TEXT_QUICK_BYTES];
    size_t n;
    bool is_long;
    if (!text_few(arg(p, 0), binary, text, &n, &is_long)) {
        if (!is_long) return raise_badarg(p);
        return offload_start(p, to_integer_run, (const Term[]){arg(p, 0)}, 1, base);
    }
    bif_charge(p, (int64_t)(number_radix_cost(n, base) / 10));
    bool too_large = false;
    Term t = number_read_integer(&p->heap, text, n, base, &too_large);
    return to_integer_result(p, t, too_large);
}

BifResult bif_list_to_integer_1(Process *p) { return bif_to_integer(p, false, false); }
BifResult bif_list_to_integer_2(Process *p) { return bif_to_integer(p, true, false); }
BifResult bif_binary_to_integer_1(Process *p) { return bif_to_integer(p, false, true); }
BifResult bif_binary_to_integer_2(Process *p) { return bif_to_integer(p, true, true); }

/* ---- floats ---- */

typedef struct BifFloatFormat {
    enum { FORMAT_SCIENTIFIC, FORMAT_DECIMALS, FORMAT_SHORT } how;
    int digits;
    bool compact;
} BifFloatFormat;

#define FLOAT_MOST_DECIMALS   253
#define FLOAT_MOST_SCIENTIFIC 249

static bool bif_float_option(Term option, BifFloatFormat *f)
{
    if (term_same(option, TERM_ATOM(COMPACT))) {
        f->compact = true;
        return true;
    }
    if (term_same(option, TERM_ATOM(SHORT))) {
        f->how = FORMAT_SHORT;
        return true;
    }
    if (!term_is_tuple_of(option, 2) || !term_is_small(tuple_at(option, 1))) return false;
    int64_t digits = small_value(tuple_at(option, 1));
    bool decimals = term_same(tuple_at(option, 0), TERM_ATOM(DECIMALS));
    if (!decimals && !term_same(tuple_at(option, 0), TERM_ATOM(SCIENTIFIC))) return false;
    if (digits < 0 || digits > (decimals ? FLOAT_MOST_DECIMALS : FLOAT_MOST_SCIENTIFIC))
        return false;
    f->how = decimals ? FORMAT_DECIMALS : FORMAT_SCIENTIFIC;
    f->digits = (int)digits;
    return true;
}

static bool bif_float_options(Term list, BifFloatFormat *f)
{
    for (; term_is_cons(list); list = list_tail(list))
        if (!bif_float_option(list_head(list), f)) return false;
    return term_is_nil(list);
}

static size_t bif_float_print(const BifFloatFormat *f, double d, char text[FLOAT_TEXT_MAX])
{
    if (f->how == FORMAT_SHORT) return float_print(d, text);
    if (f->how == FORMAT_DECIMALS) return float_print_decimals(d, f->digits, f->compact, text);
    return float_print_scientific(d, f->digits, text);
}

static BifResult bif_float_to(Process *p, bool has_options, bool binary)
{
    BifFloatFormat f = {FORMAT_SCIENTIFIC, 20, false};
    if (!term_is_float(arg(p, 0))) return raise_badarg(p);
    if (has_options && !bif_float_options(arg(p, 1), &f)) return raise_badarg(p);
    char text[FLOAT_TEXT_MAX];
    size_t n = bif_float_print(&f, float_value(arg(p, 0)), text);
    if (n == 0) return raise_badarg(p);
    if (binary) return bif_text_done(p, binary_from_bytes(&p->heap, text, n));
    return bif_text_done(p, list_from_bytes(&p->heap, (const uint8_t *)text, n, TERM_NIL));
}

BifResult bif_float_to_list_1(Process *p) { return bif_float_to(p, false, false); }
BifResult bif_float_to_list_2(Process *p) { return bif_float_to(p, true, false); }
BifResult bif_float_to_binary_1(Process *p) { return bif_float_to(p, false, true); }
BifResult bif_float_to_binary_2(Process *p) { return bif_float_to(p, true, true); }

/* On the blocking pool: a number of very many digits. */
static void to_float_run(Offload *o)
{
    Bytes b = {.mem = o->mem, .tag = MEM_WORK};
    double d = 0;
    if (text_all(o->in[0], &b) && float_read(b.at, b.count, &d) == FLOAT_READ_OK)
        o->out = heap_float(&o->heap, d);
    bytes_free(&b);
}

static BifResult bif_to_float(Process *p, bool binary)
{
    const Offload *o = offload_find(p);
    if (o != NULL) {
        if (!job_done(&o->job)) return bif_wait(p);
        Term t = offload_take(p, NULL);
        return term_is_none(t) ? raise_badarg(p) : t;
    }
    uint8_t text[TEXT_QUICK_BYTES];
    size_t n;
    bool is_long;
    double d;
    if (!text_few(arg(p, 0), binary, text, &n, &is_long)) {
        if (!is_long) return raise_badarg(p);
        return offload_start(p, to_float_run, (const Term[]){arg(p, 0)}, 1, 0);
    }
    if (float_read(text, n, &d) != FLOAT_READ_OK) return raise_badarg(p);
    return bif_text_done(p, heap_float(&p->heap, d));
}

BifResult bif_list_to_float(Process *p) { return bif_to_float(p, false); }
BifResult bif_binary_to_float(Process *p) { return bif_to_float(p, true); }

/* ---- a number at the start of a string: {Number, Rest} or {error, Reason} ---- */

static size_t bif_scan_sign(const Bytes *b)
{
    return b->count > 0 && (b->at[0] == '-' || b->at[0] == '+');
}

static size_t bif_scan_digits(const Bytes *b, size_t at)
{
    while (at < b->count && b->at[at] >= '0' && b->at[at] <= '9') at++;
    return at;
}

/* Characters that a number may have; what stands behind the first other one does not matter. */
static bool bif_scan_belongs(Term c, bool is_float)
{
    if (!term_is_small(c)) return false;
    int64_t v = small_value(c);
    if ((v >= '0' && v <= '9') || v == '-' || v == '+') return true;
    return is_float && (v == '.' || v == ',' || v == 'e' || v == 'E');
}

/* The leading characters of a list that may belong to a number, `most` at most; false: more. */
static bool bif_leading_bytes(Term list, bool is_float, size_t most, Bytes *b)
{
    for (; term_is_cons(list) && bif_scan_belongs(list_head(list), is_float);
         list = list_tail(list)) {
        if (b->count == most) return false;
        bytes_put_u8(b, (uint8_t)small_value(list_head(list)));
    }
    return true;
}

static Term bif_scanned(Heap *h, Term list, Term number, size_t used)
{
    if (term_is_none(number)) return TERM_NONE;
    while (used-- > 0) list = list_tail(list);
    return heap_tuple2(h, number, list);
}

/* {Number, Rest}; TERM_NONE: no number there. */
static Term bif_scan_integer(Heap *h, Term list, const Bytes *b)
{
    size_t sign = bif_scan_sign(b);
    size_t end = bif_scan_digits(b, sign);
    if (end == sign) return TERM_NONE;
    return bif_scanned(h, list, number_read_integer(h, b->at, end, 10, NULL), end);
}

static Term bif_scan_float(Heap *h, Term list, Bytes *b)
{
    size_t sign = bif_scan_sign(b);
    size_t point = bif_scan_digits(b, sign);
    size_t end = point < b->count && (b->at[point] == '.' || b->at[point] == ',')
                     ? bif_scan_digits(b, point + 1)
                     : point;
    if (point == sign || end <= point + 1) return TERM_NONE;
    b->at[point] = '.';
    if (end < b->count && (b->at[end] == 'e' || b->at[end] == 'E')) {
        size_t digits = end + 1;
        if (digits < b->count && (b->at[digits] == '-' || b->at[digits] == '+')) digits++;
        size_t last = bif_scan_digits(b, digits);
        if (last > digits) end = last;
    }
    double d;
    if (float_read(b->at, end, &d) != FLOAT_READ_OK) return TERM_NONE;
    return bif_scanned(h, list, heap_float(h, d), end);
}

/* On the blocking pool: a number of very many digits. */
static void scan_run(Offload *o)
{
    Bytes b = {.mem = o->mem, .tag = MEM_WORK};
    bool is_float = o->number != 0;
    (void)bif_leading_bytes(o->in[0], is_float, SIZE_MAX, &b);
    o->out = is_float ? bif_scan_float(&o->heap, o->in[0], &b)
                      : bif_scan_integer(&o->heap, o->in[0], &b);
    bytes_free(&b);
}

static BifResult bif_scan_error(Process *p, AtomName why)
{
    return bif_text_done(p, heap_tuple2(&p->heap, TERM_ATOM(ERROR), atom_from(why)));
}

static BifResult bif_scan(Process *p, bool is_float)
{
    AtomName why = is_float ? ATOM_NO_FLOAT : ATOM_NO_INTEGER;
    const Offload *o = offload_find(p);
    if (o != NULL && !job_done(&o->job)) return bif_wait(p);
    Term list = arg(p, 0);
    Term result;
    if (o != NULL) {
        result = offload_take(p, NULL);
    } else {
        if (!term_is_list(list)) return bif_scan_error(p, ATOM_NOT_A_LIST);
        Bytes b = bif_bytes(p);
        bool few = bif_leading_bytes(list, is_float, TEXT_QUICK_BYTES, &b);
        result = TERM_NONE;
        if (few)
            result = is_float ? bif_scan_float(&p->heap, list, &b)
                              : bif_scan_integer(&p->heap, list, &b);
        bytes_free(&b);
        if (!few) return offload_start(p, scan_run, (const Term[]){list}, 1, is_float);
    }
    return term_is_none(result) ? bif_scan_error(p, why) : result;
}

BifResult bif_string_list_to_integer(Process *p) { return bif_scan(p, false); }
BifResult bif_string_list_to_float(Process *p) { return bif_scan(p, true); }

/* ---- identifiers and funs ---- */

static BifResult bif_printed(Process *p, bool is_kind)
{
    if (!is_kind) return raise_badarg(p);
    Bytes b = bif_bytes(p);
    print_term(&b, p->run->atoms, arg(p, 0), PRINT_PLAIN);
    Term t = list_from_utf8(&p->heap, b.at, b.count, TERM_NIL);
    bytes_free(&b);
    return bif_text_done(p, t);
}

BifResult bif_pid_to_list(Process *p) { return bif_printed(p, term_is_pid(arg(p, 0))); }
BifResult bif_ref_to_list(Process *p) { return bif_printed(p, term_is_ref(arg(p, 0))); }
BifResult bif_port_to_list(Process *p) { return bif_printed(p, term_is_port(arg(p, 0))); }
BifResult bif_fun_to_list(Process *p) { return bif_printed(p, term_is_fun(arg(p, 0))); }

/* Characters of the longest text of an identifier, and more. */
#define IDENTIFIER_MOST 200

/* The text of argument 0; false: it is none, or too long for an identifier. */
static bool bif_identifier(Process *p, char text[IDENTIFIER_MOST], size_t *n)
{
    size_t count = 0;
    Term t = arg(p, 0);
    for (; term_is_cons(t); t = list_tail(t)) {
        Term c = list_head(t);
        if (count == IDENTIFIER_MOST || !term_is_small(c) || small_value(c) < 0
            || small_value(c) > 127)
            return false;
        text[count++] = (char)small_value(c);
    }
    *n = count;
    return term_is_nil(t);
}

BifResult bif_list_to_pid(Process *p)
{
    char text[IDENTIFIER_MOST];
    size_t n;
    Term t = bif_identifier(p, text, &n) ? pid_read(text, n) : TERM_NONE;
    return term_is_none(t) ? raise_badarg(p) : t;
}

BifResult bif_list_to_port(Process *p)
{
    char text[IDENTIFIER_MOST];
    size_t n;
    Term t = bif_identifier(p, text, &n) ? pid_read_port(text, n) : TERM_NONE;
    return term_is_none(t) ? raise_badarg(p) : t;
}

BifResult bif_list_to_ref(Process *p)
{
    char text[IDENTIFIER_MOST];
    size_t n;
    Term t = bif_identifier(p, text, &n) ? pid_read_ref(&p->heap, text, n) : TERM_NONE;
    return term_is_none(t) ? raise_badarg(p) : t;
}
