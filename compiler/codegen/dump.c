#include "compiler/codegen/dump.h"

#include "vm/format/disasm.h"
#include "vm/term/codec.h"
#include "vm/term/print.h"

/* Literals longer than this are cut. */
#define DUMP_LITERAL_MAX 200

static void dump_literal(void *context, ModSpan literal, Bytes *out)
{
    AtomTable *atoms = context;
    CodecNode node = {.name = TERM_ATOM(NONODE_AT_NOHOST)};
    Heap heap;
    Term t;
    heap_init_detached(&heap, NULL);
    CodecResult result = codec_decode(&heap, atoms, node, literal.at, literal.size, NULL, false,
                                      CODEC_PLAIN, &t, NULL);
    if (result == CODEC_OK)
        print_term_limited(out, atoms, t, PRINT_STRINGS | PRINT_SORT_MAPS, DUMP_LITERAL_MAX);
    else
        bytes_put_text(out, "?");
    heap_release(&heap);
}

void dump_code(AtomTable *atoms, const Bytes *file, FILE *out)
{
    Arena arena;
    ModFile m;
    Bytes text = {0};
    const char *why = NULL;
    arena_init(&arena, NULL, MEM_COMPILER);
    if (modfile_read(file->at, file->count, &arena, &m, &why) == MODFILE_OK)
        disasm_module(&m, dump_literal, atoms, &text);
    else
        bytes_put_text(&text, why);
    fwrite(text.at, 1, text.count, out);
    bytes_free(&text);
    arena_free(&arena);
}
