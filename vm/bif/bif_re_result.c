/* What a search found, as terms. */
#include "vm/bif/bif_re.h"

#include "vm/base/utf8.h"
#include "vm/bif/bif_bytes.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

#include <string.h>

typedef struct ReView {
    Process *p;
    const ReRun *run;
    const ReOptions *options;
    Term subject; /* a binary, for parts of type binary; else TERM_NIL */
} ReView;

/* ---- one part ---- */

/* A list of characters; what is no UTF-8 stands in a tuple with what comes before it. */
static Term re_characters(Process *p, const uint8_t *at, size_t n)
{
    size_t good = utf8_valid_prefix(at, n);
    Term list = list_from_utf8(&p->heap, at, good, TERM_NIL);
    if (good == n || term_is_none(list)) return list;
    size_t wanted = at[good] >= 0xF0 ? 4 : at[good] >= 0xE0 ? 3 : at[good] >= 0xC0 ? 2 : 1;
    Term tag = wanted > n - good ? TERM_ATOM(INCOMPLETE) : TERM_ATOM(ERROR);
    Term rest = binary_from_bytes(&p->heap, at + good, n - good);
    return term_is_none(rest) ? TERM_NONE : heap_tuple3(&p->heap, tag, list, rest);
}

static Term re_part(const ReView *v, size_t from, size_t end)
{
    Process *p = v->p;
    bool set = from != PCRE2_UNSET;
    size_t n = set && end > from ? end - from : 0;
    switch (v->options->type) {
    case RE_TYPE_INDEX:
        return heap_tuple2(&p->heap, small_from(set ? (int64_t)from : -1),
                           small_from(set ? (int64_t)end - (int64_t)from : 0));
    case RE_TYPE_LIST:
        if (n == 0) return TERM_NIL;
        bif_charge(p, (int64_t)(n / 4));
        return v->run->pattern->unicode
                   ? re_characters(p, v->run->subject + from, n)
                   : list_from_bytes(&p->heap, v->run->subject + from, n, TERM_NIL);
    case RE_TYPE_BINARY:
        if (n == 0) return binary_from_bytes(&p->heap, "", 0);
        return binary_part(&p->heap, v->subject, 8 * from, 8 * n);
    }
    UNREACHABLE();
}

/* Part number i of a match. */
static Term re_group(const ReView *v, const size_t *row, size_t i)
{
    if (i >= v->run->pairs) return re_part(v, PCRE2_UNSET, PCRE2_UNSET);
    return re_part(v, row[1 + 2 * i], row[2 + 2 * i]);
}

/* ---- names ---- */

typedef struct ReNames {
    const uint8_t *at; /* entries: number (2 bytes), name, NUL; sorted by name */
    uint32_t count;
    uint32_t size;
} ReNames;

static ReNames re_names(const RePattern *pattern)
{
    ReNames names = {0};
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMECOUNT, &names.count);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &names.size);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMETABLE, &names.at);
    return names;
}

static const char *re_name(const ReNames *names, uint32_t i)
{
    return (const char *)names->at + (size_t)i * names->size + 2;
}

/* Of the groups that have the name of entry i, the first that is set; else the first. */
static size_t re_named_group(const ReView *v, const ReNames *names, uint32_t i,
                             const size_t *row)
{
    size_t first = PCRE2_UNSET;
    for (uint32_t j = i; j < names->count; j++) {
        if (strcmp(re_name(names, j), re_name(names, i)) != 0) break;
        const uint8_t *entry = names->at + (size_t)j * names->size;
        size_t group = (size_t)entry[0] << 8 | entry[1];
        if (first == PCRE2_UNSET) first = group;
        if (group < v->run->pairs && row[1 + 2 * group] != PCRE2_UNSET) return group;
    }
    return first;
}

/* The text of a name. */
static void re_name_bytes(Process *p, Term t, Bytes *to)
{
    if (term_is_atom(t)) {
        const AtomEntry *e = atom_entry(p->run->atoms, t);
        bytes_put(to, e->text, e->length);
    } else if (term_is_binary(t)) {
        (void)bif_binary_put(t, to);
    } else {
        (void)bif_iolist_put(p, t, to);
    }
}

static Term re_by_name(const ReView *v, const size_t *row, Term t)
{
    ReNames names = re_names(v->run->pattern);
    size_t group = PCRE2_UNSET;
    Bytes name = bif_bytes(v->p);
    if (names.count > 0) re_name_bytes(v->p, t, &name);
    for (uint32_t i = 0; i < names.count && group == PCRE2_UNSET; i++) {
        const char *text = re_name(&names, i);
        if (strlen(text) == name.count && memcmp(text, name.at, name.count) == 0)
            group = re_named_group(v, &names, i, row);
    }
    bytes_free(&name);
    return re_group(v, row, group);
}

/* ---- one match ---- */

static Term re_row_list(const ReView *v, const size_t *row)
{
    ListBuilder b = list_builder(&v->p->heap);
    Term list = v->options->list;
    for (; term_is_cons(list) && !b.failed; list = list_tail(list)) {
        Term t = list_head(list);
        Term part =
            term_is_small(t) ? re_group(v, row, (size_t)small_value(t)) : re_by_name(v, row, t);
        if (term_is_none(part)) return TERM_NONE;
        list_add(&b, part);
    }
    return list_finish(&b, TERM_NIL);
}

static Term re_row_names(const ReView *v, const size_t *row)
{
    ReNames names = re_names(v->run->pattern);
    ListBuilder b = list_builder(&v->p->heap);
    for (uint32_t i = 0; i < names.count && !b.failed; i++) {
        if (i > 0 && strcmp(re_name(&names, i), re_name(&names, i - 1)) == 0) continue;
        Term part = re_group(v, row, re_named_group(v, &names, i, row));
        if (term_is_none(part)) return TERM_NONE;
        list_add(&b, part);
    }
    return list_finish(&b, TERM_NIL);
}

static Term re_row(const ReView *v, const size_t *row)
{
    if (v->options->capture == RE_CAPTURE_LIST) return re_row_list(v, row);
    if (v->options->capture == RE_CAPTURE_ALL_NAMES) return re_row_names(v, row);
    size_t first = v->options->capture == RE_CAPTURE_ALL_BUT_FIRST ? 1 : 0;
    Term list = TERM_NIL;
    for (size_t i = row[0]; i > first && !term_is_none(list); i--) {
        Term part = re_group(v, row, i - 1);
        list = term_is_none(part) ? TERM_NONE : heap_cons(&v->p->heap, part, list);
    }
    bif_charge(v->p, (int64_t)row[0]);
    return list;
}

/* ---- all of it ---- */

Term re_fault_term(Process *p, const ReFault *fault)
{
    char text[256] = "";
    re_fault_text(fault, text, sizeof text);
    Term list = list_from_text(&p->heap, text);
    if (term_is_none(list)) return TERM_NONE;
    return heap_tuple2(&p->heap, list, small_from((int64_t)fault->at));
}

static BifResult re_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

static BifResult re_failed(Process *p, const ReRun *r, const ReOptions *o)
{
    Term what;
    switch (r->status) {
    case RE_NO_MEMORY: return raise_system_limit(p);
    case RE_MATCH_LIMIT: what = TERM_ATOM(MATCH_LIMIT); break;
    case RE_DEPTH_LIMIT: what = TERM_ATOM(MATCH_LIMIT_RECURSION); break;
    case RE_NO_PATTERN:
        if (!o->report_errors) return raise_badarg(p);
        what = re_fault_term(p, &r->fault);
        if (!term_is_none(what)) what = heap_tuple2(&p->heap, TERM_ATOM(COMPILE), what);
        if (term_is_none(what)) return raise_system_limit(p);
        break;
    default: return raise_badarg(p);
    }
    if (!o->report_errors) return TERM_ATOM(NOMATCH);
    return re_done(p, heap_tuple2(&p->heap, TERM_ATOM(ERROR), what));
}

/* The subject as a binary, for parts of it. */
static Term re_subject(Process *p, const ReRun *r, size_t slots)
{
    if (raw_slot(p, slots + RE_SLOT_BEGUN) == 1) return slot(p, slots + RE_SLOT_SUBJECT);
    Term given = arg(p, 0);
    if (term_is_binary(given) && binary_view(given).offset == 0) return given;
    return binary_from_bytes(&p->heap, r->size > 0 ? (const void *)r->subject : "", r->size);
}

/* The matches from the last to the first, in front of those done before. */
static BifResult re_rows(Process *p, ReRun *r, const ReView *v, size_t slots)
{
    bool begun = raw_slot(p, slots + RE_SLOT_BEGUN) == 1;
    size_t left = begun ? raw_slot(p, slots + RE_SLOT_LEFT) : r->rows;
    Term list = begun ? slot(p, slots + RE_SLOT_LIST) : TERM_NIL;
    size_t stride = 1 + 2 * r->pairs;
    for (; left > 0; left--) {
        if (bif_spent(p)) {
            if (re_run_keep(p, slots + RE_SLOT_RUN, r) == NULL) return raise_system_limit(p);
            slot_set(p, slots + RE_SLOT_LIST, list);
            raw_slot_set(p, slots + RE_SLOT_LEFT, left);
            slot_set(p, slots + RE_SLOT_SUBJECT, v->subject);
            raw_slot_set(p, slots + RE_SLOT_BEGUN, 1);
            return bif_yield(p);
        }
        Term row = re_row(v, r->places.at + (left - 1) * stride);
        list = term_is_none(row) ? TERM_NONE : heap_cons(&p->heap, row, list);
        if (term_is_none(list)) return raise_system_limit(p);
        bif_charge(p, 4);
    }
    return re_done(p, heap_tuple2(&p->heap, TERM_ATOM(MATCH), list));
}

BifResult re_result(Process *p, ReRun *r, const ReOptions *o, size_t slots)
{
    if (r->status != RE_DONE && r->rows == 0) return re_failed(p, r, o);
    if (r->status != RE_DONE && (o->report_errors || r->status == RE_NO_MEMORY))
        return re_failed(p, r, o);
    if (r->rows == 0) return TERM_ATOM(NOMATCH);
    if (r->pairs == 0
        || (o->capture == RE_CAPTURE_ALL_NAMES && re_names(r->pattern).count == 0))
        return TERM_ATOM(MATCH);
    ReView v = {.p = p, .run = r, .options = o, .subject = TERM_NIL};
    if (o->type == RE_TYPE_BINARY) v.subject = re_subject(p, r, slots);
    if (term_is_none(v.subject)) return raise_system_limit(p);
    if (r->global) return re_rows(p, r, &v, slots);
    Term row = re_row(&v, r->places.at);
    return term_is_none(row) ? raise_system_limit(p)
                             : re_done(p, heap_tuple2(&p->heap, TERM_ATOM(MATCH), row));
}
