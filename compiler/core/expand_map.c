#include "compiler/core/expand_parts.h"
#include "vm/term/map.h"
#include "vm/term/order.h"

/* Pairs that one instruction puts. */
#define PAIRS_MAX 60

typedef struct {
    CoreRef key;
    CoreRef value;
    bool exact;
} MapPair;

static CoreRef map_const_empty(Expand *x)
{
    Term t = map_empty(&x->u->heap);
    CHECK(!term_is_none(t));
    return core_const(x->u, t);
}

/* All keys and values are constants: so is the map. */
static CoreRef map_const(Expand *x, const MapPair *pairs, uint32_t n)
{
    Term *terms = ARENA_ARRAY(x->arena, Term, 2 * (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++) {
        terms[2 * (size_t)i] = core_term(x->u, pairs[i].key);
        terms[2 * (size_t)i + 1] = core_term(x->u, pairs[i].value);
    }
    Term map = map_from_pairs(&x->u->heap, x->u->atoms, terms, n);
    CHECK(!term_is_none(map));
    return core_const(x->u, map);
}

/* Sort pairs with constant keys into map order; a later pair of the same key wins.  Insertion is
 * enough: there are at most 32. */
static uint32_t map_sort(Expand *x, MapPair *pairs, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        MapPair pair = pairs[i];
        uint32_t at = kept;
        int order = 1;
        while (at > 0) {
            order = order_compare_exact(x->u->atoms, core_term(x->u, pair.key),
                                        core_term(x->u, pairs[at - 1].key));
            if (order >= 0) break;
            at--;
        }
        if (at > 0 && order == 0) {
            pairs[at - 1].value = pair.value;
            continue;
        }
        for (uint32_t k = kept; k > at; k--) pairs[k] = pairs[k - 1];
        pairs[at] = pair;
        kept++;
    }
    return kept;
}

static CoreRef map_build(Expand *x, MapPair *pairs, uint32_t n, SrcPos pos)
{
    n = map_sort(x, pairs, n);
    CoreRef *keys = ARENA_ARRAY(x->arena, CoreRef, n);
    for (uint32_t i = 0; i < n; i++) keys[i] = pairs[i].key;
    CoreRef tuple = write_tuple(x, keys, n, pos);
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_MAP_BUILD, n + 1, pos);
    i->args[0] = tuple;
    for (uint32_t k = 0; k < n; k++) i->args[k + 1] = pairs[k].value;
    i->dst = dst;
    return core_var(dst);
}

/* In a guard nothing may raise: what `:=` demands is tested first. */
static void map_demand(Expand *x, CoreRef base, const MapPair *pairs, uint32_t n,
                       CoreBlockId no, SrcPos pos)
{
    for (uint32_t i = 0; i < n; i++)
        if (pairs[i].exact) write_test2(x, CORE_MAP_HAS, base, pairs[i].key, no, pos);
}

static CoreRef map_put_pairs(Expand *x, CoreRef base, const MapPair *pairs, uint32_t n,
                             SrcPos pos)
{
    CoreVar dst = new_var(x);
    CoreInstr *i =
        write_instr(x, pairs[0].exact ? CORE_MAP_UPDATE : CORE_MAP_PUT, 1 + 2 * n, pos);
    i->args[0] = base;
    for (uint32_t k = 0; k < n; k++) {
        i->args[1 + 2 * k] = pairs[k].key;
        i->args[2 + 2 * k] = pairs[k].value;
    }
    i->dst = dst;
    return core_var(dst);
}

/* Runs of `=>` and of `:=`, in order. */
static CoreRef map_put_all(Expand *x, CoreRef base, const MapPair *pairs, uint32_t n,
                           CoreBlockId no, SrcPos pos)
{
    for (uint32_t i = 0; i < n;) {
        uint32_t run = 1;
        while (i + run < n && run < PAIRS_MAX && pairs[i + run].exact == pairs[i].exact) run++;
        if (no && i == 0) write_test1(x, CORE_IS_MAP, base, no, pos);
        if (no) map_demand(x, base, pairs + i, run, no, pos);
        base = map_put_pairs(x, base, pairs + i, run, pos);
        i += run;
    }
    return base;
}

static bool pairs_const(const MapPair *pairs, uint32_t n, bool values)
{
    for (uint32_t i = 0; i < n; i++)
        if (!core_is_const(pairs[i].key) || (values && !core_is_const(pairs[i].value)))
            return false;
    return true;
}

/* A new map of any number of pairs; a long one is put together in pieces as values come. */
static CoreRef map_new(Expand *x, const AstList *fields, CoreBlockId no, SrcPos pos)
{
    MapPair *pairs = ARENA_ARRAY(x->arena, MapPair, fields->n + 1);
    CoreRef base = CORE_REF_NONE;
    uint32_t n = 0;
    bool constant = true;
    for (uint32_t i = 0; i < fields->n; i++) {
        const Ast *f = fields->at[i];
        CoreRef key = expand_value(x, f->map_field.key, no);
        pairs[n++] = (MapPair){key, expand_value(x, f->map_field.value, no), false};
        constant = constant && pairs_const(&pairs[n - 1], 1, true);
        if (n < PAIRS_MAX || constant) continue;
        base = map_put_all(x, core_is_none(base) ? map_const_empty(x) : base, pairs, n, 0, pos);
        n = 0;
    }
    if (core_is_none(base)) {
        if (constant) return map_const(x, pairs, n);
        if (n <= MAP_FLAT_MAX && pairs_const(pairs, n, false))
            return map_build(x, pairs, n, pos);
        base = map_const_empty(x);
    }
    return n == 0 ? base : map_put_all(x, base, pairs, n, 0, pos);
}

/* M#{}: M itself, which must be a map. */
static CoreRef map_put_none(Expand *x, CoreRef base, SrcPos pos)
{
    CoreVar dst = new_var(x);
    CoreInstr *i = write_instr(x, CORE_MAP_PUT, 1, pos);
    i->args[0] = base;
    i->dst = dst;
    return core_var(dst);
}

CoreRef expand_map_update(Expand *x, CoreRef base, const Ast *a, CoreBlockId no)
{
    const AstList *fields = &a->map.fields;
    if (fields->n == 0) {
        if (no == 0) return map_put_none(x, base, a->pos);
        write_test1(x, CORE_IS_MAP, base, no, a->pos);
        return base;
    }
    MapPair *pairs = ARENA_ARRAY(x->arena, MapPair, fields->n);
    for (uint32_t i = 0; i < fields->n; i++) {
        const Ast *f = fields->at[i];
        CoreRef key = expand_value(x, f->map_field.key, no);
        pairs[i] = (MapPair){key, expand_value(x, f->map_field.value, no), f->op == OP_EXACT};
    }
    return map_put_all(x, base, pairs, fields->n, no, a->pos);
}

CoreRef expand_map(Expand *x, const Ast *a, CoreBlockId no)
{
    if (a->map.base) return expand_postfix(x, a, no);
    return map_new(x, &a->map.fields, no, a->pos);
}
