#include "vm/term/binary.h"

#include "vm/term/bits.h"

#include <string.h>

#define APPEND_MIN_BYTES 256
/* A part of a heap binary up to this size is smaller as a copy. */
#define PART_COPY_BYTES ((size_t)8)

static bool is_base(Term t)
{
    return boxed_kind(t) == KIND_BINARY || boxed_kind(t) == KIND_SHARED_BINARY;
}

size_t binary_base_bits(Term base)
{
    return boxed_kind(base) == KIND_BINARY ? (size_t)boxed_words(base)[1]
                                           : binary_shared_bits(base);
}

size_t binary_bits(Term t)
{
    return is_base(t) ? binary_base_bits(t) : (size_t)small_value(boxed_term(t, 2));
}

Term binary_base(Term t, size_t *offset_bits)
{
    *offset_bits = 0;
    if (is_base(t)) return t;
    *offset_bits = (size_t)small_value(boxed_term(t, 1));
    return boxed_term(t, 0);
}

BitView binary_view(Term t)
{
    size_t offset;
    Term base = binary_base(t, &offset);
    return (BitView){binary_base_bytes(base) + offset / 8, offset % 8, binary_bits(t)};
}

/* ---- making ---- */

static size_t heap_binary_words(size_t bits) { return 2 + (bits + 63) / 64; }

size_t binary_words(size_t bits)
{
    return bits <= BINARY_HEAP_MAX * 8 ? heap_binary_words(bits) : 4;
}

static void shared_release(Counted *object)
{
    SharedBytes *shared = (SharedBytes *)object;
    mem_free(shared->mem, MEM_BINARY, shared, sizeof *shared + shared->room);
}

SharedBytes *binary_shared_new(Mem *mem, size_t bytes)
{
    if (bytes > BINARY_MAX_BYTES) return NULL;
    SharedBytes *shared = mem_try_alloc(mem, MEM_BINARY, sizeof *shared + bytes);
    if (shared == NULL) return NULL;
    atomic_init(&shared->head.references, 1);
    shared->head.release = shared_release;
    shared->head.bytes = sizeof *shared + bytes;
    shared->mem = mem;
    shared->room = bytes;
    shared->used = 0;
    return shared;
}

static Term share_at(Heap *h, Word *at, SharedBytes *shared, Word bits)
{
    at[0] = header_make(KIND_SHARED_BINARY, 3);
    at[2] = (Word)(uintptr_t)shared;
    at[3] = bits;
    heap_add_handle(h, at, shared->head.bytes);
    return boxed_from(at);
}

Term binary_share(Heap *h, SharedBytes *shared, size_t bits)
{
    Word *at = heap_alloc(h, 4);
    if (at == NULL) {
        counted_drop(&shared->head);
        return TERM_NONE;
    }
    return share_at(h, at, shared, bits);
}

void binary_buffer_begin(Bytes *b) { (void)bytes_extend(b, sizeof(SharedBytes)); }

Term binary_buffer_done(Heap *h, Bytes *b)
{
    size_t n = binary_buffer_bytes(b);
    if (n <= BINARY_HEAP_MAX || n > BINARY_MAX_BYTES) {
        Term t = binary_from_bytes(h, b->at + sizeof(SharedBytes), n);
        bytes_free(b);
        return t;
    }
    /* What stays long should not keep the room it grew by. */
    uint8_t *fitted = b->room - b->count > b->count / 8
                          ? mem_try_realloc(b->mem, b->tag, b->at, b->room, b->count)
                          : NULL;
    if (fitted != NULL) {
        b->at = fitted;
        b->room = b->count;
    }
    SharedBytes *shared = (SharedBytes *)(void *)b->at;
    atomic_init(&shared->head.references, 1);
    shared->head.release = shared_release;
    shared->head.bytes = b->room;
    shared->mem = b->mem;
    shared->room = b->room - sizeof *shared;
    shared->used = 0;
    *b = binary_buffer(b->mem);
    return binary_share(h, shared, 8 * n);
}

Term binary_new(Heap *h, size_t bits, uint8_t **to)
{
    if (bits <= BINARY_HEAP_MAX * 8) {
        size_t words = heap_binary_words(bits);
        Word *at = heap_alloc(h, words);
        if (at == NULL) return TERM_NONE;
        at[0] = header_make(KIND_BINARY, words - 1);
        at[1] = bits;
        if (bits != 0) at[words - 1] = 0;
        *to = (uint8_t *)(at + 2);
        return boxed_from(at);
    }
    size_t bytes = bits / 8 + (bits % 8 != 0);
    SharedBytes *shared = binary_shared_new(h->mem, bytes);
    if (shared == NULL) return TERM_NONE;
    shared->bytes[bytes - 1] = 0;
    *to = shared->bytes;
    return binary_share(h, shared, bits);
}

Term binary_from_bytes(Heap *h, const void *bytes, size_t n)
{
    if (n > BINARY_MAX_BYTES) return TERM_NONE;
    uint8_t *to = NULL;
    Term t = binary_new(h, n * 8, &to);
    if (!term_is_none(t) && n != 0) memcpy(to, bytes, n);
    return t;
}

Term binary_from_bits(Heap *h, BitView view)
{
    uint8_t *to = NULL;
    Term t = binary_new(h, view.bits, &to);
    if (!term_is_none(t)) bits_copy(to, 0, view.at, view.offset, view.bits);
    return t;
}

/* ---- parts ---- */

static Term part_at(Word *at, Term base, size_t offset, size_t size)
{
    at[0] = header_make(KIND_SUB_BINARY, 3);
    at[1] = base.w;
    at[2] = small_from((int64_t)offset).w;
    at[3] = small_from((int64_t)size).w;
    return boxed_from(at);
}

Term binary_part(Heap *h, Term t, size_t offset, size_t size)
{
    ASSERT(offset + size <= binary_bits(t));
    if (offset == 0 && size == binary_bits(t)) return t;
    size_t before;
    Term base = binary_base(t, &before);
    if (boxed_kind(base) == KIND_BINARY && size <= PART_COPY_BYTES * 8)
        return binary_copy_part(h, t, offset, size);
    Word *at = heap_alloc(h, 4);
    return at == NULL ? TERM_NONE : part_at(at, base, before + offset, size);
}

Term binary_copy_part(Heap *h, Term t, size_t offset, size_t size)
{
    BitView view = binary_view(t);
    offset += view.offset;
    return binary_from_bits(h, (BitView){view.at + offset / 8, offset % 8, size});
}

Term binary_concat(Heap *h, Term a, Term b)
{
    BitView x = binary_view(a);
    BitView y = binary_view(b);
    uint8_t *to = NULL;
    Term t = binary_new(h, x.bits + y.bits, &to);
    if (term_is_none(t)) return t;
    bits_copy(to, 0, x.at, x.offset, x.bits);
    bits_copy(to, x.bits, y.at, y.offset, y.bits);
    return t;
}

/* ---- append buffers ---- */

/* The handle that owns the buffer at whose write position `acc` ends, or NULL. */
static Word *append_owner(Term acc)
{
    if (boxed_kind(acc) != KIND_SUB_BINARY) return NULL;
    Term base = boxed_term(acc, 0);
    if (boxed_kind(base) != KIND_SHARED_BINARY) return NULL;
    Word *handle = boxed_words(base);
    if ((handle[3] & BINARY_APPENDABLE) == 0) return NULL;
    size_t end = (size_t)(small_value(boxed_term(acc, 1)) + small_value(boxed_term(acc, 2)));
    return binary_shared(base)->used == end ? handle : NULL;
}

/* Makes the buffer behind an owned handle larger where it stands; false if others hold it or
 * memory is refused. */
static bool append_grow(Heap *h, Word *handle, size_t bytes)
{
    SharedBytes *shared = (SharedBytes *)(uintptr_t)handle[2];
    /* Acquire pairs with the releasing decrement in counted_drop: reads of former holders are
     * over. */
    if (atomic_load_acquire(&shared->head.references) != 1) return false;
    size_t room = bytes * 2;
    SharedBytes *grown = mem_try_realloc(shared->mem, MEM_BINARY, shared,
                                         sizeof *shared + shared->room, sizeof *shared + room);
    if (grown == NULL) return false;
    h->handle_bytes += room - grown->room;
    grown->head.bytes = sizeof *grown + room;
    grown->room = room;
    handle[2] = (Word)(uintptr_t)grown;
    return true;
}

/* A new append buffer that starts with the bits of `acc`. */
static Word *append_start(Heap *h, Word *handle_at, BitView acc, size_t bytes)
{
    size_t room = bytes * 2 < APPEND_MIN_BYTES ? APPEND_MIN_BYTES : bytes * 2;
    SharedBytes *shared = binary_shared_new(h->mem, room);
    if (shared == NULL) return NULL;
    bits_copy(shared->bytes, 0, acc.at, acc.offset, acc.bits);
    shared->used = acc.bits;
    share_at(h, handle_at, shared, acc.bits | BINARY_APPENDABLE);
    return handle_at;
}

/* The usual case: the buffer is acc's own and has room.  TERM_NONE: it is another one. */
static Term append_in_place(Heap *h, Word *handle, Term acc, size_t bits, uint8_t **to,
                            size_t *offset)
{
    SharedBytes *shared = (SharedBytes *)(uintptr_t)handle[2];
    size_t end = shared->used;
    if (bits > shared->room * 8 - end) return TERM_NONE;
    Word *at = heap_alloc(h, 4);
    if (at == NULL) return TERM_NONE;
    *to = shared->bytes;
    *offset = end;
    if (((end | bits) & 7) != 0) bits_zero(shared->bytes, end, bits);
    shared->used = end + bits;
    handle[3] = shared->used | BINARY_APPENDABLE;
    size_t start = (size_t)small_value(boxed_term(acc, 1));
    return part_at(at, boxed_from(handle), start, end + bits - start);
}

Term binary_append(Heap *h, Term acc, size_t bits, uint8_t **to, size_t *offset)
{
    Word *handle = append_owner(acc);
    if (LIKELY(handle != NULL)) {
        Term t = append_in_place(h, handle, acc, bits, to, offset);
        if (!term_is_none(t)) return t;
    }
    BitView view = binary_view(acc);
    size_t total = view.bits + bits;
    if (total < bits || total > BINARY_MAX_BYTES * 8) return TERM_NONE;
    if (handle == NULL && total <= BINARY_HEAP_MAX * 8) {
        Term t = binary_new(h, total, to);
        if (term_is_none(t)) return t;
        bits_copy(*to, 0, view.at, view.offset, view.bits);
        *offset = view.bits;
        bits_zero(*to, view.bits, bits);
        return t;
    }
    Word *at = heap_alloc(h, 8);
    if (at == NULL) return TERM_NONE;
    size_t start = handle == NULL ? 0 : (size_t)small_value(boxed_term(acc, 1));
    size_t bytes = (start + total + 7) / 8;
    if (handle != NULL && bytes > ((SharedBytes *)(uintptr_t)handle[2])->room
        && !append_grow(h, handle, bytes))
        handle = NULL;
    if (handle == NULL) {
        start = 0;
        handle = append_start(h, at + 4, view, (total + 7) / 8);
        if (handle == NULL) {
            heap_shrink(h, at, 8, 0);
            return TERM_NONE;
        }
    } else {
        heap_shrink(h, at, 8, 4);
    }
    SharedBytes *shared = (SharedBytes *)(uintptr_t)handle[2];
    *to = shared->bytes;
    *offset = start + view.bits;
    if (((*offset | bits) & 7) != 0) bits_zero(shared->bytes, *offset, bits);
    shared->used = start + total;
    handle[3] = shared->used | BINARY_APPENDABLE;
    return part_at(at, boxed_from(handle), start, total);
}

/* ---- use ---- */

const uint8_t *binary_aligned(Term t, Mem *mem, size_t *n, uint8_t **scratch)
{
    BitView view = binary_view(t);
    *n = view.bits / 8;
    *scratch = NULL;
    if (view.offset == 0) return view.at;
    /* An empty run still needs an address. */
    *scratch = mem_try_alloc(mem, MEM_WORK, *n == 0 ? 1 : *n);
    if (*scratch != NULL) bits_copy(*scratch, 0, view.at, view.offset, *n * 8);
    return *scratch;
}

int binary_compare_step(Term a, Term b, size_t *at, size_t *budget)
{
    BitView x = binary_view(a);
    BitView y = binary_view(b);
    size_t common = x.bits < y.bits ? x.bits : y.bits;
    size_t n = common - *at;
    bool more = n / 8 > *budget;
    if (more) n = *budget * 8;
    *budget -= n / 8;
    int order = bits_compare(x.at, x.offset + *at, y.at, y.offset + *at, n);
    *at += n;
    if (order != 0) return order;
    if (more) return BINARY_COMPARE_MORE;
    return x.bits < y.bits ? -1 : x.bits > y.bits;
}
