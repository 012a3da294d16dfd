#include "vm/ets/ets_match_run.h"

#include "vm/base/mem.h"
#include "vm/proc/compare.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/order.h"

bool ets_machine_begin(EtsMachine *m, Process *p, const EtsProgram *program, MatchUse use)
{
    size_t words = program->variables + program->depth;
    m->p = p;
    m->mem = p->run->mem;
    m->program = program;
    m->use = use;
    m->steps = 0;
    m->away = false;
    m->variables = m->space;
    if (words > MATCH_SPACE) {
        m->variables = mem_try_alloc(p->run->mem, MEM_WORK, words * sizeof(Word));
        if (m->variables == NULL) return false;
    }
    m->stack = m->variables + program->variables;
    m->scratch = (Heap){.top = m->area, .limit = m->area + MATCH_SCRATCH, .mem = p->run->mem};
    return true;
}

static void scratch_clear(EtsMachine *m)
{
    heap_release(&m->scratch);
    m->scratch.top = m->area;
}

void ets_machine_end(EtsMachine *m)
{
    size_t words = m->program->variables + m->program->depth;
    scratch_clear(m);
    if (m->variables != m->space)
        mem_free(m->mem, MEM_WORK, m->variables, words * sizeof(Word));
}

/* Built-ins build on the process's heap: let that be the scratch area. */
static void scratch_enter(EtsMachine *m)
{
    if (m->away) return;
    m->heap = m->p->heap;
    m->p->heap = m->scratch;
    m->away = true;
}

static void scratch_leave(EtsMachine *m)
{
    if (!m->away) return;
    m->scratch = m->p->heap;
    m->p->heap = m->heap;
    m->away = false;
}

/* ---- patterns ---- */

static bool match_tuple(Term t, size_t n, Word **top)
{
    if (!term_is_tuple_of(t, n)) return false;
    const Word *from = boxed_words(t) + 1;
    Word *to = *top;
    for (size_t i = n; i > 0; i--) *to++ = from[i - 1];
    *top = to;
    return true;
}

static bool match_map(const EtsMachine *m, Term t, const MatchStep *keys, size_t n, Word **top)
{
    if (!term_is_map(t)) return false;
    for (size_t i = 0; i < n; i++) {
        Term value = map_get(m->p->run->atoms, t, TERM_RAW(keys[i].constant));
        if (term_is_none(value)) return false;
        *(*top)++ = value.w;
    }
    return true;
}

/* Are two terms the same?  ORDER_MORE: the slice is over. */
static int match_order(EtsMachine *m, Term a, Term b)
{
    int order = order_quick_same(a, b);
    if (LIKELY(order != ORDER_MORE)) return order;
    m->pause = TERM_YIELD;
    return compare_in_slices(m->p, ORDER_KIND_SAME, a, b);
}

/* The pattern's steps from m->step on, to the first one of guards or body. */
static MatchResult match_pattern(EtsMachine *m)
{
    const MatchStep *step = m->step;
    Word *top = m->top;
    while (top > m->stack) {
        Term part = TERM_RAW(*--top);
        int order = 0;
        m->steps++;
        switch ((MatchOp)step->op) {
        case MATCH_ANY: break;
        case MATCH_BIND: m->variables[step->n] = part.w; break;
        case MATCH_SAME: order = match_order(m, TERM_RAW(m->variables[step->n]), part); break;
        case MATCH_WORD: order = part.w != step->constant; break;
        case MATCH_EQUAL: order = match_order(m, TERM_RAW(step->constant), part); break;
        case MATCH_TUPLE: order = !match_tuple(part, step->n, &top); break;
        case MATCH_CONS:
            order = !term_is_cons(part);
            if (order != 0) break;
            *top++ = list_tail(part).w;
            *top++ = list_head(part).w;
            break;
        case MATCH_MAP:
            order = !match_map(m, part, step + 1, step->n, &top);
            step += step->n;
            break;
        default: UNREACHABLE();
        }
        if (order == ORDER_MORE) {
            m->step = step;
            m->top = top + 1;
            return MATCH_MORE;
        }
        if (order != 0) return MATCH_NOT;
        step++;
    }
    m->step = step;
    return MATCH_DONE;
}

/* ---- guards and bodies ---- */

/* Where the terms being matched or the program's constants go when they are kept. */
static Term value_keep(EtsMachine *m, Term t, bool constant)
{
    if (m->away || (m->use == MATCH_KEEP_OWN && !constant)) return t;
    return ets_part_copy_out(&m->p->heap, t);
}

static Term value_object(EtsMachine *m, Term t, const EtsObject *object)
{
    if (m->away || m->use == MATCH_KEEP_OWN || object == NULL) return value_keep(m, t, false);
    return ets_object_copy_out(&m->p->heap, object);
}

static Term value_all(EtsMachine *m, const uint32_t *order)
{
    Term list = TERM_NIL;
    for (size_t i = order[0]; i > 0 && !term_is_none(list); i--) {
        Term t = value_keep(m, TERM_RAW(m->variables[order[i]]), false);
        list = term_is_none(t) ? t : heap_cons(&m->p->heap, t, list);
    }
    return list;
}

/* Calls a built-in with the words below `top` as its arguments. */
static Term value_call(EtsMachine *m, uint32_t row, const Word *top)
{
    enum { MOST = 3 };
    Word frame[MOST + 1];
    Process *p = m->p;
    Word *fp = p->fp;
    size_t arity = tables_bifs[row].arity;
    ASSERT(arity <= MOST);
    for (size_t i = 0; i < arity; i++)
        frame[MOST - 1 - i] = top[(ptrdiff_t)i - (ptrdiff_t)arity];
    p->fp = &frame[MOST];
    Term result = p->run->bifs[row](p);
    p->fp = fp;
    return result;
}

/* and, or: TERM_NONE if one of them is no boolean. */
static Term value_bools(const Word *from, size_t n, bool all)
{
    bool result = all;
    for (size_t i = 0; i < n; i++) {
        Term t = TERM_RAW(from[i]);
        if (!term_is_boolean(t)) return TERM_NONE;
        bool holds = term_same(t, TERM_TRUE);
        result = all ? result && holds : result || holds;
    }
    return term_bool(result);
}

/* What an op that builds or computes makes of the words below `top`; TERM_NONE: it fails. */
static Term value_compute(EtsMachine *m, const MatchStep *step, const Word *top, size_t taken)
{
    Heap *h = &m->p->heap;
    const Word *from = top - taken;
    switch ((MatchOp)step->op) {
    case MATCH_MAKE_CONS: return heap_cons(h, TERM_RAW(from[0]), TERM_RAW(from[1]));
    case MATCH_MAKE_TUPLE: return heap_tuple(h, taken, (const Term *)(const void *)from);
    case MATCH_MAKE_MAP:
        return map_from_pairs(h, m->p->run->atoms, (const Term *)(const void *)from, step->n);
    case MATCH_CALL: return value_call(m, step->n, top);
    case MATCH_AND: return value_bools(from, taken, true);
    case MATCH_OR: return value_bools(from, taken, false);
    default: UNREACHABLE();
    }
}

/* andalso, orelse: true to jump, with the value left; the value is gone otherwise. */
static bool value_decides(const MatchStep *step, Word **top, bool *failed)
{
    Term t = TERM_RAW((*top)[-1]);
    Term deciding = term_bool(step->op == MATCH_ORELSE);
    *failed = !term_is_boolean(t);
    if (*failed || term_same(t, deciding)) return true;
    --*top;
    return false;
}

/* A clause and what its pattern fits. */
typedef struct MatchFit {
    const MatchClause *clause;
    Term t;
    const EtsObject *object;
} MatchFit;

/* What an op that only fetches something puts on the stack; TERM_NONE: memory is refused. */
static Term value_fetch(EtsMachine *m, const MatchFit *fit, const MatchStep *step)
{
    switch ((MatchOp)step->op) {
    case MATCH_CONST: return value_keep(m, TERM_RAW(step->constant), true);
    case MATCH_VARIABLE: return value_keep(m, TERM_RAW(m->variables[step->n]), false);
    case MATCH_OBJECT: return value_object(m, fit->t, fit->object);
    case MATCH_ALL: return value_all(m, &m->program->order.at[fit->clause->order]);
    case MATCH_SELF: return m->p->pid;
    default: UNREACHABLE();
    }
}

/* One value more on the stack; false: what computes it has failed in a guard, or, with
 * *refused, there was no memory, or it has stopped half-way, which m->pause says.  In a body
 * 'EXIT' stands for what has failed. */
static bool match_value(EtsMachine *m, const MatchFit *fit, const MatchStep *step, Word **top,
                        bool in_body, bool *refused)
{
    Term value;
    size_t taken = 0;
    if (step->op <= MATCH_ALL || step->op == MATCH_SELF) {
        value = value_fetch(m, fit, step);
        *refused = term_is_none(value);
    } else {
        taken = (size_t)small_value(TERM_RAW(step->constant));
        value = value_compute(m, step, *top, taken);
        if (UNLIKELY(value.w == TERM_YIELD.w || value.w == TERM_WAIT.w)) {
            m->pause = value;
            return false;
        }
        if (term_is_none(value) && in_body) value = TERM_ATOM(UP_EXIT);
    }
    *top -= taken;
    *(*top)++ = value.w;
    return !term_is_none(value);
}

/* andalso, orelse; false: no boolean, in a guard. */
static bool match_lazy(const EtsMachine *m, const MatchStep **step, Word **top, bool in_body)
{
    bool failed;
    if (!value_decides(*step, top, &failed)) return true;
    if (failed && !in_body) return false;
    if (failed) (*top)[-1] = TERM_ATOM(UP_EXIT).w;
    *step = m->program->steps.at + (*step)->n - 1;
    return true;
}

/* Guards and body of a clause whose pattern fits, from m->step on. */
static MatchResult match_values(EtsMachine *m, const MatchFit *fit, Term *result)
{
    const MatchStep *step = m->step;
    Word *top = m->top;
    bool refused = false;
    m->pause = TERM_NONE;
    if ((step->op != MATCH_BODY && !m->in_body) || m->use == MATCH_LOOK) scratch_enter(m);
    for (;; step++) {
        m->steps++;
        switch ((MatchOp)step->op) {
        case MATCH_ANDALSO:
        case MATCH_ORELSE:
            if (!match_lazy(m, &step, &top, m->in_body)) return MATCH_NOT;
            break;
        case MATCH_HOLDS:
            if (!term_same(TERM_RAW(*--top), TERM_TRUE)) return MATCH_NOT;
            break;
        case MATCH_DROP: top--; break;
        case MATCH_BODY:
            m->in_body = true;
            if (m->use != MATCH_LOOK) scratch_leave(m);
            break;
        case MATCH_GIVE: *result = TERM_RAW(top[-1]); return MATCH_DONE;
        default:
            if (LIKELY(match_value(m, fit, step, &top, m->in_body, &refused))) break;
            m->step = step;
            m->top = top;
            if (!term_is_none(m->pause)) return MATCH_MORE;
            return refused ? MATCH_REFUSED : MATCH_NOT;
        }
    }
}

MatchResult ets_machine_again(EtsMachine *m, Term *result)
{
    const EtsProgram *program = m->program;
    for (; m->clause < program->clauses.count; m->clause++, m->step = NULL) {
        const MatchClause *clause = &program->clauses.at[m->clause];
        if (m->step == NULL) {
            m->step = program->steps.at + clause->first;
            m->top = m->stack;
            *m->top++ = m->subject.w;
            m->in_values = m->in_body = false;
        }
        if (!m->in_values) {
            MatchResult fits = match_pattern(m);
            if (fits == MATCH_MORE) return fits;
            if (fits == MATCH_NOT) continue;
            m->in_values = true;
            m->top = m->stack;
        }
        const MatchFit fit = {clause, m->subject, m->object};
        MatchResult r = match_values(m, &fit, result);
        scratch_leave(m);
        if (r != MATCH_NOT) return r;
    }
    return MATCH_NOT;
}

MatchResult ets_machine_run(EtsMachine *m, Term t, const EtsObject *object, Term *result)
{
    if (m->scratch.top != m->area || m->scratch.fragments != NULL) scratch_clear(m);
    m->subject = t;
    m->object = object;
    m->clause = 0;
    m->step = NULL;
    return ets_machine_again(m, result);
}
