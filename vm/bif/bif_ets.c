/* Built-ins of ets about tables as a whole: making, finding, naming, deleting. */
#include "vm/bif/bif_ets.h"

#include "vm/base/mem.h"
#include "vm/proc/message.h"
#include "vm/proc/pause.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"

/* ---- shared with the other files ---- */

EtsTable *bif_ets_table(const Process *p, Term tab)
{
    if (UNLIKELY(term_is_atom(tab))) return ets_directory_find_name(p->run->tables, tab);
    return term_is_kind(tab, KIND_REF) ? ets_directory_find(p->run->tables, pid_ref_number(tab))
                                       : NULL;
}

EtsTable *bif_ets_open(Process *p, size_t i, EtsRight right)
{
    EtsTable *t = bif_ets_table(p, arg(p, i));
    bool may = t != NULL
               && ((right != ETS_OWN && t->access == ETS_PUBLIC)
                   || (right == ETS_READ && t->access == ETS_PROTECTED)
                   || term_same(ets_table_owner(t), p->pid));
    if (LIKELY(may)) return t;
    pause_end(p); /* what was half done when the table went */
    raise_badarg(p);
    return NULL;
}

Term bif_ets_name(Process *p, const EtsTable *t)
{
    return t->named ? TERM_RAW(atomic_load_acquire(&t->name)) : pid_make_ref(&p->heap, t->id);
}

BifResult bif_ets_pause(Process *p)
{
    if (!bif_spent(p)) p->run->reductions = 0;
    p->run->reductions_held = 0;
    return bif_yield(p);
}

BifResult bif_ets_busy(Process *p, EtsTable *t)
{
    enum { OBJECTS = 100, EACH = 20 };
    EtsUser u = bif_ets_user(p);
    size_t budget = OBJECTS;
    bool over = ets_batch_help(&u, t, &budget);
    bif_charge(p, (int64_t)(OBJECTS - budget) * EACH + 1);
    /* Somebody else is at it: let others run. */
    return over || budget < OBJECTS ? bif_yield(p) : bif_ets_pause(p);
}

BifResult bif_ets_done(Process *p, Term t)
{
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- new ---- */

typedef struct EtsOptions {
    EtsKind kind;
    EtsAccess access;
    size_t keypos;
    bool named;
    bool read_concurrency;
    bool compressed;
    bool decentralized;
    bool decentralized_given;
    Term write_concurrency;
    Term heir; /* pid or nil */
    Term heir_data;
} EtsOptions;

static bool options_atom(EtsOptions *o, Term option)
{
    switch (atom_of(option)) {
    case ATOM_SET: o->kind = ETS_SET; return true;
    case ATOM_ORDERED_SET: o->kind = ETS_ORDERED_SET; return true;
    case ATOM_BAG: o->kind = ETS_BAG; return true;
    case ATOM_DUPLICATE_BAG: o->kind = ETS_DUPLICATE_BAG; return true;
    case ATOM_PUBLIC: o->access = ETS_PUBLIC; return true;
    case ATOM_PROTECTED: o->access = ETS_PROTECTED; return true;
    case ATOM_PRIVATE: o->access = ETS_PRIVATE; return true;
    case ATOM_NAMED_TABLE: o->named = true; return true;
    case ATOM_COMPRESSED: o->compressed = true; return true;
    default: return false;
    }
}

static bool options_pair(EtsOptions *o, Term name, Term value)
{
    if (!term_is_atom(name)) return false;
    switch (atom_of(name)) {
    case ATOM_KEYPOS:
        if (!term_is_small(value) || small_value(value) < 1) return false;
        o->keypos = (size_t)small_value(value) - 1;
        return true;
    case ATOM_READ_CONCURRENCY:
        o->read_concurrency = term_same(value, TERM_TRUE);
        return term_is_boolean(value);
    case ATOM_DECENTRALIZED_COUNTERS:
        o->decentralized = term_same(value, TERM_TRUE);
        o->decentralized_given = true;
        return term_is_boolean(value);
    case ATOM_WRITE_CONCURRENCY:
        o->write_concurrency = value;
        return term_is_boolean(value) || term_is_the_atom(value, ATOM_AUTO);
    case ATOM_HEIR: o->heir = TERM_NIL; return term_is_the_atom(value, ATOM_NONE);
    default: return false;
    }
}

static bool options_one(EtsOptions *o, Term option)
{
    if (term_is_atom(option)) return options_atom(o, option);
    if (term_is_tuple_of(option, 2))
        return options_pair(o, tuple_at(option, 0), tuple_at(option, 1));
    if (!term_is_tuple_of(option, 3) || !term_is_the_atom(tuple_at(option, 0), ATOM_HEIR)
        || !term_is_local_pid(tuple_at(option, 1)))
        return false;
    o->heir = tuple_at(option, 1);
    o->heir_data = tuple_at(option, 2);
    return true;
}

static bool options_read(EtsOptions *o, Term list)
{
    *o = (EtsOptions){.access = ETS_PROTECTED};
    o->write_concurrency = TERM_FALSE;
    o->heir = TERM_NIL;
    for (; term_is_cons(list); list = list_tail(list))
        if (!options_one(o, list_head(list))) return false;
    if (!term_is_nil(list)) return false;
    /* As programs see it; counters are never in one place here. */
    bool writes = !term_same(o->write_concurrency, TERM_FALSE);
    bool automatic = term_is_the_atom(o->write_concurrency, ATOM_AUTO);
    if (!o->decentralized_given)
        o->decentralized = automatic || (writes && o->kind == ETS_ORDERED_SET);
    if (!writes) o->decentralized = false;
    return true;
}

EtsObject *bif_ets_legacy(Process *p, Term data)
{
    Word words[2] = {header_make(KIND_TUPLE, 1), data.w};
    return ets_object_new(p->run->mem, boxed_from(words), message_limit(p->run->mem));
}

/* A table costs at least this much; the rest of making one is not refused. */
static bool new_is_refused(const Process *p)
{
    size_t bytes = sizeof(EtsTable) + sizeof(EtsStore);
    void *at = mem_try_alloc(p->run->mem, MEM_TABLE, bytes);
    mem_free(p->run->mem, MEM_TABLE, at, bytes);
    return at == NULL;
}

BifResult bif_ets_new(Process *p)
{
    EtsOptions o;
    EtsObject *legacy = NULL;
    if (!term_is_atom(arg(p, 0)) || !options_read(&o, arg(p, 1))) return raise_badarg(p);
    if (new_is_refused(p)) return raise_system_limit(p);
    if (!term_is_nil(o.heir)) {
        legacy = bif_ets_legacy(p, o.heir_data);
        if (legacy == NULL) return raise_system_limit(p);
    }
    EtsTable *t = ets_table_new(p->run->mem, p->run->atoms, o.kind, o.keypos);
    EtsStore *store = ets_table_store(t);
    t->access = o.access;
    t->named = o.named;
    t->read_concurrency = o.read_concurrency;
    t->compressed = o.compressed;
    t->write_concurrency = o.write_concurrency;
    t->decentralized = o.decentralized;
    t->id = sched_reference(p->run);
    t->legacy = legacy;
    atomic_store_relaxed(&t->heir, o.heir.w);
    atomic_store_relaxed(&t->name, arg(p, 0).w);
    atomic_store_relaxed(&t->owner, p->pid.w);
    bif_charge(p, 100);
    Term name = bif_ets_name(p, t);
    if (!term_is_none(name) && ets_directory_add(p->run->tables, t)) {
        atomic_or_seq(&p->state, STATE_TABLES);
        return name;
    }
    size_t budget = SIZE_MAX;
    (void)ets_store_free_some(store, &budget);
    ets_table_free(t);
    return term_is_none(name) ? raise_system_limit(p) : raise_badarg(p);
}

/* ---- names ---- */

BifResult bif_ets_rename(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
    if (t == NULL) return TERM_NONE;
    if (!term_is_atom(arg(p, 1)) || !ets_directory_rename(p->run->tables, t, arg(p, 1)))
        return raise_badarg(p);
    return t->named ? arg(p, 1) : arg(p, 0);
}

BifResult bif_ets_whereis(Process *p)
{
    if (!term_is_atom(arg(p, 0))) return raise_badarg(p);
    const EtsTable *t = ets_directory_find_name(p->run->tables, arg(p, 0));
    return t == NULL ? TERM_ATOM(UNDEFINED) : bif_ets_done(p, pid_make_ref(&p->heap, t->id));
}

BifResult bif_ets_all(Process *p)
{
    Mem *mem = p->run->mem;
    size_t room = ets_directory_count(p->run->tables) + 16;
    size_t bytes = room * (sizeof(uint64_t) + sizeof(Term));
    uint64_t *ids = mem_try_alloc(mem, MEM_WORK, bytes);
    if (ids == NULL) return raise_system_limit(p);
    Term *names = (Term *)(void *)(ids + room);
    size_t n = ets_directory_all(p->run->tables, ids, names, room);
    Term list = TERM_NIL;
    for (size_t i = n; i > 0 && !term_is_none(list); i--) {
        Term name = names[i - 1];
        if (term_is_none(name)) name = pid_make_ref(&p->heap, ids[i - 1]);
        list = term_is_none(name) ? name : heap_cons(&p->heap, name, list);
    }
    mem_free(mem, MEM_WORK, ids, bytes);
    bif_charge(p, (int64_t)n);
    return bif_ets_done(p, list);
}

/* ---- deleting ---- */

/* Invisible at once; its objects are freed in slices. */
BifResult bif_ets_delete_1(Process *p)
{
    enum { PHASE = 1, OBJECTS = 100, EACH = 10 };
    if (raw_slot(p, PHASE) == 0) {
        EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
        if (t == NULL) return TERM_NONE;
        EtsUser u = bif_ets_user(p);
        if (!ets_directory_remove(&u, t)) return raise_badarg(p);
        raw_slot_set(p, PHASE, 1);
    }
    size_t budget = OBJECTS;
    bool over = ets_directory_sweep(p->run->tables, &budget);
    bif_charge(p, (int64_t)(OBJECTS - budget) * EACH + 20);
    if (over) return TERM_TRUE;
    return budget < OBJECTS ? bif_yield(p) : bif_ets_pause(p);
}

BifResult bif_ets_delete_all_objects(Process *p)
{
    enum { PHASE = 1, OBJECTS = 100, EACH = 10 };
    if (raw_slot(p, PHASE) == 0) {
        EtsTable *t = bif_ets_open(p, 0, ETS_WRITE);
        if (t == NULL) return TERM_NONE;
        EtsUser u = bif_ets_user(p);
        EtsStore *old;
        if (ets_clear(&u, t, &old) == ETS_BUSY) return bif_ets_busy(p, t);
        ets_directory_bury(&u, old);
        raw_slot_set(p, PHASE, 1);
    }
    size_t budget = OBJECTS;
    bool over = ets_directory_sweep(p->run->tables, &budget);
    bif_charge(p, (int64_t)(OBJECTS - budget) * EACH + 20);
    if (over) return TERM_TRUE;
    return budget < OBJECTS ? bif_yield(p) : bif_ets_pause(p);
}
