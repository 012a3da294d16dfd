/* Built-ins of ets about single objects and keys, and about lists of objects. */
#include "vm/bif/bif_ets.h"

#include "vm/bif/bif_foreign.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/order.h"

/* ---- insert, insert_new ---- */

static BifResult insert_one(Process *p, EtsTable *t, Term tuple, bool only_new)
{
    EtsUser u = bif_ets_user(p);
    if (!bif_ets_is_object(t, tuple)) return raise_badarg(p);
    uint64_t order = ets_table_is_ordered(t) ? 0
                                             : ets_hash_expect(&ets_table_store(t)->hash,
                                                               tuple_at(tuple, t->keypos));
    bool more;
    EtsObject *o = bif_ets_object(p, tuple, &more);
    if (o == NULL) return more ? bif_yield(p) : TERM_NONE;
    o->link.order = order;
    switch (ets_put(&u, t, o, only_new)) {
    case ETS_DONE: return TERM_TRUE;
    case ETS_EXISTS: ets_object_free(p->run->mem, o); return TERM_FALSE;
    case ETS_LOST:
    case ETS_BUSY: break;
    }
    ets_object_free(p->run->mem, o);
    return bif_ets_busy(p, t);
}

enum { INSERT_REST = 2, INSERT_BATCH = 3, INSERT_PHASE = 4 };
enum { INSERT_BEGIN, INSERT_COPYING, INSERT_READY, INSERT_GOING };

static EtsBatch *insert_batch(const Process *p)
{
    return (EtsBatch *)bif_foreign_of(slot(p, INSERT_BATCH));
}

/* Copies objects from the list into the batch; TERM_NIL when all are there. */
static BifResult insert_copy(Process *p, EtsTable *t, EtsBatch *b)
{
    Term rest = slot(p, INSERT_REST);
    for (; term_is_cons(rest); rest = list_tail(rest)) {
        if (!bif_ets_is_object(t, list_head(rest))) return raise_badarg(p);
        bool more;
        EtsObject *o = bif_ets_object(p, list_head(rest), &more);
        if (o == NULL) return more ? bif_yield(p) : TERM_NONE;
        ets_batch_add(b, o);
        slot_set(p, INSERT_REST, list_tail(rest));
        if (bif_spent(p)) return bif_yield(p);
    }
    return term_is_nil(rest) ? TERM_NIL : raise_badarg(p);
}

/* The batch is what the table waits for: it goes in even if the caller dies. */
static BifResult insert_wait(Process *p, EtsTable *t, const EtsBatch *b)
{
    enum { OBJECTS = 200, EACH = 20 };
    EtsUser u = bif_ets_user(p);
    for (;;) {
        /* Pairs with the release in ets_batch_help. */
        if (atomic_load_acquire(&b->done)) return term_bool(!b->exists);
        size_t budget = OBJECTS;
        bool over = ets_batch_help(&u, t, &budget);
        bif_charge(p, (int64_t)(OBJECTS - budget) * EACH + 1);
        if (over) continue;
        if (budget == OBJECTS) return bif_ets_pause(p);
        if (bif_spent(p)) return bif_yield(p);
    }
}

static BifResult insert_list(Process *p, EtsTable *t, bool only_new)
{
    EtsUser u = bif_ets_user(p);
    EtsBatch *b = insert_batch(p);
    if (raw_slot(p, INSERT_PHASE) == INSERT_BEGIN) {
        b = ets_batch_new(p->run->mem, only_new);
        if (b == NULL) return raise_system_limit(p);
        Term ref = bif_foreign_new(p, &b->counted);
        if (term_is_none(ref)) return raise_system_limit(p);
        slot_set(p, INSERT_BATCH, ref);
        slot_set(p, INSERT_REST, arg(p, 1));
        raw_slot_set(p, INSERT_PHASE, INSERT_COPYING);
    }
    if (raw_slot(p, INSERT_PHASE) == INSERT_COPYING) {
        BifResult copied = insert_copy(p, t, b);
        if (!term_is_nil(copied)) return copied;
        raw_slot_set(p, INSERT_PHASE, INSERT_READY);
    }
    if (raw_slot(p, INSERT_PHASE) == INSERT_READY) {
        if (ets_batch_start(&u, t, b) == ETS_BUSY) return bif_ets_busy(p, t);
        raw_slot_set(p, INSERT_PHASE, INSERT_GOING);
    }
    return insert_wait(p, t, b);
}

static BifResult insert_any(Process *p, bool only_new)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    Term objects = arg(p, 1);
    if (term_is_nil(objects)) return TERM_TRUE;
    if (!term_is_cons(objects)) return insert_one(p, t, objects, only_new);
    if (term_is_nil(list_tail(objects))) return insert_one(p, t, list_head(objects), only_new);
    return insert_list(p, t, only_new);
}

BifResult bif_ets_insert(Process *p) { return insert_any(p, false); }
BifResult bif_ets_insert_new(Process *p) { return insert_any(p, true); }

/* ---- lookup, member, lookup_element ---- */

/* Objects of one key that are looked at as a whole before any is copied. */
typedef struct EtsGroup {
    Walk objects; /* newest first */
    bool busy;
} EtsGroup;

/* The objects of a key at one moment. */
static void group_find(Process *p, const EtsTable *t, Term key, EtsGroup *g)
{
    walk_init(&g->objects, p->run->mem);
    for (;;) {
        uint64_t version = ets_read_begin(t);
        g->objects.count = 0;
        for (EtsObject *o = ets_find(t, key); o != NULL; o = ets_find_more(t, o, key))
            walk_push(&g->objects, (Word)(uintptr_t)o);
        g->busy = (version & 1) != 0;
        if (g->busy || ets_read_holds(t, version)) return;
    }
}

/* Has each of the objects that element? */
static bool group_has(const Walk *objects, int64_t element)
{
    for (size_t i = 0; i < objects->count; i++) {
        const EtsObject *o = (const EtsObject *)(uintptr_t)objects->at[i];
        if ((int64_t)tuple_size(ets_object_tuple(o)) <= element) return false;
    }
    return true;
}

/* The object of a key in a table of one per key, and whether a batch is in the way. */
static EtsObject *find_one(const EtsTable *t, Term key, bool *busy)
{
    for (;;) {
        uint64_t version = ets_read_begin(t);
        EtsObject *o = ets_find(t, key);
        *busy = (version & 1) != 0;
        if (*busy || ets_read_holds(t, version)) return o;
    }
}

static bool table_is_bag(const EtsTable *t)
{
    return t->kind == ETS_BAG || t->kind == ETS_DUPLICATE_BAG;
}

static BifResult lookup_group(Process *p, EtsTable *t, int64_t element, Term otherwise)
{
    EtsGroup g;
    group_find(p, t, arg(p, 1), &g);
    BifResult result;
    if (g.busy)
        result = bif_ets_busy(p, t);
    else if (g.objects.count == 0)
        result = otherwise;
    else if (!group_has(&g.objects, element))
        result = raise_badarg(p);
    else
        result = bif_ets_out(p, t, &g.objects, element, ETS_OUT_LIST);
    bif_ets_charge(p, 0);
    walk_free(&g.objects);
    return result;
}

/* A large object alone. */
static NOINLINE BifResult lookup_large(Process *p, const EtsTable *t, EtsObject *o,
                                       int64_t element, EtsOutForm form)
{
    Walk one;
    walk_init(&one, p->run->mem);
    walk_push(&one, (Word)(uintptr_t)o);
    BifResult result = bif_ets_out(p, t, &one, element, form);
    walk_free(&one);
    return result;
}

BifResult bif_ets_lookup(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_READ);
    if (t == NULL) return TERM_NONE;
    if (UNLIKELY(bif_ets_out_is_held(p))) return bif_ets_out_again(p, t);
    if (table_is_bag(t)) return lookup_group(p, t, -1, TERM_NIL);
    bool busy;
    EtsObject *o = find_one(t, arg(p, 1), &busy);
    if (busy) return bif_ets_busy(p, t);
    bif_ets_charge(p, 0);
    if (o == NULL) return TERM_NIL;
    if (ets_object_is_large(o)) return lookup_large(p, t, o, -1, ETS_OUT_LIST);
    bif_charge(p, o->words / 16);
    Term copy = ets_object_copy_out(&p->heap, o);
    return bif_ets_done(p, term_is_none(copy) ? copy : heap_cons(&p->heap, copy, TERM_NIL));
}

static BifResult lookup_element(Process *p, Term otherwise)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_READ);
    if (t == NULL) return TERM_NONE;
    if (UNLIKELY(bif_ets_out_is_held(p))) return bif_ets_out_again(p, t);
    if (!term_is_small(arg(p, 2)) || small_value(arg(p, 2)) < 1) return raise_badarg(p);
    int64_t element = small_value(arg(p, 2)) - 1;
    if (table_is_bag(t)) {
        BifResult result = lookup_group(p, t, element, TERM_NIL);
        if (!term_is_nil(result)) return result;
        return term_is_none(otherwise) ? raise_badarg(p) : otherwise;
    }
    bool busy;
    EtsObject *o = find_one(t, arg(p, 1), &busy);
    if (busy) return bif_ets_busy(p, t);
    bif_ets_charge(p, 0);
    if (o == NULL) return term_is_none(otherwise) ? raise_badarg(p) : otherwise;
    if ((int64_t)tuple_size(ets_object_tuple(o)) <= element) return raise_badarg(p);
    if (ets_object_is_large(o)) return lookup_large(p, t, o, element, ETS_OUT_ONE);
    return bif_ets_done(p, ets_part_copy_out(&p->heap, TERM_RAW(o->data[1 + element])));
}

BifResult bif_ets_lookup_element_3(Process *p) { return lookup_element(p, TERM_NONE); }
BifResult bif_ets_lookup_element_4(Process *p) { return lookup_element(p, arg(p, 3)); }

BifResult bif_ets_member(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_READ);
    if (t == NULL) return TERM_NONE;
    bool busy;
    const EtsObject *o = find_one(t, arg(p, 1), &busy);
    bif_ets_charge(p, 0);
    return busy ? bif_ets_busy(p, t) : term_bool(o != NULL);
}

/* ---- delete, take, delete_object ---- */

BifResult bif_ets_delete_2(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    EtsUser u = bif_ets_user(p);
    Walk removed;
    walk_init(&removed, p->run->mem);
    EtsResult r = ets_remove_key(&u, t, arg(p, 1), &removed);
    bif_charge(p, (int64_t)(8 + 8 * removed.count));
    walk_free(&removed);
    return r == ETS_BUSY ? bif_ets_busy(p, t) : TERM_TRUE;
}

BifResult bif_ets_take(Process *p)
{
    /* Taken out, they are the caller's, whatever has become of the table. */
    if (UNLIKELY(bif_ets_out_is_held(p))) return bif_ets_out_again(p, NULL);
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    EtsUser u = bif_ets_user(p);
    Walk removed;
    walk_init(&removed, p->run->mem);
    EtsResult r = ets_remove_key(&u, t, arg(p, 1), &removed);
    BifResult result =
        r == ETS_BUSY ? bif_ets_busy(p, t) : bif_ets_out(p, t, &removed, -1, ETS_OUT_LIST);
    bif_charge(p, (int64_t)(8 + 8 * removed.count));
    walk_free(&removed);
    return result;
}

/* All objects of a duplicate_bag that are equal to the tuple, one by one. */
BifResult bif_ets_delete_object(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    Term tuple = arg(p, 1);
    if (!bif_ets_is_object(t, tuple)) return raise_badarg(p);
    EtsUser u = bif_ets_user(p);
    EtsGroup g;
    group_find(p, t, tuple_at(tuple, t->keypos), &g);
    bool busy = g.busy;
    for (size_t i = 0; i < g.objects.count && !busy; i++) {
        EtsObject *o = (EtsObject *)(uintptr_t)g.objects.at[i];
        bif_ets_charge(p, o->words);
        if (!order_same(ets_object_tuple(o), tuple)) continue;
        busy = ets_remove(&u, t, o) == ETS_BUSY;
    }
    walk_free(&g.objects);
    return busy ? bif_ets_busy(p, t) : TERM_TRUE;
}
