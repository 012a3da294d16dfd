#include "vm/format/verify.h"

#include "vm/base/panic.h"
#include "vm/format/verify_parts.h"

#include <string.h>

/* Facts that labels may hold in all: what ordinary code needs is far below, so that a hostile
 * file is refused before it costs more than this many words. */
#define VERIFY_CELLS_MAX ((uint64_t)64 << 20)

static bool is_value(FactKind kind)
{
    return kind != FACT_UNDEFINED && kind <= FACT_LAST_VALUE;
}

/* What holds on both ways. */
static Fact fact_meet(Fact a, Fact b)
{
    Fact message = (a | b) & FACT_MESSAGE;
    a &= ~FACT_MESSAGE;
    b &= ~FACT_MESSAGE;
    if (a == b) return a | message;
    if (fact_kind(a) == FACT_CONTEXT && fact_kind(b) == FACT_CONTEXT)
        return fact_make(FACT_CONTEXT, 0) | message;
    bool lists = (fact_kind(a) == FACT_LIST || fact_kind(a) == FACT_CONS)
                 && (fact_kind(b) == FACT_LIST || fact_kind(b) == FACT_CONS);
    if (lists) return fact_make(FACT_LIST, 0) | message;
    if (is_value(fact_kind(a)) && is_value(fact_kind(b)))
        return fact_make(FACT_ANY, 0) | message;
    return FACT_UNDEFINED;
}

/* ---- states ---- */

/* Nothing goes back to a label: once the pass is past it, its facts are of no use. */
static bool is_straight(const Verifier *v) { return v->jumps.count == 0; }

/* Facts for a label that holds what holds now. */
static bool label_make(Verifier *v, VerifyState *label)
{
    uint32_t count = v->f->extent;
    if (!is_straight(v))
        while (count > 0 && v->now.facts[count - 1] == FACT_UNDEFINED) count--;
    v->cells += count + 1u;
    if (v->cells > VERIFY_CELLS_MAX)
        return verify_fail(v, "the code is too complex to be verified");
    label->count = count;
    label->facts = is_straight(v) && v->spare_count > 0
                       ? v->spare[--v->spare_count]
                       : ARENA_ARRAY(v->arena, Fact, count + 1u);
    memcpy(label->facts, v->now.facts, count * sizeof *label->facts);
    return true;
}

/* The pass is at a straight function's label and has taken its facts. */
static void label_free(Verifier *v, VerifyState *label)
{
    v->cells -= label->count + 1u;
    if (v->spare_count == v->spare_room) {
        uint32_t room = v->spare_room ? v->spare_room * 2 : 16;
        v->spare = arena_grow(v->arena, v->spare, v->spare_room, room, sizeof *v->spare);
        v->spare_room = room;
    }
    v->spare[v->spare_count++] = label->facts;
    label->facts = NULL;
    label->count = 0;
}

/* Let a label hold only what also holds now; *changed: it held more. */
static bool label_meet(Verifier *v, VerifyState *label, bool *changed)
{
    const VerifyState *now = &v->now;
    *changed = false;
    if (!label->facts) {
        if (!label_make(v, label)) return false;
        label->room = now->room;
        label->frame = now->frame;
        label->peeking = now->peeking;
        label->reached = *changed = true;
        return true;
    }
    if (label->peeking != now->peeking)
        return verify_fail(v, "a message is accepted on one way only");
    if (now->room < label->room) {
        label->room = now->room;
        *changed = true;
    }
    if (now->frame < label->frame) {
        label->frame = now->frame;
        *changed = true;
    }
    for (uint32_t i = 0; i < label->count; i++) {
        Fact both = fact_meet(label->facts[i], now->facts[i]);
        if (both == label->facts[i]) continue;
        label->facts[i] = both;
        *changed = true;
    }
    return true;
}

bool verify_edge(Verifier *v, uint32_t unit)
{
    bool changed;
    if (unit <= v->unit || unit >= v->f->end)
        return verify_fail(v, "a jump leads backward or out of its function");
    v->marks[unit - v->f->start] |= VERIFY_LABEL;
    return label_meet(v, &v->labels[unit - v->f->start], &changed);
}

bool verify_in_map(const Verifier *v, CodeLive live, uint32_t r)
{
    if (r + 1 >= live.window) return false;
    if (!(live.flags & LIVE_FLAG_BIG_MAP)) return r < 32 && (live.map >> r & 1);
    ModSpan bits = v->m->maps[live.map];
    return r / 8 < bits.size && (bits.at[r / 8] >> r % 8 & 1);
}

void verify_keep(Verifier *v, CodeLive live)
{
    for (uint32_t r = 0; r < v->f->extent; r++) {
        if (!verify_in_map(v, live, r))
            v->now.facts[r] = FACT_UNDEFINED;
        else if (v->now.facts[r] == FACT_UNDEFINED)
            verify_fail(v, "a map names a register that holds nothing");
        else if (v->now.facts[r] & FACT_MESSAGE)
            verify_fail(v, "a message that was not accepted is kept");
    }
}

/* RECV_WAIT_FOR also goes on behind itself, so the state is kept for that. */
bool verify_back_edge(Verifier *v, uint32_t unit, CodeLive live)
{
    bool changed;
    uint32_t at = unit - v->f->start;
    if (unit > v->unit || unit < v->f->start || !(v->marks[at] & VERIFY_START)
        || unit == v->f->start)
        return verify_fail(v, "a backward jump leads nowhere");
    CHECK(v->marks[at] & VERIFY_HEAD);
    verify_keep(v, live);
    if (v->why || !label_meet(v, &v->labels[at], &changed)) return false;
    if (changed && unit < v->back_to) v->back_to = unit;
    return true;
}

bool verify_raises(Verifier *v)
{
    if (!v->rows) return true;
    uint32_t row = v->rows[v->unit - v->f->start];
    if (!row) return true;
    const ModHandler *h = &v->m->handlers[row - 1];
    if (h->base + 3 > v->now.frame)
        return verify_fail(v, "an exception handler's registers lie beyond the frame");
    if (h->target < h->end)
        return verify_fail(v, "an exception handler stands before its range");
    uint32_t room = v->now.room;
    Fact kept[3];
    memcpy(kept, &v->now.facts[h->base], sizeof kept);
    v->now.room = 0;
    for (uint32_t i = 0; i < 3; i++) v->now.facts[h->base + i] = fact_make(FACT_ANY, 0);
    bool good = verify_edge(v, h->target);
    memcpy(&v->now.facts[h->base], kept, sizeof kept);
    v->now.room = room;
    return good;
}

/* ---- one function ---- */

/* A backward jump: its target will keep only what the jump keeps. */
static bool scan_back(Verifier *v, const CodeInstr *instr)
{
    unsigned last = op_info[instr->op].operand_count - 1u;
    uint32_t to = (uint32_t)instr->operands[last - 1];
    if (to <= v->f->start || to > v->unit)
        return verify_fail(v, "a backward jump leads nowhere");
    uint32_t at = to - v->f->start;
    v->marks[at] |= VERIFY_HEAD | VERIFY_LABEL;
    VEC_PUSH(&v->jumps, (VerifyJump){code_live(instr->operands[last]), v->labels[at].jumps});
    v->labels[at].jumps = (uint32_t)v->jumps.count;
    return true;
}

/* Where instructions start, and which of them are targets from behind.  Operands are checked
 * here, so that code that nothing reaches can be loaded too. */
static bool scan_function(Verifier *v)
{
    const ModFunction *f = v->f;
    CodeInstr instr;
    for (v->unit = f->start; v->unit < f->end; v->unit += instr.units) {
        if (!code_decode(v->m->code.at, (size_t)f->end * 4, v->unit, &instr))
            return verify_fail(v, "there is no instruction");
        if ((v->unit == f->start) != (instr.op == OP_ENTER))
            return verify_fail(v, "a function begins with ENTER");
        if (!verify_operands(v, &instr)) return false;
        v->marks[v->unit - f->start] |= VERIFY_START;
        bool back = instr.op == OP_LOOP || instr.op == OP_RECV_NEXT || instr.op == OP_RECV_WAIT
                    || instr.op == OP_RECV_WAIT_FOR;
        if (!back) continue;
        if (!scan_back(v, &instr)) return false;
    }
    return true;
}

/* Which row of the handler table is found first for each unit of the function. */
static bool paint_handlers(Verifier *v, const uint32_t *rows, uint32_t count)
{
    v->rows = NULL;
    if (!count) return true;
    uint32_t units = v->f->end - v->f->start;
    uint64_t painted = 0;
    v->rows = ARENA_ARRAY(v->arena, uint32_t, units);
    for (uint32_t i = count; i-- > 0;) {
        const ModHandler *h = &v->m->handlers[rows[i]];
        painted += h->end - h->start;
        if (painted > (uint64_t)units * 64 + 4096)
            return verify_fail(v, "exception handlers are nested too deeply");
        for (uint32_t u = h->start; u < h->end; u++) v->rows[u - v->f->start] = rows[i] + 1;
    }
    return true;
}

static void enter_function(Verifier *v)
{
    const ModFunction *f = v->f;
    memset(v->now.facts, 0, (f->extent + 1u) * sizeof *v->now.facts);
    for (uint32_t i = 0; i < f->arity; i++) v->now.facts[i] = FACT_ANY;
    uint32_t free_count = v->fun_free[f - v->m->functions];
    if (free_count) v->now.facts[f->arity - 1] = fact_make(FACT_FUN, free_count - 1);
    if (f->context) v->now.facts[f->context - 1] = fact_make(FACT_CONTEXT, VERIFY_OWN_CONTEXT);
    v->now.room = 0;
    v->now.frame = f->extent;
    v->now.reached = true;
    v->now.peeking = false;
}

/* Where a loop begins: what its jumps do not keep, and room, would be lost at the first of them. */
static void enter_loop(Verifier *v, const VerifyState *label)
{
    v->now.room = 0;
    for (uint32_t j = label->jumps; j; j = v->jumps.at[j - 1].next)
        for (uint32_t r = 0; r < v->f->extent; r++)
            if (!verify_in_map(v, v->jumps.at[j - 1].live, r)) v->now.facts[r] = FACT_UNDEFINED;
}

/* At a label: what holds on all ways that lead here. */
static bool arrive(Verifier *v)
{
    VerifyState *label = &v->labels[v->unit - v->f->start];
    bool changed;
    if (v->now.reached && label->jumps) enter_loop(v, label);
    if (v->now.reached && !label_meet(v, label, &changed)) return false;
    v->now.reached = label->reached;
    if (!label->reached) return true;
    memcpy(v->now.facts, label->facts, label->count * sizeof *label->facts);
    memset(v->now.facts + label->count, 0,
           (v->f->extent - label->count) * sizeof *label->facts);
    if (is_straight(v)) label_free(v, label);
    v->now.room = label->room;
    v->now.frame = label->frame;
    v->now.peeking = label->peeking;
    return true;
}

static bool run_instr(Verifier *v, CodeInstr *instr)
{
    const ModFunction *f = v->f;
    /* scan_function has decoded it before. */
    CHECK(code_decode(v->m->code.at, (size_t)f->end * 4, v->unit, instr));
    if (++v->steps > v->step_limit)
        return verify_fail(v, "the code is too complex to be verified");
    if ((v->marks[v->unit - f->start] & VERIFY_LABEL) && !arrive(v)) return false;
    if (!v->now.reached) return true;
    if (!verify_effect(v, instr)) return false;
    if (op_info[instr->op].effects & EFFECT_ENDS) v->now.reached = false;
    return true;
}

static bool run_function(Verifier *v)
{
    const ModFunction *f = v->f;
    CodeInstr instr;
    enter_function(v);
    v->unit = f->start;
    while (v->unit < f->end) {
        v->back_to = UINT32_MAX;
        if (!run_instr(v, &instr)) return false;
        v->unit += instr.units;
        if (v->back_to != UINT32_MAX) {
            v->unit = v->back_to;
            v->now.reached = false;
        }
    }
    v->unit = f->start;
    return !v->now.reached || verify_fail(v, "control runs out of a function");
}

/* All that was jumped to is an instruction. */
static bool check_labels(Verifier *v)
{
    for (uint32_t u = 0; u < v->f->end - v->f->start; u++)
        if ((v->marks[u] & VERIFY_LABEL) && !(v->marks[u] & VERIFY_START))
            return verify_fail(v, "a jump leads into the middle of an instruction");
    return true;
}

static bool check_handler_targets(Verifier *v, const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(v->marks[v->m->handlers[rows[i]].target - v->f->start] & VERIFY_START))
            return verify_fail(v, "an exception handler is not an instruction");
    return true;
}

static bool verify_function(Verifier *v, const ModFunction *f, const uint32_t *rows,
                            uint32_t count)
{
    uint32_t units = f->end - f->start;
    ArenaMark mark = arena_mark(v->arena);
    v->f = f;
    v->unit = f->start;
    v->marks = ARENA_ARRAY(v->arena, uint8_t, units);
    v->labels = ARENA_ARRAY(v->arena, VerifyState, units);
    v->now.facts = ARENA_ARRAY(v->arena, Fact, f->extent + 1u);
    v->jumps.at = NULL;
    v->jumps.count = v->jumps.room = 0;
    VEC_IN_ARENA(&v->jumps, v->arena);
    v->cells = 0;
    v->spare = NULL;
    v->spare_count = v->spare_room = 0;
    v->steps = 0;
    v->step_limit = (uint64_t)units * 32 + 4096;
    bool good = scan_function(v) && paint_handlers(v, rows, count)
                && check_handler_targets(v, rows, count) && run_function(v) && check_labels(v);
    arena_rewind(v->arena, mark);
    return good;
}

/* ---- the module ---- */

/* A fun's body trusts its last argument, so all funs that share it have as many free variables, and
 * nobody else may call it unchecked. */
static bool find_fun_bodies(Verifier *v)
{
    const ModFile *m = v->m;
    v->fun_free = ARENA_ARRAY(v->arena, uint32_t, m->function_count + 1u);
    for (uint32_t i = 0; i < m->lambda_count; i++) {
        const ModLambda *l = &m->lambdas[i];
        if (m->functions[l->function].arity == l->arity) continue;
        uint32_t *known = &v->fun_free[l->function];
        if (*known && *known != l->free_count + 1u)
            return verify_fail(v, "two funs with different free variables share a body");
        *known = l->free_count + 1u;
    }
    for (uint32_t i = 0; i < m->export_count; i++)
        if (v->fun_free[m->exports[i]] > 1)
            return verify_fail(v, "the body of a fun is exported");
    return true;
}

/* Handler rows by function, in the order of the table: rows of function f are at[start[f]] …. */
static void group_handlers(const Verifier *v, uint32_t *start, uint32_t *at)
{
    const ModFile *m = v->m;
    for (uint32_t i = 0; i < m->handler_count; i++)
        start[modfile_function_at(m, m->handlers[i].start) - m->functions + 2]++;
    for (uint32_t f = 2; f < m->function_count + 2; f++) start[f] += start[f - 1];
    for (uint32_t i = 0; i < m->handler_count; i++)
        at[start[modfile_function_at(m, m->handlers[i].start) - m->functions + 1]++] = i;
}

/* Who passes a context knows that it does: such a function has no other callers. */
static bool check_contexts(Verifier *v)
{
    const ModFile *m = v->m;
    for (uint32_t i = 0; i < m->export_count; i++)
        if (m->functions[m->exports[i]].context)
            return verify_fail(v, "a function that wants a match context is exported");
    for (uint32_t i = 0; i < m->lambda_count; i++)
        if (m->functions[m->lambdas[i].function].context)
            return verify_fail(v, "the body of a fun wants a match context");
    return (!m->on_load || !m->functions[m->on_load - 1].context)
           || verify_fail(v, "the -on_load function wants a match context");
}

static bool verify_all(Verifier *v)
{
    const ModFile *m = v->m;
    v->bif_rows = ARENA_ARRAY(v->arena, int16_t, m->import_count + 1u);
    for (uint32_t i = 0; i < m->import_count; i++) v->bif_rows[i] = -2;
    if (!find_fun_bodies(v) || !check_contexts(v)) return false;
    uint32_t *start = ARENA_ARRAY(v->arena, uint32_t, m->function_count + 2u);
    uint32_t *rows = ARENA_ARRAY(v->arena, uint32_t, m->handler_count + 1u);
    group_handlers(v, start, rows);
    for (uint32_t i = 0; i < m->function_count; i++)
        if (!verify_function(v, &m->functions[i], rows + start[i], start[i + 1] - start[i]))
            return false;
    return true;
}

bool verify_module(const ModFile *m, const VerifyLiteral *literals, Arena *arena,
                   VerifyProblem *problem)
{
    Verifier v = {.m = m, .literals = literals, .arena = arena};
    bool good = verify_all(&v);
    *problem = (VerifyProblem){v.unit, v.why};
    return good;
}
