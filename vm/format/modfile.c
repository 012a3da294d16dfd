#include "vm/format/modfile.h"

#include "vm/base/panic.h"
#include "vm/base/utf8.h"
#include "vm/format/limits.h"
#include "vm/format/modfile_parts.h"

#include <string.h>

/* What reading one file needs to know; `why` is set by the first complaint. */
typedef struct Reader {
    Arena *arena;
    ModFile *m;
    ModSpan parts[PART_COUNT];
    const char *why;
} Reader;

static bool complain(Reader *r, const char *why)
{
    if (!r->why) r->why = why;
    return false;
}

static ByteReader part_reader(const Reader *r, ModPart part)
{
    return bytes_reader(r->parts[part].at, r->parts[part].size);
}

/* A count of entries of at least one byte each, so what is allocated is bounded by the file. */
static uint32_t read_count(ByteReader *in)
{
    return (uint32_t)bytes_read_leb_max(in, bytes_left(in) < UINT32_MAX ? bytes_left(in)
                                                                        : UINT32_MAX);
}

static uint32_t read_u32(ByteReader *in)
{
    return (uint32_t)bytes_read_leb_max(in, UINT32_MAX);
}

/* Nothing failed, nothing is left over. */
static bool part_is_over(Reader *r, const ByteReader *in, const char *why)
{
    if (in->failed || bytes_left(in)) return complain(r, why);
    return true;
}

static ModSpan *read_spans(Reader *r, ModPart part, uint32_t *count, const char *why)
{
    ByteReader in = part_reader(r, part);
    if (!bytes_left(&in)) return NULL;
    uint32_t n = read_count(&in);
    ModSpan *spans = ARENA_ARRAY(r->arena, ModSpan, n ? n : 1);
    for (uint32_t i = 0; i < n && !in.failed; i++) {
        uint32_t size = read_u32(&in);
        spans[i] = (ModSpan){bytes_read(&in, size), size};
    }
    if (!part_is_over(r, &in, why)) return NULL;
    *count = n;
    return spans;
}

static bool read_atoms(Reader *r)
{
    static const char why[] = "its table of atoms is damaged";
    ModFile *m = r->m;
    m->atoms = read_spans(r, PART_ATOMS, &m->atom_count, why);
    if (r->why || m->atom_count == 0) return complain(r, why);
    for (uint32_t i = 0; i < m->atom_count; i++) {
        ModSpan text = m->atoms[i];
        if (!utf8_is_valid(text.at, text.size)
            || utf8_count(text.at, text.size) > LIMIT_ATOM_CHARACTERS)
            return complain(r, "an atom in it is not a valid text");
    }
    return true;
}

static bool read_files(Reader *r)
{
    static const char why[] = "its table of file names is damaged";
    ModFile *m = r->m;
    m->files = read_spans(r, PART_FILES, &m->file_count, why);
    for (uint32_t i = 0; i < m->file_count; i++)
        if (!utf8_is_valid(m->files[i].at, m->files[i].size)) return complain(r, why);
    return !r->why;
}

static bool read_functions(Reader *r)
{
    static const char why[] = "its table of functions is damaged";
    ModFile *m = r->m;
    ByteReader in = part_reader(r, PART_FUNCTIONS);
    uint32_t units = m->code.size / 4;
    uint32_t at = 0;
    m->function_count = read_count(&in);
    m->functions =
        ARENA_ARRAY(r->arena, ModFunction, m->function_count ? m->function_count : 1);
    for (uint32_t i = 0; i < m->function_count && !in.failed; i++) {
        ModFunction *f = &m->functions[i];
        f->name = (uint32_t)bytes_read_leb_max(&in, m->atom_count - 1);
        /* One more than a fun's own arguments: the fun itself. */
        f->arity = (uint16_t)bytes_read_leb_max(&in, LIMIT_ARITY + 1);
        f->extent = (uint16_t)bytes_read_leb_max(&in, LIMIT_FRAME);
        f->shown = (uint16_t)bytes_read_leb_max(&in, UINT16_MAX);
        f->context = (uint16_t)bytes_read_leb_max(&in, f->arity);
        f->start = at;
        at += (uint32_t)bytes_read_leb_max(&in, units - at);
        f->end = at;
        if (f->end == f->start || f->extent < f->arity) bytes_fail(&in);
    }
    if (at != units) return complain(r, why);
    return part_is_over(r, &in, why);
}

/* Order of the export table: by text of the name, then arity. */
static int compare_functions(const ModFile *m, const ModFunction *a, const ModFunction *b)
{
    ModSpan x = m->atoms[a->name];
    ModSpan y = m->atoms[b->name];
    int order = memcmp(x.at, y.at, x.size < y.size ? x.size : y.size);
    if (order) return order;
    if (x.size != y.size) return x.size < y.size ? -1 : 1;
    return (a->arity > b->arity) - (a->arity < b->arity);
}

static bool read_exports(Reader *r)
{
    static const char why[] = "its table of exports is damaged";
    ModFile *m = r->m;
    ByteReader in = part_reader(r, PART_EXPORTS);
    m->export_count = read_count(&in);
    m->exports = ARENA_ARRAY(r->arena, uint32_t, m->export_count ? m->export_count : 1);
    for (uint32_t i = 0; i < m->export_count && !in.failed; i++) {
        uint32_t f = read_u32(&in);
        if (f >= m->function_count) return complain(r, why);
        if (m->functions[f].arity > LIMIT_ARITY) return complain(r, why);
        m->exports[i] = f;
        if (i && compare_functions(m, &m->functions[m->exports[i - 1]], &m->functions[f]) >= 0)
            return complain(r, why);
    }
    return part_is_over(r, &in, why);
}

static bool read_imports(Reader *r)
{
    ModFile *m = r->m;
    ByteReader in = part_reader(r, PART_IMPORTS);
    m->import_count = read_count(&in);
    m->imports = ARENA_ARRAY(r->arena, ModImport, m->import_count ? m->import_count : 1);
    for (uint32_t i = 0; i < m->import_count && !in.failed; i++) {
        m->imports[i].module = (uint32_t)bytes_read_leb_max(&in, m->atom_count - 1);
        m->imports[i].function = (uint32_t)bytes_read_leb_max(&in, m->atom_count - 1);
        m->imports[i].arity = (uint32_t)bytes_read_leb_max(&in, LIMIT_ARITY);
    }
    return part_is_over(r, &in, "its table of imports is damaged");
}

static bool read_lambdas(Reader *r)
{
    static const char why[] = "its table of funs is damaged";
    ModFile *m = r->m;
    ByteReader in = part_reader(r, PART_LAMBDAS);
    m->lambda_count = read_count(&in);
    m->lambdas = ARENA_ARRAY(r->arena, ModLambda, m->lambda_count ? m->lambda_count : 1);
    for (uint32_t i = 0; i < m->lambda_count && !in.failed; i++) {
        ModLambda *l = &m->lambdas[i];
        l->function = read_u32(&in);
        l->arity = (uint16_t)bytes_read_leb_max(&in, LIMIT_ARITY);
        l->free_count = (uint16_t)bytes_read_leb_max(&in, LIMIT_FRAME);
        l->index = i;
        l->unique = m->code_hash;
        if (l->function >= m->function_count) return complain(r, why);
        /* The hidden last argument is the fun; `fun f/1` closes over nothing and need not take
         * it. */
        uint32_t takes = m->functions[l->function].arity;
        if (takes != l->arity + 1u && (takes != l->arity || l->free_count))
            return complain(r, why);
    }
    return part_is_over(r, &in, why);
}

const ModFunction *modfile_function_at(const ModFile *m, uint32_t unit)
{
    uint32_t low = 0;
    uint32_t high = m->function_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->functions[middle].end <= unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->function_count ? &m->functions[low] : NULL;
}

static bool read_handlers(Reader *r)
{
    static const char why[] = "its table of exception handlers is damaged";
    ModFile *m = r->m;
    ByteReader in = part_reader(r, PART_HANDLERS);
    uint32_t units = m->code.size / 4;
    m->handler_count = read_count(&in);
    m->handlers = ARENA_ARRAY(r->arena, ModHandler, m->handler_count ? m->handler_count : 1);
    for (uint32_t i = 0; i < m->handler_count && !in.failed; i++) {
        ModHandler *h = &m->handlers[i];
        h->start = (uint32_t)bytes_read_leb_max(&in, units);
        h->end = h->start + (uint32_t)bytes_read_leb_max(&in, units - h->start);
        h->target = (uint32_t)bytes_read_leb_max(&in, units);
        h->base = (uint32_t)bytes_read_leb_max(&in, LIMIT_FRAME);
        const ModFunction *f = modfile_function_at(m, h->start);
        if (!f || h->end <= h->start || h->end > f->end || h->target <= f->start
            || h->target >= f->end || h->base + 3 > f->extent)
            return complain(r, why);
    }
    return part_is_over(r, &in, why);
}

static bool read_maps(Reader *r)
{
    static const char why[] = "its table of live registers is damaged";
    ModFile *m = r->m;
    m->maps = read_spans(r, PART_MAPS, &m->map_count, why);
    for (uint32_t i = 0; i < m->map_count; i++)
        if (m->maps[i].size > (LIMIT_FRAME + 7) / 8) return complain(r, why);
    return !r->why;
}

static bool read_on_load(Reader *r)
{
    ByteReader in = part_reader(r, PART_ON_LOAD);
    if (bytes_left(&in))
        r->m->on_load = (uint32_t)bytes_read_leb_max(&in, r->m->function_count);
    if (r->m->on_load && r->m->functions[r->m->on_load - 1].arity != 0) bytes_fail(&in);
    return part_is_over(r, &in, "its on_load function is not one of its functions");
}

static bool read_lines(Reader *r)
{
    static const char why[] = "its table of lines is damaged";
    ModFile *m = r->m;
    ByteReader in = part_reader(r, PART_LINES);
    if (!bytes_left(&in)) return true;
    uint32_t units = m->code.size / 4;
    uint32_t unit = 0;
    int64_t line = 0;
    uint32_t n = read_count(&in);
    m->lines = ARENA_ARRAY(r->arena, ModLine, n ? n : 1);
    for (uint32_t i = 0; i < n && !in.failed; i++) {
        unit += (uint32_t)bytes_read_leb_max(&in, units - unit);
        int64_t step = bytes_read_sleb(&in);
        if (step < -(int64_t)UINT32_MAX || step > (int64_t)UINT32_MAX) return complain(r, why);
        line += step;
        if (line < 0 || line > (int64_t)UINT32_MAX) return complain(r, why);
        uint32_t file = read_u32(&in);
        if (line && file >= m->file_count) return complain(r, why);
        m->lines[i] = (ModLine){unit, (uint32_t)line, file};
    }
    m->line_count = n;
    return part_is_over(r, &in, why);
}

static bool read_code(Reader *r)
{
    r->m->code = r->parts[PART_CODE];
    if (r->m->code.size % 4)
        return complain(r, "its code ends in the middle of an instruction");
    return true;
}

/* Find the known parts in the section table. */
static bool read_table(Reader *r, const uint8_t *bytes, uint32_t size, uint32_t count)
{
    static const char why[] = "its table of sections is damaged";
    uint32_t seen = 0;
    if (count > (size - MODFILE_TABLE_AT) / MODFILE_ROW_BYTES) return complain(r, why);
    uint32_t first = MODFILE_TABLE_AT + count * MODFILE_ROW_BYTES;
    ByteReader in = bytes_reader(bytes + MODFILE_TABLE_AT, (size_t)count * MODFILE_ROW_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tag = bytes_read_u32(&in);
        uint32_t offset = bytes_read_u32(&in);
        uint32_t length = bytes_read_u32(&in);
        if (bytes_read_u32(&in) || offset < first || offset % 8 || offset > size
            || length > size - offset)
            return complain(r, why);
        unsigned part = 0;
        while (part < PART_COUNT && modfile_tags[part] != tag) part++;
        if (part == PART_COUNT) {
            if (tag & 0x20) continue; /* a small letter: may be ignored */
            return complain(r,
                            "it needs a newer version of Mote: one of its sections is unknown");
        }
        if (seen & 1u << part) return complain(r, why);
        seen |= 1u << part;
        r->parts[part] = (ModSpan){bytes + offset, length};
    }
    return true;
}

static bool read_parts(Reader *r)
{
    ModFile *m = r->m;
    m->attributes = r->parts[PART_ATTRIBUTES];
    m->compile_info = r->parts[PART_COMPILE_INFO];
    m->docs = r->parts[PART_DOCS];
    m->types = r->parts[PART_TYPES];
    m->forms = r->parts[PART_FORMS];
    if (!read_atoms(r) || !read_code(r) || !read_functions(r) || !read_exports(r)) return false;
    m->literals =
        read_spans(r, PART_LITERALS, &m->literal_count, "its table of literals is damaged");
    return !r->why && read_imports(r) && read_lambdas(r) && read_handlers(r) && read_maps(r)
           && read_on_load(r) && read_files(r) && read_lines(r);
}

bool modfile_is_one(const void *bytes, size_t size)
{
    return size >= MODFILE_MAGIC_BYTES
           && memcmp(bytes, MODFILE_MAGIC, MODFILE_MAGIC_BYTES) == 0;
}

/* The parts of the header that stand before the section table. */
static ModFileResult read_header(const uint8_t *bytes, size_t size, bool trusted,
                                 uint32_t *sections, const char **why)
{
    if (!modfile_is_one(bytes, size)) {
        *why = "it is not a module file";
        return MODFILE_NOT_ONE;
    }
    ByteReader in = bytes_reader(bytes, size);
    bytes_read(&in, MODFILE_MAGIC_BYTES);
    uint32_t version = bytes_read_u32(&in);
    uint32_t word_bits = bytes_read_u32(&in);
    *sections = bytes_read_u32(&in);
    uint32_t file_size = bytes_read_u32(&in);
    if (in.failed || size < MODFILE_TABLE_AT + 4) {
        *why = "it is cut off";
        return MODFILE_DAMAGED;
    }
    if (version != MODFILE_VERSION || word_bits != WORD_BITS) {
        *why = "it was made for another version of Mote; compile it again";
        return MODFILE_OTHER_VERSION;
    }
    if (file_size != size) {
        *why = file_size > size ? "it is cut off" : "there is something behind its end";
        return MODFILE_DAMAGED;
    }
    ByteReader last = bytes_reader(bytes + size - 4, 4);
    /* A fuzzer would never get past a sum. */
    if (!trusted && !CONFIG_FUZZ && bytes_read_u32(&last) != bytes_crc32(0, bytes, size - 4)) {
        *why = "its checksum is wrong";
        return MODFILE_DAMAGED;
    }
    return MODFILE_OK;
}

static ModFileResult read_file(const void *bytes, size_t size, bool trusted, Arena *arena,
                               ModFile *m, const char **why)
{
    const uint8_t *at = (const uint8_t *)bytes;
    uint32_t sections = 0;
    *m = (ModFile){0};
    ModFileResult result = read_header(at, size, trusted, &sections, why);
    if (result != MODFILE_OK) return result;
    Reader r = {.arena = arena, .m = m};
    bool good = read_table(&r, at, (uint32_t)size - 4, sections);
    if (good) {
        if (trusted)
            memcpy(m->unique, at + MODFILE_HASH_AT, 16);
        else
            modfile_hash(r.parts, m->unique);
        memcpy(&m->code_hash, m->unique, 4);
        good = CONFIG_FUZZ || memcmp(m->unique, at + MODFILE_HASH_AT, 16) == 0
               || complain(&r, "its hash is wrong");
    }
    if (good && read_parts(&r)) return MODFILE_OK;
    *why = r.why;
    return MODFILE_DAMAGED;
}

ModFileResult modfile_read(const void *bytes, size_t size, Arena *arena, ModFile *m,
                           const char **why)
{
    return read_file(bytes, size, false, arena, m, why);
}

ModFileResult modfile_read_trusted(const void *bytes, size_t size, Arena *arena, ModFile *m,
                                   const char **why)
{
    return read_file(bytes, size, true, arena, m, why);
}
