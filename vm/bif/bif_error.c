/* Built-ins that raise: error, exit/1, throw, raise, nif_error. */
#include "vm/bif/bif.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/explain.h"
#include "vm/term/list.h"

/* The trace begins with the function that called, not with the built-in. */
static BifResult bif_raised(Process *p)
{
    p->run->exc_hides_bif = true;
    return TERM_NONE;
}

BifResult bif_error_1(Process *p)
{
    raise_error(p, arg(p, 0));
    return bif_raised(p);
}

/* `none` stands for no arguments; anything but a list is shown like it. */
static void bif_error_with(Process *p)
{
    if (term_is_list(arg(p, 1)))
        raise_error_args(p, arg(p, 0), arg(p, 1));
    else
        raise_error(p, arg(p, 0));
}

BifResult bif_error_2(Process *p)
{
    bif_error_with(p);
    return bif_raised(p);
}

BifResult bif_error_3(Process *p)
{
    Term options = arg(p, 2);
    Term info = TERM_NONE;
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2)
            || !term_same(tuple_at(option, 0), TERM_ATOM(ERROR_INFO)))
            return raise_badarg(p);
        info = tuple_at(option, 1);
        if (!term_is_map(info)) return raise_badarg(p);
    }
    if (!term_is_nil(options)) return raise_badarg(p);
    bif_error_with(p);
    p->run->exc_info = info;
    return bif_raised(p);
}

/* Unlike an error this one stands in the trace itself: a native function is missing. */
BifResult bif_nif_error(Process *p) { return raise_error(p, arg(p, 0)); }

BifResult bif_exit_1(Process *p)
{
    raise_exit(p, arg(p, 0));
    return bif_raised(p);
}

BifResult bif_throw(Process *p)
{
    raise_throw(p, arg(p, 0));
    return bif_raised(p);
}

/* {M,F,A} or {M,F,A,Location}, or {Fun, Args} or {Fun, Args, Location}. */
static bool bif_is_trace_entry(Term t)
{
    if (!term_is_tuple(t)) return false;
    size_t n = tuple_size(t);
    if (n < 2 || n > 4) return false;
    if (term_is_fun(tuple_at(t, 0))) return n <= 3 && list_length(tuple_at(t, 1)) >= 0;
    if (n < 3 || !term_is_atom(tuple_at(t, 0)) || !term_is_atom(tuple_at(t, 1))) return false;
    Term args = tuple_at(t, 2);
    bool arity = term_is_small(args) && small_value(args) >= 0 && small_value(args) <= 255;
    return (arity || list_length(args) >= 0) && (n == 3 || list_length(tuple_at(t, 3)) >= 0);
}

/* The trace with a location, empty if there was none, in every entry; TERM_NONE if it is no
 * trace. */
static Term bif_checked_trace(Process *p, Term list)
{
    ListBuilder b = list_builder(&p->heap);
    for (; term_is_cons(list); list = list_tail(list)) {
        Term entry = list_head(list);
        if (!bif_is_trace_entry(entry)) return TERM_NONE;
        if (tuple_size(entry) == 3 && !term_is_fun(tuple_at(entry, 0)))
            entry = heap_tuple(&p->heap, 4,
                               (const Term[]){tuple_at(entry, 0), tuple_at(entry, 1),
                                              tuple_at(entry, 2), TERM_NIL});
        if (term_is_none(entry)) return TERM_NONE;
        list_add(&b, entry);
    }
    return term_is_nil(list) ? list_finish(&b, TERM_NIL) : TERM_NONE;
}

/* raise/3 with bad arguments returns the atom badarg, as OTP does. */
BifResult bif_raise(Process *p)
{
    Term exc_class = arg(p, 0);
    bool known = term_same(exc_class, TERM_ATOM(ERROR)) || term_same(exc_class, TERM_ATOM(EXIT))
                 || term_same(exc_class, TERM_ATOM(THROW));
    Term trace = known ? bif_checked_trace(p, arg(p, 2)) : TERM_NONE;
    if (term_is_none(trace)) return TERM_ATOM(BADARG);
    raise_again(p, exc_class, arg(p, 1), trace);
    return bif_raised(p);
}

/* explain(Module, Function, Arguments, Reason): [{Argument, Text}]. */
BifResult bif_explain(Process *p)
{
    ExplainNote notes[EXPLAIN_MOST];
    size_t n = explain_call(p->run->atoms, arg(p, 0), arg(p, 1), arg(p, 2), arg(p, 3), notes);
    Term list = TERM_NIL;
    while (n-- > 0 && !term_is_none(list)) {
        Term text = binary_from_text(&p->heap, notes[n].text);
        Term pair = term_is_none(text)
                        ? TERM_NONE
                        : heap_tuple2(&p->heap, small_from(notes[n].argument), text);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
    }
    return term_is_none(list) ? raise_system_limit(p) : list;
}
