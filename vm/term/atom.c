#include "vm/term/atom.h"

#include "vm/base/htab.h"
#include "vm/base/lock.h"
#include "vm/base/utf8.h"

#include <string.h>

#define CHUNK_SIZE ((size_t)1 << ATOM_CHUNK_BITS)
#define TEXT_BLOCK ((size_t)1 << 14)

/* The way from text to index: open addressing, index + 1 or 0 in each place.  Readers probe
 * without a lock.  A full table is replaced by one twice as large; the old one stays until the
 * end because a reader may be in it (all together they take less than the newest). */
typedef struct AtomIndex {
    struct AtomIndex *older;
    uint32_t mask;
    AtomicU32 places[];
} AtomIndex;

typedef struct TextBlock {
    struct TextBlock *older;
    size_t used;
    uint8_t bytes[TEXT_BLOCK];
} TextBlock;

typedef struct AtomWriter {
    Lock lock;
    Mem *mem;
    _Atomic(AtomIndex *) index; /* released by the inserter; acquired by every look-up */
    TextBlock *texts;           /* under the lock */
} AtomWriter;

static size_t index_bytes(uint32_t mask)
{
    return sizeof(AtomIndex) + ((size_t)mask + 1) * sizeof(AtomicU32);
}

static AtomIndex *index_new(Mem *mem, uint32_t mask, AtomIndex *older)
{
    AtomIndex *index = mem_alloc_zero(mem, MEM_ATOM, index_bytes(mask));
    index->mask = mask;
    index->older = older;
    return index;
}

static uint64_t text_prefix(const uint8_t *text, size_t length)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < length ? text[i] : 0);
    return prefix;
}

/* The hash that phash2 takes of an atom: a shift-and-fold over the characters, Latin-1 ones as
 * one unit and others as their UTF-8 bytes. */
static uint32_t text_phash(const uint8_t *text, size_t length)
{
    uint32_t h = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t unit = text[i];
        if (i + 1 < length && (unit & 0xFE) == 0xC2 && (text[i + 1] & 0xC0) == 0x80) {
            unit = (unit << 6 | (text[i + 1] & 0x3F)) & 0xFF;
            i++;
        }
        h = (h << 4) + unit;
        uint32_t high = h & 0xF0000000u;
        if (high != 0) h = (h ^ high >> 24) ^ high;
    }
    return h;
}

static bool entry_is(const AtomEntry *e, uint64_t hash, const uint8_t *text, size_t length)
{
    return e->hash == hash && e->length == length
           && (length == 0 || memcmp(e->text, text, length) == 0);
}

/* The atom's index + 1, or 0. */
static uint32_t index_find(const AtomTable *atoms, uint64_t hash, const uint8_t *text,
                           size_t length)
{
    /* Pairs with the release stores in index_add and index_grow. */
    AtomIndex *index = atomic_load_acquire(&atoms->writer->index);
    for (uint32_t i = (uint32_t)hash & index->mask;; i = (i + 1) & index->mask) {
        uint32_t place = atomic_load_acquire(&index->places[i]);
        if (place == 0) return 0;
        if (entry_is(atom_entry(atoms, atom_from(place - 1)), hash, text, length)) return place;
    }
}

static void index_add(AtomIndex *index, uint64_t hash, uint32_t place)
{
    uint32_t i = (uint32_t)hash & index->mask;
    while (atomic_load_relaxed(&index->places[i]) != 0) i = (i + 1) & index->mask;
    atomic_store_release(&index->places[i], place); /* pairs with index_find */
}

static void index_grow(AtomTable *atoms, uint32_t count)
{
    AtomWriter *w = atoms->writer;
    AtomIndex *old = atomic_load_relaxed(&w->index);
    if ((uint64_t)count * 2 <= old->mask) return;
    AtomIndex *index = index_new(w->mem, old->mask * 2 + 1, old);
    for (uint32_t i = 0; i < count; i++)
        index_add(index, atom_entry(atoms, atom_from(i))->hash, i + 1);
    atomic_store_release(&w->index, index); /* pairs with index_find */
}

static const uint8_t *text_keep(AtomWriter *w, const uint8_t *text, size_t length)
{
    if (w->texts == NULL || TEXT_BLOCK - w->texts->used < length + 1) {
        TextBlock *block = mem_alloc(w->mem, MEM_ATOM, sizeof *block);
        block->older = w->texts;
        block->used = 0;
        w->texts = block;
    }
    uint8_t *at = w->texts->bytes + w->texts->used;
    memcpy(at, text, length);
    at[length] = 0;
    w->texts->used += length + 1;
    return at;
}

static AtomPut put_locked(AtomTable *atoms, uint64_t hash, const uint8_t *text, size_t length,
                          uint32_t limit, Term *out) REQUIRES(&atoms->writer->lock)
{
    AtomWriter *w = atoms->writer;
    uint32_t place = index_find(atoms, hash, text, length);
    if (place != 0) {
        *out = atom_from(place - 1);
        return ATOM_PUT_DONE;
    }
    uint32_t count = atomic_load_relaxed(&atoms->count);
    if (count >= limit) return ATOM_PUT_FULL;
    _Atomic(AtomEntry *) *chunk_at = &atoms->chunks[count >> ATOM_CHUNK_BITS];
    AtomEntry *chunk = atomic_load_relaxed(chunk_at);
    if (chunk == NULL) {
        chunk = mem_alloc(w->mem, MEM_ATOM, CHUNK_SIZE * sizeof *chunk);
        atomic_store_release(chunk_at, chunk); /* pairs with atom_entry */
    }
    chunk[count & (CHUNK_SIZE - 1)] = (AtomEntry){
        .text = text_keep(w, text, length),
        .hash = hash,
        .prefix = text_prefix(text, length),
        .phash = text_phash(text, length),
        .length = (uint16_t)length,
        .characters = (uint16_t)utf8_count(text, length),
    };
    index_grow(atoms, count);
    index_add(atomic_load_relaxed(&w->index), hash, count + 1);
    atomic_store_release(&atoms->count, count + 1); /* pairs with atom_count */
    *out = atom_from(count);
    return ATOM_PUT_DONE;
}

static AtomPut put_below(AtomTable *atoms, const void *text, size_t length, uint32_t limit,
                         Term *out)
{
    if (length > (size_t)LIMIT_ATOM_CHARACTERS * UTF8_MAX) return ATOM_PUT_TOO_LONG;
    uint64_t hash = htab_hash_bytes(text, length, 0);
    uint32_t place = index_find(atoms, hash, text, length);
    if (place != 0) {
        *out = atom_from(place - 1);
        return ATOM_PUT_DONE;
    }
    if (!utf8_is_valid(text, length)) return ATOM_PUT_NOT_UTF8;
    if (utf8_count(text, length) > LIMIT_ATOM_CHARACTERS) return ATOM_PUT_TOO_LONG;
    lock_take(&atoms->writer->lock);
    AtomPut result = put_locked(atoms, hash, text, length, limit, out);
    lock_drop(&atoms->writer->lock);
    return result;
}

AtomPut atom_put(AtomTable *atoms, const void *text, size_t length, Term *out)
{
    return put_below(atoms, text, length, atoms->limit, out);
}

AtomPut atom_put_library(AtomTable *atoms, const void *text, size_t length, Term *out)
{
    return put_below(atoms, text, length, atoms->limit + LIMIT_ATOMS_LIBRARY, out);
}

/* Latin-1 as UTF-8; the number of bytes. */
static size_t latin1_to_utf8(const uint8_t *text, size_t length, uint8_t *to)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) n += (size_t)utf8_encode(text[i], to + n);
    return n;
}

AtomPut atom_put_latin1(AtomTable *atoms, const void *text, size_t length, Term *out)
{
    if (length > LIMIT_ATOM_CHARACTERS) return ATOM_PUT_TOO_LONG;
    uint8_t utf8[LIMIT_ATOM_CHARACTERS * 2];
    return atom_put(atoms, utf8, latin1_to_utf8(text, length, utf8), out);
}

Term atom_make(AtomTable *atoms, const char *text)
{
    Term t = TERM_NONE;
    AtomPut result = atom_put_library(atoms, text, strlen(text), &t);
    CHECK(result == ATOM_PUT_DONE);
    return t;
}

Term atom_find(const AtomTable *atoms, const void *text, size_t length)
{
    uint32_t place = index_find(atoms, htab_hash_bytes(text, length, 0), text, length);
    return place == 0 ? TERM_NONE : atom_from(place - 1);
}

Term atom_find_latin1(const AtomTable *atoms, const void *text, size_t length)
{
    if (length > LIMIT_ATOM_CHARACTERS) return TERM_NONE;
    uint8_t utf8[LIMIT_ATOM_CHARACTERS * 2];
    return atom_find(atoms, utf8, latin1_to_utf8(text, length, utf8));
}

uint32_t atom_count(const AtomTable *atoms)
{
    return atomic_load_acquire(&atoms->count); /* pairs with put_locked */
}

int atom_compare(const AtomTable *atoms, Term a, Term b)
{
    if (a.w == b.w) return 0;
    const AtomEntry *x = atom_entry(atoms, a);
    const AtomEntry *y = atom_entry(atoms, b);
    if (x->prefix != y->prefix) return x->prefix < y->prefix ? -1 : 1;
    size_t n = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->text, y->text, n);
    if (order != 0) return order;
    return x->length < y->length ? -1 : 1;
}

AtomTable *atom_table_new(Mem *mem, uint32_t limit)
{
    if (limit == 0) limit = LIMIT_ATOMS;
    if (limit < ATOM_NAMED_COUNT) limit = ATOM_NAMED_COUNT;
    AtomTable *atoms = mem_alloc_zero(mem, MEM_ATOM, sizeof *atoms);
    AtomWriter *w = mem_alloc_zero(mem, MEM_ATOM, sizeof *w);
    atoms->limit = limit;
    atoms->writer = w;
    size_t chunks = (((size_t)limit + LIMIT_ATOMS_LIBRARY) >> ATOM_CHUNK_BITS) + 1;
    atoms->chunks = mem_alloc_zero(mem, MEM_ATOM, chunks * sizeof *atoms->chunks);
    w->mem = mem;
    lock_init(&w->lock, LOCK_RANK_ATOM, "atoms");
    atomic_store_release(&w->index, index_new(mem, 2047, NULL)); /* pairs with index_find */
    for (size_t i = 0; i < ATOM_NAMED_COUNT; i++) {
        Term t = TERM_NONE;
        AtomPut result = atom_put(atoms, tables_atoms[i].text, tables_atoms[i].length, &t);
        CHECK(result == ATOM_PUT_DONE && atom_index(t) == i);
    }
    return atoms;
}

void atom_table_delete(AtomTable *atoms)
{
    AtomWriter *w = atoms->writer;
    Mem *mem = w->mem;
    for (AtomIndex *index = atomic_load_relaxed(&w->index); index != NULL;) {
        AtomIndex *older = index->older;
        mem_free(mem, MEM_ATOM, index, index_bytes(index->mask));
        index = older;
    }
    for (TextBlock *block = w->texts; block != NULL;) {
        TextBlock *older = block->older;
        mem_free(mem, MEM_ATOM, block, sizeof *block);
        block = older;
    }
    size_t chunks = (((size_t)atoms->limit + LIMIT_ATOMS_LIBRARY) >> ATOM_CHUNK_BITS) + 1;
    for (size_t i = 0; i < chunks; i++)
        mem_free(mem, MEM_ATOM, atomic_load_relaxed(&atoms->chunks[i]),
                 CHUNK_SIZE * sizeof(AtomEntry));
    mem_free(mem, MEM_ATOM, atoms->chunks, chunks * sizeof *atoms->chunks);
    lock_destroy(&w->lock);
    mem_free(mem, MEM_ATOM, w, sizeof *w);
    mem_free(mem, MEM_ATOM, atoms, sizeof *atoms);
}
