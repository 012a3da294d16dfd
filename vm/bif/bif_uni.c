/* Built-ins of mote_uni: what unicode_util asks about single characters (utf8proc). */
#include "vm/bif/bif.h"

#include "vm/term/list.h"

#include <utf8proc.h>

/* Code points of the longest full case folding, and some more. */
#define UNI_FOLD_MAX 8

/* The code point, or -1. */
static utf8proc_int32_t uni_code_point(Term t)
{
    if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > 0x10FFFF) return -1;
    return (utf8proc_int32_t)small_value(t);
}

/* break(C1, C2, State): 2 * NewState, and 1 more if a grapheme cluster ends between the two. */
BifResult bif_uni_break(Process *p)
{
    utf8proc_int32_t a = uni_code_point(arg(p, 0));
    utf8proc_int32_t b = uni_code_point(arg(p, 1));
    Term t = arg(p, 2);
    if (a < 0 || b < 0 || !term_is_small(t) || small_value(t) < 0
        || small_value(t) > UINT16_MAX)
        return raise_badarg(p);
    utf8proc_int32_t state = (utf8proc_int32_t)small_value(t);
    bool ends = utf8proc_grapheme_break_stateful(a, b, &state);
    return small_from(2 * (int64_t)state + ends);
}

static BifResult uni_mapped(Process *p, utf8proc_int32_t (*map)(utf8proc_int32_t c))
{
    utf8proc_int32_t c = uni_code_point(arg(p, 0));
    return c < 0 ? raise_badarg(p) : small_from(map(c));
}

BifResult bif_uni_upper(Process *p) { return uni_mapped(p, utf8proc_toupper); }
BifResult bif_uni_lower(Process *p) { return uni_mapped(p, utf8proc_tolower); }
BifResult bif_uni_title(Process *p) { return uni_mapped(p, utf8proc_totitle); }

/* fold(C): the list that full case folding gives. */
BifResult bif_uni_fold(Process *p)
{
    utf8proc_int32_t c = uni_code_point(arg(p, 0));
    if (c < 0) return raise_badarg(p);
    utf8proc_int32_t folded[UNI_FOLD_MAX];
    int last = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(c, folded, UNI_FOLD_MAX, UTF8PROC_CASEFOLD, &last);
    if (n < 0 || n > UNI_FOLD_MAX) return raise_badarg(p);
    Term list = TERM_NIL;
    for (utf8proc_ssize_t i = n; i > 0 && !term_is_none(list); i--)
        list = heap_cons(&p->heap, small_from(folded[i - 1]), list);
    return term_is_none(list) ? raise_system_limit(p) : list;
}
