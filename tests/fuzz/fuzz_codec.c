/* The external format: any bytes are refused or give a term, and what a term encodes to gives the
 * same term again. */
#include "tests/fuzz/fuzz.h"

#include "vm/term/codec.h"
#include "vm/term/order.h"
#include "vm/term/print.h"

static void round_trip(AtomTable *atoms, CodecNode node, Term t, CodecFlags flags)
{
    Bytes once = {0};
    Bytes twice = {0};
    Heap h;
    heap_init_detached(&h, NULL);
    Term back;
    FUZZ_CHECK(codec_encode(&once, atoms, node, t, flags));
    FUZZ_CHECK(once.count == codec_size(atoms, node, t, flags));
    FUZZ_CHECK(
        codec_decode(&h, atoms, node, once.at, once.count, NULL, true, flags, &back, NULL)
        == CODEC_OK);
    FUZZ_CHECK(order_same(t, back));
    FUZZ_CHECK(order_compare(atoms, t, back) == 0);
    FUZZ_CHECK(codec_encode(&twice, atoms, node, back, flags | CODEC_DETERMINISTIC));
    bytes_free(&once);
    bytes_free(&twice);
    heap_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    AtomTable *atoms = atom_table_new(NULL, 0);
    CodecNode node = {atom_make(atoms, "nonode@nohost"), 0};
    Mem *mem = mem_new(64 << 20); /* a size in the input is refused, not allocated */
    Heap h;
    heap_init_detached(&h, mem);
    Term t;
    size_t used;
    bool safe = data[0] & 1;
    CodecResult result =
        codec_decode(&h, atoms, node, data + 1, size - 1, NULL, safe, CODEC_PLAIN, &t, &used);
    if (result == CODEC_OK) {
        FUZZ_CHECK(used <= size - 1);
        round_trip(atoms, node, t, CODEC_PLAIN);
        round_trip(atoms, node, t, CODEC_DETERMINISTIC);
        Bytes text = {0};
        print_term_limited(&text, atoms, t, (PrintFlags)0, 10000);
        bytes_free(&text);
    }
    heap_release(&h);
    mem_delete(mem);
    atom_table_delete(atoms);
    return 0;
}
