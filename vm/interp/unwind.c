#include "vm/interp/unwind.h"

#include "vm/format/opcodes.h"
#include "vm/interp/trace.h"
#include "vm/proc/frame.h"
#include "vm/proc/raise.h"
#include "vm/proc/reserve.h"
#include "vm/term/atom.h"

/* The innermost handler around `unit`, or NULL. */
static const CodeHandler *unwind_handler(const ModuleVersion *v, uint32_t unit)
{
    for (uint32_t i = 0; i < v->handler_count; i++) {
        const CodeHandler *handler = &v->handlers[i];
        if (unit >= handler->start && unit < handler->end) return handler;
    }
    return NULL;
}

static bool unwind_enter(Process *p, Word *fp, const Half *at, const ModuleVersion *v)
{
    const CodeHandler *handler = v == NULL ? NULL : unwind_handler(v, version_unit(v, at));
    if (handler == NULL) return false;
    RunContext *run = p->run;
    p->fp = fp;
    slot_set(p, handler->base, run->exc_class);
    slot_set(p, handler->base + 1, run->exc_reason);
    slot_set(p, handler->base + 2, run->exc_trace);
    raise_nothing(run);
    p->pc = v->code + 2 * (size_t)handler->target;
    return true;
}

/* Nobody handles it: the reason a process exits with. */
static void unwind_to_exit(Process *p)
{
    RunContext *run = p->run;
    run->exc_trace = trace_list(run->code, &p->heap, run->exc_trace);
    if (term_same(run->exc_class, TERM_ATOM(EXIT))) return;
    Term reason = run->exc_reason;
    if (term_same(run->exc_class, TERM_ATOM(THROW)))
        reason = heap_tuple2(&p->heap, TERM_ATOM(NOCATCH), reason);
    Term pair =
        term_is_none(reason) ? TERM_NONE : heap_tuple2(&p->heap, reason, run->exc_trace);
    run->exc_reason = term_is_none(pair) ? TERM_ATOM(SYSTEM_LIMIT) : pair;
}

/* Where the trace may be built.  BIF and BIF_STUB have set the limit for what they run. */
static void unwind_make_room(Process *p)
{
    if (*p->pc == OP_UNDEFINED || *p->pc == OP_FUN_GONE)
        reserve_no_area(p);
    else if (*p->pc != OP_BIF && *p->pc != OP_BIF_STUB)
        reserve_set_limit(p);
}

bool unwind_to_handler(Process *p)
{
    RunContext *run = p->run;
    const ModuleVersion *v = code_version_at(run->code, p->pc);
    unwind_make_room(p);
    if (term_is_none(run->exc_trace)) run->exc_trace = trace_make(p, v);
    if (unwind_enter(p, p->fp, p->pc, v)) return true;
    const Word *base = p->block + p->block_words - 1;
    Word *fp = p->fp;
    while (fp < base) {
        const uint8_t *back = frame_descriptor(fp[0]);
        LiveMap live = operand_live(back);
        fp += frame_window(fp[0]);
        if ((live.flags & LIVE_FLAG_IN_TRY) == 0) continue;
        const Half *at = (const Half *)(const void *)(back - 4);
        if (v == NULL || !version_holds(v, at)) v = code_version_at(run->code, at);
        if (unwind_enter(p, fp, at, v)) return true;
    }
    unwind_to_exit(p);
    return false;
}
