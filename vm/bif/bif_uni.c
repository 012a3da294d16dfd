/* Built-ins of mote_uni: what unicode_util asks about single characters (utf8proc). */
#include "vm/bif/bif.h"

#include "vm/base/utf8.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
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

/* ---- grapheme clusters ---- */

/* Code points of the longest cluster that is found here. */
#define UNI_CLUSTER_MAX 32

/* A cluster under way. */
typedef struct UniCluster {
    uint32_t point[UNI_CLUSTER_MAX];
    size_t count;
    utf8proc_int32_t state;
} UniCluster;

/* Whether the cluster goes on with that character. */
static bool uni_joins(UniCluster *u, uint32_t next)
{
    uint32_t last = u->point[u->count - 1];
    if (last < 128 && next < 128 && last != '\r') return false;
    return !utf8proc_grapheme_break_stateful((utf8proc_int32_t)last, (utf8proc_int32_t)next,
                                             &u->state);
}

/* The cluster as it stands in a list of clusters. */
static Term uni_cluster(Process *p, const UniCluster *u)
{
    if (u->count == 1) return small_from((int64_t)u->point[0]);
    Term points[UNI_CLUSTER_MAX];
    for (size_t i = 0; i < u->count; i++) points[i] = small_from((int64_t)u->point[i]);
    return list_from_array(&p->heap, points, u->count, TERM_NIL);
}

static BifResult uni_step(Process *p, Term cluster, Term rest)
{
    Term t = heap_cons(&p->heap, cluster, rest);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* Of a binary on a byte border; `other` where it is none, or ends within a character. */
static BifResult uni_gc_binary(Process *p, Term binary)
{
    BitView v = binary_view(binary);
    if (v.bits == 0) return TERM_NIL;
    if (v.offset != 0 || v.bits % 8 != 0) return TERM_ATOM(OTHER);
    const uint8_t *end = v.at + v.bits / 8;
    const uint8_t *at = v.at;
    UniCluster u = {.count = 0, .state = 0};
    while (at < end) {
        uint32_t c;
        int length = utf8_decode(at, (size_t)(end - at), &c);
        if (length <= 0) {
            if (u.count == 0) return TERM_ATOM(OTHER);
            break;
        }
        if (u.count > 0 && !uni_joins(&u, c)) break;
        if (u.count == UNI_CLUSTER_MAX) return TERM_ATOM(OTHER);
        u.point[u.count++] = c;
        at += length;
    }
    size_t used = 8 * (size_t)(at - v.at);
    Term rest = binary_part(&p->heap, binary, used, v.bits - used);
    return uni_step(p, uni_cluster(p, &u), rest);
}

/* Of a list that begins with characters; `other` where something else follows them. */
static BifResult uni_gc_list(Process *p, Term list)
{
    UniCluster u = {.count = 0, .state = 0};
    Term rest = list;
    for (; term_is_cons(rest); rest = list_tail(rest)) {
        utf8proc_int32_t c = uni_code_point(list_head(rest));
        if (c < 0) return TERM_ATOM(OTHER);
        if (u.count > 0 && !uni_joins(&u, (uint32_t)c)) break;
        if (u.count == UNI_CLUSTER_MAX) return TERM_ATOM(OTHER);
        u.point[u.count++] = (uint32_t)c;
    }
    if (!term_is_list(rest)) return TERM_ATOM(OTHER);
    if (u.count <= 1) return list; /* also the empty one */
    return uni_step(p, uni_cluster(p, &u), rest);
}

/* gc(Characters): [First cluster | Rest], [], or `other` where the data are not flat, are none, or
 * the cluster is long. */
BifResult bif_uni_gc(Process *p)
{
    Term t = arg(p, 0);
    if (term_is_list(t)) return uni_gc_list(p, t);
    return term_is_bitstring(t) ? uni_gc_binary(p, t) : TERM_ATOM(OTHER);
}
