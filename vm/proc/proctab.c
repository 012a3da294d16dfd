#include "vm/proc/proctab.h"

#include "vm/base/lock.h"
#include "vm/proc/state.h"

#define PROCTAB_CHUNK_BITS 10
#define PROCTAB_CHUNK      ((size_t)1 << PROCTAB_CHUNK_BITS)
#define PROCTAB_NONE       UINT32_MAX

/* A slot is 16 bytes of the 560 that a process may take. */
typedef struct ProcSlot {
    _Atomic(Process *) process;
    uint32_t generation; /* of the next process here; under the lock */
    uint32_t next_free;  /* under the lock */
} ProcSlot;

struct ProcTable {
    _Atomic(ProcSlot *) *chunks; /* by slot >> PROCTAB_CHUNK_BITS; the directory never moves */
    size_t limit;
    AtomicSize slots; /* ever used; written under the lock */
    AtomicSize count;
    Lock lock;
    uint32_t free_first; /* oldest free slot; under the lock */
    uint32_t free_last;
    Mem *mem;
};

static size_t directory_bytes(size_t limit)
{
    return ((limit >> PROCTAB_CHUNK_BITS) + 1) * sizeof(_Atomic(ProcSlot *));
}

ProcTable *proctab_new(Mem *mem, size_t limit)
{
    ProcTable *t = mem_alloc_zero(mem, MEM_PROCESS, sizeof *t);
    size_t most = (size_t)1 << PID_SLOT_BITS;
    t->limit = limit < most ? limit : most;
    t->chunks = mem_alloc_zero(mem, MEM_PROCESS, directory_bytes(t->limit));
    t->free_first = t->free_last = PROCTAB_NONE;
    t->mem = mem;
    lock_init(&t->lock, LOCK_RANK_PROCTAB, "process table");
    return t;
}

void proctab_delete(ProcTable *t)
{
    for (size_t i = 0; i <= t->limit >> PROCTAB_CHUNK_BITS; i++)
        mem_free(t->mem, MEM_PROCESS, atomic_load_relaxed(&t->chunks[i]),
                 PROCTAB_CHUNK * sizeof(ProcSlot));
    mem_free(t->mem, MEM_PROCESS, (void *)(uintptr_t)t->chunks, directory_bytes(t->limit));
    lock_destroy(&t->lock);
    mem_free(t->mem, MEM_PROCESS, t, sizeof *t);
}

/* NULL if its chunk has not been made. */
static ProcSlot *proctab_slot(const ProcTable *t, size_t slot)
{
    if (slot >= t->limit) return NULL;
    /* Pairs with the release in proctab_fresh. */
    ProcSlot *chunk = atomic_load_acquire(&t->chunks[slot >> PROCTAB_CHUNK_BITS]);
    return chunk == NULL ? NULL : &chunk[slot & (PROCTAB_CHUNK - 1)];
}

/* A slot never used before, or PROCTAB_NONE.  Under the lock. */
static uint32_t proctab_fresh(ProcTable *t)
{
    size_t slot = atomic_load_relaxed(&t->slots);
    if (slot == t->limit) return PROCTAB_NONE;
    if ((slot & (PROCTAB_CHUNK - 1)) == 0) {
        ProcSlot *chunk = mem_try_alloc(t->mem, MEM_PROCESS, PROCTAB_CHUNK * sizeof(ProcSlot));
        if (chunk == NULL) return PROCTAB_NONE;
        for (size_t i = 0; i < PROCTAB_CHUNK; i++) {
            atomic_init(&chunk[i].process, NULL);
            chunk[i].generation = 0;
            chunk[i].next_free = PROCTAB_NONE;
        }
        atomic_store_release(&t->chunks[slot >> PROCTAB_CHUNK_BITS], chunk);
    }
    /* Pairs with the acquire in proctab_slots. */
    atomic_store_release(&t->slots, slot + 1);
    return (uint32_t)slot;
}

bool proctab_insert(ProcTable *t, Process *p)
{
    lock_take(&t->lock);
    uint32_t slot = t->free_first;
    if (slot != PROCTAB_NONE) {
        t->free_first = proctab_slot(t, slot)->next_free;
        if (t->free_first == PROCTAB_NONE) t->free_last = PROCTAB_NONE;
    } else {
        slot = proctab_fresh(t);
    }
    if (slot != PROCTAB_NONE) {
        ProcSlot *s = proctab_slot(t, slot);
        p->pid = pid_make(slot, s->generation);
        /* Pairs with the acquire in proctab_find and proctab_at. */
        atomic_store_release(&s->process, p);
        atomic_add_relaxed(&t->count, 1);
    }
    lock_drop(&t->lock);
    return slot != PROCTAB_NONE;
}

void proctab_remove(ProcTable *t, Process *p)
{
    uint32_t slot = pid_slot(p->pid);
    ProcSlot *s = proctab_slot(t, slot);
    lock_take(&t->lock);
    ASSERT(atomic_load_relaxed(&s->process) == p);
    atomic_store_relaxed(&s->process, NULL);
    s->generation++;
    s->next_free = PROCTAB_NONE;
    if (t->free_last == PROCTAB_NONE)
        t->free_first = slot;
    else
        proctab_slot(t, t->free_last)->next_free = slot;
    t->free_last = slot;
    atomic_sub_relaxed(&t->count, 1);
    lock_drop(&t->lock);
}

Process *proctab_find(const ProcTable *t, Term pid)
{
    ASSERT(term_is_local_pid(pid));
    ProcSlot *s = proctab_slot(t, pid_slot(pid));
    if (s == NULL) return NULL;
    /* Pairs with the release in proctab_insert. */
    Process *p = atomic_load_acquire(&s->process);
    return p != NULL && term_same(p->pid, pid) ? p : NULL;
}

/* Pairs with the release in proctab_fresh. */
size_t proctab_slots(const ProcTable *t) { return atomic_load_acquire(&t->slots); }

Process *proctab_at(const ProcTable *t, size_t slot)
{
    /* Pairs with the release in proctab_insert. */
    return atomic_load_acquire(&proctab_slot(t, slot)->process);
}

size_t proctab_count(const ProcTable *t) { return atomic_load_relaxed(&t->count); }
size_t proctab_limit(const ProcTable *t) { return t->limit; }
