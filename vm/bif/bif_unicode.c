/* Built-ins of unicode: character data between encodings, and normal forms (utf8proc). */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/chars.h"
#include "vm/bif/task.h"

#include "vm/base/utf8.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static CharEncoding unicode_encoding(Term t)
{
    bool little = false;
    if (term_is_tuple_of(t, 2)) {
        little = term_same(tuple_at(t, 1), TERM_ATOM(LITTLE));
        if (!little && !term_same(tuple_at(t, 1), TERM_ATOM(BIG))) return CHARS_UNKNOWN;
        t = tuple_at(t, 0);
        if (!term_same(t, TERM_ATOM(UTF16)) && !term_same(t, TERM_ATOM(UTF32)))
            return CHARS_UNKNOWN;
    }
    if (term_same(t, TERM_ATOM(LATIN1))) return CHARS_LATIN1;
    if (term_same(t, TERM_ATOM(UTF8)) || term_same(t, TERM_ATOM(UNICODE))) return CHARS_UTF8;
    if (term_same(t, TERM_ATOM(UTF16))) return little ? CHARS_UTF16_LITTLE : CHARS_UTF16_BIG;
    if (term_same(t, TERM_ATOM(UTF32))) return little ? CHARS_UTF32_LITTLE : CHARS_UTF32_BIG;
    return CHARS_UNKNOWN;
}

/* Bytes and elements that a reduction pays for. */
#define UNICODE_RATE 8

typedef struct UnicodeTask {
    Pause pause; /* first */
    CharsWalk walk;
    CharsStep end; /* CHARS_MORE: it is being converted */
    size_t left;   /* code points that are no list yet */
    Term list;     /* of those behind */
    Word *cells;   /* of all of them */
} UnicodeTask;

static void unicode_release(Pause *pause, Process *p)
{
    chars_end(&((UnicodeTask *)pause)->walk);
    task_free(pause, sizeof(UnicodeTask), p);
}

/* Room for all cells at once: until the first is written, the last one to be, it is a filler. */
static bool unicode_list_begin(UnicodeTask *t)
{
    t->left = t->walk.to.count / 4;
    if (t->left == 0) return true;
    t->cells = heap_alloc(t->walk.heap, 2 * t->left);
    if (t->cells == NULL) return false;
    t->cells[0] = header_make(KIND_FILLER, 2 * t->left - 1);
    return true;
}

/* The code points as a list, from the last to the first; false: the budget is spent. */
static bool unicode_list(UnicodeTask *t, size_t *budget)
{
    size_t n = t->left < *budget ? t->left : *budget;
    const uint8_t *from = t->walk.to.at;
    for (size_t i = t->left; i > t->left - n; i--) {
        uint32_t c;
        memcpy(&c, from + 4 * (i - 1), 4);
        Word *cell = t->cells + 2 * (i - 1);
        cons_at(cell, small_from((int64_t)c), t->list);
        t->list = cons_from(cell);
    }
    t->left -= n;
    *budget -= n;
    return t->left == 0;
}

static bool unicode_go_on(UnicodeTask *t, size_t *budget)
{
    if (t->end == CHARS_MORE) {
        t->end = chars_step(&t->walk, budget);
        if (t->end == CHARS_MORE) return false;
        bool lists = t->walk.out == CHARS_UNKNOWN && t->end < CHARS_BADARG;
        if (lists && !unicode_list_begin(t)) t->end = CHARS_NO_ROOM;
    }
    return t->left == 0 || unicode_list(t, budget);
}

/* The result of what has come to its end; TERM_NONE: no memory. */
static Term unicode_result(UnicodeTask *t)
{
    CharsWalk *w = &t->walk;
    Term done = w->out == CHARS_UNKNOWN ? t->list : binary_buffer_done(w->heap, &w->to);
    if (t->end == CHARS_ALL || term_is_none(done)) return done;
    Term tag = t->end == CHARS_ERROR ? TERM_ATOM(ERROR) : TERM_ATOM(INCOMPLETE);
    return heap_tuple3(w->heap, tag, done, w->rest);
}

static BifResult unicode_done(Process *p, UnicodeTask *t)
{
    bool bad = t->end == CHARS_BADARG;
    Term result = bad || t->end == CHARS_NO_ROOM ? TERM_NONE : unicode_result(t);
    task_end(p, &t->pause, unicode_release);
    if (!term_is_none(result)) return result;
    return bad ? raise_badarg(p) : raise_system_limit(p);
}

static void unicode_begin(UnicodeTask *t, Process *p, CharEncoding in, CharEncoding out)
{
    Bytes to = binary_buffer(p->heap.mem);
    if (out != CHARS_UNKNOWN) binary_buffer_begin(&to);
    chars_begin(&t->walk, &p->heap, arg(p, 0), in, out, to);
    t->end = CHARS_MORE;
    t->left = 0;
    t->list = TERM_NIL;
}

static BifResult unicode_convert(Process *p, CharEncoding in, CharEncoding out)
{
    if (in == CHARS_UNKNOWN) return raise_badarg(p);
    UnicodeTask here;
    UnicodeTask *t = (UnicodeTask *)pause_find(p, unicode_release);
    if (t == NULL) {
        t = &here;
        unicode_begin(t, p, in, out);
    }
    size_t budget = task_budget(p, UNICODE_RATE);
    size_t left = budget;
    bool done = unicode_go_on(t, &left);
    task_charge(p, budget, left, UNICODE_RATE);
    if (done) return unicode_done(p, t);
    UnicodeTask *kept = task_keep(p, t, sizeof *t, unicode_release);
    if (kept != t) chars_moved(&kept->walk, &t->walk);
    return bif_yield(p);
}

bool bif_characters_put(Process *p, Term t, Bytes *to)
{
    CharsWalk w;
    chars_begin(&w, &p->heap, t, CHARS_UTF8, CHARS_UTF8, *to);
    CharsStep step;
    do {
        size_t budget = SIZE_MAX;
        step = chars_step(&w, &budget);
    } while (step == CHARS_MORE);
    *to = w.to;
    bytes_init(&w.to, to->mem, to->tag);
    chars_end(&w);
    return step == CHARS_ALL;
}

static BifResult unicode_to_binary(Process *p, CharEncoding in, CharEncoding out)
{
    return out == CHARS_UNKNOWN ? raise_badarg(p) : unicode_convert(p, in, out);
}

BifResult bif_characters_to_binary_1(Process *p)
{
    return unicode_to_binary(p, CHARS_UTF8, CHARS_UTF8);
}
BifResult bif_characters_to_binary_2(Process *p)
{
    return unicode_to_binary(p, unicode_encoding(arg(p, 1)), CHARS_UTF8);
}
BifResult bif_characters_to_binary_3(Process *p)
{
    return unicode_to_binary(p, unicode_encoding(arg(p, 1)), unicode_encoding(arg(p, 2)));
}
BifResult bif_characters_to_list_1(Process *p)
{
    return unicode_convert(p, CHARS_UTF8, CHARS_UNKNOWN);
}
BifResult bif_characters_to_list_2(Process *p)
{
    return unicode_convert(p, unicode_encoding(arg(p, 1)), CHARS_UNKNOWN);
}

static bool chars_is_7bit(Term binary)
{
    BitView v = binary_view(binary);
    size_t i = 0;
    if (v.offset == 0)
        while (v.bits - i >= 64 && utf8_is_ascii8(v.at + i / 8)) i += 64;
    for (; i < v.bits; i += 8)
        if (bits_get_uint64(v.at, v.offset + i, 8) > 127) return false;
    return true;
}

static void is_7bit_run(Offload *o) { o->out = term_bool(chars_is_7bit(o->in[0])); }

/* unicode:bin_is_7bit/1 */
BifResult bif_bin_is_7bit(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_binary(t)) return TERM_FALSE;
    if (binary_bytes(t) > OFFLOAD_BYTES)
        return task_pool(p, is_7bit_run, (const Term[]){t}, 1, 0);
    bif_charge(p, (int64_t)(binary_bytes(t) / 16));
    return term_bool(chars_is_7bit(t));
}

/* ---- normal forms ---- */

static int chars_form(Term form)
{
    if (term_same(form, TERM_ATOM(NFC))) return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    if (term_same(form, TERM_ATOM(NFD))) return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    if (term_same(form, TERM_ATOM(NFKC)))
        return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    if (term_same(form, TERM_ATOM(NFKD)))
        return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
    return -1;
}

/* The list in that form; TERM_NONE: *why. */
static Term chars_normal(Heap *h, int options, Term characters, int *why)
{
    Bytes from = {.mem = h->mem, .tag = MEM_WORK};
    uint8_t *to = NULL;
    ssize_t n = -1;
    if (list_to_utf8(characters, &from))
        n = utf8proc_map(from.at, (ssize_t)from.count, &to, (utf8proc_option_t)options);
    bytes_free(&from);
    *why = n < 0 ? TASK_BADARG : TASK_NO_ROOM;
    if (n < 0) return TERM_NONE;
    Term list = list_from_utf8(h, to, (size_t)n, TERM_NIL);
    free(to);
    return list;
}

static void normal_run(Offload *o)
{
    o->out = chars_normal(&o->heap, (int)o->number, o->in[0], &o->why);
}

/* Longer lists go to the blocking pool. */
#define NORMAL_AT_ONCE 300

/* Has every normal form these characters as they are?  Composed forms leave what is below U+0300,
 * the compatible and decomposed ones ASCII alone. */
static bool chars_is_normal(Term list, int options, size_t most)
{
    int64_t end = options == (UTF8PROC_STABLE | UTF8PROC_COMPOSE) ? 0x300 : 0x80;
    for (; most > 0 && term_is_cons(list); list = list_tail(list), most--) {
        Term c = list_head(list);
        if (!term_is_small(c) || small_value(c) < 0 || small_value(c) >= end) return false;
    }
    return term_is_nil(list);
}

/* Characters that are looked at in that way at once. */
#define NORMAL_QUICK 10000

/* mote_uni:normalize(Form, Characters): the list in that form; badarg if it is
 * no list of characters. */
BifResult bif_uni_normalize(Process *p)
{
    int options = chars_form(arg(p, 0));
    if (options < 0) return raise_badarg(p);
    if (!task_is_pooled(p) && chars_is_normal(arg(p, 1), options, NORMAL_QUICK)) {
        bif_charge(p, NORMAL_AT_ONCE / 2);
        return arg(p, 1);
    }
    if (task_is_pooled(p) || task_list_is_longer(arg(p, 1), NORMAL_AT_ONCE))
        return task_pool(p, normal_run, (const Term[]){arg(p, 1)}, 1, options);
    int why;
    Term list = chars_normal(&p->heap, options, arg(p, 1), &why);
    bif_charge(p, NORMAL_AT_ONCE / 2);
    if (!term_is_none(list)) return list;
    return why == TASK_BADARG ? raise_badarg(p) : raise_system_limit(p);
}
