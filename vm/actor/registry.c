#include "vm/actor/registry.h"

#include "vm/base/htab.h"
#include "vm/base/lock.h"
#include "vm/proc/proctab.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"

#define REGISTRY_FIRST_SLOTS 64

/* A name once entered keeps its slot; nobody registered is TERM_NONE. */
typedef struct NameSlot {
    AtomicU64 name; /* 0: free, and so are all behind it in a search */
    AtomicU64 pid;
} NameSlot;

typedef struct NameTable {
    size_t mask;
    size_t used; /* under the lock */
    NameSlot slots[];
} NameTable;

struct Registry {
    _Atomic(NameTable *) table; /* replaced when it grows; the old one is retired */
    Lock lock;
    Htab by_pid; /* pid -> name, in the order of registration; under the lock */
    Mem *mem;
    Epoch *epoch;
};

static size_t table_bytes(size_t slots) { return sizeof(NameTable) + slots * sizeof(NameSlot); }

static NameTable *table_new(Mem *mem, size_t slots)
{
    NameTable *t = mem_alloc_zero(mem, MEM_PROCESS, table_bytes(slots));
    t->mask = slots - 1;
    return t;
}

static void table_release(void *context, void *at)
{
    NameTable *t = at;
    mem_free(context, MEM_PROCESS, t, table_bytes(t->mask + 1));
}

Registry *registry_new(Mem *mem, Epoch *epoch)
{
    Registry *r = mem_alloc_zero(mem, MEM_PROCESS, sizeof *r);
    lock_init(&r->lock, LOCK_RANK_NAMES, "registered names");
    atomic_init(&r->table, table_new(mem, REGISTRY_FIRST_SLOTS));
    htab_init(&r->by_pid, mem, MEM_PROCESS);
    r->mem = mem;
    r->epoch = epoch;
    return r;
}

void registry_delete(Registry *r)
{
    table_release(r->mem, atomic_load_relaxed(&r->table));
    htab_free(&r->by_pid);
    lock_destroy(&r->lock);
    mem_free(r->mem, MEM_PROCESS, r, sizeof *r);
}

/* The slot of the name, or the free one where a search for it ends. */
static NameSlot *table_slot(NameTable *t, Term name)
{
    for (size_t i = htab_hash_number(name.w) & t->mask;; i = (i + 1) & t->mask) {
        /* Pairs with the release in table_enter. */
        uint64_t here = atomic_load_acquire(&t->slots[i].name);
        if (here == name.w || here == 0) return &t->slots[i];
    }
}

/* Under the lock. */
static void table_enter(NameTable *t, NameSlot *slot, Term name, uint64_t pid)
{
    bool fresh = atomic_load_relaxed(&slot->name) == 0;
    /* Pairs with the acquire in registry_find. */
    atomic_store_release(&slot->pid, pid);
    if (!fresh) return;
    atomic_store_release(&slot->name, name.w);
    t->used++;
}

/* Room for one more name: a larger table, without names that nobody has.  Under the lock. */
static NameTable *registry_room(RunContext *rc, Registry *r)
{
    NameTable *t = atomic_load_relaxed(&r->table);
    if (t->used * 2 <= t->mask) return t;
    size_t slots = REGISTRY_FIRST_SLOTS;
    while (slots < r->by_pid.count * 4) slots *= 2;
    NameTable *grown = table_new(r->mem, slots);
    for (size_t i = 0; i <= t->mask; i++) {
        Term name = TERM_RAW(atomic_load_relaxed(&t->slots[i].name));
        uint64_t pid = atomic_load_relaxed(&t->slots[i].pid);
        if (name.w != 0 && pid != TERM_NONE.w)
            table_enter(grown, table_slot(grown, name), name, pid);
    }
    /* Pairs with the acquire in registry_find. */
    atomic_store_release(&r->table, grown);
    epoch_retire(rc->worker->epoch, table_release, r->mem, t);
    return grown;
}

static Process *living(RunContext *rc, uint64_t pid)
{
    if (pid == TERM_NONE.w) return NULL;
    Process *p = proctab_find(rc->processes, TERM_RAW(pid));
    return p != NULL && (atomic_load_acquire(&p->state) & STATE_EXITING) == 0 ? p : NULL;
}

/* Tells p that it has a name to give back; false if it is dying already. */
static bool registry_flag(Process *p)
{
    uint64_t state = atomic_load_relaxed(&p->state);
    do {
        if ((state & STATE_EXITING) != 0) return false;
    } while (!atomic_cas_acq_rel(&p->state, &state, state | STATE_REGISTERED));
    return true;
}

static RegistryResult registry_add_locked(RunContext *rc, Registry *r, Term name, Term pid)
{
    Process *p = living(rc, pid.w);
    if (p == NULL) return REGISTRY_NO_PROCESS;
    NameTable *t = registry_room(rc, r);
    NameSlot *slot = table_slot(t, name);
    bool known = atomic_load_relaxed(&slot->name) != 0;
    uint64_t holder = known ? atomic_load_relaxed(&slot->pid) : TERM_NONE.w;
    if (living(rc, holder) != NULL) return REGISTRY_TAKEN;
    if (htab_find(&r->by_pid, pid.w) != NULL) return REGISTRY_HAS_NAME;
    if (!registry_flag(p)) return REGISTRY_NO_PROCESS;
    /* A dying holder has lost it. */
    if (holder != TERM_NONE.w) htab_remove(&r->by_pid, holder);
    table_enter(t, slot, name, pid.w);
    htab_put(&r->by_pid, pid.w, NULL)->num = name.w;
    return REGISTRY_DONE;
}

RegistryResult registry_add(RunContext *rc, Term name, Term pid)
{
    Registry *r = rc->registry;
    lock_take(&r->lock);
    RegistryResult result = registry_add_locked(rc, r, name, pid);
    lock_drop(&r->lock);
    return result;
}

bool registry_remove(RunContext *rc, Term name)
{
    Registry *r = rc->registry;
    lock_take(&r->lock);
    NameSlot *slot = table_slot(atomic_load_relaxed(&r->table), name);
    bool known = atomic_load_relaxed(&slot->name) != 0;
    uint64_t holder = known ? atomic_load_relaxed(&slot->pid) : TERM_NONE.w;
    bool found = living(rc, holder) != NULL;
    if (found) {
        htab_remove(&r->by_pid, holder);
        atomic_store_release(&slot->pid, TERM_NONE.w);
    }
    lock_drop(&r->lock);
    return found;
}

Term registry_find(RunContext *rc, Term name)
{
    /* Pairs with the releases in registry_room and table_enter. */
    NameTable *t = atomic_load_acquire(&rc->registry->table);
    NameSlot *slot = table_slot(t, name);
    if (atomic_load_acquire(&slot->name) == 0) return TERM_NONE;
    uint64_t pid = atomic_load_acquire(&slot->pid);
    return living(rc, pid) != NULL ? TERM_RAW(pid) : TERM_NONE;
}

Term registry_name_of(RunContext *rc, Term pid)
{
    Registry *r = rc->registry;
    lock_take(&r->lock);
    const HtabValue *found = htab_find(&r->by_pid, pid.w);
    Term name = found == NULL ? TERM_NONE : TERM_RAW(found->num);
    lock_drop(&r->lock);
    return name;
}

void registry_forget(RunContext *rc, Process *p)
{
    Registry *r = rc->registry;
    lock_take(&r->lock);
    const HtabValue *found = htab_find(&r->by_pid, p->pid.w);
    if (found != NULL) {
        NameSlot *slot = table_slot(atomic_load_relaxed(&r->table), TERM_RAW(found->num));
        if (atomic_load_relaxed(&slot->pid) == p->pid.w)
            atomic_store_release(&slot->pid, TERM_NONE.w);
        htab_remove(&r->by_pid, p->pid.w);
    }
    lock_drop(&r->lock);
}

Term registry_names(RunContext *rc, Heap *h)
{
    Registry *r = rc->registry;
    Term list = TERM_NIL;
    lock_take(&r->lock);
    size_t cursor = 0;
    for (const HtabEntry *e;
         (e = htab_next(&r->by_pid, &cursor)) != NULL && !term_is_none(list);)
        if (living(rc, e->key) != NULL) list = heap_cons(h, TERM_RAW(e->value.num), list);
    lock_drop(&r->lock);
    return list;
}
