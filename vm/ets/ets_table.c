#include "vm/ets/ets_table.h"

#include "vm/base/mem.h"
#include "vm/ets/ets_directory.h"

#include <sched.h>

/* ---- making and freeing ---- */

EtsStore *ets_store_new(Mem *mem, const AtomTable *atoms, EtsKind kind, size_t keypos)
{
    EtsStore *s = mem_alloc_zero(mem, MEM_TABLE, sizeof *s);
    s->kind = kind;
    s->mem = mem;
    if (kind == ETS_ORDERED_SET)
        ets_tree_init(&s->tree, mem, atoms, keypos);
    else
        ets_hash_init(&s->hash, mem, atoms, keypos);
    return s;
}

bool ets_store_free_some(EtsStore *s, size_t *budget)
{
    bool over = s->kind == ETS_ORDERED_SET ? ets_tree_free_some(&s->tree, budget)
                                           : ets_hash_free_some(&s->hash, budget);
    if (over) mem_free(s->mem, MEM_TABLE, s, sizeof *s);
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

int64_t ets_table_size(const EtsTable *t)
{
    const EtsStore *s = ets_table_store(t);
    int64_t n = 0;
    for (size_t i = 0; i < ETS_COUNTS; i++) n += atomic_load_relaxed(&s->counts[i].objects);
    return n < 0 ? 0 : n;
}

int64_t ets_table_words(const EtsTable *t)
{
    const EtsStore *s = ets_table_store(t);
    int64_t n = (int64_t)((sizeof *t + sizeof *s) / sizeof(Word));
    if (t->kind != ETS_ORDERED_SET)
        n += (int64_t)(ets_hash_buckets(&s->hash) * sizeof(EtsLink) / sizeof(Word));
    for (size_t i = 0; i < ETS_COUNTS; i++) n += atomic_load_relaxed(&s->counts[i].words);
    return n;
}

/* ---- reading ---- */

EtsObject *ets_find(const EtsTable *t, Term key)
{
    const EtsStore *s = ets_table_store(t);
    return t->kind == ETS_ORDERED_SET ? ets_tree_find(&s->tree, key)
                                      : ets_hash_find(&s->hash, key);
}

EtsObject *ets_find_more(const EtsTable *t, const EtsObject *o, Term key)
{
    if (t->kind == ETS_ORDERED_SET || t->kind == ETS_SET) return NULL;
    return ets_hash_find_more(&ets_table_store(t)->hash, o, key);
}

/* ---- the gate ---- */

/* True: until gate_leave no batch begins in `t`. */
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
    /* Pairs with the loads of version_close. */
    atomic_store_release(&ets_directory_gate(u->directory, u->index)->table, NULL);
}

/* Makes the version odd, and waits until every writer has left. */
static void version_close(EtsUser *u, EtsTable *t) REQUIRES(t->lock)
{
    atomic_store_seq(&t->version, atomic_load_relaxed(&t->version) + 1);
    for (unsigned i = 0; i < ets_directory_gates(u->directory); i++) {
        EtsGate *gate = ets_directory_gate(u->directory, i);
        for (unsigned turns = 0; atomic_load_seq(&gate->table) == t; turns++) {
            atomic_pause();
            if (turns % 64 == 63) sched_yield();
        }
    }
}

/* Pairs with ets_read_begin and gate_enter. */
static void version_open(EtsTable *t) REQUIRES(t->lock)
{
    atomic_store_seq(&t->version, atomic_load_relaxed(&t->version) + 1);
}

/* ---- writing ---- */

static void count_change(const EtsUser *u, EtsStore *s, int64_t objects, int64_t words)
{
    EtsCount *c = &s->counts[u->index % ETS_COUNTS];
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
static EtsResult store_put(EtsUser *u, EtsStore *s, EtsObject *o, bool only_new)
{
    EtsObject *old = NULL;
    int64_t weight = ets_object_weight(o);
    bool put = s->kind == ETS_ORDERED_SET
                   ? ets_tree_put(&s->tree, o, only_new, &old)
                   : ets_hash_put(&s->hash, o, put_mode(s->kind, only_new), &old);
    if (put) {
        if (old != NULL) weight -= ets_object_weight(old);
        count_change(u, s, old == NULL ? 1 : 0, weight);
        if (old != NULL) ets_object_retire(u->epoch, s->mem, old);
        return ETS_DONE;
    }
    if (only_new) return ETS_EXISTS;
    ets_object_free(s->mem, o); /* a bag has it already */
    return ETS_DONE;
}

EtsResult ets_put(EtsUser *u, EtsTable *t, EtsObject *o, bool only_new)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsResult result = store_put(u, ets_table_store(t), o, only_new);
    gate_leave(u);
    return result;
}

EtsResult ets_swap(EtsUser *u, EtsTable *t, EtsObject *old, EtsObject *fresh)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsStore *s = ets_table_store(t);
    int64_t weight = ets_object_weight(fresh) - ets_object_weight(old);
    bool there = t->kind == ETS_ORDERED_SET ? ets_tree_swap(&s->tree, old, fresh)
                                            : ets_hash_swap(&s->hash, old, fresh);
    if (there) {
        if (weight != 0) count_change(u, s, 0, weight);
        ets_object_retire(u->epoch, t->mem, old);
    }
    gate_leave(u);
    return there ? ETS_DONE : ETS_LOST;
}

static void store_removed(EtsUser *u, EtsStore *s, EtsObject *o)
{
    count_change(u, s, -1, -ets_object_weight(o));
    ets_object_retire(u->epoch, s->mem, o);
}

EtsResult ets_remove(EtsUser *u, EtsTable *t, EtsObject *o)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsStore *s = ets_table_store(t);
    bool there = t->kind == ETS_ORDERED_SET
                     ? ets_tree_remove(&s->tree, u->epoch, ets_table_key(t, o), o) != NULL
                     : ets_hash_remove(&s->hash, o);
    if (there) store_removed(u, s, o);
    gate_leave(u);
    return there ? ETS_DONE : ETS_LOST;
}

EtsResult ets_remove_key(EtsUser *u, EtsTable *t, Term key, Walk *removed)
{
    if (!gate_enter(u, t)) return ETS_BUSY;
    EtsStore *s = ets_table_store(t);
    size_t before = removed->count;
    if (t->kind == ETS_ORDERED_SET) {
        EtsObject *o = ets_tree_remove(&s->tree, u->epoch, key, NULL);
        if (o != NULL) walk_push(removed, (Word)(uintptr_t)o);
    } else {
        ets_hash_remove_key(&s->hash, key, removed);
    }
    for (size_t i = before; i < removed->count; i++)
        store_removed(u, s, (EtsObject *)(uintptr_t)removed->at[i]);
    gate_leave(u);
    return ETS_DONE;
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
    *old = ets_table_store(t);
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

static void batch_put(EtsUser *u, EtsTable *t, EtsBatch *b, size_t *budget)
{
    EtsStore *s = ets_table_store(t);
    for (; b->at != NULL && *budget > 0; --*budget) {
        EtsObject *o = b->at;
        b->first = b->at = ets_object_of(atomic_load_relaxed(&o->link.next));
        /* Of two objects of one key in an insert_new of a set the later one stays. */
        (void)store_put(u, s, o, false);
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
