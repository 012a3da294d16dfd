/* erlang:iolist_to_iovec/1: an iolist as few binaries; large ones are taken as they are. */
#include "vm/bif/bif_bytes.h"

#include "vm/term/binary.h"
#include "vm/term/list.h"
#include "vm/term/walk.h"

/* Smaller binaries are copied together. */
#define IOVEC_COPY_BYTES 256

typedef struct Iovec {
    Process *p;
    Bytes few; /* what has been copied since the last binary of the list */
    ListBuilder list;
} Iovec;

static void iovec_flush(Iovec *v)
{
    if (v->few.count == 0) return;
    Term t = binary_from_bytes(&v->p->heap, v->few.at, v->few.count);
    v->few.count = 0;
    if (term_is_none(t))
        v->list.failed = true;
    else
        list_add(&v->list, t);
}

static bool iovec_leaf(Iovec *v, Term t, bool is_element)
{
    if (term_is_small(t)) {
        if (!is_element || small_value(t) < 0 || small_value(t) > 255) return false;
        bytes_put_u8(&v->few, (uint8_t)small_value(t));
        return true;
    }
    if (term_is_nil(t)) return true;
    if (!term_is_binary(t)) return false;
    if (binary_bytes(t) <= IOVEC_COPY_BYTES) return bif_binary_put(t, &v->few);
    iovec_flush(v);
    list_add(&v->list, t);
    return true;
}

static bool iovec_walk(Iovec *v, Term t)
{
    Walk tails;
    walk_init(&tails, v->p->run->mem);
    bool good = true;
    for (;;) {
        for (; good && term_is_cons(t); bif_charge(v->p, 1)) {
            Term head = list_head(t);
            t = list_tail(t);
            if (term_is_cons(head)) {
                walk_push(&tails, t.w);
                t = head;
            } else {
                good = iovec_leaf(v, head, true);
            }
        }
        good = good && iovec_leaf(v, t, false);
        if (!good || walk_is_empty(&tails)) break;
        t = TERM_RAW(walk_pop(&tails));
    }
    walk_free(&tails);
    return good;
}

BifResult bif_iolist_to_iovec(Process *p)
{
    if (!term_is_list(arg(p, 0)) && !term_is_binary(arg(p, 0))) return raise_badarg(p);
    Iovec v = {.p = p, .few = bif_bytes(p), .list = list_builder(&p->heap)};
    bool good = iovec_walk(&v, arg(p, 0));
    if (good) iovec_flush(&v);
    bytes_free(&v.few);
    if (!good) return raise_badarg(p);
    Term list = list_finish(&v.list, TERM_NIL);
    return term_is_none(list) ? raise_system_limit(p) : list;
}
