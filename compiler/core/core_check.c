/* The invariants of core.h, proved for one function after another: dominators from the order of
 * blocks, then every use against its definition. */
#include "compiler/core/ancestors.h"
#include "compiler/core/core.h"

typedef struct {
    CoreUnit *u;
    CoreFunction *f;
    Arena *arena;
    Ancestors dominators;
    const uint32_t *dominator; /* immediate, by block; 0: not known yet */
    uint32_t *enter;           /* of a walk over the dominator tree */
    uint32_t *leave;
    uint32_t *pred_count;
    uint32_t *def_block; /* by variable */
    uint32_t *def_at;    /* instruction number + 1; 0: parameter */
    VEC(uint64_t) edges; /* from << 32 | to */
} Check;

#define DEMAND(condition, ...)                        \
    do {                                              \
        if (!(condition)) check_fail(c, __VA_ARGS__); \
    } while (0)

static NORETURN void check_fail(Check *c, const char *what, uint32_t block, uint32_t var)
{
    core_dump(c->u, stderr);
    PANIC("core of %s/%u: %s (block %u, variable %u)", atom_text(c->u->atoms, c->f->name),
          c->f->arity, what, block, var);
}

typedef struct {
    Check *c;
    uint32_t from;
} CheckFrom;

/* NOLINTNEXTLINE(readability-non-const-parameter): CoreVisit may change the block. */
static void check_edge(void *to, CoreBlockId *block)
{
    CheckFrom *from = to;
    Check *c = from->c;
    DEMAND(*block >= 1 && *block < c->f->blocks.count, "jump out of the function", from->from,
           *block);
    VEC_PUSH(&c->edges, (uint64_t)from->from << 32 | *block);
    c->pred_count[*block]++;
}

static void check_edges(Check *c)
{
    for (uint32_t b = 1; b < c->f->blocks.count; b++) {
        CoreInstr *last = core_last(c->f, b);
        DEMAND(last && core_ends(last), "block without an end", b, 0);
        for (uint32_t i = 0; i + 1 < c->f->blocks.at[b].count; i++)
            DEMAND(!core_ends(&c->f->blocks.at[b].at[i]), "instruction behind the end", b, 0);
        CheckFrom from = {c, b};
        core_targets(last, check_edge, &from);
    }
    for (uint32_t t = 1; t < c->f->tries.count; t++)
        if (c->f->tries.at[t].handler != 0) {
            CheckFrom from = {c, c->f->tries.at[t].before};
            check_edge(&from, &c->f->tries.at[t].handler);
        }
}

static void check_dominators(Check *c)
{
    uint32_t n = (uint32_t)c->f->blocks.count;
    uint32_t *first = ARENA_ARRAY(c->arena, uint32_t, n + 1);
    uint32_t *preds = ARENA_ARRAY(c->arena, uint32_t, c->edges.count + 1);
    for (size_t i = 0; i < c->edges.count; i++) first[(uint32_t)c->edges.at[i]]++;
    for (uint32_t b = 1; b <= n; b++) first[b] += first[b - 1];
    for (size_t i = c->edges.count; i > 0; i--)
        preds[--first[(uint32_t)c->edges.at[i - 1]]] = (uint32_t)(c->edges.at[i - 1] >> 32);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 2; b < n; b++) {
            uint32_t best = 0;
            uint32_t end = b + 1 < n ? first[b + 1] : (uint32_t)c->edges.count;
            for (uint32_t i = first[b]; i < end; i++)
                if (preds[i] == 1 || c->dominator[preds[i]] != 0)
                    best =
                        best == 0 ? preds[i] : ancestors_common(&c->dominators, best, preds[i]);
            DEMAND(best != 0, "block that nothing reaches", b, 0);
            if (best == c->dominator[b]) continue;
            ancestors_set(&c->dominators, b, best);
            changed = true;
        }
    }
}

/* Numbers such that a dominates b exactly if enter[a] <= enter[b] && leave[b] <= leave[a]. */
static void check_number(Check *c)
{
    uint32_t n = (uint32_t)c->f->blocks.count;
    uint32_t *child = ARENA_ARRAY(c->arena, uint32_t, n);
    uint32_t *sibling = ARENA_ARRAY(c->arena, uint32_t, n);
    for (uint32_t b = n - 1; b >= 2; b--) {
        sibling[b] = child[c->dominator[b]];
        child[c->dominator[b]] = b;
    }
    uint32_t time = 0;
    for (uint32_t b = 1; b != 0;) {
        if (c->enter[b] == 0) c->enter[b] = ++time;
        uint32_t next = child[b];
        if (next != 0) {
            child[b] = sibling[next];
            b = next;
            continue;
        }
        c->leave[b] = ++time;
        b = b == 1 ? 0 : c->dominator[b];
    }
}

static void check_define(Check *c, CoreVar var, uint32_t block, uint32_t at)
{
    DEMAND(var >= 1 && var <= c->f->var_count, "variable out of range", block, var);
    DEMAND(c->def_block[var] == 0, "variable defined twice", block, var);
    c->def_block[var] = block;
    c->def_at[var] = at;
}

static void check_defines(Check *c)
{
    CoreFunction *f = c->f;
    for (uint32_t i = 0; i < f->param_count; i++) check_define(c, f->params[i], 1, 0);
    for (uint32_t b = 1; b < f->blocks.count; b++) {
        const CoreBlock *block = &f->blocks.at[b];
        for (uint32_t i = 0; i < block->param_count; i++)
            check_define(c, block->params[i], b, 0);
        for (uint32_t i = 0; i < block->count; i++) {
            const CoreInstr *instr = &block->at[i];
            if (instr->dst == 0) continue;
            bool test = core_is_test(instr);
            DEMAND(!test || c->pred_count[instr->then_] == 1,
                   "a value of a test in a block with other ways in", b, instr->dst);
            check_define(c, instr->dst, test ? instr->then_ : b, test ? 0 : i + 1);
        }
    }
}

static void check_use(Check *c, CoreRef r, uint32_t block, uint32_t at)
{
    DEMAND(!core_is_none(r), "argument missing", block, at);
    if (!core_is_var(r)) return;
    uint32_t def = r.n <= c->f->var_count ? c->def_block[r.n] : 0;
    DEMAND(def != 0, "variable without a definition", block, r.n);
    bool before = def == block
                      ? c->def_at[r.n] <= at
                      : c->enter[def] < c->enter[block] && c->leave[block] < c->leave[def];
    DEMAND(before, "use that its definition does not dominate", block, r.n);
}

static void check_instr(Check *c, CoreInstr *i, uint32_t b, uint32_t at)
{
    const CoreFunction *f = c->f;
    for (uint32_t k = 0; k < i->arg_count; k++) check_use(c, i->args[k], b, at);
    int args = core_info[i->kind].args;
    DEMAND(args < 0 || (uint32_t)args == i->arg_count, "wrong number of arguments", b, at);
    if (i->kind == CORE_JUMP) {
        const CoreBlock *to = &f->blocks.at[i->then_];
        DEMAND(!to->is_handler && to->param_count == i->arg_count, "jump with wrong arguments",
               b, i->then_);
    }
    bool tail = i->kind >= CORE_TAIL_CALL && i->kind <= CORE_TAIL_FUN;
    DEMAND(!tail || f->blocks.at[b].in_try == 0, "tail call in a try", b, at);
    if (i->kind == CORE_CALL || i->kind == CORE_TAIL_CALL) {
        const CoreFunction *callee =
            i->index < c->u->functions.count ? c->u->functions.at[i->index] : NULL;
        DEMAND(callee && callee->param_count == i->arg_count, "call with wrong arguments", b,
               i->index);
    }
}

static void check_function(Check *c)
{
    CoreFunction *f = c->f;
    check_edges(c);
    check_dominators(c);
    check_number(c);
    check_defines(c);
    DEMAND(f->blocks.at[1].param_count == 0, "entry with parameters", 1, 0);
    for (uint32_t b = 1; b < f->blocks.count; b++) {
        CoreBlock *block = &f->blocks.at[b];
        for (uint32_t i = 0; i < block->count; i++) check_instr(c, &block->at[i], b, i);
    }
    for (size_t i = 0; i < c->edges.count; i++) {
        uint32_t from = (uint32_t)(c->edges.at[i] >> 32);
        uint32_t to = (uint32_t)c->edges.at[i];
        DEMAND(to > from || f->blocks.at[to].is_loop,
               "backward jump to a block that is no loop", from, to);
        const CoreBlock *target = &f->blocks.at[to];
        const CoreInstr *last = core_last(f, from);
        DEMAND(last->kind == CORE_JUMP || target->is_handler || target->param_count == 0,
               "parameters without arguments", from, to);
    }
}

void core_check(CoreUnit *u)
{
    Arena scratch;
    arena_init(&scratch, NULL, MEM_COMPILER);
    for (size_t i = 0; i < u->functions.count; i++) {
        CoreFunction *f = u->functions.at[i];
        size_t blocks = f->blocks.count + 1;
        Check c = {.u = u, .f = f, .arena = &scratch};
        VEC_IN_ARENA(&c.edges, &scratch);
        c.dominators = ancestors_new(&scratch, blocks);
        c.dominator = c.dominators.parent;
        c.enter = ARENA_ARRAY(&scratch, uint32_t, blocks);
        c.leave = ARENA_ARRAY(&scratch, uint32_t, blocks);
        c.pred_count = ARENA_ARRAY(&scratch, uint32_t, blocks);
        c.def_block = ARENA_ARRAY(&scratch, uint32_t, f->var_count + 1);
        c.def_at = ARENA_ARRAY(&scratch, uint32_t, f->var_count + 1);
        check_function(&c);
        arena_free(&scratch);
        arena_init(&scratch, NULL, MEM_COMPILER);
    }
    arena_free(&scratch);
}
