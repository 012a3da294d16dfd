#include "compiler/codegen/floats.h"

#include <string.h>

static bool is_float(const CoreUnit *u, const bool *floats, CoreRef r)
{
    return core_is_const(r) ? term_is_float(core_term(u, r)) : floats[r.n];
}

/* ADD, SUB, MUL: the operators that have a form for floats, besides DIV. */
static bool is_operator(const CoreInstr *i)
{
    return i->kind == CORE_ADD || i->kind == CORE_SUB || i->kind == CORE_MUL;
}

static bool gives_float(const CoreUnit *u, const bool *floats, const CoreInstr *i)
{
    if (is_operator(i))
        return is_float(u, floats, i->args[0]) || is_float(u, floats, i->args[1]);
    if (i->kind == CORE_NEGATE) return is_float(u, floats, i->args[0]);
    if (i->kind == CORE_BIF)
        return term_same(i->name, TERM_ATOM(FLOAT))
               || strcmp(atom_text(u->atoms, i->module), "math") == 0;
    return i->kind == CORE_DIV;
}

/* What an operator on floats takes is most likely a float as well. */
static void expect_floats(bool *floats, const bool *operators, const CoreInstr *i)
{
    if (!is_operator(i) && i->kind != CORE_DIV) return;
    if (i->dst == 0 || !floats[i->dst]) return;
    for (uint32_t k = 0; k < i->arg_count; k++)
        if (core_is_var(i->args[k]) && operators[i->args[k].n]) floats[i->args[k].n] = true;
}

const bool *floats_find(CoreUnit *unit, const CoreFunction *f, uint32_t vars, Arena *arena)
{
    bool *floats = ARENA_ARRAY(arena, bool, vars);
    bool *operators = ARENA_ARRAY(arena, bool, vars);
    for (CoreBlockId b = 1; b < f->blocks.count; b++)
        for (uint32_t n = 0; n < f->blocks.at[b].count; n++) {
            const CoreInstr *i = &f->blocks.at[b].at[n];
            if (i->dst == 0) continue;
            operators[i->dst] = is_operator(i);
            floats[i->dst] = gives_float(unit, floats, i);
        }
    for (CoreBlockId b = (CoreBlockId)f->blocks.count; b-- > 1;)
        for (uint32_t n = f->blocks.at[b].count; n-- > 0;)
            expect_floats(floats, operators, &f->blocks.at[b].at[n]);
    return floats;
}
