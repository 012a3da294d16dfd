/* Any bytes at all: the reader, the disassembler and the verifier either refuse them or finish.
 * The sums are made right first, so that the fuzzer gets behind them. */
#include "vm/format/disasm.h"
#include "vm/format/verify.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const ModFile *m, Arena *arena)
{
    Bytes text = {0};
    VerifyProblem problem;
    VerifyLiteral *literals = ARENA_ARRAY(arena, VerifyLiteral, m->literal_count + 1u);
    disasm_module(m, NULL, NULL, &text);
    if (!verify_module(m, literals, arena, &problem) && !problem.why) abort();
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena;
    ModFile m;
    Bytes file = {0};
    const char *why = NULL;
    arena_init(&arena, NULL, MEM_MISC);
    bytes_put(&file, data, size);
    if (size >= 44) {
        memcpy(file.at, "MOTEmob\n", 8);
        bytes_patch_u32(&file, 8, MODFILE_VERSION);
        bytes_patch_u32(&file, 12, 64);
        bytes_patch_u32(&file, 20, (uint32_t)size);
    }
    if (modfile_read_trusted(file.at, file.count, &arena, &m, &why) == MODFILE_OK)
        look(&m, &arena);
    else if (!why)
        abort();
    bytes_free(&file);
    arena_free(&arena);
    return 0;
}
