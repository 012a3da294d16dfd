#include "vm/ets/ets_hash.h"

#include "vm/base/mem.h"
#include "vm/term/hash.h"
#include "vm/term/order.h"

/* Buckets of a chunk. */
#define CHUNK_BITS 10
#define CHUNK      ((size_t)1 << CHUNK_BITS)

/* The bits in the other direction. */
static uint64_t reversed(uint64_t x)
{
    x = __builtin_bswap64(x);
    x = (x >> 4 & 0x0F0F0F0F0F0F0F0Fu) | (x & 0x0F0F0F0F0F0F0F0Fu) << 4;
    x = (x >> 2 & 0x3333333333333333u) | (x & 0x3333333333333333u) << 2;
    return (x >> 1 & 0x5555555555555555u) | (x & 0x5555555555555555u) << 1;
}

/* Never that of the tail. */
static uint64_t order_of_hash(uint64_t hash)
{
    uint64_t order = reversed(hash) | 1;
    return order == UINT64_MAX ? order - 2 : order;
}

/* ---- buckets ---- */

static size_t level_chunks(unsigned level)
{
    return level > CHUNK_BITS ? (size_t)1 << (level - CHUNK_BITS) : 1;
}
static size_t level_chunk_buckets(unsigned level)
{
    return level > CHUNK_BITS ? CHUNK : (size_t)1 << level;
}
static unsigned bucket_level(uint64_t bucket)
{
    return 63u - (unsigned)__builtin_clzll(bucket);
}

/* Links are written through whoever may only read the table: their writers have locks. */
static EtsLink *first_mark(const EtsHash *h, uint64_t bucket)
{
    return &h->itself->first[bucket];
}

/* The mark of a bucket, or NULL if its chunk is not there. */
static inline EtsLink *bucket_mark(const EtsHash *h, uint64_t bucket)
{
    if (bucket < ETS_STRIPES) return first_mark(h, bucket);
    unsigned level = bucket_level(bucket);
    uint64_t offset = bucket - ((uint64_t)1 << level);
    EtsChunk *chunks = atomic_load_acquire(&h->levels[level]);
    EtsLink *chunk = atomic_load_acquire(&chunks[offset >> CHUNK_BITS]);
    return chunk == NULL ? NULL : &chunk[offset & (CHUNK - 1)];
}

/* The same, in a new chunk if need be. */
static EtsLink *bucket_mark_made(EtsHash *h, uint64_t bucket)
{
    EtsLink *mark = bucket_mark(h, bucket);
    if (mark != NULL) return mark;
    unsigned level = bucket_level(bucket);
    EtsChunk *chunks = atomic_load_acquire(&h->levels[level]);
    EtsChunk *place = &chunks[(bucket - ((uint64_t)1 << level)) >> CHUNK_BITS];
    size_t bytes = level_chunk_buckets(level) * sizeof(EtsLink);
    EtsLink *fresh = mem_alloc_zero(h->mem, MEM_TABLE, bytes);
    EtsLink *expected = NULL;
    /* Writers of other stripes may be here too: one of the chunks stays. */
    if (!atomic_cas_acq_rel(place, &expected, fresh)) mem_free(h->mem, MEM_TABLE, fresh, bytes);
    return bucket_mark(h, bucket);
}

/* A mark is in the list once its next is set. */
static inline bool mark_is_linked(EtsLink *mark)
{
    /* Pairs with the release in bucket_link. */
    return mark != NULL && atomic_load_acquire(&mark->next) != NULL;
}

/* The nearest entrance before the objects of a bucket without one. */
static NOINLINE EtsLink *bucket_entrance_before(const EtsHash *h, uint64_t bucket)
{
    for (;;) {
        bucket &= ~((uint64_t)1 << bucket_level(bucket));
        EtsLink *mark = bucket_mark(h, bucket);
        if (bucket < ETS_STRIPES || mark_is_linked(mark)) return mark;
    }
}

/* The nearest entrance before the objects of `hash`. */
static inline EtsLink *bucket_entrance(const EtsHash *h, uint64_t hash)
{
    /* Pairs with the release in hash_grow. */
    uint64_t bucket = hash & atomic_load_acquire(&h->mask);
    EtsLink *mark = bucket_mark(h, bucket);
    if (LIKELY(bucket < ETS_STRIPES || mark_is_linked(mark))) return mark;
    return bucket_entrance_before(h, bucket);
}

static inline EtsLink *link_next(EtsLink *l) { return atomic_load_acquire(&l->next); }

/* The last link before `order`, from `from` on; the stripe's latch is held. */
static inline EtsLink *link_before(EtsLink *from, uint64_t order)
{
    for (EtsLink *next; (next = link_next(from))->order < order;) from = next;
    return from;
}

/* The first link not before `order`, from behind `from` on.  One pass for who has no lock: what
 * link_before gives may have another neighbour a moment later. */
static inline EtsLink *link_from(EtsLink *from, uint64_t order)
{
    EtsLink *l = link_next(from);
    while (l->order < order) l = link_next(l);
    return l;
}

/* Puts a bucket's mark into the list; the stripe's latch is held. */
static NOINLINE EtsLink *bucket_link(EtsHash *h, uint64_t bucket)
{
    EtsLink *mark = bucket_mark_made(h, bucket);
    mark->order = reversed(bucket);
    EtsLink *before = link_before(bucket_entrance_before(h, bucket), mark->order);
    atomic_store_release(&mark->next, link_next(before));
    atomic_store_release(&before->next, mark);
    return mark;
}

/* The mark of the hash's bucket, which enters the list if need be; the stripe's latch is held. */
static inline EtsLink *bucket_linked(EtsHash *h, uint64_t hash)
{
    uint64_t bucket = hash & atomic_load_acquire(&h->mask);
    EtsLink *mark = bucket_mark(h, bucket);
    if (LIKELY(bucket < ETS_STRIPES || mark_is_linked(mark))) return mark;
    return bucket_link(h, bucket);
}

/* Twice as many buckets; they are entered into the list when somebody writes there. */
static void hash_grow(EtsHash *h)
{
    if (atomic_swap_acq_rel(&h->growing, true)) return;
    uint64_t mask = atomic_load_relaxed(&h->mask);
    unsigned level = bucket_level(mask + 1);
    if (level < ETS_LEVELS) {
        size_t bytes = level_chunks(level) * sizeof(EtsChunk);
        EtsChunk *chunks = mem_alloc_zero(h->mem, MEM_TABLE, bytes);
        atomic_store_release(&h->levels[level], chunks);
        atomic_store_release(&h->mask, 2 * mask + 1);
    }
    atomic_store_release(&h->growing, false);
}

void ets_hash_init(EtsHash *h, Mem *mem, const AtomTable *atoms, size_t keypos)
{
    h->itself = h;
    h->mem = mem;
    h->atoms = atoms;
    h->keypos = keypos;
    atomic_store_relaxed(&h->mask, ETS_STRIPES - 1);
    h->tail.order = UINT64_MAX;
    for (unsigned i = 0; i < ETS_STRIPES; i++) {
        h->first[i].order = reversed(i);
        unsigned next = (unsigned)(reversed((reversed(i) >> (64 - ETS_STRIPE_BITS)) + 1)
                                   >> (64 - ETS_STRIPE_BITS));
        bool last = i == ETS_STRIPES - 1;
        atomic_store_relaxed(&h->first[i].next, last ? &h->tail : &h->first[next]);
    }
}

static void hash_free_levels(EtsHash *h)
{
    for (unsigned level = ETS_STRIPE_BITS; level < ETS_LEVELS; level++) {
        EtsChunk *chunks = atomic_load_relaxed(&h->levels[level]);
        if (chunks == NULL) continue;
        for (size_t i = 0; i < level_chunks(level); i++)
            mem_free(h->mem, MEM_TABLE, atomic_load_relaxed(&chunks[i]),
                     level_chunk_buckets(level) * sizeof(EtsLink));
        mem_free(h->mem, MEM_TABLE, chunks, level_chunks(level) * sizeof(EtsChunk));
        atomic_store_relaxed(&h->levels[level], NULL);
    }
}

/* Walking waits for memory at every object, unless those of the next buckets are asked for
 * beforehand: first their marks, then what these lead to. */
#define AHEAD_MARKS   12
#define AHEAD_OBJECTS 6

static EtsLink *mark_ahead(const EtsHash *h, uint64_t order, uint64_t buckets, unsigned n)
{
    uint64_t step = ((uint64_t)1 << 63) / (buckets / 2);
    return bucket_mark(h, reversed(order + n * step) & (buckets - 1));
}

static void walk_ahead(const EtsHash *h, const EtsLink *mark)
{
    uint64_t buckets = atomic_load_acquire(&h->mask) + 1;
    EtsLink *far = mark_ahead(h, mark->order, buckets, AHEAD_MARKS);
    EtsLink *near = mark_ahead(h, mark->order, buckets, AHEAD_OBJECTS);
    if (far != NULL) __builtin_prefetch(far);
    if (near != NULL) __builtin_prefetch(atomic_load_relaxed(&near->next));
}

bool ets_hash_free_some(EtsHash *h, size_t *budget)
{
    EtsLink *l = link_next(&h->first[0]);
    while (l != &h->tail && *budget > 0) {
        EtsLink *next = link_next(l);
        --*budget;
        if ((l->order & 1) != 0)
            ets_object_free(h->mem, ets_object_of(l));
        else
            walk_ahead(h, l);
        l = next;
    }
    atomic_store_relaxed(&h->first[0].next, l);
    if (l != &h->tail) return false;
    hash_free_levels(h);
    return true;
}

/* ---- reading ---- */

static Term link_key(const EtsHash *h, EtsLink *l)
{
    return ets_object_key(ets_object_of(l), h->keypos);
}

/* The first object of that key from `l` on, as long as the order stays. */
static EtsObject *find_from(const EtsHash *h, EtsLink *l, uint64_t order, Term key)
{
    for (; l->order == order; l = link_next(l))
        if (order_same(link_key(h, l), key)) return ets_object_of(l);
    return NULL;
}

EtsObject *ets_hash_find(const EtsHash *h, Term key)
{
    uint64_t hash = hash_internal(h->atoms, key);
    uint64_t order = order_of_hash(hash);
    EtsLink *l = link_from(bucket_entrance(h, hash), order);
    return find_from(h, l, order, key);
}

EtsObject *ets_hash_find_more(const EtsHash *h, const EtsObject *o, Term key)
{
    return find_from(h, atomic_load_acquire(&o->link.next), o->link.order, key);
}

/* Objects behind a position and before an order. */
static size_t gather(EtsLink *l, const EtsHash *h, EtsPosition *at, uint64_t end,
                     EtsObject **out, size_t n)
{
    size_t count = 0;
    for (; l != &h->tail && l->order < end && count < n; l = link_next(l)) {
        if ((l->order & 1) == 0) {
            walk_ahead(h, l);
            continue;
        }
        EtsObject *o = ets_object_of(l);
        if (l->order == at->order && o->sequence >= at->sequence) continue;
        out[count++] = o;
    }
    if (count > 0) *at = (EtsPosition){out[count - 1]->link.order, out[count - 1]->sequence};
    return count;
}

static EtsLink *position_link(const EtsHash *h, const EtsPosition *at)
{
    if (at->order == 0) return first_mark(h, 0);
    EtsLink *entrance = bucket_entrance(h, reversed(at->order));
    return link_from(entrance, at->order);
}

size_t ets_hash_gather(const EtsHash *h, EtsPosition *position, EtsObject **out, size_t n)
{
    return gather(position_link(h, position), h, position, UINT64_MAX, out, n);
}

/* The first object of a run of one order whose key does not stand before it in the run. */
static EtsObject *next_distinct(const EtsHash *h, EtsLink *run, EtsLink *l, uint64_t order)
{
    for (; l->order == order; l = link_next(l))
        if (find_from(h, run, order, link_key(h, l)) == ets_object_of(l))
            return ets_object_of(l);
    return NULL;
}

static EtsObject *first_object(const EtsHash *h, EtsLink *l)
{
    while (l != &h->tail && (l->order & 1) == 0) l = link_next(l);
    return l == &h->tail ? NULL : ets_object_of(l);
}

EtsObject *ets_hash_next_key(const EtsHash *h, Term key, bool *present)
{
    *present = true;
    if (term_is_none(key)) return first_object(h, first_mark(h, 0));
    uint64_t hash = hash_internal(h->atoms, key);
    uint64_t order = order_of_hash(hash);
    EtsLink *run = link_from(bucket_entrance(h, hash), order);
    EtsObject *o = find_from(h, run, order, key);
    *present = o != NULL;
    if (o != NULL) {
        EtsObject *next = next_distinct(h, run, link_next(&o->link), order);
        if (next != NULL) return next;
    }
    EtsLink *l = run;
    while (l->order == order) l = link_next(l);
    return first_object(h, l);
}

size_t ets_hash_buckets(const EtsHash *h) { return atomic_load_acquire(&h->mask) + 1; }

size_t ets_hash_bucket(const EtsHash *h, size_t bucket, EtsPosition *position, EtsObject **out,
                       size_t n)
{
    uint64_t size = ets_hash_buckets(h);
    uint64_t start = reversed(bucket);
    /* The next bucket in the order of the list; none behind the last. */
    uint64_t end = start + ((uint64_t)1 << (64 - (unsigned)__builtin_ctzll(size)));
    EtsLink *l = position->order == 0 ? link_from(bucket_entrance(h, bucket), start | 1)
                                      : position_link(h, position);
    return gather(l, h, position, end == 0 ? UINT64_MAX : end, out, n);
}

/* ---- writing ---- */

typedef struct EtsPlace {
    EtsStripe *stripe;
    EtsLink *before; /* the last link of a smaller order */
    uint64_t order;
} EtsPlace;

/* Where objects of that hash stand, with their stripe's latch held until place_leave; false: the
 * stripe is closed. */
static inline bool place_enter(EtsHash *h, uint64_t hash, bool batch, EtsPlace *at)
{
    EtsStripe *stripe = &h->stripes[hash & (ETS_STRIPES - 1)];
    ets_latch_take(&stripe->latch);
    if (UNLIKELY(stripe->closed && !batch)) {
        ets_latch_drop(&stripe->latch);
        return false;
    }
    at->stripe = stripe;
    at->order = order_of_hash(hash);
    at->before = link_before(bucket_linked(h, hash), at->order);
    return true;
}

static inline void place_leave(const EtsPlace *at) { ets_latch_drop(&at->stripe->latch); }

static inline void place_count(const EtsPlace *at, int64_t objects, int64_t words)
{
    EtsStripe *s = at->stripe;
    atomic_store_relaxed(&s->count, atomic_load_relaxed(&s->count) + (size_t)objects);
    atomic_store_relaxed(&s->words, atomic_load_relaxed(&s->words) + words);
}

void ets_hash_close(EtsHash *h)
{
    for (unsigned i = 0; i < ETS_STRIPES; i++) {
        ets_latch_take(&h->stripes[i].latch);
        h->stripes[i].closed = true;
        ets_latch_drop(&h->stripes[i].latch);
    }
}

void ets_hash_open(EtsHash *h)
{
    for (unsigned i = 0; i < ETS_STRIPES; i++) {
        ets_latch_take(&h->stripes[i].latch);
        h->stripes[i].closed = false;
        ets_latch_drop(&h->stripes[i].latch);
    }
}

int64_t ets_hash_count(const EtsHash *h)
{
    size_t n = 0;
    for (unsigned i = 0; i < ETS_STRIPES; i++) n += atomic_load_relaxed(&h->stripes[i].count);
    return (int64_t)n;
}

int64_t ets_hash_words(const EtsHash *h)
{
    int64_t n = 0;
    for (unsigned i = 0; i < ETS_STRIPES; i++) n += atomic_load_relaxed(&h->stripes[i].words);
    return n;
}

uint64_t ets_hash_expect(const EtsHash *h, Term key)
{
    uint64_t hash = hash_internal(h->atoms, key);
    EtsLink *mark = bucket_mark(h, hash & atomic_load_acquire(&h->mask));
    if (mark != NULL) __builtin_prefetch(mark);
    return order_of_hash(hash);
}

static uint64_t object_hash(const EtsHash *h, const EtsObject *o)
{
    return o->link.order != 0 ? reversed(o->link.order)
                              : hash_internal(h->atoms, ets_object_key(o, h->keypos));
}

static bool object_is_equal(const EtsObject *a, const EtsObject *b)
{
    return order_same(ets_object_tuple(a), ets_object_tuple(b));
}

/* The link before the first object of the order that stands in the way of `o`, or NULL. */
static EtsLink *find_in_the_way(const EtsHash *h, const EtsPlace *at, const EtsObject *o,
                                EtsPutMode mode)
{
    if (mode == ETS_PUT_ALWAYS) return NULL;
    Term key = ets_object_key(o, h->keypos);
    EtsLink *before = at->before;
    for (EtsLink *l; (l = link_next(before))->order == at->order; before = l) {
        if (mode == ETS_PUT_UNLESS_EQUAL ? object_is_equal(ets_object_of(l), o)
                                         : order_same(link_key(h, l), key))
            return before;
    }
    return NULL;
}

static void link_replace(const EtsPlace *at, EtsLink *before, EtsObject *old, EtsObject *fresh)
{
    fresh->link.order = old->link.order;
    fresh->sequence = old->sequence;
    atomic_store_relaxed(&fresh->link.next, link_next(&old->link));
    /* Pairs with link_next of readers: they see the object whole. */
    atomic_store_release(&before->next, &fresh->link);
    place_count(at, 0, ets_object_weight(fresh) - ets_object_weight(old));
}

static void link_insert(const EtsPlace *at, EtsObject *o)
{
    o->link.order = at->order;
    o->sequence = ++at->stripe->sequence;
    atomic_store_relaxed(&o->link.next, link_next(at->before));
    atomic_store_release(&at->before->next, &o->link);
    place_count(at, 1, ets_object_weight(o));
}

EtsResult ets_hash_put(EtsHash *h, EtsObject *o, EtsPutMode mode, bool batch, EtsObject **old)
{
    EtsPlace at;
    EtsResult result = ETS_DONE;
    size_t count = 0;
    *old = NULL;
    if (!place_enter(h, object_hash(h, o), batch, &at)) return ETS_BUSY;
    EtsLink *before = find_in_the_way(h, &at, o, mode);
    if (before == NULL) {
        link_insert(&at, o);
        count = atomic_load_relaxed(&at.stripe->count);
    } else if (mode == ETS_PUT_REPLACE) {
        *old = ets_object_of(link_next(before));
        link_replace(&at, before, *old, o);
    } else {
        result = ETS_EXISTS;
    }
    place_leave(&at);
    if (count * ETS_STRIPES > atomic_load_relaxed(&h->mask)) hash_grow(h);
    return result;
}

/* The link before `o`, or NULL if that is not there any more. */
static EtsLink *find_object(const EtsPlace *at, const EtsObject *o)
{
    EtsLink *before = at->before;
    for (EtsLink *l; (l = link_next(before))->order == at->order; before = l)
        if (l == &o->link) return before;
    return NULL;
}

EtsResult ets_hash_swap(EtsHash *h, EtsObject *old, EtsObject *fresh)
{
    EtsPlace at;
    if (!place_enter(h, object_hash(h, old), false, &at)) return ETS_BUSY;
    EtsLink *before = find_object(&at, old);
    if (before != NULL) link_replace(&at, before, old, fresh);
    place_leave(&at);
    return before == NULL ? ETS_LOST : ETS_DONE;
}

EtsResult ets_hash_remove(EtsHash *h, EtsObject *o)
{
    EtsPlace at;
    if (!place_enter(h, object_hash(h, o), false, &at)) return ETS_BUSY;
    EtsLink *before = find_object(&at, o);
    if (before != NULL) {
        atomic_store_release(&before->next, link_next(&o->link));
        place_count(&at, -1, -ets_object_weight(o));
    }
    place_leave(&at);
    return before == NULL ? ETS_LOST : ETS_DONE;
}

EtsResult ets_hash_remove_key(EtsHash *h, Term key, Walk *removed)
{
    EtsPlace at;
    if (!place_enter(h, hash_internal(h->atoms, key), false, &at)) return ETS_BUSY;
    EtsLink *before = at.before;
    for (EtsLink *l; (l = link_next(before))->order == at.order;) {
        if (!order_same(link_key(h, l), key)) {
            before = l;
            continue;
        }
        /* All that stand together go in one store: readers see all of them or none. */
        for (; l->order == at.order && order_same(link_key(h, l), key); l = link_next(l)) {
            place_count(&at, -1, -ets_object_weight(ets_object_of(l)));
            walk_push(removed, (Word)(uintptr_t)l);
        }
        atomic_store_release(&before->next, l);
    }
    place_leave(&at);
    return ETS_DONE;
}

void ets_hash_check(const EtsHash *h)
{
    size_t counts[ETS_STRIPES] = {0};
    uint64_t order = 0;
    uint64_t sequence = 0;
    for (EtsLink *l = link_next(first_mark(h, 0)); l != &h->tail; l = link_next(l)) {
        CHECK(l->order >= order);
        if ((l->order & 1) != 0) {
            const EtsObject *o = ets_object_of(l);
            CHECK(l->order != order || o->sequence < sequence);
            sequence = o->sequence;
            counts[reversed(l->order) & (ETS_STRIPES - 1)]++;
        }
        order = l->order;
    }
    for (size_t i = 0; i < ETS_STRIPES; i++)
        CHECK(counts[i] == atomic_load_relaxed(&h->stripes[i].count));
}
