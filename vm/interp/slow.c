#include "vm/interp/slow.h"

#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/interp/trace.h"
#include "vm/proc/compare.h"
#include "vm/proc/frame.h"
#include "vm/proc/keyed.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/term/map.h"

/* ---- helpers ---- */

static const uint8_t *slow_pc(const Process *p) { return (const uint8_t *)p->pc; }

static Term slow_register(const Process *p, const uint8_t *at)
{
    return TERM_RAW(p->fp[operand_i16(at)]);
}

static size_t slow_list_bytes(size_t end, size_t count, size_t each)
{
    return (end + count * each + 3) & ~(size_t)3;
}

static SlowResult slow_killed(Process *p)
{
    p->run->stop = RUN_KILLED;
    return SLOW_STOP;
}

/* ---- room and slices ---- */

SlowResult slow_enter(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    size_t need = operand_u16(pc + OPOFF_ENTER_0) / sizeof(Word);
    int arity = (int)operand_u16(pc + OPOFF_ENTER_1);
    if (reserve_stress_skips(p, need)) return slow_advance(p, OPLEN_ENTER);
    if (reserve_collect(p, need, arity, false) != RESERVE_DONE) return slow_killed(p);
    return slow_advance(p, OPLEN_ENTER);
}

SlowResult slow_reserve(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    size_t need = operand_u16(pc + OPOFF_RESERVE_0) / sizeof(Word);
    if (reserve_stress_skips(p, need)) return slow_advance(p, OPLEN_RESERVE);
    if (reserve_collect(p, need, RESERVE_BY_PC, false) != RESERVE_DONE) return slow_killed(p);
    return slow_advance(p, OPLEN_RESERVE);
}

/* Collects, and then does what the instruction does: it has been charged already. */
SlowResult slow_return_cons(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    size_t need = operand_u16(pc + OPOFF_RETURN_CONS_3) / sizeof(Word);
    if (reserve_collect(p, need, RESERVE_BY_PC, false) != RESERVE_DONE) return slow_killed(p);
    Term cell = cons_at(p->heap.top, slow_register(p, pc + OPOFF_RETURN_CONS_1),
                        slow_register(p, pc + OPOFF_RETURN_CONS_2));
    Word link = p->fp[0];
    p->heap.top += 2;
    p->fp[-1] = cell.w;
    p->fp += frame_window(link);
    p->pc = (const Half *)(const void *)frame_return(link);
    return SLOW_NEXT;
}

/* What went to fragments gets room in the block: whoever takes room without having promised it goes
 * on doing so, and fragments are slow. */
#define CHARGE_ROOM_MAX 256 /* words: a process that waits afterwards keeps them */

static size_t charge_room(const Process *p)
{
    size_t words = (size_t)p->heap.fragment_words;
    return LIMIT_BLOCK_SLACK + (words < CHARGE_ROOM_MAX ? words : CHARGE_ROOM_MAX);
}

SlowResult slow_charge(Process *p)
{
    RunContext *run = p->run;
    run->reductions += run->reductions_held;
    run->reductions_held = 0;
    if (reserve_is_wanted(p)
        && reserve_collect(p, charge_room(p), RESERVE_BY_PC, false) != RESERVE_DONE)
        return slow_killed(p);
    if (run->reductions > 0) return SLOW_NEXT;
    run->stop = RUN_SPENT;
    return SLOW_STOP;
}

/* ---- built-ins ---- */

SlowResult slow_again(Process *p)
{
    RunContext *run = p->run;
    run->reductions += run->reductions_held;
    run->reductions_held = 0;
    if (run->reductions > 0) return SLOW_NEXT;
    run->stop = RUN_SPENT;
    return SLOW_STOP;
}

/* A pause inside a built-in: it is run again from p->pc. */
static SlowResult slow_pause(Process *p, Term result)
{
    if (!term_same(result, TERM_WAIT)) return slow_again(p);
    p->run->stop = RUN_WAITING;
    return SLOW_STOP;
}

SlowResult slow_bif_result(Process *p, Term result)
{
    if (!term_is_none(result)) return slow_pause(p, result);
    int32_t fail = operand_i32(slow_pc(p) + OPOFF_BIF_4);
    if (fail == 0) return SLOW_RAISE;
    p->pc += 2 * (ptrdiff_t)fail;
    return SLOW_NEXT;
}

SlowResult slow_stub_result(Process *p, Term result)
{
    if (term_is_none(result)) return SLOW_RAISE;
    if (term_same(result, TERM_YIELD) && reserve_is_wanted(p)
        && reserve_collect(p, 0, RESERVE_BY_PC, false) != RESERVE_DONE)
        return slow_killed(p);
    return slow_pause(p, result);
}

/* ---- comparisons ---- */

static OrderKind slow_order_kind(Opcode op)
{
    if (op == OP_IS_SAME || op == OP_IS_NOT_SAME) return ORDER_KIND_SAME;
    return op == OP_IS_EQUAL || op == OP_IS_NOT_EQUAL ? ORDER_KIND_EQUAL : ORDER_KIND_ORDER;
}

static bool slow_claim_holds(Opcode op, int order)
{
    switch ((int)op) {
    case OP_IS_SAME:
    case OP_IS_EQUAL: return order == 0;
    case OP_IS_NOT_SAME:
    case OP_IS_NOT_EQUAL: return order != 0;
    case OP_IS_LESS: return order < 0;
    default: return order >= 0;
    }
}

SlowResult slow_compare(Process *p)
{
    _Static_assert(OPOFF_IS_SAME_2 == OPOFF_IS_AT_LEAST_2 && OPLEN_IS_SAME == OPLEN_IS_AT_LEAST,
                   "one layout");
    const uint8_t *pc = slow_pc(p);
    Opcode op = (Opcode)*p->pc;
    int order =
        compare_in_slices(p, slow_order_kind(op), slow_register(p, pc + OPOFF_IS_SAME_0),
                          slow_register(p, pc + OPOFF_IS_SAME_1));
    if (order == ORDER_MORE) return slow_again(p);
    p->pc += slow_claim_holds(op, order) ? OPLEN_IS_SAME / (ptrdiff_t)sizeof(Half)
                                         : 2 * (ptrdiff_t)operand_i32(pc + OPOFF_IS_SAME_2);
    return SLOW_NEXT;
}

/* ---- maps and tuples ---- */

/* The value under a key that is not found at once; false: half-way. */
static bool slow_map_find(Process *p, const uint8_t *map_at, const uint8_t *key_at, Term *value)
{
    Keys here;
    Keys *k = keyed_begin(p, &here);
    if (k == NULL) return false;
    *value = map_get_by(k, slow_register(p, map_at), slow_register(p, key_at));
    if (k->more) {
        keyed_yield(p, k);
        return false;
    }
    keyed_end(p, k);
    return true;
}

SlowResult slow_map_get(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    Term value;
    if (!slow_map_find(p, pc + OPOFF_MAP_GET_1, pc + OPOFF_MAP_GET_2, &value))
        return slow_again(p);
    if (term_is_none(value)) {
        p->pc += 2 * (ptrdiff_t)operand_i32(pc + OPOFF_MAP_GET_3);
        return SLOW_NEXT;
    }
    p->fp[operand_i16(pc + OPOFF_MAP_GET_0)] = value.w;
    return slow_advance(p, OPLEN_MAP_GET);
}

SlowResult slow_map_has(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    Term value;
    if (!slow_map_find(p, pc + OPOFF_MAP_HAS_0, pc + OPOFF_MAP_HAS_1, &value))
        return slow_again(p);
    if (!term_is_none(value)) return slow_advance(p, OPLEN_MAP_HAS);
    p->pc += 2 * (ptrdiff_t)operand_i32(pc + OPOFF_MAP_HAS_2);
    return SLOW_NEXT;
}

/* With k->more TERM_NONE, and nothing is raised. */
static Term slow_map_put_one(Process *p, Keys *k, Term map, Term key, Term value, bool exact)
{
    bool found = true;
    Term result = exact ? map_update_by(&p->heap, k, map, key, value, &found)
                        : map_put_by(&p->heap, k, map, key, value);
    if (UNLIKELY(k->more)) return TERM_NONE;
    if (!found) return raise_tagged(p, TERM_ATOM(BADKEY), key);
    return term_is_none(result) ? raise_system_limit(p) : result;
}

/* What has been put when a key takes long: the map stands on the heap, which lies still. */
typedef struct MapPutPause {
    Pause pause; /* first */
    Term map;
    size_t next; /* operand */
    KeysStudy study;
} MapPutPause;

static void slow_map_put_release(Pause *pause, Process *p)
{
    MapPutPause *held = (MapPutPause *)pause;
    keys_study_end(&held->study);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

/* The rest of the pairs in slices. */
static SlowResult slow_map_put_rest(Process *p, MapPutPause *held, bool exact)
{
    const uint8_t *pc = slow_pc(p);
    const uint8_t *list = pc + OPEND_MAP_PUT;
    size_t n = operand_u16(pc + OPOFF_MAP_PUT_3);
    Keys *k = &held->study.keys;
    size_t budget = pause_budget(p);
    size_t left = budget;
    while (held->next + 1 < n) {
        bool known = left > 0 && keys_study_step(&held->study, &left);
        if (!known) {
            pause_charge(p, budget, left);
            return slow_again(p);
        }
        Term map = slow_map_put_one(p, k, held->map, slow_register(p, list + 2 * held->next),
                                    slow_register(p, list + 2 * held->next + 2), exact);
        size_t used = KEYS_QUICK - k->budget + 1;
        left -= used < left ? used : left;
        if (k->more) continue;
        if (term_is_none(map)) {
            pause_end(p);
            return SLOW_RAISE;
        }
        held->map = map;
        held->next += 2;
        keys_study_forget(&held->study);
    }
    pause_charge(p, budget, left);
    Term map = held->map;
    pause_end(p);
    p->fp[operand_i16(pc + OPOFF_MAP_PUT_0)] = map.w;
    return slow_advance(p, slow_list_bytes(OPEND_MAP_PUT, n, 2));
}

static SlowResult slow_map_put_pause(Process *p, Term map, size_t next, bool exact)
{
    MapPutPause *held = (MapPutPause *)pause_new(p, sizeof *held, slow_map_put_release);
    held->map = map;
    held->next = next;
    keys_study_begin(&held->study, p->run->atoms, p->heap.mem);
    return slow_map_put_rest(p, held, exact);
}

SlowResult slow_map_put(Process *p, bool exact)
{
    _Static_assert(OPOFF_MAP_PUT_3 == OPOFF_MAP_UPDATE_3 && OPEND_MAP_PUT == OPEND_MAP_UPDATE,
                   "");
    const uint8_t *pc = slow_pc(p);
    Term map = slow_register(p, pc + OPOFF_MAP_PUT_1);
    size_t n = operand_u16(pc + OPOFF_MAP_PUT_3);
    p->heap.limit = p->fp - operand_u16(pc + OPOFF_MAP_PUT_2) - LIMIT_BLOCK_SLACK;
    MapPutPause *held = (MapPutPause *)pause_find(p, slow_map_put_release);
    if (UNLIKELY(held != NULL)) return slow_map_put_rest(p, held, exact);
    if (!term_is_map(map)) {
        raise_tagged(p, TERM_ATOM(BADMAP), map);
        return SLOW_RAISE;
    }
    const uint8_t *list = pc + OPEND_MAP_PUT;
    Keys k;
    keys_init(&k, p->run->atoms, KEYS_QUICK);
    for (size_t i = 0; i + 1 < n; i += 2) {
        Term next = slow_map_put_one(p, &k, map, slow_register(p, list + 2 * i),
                                     slow_register(p, list + 2 * i + 2), exact);
        if (UNLIKELY(k.more)) return slow_map_put_pause(p, map, i, exact);
        if (term_is_none(next)) return SLOW_RAISE;
        map = next;
    }
    p->run->reductions -= (int64_t)(n + (KEYS_QUICK - k.budget) / PAUSE_STEPS);
    p->fp[operand_i16(pc + OPOFF_MAP_PUT_0)] = map.w;
    return slow_advance(p, slow_list_bytes(OPEND_MAP_PUT, n, 2));
}

SlowResult slow_set_elements(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    Term tuple = slow_register(p, pc + OPOFF_SET_ELEMENTS_1);
    size_t n = operand_u16(pc + OPOFF_SET_ELEMENTS_2);
    size_t words = tuple_size(tuple) + 1;
    const Word *from = boxed_words(tuple);
    Word *to = p->heap.top;
    p->heap.top += words;
    for (size_t i = 0; i < words; i++) to[i] = from[i];
    const uint8_t *pairs = pc + OPEND_SET_ELEMENTS;
    for (size_t i = 0; i < n; i++)
        to[1 + operand_u16(pairs + 4 * i)] = slow_register(p, pairs + 4 * i + 2).w;
    p->fp[operand_i16(pc + OPOFF_SET_ELEMENTS_0)] = boxed_from(to).w;
    return slow_advance(p, slow_list_bytes(OPEND_SET_ELEMENTS, n, 4));
}

/* ---- exceptions ---- */

SlowResult slow_raise_value(Process *p, AtomName tag, Term value)
{
    reserve_set_limit(p);
    raise_tagged(p, atom_from(tag), value);
    return SLOW_RAISE;
}

SlowResult slow_raise_atom(Process *p, AtomName reason)
{
    raise_error(p, atom_from(reason));
    return SLOW_RAISE;
}

SlowResult slow_raise_error(Process *p, Term reason)
{
    raise_error(p, reason);
    return SLOW_RAISE;
}

SlowResult slow_raise_again(Process *p, Term exc_class, Term reason, Term raw_trace)
{
    raise_again(p, exc_class, reason, raw_trace);
    return SLOW_RAISE;
}

SlowResult slow_build_trace(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    reserve_set_limit(p);
    Term list = trace_list(p->run->code, &p->heap, slow_register(p, pc + OPOFF_BUILD_TRACE_1));
    p->fp[operand_i16(pc + OPOFF_BUILD_TRACE_0)] = list.w;
    return slow_advance(p, OPLEN_BUILD_TRACE);
}

SlowResult slow_catch_value(Process *p)
{
    const uint8_t *pc = slow_pc(p);
    reserve_set_limit(p);
    Term exc_class = slow_register(p, pc + OPOFF_CATCH_VALUE_1);
    Term value = slow_register(p, pc + OPOFF_CATCH_VALUE_2);
    if (!term_same(exc_class, TERM_ATOM(THROW))) {
        if (term_same(exc_class, TERM_ATOM(ERROR))) {
            Term trace = slow_register(p, pc + OPOFF_CATCH_VALUE_3);
            value = heap_tuple2(&p->heap, value, trace_list(p->run->code, &p->heap, trace));
        }
        if (!term_is_none(value)) value = heap_tuple2(&p->heap, TERM_ATOM(UP_EXIT), value);
        if (term_is_none(value)) {
            raise_system_limit(p);
            return SLOW_RAISE;
        }
    }
    p->fp[operand_i16(pc + OPOFF_CATCH_VALUE_0)] = value.w;
    return slow_advance(p, OPLEN_CATCH_VALUE);
}
