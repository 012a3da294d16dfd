/* Built-ins of ets that match objects of a table: select and match in all their forms. */
#include "vm/bif/bif_ets_select.h"

#include "vm/base/mem.h"
#include "vm/bif/bif_foreign.h"
#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/list.h"
#include "vm/term/tuple.h"

/* Objects that are looked at between two looks at the slice. */
#define SELECT_SOME 32

/* Slots behind the arguments, whose number is at most 3. */
enum { SELECT_STATE = 3, SELECT_RESULT = 4, SELECT_PHASE = 5, SELECT_TURNED = 6 };
enum { PHASE_BEGIN, PHASE_SCANNING, PHASE_TURNING };

static void select_release(Counted *object)
{
    Select *s = (Select *)object;
    select_step_end(s);
    ets_machine_end(&s->machine);
    ets_scan_end(&s->scan);
    ets_match_drop(s->program);
    mem_free(s->mem, MEM_WORK, s, sizeof *s);
}

/* Takes the program, whatever happens; NULL: raised. */
static Select *select_new(Process *p, EtsTable *t, EtsProgram *program, SelectAction action,
                          bool limited, bool backward)
{
    Select *s = mem_try_alloc(p->run->mem, MEM_WORK, sizeof *s);
    MatchUse use = action == SELECT_LIST ? MATCH_KEEP_FOREIGN : MATCH_LOOK;
    if (s == NULL || !ets_machine_begin(&s->machine, p, program, use)) {
        mem_free(p->run->mem, MEM_WORK, s, sizeof *s);
        ets_match_drop(program);
        raise_system_limit(p);
        return NULL;
    }
    s->mem = p->run->mem;
    s->program = program;
    s->action = action;
    s->limited = limited;
    s->backward = backward;
    s->full = false;
    s->heavy = program->heap.fragment_words > ETS_OBJECT_LARGE;
    s->limit = s->count = 0;
    s->stage = STAGE_NONE;
    s->held = NULL;
    s->newer = NULL;
    s->large = NULL;
    atomic_store_relaxed(&s->counted.references, 1);
    s->counted.release = select_release;
    s->counted.bytes = sizeof *s;
    /* A list grows at its front: without a limit the walk goes the other way. */
    bool walk_back = limited || action != SELECT_LIST ? backward : !backward;
    ets_scan_begin(&s->scan, t, program, walk_back);
    return s;
}

/* What the state slot holds, or `s` is put there first; false: system_limit is raised. */
static bool select_hold(Process *p, Select *s, Term list, size_t phase)
{
    if (raw_slot(p, SELECT_PHASE) == PHASE_BEGIN) {
        counted_retain(&s->counted);
        Term ref = bif_foreign_new(p, &s->counted);
        if (term_is_none(ref)) {
            raise_system_limit(p);
            return false;
        }
        slot_set(p, SELECT_STATE, ref);
    }
    slot_set(p, SELECT_RESULT, list);
    raw_slot_set(p, SELECT_PHASE, phase);
    return true;
}

/* One handful; *over at the end of the table or the limit. */
static SelectStep select_some(Process *p, EtsTable *t, Select *s, Term *list, bool *over)
{
    EtsObject *some[SELECT_SOME];
    *over = false;
    if ((ets_read_begin(t) & 1) != 0) return STEP_BUSY;
    size_t n = ets_scan_some(&s->scan, t, some, SELECT_SOME);
    uint64_t steps = s->machine.steps;
    SelectStep step = STEP_ON;
    size_t i = 0;
    for (; i < n && step == STEP_ON && !s->full && !bif_spent(p); i++) {
        step = select_step(p, t, s, some[i], list);
        s->full = s->limited && s->count == s->limit;
    }
    if (step == STEP_BUSY || step == STEP_PAUSE) i--; /* that one is for the next time */
    if (i > 0) ets_scan_keep(&s->scan, t, some[i - 1]);
    bif_charge(p, (int64_t)(4 * i + 4 + (s->machine.steps - steps) / 4));
    *over = n == 0 || s->full;
    return step;
}

/* The object that the last slice has left half done. */
static SelectStep select_rest(Process *p, EtsTable *t, Select *s, Term *list, bool *over)
{
    SelectStep step = select_step_again(p, t, s, list);
    s->full = s->limited && s->count == s->limit;
    *over = step == STEP_ON && s->full;
    if (step == STEP_PAUSE) return step;
    if (step == STEP_ON) ets_scan_keep(&s->scan, t, s->held);
    select_step_end(s);
    return step;
}

/* ---- results ---- */

static Term position_term(Process *p, const EtsTable *t, const EtsScan *s)
{
    Heap *h = &p->heap;
    if (s->mode == ETS_SCAN_KEYS) {
        Term sequence = heap_uint64(h, s->at.sequence);
        if (term_is_none(sequence)) return sequence;
        return heap_tuple3(h, TERM_ATOM(KEYS), small_from((int64_t)s->key), sequence);
    }
    if (ets_table_is_ordered(t)) {
        Term key = ets_part_copy_out(h, TERM_RAW(s->last));
        return term_is_none(key) ? key : heap_tuple(h, 1, &key);
    }
    Term order = heap_uint64(h, s->at.order);
    Term sequence = heap_uint64(h, s->at.sequence);
    if (term_is_none(order) || term_is_none(sequence)) return TERM_NONE;
    return heap_tuple2(h, order, sequence);
}

/* A number that position_term has made; false: something else. */
static bool position_number(Term t, uint64_t *n)
{
    return term_is_integer(t) && big_to_uint64(t, n);
}

/* The scan goes on where a continuation says; false: that is no place. */
static bool position_seek(EtsScan *s, const EtsTable *t, Term at)
{
    if (s->mode == ETS_SCAN_KEYS) {
        uint64_t key;
        if (!term_is_tuple_of(at, 3) || !position_number(tuple_at(at, 1), &key)
            || !position_number(tuple_at(at, 2), &s->at.sequence))
            return false;
        s->key = key;
        s->at.order = 1;
        return true;
    }
    if (ets_table_is_ordered(t)) {
        if (!term_is_tuple_of(at, 1)) return false;
        ets_scan_seek(s, tuple_at(at, 0));
        return true;
    }
    return term_is_tuple_of(at, 2) && position_number(tuple_at(at, 0), &s->at.order)
           && position_number(tuple_at(at, 1), &s->at.sequence);
}

/* {Table, Position, Limit, Program, Direction} */
static Term select_continuation(Process *p, const EtsTable *t, const Select *s)
{
    Term name = bif_ets_name(p, t);
    Term position = position_term(p, t, &s->scan);
    Term limit = heap_uint64(&p->heap, s->limit);
    counted_retain(&s->program->counted);
    Term program = bif_foreign_new(p, &s->program->counted);
    if (term_is_none(name) || term_is_none(position) || term_is_none(limit)
        || term_is_none(program))
        return TERM_NONE;
    return heap_tuple5(&p->heap, name, position, limit, program,
                       s->backward ? TERM_ATOM(PREV) : TERM_ATOM(NEXT));
}

/* When the limit is reached: is there nothing more to look at?  Only looked-up keys tell. */
static bool select_is_exhausted(const EtsTable *t, Select *s)
{
    EtsObject *more;
    if (!s->full) return true;
    if (s->scan.mode != ETS_SCAN_KEYS) return false;
    size_t key = s->scan.key;
    EtsPosition at = s->scan.at;
    bool none = ets_scan_some(&s->scan, t, &more, 1) == 0;
    s->scan.key = key;
    s->scan.at = at;
    return none;
}

static BifResult select_chunk(Process *p, const EtsTable *t, Select *s, Term list)
{
    bool exhausted = select_is_exhausted(t, s);
    if (exhausted && term_is_nil(list)) return TERM_ATOM(END_OF_TABLE);
    Term rest = exhausted ? TERM_ATOM(END_OF_TABLE) : select_continuation(p, t, s);
    return bif_ets_done(p, term_is_none(rest) ? rest : heap_tuple2(&p->heap, list, rest));
}

/* Turns the list round in slices: chunks are gathered newest first. */
static BifResult select_turn(Process *p, const EtsTable *t, Select *s, Term rest, Term turned)
{
    enum { CELLS = 256 };
    while (term_is_cons(rest)) {
        for (int i = 0; i < CELLS && term_is_cons(rest); i++, rest = list_tail(rest)) {
            turned = heap_cons(&p->heap, list_head(rest), turned);
            if (term_is_none(turned)) return raise_system_limit(p);
        }
        bif_charge(p, CELLS / 4);
        if (!term_is_cons(rest) || !bif_spent(p)) continue;
        if (!select_hold(p, s, rest, PHASE_TURNING)) return TERM_NONE;
        slot_set(p, SELECT_TURNED, turned);
        return bif_yield(p);
    }
    return select_chunk(p, t, s, turned);
}

static BifResult select_finish(Process *p, const EtsTable *t, Select *s, Term list)
{
    if (s->action != SELECT_LIST) return bif_ets_done(p, heap_uint64(&p->heap, s->count));
    return s->limited ? select_turn(p, t, s, list, TERM_NIL) : list;
}

static BifResult select_scan(Process *p, EtsTable *t, Select *s, Term list)
{
    SelectStep step;
    bool over;
    s->machine.pause = TERM_YIELD;
    do {
        step = s->stage == STAGE_NONE ? select_some(p, t, s, &list, &over)
                                      : select_rest(p, t, s, &list, &over);
    } while (step == STEP_ON && !over && !bif_spent(p));
    if (step == STEP_RAISED) return TERM_NONE;
    if (step == STEP_ON && over) return select_finish(p, t, s, list);
    if (!select_hold(p, s, list, PHASE_SCANNING)) return TERM_NONE;
    if (step == STEP_BUSY) return bif_ets_busy(p, t);
    return step == STEP_PAUSE && s->stage == STAGE_MATCHING ? s->machine.pause : bif_yield(p);
}

/* ---- beginning and going on ---- */

static EtsRight select_right(SelectAction action)
{
    return action == SELECT_DELETE || action == SELECT_REPLACE ? ETS_WRITE : ETS_READ;
}

/* The call that has been interrupted, or NULL. */
static Select *select_running(const Process *p)
{
    return raw_slot(p, SELECT_PHASE) == PHASE_BEGIN
               ? NULL
               : (Select *)bif_foreign_of(slot(p, SELECT_STATE));
}

static BifResult select_go_on(Process *p, EtsTable *t, Select *s)
{
    if (raw_slot(p, SELECT_PHASE) == PHASE_TURNING)
        return select_turn(p, t, s, slot(p, SELECT_RESULT), slot(p, SELECT_TURNED));
    return select_scan(p, t, s, slot(p, SELECT_RESULT));
}

static BifResult select_start(Process *p, EtsTable *t, Select *s)
{
    if (s == NULL) return TERM_NONE;
    BifResult result = select_scan(p, t, s, TERM_NIL);
    counted_drop(&s->counted);
    return result;
}

/* The program of a specification for `t`; NULL: raised. */
static EtsProgram *select_compile(Process *p, const EtsTable *t, Term source,
                                  SelectAction action)
{
    bool refused;
    EtsProgram *program = ets_match_compile(ets_directory_match_names(p->run->tables),
                                            p->run->atoms, p->run->mem, source, NULL, &refused);
    if (program == NULL) {
        (void)(refused ? raise_system_limit(p) : raise_badarg(p));
        return NULL;
    }
    bif_charge(p, (int64_t)(20 + program->steps.count));
    if (action != SELECT_REPLACE || ets_match_keeps_key(program, p->run->atoms, t->keypos))
        return program;
    ets_match_drop(program);
    raise_badarg(p);
    return NULL;
}

/* A limit from 1 on; false: badarg. */
static bool select_limit(Term t, uint64_t *limit)
{
    *limit = term_is_small(t) ? (uint64_t)small_value(t) : 0;
    return term_is_small(t) && small_value(t) > 0;
}

/* `source` makes the specification when the call begins. */
typedef Term SelectSource(Process *p);

static BifResult select_any(Process *p, SelectSource *source, SelectAction action, bool limited,
                            bool backward)
{
    EtsTable *t = bif_ets_open(p, 0, select_right(action));
    if (t == NULL) return TERM_NONE;
    Select *s = select_running(p);
    if (s != NULL) return select_go_on(p, t, s);
    uint64_t limit = 0;
    if (limited && !select_limit(arg(p, 2), &limit)) return raise_badarg(p);
    if (action == SELECT_REPLACE && t->kind == ETS_BAG) return raise_badarg(p);
    Term spec = source(p);
    if (term_is_none(spec)) return raise_system_limit(p);
    if (term_is_nil(spec)) {
        if (action != SELECT_LIST) return small_from(0);
        return limited ? TERM_ATOM(END_OF_TABLE) : TERM_NIL;
    }
    EtsProgram *program = select_compile(p, t, spec, action);
    if (program == NULL) return TERM_NONE;
    s = select_new(p, t, program, action, limited, backward);
    if (s != NULL) s->limit = limit;
    return select_start(p, t, s);
}

static Term source_given(Process *p) { return arg(p, 1); }

/* [{Pattern, [], [What]}] */
static Term source_pattern(Process *p, AtomName what)
{
    Term body = heap_cons(&p->heap, atom_from(what), TERM_NIL);
    if (term_is_none(body)) return body;
    Term clause = heap_tuple3(&p->heap, arg(p, 1), TERM_NIL, body);
    return term_is_none(clause) ? clause : heap_cons(&p->heap, clause, TERM_NIL);
}
static Term source_variables(Process *p) { return source_pattern(p, ATOM_DOLLAR_DOLLAR); }
static Term source_objects(Process *p) { return source_pattern(p, ATOM_DOLLAR_UNDERSCORE); }
static Term source_true(Process *p) { return source_pattern(p, ATOM_TRUE); }

#define ANY(source, action, limited, backward) select_any(p, source, action, limited, backward)

BifResult bif_ets_select_2(Process *p) { return ANY(source_given, SELECT_LIST, false, false); }
BifResult bif_ets_select_3(Process *p) { return ANY(source_given, SELECT_LIST, true, false); }
BifResult bif_ets_select_reverse_2(Process *p)
{
    return ANY(source_given, SELECT_LIST, false, true);
}
BifResult bif_ets_select_reverse_3(Process *p)
{
    return ANY(source_given, SELECT_LIST, true, true);
}
BifResult bif_ets_select_count(Process *p)
{
    return ANY(source_given, SELECT_COUNT, false, false);
}
BifResult bif_ets_select_delete(Process *p)
{
    return ANY(source_given, SELECT_DELETE, false, false);
}
BifResult bif_ets_select_replace(Process *p)
{
    return ANY(source_given, SELECT_REPLACE, false, false);
}
BifResult bif_ets_match_2(Process *p)
{
    return ANY(source_variables, SELECT_LIST, false, false);
}
BifResult bif_ets_match_3(Process *p)
{
    return ANY(source_variables, SELECT_LIST, true, false);
}
BifResult bif_ets_match_object_2(Process *p)
{
    return ANY(source_objects, SELECT_LIST, false, false);
}
BifResult bif_ets_match_object_3(Process *p)
{
    return ANY(source_objects, SELECT_LIST, true, false);
}
BifResult bif_ets_match_delete(Process *p)
{
    BifResult r = ANY(source_true, SELECT_DELETE, false, false);
    return term_is_integer(r) ? TERM_TRUE : r;
}

/* ---- continuations ---- */

static bool continuation_is_one(Term t, uint64_t *limit)
{
    if (!term_is_tuple_of(t, 5) || !select_limit(tuple_at(t, 2), limit)) return false;
    const Counted *object = bif_foreign_of(tuple_at(t, 3));
    return object != NULL && ets_match_is_program(object) && term_is_atom(tuple_at(t, 4));
}

BifResult bif_ets_select_1(Process *p)
{
    uint64_t limit;
    Term from = arg(p, 0);
    if (term_is_the_atom(from, ATOM_END_OF_TABLE)) return from;
    if (!continuation_is_one(from, &limit)) return raise_badarg(p);
    EtsTable *t = bif_ets_table(p, tuple_at(from, 0));
    if (t == NULL || (t->access == ETS_PRIVATE && !term_same(ets_table_owner(t), p->pid)))
        return raise_badarg(p);
    Select *s = select_running(p);
    if (s != NULL) return select_go_on(p, t, s);
    EtsProgram *program = (EtsProgram *)bif_foreign_of(tuple_at(from, 3));
    bool backward = term_is_the_atom(tuple_at(from, 4), ATOM_PREV);
    counted_retain(&program->counted);
    s = select_new(p, t, program, SELECT_LIST, true, backward);
    if (s == NULL) return TERM_NONE;
    s->limit = limit;
    if (position_seek(&s->scan, t, tuple_at(from, 1))) return select_start(p, t, s);
    counted_drop(&s->counted);
    return raise_badarg(p);
}
