#include "vm/ets/ets_object.h"

#include "vm/base/mem.h"
#include "vm/term/copy.h"

#include <string.h>

static EtsObject *object_room(Mem *mem, size_t words)
{
    EtsObject *o = mem_try_alloc(mem, MEM_TABLE, ets_object_bytes(words));
    if (o == NULL) return NULL;
    atomic_store_relaxed(&o->link.next, NULL);
    o->link.order = 0;
    o->sequence = 0;
    o->words = (uint32_t)words;
    atomic_store_relaxed(&o->holders, 0);
    ets_object_set_handles(o, NULL);
    return o;
}

/* Tuples of at most so many elements are looked at for elements that are words. */
#define FLAT_MOST 16

/* Is the tuple all that is to be copied? */
static bool tuple_is_flat(const Word *tuple, size_t n)
{
    if (n > FLAT_MOST) return false;
    for (size_t i = 1; i <= n; i++)
        if (!term_is_atomic(TERM_RAW(tuple[i]))) return false;
    return true;
}

static EtsObject *object_flat(Mem *mem, const Word *tuple, size_t n, size_t limit)
{
    EtsObject *o = n + 1 > limit ? NULL : object_room(mem, n + 1);
    if (o == NULL) return NULL;
    for (size_t i = 0; i <= n; i++) o->data[i] = tuple[i];
    return o;
}

static EtsObject *object_copied(Mem *mem, Term tuple, size_t words)
{
    EtsObject *o = object_room(mem, words);
    if (o == NULL) return NULL;
    Heap h = {.top = o->data, .limit = o->data + words, .mem = mem};
    (void)copy_into(&h, o->data, words, tuple, NULL);
    ets_object_set_handles(o, h.handles);
    return o;
}

EtsObject *ets_object_new(Mem *mem, Term tuple, size_t limit)
{
    size_t n = tuple_size(tuple);
    if (tuple_is_flat(boxed_words(tuple), n))
        return object_flat(mem, boxed_words(tuple), n, limit);
    size_t words = copy_size(tuple, limit < ETS_OBJECT_MAX ? limit : ETS_OBJECT_MAX, NULL);
    return words == COPY_TOO_LARGE ? NULL : object_copied(mem, tuple, words);
}

EtsObject *ets_object_quick(Mem *mem, Term tuple, bool *large)
{
    size_t n = tuple_size(tuple);
    *large = false;
    if (tuple_is_flat(boxed_words(tuple), n))
        return object_flat(mem, boxed_words(tuple), n, ETS_OBJECT_LARGE);
    size_t words = copy_size(tuple, ETS_OBJECT_LARGE, NULL);
    *large = words == COPY_TOO_LARGE;
    return *large ? NULL : object_copied(mem, tuple, words);
}

static NOINLINE void object_free_now(Mem *mem, EtsObject *o)
{
    size_t handles = ets_object_handles(o);
    if (handles != 0) (void)heap_drop_handles(o->data + handles);
    mem_free(mem, MEM_TABLE, o, ets_object_bytes(o->words));
}

void ets_object_free(Mem *mem, EtsObject *o)
{
    /* Who holds it has found it in the table, so there is nobody new. */
    if (LIKELY(atomic_load_acquire(&o->holders) == 0))
        object_free_now(mem, o);
    else
        ets_object_drop(mem, o);
}

bool ets_object_hold(EtsObject *o)
{
    uint16_t n = atomic_load_relaxed(&o->holders);
    do {
        if (n == UINT16_MAX - 1) return false;
    } while (!atomic_cas_relaxed(&o->holders, &n, (uint16_t)(n + 1)));
    return true;
}

/* The last of the holders and the table finds 0. */
void ets_object_drop(Mem *mem, EtsObject *o)
{
    if (atomic_sub_acq_rel(&o->holders, 1) == 0) object_free_now(mem, o);
}

static void object_release(void *context, void *at) { ets_object_free(context, at); }

void ets_object_retire(EpochThread *epoch, Mem *mem, EtsObject *o)
{
    epoch_retire(epoch, object_release, mem, o);
}

/* Words that a copy has taken over as they are point into the object: moves them by the distance,
 * and puts handles on the heap's list. */
static void object_settle(Heap *h, Word *at, size_t words, Word distance)
{
    for (Word *end = at + words; at < end; at++) {
        Term t = TERM_RAW(*at);
        if (!term_is_atomic(t)) {
            *at += distance;
        } else if (term_is_header(t) && kind_is_raw(header_kind(t.w))) {
            Kind kind = header_kind(t.w);
            if (kind == KIND_SHARED_BINARY || kind == KIND_FOREIGN) {
                Counted *counted = (Counted *)(uintptr_t)at[2];
                counted_retain(counted);
                heap_add_handle(h, at, counted->bytes);
            }
            at += header_words(t.w);
        }
    }
}

EtsObject *ets_object_with(Mem *mem, const EtsObject *from, size_t i, Term value)
{
    EtsObject *o = object_room(mem, from->words);
    if (o == NULL) return NULL;
    Heap h = {.mem = mem};
    o->link.order = from->link.order;
    memcpy(o->data, from->data, from->words * sizeof(Word));
    object_settle(&h, o->data, o->words, (Word)o->data - (Word)from->data);
    ets_object_set_handles(o, h.handles);
    o->data[1 + i] = value.w;
    return o;
}

Term ets_object_copy_out(Heap *h, const EtsObject *o)
{
    Word *at = heap_alloc(h, o->words);
    if (at == NULL) return TERM_NONE;
    if (o->words <= FLAT_MOST + 1 && o->words == tuple_size(ets_object_tuple(o)) + 1) {
        for (size_t i = 0; i < o->words; i++) at[i] = o->data[i];
        return boxed_from(at);
    }
    memcpy(at, o->data, o->words * sizeof(Word));
    object_settle(h, at, o->words, (Word)at - (Word)o->data);
    return boxed_from(at);
}

Term ets_part_copy_out(Heap *h, Term part)
{
    return term_is_atomic(part) ? part : copy_term(h, part, SIZE_MAX, NULL);
}

/* ---- in slices ---- */

void ets_making_begin(EtsMaking *m, Mem *mem, Term tuple, size_t limit)
{
    copy_begin(&m->copy, tuple, limit < ETS_OBJECT_MAX ? limit : ETS_OBJECT_MAX, NULL, mem);
    m->area = (Heap){.mem = mem};
    m->object = NULL;
    m->mem = mem;
}

bool ets_making_step(EtsMaking *m, size_t *budget)
{
    if (m->object == NULL) {
        if (!copy_count(&m->copy, budget)) return false;
        if (m->copy.words != COPY_TOO_LARGE) m->object = object_room(m->mem, m->copy.words);
        if (m->object == NULL) return true;
        copy_place(&m->copy, &m->area, m->object->data);
    }
    if (!copy_step(&m->copy, &m->area, budget)) return false;
    ets_object_set_handles(m->object, m->area.handles);
    m->area.handles = NULL;
    return true;
}

void ets_making_end(EtsMaking *m)
{
    copy_end(&m->copy);
    /* Of an unfinished copy. */
    (void)heap_drop_handles(m->area.handles);
    if (m->object != NULL) ets_object_free(m->mem, m->object);
    m->object = NULL;
}
