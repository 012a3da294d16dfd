#include "vm/term/codec.h"

#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/codec_tags.h"
#include "vm/term/float.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/order.h"
#include "vm/term/pid.h"

#include <string.h>

/*
 * Objects are taken from the heap as their tags arrive, filled with nil, and the words that
 * wait for a term stand on the walk, each entry ending with its kind:
 *
 *   FILL   [to][n]                   neighbouring words
 *   LIST   [cell][cells][rest]       heads of so many linked cells, `rest` more, the tail
 *   FLAT   [map][done][n]            keys and values of a small map, sorted when complete
 *   LARGE  [scratch][done][to]       pairs of a large map, built when complete
 *   BUILD  [scratch][added][to]      a large map being built
 *   BYTES  [to][from][left]          bytes of a large binary
 *
 * No count is believed beyond the bytes that are left: every term takes at least one.
 */
enum { FRAME_FILL, FRAME_LIST, FRAME_FLAT, FRAME_LARGE, FRAME_BUILD, FRAME_BYTES };

/* Larger binaries are copied in steps. */
#define BYTES_AT_ONCE 16384

/* Cells of a long list that are made at a time. */
#define LIST_CHUNK 1024

static Word *take(CodecReader *r, size_t words)
{
    Word *at = heap_alloc(r->heap, words);
    if (at == NULL) codec_fail(r, CODEC_NO_MEMORY);
    return at;
}

static void push(CodecReader *r, Word a, Word b, Word c, Word frame)
{
    walk_reserve(&r->stack, 4);
    walk_push(&r->stack, a);
    walk_push(&r->stack, b);
    walk_push(&r->stack, c);
    walk_push(&r->stack, frame);
}

static void push_fill(CodecReader *r, Word *to, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = TERM_NIL.w;
    if (n != 0) push(r, (Word)(uintptr_t)to, n, 0, FRAME_FILL);
}

/* A count of things that take at least `bytes` bytes each; 0 with failure if there are not so
 * many. */
static size_t read_count(CodecReader *r, size_t bytes)
{
    size_t n = bytes_read_u32_be(&r->in);
    if (n > bytes_left(&r->in) / bytes) {
        codec_fail(r, CODEC_BAD);
        return 0;
    }
    return n;
}

/* ---- atoms ---- */

static Term atom_of_bytes(CodecReader *r, size_t n, bool utf8)
{
    const uint8_t *text = bytes_read(&r->in, n);
    if (text == NULL) return TERM_NONE;
    Term t = TERM_NONE;
    if (r->safe) {
        t = utf8 ? atom_find(r->atoms, text, n) : atom_find_latin1(r->atoms, text, n);
        if (term_is_none(t)) codec_fail(r, CODEC_NEW_ATOM);
        return t;
    }
    AtomPut put = r->library ? atom_put_library(r->atoms, text, n, &t)
                  : utf8     ? atom_put(r->atoms, text, n, &t)
                             : atom_put_latin1(r->atoms, text, n, &t);
    switch (put) {
    case ATOM_PUT_DONE: break;
    case ATOM_PUT_FULL: codec_fail(r, CODEC_ATOMS_FULL); break;
    case ATOM_PUT_TOO_LONG:
    case ATOM_PUT_NOT_UTF8: codec_fail(r, CODEC_BAD); break;
    }
    return t;
}

/* An atom with this tag, or TERM_NONE without having read anything. */
static Term read_atom(CodecReader *r, uint8_t tag)
{
    switch (tag) {
    case EXT_ATOM: return atom_of_bytes(r, bytes_read_u16_be(&r->in), false);
    case EXT_SMALL_ATOM: return atom_of_bytes(r, bytes_read_u8(&r->in), false);
    case EXT_ATOM_UTF8: return atom_of_bytes(r, bytes_read_u16_be(&r->in), true);
    case EXT_SMALL_ATOM_UTF8: return atom_of_bytes(r, bytes_read_u8(&r->in), true);
    default: return TERM_NONE;
    }
}

/* An atom inside something else. */
static Term expect_atom(CodecReader *r)
{
    Term t = read_atom(r, bytes_read_u8(&r->in));
    if (term_is_none(t)) codec_fail(r, CODEC_BAD);
    return t;
}

/* ---- numbers ---- */

static Term read_big(CodecReader *r, size_t n)
{
    bool negative = bytes_read_u8(&r->in) != 0;
    const uint8_t *bytes = bytes_read(&r->in, n);
    if (bytes == NULL) return TERM_NONE;
    if (n > ((size_t)LIMIT_BIG_WORDS + 1) * sizeof(Word)) {
        codec_fail(r, CODEC_BAD);
        return TERM_NONE;
    }
    return big_from_bytes(r->heap, bytes, n, true, negative);
}

static Term read_float_text(CodecReader *r)
{
    const uint8_t *text = bytes_read(&r->in, EXT_FLOAT_BYTES);
    if (text == NULL) return TERM_NONE;
    double d;
    if (float_read(text, strnlen((const char *)text, EXT_FLOAT_BYTES), &d) == FLOAT_READ_OK)
        return heap_float(r->heap, d);
    codec_fail(r, CODEC_BAD);
    return TERM_NONE;
}

static Term read_new_float(CodecReader *r)
{
    uint64_t bits = bytes_read_u64_be(&r->in);
    double d;
    memcpy(&d, &bits, sizeof d);
    if (float_is_finite(d)) return heap_float(r->heap, d);
    codec_fail(r, CODEC_BAD);
    return TERM_NONE;
}

/* A 32-bit integer inside something else. */
static uint32_t expect_uint32(CodecReader *r)
{
    switch (bytes_read_u8(&r->in)) {
    case EXT_SMALL_INTEGER: return bytes_read_u8(&r->in);
    case EXT_INTEGER: return bytes_read_u32_be(&r->in);
    case EXT_SMALL_BIG: { /* an unsigned number that INTEGER_EXT cannot hold */
        size_t n = bytes_read_u8(&r->in);
        bool negative = bytes_read_u8(&r->in) != 0;
        const uint8_t *b = bytes_read(&r->in, n);
        if (b != NULL && n == 4 && !negative)
            return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        break;
    }
    default: break;
    }
    codec_fail(r, CODEC_BAD);
    return 0;
}

/* ---- pids, ports, references ---- */

static bool is_ours(const CodecReader *r, Term node, uint32_t creation)
{
    return term_same(node, r->node.name) && creation == r->node.creation;
}

static uint32_t read_creation(CodecReader *r, bool wide)
{
    return wide ? bytes_read_u32_be(&r->in) : bytes_read_u8(&r->in);
}

static Term read_pid(CodecReader *r, bool wide)
{
    Term node = expect_atom(r);
    uint32_t id = bytes_read_u32_be(&r->in);
    uint32_t serial = bytes_read_u32_be(&r->in);
    uint32_t creation = read_creation(r, wide);
    if (r->in.failed || r->result != CODEC_OK) return TERM_NONE;
    if (is_ours(r, node, creation) && id >> PID_SLOT_BITS == 0) return pid_make(id, serial);
    return pid_make_remote(r->heap, node, creation, id, serial);
}

static Term read_port(CodecReader *r, uint8_t tag)
{
    Term node = expect_atom(r);
    uint64_t number =
        tag == EXT_V4_PORT ? bytes_read_u64_be(&r->in) : bytes_read_u32_be(&r->in);
    uint32_t creation = read_creation(r, tag != EXT_PORT);
    if (r->in.failed || r->result != CODEC_OK) return TERM_NONE;
    if (is_ours(r, node, creation) && number >> 58 == 0) return port_make(number);
    return pid_make_remote_port(r->heap, node, creation, number);
}

static Term read_ref(CodecReader *r, uint8_t tag)
{
    uint32_t ids[PID_REF_MAX_IDS];
    size_t n = tag == EXT_REFERENCE ? 1 : bytes_read_u16_be(&r->in);
    Term node = expect_atom(r);
    uint32_t creation = tag == EXT_REFERENCE ? 0 : read_creation(r, tag == EXT_NEWER_REFERENCE);
    if (n == 0 || n > PID_REF_MAX_IDS) codec_fail(r, CODEC_BAD);
    for (size_t i = 0; i < n && r->result == CODEC_OK; i++) ids[i] = bytes_read_u32_be(&r->in);
    if (tag == EXT_REFERENCE) creation = bytes_read_u8(&r->in);
    if (r->in.failed || r->result != CODEC_OK) return TERM_NONE;
    uint64_t number;
    Term owner;
    if (!is_ours(r, node, creation) || !pid_ref_from_ids(n, ids, &number, &owner))
        return pid_make_remote_ref(r->heap, node, creation, n, ids);
    return term_is_none(owner) ? pid_make_ref(r->heap, number)
                               : pid_make_alias(r->heap, number, owner);
}

/* ---- funs ---- */

static Term read_export(CodecReader *r)
{
    Term module = expect_atom(r);
    Term function = expect_atom(r);
    uint32_t arity = expect_uint32(r);
    if (arity > LIMIT_ARITY || r->funs == NULL) codec_fail(r, CODEC_BAD);
    if (r->in.failed || r->result != CODEC_OK) return TERM_NONE;
    const void *export = r->funs->export(r->funs->context, module, function, arity, r->safe);
    if (export != NULL) return fun_make_export(r->heap, export);
    codec_fail(r, r->safe ? CODEC_NEW_ATOM : CODEC_NO_MEMORY);
    return TERM_NONE;
}

static Term read_fun(CodecReader *r)
{
    FunKey key = {0};
    bytes_read_u32_be(&r->in); /* its size, which the parts tell too */
    key.arity = bytes_read_u8(&r->in);
    const uint8_t *uniq = bytes_read(&r->in, sizeof key.uniq);
    if (uniq != NULL) memcpy(key.uniq, uniq, sizeof key.uniq);
    key.index = bytes_read_u32_be(&r->in);
    size_t n = read_count(r, 1);
    key.module = expect_atom(r);
    key.old_index = expect_uint32(r);
    key.old_uniq = expect_uint32(r);
    uint8_t tag = bytes_read_u8(&r->in);
    if (tag != EXT_PID && tag != EXT_NEW_PID) codec_fail(r, CODEC_BAD);
    if (r->result != CODEC_OK) return TERM_NONE;
    Term creator = read_pid(r, tag == EXT_NEW_PID);
    if (n > bytes_left(&r->in)) codec_fail(r, CODEC_BAD);
    if (r->in.failed || r->result != CODEC_OK) return TERM_NONE;
    const void *entry = r->funs == NULL ? NULL : r->funs->entry(r->funs->context, &key, n);
    if (entry == NULL) {
        Term t = fun_make_remote(r->heap, &key, creator, n);
        if (!term_is_none(t)) push_fill(r, boxed_words(t) + 1 + FUN_REMOTE_FIXED, n);
        return t;
    }
    Word *at = take(r, 2 + n);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_FUN, 1 + n);
    at[1] = (Word)(uintptr_t)entry;
    push_fill(r, at + 2, n);
    return boxed_from(at);
}

/* ---- compound terms ---- */

static Term read_binary(CodecReader *r, bool has_bits)
{
    size_t n = bytes_read_u32_be(&r->in);
    size_t last = has_bits ? bytes_read_u8(&r->in) : 8;
    const uint8_t *bytes = bytes_read(&r->in, n);
    if (bytes == NULL) return TERM_NONE;
    if (has_bits && n == 0 && last == 0)
        last = 8; /* an empty one may state 0 bits */
    else if (last == 0 || last > 8 || (has_bits && n == 0)) {
        codec_fail(r, CODEC_BAD);
        return TERM_NONE;
    }
    size_t bits = n * 8 - (8 - last);
    if (n <= BYTES_AT_ONCE) return binary_from_bits(r->heap, (BitView){bytes, 0, bits});
    uint8_t *to;
    Term t = binary_new(r->heap, bits, &to);
    if (!term_is_none(t)) push(r, (Word)(uintptr_t)to, (Word)(uintptr_t)bytes, n, FRAME_BYTES);
    /* Bits behind the end are zero, also where the input has others. */
    if (!term_is_none(t) && last < 8) r->last_mask = (uint8_t)(0xFF << (8 - last));
    return t;
}

static Term read_tuple(CodecReader *r, size_t n)
{
    if (n > bytes_left(&r->in) || n > LIMIT_TUPLE_SIZE) {
        codec_fail(r, CODEC_BAD);
        return TERM_NONE;
    }
    Word *at = take(r, n + 1);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_TUPLE, n);
    push_fill(r, at + 1, n);
    return boxed_from(at);
}

static Term read_string(CodecReader *r)
{
    size_t n = bytes_read_u16_be(&r->in);
    const uint8_t *bytes = bytes_read(&r->in, n);
    return bytes == NULL ? TERM_NONE : list_from_bytes(r->heap, bytes, n, TERM_NIL);
}

/* The first or next linked cells of a list of which `rest` are still to be made. */
static Term begin_cells(CodecReader *r, size_t rest)
{
    size_t n = rest < LIST_CHUNK ? rest : LIST_CHUNK;
    Word *at = take(r, n * 2);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n; i++)
        cons_at(at + i * 2, TERM_NIL, i + 1 < n ? cons_from(at + i * 2 + 2) : TERM_NIL);
    push(r, (Word)(uintptr_t)at, n, rest - n, FRAME_LIST);
    return cons_from(at);
}

static Term read_list(CodecReader *r, Word *to)
{
    size_t n = read_count(r, 1);
    if (r->result != CODEC_OK) return TERM_NONE;
    if (n != 0) return begin_cells(r, n);
    /* No elements: the tail is the value. */
    push_fill(r, to, 1);
    return TERM_NIL;
}

static Term read_flat_map(CodecReader *r, size_t n)
{
    if (n == 0) {
        Term t = map_empty(r->heap);
        if (term_is_none(t)) codec_fail(r, CODEC_NO_MEMORY);
        return t;
    }
    Word *at = take(r, n + 2 + n + 1);
    if (at == NULL) return TERM_NONE;
    for (size_t i = 0; i < n * 2 + 3; i++) at[i] = TERM_NIL.w;
    at[0] = header_make(KIND_MAP, n + 1);
    at[n + 2] = header_make(KIND_TUPLE, n);
    at[1] = boxed_from(at + n + 2).w;
    push(r, (Word)(uintptr_t)at, 0, n, FRAME_FLAT);
    return boxed_from(at);
}

static Term read_map(CodecReader *r, Word *to)
{
    size_t n = read_count(r, 2);
    if (r->result != CODEC_OK) return TERM_NONE;
    if (n <= MAP_FLAT_MAX) return read_flat_map(r, n);
    CodecScratch *s = scratch_new(r->heap->mem, n);
    if (s == NULL) {
        codec_fail(r, CODEC_NO_MEMORY);
        return TERM_NONE;
    }
    s->older = r->scratch;
    r->scratch = s;
    push(r, (Word)(uintptr_t)s, 0, (Word)(uintptr_t)to, FRAME_LARGE);
    return TERM_NIL;
}

/* ---- the loop ---- */

/* The same for the cells of a list. */
static Word *next_cell(CodecReader *r, Word *f)
{
    Word *cell = (Word *)(uintptr_t)f[0];
    size_t rest = (size_t)f[2];
    if (f[1] > 1 || (f[1] == 1 && rest == 0)) {
        if (f[1] > 1) f[0] = (Word)(uintptr_t)(cell + 2);
        f[1]--;
        return cell;
    }
    r->stack.count -= 4;
    if (f[1] == 0) return cell + 1; /* the tail of the last cell */
    Term more = begin_cells(r, rest);
    if (term_is_none(more)) return NULL;
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    cell[1] = more.w;
    return cell;
}

/* The next word that waits for a term; NULL if there was something else to do. */
static Word *next_slot(CodecReader *r, size_t *budget)
{
    Word *f = walk_top(&r->stack) - 3;
    switch (f[3]) {
    case FRAME_FILL: {
        Word *to = (Word *)(uintptr_t)f[0];
        f[0] = (Word)(uintptr_t)(to + 1);
        if (--f[1] == 0) r->stack.count -= 4;
        return to;
    }
    case FRAME_LIST: return next_cell(r, f);
    case FRAME_FLAT: {
        Word *at = (Word *)(uintptr_t)f[0];
        size_t done = (size_t)f[1];
        size_t n = (size_t)f[2];
        if (done == n * 2) {
            if (codec_finish_flat(r, at, n, budget)) r->stack.count -= 4;
            return NULL;
        }
        f[1]++;
        return done % 2 == 0 ? at + n + 3 + done / 2 : at + 2 + done / 2;
    }
    case FRAME_BUILD:
        if (codec_build_step(r, f, budget)) r->stack.count -= 4;
        return NULL;
    case FRAME_BYTES:
        if (codec_bytes_step(r, f, budget)) r->stack.count -= 4;
        return NULL;
    default: {
        CodecScratch *s = (CodecScratch *)(uintptr_t)f[0];
        size_t done = (size_t)f[1];
        // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
        if (done == s->pairs * 2) {
            Word *to = (Word *)(uintptr_t)f[2];
            r->stack.count -= 4;
            if (codec_build_begin(r, s))
                push(r, (Word)(uintptr_t)s, 0, (Word)(uintptr_t)to, FRAME_BUILD);
            return NULL;
        }
        f[1]++;
        return &s->at[done].w;
    }
    }
}

static Term read_term(CodecReader *r, Word *to)
{
    uint8_t tag = bytes_read_u8(&r->in);
    switch (tag) {
    case EXT_SMALL_INTEGER: return small_from(bytes_read_u8(&r->in));
    case EXT_INTEGER: return small_from((int32_t)bytes_read_u32_be(&r->in));
    case EXT_SMALL_BIG: return read_big(r, bytes_read_u8(&r->in));
    case EXT_LARGE_BIG: return read_big(r, bytes_read_u32_be(&r->in));
    case EXT_FLOAT: return read_float_text(r);
    case EXT_NEW_FLOAT: return read_new_float(r);
    case EXT_ATOM:
    case EXT_SMALL_ATOM:
    case EXT_ATOM_UTF8:
    case EXT_SMALL_ATOM_UTF8: return read_atom(r, tag);
    case EXT_REFERENCE:
    case EXT_NEW_REFERENCE:
    case EXT_NEWER_REFERENCE: return read_ref(r, tag);
    case EXT_PORT:
    case EXT_NEW_PORT:
    case EXT_V4_PORT: return read_port(r, tag);
    case EXT_PID:
    case EXT_NEW_PID: return read_pid(r, tag == EXT_NEW_PID);
    case EXT_SMALL_TUPLE: return read_tuple(r, bytes_read_u8(&r->in));
    case EXT_LARGE_TUPLE: return read_tuple(r, bytes_read_u32_be(&r->in));
    case EXT_NIL: return TERM_NIL;
    case EXT_STRING: return read_string(r);
    case EXT_LIST: return read_list(r, to);
    case EXT_BINARY:
    case EXT_BIT_BINARY: return read_binary(r, tag == EXT_BIT_BINARY);
    case EXT_MAP: return read_map(r, to);
    case EXT_NEW_FUN: return read_fun(r);
    case EXT_EXPORT: return read_export(r);
    default: codec_fail(r, CODEC_BAD); return TERM_NONE;
    }
}

/* ---- beginning and end ---- */

// NOLINTNEXTLINE(readability-function-size): all that one conversion depends on
void codec_decode_begin(CodecReader *r, Heap *h, AtomTable *atoms, CodecNode node,
                        const void *bytes, size_t n, CodecFlags flags)
{
    *r = (CodecReader){.in = bytes_reader(bytes, n),
                       .heap = h,
                       .atoms = atoms,
                       .node = node,
                       .result = CODEC_OK,
                       .term = TERM_NONE,
                       .start = bytes,
                       .slot = TERM_NIL.w,
                       .library = (flags & CODEC_LIBRARY) != 0,
                       .has_version = (flags & CODEC_NO_VERSION) == 0,
                       .last_mask = 0xFF};
    walk_init(&r->stack, h->mem);
    push_fill(r, &r->slot, 1);
}

static void read_version(CodecReader *r)
{
    r->started = true;
    if (!r->has_version) return;
    if (bytes_read_u8(&r->in) != EXT_VERSION) codec_fail(r, CODEC_BAD);
    if (bytes_left(&r->in) == 0 || *r->in.at != EXT_COMPRESSED) return;
    bytes_read_u8(&r->in);
    CodecResult result = codec_inflate_begin(r);
    if (result != CODEC_OK) codec_fail(r, result);
}

bool codec_decode_step(CodecReader *r, size_t *budget)
{
    if (r->done) return true;
    if (!r->started) read_version(r);
    if (r->inflate != NULL) {
        CodecResult result = CODEC_OK;
        if (!codec_inflate_step(r, budget, &result)) return false;
        if (result != CODEC_OK) codec_fail(r, result);
    }
    while (!walk_is_empty(&r->stack) && r->result == CODEC_OK) {
        if (*budget == 0) return false;
        --*budget;
        Word *to = next_slot(r, budget);
        if (to == NULL) continue;
        Term t = read_term(r, to);
        if (r->in.failed) codec_fail(r, CODEC_BAD);
        if (term_is_none(t)) codec_fail(r, CODEC_NO_MEMORY);
        if (r->result == CODEC_OK) *to = t.w;
    }
    r->done = true;
    if (r->result != CODEC_OK) return true;
    r->term = TERM_RAW(r->slot);
    if (r->inflated == NULL)
        r->used = (size_t)(r->in.at - r->start);
    else if (bytes_left(&r->in) != 0)
        r->result = CODEC_BAD;
    return true;
}

void codec_decode_moved(CodecReader *r, CodecReader *from)
{
    walk_moved(&r->stack, &from->stack);
    /* Where the outermost term goes is part of the struct. */
    for (size_t i = 0; i < r->stack.count; i++)
        if (r->stack.at[i] == (Word)(uintptr_t)&from->slot)
            r->stack.at[i] = (Word)(uintptr_t)&r->slot;
}

void codec_decode_end(CodecReader *r)
{
    while (r->scratch != NULL) {
        CodecScratch *older = r->scratch->older;
        scratch_free(r->heap->mem, r->scratch);
        r->scratch = older;
    }
    codec_end_study(r);
    codec_inflate_end(r);
    if (r->inflated != NULL) mem_free(r->heap->mem, MEM_WORK, r->inflated, r->inflated_bytes);
    r->inflated = NULL;
    walk_free(&r->stack);
}

// NOLINTNEXTLINE(readability-function-size): all that one conversion depends on
CodecResult codec_decode(Heap *h, AtomTable *atoms, CodecNode node, const void *bytes, size_t n,
                         const FunResolver *funs, bool safe, CodecFlags flags, Term *out,
                         size_t *used)
{
    CodecReader r;
    size_t budget = SIZE_MAX;
    codec_decode_begin(&r, h, atoms, node, bytes, n, flags);
    r.funs = funs;
    r.safe = safe;
    while (!codec_decode_step(&r, &budget)) budget = SIZE_MAX;
    codec_decode_end(&r);
    if (r.result == CODEC_OK && used == NULL && r.used != n) r.result = CODEC_BAD;
    if (r.result != CODEC_OK) return r.result;
    if (used != NULL) *used = r.used;
    *out = r.term;
    return CODEC_OK;
}
