#include "vm/code/load.h"

#include "vm/code/check.h"
#include "vm/code/operands.h"
#include "vm/code/weigh.h"
#include "vm/format/tables.h"
#include "vm/term/binary.h"
#include "vm/term/codec.h"

#include <stdio.h>
#include <string.h>

/* One load under way. */
typedef struct Loader {
    CodeTable *t;
    const LoadSource *source;
    LoadError *error;
    ModFile file;
    Arena scratch;
    Heap literals; /* decoded, before they have their place */
    Term *terms;
    Term *atoms;
    ModuleVersion *v;
    uint8_t *code; /* of v, writable */
    Export **imports;
    Word *literal_words;
    FunEntry **lambdas;
} Loader;

static bool load_fail(Loader *l, const char *why)
{
    snprintf(l->error->text, sizeof l->error->text, "%s", why);
    return false;
}

/* ---- atoms and literals ---- */

static AtomPut load_atom(const Loader *l, const ModSpan *text, Term *out)
{
    AtomTable *atoms = l->t->atoms;
    return l->source->trusted ? atom_put_library(atoms, text->at, text->size, out)
                              : atom_put(atoms, text->at, text->size, out);
}

static bool load_atoms(Loader *l)
{
    const ModFile *f = &l->file;
    if (f->atom_count == 0) return load_fail(l, "the module has no name");
    l->atoms = ARENA_ARRAY(&l->scratch, Term, f->atom_count);
    for (uint32_t i = 0; i < f->atom_count; i++)
        switch (load_atom(l, &f->atoms[i], &l->atoms[i])) {
        case ATOM_PUT_DONE: break;
        case ATOM_PUT_FULL: return load_fail(l, "the atom table is full");
        case ATOM_PUT_TOO_LONG:
        case ATOM_PUT_NOT_UTF8: return load_fail(l, "a damaged atom");
        }
    return true;
}

static const CodecNode load_node = {.name = {(Word)ATOM_NONODE_AT_NOHOST << 4 | TAG4_ATOM}};

static bool load_decode_literals(Loader *l)
{
    const ModFile *f = &l->file;
    FunResolver funs = codetab_resolver(l->t);
    CodecFlags flags = l->source->trusted ? CODEC_LIBRARY : CODEC_PLAIN;
    l->terms = ARENA_ARRAY(&l->scratch, Term, f->literal_count + f->file_count + 1);
    for (uint32_t i = 0; i < f->literal_count; i++) {
        CodecResult result =
            codec_decode(&l->literals, l->t->atoms, load_node, f->literals[i].at,
                         f->literals[i].size, &funs, false, flags, &l->terms[i], NULL);
        if (result == CODEC_ATOMS_FULL) return load_fail(l, "the atom table is full");
        if (result != CODEC_OK) return load_fail(l, "a damaged literal");
    }
    for (uint32_t i = 0; i < f->file_count; i++) {
        Term *name = &l->terms[f->literal_count + i];
        *name = binary_from_bytes(&l->literals, f->files[i].at, f->files[i].size);
        if (term_is_none(*name)) return load_fail(l, "no memory");
    }
    return true;
}

/* ---- the block ---- */

static size_t load_literal_size(const Loader *l)
{
    size_t words = 0;
    uint32_t n = l->file.literal_count + l->file.file_count;
    for (uint32_t i = 0; i < n; i++) words += copy_size(l->terms[i], SIZE_MAX - 1, NULL);
    return words;
}

static uint8_t *load_align(uint8_t *at) { return at + (-(uintptr_t)at & 15); }

/* [ModuleVersion][code][import cells][literal words][lambda cells][literal terms] */
static bool load_make_block(Loader *l)
{
    const ModFile *f = &l->file;
    size_t literal_words = load_literal_size(l);
    uint32_t literal_count = f->literal_count + f->file_count;
    size_t bytes =
        sizeof(ModuleVersion) + f->code.size + 64
        + sizeof(Word) * (f->import_count + literal_count + f->lambda_count + literal_words);
    lock_take(&l->t->lock);
    l->v = area_alloc(l->t->area, bytes);
    uint32_t id = l->t->next_id++;
    lock_drop(&l->t->lock);
    if (l->v == NULL) return load_fail(l, "no memory for code");
    ModuleVersion *v = l->v;
    v->id = id;
    v->block_bytes = bytes;
    arena_init(&v->tables, l->t->mem, MEM_CODE);
    l->code = load_align((uint8_t *)(v + 1));
    l->imports = (Export **)(void *)load_align(l->code + f->code.size);
    l->literal_words = (Word *)(l->imports + f->import_count);
    l->lambdas = (FunEntry **)(l->literal_words + literal_count);
    Word *at = (Word *)(l->lambdas + f->lambda_count);
    Heap h;
    heap_init_detached(&h, l->t->mem);
    h.top = at;
    h.limit = at + literal_words;
    for (uint32_t i = 0; i < literal_count; i++) {
        size_t words = copy_size(l->terms[i], SIZE_MAX - 1, NULL);
        Term t = l->terms[i];
        if (words > 0) t = copy_into(&h, heap_take(&h, words), words, t, NULL);
        l->literal_words[i] = t.w;
    }
    v->handles = h.handles;
    return true;
}

/* ---- what the code refers to ---- */

static bool load_imports(Loader *l)
{
    const ModFile *f = &l->file;
    for (uint32_t i = 0; i < f->import_count; i++) {
        const ModImport *row = &f->imports[i];
        l->imports[i] =
            code_export(l->t, l->atoms[row->module], l->atoms[row->function], row->arity);
        if (l->imports[i] == NULL) return load_fail(l, "no memory");
    }
    return true;
}

static void load_lambdas(Loader *l)
{
    const ModFile *f = &l->file;
    for (uint32_t i = 0; i < f->lambda_count; i++) {
        const ModLambda *row = &f->lambdas[i];
        FunKey key = {.module = l->atoms[0],
                      .index = row->index,
                      .arity = row->arity,
                      .old_index = row->index,
                      .old_uniq = row->unique};
        memcpy(key.uniq, f->unique, sizeof key.uniq);
        uint32_t function = atom_index(l->atoms[f->functions[row->function].name]);
        l->lambdas[i] = codetab_fun(l->t, &key, row->free_count, function);
    }
}

/* ---- code ---- */

static bool load_bif_row(Loader *l, uint32_t import, uint32_t *row)
{
    const ModFile *f = &l->file;
    ModSpan module = f->atoms[f->imports[import].module];
    ModSpan name = f->atoms[f->imports[import].function];
    int found = tables_bif_find((const char *)module.at, module.size, (const char *)name.at,
                                name.size, f->imports[import].arity);
    if (found < 0 || !tables_bif_is_inline(found))
        return load_fail(l, "an inline call of something that is no built-in of this version");
    *row = (uint32_t)found;
    return true;
}

static uint32_t load_data_offset(const Loader *l, const uint8_t *at, const void *data)
{
    (void)l;
    return (uint32_t)((const uint8_t *)data - at);
}

static void load_register(uint8_t *at)
{
    code_set_u16(at, (uint16_t)(-1 - (int)code_get_u16(at)));
}

static void load_label(uint8_t *at, uint32_t unit)
{
    uint32_t label = code_get_u32(at);
    code_set_u32(at, label == NO_LABEL ? 0 : label - unit);
}

/* One operand of the instruction at `unit`, in place. */
static bool load_operand(Loader *l, OperandKind kind, uint8_t *instr, uint8_t *at,
                         uint32_t unit, uint32_t weight)
{
    uint32_t value;
    switch (kind) {
    case OPERAND_DST:
    case OPERAND_SRC: load_register(at); return true;
    case OPERAND_NEED: /* in bytes, as the comparison of two addresses wants it */
        code_set_u16(at, (uint16_t)(code_get_u16(at) * sizeof(Word)));
        return true;
    case OPERAND_WEIGHT: code_set_u16(at, (uint16_t)weight); return true;
    case OPERAND_ATOM: code_set_u32(at, atom_index(l->atoms[code_get_u32(at)])); return true;
    case OPERAND_LIT:
        code_set_u32(at, load_data_offset(l, instr, &l->literal_words[code_get_u32(at)]));
        return true;
    case OPERAND_LABEL:
    case OPERAND_FAIL: load_label(at, unit); return true;
    case OPERAND_FUN:
        code_set_u32(at, l->file.functions[code_get_u32(at)].start - unit);
        return true;
    case OPERAND_IMPORT:
        code_set_u32(at, load_data_offset(l, instr, &l->imports[code_get_u32(at)]));
        return true;
    case OPERAND_BIF:
        if (!load_bif_row(l, code_get_u32(at), &value)) return false;
        code_set_u32(at, value);
        return true;
    case OPERAND_LAMBDA:
        code_set_u32(at, load_data_offset(l, instr, &l->lambdas[code_get_u32(at)]));
        return true;
    default: return true;
    }
}

static void load_swap_cases(uint8_t *a, uint8_t *b)
{
    uint8_t kept[8];
    memcpy(kept, a, 8);
    memcpy(a, b, 8);
    memcpy(b, kept, 8);
}

static void load_sift(uint8_t *list, size_t from, size_t n)
{
    for (size_t at = from, child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n
            && code_get_u32(list + 8 * child) < code_get_u32(list + 8 * child + 8))
            child++;
        if (code_get_u32(list + 8 * at) >= code_get_u32(list + 8 * child)) return;
        load_swap_cases(list + 8 * at, list + 8 * child);
    }
}

/* Cases by key, in place: atoms' numbers are in another order than in the file. */
static void load_sort_cases(uint8_t *list, size_t n)
{
    for (size_t i = n / 2; i > 0; i--) load_sift(list, i - 1, n);
    for (size_t i = n; i > 1; i--) {
        load_swap_cases(list, list + 8 * (i - 1));
        load_sift(list, 0, i - 1);
    }
}

static void load_cases(Loader *l, const CodeInstr *instr, uint8_t *list, uint32_t unit)
{
    for (uint32_t i = 0; i < instr->list_count; i++) {
        if (instr->op == OP_SELECT_ATOM)
            code_set_u32(list + 8 * (size_t)i,
                         atom_index(l->atoms[code_get_u32(list + 8 * (size_t)i)]));
        load_label(list + 8 * (size_t)i + 4, unit);
    }
    load_sort_cases(list, instr->list_count);
}

static void load_segments(uint8_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *at = list + 8 * (size_t)i;
        load_register(at + 2);
        if ((code_get_u16(at) & (BITS_SIZE_CONST | BITS_SIZE_ALL)) == 0) load_register(at + 4);
    }
}

static void load_list(Loader *l, const CodeInstr *instr, uint8_t *list, uint32_t unit)
{
    switch ((OperandKind)op_info[instr->op].list_kind) {
    case OPERAND_SRCS:
        for (uint32_t i = 0; i < instr->list_count; i++) load_register(list + 2 * (size_t)i);
        return;
    case OPERAND_PAIRS:
        for (uint32_t i = 0; i < instr->list_count; i++)
            load_register(list + 4 * (size_t)i + 2);
        return;
    case OPERAND_SEGMENTS: load_segments(list, instr->list_count); return;
    case OPERAND_CASES: load_cases(l, instr, list, unit); return;
    default: return;
    }
}

_Static_assert(OPLEN_TAIL_EXT == OPLEN_TAIL_DYN && OPOFF_TAIL_EXT_0 == OPOFF_TAIL_DYN_0, "");

static void load_tail_apply(const Loader *l, const CodeInstr *instr, uint8_t *at)
{
    const ModImport *import = &l->file.imports[instr->operands[1]];
    if ((import->arity != 2 && import->arity != 3)
        || !term_is_the_atom(l->atoms[import->module], ATOM_ERLANG)
        || !term_is_the_atom(l->atoms[import->function], ATOM_APPLY))
        return;
    code_set_u16(at, OP_TAIL_DYN);
    code_set_u16(at + OPOFF_TAIL_DYN_1,
                 import->arity == 2 ? OPERAND_TAIL_APPLY_2 : OPERAND_TAIL_APPLY_3);
}

static bool load_instruction(Loader *l, Weigh *weigh, uint32_t unit, uint32_t *units)
{
    CodeInstr instr;
    if (!code_decode(l->file.code.at, l->file.code.size, unit, &instr))
        return load_fail(l, "damaged code");
    const OpInfo *info = &op_info[instr.op];
    uint32_t weight = weigh_visit(weigh, &instr, unit);
    uint8_t *at = l->code + 4 * (size_t)unit;
    for (unsigned i = 0; i < info->operand_count; i++)
        if (!load_operand(l, (OperandKind)info->operands[i], at, at + info->offsets[i], unit,
                          weight))
            return false;
    if (instr.list_count > 0)
        load_list(l, &instr, at + (instr.list - (l->file.code.at + 4 * (size_t)unit)), unit);
    if (instr.op == OP_TAIL_EXT) load_tail_apply(l, &instr, at);
    *units = instr.units;
    return true;
}

static bool load_code(Loader *l)
{
    const ModFile *f = &l->file;
    if (f->code.size > 0) memcpy(l->code, f->code.at, f->code.size);
    uint32_t count = f->code.size / 4;
    Weigh weigh = {ARENA_ARRAY(&l->scratch, uint32_t, (size_t)count + 1), count};
    for (uint32_t i = 0; i < f->handler_count; i++)
        weigh_handler(&weigh, f->handlers[i].target);
    uint32_t units = 0;
    for (uint32_t unit = 0; unit < count; unit += units)
        if (!load_instruction(l, &weigh, unit, &units)) return false;
    l->v->code = (const Half *)(const void *)l->code;
    l->v->code_units = count;
    return true;
}

/* ---- tables ---- */

static void load_functions(Loader *l)
{
    const ModFile *f = &l->file;
    ModuleVersion *v = l->v;
    CodeFunction *rows = ARENA_ARRAY(&v->tables, CodeFunction, f->function_count + 1u);
    for (uint32_t i = 0; i < f->function_count; i++)
        rows[i] = (CodeFunction){.start = f->functions[i].start,
                                 .end = f->functions[i].end,
                                 .module = atom_index(l->atoms[0]),
                                 .name = atom_index(l->atoms[f->functions[i].name]),
                                 .arity = f->functions[i].arity,
                                 .extent = f->functions[i].extent,
                                 .shown = f->functions[i].shown,
                                 .is_copy = f->functions[i].context != 0};
    v->functions = rows;
    v->function_count = f->function_count;
    v->exports = arena_copy_bytes(&v->tables, f->exports, f->export_count * sizeof(uint32_t));
    v->export_count = f->export_count;
    v->on_load = f->on_load;
    v->lambdas = arena_copy_bytes(&v->tables, l->lambdas, f->lambda_count * sizeof(FunEntry *));
    v->lambda_count = f->lambda_count;
    uint32_t *bodies = ARENA_ARRAY(&v->tables, uint32_t, f->lambda_count + 1u);
    for (uint32_t i = 0; i < f->lambda_count; i++) bodies[i] = f->lambdas[i].function;
    v->lambda_functions = bodies;
}

static void load_positions(Loader *l)
{
    const ModFile *f = &l->file;
    ModuleVersion *v = l->v;
    CodeHandler *handlers = ARENA_ARRAY(&v->tables, CodeHandler, f->handler_count + 1u);
    for (uint32_t i = 0; i < f->handler_count; i++)
        handlers[i] = (CodeHandler){f->handlers[i].start, f->handlers[i].end,
                                    f->handlers[i].target, f->handlers[i].base};
    v->handlers = handlers;
    v->handler_count = f->handler_count;
    CodeLine *lines = ARENA_ARRAY(&v->tables, CodeLine, f->line_count + 1u);
    for (uint32_t i = 0; i < f->line_count; i++)
        lines[i] = (CodeLine){f->lines[i].unit, f->lines[i].line, f->lines[i].file};
    v->lines = lines;
    v->line_count = f->line_count;
    v->files = (const Term *)(const void *)(l->literal_words + f->literal_count);
    v->file_count = f->file_count;
    const uint8_t **maps = ARENA_ARRAY(&v->tables, const uint8_t *, f->map_count + 1u);
    for (uint32_t i = 0; i < f->map_count; i++)
        maps[i] = arena_copy_bytes(&v->tables, f->maps[i].at, f->maps[i].size);
    v->maps = maps;
}

static void load_keep_source(Loader *l)
{
    ModuleVersion *v = l->v;
    v->file_bytes = l->source->bytes;
    v->file_size = l->source->size;
    if (l->source->keep) {
        v->image = mem_alloc(l->t->mem, MEM_CODE, l->source->size);
        memcpy(v->image, l->source->bytes, l->source->size);
        v->file_bytes = v->image;
    }
    if (l->source->path != NULL) {
        v->path = arena_copy_bytes(&v->tables, l->source->path, l->source->path_length);
        v->path_length = l->source->path_length;
    }
    memcpy(v->unique, l->file.unique, sizeof v->unique);
}

static bool load_read(Loader *l)
{
    const char *why = "";
    ModFileResult result =
        l->source->trusted
            ? modfile_read_trusted(l->source->bytes, l->source->size, &l->scratch, &l->file,
                                   &why)
            : modfile_read(l->source->bytes, l->source->size, &l->scratch, &l->file, &why);
    if (result != MODFILE_OK) return load_fail(l, why);
    return true;
}

/* Code that is not this build's own runs only if it is proved harmless. */
static bool load_verify(Loader *l)
{
    VerifyProblem problem;
    if (l->source->trusted
        || check_code(&l->file, l->t->atoms, l->terms, &l->scratch, &problem))
        return true;
    snprintf(l->error->text, sizeof l->error->text, "its code is refused: %s (at %u)",
             problem.why, problem.unit);
    return false;
}

static bool load_all(Loader *l)
{
    if (!load_read(l) || !load_atoms(l) || !load_decode_literals(l)) return false;
    if (!load_verify(l) || !load_make_block(l)) return false;
    lock_take(&l->t->lock);
    l->v->module = codetab_module(l->t, atom_index(l->atoms[0]));
    lock_drop(&l->t->lock);
    if (!load_imports(l)) return false;
    load_lambdas(l);
    if (!load_code(l)) return false;
    load_functions(l);
    load_positions(l);
    load_keep_source(l);
    return true;
}

ModuleVersion *load_prepare(CodeTable *t, const LoadSource *source, LoadError *error)
{
    Loader l = {.t = t, .source = source, .error = error};
    arena_init(&l.scratch, t->mem, MEM_CODE);
    heap_init_detached(&l.literals, t->mem);
    bool done = load_all(&l);
    heap_release(&l.literals);
    arena_free(&l.scratch);
    if (done) return l.v;
    if (l.v != NULL) load_discard(t, l.v);
    return NULL;
}

void load_discard(CodeTable *t, ModuleVersion *v) { codetab_free_version(t, v); }

bool load_module_name(CodeTable *t, const LoadSource *source, Term *name, LoadError *error)
{
    Loader l = {.t = t, .source = source, .error = error};
    arena_init(&l.scratch, t->mem, MEM_CODE);
    bool done = load_read(&l) && load_atoms(&l);
    if (done) *name = l.atoms[0];
    arena_free(&l.scratch);
    return done;
}

bool load_module_unique(CodeTable *t, const LoadSource *source, uint8_t unique[16])
{
    LoadError error;
    Loader l = {.t = t, .source = source, .error = &error};
    arena_init(&l.scratch, t->mem, MEM_CODE);
    bool done = load_read(&l);
    if (done) memcpy(unique, l.file.unique, sizeof l.file.unique);
    arena_free(&l.scratch);
    return done;
}
