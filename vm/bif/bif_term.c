/* Built-ins of erlang about any term: kinds, comparisons, booleans, tuples. */
#include "vm/bif/bif_list.h"
#include "vm/bif/task.h"
#include "vm/format/limits.h"
#include "vm/proc/compare.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/tuple.h"

/* ---- kinds ---- */

#define BIF_IS(name, claim)             \
    BifResult bif_is_##name(Process *p) \
    {                                   \
        Term t = arg(p, 0);             \
        return term_bool(claim);        \
    }
BIF_IS(atom, term_is_atom(t))
BIF_IS(binary, term_is_binary(t))
BIF_IS(bitstring, term_is_bitstring(t))
BIF_IS(boolean, term_is_boolean(t))
BIF_IS(float, term_is_float(t))
BIF_IS(function, term_is_fun(t))
BIF_IS(integer, term_is_integer(t))
BIF_IS(list, term_is_list(t))
BIF_IS(map, term_is_map(t))
BIF_IS(number, term_is_number(t))
BIF_IS(pid, term_is_pid(t))
BIF_IS(port, term_is_port(t))
BIF_IS(reference, term_is_ref(t))
BIF_IS(tuple, term_is_tuple(t))

BifResult bif_is_function_2(Process *p)
{
    Term f = arg(p, 0);
    Term arity = arg(p, 1);
    if (!term_is_integer(arity)) return raise_badarg(p);
    if (term_is_small(arity) ? small_value(arity) < 0 : boxed_kind(arity) == KIND_BIG_NEGATIVE)
        return raise_badarg(p);
    return term_bool(term_is_fun(f) && term_is_small(arity)
                     && small_value(arity) == (int64_t)fun_arity(f));
}

BifResult bif_is_record_2(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_atom(arg(p, 1))) return raise_badarg(p);
    return term_bool(term_is_tuple(t) && tuple_size(t) > 0
                     && term_same(tuple_at(t, 0), arg(p, 1)));
}

BifResult bif_is_record_3(Process *p)
{
    Term t = arg(p, 0);
    Term size = arg(p, 2);
    if (!term_is_atom(arg(p, 1)) || !term_is_small(size)) return raise_badarg(p);
    return term_bool(small_value(size) > 0 && term_is_tuple_of(t, (size_t)small_value(size))
                     && term_same(tuple_at(t, 0), arg(p, 1)));
}

/* ---- comparisons ---- */

#define BIF_COMPARE(name, kind, claim)                                                \
    BifResult bif_##name(Process *p)                                                  \
    {                                                                                 \
        int order = compare_arguments(p, kind);                                       \
        return LIKELY(order != ORDER_MORE) ? term_bool(order claim 0) : bif_yield(p); \
    }
BIF_COMPARE(exact_eq, ORDER_KIND_SAME, ==)
BIF_COMPARE(exact_ne, ORDER_KIND_SAME, !=)
BIF_COMPARE(eq, ORDER_KIND_EQUAL, ==)
BIF_COMPARE(ne, ORDER_KIND_EQUAL, !=)
BIF_COMPARE(lt, ORDER_KIND_ORDER, <)
BIF_COMPARE(le, ORDER_KIND_ORDER, <=)
BIF_COMPARE(gt, ORDER_KIND_ORDER, >)
BIF_COMPARE(ge, ORDER_KIND_ORDER, >=)

BifResult bif_max(Process *p)
{
    int order = compare_arguments(p, ORDER_KIND_ORDER);
    if (UNLIKELY(order == ORDER_MORE)) return bif_yield(p);
    return order < 0 ? arg(p, 1) : arg(p, 0);
}

BifResult bif_min(Process *p)
{
    int order = compare_arguments(p, ORDER_KIND_ORDER);
    if (UNLIKELY(order == ORDER_MORE)) return bif_yield(p);
    return order > 0 ? arg(p, 1) : arg(p, 0);
}

/* ---- booleans ---- */

#define BIF_LOGIC(name, claim)                                          \
    BifResult bif_##name(Process *p)                                    \
    {                                                                   \
        if (!term_is_boolean(arg(p, 0)) || !term_is_boolean(arg(p, 1))) \
            return raise_badarg(p);                                     \
        bool a = term_same(arg(p, 0), TERM_TRUE);                       \
        bool b = term_same(arg(p, 1), TERM_TRUE);                       \
        return term_bool(claim);                                        \
    }
BIF_LOGIC(and, a &&b)
BIF_LOGIC(or, a || b)
BIF_LOGIC(xor, a != b)

BifResult bif_not(Process *p)
{
    if (!term_is_boolean(arg(p, 0))) return raise_badarg(p);
    return term_bool(!term_same(arg(p, 0), TERM_TRUE));
}

/* ---- tuples ---- */

/* Argument `i` as a position 1 ... n in a tuple of n elements, from 0; false: it is none. */
static bool bif_position(const Process *p, size_t i, size_t n, size_t *at)
{
    Term t = arg(p, i);
    if (!term_is_small(t) || small_value(t) < 1 || (uint64_t)small_value(t) > n) return false;
    *at = (size_t)small_value(t) - 1;
    return true;
}

BifResult bif_element(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t), &at)) return raise_badarg(p);
    return tuple_at(t, at);
}

/* Larger tuples are made on the blocking pool. */
#define TUPLE_AT_ONCE 4096

typedef enum TupleOp {
    TUPLE_SET,       /* tuple, element */
    TUPLE_FILL,      /* element, list of {Position, Value} */
    TUPLE_INSERT,    /* tuple, element */
    TUPLE_DELETE,    /* tuple */
    TUPLE_TO_LIST,   /* tuple */
    TUPLE_FROM_LIST, /* list */
    TUPLE_OPS
} TupleOp;

/* Puts the elements of a {Position, Value} list into a fresh tuple; false: badarg. */
static bool bif_fill_tuple(Term tuple, size_t n, Term list)
{
    for (; term_is_cons(list); list = list_tail(list)) {
        Term pair = list_head(list);
        if (!term_is_tuple_of(pair, 2) || !term_is_small(tuple_at(pair, 0))) return false;
        int64_t at = small_value(tuple_at(pair, 0));
        if (at < 1 || (uint64_t)at > n) return false;
        boxed_words(tuple)[at] = tuple_at(pair, 1).w;
    }
    return term_is_nil(list);
}

/* `n`: a position from 0, or a size.  TERM_NONE: *why. */
static Term tuple_make(Heap *h, TupleOp op, size_t n, Term a, Term b, int *why)
{
    *why = TASK_NO_ROOM;
    switch (op) {
    case TUPLE_SET: return tuple_with(h, a, n, b);
    case TUPLE_INSERT: return tuple_insert(h, a, n, b);
    case TUPLE_DELETE: return tuple_without(h, a, n);
    case TUPLE_TO_LIST: return tuple_to_list(h, a);
    case TUPLE_FILL: {
        Term tuple = tuple_fill(h, n, a);
        if (term_is_none(tuple) || bif_fill_tuple(tuple, n, b)) return tuple;
        *why = TASK_BADARG;
        return TERM_NONE;
    }
    case TUPLE_FROM_LIST: {
        int64_t length = list_length(a);
        if (length < 0) *why = TASK_BADARG;
        if (length < 0 || length > LIMIT_TUPLE_SIZE) return TERM_NONE;
        return tuple_from_list(h, a, (size_t)length);
    }
    case TUPLE_OPS: break;
    }
    UNREACHABLE();
}

static void tuple_run(Offload *o)
{
    TupleOp op = (TupleOp)(o->number % TUPLE_OPS);
    o->out =
        tuple_make(&o->heap, op, (size_t)(o->number / TUPLE_OPS), o->in[0], o->in[1], &o->why);
}

/* `words` tells how large the work is. */
static BifResult tuple_done(Process *p, TupleOp op, size_t n, Term a, Term b, size_t words)
{
    if (words > TUPLE_AT_ONCE)
        return task_pool(p, tuple_run, (const Term[]){a, b}, 2, (int64_t)(n * TUPLE_OPS + op));
    bif_charge(p, (int64_t)words / 16);
    int why;
    Term t = tuple_make(&p->heap, op, n, a, b, &why);
    if (!term_is_none(t)) return t;
    return why == TASK_BADARG ? raise_badarg(p) : raise_system_limit(p);
}

BifResult bif_setelement(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t), &at)) return raise_badarg(p);
    return tuple_done(p, TUPLE_SET, at, t, arg(p, 2), tuple_size(t));
}

BifResult bif_tuple_size(Process *p)
{
    if (!term_is_tuple(arg(p, 0))) return raise_badarg(p);
    return small_from((int64_t)tuple_size(arg(p, 0)));
}

BifResult bif_size(Process *p)
{
    Term t = arg(p, 0);
    if (term_is_tuple(t)) return small_from((int64_t)tuple_size(t));
    if (term_is_bitstring(t)) return small_from((int64_t)(binary_bits(t) / 8));
    return raise_badarg(p);
}

/* A size for a new tuple; false: an exception was raised. */
static bool bif_tuple_new_size(Process *p, Term size, size_t *n)
{
    if (term_is_kind(size, KIND_BIG_POSITIVE)
        || (term_is_small(size) && small_value(size) > LIMIT_TUPLE_SIZE)) {
        raise_system_limit(p);
        return false;
    }
    if (!term_is_small(size) || small_value(size) < 0) {
        raise_badarg(p);
        return false;
    }
    *n = (size_t)small_value(size);
    return true;
}

/* Words for the elements of a list; of a long one, more than are made at once. */
static size_t tuple_list_words(Term list)
{
    size_t n = 0;
    for (; n <= TUPLE_AT_ONCE && term_is_cons(list); list = list_tail(list)) n++;
    return n;
}

BifResult bif_make_tuple_2(Process *p)
{
    size_t n;
    if (!bif_tuple_new_size(p, arg(p, 0), &n)) return TERM_NONE;
    return tuple_done(p, TUPLE_FILL, n, arg(p, 1), TERM_NIL, n);
}

BifResult bif_make_tuple_3(Process *p)
{
    size_t n;
    if (!bif_tuple_new_size(p, arg(p, 0), &n)) return TERM_NONE;
    return tuple_done(p, TUPLE_FILL, n, arg(p, 1), arg(p, 2), n + tuple_list_words(arg(p, 2)));
}

BifResult bif_append_element(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_tuple(t)) return raise_badarg(p);
    return tuple_done(p, TUPLE_INSERT, tuple_size(t), t, arg(p, 1), tuple_size(t));
}

BifResult bif_insert_element(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t) + 1, &at))
        return raise_badarg(p);
    return tuple_done(p, TUPLE_INSERT, at, t, arg(p, 2), tuple_size(t));
}

BifResult bif_delete_element(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t), &at)) return raise_badarg(p);
    return tuple_done(p, TUPLE_DELETE, at, t, TERM_NIL, tuple_size(t));
}

BifResult bif_tuple_to_list(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_tuple(t)) return raise_badarg(p);
    return tuple_done(p, TUPLE_TO_LIST, 0, t, TERM_NIL, tuple_size(t));
}

BifResult bif_list_to_tuple(Process *p)
{
    return tuple_done(p, TUPLE_FROM_LIST, 0, arg(p, 0), TERM_NIL, tuple_list_words(arg(p, 0)));
}
