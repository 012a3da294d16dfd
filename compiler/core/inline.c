#include "compiler/core/inline.h"

#include <string.h>

/* A function that is asked for by name may have this many instructions, and what is put into one
 * function may be this many in all: so code stays within a constant times its source. */
#define INLINE_SIZE_MAX   500
#define INLINE_GROWTH_MAX 10000

enum { STATE_NEW, STATE_OPEN, STATE_DONE };

typedef struct {
    uint32_t function;
    uint32_t next; /* call to look at next: index into calls */
} InlineStep;

typedef struct {
    CoreUnit *u;
    Arena *arena;
    uint32_t count;  /* functions there were at first; behind them stand stubs */
    bool *wanted;    /* by function: its calls are to be replaced */
    uint8_t *state;  /* by function */
    uint32_t *stub;  /* by function: index + 1 of '-inlined-f/1-', 0: none yet */
    uint32_t *first; /* by function: its calls of wanted functions begin here in calls */
    VEC(uint32_t) calls;
    VEC(uint32_t) order; /* functions, callees first */
    VEC(InlineStep) stack;
} Inline;

static bool is_local_call(const CoreInstr *i)
{
    return i->kind == CORE_CALL || i->kind == CORE_TAIL_CALL;
}

static uint32_t inline_size(const CoreFunction *f)
{
    uint32_t n = 0;
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        for (uint32_t k = 0; k < f->blocks.at[b].count; k++)
            n += f->blocks.at[b].at[k].kind != CORE_JUMP;
    return n;
}

static bool inline_is_wanted(const CoreUnit *u, const CoreFunction *f)
{
    if (f->is_fun || f->is_generated) return false;
    if (f->inline_wanted) return true;
    return u->inline_all && inline_size(f) <= u->inline_size;
}

/* ---- the order: callees first ---- */

static void inline_find_calls(Inline *s)
{
    for (uint32_t n = 0; n < s->count; n++) {
        const CoreFunction *f = s->u->functions.at[n];
        s->first[n] = (uint32_t)s->calls.count;
        for (CoreBlockId b = 1; b < f->blocks.count; b++)
            for (uint32_t k = 0; k < f->blocks.at[b].count; k++) {
                const CoreInstr *i = &f->blocks.at[b].at[k];
                if (is_local_call(i) && s->wanted[i->index]) VEC_PUSH(&s->calls, i->index);
            }
    }
    s->first[s->count] = (uint32_t)s->calls.count;
}

static void inline_open(Inline *s, uint32_t function)
{
    s->state[function] = STATE_OPEN;
    VEC_PUSH(&s->stack, (InlineStep){function, s->first[function]});
}

/* A function that is reached again from itself is not inlined anywhere. */
static void inline_sort(Inline *s)
{
    for (uint32_t n = 0; n < s->count; n++) {
        if (s->state[n] == STATE_NEW) inline_open(s, n);
        while (s->stack.count > 0) {
            InlineStep *top = &VEC_LAST(&s->stack);
            if (top->next == s->first[top->function + 1]) {
                s->state[top->function] = STATE_DONE;
                VEC_PUSH(&s->order, top->function);
                (void)VEC_POP(&s->stack);
                continue;
            }
            ASSERT(s->calls.at != NULL); /* there is one left */
            uint32_t callee = s->calls.at[top->next++];
            if (s->state[callee] == STATE_OPEN) s->wanted[callee] = false;
            if (s->state[callee] == STATE_NEW) inline_open(s, callee);
        }
    }
}

/* ---- one call ---- */

/* A body on its way into another function. */
typedef struct {
    Inline *s;
    CoreFunction *to;
    const CoreFunction *from;
    uint32_t index; /* of from */
    CoreRef *refs;  /* by variable of from */
    uint32_t block_base;
    uint32_t try_base;
    uint32_t in_try;  /* of the call */
    CoreBlockId rest; /* what follows the call; 0: it is a tail call */
    bool has_value;   /* rest takes the value */
    uint32_t copied;
} Paste;

static CoreRef paste_ref(Paste *p, CoreRef r)
{
    if (!core_is_var(r)) return r;
    CoreRef *known = &p->refs[r.n];
    if (core_is_none(*known)) *known = core_var(core_var_new(p->to));
    return *known;
}

static CoreVar paste_var(Paste *p, CoreVar v)
{
    return v == 0 ? 0 : paste_ref(p, core_var(v)).n;
}

static void paste_target(void *to, CoreBlockId *block)
{
    const Paste *p = to;
    *block += p->block_base;
}

/* What follows the last instruction of the body where that gave `value`. */
static void paste_leave(Paste *p, CoreBlockId block, CoreRef value, SrcPos pos)
{
    if (p->rest == 0) {
        core_append(p->s->u, p->to, block, CORE_RETURN, 1, pos)->args[0] = value;
        return;
    }
    CoreInstr *jump = core_append(p->s->u, p->to, block, CORE_JUMP, p->has_value, pos);
    jump->then_ = p->rest;
    if (p->has_value) jump->args[0] = value;
}

/* '-inlined-f/1-', which fails with function_clause in the name of the body. */
static uint32_t inline_stub(Inline *s, uint32_t index, SrcPos pos)
{
    if (s->stub[index] != 0) return s->stub[index] - 1;
    const CoreFunction *f = s->u->functions.at[index];
    const char *text =
        arena_printf(s->arena, "-inlined-%s/%u-", atom_text(s->u->atoms, f->name), f->arity);
    Term name = f->name;
    /* Where the name is too long for an atom the function's own has to do. */
    if (atom_put(s->u->atoms, text, strlen(text), &name) != ATOM_PUT_DONE) name = f->name;
    uint32_t arity = f->arity;
    uint32_t stub = core_function_new(s->u, name, arity, f->pos);
    CoreFunction *g = s->u->functions.at[stub];
    g->is_generated = true;
    CoreBlockId entry = core_block_new(s->u, g, 0);
    CoreInstr *i = core_append(s->u, g, entry, CORE_FUNCTION_CLAUSE, arity, pos);
    for (uint32_t k = 0; k < arity; k++) i->args[k] = core_var(g->params[k]);
    s->stub[index] = stub + 1;
    return stub;
}

/* function_clause of the body becomes a call of its stub. */
static void paste_function_clause(Paste *p, CoreBlockId block, const CoreInstr *from)
{
    uint32_t stub = inline_stub(p->s, p->index, from->pos);
    bool tail = p->to->blocks.at[block].in_try == 0;
    CoreInstr *i = core_append(p->s->u, p->to, block, tail ? CORE_TAIL_CALL : CORE_CALL,
                               from->arg_count, from->pos);
    i->index = stub;
    for (uint32_t k = 0; k < from->arg_count; k++) i->args[k] = paste_ref(p, from->args[k]);
    if (tail) return;
    CoreVar value = core_var_new(p->to);
    i->dst = value;
    paste_leave(p, block, core_var(value), from->pos);
}

static void paste_instr(Paste *p, CoreBlockId block, const CoreInstr *from)
{
    CoreUnit *u = p->s->u;
    p->copied++;
    if (from->kind == CORE_RETURN) {
        paste_leave(p, block, paste_ref(p, from->args[0]), from->pos);
        return;
    }
    if (from->kind == CORE_FUNCTION_CLAUSE) {
        paste_function_clause(p, block, from);
        return;
    }
    CoreInstr *i =
        core_append(u, p->to, block, (CoreKind)from->kind, from->arg_count, from->pos);
    CoreRef *args = i->args;
    *i = *from;
    i->args = args;
    for (uint32_t k = 0; k < from->arg_count; k++) args[k] = paste_ref(p, from->args[k]);
    i->dst = paste_var(p, from->dst);
    if (from->kind == CORE_SWITCH_ATOM || from->kind == CORE_SWITCH_SMALL
        || from->kind == CORE_SWITCH_ARITY)
        i->cases =
            arena_copy_bytes(&u->c->arena, from->cases, from->case_count * sizeof *from->cases);
    if (from->kind == CORE_BITS_BUILD || from->kind == CORE_GUARD_BITS_BUILD) {
        i->segments = arena_copy_bytes(&u->c->arena, from->segments,
                                       from->case_count * sizeof *from->segments);
        core_args_segments(i);
    }
    core_targets(i, paste_target, p);
    /* A tail call of the body is one of the caller only where the body stands last. */
    bool is_tail = i->kind >= CORE_TAIL_CALL && i->kind <= CORE_TAIL_FUN;
    bool fails = i->kind == CORE_TAIL_CALL && i->index >= p->s->count;
    if (!is_tail || p->rest == 0 || (fails && p->in_try == 0)) return;
    i->kind = (uint8_t)(i->kind - CORE_TAIL_CALL + CORE_CALL);
    CoreVar value = core_var_new(p->to);
    i->dst = value;
    paste_leave(p, block, core_var(value), from->pos);
}

static void paste_blocks(Paste *p)
{
    CoreUnit *u = p->s->u;
    for (CoreBlockId b = 1; b < p->from->blocks.count; b++) {
        const CoreBlock *from = &p->from->blocks.at[b];
        CoreBlockId id = core_block_new(
            u, p->to, from->in_try == 0 ? p->in_try : p->try_base + from->in_try);
        ASSERT(id == p->block_base + b);
        CoreVar *params = ARENA_ARRAY(&u->c->arena, CoreVar, from->param_count + 1);
        for (uint32_t k = 0; k < from->param_count; k++)
            params[k] = paste_var(p, from->params[k]);
        CoreBlock *to = &p->to->blocks.at[id];
        to->params = params;
        to->param_count = from->param_count;
        to->is_loop = from->is_loop;
        to->is_handler = from->is_handler;
        for (uint32_t k = 0; k < from->count; k++) paste_instr(p, id, &from->at[k]);
    }
    for (uint32_t t = 1; t < p->from->tries.count; t++) {
        CoreTry try = p->from->tries.at[t];
        if (try.handler != 0) {
            try.handler += p->block_base;
            try.before += p->block_base;
        }
        try.outer = try.outer == 0 ? p->in_try : p->try_base + try.outer;
        VEC_PUSH(&p->to->tries, try);
    }
}

/* What stands behind instruction `at` becomes a block of its own, which takes the value. */
static CoreBlockId inline_split(Inline *s, CoreFunction *f, CoreBlockId block, uint32_t at,
                                CoreVar value)
{
    CoreBlockId rest = core_block_new(s->u, f, f->blocks.at[block].in_try);
    CoreBlock *from = &f->blocks.at[block];
    CoreBlock *to = &f->blocks.at[rest];
    /* The two share one array: the first is cut, the second begins behind the cut. */
    to->at = from->at + at + 1;
    to->count = to->room = from->count - at - 1;
    from->room = at + 1;
    if (value != 0) {
        to->params = ARENA_ARRAY(&s->u->c->arena, CoreVar, 1);
        to->params[0] = value;
        to->param_count = 1;
    }
    for (uint32_t t = 1; t < f->tries.count; t++)
        if (f->tries.at[t].handler != 0 && f->tries.at[t].before == block)
            f->tries.at[t].before = rest;
    return rest;
}

/* The block that is left to look at, 0: none; *copied grows. */
static CoreBlockId inline_call(Inline *s, CoreFunction *f, CoreBlockId block, uint32_t at,
                               uint32_t *copied)
{
    CoreInstr call = f->blocks.at[block].at[at];
    bool tail = call.kind == CORE_TAIL_CALL;
    Paste p = {.s = s, .to = f, .index = call.index, .has_value = call.dst != 0};
    p.from = s->u->functions.at[call.index];
    p.in_try = f->blocks.at[block].in_try;
    p.refs = ARENA_ARRAY(s->arena, CoreRef, p.from->var_count + 1);
    for (uint32_t k = 0; k < p.from->arity; k++) p.refs[p.from->params[k]] = call.args[k];
    if (!tail) p.rest = inline_split(s, f, block, at, call.dst);
    f->blocks.at[block].count = at;
    p.block_base = (uint32_t)f->blocks.count - 1;
    p.try_base = (uint32_t)f->tries.count - 1;
    core_append(s->u, f, block, CORE_JUMP, 0, call.pos)->then_ = p.block_base + 1;
    paste_blocks(&p);
    *copied += p.copied;
    return p.rest;
}

/* ---- one function ---- */

static bool inline_takes(const Inline *s, const CoreInstr *i, uint32_t into, uint32_t copied)
{
    if (!is_local_call(i) || i->index >= s->count || i->index == into) return false;
    if (!s->wanted[i->index]) return false;
    const CoreFunction *f = s->u->functions.at[i->index];
    return f->size <= INLINE_SIZE_MAX && copied + f->size <= INLINE_GROWTH_MAX;
}

static void inline_into(Inline *s, uint32_t index)
{
    CoreFunction *f = s->u->functions.at[index];
    uint32_t copied = 0;
    CoreBlockId blocks = (CoreBlockId)f->blocks.count;
    for (CoreBlockId start = 1; start < blocks; start++)
        for (CoreBlockId b = start; b != 0;) {
            uint32_t k = 0;
            while (k < f->blocks.at[b].count
                   && !inline_takes(s, &f->blocks.at[b].at[k], index, copied))
                k++;
            b = k < f->blocks.at[b].count ? inline_call(s, f, b, k, &copied) : 0;
        }
    if (copied > 0) core_tidy(s->u, f);
    f->size = inline_size(f);
}

/* ---- functions that nobody calls any more ---- */

static void inline_count_refs(const Inline *s, const CoreFunction *f, uint32_t *refs, int by)
{
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        for (uint32_t k = 0; k < f->blocks.at[b].count; k++)
            if (is_local_call(&f->blocks.at[b].at[k]) && f->blocks.at[b].at[k].index < s->count)
                refs[f->blocks.at[b].at[k].index] += (uint32_t)by;
}

static void inline_drop(Inline *s)
{
    CoreUnit *u = s->u;
    uint32_t *refs = ARENA_ARRAY(s->arena, uint32_t, u->functions.count);
    for (size_t n = 0; n < u->functions.count; n++)
        inline_count_refs(s, u->functions.at[n], refs, 1);
    for (size_t n = 0; n < u->lambdas.count; n++) refs[u->lambdas.at[n].function]++;
    bool dropped = false;
    for (size_t n = s->order.count; n-- > 0;) {
        uint32_t index = s->order.at[n];
        CoreFunction *f = u->functions.at[index];
        bool on_load = !term_is_none(u->on_load) && term_same(f->name, u->on_load);
        if (!s->wanted[index] || f->exported || on_load || refs[index] > 0) continue;
        inline_count_refs(s, f, refs, -1);
        u->functions.at[index] = NULL;
        dropped = true;
    }
    if (dropped) core_close_functions(u);
}

void inline_unit(CoreUnit *u)
{
    Inline s = {.u = u, .arena = &u->c->arena, .count = (uint32_t)u->functions.count};
    bool any = false;
    s.wanted = ARENA_ARRAY(s.arena, bool, s.count + 1);
    for (uint32_t n = 0; n < s.count; n++) {
        s.wanted[n] = inline_is_wanted(u, u->functions.at[n]);
        any = any || s.wanted[n];
    }
    if (!any) return;
    s.state = ARENA_ARRAY(s.arena, uint8_t, s.count + 1);
    s.stub = ARENA_ARRAY(s.arena, uint32_t, s.count + 1);
    s.first = ARENA_ARRAY(s.arena, uint32_t, s.count + 1);
    VEC_IN_ARENA(&s.calls, s.arena);
    VEC_IN_ARENA(&s.order, s.arena);
    VEC_IN_ARENA(&s.stack, s.arena);
    inline_find_calls(&s);
    inline_sort(&s);
    for (size_t n = 0; n < s.order.count; n++) inline_into(&s, s.order.at[n]);
    inline_drop(&s);
}
