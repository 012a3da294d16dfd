/*
 * Built-ins of mote_name: names of files taken apart and put together, as filename does it, for
 * names that are flat strings or binaries, and not long; for all others they give `other`.
 */
#include "vm/bif/bif.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

/* Characters of all names together. */
#define NAME_MOST 1024

/* Characters of a string, or bytes of a binary. */
typedef struct Name {
    bool is_binary;
    size_t count;
    uint32_t at[NAME_MOST];
} Name;

static bool name_add(Name *n, uint32_t c)
{
    if (n->count == NAME_MOST) return false;
    n->at[n->count++] = c;
    return true;
}

static bool name_add_list(Name *n, Term t)
{
    for (; term_is_cons(t); t = list_tail(t)) {
        Term c = list_head(t);
        if (!term_is_small(c) || small_value(c) < 0 || small_value(c) > UINT32_MAX
            || !name_add(n, (uint32_t)small_value(c)))
            return false;
    }
    return term_is_nil(t);
}

static bool name_add_binary(Name *n, Term t)
{
    BitView v = binary_view(t);
    size_t bytes = v.bits / 8;
    if (v.bits % 8 != 0 || v.offset != 0 || bytes > NAME_MOST - n->count) return false;
    for (size_t i = 0; i < bytes; i++) n->at[n->count++] = v.at[i];
    return true;
}

/* Appends a name of the same kind; false: it is another, or too long. */
static bool name_add_term(Name *n, Term t)
{
    if (n->is_binary) return term_is_bitstring(t) && name_add_binary(n, t);
    return term_is_list(t) && name_add_list(n, t);
}

static bool name_read(Name *n, Term t)
{
    n->is_binary = term_is_bitstring(t);
    n->count = 0;
    return name_add_term(n, t);
}

/* The characters from `from` to before `to`, of the name's kind; TERM_NONE without memory. */
static Term name_part(Heap *h, const Name *n, size_t from, size_t to)
{
    if (n->is_binary) {
        uint8_t *bytes;
        Term t = binary_new(h, 8 * (to - from), &bytes);
        if (term_is_none(t)) return t;
        for (size_t i = from; i < to; i++) bytes[i - from] = (uint8_t)n->at[i];
        return t;
    }
    if (from == to) return TERM_NIL;
    Word *at = heap_alloc(h, 2 * (to - from));
    if (at == NULL) return TERM_NONE;
    for (size_t i = from; i < to; i++) {
        Word *cell = at + 2 * (i - from);
        cons_at(cell, small_from((int64_t)n->at[i]),
                i + 1 < to ? cons_from(cell + 2) : TERM_NIL);
    }
    return cons_from(at);
}

static BifResult name_result(Process *p, const Name *n, size_t from, size_t to)
{
    bif_charge(p, (int64_t)(n->count / 8));
    Term t = name_part(&p->heap, n, from, to);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* One character instead. */
static BifResult name_single(Process *p, Name *n, char c)
{
    n->count = 1;
    n->at[0] = (uint8_t)c;
    return name_result(p, n, 0, 1);
}

/* ---- parts ---- */

/* Behind the last slash of the first `to` characters. */
static size_t name_last_part(const Name *n, size_t to)
{
    while (to > 0 && n->at[to - 1] != '/') to--;
    return to;
}

static size_t name_without_slashes(const Name *n, size_t to)
{
    while (to > 0 && n->at[to - 1] == '/') to--;
    return to;
}

/* basename(Name) */
BifResult bif_name_base(Process *p)
{
    Name n;
    if (!name_read(&n, arg(p, 0))) return TERM_ATOM(OTHER);
    size_t to = name_without_slashes(&n, n.count);
    return name_result(p, &n, name_last_part(&n, to), to);
}

/* dirname(Name) */
BifResult bif_name_dir(Process *p)
{
    Name n;
    if (!name_read(&n, arg(p, 0))) return TERM_ATOM(OTHER);
    size_t last = name_last_part(&n, n.count);
    if (last == 0) return name_single(p, &n, '.');
    size_t to = name_without_slashes(&n, last);
    return to == 0 ? name_single(p, &n, '/') : name_result(p, &n, 0, to);
}

/* Where the dot of an extension may stand: the last one of the last part; `count` if none. */
static size_t name_dot(const Name *n)
{
    for (size_t i = n->count; i > 0 && n->at[i - 1] != '/'; i--)
        if (n->at[i - 1] == '.') return i - 1;
    return n->count;
}

/* A dot at the start of the last part makes no extension. */
static bool name_has_extension(const Name *n, size_t dot)
{
    return dot < n->count && dot > 0 && n->at[dot - 1] != '/';
}

/* extension(Name) */
BifResult bif_name_extension(Process *p)
{
    Name n;
    if (!name_read(&n, arg(p, 0))) return TERM_ATOM(OTHER);
    size_t dot = name_dot(&n);
    return name_result(p, &n, name_has_extension(&n, dot) ? dot : n.count, n.count);
}

/* rootname(Name).  A name that begins with its only dot is all extension. */
BifResult bif_name_root(Process *p)
{
    Name n;
    if (!name_read(&n, arg(p, 0))) return TERM_ATOM(OTHER);
    size_t dot = name_dot(&n);
    bool cut = name_has_extension(&n, dot) || (dot == 0 && n.count > 0);
    return name_result(p, &n, 0, cut ? dot : n.count);
}

/* split(Name) */
BifResult bif_name_split(Process *p)
{
    Name n;
    if (!name_read(&n, arg(p, 0))) return TERM_ATOM(OTHER);
    bif_charge(p, (int64_t)(n.count / 4));
    Term parts = TERM_NIL;
    size_t to = name_without_slashes(&n, n.count);
    while (to > 0) {
        size_t from = name_last_part(&n, to);
        parts = heap_cons(&p->heap, name_part(&p->heap, &n, from, to), parts);
        to = name_without_slashes(&n, from);
    }
    if (n.count > 0 && n.at[0] == '/')
        parts = heap_cons(&p->heap, name_part(&p->heap, &n, 0, 1), parts);
    return term_is_none(parts) ? raise_system_limit(p) : parts;
}

/* ---- joining ---- */

/* One slash for several, none at the end, no `.` between slashes. */
static void name_tidy(Name *n)
{
    size_t count = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (n->at[i] == '/') {
            if (i + 1 == n->count) break;
            if (n->at[i + 1] == '/') continue;
            if (i + 2 < n->count && n->at[i + 1] == '.' && n->at[i + 2] == '/') {
                i++;
                continue;
            }
        }
        n->at[count++] = n->at[i];
    }
    n->count = count;
}

/* join(Names), all of them strings or all of them binaries; one that is absolute drops what stands
 * before it. */
BifResult bif_name_join(Process *p)
{
    Name n;
    Term rest = arg(p, 0);
    if (!term_is_cons(rest)) return TERM_ATOM(OTHER);
    if (!name_read(&n, list_head(rest))) return TERM_ATOM(OTHER);
    for (rest = list_tail(rest); term_is_cons(rest); rest = list_tail(rest)) {
        size_t before = n.count;
        if (!name_add(&n, '/') || !name_add_term(&n, list_head(rest))) return TERM_ATOM(OTHER);
        size_t added = n.count - before - 1;
        if (added == 0) n.count = before;
        if (added == 0 || n.at[before + 1] != '/') continue;
        for (size_t i = 0; i < added; i++) n.at[i] = n.at[before + 1 + i];
        n.count = added;
    }
    if (!term_is_nil(rest)) return TERM_ATOM(OTHER);
    bool is_absolute = n.count > 0 && n.at[0] == '/';
    name_tidy(&n);
    if (is_absolute && n.count == 0) return name_single(p, &n, '/');
    return name_result(p, &n, 0, n.count);
}
