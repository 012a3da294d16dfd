#include "vm/ets/ets_table.h"

#include "vm/base/mem.h"
#include "vm/ets/ets_directory.h"

#include <stddef.h>

/* ---- making and freeing ---- */

static size_t store_bytes(EtsKind kind)
{
    size_t own = kind == ETS_ORDERED_SET ? sizeof(EtsCounted) : sizeof(EtsHash);
    return offsetof(EtsStore, hash) + own;
}

EtsStore *ets_store_new(Mem *mem, const AtomTable *atoms, EtsKind kind, size_t keypos)
{
    EtsStore *s = mem_alloc_zero(mem, MEM_TABLE, store_bytes(kind));
    s->kind = kind;
    s->mem = mem;
    if (kind == ETS_ORDERED_SET)
        ets_tree_init(&s->ordered.tree, mem, atoms, keypos);
    else
        ets_hash_init(&s->hash, mem, atoms, keypos);
    return s;
}

bool ets_store_free_some(EtsStore *s, size_t *budget)
{
    bool over = s->kind == ETS_ORDERED_SET ? ets_tree_free_some(&s->ordered.tree, budget)
                                           : ets_hash_free_some(&s->hash, budget);
    if (over) mem_free(s->mem, MEM_TABLE, s, store_bytes(s->kind));
    return over;
}

EtsTable *ets_table_new(Mem *mem, const AtomTable *atoms, EtsKind kind, size_t keypos)
{
    EtsTable *t = mem_alloc_zero(mem, MEM_TABLE, sizeof *t);
    t->kind = kind;
    t->keypos = keypos;
    t->mem = mem;
    t->atoms = atoms;
    atomic_store_relaxed(&t->heir, TERM_NIL.w);
    lock_init(&t->lock, LOCK_RANK_TABLE, "table");
    atomic_store_release(&t->store, ets_store_new(mem, atoms, kind, keypos));
    return t;
}

void ets_table_free(EtsTable *t)
{
    if (t->legacy != NULL) ets_object_free(t->mem, t->legacy);
    if (t->batch != NULL) counted_drop(&t->batch->counted);
    lock_destroy(&t->lock);
    mem_free(t->mem, MEM_TABLE, t, sizeof *t);
}

int64_t ets_store_size(const EtsStore *s)
{
    if (s->kind != ETS_ORDERED_SET) return ets_hash_count(&s->hash);
    int64_t n = 0;
    const EtsCount *c = s->ordered.counts;
    for (size_t i = 0; i < ETS_COUNTS; i++) n += atomic_load_relaxed(&c[i].objects);
    return n < 0 ? 0 : n;
}

int64_t ets_table_size(const EtsTable *t) { return ets_store_size(ets_table_store(t)); }

int64_t ets_table_words(const EtsTable *t)
{
    const EtsStore *s = ets_table_store(t);
    int64_t n = (int64_t)((sizeof *t + store_bytes(t->kind)) / sizeof(Word));
    if (t->kind != ETS_ORDERED_SET)
        return n + (int64_t)(ets_hash_buckets(&s->hash) * sizeof(EtsLink) / sizeof(Word))
               + ets_hash_words(&s->hash);
    const EtsCount *c = s->ordered.counts;
    n += atomic_load_relaxed(&s->ordered.tree.words);
    for (size_t i = 0; i < ETS_COUNTS; i++) n += atomic_load_relaxed(&c[i].words);
    return n;
}

/* ---- reading ---- */

EtsObject *ets_find(const EtsTable *t, Term key)
{
    const EtsStore *s = ets_table_store(t);
    return t->kind == ETS_ORDERED_SET ? ets_tree_find(&s->ordered.tree, key)
                                      : ets_hash_find(&s->hash, key);
}

EtsObject *ets_find_more(const EtsTable *t, const EtsObject *o, Term key)
{
    if (t->kind == ETS_ORDERED_SET || t->kind == ETS_SET) return NULL;
    return ets_hash_find_more(&ets_table_store(t)->hash, o, key);
}

/* ---- closing ---- */

/* True: until gate_leave no batch begins in `t`, an ordered_set. */
static bool gate_enter(EtsUser *u, EtsTable *t)
{
    EtsGate *gate = ets_directory_gate(u->directory, u->index);
    /* Sequentially consistent, like version_close: one of the two sees the other. */
    atomic_store_seq(&gate->table, t);
    if ((atomic_load_seq(&t->version) & 1) == 0) return true;
    atomic_store_release(&gate->table, NULL);
    return false;
}

static void gate_leave(EtsUser *u)
{
    /* Pairs with the loads of gates_wait. */
    atomic_store_release(&ets_directory_gate(u->directory, u->index)->table, NULL);
}

static void gates_wait(EtsUser *u, const EtsTable *t)
{
    for (unsigned i = 0; i < ets_directory_gates(u->directory); i++) {
        EtsGate *gate = ets_directory_gate(u->directory, i);
        for (unsigned turns = 0; atomic_load_seq(&gate->table) == t; turns++)
            ets_latch_wait(turns);
    }
}

/* Makes the version odd, and waits until every writer has left. */
static void version_close(EtsUser *u, EtsTable *t) REQUIRES(t->lock)
{
    atomic_store_seq(&t->version, atomic_load_relaxed(&t->version) + 1);
    if (t->kind == ETS_ORDERED_SET)
        gates_wait(u, t);
    else
        ets_hash_close(&ets_table_store(t)->hash);
}

/* Pairs with ets_read_begin and gate_enter. */
static void version_open(EtsTable *t) REQUIRES(t->lock)
{
    atomic_store_seq(&t->version, atomic_load_relaxed(&t->version) + 1);
    if (t->kind != ETS_ORDERED_SET) ets_hash_open(&ets_table_store(t)->hash);
}

/* ---- writing ---- */

static void count_change(const EtsUser *u, EtsStore *s, int64_t objects, int64_t words)
{
    EtsCount *c = &s->ordered.counts[u->index % ETS_COUNTS];
    if (ets_directory_gates(u->directory) <= ETS_COUNTS) { /* nobody else writes there */
        atomic_store_relaxed(&c->objects, atomic_load_relaxed(&c->objects) + objects);
        atomic_store_relaxed(&c->words, atomic_load_relaxed(&c->words) + words);
        return;
    }
    if (objects != 0) (void)atomic_add_relaxed(&c->objects, objects);
    (void)atomic_add_relaxed(&c->words, words);
}

static EtsPutMode put_mode(EtsKind kind, bool only_new)
{
    if (only_new) return ETS_PUT_IF_ABSENT;
    if (kind == ETS_BAG) return ETS_PUT_UNLESS_EQUAL;
    return kind == ETS_DUPLICATE_BAG ? ETS_PUT_ALWAYS : ETS_PUT_REPLACE;
}

/* The caller is past the gate, or puts a batch. */
static EtsResult tree_put(EtsUser *u, EtsStore *s, EtsObject *o, bool only_new, EtsObject **old)
{
    int64_t weight = ets_object_weight(o);
    if (!ets_tree_put(&s->ordered.tree, o, only_new, old)) return ETS_EXISTS;
    if (*old != NULL) weight -= ets_object_weight(*old);
    count_change(u, s, *old == NULL ? 1 : 0, weight);
    return ETS_DONE;
}

static EtsResult tree_put_alone(EtsUser *u, EtsTable *t, EtsObject *o, bool only_new,
                                EtsObject **old)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsResult result = tree_put(u, ets_table_store(t), o, only_new, old);
    gate_leave(u);
    return result;
}

/* What a put leaves to be done: DONE has taken `o`. */
static EtsResult put_finish(EtsUser *u, EtsStore *s, EtsResult result, EtsObject *o,
                            bool only_new, EtsObject *old)
{
    if (old != NULL) ets_object_retire(u->epoch, s->mem, old);
    if (result != ETS_EXISTS || only_new) return result;
    ets_object_free(s->mem, o); /* a bag has it already */
    return ETS_DONE;
}

EtsResult ets_put(EtsUser *u, EtsTable *t, EtsObject *o, bool only_new)
{
    EtsObject *old = NULL;
    EtsStore *s = ets_table_store(t);
    EtsResult result =
        t->kind == ETS_ORDERED_SET
            ? tree_put_alone(u, t, o, only_new, &old)
            : ets_hash_put(&s->hash, o, put_mode(t->kind, only_new), false, &old);
    return put_finish(u, s, result, o, only_new, old);
}

static EtsResult tree_swap(EtsUser *u, EtsTable *t, EtsObject *old, EtsObject *fresh)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsStore *s = ets_table_store(t);
    int64_t weight = ets_object_weight(fresh) - ets_object_weight(old);
    bool there = ets_tree_swap(&s->ordered.tree, old, fresh);
    if (there && weight != 0) count_change(u, s, 0, weight);
    gate_leave(u);
    return there ? ETS_DONE : ETS_LOST;
}

EtsResult ets_swap(EtsUser *u, EtsTable *t, EtsObject *old, EtsObject *fresh)
{
    EtsResult result = t->kind == ETS_ORDERED_SET
                           ? tree_swap(u, t, old, fresh)
                           : ets_hash_swap(&ets_table_store(t)->hash, old, fresh);
    if (result == ETS_DONE) ets_object_retire(u->epoch, t->mem, old);
    return result;
}

/* Takes out the object of a key; unless `only` is NULL, if it is that one. */
static EtsResult tree_remove(EtsUser *u, EtsTable *t, Term key, const EtsObject *only,
                             EtsObject **removed)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsStore *s = ets_table_store(t);
    *removed = ets_tree_remove(&s->ordered.tree, u->epoch, key, only);
    if (*removed != NULL) count_change(u, s, -1, -ets_object_weight(*removed));
    gate_leave(u);
    return *removed == NULL ? ETS_LOST : ETS_DONE;
}

EtsResult ets_remove(EtsUser *u, EtsTable *t, EtsObject *o)
{
    EtsObject *removed;
    EtsResult result = t->kind == ETS_ORDERED_SET
                           ? tree_remove(u, t, ets_table_key(t, o), o, &removed)
                           : ets_hash_remove(&ets_table_store(t)->hash, o);
    if (result == ETS_DONE) ets_object_retire(u->epoch, t->mem, o);
    return result;
}

EtsResult ets_remove_key(EtsUser *u, EtsTable *t, Term key, Walk *removed)
{
    size_t before = removed->count;
    EtsResult result;
    if (t->kind == ETS_ORDERED_SET) {
        EtsObject *o;
        result = tree_remove(u, t, key, NULL, &o);
        if (result == ETS_DONE) walk_push(removed, (Word)(uintptr_t)o);
        if (result == ETS_LOST) result = ETS_DONE;
    } else {
        result = ets_hash_remove_key(&ets_table_store(t)->hash, key, removed);
    }
    for (size_t i = before; i < removed->count; i++)
        ets_object_retire(u->epoch, t->mem, (EtsObject *)(uintptr_t)removed->at[i]);
    return result;
}

EtsResult ets_clear(EtsUser *u, EtsTable *t, EtsStore **old)
{
    EtsStore *fresh = ets_store_new(t->mem, t->atoms, t->kind, t->keypos);
    lock_take(&t->lock);
    if (t->batch != NULL) {
        lock_drop(&t->lock);
        size_t budget = SIZE_MAX;
        (void)ets_store_free_some(fresh, &budget);
        return ETS_BUSY;
    }
    version_close(u, t);
    *old = ets_table_store(t); /* its stripes stay closed */
    atomic_store_release(&t->store, fresh);
    version_open(t);
    lock_drop(&t->lock);
    return ETS_DONE;
}

/* ---- batches ---- */

static void batch_release(Counted *object)
{
    EtsBatch *b = (EtsBatch *)object;
    while (b->first != NULL) {
        EtsObject *o = b->first;
        b->first = ets_object_of(atomic_load_relaxed(&o->link.next));
        ets_object_free(b->mem, o);
    }
    mem_free(b->mem, MEM_TABLE, b, sizeof *b);
}

EtsBatch *ets_batch_new(Mem *mem, bool only_new)
{
    EtsBatch *b = mem_try_alloc(mem, MEM_TABLE, sizeof *b);
    if (b == NULL) return NULL;
    *b = (EtsBatch){.mem = mem, .only_new = only_new};
    atomic_store_relaxed(&b->counted.references, 1);
    b->counted.release = batch_release;
    b->counted.bytes = sizeof *b;
    return b;
}

void ets_batch_add(EtsBatch *b, EtsObject *o)
{
    atomic_store_relaxed(&o->link.next, NULL);
    if (b->last == NULL)
        b->first = o;
    else
        atomic_store_relaxed(&b->last->link.next, &o->link);
    b->last = o;
}

EtsResult ets_batch_start(EtsUser *u, EtsTable *t, EtsBatch *b)
{
    lock_take(&t->lock);
    if (t->batch != NULL) {
        lock_drop(&t->lock);
        return ETS_BUSY;
    }
    version_close(u, t);
    counted_retain(&b->counted);
    b->at = b->first;
    b->checked = !b->only_new;
    t->batch = b;
    lock_drop(&t->lock);
    return ETS_DONE;
}

/* Is the key of one of the objects there? Stops when the budget does. */
static bool batch_check(EtsTable *t, EtsBatch *b, size_t *budget)
{
    for (; b->at != NULL && *budget > 0; --*budget) {
        if (ets_find(t, ets_table_key(t, b->at)) != NULL) {
            b->exists = true;
            return false;
        }
        b->at = ets_object_of(atomic_load_relaxed(&b->at->link.next));
    }
    if (b->at == NULL) {
        b->checked = true;
        b->at = b->first;
    }
    return true;
}

static void batch_put_one(EtsUser *u, EtsStore *s, EtsObject *o)
{
    EtsObject *old = NULL;
    EtsResult result = s->kind == ETS_ORDERED_SET
                           ? tree_put(u, s, o, false, &old)
                           : ets_hash_put(&s->hash, o, put_mode(s->kind, false), true, &old);
    (void)put_finish(u, s, result, o, false, old);
}

static void batch_put(EtsUser *u, EtsTable *t, EtsBatch *b, size_t *budget)
{
    EtsStore *s = ets_table_store(t);
    for (; b->at != NULL && *budget > 0; --*budget) {
        EtsObject *o = b->at;
        b->first = b->at = ets_object_of(atomic_load_relaxed(&o->link.next));
        /* Of two objects of one key in an insert_new of a set the later one stays. */
        batch_put_one(u, s, o);
    }
}

bool ets_batch_help(EtsUser *u, EtsTable *t, size_t *budget)
{
    if (!lock_try(&t->lock)) return false;
    EtsBatch *b = t->batch;
    if (b != NULL && !b->checked && batch_check(t, b, budget) && !b->checked) {
        lock_drop(&t->lock);
        return false;
    }
    if (b != NULL && b->checked) batch_put(u, t, b, budget);
    bool over = b == NULL || b->exists || (b->checked && b->at == NULL);
    if (b != NULL && over) {
        t->batch = NULL;
        version_open(t);
        atomic_store_release(&b->done, true); /* pairs with the load of who waits for it */
    }
    lock_drop(&t->lock);
    if (b != NULL && over) counted_drop(&b->counted);
    return over;
}
