/* Guards and bodies of match specifications. */
#include "vm/ets/ets_match_parts.h"

#include "vm/base/mem.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/order.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

typedef struct MatchName {
    const char *text;
    uint8_t form;
    int8_t arity; /* of a call */
} MatchName;

#define CALL(text, arity)            \
    {                                \
        text, MATCH_FORM_CALL, arity \
    }
#define FORM(text, form)            \
    {                               \
        text, MATCH_FORM_##form, -1 \
    }

static const MatchName match_names[] = {CALL("is_atom", 1),
                                        CALL("is_float", 1),
                                        CALL("is_integer", 1),
                                        CALL("is_list", 1),
                                        CALL("is_number", 1),
                                        CALL("is_pid", 1),
                                        CALL("is_port", 1),
                                        CALL("is_reference", 1),
                                        CALL("is_tuple", 1),
                                        CALL("is_map", 1),
                                        CALL("is_map_key", 2),
                                        CALL("is_binary", 1),
                                        CALL("is_function", 1),
                                        CALL("is_record", 3),
                                        CALL("not", 1),
                                        CALL("xor", 2),
                                        CALL("abs", 1),
                                        CALL("element", 2),
                                        CALL("hd", 1),
                                        CALL("length", 1),
                                        CALL("map_get", 2),
                                        CALL("map_size", 1),
                                        CALL("max", 2),
                                        CALL("min", 2),
                                        CALL("node", 0),
                                        CALL("node", 1),
                                        CALL("float", 1),
                                        CALL("round", 1),
                                        CALL("floor", 1),
                                        CALL("ceil", 1),
                                        CALL("size", 1),
                                        CALL("bit_size", 1),
                                        CALL("byte_size", 1),
                                        CALL("tuple_size", 1),
                                        CALL("tl", 1),
                                        CALL("trunc", 1),
                                        CALL("binary_part", 2),
                                        CALL("binary_part", 3),
                                        CALL("+", 1),
                                        CALL("-", 1),
                                        CALL("+", 2),
                                        CALL("-", 2),
                                        CALL("*", 2),
                                        CALL("/", 2),
                                        CALL("div", 2),
                                        CALL("rem", 2),
                                        CALL("band", 2),
                                        CALL("bor", 2),
                                        CALL("bxor", 2),
                                        CALL("bnot", 1),
                                        CALL("bsl", 2),
                                        CALL("bsr", 2),
                                        CALL(">", 2),
                                        CALL(">=", 2),
                                        CALL("<", 2),
                                        CALL("=<", 2),
                                        CALL("=:=", 2),
                                        CALL("==", 2),
                                        CALL("=/=", 2),
                                        CALL("/=", 2),
                                        FORM("const", CONST),
                                        FORM("and", AND),
                                        FORM("or", OR),
                                        FORM("andalso", ANDALSO),
                                        FORM("orelse", ORELSE),
                                        FORM("self", SELF),
                                        FORM("is_seq_trace", TRACE),
                                        FORM("set_seq_token", TRACE),
                                        FORM("get_seq_token", TRACE),
                                        FORM("message", TRACE),
                                        FORM("return_trace", TRACE),
                                        FORM("exception_trace", TRACE),
                                        FORM("process_dump", TRACE),
                                        FORM("enable_trace", TRACE),
                                        FORM("disable_trace", TRACE),
                                        FORM("trace", TRACE),
                                        FORM("display", TRACE),
                                        FORM("caller", TRACE),
                                        FORM("caller_line", TRACE),
                                        FORM("silent", TRACE),
                                        FORM("set_tcw", WORD),
                                        FORM("get_tcw", WORD)};

#define NAME_COUNT (sizeof match_names / sizeof match_names[0])

struct MatchNames {
    Term name[NAME_COUNT];
    uint32_t row[NAME_COUNT];
};

MatchNames *ets_match_names_new(Mem *mem, AtomTable *atoms)
{
    MatchNames *names = mem_alloc_zero(mem, MEM_TABLE, sizeof *names);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const MatchName *n = &match_names[i];
        names->name[i] = atom_make(atoms, n->text);
        if (n->form != MATCH_FORM_CALL) continue;
        int row = tables_bif_find("erlang", 6, n->text, strlen(n->text), (unsigned)n->arity);
        CHECK(row >= 0);
        names->row[i] = (uint32_t)row;
    }
    return names;
}

void ets_match_names_delete(MatchNames *names, Mem *mem)
{
    mem_free(mem, MEM_TABLE, names, sizeof *names);
}

MatchForm ets_match_form(const MatchNames *names, Term name, size_t arity, uint32_t *row)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (!term_same(names->name[i], name)) continue;
        if (match_names[i].arity >= 0 && (size_t)match_names[i].arity != arity) continue;
        *row = names->row[i];
        return (MatchForm)match_names[i].form;
    }
    return MATCH_FORM_NONE;
}

/* ---- expressions ---- */

/*
 * On the walk stand expressions still to compile, and steps to append when those above them are
 * done: [n][taken][kind].  A step that jumps is chained to the one before it of the same form: the
 * chain's head is in `chains`, and JOB_LAND sets them all.
 */
typedef struct Job {
    Walk walk;
    VEC(uint32_t) chains; /* position + 1 of the newest jump of a form, 0 at first */
} Job;

enum { JOB_EXPRESSION, JOB_STEP, JOB_JUMP, JOB_LAND };

static void job_push(Job *j, Word a, Word b, Word kind)
{
    walk_reserve(&j->walk, 3);
    walk_push(&j->walk, a);
    walk_push(&j->walk, b);
    walk_push(&j->walk, kind);
}

static void job_expression(Job *j, Term t) { job_push(j, t.w, 0, JOB_EXPRESSION); }

static void job_step(Job *j, MatchOp op, size_t n, size_t taken)
{
    job_push(j, (Word)op | (Word)n << 8, taken, JOB_STEP);
}

static void expression_constant(MatchCompiler *c, Term t)
{
    (void)ets_match_step(c, MATCH_CONST, 0, t, 0, 1);
}

static void expression_atom(MatchCompiler *c, Term t)
{
    int64_t number;
    const char *text = atom_text(c->atoms, t);
    if (strcmp(text, "$_") == 0) {
        (void)ets_match_step(c, MATCH_OBJECT, 0, TERM_NIL, 0, 1);
    } else if (strcmp(text, "$$") == 0) {
        (void)ets_match_step(c, MATCH_ALL, 0, TERM_NIL, 0, 1);
    } else if (ets_match_is_variable(c->atoms, t, &number) && number >= 0) {
        int64_t at = ets_match_bound(c, number);
        if (at < 0) {
            char name[32];
            snprintf(name, sizeof name, "Variable $%lld", (long long)number);
            ets_match_wrong(c, name, TERM_NONE, " is unbound.");
            return;
        }
        (void)ets_match_step(c, MATCH_VARIABLE, (uint32_t)at, TERM_NIL, 0, 1);
    } else {
        expression_constant(c, t);
    }
}

static void expression_tuple(Job *j, Term tuple)
{
    size_t n = tuple_size(tuple);
    job_step(j, MATCH_MAKE_TUPLE, n, n);
    for (size_t i = n; i > 0; i--) job_expression(j, tuple_at(tuple, i - 1));
}

static void expression_map(Job *j, Term map)
{
    size_t n = map_size(map);
    job_step(j, MATCH_MAKE_MAP, n, 2 * n);
    /* Evaluated in the map's order: of two keys that become one, the later one's value stays. */
    Walk pairs;
    walk_init(&pairs, j->walk.mem);
    MapIter it = map_iter(map);
    Term key;
    Term value;
    while (map_next(&it, &key, &value)) {
        walk_reserve(&pairs, 2);
        walk_push(&pairs, key.w);
        walk_push(&pairs, value.w);
    }
    while (!walk_is_empty(&pairs)) job_expression(j, TERM_RAW(walk_pop(&pairs)));
    walk_free(&pairs);
}

/* andalso, orelse: after each argument but the last one, a jump to the end if that decides. */
static void expression_lazy(Job *j, Term call, MatchOp op)
{
    size_t n = tuple_size(call) - 1;
    size_t chain = j->chains.count;
    VEC_PUSH(&j->chains, 0u);
    job_push(j, chain, 0, JOB_LAND);
    for (size_t i = n; i > 0; i--) {
        if (i < n) job_push(j, chain, (Word)op, JOB_JUMP);
        job_expression(j, tuple_at(call, i));
    }
}

/* Words that the language reserves are not quoted here. */
static void expression_no_function(MatchCompiler *c, Term name, size_t arity, const char *why)
{
    char text[LIMIT_ATOM_CHARACTERS * 4 + 100];
    const char *shown = atom_text(c->atoms, name);
    if (shown[strspn(shown, "abcdefghijklmnopqrstuvwxyz")] == 0 && shown[0] != 0) {
        snprintf(text, sizeof text, "Function %s/%zu %s", shown, arity, why);
        ets_match_wrong(c, text, TERM_NONE, "");
        return;
    }
    snprintf(text, sizeof text, "/%zu %s", arity, why);
    ets_match_wrong(c, "Function ", name, text);
}

static void expression_no_arguments(MatchCompiler *c, Term call)
{
    char text[100];
    const char *name = atom_text(c->atoms, tuple_at(call, 0));
    snprintf(text, sizeof text, "Special form '%s' called without arguments in {%s}.", name,
             name);
    ets_match_wrong(c, text, TERM_NONE, "");
}

static void expression_trace(MatchCompiler *c, Term name)
{
    char text[100];
    const char *shown = atom_text(c->atoms, name);
    /* Known by two names, one of them in what is said about it. */
    if (strcmp(shown, "set_seq_token") == 0) shown = "set_seq_trace";
    snprintf(text, sizeof text, "Special form '%s' used in wrong dialect.", shown);
    ets_match_wrong(c, text, TERM_NONE, "");
}

static void expression_call(MatchCompiler *c, Job *j, Term call)
{
    Term name = tuple_at(call, 0);
    size_t n = tuple_size(call) - 1;
    uint32_t row = 0;
    MatchForm form = ets_match_form(c->names, name, n, &row);
    if (form >= MATCH_FORM_AND && form <= MATCH_FORM_ORELSE && n == 0) {
        expression_no_arguments(c, call);
        return;
    }
    switch (form) {
    case MATCH_FORM_NONE: expression_no_function(c, name, n, "does_not_exist."); return;
    case MATCH_FORM_CONST:
        if (n == 1)
            expression_constant(c, tuple_at(call, 1));
        else
            ets_match_wrong(c, "Special form 'const' called with more than one argument in ",
                            call, ".");
        return;
    case MATCH_FORM_SELF:
        if (n == 0)
            (void)ets_match_step(c, MATCH_SELF, 0, TERM_NIL, 0, 1);
        else
            ets_match_wrong(c, "Special form 'self' called with arguments in ", call, ".");
        return;
    case MATCH_FORM_TRACE: expression_trace(c, name); return;
    case MATCH_FORM_WORD:
        expression_no_function(c, name, n, "cannot be called in this context.");
        return;
    case MATCH_FORM_ANDALSO: expression_lazy(j, call, MATCH_ANDALSO); return;
    case MATCH_FORM_ORELSE: expression_lazy(j, call, MATCH_ORELSE); return;
    case MATCH_FORM_AND: job_step(j, MATCH_AND, n, n); break;
    case MATCH_FORM_OR: job_step(j, MATCH_OR, n, n); break;
    case MATCH_FORM_CALL: job_step(j, MATCH_CALL, row, n); break;
    }
    for (size_t i = n; i > 0; i--) job_expression(j, tuple_at(call, i));
}

static void expression(MatchCompiler *c, Job *j, Term t)
{
    if (term_is_atom(t)) {
        expression_atom(c, t);
    } else if (term_is_cons(t)) {
        job_step(j, MATCH_MAKE_CONS, 0, 2);
        job_expression(j, list_tail(t));
        job_expression(j, list_head(t));
    } else if (term_is_map(t)) {
        expression_map(j, t);
    } else if (!term_is_tuple(t)) {
        expression_constant(c, t);
    } else if (tuple_size(t) == 1 && term_is_tuple(tuple_at(t, 0))) {
        expression_tuple(j, tuple_at(t, 0));
    } else if (tuple_size(t) > 0 && term_is_atom(tuple_at(t, 0))) {
        expression_call(c, j, t);
    } else {
        ets_match_wrong(
            c, "", t,
            " is neither a function call, nor a tuple (tuples are written {{ ... }}).");
    }
}

static void job_jump(MatchCompiler *c, Job *j, size_t chain, MatchOp op)
{
    uint32_t at = ets_match_step(c, op, j->chains.at[chain], TERM_NIL, 1, 0);
    j->chains.at[chain] = at + 1;
}

static void job_land(MatchCompiler *c, const Job *j, size_t chain)
{
    for (uint32_t at = j->chains.at[chain]; at != 0;) {
        MatchStep *step = &c->program->steps.at[at - 1];
        at = step->n;
        step->n = (uint32_t)c->program->steps.count;
    }
}

/* Code that leaves the value of one expression on the stack. */
static void match_expression(MatchCompiler *c, Term t)
{
    Job j = {0};
    walk_init(&j.walk, c->program->mem);
    job_expression(&j, t);
    while (!walk_is_empty(&j.walk)) {
        Word kind = walk_pop(&j.walk);
        Word b = walk_pop(&j.walk);
        Word a = walk_pop(&j.walk);
        if (kind == JOB_EXPRESSION)
            expression(c, &j, TERM_RAW(a));
        else if (kind == JOB_STEP)
            (void)ets_match_step(c, (MatchOp)(a & 0xFF), (uint32_t)(a >> 8),
                                 TERM_RAW(small_from((int64_t)b).w), (uint32_t)b, 1);
        else if (kind == JOB_JUMP)
            job_jump(c, &j, a, (MatchOp)b);
        else
            job_land(c, &j, a);
    }
    VEC_FREE(&j.chains);
    walk_free(&j.walk);
}

static bool match_is_list(MatchCompiler *c, Term list)
{
    if (!term_is_list(list)) {
        ets_match_wrong(c, "Match expression is not a list.", TERM_NONE, "");
        return false;
    }
    while (term_is_cons(list)) list = list_tail(list);
    if (!term_is_nil(list))
        ets_match_wrong(c, "Match expression is not a proper list.", TERM_NONE, "");
    return term_is_nil(list);
}

void ets_match_guards(MatchCompiler *c, Term guards)
{
    if (!match_is_list(c, guards)) return;
    for (; term_is_cons(guards); guards = list_tail(guards)) {
        c->depth = 0;
        match_expression(c, list_head(guards));
        (void)ets_match_step(c, MATCH_HOLDS, 0, TERM_NIL, 1, 0);
    }
}

void ets_match_body(MatchCompiler *c, Term body)
{
    if (!term_is_cons(body)) {
        ets_match_wrong(c, "Body clause does not return anything.", TERM_NONE, "");
        return;
    }
    if (!match_is_list(c, body)) return;
    for (; term_is_cons(body); body = list_tail(body)) {
        c->depth = 0;
        match_expression(c, list_head(body));
        bool last = term_is_nil(list_tail(body));
        (void)ets_match_step(c, last ? MATCH_GIVE : MATCH_DROP, 0, TERM_NIL, 1, 0);
    }
}

/* ---- does the result have the key of what it came from? ---- */

/* Is `made`, an expression, certain to give what `pattern` has matched? */
static bool keeps(const AtomTable *atoms, Term pattern, Term made)
{
    Walk w;
    walk_init(&w, NULL);
    walk_reserve(&w, 2);
    walk_push(&w, pattern.w);
    walk_push(&w, made.w);
    bool same = true;
    int64_t number;
    while (same && !walk_is_empty(&w)) {
        Term m = TERM_RAW(walk_pop(&w));
        Term t = TERM_RAW(walk_pop(&w));
        if (ets_match_is_variable(atoms, t, &number)) {
            same = number >= 0 && term_same(t, m);
        } else if (term_is_tuple_of(m, 2) && term_is_the_atom(tuple_at(m, 0), ATOM_CONST)) {
            same = ets_match_is_ground(atoms, t) && order_same(t, tuple_at(m, 1));
        } else if (term_is_cons(t) && term_is_cons(m)) {
            walk_reserve(&w, 4);
            walk_push(&w, list_tail(t).w);
            walk_push(&w, list_tail(m).w);
            walk_push(&w, list_head(t).w);
            walk_push(&w, list_head(m).w);
        } else if (term_is_tuple(t)) {
            same = term_is_tuple_of(m, 1) && term_is_tuple_of(tuple_at(m, 0), tuple_size(t));
            for (size_t i = 0; same && i < tuple_size(t); i++) {
                walk_reserve(&w, 2);
                walk_push(&w, tuple_at(t, i).w);
                walk_push(&w, tuple_at(tuple_at(m, 0), i).w);
            }
        } else {
            same = !term_is_cons(t) && !term_is_map(t) && order_same(t, m);
        }
    }
    walk_free(&w);
    return same;
}

/* {element, KeyPos, '$_'} */
static bool is_key_of_object(const AtomTable *atoms, Term t, size_t keypos)
{
    return term_is_tuple_of(t, 3) && term_is_the_atom(tuple_at(t, 0), ATOM_ELEMENT)
           && term_same(tuple_at(t, 1), small_from((int64_t)keypos + 1))
           && term_is_atom(tuple_at(t, 2))
           && strcmp(atom_text(atoms, tuple_at(t, 2)), "$_") == 0;
}

static bool clause_keeps_key(const MatchClause *clause, const AtomTable *atoms, size_t keypos)
{
    if (!term_is_nil(list_tail(clause->body))) return false;
    Term made = list_head(clause->body);
    if (term_is_atom(made)) return strcmp(atom_text(atoms, made), "$_") == 0;
    if (!term_is_tuple(made)) return false;
    bool constant =
        term_is_tuple_of(made, 2) && term_is_the_atom(tuple_at(made, 0), ATOM_CONST);
    if (!constant && !term_is_tuple_of(made, 1)) return false;
    Term tuple = tuple_at(made, constant ? 1 : 0);
    if (!term_is_tuple(tuple) || tuple_size(tuple) <= keypos) return false;
    Term key = tuple_at(tuple, keypos);
    if (!constant && is_key_of_object(atoms, key, keypos)) return true;
    if (!term_is_tuple(clause->head) || tuple_size(clause->head) <= keypos) return false;
    Term pattern = tuple_at(clause->head, keypos);
    if (constant) return ets_match_is_ground(atoms, pattern) && order_same(pattern, key);
    return keeps(atoms, pattern, key);
}

bool ets_match_keeps_key(const EtsProgram *program, const AtomTable *atoms, size_t keypos)
{
    for (size_t i = 0; i < program->clauses.count; i++)
        if (!clause_keeps_key(&program->clauses.at[i], atoms, keypos)) return false;
    return true;
}
