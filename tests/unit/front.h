/* What the tests of the compiler's front end share: programs in, one-line texts out. */
#pragma once

#include "compiler/syntax/lexer.h"
#include "compiler/syntax/lint.h"
#include "compiler/syntax/parser.h"
#include "vm/base/bytes.h"

#include "tests/unit/unit.h"

/* A node as (KIND op value slots…); lists in brackets, empty slots left out. */
UNUSED static void front_put(Bytes *to, const Ast *node, const Compilation *c);

static void front_put_value(Bytes *to, const Ast *node, const Names *names)
{
    switch (ast_info[node->kind].value) {
    case VALUE_NONE: break;
    case VALUE_NAME:
        if (node->v.name != NAME_NONE) bytes_printf(to, " %s", names_text(names, node->v.name));
        break;
    case VALUE_PAIR:
        bytes_printf(to, " %s", names_text(names, node->v.pair.name));
        if (node->kind == AST_RECORD_INDEX || node->kind == AST_RECORD_GET
            || node->kind == AST_T_REMOTE)
            bytes_printf(to, ".%s", names_text(names, node->v.pair.second));
        else
            bytes_printf(to, "/%u", node->v.pair.second);
        break;
    case VALUE_INT: bytes_printf(to, " %lld", (long long)node->v.i); break;
    case VALUE_FLOAT: bytes_printf(to, " %g", node->v.f); break;
    case VALUE_STR:
        bytes_put_text(to, " \"");
        for (uint32_t i = 0; i < node->v.str->n; i++) {
            uint32_t point = node->v.str->at[i];
            if (point >= ' ' && point < 127)
                bytes_put_u8(to, (uint8_t)point);
            else
                bytes_printf(to, "\\%X;", point);
        }
        bytes_put_u8(to, '"');
        break;
    case VALUE_DIGITS:
        bytes_printf(to, " %u#%s", node->v.digits->base, node->v.digits->at);
        break;
    case VALUE_SEGMENT:
        bytes_printf(to, " %d.%d.%d.%d", node->v.seg.type, node->v.seg.sign, node->v.seg.endian,
                     node->v.seg.unit);
        break;
    }
}

static void front_put(Bytes *to, const Ast *node, const Compilation *c)
{
    bytes_printf(to, "(%s", ast_info[node->kind].name);
    if (node->op != OP_NONE && ast_op_text[node->op])
        bytes_printf(to, " %s", ast_op_text[node->op]);
    front_put_value(to, node, &c->names);
    const char *slot = (const char *)node + AST_SLOTS;
    for (const char *shape = ast_info[node->kind].shape; *shape; shape++) {
        if (*shape == 'n') {
            const Ast *child;
            memcpy(&child, slot, sizeof child);
            slot += sizeof child;
            if (!child) continue;
            bytes_put_u8(to, ' ');
            front_put(to, child, c);
        } else {
            AstList list;
            memcpy(&list, slot, sizeof list);
            slot += sizeof list;
            bytes_put_text(to, " [");
            for (uint32_t i = 0; i < list.n; i++) {
                if (i) bytes_put_u8(to, ' ');
                front_put(to, list.at[i], c);
            }
            bytes_put_u8(to, ']');
        }
    }
    bytes_put_u8(to, ')');
}

/* Messages as "E0501@3:7", sorted, one blank between. */
static void front_put_diags(Bytes *to, Compilation *c)
{
    diags_sort(&c->diags);
    for (uint32_t i = 0; i < c->diags.count; i++) {
        SrcLoc loc = sources_locate(&c->sources, c->diags.at[i].pos);
        bytes_printf(to, "%s%s@%u:%u", to->count ? " " : "",
                     diag_info[c->diags.at[i].code].number, loc.line, loc.column);
    }
}

/* The text is good until the compilation is freed. */
static const char *front_text(Compilation *c, Bytes *bytes)
{
    const char *text =
        arena_copy_text(&c->arena, bytes->count ? (const char *)bytes->at : "", bytes->count);
    bytes_free(bytes);
    return text;
}

/* Forms of a text, one line each, or its messages when it has any. */
UNUSED static const char *front_parse(Compilation *c, const char *text)
{
    Bytes to = {0};
    const AstFile *file = parse_text(c, "test.mote", text, strlen(text));
    for (uint32_t i = 0; i < file->forms.n && c->diags.count == 0; i++) {
        if (i) bytes_put_u8(&to, '\n');
        front_put(&to, file->forms.at[i], c);
    }
    front_put_diags(&to, c);
    return front_text(c, &to);
}

/* Messages of parsing and lint. */
UNUSED static const char *front_lint(Compilation *c, const char *text,
                                     const LintOptions *options)
{
    Bytes to = {0};
    const AstFile *file = parse_text(c, "test.mote", text, strlen(text));
    lint_file(c, file, options);
    front_put_diags(&to, c);
    return front_text(c, &to);
}

#define EXPECT_PARSE(text, wanted)                  \
    do {                                            \
        Compilation c_;                             \
        compilation_init(&c_, NULL);                \
        EXPECT_STR(front_parse(&c_, text), wanted); \
        compilation_free(&c_);                      \
    } while (0)

#define EXPECT_LINT(text, wanted)                        \
    do {                                                 \
        Compilation c_;                                  \
        compilation_init(&c_, NULL);                     \
        EXPECT_STR(front_lint(&c_, text, NULL), wanted); \
        compilation_free(&c_);                           \
    } while (0)
