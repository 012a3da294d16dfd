#include "compiler/codegen/live.h"

/* One list per key in one array: entries of key k are at[start[k]] … at[start[k + 1] - 1]. */
typedef struct Lists {
    uint32_t *start;
    uint32_t *at;
} Lists;

/* A use of a variable in a block that does not define it; a block's edge into another. */
typedef struct Pair {
    uint32_t key;
    uint32_t value;
} Pair;

typedef struct Live {
    LirFunction *f;
    uint32_t *defined_in; /* block, by variable */
    VEC(Pair) uses;
    VEC(Pair) edges; /* key: to, value: from */
    uint32_t from;   /* block whose targets are being visited */
    VEC(uint32_t) work;
} Live;

static Lists group(Arena *arena, const Pair *pairs, size_t count, uint32_t keys)
{
    Lists lists = {ARENA_ARRAY(arena, uint32_t, (size_t)keys + 2),
                   ARENA_ARRAY(arena, uint32_t, count + 1)};
    for (size_t i = 0; i < count; i++) lists.start[pairs[i].key + 2]++;
    for (uint32_t k = 2; k < keys + 2; k++) lists.start[k] += lists.start[k - 1];
    for (size_t i = 0; i < count; i++)
        lists.at[lists.start[pairs[i].key + 1]++] = pairs[i].value;
    return lists;
}

static void find_definitions(Live *live)
{
    LirFunction *f = live->f;
    for (uint32_t b = 1; b < f->block_count; b++) {
        const LirBlock *block = &f->blocks[b];
        for (uint32_t i = 0; i < block->param_count; i++)
            live->defined_in[block->params[i]] = b;
        for (uint32_t i = 0; i < block->count; i++) {
            const LirInstr *instr = &block->at[i];
            uint32_t in = instr->is_test ? instr->then_ : b;
            live->defined_in[instr->dst] = in;
            live->defined_in[instr->dst2] = in;
        }
    }
    for (uint32_t i = 0; i < f->core->param_count; i++)
        live->defined_in[f->core->params[i]] = 1;
}

static void find_uses(Live *live, uint32_t *seen_in)
{
    LirFunction *f = live->f;
    for (uint32_t b = 1; b < f->block_count; b++) {
        const LirBlock *block = &f->blocks[b];
        for (uint32_t i = 0; i < block->count; i++)
            for (uint32_t a = 0; a < block->at[i].arg_count; a++) {
                uint32_t v = lir_var(block->at[i].args[a]);
                if (!v || live->defined_in[v] == b || seen_in[v] == b) continue;
                seen_in[v] = b;
                VEC_PUSH(&live->uses, (Pair){v, b});
            }
    }
}

static void add_edge(void *to, uint32_t block)
{
    Live *live = to;
    VEC_PUSH(&live->edges, (Pair){block, live->from});
}

static void find_edges(Live *live)
{
    LirFunction *f = live->f;
    for (uint32_t b = 1; b < f->block_count; b++) {
        const LirBlock *block = &f->blocks[b];
        if (!block->count) continue;
        live->from = b;
        lower_targets(&block->at[block->count - 1], add_edge, live);
        if (block->in_try) add_edge(live, f->core->tries.at[block->in_try].handler);
    }
}

static void add_live_in(LirFunction *f, uint32_t b, uint32_t v)
{
    LirBlock *block = &f->blocks[b];
    if (block->live_in_count == block->live_in_room) {
        uint32_t room = block->live_in_room ? block->live_in_room * 2 : 4;
        block->live_in =
            arena_grow(f->arena, block->live_in, block->live_in_count, room, sizeof(uint32_t));
        block->live_in_room = room;
    }
    block->live_in[block->live_in_count++] = v;
}

/* Variables come one after the other, so a block that has `v` already has it last. */
static bool is_live_in(const LirBlock *block, uint32_t v)
{
    return block->live_in_count && block->live_in[block->live_in_count - 1] == v;
}

/* From a block in which `v` is live up to its definition. */
static void mark_up(Live *live, const Lists *into, uint32_t v, uint32_t b)
{
    VEC_CLEAR(&live->work);
    VEC_PUSH(&live->work, b);
    while (live->work.count) {
        b = VEC_POP(&live->work);
        if (is_live_in(&live->f->blocks[b], v)) continue;
        add_live_in(live->f, b, v);
        for (uint32_t i = into->start[b]; i < into->start[b + 1]; i++)
            if (live->defined_in[v] != into->at[i]) VEC_PUSH(&live->work, into->at[i]);
    }
}

void live_blocks(LirFunction *f)
{
    Live live = {.f = f};
    live.defined_in = ARENA_ARRAY(f->arena, uint32_t, (size_t)f->var_count + 1);
    VEC_IN_ARENA(&live.uses, f->arena);
    VEC_IN_ARENA(&live.edges, f->arena);
    VEC_IN_ARENA(&live.work, f->arena);
    find_definitions(&live);
    find_uses(&live, ARENA_ARRAY(f->arena, uint32_t, (size_t)f->var_count + 1));
    find_edges(&live);
    Lists used_in = group(f->arena, live.uses.at, live.uses.count, f->var_count + 1);
    Lists into = group(f->arena, live.edges.at, live.edges.count, f->block_count);
    for (uint32_t v = 1; v <= f->var_count; v++)
        for (uint32_t i = used_in.start[v]; i < used_in.start[v + 1]; i++)
            mark_up(&live, &into, v, used_in.at[i]);
}

/* Variables that are live behind the instruction at hand: stamped with the block's number. */
typedef struct Deaths {
    LirFunction *f;
    uint32_t *live; /* by variable: the block in which it is live, seen from below */
    uint32_t count; /* how many of them there are */
    uint32_t block;
} Deaths;

static void add_live(Deaths *d, uint32_t v)
{
    if (d->live[v] == d->block) return;
    d->live[v] = d->block;
    d->count++;
}

static void add_target(void *to, uint32_t block)
{
    Deaths *d = to;
    const LirBlock *target = &d->f->blocks[block];
    for (uint32_t i = 0; i < target->live_in_count; i++) add_live(d, target->live_in[i]);
}

static void remove_live(Deaths *d, uint32_t v)
{
    if (v && d->live[v] == d->block) {
        d->live[v] = 0;
        d->count--;
    }
}

static void mark_instr(Deaths *d, LirInstr *instr)
{
    if (!instr->is_test) {
        if (instr->dst && d->live[instr->dst] != d->block) instr->dst = 0;
        if (instr->dst2 && d->live[instr->dst2] != d->block) instr->dst2 = 0;
        remove_live(d, instr->dst);
        remove_live(d, instr->dst2);
    }
    instr->across = d->count;
    /* First find what dies, then make all arguments live: one may occur twice. */
    for (uint32_t a = 0; a < instr->arg_count; a++) {
        uint32_t v = lir_var(instr->args[a]);
        if (v && d->live[v] != d->block) instr->args[a].n |= LIR_DIES;
    }
    for (uint32_t a = 0; a < instr->arg_count; a++) {
        uint32_t v = lir_var(instr->args[a]);
        if (v) add_live(d, v);
    }
}

void live_deaths(LirFunction *f)
{
    Deaths d = {.f = f, .live = ARENA_ARRAY(f->arena, uint32_t, (size_t)f->var_count + 1)};
    for (uint32_t b = 1; b < f->block_count; b++) {
        LirBlock *block = &f->blocks[b];
        if (!block->count) continue;
        d.block = b;
        d.count = 0;
        lower_targets(&block->at[block->count - 1], add_target, &d);
        if (block->in_try) add_target(&d, f->core->tries.at[block->in_try].handler);
        for (uint32_t i = block->count; i-- > 0;) mark_instr(&d, &block->at[i]);
    }
}
