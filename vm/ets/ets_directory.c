#include "vm/ets/ets_directory.h"

#include "vm/base/htab.h"
#include "vm/base/mem.h"

/* ---- an index that is read without a lock ---- */

/* A pair stays where it is once its key is set; a removed one has no table. */
typedef struct IndexPair {
    AtomicU64 key; /* 0: free, and so are all behind it */
    _Atomic(EtsTable *) table;
} IndexPair;

typedef struct IndexPairs {
    size_t mask;
    size_t used; /* keys set */
    IndexPair at[];
} IndexPairs;

typedef struct Index {
    _Atomic(IndexPairs *) pairs;
    size_t live;
} Index;

#define INDEX_FIRST 64

static size_t index_bytes(size_t places)
{
    return sizeof(IndexPairs) + places * sizeof(IndexPair);
}

static IndexPairs *index_pairs_new(Mem *mem, size_t places)
{
    IndexPairs *pairs = mem_alloc_zero(mem, MEM_TABLE, index_bytes(places));
    pairs->mask = places - 1;
    return pairs;
}

static void index_release(void *context, void *at)
{
    IndexPairs *pairs = at;
    mem_free(context, MEM_TABLE, pairs, index_bytes(pairs->mask + 1));
}

static inline IndexPair *index_place(IndexPairs *pairs, uint64_t key)
{
    for (size_t i = htab_hash_number(key) & pairs->mask;; i = (i + 1) & pairs->mask) {
        uint64_t there = atomic_load_acquire(&pairs->at[i].key);
        if (there == key || there == 0) return &pairs->at[i];
    }
}

static inline EtsTable *index_find(const Index *index, uint64_t key)
{
    /* Pairs with the releases in index_set and index_grow. */
    IndexPair *place = index_place(atomic_load_acquire(&index->pairs), key);
    /* A free place may be about to become another key's. */
    return atomic_load_acquire(&place->key) == key ? atomic_load_acquire(&place->table) : NULL;
}

struct EtsDirectory {
    Lock lock; /* all but what the index's pairs and the gates say */
    Mem *mem;
    Epoch *epoch;
    Index ids;
    Index names;
    EtsTable *first; /* in the order of their making */
    EtsTable *last;
    AtomicSize count;
    Htab owners; /* pid -> Owner */
    EtsStore *buried;
    EtsStore *buried_last;
    AtomicSize graves; /* buried, those being freed included */
    unsigned gate_count;
    EtsGate *gates;
    MatchNames *match_names;
};

/* What a process has. */
typedef struct Owner {
    EtsTable *tables; /* oldest first */
    EtsTable *tables_last;
    EtsFix *fixes;
} Owner;

static void index_set(IndexPairs *pairs, uint64_t key, EtsTable *t)
{
    IndexPair *place = index_place(pairs, key);
    if (atomic_load_relaxed(&place->key) == 0) pairs->used++;
    atomic_store_release(&place->table, t);
    atomic_store_release(&place->key, key);
}

static void index_grow(EtsDirectory *d, Index *index, IndexPairs *old) REQUIRES(d->lock)
{
    IndexPairs *fresh = index_pairs_new(
        d->mem, index->live * 4 > old->mask ? (old->mask + 1) * 2 : old->mask + 1);
    for (size_t i = 0; i <= old->mask; i++) {
        EtsTable *t = atomic_load_relaxed(&old->at[i].table);
        if (t != NULL) index_set(fresh, atomic_load_relaxed(&old->at[i].key), t);
    }
    atomic_store_release(&index->pairs, fresh);
    epoch_retire_shared(d->epoch, index_release, d->mem, old);
}

static void index_put(EtsDirectory *d, Index *index, uint64_t key, EtsTable *t)
    REQUIRES(d->lock)
{
    IndexPairs *pairs = atomic_load_relaxed(&index->pairs);
    if (pairs->used * 2 > pairs->mask) {
        index_grow(d, index, pairs);
        pairs = atomic_load_relaxed(&index->pairs);
    }
    index_set(pairs, key, t);
    index->live++;
}

static void index_drop(Index *index, uint64_t key)
{
    IndexPairs *pairs = atomic_load_relaxed(&index->pairs);
    atomic_store_release(&index_place(pairs, key)->table, NULL);
    index->live--;
}

/* ---- the directory ---- */

EtsDirectory *ets_directory_new(Mem *mem, Epoch *epoch, AtomTable *atoms, unsigned users)
{
    EtsDirectory *d = mem_alloc_zero(mem, MEM_TABLE, sizeof *d);
    lock_init(&d->lock, LOCK_RANK_TABLES, "directory of tables");
    d->mem = mem;
    d->epoch = epoch;
    d->gate_count = users;
    d->gates = mem_alloc_zero(mem, MEM_TABLE, users * sizeof *d->gates);
    d->match_names = ets_match_names_new(mem, atoms);
    htab_init(&d->owners, mem, MEM_TABLE);
    atomic_store_relaxed(&d->ids.pairs, index_pairs_new(mem, INDEX_FIRST));
    atomic_store_relaxed(&d->names.pairs, index_pairs_new(mem, INDEX_FIRST));
    return d;
}

EtsGate *ets_directory_gate(EtsDirectory *d, unsigned index) { return &d->gates[index]; }
unsigned ets_directory_gates(const EtsDirectory *d) { return d->gate_count; }

const MatchNames *ets_directory_match_names(const EtsDirectory *d) { return d->match_names; }

EtsTable *ets_directory_find(const EtsDirectory *d, uint64_t id)
{
    return id == 0 ? NULL : index_find(&d->ids, id);
}

EtsTable *ets_directory_find_name(const EtsDirectory *d, Term name)
{
    return index_find(&d->names, name.w);
}

static Owner *owner_get(EtsDirectory *d, Term pid) REQUIRES(d->lock)
{
    HtabValue *v = htab_put(&d->owners, pid.w, NULL);
    if (v->ptr == NULL) v->ptr = mem_alloc_zero(d->mem, MEM_TABLE, sizeof(Owner));
    return v->ptr;
}

static Owner *owner_find(const EtsDirectory *d, Term pid)
{
    HtabValue *v = htab_find(&d->owners, pid.w);
    return v == NULL ? NULL : v->ptr;
}

/* Forgets an owner who has nothing any more. */
static void owner_tidy(EtsDirectory *d, Term pid) REQUIRES(d->lock)
{
    Owner *o = owner_find(d, pid);
    if (o == NULL || o->tables != NULL || o->fixes != NULL) return;
    mem_free(d->mem, MEM_TABLE, o, sizeof *o);
    htab_remove(&d->owners, pid.w);
}

static void owner_add(EtsDirectory *d, EtsTable *t, Term pid) REQUIRES(d->lock)
{
    Owner *o = owner_get(d, pid);
    t->owner_previous = o->tables_last;
    t->owner_next = NULL;
    if (o->tables_last == NULL)
        o->tables = t;
    else
        o->tables_last->owner_next = t;
    o->tables_last = t;
    atomic_store_release(&t->owner, pid.w);
}

static void owner_drop(EtsDirectory *d, EtsTable *t) REQUIRES(d->lock)
{
    Term pid = ets_table_owner(t);
    Owner *o = owner_find(d, pid);
    if (t->owner_previous == NULL)
        o->tables = t->owner_next;
    else
        t->owner_previous->owner_next = t->owner_next;
    if (t->owner_next == NULL)
        o->tables_last = t->owner_previous;
    else
        t->owner_next->owner_previous = t->owner_previous;
    owner_tidy(d, pid);
}

bool ets_directory_add(EtsDirectory *d, EtsTable *t)
{
    uint64_t name = atomic_load_relaxed(&t->name);
    lock_take(&d->lock);
    bool free = !t->named || index_find(&d->names, name) == NULL;
    if (free) {
        t->previous = d->last;
        if (d->last == NULL)
            d->first = t;
        else
            d->last->next = t;
        d->last = t;
        owner_add(d, t, ets_table_owner(t));
        index_put(d, &d->ids, t->id, t);
        if (t->named) index_put(d, &d->names, name, t);
        (void)atomic_add_relaxed(&d->count, 1);
    }
    lock_drop(&d->lock);
    return free;
}

/* ---- fixing ---- */

static void fix_drop(EtsDirectory *d, EtsFix *f) REQUIRES(d->lock)
{
    EtsTable *t = f->table;
    EtsFix **at = &t->fixes;
    while (*at != f) at = &(*at)->next;
    *at = f->next;
    Owner *o = owner_find(d, f->pid);
    for (at = &o->fixes; *at != f; at = &(*at)->owner_next) {
    }
    *at = f->owner_next;
    (void)atomic_sub_release(&t->fixed, (uint32_t)f->count);
    owner_tidy(d, f->pid);
    mem_free(d->mem, MEM_TABLE, f, sizeof *f);
}

static EtsFix *fix_find(const EtsTable *t, Term pid)
{
    EtsFix *f = t->fixes;
    while (f != NULL && !term_same(f->pid, pid)) f = f->next;
    return f;
}

void ets_directory_fix(EtsDirectory *d, EtsTable *t, Term pid, int64_t now_ns, int64_t now_us)
{
    lock_take(&d->lock);
    if (index_find(&d->ids, t->id) == t) {
        EtsFix *f = fix_find(t, pid);
        if (t->fixes == NULL) {
            t->fixed_ns = now_ns;
            t->fixed_us = now_us;
        }
        if (f == NULL) {
            f = mem_alloc_zero(d->mem, MEM_TABLE, sizeof *f);
            Owner *o = owner_get(d, pid);
            *f = (EtsFix){.pid = pid, .table = t, .next = t->fixes, .owner_next = o->fixes};
            t->fixes = f;
            o->fixes = f;
        }
        f->count++;
        (void)atomic_add_release(&t->fixed, 1);
    }
    lock_drop(&d->lock);
}

void ets_directory_unfix(EtsDirectory *d, EtsTable *t, Term pid)
{
    lock_take(&d->lock);
    EtsFix *f = fix_find(t, pid);
    if (f != NULL && f->count > 1) {
        f->count--;
        (void)atomic_sub_release(&t->fixed, 1);
    } else if (f != NULL) {
        fix_drop(d, f);
    }
    lock_drop(&d->lock);
}

void ets_directory_unfix_all(EtsDirectory *d, Term pid)
{
    lock_take(&d->lock);
    for (Owner *o; (o = owner_find(d, pid)) != NULL && o->fixes != NULL;) fix_drop(d, o->fixes);
    lock_drop(&d->lock);
}

size_t ets_directory_fixes(EtsDirectory *d, const EtsTable *t, EtsFix *out, size_t n)
{
    size_t count = 0;
    lock_take(&d->lock);
    for (const EtsFix *f = t->fixes; f != NULL; f = f->next, count++)
        if (count < n) out[count] = *f;
    lock_drop(&d->lock);
    return count;
}

/* ---- deleting ---- */

static void table_release(void *context, void *at)
{
    (void)context;
    ets_table_free(at);
}

bool ets_directory_remove(EtsUser *u, EtsTable *t)
{
    EtsDirectory *d = u->directory;
    lock_take(&d->lock);
    bool there = index_find(&d->ids, t->id) == t;
    if (there) {
        index_drop(&d->ids, t->id);
        if (t->named) index_drop(&d->names, atomic_load_relaxed(&t->name));
        if (t->previous == NULL)
            d->first = t->next;
        else
            t->previous->next = t->next;
        if (t->next == NULL)
            d->last = t->previous;
        else
            t->next->previous = t->previous;
        while (t->fixes != NULL) fix_drop(d, t->fixes);
        owner_drop(d, t);
        (void)atomic_sub_relaxed(&d->count, 1);
    }
    lock_drop(&d->lock);
    if (!there) return false;
    ets_directory_bury(u, ets_table_store(t));
    epoch_retire(u->epoch, table_release, NULL, t);
    return true;
}

bool ets_directory_rename(EtsDirectory *d, EtsTable *t, Term name)
{
    lock_take(&d->lock);
    bool there = index_find(&d->ids, t->id) == t;
    uint64_t old = atomic_load_relaxed(&t->name);
    bool free = there && (!t->named || index_find(&d->names, name.w) == NULL);
    if (free && old != name.w) {
        if (t->named) {
            index_drop(&d->names, old);
            index_put(d, &d->names, name.w, t);
        }
        atomic_store_release(&t->name, name.w);
    }
    lock_drop(&d->lock);
    return free;
}

bool ets_directory_give(EtsDirectory *d, EtsTable *t, Term from, Term to, EtsAlive *alive,
                        void *context)
{
    lock_take(&d->lock);
    bool can = index_find(&d->ids, t->id) == t && term_same(ets_table_owner(t), from)
               && alive(context, to);
    if (can) {
        owner_drop(d, t);
        owner_add(d, t, to);
    }
    lock_drop(&d->lock);
    return can;
}

void ets_directory_set_heir(EtsUser *u, EtsTable *t, Term heir, EtsObject *legacy)
{
    EtsDirectory *d = u->directory;
    lock_take(&d->lock);
    EtsObject *old = t->legacy;
    t->legacy = legacy;
    atomic_store_release(&t->heir, heir.w);
    lock_drop(&d->lock);
    if (old != NULL) ets_object_retire(u->epoch, d->mem, old);
}

EtsTable *ets_directory_first_of(EtsDirectory *d, Term owner)
{
    lock_take(&d->lock);
    const Owner *o = owner_find(d, owner);
    EtsTable *t = o == NULL ? NULL : o->tables;
    lock_drop(&d->lock);
    return t;
}

size_t ets_directory_count(const EtsDirectory *d) { return atomic_load_relaxed(&d->count); }

size_t ets_directory_all(EtsDirectory *d, uint64_t *ids, Term *names, size_t n)
{
    size_t count = 0;
    lock_take(&d->lock);
    for (const EtsTable *t = d->first; t != NULL && count < n; t = t->next, count++) {
        ids[count] = t->id;
        names[count] = t->named ? TERM_RAW(atomic_load_relaxed(&t->name)) : TERM_NONE;
    }
    lock_drop(&d->lock);
    return count;
}

/* ---- graves ---- */

/* Objects that are freed at once when their time has come. */
#define BURY_SMALL 100

static void store_release(void *context, void *at)
{
    (void)context;
    size_t budget = SIZE_MAX;
    (void)ets_store_free_some(at, &budget);
}

void ets_directory_bury(EtsUser *u, EtsStore *s)
{
    EtsDirectory *d = u->directory;
    if (ets_store_size(s) <= BURY_SMALL) {
        epoch_retire(u->epoch, store_release, NULL, s);
        return;
    }
    s->ticket = epoch_ticket(d->epoch);
    s->next = NULL;
    lock_take(&d->lock);
    if (d->buried == NULL)
        d->buried = s;
    else
        d->buried_last->next = s;
    d->buried_last = s;
    (void)atomic_add_relaxed(&d->graves, 1);
    lock_drop(&d->lock);
}

/* The oldest store if its time has come; the caller's alone. */
static EtsStore *grave_take(EtsDirectory *d, bool *waiting)
{
    lock_take(&d->lock);
    EtsStore *s = d->buried;
    *waiting = s != NULL && !epoch_elapsed(d->epoch, s->ticket);
    if (*waiting) s = NULL;
    if (s != NULL) {
        d->buried = s->next;
        if (s->next == NULL) d->buried_last = NULL;
    }
    lock_drop(&d->lock);
    return s;
}

static void grave_give_back(EtsDirectory *d, EtsStore *s)
{
    lock_take(&d->lock);
    s->next = d->buried;
    if (d->buried == NULL) d->buried_last = s;
    d->buried = s;
    lock_drop(&d->lock);
}

bool ets_directory_sweep(EtsDirectory *d, size_t *budget)
{
    while (atomic_load_relaxed(&d->graves) > 0) {
        bool waiting;
        EtsStore *s = grave_take(d, &waiting);
        if (s == NULL) return !waiting;
        if (!ets_store_free_some(s, budget)) {
            grave_give_back(d, s);
            return false;
        }
        (void)atomic_sub_relaxed(&d->graves, 1);
    }
    return true;
}

void ets_directory_delete(EtsDirectory *d)
{
    lock_take(&d->lock);
    while (d->first != NULL) {
        EtsTable *t = d->first;
        d->first = t->next;
        while (t->fixes != NULL) fix_drop(d, t->fixes);
        if (t->next != NULL) t->next->previous = NULL;
        owner_drop(d, t);
        store_release(NULL, ets_table_store(t));
        ets_table_free(t);
    }
    lock_drop(&d->lock);
    while (d->buried != NULL) {
        EtsStore *s = d->buried;
        d->buried = s->next;
        store_release(NULL, s);
    }
    htab_free(&d->owners);
    ets_match_names_delete(d->match_names, d->mem);
    index_release(d->mem, atomic_load_relaxed(&d->ids.pairs));
    index_release(d->mem, atomic_load_relaxed(&d->names.pairs));
    mem_free(d->mem, MEM_TABLE, d->gates, d->gate_count * sizeof *d->gates);
    lock_destroy(&d->lock);
    mem_free(d->mem, MEM_TABLE, d, sizeof *d);
}
