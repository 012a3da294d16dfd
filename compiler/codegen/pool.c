#include "compiler/codegen/pool.h"

#include "vm/term/codec.h"

#include <string.h>

void pool_init(CodePool *pool, CoreUnit *unit, Arena *arena)
{
    *pool = (CodePool){.unit = unit, .arena = arena};
    VEC_IN_ARENA(&pool->atoms, arena);
    VEC_IN_ARENA(&pool->literals, arena);
    VEC_IN_ARENA(&pool->imports, arena);
    VEC_IN_ARENA(&pool->maps, arena);
    VEC_IN_ARENA(&pool->files, arena);
    htab_init_in_arena(&pool->atom_numbers, arena);
    htab_init_in_arena(&pool->literal_numbers, arena);
    htab_init_in_arena(&pool->import_numbers, arena);
    htab_init_in_arena(&pool->map_numbers, arena);
    htab_init_in_arena(&pool->file_numbers, arena);
    pool->constant_literals = ARENA_ARRAY(arena, uint32_t, unit->constants.count + 1);
    bytes_init(&pool->scratch, NULL, MEM_COMPILER);
    pool_atom(pool, unit->name);
}

void pool_free(CodePool *pool) { bytes_free(&pool->scratch); }

uint32_t pool_atom(CodePool *pool, Term atom)
{
    bool added;
    HtabValue *number = htab_put(&pool->atom_numbers, atom_index(atom), &added);
    if (added) {
        const AtomTable *atoms = pool->unit->atoms;
        ModSpan text = {(const uint8_t *)atom_text(atoms, atom),
                        (uint32_t)atom_length(atoms, atom)};
        number->num = pool->atoms.count;
        VEC_PUSH(&pool->atoms, text);
    }
    return (uint32_t)number->num;
}

/* The number of some bytes in a table of spans; they are copied when new. */
static uint32_t span_number(CodePool *pool, Htab *numbers, ModSpan span, bool *added)
{
    const HtabValue *known = htab_find_text(numbers, (const char *)span.at, span.size);
    *added = !known;
    if (known) return (uint32_t)known->num;
    const char *copy = arena_copy_text(pool->arena, (const char *)span.at, span.size);
    uint32_t number = (uint32_t)numbers->count;
    htab_put_text(numbers, copy, span.size, NULL)->num = number;
    return number;
}

/* The arena's copy of the bytes that were added last to `numbers`. */
static ModSpan span_last(const Htab *numbers)
{
    const HtabEntry *entry = &numbers->entries[numbers->used - 1];
    return (ModSpan){(const uint8_t *)entry->text, entry->length};
}

ModSpan pool_encode(CodePool *pool, Term t)
{
    static const CodecNode no_node = {.name = {0}};
    CodecNode node = no_node;
    node.name = TERM_ATOM(NONODE_AT_NOHOST);
    bytes_clear(&pool->scratch);
    bool fits = codec_encode(&pool->scratch, pool->unit->atoms, node, t,
                             CODEC_DETERMINISTIC | CODEC_UTF8_ATOMS);
    CHECK(fits);
    return (ModSpan){arena_copy_bytes(pool->arena, pool->scratch.at, pool->scratch.count),
                     (uint32_t)pool->scratch.count};
}

uint32_t pool_constant(CodePool *pool, CoreRef constant)
{
    uint32_t *known = &pool->constant_literals[constant.n & ~CORE_CONST_BIT];
    if (*known) return *known - 1;
    bool added;
    ModSpan span = pool_encode(pool, core_term(pool->unit, constant));
    uint32_t number = span_number(pool, &pool->literal_numbers, span, &added);
    if (added) VEC_PUSH(&pool->literals, span_last(&pool->literal_numbers));
    *known = number + 1;
    return number;
}

uint32_t pool_import(CodePool *pool, Term module, Term name, uint32_t arity)
{
    ModImport import = {pool_atom(pool, module), pool_atom(pool, name), arity};
    bool added;
    ModSpan key = {(const uint8_t *)&import, sizeof import};
    uint32_t number = span_number(pool, &pool->import_numbers, key, &added);
    if (added) VEC_PUSH(&pool->imports, import);
    return number;
}

uint32_t pool_map(CodePool *pool, const uint8_t *bits, uint32_t size)
{
    bool added;
    uint32_t number = span_number(pool, &pool->map_numbers, (ModSpan){bits, size}, &added);
    if (added) VEC_PUSH(&pool->maps, span_last(&pool->map_numbers));
    return number;
}

uint32_t pool_file(CodePool *pool, const char *name)
{
    bool added;
    ModSpan text = {(const uint8_t *)name, (uint32_t)strlen(name)};
    uint32_t number = span_number(pool, &pool->file_numbers, text, &added);
    if (added) VEC_PUSH(&pool->files, span_last(&pool->file_numbers));
    return number;
}
