/* Module files: what is written is what is read, and damage is refused without harm. */
#include "tests/unit/unit.h"

#include "vm/format/code.h"
#include "vm/format/disasm.h"
#include "vm/format/modfile.h"

static ModSpan text_span(const char *text)
{
    return (ModSpan){(const uint8_t *)text, (uint32_t)strlen(text)};
}

/* A module m with main/0 and a fun, in tables that live as long as the test. */
typedef struct Sample {
    ModSpan atoms[3];
    ModSpan literals[2];
    ModFunction functions[2];
    uint32_t exports[1];
    ModImport imports[1];
    ModLambda lambdas[1];
    ModHandler handlers[1];
    ModLine lines[2];
    ModSpan files[1];
    ModSpan maps[1];
    Bytes code;
    ModFile m;
} Sample;

static void put_op(Bytes *code, Opcode op, int64_t a, int64_t b, int64_t c)
{
    CodeInstr instr = {.op = op, .operands = {a, b, c}};
    code_encode(&instr, code);
}

static void sample_init(Sample *s)
{
    *s = (Sample){.code = {0}};
    put_op(&s->code, OP_ENTER, 1, 0, 3);
    put_op(&s->code, OP_LOAD_LIT, 0, 1, 0);
    put_op(&s->code, OP_RETURN, 0, 0, 0);
    uint32_t middle = (uint32_t)(s->code.count / 4);
    put_op(&s->code, OP_ENTER, 1, 1, 1);
    put_op(&s->code, OP_RETURN, 0, 0, 0);
    uint32_t end = (uint32_t)(s->code.count / 4);
    s->atoms[0] = text_span("m");
    s->atoms[1] = text_span("main");
    s->atoms[2] = text_span("-main/0-fun-0-");
    s->literals[0] = text_span("\203j");
    s->literals[1] = (ModSpan){(const uint8_t *)"\203a\7", 3};
    s->functions[0] = (ModFunction){1, 0, middle, 0, 3, 0, 0};
    s->functions[1] = (ModFunction){2, middle, end, 1, 1, 1, 0};
    s->imports[0] = (ModImport){0, 1, 0};
    s->lambdas[0] = (ModLambda){.function = 1, .arity = 0, .free_count = 2};
    s->handlers[0] = (ModHandler){2, 3, 4, 0};
    s->lines[0] = (ModLine){0, 12, 0};
    s->lines[1] = (ModLine){middle, 7, 0};
    s->files[0] = text_span("m.mote");
    s->maps[0] = text_span("\1\2");
    s->m = (ModFile){.atoms = s->atoms,
                     .atom_count = 3,
                     .literals = s->literals,
                     .literal_count = 2,
                     .functions = s->functions,
                     .function_count = 2,
                     .exports = s->exports,
                     .export_count = 1,
                     .imports = s->imports,
                     .import_count = 1,
                     .lambdas = s->lambdas,
                     .lambda_count = 1,
                     .handlers = s->handlers,
                     .handler_count = 1,
                     .lines = s->lines,
                     .line_count = 2,
                     .files = s->files,
                     .file_count = 1,
                     .maps = s->maps,
                     .map_count = 1};
    s->m.code = (ModSpan){s->code.at, (uint32_t)s->code.count};
    s->m.attributes = text_span("attributes");
    s->m.docs = text_span("docs");
}

static ModFileResult read_bytes(const Bytes *file, Arena *arena, ModFile *m)
{
    const char *why = NULL;
    ModFileResult result = modfile_read(file->at, file->count, arena, m, &why);
    EXPECT((result == MODFILE_OK) == (why == NULL));
    return result;
}

/* Make the sums right again after a change, so that the change itself is looked at. */
static void repair(Bytes *file)
{
    bytes_patch_u32(file, file->count - 4, bytes_crc32(0, file->at, file->count - 4));
}

TEST(modfile_read_gives_what_was_written)
{
    Sample s;
    Bytes file = {0};
    Arena arena;
    ModFile m;
    sample_init(&s);
    arena_init(&arena, NULL, MEM_MISC);
    modfile_write(&s.m, &file);
    EXPECT_EQ(read_bytes(&file, &arena, &m), MODFILE_OK);
    EXPECT_EQ(m.atom_count, 3);
    EXPECT_EQ(m.atoms[2].size, 14);
    EXPECT_EQ(m.literals[1].size, 3);
    EXPECT_EQ(m.code.size, s.code.count);
    EXPECT(memcmp(m.code.at, s.code.at, s.code.count) == 0);
    EXPECT_EQ(m.functions[1].start, s.functions[1].start);
    EXPECT_EQ(m.functions[1].end, s.functions[1].end);
    EXPECT_EQ(m.functions[0].extent, 3);
    EXPECT_EQ(m.lambdas[0].free_count, 2);
    EXPECT_EQ(m.lambdas[0].unique, s.m.code_hash);
    EXPECT_EQ(m.handlers[0].target, 4);
    EXPECT_EQ(m.lines[1].line, 7);
    EXPECT_EQ(m.maps[0].size, 2);
    EXPECT_EQ(m.attributes.size, 10);
    EXPECT_EQ(m.types.size, 0);
    EXPECT_EQ(modfile_function_at(&m, s.functions[1].start) - m.functions, 1);
    arena_free(&arena);
    bytes_free(&file);
    bytes_free(&s.code);
}

TEST(modfile_writing_twice_gives_the_same_bytes)
{
    Sample s;
    Bytes one = {0};
    Bytes two = {0};
    sample_init(&s);
    modfile_write(&s.m, &one);
    modfile_write(&s.m, &two);
    EXPECT_EQ(one.count, two.count);
    EXPECT(memcmp(one.at, two.at, one.count) == 0);
    bytes_free(&one);
    bytes_free(&two);
    bytes_free(&s.code);
}

TEST(modfile_every_changed_byte_is_noticed)
{
    Sample s;
    Bytes file = {0};
    sample_init(&s);
    modfile_write(&s.m, &file);
    for (size_t i = 0; i < file.count; i++) {
        Arena arena;
        ModFile m;
        arena_init(&arena, NULL, MEM_MISC);
        file.at[i] ^= 0x10;
        EXPECT(read_bytes(&file, &arena, &m) != MODFILE_OK);
        file.at[i] ^= 0x10;
        arena_free(&arena);
    }
    bytes_free(&file);
    bytes_free(&s.code);
}

TEST(modfile_cut_off_anywhere_is_refused)
{
    Sample s;
    Bytes file = {0};
    sample_init(&s);
    modfile_write(&s.m, &file);
    for (size_t size = 0; size < file.count; size++) {
        Arena arena;
        ModFile m;
        const char *why = NULL;
        arena_init(&arena, NULL, MEM_MISC);
        EXPECT(modfile_read(file.at, size, &arena, &m, &why) != MODFILE_OK);
        arena_free(&arena);
    }
    bytes_free(&file);
    bytes_free(&s.code);
}

/* With the trusted reader no sum stands in the way of hostile tables. */
TEST(modfile_hostile_tables_do_no_harm)
{
    uint64_t state = 42;
    for (int round = 0; round < UNIT_SIZE(20000); round++) {
        Sample s;
        Bytes file = {0};
        Bytes text = {0};
        Arena arena;
        ModFile m;
        const char *why = NULL;
        sample_init(&s);
        arena_init(&arena, NULL, MEM_MISC);
        modfile_write(&s.m, &file);
        for (int changes = 0; changes < 3; changes++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            file.at[8 + (state >> 33) % (file.count - 8)] = (uint8_t)(state >> 17);
        }
        repair(&file);
        if (modfile_read_trusted(file.at, file.count, &arena, &m, &why) == MODFILE_OK)
            disasm_module(&m, NULL, NULL, &text);
        else
            EXPECT(why != NULL);
        bytes_free(&text);
        arena_free(&arena);
        bytes_free(&file);
        bytes_free(&s.code);
    }
}

TEST(modfile_of_another_version_is_named)
{
    Sample s;
    Bytes file = {0};
    Arena arena;
    ModFile m;
    sample_init(&s);
    arena_init(&arena, NULL, MEM_MISC);
    modfile_write(&s.m, &file);
    bytes_patch_u32(&file, 8, MODFILE_VERSION + 1);
    repair(&file);
    EXPECT_EQ(read_bytes(&file, &arena, &m), MODFILE_OTHER_VERSION);
    EXPECT(modfile_is_one(file.at, file.count));
    EXPECT(!modfile_is_one("FOR1....", 8));
    EXPECT(!modfile_is_one(file.at, 7));
    arena_free(&arena);
    bytes_free(&file);
    bytes_free(&s.code);
}
