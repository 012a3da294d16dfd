#include "vm/format/tables.h"
#include "vm/format/verify_parts.h"

/* The row of bifs.def that an import names and that may stand in line, or -1. */
static int inline_bif(Verifier *v, uint32_t import)
{
    if (v->bif_rows[import] == -2) {
        const ModImport *i = &v->m->imports[import];
        ModSpan module = modfile_atom(v->m, i->module);
        ModSpan name = modfile_atom(v->m, i->function);
        int row = tables_bif_find((const char *)module.at, module.size, (const char *)name.at,
                                  name.size, i->arity);
        v->bif_rows[import] = (int16_t)(row >= 0 && tables_bif_is_inline(row) ? row : -1);
    }
    return v->bif_rows[import];
}

static bool check_live(Verifier *v, CodeLive live)
{
    uint32_t extent = v->f->extent;
    if (live.window == 0 || live.window > extent + 1u)
        return verify_fail(v, "a call's window lies outside its frame");
    if (live.flags & ~(LIVE_FLAG_IN_TRY | LIVE_FLAG_BIG_MAP))
        return verify_fail(v, "a map of live registers has unknown flags");
    if (live.flags & LIVE_FLAG_BIG_MAP) {
        if (live.map >= v->m->map_count)
            return verify_fail(v, "a map of live registers is missing");
        /* The collector looks at all window - 1 bits. */
        if (v->m->maps[live.map].size * 8u < live.window - 1u)
            return verify_fail(v, "a map of live registers is too short");
        return true;
    }
    if (live.window - 1u < 32 && live.map >> (live.window - 1u))
        return verify_fail(v, "a map names registers in the window");
    return true;
}

static bool check_operand(Verifier *v, OperandKind kind, int64_t value)
{
    const ModFile *m = v->m;
    uint64_t index = (uint64_t)value;
    switch (kind) {
    case OPERAND_DST:
    case OPERAND_SRC:
        return index < v->f->extent || verify_fail(v, "a register lies outside its frame");
    case OPERAND_ATOM: return index < m->atom_count || verify_fail(v, "an atom is missing");
    case OPERAND_LIT: return index < m->literal_count || verify_fail(v, "a literal is missing");
    case OPERAND_FUN:
        return index < m->function_count || verify_fail(v, "a function is missing");
    case OPERAND_IMPORT:
        return index < m->import_count || verify_fail(v, "an import is missing");
    case OPERAND_BIF:
        if (index >= m->import_count) return verify_fail(v, "an import is missing");
        return inline_bif(v, (uint32_t)index) >= 0
               || verify_fail(v, "a function is used as if it were built in");
    case OPERAND_LAMBDA: return index < m->lambda_count || verify_fail(v, "a fun is missing");
    case OPERAND_NEED:
        return index <= LIMIT_NEED || verify_fail(v, "too much room is asked for");
    case OPERAND_WEIGHT: return index == 0 || verify_fail(v, "a weight is not zero");
    case OPERAND_LIVE: return check_live(v, code_live(value));
    default: return true; /* labels: when control goes there */
    }
}

static bool check_cases(Verifier *v, const CodeInstr *instr)
{
    for (uint32_t i = 0; i < instr->list_count; i++) {
        uint32_t key = code_case_key(instr, i);
        if (instr->op == OP_SELECT_ATOM && key >= v->m->atom_count)
            return verify_fail(v, "an atom is missing");
        if (i == 0) continue;
        uint32_t before = code_case_key(instr, i - 1);
        bool ascending =
            instr->op == OP_SELECT_SMALL ? (int32_t)before < (int32_t)key : before < key;
        if (!ascending) return verify_fail(v, "cases are not in order");
    }
    return true;
}

static bool check_segment(Verifier *v, BitsSegment s)
{
    uint32_t type = s.type_flags & BITS_TYPE_MASK;
    bool sized = !(s.type_flags & (BITS_SIZE_CONST | BITS_SIZE_ALL));
    if (type > BITS_TYPE_UTF32 || s.type_flags >> 8)
        return verify_fail(v, "a segment has no type");
    if ((s.type_flags & BITS_SIZE_ALL) && type != BITS_TYPE_BINARY)
        return verify_fail(v, "a segment has no size");
    if (s.unit == 0 || s.unit > 256) return verify_fail(v, "a segment's unit is not 1 to 256");
    if (s.value >= v->f->extent || (sized && s.size >= v->f->extent))
        return verify_fail(v, "a register lies outside its frame");
    return true;
}

static bool check_list(Verifier *v, const CodeInstr *instr)
{
    uint32_t n = instr->list_count;
    switch ((OperandKind)op_info[instr->op].list_kind) {
    case OPERAND_SRCS:
        for (uint32_t i = 0; i < n; i++)
            if (code_list_half(instr, i) >= v->f->extent)
                return verify_fail(v, "a register lies outside its frame");
        return true;
    case OPERAND_PAIRS:
        for (uint32_t i = 0; i < n; i++)
            if (code_list_half(instr, 2 * i + 1) >= v->f->extent)
                return verify_fail(v, "a register lies outside its frame");
        return true;
    case OPERAND_SEGMENTS:
        for (uint32_t i = 0; i < n; i++)
            if (!check_segment(v, code_segment(instr, i))) return false;
        return true;
    case OPERAND_CASES: return check_cases(v, instr);
    default: return true;
    }
}

static bool check_extent(Verifier *v, int64_t extent)
{
    return extent == v->f->extent || verify_fail(v, "an instruction has another frame in mind");
}

static bool check_bits_string(Verifier *v, const CodeInstr *instr)
{
    const VerifyLiteral *literal = &v->literals[instr->operands[2]];
    if (literal->kind != VERIFY_LITERAL_BITSTRING
        || literal->size < (uint64_t)instr->operands[1])
        return verify_fail(v, "a literal is not a bitstring of this size");
    return true;
}

static bool check_map_build(Verifier *v, const CodeInstr *instr)
{
    const VerifyLiteral *literal = &v->literals[instr->operands[2]];
    if (literal->kind != VERIFY_LITERAL_TUPLE || !literal->sorted_keys
        || literal->size != instr->list_count || literal->size == 0 || literal->size > 32)
        return verify_fail(v, "a literal is not the keys of a map");
    return true;
}

/* Constants that have a range of their own. */
static bool check_constants(Verifier *v, const CodeInstr *instr)
{
    const int64_t *o = instr->operands;
    switch (instr->op) {
    case OP_BITS_UTF:
        return o[2] == 8 || o[2] == 16 || o[2] == 32 || verify_fail(v, "no such UTF");
    case OP_BITS_SKIP_UTF:
        return o[1] == 8 || o[1] == 16 || o[1] == 32 || verify_fail(v, "no such UTF");
    case OP_BITS_INT:
    case OP_BITS_FLOAT:
    case OP_BITS_BINARY:
        return (o[3] >= 1 && o[3] <= 256) || verify_fail(v, "a unit is not 1 to 256");
    case OP_BITS_REST:
    case OP_BITS_SKIP:
        return (o[2] >= 1 && o[2] <= 256) || verify_fail(v, "a unit is not 1 to 256");
    case OP_INT_DIV_SMALL:
    case OP_REM_SMALL: return o[2] > 0 || verify_fail(v, "a constant divisor is not positive");
    case OP_BSL_SMALL:
    case OP_BSR_SMALL:
        return (o[2] >= 0 && o[2] <= 61) || verify_fail(v, "a constant shift is not 0 to 61");
    case OP_TRY_ARITHMETIC:
        return o[3] < ARITHMETIC_COUNT || verify_fail(v, "no such operator");
    case OP_BITS_IS_UNIT:
        return (o[1] >= 1 && o[1] <= 256) || verify_fail(v, "a unit is not 1 to 256");
    default: return true;
    }
}

/* What a row's operand kinds do not say. */
static bool check_special(Verifier *v, const CodeInstr *instr)
{
    const int64_t *o = instr->operands;
    switch (instr->op) {
    case OP_ENTER:
        if (v->unit != v->f->start) return verify_fail(v, "ENTER inside a function");
        if (o[1] != v->f->arity || o[0] < o[2])
            return verify_fail(v, "ENTER does not fit its function");
        return check_extent(v, o[2]);
    case OP_RETURN_CONS:
        return o[3] >= v->f->extent + 2 + LIMIT_CALL_GAP
               || verify_fail(v, "RETURN_CONS has no room");
    case OP_LIST_CALL: {
        uint32_t first = v->f->start + OPLEN_ENTER / 4;
        return (v->unit == first && v->f->arity > 0)
               || verify_fail(v, "LIST_CALL is not behind the ENTER of a list");
    }
    case OP_RESERVE:
        return o[0] >= v->f->extent || verify_fail(v, "RESERVE does not cover its frame");
    case OP_BIF: return check_extent(v, o[2]);
    case OP_MAP_PUT:
    case OP_MAP_UPDATE:
        if (instr->list_count % 2) return verify_fail(v, "a key without a value");
        return check_extent(v, o[2]);
    case OP_BITS_BUILD: return check_extent(v, o[1]);
    case OP_CALL_FUN:
    case OP_CALL_DYN:
    case OP_TAIL_FUN:
    case OP_TAIL_DYN:
    case OP_FUNCTION_CLAUSE:
        return o[instr->op == OP_FUNCTION_CLAUSE ? 0 : 1] <= LIMIT_ARITY
               || verify_fail(v, "too many arguments");
    case OP_MAKE_FUN:
        return instr->list_count == v->m->lambdas[o[2]].free_count
               || verify_fail(v, "a fun has another number of free variables");
    case OP_MAP_BUILD: return check_map_build(v, instr);
    case OP_BITS_IS_STRING: return check_bits_string(v, instr);
    case OP_BIF_STUB:
    case OP_SEND:
    case OP_APPLY:
    case OP_APPLY_FUN:
    case OP_HIBERNATE:
    case OP_PROCESS_END:
    case OP_UNDEFINED:
    case OP_FUN_GONE: return verify_fail(v, "an instruction of the machine's own");
    default: return true;
    }
}

bool verify_operands(Verifier *v, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    for (unsigned i = 0; i < info->operand_count; i++)
        if (!check_operand(v, (OperandKind)info->operands[i], instr->operands[i])) return false;
    return check_list(v, instr) && check_special(v, instr) && check_constants(v, instr);
}
