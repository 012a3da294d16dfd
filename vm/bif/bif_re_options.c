/* Options of regular expressions. */
#include "vm/bif/bif_re.h"

#include "vm/bif/bif_bytes.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

#include <string.h>

/* OTP's limits, unless said otherwise. */
#define RE_DEFAULT_LIMIT 10000000u

/* Numbers of captured parts; larger ones are no numbers at all. */
#define RE_GROUP_MAX INT32_MAX

static bool re_option_compile(AtomName name, ReOptions *o)
{
    uint32_t flag = 0;
    switch ((int)name) {
    case ATOM_UNICODE: flag = PCRE2_UTF; break;
    case ATOM_CASELESS: flag = PCRE2_CASELESS; break;
    case ATOM_DOLLAR_ENDONLY: flag = PCRE2_DOLLAR_ENDONLY; break;
    case ATOM_DOTALL: flag = PCRE2_DOTALL; break;
    case ATOM_EXTENDED: flag = PCRE2_EXTENDED; break;
    case ATOM_FIRSTLINE: flag = PCRE2_FIRSTLINE; break;
    case ATOM_MULTILINE: flag = PCRE2_MULTILINE; break;
    case ATOM_NO_AUTO_CAPTURE: flag = PCRE2_NO_AUTO_CAPTURE; break;
    case ATOM_DUPNAMES: flag = PCRE2_DUPNAMES; break;
    case ATOM_UNGREEDY: flag = PCRE2_UNGREEDY; break;
    case ATOM_NO_START_OPTIMIZE: flag = PCRE2_NO_START_OPTIMIZE; break;
    case ATOM_UCP: flag = PCRE2_UCP; break;
    case ATOM_NEVER_UTF: flag = PCRE2_NEVER_UTF; break;
    default: return false;
    }
    o->how.flags |= flag;
    o->compiles = true;
    return true;
}

static bool re_option_run(AtomName name, ReOptions *o)
{
    switch ((int)name) {
    case ATOM_GLOBAL: o->global = true; break;
    case ATOM_REPORT_ERRORS: o->report_errors = true; break;
    case ATOM_NOTBOL: o->flags |= PCRE2_NOTBOL; break;
    case ATOM_NOTEOL: o->flags |= PCRE2_NOTEOL; break;
    case ATOM_NOTEMPTY: o->flags |= PCRE2_NOTEMPTY; break;
    case ATOM_NOTEMPTY_ATSTART: o->flags |= PCRE2_NOTEMPTY_ATSTART; break;
    default: return false;
    }
    o->runs = true;
    return true;
}

static bool re_option_atom(AtomName name, ReOptions *o)
{
    switch ((int)name) {
    case ATOM_ANCHORED:
        o->how.flags |= PCRE2_ANCHORED;
        o->flags |= PCRE2_ANCHORED;
        return true;
    case ATOM_BSR_ANYCRLF: o->how.bsr |= PCRE2_BSR_ANYCRLF; return true;
    case ATOM_BSR_UNICODE: o->how.bsr |= PCRE2_BSR_UNICODE; return true;
    default: return re_option_compile(name, o) || re_option_run(name, o);
    }
}

/* Kinds of newline are numbers that add up bit by bit: CR and LF together are CR LF. */
static bool re_option_newline(Term t, ReOptions *o)
{
    static const uint32_t kinds[] = {0,
                                     PCRE2_NEWLINE_CR,
                                     PCRE2_NEWLINE_LF,
                                     PCRE2_NEWLINE_CRLF,
                                     PCRE2_NEWLINE_ANY,
                                     PCRE2_NEWLINE_ANYCRLF,
                                     RE_NEWLINE_BAD,
                                     RE_NEWLINE_BAD};
    uint32_t bits = 0;
    if (!term_is_atom(t)) return false;
    switch ((int)atom_of(t)) {
    case ATOM_CR: bits = 1; break;
    case ATOM_LF: bits = 2; break;
    case ATOM_CRLF: bits = 3; break;
    case ATOM_ANY: bits = 4; break;
    case ATOM_ANYCRLF: bits = 5; break;
    default: return false;
    }
    for (uint32_t i = 0; i < 8; i++)
        if (kinds[i] == o->how.newline) bits |= i;
    o->how.newline = kinds[bits];
    return true;
}

static bool re_option_limit(Term t, uint32_t *limit)
{
    if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > UINT32_MAX) return false;
    *limit = (uint32_t)small_value(t);
    return true;
}

/* A number, or a name: an atom, or an iolist with something in it. */
static bool re_is_group(Process *p, Term t)
{
    if (term_is_small(t)) return small_value(t) >= 0 && small_value(t) <= RE_GROUP_MAX;
    size_t size;
    return term_is_atom(t) || term_is_binary(t)
           || (term_is_cons(t) && bif_iolist_size(p, t, &size));
}

static bool re_option_capture(Process *p, Term what, ReOptions *o)
{
    o->list = TERM_NIL;
    if (term_is_list(what)) {
        o->list = what;
        o->capture = term_is_nil(what) ? RE_CAPTURE_NONE : RE_CAPTURE_LIST;
        for (; term_is_cons(what); what = list_tail(what))
            if (!re_is_group(p, list_head(what))) return false;
        return term_is_nil(what);
    }
    if (!term_is_atom(what)) return false;
    switch ((int)atom_of(what)) {
    case ATOM_ALL: o->capture = RE_CAPTURE_ALL; return true;
    case ATOM_ALL_BUT_FIRST: o->capture = RE_CAPTURE_ALL_BUT_FIRST; return true;
    case ATOM_ALL_NAMES: o->capture = RE_CAPTURE_ALL_NAMES; return true;
    case ATOM_FIRST: o->capture = RE_CAPTURE_FIRST; return true;
    case ATOM_NONE: o->capture = RE_CAPTURE_NONE; return true;
    default: return false;
    }
}

static bool re_option_type(Term t, ReOptions *o)
{
    if (term_is_the_atom(t, ATOM_INDEX))
        o->type = RE_TYPE_INDEX;
    else if (term_is_the_atom(t, ATOM_LIST))
        o->type = RE_TYPE_LIST;
    else if (term_is_the_atom(t, ATOM_BINARY))
        o->type = RE_TYPE_BINARY;
    else
        return false;
    return true;
}

static bool re_option_tuple(Process *p, Term t, ReOptions *o)
{
    size_t n = tuple_size(t);
    if (n < 2 || !term_is_atom(tuple_at(t, 0))) return false;
    AtomName name = atom_of(tuple_at(t, 0));
    Term value = tuple_at(t, 1);
    if (n == 2 && name == ATOM_NEWLINE) return re_option_newline(value, o);
    o->runs = true;
    if (name == ATOM_CAPTURE && n <= 3) {
        o->type = RE_TYPE_INDEX;
        return re_option_capture(p, value, o) && (n == 2 || re_option_type(tuple_at(t, 2), o));
    }
    if (n != 2) return false;
    if (name == ATOM_MATCH_LIMIT) return re_option_limit(value, &o->match_limit);
    if (name == ATOM_MATCH_LIMIT_RECURSION) return re_option_limit(value, &o->depth_limit);
    if (name != ATOM_OFFSET || !term_is_small(value) || small_value(value) < 0) return false;
    o->offset = (size_t)small_value(value);
    return true;
}

bool re_options(Process *p, Term list, ReOptions *o)
{
    *o = (ReOptions){
        .match_limit = RE_DEFAULT_LIMIT, .depth_limit = RE_DEFAULT_LIMIT, .list = TERM_NIL};
    for (; term_is_cons(list); list = list_tail(list)) {
        Term option = list_head(list);
        bool good = term_is_atom(option)    ? re_option_atom(atom_of(option), o)
                    : term_is_tuple(option) ? re_option_tuple(p, option, o)
                                            : false;
        if (!good) return false;
    }
    return term_is_nil(list);
}
