#include "compiler/codegen/spill_parts.h"

#include <string.h>

#include "compiler/codegen/dominate.h"

/* Functions with no more values than this at once keep them in registers. */
#define SPILL_FROM 1000
/* Uses no farther away than this, in instructions, are served from a register. */
#define SPILL_NEAR 64

/* Where a value lies on the way to the block at hand. */
typedef struct Place {
    CoreVar tuple; /* 0: in its own register */
    uint32_t slot;
    CoreVar copy; /* taken out last, 0: not yet */
    uint32_t copied_at;
} Place;

/* A value that waits for others to be put away with; the list leads back along the way. */
typedef struct Waiting {
    CoreVar var;
    uint32_t previous; /* index into waiting; 0: none */
} Waiting;

/* What a step changed, to be undone when the walk leaves the part of the tree it holds in. */
typedef struct Undo {
    CoreVar var;
    Place place;
} Undo;

/* The walk's state behind a block, which the blocks that it dominates start with. */
typedef struct Step {
    uint32_t child; /* next block to visit, 0: none is left */
    uint32_t waiting;
    uint32_t waiting_count;
    uint32_t undo;
    bool is_peeking; /* a message is looked at that is not accepted yet: nothing is built */
} Step;

typedef struct Spill {
    CoreFunction *f;
    Arena *arena;
    Dominators d;
    SpillFacts facts;
    Place *places;        /* by variable of the function as it was */
    uint32_t vars;        /* how many */
    uint32_t *first;      /* by block: the first that it dominates at once */
    uint32_t *next;       /* by block: the next with the same parent */
    Step *steps;          /* by block */
    Step here;            /* of the block at hand */
    uint32_t now;         /* number of the instruction at hand */
    VEC(Waiting) waiting; /* at[0] is none */
    VEC(Undo) undo;
    VEC(CoreInstr) out; /* the block at hand, anew */
} Spill;

static CoreInstr *append(Spill *s, CoreKind kind, uint32_t args, SrcPos pos)
{
    VEC_PUSH(&s->out, (CoreInstr){.kind = (uint8_t)kind, .pos = pos, .arg_count = args});
    CoreInstr *i = &VEC_LAST(&s->out);
    i->args = ARENA_ARRAY(s->arena, CoreRef, args);
    i->dst = core_var_new(s->f);
    return i;
}

static void set_place(Spill *s, CoreVar v, Place place)
{
    VEC_PUSH(&s->undo, (Undo){v, s->places[v]});
    s->places[v] = place;
}

/* The value's register for a use at hand. */
static CoreVar in_register(Spill *s, CoreVar v, SrcPos pos)
{
    if (v > s->vars || !s->places[v].tuple) return v;
    Place place = s->places[v];
    bool keep = s->facts.vars[v].kind == SPILL_UNTESTED;
    if (place.copy && (keep || s->now - place.copied_at <= SPILL_NEAR)) return place.copy;
    CoreInstr *element = append(s, CORE_ELEMENT, 1, pos);
    element->args[0] = core_var(place.tuple);
    element->index = place.slot;
    place.copy = element->dst;
    place.copied_at = s->now;
    set_place(s, v, place);
    return place.copy;
}

static void wait(Spill *s, CoreVar v)
{
    if (!v || v > s->vars) return;
    const SpillVar *var = &s->facts.vars[v];
    if (var->kind == SPILL_NEVER || var->last_use - var->defined_at <= SPILL_NEAR) return;
    VEC_PUSH(&s->waiting, (Waiting){v, s->here.waiting});
    s->here.waiting = (uint32_t)s->waiting.count - 1;
    s->here.waiting_count++;
}

/* Still worth it, and allowed, behind the instruction at hand? */
static bool may_go(const Spill *s, CoreVar v)
{
    const SpillVar *var = &s->facts.vars[v];
    if (var->kind == SPILL_UNTESTED && var->first_use <= s->now) return false;
    return var->last_use > s->now;
}

/* Put what waits into tuples. */
static void put_away(Spill *s, SrcPos pos)
{
    CoreVar group[SPILL_GROUP];
    uint32_t at = s->here.waiting;
    while (at) {
        uint32_t n = 0;
        for (; at && n < SPILL_GROUP; at = s->waiting.at[at].previous)
            if (may_go(s, s->waiting.at[at].var)) group[n++] = s->waiting.at[at].var;
        if (n < 2) break;
        CoreInstr *tuple = append(s, CORE_TUPLE, n, pos);
        CoreVar dst = tuple->dst;
        for (uint32_t i = 0; i < n; i++) {
            tuple->args[i] = core_var(group[i]);
            /* The register is still at hand, but for what shall not stay in it. */
            bool keep = s->facts.vars[group[i]].kind == SPILL_UNTESTED;
            set_place(s, group[i], (Place){dst, i, keep ? 0 : group[i], s->now});
        }
    }
    s->here.waiting = 0;
    s->here.waiting_count = 0;
}

static void rewrite_args(Spill *s, CoreInstr *i)
{
    bool changed = false;
    for (uint32_t a = 0; a < i->arg_count; a++) {
        if (!core_is_var(i->args[a])) continue;
        CoreVar v = in_register(s, i->args[a].n, i->pos);
        changed = changed || v != i->args[a].n;
        i->args[a] = core_var(v);
    }
    if (changed && (i->kind == CORE_BITS_BUILD || i->kind == CORE_GUARD_BITS_BUILD))
        core_args_segments(i);
}

/* Ways part behind this block; what waits is put away once, in front of that. */
static bool is_fork(const Spill *s, uint32_t block)
{
    return s->first[block] && s->next[s->first[block]];
}

static void spill_block(Spill *s, uint32_t block)
{
    CoreBlock *b = &s->f->blocks.at[block];
    s->now = s->facts.start[block];
    VEC_CLEAR(&s->out);
    if (!b->is_handler)
        for (uint32_t i = 0; i < b->param_count; i++) wait(s, b->params[i]);
    for (uint32_t i = 0; i < b->count; i++, s->now++) {
        CoreInstr *instr = &b->at[i];
        bool last = i + 1 == b->count;
        uint32_t enough = last && is_fork(s, block) ? SPILL_GROUP / 2 : SPILL_GROUP;
        if (s->here.waiting_count >= enough && !s->here.is_peeking) {
            s->now--; /* what this instruction uses is wanted still */
            put_away(s, instr->pos);
            s->now++;
        }
        rewrite_args(s, instr);
        VEC_PUSH(&s->out, *instr);
        if (instr->kind == CORE_RECV_ACCEPT) s->here.is_peeking = false;
        if (!core_is_test(instr)) wait(s, instr->dst);
    }
    ASSERT(s->out.at != NULL);
    b->count = b->room = (uint32_t)s->out.count;
    b->at = ARENA_ARRAY(s->arena, CoreInstr, b->count + 1);
    memcpy(b->at, s->out.at, b->count * sizeof *b->at);
}

/* The state at the start of a block: that behind its parent, and what the test in between says. */
static void enter_block(Spill *s, uint32_t block)
{
    uint32_t parent = s->d.parent[block];
    if (parent) {
        s->here = s->steps[parent];
        const CoreInstr *test = core_last(s->f, parent);
        if (core_is_test(test) && test->then_ == block) {
            s->now = s->facts.start[block];
            wait(s, test->dst);
            if (test->kind == CORE_RECV_PEEK) s->here.is_peeking = true;
        }
    }
    spill_block(s, block);
    s->here.child = s->first[block];
    s->here.undo = (uint32_t)s->undo.count;
    s->steps[block] = s->here;
}

static void undo_to(Spill *s, uint32_t count)
{
    while (s->undo.count > count) {
        Undo undo = VEC_POP(&s->undo);
        s->places[undo.var] = undo.place;
    }
}

/* Along the tree of dominators, depth first: what was done on the way to a block holds in it. */
static void walk(Spill *s)
{
    enter_block(s, 1);
    for (uint32_t b = 1; b;) {
        Step *step = &s->steps[b];
        uint32_t child = step->child;
        undo_to(s, step->undo);
        if (!child) {
            b = s->d.parent[b];
            continue;
        }
        step->child = s->next[child];
        enter_block(s, child);
        b = child;
    }
}

static void link_tree(Spill *s)
{
    uint32_t n = (uint32_t)s->f->blocks.count;
    s->first = ARENA_ARRAY(s->arena, uint32_t, n + 1);
    s->next = ARENA_ARRAY(s->arena, uint32_t, n + 1);
    for (uint32_t b = n; b-- > 2;) {
        uint32_t parent = s->d.parent[b];
        if (!parent || !s->f->blocks.at[b].count) continue;
        s->next[b] = s->first[parent];
        s->first[parent] = b;
    }
}

void spill_function(CoreFunction *f, Arena *arena)
{
    if (f->var_count < SPILL_FROM) return;
    SpillFacts facts = spill_find(f, arena);
    if (facts.most <= SPILL_FROM && !facts.is_wide_joint) return;
    if (facts.is_wide_joint) {
        spill_narrow_joints(f, arena);
        facts = spill_find(f, arena);
    }
    Spill s = {.f = f, .arena = arena, .d = dominate_find(f, arena), .facts = facts};
    s.vars = f->var_count;
    s.places = ARENA_ARRAY(arena, Place, (size_t)s.vars + 1);
    s.steps = ARENA_ARRAY(arena, Step, f->blocks.count + 1);
    VEC_IN_ARENA(&s.waiting, arena);
    VEC_IN_ARENA(&s.undo, arena);
    VEC_IN_ARENA(&s.out, arena);
    VEC_PUSH(&s.waiting, (Waiting){0, 0});
    link_tree(&s);
    for (uint32_t i = 0; i < f->param_count; i++) wait(&s, f->params[i]);
    walk(&s);
}
