#include "vm/code/check.h"

#include "vm/term/binary.h"
#include "vm/term/order.h"

/* Could this tuple be the keys of a map: small enough, ascending in map-key order? */
static bool check_sorted_keys(const AtomTable *atoms, Term tuple)
{
    size_t n = tuple_size(tuple);
    if (n > 32) return false;
    for (size_t i = 1; i < n; i++)
        if (order_compare_exact(atoms, tuple_at(tuple, i - 1), tuple_at(tuple, i)) >= 0)
            return false;
    return true;
}

static VerifyLiteral check_literal(const AtomTable *atoms, Term t)
{
    VerifyLiteral literal = {.kind = VERIFY_LITERAL_ANY};
    if (term_is_cons(t)) literal.kind = VERIFY_LITERAL_CONS;
    if (term_is_map(t)) literal.kind = VERIFY_LITERAL_MAP;
    if (term_is_bitstring(t)) {
        literal.kind = VERIFY_LITERAL_BITSTRING;
        literal.size = binary_bits(t);
    }
    if (term_is_tuple(t)) {
        literal.kind = VERIFY_LITERAL_TUPLE;
        literal.size = tuple_size(t);
        literal.sorted_keys = check_sorted_keys(atoms, t);
    }
    return literal;
}

bool check_code(const ModFile *m, const AtomTable *atoms, const Term *literals, Arena *arena,
                VerifyProblem *problem)
{
    VerifyLiteral *rows = ARENA_ARRAY(arena, VerifyLiteral, m->literal_count + 1u);
    for (uint32_t i = 0; i < m->literal_count; i++) rows[i] = check_literal(atoms, literals[i]);
    return verify_module(m, rows, arena, problem);
}
