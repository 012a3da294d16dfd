#include "vm/term/codec.h"

#include "vm/term/big.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/codec_tags.h"
#include "vm/term/float.h"
#include "vm/term/hamt.h"
#include "vm/term/map.h"
#include "vm/term/order.h"
#include "vm/term/pid.h"

#include <stdlib.h>
#include <string.h>

/* Entries of the walk that are not single terms end with a header word, which no term is:
 *   RANGE     [from][n]                      neighbouring words
 *   SCAN      [list][rest][count | bytes<<63] looking whether a list is a string, and how long
 *   LIST      [rest]                         elements of a list, then its tail
 *   PAIRS     [keys][values][stride][n]      pairs of a map
 *   NODES     [from][n]                      nodes of a hash map
 *   BYTES     [binary][at]                   bytes of a large binary
 *   LIMBS     [big][at]                      bytes of a large number
 *   FUN_END   [start]                        the size of a fun goes there
 */
#define FRAME(n) header_make(KIND_FILLER, (n))
enum {
    FRAME_RANGE = 1,
    FRAME_SCAN,
    FRAME_LIST,
    FRAME_PAIRS,
    FRAME_NODES,
    FRAME_BYTES,
    FRAME_LIMBS,
    FRAME_FUN_END
};

#define STRING_MAX 65535
/* Bytes that count as one term. */
#define BYTES_PER_TERM 64
/* Limbs of a large number that are written at once. */
#define LIMBS_AT_ONCE 256

static void push_frame(CodecWriter *w, int frame, size_t n, const Word *words)
{
    walk_reserve(&w->stack, n + 1);
    for (size_t i = 0; i < n; i++) walk_push(&w->stack, words[i]);
    walk_push(&w->stack, FRAME(frame));
}

static void push_range(CodecWriter *w, int frame, const Word *from, size_t n)
{
    if (n != 0) push_frame(w, frame, 2, (const Word[]){(Word)(uintptr_t)from, n});
}

static void push_pairs(CodecWriter *w, const Word *keys, const Word *values, size_t stride,
                       size_t n)
{
    if (n == 0) return;
    push_frame(w, FRAME_PAIRS, 4,
               (const Word[]){(Word)(uintptr_t)keys, (Word)(uintptr_t)values, stride, n});
}

/* A 32-bit count; false (and the term fails) if it does not fit. */
static bool put_count(CodecWriter *w, uint8_t tag, size_t n)
{
    if (n > UINT32_MAX) {
        w->failed = true;
        return false;
    }
    bytes_put_u8(w->to, tag);
    bytes_put_u32_be(w->to, (uint32_t)n);
    return true;
}

/* ---- atoms, numbers, names ---- */

/* Whether all characters of a text are Latin-1: their UTF-8 starts with at most 0xC3. */
static bool is_latin1(const AtomEntry *e)
{
    for (size_t i = 0; i < e->length; i++)
        if (e->text[i] > 0xC3) return false;
    return true;
}

static void put_atom(CodecWriter *w, Term atom)
{
    const AtomEntry *e = atom_entry(w->atoms, atom);
    if ((w->flags & CODEC_UTF8_ATOMS) != 0 || !is_latin1(e)) {
        bool is_small = e->length <= 255;
        bytes_put_u8(w->to, is_small ? EXT_SMALL_ATOM_UTF8 : EXT_ATOM_UTF8);
        if (is_small)
            bytes_put_u8(w->to, (uint8_t)e->length);
        else
            bytes_put_u16_be(w->to, e->length);
        bytes_put(w->to, e->text, e->length);
        return;
    }
    bytes_put_u8(w->to, EXT_ATOM);
    bytes_put_u16_be(w->to, e->characters);
    for (size_t i = 0; i < e->length; i++) {
        uint8_t c = e->text[i];
        if (c >= 0xC2) c = (uint8_t)((c & 3) << 6 | (e->text[++i] & 0x3F));
        bytes_put_u8(w->to, c);
    }
}

static void put_integer(CodecWriter *w, Term t)
{
    if (term_is_small(t)) {
        int64_t value = small_value(t);
        if (value >= 0 && value <= 255) {
            bytes_put_u8(w->to, EXT_SMALL_INTEGER);
            bytes_put_u8(w->to, (uint8_t)value);
            return;
        }
        if (value >= INT32_MIN && value <= INT32_MAX) {
            bytes_put_u8(w->to, EXT_INTEGER);
            bytes_put_u32_be(w->to, (uint32_t)value);
            return;
        }
    }
    BigView v;
    big_view(&v, t);
    size_t n = (big_bits(t) + 7) / 8;
    if (n <= 255) {
        bytes_put_u8(w->to, EXT_SMALL_BIG);
        bytes_put_u8(w->to, (uint8_t)n);
    } else {
        put_count(w, EXT_LARGE_BIG, n);
    }
    bytes_put_u8(w->to, v.negative);
    if (n <= LIMBS_AT_ONCE * sizeof(Limb))
        big_to_bytes(t, bytes_extend(w->to, n), n);
    else
        push_frame(w, FRAME_LIMBS, 2, (const Word[]){t.w, 0});
}

/* Bytes of the absolute value, from byte `at` on, some at a time. */
static void step_limbs(CodecWriter *w, Term t, size_t at, size_t *budget)
{
    BigView v;
    big_view(&v, t);
    size_t left = (big_bits(t) + 7) / 8 - at;
    size_t n = left < LIMBS_AT_ONCE * sizeof(Limb) ? left : LIMBS_AT_ONCE * sizeof(Limb);
    uint8_t *to = bytes_extend(w->to, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(v.limbs[(at + i) / sizeof(Limb)] >> 8 * (i % sizeof(Limb)));
    *budget -= *budget < n / BYTES_PER_TERM ? *budget : n / BYTES_PER_TERM;
    if (n < left) push_frame(w, FRAME_LIMBS, 2, (const Word[]){t.w, at + n});
}

static void put_float(CodecWriter *w, double d)
{
    if ((w->flags & CODEC_OLD_FLOATS) != 0) {
        char text[FLOAT_TEXT_MAX] = {0};
        float_print_scientific(d, 20, text);
        bytes_put_u8(w->to, EXT_FLOAT);
        bytes_put(w->to, text, EXT_FLOAT_BYTES);
        return;
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    bytes_put_u8(w->to, EXT_NEW_FLOAT);
    bytes_put_u64_be(w->to, bits);
}

static Term node_of(const CodecWriter *w, Term t)
{
    return pid_is_remote(t) ? pid_node(t) : w->node.name;
}

static uint32_t creation_of(const CodecWriter *w, Term t)
{
    return pid_is_remote(t) ? pid_creation(t) : w->node.creation;
}

static void put_pid(CodecWriter *w, Term t)
{
    uint32_t id;
    uint32_t serial;
    pid_numbers(t, &id, &serial);
    bytes_put_u8(w->to, EXT_NEW_PID);
    put_atom(w, node_of(w, t));
    bytes_put_u32_be(w->to, id);
    bytes_put_u32_be(w->to, serial);
    bytes_put_u32_be(w->to, creation_of(w, t));
}

static void put_port(CodecWriter *w, Term t)
{
    uint64_t number = pid_is_remote(t) ? pid_remote_port(t) : port_number(t);
    bool is_small = number < (uint64_t)1 << 28;
    bytes_put_u8(w->to, is_small ? EXT_NEW_PORT : EXT_V4_PORT);
    put_atom(w, node_of(w, t));
    if (is_small)
        bytes_put_u32_be(w->to, (uint32_t)number);
    else
        bytes_put_u64_be(w->to, number);
    bytes_put_u32_be(w->to, creation_of(w, t));
}

static void put_ref(CodecWriter *w, Term t)
{
    uint32_t ids[PID_REF_MAX_IDS];
    size_t n = pid_ref_ids(t, ids);
    bytes_put_u8(w->to, EXT_NEWER_REFERENCE);
    bytes_put_u16_be(w->to, (uint16_t)n);
    put_atom(w, node_of(w, t));
    bytes_put_u32_be(w->to, creation_of(w, t));
    for (size_t i = 0; i < n; i++) bytes_put_u32_be(w->to, ids[i]);
}

/* ---- compound terms ---- */

static void put_fun(CodecWriter *w, Term t)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) {
        const ExportKey *e = fun_export(t);
        bytes_put_u8(w->to, EXT_EXPORT);
        put_atom(w, e->module);
        put_atom(w, e->function);
        put_integer(w, small_from(e->arity));
        return;
    }
    FunKey key = fun_key_of(t);
    size_t n = fun_free_count(t);
    bytes_put_u8(w->to, EXT_NEW_FUN);
    size_t start = w->to->count;
    bytes_put_u32_be(w->to, 0);
    bytes_put_u8(w->to, (uint8_t)key.arity);
    bytes_put(w->to, key.uniq, sizeof key.uniq);
    bytes_put_u32_be(w->to, key.index);
    bytes_put_u32_be(w->to, (uint32_t)n);
    put_atom(w, key.module);
    put_integer(w, small_from(key.old_index));
    put_integer(w, small_from(key.old_uniq));
    bool is_local = boxed_kind(t) == KIND_FUN;
    put_pid(w, is_local ? pid_make(0, 0) : boxed_term(t, FUN_REMOTE_FIXED - 1));
    push_frame(w, FRAME_FUN_END, 1, (const Word[]){start});
    push_range(w, FRAME_RANGE, boxed_words(t) + 1 + header_words(boxed_header(t)) - n, n);
}

/* Knows now how large the fun is. */
static void end_fun(CodecWriter *w, size_t start)
{
    size_t size = w->to->count - start;
    if (size > UINT32_MAX) w->failed = true;
    uint8_t *at = w->to->at + start;
    // NOLINTNEXTLINE(clang-analyzer-core.*): bytes have been written there
    for (size_t i = 0; i < 4; i++) at[i] = (uint8_t)(size >> (24 - 8 * i));
}

static void begin_binary(CodecWriter *w, Term t)
{
    size_t bits = binary_bits(t);
    if (!put_count(w, bits % 8 == 0 ? EXT_BINARY : EXT_BIT_BINARY, (bits + 7) / 8)) return;
    if (bits % 8 != 0) bytes_put_u8(w->to, (uint8_t)(bits % 8));
    if (bits != 0) push_frame(w, FRAME_BYTES, 2, (const Word[]){t.w, 0});
}

static void step_bytes(CodecWriter *w, size_t *budget)
{
    Word *top = walk_top(&w->stack);
    BitView v = binary_view(TERM_RAW(top[-1]));
    size_t at = (size_t)top[0];
    size_t left = (v.bits + 7) / 8 - at;
    size_t n = *budget < left / BYTES_PER_TERM ? (*budget + 1) * BYTES_PER_TERM : left;
    *budget -= n / BYTES_PER_TERM < *budget ? n / BYTES_PER_TERM : *budget;
    size_t bits = at + n == (v.bits + 7) / 8 ? v.bits - at * 8 : n * 8;
    uint8_t *to = bytes_extend(w->to, n);
    to[n - 1] = 0;
    bits_copy(to, 0, v.at, v.offset + at * 8, bits);
    if (n == left) {
        w->stack.count -= 2;
    } else {
        top[0] = at + n;
        walk_push(&w->stack, FRAME(FRAME_BYTES));
    }
}

typedef struct PairSort {
    Term key;
    Term value;
} PairSort;

static int compare_keys(const void *a, const void *b, void *atoms)
{
    return order_compare_exact(atoms, ((const PairSort *)a)->key, ((const PairSort *)b)->key);
}

/* The pairs of a hash map in map-key order. */
static void push_sorted(CodecWriter *w, Term map)
{
    size_t n = map_size(map);
    w->too_long = w->sort_most != 0 && n > w->sort_most;
    CodecScratch *s = w->too_long ? NULL : scratch_new(w->to->mem, n);
    if (s == NULL) {
        w->failed = true;
        return;
    }
    s->older = w->scratch;
    w->scratch = s;
    Term *to = s->at;
    MapIter it = map_iter(map);
    while (map_next(&it, &to[0], &to[1]) && it.position < n) to += 2;
    qsort_r(s->at, n, sizeof(PairSort), compare_keys, (void *)(uintptr_t)w->atoms);
    push_pairs(w, &s->at[0].w, &s->at[1].w, 2, n);
}

static void begin_map(CodecWriter *w, Term t)
{
    size_t n = map_size(t);
    if (!put_count(w, EXT_MAP, n) || n == 0) return;
    if (map_is_flat(t))
        push_pairs(w, boxed_words(map_flat_keys(t)) + 1, boxed_words(t) + 2, 1, n);
    else if ((w->flags & CODEC_DETERMINISTIC) != 0)
        push_sorted(w, t);
    else
        push_range(w, FRAME_NODES, boxed_words(t) + 2, 1);
}

static void open_node(CodecWriter *w, Term node)
{
    const Word *at = boxed_words(node);
    size_t pairs = hamt_pairs(at);
    push_range(w, FRAME_NODES, at + 3 + pairs * 2, hamt_children(at));
    push_pairs(w, at + 3, at + 4, 2, pairs);
}

static void put_tuple(CodecWriter *w, Term t)
{
    size_t n = tuple_size(t);
    if (n <= 255) {
        bytes_put_u8(w->to, EXT_SMALL_TUPLE);
        bytes_put_u8(w->to, (uint8_t)n);
    } else if (!put_count(w, EXT_LARGE_TUPLE, n)) {
        return;
    }
    push_range(w, FRAME_RANGE, boxed_words(t) + 1, n);
}

static void put_boxed(CodecWriter *w, Term t)
{
    switch (boxed_kind(t)) {
    case KIND_TUPLE: put_tuple(w, t); return;
    case KIND_MAP:
    case KIND_HASHMAP: begin_map(w, t); return;
    case KIND_FUN:
    case KIND_EXPORT_FUN:
    case KIND_REMOTE_FUN: put_fun(w, t); return;
    case KIND_SUB_BINARY:
    case KIND_BINARY:
    case KIND_SHARED_BINARY: begin_binary(w, t); return;
    case KIND_BIG_POSITIVE:
    case KIND_BIG_NEGATIVE: put_integer(w, t); return;
    case KIND_FLOAT: put_float(w, float_value(t)); return;
    case KIND_REF:
    case KIND_FOREIGN:
    case KIND_REMOTE_REF: put_ref(w, t); return;
    case KIND_REMOTE_PID: put_pid(w, t); return;
    case KIND_REMOTE_PORT: put_port(w, t); return;
    case KIND_HAMT_NODE:
    case KIND_MATCH_CONTEXT:
    case KIND_FILLER:
    case KIND_COUNT: w->failed = true; return;
    }
    UNREACHABLE();
}

/* Anything but a cons cell. */
static void put_term(CodecWriter *w, Term t)
{
    if (term_is_boxed(t))
        put_boxed(w, t);
    else if (term_is_small(t))
        put_integer(w, t);
    else if (term_is_atom(t))
        put_atom(w, t);
    else if (term_is_nil(t))
        bytes_put_u8(w->to, EXT_NIL);
    else if (term_is_local_pid(t))
        put_pid(w, t);
    else
        put_port(w, t);
}

/* ---- lists ---- */

static void begin_list(CodecWriter *w, Term list, size_t n, bool bytes, bool proper)
{
    if (bytes && proper && n <= STRING_MAX) {
        bytes_put_u8(w->to, EXT_STRING);
        bytes_put_u16_be(w->to, (uint16_t)n);
        uint8_t *to = bytes_extend(w->to, n);
        for (size_t i = 0; i < n; i++, list = list_tail(list))
            to[i] = (uint8_t)small_value(list_head(list));
        return;
    }
    if (put_count(w, EXT_LIST, n)) push_frame(w, FRAME_LIST, 1, (const Word[]){list.w});
}

#define SCAN_BYTES ((Word)1 << 63)

/* Counts a list, whose first `count` cells have been seen. */
static void scan_list(CodecWriter *w, Term list, Term rest, Word count, size_t *budget)
{
    Word bytes = count & SCAN_BYTES;
    size_t n = (size_t)(count & ~SCAN_BYTES);
    for (size_t seen = 0; term_is_cons(rest); rest = list_tail(rest), n++, seen++) {
        if (*budget == 0 && seen != 0) {
            push_frame(w, FRAME_SCAN, 3, (const Word[]){list.w, rest.w, n | bytes});
            return;
        }
        /* Looking at a cell costs far less than writing it. */
        if (seen % 4 == 3) --*budget;
        if (bytes != 0) {
            Term head = list_head(rest);
            if (!term_is_small(head) || head.w > small_from(255).w) bytes = 0;
        }
    }
    begin_list(w, list, n, bytes != 0, term_is_nil(rest));
}

static void step_list(CodecWriter *w, Term rest, size_t *budget)
{
    while (term_is_cons(rest)) {
        Term head = list_head(rest);
        rest = list_tail(rest);
        if (*budget == 0 || !term_is_atomic(head)) {
            push_frame(w, FRAME_LIST, 1, (const Word[]){rest.w});
            walk_push(&w->stack, head.w);
            return;
        }
        --*budget;
        put_term(w, head);
    }
    walk_push(&w->stack, rest.w);
}

/* ---- the loop ---- */

/* Takes the next word of the range on top, whose tag has been popped. */
static Term range_next(CodecWriter *w, int frame)
{
    Word *top = walk_top(&w->stack);
    const Word *from = (const Word *)(uintptr_t)top[-1];
    if (--top[0] == 0) {
        w->stack.count -= 2;
    } else {
        top[-1] = (Word)(uintptr_t)(from + 1);
        walk_push(&w->stack, FRAME(frame));
    }
    return TERM_RAW(*from);
}

static void next_pair(CodecWriter *w)
{
    Word *top = walk_top(&w->stack);
    const Word *key = (const Word *)(uintptr_t)top[-3];
    const Word *value = (const Word *)(uintptr_t)top[-2];
    size_t stride = (size_t)top[-1];
    if (--top[0] == 0) {
        w->stack.count -= 4;
    } else {
        top[-3] = (Word)(uintptr_t)(key + stride);
        top[-2] = (Word)(uintptr_t)(value + stride);
        walk_push(&w->stack, FRAME(FRAME_PAIRS));
    }
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    walk_push(&w->stack, *value);
    walk_push(&w->stack, *key);
}

static void step_frame(CodecWriter *w, Word frame, size_t *budget)
{
    switch (header_words(frame)) {
    case FRAME_RANGE: {
        Term next = range_next(w, FRAME_RANGE);
        walk_push(&w->stack, next.w);
        break;
    }
    case FRAME_SCAN: {
        Word count = walk_pop(&w->stack);
        Term rest = TERM_RAW(walk_pop(&w->stack));
        Term list = TERM_RAW(walk_pop(&w->stack));
        scan_list(w, list, rest, count, budget);
        break;
    }
    case FRAME_LIST: step_list(w, TERM_RAW(walk_pop(&w->stack)), budget); break;
    case FRAME_PAIRS: next_pair(w); break;
    case FRAME_NODES: open_node(w, range_next(w, FRAME_NODES)); break;
    case FRAME_BYTES: step_bytes(w, budget); break;
    case FRAME_LIMBS: {
        size_t at = (size_t)walk_pop(&w->stack);
        step_limbs(w, TERM_RAW(walk_pop(&w->stack)), at, budget);
        break;
    }
    default: end_fun(w, (size_t)walk_pop(&w->stack)); break;
    }
}

// NOLINTNEXTLINE(readability-function-size): all that one conversion depends on
void codec_encode_begin(CodecWriter *w, Bytes *to, const AtomTable *atoms, CodecNode node,
                        Term t, CodecFlags flags, Mem *mem)
{
    w->to = to;
    w->atoms = atoms;
    w->node = node;
    w->flags = flags;
    w->failed = false;
    w->too_long = false;
    w->sort_most = 0;
    w->scratch = NULL;
    walk_init(&w->stack, mem);
    walk_push(&w->stack, t.w);
    if ((flags & CODEC_NO_VERSION) == 0) bytes_put_u8(to, EXT_VERSION);
}

bool codec_encode_step(CodecWriter *w, size_t *budget)
{
    while (!walk_is_empty(&w->stack) && !w->failed) {
        if (*budget == 0) return false;
        --*budget;
        Term t = TERM_RAW(walk_pop(&w->stack));
        if (term_is_header(t))
            step_frame(w, t.w, budget);
        else if (term_is_cons(t))
            scan_list(w, t, t, SCAN_BYTES, budget);
        else
            put_term(w, t);
    }
    return true;
}

void codec_encode_end(CodecWriter *w)
{
    while (w->scratch != NULL) {
        CodecScratch *older = w->scratch->older;
        scratch_free(w->to->mem, w->scratch);
        w->scratch = older;
    }
    walk_free(&w->stack);
}

void codec_encode_moved(CodecWriter *w, const CodecWriter *from, Bytes *to)
{
    walk_moved(&w->stack, &from->stack);
    w->to = to;
}

bool codec_encode(Bytes *to, const AtomTable *atoms, CodecNode node, Term t, CodecFlags flags)
{
    CodecWriter w;
    size_t start = to->count;
    size_t budget = SIZE_MAX;
    codec_encode_begin(&w, to, atoms, node, t, flags, to->mem);
    while (!codec_encode_step(&w, &budget)) budget = SIZE_MAX;
    codec_encode_end(&w);
    if (w.failed) to->count = start;
    return !w.failed;
}

size_t codec_size(const AtomTable *atoms, CodecNode node, Term t, CodecFlags flags)
{
    Bytes bytes = {0};
    size_t n = codec_encode(&bytes, atoms, node, t, flags) ? bytes.count : 0;
    bytes_free(&bytes);
    return n;
}
