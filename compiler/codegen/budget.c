#include "compiler/codegen/budget.h"

#include <string.h>

/* Most words in one promise: with the gap it still stands behind instructions that take room. */
#define PROMISE_MAX (LIMIT_BLOCK_SLACK - LIMIT_CALL_GAP)

/* Words of heap that an instruction takes from promised room. */
static uint32_t words_of(const LirInstr *instr)
{
    if (instr->shape != LIR_PLAIN) return 0;
    switch ((Opcode)instr->op) {
    case OP_CONS:
    case OP_EXPORT_FUN:
    case OP_ADD_FLOATS:
    case OP_SUB_FLOATS:
    case OP_MUL_FLOATS:
    case OP_DIV_FLOATS: return 2;
    case OP_TUPLE: return instr->arg_count + 1;
    case OP_SET_ELEMENTS: return instr->core->index + 1;
    case OP_MAKE_FUN:
    case OP_MAP_BUILD: return instr->arg_count + 2;
    default: return 0;
    }
}

/* Room promised before such an instruction is gone behind it. */
static bool ends_promise(const LirInstr *instr)
{
    if (instr->shape == LIR_CALL) return true;
    switch ((Opcode)instr->op) {
    case OP_RECV_ACCEPT:
    case OP_RECV_NEXT:
    case OP_RECV_WAIT:
    case OP_RECV_WAIT_FOR: return instr->shape == LIR_PLAIN;
    case OP_LOOP: return instr->shape == LIR_JUMP;
    default: return false;
    }
}

/* Between RECV_PEEK and RECV_ACCEPT nothing collects, so room for guards is made before. */
static bool is_peek(const LirInstr *instr)
{
    return instr->shape == LIR_PLAIN && instr->op == OP_RECV_PEEK;
}

/* A RESERVE to put in front of an instruction. */
typedef struct Reserve {
    uint32_t at;
    uint32_t words;
} Reserve;

typedef struct Budget {
    LirFunction *f;
    /* by block: words promised where it starts; UINT32_MAX: not yet reached */
    uint32_t *room;
    uint32_t *rest; /* by instruction of the block at hand: words needed from it on */
    uint32_t rest_room;
    uint32_t most; /* of the blocks visited */
    uint32_t block;
    uint32_t left;         /* words promised at the end of the block */
    VEC(Reserve) reserves; /* of the block at hand */
} Budget;

static void max_demand(void *to, uint32_t block)
{
    Budget *b = to;
    uint32_t demand = block > b->block ? b->f->blocks[block].demand : 0;
    if (demand > b->most) b->most = demand;
}

/* What is needed from each instruction of a block on until the next refill. */
static uint32_t find_rest(Budget *b, uint32_t block)
{
    const LirBlock *at = &b->f->blocks[block];
    if (!at->count) return 0;
    if (b->rest_room < at->count) {
        b->rest = ARENA_ARRAY(b->f->arena, uint32_t, (size_t)at->count * 2);
        b->rest_room = at->count * 2;
    }
    b->block = block;
    b->most = 0;
    lower_targets(&at->at[at->count - 1], max_demand, b);
    uint32_t need = b->most;
    for (uint32_t i = at->count; i-- > 0;) {
        const LirInstr *instr = &at->at[i];
        uint32_t words = words_of(instr);
        if (ends_promise(instr)) need = 0;
        /* Too much for one promise: what follows makes its own. */
        if (need + words > PROMISE_MAX) need = 0;
        need += words;
        b->rest[i] = need;
        if (is_peek(instr) || words > PROMISE_MAX) need = 0;
    }
    return need;
}

static void lower_room(void *to, uint32_t block)
{
    Budget *b = to;
    if (b->left < b->room[block]) b->room[block] = b->left;
}

/* All RESERVEs of a block in one go: a long block may need many. */
static void insert_reserves(Budget *b, LirBlock *block)
{
    if (!b->reserves.count) return;
    uint32_t count = block->count + (uint32_t)b->reserves.count;
    LirInstr *to = ARENA_ARRAY(b->f->arena, LirInstr, count);
    uint32_t out = 0;
    uint32_t from = 0;
    VEC_EACH (Reserve, r, &b->reserves) {
        memcpy(&to[out], &block->at[from], (r->at - from) * sizeof *to);
        out += r->at - from;
        from = r->at;
        to[out++] = (LirInstr){.op = OP_RESERVE,
                               .pos = block->at[from].pos,
                               .imm_count = 1,
                               .imm = {(int32_t)r->words}};
    }
    memcpy(&to[out], &block->at[from], (block->count - from) * sizeof *to);
    block->at = to;
    block->count = block->room = count;
    VEC_CLEAR(&b->reserves);
}

static void reserve_in_block(Budget *b, uint32_t block)
{
    LirBlock *at = &b->f->blocks[block];
    if (!at->count) return;
    find_rest(b, block);
    ASSERT(b->rest != NULL);
    uint32_t room =
        at->is_loop || at->is_handler || b->room[block] == UINT32_MAX ? 0 : b->room[block];
    for (uint32_t i = 0; i < at->count; i++) {
        const LirInstr *instr = &at->at[i];
        uint32_t words = is_peek(instr) ? b->rest[i] : words_of(instr);
        if (words > room) {
            room = b->rest[i];
            VEC_PUSH(&b->reserves, (Reserve){i, room});
        }
        if (!is_peek(instr)) room -= words;
        if (ends_promise(instr)) room = 0;
    }
    b->left = room;
    insert_reserves(b, at);
    lower_targets(&at->at[at->count - 1], lower_room, b);
}

void budget_reserve(LirFunction *f)
{
    Budget b = {.f = f, .room = ARENA_ARRAY(f->arena, uint32_t, f->block_count)};
    VEC_IN_ARENA(&b.reserves, f->arena);
    for (uint32_t i = f->block_count; i-- > 1;) f->blocks[i].demand = find_rest(&b, i);
    memset(b.room, 0xff, f->block_count * sizeof *b.room);
    f->need = f->blocks[1].demand;
    b.room[1] = f->need;
    for (uint32_t i = 1; i < f->block_count; i++) reserve_in_block(&b, i);
}
