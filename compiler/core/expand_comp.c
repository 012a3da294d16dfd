/* Comprehensions.  Each generator becomes a lifted function that goes along its source with an
 * accumulator: loop(Gen, Acc).  What stands to the right of a generator is expanded inside the
 * loop and gives the next accumulator, so inner loops are plain calls.  Lists and maps gather
 * their items the wrong way round and are turned at the end, a list by its outermost loop. */
#include "compiler/core/expand_parts.h"
#include "compiler/core/match.h"

typedef struct {
    const Ast *ast; /* LC, BC or MC */
    const Ast *item;
    const AstList *qualifiers;
    bool turns; /* the loop of the first generator turns the list at its end */
} Comp;

/* One generator of a loop.  A binary's state is what is left of it. */
typedef struct {
    const Ast *ast;
    CoreRef state;
    CoreRef rest;    /* the state of the next round */
    CoreRef subject; /* what the pattern is matched against */
    Ast *pattern;    /* NULL: its variables are bound by the step already */
    bool is_alone;   /* no other source in the same round */
} Gen;

static CoreRef comp_from(Expand *x, const Comp *comp, uint32_t i, CoreRef acc);

static bool gen_is_binary(const Ast *g)
{
    return g->op == OP_GEN_BIN || g->op == OP_GEN_BIN_STRICT;
}
static bool gen_is_map(const Ast *g)
{
    return g->op == OP_GEN_MAP || g->op == OP_GEN_MAP_STRICT;
}
static bool gen_is_strict(const Ast *g)
{
    return g->op == OP_GEN_LIST_STRICT || g->op == OP_GEN_BIN_STRICT
           || g->op == OP_GEN_MAP_STRICT;
}

/* ---- patterns ---- */

static Ast *rest_segment(Expand *x, NameId name, SrcPos pos)
{
    Ast *var = ast_new(x->arena, AST_VAR, pos);
    var->v.name = name;
    Ast *segment = ast_new(x->arena, AST_SEGMENT, pos);
    segment->v.seg = (AstSegSpec){.type = SEG_BITSTRING};
    segment->segment.value = var;
    return segment;
}

/* The same segment with its value left open, if nothing later can need it. */
static Ast *open_segment(Expand *x, const AstList *segments, uint32_t i)
{
    const Ast *s = segments->at[i];
    const Ast *value = s->segment.value;
    bool first = value->kind == AST_VAR;
    for (uint32_t k = 0; first && k < i; k++) {
        const Ast *earlier = segments->at[k]->segment.value;
        if (earlier->kind == AST_VAR && earlier->v.name == value->v.name) first = false;
    }
    if (first) return (Ast *)(uintptr_t)s;
    AstSegSpec spec = ast_segment_spec(s);
    if (value->kind == AST_STRING) {
        /* A string stands for one segment per character: as many bits in one. */
        Ast *skip = rest_segment(x, NAME__, s->pos);
        Ast *size = ast_new(x->arena, AST_INT, s->pos);
        int64_t each = s->segment.size && s->segment.size->kind == AST_INT
                           ? s->segment.size->v.i * spec.unit
                           : 8;
        size->v.i = each * value->v.str->n;
        skip->segment.size = size;
        return skip;
    }
    Ast *skip = rest_segment(x, NAME__, s->pos);
    skip->v.seg = spec;
    skip->segment.size = s->segment.size;
    return skip;
}

/* <<Segments, Rest/bitstring>>; `open`: every value matches. */
static Ast *bin_pattern(Expand *x, const Ast *pattern, bool open, NameId rest)
{
    const AstList *from = &pattern->bin.segments;
    Ast *bin = ast_new(x->arena, AST_BIN, pattern->pos);
    AstList *to = &bin->bin.segments;
    to->at = ARENA_ARRAY(x->arena, Ast *, from->n + 1);
    to->n = from->n + 1;
    for (uint32_t i = 0; i < from->n; i++)
        to->at[i] = open ? open_segment(x, from, i) : from->at[i];
    to->at[from->n] = rest_segment(x, rest, pattern->pos);
    return bin;
}

/* Does every value match, so that taking a step binds all that the pattern binds? */
static bool bin_is_open(Expand *x, const Ast *pattern)
{
    const AstList *segments = &pattern->bin.segments;
    for (uint32_t i = 0; i < segments->n; i++)
        if (open_segment(x, segments, i) != segments->at[i]) return false;
    return true;
}

/* K := V as {K, V}: maps are gone through as lists of pairs. */
static Ast *map_pattern(Expand *x, const Ast *field)
{
    Ast *tuple = ast_new(x->arena, AST_TUPLE, field->pos);
    tuple->tuple.items.at = ARENA_ARRAY(x->arena, Ast *, 2);
    tuple->tuple.items.at[0] = field->map_field.key;
    tuple->tuple.items.at[1] = field->map_field.value;
    tuple->tuple.items.n = 2;
    return tuple;
}

/* ---- one round of a loop ---- */

/* Is there something left?  If so go on with `rest` and `subject` known, else to `end`.  A binary
 * that is too short for the pattern has ended. */
static void source_step(Expand *x, Gen *s, CoreBlockId end)
{
    const Ast *g = s->ast;
    SrcPos pos = g->pos;
    if (!gen_is_binary(g)) {
        write_test1(x, CORE_IS_CONS, s->state, end, pos);
        s->subject = write_op1(x, CORE_HEAD, s->state, pos);
        s->rest = write_op1(x, CORE_TAIL, s->state, pos);
        s->pattern = gen_is_map(g) ? map_pattern(x, g->generate.pattern) : g->generate.pattern;
        return;
    }
    NameId rest = names_intern_text(&x->c->names, " rest");
    Ast *open = bin_pattern(x, g->generate.pattern, true, rest);
    AstList patterns = {&open, 1};
    MatchClause clause = {.patterns = &patterns, .pos = pos};
    uint32_t mark = scope_mark(x);
    match_heads(x, &clause, 1, &s->state, 1, end);
    match_enter(x, &clause);
    s->rest = scope_find(x, rest);
    s->subject = s->state;
    if (s->is_alone && bin_is_open(x, g->generate.pattern)) return;
    scope_rewind(x, mark);
    s->pattern = bin_pattern(x, g->generate.pattern, false, NAME__);
}

/* At the end of a source: a list must be [], a binary a bitstring (with nothing left if strict).
 * Goes on when all is well, else to `bad`. */
static void source_end(Expand *x, const Gen *s, bool alone, CoreBlockId bad)
{
    const Ast *g = s->ast;
    if (!gen_is_binary(g)) {
        write_test1(x, CORE_IS_NIL, s->state, bad, g->pos);
        return;
    }
    write_test1(x, CORE_IS_BITSTRING, s->state, bad, g->pos);
    if (!gen_is_strict(g)) return;
    CoreBlockId left = alone ? new_block(x) : bad;
    write_test2(x, CORE_IS_SAME, s->state, core_const(x->u, literal_empty_binary(x)), left,
                g->pos);
    if (!alone) return;
    CoreBlockId good = x->w->block;
    go_to(x, left);
    write_raise(x, CORE_BADMATCH, s->state, g->pos);
    go_to(x, good);
}

/* The next round with this accumulator. */
static void comp_again(Expand *x, const Gen *sources, uint32_t n, CoreRef acc, SrcPos pos)
{
    CoreRef *args = ARENA_ARRAY(x->arena, CoreRef, n + 1);
    for (uint32_t i = 0; i < n; i++) args[i] = sources[i].rest;
    args[n] = acc;
    scope_call_self(x, n + 1, args, pos);
}

/* Generators that do not go together: the error names what is left of each. */
static void zip_raise(Expand *x, const Gen *sources, uint32_t n, SrcPos pos)
{
    CoreRef *states = ARENA_ARRAY(x->arena, CoreRef, n);
    for (uint32_t i = 0; i < n; i++) states[i] = sources[i].state;
    CoreRef pair[2] = {core_const(x->u, text_atom(x, "bad_generators")),
                       write_tuple(x, states, n, pos)};
    write_raise(x, CORE_RAISE_ERROR, write_tuple(x, pair, 2, pos), pos);
}

/* A round whose patterns do not match: left out, unless a strict generator is to blame. */
static void comp_mismatch(Expand *x, const Gen *sources, uint32_t n, CoreRef acc, SrcPos pos)
{
    CoreRef *subjects = ARENA_ARRAY(x->arena, CoreRef, n);
    AstList patterns = {ARENA_ARRAY(x->arena, Ast *, n), 0};
    for (uint32_t i = 0; i < n; i++) {
        if (!gen_is_strict(sources[i].ast)) continue;
        subjects[patterns.n] = sources[i].subject;
        patterns.at[patterns.n++] = sources[i].pattern;
    }
    if (patterns.n == 0) {
        comp_again(x, sources, n, acc, pos);
    } else if (n == 1) {
        write_raise(x, CORE_BADMATCH, subjects[0], pos);
    } else {
        MatchClause clause = {.patterns = &patterns, .pos = pos};
        CoreBlockId bad = new_block(x);
        uint32_t mark = scope_mark(x);
        match_heads(x, &clause, 1, subjects, patterns.n, bad);
        match_enter(x, &clause);
        scope_rewind(x, mark);
        comp_again(x, sources, n, acc, pos);
        go_to(x, bad);
        zip_raise(x, sources, n, pos);
    }
}

/* The patterns of a round: the accumulator goes through what stands to the right, or stays. */
static void comp_round(Expand *x, const Comp *comp, uint32_t next, Gen *sources, uint32_t n,
                       CoreRef acc)
{
    SrcPos pos = sources[0].ast->pos;
    if (!sources[0].pattern) {
        comp_again(x, sources, n, comp_from(x, comp, next, acc), pos);
        return;
    }
    CoreRef *subjects = ARENA_ARRAY(x->arena, CoreRef, n);
    AstList patterns = {ARENA_ARRAY(x->arena, Ast *, n), n};
    for (uint32_t i = 0; i < n; i++) {
        subjects[i] = sources[i].subject;
        patterns.at[i] = sources[i].pattern;
    }
    MatchClause clause = {.patterns = &patterns, .pos = pos};
    CoreBlockId no = new_block(x);
    match_heads(x, &clause, 1, subjects, n, no);
    match_enter(x, &clause);
    comp_again(x, sources, n, comp_from(x, comp, next, acc), pos);
    go_to(x, no);
    comp_mismatch(x, sources, n, acc, pos);
}

/* All sources at once: all have an element or all have ended. */
static void comp_zip_round(Expand *x, const Comp *comp, uint32_t next, Gen *sources, uint32_t n,
                           CoreRef acc)
{
    SrcPos pos = sources[0].ast->pos;
    CoreBlockId end = new_block(x);
    CoreBlockId bad = new_block(x);
    for (uint32_t i = 0; i < n; i++) source_step(x, &sources[i], i == 0 ? end : bad);
    comp_round(x, comp, next, sources, n, acc);
    go_to(x, end);
    for (uint32_t i = 0; i < n; i++) source_end(x, &sources[i], n == 1, bad);
    if (comp->turns && next == 1) {
        CoreInstr *turn = write_instr(x, CORE_TAIL_EXT, 2, pos);
        turn->module = text_atom(x, "lists");
        turn->name = text_atom(x, "reverse");
        turn->args[0] = acc;
        turn->args[1] = core_const(x->u, TERM_NIL);
    } else {
        write_return(x, acc, pos);
    }
    go_to(x, bad);
    if (n == 1)
        write_error2(x, ATOM_BAD_GENERATOR, sources[0].state, pos);
    else
        zip_raise(x, sources, n, pos);
}

/* ---- from the outside ---- */

/* What a loop starts with.  A map becomes the list of its pairs. */
static CoreRef source_start(Expand *x, const Ast *g)
{
    CoreRef value = expand_expr(x, g->generate.source);
    if (!gen_is_map(g)) return value;
    CoreBlockId not_map = new_block(x);
    CoreBlockId bad = new_block(x);
    write_test1(x, CORE_IS_MAP, value, not_map, g->pos);
    CoreBlockId good = new_block(x);
    write_jump(x, good, g->pos);
    go_to(x, not_map);
    write_test1(x, CORE_IS_TUPLE, value, bad, g->pos);
    write_jump(x, good, g->pos);
    go_to(x, bad);
    write_error2(x, ATOM_BAD_GENERATOR, value, g->pos);
    go_to(x, good);
    return write_apply(x, text_atom(x, "maps"), text_atom(x, "to_list"), 1, &value, g->pos);
}

static Term comp_name(Expand *x, const Comp *comp)
{
    static const char *const kinds[] = {"lc", "lbc", "mc"};
    int kind = comp->ast->kind == AST_LC ? 0 : comp->ast->kind == AST_BC ? 1 : 2;
    const char *what =
        arena_printf(x->arena, "%s$^%u/%d", kinds[kind], x->fun_counter++, kind == 1 ? 2 : 1);
    return generated_name(x, what, x->loop_counter++);
}

static CoreRef comp_generate(Expand *x, const Comp *comp, uint32_t next,
                             const AstList *generators, CoreRef acc)
{
    uint32_t n = generators->n;
    SrcPos pos = generators->at[0]->pos;
    CoreRef *args = ARENA_ARRAY(x->arena, CoreRef, n + 1);
    for (uint32_t i = 0; i < n; i++) args[i] = source_start(x, generators->at[i]);
    args[n] = acc;
    Writing *w = scope_enter(x, comp_name(x, comp), n + 1, true, comp->ast->pos);
    Gen *sources = ARENA_ARRAY(x->arena, Gen, n);
    for (uint32_t i = 0; i < n; i++)
        sources[i] = (Gen){
            .ast = generators->at[i], .state = core_var(w->f->params[i]), .is_alone = n == 1};
    comp_zip_round(x, comp, next, sources, n, core_var(w->f->params[n]));
    scope_leave(x);
    /* OTP's loops over lists have no accumulator, and stack traces show the arity. */
    if (comp->ast->kind != AST_BC) w->f->shown_arity--;
    return scope_call_lifted(x, w, n + 1, args, pos);
}

static CoreRef comp_item(Expand *x, const Comp *comp, CoreRef acc)
{
    SrcPos pos = comp->item->pos;
    if (comp->ast->kind == AST_BC) {
        if (comp->item->kind == AST_BIN) return expand_bin_onto(x, acc, comp->item, 0);
        CoreRef value = expand_expr(x, comp->item);
        return write_append_bits(x, acc, value, pos);
    }
    if (comp->ast->kind == AST_LC) {
        CoreRef item = expand_expr(x, comp->item);
        return write_op2(x, CORE_CONS, item, acc, pos);
    }
    CoreRef pair[2];
    pair[0] = expand_expr(x, comp->item->map_field.key);
    pair[1] = expand_expr(x, comp->item->map_field.value);
    return write_op2(x, CORE_CONS, write_tuple(x, pair, 2, pos), acc, pos);
}

/* A filter: one that could be a guard fails silently, any other must give true or false.  Goes
 * on where it holds, else to `no`. */
static void comp_filter(Expand *x, const Ast *filter, CoreBlockId no)
{
    CoreBlockId yes = new_block(x);
    if (is_guard_expr(x, filter)) {
        expand_condition(x, filter, yes, no, no);
    } else {
        CoreBlockId bad = new_block(x);
        CoreRef value = expand_expr(x, filter);
        condition_value(x, value, yes, no, bad, filter->pos);
        go_to(x, bad);
        write_error2(x, ATOM_BAD_FILTER, value, filter->pos);
    }
    go_to(x, yes);
}

static bool is_filter(const Ast *qualifier)
{
    return qualifier->kind != AST_GENERATE && qualifier->kind != AST_ZIP;
}

/* All filters from qualifier i on, in a loop: there may be many. */
static CoreRef comp_filters(Expand *x, const Comp *comp, uint32_t i, CoreRef acc)
{
    SrcPos pos = comp->qualifiers->at[i]->pos;
    CoreBlockId no = new_block(x);
    Merge m;
    merge_begin(x, &m, false);
    m.no_exports = true;
    for (; i < comp->qualifiers->n && is_filter(comp->qualifiers->at[i]); i++)
        comp_filter(x, comp->qualifiers->at[i], no);
    merge_value(x, &m, comp_from(x, comp, i, acc), pos);
    go_to(x, no);
    merge_value(x, &m, acc, pos);
    return merge_end(x, &m, pos);
}

/* The accumulator behind all that qualifiers i... give. */
static CoreRef comp_from(Expand *x, const Comp *comp, uint32_t i, CoreRef acc)
{
    if (i == comp->qualifiers->n) return comp_item(x, comp, acc);
    Ast *q = comp->qualifiers->at[i];
    AstList one = {&q, 1};
    if (q->kind == AST_GENERATE) return comp_generate(x, comp, i + 1, &one, acc);
    if (q->kind == AST_ZIP) return comp_generate(x, comp, i + 1, &q->zip.generators, acc);
    return comp_filters(x, comp, i, acc);
}

CoreRef expand_comprehension(Expand *x, const Ast *a)
{
    Comp comp = {.ast = a};
    switch (a->kind) {
    case AST_LC:
        comp.item = a->lc.item;
        comp.qualifiers = &a->lc.qualifiers;
        break;
    case AST_BC:
        comp.item = a->bc.item;
        comp.qualifiers = &a->bc.qualifiers;
        break;
    default:
        comp.item = a->mc.item;
        comp.qualifiers = &a->mc.qualifiers;
        break;
    }
    uint32_t mark = scope_mark(x);
    bool is_bin = a->kind == AST_BC;
    CoreRef start = core_const(x->u, is_bin ? literal_empty_binary(x) : TERM_NIL);
    uint8_t first = comp.qualifiers->at[0]->kind;
    comp.turns = a->kind == AST_LC && (first == AST_GENERATE || first == AST_ZIP);
    CoreRef acc = comp_from(x, &comp, 0, start);
    scope_rewind(x, mark);
    if (is_bin || comp.turns) return acc;
    CoreRef args[2] = {acc, core_const(x->u, TERM_NIL)};
    CoreRef list =
        write_apply(x, text_atom(x, "lists"), text_atom(x, "reverse"), 2, args, a->pos);
    if (a->kind == AST_LC) return list;
    return write_apply(x, text_atom(x, "maps"), text_atom(x, "from_list"), 1, &list, a->pos);
}
