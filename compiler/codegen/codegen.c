#include "compiler/codegen/codegen.h"

#include "compiler/codegen/budget.h"
#include "compiler/codegen/emit.h"
#include "compiler/codegen/live.h"
#include "compiler/codegen/share.h"
#include "compiler/codegen/spill.h"
#include "vm/format/limits.h"

#include <stdlib.h>
#include <string.h>

static NameId name_of(CoreUnit *u, Term atom)
{
    return names_intern(&u->c->names, atom_text(u->atoms, atom), atom_length(u->atoms, atom));
}

static bool generate_function(CoreUnit *u, CoreFunction *f, Emitter *e, Arena *arena)
{
    share_function(u, f, arena);
    spill_function(f, arena);
    LirFunction *lir = lower_function(u, f, e->pool, arena);
    live_blocks(lir);
    budget_reserve(lir);
    live_deaths(lir);
    MirFunction *mir = regalloc_function(lir);
    if (mir->too_large) {
        diag_add(&u->c->diags, DIAG_FRAME_TOO_LARGE, f->pos, name_of(u, f->name), (int)f->arity,
                 LIMIT_FRAME);
        return false;
    }
    emit_function(e, lir, mir);
    if (!e->is_too_large) return true;
    e->is_too_large = false;
    diag_add(&u->c->diags, DIAG_OPERAND_TOO_LARGE, e->too_large, UINT16_MAX);
    return false;
}

/* A function's place in the export table. */
typedef struct ExportName {
    ModSpan name;
    uint32_t arity;
    uint32_t function;
} ExportName;

static int compare_names(const void *x, const void *y)
{
    const ExportName *a = x;
    const ExportName *b = y;
    uint32_t shorter = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = shorter ? memcmp(a->name.at, b->name.at, shorter) : 0;
    if (order) return order;
    if (a->name.size != b->name.size) return a->name.size < b->name.size ? -1 : 1;
    return (a->arity > b->arity) - (a->arity < b->arity);
}

static void make_exports(CoreUnit *u, const CodePool *pool, const Emitter *e, Arena *arena,
                         ModFile *m)
{
    ExportName *names = ARENA_ARRAY(arena, ExportName, u->functions.count + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < u->functions.count; i++)
        if (u->functions.at[i]->exported)
            names[n++] = (ExportName){pool->atoms.at[e->functions.at[i].name],
                                      u->functions.at[i]->arity, i};
    qsort(names, n, sizeof *names, compare_names);
    m->exports = ARENA_ARRAY(arena, uint32_t, n + 1);
    m->export_count = n;
    for (uint32_t i = 0; i < n; i++) m->exports[i] = names[i].function;
}

static void make_lambdas(CoreUnit *u, Arena *arena, ModFile *m)
{
    m->lambda_count = (uint32_t)u->lambdas.count;
    m->lambdas = ARENA_ARRAY(arena, ModLambda, u->lambdas.count + 1);
    for (uint32_t i = 0; i < m->lambda_count; i++) {
        const CoreLambda *l = &u->lambdas.at[i];
        m->lambdas[i] = (ModLambda){.function = l->function,
                                    .index = i,
                                    .arity = (uint16_t)l->arity,
                                    .free_count = (uint16_t)l->free_count};
    }
}

/* [{Name, Value}, ...] in the order of the source. */
static ModSpan make_attributes(CoreUnit *u, CodePool *pool)
{
    Term list = TERM_NIL;
    for (size_t i = u->attributes.count; i-- > 0;) {
        Term pair = heap_tuple2(&u->heap, u->attributes.at[i].name, u->attributes.at[i].value);
        list = heap_cons(&u->heap, pair, list);
    }
    return pool_encode(pool, list);
}

static void find_on_load(const CoreUnit *u, ModFile *m)
{
    if (term_is_none(u->on_load)) return;
    for (uint32_t i = 0; i < u->functions.count; i++)
        if (term_same(u->functions.at[i]->name, u->on_load) && u->functions.at[i]->arity == 0
            && !u->functions.at[i]->is_fun)
            m->on_load = i + 1;
}

static void write_module(CoreUnit *u, CodePool *pool, Emitter *e, const CodegenExtras *extras,
                         Bytes *out)
{
    Arena *arena = &u->c->arena;
    ModFile m = {0};
    m.attributes = make_attributes(u, pool);
    make_exports(u, pool, e, arena, &m);
    make_lambdas(u, arena, &m);
    find_on_load(u, &m);
    m.atoms = pool->atoms.at;
    m.atom_count = (uint32_t)pool->atoms.count;
    m.literals = pool->literals.at;
    m.literal_count = (uint32_t)pool->literals.count;
    m.imports = pool->imports.at;
    m.import_count = (uint32_t)pool->imports.count;
    m.maps = pool->maps.at;
    m.map_count = (uint32_t)pool->maps.count;
    m.files = pool->files.at;
    m.file_count = (uint32_t)pool->files.count;
    m.code = (ModSpan){e->code.at, (uint32_t)e->code.count};
    m.functions = e->functions.at;
    m.function_count = (uint32_t)e->functions.count;
    m.handlers = e->handlers.at;
    m.handler_count = (uint32_t)e->handlers.count;
    m.lines = e->lines.at;
    m.line_count = (uint32_t)e->lines.count;
    if (extras) {
        m.compile_info = extras->compile_info;
        m.docs = extras->docs;
        m.types = extras->types;
        m.forms = extras->forms;
    }
    modfile_write(&m, out);
}

bool codegen_unit(CoreUnit *u, const CodegenExtras *extras, Bytes *out)
{
    CodePool pool;
    Emitter e;
    Arena scratch;
    bool good = true;
    pool_init(&pool, u, &u->c->arena);
    emit_init(&e, &pool);
    arena_init(&scratch, NULL, MEM_COMPILER);
    ArenaMark empty = arena_mark(&scratch);
    for (uint32_t i = 0; i < u->functions.count; i++) {
        good = generate_function(u, u->functions.at[i], &e, &scratch) && good;
        arena_rewind(&scratch, empty);
    }
    if (good) write_module(u, &pool, &e, extras, out);
    arena_free(&scratch);
    emit_free(&e);
    pool_free(&pool);
    return good;
}
