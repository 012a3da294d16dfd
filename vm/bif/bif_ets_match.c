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

/* The elements that match; in slices, newest first and then turned round. */
BifResult bif_ets_match_spec_run(Process *p)
{
    enum { REST = 2, RESULT = 3, PHASE = 4, SOME = 32 };
    enum { BEGIN, RUNNING, TURNING };
    EtsProgram *program = match_program(arg(p, 1));
    size_t phase = raw_slot(p, PHASE);
    Term rest = phase == BEGIN ? arg(p, 0) : slot(p, REST);
    Term result = phase == BEGIN ? TERM_NIL : slot(p, RESULT);
    if (program == NULL) return raise_badarg(p);
    if (phase == BEGIN) phase = RUNNING;
    EtsMachine m;
    if (!ets_machine_begin(&m, p, program, MATCH_KEEP_OWN)) return raise_system_limit(p);
    for (;;) {
        uint64_t steps = m.steps;
        for (int i = 0; i < SOME && term_is_cons(rest); i++, rest = list_tail(rest)) {
            Term t = list_head(rest);
            MatchResult found =
                phase == RUNNING ? ets_machine_run(&m, t, NULL, &t) : MATCH_DONE;
            if (found == MATCH_NOT) continue;
            result = found == MATCH_DONE ? heap_cons(&p->heap, t, result) : TERM_NONE;
            if (term_is_none(result)) {
                ets_machine_end(&m);
                return raise_system_limit(p);
            }
        }
        bif_charge(p, (int64_t)(SOME / 4 + (m.steps - steps) / 4));
        if (!term_is_cons(rest)) {
            if (phase == TURNING || !term_is_nil(rest)) break;
            phase = TURNING;
            rest = result;
            result = TERM_NIL;
        }
        if (bif_spent(p)) {
            ets_machine_end(&m);
            slot_set(p, REST, rest);
            slot_set(p, RESULT, result);
            raw_slot_set(p, PHASE, phase);
            return bif_yield(p);
        }
    }
    ets_machine_end(&m);
    return term_is_nil(rest) ? result : raise_badarg(p);
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
