#include "vm/term/print.h"

#include "vm/base/utf8.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/float.h"
#include "vm/term/fun.h"
#include "vm/term/hamt.h"
#include "vm/term/map.h"
#include "vm/term/number.h"
#include "vm/term/order.h"
#include "vm/term/pid.h"

#include <stdlib.h>
#include <string.h>

/* Entries of the walk that are not single terms end with a header word, which no term is:
 *   RANGE  [from][n]                    elements of a tuple
 *   LIST   [rest]                       elements of a list, then its tail
 *   PAIRS  [keys][values][stride][n]    pairs of a map
 *   NODES  [from][n]                    nodes of a hash map
 *   BYTES  [binary][at]                 bytes of a binary
 *   TEXT   [text]                       a closing bracket, an arrow
 */
#define FRAME(n) header_make(KIND_FILLER, (n))
enum { FRAME_RANGE = 1, FRAME_LIST, FRAME_PAIRS, FRAME_NODES, FRAME_BYTES, FRAME_TEXT };

struct PrintScratch {
    PrintScratch *older;
    size_t bytes;
    Term at[];
};

static void push_frame(PrintWalk *w, int frame, size_t n, const Word *words)
{
    walk_reserve(&w->stack, n + 1);
    for (size_t i = 0; i < n; i++) walk_push(&w->stack, words[i]);
    walk_push(&w->stack, FRAME(frame));
}

static void push_text(PrintWalk *w, const char *text)
{
    push_frame(w, FRAME_TEXT, 1, (const Word[]){(Word)(uintptr_t)text});
}

/* A comma, except behind the bracket that opens; no term's own text ends in one. */
static void put_comma(PrintWalk *w)
{
    uint8_t last = w->to->at[w->to->count - 1];
    if (last != '[' && last != '{' && last != '<') bytes_put_u8(w->to, ',');
}

/* ---- atoms ---- */

static bool is_lower(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0xFF && c != 0xF7);
}

static bool is_name_part(uint32_t c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '@' || (c >= 0xC0 && c <= 0xDE && c != 0xD7);
}

static bool is_reserved(const uint8_t *text, size_t length)
{
    static const char words[] =
        " after and andalso band begin bnot bor bsl bsr bxor case catch cond "
        "div end fun if let not of or orelse receive rem try when xor ";
    char padded[12];
    if (length > 7) return false;
    padded[0] = ' ';
    memcpy(padded + 1, text, length);
    padded[length + 1] = ' ';
    padded[length + 2] = 0;
    return strstr(words, padded) != NULL;
}

bool print_atom_needs_quotes(const uint8_t *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t c = 0;
        int n = utf8_decode(text + at, length - at, &c);
        if (n <= 0 || !(at == 0 ? is_lower(c) : is_name_part(c))) return true;
        at += (size_t)n;
    }
    return length == 0 || is_reserved(text, length);
}

static bool needs_escape(uint32_t c, char quote)
{
    return c < ' ' || (c >= 0x7F && c < 0xA0) || c == (uint32_t)quote || c == '\\';
}

/* A character inside quotes for which needs_escape holds. */
static void put_escaped(Bytes *to, uint32_t c)
{
    static const char from[] = "\n\r\t\v\b\f\033\177";
    static const char names[] = "nrtvbfed";
    const char *special = c != 0 && c < 128 ? strchr(from, (int)c) : NULL;
    if (special != NULL)
        bytes_printf(to, "\\%c", names[special - from]);
    else if (c >= ' ' && c < 0x7F)
        bytes_printf(to, "\\%c", (int)c);
    else
        bytes_printf(to, "\\%03o", (unsigned)c);
}

static void put_quoted(Bytes *to, const uint8_t *text, size_t length, char quote,
                       PrintFlags flags)
{
    bytes_put_u8(to, (uint8_t)quote);
    for (size_t at = 0; at < length;) {
        uint32_t c = 0;
        int n = utf8_decode(text + at, length - at, &c);
        if (n <= 0) break;
        if (needs_escape(c, quote))
            put_escaped(to, c);
        else if (c > 0xFF && (flags & PRINT_LATIN1) != 0)
            bytes_printf(to, "\\x{%X}", (unsigned)c);
        else
            bytes_put(to, text + at, (size_t)n);
        at += (size_t)n;
    }
    bytes_put_u8(to, (uint8_t)quote);
}

void print_atom(Bytes *to, const AtomTable *atoms, Term atom, PrintFlags flags)
{
    const AtomEntry *e = atom_entry(atoms, atom);
    if (print_atom_needs_quotes(e->text, e->length))
        put_quoted(to, e->text, e->length, '\'', flags);
    else
        bytes_put(to, e->text, e->length);
}

/* ---- strings, for reports ---- */

static bool is_printable(uint32_t c)
{
    return (c >= ' ' && c < 0x7F) || (c >= 0xA0 && c <= 0xFF) || (c >= '\b' && c <= '\r')
           || c == 033;
}

static bool is_string(Term list)
{
    for (; term_is_cons(list); list = list_tail(list)) {
        Term head = list_head(list);
        if (!term_is_small(head) || head.w > small_from(255).w) return false;
        if (!is_printable((uint32_t)small_value(head))) return false;
    }
    return term_is_nil(list);
}

static void put_character(Bytes *to, uint32_t c)
{
    uint8_t utf8[UTF8_MAX];
    if (needs_escape(c, '"'))
        put_escaped(to, c);
    else
        bytes_put(to, utf8, (size_t)utf8_encode(c, utf8));
}

static void put_string(Bytes *to, Term list)
{
    bytes_put_u8(to, '"');
    for (; term_is_cons(list); list = list_tail(list))
        put_character(to, (uint32_t)small_value(list_head(list)));
    bytes_put_u8(to, '"');
}

static bool is_string_binary(BitView v)
{
    if (v.bits == 0 || v.bits % 8 != 0) return false;
    for (size_t i = 0; i < v.bits; i += 8)
        if (!is_printable((uint32_t)bits_get_uint64(v.at, v.offset + i, 8))) return false;
    return true;
}

static void put_string_binary(Bytes *to, BitView v)
{
    bytes_put_text(to, "<<\"");
    for (size_t i = 0; i < v.bits; i += 8)
        put_character(to, (uint32_t)bits_get_uint64(v.at, v.offset + i, 8));
    bytes_put_text(to, "\">>");
}

/* ---- binaries ---- */

static void begin_binary(PrintWalk *w, Term t)
{
    if ((w->flags & PRINT_STRINGS) != 0 && is_string_binary(binary_view(t))) {
        put_string_binary(w->to, binary_view(t));
        return;
    }
    bytes_put_text(w->to, "<<");
    push_text(w, ">>");
    if (binary_bits(t) != 0) push_frame(w, FRAME_BYTES, 2, (const Word[]){t.w, 0});
}

static void step_bytes(PrintWalk *w, size_t *budget)
{
    Word *top = walk_top(&w->stack);
    BitView v = binary_view(TERM_RAW(top[-1]));
    for (size_t at = (size_t)top[0]; at < v.bits; at += 8) {
        if (*budget == 0 && at != (size_t)top[0]) {
            top[0] = at;
            walk_push(&w->stack, FRAME(FRAME_BYTES));
            return;
        }
        if (*budget != 0) --*budget;
        size_t n = v.bits - at < 8 ? v.bits - at : 8;
        put_comma(w);
        bytes_printf(w->to, "%u", (unsigned)bits_get_uint64(v.at, v.offset + at, n));
        if (n < 8) bytes_printf(w->to, ":%u", (unsigned)n);
    }
    w->stack.count -= 2;
}

/* ---- maps ---- */

static void push_pairs(PrintWalk *w, const Word *keys, const Word *values, size_t stride,
                       size_t n)
{
    if (n == 0) return;
    push_frame(w, FRAME_PAIRS, 4,
               (const Word[]){(Word)(uintptr_t)keys, (Word)(uintptr_t)values, stride, n});
}

static void push_nodes(PrintWalk *w, const Word *from, size_t n)
{
    if (n != 0) push_frame(w, FRAME_NODES, 2, (const Word[]){(Word)(uintptr_t)from, n});
}

typedef struct PairSort {
    Term key;
    Term value;
} PairSort;

static int compare_keys(const void *a, const void *b, void *atoms)
{
    return order_compare_exact(atoms, ((const PairSort *)a)->key, ((const PairSort *)b)->key);
}

static void push_sorted(PrintWalk *w, Term map)
{
    size_t n = map_size(map);
    size_t bytes = sizeof(PrintScratch) + n * sizeof(PairSort);
    PrintScratch *s = mem_alloc(w->stack.mem, MEM_WORK, bytes);
    s->older = w->scratch;
    s->bytes = bytes;
    w->scratch = s;
    Term key;
    Term value;
    MapIter it = map_iter(map);
    for (Term *to = s->at; map_next(&it, &key, &value); to += 2) {
        to[0] = key;
        to[1] = value;
    }
    qsort_r(s->at, n, sizeof(PairSort), compare_keys, (void *)(uintptr_t)w->atoms);
    push_pairs(w, &s->at[0].w, &s->at[1].w, 2, n);
}

static void begin_map(PrintWalk *w, Term t)
{
    bytes_put_text(w->to, "#{");
    push_text(w, "}");
    if (map_is_flat(t)) {
        if (map_flat_size(t) != 0)
            push_pairs(w, boxed_words(map_flat_keys(t)) + 1, boxed_words(t) + 2, 1,
                       map_flat_size(t));
    } else if ((w->flags & PRINT_SORT_MAPS) != 0) {
        push_sorted(w, t);
    } else {
        push_nodes(w, boxed_words(t) + 2, 1);
    }
}

static void open_node(PrintWalk *w, Term node)
{
    const Word *at = boxed_words(node);
    size_t pairs = hamt_pairs(at);
    push_nodes(w, at + 3 + pairs * 2, hamt_children(at));
    push_pairs(w, at + 3, at + 4, 2, pairs);
}

static void next_pair(PrintWalk *w)
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
    put_comma(w);
    // NOLINTNEXTLINE(clang-analyzer-core.*): what was pushed is what is popped
    walk_push(&w->stack, *value);
    push_text(w, " => ");
    walk_push(&w->stack, *key);
}

/* ---- everything else ---- */

static void put_fun(PrintWalk *w, Term t)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) {
        const ExportKey *e = fun_export(t);
        bytes_put_text(w->to, "fun ");
        print_atom(w->to, w->atoms, e->module, w->flags);
        bytes_put_u8(w->to, ':');
        print_atom(w->to, w->atoms, e->function, w->flags);
        bytes_printf(w->to, "/%u", e->arity);
        return;
    }
    FunKey key = fun_key_of(t);
    bytes_put_text(w->to, "#Fun<");
    print_atom(w->to, w->atoms, key.module, w->flags);
    bytes_printf(w->to, ".%u.%u>", key.old_index, key.old_uniq);
}

static void put_float(PrintWalk *w, double d)
{
    char text[FLOAT_TEXT_MAX];
    bytes_put(w->to, text, float_print(d, text));
}

static void put_boxed(PrintWalk *w, Term t)
{
    switch (boxed_kind(t)) {
    case KIND_TUPLE:
        bytes_put_u8(w->to, '{');
        push_text(w, "}");
        if (tuple_size(t) != 0)
            push_frame(w, FRAME_RANGE, 2,
                       (const Word[]){(Word)(uintptr_t)(boxed_words(t) + 1), tuple_size(t)});
        return;
    case KIND_MAP:
    case KIND_HASHMAP: begin_map(w, t); return;
    case KIND_FUN:
    case KIND_EXPORT_FUN:
    case KIND_REMOTE_FUN: put_fun(w, t); return;
    case KIND_SUB_BINARY:
    case KIND_BINARY:
    case KIND_SHARED_BINARY: begin_binary(w, t); return;
    case KIND_BIG_POSITIVE:
    case KIND_BIG_NEGATIVE: number_print_integer(w->to, t, 10); return;
    case KIND_FLOAT: put_float(w, float_value(t)); return;
    case KIND_REF:
    case KIND_FOREIGN:
    case KIND_REMOTE_PID:
    case KIND_REMOTE_PORT:
    case KIND_REMOTE_REF: pid_print(w->to, t); return;
    case KIND_HAMT_NODE:
    case KIND_MATCH_CONTEXT:
    case KIND_FILLER:
    case KIND_COUNT: bytes_put_text(w->to, "#Internal<>"); return;
    }
    UNREACHABLE();
}

static void put_term(PrintWalk *w, Term t)
{
    if (term_is_boxed(t))
        put_boxed(w, t);
    else if (term_is_small(t))
        number_print_integer(w->to, t, 10);
    else if (term_is_atom(t))
        print_atom(w->to, w->atoms, t, w->flags);
    else if (term_is_nil(t))
        bytes_put_text(w->to, "[]");
    else if (term_is_local_pid(t) || term_is_local_port(t))
        pid_print(w->to, t);
    else
        bytes_put_text(w->to, "#Internal<>");
}

static void begin_list(PrintWalk *w, Term t)
{
    if ((w->flags & PRINT_STRINGS) != 0 && is_string(t)) {
        put_string(w->to, t);
        return;
    }
    bytes_put_u8(w->to, '[');
    push_text(w, "]");
    push_frame(w, FRAME_LIST, 1, (const Word[]){t.w});
}

static void step_list(PrintWalk *w, Term rest)
{
    if (term_is_nil(rest)) return;
    if (!term_is_cons(rest)) {
        bytes_put_u8(w->to, '|');
        walk_push(&w->stack, rest.w);
        return;
    }
    put_comma(w);
    push_frame(w, FRAME_LIST, 1, (const Word[]){list_tail(rest).w});
    walk_push(&w->stack, list_head(rest).w);
}

/* Takes the next word of the range on top, whose tag has been popped. */
static Term range_next(PrintWalk *w, int frame)
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

static void step_frame(PrintWalk *w, Word frame, size_t *budget)
{
    switch (header_words(frame)) {
    case FRAME_RANGE: {
        Term next = range_next(w, FRAME_RANGE);
        put_comma(w);
        walk_push(&w->stack, next.w);
        break;
    }
    case FRAME_LIST: step_list(w, TERM_RAW(walk_pop(&w->stack))); break;
    case FRAME_PAIRS: next_pair(w); break;
    case FRAME_NODES: open_node(w, range_next(w, FRAME_NODES)); break;
    case FRAME_BYTES: step_bytes(w, budget); break;
    default: bytes_put_text(w->to, (const char *)(uintptr_t)walk_pop(&w->stack)); break;
    }
}

void print_begin(PrintWalk *w, Bytes *to, const AtomTable *atoms, Term t, PrintFlags flags,
                 Mem *mem)
{
    w->to = to;
    w->atoms = atoms;
    w->flags = flags;
    w->scratch = NULL;
    walk_init(&w->stack, mem);
    walk_push(&w->stack, t.w);
}

bool print_step(PrintWalk *w, size_t *budget)
{
    while (!walk_is_empty(&w->stack)) {
        if (*budget == 0) return false;
        --*budget;
        Term t = TERM_RAW(walk_pop(&w->stack));
        if (term_is_header(t))
            step_frame(w, t.w, budget);
        else if (term_is_cons(t))
            begin_list(w, t);
        else
            put_term(w, t);
    }
    return true;
}

void print_end(PrintWalk *w)
{
    while (w->scratch != NULL) {
        PrintScratch *older = w->scratch->older;
        mem_free(w->stack.mem, MEM_WORK, w->scratch, w->scratch->bytes);
        w->scratch = older;
    }
    walk_free(&w->stack);
}

void print_term(Bytes *to, const AtomTable *atoms, Term t, PrintFlags flags)
{
    PrintWalk w;
    size_t budget = SIZE_MAX;
    print_begin(&w, to, atoms, t, flags, to->mem);
    while (!print_step(&w, &budget)) budget = SIZE_MAX;
    print_end(&w);
}

void print_term_limited(Bytes *to, const AtomTable *atoms, Term t, PrintFlags flags,
                        size_t limit)
{
    PrintWalk w;
    size_t start = to->count;
    bool done = false;
    print_begin(&w, to, atoms, t, flags, to->mem);
    while (!done && to->count - start <= limit) {
        size_t budget = 16;
        done = print_step(&w, &budget);
    }
    print_end(&w);
    if (to->count - start <= limit) return;
    size_t end = start + limit;
    while (end > start && (to->at[end] & 0xC0) == 0x80) end--;
    to->count = end;
    bytes_put_text(to, "...");
}
