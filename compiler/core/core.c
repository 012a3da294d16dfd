#include "compiler/core/core.h"

#define DST    CORE_FLAG_DST
#define RAISES CORE_FLAG_RAISES
#define PURE   CORE_FLAG_PURE
#define ENDS   CORE_FLAG_ENDS
#define TEST   CORE_FLAG_TEST
#define MANY   (-1)

const CoreInfo core_info[CORE_KIND_COUNT] = {
#define CORE(KIND, args, flags, meaning) [CORE_##KIND] = {#KIND, args, flags},
#include "compiler/core/core.def"
#undef CORE
};

#undef DST
#undef RAISES
#undef PURE
#undef ENDS
#undef TEST
#undef MANY

CoreUnit *core_unit_new(Compilation *c, AtomTable *atoms)
{
    CoreUnit *u = ARENA_NEW(&c->arena, CoreUnit);
    u->c = c;
    u->atoms = atoms;
    heap_init_detached(&u->heap, NULL);
    VEC_IN_ARENA(&u->functions, &c->arena);
    VEC_IN_ARENA(&u->lambdas, &c->arena);
    VEC_IN_ARENA(&u->constants, &c->arena);
    VEC_IN_ARENA(&u->attributes, &c->arena);
    htab_init_in_arena(&u->small_constants, &c->arena);
    u->on_load = TERM_NONE;
    VEC_PUSH(&u->constants, TERM_NONE);
    return u;
}

void core_unit_free(CoreUnit *u) { heap_release(&u->heap); }

CoreRef core_const(CoreUnit *u, Term t)
{
    if (term_is_atomic(t)) {
        bool added;
        HtabValue *known = htab_put(&u->small_constants, t.w, &added);
        if (!added) return (CoreRef){(uint32_t)known->num};
        known->num = CORE_CONST_BIT | (uint32_t)u->constants.count;
    }
    VEC_PUSH(&u->constants, t);
    return (CoreRef){CORE_CONST_BIT | (uint32_t)(u->constants.count - 1)};
}

uint32_t core_function_new(CoreUnit *u, Term name, uint32_t arity, SrcPos pos)
{
    Arena *arena = &u->c->arena;
    CoreFunction *f = ARENA_NEW(arena, CoreFunction);
    f->name = name;
    f->arity = f->shown_arity = f->param_count = arity;
    f->pos = pos;
    VEC_IN_ARENA(&f->blocks, arena);
    VEC_IN_ARENA(&f->tries, arena);
    VEC_PUSH(&f->blocks, (CoreBlock){0});
    VEC_PUSH(&f->tries, (CoreTry){0});
    f->params = ARENA_ARRAY(arena, CoreVar, arity + 1);
    for (uint32_t i = 0; i < arity; i++) f->params[i] = core_var_new(f);
    VEC_PUSH(&u->functions, f);
    return (uint32_t)(u->functions.count - 1);
}

void core_close_functions(CoreUnit *u)
{
    uint32_t *ids = ARENA_ARRAY(&u->c->arena, uint32_t, u->functions.count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < u->functions.count; i++) {
        if (u->functions.at[i] == NULL) continue;
        ids[i] = n;
        u->functions.at[n++] = u->functions.at[i];
    }
    u->functions.count = n;
    for (uint32_t i = 0; i < n; i++) {
        CoreFunction *f = u->functions.at[i];
        for (CoreBlockId b = 1; b < f->blocks.count; b++)
            for (uint32_t k = 0; k < f->blocks.at[b].count; k++) {
                CoreInstr *instr = &f->blocks.at[b].at[k];
                if (instr->kind == CORE_CALL || instr->kind == CORE_TAIL_CALL)
                    instr->index = ids[instr->index];
            }
    }
    for (size_t i = 0; i < u->lambdas.count; i++)
        u->lambdas.at[i].function = ids[u->lambdas.at[i].function];
}

CoreVar core_var_new(CoreFunction *f) { return ++f->var_count; }

CoreBlockId core_block_new(CoreUnit *u, CoreFunction *f, uint32_t in_try)
{
    (void)u;
    VEC_PUSH(&f->blocks, (CoreBlock){.in_try = in_try});
    return (CoreBlockId)(f->blocks.count - 1);
}

CoreVar core_block_param(CoreUnit *u, CoreFunction *f, CoreBlockId block)
{
    CoreBlock *b = &f->blocks.at[block];
    uint32_t n = b->param_count;
    if ((n & (n - 1)) == 0 && (n == 0 || n >= 4))
        b->params =
            arena_grow(&u->c->arena, b->params, n, n == 0 ? 4 : n * 2, sizeof *b->params);
    b->params[b->param_count++] = core_var_new(f);
    return b->params[n];
}

CoreInstr *core_append(CoreUnit *u, CoreFunction *f, CoreBlockId block, CoreKind kind,
                       uint32_t arg_count, SrcPos pos)
{
    CoreBlock *b = &f->blocks.at[block];
    ASSERT(b->count == 0 || !core_ends(&b->at[b->count - 1]));
    if (b->count == b->room) {
        uint32_t room = b->room == 0 ? 2 : b->room * 2;
        b->at = arena_grow(&u->c->arena, b->at, b->count, room, sizeof *b->at);
        b->room = room;
    }
    CoreInstr *i = &b->at[b->count++];
    *i = (CoreInstr){.kind = (uint8_t)kind, .pos = pos, .arg_count = arg_count};
    if (arg_count > 0) i->args = ARENA_ARRAY(&u->c->arena, CoreRef, arg_count);
    return i;
}

void core_segments_args(CoreInstr *i)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < i->case_count; k++) {
        const CoreSegment *s = &i->segments[k];
        i->args[n++] = s->value;
        if (!core_is_none(s->size)) i->args[n++] = s->size;
    }
}

void core_args_segments(CoreInstr *i)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < i->case_count; k++) {
        CoreSegment *s = &i->segments[k];
        s->value = i->args[n++];
        if (!core_is_none(s->size)) s->size = i->args[n++];
    }
}

void core_targets(CoreInstr *i, CoreVisit *visit, void *to)
{
    if (!core_ends(i)) return;
    if (i->then_ != 0) visit(to, &i->then_);
    if (i->kind == CORE_SWITCH_ATOM || i->kind == CORE_SWITCH_SMALL
        || i->kind == CORE_SWITCH_ARITY)
        for (uint32_t n = 0; n < i->case_count; n++) visit(to, &i->cases[n].block);
    if (i->else_ != 0) visit(to, &i->else_);
}

/* ---- reverse postorder ---- */

typedef struct {
    CoreBlockId block;
    uint32_t next; /* target to visit next, counted from the last */
} TidyStep;

typedef struct {
    CoreFunction *f;
    uint32_t *order; /* postorder, blocks */
    uint32_t count;
    uint8_t *seen;
    VEC(TidyStep) stack;
    const CoreBlockId *new_ids;
    const uint32_t
        *entered; /* handlers whose try starts behind a block: next link, see below */
} Tidy;

static void tidy_rename_target(void *to, CoreBlockId *block)
{
    Tidy *t = to;
    *block = t->new_ids[*block];
}

static void tidy_enter(Tidy *t, CoreBlockId block)
{
    if (t->seen[block]) return;
    t->seen[block] = 1;
    VEC_PUSH(&t->stack, (TidyStep){block, 0});
}

/* The n-th successor of a block: first the handlers of tries that start behind it (they come last
 * in the code), then the targets from the last to the first. */
static CoreBlockId tidy_successor(Tidy *t, CoreBlockId block, uint32_t n)
{
    for (uint32_t try = t->entered[block]; try != 0; try = t->entered[t->f->blocks.count + try])
        if (n-- == 0) return t->f->tries.at[try].handler;
    CoreInstr *last = core_last(t->f, block);
    if (!last || !core_ends(last)) return 0;
    bool is_switch = last->kind == CORE_SWITCH_ATOM || last->kind == CORE_SWITCH_SMALL
                     || last->kind == CORE_SWITCH_ARITY;
    if (last->else_ != 0 && n-- == 0) return last->else_;
    if (is_switch && n < last->case_count) return last->cases[last->case_count - 1 - n].block;
    if (is_switch) n -= last->case_count;
    return last->then_ != 0 && n == 0 ? last->then_ : 0;
}

static void tidy_search(Tidy *t)
{
    tidy_enter(t, 1);
    while (t->stack.count > 0) {
        TidyStep *top = &VEC_LAST(&t->stack);
        CoreBlockId next = tidy_successor(t, top->block, top->next);
        if (next == 0) {
            t->order[t->count++] = top->block;
            (void)VEC_POP(&t->stack);
            continue;
        }
        top->next++;
        tidy_enter(t, next);
    }
}

/* Tries by the block they start behind, as linked lists: [block] is the first, [blocks + try] the
 * next. */
static uint32_t *tidy_link_tries(CoreUnit *u, CoreFunction *f)
{
    uint32_t *links = ARENA_ARRAY(&u->c->arena, uint32_t, f->blocks.count + f->tries.count);
    for (uint32_t try = 1; try < f->tries.count; try++) {
        CoreTry *it = &f->tries.at[try];
        if (it->handler == 0) continue;
        links[f->blocks.count + try] = links[it->before];
        links[it->before] = try;
    }
    return links;
}

void core_tidy(CoreUnit *u, CoreFunction *f)
{
    Arena *arena = &u->c->arena;
    size_t n = f->blocks.count;
    Tidy t = {.f = f};
    VEC_IN_ARENA(&t.stack, arena);
    t.order = ARENA_ARRAY(arena, uint32_t, n);
    t.seen = ARENA_ARRAY(arena, uint8_t, n);
    t.entered = tidy_link_tries(u, f);
    tidy_search(&t);
    CoreBlockId *ids = ARENA_ARRAY(arena, CoreBlockId, n);
    CoreBlock *blocks = ARENA_ARRAY(arena, CoreBlock, t.count + 1);
    for (uint32_t i = 0; i < t.count; i++) {
        ids[t.order[t.count - 1 - i]] = i + 1;
        blocks[i + 1] = f->blocks.at[t.order[t.count - 1 - i]];
    }
    t.new_ids = ids;
    f->blocks.at = blocks;
    f->blocks.count = f->blocks.room = t.count + 1;
    for (uint32_t b = 1; b <= t.count; b++) {
        CoreInstr *last = core_last(f, b);
        if (last) core_targets(last, tidy_rename_target, &t);
    }
    for (uint32_t i = 1; i < f->tries.count; i++) {
        CoreTry *it = &f->tries.at[i];
        it->handler = ids[it->handler];
        it->before = ids[it->before];
    }
}
