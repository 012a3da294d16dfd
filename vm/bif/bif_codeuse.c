/* check_process_code: does a process still use the old version of a module? */
#include "vm/bif/bif_process.h"

#include "vm/actor/send.h"
#include "vm/code/codetab.h"
#include "vm/proc/codeuse.h"
#include "vm/proc/proctab.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"

Term bif_check_code(RunContext *rc, Process *p, Term module)
{
    lock_take(&rc->code->lock);
    const Module *m = codetab_find_module(rc->code, atom_index(module));
    const ModuleVersion *old = m == NULL ? NULL : m->old;
    const Half *from = old == NULL ? NULL : old->code;
    const Half *to = old == NULL ? NULL : old->code + 2 * (size_t)old->code_units;
    lock_drop(&rc->code->lock);
    return term_bool(old != NULL && codeuse_in_range(p, from, to));
}

static BifResult codeuse_ask(Process *p, size_t at)
{
    Term other = arg(p, 0);
    bif_charge(p, (int64_t)(p->block_words / 16));
    if (term_same(other, p->pid)) return bif_check_code(p->run, p, arg(p, 1));
    return bif_ask(p, at, SIGNAL_CHECK_CODE, other, arg(p, 1));
}

BifResult bif_check_process_code_2(Process *p)
{
    enum { ASKED = 2 };
    if (!term_is_local_pid(arg(p, 0)) || !term_is_atom(arg(p, 1))) return raise_badarg(p);
    return codeuse_ask(p, ASKED);
}

/* Options {async, Id}: the answer comes as {check_process_code, Id, Result}; {allow_gc, Bool}. */
BifResult bif_check_process_code_3(Process *p)
{
    enum { ASKED = 3 };
    Term id = TERM_NONE;
    Term options = arg(p, 2);
    if (!term_is_local_pid(arg(p, 0)) || !term_is_atom(arg(p, 1))) return raise_badarg(p);
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (!term_is_tuple_of(option, 2)) return raise_badarg(p);
        if (term_is_the_atom(tuple_at(option, 0), ATOM_ASYNC)) id = tuple_at(option, 1);
        else if (!term_is_the_atom(tuple_at(option, 0), ATOM_ALLOW_GC)) return raise_badarg(p);
    }
    if (!term_is_nil(options)) return raise_badarg(p);
    Term answer = codeuse_ask(p, ASKED);
    if (term_is_none(id) || term_same(answer, TERM_WAIT) || term_is_none(answer)) return answer;
    Term message = heap_tuple3(&p->heap, TERM_ATOM(CHECK_PROCESS_CODE), id, answer);
    if (term_is_none(message) || !send_system(p->run, p->pid, message)) return raise_system_limit(p);
    return TERM_ATOM(ASYNC);
}
