#include "vm/code/stubs.h"

#include "vm/format/tables.h"

#include <string.h>

/* Units of the longest stub: ENTER, LOAD_SMALL for each slot, BIF_STUB. */
#define STUB_UNITS (2 + 2 * STUB_STATE_SLOTS + 2)

typedef struct StubWriter {
    uint8_t *code;
    uint32_t unit;
} StubWriter;

static uint8_t *stub_take(StubWriter *w, Opcode op, uint32_t bytes)
{
    uint8_t *at = w->code + 4 * (size_t)w->unit;
    Half code = (Half)op;
    memcpy(at, &code, sizeof code);
    w->unit += bytes / 4;
    return at;
}

static void stub_u16(uint8_t *at, unsigned value)
{
    Half half = (Half)value;
    memcpy(at, &half, sizeof half);
}

static void stub_register(uint8_t *at, unsigned r) { stub_u16(at, (Half)(-1 - (int)r)); }

static void stub_enter(StubWriter *w, unsigned arity, unsigned extent)
{
    uint8_t *at = stub_take(w, OP_ENTER, OPLEN_ENTER);
    stub_u16(at + OPOFF_ENTER_0, extent * (unsigned)sizeof(Word));
    stub_u16(at + OPOFF_ENTER_1, arity);
    stub_u16(at + OPOFF_ENTER_2, extent);
}

static void stub_bif(StubWriter *w, uint32_t row)
{
    unsigned arity = tables_bifs[row].arity;
    bool has_state = !tables_bif_is_inline((int)row);
    unsigned extent = arity + (has_state ? STUB_STATE_SLOTS : 0) + 1;
    stub_enter(w, arity, extent);
    for (unsigned r = arity; r < extent; r++) {
        uint8_t *at = stub_take(w, OP_LOAD_SMALL, OPLEN_LOAD_SMALL);
        stub_register(at + OPOFF_LOAD_SMALL_0, r);
    }
    uint8_t *at = stub_take(w, OP_BIF_STUB, OPLEN_BIF_STUB);
    stub_u16(at + OPOFF_BIF_STUB_0, 3);
    stub_u16(at + OPOFF_BIF_STUB_1, extent);
    memcpy(at + OPOFF_BIF_STUB_2, &row, sizeof row);
}

static Opcode stub_control_opcode(const BifRow *row)
{
    if (strcmp(row->name, "!") == 0) return OP_SEND;
    if (strcmp(row->name, "hibernate") == 0) return OP_HIBERNATE;
    CHECK(strcmp(row->name, "apply") == 0);
    return row->arity == 3 ? OP_APPLY : OP_APPLY_FUN;
}

static void stub_control(CodeTable *t, StubWriter *w, const BifRow *row)
{
    stub_enter(w, row->arity, row->arity + 1u);
    Opcode op = stub_control_opcode(row);
    uint8_t *at = stub_take(w, op, OPLEN_SEND);
    stub_u16(at + OPOFF_SEND_0, 2);
    if (op == OP_APPLY) t->apply = (const Half *)(const void *)at;
    if (op == OP_APPLY_FUN) t->apply_fun = (const Half *)(const void *)at;
}

static Term stub_atom(CodeTable *t, const char *text) { return atom_make(t->atoms, text); }

static void stub_export(CodeTable *t, const BifRow *row, uint32_t index, const Half *entry)
{
    Export *e = code_export(t, stub_atom(t, row->module), stub_atom(t, row->name), row->arity);
    CHECK(e != NULL);
    e->bif = (uint16_t)(index + 1);
    atomic_store_release(&e->entry, entry);
}

/* The descriptor that the first frame of a process returns to, and PROCESS_END behind it. */
static void stub_process_end(CodeTable *t, StubWriter *w)
{
    uint8_t *descriptor = w->code + 4 * (size_t)w->unit;
    w->unit += sizeof(LiveMap) / 4; /* zero: no register, window 0 */
    (void)stub_take(w, OP_PROCESS_END, OPLEN_PROCESS_END);
    t->process_end = (const Half *)(const void *)descriptor;
}

/* The name in stack traces: `!` shows itself as send/2, as in OTP. */
static Term stub_shown_name(CodeTable *t, const BifRow *row)
{
    return stub_atom(t, strcmp(row->name, "!") == 0 ? "send" : row->name);
}

void stubs_make(CodeTable *t)
{
    size_t units = (size_t)STUB_UNITS * BIF_COUNT + 16;
    size_t bytes = sizeof(ModuleVersion) + 16 + 4 * units;
    lock_take(&t->lock);
    ModuleVersion *v = area_alloc(t->area, bytes);
    lock_drop(&t->lock);
    CHECK(v != NULL);
    v->block_bytes = bytes;
    arena_init(&v->tables, t->mem, MEM_CODE);
    StubWriter w = {(uint8_t *)(((uintptr_t)(v + 1) + 15) & ~(uintptr_t)15), 0};
    CodeFunction *functions = ARENA_ARRAY(&v->tables, CodeFunction, BIF_COUNT + 1);
    v->code = (const Half *)(const void *)w.code;
    for (uint32_t i = 0; i < BIF_COUNT; i++) {
        const BifRow *row = &tables_bifs[i];
        uint32_t start = w.unit;
        if (row->kind == BIF_KIND_CONTROL)
            stub_control(t, &w, row);
        else
            stub_bif(&w, i);
        functions[i] = (CodeFunction){.start = start,
                                      .end = w.unit,
                                      .module = atom_index(stub_atom(t, row->module)),
                                      .name = atom_index(stub_shown_name(t, row)),
                                      .arity = row->arity,
                                      .extent = (uint16_t)(row->arity + STUB_STATE_SLOTS + 1),
                                      .shown = row->arity};
        stub_export(t, row, i, v->code + 2 * (size_t)start);
    }
    stub_process_end(t, &w);
    CHECK(w.unit <= units);
    v->functions = functions;
    v->function_count = BIF_COUNT;
    v->code_units = w.unit;
    t->stubs = v;
    lock_take(&t->lock);
    codetab_add_version(t, v);
    lock_drop(&t->lock);
}
