#include "vm/ets/ets_match_parts.h"

#include "vm/base/mem.h"
#include "vm/term/copy.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/order.h"
#include "vm/term/print.h"

/* ---- variables ---- */

/* '$N' with N below 2^31, without leading zeros. */
bool ets_match_is_variable(const AtomTable *atoms, Term t, int64_t *number)
{
    if (!term_is_atom(t)) return false;
    const char *text = atom_text(atoms, t);
    size_t n = atom_length(atoms, t);
    *number = -1;
    if (n == 1 && text[0] == '_') return true;
    if (n < 2 || n > 11 || text[0] != '$' || (n > 2 && text[1] == '0')) return false;
    int64_t value = 0;
    for (size_t i = 1; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    *number = value;
    return value <= INT32_MAX;
}

/* Keys and values of a map. */
static void push_map(Walk *w, Term map)
{
    MapIter it = map_iter(map);
    Term key;
    Term value;
    while (map_next(&it, &key, &value)) {
        walk_push(w, key.w);
        walk_push(w, value.w);
    }
}

/* Has it no variables, and no maps unless those may be there?  False also when more than
 * `limit` parts have been looked at. */
static bool pattern_is_ground(const AtomTable *atoms, Term pattern, bool maps, size_t limit)
{
    Walk w;
    walk_init(&w, NULL);
    walk_push(&w, pattern.w);
    bool ground = true;
    int64_t number;
    while (ground && !walk_is_empty(&w)) {
        Term t = TERM_RAW(walk_pop(&w));
        for (; term_is_cons(t) && limit > 0; t = list_tail(t), limit--)
            walk_push(&w, list_head(t).w);
        if (limit-- <= 1 || (term_is_map(t) && !maps)
            || ets_match_is_variable(atoms, t, &number))
            ground = false;
        if (term_is_map(t)) push_map(&w, t);
        if (term_is_tuple(t))
            for (size_t i = 0; i < tuple_size(t); i++) walk_push(&w, tuple_at(t, i).w);
    }
    walk_free(&w);
    return ground;
}

bool ets_match_is_ground(const AtomTable *atoms, Term pattern)
{
    return pattern_is_ground(atoms, pattern, false, SIZE_MAX);
}

bool ets_match_is_bound(const AtomTable *atoms, Term pattern)
{
    return pattern_is_ground(atoms, pattern, true, SIZE_MAX);
}

int64_t ets_match_bound(const MatchCompiler *c, int64_t number)
{
    for (size_t i = 0; i < c->variables.count; i++)
        if (c->variables.at[i] == number) return (int64_t)i;
    return -1;
}

/* ---- steps and errors ---- */

uint32_t ets_match_step(MatchCompiler *c, MatchOp op, uint32_t n, Term constant, uint32_t taken,
                        uint32_t left)
{
    EtsProgram *program = c->program;
    c->depth = c->depth - taken + left;
    if (c->depth > program->depth) program->depth = c->depth;
    VEC_PUSH(&program->steps, ((MatchStep){(uint32_t)op, n, constant.w}));
    return (uint32_t)program->steps.count - 1;
}

void ets_match_wrong(MatchCompiler *c, const char *before, Term t, const char *after)
{
    c->failed = true;
    if (c->errors == NULL) return;
    Bytes text = {0};
    bytes_printf(&text, "%s", before);
    if (!term_is_none(t)) print_term(&text, c->atoms, t, PRINT_STRINGS);
    bytes_printf(&text, "%s", after);
    VEC_PUSH(c->errors, text);
}

void ets_match_errors_free(MatchErrors *errors)
{
    VEC_EACH (Bytes, text, errors) bytes_free(text);
    VEC_FREE(errors);
}

/* ---- patterns ---- */

/* Parts looked at to see that a pattern is a constant: larger ones are taken apart. */
#define PATTERN_LOOK 64

static void pattern_variable(MatchCompiler *c, int64_t number)
{
    if (number < 0) {
        (void)ets_match_step(c, MATCH_ANY, 0, TERM_NIL, 1, 0);
        return;
    }
    int64_t at = ets_match_bound(c, number);
    if (at >= 0) {
        (void)ets_match_step(c, MATCH_SAME, (uint32_t)at, TERM_NIL, 1, 0);
        return;
    }
    VEC_PUSH(&c->variables, number);
    (void)ets_match_step(c, MATCH_BIND, (uint32_t)c->variables.count - 1, TERM_NIL, 1, 0);
}

static void pattern_key_check(MatchCompiler *c, Term key)
{
    int64_t number;
    Walk w;
    walk_init(&w, NULL);
    walk_push(&w, key.w);
    while (!walk_is_empty(&w)) {
        Term t = TERM_RAW(walk_pop(&w));
        for (; term_is_cons(t); t = list_tail(t)) walk_push(&w, list_head(t).w);
        if (ets_match_is_variable(c->atoms, t, &number)) {
            ets_match_wrong(c, number < 0 ? "Underscore" : "Variable", TERM_NONE,
                            " found in map key.");
            break;
        }
        if (term_is_tuple(t))
            for (size_t i = 0; i < tuple_size(t); i++) walk_push(&w, tuple_at(t, i).w);
    }
    walk_free(&w);
}

static void pattern_map(MatchCompiler *c, Term map, Walk *rest)
{
    uint32_t n = (uint32_t)map_size(map);
    size_t first = rest->count;
    MapIter it = map_iter(map);
    Term key;
    Term value;
    (void)ets_match_step(c, MATCH_MAP, n, TERM_NIL, 1, n);
    while (map_next(&it, &key, &value)) {
        pattern_key_check(c, key);
        if (c->failed) return;
        VEC_PUSH(&c->program->steps, ((MatchStep){MATCH_CONST, 0, key.w}));
        walk_push(rest, value.w);
    }
    /* What was pushed last is matched first: so are the values. */
    ASSERT(rest->count == first + n);
}

/* One part of a pattern; its own parts go on `rest`. */
static void pattern_part(MatchCompiler *c, Term t, Walk *rest)
{
    int64_t number;
    if (ets_match_is_variable(c->atoms, t, &number)) {
        pattern_variable(c, number);
    } else if (term_is_atomic(t)) {
        (void)ets_match_step(c, MATCH_WORD, 0, t, 1, 0);
    } else if (term_is_map(t)) {
        pattern_map(c, t, rest);
    } else if ((!term_is_cons(t) && !term_is_tuple(t))
               || pattern_is_ground(c->atoms, t, false, PATTERN_LOOK)) {
        (void)ets_match_step(c, MATCH_EQUAL, 0, t, 1, 0);
    } else if (term_is_cons(t)) {
        (void)ets_match_step(c, MATCH_CONS, 0, TERM_NIL, 1, 2);
        walk_push(rest, list_tail(t).w);
        walk_push(rest, list_head(t).w);
    } else {
        uint32_t n = (uint32_t)tuple_size(t);
        (void)ets_match_step(c, MATCH_TUPLE, n, TERM_NIL, 1, n);
        for (size_t i = n; i > 0; i--) walk_push(rest, tuple_at(t, i - 1).w);
    }
}

static void match_pattern(MatchCompiler *c, Term head)
{
    Walk rest;
    walk_init(&rest, c->program->mem);
    walk_push(&rest, head.w);
    c->depth = 1;
    if (c->program->depth < 1) c->program->depth = 1;
    while (!walk_is_empty(&rest) && !c->failed)
        pattern_part(c, TERM_RAW(walk_pop(&rest)), &rest);
    walk_free(&rest);
}

/* ---- clauses ---- */

/* The variables of the clause in the order of their numbers, for $$: count, then indexes. */
static void match_order(MatchCompiler *c)
{
    EtsProgram *program = c->program;
    uint32_t n = (uint32_t)c->variables.count;
    if (n > program->variables) program->variables = n;
    VEC_PUSH(&program->order, n);
    size_t start = program->order.count;
    for (uint32_t i = 0; i < n; i++) {
        VEC_PUSH(&program->order, i);
        for (size_t at = program->order.count - 1; at > start; at--) {
            uint32_t *pair = &program->order.at[at - 1];
            if (c->variables.at[pair[0]] <= c->variables.at[pair[1]]) break;
            uint32_t swap = pair[0];
            pair[0] = pair[1];
            pair[1] = swap;
        }
    }
}

static bool match_is_object_body(const AtomTable *atoms, Term body)
{
    if (!term_is_cons(body) || !term_is_nil(list_tail(body))) return false;
    Term t = list_head(body);
    return term_is_atom(t) && atom_length(atoms, t) == 2 && atom_text(atoms, t)[0] == '$'
           && atom_text(atoms, t)[1] == '_';
}

static void match_clause(MatchCompiler *c, Term clause)
{
    EtsProgram *program = c->program;
    VEC_CLEAR(&c->variables);
    MatchClause made = {.head = tuple_at(clause, 0),
                        .body = tuple_at(clause, 2),
                        .first = (uint32_t)program->steps.count};
    match_pattern(c, made.head);
    if (c->failed) return;
    made.order = (uint32_t)program->order.count;
    match_order(c);
    c->depth = 0;
    ets_match_guards(c, tuple_at(clause, 1));
    (void)ets_match_step(c, MATCH_BODY, 0, TERM_NIL, 0, 0);
    ets_match_body(c, made.body);
    made.end = (uint32_t)program->steps.count;
    VEC_PUSH(&program->clauses, made);
    if (!match_is_object_body(c->atoms, made.body)) program->gives_objects = false;
}

static bool match_shape(MatchCompiler *c, Term source)
{
    if (!term_is_cons(source)) {
        ets_match_wrong(c, "Match programs are not in a list.", TERM_NONE, "");
        return false;
    }
    bool tuples = true;
    for (; term_is_cons(source); source = list_tail(source))
        tuples = tuples && term_is_tuple_of(list_head(source), 3);
    if (!term_is_nil(source))
        ets_match_wrong(c, "Match programs are not in a proper list.", TERM_NONE, "");
    else if (!tuples)
        ets_match_wrong(c, "Match program part is not a tuple of arity 3.", TERM_NONE, "");
    return !c->failed;
}

static void program_release(Counted *object)
{
    EtsProgram *program = (EtsProgram *)object;
    VEC_FREE(&program->steps);
    VEC_FREE(&program->clauses);
    VEC_FREE(&program->order);
    heap_release(&program->heap);
    mem_free(program->mem, MEM_WORK, program, sizeof *program);
}

bool ets_match_is_program(const Counted *object) { return object->release == program_release; }

static EtsProgram *program_new(Mem *mem, Term source)
{
    EtsProgram *program = mem_try_alloc(mem, MEM_WORK, sizeof *program);
    if (program == NULL) return NULL;
    *program = (EtsProgram){.mem = mem, .gives_objects = true};
    atomic_store_relaxed(&program->counted.references, 1);
    program->counted.release = program_release;
    program->counted.bytes = sizeof *program;
    VEC_IN_MEM(&program->steps, mem, MEM_WORK);
    VEC_IN_MEM(&program->clauses, mem, MEM_WORK);
    VEC_IN_MEM(&program->order, mem, MEM_WORK);
    heap_init_detached(&program->heap, mem);
    program->source = copy_term(&program->heap, source, SIZE_MAX, NULL);
    if (!term_is_none(program->source)) return program;
    program_release(&program->counted);
    return NULL;
}

EtsProgram *ets_match_compile(const MatchNames *names, const AtomTable *atoms, Mem *mem,
                              Term source, MatchErrors *errors, bool *refused)
{
    MatchCompiler c = {.names = names, .atoms = atoms, .errors = errors};
    *refused = false;
    if (!match_shape(&c, source)) return NULL;
    c.program = program_new(mem, source);
    *refused = c.program == NULL;
    if (c.program == NULL) return NULL;
    VEC_IN_MEM(&c.variables, mem, MEM_WORK);
    for (Term l = c.program->source; term_is_cons(l) && !c.failed; l = list_tail(l))
        match_clause(&c, list_head(l));
    VEC_FREE(&c.variables);
    if (!c.failed) return c.program;
    ets_match_drop(c.program);
    return NULL;
}
