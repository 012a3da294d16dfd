/*
 * Loaded code: module versions, function entries, exports.
 *
 * One block of memory per module version, inside the VM's code area (an address range reserved at
 * boot, so that "is this a literal" is one comparison):
 *
 *   [ModuleVersion][code, 4-byte units ...][import cells][literal words][lambda cells]
 *   [literal terms]
 *
 * Code reaches its data by offsets from the instruction; nothing of a block is written after it has
 * been published, but for import cells and caches, whole words, by the loader under its lock.
 * FunEntry and Export are never freed (machine.md 15, 17).
 *
 * Threads: readers need no lock (quiescent states protect versions); writers hold CodeTable.lock.
 * Design pages: docs/design/loader.md, docs/design/hot-code.md.
 */
#pragma once

#include "vm/base/arena.h"
#include "vm/base/atomic.h"
#include "vm/format/limits.h"
#include "vm/format/opcodes.h"
#include "vm/term/atom.h"
#include "vm/term/fun.h"
#include "vm/term/term.h"

typedef uint16_t Half; /* code is addressed in halves, instructions start on even ones */

typedef struct ModuleVersion ModuleVersion;
typedef struct Module Module;
typedef struct CodeTable CodeTable;
typedef struct FunEntry FunEntry;

/* One function of a version; the table is sorted by `start`. */
typedef struct CodeFunction {
    uint32_t start; /* 4-byte units from ModuleVersion.code, of its ENTER */
    uint32_t end;
    uint32_t
        /* atom indexes; stubs of built-ins lie in one version but belong to many modules */
        module;
    uint32_t name;
    uint16_t arity;
    uint16_t extent;  /* registers of its frame, call windows included */
    uint16_t shown;   /* the arity that stack traces tell */
    uint16_t is_copy; /* another form of a function in the source: not listed */
} CodeFunction;

/* A range of code whose exceptions go to `target`; innermost ranges come first. */
typedef struct CodeHandler {
    uint32_t start; /* units */
    uint32_t end;
    uint32_t target;
    uint32_t base; /* class, reason and raw trace arrive in registers base, base+1, base+2 */
} CodeHandler;

/* Positions: from `unit` on, until the next row. line 0: none. */
typedef struct CodeLine {
    uint32_t unit;
    uint32_t line;
    uint32_t file; /* index into the version's file names */
} CodeLine;

struct ModuleVersion {
    Module *module; /* NULL: the stubs of built-ins */
    uint32_t id;    /* unique in the VM: raw traces carry it */
    uint32_t function_count;
    const Half *code;
    uint32_t code_units; /* 4-byte units */
    uint32_t handler_count;
    uint32_t line_count;
    uint32_t file_count;
    uint32_t export_count;
    uint32_t lambda_count;
    uint32_t on_load; /* function index + 1; 0: none */
    const CodeFunction *functions;
    const CodeHandler *handlers;
    const CodeLine *lines;
    const Term *files;          /* literal binaries, indexed by CodeLine.file */
    const uint8_t *const *maps; /* live maps of frames above 32 registers */
    const uint32_t *exports;    /* function indexes */
    FunEntry *const *lambdas;
    const uint32_t *lambda_functions; /* function indexes of their bodies */
    Arena tables;                     /* where the tables above live */
    size_t block_bytes;
    Word *handles;      /* counted objects among the literals */
    uint8_t unique[16]; /* hash of its code */
    uint8_t *image;     /* the module file it came from; NULL: it is embedded or was not kept */
    const uint8_t *file_bytes; /* the same bytes, wherever they are */
    size_t file_size;
    const uint8_t *path; /* where it was loaded from, UTF-8; NULL: the executable */
    size_t path_length;
    ModuleVersion *failed_next; /* of Module.failed */
};

/* A module by name: at most two versions live. */
struct Module {
    uint32_t name;          /* atom index */
    ModuleVersion *current; /* NULL: none, or deleted */
    ModuleVersion *old;     /* still run by processes, until it is purged */
    ModuleVersion *staged;  /* its -on_load function runs; not callable by name yet */
    ModuleVersion *failed;  /* their -on_load functions failed; purged as `old` is, before it */
    bool purging; /* funs of upgrade_victim are gone for now, and calls of them wait */
};

/* {module, function, arity} to the code a call with a module name enters. Never freed. */
typedef struct Export {
    ExportKey key; /* first: order, hash, print and codec of `fun M:F/A` look at it */
    /* UNDEFINED: the entry while nothing is loaded; its address tells the name. */
    _Alignas(4) Half undefined_code[2];
    uint16_t bif; /* row of bifs.def + 1, or 0 */
    _Atomic(const Half *)
        entry; /* ENTER of the newest version, of a built-in's stub, or undefined_code */
} Export;

/* What a fun value points to; unique for (module, hash of its code, index); never freed. */
struct FunEntry {
    FunKey key;
    /* FUN_GONE: the entry while its module is not loaded. */
    _Alignas(4) Half gone_code[2];
    _Atomic(const Half *) entry; /* current code, or gone_code */
    uint32_t free_count;
    uint32_t function; /* atom index of the lifted function's name */
};

/* Which function of which version a code address lies in. */
typedef struct CodePlace {
    const ModuleVersion *version;
    const CodeFunction *function;
    uint32_t unit; /* offset of the address */
} CodePlace;

/* The descriptor a return address points to, and RESERVE, LOOP, RECV_… carry (opcodes.def,
 * LIVE). */
typedef struct LiveMap {
    uint32_t map;    /* bit r: register r is live; an index with LIVE_FLAG_BIG_MAP */
    uint16_t window; /* K: registers below K-1 are the caller's, K is the result's */
    uint16_t flags;
} LiveMap;
_Static_assert(sizeof(LiveMap) == 8, "descriptors are one word of code");

static inline bool version_holds(const ModuleVersion *v, const Half *at)
{
    return at >= v->code && at < v->code + 2 * (size_t)v->code_units;
}
/* Of a code address that the version holds. */
static inline uint32_t version_unit(const ModuleVersion *v, const Half *at)
{
    return (uint32_t)((size_t)(at - v->code) / 2);
}

/* The version that holds a code address, or NULL. */
const ModuleVersion *code_version_at(const CodeTable *t, const Half *at);
/* The function around a unit, or NULL. */
const CodeFunction *code_function(const ModuleVersion *v, uint32_t unit);
/* Finds the version, function and unit of a code address; false if it is not code of this table. */
bool code_place(const CodeTable *t, const Half *at, CodePlace *out);
/* The version with this id, or NULL if it has been purged. */
const ModuleVersion *code_version(const CodeTable *t, uint32_t id);
/* The line of a unit, 0 if none; *file is its name, a literal binary. */
uint32_t code_line(const ModuleVersion *v, uint32_t unit, Term *file);
/* The export cell of M:F/A, made if absent; NULL when memory is refused. */
Export *code_export(CodeTable *t, Term module, Term function, uint32_t arity);
/* The same if it exists. */
Export *code_export_find(const CodeTable *t, Term module, Term function, uint32_t arity);
/* Is there code or a built-in behind it? */
static inline bool export_is_defined(const Export *e)
{
    return atomic_load_acquire(&e->entry) != e->undefined_code;
}
