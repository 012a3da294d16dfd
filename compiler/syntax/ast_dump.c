#include <inttypes.h>
#include <string.h>

#include "compiler/syntax/ast.h"
#include "vm/base/utf8.h"

static void dump_points(const AstStr *str, FILE *out)
{
    fputs(" \"", out);
    for (uint32_t i = 0; i < str->n; i++) {
        uint32_t c = str->at[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (int)c);
        else if (c >= ' ' && c < 127)
            fputc((int)c, out);
        else
            fprintf(out, "\\x{%" PRIX32 "}", c);
    }
    fputc('"', out);
}

static void dump_segment(AstSegSpec spec, FILE *out)
{
    static const char *const types[] = {"",           " integer", " float", " binary",
                                        " bitstring", " utf8",    " utf16", " utf32"};
    static const char *const signs[] = {"", " unsigned", " signed"};
    static const char *const endians[] = {"", " big", " little", " native"};
    fprintf(out, "%s%s%s", types[spec.type], signs[spec.sign], endians[spec.endian]);
    if (spec.unit) fprintf(out, " unit:%d", spec.unit);
}

/* Is the second half of a pair a name?  ast.def says so for these. */
static bool second_is_name(AstKind kind)
{
    return kind == AST_RECORD_INDEX || kind == AST_RECORD_GET || kind == AST_T_REMOTE;
}

static void dump_value(const Ast *node, const Names *names, FILE *out)
{
    switch (ast_info[node->kind].value) {
    case VALUE_NONE: break;
    case VALUE_NAME: fprintf(out, " %s", names_text(names, node->v.name)); break;
    case VALUE_PAIR:
        if (second_is_name(node->kind))
            fprintf(out, " %s %s", names_text(names, node->v.pair.name),
                    names_text(names, node->v.pair.second));
        else
            fprintf(out, " %s/%" PRIu32, names_text(names, node->v.pair.name),
                    node->v.pair.second);
        break;
    case VALUE_INT: fprintf(out, " %" PRId64, node->v.i); break;
    case VALUE_FLOAT: fprintf(out, " %.17g", node->v.f); break;
    case VALUE_STR: dump_points(node->v.str, out); break;
    case VALUE_DIGITS:
        fprintf(out, " %" PRIu32 "#%s", node->v.digits->base, node->v.digits->at);
        break;
    case VALUE_SEGMENT: dump_segment(node->v.seg, out); break;
    }
}

static void dump_node(const Ast *node, int indent, const char *label, Compilation *c,
                      FILE *out);

static void dump_slots(const Ast *node, int indent, Compilation *c, FILE *out)
{
    const char *slot = (const char *)node + AST_SLOTS;
    const char *label = ast_slot_names[node->kind];
    for (const char *shape = ast_info[node->kind].shape; *shape; shape++) {
        if (*shape == 'n') {
            const Ast *child;
            memcpy(&child, slot, sizeof child);
            if (child) dump_node(child, indent, label, c, out);
            slot += sizeof child;
        } else {
            AstList list;
            memcpy(&list, slot, sizeof list);
            for (uint32_t i = 0; i < list.n; i++) dump_node(list.at[i], indent, label, c, out);
            slot += sizeof list;
        }
        label += strlen(label) + 1;
    }
}

static void dump_node(const Ast *node, int indent, const char *label, Compilation *c, FILE *out)
{
    SrcLoc loc = sources_locate(&c->sources, node->pos);
    fprintf(out, "%*s", indent, "");
    if (label) fprintf(out, "%s: ", label);
    fprintf(out, "%s", ast_info[node->kind].name);
    if (node->op != OP_NONE && ast_op_text[node->op])
        fprintf(out, " %s", ast_op_text[node->op]);
    dump_value(node, &c->names, out);
    fprintf(out, " @%" PRIu32 ":%" PRIu32 "\n", loc.line, loc.column);
    dump_slots(node, indent + 2, c, out);
}

void ast_dump(const Ast *node, Compilation *c, FILE *out) { dump_node(node, 0, NULL, c, out); }
