#include "compiler/core/expand_parts.h"

#include "compiler/source/builtins.h"

#include <string.h>

enum {
    ROW_GUARD,
    ROW_GUARD_LONG,
    ROW_PLAIN,
    ROW_PLAIN_LONG,
    ROW_TRAPS, /* and what follows: not in line */
    ROW_BLOCKS,
    ROW_CONTROL
};

typedef struct {
    const char *module;
    const char *name;
    uint8_t arity;
    uint8_t kind;
} NamesRow;

static const NamesRow names_rows[] = {
#define BIF(module, name, arity, c_function, kind, needs, meaning) \
    {module, name, arity, ROW_##kind},
#include "vm/format/bifs.def"
#undef BIF
    {NULL, NULL, 0, 0},
};

static uint64_t names_bif_key(Term module, Term name, uint32_t arity)
{
    return (uint64_t)atom_index(module) << 36 ^ (uint64_t)atom_index(name) << 8 ^ arity;
}

static void names_load_rows(Expand *x)
{
    htab_init_in_arena(&x->builtins, x->arena);
    for (const NamesRow *row = names_rows; row->module != NULL; row++) {
        if (row->kind >= ROW_TRAPS) continue;
        Term module = text_atom(x, row->module);
        Term name = text_atom(x, row->name);
        htab_put(&x->builtins, names_bif_key(module, name, row->arity), NULL)->num = 1;
    }
}

bool is_inline_bif(Expand *x, Term module, Term name, uint32_t arity)
{
    if (x->builtins.count == 0) names_load_rows(x);
    return htab_find(&x->builtins, names_bif_key(module, name, arity)) != NULL;
}

Callee resolve_call(Expand *x, NameId name, uint32_t arity)
{
    Callee callee = {.kind = CALLEE_EXTERNAL, .name = atom_term(x, name), .module = x->u->name};
    uint64_t key = expand_key(name, arity);
    HtabValue *found = htab_find(&x->functions, key);
    if (found) {
        callee.kind = CALLEE_LOCAL;
        callee.function = (uint32_t)found->num;
        return callee;
    }
    found = htab_find(&x->imports, key);
    if (found) {
        callee.module = atom_term(x, (NameId)found->num);
    } else if (builtin_kind(names_text(&x->c->names, name), names_size(&x->c->names, name),
                            arity)
               != BUILTIN_NONE) {
        callee.module = TERM_ATOM(ERLANG);
    }
    return callee;
}

/* Operators are functions of erlang too; in guards all but those that send or build lists. */
static bool names_is_guard_operator(Term name, uint32_t arity)
{
    switch (atom_of(name)) {
    case ATOM_PLUS:
    case ATOM_MINUS: return arity == 1 || arity == 2;
    case ATOM_BNOT:
    case ATOM_NOT: return arity == 1;
    case ATOM_TIMES:
    case ATOM_SLASH:
    case ATOM_DIV:
    case ATOM_REM:
    case ATOM_BAND:
    case ATOM_BOR:
    case ATOM_BXOR:
    case ATOM_BSL:
    case ATOM_BSR:
    case ATOM_AND:
    case ATOM_OR:
    case ATOM_XOR:
    case ATOM_EQ:
    case ATOM_NE:
    case ATOM_EXACT_EQ:
    case ATOM_EXACT_NE:
    case ATOM_LT:
    case ATOM_GT:
    case ATOM_LE:
    case ATOM_GE: return arity == 2;
    default: return false;
    }
}

Term guard_bif(Expand *x, const Ast *call)
{
    const Ast *callee = call->call.callee;
    uint32_t arity = call->call.args.n;
    NameId name;
    if (callee->kind == AST_ATOM) {
        name = callee->v.name;
        Callee meant = resolve_call(x, name, arity);
        if (meant.kind == CALLEE_LOCAL || !term_same(meant.module, TERM_ATOM(ERLANG)))
            return TERM_NONE;
    } else if (callee->kind == AST_REMOTE && callee->remote.module->kind == AST_ATOM
               && callee->remote.module->v.name == NAME_ERLANG
               && callee->remote.function->kind == AST_ATOM) {
        name = callee->remote.function->v.name;
        if (names_is_guard_operator(atom_term(x, name), arity)) return atom_term(x, name);
    } else {
        return TERM_NONE;
    }
    BuiltinKind kind =
        builtin_kind(names_text(&x->c->names, name), names_size(&x->c->names, name), arity);
    return kind == BUILTIN_GUARD || kind == BUILTIN_TYPE_TEST ? atom_term(x, name) : TERM_NONE;
}

CoreKind type_test(Expand *x, Term name, uint32_t arity)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } tests[] = {
        {"is_integer", CORE_IS_INTEGER}, {"is_float", CORE_IS_FLOAT},
        {"is_number", CORE_IS_NUMBER},   {"is_atom", CORE_IS_ATOM},
        {"is_boolean", CORE_IS_BOOLEAN}, {"is_pid", CORE_IS_PID},
        {"is_port", CORE_IS_PORT},       {"is_reference", CORE_IS_REF},
        {"is_function", CORE_IS_FUN},    {"is_list", CORE_IS_LIST},
        {"is_tuple", CORE_IS_TUPLE},     {"is_map", CORE_IS_MAP},
        {"is_binary", CORE_IS_BINARY},   {"is_bitstring", CORE_IS_BITSTRING},
    };
    const char *text = atom_text(x->u->atoms, name);
    if (text[0] != 'i' || text[1] != 's' || arity < 1 || arity > 2) return CORE_KIND_COUNT;
    if (arity == 2) return strcmp(text, "is_function") == 0 ? CORE_IS_FUN_OF : CORE_KIND_COUNT;
    for (size_t i = 0; i < ARRAY_LEN(tests); i++)
        if (strcmp(text, tests[i].name) == 0) return (CoreKind)tests[i].kind;
    return CORE_KIND_COUNT;
}

const Record *find_record(Expand *x, NameId name)
{
    HtabValue *found = htab_find(&x->records, name);
    return found ? found->ptr : NULL;
}

uint32_t record_field(const Record *r, NameId field)
{
    if (r->count > RECORD_FEW) {
        const HtabValue *known = htab_find(&r->by_name, field);
        return known ? (uint32_t)known->num : 0;
    }
    for (uint32_t i = 0; i < r->count; i++)
        if (r->fields[i].name == field) return i + 1;
    return 0;
}
