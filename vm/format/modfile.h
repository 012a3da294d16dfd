/* The module file (.mob): what the compiler writes and the loader reads.
 *
 *   0   "MOTEmob\n"
 *   8   u32 version, u32 word bits, u32 section count, u32 file size
 *   24  16 bytes: hash of the parts that decide what the code does
 *   40  sections: {u32 tag, u32 offset, u32 size, u32 zero} ...
 *       section bodies, each at a multiple of 8
 *   end u32 crc of everything before
 *
 * All numbers are little-endian; inside tables they are LEB128.  A section that is missing is
 * empty; an unknown one is ignored when its tag begins with a small letter, else refused.  The
 * writer's bytes depend on nothing but the ModFile.  The reader believes nothing: after
 * MODFILE_OK every index, range and size in the ModFile is inside what it points into, texts
 * are UTF-8, tables are in order.  Code and literals are still only bytes: verify.h proves the
 * code, vm/term/codec.h decodes literals.
 *
 * Owns nothing: a ModFile borrows from the file's bytes and from the arena given to the reader.
 * One thread per ModFile.  Design page: docs/design/loader.md. */
#pragma once

#include "vm/base/arena.h"
#include "vm/base/bytes.h"

#define MODFILE_VERSION 3
#define MODFILE_SUFFIX  ".mob"

/* Bytes inside the file. */
typedef struct ModSpan {
    const uint8_t *at; /* may be NULL when size is zero */
    uint32_t size;
} ModSpan;

typedef struct ModFunction {
    uint32_t name;  /* index into atoms */
    uint32_t start; /* 4-byte units from the start of the code: its ENTER */
    uint32_t end;   /* behind its last instruction; the next function starts here or later */
    uint16_t arity;
    uint16_t extent;  /* registers of its frame, call windows included */
    uint16_t shown;   /* the arity that stack traces tell: of a fun, with its free variables */
    uint16_t context; /* argument that is a match context, plus 1; 0: all are values */
} ModFunction;

typedef struct ModImport {
    uint32_t module; /* indexes into atoms */
    uint32_t function;
    uint32_t arity;
} ModImport;

typedef struct ModLambda {
    /* index into functions; its arity is arity + 1, because the fun itself comes last, or
     * arity, when nothing is free and it does not take it */
    uint32_t function;
    uint32_t index;  /* number of the fun in its module: the row's own number */
    uint32_t unique; /* hash of the module's code */
    uint16_t arity;  /* as fun_info tells it */
    uint16_t free_count;
} ModLambda;

/* A range of code whose exceptions go to `target`; innermost ranges come first. */
typedef struct ModHandler {
    uint32_t start; /* units */
    uint32_t end;
    uint32_t target;
    uint32_t base; /* class, reason, raw trace arrive in registers base, base+1, base+2 */
} ModHandler;

/* From `unit` on, until the next row; line 0 means none. */
typedef struct ModLine {
    uint32_t unit;
    uint32_t line;
    uint32_t file; /* index into files */
} ModLine;

typedef struct ModFile {
    ModSpan *atoms; /* UTF-8; atoms[0] is the module's name */
    uint32_t atom_count;
    ModSpan *literals; /* each one term in the external format, with its version byte */
    uint32_t literal_count;
    ModSpan code; /* size is a multiple of 4; instructions of opcodes.def in file form */
    ModFunction *functions; /* sorted by start; cover the code without gaps */
    uint32_t function_count;
    uint32_t *exports; /* indexes into functions, sorted by name text, then arity */
    uint32_t export_count;
    ModImport *imports;
    uint32_t import_count;
    ModLambda *lambdas;
    uint32_t lambda_count;
    ModHandler *handlers; /* innermost first */
    uint32_t handler_count;
    ModLine *lines; /* sorted by unit */
    uint32_t line_count;
    ModSpan *files; /* UTF-8 names that lines refer to */
    uint32_t file_count;
    ModSpan *maps; /* live maps of large frames: bit r % 8 of byte r / 8 is register r */
    uint32_t map_count;
    /* Terms in the external format, or empty. */
    /* [{Name, [Value]}], what module_info(attributes) gives, vsn included */
    ModSpan attributes;
    ModSpan compile_info; /* [{Key, Value}] */
    ModSpan docs;         /* may be stripped, as the two below */
    ModSpan types;        /* records and types */
    ModSpan forms;        /* source forms */
    uint8_t unique[16];   /* hash of atoms, literals, code and its tables; set by both sides */
    uint32_t code_hash;   /* its first four bytes */
    uint32_t on_load;     /* index into functions + 1; 0: none */
} ModFile;

typedef enum ModFileResult {
    MODFILE_OK,
    MODFILE_NOT_ONE, /* no module file at all */
    MODFILE_OTHER_VERSION,
    MODFILE_DAMAGED, /* checksum, size or contents */
} ModFileResult;

/* Does this look like a module file? */
bool modfile_is_one(const void *bytes, size_t size);

/* Read `size` bytes; `m` borrows from them and from `arena`.  Otherwise `*why` is a static sentence
 * for the user and `m` must not be used. */
MUST_USE ModFileResult modfile_read(const void *bytes, size_t size, Arena *arena, ModFile *m,
                                    const char **why);

/* The same for bytes that this build itself made (the embedded library): sums are not computed. */
MUST_USE ModFileResult modfile_read_trusted(const void *bytes, size_t size, Arena *arena,
                                            ModFile *m, const char **why);

/* Append the file to `out`.  Sets m->code_hash and each lambda's `unique`.  The caller's tables
 * obey the rules above. */
void modfile_write(ModFile *m, Bytes *out);

/* The text of an atom of the module. */
static inline ModSpan modfile_atom(const ModFile *m, uint32_t index) { return m->atoms[index]; }

/* Which function a unit of code lies in, or NULL. */
const ModFunction *modfile_function_at(const ModFile *m, uint32_t unit);
