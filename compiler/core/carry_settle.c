/* Where contexts stand.  One walk in the order of blocks: of the context used last it is known
 * whether it stands where a saved position was taken, and whether whole bytes are left.  A test
 * that fails does not move its context. */
#include "compiler/core/carry_parts.h"

typedef struct CarryPlace {
    CoreVar context; /* 0: nothing is known */
    uint32_t mark;   /* equal marks are equal positions */
    bool whole;      /* what is left is whole bytes */
} CarryPlace;

typedef struct CarrySettle {
    CoreUnit *u;
    CoreFunction *f;
    CarryPlace now;
    CarryPlace *at;    /* by block: at its start */
    bool *reached;     /* by block */
    CarryPlace *saved; /* by variable: the position that it is */
    uint32_t marks;
} CarrySettle;

static CarryPlace place_new(CarrySettle *s, CoreVar context, bool whole)
{
    return (CarryPlace){context, ++s->marks, whole};
}

static void settle_pass(CarrySettle *s, CoreBlockId to, CarryPlace place)
{
    const CoreBlock *block = &s->f->blocks.at[to];
    CarryPlace *at = &s->at[to];
    bool other = s->reached[to] && at->context != place.context;
    if (block->is_loop || block->is_handler || other) {
        *at = (CarryPlace){0};
    } else if (!s->reached[to]) {
        *at = place;
    } else if (at->mark != place.mark) {
        *at = place_new(s, place.context, at->whole && place.whole);
    } else {
        at->whole = at->whole && place.whole;
    }
    s->reached[to] = true;
}

// NOLINTNEXTLINE(readability-non-const-parameter): as CoreVisit has it
static void settle_target(void *to, CoreBlockId *block)
{
    CarrySettle *s = to;
    settle_pass(s, *block, s->now);
}

/* Whether what is left stays whole bytes behind a test that holds. */
static bool keeps_whole(const CarrySettle *s, const CoreInstr *i)
{
    switch ((int)i->kind) {
    case CORE_BITS_INT:
    case CORE_BITS_FLOAT:
    case CORE_BITS_BINARY:
    case CORE_BITS_SKIP: {
        if (i->index % 8 == 0) return true;
        if (!core_is_const(i->args[1])) return false;
        Term size = core_term(s->u, i->args[1]);
        return term_is_small(size) && (uint64_t)small_value(size) * i->index % 8 == 0;
    }
    case CORE_BITS_IS_STRING: return i->index % 8 == 0;
    default: return true;
    }
}

static bool is_read(const CoreInstr *i)
{
    return core_is_test(i) && i->kind >= CORE_BITS_INT && i->kind <= CORE_BITS_IS_STRING
           && core_is_var(i->args[0]);
}

/* A test on a context ends its block. */
static void settle_read(CarrySettle *s, CoreInstr *i)
{
    CoreVar context = i->args[0].n;
    if (s->now.context != context) s->now = place_new(s, context, false);
    CarryPlace before = s->now;
    CarryPlace after = before;
    if (i->kind == CORE_BITS_IS_UNIT) {
        if (before.whole && i->index == 8) {
            *i = (CoreInstr){.kind = CORE_JUMP, .pos = i->pos, .then_ = i->then_};
            settle_pass(s, i->then_, before);
            return;
        }
        after.whole = before.whole || i->index % 8 == 0;
    } else if (i->kind == CORE_BITS_IS_END) {
        after.whole = true;
    } else {
        after = place_new(s, context, before.whole && keeps_whole(s, i));
    }
    settle_pass(s, i->then_, after);
    settle_pass(s, i->else_, before);
}

/* False: the instruction has nothing to do. */
static bool settle_instr(CarrySettle *s, const CoreInstr *i)
{
    if (i->kind >= CORE_CALL && i->kind <= CORE_CALL_FUN) s->now = (CarryPlace){0};
    if (i->kind == CORE_BITS_POSITION && core_is_var(i->args[0])) {
        if (s->now.context != i->args[0].n) s->now = place_new(s, i->args[0].n, false);
        s->saved[i->dst] = s->now;
    }
    if (i->kind != CORE_BITS_SEEK) return true;
    CarryPlace to = s->saved[i->args[1].n];
    if (to.context && to.context == s->now.context && to.mark == s->now.mark) return false;
    s->now = to.context == i->args[0].n ? to : place_new(s, i->args[0].n, false);
    return true;
}

/* A value made where its context still stands at its start takes the position there, so that the
 * usual way need not keep it. */
static void settle_tail(CarrySettle *s, CoreInstr *row, uint32_t *kept, CoreInstr *tail)
{
    CoreVar context = tail->args[0].n;
    CarryPlace from = s->saved[tail->args[1].n];
    if (!from.context || from.context != s->now.context || from.mark != s->now.mark) return;
    if (s->now.context != context) return;
    CoreInstr *position = &row[(*kept)++];
    *position = (CoreInstr){.kind = CORE_BITS_POSITION, .pos = tail->pos, .arg_count = 1};
    position->args = ARENA_ARRAY(&s->u->c->arena, CoreRef, 1);
    position->args[0] = core_var(context);
    position->dst = core_var_new(s->f);
    tail->args[1] = core_var(position->dst);
}

static void settle_block(CarrySettle *s, CoreBlockId b)
{
    CoreBlock *block = &s->f->blocks.at[b];
    uint32_t tails = 0;
    for (uint32_t k = 0; k < block->count; k++) tails += block->at[k].kind == CORE_BITS_TAIL;
    CoreInstr *row = block->at;
    if (tails) row = ARENA_ARRAY(&s->u->c->arena, CoreInstr, block->count + tails);
    uint32_t kept = 0;
    s->now = s->at[b];
    for (uint32_t k = 0; k < block->count; k++) {
        CoreInstr i = block->at[k];
        if (!settle_instr(s, &i)) continue;
        if (i.kind == CORE_BITS_TAIL) settle_tail(s, row, &kept, &i);
        row[kept++] = i;
    }
    block->at = row;
    block->count = kept;
    if (tails) block->room = kept;
    CoreInstr *last = &row[kept - 1];
    if (is_read(last))
        settle_read(s, last);
    else
        core_targets(last, settle_target, s);
}

void carry_settle(CoreUnit *u, CoreFunction *f, Arena *scratch, CoreVar whole)
{
    size_t n = f->blocks.count;
    CarrySettle s = {.u = u, .f = f};
    s.at = ARENA_ARRAY(scratch, CarryPlace, n);
    s.reached = ARENA_ARRAY(scratch, bool, n);
    s.saved = ARENA_ARRAY(scratch, CarryPlace, (size_t)f->var_count + 1);
    if (whole) s.at[1] = place_new(&s, whole, true);
    for (CoreBlockId b = 1; b < n; b++) settle_block(&s, b);
}
