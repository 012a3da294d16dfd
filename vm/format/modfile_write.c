#include "vm/format/modfile.h"

#include "vm/base/htab.h"
#include "vm/base/panic.h"
#include "vm/format/modfile_parts.h"

#include <string.h>

const uint32_t modfile_tags[PART_COUNT] = {
    [PART_ATOMS] = MODFILE_TAG('A', 'T', 'O', 'M'),
    [PART_LITERALS] = MODFILE_TAG('L', 'I', 'T', 'S'),
    [PART_CODE] = MODFILE_TAG('C', 'O', 'D', 'E'),
    [PART_FUNCTIONS] = MODFILE_TAG('F', 'U', 'N', 'S'),
    [PART_EXPORTS] = MODFILE_TAG('E', 'X', 'P', 'S'),
    [PART_IMPORTS] = MODFILE_TAG('I', 'M', 'P', 'S'),
    [PART_LAMBDAS] = MODFILE_TAG('L', 'A', 'M', 'S'),
    [PART_HANDLERS] = MODFILE_TAG('H', 'A', 'N', 'D'),
    [PART_MAPS] = MODFILE_TAG('M', 'A', 'P', 'S'),
    [PART_ON_LOAD] = MODFILE_TAG('O', 'N', 'L', 'D'),
    [PART_FILES] = MODFILE_TAG('F', 'I', 'L', 'E'),
    [PART_LINES] = MODFILE_TAG('L', 'I', 'N', 'E'),
    [PART_ATTRIBUTES] = MODFILE_TAG('a', 't', 't', 'r'),
    [PART_COMPILE_INFO] = MODFILE_TAG('i', 'n', 'f', 'o'),
    [PART_DOCS] = MODFILE_TAG('d', 'o', 'c', 's'),
    [PART_TYPES] = MODFILE_TAG('t', 'y', 'p', 'e'),
    [PART_FORMS] = MODFILE_TAG('f', 'o', 'r', 'm'),
};

void modfile_hash(const ModSpan parts[PART_COUNT], uint8_t hash[16])
{
    uint64_t low = 0;
    uint64_t high = 1;
    for (unsigned part = 0; part <= PART_ON_LOAD; part++) {
        low = htab_hash_bytes(parts[part].at, parts[part].size, low + part);
        high = htab_hash_bytes(parts[part].at, parts[part].size, ~high + part);
    }
    for (unsigned i = 0; i < 8; i++) {
        hash[i] = (uint8_t)(low >> 8 * i);
        hash[8 + i] = (uint8_t)(high >> 8 * i);
    }
}

static void put_span(Bytes *out, ModSpan span)
{
    bytes_put_leb(out, span.size);
    bytes_put(out, span.at, span.size);
}

static void put_spans(Bytes *out, const ModSpan *spans, uint32_t count)
{
    bytes_put_leb(out, count);
    for (uint32_t i = 0; i < count; i++) put_span(out, spans[i]);
}

/* Functions follow each other without gaps, so their lengths say where they are. */
static void put_functions(Bytes *out, const ModFile *m)
{
    uint32_t at = 0;
    bytes_put_leb(out, m->function_count);
    for (uint32_t i = 0; i < m->function_count; i++) {
        const ModFunction *f = &m->functions[i];
        ASSERT(f->start == at && f->end > at);
        bytes_put_leb(out, f->name);
        bytes_put_leb(out, f->arity);
        bytes_put_leb(out, f->extent);
        bytes_put_leb(out, f->shown);
        bytes_put_leb(out, f->context);
        bytes_put_leb(out, f->end - f->start);
        at = f->end;
    }
}

static void put_exports(Bytes *out, const ModFile *m)
{
    bytes_put_leb(out, m->export_count);
    for (uint32_t i = 0; i < m->export_count; i++) bytes_put_leb(out, m->exports[i]);
}

static void put_imports(Bytes *out, const ModFile *m)
{
    bytes_put_leb(out, m->import_count);
    for (uint32_t i = 0; i < m->import_count; i++) {
        bytes_put_leb(out, m->imports[i].module);
        bytes_put_leb(out, m->imports[i].function);
        bytes_put_leb(out, m->imports[i].arity);
    }
}

static void put_lambdas(Bytes *out, const ModFile *m)
{
    bytes_put_leb(out, m->lambda_count);
    for (uint32_t i = 0; i < m->lambda_count; i++) {
        bytes_put_leb(out, m->lambdas[i].function);
        bytes_put_leb(out, m->lambdas[i].arity);
        bytes_put_leb(out, m->lambdas[i].free_count);
    }
}

static void put_handlers(Bytes *out, const ModFile *m)
{
    bytes_put_leb(out, m->handler_count);
    for (uint32_t i = 0; i < m->handler_count; i++) {
        bytes_put_leb(out, m->handlers[i].start);
        bytes_put_leb(out, m->handlers[i].end - m->handlers[i].start);
        bytes_put_leb(out, m->handlers[i].target);
        bytes_put_leb(out, m->handlers[i].base);
    }
}

static void put_lines(Bytes *out, const ModFile *m)
{
    uint32_t unit = 0;
    uint32_t line = 0;
    bytes_put_leb(out, m->line_count);
    for (uint32_t i = 0; i < m->line_count; i++) {
        const ModLine *row = &m->lines[i];
        bytes_put_leb(out, row->unit - unit);
        bytes_put_sleb(out, (int64_t)row->line - line);
        bytes_put_leb(out, row->file);
        unit = row->unit;
        line = row->line;
    }
}

static void put_part(Bytes *out, const ModFile *m, ModPart part)
{
    switch (part) {
    case PART_ATOMS: put_spans(out, m->atoms, m->atom_count); break;
    case PART_LITERALS: put_spans(out, m->literals, m->literal_count); break;
    case PART_CODE: bytes_put(out, m->code.at, m->code.size); break;
    case PART_FUNCTIONS: put_functions(out, m); break;
    case PART_EXPORTS: put_exports(out, m); break;
    case PART_IMPORTS: put_imports(out, m); break;
    case PART_LAMBDAS: put_lambdas(out, m); break;
    case PART_HANDLERS: put_handlers(out, m); break;
    case PART_MAPS: put_spans(out, m->maps, m->map_count); break;
    case PART_ON_LOAD: bytes_put_leb(out, m->on_load); break;
    case PART_FILES: put_spans(out, m->files, m->file_count); break;
    case PART_LINES: put_lines(out, m); break;
    case PART_ATTRIBUTES: bytes_put(out, m->attributes.at, m->attributes.size); break;
    case PART_COMPILE_INFO: bytes_put(out, m->compile_info.at, m->compile_info.size); break;
    case PART_DOCS: bytes_put(out, m->docs.at, m->docs.size); break;
    case PART_TYPES: bytes_put(out, m->types.at, m->types.size); break;
    case PART_FORMS: bytes_put(out, m->forms.at, m->forms.size); break;
    case PART_COUNT: break;
    }
}

static void pad_to_8(Bytes *out, size_t begin)
{
    while ((out->count - begin) % 8) bytes_put_u8(out, 0);
}

void modfile_write(ModFile *m, Bytes *out)
{
    size_t begin = out->count;
    bytes_put(out, MODFILE_MAGIC, MODFILE_MAGIC_BYTES);
    bytes_put_u32(out, MODFILE_VERSION);
    bytes_put_u32(out, WORD_BITS);
    bytes_put_u32(out, PART_COUNT);
    bytes_put_u32(out, 0); /* file size: patched below */
    memset(bytes_extend(out, 16 + PART_COUNT * MODFILE_ROW_BYTES), 0,
           16 + PART_COUNT * MODFILE_ROW_BYTES);
    size_t offsets[PART_COUNT];
    size_t sizes[PART_COUNT];
    for (unsigned part = 0; part < PART_COUNT; part++) {
        pad_to_8(out, begin);
        offsets[part] = out->count - begin;
        put_part(out, m, (ModPart)part);
        sizes[part] = out->count - begin - offsets[part];
    }
    pad_to_8(out, begin);
    CHECK(out->count - begin < UINT32_MAX - 4);
    ModSpan parts[PART_COUNT];
    for (unsigned part = 0; part < PART_COUNT; part++) {
        size_t row = begin + MODFILE_TABLE_AT + (size_t)part * MODFILE_ROW_BYTES;
        parts[part] = (ModSpan){out->at + begin + offsets[part], (uint32_t)sizes[part]};
        bytes_patch_u32(out, row, modfile_tags[part]);
        bytes_patch_u32(out, row + 4, (uint32_t)offsets[part]);
        bytes_patch_u32(out, row + 8, (uint32_t)sizes[part]);
    }
    modfile_hash(parts, m->unique);
    memcpy(out->at + begin + MODFILE_HASH_AT, m->unique, 16);
    memcpy(&m->code_hash, m->unique, 4);
    for (uint32_t i = 0; i < m->lambda_count; i++) {
        m->lambdas[i].index = i;
        m->lambdas[i].unique = m->code_hash;
    }
    bytes_patch_u32(out, begin + 20, (uint32_t)(out->count - begin + 4));
    bytes_put_u32(out, bytes_crc32(0, out->at + begin, out->count - begin));
}
