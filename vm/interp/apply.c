#include "vm/interp/slow.h"

#include "vm/actor/send.h"
#include "vm/code/load.h"
#include "vm/code/operands.h"
#include "vm/code/upgrade.h"
#include "vm/format/opcodes.h"
#include "vm/interp/trace.h"
#include "vm/proc/frame.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/proc/state.h"
#include "vm/term/list.h"

#define ERROR_HANDLER_ARITY 3

static const uint8_t *apply_pc(const Process *p) { return (const uint8_t *)p->pc; }

/* Control goes on at an entry; a spent slice ends there. */
static SlowResult apply_enter(Process *p, const Half *entry)
{
    p->pc = entry;
    return p->run->reductions > 0 ? SLOW_NEXT : slow_charge(p);
}

/* ---- funs ---- */

/* Raises what calling `f` with `n` arguments from r(first) gives when it cannot be called so. */
static SlowResult apply_bad_fun(Process *p, Term f, size_t first, size_t n)
{
    reserve_set_limit(p);
    if (!term_is_fun(f)) {
        raise_tagged(p, TERM_ATOM(BADFUN), f);
        return SLOW_RAISE;
    }
    Term args = process_list_registers(p, first, n);
    Term pair = heap_tuple2(&p->heap, f, args);
    if (term_is_none(pair))
        raise_system_limit(p);
    else
        raise_tagged(p, TERM_ATOM(BADARITY), pair);
    return SLOW_RAISE;
}

/* The entry of a fun of this arity, or NULL. */
static const Half *apply_fun_entry(Term f, size_t arity)
{
    if (term_is_kind(f, KIND_FUN)) {
        FunEntry *entry = (FunEntry *)boxed_words(f)[1];
        return entry->key.arity == arity ? atomic_load_acquire(&entry->entry) : NULL;
    }
    if (term_is_kind(f, KIND_EXPORT_FUN)) {
        Export *e = (Export *)boxed_words(f)[1];
        return e->key.arity == arity ? atomic_load_acquire(&e->entry) : NULL;
    }
    return NULL;
}

/* A new frame behind the descriptor of the call at p->pc. */
static void apply_push(Process *p, const uint8_t *descriptor, size_t window)
{
    p->fp -= window;
    p->fp[0] = frame_link(descriptor, window);
}

SlowResult slow_call_fun(Process *p)
{
    const uint8_t *pc = apply_pc(p);
    size_t arity = operand_u16(pc + OPOFF_CALL_FUN_1);
    size_t window = operand_live(pc + OPOFF_CALL_FUN_3).window;
    Term f = arg(p, window + arity);
    const Half *entry = apply_fun_entry(f, arity);
    if (entry == NULL) return apply_bad_fun(p, f, window, arity);
    p->run->reductions -= operand_u16(pc + OPOFF_CALL_FUN_0);
    apply_push(p, pc + OPOFF_CALL_FUN_3, window);
    return apply_enter(p, entry);
}

SlowResult slow_tail_fun(Process *p)
{
    const uint8_t *pc = apply_pc(p);
    size_t arity = operand_u16(pc + OPOFF_TAIL_FUN_1);
    Term f = arg(p, arity);
    const Half *entry = apply_fun_entry(f, arity);
    if (entry == NULL) return apply_bad_fun(p, f, 0, arity);
    p->run->reductions -= operand_u16(pc + OPOFF_TAIL_FUN_0);
    return apply_enter(p, entry);
}

/* ---- M:F with a variable module or function ---- */

/* The entry of M:F/arity; NULL: an exception was raised. */
static const Half *apply_export_entry(Process *p, Term module, Term function, size_t arity)
{
    if (!term_is_atom(module) || !term_is_atom(function)) {
        reserve_set_limit(p);
        raise_badarg(p);
        return NULL;
    }
    Export *e = code_export(p->run->code, module, function, (uint32_t)arity);
    if (e == NULL) {
        raise_system_limit(p);
        return NULL;
    }
    return atomic_load_acquire(&e->entry);
}

/* What apply_export_entry raised is told as an error of apply/3 with what was called. */
static SlowResult apply_bad_name(Process *p, size_t first, size_t arity)
{
    Term called[3] = {arg(p, first + arity), arg(p, first + arity + 1),
                      process_list_registers(p, first, arity)};
    Term args = heap_cons(&p->heap, called[2], TERM_NIL);
    for (size_t i = 2; i > 0 && !term_is_none(args); i--)
        args = heap_cons(&p->heap, called[i - 1], args);
    if (!term_is_none(args))
        p->run->exc_trace =
            trace_make_called(p, TERM_ATOM(ERLANG), TERM_ATOM(APPLY), args, false);
    return SLOW_RAISE;
}

SlowResult slow_call_dyn(Process *p)
{
    const uint8_t *pc = apply_pc(p);
    size_t arity = operand_u16(pc + OPOFF_CALL_DYN_1);
    size_t window = operand_live(pc + OPOFF_CALL_DYN_3).window;
    const Half *entry =
        apply_export_entry(p, arg(p, window + arity), arg(p, window + arity + 1), arity);
    if (entry == NULL) return apply_bad_name(p, window, arity);
    p->run->reductions -= operand_u16(pc + OPOFF_CALL_DYN_0);
    apply_push(p, pc + OPOFF_CALL_DYN_3, window);
    return apply_enter(p, entry);
}

/* Elements of a list, as far as a call may have arguments; improper: -1. */
static int64_t apply_length(Term list)
{
    int64_t n = 0;
    for (; term_is_cons(list) && n <= LIMIT_ARITY; list = list_tail(list)) n++;
    return term_is_list(list) ? n : -1;
}

/* badarg of apply with its `count` arguments in r0..., raised where the caller stands. */
static SlowResult apply_bad_arguments(Process *p, size_t count)
{
    reserve_set_limit(p);
    raise_badarg(p);
    Term args = process_list_registers(p, 0, count);
    if (!term_is_nil(args))
        p->run->exc_trace =
            trace_make_called(p, TERM_ATOM(ERLANG), TERM_ATOM(APPLY), args, true);
    return SLOW_RAISE;
}

/* A tail call of apply/2 or apply/3 whose arguments are in r0...: what is wrong with them is told
 * while the caller is still known, the rest is the stub's work. */
static SlowResult apply_tail(Process *p, size_t count)
{
    Term list = arg(p, count - 1);
    int64_t n = apply_length(list);
    if (n < 0) return apply_bad_arguments(p, count);
    if (count == 3 && (!term_is_atom(arg(p, 0)) || !term_is_atom(arg(p, 1))))
        return apply_bad_arguments(p, count);
    if (count == 2 && !term_is_fun(arg(p, 0))) return apply_bad_fun(p, arg(p, 0), 0, 0);
    if (count == 2 && apply_fun_entry(arg(p, 0), (size_t)n) == NULL) {
        reserve_set_limit(p);
        Term pair = heap_tuple2(&p->heap, arg(p, 0), list);
        (void)(term_is_none(pair) ? raise_system_limit(p)
                                  : raise_tagged(p, TERM_ATOM(BADARITY), pair));
        return SLOW_RAISE;
    }
    const Export *stub =
        code_export_find(p->run->code, TERM_ATOM(ERLANG), TERM_ATOM(APPLY), (uint32_t)count);
    p->run->reductions -= operand_u16(apply_pc(p) + OPOFF_TAIL_DYN_0);
    return apply_enter(p, atomic_load_acquire(&stub->entry));
}

SlowResult slow_tail_dyn(Process *p)
{
    const uint8_t *pc = apply_pc(p);
    size_t arity = operand_u16(pc + OPOFF_TAIL_DYN_1);
    if (arity >= OPERAND_TAIL_APPLY_2)
        return apply_tail(p, arity == OPERAND_TAIL_APPLY_2 ? 2 : 3);
    const Half *entry = apply_export_entry(p, arg(p, arity), arg(p, arity + 1), arity);
    if (entry == NULL) return apply_bad_name(p, 0, arity);
    p->run->reductions -= operand_u16(pc + OPOFF_TAIL_DYN_0);
    return apply_enter(p, entry);
}

/* ---- apply/2,3 ---- */

/* Spreads the list in r(list_at) over r0...; room is made first. False: raised, or killed. */
static bool apply_spread(Process *p, size_t live, size_t list_at, size_t *n, SlowResult *result)
{
    int64_t length = apply_length(arg(p, list_at));
    *n = (size_t)length;
    if (length < 0 || length > LIMIT_ARITY) {
        reserve_set_limit(p);
        (void)(length >= 0 ? raise_system_limit(p) : raise_badarg(p));
        *result = SLOW_RAISE;
        return false;
    }
    size_t need = *n + live + 2;
    if (p->fp - p->heap.top < (ptrdiff_t)need
        && reserve_collect(p, need, (int)live, false) != RESERVE_DONE) {
        p->run->stop = RUN_KILLED;
        *result = SLOW_STOP;
        return false;
    }
    Term list = arg(p, list_at);
    for (size_t i = 0; i < *n; i++, list = list_tail(list)) slot_set(p, i, list_head(list));
    return true;
}

SlowResult slow_apply(Process *p)
{
    Term module = arg(p, 0);
    Term function = arg(p, 1);
    if (!term_is_atom(module) || !term_is_atom(function)) {
        reserve_set_limit(p);
        raise_badarg(p);
        return SLOW_RAISE;
    }
    size_t n;
    SlowResult result;
    if (!apply_spread(p, 3, 2, &n, &result)) return result;
    const Half *entry = apply_export_entry(p, module, function, n);
    return entry == NULL ? SLOW_RAISE : apply_enter(p, entry);
}

SlowResult slow_apply_fun(Process *p)
{
    SlowResult result;
    int64_t length = apply_length(arg(p, 1));
    size_t n = (size_t)length;
    if (length < 0) {
        reserve_set_limit(p);
        raise_badarg(p);
        return SLOW_RAISE;
    }
    if (!term_is_fun(arg(p, 0))) {
        result = apply_bad_fun(p, arg(p, 0), 0, 0);
        p->run->exc_hides_bif = true; /* an error of the call, not of apply/2 */
        return result;
    }
    const Half *entry = apply_fun_entry(arg(p, 0), n);
    if (entry == NULL) {
        reserve_set_limit(p);
        Term pair = heap_tuple2(&p->heap, arg(p, 0), arg(p, 1));
        if (term_is_none(pair))
            raise_system_limit(p);
        else
            raise_tagged(p, TERM_ATOM(BADARITY), pair);
        p->run->exc_hides_bif = true;
        return SLOW_RAISE;
    }
    /* The room for the fun behind its arguments is in the `+ 2` of apply_spread; a
     * collection may move the fun, so it is read from its register afterwards, before the
     * arguments overwrite it. */
    if (p->fp - p->heap.top < (ptrdiff_t)(n + 4)
        && reserve_collect(p, n + 4, 2, false) != RESERVE_DONE) {
        p->run->stop = RUN_KILLED;
        return SLOW_STOP;
    }
    Term f = arg(p, 0);
    if (!apply_spread(p, 2, 1, &n, &result)) return result;
    slot_set(p, n, f);
    return apply_enter(p, entry);
}

/* ---- code that is not there (yet) ---- */

/* Loads the module if it can be had without waiting: then the call goes on where it stands. */
static bool apply_autoload(Process *p, Term module)
{
    const CodeHooks *hooks = p->run->code_hooks;
    return hooks != NULL && hooks->autoload(p->run, module);
}

/* The entry of error_handler:`name`/3, or NULL: then the call raises by itself. */
static const Half *apply_handler(Process *p, AtomName name)
{
    Export *handler = code_export(p->run->code, TERM_ATOM(ERROR_HANDLER), atom_from(name),
                                  ERROR_HANDLER_ARITY);
    if (handler == NULL) return NULL;
    if (!export_is_defined(handler) && !apply_autoload(p, TERM_ATOM(ERROR_HANDLER)))
        return NULL;
    return export_is_defined(handler) ? atomic_load_acquire(&handler->entry) : NULL;
}

/* Room for `arity` registers and their list; false: the process is to be killed. */
static bool apply_handler_room(Process *p, uint32_t arity)
{
    size_t need = arity * 2 + 8;
    if (p->fp - p->heap.top < (ptrdiff_t)need
        && reserve_collect(p, need, (int)arity, false) != RESERVE_DONE) {
        p->run->stop = RUN_KILLED;
        return false;
    }
    reserve_no_area(p);
    return true;
}

SlowResult slow_undefined(Process *p)
{
    Export *e = (Export *)(void *)((uintptr_t)p->pc - offsetof(Export, undefined_code));
    if (export_is_defined(e) || (apply_autoload(p, e->key.module) && export_is_defined(e)))
        return apply_enter(p, atomic_load_acquire(&e->entry));
    bool is_handler = term_same(e->key.module, TERM_ATOM(ERROR_HANDLER));
    const Half *handler = is_handler ? NULL : apply_handler(p, ATOM_UNDEFINED_FUNCTION);
    if (handler == NULL) {
        raise_error(p, TERM_ATOM(UNDEF));
        return SLOW_RAISE;
    }
    if (!apply_handler_room(p, e->key.arity)) return SLOW_STOP;
    Term args = process_list_registers(p, 0, e->key.arity);
    slot_set(p, 0, e->key.module);
    slot_set(p, 1, e->key.function);
    slot_set(p, 2, args);
    return apply_enter(p, handler);
}

static SlowResult apply_fun_gone(Process *p)
{
    const FunEntry *e =
        (const FunEntry *)(const void *)((uintptr_t)p->pc - offsetof(FunEntry, gone_code));
    reserve_no_area(p);
    raise_tagged(p, TERM_ATOM(BADFUN), arg(p, e->key.arity));
    return SLOW_RAISE;
}

/* A purge decides within a moment whether the fun has code again: the call stands
 * where it is until then. */
static SlowResult apply_wait_for_purge(Process *p)
{
    p->run->reductions = 0;
    p->run->stop = RUN_SPENT;
    return SLOW_STOP;
}

SlowResult slow_fun_gone(Process *p)
{
    FunEntry *e = (FunEntry *)(void *)((uintptr_t)p->pc - offsetof(FunEntry, gone_code));
    UpgradeState state = upgrade_state(p->run->code, e->key.module);
    const Half *entry = atomic_load_acquire(&e->entry);
    if (entry == e->gone_code && state == UPGRADE_STATE_ABSENT
        && apply_autoload(p, e->key.module)) {
        state = UPGRADE_STATE_LOADED;
        entry = atomic_load_acquire(&e->entry);
    }
    if (entry != e->gone_code) return apply_enter(p, entry);
    if (state == UPGRADE_STATE_PURGING) return apply_wait_for_purge(p);
    const Half *handler =
        state == UPGRADE_STATE_LOADED ? NULL : apply_handler(p, ATOM_UNDEFINED_LAMBDA);
    if (handler == NULL) return apply_fun_gone(p);
    if (!apply_handler_room(p, e->key.arity + 1)) return SLOW_STOP;
    Term args = process_list_registers(p, 0, e->key.arity);
    Term f = arg(p, e->key.arity);
    slot_set(p, 0, e->key.module);
    slot_set(p, 1, f);
    slot_set(p, 2, args);
    return apply_enter(p, handler);
}

/* ---- ! ---- */

SlowResult slow_send(Process *p)
{
    reserve_set_limit(p);
    switch (send_message(p, arg(p, 0), arg(p, 1))) {
    case SEND_DONE: break;
    case SEND_MORE: return slow_again(p);
    case SEND_BAD_NAME:
    case SEND_BAD_DEST: raise_badarg(p); return SLOW_RAISE;
    case SEND_NO_MEMORY: raise_system_limit(p); return SLOW_RAISE;
    }
    Word link = p->fp[0];
    slot_set(p, 0, arg(p, 1));
    p->fp += frame_window(link);
    p->pc = (const Half *)(const void *)frame_return(link);
    return SLOW_NEXT;
}

/* ---- hibernate ---- */

static bool hibernate_arguments_ok(const Process *p)
{
    int64_t n = apply_length(arg(p, 2));
    return term_is_atom(arg(p, 0)) && term_is_atom(arg(p, 1)) && n >= 0 && n <= LIMIT_ARITY;
}

/* The stack goes: module, function and arguments become r0... of the first frame, the process waits
 * at its HIBERNATE instruction for a message, and then applies them. */
SlowResult slow_hibernate(Process *p)
{
    RunContext *run = p->run;
    if (!hibernate_arguments_ok(p)) {
        reserve_set_limit(p);
        raise_badarg(p);
        return SLOW_RAISE;
    }
    Word *base = p->block + p->block_words - 1;
    if (p->fp != base) {
        Term kept[3] = {arg(p, 0), arg(p, 1), arg(p, 2)};
        p->fp = base; /* its return address leads to the end of the process */
        for (size_t i = 0; i < 3; i++) slot_set(p, i, kept[i]);
    }
    if (mailbox_first(&p->mailbox) != NULL || mailbox_has_outer(&p->mailbox)) {
        atomic_and_relaxed(&p->state, ~STATE_HIBERNATE);
        return slow_apply(p);
    }
    if ((atomic_load_relaxed(&p->state) & STATE_HIBERNATE) == 0) {
        if (reserve_collect(p, 4, 3, true) != RESERVE_DONE) {
            run->stop = RUN_KILLED;
            return SLOW_STOP;
        }
        atomic_or_relaxed(&p->state, STATE_HIBERNATE);
    }
    run->stop = RUN_WAITING;
    return SLOW_STOP;
}
