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

bool ast_finish(Ast *node)
{
    unsigned deepest = 0;
    const char *slot = (const char *)node + AST_SLOTS;
    for (const char *shape = ast_info[node->kind].shape; *shape; shape++) {
        if (*shape == 'n') {
            const Ast *child;
            memcpy(&child, slot, sizeof child);
            if (child && child->depth > deepest) deepest = child->depth;
            slot += sizeof child;
        } else {
            AstList list;
            memcpy(&list, slot, sizeof list);
            for (uint32_t i = 0; i < list.n; i++)
                if (list.at[i]->depth > deepest) deepest = list.at[i]->depth;
            slot += sizeof list;
        }
    }
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
