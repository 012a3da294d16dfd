#include "vm/bif/bif_bytes.h"

#include "vm/term/binary.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"
#include "vm/term/walk.h"

bool bif_binary_put(Term t, Bytes *to)
{
    if (!term_is_binary(t)) return false;
    BitView v = binary_view(t);
    uint8_t *at = bytes_extend(to, v.bits / 8);
    bits_copy(at, 0, v.at, v.offset, v.bits);
    return true;
}

/* What to do with one leaf of an iolist. */
typedef struct IolistVisitor {
    Bytes *to; /* NULL: only count */
    size_t size;
} IolistVisitor;

static bool iolist_leaf(IolistVisitor *v, Term t)
{
    if (term_is_nil(t)) return true;
    if (!term_is_binary(t)) return false;
    v->size += binary_bits(t) / 8;
    return v->to == NULL || bif_binary_put(t, v->to);
}

/* A head of a list: a byte too may stand there. */
static bool iolist_element(IolistVisitor *v, Term t)
{
    if (!term_is_small(t)) return iolist_leaf(v, t);
    if (small_value(t) < 0 || small_value(t) > 255) return false;
    v->size++;
    if (v->to != NULL) bytes_put_u8(v->to, (uint8_t)small_value(t));
    return true;
}

/* Walks down heads; tails wait on the stack. */
static bool iolist_visit(IolistVisitor *v, Term t, Mem *mem)
{
    Walk stack;
    walk_init(&stack, mem);
    bool good = true;
    for (;;) {
        while (good && term_is_cons(t)) {
            Term head = list_head(t);
            t = list_tail(t);
            if (term_is_cons(head)) {
                walk_push(&stack, t.w);
                t = head;
            } else {
                good = iolist_element(v, head);
            }
        }
        good = good && iolist_leaf(v, t);
        if (!good || walk_is_empty(&stack)) break;
        t = TERM_RAW(walk_pop(&stack));
    }
    walk_free(&stack);
    return good;
}

bool bif_iolist_put(Process *p, Term t, Bytes *to)
{
    IolistVisitor v = {.to = to};
    bool good = iolist_visit(&v, t, p->run->mem);
    bif_charge(p, (int64_t)(v.size / 16));
    return good;
}

bool bif_iolist_size(Process *p, Term t, size_t *size)
{
    IolistVisitor v = {0};
    bool good = iolist_visit(&v, t, p->run->mem);
    bif_charge(p, (int64_t)(v.size / 64));
    *size = v.size;
    return good;
}

BifResult bif_bytes_to_binary(Process *p, Bytes *b)
{
    Term t = binary_from_bytes(&p->heap, b->at, b->count);
    bif_charge(p, (int64_t)(b->count / 64));
    bytes_free(b);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_bytes_to_list(Process *p, Bytes *b)
{
    Term t = list_from_bytes(&p->heap, b->at, b->count, TERM_NIL);
    bif_charge(p, (int64_t)(b->count / 4));
    bytes_free(b);
    return term_is_none(t) ? raise_system_limit(p) : t;
}
