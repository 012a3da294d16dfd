/* Any text: a tree and messages, which can be shown; what is right goes through lint and dump. */
#include "tests/fuzz/fuzz.h"

#include "compiler/syntax/lint.h"
#include "compiler/syntax/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const CompileOptions options = {.otp25 = size && data[0] & 1};
    Compilation c;
    compilation_init(&c, &options);
    AstFile *file = parse_text(&c, "fuzz", (const char *)data, size);
    if (file) lint_file(&c, file, NULL);
    diags_sort(&c.diags);
    for (uint32_t i = 0; i < c.diags.count && i < 20; i++)
        FUZZ_CHECK(diag_render(&c.diags, &c.sources, &c.diags.at[i]) != NULL);
    compilation_free(&c);
    (void)parse_state((const char *)data, size);
    return 0;
}
