#include "compiler/syntax/ast.h"

#include <inttypes.h>
#include <string.h>

#include "vm/base/utf8.h"

const AstInfo ast_info[AST_KIND_COUNT] = {
#define NODE(x) "n"
#define LIST(x) "l"
#define AST(KIND, member, VALUE, slots)   \
    [AST_##KIND] = {#KIND, VALUE_##VALUE, \
                    (uint16_t)(offsetof(Ast, member) + sizeof(((Ast *)0)->member)), "" slots},
#include "compiler/syntax/ast.def"
#undef AST
#undef NODE
#undef LIST
};

const char *const ast_slot_names[AST_KIND_COUNT] = {
#define NODE(x)                         #x "\0"
#define LIST(x)                         #x "\0"
#define AST(KIND, member, VALUE, slots) [AST_##KIND] = "" slots,
#include "compiler/syntax/ast.def"
#undef AST
#undef NODE
#undef LIST
};

const char *const ast_op_text[OP_COUNT] = {
    [OP_PLUS] = "+",
    [OP_MINUS] = "-",
    [OP_BNOT] = "bnot",
    [OP_NOT] = "not",
    [OP_MUL] = "*",
    [OP_FDIV] = "/",
    [OP_DIV] = "div",
    [OP_REM] = "rem",
    [OP_BAND] = "band",
    [OP_AND] = "and",
    [OP_ADD] = "+",
    [OP_SUB] = "-",
    [OP_BOR] = "bor",
    [OP_BXOR] = "bxor",
    [OP_BSL] = "bsl",
    [OP_BSR] = "bsr",
    [OP_OR] = "or",
    [OP_XOR] = "xor",
    [OP_APPEND] = "++",
    [OP_SUBTRACT] = "--",
    [OP_EQ] = "==",
    [OP_NE] = "/=",
    [OP_LE] = "=<",
    [OP_LT] = "<",
    [OP_GE] = ">=",
    [OP_GT] = ">",
    [OP_EXACT_EQ] = "=:=",
    [OP_EXACT_NE] = "=/=",
    [OP_ANDALSO] = "andalso",
    [OP_ORELSE] = "orelse",
    [OP_MATCH] = "=",
    [OP_SEND] = "!",
    [OP_ASSOC] = "=>",
    [OP_EXACT] = ":=",
    [OP_GEN_LIST] = "<-",
    [OP_GEN_BIN] = "<=",
    [OP_GEN_MAP] = "<-",
    [OP_GEN_LIST_STRICT] = "<:-",
    [OP_GEN_BIN_STRICT] = "<:=",
    [OP_GEN_MAP_STRICT] = "<:-",
    [OP_NONEMPTY] = "...",
    [OP_ANY_FUN] = "fun()",
    [OP_ANY_ARGS] = "(...)",
    [OP_SPEC] = "spec",
    [OP_CALLBACK] = "callback",
    [OP_TYPE] = "type",
    [OP_OPAQUE] = "opaque",
    [OP_NOMINAL] = "nominal",
};

Ast *ast_new(Arena *arena, AstKind kind, SrcPos pos)
{
    uint16_t size = ast_info[kind].size;
    Ast *node = arena_alloc(arena, size);
    memset(node, 0, size);
    node->kind = (uint8_t)kind;
    node->pos = pos;
    node->depth = 1;
    return node;
}

const Ast *ast_base(const Ast *node)
{
    switch (node->kind) {
    case AST_MAP: return node->map.base;
    case AST_RECORD: return node->record.base;
    case AST_RECORD_GET: return node->record_get.base;
    default: return NULL;
    }
}

const Ast **ast_postfixes(Arena *arena, const Ast *node, uint32_t *n)
{
    uint32_t count = 0;
    for (const Ast *at = node; ast_base(at); at = ast_base(at)) count++;
    const Ast **row = ARENA_ARRAY(arena, const Ast *, count);
    *n = count;
    for (const Ast *at = node; count > 0; at = ast_base(at)) row[--count] = at;
    return row;
}

/* Loops that stand in one another. */
static unsigned generators(const Ast *node)
{
    if (node->kind != AST_LC && node->kind != AST_BC && node->kind != AST_MC) return 0;
    unsigned n = 0;
    for (uint32_t i = 0; i < node->lc.qualifiers.n; i++) {
        uint8_t kind = node->lc.qualifiers.at[i]->kind;
        n += kind == AST_GENERATE || kind == AST_ZIP;
    }
    return n > 0 ? n - 1 : 0;
}

bool ast_finish(Ast *node)
{
    unsigned deepest = 0;
    const Ast *base = ast_base(node);
    const char *slot = (const char *)node + AST_SLOTS;
    for (const char *shape = ast_info[node->kind].shape; *shape; shape++) {
        if (*shape == 'n') {
            const Ast *child;
            memcpy(&child, slot, sizeof child);
            if (child) {
                unsigned depth = child->depth;
                if (child == base && ast_base(child)) depth--;
                if (depth > deepest) deepest = depth;
            }
            slot += sizeof child;
        } else {
            AstList list;
            memcpy(&list, slot, sizeof list);
            for (uint32_t i = 0; i < list.n; i++)
                if (list.at[i]->depth > deepest) deepest = list.at[i]->depth;
            slot += sizeof list;
        }
    }
    deepest += generators(node);
    bool fits = deepest < AST_DEPTH_MAX;
    node->depth = (fits ? deepest + 1 : AST_DEPTH_MAX) & 0x7FFFu;
    return fits;
}

AstSegSpec ast_segment_spec(const Ast *segment)
{
    AstSegSpec spec = segment->v.seg;
    if (spec.type == SEG_DEFAULT) spec.type = SEG_INTEGER;
    if (spec.sign == SEG_SIGN_DEFAULT) spec.sign = SEG_UNSIGNED;
    if (spec.endian == SEG_ENDIAN_DEFAULT) spec.endian = SEG_BIG;
    if (spec.unit == 0) spec.unit = spec.type == SEG_BINARY ? 8 : 1;
    return spec;
}

SrcPos ast_start(const Ast *node)
{
    for (;;) {
        const Ast *first = NULL;
        switch (node->kind) {
        case AST_BINOP: first = node->binop.left; break;
        case AST_LCHAIN: first = node->lchain.first; break;
        case AST_RCHAIN: first = node->rchain.links.at[0]->link.arg; break;
        case AST_CALL: first = node->call.callee; break;
        case AST_REMOTE: first = node->remote.module; break;
        case AST_MAP: first = node->map.base; break;
        case AST_MAP_FIELD: first = node->map_field.key; break;
        case AST_RECORD: first = node->record.base; break;
        case AST_RECORD_GET: first = node->record_get.base; break;
        case AST_GENERATE: first = node->generate.pattern; break;
        case AST_MAYBE_MATCH: first = node->maybe_match.pattern; break;
        case AST_T_UNION: first = node->t_union.items.at[0]; break;
        case AST_T_RANGE: first = node->t_range.low; break;
        default: break;
        }
        if (!first) return node->pos;
        node = first;
    }
}
