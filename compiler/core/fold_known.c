#include "compiler/core/fold_parts.h"
#include "vm/term/binary.h"

/* So many tests on the way here are remembered: enough for what programs repeat. */
#define KNOWN_LOOKED_AT 24

/* Tests with a known outcome that one way skips at most. */
#define WAYS_FOLLOWED 8

/* Kinds of terms, as a set. */
enum {
    KIND_OF_INTEGER = 1,
    KIND_OF_FLOAT = 2,
    KIND_OF_BOOLEAN = 4,
    KIND_OF_ATOM = 8, /* another atom */
    KIND_OF_PID = 16,
    KIND_OF_PORT = 32,
    KIND_OF_REF = 64,
    KIND_OF_FUN = 128,
    KIND_OF_CONS = 256,
    KIND_OF_NIL = 512,
    KIND_OF_TUPLE = 1024,
    KIND_OF_MAP = 2048,
    KIND_OF_BITS = 4096,
    KIND_OF_ALL = 8191
};

static uint32_t kinds_of_term(Term t)
{
    if (term_is_integer(t)) return KIND_OF_INTEGER;
    if (term_is_float(t)) return KIND_OF_FLOAT;
    if (term_is_boolean(t)) return KIND_OF_BOOLEAN;
    if (term_is_atom(t)) return KIND_OF_ATOM;
    if (term_is_nil(t)) return KIND_OF_NIL;
    if (term_is_cons(t)) return KIND_OF_CONS;
    if (term_is_tuple(t)) return KIND_OF_TUPLE;
    if (term_is_map(t)) return KIND_OF_MAP;
    return term_is_bitstring(t) ? KIND_OF_BITS : KIND_OF_ALL;
}

/* What the first argument is when the test holds; `exact`: and only then. */
static uint32_t kinds_of_test(const CoreUnit *u, const CoreInstr *i, bool *exact)
{
    *exact = true;
    switch (i->kind) {
    case CORE_IS_INTEGER: return KIND_OF_INTEGER;
    case CORE_IS_FLOAT: return KIND_OF_FLOAT;
    case CORE_IS_NUMBER: return KIND_OF_INTEGER | KIND_OF_FLOAT;
    case CORE_IS_ATOM: return KIND_OF_ATOM | KIND_OF_BOOLEAN;
    case CORE_IS_BOOLEAN: return KIND_OF_BOOLEAN;
    case CORE_IS_PID: return KIND_OF_PID;
    case CORE_IS_PORT: return KIND_OF_PORT;
    case CORE_IS_REF: return KIND_OF_REF;
    case CORE_IS_FUN: return KIND_OF_FUN;
    case CORE_IS_LIST: return KIND_OF_CONS | KIND_OF_NIL;
    case CORE_IS_CONS: return KIND_OF_CONS;
    case CORE_IS_NIL: return KIND_OF_NIL;
    case CORE_IS_TUPLE: return KIND_OF_TUPLE;
    case CORE_IS_MAP: return KIND_OF_MAP;
    case CORE_IS_BITSTRING:
    case CORE_BITS_START: return KIND_OF_BITS;
    default: break;
    }
    *exact = false;
    switch (i->kind) {
    case CORE_IS_FUN_OF: return KIND_OF_FUN;
    case CORE_IS_TUPLE_OF:
    case CORE_IS_RECORD: return KIND_OF_TUPLE;
    case CORE_IS_BINARY: return KIND_OF_BITS;
    case CORE_IS_SAME:
        return core_is_const(i->args[1]) ? kinds_of_term(core_term(u, i->args[1]))
                                         : KIND_OF_ALL;
    default: return KIND_OF_ALL;
    }
}

static bool same_claim(const CoreInstr *a, const CoreInstr *b)
{
    if (a->kind != b->kind || a->index != b->index || a->arg_count != b->arg_count)
        return false;
    if (a->kind == CORE_GUARD_BIF || a->dst != 0) return false;
    for (uint32_t k = 0; k < a->arg_count; k++)
        if (!core_same(a->args[k], b->args[k])) return false;
    return true;
}

/* Tests whose outcome can change between two looks. */
static bool is_stable(const CoreInstr *i)
{
    return i->arg_count > 0 && core_is_var(i->args[0]) && i->kind >= CORE_IS_INTEGER
           && i->kind <= CORE_IS_AT_LEAST;
}

/* A tuple of another size, or of this size after all. */
static Fact known_tuple(const CoreInstr *i, const Known *k)
{
    bool sized = k->test->kind == CORE_IS_TUPLE_OF || k->test->kind == CORE_IS_RECORD;
    bool asks = i->kind == CORE_IS_TUPLE_OF || i->kind == CORE_IS_RECORD;
    if (!sized || !asks || !k->holds) return FACT_UNKNOWN;
    if (k->test->index != i->index) return FACT_NO;
    return i->kind == CORE_IS_TUPLE_OF ? FACT_YES : FACT_UNKNOWN;
}

Fact fold_known(Fold *d, const CoreInstr *i)
{
    if (!is_stable(i)) return FACT_UNKNOWN;
    bool exact;
    uint32_t asked = kinds_of_test(d->u, i, &exact);
    uint32_t kinds = KIND_OF_ALL;
    int left = KNOWN_LOOKED_AT;
    for (const Known *k = d->here; k && left > 0; k = k->next, left--) {
        if (!core_same(k->test->args[0], i->args[0])) continue;
        if (same_claim(k->test, i)) return k->holds ? FACT_YES : FACT_NO;
        Fact tuple = known_tuple(i, k);
        if (tuple != FACT_UNKNOWN) return tuple;
        bool only;
        uint32_t shown = kinds_of_test(d->u, k->test, &only);
        if (k->holds) kinds &= shown;
        if (!k->holds && only) kinds &= ~shown;
    }
    if ((kinds & asked) == 0) return FACT_NO;
    return exact && (kinds & ~asked) == 0 ? FACT_YES : FACT_UNKNOWN;
}

void fold_known_enter(Fold *d, CoreBlockId block) { d->here = d->known[block]; }

/* A way that knows the outcome of the test it leads to goes where that would lead. */
static void known_thread(Fold *d, CoreBlockId *way, Known *known)
{
    Known *here = d->here;
    d->here = known;
    for (int n = 0; n < WAYS_FOLLOWED; n++) {
        const CoreInstr *test = fold_only_test(d, *way);
        if (!test || !core_is_test(test) || d->f->blocks.at[*way].param_count > 0) break;
        Fact outcome = fold_known(d, test);
        if (outcome == FACT_UNKNOWN) break;
        CoreBlockId to = outcome == FACT_YES ? test->then_ : test->else_;
        d->preds[*way]--;
        d->preds[to]++;
        d->known[to] = NULL;
        *way = to;
        d->changed = true;
    }
    d->here = here;
}

static Known *known_add(Fold *d, const CoreInstr *test, bool holds)
{
    Known *k = ARENA_NEW(d->scratch, Known);
    *k = (Known){d->here, test, holds};
    return k;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): CoreVisit may change the block. */
static void known_pass(void *to, CoreBlockId *block)
{
    Fold *d = to;
    if (d->preds[*block] == 1) d->known[*block] = d->here;
}

void fold_known_leave(Fold *d, CoreBlockId block)
{
    CoreInstr *last = core_last(d->f, block);
    bool shows = core_is_test(last) && (is_stable(last) || last->kind == CORE_BITS_START);
    if (!shows || !core_is_var(last->args[0]) || last->then_ == last->else_) {
        bool plain = last->kind == CORE_JUMP && last->arg_count == 0 && !d->is_before[block];
        if (plain) known_thread(d, &last->then_, d->here);
        if (core_is_test(last)) known_thread(d, &last->else_, d->here);
        core_targets(last, known_pass, d);
        return;
    }
    /* The instruction may move when its block grows: the facts keep a copy. */
    CoreInstr *copy = ARENA_NEW(d->scratch, CoreInstr);
    *copy = *last;
    copy->args = arena_copy_bytes(d->scratch, last->args, last->arg_count * sizeof *last->args);
    Known *yes = known_add(d, copy, true);
    Known *no = known_add(d, copy, false);
    if (last->dst == 0) known_thread(d, &last->then_, yes);
    known_thread(d, &last->else_, no);
    if (d->preds[last->then_] == 1) d->known[last->then_] = yes;
    if (d->preds[last->else_] == 1) d->known[last->else_] = no;
}
