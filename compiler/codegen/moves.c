#include "compiler/codegen/moves.h"

static void emit2(MirFunction *out, Opcode op, int64_t a, int64_t b, SrcPos pos)
{
    MirInstr instr = {.op = (uint8_t)op, .pos = pos, .operands = {a, b}};
    VEC_PUSH(&out->code, instr);
}

void moves_load(CodePool *pool, MirFunction *out, uint32_t to, CoreRef constant, SrcPos pos)
{
    Term t = core_term(pool->unit, constant);
    if (term_is_nil(t))
        emit2(out, OP_LOAD_NIL, to, 0, pos);
    else if (term_is_atom(t))
        emit2(out, OP_LOAD_ATOM, to, pool_atom(pool, t), pos);
    else if (term_is_small(t) && small_value(t) == (int16_t)small_value(t))
        emit2(out, OP_LOAD_SMALL, to, small_value(t), pos);
    else if (term_is_small(t) && small_value(t) == (int32_t)small_value(t))
        emit2(out, OP_LOAD_INT, to, small_value(t), pos);
    else
        emit2(out, OP_LOAD_LIT, to, pool_constant(pool, constant), pos);
}

/* Make one move, and then those that only waited for its source to be read. */
static void emit_chain(MoveSet *m, MirFunction *out, uint32_t i, SrcPos pos)
{
    for (;;) {
        uint32_t to = m->at[i].to;
        uint32_t from = m->at[i].from;
        emit2(out, OP_MOVE, to, from, pos);
        m->source[to] = 0;
        if (--m->reads[from] > 0 || !m->source[from]) return;
        i = m->source[from] - 1u;
    }
}

/* Every target of what is left is read by another move: cycles. */
static void emit_cycles(MoveSet *m, MirFunction *out, SrcPos pos)
{
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t to = m->at[i].to;
        if (!core_is_none(m->at[i].constant) || m->source[to] != i + 1) continue;
        /* to <- from <- ... <- to: swapping along puts each value in its place. */
        while (m->source[to]) {
            uint32_t move = m->source[to] - 1u;
            uint32_t from = m->at[move].from;
            m->source[to] = 0;
            m->reads[from] = 0;
            if (!m->source[from]) break;
            emit2(out, OP_SWAP, to, from, pos);
            to = from;
        }
    }
}

void moves_emit(MoveSet *m, CodePool *pool, MirFunction *out, SrcPos pos)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (!core_is_none(m->at[i].constant)) continue;
        m->reads[m->at[i].from]++;
        m->source[m->at[i].to] = (uint16_t)(i + 1);
    }
    for (uint32_t i = 0; i < m->count; i++)
        if (core_is_none(m->at[i].constant) && m->source[m->at[i].to] == i + 1
            && m->reads[m->at[i].to] == 0)
            emit_chain(m, out, i, pos);
    emit_cycles(m, out, pos);
    for (uint32_t i = 0; i < m->count; i++)
        if (!core_is_none(m->at[i].constant))
            moves_load(pool, out, m->at[i].to, m->at[i].constant, pos);
    m->count = 0;
}
