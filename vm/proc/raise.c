#include "vm/proc/raise.h"

#include "vm/term/atom.h"

Term raise_class(Process *p, Term exc_class, Term reason)
{
    RunContext *run = p->run;
    run->exc_class = exc_class;
    run->exc_reason = reason;
    run->exc_trace = TERM_NONE;
    run->exc_args = TERM_NONE;
    run->exc_info = TERM_NONE;
    run->exc_hides_bif = false;
    return TERM_NONE;
}

void raise_nothing(RunContext *run)
{
    run->exc_class = TERM_ATOM(ERROR);
    run->exc_reason = TERM_ATOM(SYSTEM_LIMIT);
    run->exc_trace = TERM_NONE;
    run->exc_args = TERM_NONE;
    run->exc_info = TERM_NONE;
    run->exc_hides_bif = false;
}

Term raise_error(Process *p, Term reason) { return raise_class(p, TERM_ATOM(ERROR), reason); }

Term raise_error_args(Process *p, Term reason, Term args)
{
    raise_error(p, reason);
    p->run->exc_args = args;
    return TERM_NONE;
}

Term raise_badarg(Process *p) { return raise_error(p, TERM_ATOM(BADARG)); }
Term raise_badarith(Process *p) { return raise_error(p, TERM_ATOM(BADARITH)); }
Term raise_system_limit(Process *p) { return raise_error(p, TERM_ATOM(SYSTEM_LIMIT)); }

Term raise_tagged(Process *p, Term tag, Term value)
{
    Term reason = heap_tuple2(&p->heap, tag, value);
    return term_is_none(reason) ? raise_system_limit(p) : raise_error(p, reason);
}

Term raise_exit(Process *p, Term reason) { return raise_class(p, TERM_ATOM(EXIT), reason); }
Term raise_throw(Process *p, Term value) { return raise_class(p, TERM_ATOM(THROW), value); }

Term raise_again(Process *p, Term exc_class, Term reason, Term raw_trace)
{
    raise_class(p, exc_class, reason);
    p->run->exc_trace = raw_trace;
    return TERM_NONE;
}
