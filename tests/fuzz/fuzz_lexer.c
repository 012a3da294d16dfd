/* Any text: tokens to the end, and no step without progress. */
#include "tests/fuzz/fuzz.h"

#include "compiler/syntax/lexer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const CompileOptions options = {.otp25 = size && data[0] & 1};
    Compilation c;
    compilation_init(&c, &options);
    const Source *source = sources_add(&c.sources, "fuzz", (const char *)data, size);
    Lexer lexer;
    lexer_init(&lexer, &c, source);
    Token token;
    size_t count = 0;
    do {
        lexer_next(&lexer, &token);
        FUZZ_CHECK(token.kind < TOKEN_COUNT);
        FUZZ_CHECK(++count <= size + 2);
    } while (token.kind != TOKEN_EOF);
    lexer_next(&lexer, &token);
    FUZZ_CHECK(token.kind == TOKEN_EOF);
    compilation_free(&c);
    return 0;
}
