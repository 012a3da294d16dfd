/* Built-ins of erlang between atoms, numbers, identifiers and their texts. */
#include "vm/bif/bif_bytes.h"

#include "vm/format/limits.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
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

static BifResult bif_list_atom(Process *p, bool existing)
{
    Bytes b = bif_bytes(p);
    if (!list_to_utf8(arg(p, 0), &b)) {
        bytes_free(&b);
        return raise_badarg(p);
    }
    return bif_make_atom(p, &b, existing);
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

static BifResult bif_binary_atom(Process *p, BifEncoding encoding, bool existing)
{
    Bytes b = bif_bytes(p);
    if (encoding == BIF_NO_ENCODING || !bif_binary_put(arg(p, 0), &b)) {
        bytes_free(&b);
        return raise_badarg(p);
    }
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

static bool bif_integer_text(Process *p, int base, Bytes *to)
{
    if (!term_is_integer(arg(p, 0))) return false;
    number_print_integer(to, arg(p, 0), base);
    bif_charge(p, (int64_t)(number_radix_cost(to->count, base) / 10));
    return true;
}

static BifResult bif_integer_to(Process *p, bool has_base, bool binary)
{
    int base = 10;
    if (has_base && !bif_base(p, 1, &base)) return raise_badarg(p);
    Bytes b = bif_bytes(p);
    if (!bif_integer_text(p, base, &b)) {
        bytes_free(&b);
        return raise_badarg(p);
    }
    return binary ? bif_bytes_to_binary(p, &b) : bif_bytes_to_list(p, &b);
}

BifResult bif_integer_to_list_1(Process *p) { return bif_integer_to(p, false, false); }
BifResult bif_integer_to_list_2(Process *p) { return bif_integer_to(p, true, false); }
BifResult bif_integer_to_binary_1(Process *p) { return bif_integer_to(p, false, true); }
BifResult bif_integer_to_binary_2(Process *p) { return bif_integer_to(p, true, true); }

/* The integer that b spells; frees b. */
static BifResult bif_read_integer(Process *p, Bytes *b, int base)
{
    bool too_large = false;
    bif_charge(p, (int64_t)(number_radix_cost(b->count, base) / 10));
    Term t = number_read_integer(&p->heap, b->at, b->count, base, &too_large);
    bytes_free(b);
    if (!term_is_none(t)) return t;
    return too_large ? raise_system_limit(p) : raise_badarg(p);
}

static BifResult bif_to_integer(Process *p, bool has_base, bool binary)
{
    int base = 10;
    if (has_base && !bif_base(p, 1, &base)) return raise_badarg(p);
    Bytes b = bif_bytes(p);
    bool good = binary ? bif_binary_put(arg(p, 0), &b) : list_to_bytes(arg(p, 0), &b);
    if (!good) {
        bytes_free(&b);
        return raise_badarg(p);
    }
    return bif_read_integer(p, &b, base);
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

static BifResult bif_to_float(Process *p, bool binary)
{
    Bytes b = bif_bytes(p);
    double d = 0;
    bool good = binary ? bif_binary_put(arg(p, 0), &b) : list_to_bytes(arg(p, 0), &b);
    good = good && float_read(b.at, b.count, &d) == FLOAT_READ_OK;
    bytes_free(&b);
    return good ? bif_text_done(p, heap_float(&p->heap, d)) : raise_badarg(p);
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

/* The leading bytes of a list of characters, as far as they are bytes; false if it is no list. */
static bool bif_leading_bytes(Term list, Bytes *b)
{
    for (; term_is_cons(list); list = list_tail(list)) {
        Term c = list_head(list);
        if (!term_is_small(c) || small_value(c) < 0 || small_value(c) > 127) return true;
        bytes_put_u8(b, (uint8_t)small_value(c));
    }
    return term_is_nil(list);
}

static BifResult bif_scanned(Process *p, Bytes *b, Term number, size_t used)
{
    bytes_free(b);
    Term rest = arg(p, 0);
    while (used-- > 0) rest = list_tail(rest);
    return bif_text_done(p, heap_tuple2(&p->heap, number, rest));
}

static BifResult bif_scan_error(Process *p, Bytes *b, AtomName why)
{
    bytes_free(b);
    return bif_text_done(p, heap_tuple2(&p->heap, TERM_ATOM(ERROR), atom_from(why)));
}

BifResult bif_string_list_to_integer(Process *p)
{
    Bytes b = bif_bytes(p);
    if (!term_is_list(arg(p, 0)) || !bif_leading_bytes(arg(p, 0), &b))
        return bif_scan_error(p, &b, ATOM_NOT_A_LIST);
    size_t sign = bif_scan_sign(&b);
    size_t end = bif_scan_digits(&b, sign);
    if (end == sign) return bif_scan_error(p, &b, ATOM_NO_INTEGER);
    Term t = number_read_integer(&p->heap, b.at, end, 10, NULL);
    if (term_is_none(t)) return bif_scan_error(p, &b, ATOM_NO_INTEGER);
    return bif_scanned(p, &b, t, end);
}

BifResult bif_string_list_to_float(Process *p)
{
    Bytes b = bif_bytes(p);
    if (!term_is_list(arg(p, 0)) || !bif_leading_bytes(arg(p, 0), &b))
        return bif_scan_error(p, &b, ATOM_NOT_A_LIST);
    size_t sign = bif_scan_sign(&b);
    size_t point = bif_scan_digits(&b, sign);
    size_t end = point < b.count && (b.at[point] == '.' || b.at[point] == ',')
                     ? bif_scan_digits(&b, point + 1)
                     : point;
    if (point == sign || end <= point + 1) return bif_scan_error(p, &b, ATOM_NO_FLOAT);
    b.at[point] = '.';
    if (end < b.count && (b.at[end] == 'e' || b.at[end] == 'E')) {
        size_t digits = end + 1;
        if (digits < b.count && (b.at[digits] == '-' || b.at[digits] == '+')) digits++;
        size_t last = bif_scan_digits(&b, digits);
        if (last > digits) end = last;
    }
    double d;
    if (float_read(b.at, end, &d) != FLOAT_READ_OK) return bif_scan_error(p, &b, ATOM_NO_FLOAT);
    Term t = heap_float(&p->heap, d);
    if (term_is_none(t)) return bif_scan_error(p, &b, ATOM_NO_FLOAT);
    return bif_scanned(p, &b, t, end);
}

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

BifResult bif_list_to_pid(Process *p)
{
    Bytes b = bif_bytes(p);
    Term t = list_to_bytes(arg(p, 0), &b) ? pid_read((const char *)b.at, b.count) : TERM_NONE;
    bytes_free(&b);
    return term_is_none(t) ? raise_badarg(p) : t;
}

BifResult bif_list_to_port(Process *p)
{
    Bytes b = bif_bytes(p);
    Term t =
        list_to_bytes(arg(p, 0), &b) ? pid_read_port((const char *)b.at, b.count) : TERM_NONE;
    bytes_free(&b);
    return term_is_none(t) ? raise_badarg(p) : t;
}

BifResult bif_list_to_ref(Process *p)
{
    Bytes b = bif_bytes(p);
    Term t = list_to_bytes(arg(p, 0), &b) ? pid_read_ref(&p->heap, (const char *)b.at, b.count)
                                          : TERM_NONE;
    bytes_free(&b);
    return term_is_none(t) ? raise_badarg(p) : t;
}
