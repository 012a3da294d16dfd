/* Built-ins of module re. */
#include "vm/bif/bif_re.h"

#include "vm/bif/bif_bytes.h"
#include "vm/bif/bif_foreign.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

#include <string.h>

BifResult bif_re_version(Process *p)
{
    char text[64] = "";
    (void)pcre2_config(PCRE2_CONFIG_VERSION, text);
    Term t = binary_from_text(&p->heap, text);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- arguments ---- */

static void re_run_init(Process *p, ReRun *r)
{
    memset(r, 0, sizeof *r);
    r->mem = p->run->mem;
    bytes_init(&r->source, r->mem, MEM_WORK);
    bytes_init(&r->own, r->mem, MEM_WORK);
    VEC_IN_MEM(&r->places, r->mem, MEM_WORK);
}

/* The text of a pattern; binaries are taken as they are, PCRE2 looks at them. */
static bool re_take_source(Process *p, ReRun *r, Term t, const ReHow *how)
{
    r->how = *how;
    if (term_is_binary(t)) return bif_binary_put(t, &r->source);
    if (!term_is_list(t)) return false;
    return (how->flags & PCRE2_UTF) != 0 ? bif_characters_put(p, t, &r->source)
                                         : bif_iolist_put(p, t, &r->source);
}

/* The pattern of {re_pattern, Groups, Unicode, Crlf, Reference}, borrowed; NULL: it is none. */
static RePattern *re_compiled(Term t)
{
    if (!term_is_tuple_of(t, 5) || !term_is_the_atom(tuple_at(t, 0), ATOM_RE_PATTERN))
        return NULL;
    return re_pattern_of(tuple_at(t, 4));
}

/* A compiled pattern, if need be compiled anew for other ends of lines. */
static bool re_take_compiled(ReRun *r, RePattern *pattern, const ReOptions *o)
{
    if (o->compiles) return false;
    bool same = (o->how.newline == 0 || o->how.newline == pattern->how.newline)
                && (o->how.bsr == 0 || o->how.bsr == pattern->how.bsr);
    if (same) {
        counted_retain(&pattern->counted);
        r->pattern = pattern;
        return true;
    }
    if (o->how.newline == RE_NEWLINE_BAD || o->how.bsr == RE_BSR_BAD) return false;
    r->how = pattern->how;
    if (o->how.newline != 0) r->how.newline = o->how.newline;
    if (o->how.bsr != 0) r->how.bsr = o->how.bsr;
    bytes_put(&r->source, pattern->source.at, pattern->source.count);
    return true;
}

/* The subject: a binary stays where it is, anything else becomes bytes or UTF-8. */
static bool re_take_subject(Process *p, ReRun *r, Term t, bool unicode)
{
    if (term_is_binary(t) && binary_view(t).offset == 0) {
        BitView v = binary_view(t);
        size_t offset;
        Term base = binary_base(t, &offset);
        r->subject = v.at;
        r->size = v.bits / 8;
        if (term_is_kind(base, KIND_SHARED_BINARY)) {
            r->held = &binary_shared(base)->head;
            counted_retain(r->held);
        }
        return true;
    }
    bool good;
    if (term_is_binary(t)) {
        good = bif_binary_put(t, &r->own);
    } else {
        good = term_is_list(t)
               && (unicode ? bif_characters_put(p, t, &r->own) : bif_iolist_put(p, t, &r->own));
        r->subject_is_own = unicode;
    }
    r->subject = r->own.at;
    r->size = r->own.count;
    return good;
}

/* How many pairs of a match are wanted, at most. */
static size_t re_pairs(const ReOptions *o)
{
    return o->capture == RE_CAPTURE_NONE ? 0 : o->capture == RE_CAPTURE_FIRST ? 1 : SIZE_MAX;
}

static bool re_begin(Process *p, ReRun *r, const ReOptions *o, size_t most)
{
    RePattern *pattern = re_compiled(arg(p, 1));
    bool good = pattern != NULL ? re_take_compiled(r, pattern, o)
                                : re_take_source(p, r, arg(p, 1), &o->how);
    bool unicode = pattern != NULL ? pattern->unicode : (o->how.flags & PCRE2_UTF) != 0;
    if (!good || !re_take_subject(p, r, arg(p, 0), unicode)) return false;
    /* Behind the end there is nothing, where all matches are asked for; else it is an error. */
    if (o->offset > r->size && !o->global) return false;
    r->at = o->offset;
    r->flags = o->flags;
    r->global = o->global;
    r->match_limit = o->match_limit;
    r->depth_limit = o->depth_limit;
    r->pairs = re_pairs(o);
    r->most = r->pairs == 0 && !o->report_errors ? 1 : most;
    return true;
}

/* ---- run ---- */

/* From the start, or from where it was left, to the end, or to where it is left now. */
static BifResult re_run(Process *p, size_t slots, ReRun *r, const ReOptions *o)
{
    _Static_assert(RE_SLOTS <= 6, "a stub's slots");
    size_t own = slots + RE_SLOT_RUN;
    if (!r->submitted && (r->status == RE_RUNNING)) {
        re_run_slice(p, r);
        if (r->status == RE_TOO_LONG) return re_run_submit(p, own, r);
        if (r->status == RE_RUNNING)
            return re_run_keep(p, own, r) == NULL ? raise_system_limit(p) : bif_yield(p);
    }
    return re_result(p, r, o, slots);
}

static BifResult re_run_with(Process *p, size_t slots, Term options, size_t most)
{
    ReOptions o;
    if (!re_options(p, options, &o)) return raise_badarg(p);
    ReRun *kept = re_run_at(p, slots + RE_SLOT_RUN);
    if (kept != NULL && kept->submitted && !job_done(&kept->job)) return bif_wait(p);
    if (kept != NULL) return re_run(p, slots, kept, &o);
    ReRun r;
    re_run_init(p, &r);
    BifResult result = re_begin(p, &r, &o, most) ? re_run(p, slots, &r, &o) : raise_badarg(p);
    /* What was kept lives on elsewhere. */
    if (re_run_at(p, slots + RE_SLOT_RUN) == NULL) re_run_clear(&r);
    return result;
}

BifResult bif_re_run_2(Process *p) { return re_run_with(p, 2, TERM_NIL, 0); }
BifResult bif_re_run_3(Process *p) { return re_run_with(p, 3, arg(p, 2), 0); }

/* matches(Subject, Pattern, Options, Most): run/3 that ends after so many matches. */
BifResult bif_re_matches(Process *p)
{
    Term most = arg(p, 3);
    if (!term_is_small(most) || small_value(most) < 0) return raise_badarg(p);
    return re_run_with(p, 4, arg(p, 2), (size_t)small_value(most));
}

/* ---- compile ---- */

static BifResult re_compile_result(Process *p, ReRun *r)
{
    if (r->status == RE_NO_MEMORY) return raise_system_limit(p);
    Term what;
    if (r->pattern == NULL) {
        what = re_fault_term(p, &r->fault);
    } else {
        const RePattern *pattern = r->pattern;
        counted_retain(&r->pattern->counted);
        Term reference = bif_foreign_new(p, &r->pattern->counted);
        if (term_is_none(reference)) return raise_system_limit(p);
        what = heap_tuple(&p->heap, 5,
                          (const Term[]){TERM_ATOM(RE_PATTERN), small_from(pattern->groups),
                                         small_from(pattern->unicode),
                                         small_from(pattern->crlf), reference});
    }
    if (term_is_none(what)) return raise_system_limit(p);
    what = heap_tuple2(&p->heap, r->pattern != NULL ? TERM_ATOM(OK) : TERM_ATOM(ERROR), what);
    return term_is_none(what) ? raise_system_limit(p) : what;
}

static BifResult re_compile_with(Process *p, size_t slots, Term options)
{
    ReRun *kept = re_run_at(p, slots + RE_SLOT_RUN);
    if (kept != NULL) return job_done(&kept->job) ? re_compile_result(p, kept) : bif_wait(p);
    ReOptions o;
    if (!re_options(p, options, &o) || o.runs) return raise_badarg(p);
    ReRun r;
    re_run_init(p, &r);
    r.compile_only = true;
    BifResult result;
    if (!re_take_source(p, &r, arg(p, 0), &o.how)) {
        result = raise_badarg(p);
    } else {
        re_run_slice(p, &r);
        result = r.status == RE_TOO_LONG ? re_run_submit(p, slots + RE_SLOT_RUN, &r)
                                         : re_compile_result(p, &r);
    }
    if (re_run_at(p, slots + RE_SLOT_RUN) == NULL) re_run_clear(&r);
    return result;
}

BifResult bif_re_compile_1(Process *p) { return re_compile_with(p, 1, TERM_NIL); }
BifResult bif_re_compile_2(Process *p) { return re_compile_with(p, 2, arg(p, 1)); }

/* ---- inspect ---- */

BifResult bif_re_inspect(Process *p)
{
    const RePattern *pattern = re_compiled(arg(p, 0));
    if (pattern == NULL || !term_is_the_atom(arg(p, 1), ATOM_NAMELIST)) return raise_badarg(p);
    uint32_t count = 0;
    uint32_t size = 0;
    const uint8_t *table = NULL;
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMECOUNT, &count);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMETABLE, &table);
    ListBuilder b = list_builder(&p->heap);
    const char *last = NULL;
    for (uint32_t i = 0; i < count && !b.failed; i++) {
        const char *name = (const char *)table + (size_t)i * size + 2;
        if (last != NULL && strcmp(name, last) == 0) continue;
        Term t = binary_from_text(&p->heap, name);
        if (term_is_none(t)) return raise_system_limit(p);
        list_add(&b, t);
        last = name;
    }
    Term list = list_finish(&b, TERM_NIL);
    if (!term_is_none(list)) list = heap_tuple2(&p->heap, TERM_ATOM(NAMELIST), list);
    return term_is_none(list) ? raise_system_limit(p) : list;
}
