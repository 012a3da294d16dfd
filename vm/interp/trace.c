#include "vm/interp/trace.h"

#include "vm/code/operands.h"
#include "vm/format/opcodes.h"
#include "vm/proc/frame.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"
#include "vm/term/map.h"

#include <string.h>

/* Entries of a stack trace, as OTP's backtrace_depth. */
#define TRACE_DEPTH 8

typedef struct TraceMaker {
    Term top[4]; /* module or nil, function, args or arity, flags */
    Term frames[TRACE_DEPTH];
    size_t count;
} TraceMaker;

/* Where a code address lies.  `*near` is tried first: frames next to each other are mostly of one
 * version, and looking that up is what a trace would cost. */
static bool trace_find(const CodeTable *code, const Half *at, const ModuleVersion **near)
{
    if (LIKELY(*near != NULL && version_holds(*near, at))) return true;
    *near = code_version_at(code, at);
    return *near != NULL;
}

static Term trace_frame(const ModuleVersion *v, const Half *at)
{
    return small_from((int64_t)v->id << 32 | version_unit(v, at));
}

static const Half *trace_caller(Word link)
{
    return (const Half *)(const void *)(frame_descriptor(link) - 4);
}

/* What stands in a raw trace, or will: flags, or a map instead of TRACE_AT_FRAME. */
static bool trace_has_flag(Term flags, int64_t flag)
{
    if (!term_is_small(flags)) return flag == TRACE_AT_FRAME;
    return (small_value(flags) & flag) != 0;
}

static void trace_set_top(TraceMaker *m, Term module, Term function, Term args, int flags)
{
    m->top[0] = module;
    m->top[1] = function;
    m->top[2] = args;
    m->top[3] = small_from(flags);
}

/* Operators are shown as functions of erlang with their operands. */
static const struct {
    uint8_t op;
    uint8_t operands; /* 1, 2; 3: the second one is a constant */
    AtomName name;
} trace_operators[] = {
    {OP_ADD, 2, ATOM_PLUS},          {OP_SUB, 2, ATOM_MINUS},
    {OP_MUL, 2, ATOM_TIMES},         {OP_DIV, 2, ATOM_SLASH},
    {OP_INT_DIV, 2, ATOM_DIV},       {OP_REM, 2, ATOM_REM},
    {OP_BAND, 2, ATOM_BAND},         {OP_BOR, 2, ATOM_BOR},
    {OP_BXOR, 2, ATOM_BXOR},         {OP_BSL, 2, ATOM_BSL},
    {OP_BSR, 2, ATOM_BSR},           {OP_NEGATE, 1, ATOM_MINUS},
    {OP_BNOT, 1, ATOM_BNOT},         {OP_ADD_SMALL, 3, ATOM_PLUS},
    {OP_SUB_SMALL, 3, ATOM_MINUS},   {OP_MUL_SMALL, 3, ATOM_TIMES},
    {OP_INT_DIV_SMALL, 3, ATOM_DIV}, {OP_REM_SMALL, 3, ATOM_REM},
    {OP_BAND_SMALL, 3, ATOM_BAND},   {OP_BSL_SMALL, 3, ATOM_BSL},
    {OP_BSR_SMALL, 3, ATOM_BSR},     {OP_ADD_FLOATS, 2, ATOM_PLUS},
    {OP_SUB_FLOATS, 2, ATOM_MINUS},  {OP_MUL_FLOATS, 2, ATOM_TIMES},
    {OP_DIV_FLOATS, 2, ATOM_SLASH},
};

static Term trace_register(const Process *p, const uint8_t *at)
{
    return TERM_RAW(p->fp[operand_i16(at)]);
}

/* All rows of arithmetic have the layout DST SRC SRC: operands at the same offsets. */
static Term trace_operands(Process *p, unsigned operands)
{
    const uint8_t *pc = (const uint8_t *)p->pc;
    Term list = TERM_NIL;
    if (operands == 2)
        list = heap_cons(&p->heap, trace_register(p, pc + OPOFF_ADD_2), list);
    else if (operands == 3)
        list = heap_cons(&p->heap, small_from(operand_i16(pc + OPOFF_ADD_SMALL_2)), list);
    if (term_is_none(list)) return TERM_NIL;
    list = heap_cons(&p->heap, trace_register(p, pc + OPOFF_ADD_1), list);
    return term_is_none(list) ? TERM_NIL : list;
}

static bool trace_top_operator(Process *p, TraceMaker *m)
{
    for (size_t i = 0; i < ARRAY_LEN(trace_operators); i++)
        if (*p->pc == trace_operators[i].op) {
            Term args = trace_operands(p, trace_operators[i].operands);
            trace_set_top(m, TERM_ATOM(ERLANG), atom_from(trace_operators[i].name), args,
                          TRACE_ERROR_INFO);
            return true;
        }
    return false;
}

/* The first entry in the words of the function around p->pc; TERM_NONE: with its arity. */
static void trace_top_function(const Process *p, TraceMaker *m, const ModuleVersion *v,
                               Term args, int flags)
{
    const CodeFunction *f = code_function(v, version_unit(v, p->pc));
    if (f == NULL) return;
    if (term_is_none(args)) args = small_from(f->shown);
    trace_set_top(m, atom_from(f->module), atom_from(f->name), args, flags);
}

static void trace_top_stub(Process *p, TraceMaker *m, const ModuleVersion *v)
{
    const CodeFunction *f = code_function(v, version_unit(v, p->pc));
    if (f == NULL || p->run->exc_hides_bif) return;
    trace_set_top(m, atom_from(f->module), atom_from(f->name),
                  process_list_registers(p, 0, f->arity), TRACE_ERROR_INFO);
}

static void trace_top_bif(Process *p, TraceMaker *m)
{
    const uint8_t *pc = (const uint8_t *)p->pc;
    const AtomTable *atoms = p->run->atoms;
    const BifRow *row = &tables_bifs[operand_u32(pc + OPOFF_BIF_3)];
    size_t first = operand_u16(pc + OPOFF_BIF_1);
    Term module = atom_find(atoms, row->module, strlen(row->module));
    Term name = atom_find(atoms, row->name, strlen(row->name));
    trace_set_top(m, module, name, process_list_registers(p, first, row->arity),
                  TRACE_ERROR_INFO);
}

/* The first entry, if it is not just the function whose code failed. Returns whether the frame of
 * p->pc itself is part of the trace. */
static bool trace_top(Process *p, TraceMaker *m, const ModuleVersion *v)
{
    const RunContext *run = p->run;
    if (*p->pc == OP_FUNCTION_CLAUSE) {
        const uint8_t *pc = (const uint8_t *)p->pc;
        size_t arity = operand_u16(pc + OPOFF_FUNCTION_CLAUSE_0);
        trace_top_function(p, m, v, process_list_registers(p, 0, arity), TRACE_AT_FRAME);
        return true;
    }
    bool told = !term_is_none(run->exc_args) || !term_is_none(run->exc_info);
    if (told && v->module != NULL) {
        trace_top_function(p, m, v, run->exc_args, TRACE_AT_FRAME);
        if (!term_is_none(run->exc_info)) m->top[3] = run->exc_info;
        return true;
    }
    if (v->module == NULL) {
        trace_top_stub(p, m, v);
        return false;
    }
    if (*p->pc == OP_BIF) {
        if (!run->exc_hides_bif) trace_top_bif(p, m);
        return true;
    }
    (void)trace_top_operator(p, m);
    return true;
}

static void trace_callers(const Process *p, TraceMaker *m, size_t limit,
                          const ModuleVersion *near)
{
    const Word *fp = p->fp;
    const Word *base = p->block + p->block_words - 1;
    while (m->count < limit && fp < base) {
        const Half *at = trace_caller(fp[0]);
        if (trace_find(p->run->code, at, &near) && near->module != NULL)
            m->frames[m->count++] = trace_frame(near, at);
        fp += frame_window(fp[0]);
    }
}

static Term trace_finish(Process *p, const TraceMaker *m)
{
    Word *at = heap_alloc(&p->heap, 5 + m->count);
    if (at == NULL) return TERM_NIL;
    at[0] = header_make(KIND_TUPLE, 4 + m->count);
    for (size_t i = 0; i < 4; i++) at[1 + i] = m->top[i].w;
    for (size_t i = 0; i < m->count; i++) at[5 + i] = m->frames[i].w;
    return boxed_from(at);
}

Term trace_make(Process *p, const ModuleVersion *near)
{
    TraceMaker m;
    m.count = 0;
    trace_set_top(&m, TERM_NIL, TERM_NIL, TERM_NIL, 0);
    if (*p->pc == OP_UNDEFINED) {
        const Export *e = (const Export *)(const void *)((const char *)p->pc
                                                         - offsetof(Export, undefined_code));
        trace_set_top(&m, e->key.module, e->key.function,
                      process_list_registers(p, 0, e->key.arity), 0);
    } else if (near != NULL && trace_top(p, &m, near)) {
        m.frames[m.count++] = trace_frame(near, p->pc);
    }
    bool own_entry = !term_is_nil(m.top[0]) && !trace_has_flag(m.top[3], TRACE_AT_FRAME);
    trace_callers(p, &m, own_entry ? TRACE_DEPTH - 1 : TRACE_DEPTH, near);
    return trace_finish(p, &m);
}

Term trace_make_called(Process *p, Term module, Term function, Term args, bool error_info)
{
    TraceMaker m;
    m.count = 0;
    trace_set_top(&m, module, function, args, error_info ? TRACE_ERROR_INFO : 0);
    const ModuleVersion *near = NULL;
    if (trace_find(p->run->code, p->pc, &near) && near->module != NULL)
        m.frames[m.count++] = trace_frame(near, p->pc);
    trace_callers(p, &m, TRACE_DEPTH - 1, near);
    return trace_finish(p, &m);
}

/* ---- text on demand ---- */

/* A file's name as a list of characters. */
static Term trace_file_list(Heap *h, Term binary)
{
    BitView view = binary_view(binary);
    Term list = TERM_NIL;
    for (size_t i = view.bits / 8; i > 0; i--) {
        list = heap_cons(h, small_from(view.at[i - 1]), list);
        if (term_is_none(list)) return TERM_NIL;
    }
    return list;
}

static Term trace_pair(Heap *h, AtomName key, Term value, Term rest)
{
    Term pair = heap_tuple2(h, atom_from(key), value);
    Term list = term_is_none(pair) ? TERM_NONE : heap_cons(h, pair, rest);
    return term_is_none(list) ? rest : list;
}

static Term trace_location(Heap *h, const ModuleVersion *v, uint32_t unit, Term more)
{
    Term file;
    uint32_t line = code_line(v, unit, &file);
    if (line == 0) return more;
    Term list = trace_pair(h, ATOM_LINE, small_from(line), more);
    return trace_pair(h, ATOM_FILE, trace_file_list(h, file), list);
}

static Term trace_error_info(Heap *h, Term module)
{
    Term explainer = term_same(module, TERM_ATOM(ERLANG)) ? TERM_ATOM(ERL_ERTS_ERRORS)
                                                          : TERM_ATOM(ERL_STDLIB_ERRORS);
    Term key = TERM_ATOM(MODULE);
    Term keys = heap_tuple(h, 1, &key);
    if (term_is_none(keys)) return TERM_NIL;
    Term info = map_from_sorted(h, keys, 1, &explainer);
    return term_is_none(info) ? TERM_NIL : trace_pair(h, ATOM_ERROR_INFO, info, TERM_NIL);
}

static Term trace_entry(Heap *h, Term module, Term function, Term args, Term location,
                        Term rest)
{
    Term entry = heap_tuple(h, 4, (const Term[]){module, function, args, location});
    Term list = term_is_none(entry) ? TERM_NONE : heap_cons(h, entry, rest);
    return term_is_none(list) ? rest : list;
}

static Term trace_frame_entry(const CodeTable *code, Heap *h, Term frame, Term rest)
{
    uint64_t bits = (uint64_t)small_value(frame);
    uint32_t unit = (uint32_t)bits;
    const ModuleVersion *v = code_version(code, (uint32_t)(bits >> 32));
    const CodeFunction *f = v == NULL ? NULL : code_function(v, unit);
    if (f == NULL) return rest;
    Term location = trace_location(h, v, unit, TERM_NIL);
    return trace_entry(h, atom_from(f->module), atom_from(f->name), small_from(f->shown),
                       location, rest);
}

static Term trace_top_entry(const CodeTable *code, Heap *h, Term raw, Term rest)
{
    Term module = tuple_at(raw, 0);
    Term flags = tuple_at(raw, 3);
    Term location = TERM_NIL;
    if (!term_is_small(flags)) location = trace_pair(h, ATOM_ERROR_INFO, flags, TERM_NIL);
    if (trace_has_flag(flags, TRACE_AT_FRAME) && tuple_size(raw) > 4) {
        uint64_t bits = (uint64_t)small_value(tuple_at(raw, 4));
        const ModuleVersion *v = code_version(code, (uint32_t)(bits >> 32));
        if (v != NULL) location = trace_location(h, v, (uint32_t)bits, location);
    } else if (trace_has_flag(flags, TRACE_ERROR_INFO)) {
        location = trace_error_info(h, module);
    }
    return trace_entry(h, module, tuple_at(raw, 1), tuple_at(raw, 2), location, rest);
}

Term trace_list(const CodeTable *code, Heap *h, Term raw)
{
    /* Code from a file may hold any value for a raw trace; what it says is
     * looked up, never trusted. */
    if (!term_is_tuple(raw) || tuple_size(raw) < 4) return raw;
    bool has_top = !term_is_nil(tuple_at(raw, 0));
    bool at_frame = trace_has_flag(tuple_at(raw, 3), TRACE_AT_FRAME);
    size_t first = 4 + (has_top && at_frame ? 1 : 0);
    Term list = TERM_NIL;
    for (size_t i = tuple_size(raw); i > first; i--)
        list = trace_frame_entry(code, h, tuple_at(raw, i - 1), list);
    return has_top ? trace_top_entry(code, h, raw, list) : list;
}

Term trace_current(Process *p, Heap *h, size_t depth)
{
    const CodeTable *code = p->run->code;
    Term frames[64];
    size_t n = 0;
    const ModuleVersion *near = NULL;
    if (depth > ARRAY_LEN(frames)) depth = ARRAY_LEN(frames);
    if (depth > 0 && trace_find(code, p->pc, &near)) frames[n++] = trace_frame(near, p->pc);
    const Word *base = p->block + p->block_words - 1;
    for (const Word *fp = p->fp; n < depth && fp < base; fp += frame_window(fp[0]))
        if (trace_find(code, trace_caller(fp[0]), &near))
            frames[n++] = trace_frame(near, trace_caller(fp[0]));
    Term list = TERM_NIL;
    while (n > 0) list = trace_frame_entry(code, h, frames[--n], list);
    return list;
}
