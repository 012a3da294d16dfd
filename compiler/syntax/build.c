#include "compiler/syntax/build.h"

#include <string.h>

#include "vm/base/similar.h"

/* The operator that a token is between two operands. */
static const uint8_t binary_op[TOKEN_COUNT] = {
    [TOKEN_STAR] = OP_MUL,
    [TOKEN_SLASH] = OP_FDIV,
    [TOKEN_DIV] = OP_DIV,
    [TOKEN_REM] = OP_REM,
    [TOKEN_BAND] = OP_BAND,
    [TOKEN_AND] = OP_AND,
    [TOKEN_PLUS] = OP_ADD,
    [TOKEN_MINUS] = OP_SUB,
    [TOKEN_BOR] = OP_BOR,
    [TOKEN_BXOR] = OP_BXOR,
    [TOKEN_BSL] = OP_BSL,
    [TOKEN_BSR] = OP_BSR,
    [TOKEN_OR] = OP_OR,
    [TOKEN_XOR] = OP_XOR,
    [TOKEN_APPEND] = OP_APPEND,
    [TOKEN_SUBTRACT] = OP_SUBTRACT,
    [TOKEN_EQ] = OP_EQ,
    [TOKEN_NE] = OP_NE,
    [TOKEN_LE] = OP_LE,
    [TOKEN_LT] = OP_LT,
    [TOKEN_GE] = OP_GE,
    [TOKEN_GT] = OP_GT,
    [TOKEN_EXACT_EQ] = OP_EXACT_EQ,
    [TOKEN_EXACT_NE] = OP_EXACT_NE,
    [TOKEN_ANDALSO] = OP_ANDALSO,
    [TOKEN_ORELSE] = OP_ORELSE,
    [TOKEN_MATCH] = OP_MATCH,
    [TOKEN_SEND] = OP_SEND,
};

/* Levels of precedence that form chains; 0: does not chain. */
enum { LEVEL_NONE, LEVEL_MATCH, LEVEL_ORELSE, LEVEL_ANDALSO, LEVEL_LIST, LEVEL_ADD, LEVEL_MUL };

static int op_level(unsigned op)
{
    switch (op) {
    case OP_MATCH:
    case OP_SEND: return LEVEL_MATCH;
    case OP_ORELSE: return LEVEL_ORELSE;
    case OP_ANDALSO: return LEVEL_ANDALSO;
    case OP_APPEND:
    case OP_SUBTRACT: return LEVEL_LIST;
    default: break;
    }
    if (op >= OP_ADD && op <= OP_XOR) return LEVEL_ADD;
    if (op >= OP_MUL && op <= OP_AND) return LEVEL_MUL;
    return LEVEL_NONE;
}

void build_syntax_error(Parser *p, const Token *token)
{
    if (p->failed) return;
    p->failed = true;
    Diags *diags = &p->c->diags;
    const char *text = token_text[token->kind];
    switch (token->kind) {
    case TOKEN_DOT: diag_add(diags, DIAG_SYNTAX_END, token->pos); return;
    case TOKEN_ATOM:
    case TOKEN_VAR: text = names_text(&p->c->names, token->v.name); break;
    default: break;
    }
    bool literal = token->kind >= TOKEN_INT && token->kind <= TOKEN_SIGIL_BINARY;
    const char *shown = arena_printf(p->arena, literal ? "%s" : "'%s'", text);
    if (literal) shown = arena_printf(p->arena, "this %s", text);
    diag_add(diags, DIAG_SYNTAX, token->pos, shown);
}

Ast *build_done(Parser *p, Ast *node)
{
    if (!ast_finish(node) && !p->too_deep) {
        p->failed = p->too_deep = true;
        diag_add(&p->c->diags, DIAG_TOO_DEEP, node->pos, AST_DEPTH_MAX);
    }
    return node;
}

Ast *build_node(Parser *p, AstKind kind, SrcPos pos) { return ast_new(p->arena, kind, pos); }

Ast *build_error(Parser *p, DiagCode code, SrcPos pos)
{
    p->failed = true;
    diag_add(&p->c->diags, code, pos);
    return NULL;
}

uint32_t build_push(Parser *p, uint32_t count, Ast *item)
{
    VEC_PUSH(&p->items, item);
    return count + 1;
}

AstList build_take(Parser *p, uint32_t count)
{
    AstList list = {NULL, count};
    if (count == 0) return list;
    list.at = arena_alloc(p->arena, count * sizeof(Ast *));
    p->items.count -= count;
    memcpy(list.at, p->items.at + p->items.count, count * sizeof(Ast *));
    return list;
}

/* Literals and names. */

Ast *build_leaf(Parser *p, const Token *token)
{
    static const uint8_t kinds[TOKEN_SIGIL_BINARY + 1] = {
        [TOKEN_ATOM] = AST_ATOM,     [TOKEN_VAR] = AST_VAR,
        [TOKEN_INT] = AST_INT,       [TOKEN_BIGINT] = AST_BIGINT,
        [TOKEN_FLOAT] = AST_FLOAT,   [TOKEN_CHAR] = AST_CHAR,
        [TOKEN_STRING] = AST_STRING, [TOKEN_SIGIL_STRING] = AST_STRING,
    };
    Ast *node = build_node(p, kinds[token->kind], token->pos);
    _Static_assert(sizeof node->v == sizeof token->v, "a token's value becomes the node's");
    memcpy(&node->v, &token->v, sizeof node->v);
    return node;
}

Ast *build_strings(Parser *p, uint32_t count)
{
    Ast **first = p->items.at + p->items.count - count;
    Ast *node = first[0];
    p->items.count -= count;
    if (count == 1) return node;
    uint64_t length = 0;
    for (uint32_t i = 0; i < count; i++) length += first[i]->v.str->n;
    AstStr *str = arena_alloc(p->arena, sizeof *str + length * sizeof str->at[0]);
    str->n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const AstStr *part = first[i]->v.str;
        if (part->n) memcpy(str->at + str->n, part->at, part->n * sizeof str->at[0]);
        str->n += part->n;
    }
    node->v.str = str;
    return node;
}

Ast *build_sigil_binary(Parser *p, const Token *token)
{
    Ast *text = build_node(p, AST_STRING, token->pos);
    text->v.str = token->v.str;
    Ast *segment = build_segment(p, text, NULL, (AstSegSpec){.type = SEG_UTF8});
    return build_bin(p, token, build_push(p, 0, segment));
}

Ast *build_paren(Ast *node)
{
    node->paren = 1;
    return node;
}

/* Operators. */

Ast *build_unop(Parser *p, const Token *op, Ast *arg)
{
    Ast *node = build_node(p, AST_UNOP, op->pos);
    node->op = op->kind == TOKEN_PLUS    ? OP_PLUS
               : op->kind == TOKEN_MINUS ? OP_MINUS
               : op->kind == TOKEN_BNOT  ? OP_BNOT
                                         : OP_NOT;
    node->unop.arg = arg;
    return build_done(p, node);
}

Ast *build_catch(Parser *p, const Token *token, Ast *arg)
{
    Ast *node = build_node(p, AST_CATCH, token->pos);
    node->catch_.arg = arg;
    return build_done(p, node);
}

static Ast *build_link(Parser *p, unsigned op, SrcPos pos, Ast *arg)
{
    Ast *link = build_node(p, AST_LINK, pos);
    link->op = (uint8_t)op;
    link->link.arg = arg;
    return build_done(p, link);
}

/* A chain grew by `link`: its depth follows without looking at the others again. */
static Ast *build_chain_done(Parser *p, Ast *chain, const Ast *link)
{
    if (link->depth >= chain->depth) {
        if (link->depth >= AST_DEPTH_MAX) return build_done(p, chain);
        chain->depth = (link->depth + 1u) & 0x7FFFu;
    }
    return chain;
}

/* `left op right` where left ends a row of the same level: make or lengthen an LCHAIN.  The
 * array of links has room for the next power of two. */
static Ast *build_left_chain(Parser *p, unsigned op, SrcPos pos, Ast *left, Ast *right)
{
    Ast *link = build_link(p, op, pos, right);
    if (left->kind == AST_BINOP) {
        Ast *chain = build_node(p, AST_LCHAIN, left->pos);
        chain->lchain.first = left->binop.left;
        AstList *links = &chain->lchain.links;
        links->at = arena_alloc(p->arena, 2 * sizeof(Ast *));
        links->at[links->n++] = build_link(p, left->op, left->pos, left->binop.right);
        links->at[links->n++] = link;
        return build_done(p, chain);
    }
    AstList *links = &left->lchain.links;
    if ((links->n & (links->n - 1)) == 0)
        links->at =
            arena_grow(p->arena, links->at, links->n, (size_t)links->n * 2, sizeof(Ast *));
    links->at[links->n++] = link;
    return build_chain_done(p, left, link);
}

/* `left op right` where right begins a row of the same level: make or lengthen an RCHAIN at its
 * front.  The array grows downwards; at a power of two there is no room left in front. */
static Ast *build_right_chain(Parser *p, unsigned op, SrcPos pos, Ast *left, Ast *right)
{
    Ast *link = build_link(p, op, pos, left);
    if (right->kind == AST_BINOP) {
        Ast *chain = build_node(p, AST_RCHAIN, pos);
        AstList *links = &chain->rchain.links;
        links->at = arena_alloc(p->arena, 2 * sizeof(Ast *));
        links->at[links->n++] = link;
        links->at[links->n++] = build_link(p, right->op, right->pos, right->binop.left);
        chain->rchain.last = right->binop.right;
        return build_done(p, chain);
    }
    AstList *links = &right->rchain.links;
    if ((links->n & (links->n - 1)) == 0) {
        Ast **grown = arena_alloc(p->arena, (size_t)links->n * 2 * sizeof(Ast *));
        memcpy(grown + links->n, links->at, links->n * sizeof(Ast *));
        links->at = grown + links->n;
    }
    *--links->at = link;
    links->n++;
    right->pos = pos;
    return build_chain_done(p, right, link);
}

static bool chains_with(const Ast *node, AstKind chain, int level)
{
    if (node->paren || level == LEVEL_NONE) return false;
    if (node->kind == AST_BINOP) return op_level(node->op) == level;
    if (node->kind != chain) return false;
    const AstList *links = chain == AST_LCHAIN ? &node->lchain.links : &node->rchain.links;
    return op_level(links->at[0]->op) == level;
}

Ast *build_binop(Parser *p, const Token *token, Ast *left, Ast *right)
{
    unsigned op = binary_op[token->kind];
    int level = op_level(op);
    SrcPos pos = op == OP_MATCH ? ast_start(left) : token->pos;
    if (level >= LEVEL_ADD && chains_with(left, AST_LCHAIN, level))
        return build_left_chain(p, op, pos, left, right);
    if (level < LEVEL_ADD && chains_with(right, AST_RCHAIN, level))
        return build_right_chain(p, op, pos, left, right);
    Ast *node = build_node(p, AST_BINOP, pos);
    node->op = (uint8_t)op;
    node->binop.left = left;
    node->binop.right = right;
    return build_done(p, node);
}

/* Data. */

Ast *build_nil(Parser *p, const Token *token) { return build_node(p, AST_NIL, token->pos); }

Ast *build_list(Parser *p, const Token *token, uint32_t count, Ast *tail)
{
    Ast *node = build_node(p, AST_LIST, token->pos);
    node->list.items = build_take(p, count);
    node->list.tail = tail;
    return build_done(p, node);
}

Ast *build_tuple(Parser *p, const Token *token, uint32_t count)
{
    Ast *node = build_node(p, AST_TUPLE, token->pos);
    node->tuple.items = build_take(p, count);
    return build_done(p, node);
}

Ast *build_map(Parser *p, const Token *token, Ast *base, uint32_t count)
{
    Ast *node = build_node(p, AST_MAP, token->pos);
    node->map.base = base;
    node->map.fields = build_take(p, count);
    return build_done(p, node);
}

Ast *build_map_field(Parser *p, const Token *op, Ast *key, Ast *value)
{
    Ast *node = build_node(p, AST_MAP_FIELD, op->pos);
    node->op = op->kind == TOKEN_ASSOC ? OP_ASSOC : OP_EXACT;
    node->map_field.key = key;
    node->map_field.value = value;
    return build_done(p, node);
}

Ast *build_record(Parser *p, const Token *hash, Ast *base, const Token *name, uint32_t count)
{
    Ast *node = build_node(p, AST_RECORD, hash->pos);
    node->v.name = name->v.name;
    node->record.base = base;
    node->record.fields = build_take(p, count);
    return build_done(p, node);
}

Ast *build_record_field(Parser *p, const Token *name, Ast *value)
{
    Ast *node = build_node(p, AST_RECORD_FIELD, name->pos);
    node->v.name = name->v.name;
    /* a variable other than `_` is refused by lint, which knows the record's name */
    node->op = name->kind == TOKEN_VAR && name->v.name != NAME__ ? OP_EXACT : OP_NONE;
    node->record_field.value = value;
    return build_done(p, node);
}

Ast *build_record_index(Parser *p, const Token *hash, Ast *base, const Token *name,
                        const Token *field)
{
    Ast *node = build_node(p, base ? AST_RECORD_GET : AST_RECORD_INDEX, hash->pos);
    node->v.pair = (AstPair){name->v.name, field->v.name};
    if (base) node->record_get.base = base;
    return build_done(p, node);
}

Ast *build_bin(Parser *p, const Token *token, uint32_t count)
{
    Ast *node = build_node(p, AST_BIN, token->pos);
    node->bin.segments = build_take(p, count);
    return build_done(p, node);
}

Ast *build_segment(Parser *p, Ast *value, Ast *size, AstSegSpec spec)
{
    Ast *node = build_node(p, AST_SEGMENT, ast_start(value));
    node->v.seg = spec;
    node->segment.value = value;
    node->segment.size = size;
    return build_done(p, node);
}

/* What a word behind the `/` says: which of the four properties, and its value. */
typedef struct {
    NameId name;
    char property; /* 't' type, 's' sign, 'e' endian */
    uint8_t value;
} SegmentWord;

static const SegmentWord segment_words[] = {
    {NAME_INTEGER, 't', SEG_INTEGER},     {NAME_FLOAT, 't', SEG_FLOAT},
    {NAME_BINARY, 't', SEG_BINARY},       {NAME_BYTES, 't', SEG_BINARY},
    {NAME_BITSTRING, 't', SEG_BITSTRING}, {NAME_BITS, 't', SEG_BITSTRING},
    {NAME_UTF8, 't', SEG_UTF8},           {NAME_UTF16, 't', SEG_UTF16},
    {NAME_UTF32, 't', SEG_UTF32},         {NAME_SIGNED, 's', SEG_SIGNED},
    {NAME_UNSIGNED, 's', SEG_UNSIGNED},   {NAME_BIG, 'e', SEG_BIG},
    {NAME_LITTLE, 'e', SEG_LITTLE},       {NAME_NATIVE, 'e', SEG_NATIVE},
};

static void hint_segment_word(Parser *p, NameId name)
{
    const Names *names = &p->c->names;
    Similar s = similar_to(names_text(names, name), names_size(names, name));
    NameId best = NAME_NONE;
    for (size_t i = 0; i < ARRAY_LEN(segment_words); i++) {
        NameId word = segment_words[i].name;
        if (similar_offer(&s, names_text(names, word), names_size(names, word))) best = word;
    }
    if (best != NAME_NONE) diag_hint(&p->c->diags, "there is %a", best);
}

AstSegSpec build_segment_type(Parser *p, AstSegSpec spec, const Token *word, const Token *unit)
{
    if (unit) {
        bool known = word->v.name == NAME_UNIT;
        if (!known)
            diag_add(&p->c->diags, DIAG_BIT_TYPE_UNDEFINED, word->pos, word->v.name);
        else if (unit->v.i < 1 || unit->v.i > 256)
            diag_add(&p->c->diags, DIAG_BIT_UNIT_BAD, unit->pos);
        else if (spec.unit && spec.unit != unit->v.i)
            diag_add(&p->c->diags, DIAG_BIT_TYPE_CONFLICT, word->pos, "units", "one",
                     "another");
        else
            spec.unit = (uint16_t)unit->v.i;
        return spec;
    }
    for (size_t i = 0; i < ARRAY_LEN(segment_words); i++) {
        const SegmentWord *w = &segment_words[i];
        if (w->name != word->v.name) continue;
        uint8_t *property = w->property == 't'   ? &spec.type
                            : w->property == 's' ? &spec.sign
                                                 : &spec.endian;
        const char *what = w->property == 't'   ? "types"
                           : w->property == 's' ? "signs"
                                                : "byte orders";
        if (*property && *property != w->value)
            diag_add(&p->c->diags, DIAG_BIT_TYPE_CONFLICT, word->pos, what, "the one before",
                     names_text(&p->c->names, word->v.name));
        *property = w->value;
        return spec;
    }
    diag_add(&p->c->diags, DIAG_BIT_TYPE_UNDEFINED, word->pos, word->v.name);
    hint_segment_word(p, word->v.name);
    return spec;
}

/* Calls. */

Ast *build_call(Parser *p, Ast *callee, uint32_t count)
{
    Ast *node = build_node(p, AST_CALL, ast_start(callee));
    node->call.callee = callee;
    node->call.args = build_take(p, count);
    return build_done(p, node);
}

Ast *build_remote(Parser *p, const Token *colon, Ast *module, Ast *function)
{
    Ast *node = build_node(p, AST_REMOTE, colon->pos);
    node->remote.module = module;
    node->remote.function = function;
    return build_done(p, node);
}

Ast *build_fun_local(Parser *p, const Token *token, const Token *name, const Token *arity)
{
    Ast *node = build_node(p, AST_FUN_LOCAL, token->pos);
    if (arity->v.i > 255) {
        p->failed = true;
        diag_add(&p->c->diags, DIAG_FUN_TOO_MANY, arity->pos,
                 (int)(arity->v.i > INT32_MAX ? INT32_MAX : arity->v.i));
    }
    node->v.pair = (AstPair){name->v.name, (uint32_t)arity->v.i};
    return node;
}

Ast *build_fun_remote(Parser *p, const Token *token, Ast *module, Ast *function, Ast *arity)
{
    Ast *node = build_node(p, AST_FUN_REMOTE, token->pos);
    node->fun_remote.module = module;
    node->fun_remote.function = function;
    node->fun_remote.arity = arity;
    return build_done(p, node);
}

Ast *build_fun(Parser *p, const Token *token, uint32_t count)
{
    Ast *node = build_node(p, AST_FUN, token->pos);
    CHECK(count > 0);
    node->fun.clauses = build_take(p, count);
    const Ast *first = node->fun.clauses.at[0];
    node->v.name = first->v.name;
    for (uint32_t i = 1; i < count; i++) {
        const Ast *clause = node->fun.clauses.at[i];
        if (clause->v.name != first->v.name)
            build_error(p, DIAG_FUN_NAME_MISMATCH, clause->pos);
        else if (clause->clause.patterns.n != first->clause.patterns.n)
            build_error(p, DIAG_FUN_ARITY_MISMATCH, clause->pos);
    }
    return build_done(p, node);
}
