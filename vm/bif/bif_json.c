/* The built-in of mote_json: how far a text goes on without anything special. */
#include "vm/bif/bif.h"

#include "vm/base/utf8.h"
#include "vm/term/binary.h"
#include "vm/term/bits.h"

/* Bytes that are looked at in one call. */
#define JSON_MOST 65536
/* The same where the text does not stand on byte borders. */
#define JSON_UNALIGNED 2048

/* plain(Text): the number of bytes at its start that are characters in UTF-8, none of them a
 * control character, a quotation mark or a backslash; at most JSON_MOST or a few less. */
BifResult bif_json_plain(Process *p)
{
    if (!term_is_binary(arg(p, 0))) return raise_badarg(p);
    BitView text = binary_view(arg(p, 0));
    uint8_t aligned[JSON_UNALIGNED];
    const uint8_t *at = text.at;
    size_t most = text.offset == 0 ? JSON_MOST : JSON_UNALIGNED;
    size_t n = text.bits / 8 < most ? text.bits / 8 : most;
    if (text.offset != 0) {
        bits_copy(aligned, 0, text.at, text.offset, n * 8);
        at = aligned;
    }
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
    bif_charge(p, (int64_t)(i / 8));
    return small_from((int64_t)i);
}
