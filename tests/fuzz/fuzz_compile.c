/* Any text: the compiler refuses it with a message, or what it makes passes the verifier and
 * loads. */
#include "tests/fuzz/fuzz.h"

#include "compiler/compile.h"
#include "vm/code/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const CompileOptions options = {.otp25 = size && data[0] & 1};
    AtomTable *atoms = atom_table_new(NULL, 0);
    Compilation c;
    compilation_init(&c, &options);
    Bytes file = {0};
    const CompileInput input = {.path = "fuzz", .text = (const char *)data, .size = size};
    CompileResult result;
    bool done = compile_module(&c, atoms, &input, &file, &result);
    FUZZ_CHECK(done == !compilation_failed(&c));
    if (done) {
        Epoch *epoch = epoch_new(NULL);
        CodeTable *code = codetab_new(NULL, epoch, atoms);
        const LoadSource source = {.bytes = file.at, .size = file.count};
        LoadError error;
        ModuleVersion *version = load_prepare(code, &source, &error);
        if (!version) PANIC("refused: %s", error.text);
        load_discard(code, version);
        codetab_delete(code);
        epoch_delete(epoch);
    }
    bytes_free(&file);
    compilation_free(&c);
    atom_table_delete(atoms);
    return 0;
}
