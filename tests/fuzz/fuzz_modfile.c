/* Any bytes: no module file, or one whose tables can be walked.  The checksum is set right first, so
 * that what lies behind it is reached. */
#include "tests/fuzz/fuzz.h"

#include "vm/format/modfile.h"

static void read_one(const uint8_t *bytes, size_t size)
{
    Arena arena;
    arena_init(&arena, NULL, MEM_MISC);
    ModFile m;
    const char *why = NULL;
    ModFileResult result = modfile_read(bytes, size, &arena, &m, &why);
    FUZZ_CHECK(result == MODFILE_OK || why != NULL);
    if (result == MODFILE_OK) (void)modfile_function_at(&m, 0);
    /* The same without looking at the sums: still no byte outside the file. */
    result = modfile_read_trusted(bytes, size, &arena, &m, &why);
    FUZZ_CHECK(result == MODFILE_OK || why != NULL);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)modfile_is_one(data, size);
    read_one(data, size);
    return 0;
}
