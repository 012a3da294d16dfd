/* Whose a table is: giving away, heirs, fixing, and what becomes of the tables of the dead. */
#include "vm/bif/bif_ets.h"

#include "vm/actor/send.h"
#include "vm/proc/proctab.h"
#include "vm/proc/state.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/pid.h"
#include "vm/term/tuple.h"

/* EtsAlive, under the directory's lock.  The flag first: either a dying process finds the table
 * that it is about to be given, or it is seen to be dying. */
static bool owner_alive(void *context, Term pid)
{
    const RunContext *run = context;
    Process *p = proctab_find(run->processes, pid);
    if (p == NULL) return false;
    atomic_or_seq(&p->state, STATE_TABLES);
    return (atomic_load_seq(&p->state) & STATE_EXITING) == 0;
}

static Term owner_name(Heap *h, const EtsTable *t)
{
    return t->named ? TERM_RAW(atomic_load_acquire(&t->name)) : pid_make_ref(h, t->id);
}

/* {'ETS-TRANSFER', Tab, From, Data} to the new owner. */
static bool owner_tell(RunContext *run, const EtsTable *t, Term to, Term from, Term data)
{
    Heap h;
    heap_init_detached(&h, run->mem);
    Term name = owner_name(&h, t);
    Term message =
        term_is_none(name) ? name : heap_tuple4(&h, TERM_ATOM(ETS_TRANSFER), name, from, data);
    bool told = !term_is_none(message) && send_system(run, to, message);
    heap_release(&h);
    return told;
}

BifResult bif_ets_give_away(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_OWN);
    if (t == NULL) return TERM_NONE;
    Term to = arg(p, 1);
    if (!term_is_local_pid(to) || term_same(to, p->pid)) return raise_badarg(p);
    if (!ets_directory_give(p->run->tables, t, p->pid, to, owner_alive, p->run))
        return raise_badarg(p);
    bif_charge(p, 50);
    return owner_tell(p->run, t, to, p->pid, arg(p, 2)) ? TERM_TRUE : raise_system_limit(p);
}

/* ---- setopts ---- */

/* {heir, none} or {heir, Pid, Data}; false: neither. */
static bool heir_option(Term option, Term *heir, Term *data)
{
    *heir = TERM_NIL;
    *data = TERM_NIL;
    if (!term_is_tuple(option) || tuple_size(option) < 2
        || !term_is_the_atom(tuple_at(option, 0), ATOM_HEIR))
        return false;
    if (tuple_size(option) == 2) return term_is_the_atom(tuple_at(option, 1), ATOM_NONE);
    *heir = tuple_at(option, 1);
    *data = tuple_at(option, tuple_size(option) - 1);
    return tuple_size(option) == 3 && term_is_local_pid(*heir);
}

BifResult bif_ets_setopts(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_OWN);
    if (t == NULL) return TERM_NONE;
    Term options = arg(p, 1);
    if (term_is_nil(options)) return TERM_TRUE;
    if (term_is_cons(options)) {
        if (!term_is_nil(list_tail(options))) return raise_badarg(p);
        options = list_head(options);
    }
    Term heir;
    Term data;
    if (!heir_option(options, &heir, &data)) return raise_badarg(p);
    EtsObject *legacy = NULL;
    if (!term_is_nil(heir)) {
        legacy = bif_ets_legacy(p, data);
        if (legacy == NULL) return raise_system_limit(p);
    }
    EtsUser u = bif_ets_user(p);
    ets_directory_set_heir(&u, t, heir, legacy);
    return TERM_TRUE;
}

/* ---- fixing ---- */

BifResult bif_ets_safe_fixtable(Process *p)
{
    EtsTable *t = bif_ets_open(p, 0, ETS_READ);
    if (t == NULL) return TERM_NONE;
    if (!term_is_boolean(arg(p, 1))) return raise_badarg(p);
    const Chance *chance = &sched_worker(p->run)->sched->chance;
    if (term_same(arg(p, 1), TERM_TRUE)) {
        atomic_or_seq(&p->state, STATE_TABLES);
        ets_directory_fix(p->run->tables, t, p->pid, (int64_t)chance_now_ns(chance),
                          (int64_t)chance_wall_ns(chance) / 1000);
    } else {
        ets_directory_unfix(p->run->tables, t, p->pid);
    }
    return TERM_TRUE;
}

/* ---- the end of an owner ---- */

/* To the heir, if it lives; else the table goes.  Work is counted in objects. */
static void owner_leave(RunContext *run, EtsUser *u, const Process *p, EtsTable *t)
{
    Term heir = TERM_RAW(atomic_load_acquire(&t->heir));
    /* Only the owner sets a heir, and that is dying; the next one may do so at once. */
    Term data = t->legacy == NULL ? TERM_NIL : ets_object_key(t->legacy, 0);
    if (term_is_local_pid(heir) && !term_same(heir, p->pid)
        && ets_directory_give(u->directory, t, p->pid, heir, owner_alive, run)) {
        (void)owner_tell(run, t, heir, p->pid, data);
        return;
    }
    (void)ets_directory_remove(u, t);
}

bool bif_ets_release(RunContext *run, Process *p, size_t *budget)
{
    if ((atomic_load_seq(&p->state) & STATE_TABLES) == 0) return true;
    const Worker *w = sched_worker(run);
    EtsUser u = {run->tables, w->epoch, w->index};
    for (EtsTable *t; (t = ets_directory_first_of(run->tables, p->pid)) != NULL;) {
        if (*budget == 0) return false;
        --*budget;
        owner_leave(run, &u, p, t);
    }
    ets_directory_unfix_all(run->tables, p->pid);
    return ets_directory_sweep(run->tables, budget);
}
