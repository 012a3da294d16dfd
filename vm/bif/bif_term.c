/* Built-ins of erlang about any term: kinds, comparisons, booleans, tuples. */
#include "vm/bif/bif.h"
#include "vm/bif/bif_list.h"
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
    if (!term_is_atom(arg(p, 1)) || !term_is_integer(size)) return raise_badarg(p);
    if (term_is_small(size) && small_value(size) < 0) return raise_badarg(p);
    return term_bool(term_is_small(size) && small_value(size) > 0
                     && term_is_tuple_of(t, (size_t)small_value(size))
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

BifResult bif_setelement(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t), &at)) return raise_badarg(p);
    bif_charge(p, (int64_t)tuple_size(t) / 16);
    Term copy = tuple_with(&p->heap, t, at, arg(p, 2));
    return term_is_none(copy) ? raise_system_limit(p) : copy;
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

static Term bif_tuple_or_limit(Process *p, Term tuple)
{
    return term_is_none(tuple) ? raise_system_limit(p) : tuple;
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

BifResult bif_make_tuple_2(Process *p)
{
    size_t n;
    if (!bif_tuple_new_size(p, arg(p, 0), &n)) return TERM_NONE;
    bif_charge(p, (int64_t)n / 16);
    return bif_tuple_or_limit(p, tuple_fill(&p->heap, n, arg(p, 1)));
}

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

BifResult bif_make_tuple_3(Process *p)
{
    size_t n;
    if (!bif_tuple_new_size(p, arg(p, 0), &n)) return TERM_NONE;
    bif_charge(p, (int64_t)n / 16);
    Term tuple = tuple_fill(&p->heap, n, arg(p, 1));
    if (term_is_none(tuple)) return raise_system_limit(p);
    return bif_fill_tuple(tuple, n, arg(p, 2)) ? tuple : raise_badarg(p);
}

BifResult bif_append_element(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_tuple(t)) return raise_badarg(p);
    return bif_tuple_or_limit(p, tuple_insert(&p->heap, t, tuple_size(t), arg(p, 1)));
}

BifResult bif_insert_element(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t) + 1, &at))
        return raise_badarg(p);
    return bif_tuple_or_limit(p, tuple_insert(&p->heap, t, at, arg(p, 2)));
}

BifResult bif_delete_element(Process *p)
{
    size_t at;
    Term t = arg(p, 1);
    if (!term_is_tuple(t) || !bif_position(p, 0, tuple_size(t), &at)) return raise_badarg(p);
    return bif_tuple_or_limit(p, tuple_without(&p->heap, t, at));
}

BifResult bif_tuple_to_list(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_tuple(t)) return raise_badarg(p);
    bif_charge(p, (int64_t)tuple_size(t) / 8);
    Term list = tuple_to_list(&p->heap, t);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

BifResult bif_list_to_tuple(Process *p)
{
    int64_t n = list_length(arg(p, 0));
    if (n < 0) return raise_badarg(p);
    if (n > LIMIT_TUPLE_SIZE) return raise_system_limit(p);
    bif_charge(p, n / 8);
    return bif_tuple_or_limit(p, tuple_from_list(&p->heap, arg(p, 0), (size_t)n));
}
