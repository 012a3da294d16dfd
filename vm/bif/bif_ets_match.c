/* Built-ins of ets about match specifications without a table. */
#include "vm/bif/bif_ets.h"

#include "vm/base/mem.h"
#include "vm/bif/bif_foreign.h"
#include "vm/ets/ets_match_run.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"

static EtsProgram *match_program(Term t)
{
    Counted *object = bif_foreign_of(t);
    return object != NULL && ets_match_is_program(object) ? (EtsProgram *)object : NULL;
}

BifResult bif_ets_match_spec_compile(Process *p)
{
    bool refused;
    EtsProgram *program =
        ets_match_compile(ets_directory_match_names(p->run->tables), p->run->atoms, p->run->mem,
                          arg(p, 0), NULL, &refused);
    if (program == NULL) return refused ? raise_system_limit(p) : raise_badarg(p);
    bif_charge(p, (int64_t)(20 + program->steps.count));
    return bif_ets_done(p, bif_foreign_new(p, &program->counted));
}

BifResult bif_ets_is_compiled_ms(Process *p)
{
    return term_bool(match_program(arg(p, 0)) != NULL);
}

/* A program at work on a process's own terms; in a slot, so that it goes with the process. */
typedef struct MatchWork {
    Counted counted; /* first */
    Mem *mem;
    EtsProgram *program;
    EtsMachine machine;
    bool again; /* the machine is half-way */
} MatchWork;

static void work_release(Counted *object)
{
    MatchWork *w = (MatchWork *)object;
    ets_machine_end(&w->machine);
    ets_match_drop(w->program);
    mem_free(w->mem, MEM_WORK, w, sizeof *w);
}

/* Takes the program, whatever happens; NULL: system_limit is raised. */
static MatchWork *work_new(Process *p, EtsProgram *program, size_t slot_index)
{
    Mem *mem = p->run->mem;
    MatchWork *w = mem_try_alloc(mem, MEM_WORK, sizeof *w);
    if (w == NULL || !ets_machine_begin(&w->machine, p, program, MATCH_KEEP_OWN)) {
        mem_free(mem, MEM_WORK, w, sizeof *w);
        ets_match_drop(program);
        raise_system_limit(p);
        return NULL;
    }
    atomic_store_relaxed(&w->counted.references, 1);
    w->counted.release = work_release;
    w->counted.bytes = sizeof *w;
    w->mem = mem;
    w->program = program;
    w->again = false;
    Term ref = bif_foreign_new(p, &w->counted);
    if (term_is_none(ref)) {
        raise_system_limit(p);
        return NULL;
    }
    slot_set(p, slot_index, ref);
    return w;
}

/* The program on one term, or what is left of that. */
static MatchResult work_run(MatchWork *w, Term t, Term *result)
{
    MatchResult found = w->again ? ets_machine_again(&w->machine, result)
                                 : ets_machine_run(&w->machine, t, NULL, result);
    w->again = found == MATCH_MORE;
    return found;
}

/* A run over a list: what is left of it, and the results, newest first, or, when they are turned
 * round, in order. */
typedef struct Run {
    MatchWork *work;
    Term rest;
    Term result;
    bool turning;
} Run;

/* Some elements; REFUSED, MORE or DONE. */
static MatchResult run_some(Process *p, Run *r)
{
    enum { SOME = 32 };
    uint64_t steps = r->work->machine.steps;
    for (int i = 0; i < SOME && term_is_cons(r->rest); i++, r->rest = list_tail(r->rest)) {
        Term t = list_head(r->rest);
        MatchResult found = r->turning ? MATCH_DONE : work_run(r->work, t, &t);
        if (found == MATCH_NOT) continue;
        if (found != MATCH_DONE) return found;
        r->result = heap_cons(&p->heap, t, r->result);
        if (term_is_none(r->result)) return MATCH_REFUSED;
    }
    bif_charge(p, (int64_t)(SOME / 4 + (r->work->machine.steps - steps) / 4));
    return MATCH_DONE;
}

/* Until the slice is spent or the list is done. */
static MatchResult run_slice(Process *p, Run *r)
{
    MatchResult found;
    do {
        found = run_some(p, r);
        if (found == MATCH_DONE && term_is_nil(r->rest) && !r->turning) {
            r->rest = r->result;
            r->result = TERM_NIL;
            r->turning = true;
        }
    } while (found == MATCH_DONE && term_is_cons(r->rest) && !bif_spent(p));
    return found;
}

/* The elements of a list that match; in slices. */
BifResult bif_ets_match_spec_run(Process *p)
{
    enum { REST = 2, RESULT = 3, PHASE = 4, WORK = 5 };
    enum { BEGIN, RUNNING, TURNING };
    size_t phase = raw_slot(p, PHASE);
    EtsProgram *program = match_program(arg(p, 1));
    if (program == NULL) return raise_badarg(p);
    Run r = {.rest = arg(p, 0), .result = TERM_NIL};
    if (phase == BEGIN) {
        counted_retain(&program->counted);
        r.work = work_new(p, program, WORK);
        if (r.work == NULL) return TERM_NONE;
    } else {
        r.work = (MatchWork *)bif_foreign_of(slot(p, WORK));
        r.rest = slot(p, REST);
        r.result = slot(p, RESULT);
        r.turning = phase == TURNING;
    }
    MatchResult found = run_slice(p, &r);
    if (found == MATCH_REFUSED) return raise_system_limit(p);
    if (!term_is_cons(r.rest)) return term_is_nil(r.rest) ? r.result : raise_badarg(p);
    slot_set(p, REST, r.rest);
    slot_set(p, RESULT, r.result);
    raw_slot_set(p, PHASE, r.turning ? TURNING : RUNNING);
    return found == MATCH_MORE ? r.work->machine.pause : bif_yield(p);
}

/* {error, [{error, Text}]} */
static Term test_errors(Process *p, const MatchErrors *errors)
{
    Heap *h = &p->heap;
    Term list = TERM_NIL;
    for (size_t i = errors->count; i > 0; i--) {
        const Bytes *b = &errors->at[i - 1];
        Term text = list_from_utf8(h, b->at, b->count, TERM_NIL);
        Term pair = term_is_none(text) ? text : heap_tuple2(h, TERM_ATOM(ERROR), text);
        list = term_is_none(pair) ? pair : heap_cons(h, pair, list);
        if (term_is_none(list)) return list;
    }
    return heap_tuple2(h, TERM_ATOM(ERROR), list);
}

/* The work of a call that begins; NULL: *result is what it gives. */
static MatchWork *test_begin(Process *p, size_t slot_index, BifResult *result)
{
    MatchErrors errors = {0};
    bool refused;
    EtsProgram *program =
        ets_match_compile(ets_directory_match_names(p->run->tables), p->run->atoms, p->run->mem,
                          arg(p, 1), &errors, &refused);
    *result = TERM_NONE;
    if (program != NULL) return work_new(p, program, slot_index);
    Term told = refused ? TERM_NONE : test_errors(p, &errors);
    ets_match_errors_free(&errors);
    *result = bif_ets_done(p, told);
    return NULL;
}

BifResult bif_ets_test_ms(Process *p)
{
    enum { WORK = 2, BEGUN = 3 };
    BifResult early = TERM_NONE;
    MatchWork *w = raw_slot(p, BEGUN) == 0 ? test_begin(p, WORK, &early)
                                           : (MatchWork *)bif_foreign_of(slot(p, WORK));
    if (w == NULL) return early;
    raw_slot_set(p, BEGUN, 1);
    Term result = TERM_FALSE;
    uint64_t steps = w->machine.steps;
    MatchResult found = work_run(w, arg(p, 0), &result);
    bif_charge(p, (int64_t)(w->machine.steps - steps));
    if (found == MATCH_MORE) return w->machine.pause;
    if (found == MATCH_REFUSED) return raise_system_limit(p);
    return bif_ets_done(p, heap_tuple2(&p->heap, TERM_ATOM(OK), result));
}
