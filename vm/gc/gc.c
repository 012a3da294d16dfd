#include "vm/gc/gc.h"

#include <string.h>

#include "vm/gc/audit.h"
#include "vm/gc/evac.h"

#define GC_FIRST_BLOCK 32
#define GC_ROOMY_FROM  128
#define GC_ROOMY_TO    ((size_t)128 << 10)
#define GC_SURVIVED    4 /* a block of which this part lived on: what is new in it will too */

size_t gc_block_size(size_t words)
{
    size_t size = GC_FIRST_BLOCK;
    while (size < words) {
        if (size + size / 2 >= words) return size + size / 2;
        size *= 2;
    }
    return size;
}

void gc_free_old(OldGeneration *old, Mem *mem)
{
    heap_drop_handles(old->handles);
    mem_free(mem, MEM_HEAP, old->start, (size_t)(old->end - old->start) * sizeof(Word));
    mem_free(mem, MEM_HEAP, old->remembered, old->remembered_room * sizeof(Word *));
    *old = (OldGeneration){0};
}

bool gc_remember(OldGeneration *old, Word *slot, Mem *mem)
{
    if (old->remembered_count == old->remembered_room) {
        uint32_t room = old->remembered_room * 2 + 8;
        Word **at =
            mem_try_realloc(mem, MEM_HEAP, old->remembered,
                            old->remembered_room * sizeof(Word *), room * sizeof(Word *));
        if (at == NULL) return false;
        old->remembered = at;
        old->remembered_room = room;
    }
    old->remembered[old->remembered_count++] = slot;
    return true;
}

/* Moves the handles that survived to the list of the generation they are in now, drops the
 * others. */
static void gc_sweep_handles(GcSpace *s, Word *handles)
{
    Heap *h = s->heap;
    OldGeneration *old = s->old;
    while (handles != NULL) {
        Word *next = (Word *)handles[1];
        Counted *object = (Counted *)handles[2];
        Word *moved = evac_moved_to(handles);
        if (moved == NULL) {
            counted_drop(object);
        } else if (old != NULL && moved >= old->start && moved < old->end) {
            moved[1] = (Word)old->handles;
            old->handles = moved;
            old->handle_bytes += object->bytes;
        } else {
            heap_add_handle(h, moved, object->bytes);
        }
        handles = next;
    }
}

/* Places the stack at the top end of the new block and makes the block the process's own. */
static void gc_adopt_block(GcSpace *s, Word *to, size_t to_words, Word *to_top)
{
    size_t stack = (size_t)(s->block + s->block_words - s->stack_low);
    Word *low = to + to_words - stack;
    memcpy(low, s->stack_low, stack * sizeof(Word));
    mem_free(s->mem, MEM_HEAP, s->block, s->block_words * sizeof(Word));
    s->block = to;
    s->block_words = to_words;
    s->stack_low = low;
    s->heap->top = to_top;
    s->heap->limit = to_top;
    s->high_water = (size_t)(to_top - to);
}

/* Moves what remembered slots point to; forgets those that no longer point to young terms. */
static void gc_scan_remembered(Evac *e, OldGeneration *old)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < old->remembered_count; i++) {
        Word *slot = old->remembered[i];
        evac_slot(e, slot);
        const Word *at = (const Word *)(*slot & ~(Word)TAG_MASK);
        if (at < old->start || at >= old->end) old->remembered[kept++] = slot;
    }
    old->remembered_count = kept;
}

/* One pass: moves what lives into a new block of `to_words`. The caller knows that it fits. */
static bool gc_move(GcSpace *s, size_t to_words, bool full, size_t *survivors)
{
    Word *to = mem_try_alloc(s->mem, MEM_HEAP, to_words * sizeof(Word));
    if (to == NULL) return false;
    OldGeneration *old = s->old;
    bool minor_with_old = !full && old != NULL && old->start != NULL;
    Evac e = {.to_top = to, .to_scan = to, .literals = s->literals};
    if (minor_with_old) {
        e.old_top = e.old_scan = old->top;
        e.keep_start = old->start;
        e.keep_end = old->end;
        e.mature_start = s->block;
        e.mature_end = s->block + s->high_water;
        gc_scan_remembered(&e, old);
    }
    s->scan_roots(&e, s->owner);
    evac_drain(&e);

    Heap *h = s->heap;
    Word *young_handles = h->handles;
    h->handles = NULL;
    h->handle_bytes = 0;
    OldGeneration freed = {0};
    if (minor_with_old) {
        *survivors += (size_t)(e.old_top - old->top);
        old->top = e.old_top;
    } else if (full && old != NULL) {
        freed = *old;
        *old = (OldGeneration){0};
    }
    gc_sweep_handles(s, young_handles);
    gc_sweep_handles(s, freed.handles);
    freed.handles = NULL;
    gc_free_old(&freed, s->mem);
    heap_free_fragments(h);
    *survivors += (size_t)(e.to_top - to);
    gc_adopt_block(s, to, to_words, e.to_top);
    return true;
}

static size_t gc_old_used(const OldGeneration *old)
{
    return old == NULL ? 0 : (size_t)(old->top - old->start);
}

/* The old generation can take everything below the high-water mark; makes one if there is none. */
static bool gc_old_ready(GcSpace *s)
{
    OldGeneration *old = s->old;
    if (s->high_water == 0) return true;
    if (old == NULL) return false;
    if (old->start != NULL) return (size_t)(old->end - old->top) >= s->high_water;
    size_t words = gc_block_size(s->high_water * 2);
    Word *at = mem_try_alloc(s->mem, MEM_HEAP, words * sizeof(Word));
    if (at == NULL) return false;
    old->start = old->top = at;
    old->end = at + words;
    return true;
}

/* What the block should be once `live` words of heap and the stack are in it. */
static size_t gc_wanted_size(const GcSpace *s, size_t live, size_t need)
{
    size_t stack = (size_t)(s->block + s->block_words - s->stack_low);
    size_t kept = live + stack;
    /* Twice is what constant work per word needs; between a kilobyte and a megabyte thrice halves
     * that work for little memory. */
    size_t times = kept >= GC_ROOMY_FROM && kept < GC_ROOMY_TO ? 3 : 2;
    return gc_block_size(times * kept + need);
}

/* Where much survived last time, what is young now is expected to survive too: the size that makes
 * a second pass unnecessary if it does, else 0. */
static size_t gc_expected_size(const GcSpace *s, size_t young, size_t need)
{
    return s->high_water >= s->block_words / GC_SURVIVED ? gc_wanted_size(s, young, need) : 0;
}

/* Grows a block that has become too small for what survived, shrinks one that is mostly empty. */
static bool gc_resize(GcSpace *s, size_t need, size_t *survivors)
{
    size_t live = (size_t)(s->heap->top - s->block);
    size_t wanted = gc_wanted_size(s, live, need);
    bool grow = wanted > s->block_words;
    bool shrink = wanted <= s->block_words / 8;
    if (!grow && !shrink) return true;
    /* Everything in the block has just survived and stays young: no promotion in this pass. */
    size_t kept_high_water = s->high_water;
    OldGeneration *old = s->old;
    OldGeneration none = {0};
    OldGeneration kept = old == NULL ? none : *old;
    Word *to = mem_try_alloc(s->mem, MEM_HEAP, wanted * sizeof(Word));
    if (to == NULL) return !grow && s->block_words > 0;
    Evac e = {.to_top = to,
              .to_scan = to,
              .literals = s->literals,
              .keep_start = kept.start,
              .keep_end = kept.end};
    if (old != NULL) gc_scan_remembered(&e, old);
    s->scan_roots(&e, s->owner);
    evac_drain(&e);
    Word *handles = s->heap->handles;
    s->heap->handles = NULL;
    s->heap->handle_bytes = 0;
    gc_sweep_handles(s, handles);
    *survivors += (size_t)(e.to_top - to);
    gc_adopt_block(s, to, wanted, e.to_top);
    ASSERT(s->high_water <= kept_high_water);
    (void)kept_high_water;
    return true;
}

static bool gc_over_limit(const GcSpace *s, size_t need)
{
    if (s->limit_words == 0) return false;
    size_t old = s->old == NULL ? 0 : (size_t)(s->old->end - s->old->start);
    return s->block_words + old + need > s->limit_words;
}

GcResult gc_collect(GcSpace *s, size_t need, bool force_full, GcReport *report)
{
    if (CONFIG_DEBUG) audit_space(s);
    bool full = force_full || !gc_old_ready(s);
    size_t stack = (size_t)(s->block + s->block_words - s->stack_low);
    size_t used = (size_t)(s->heap->top - s->block) + s->heap->fragment_words;
    if (full) used += gc_old_used(s->old);
    size_t most = gc_block_size(used + stack + need);
    if (most < s->block_words && !full) most = s->block_words;
    size_t expected = gc_expected_size(s, used - (full ? 0 : s->high_water), need);
    *report = (GcReport){.full = full};
    if (!(expected > most && gc_move(s, expected, full, &report->survivors))
        && !gc_move(s, most, full, &report->survivors))
        return GC_NO_MEMORY;
    if (!gc_resize(s, need, &report->survivors)) return GC_NO_MEMORY;
    if (CONFIG_DEBUG) audit_space(s);
    return gc_over_limit(s, need) ? GC_OVER_LIMIT : GC_DONE;
}
