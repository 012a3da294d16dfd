/* Built-ins of ets about match specifications without a table. */
#include "vm/bif/bif_ets.h"

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

/* A run over a list: what is left of it, and the results, newest first, or, when they are turned
 * round, in order. */
typedef struct Run {
    Term rest;
    Term result;
    bool turning;
} Run;

/* Some elements; false: memory is refused. */
static bool run_some(Process *p, EtsMachine *m, Run *r)
{
    enum { SOME = 32 };
    uint64_t steps = m->steps;
    for (int i = 0; i < SOME && term_is_cons(r->rest); i++, r->rest = list_tail(r->rest)) {
        Term t = list_head(r->rest);
        MatchResult found = r->turning ? MATCH_DONE : ets_machine_run(m, t, NULL, &t);
        if (found == MATCH_NOT) continue;
        if (found == MATCH_REFUSED) return false;
        r->result = heap_cons(&p->heap, t, r->result);
        if (term_is_none(r->result)) return false;
    }
    bif_charge(p, (int64_t)(SOME / 4 + (m->steps - steps) / 4));
    return true;
}

/* Until the slice is spent or the list is done; false: memory is refused. */
static bool run_slice(Process *p, EtsMachine *m, Run *r)
{
    do {
        if (!run_some(p, m, r)) return false;
        if (term_is_nil(r->rest) && !r->turning)
            *r = (Run){.rest = r->result, .result = TERM_NIL, .turning = true};
    } while (term_is_cons(r->rest) && !bif_spent(p));
    return true;
}

/* The elements of a list that match; in slices. */
BifResult bif_ets_match_spec_run(Process *p)
{
    enum { REST = 2, RESULT = 3, PHASE = 4 };
    enum { BEGIN, RUNNING, TURNING };
    size_t phase = raw_slot(p, PHASE);
    EtsProgram *program = match_program(arg(p, 1));
    if (program == NULL) return raise_badarg(p);
    Run r = {.rest = arg(p, 0), .result = TERM_NIL};
    if (phase != BEGIN)
        r = (Run){
            .rest = slot(p, REST), .result = slot(p, RESULT), .turning = phase == TURNING};
    EtsMachine m;
    if (!ets_machine_begin(&m, p, program, MATCH_KEEP_OWN)) return raise_system_limit(p);
    bool fits = run_slice(p, &m, &r);
    ets_machine_end(&m);
    if (!fits) return raise_system_limit(p);
    if (!term_is_cons(r.rest)) return term_is_nil(r.rest) ? r.result : raise_badarg(p);
    slot_set(p, REST, r.rest);
    slot_set(p, RESULT, r.result);
    raw_slot_set(p, PHASE, r.turning ? TURNING : RUNNING);
    return bif_yield(p);
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

BifResult bif_ets_test_ms(Process *p)
{
    MatchErrors errors = {0};
    bool refused;
    EtsProgram *program =
        ets_match_compile(ets_directory_match_names(p->run->tables), p->run->atoms, p->run->mem,
                          arg(p, 1), &errors, &refused);
    if (program == NULL) {
        Term told = refused ? TERM_NONE : test_errors(p, &errors);
        ets_match_errors_free(&errors);
        return bif_ets_done(p, told);
    }
    EtsMachine m;
    Term result = TERM_FALSE;
    MatchResult found = MATCH_REFUSED;
    if (ets_machine_begin(&m, p, program, MATCH_KEEP_OWN)) {
        found = ets_machine_run(&m, arg(p, 0), NULL, &result);
        bif_charge(p, (int64_t)m.steps);
        ets_machine_end(&m);
    }
    ets_match_drop(program);
    if (found == MATCH_REFUSED) return raise_system_limit(p);
    return bif_ets_done(p, heap_tuple2(&p->heap, TERM_ATOM(OK), result));
}
