/* Any text: a tree and messages. */
#include "tests/fuzz/fuzz.h"

#include "compiler/syntax/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const CompileOptions options = {.otp25 = size && data[0] & 1};
    Compilation c;
    compilation_init(&c, &options);
    (void)parse_text(&c, "fuzz", (const char *)data, size);
    compilation_free(&c);
    (void)parse_state((const char *)data, size);
    return 0;
}
