#include "vm/format/disasm.h"

#include "vm/base/vec.h"

#include "vm/format/code.h"

#include <stdlib.h>

typedef struct Disasm {
    const ModFile *m;
    DisasmLiteral *literal;
    void *context;
    Bytes *out;
    VEC(uint64_t) marks;
} Disasm;

/* An atom as it would be written: bare when it is a plain name. */
static void put_atom(const Disasm *d, uint32_t index)
{
    if (index >= d->m->atom_count) {
        bytes_printf(d->out, "atom %u?", index);
        return;
    }
    ModSpan text = d->m->atoms[index];
    bool plain = text.size > 0 && text.at[0] >= 'a' && text.at[0] <= 'z';
    for (uint32_t i = 0; i < text.size && plain; i++) {
        uint8_t c = text.at[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                || c == '_' || c == '@';
    }
    if (plain) {
        bytes_put(d->out, text.at, text.size);
        return;
    }
    bytes_put_u8(d->out, '\'');
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c == '\'' || c == '\\') bytes_put_u8(d->out, '\\');
        if (c < ' ')
            bytes_printf(d->out, "\\x{%X}", c);
        else
            bytes_put_u8(d->out, c);
    }
    bytes_put_u8(d->out, '\'');
}

static void put_literal(const Disasm *d, uint32_t index)
{
    if (index >= d->m->literal_count)
        bytes_printf(d->out, "literal %u?", index);
    else if (d->literal)
        d->literal(d->context, d->m->literals[index], d->out);
    else
        bytes_printf(d->out, "literal %u of %u bytes", index, d->m->literals[index].size);
}

static void put_import(const Disasm *d, uint32_t index)
{
    if (index >= d->m->import_count) {
        bytes_printf(d->out, "import %u?", index);
        return;
    }
    const ModImport *import = &d->m->imports[index];
    put_atom(d, import->module);
    bytes_put_u8(d->out, ':');
    put_atom(d, import->function);
    bytes_printf(d->out, "/%u", import->arity);
}

static void put_function(const Disasm *d, uint32_t index)
{
    if (index >= d->m->function_count) {
        bytes_printf(d->out, "function %u?", index);
        return;
    }
    put_atom(d, d->m->functions[index].name);
    bytes_printf(d->out, "/%u", d->m->functions[index].arity);
    uint32_t context = d->m->functions[index].context;
    if (context) bytes_printf(d->out, " of context r%u", context - 1);
}

static void put_lambda(const Disasm *d, uint32_t index)
{
    if (index >= d->m->lambda_count) {
        bytes_printf(d->out, "fun %u?", index);
        return;
    }
    bytes_printf(d->out, "fun %u = ", index);
    put_function(d, d->m->lambdas[index].function);
}

static void put_register(const Disasm *d, unsigned r) { bytes_printf(d->out, "r%u", r); }

static bool map_bit(const Disasm *d, CodeLive live, unsigned r)
{
    if (!(live.flags & LIVE_FLAG_BIG_MAP)) return r < 32 && (live.map >> r & 1);
    if (live.map >= d->m->map_count) return false;
    ModSpan bits = d->m->maps[live.map];
    return r / 8 < bits.size && (bits.at[r / 8] >> r % 8 & 1);
}

static void put_live(const Disasm *d, CodeLive live)
{
    bytes_printf(d->out, "window %u, live {", live.window);
    const char *comma = "";
    for (unsigned r = 0; r + 1 < live.window; r++) {
        if (!map_bit(d, live, r)) continue;
        bytes_printf(d->out, "%sr%u", comma, r);
        comma = " ";
    }
    bytes_put_text(d->out, "}");
    if (live.flags & LIVE_FLAG_IN_TRY) bytes_put_text(d->out, ", in try");
}

static void put_segment(const Disasm *d, BitsSegment s)
{
    static const char *const types[] = {"integer", "float", "bits", "utf8", "utf16", "utf32"};
    unsigned type = s.type_flags & BITS_TYPE_MASK;
    bytes_printf(d->out, "r%u:", s.value);
    if (s.type_flags & BITS_SIZE_ALL)
        bytes_put_text(d->out, "all");
    else if (s.type_flags & BITS_SIZE_CONST)
        bytes_printf(d->out, "%u", s.size);
    else
        put_register(d, s.size);
    bytes_printf(d->out, "/%s-unit:%u", type < 6 ? types[type] : "?", s.unit);
    if (s.type_flags & BITS_LITTLE) bytes_put_text(d->out, "-little");
    if (s.type_flags & BITS_SIGNED) bytes_put_text(d->out, "-signed");
}

static void put_list(const Disasm *d, const CodeInstr *instr)
{
    OperandKind kind = (OperandKind)op_info[instr->op].list_kind;
    bytes_put_text(d->out, kind == OPERAND_CASES ? " {" : " [");
    for (uint32_t i = 0; i < instr->list_count; i++) {
        if (i) bytes_put_text(d->out, ", ");
        switch (kind) {
        case OPERAND_SRCS: put_register(d, code_list_half(instr, i)); break;
        case OPERAND_PAIRS:
            bytes_printf(d->out, "%u: r%u", code_list_half(instr, 2 * i),
                         code_list_half(instr, 2 * i + 1));
            break;
        case OPERAND_SEGMENTS: put_segment(d, code_segment(instr, i)); break;
        default:
            if (instr->op == OP_SELECT_ATOM)
                put_atom(d, code_case_key(instr, i));
            else
                bytes_printf(d->out, "%d", (int)code_case_key(instr, i));
            bytes_printf(d->out, ": %u", code_case_label(instr, i));
        }
    }
    bytes_put_text(d->out, kind == OPERAND_CASES ? "}" : "]");
}

/* Does the label say where control goes on, rather than where it goes when a claim fails? */
static bool jumps_always(Opcode op)
{
    return op == OP_JUMP || op == OP_LOOP || op == OP_RECV_NEXT || op == OP_RECV_WAIT
           || op == OP_RECV_WAIT_FOR;
}

static void put_operand(const Disasm *d, const CodeInstr *instr, unsigned i)
{
    int64_t value = instr->operands[i];
    uint32_t index = (uint32_t)value;
    switch ((OperandKind)op_info[instr->op].operands[i]) {
    case OPERAND_DST:
    case OPERAND_SRC: put_register(d, (unsigned)value); break;
    case OPERAND_ARITY: bytes_printf(d->out, "arity %u", index); break;
    case OPERAND_NEED: bytes_printf(d->out, "need %u", index); break;
    case OPERAND_ATOM: put_atom(d, index); break;
    case OPERAND_LIT: put_literal(d, index); break;
    case OPERAND_LABEL:
        bytes_printf(d->out, "%s %u", jumps_always(instr->op) ? "to" : "else", index);
        break;
    case OPERAND_FAIL:
        if (index == NO_LABEL)
            bytes_put_text(d->out, "or raise");
        else
            bytes_printf(d->out, "else %u", index);
        break;
    case OPERAND_FUN: put_function(d, index); break;
    case OPERAND_IMPORT:
    case OPERAND_BIF: put_import(d, index); break;
    case OPERAND_LAMBDA: put_lambda(d, index); break;
    case OPERAND_LIVE: put_live(d, code_live(value)); break;
    default: bytes_printf(d->out, "%lld", (long long)value);
    }
}

static void put_instruction(const Disasm *d, uint32_t unit, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    unsigned last = info->operand_count - (info->list_kind != OPERAND_END);
    bytes_printf(d->out, "%6u %-17s", unit, info->name);
    const char *comma = " ";
    for (unsigned i = 0; i < last; i++) {
        bool counts = info->list_kind != OPERAND_END && i == info->count_operand;
        if (info->operands[i] == OPERAND_WEIGHT || counts) continue;
        bytes_put_text(d->out, comma);
        put_operand(d, instr, i);
        comma = ", ";
    }
    if (info->list_kind != OPERAND_END) put_list(d, instr);
    bytes_put_text(d->out, "\n");
}

/* ---- handlers by where their range begins, [start | index]: one pass tells them all ---- */

static int compare_marks(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort_marks(Disasm *d)
{
    for (uint32_t i = 0; i < d->m->handler_count; i++)
        VEC_PUSH(&d->marks, (uint64_t)d->m->handlers[i].start << 32 | i);
    if (d->marks.count > 0)
        qsort(d->marks.at, d->marks.count, sizeof *d->marks.at, compare_marks);
}

/* The first mark at or behind `unit`. */
static size_t mark_at(const Disasm *d, uint32_t unit)
{
    size_t low = 0;
    size_t high = d->marks.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->marks.at[middle] >> 32 < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Handlers whose range begins at or before `unit`, from *mark on. */
static void put_marks(const Disasm *d, uint32_t unit, size_t *mark)
{
    for (; *mark < d->marks.count && d->marks.at[*mark] >> 32 <= unit; ++*mark) {
        const ModHandler *h = &d->m->handlers[(uint32_t)d->marks.at[*mark]];
        if (h->start == unit)
            bytes_printf(d->out, "     ; to %u exceptions go to %u, in r%u...\n", h->end,
                         h->target, h->base);
    }
}

/* The first row of the line table at or behind `unit`. */
static uint32_t line_at(const ModFile *m, uint32_t unit)
{
    uint32_t low = 0;
    uint32_t high = m->line_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->lines[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_line(const Disasm *d, const ModLine *line)
{
    if (line->line == 0) {
        bytes_put_text(d->out, "       ; no line\n");
        return;
    }
    ModSpan file = d->m->files[line->file];
    bytes_put_text(d->out, "       ; ");
    bytes_put(d->out, file.at, file.size);
    bytes_printf(d->out, ":%u\n", line->line);
}

static void put_function_body(const Disasm *d, uint32_t function)
{
    const ModFile *m = d->m;
    const ModFunction *f = &m->functions[function];
    bytes_put_text(d->out, "function ");
    put_function(d, function);
    bytes_printf(d->out, ", %u registers\n", f->extent);
    uint32_t line = line_at(m, f->start);
    size_t mark = mark_at(d, f->start);
    for (uint32_t unit = f->start; unit < f->end;) {
        CodeInstr instr;
        for (; line < m->line_count && m->lines[line].unit <= unit; line++)
            put_line(d, &m->lines[line]);
        put_marks(d, unit, &mark);
        if (!code_decode(m->code.at, m->code.size, unit, &instr)) {
            bytes_printf(d->out, "%6u not an instruction\n", unit);
            return;
        }
        put_instruction(d, unit, &instr);
        unit += instr.units;
    }
}

void disasm_function(const ModFile *m, uint32_t function, DisasmLiteral *literal, void *context,
                     Bytes *out)
{
    Disasm d = {.m = m, .literal = literal, .context = context, .out = out};
    sort_marks(&d);
    put_function_body(&d, function);
    VEC_FREE(&d.marks);
}

void disasm_module(const ModFile *m, DisasmLiteral *literal, void *context, Bytes *out)
{
    Disasm d = {.m = m, .literal = literal, .context = context, .out = out};
    sort_marks(&d);
    bytes_put_text(out, "module ");
    put_atom(&d, 0);
    bytes_put_text(out, "\n");
    for (uint32_t i = 0; i < m->export_count; i++) {
        bytes_put_text(out, "export ");
        put_function(&d, m->exports[i]);
        bytes_put_text(out, "\n");
    }
    for (uint32_t i = 0; i < m->lambda_count; i++) {
        put_lambda(&d, i);
        bytes_printf(out, ", arity %u, %u free\n", m->lambdas[i].arity,
                     m->lambdas[i].free_count);
    }
    if (m->on_load) {
        bytes_put_text(out, "on load ");
        put_function(&d, m->on_load - 1);
        bytes_put_text(out, "\n");
    }
    for (uint32_t i = 0; i < m->function_count; i++) {
        bytes_put_text(out, "\n");
        put_function_body(&d, i);
    }
    VEC_FREE(&d.marks);
}
