/* The built-in of mote_json: how far a text goes on without anything special. */
#include "vm/bif/bif.h"

#include "vm/base/utf8.h"
#include "vm/term/binary.h"

/* Bytes that are looked at in one call. */
#define JSON_MOST 65536

/* plain(Text): the number of bytes at its start that are characters in UTF-8, none of them a
 * control character, a quotation mark or a backslash; at most JSON_MOST or a few less. */
BifResult bif_json_plain(Process *p)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    size_t size;
    uint8_t *scratch;
    const uint8_t *at = binary_aligned(arg(p, 0), p->run->mem, &size, &scratch);
    if (at == NULL && size > 0) return raise_system_limit(p);
    size_t n = size < JSON_MOST ? size : JSON_MOST;
    size_t i = 0;
    while (i < n) {
        uint8_t c = at[i];
        if (c < 0x80) {
            if (c < 0x20 || c == '"' || c == '\\') break;
            i++;
            continue;
        }
        uint32_t character;
        int length = utf8_decode(at + i, n - i, &character);
        if (length <= 0) break;
        i += (size_t)length;
    }
    if (scratch != NULL) mem_free(p->run->mem, MEM_WORK, scratch, size == 0 ? 1 : size);
    bif_charge(p, (int64_t)(i / 8));
    return small_from((int64_t)i);
}
