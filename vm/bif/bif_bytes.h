/*
 * Texts and iolists as bytes, for built-ins that take either; bytes are counted to the VM's
 * account and freed by the caller with bytes_free.
 */
#pragma once

#include "vm/base/bytes.h"
#include "vm/bif/bif.h"

static inline Bytes bif_bytes(Process *p)
{
    Bytes b;
    bytes_init(&b, p->run->mem, MEM_WORK);
    return b;
}

/* Appends the bytes of an iolist (bytes, binaries, nested lists; a binary tail); false if it is
 * none, or has an odd number of bits somewhere.  All at once. */
bool bif_iolist_put(Process *p, Term t, Bytes *to);
/* How many bytes it has; false if it is none.  All at once. */
bool bif_iolist_size(Process *p, Term t, size_t *size);

/* A whole-byte binary's bytes appended; false if it is none. */
bool bif_binary_put(Term t, Bytes *to);
/* Characters (code points, UTF-8 binaries, nested lists) appended as UTF-8; false if it is no such
 * data: then some may have been appended. In vm/bif/bif_unicode.c. */
bool bif_characters_put(Process *p, Term t, Bytes *to);

/* A binary of what `b` holds; frees b. */
BifResult bif_bytes_to_binary(Process *p, Bytes *b);
/* Argument 0, a bitstring: `n` of its bytes from `first` on as a list; at its end the bits that are
 * no byte too.  In slices: for rows that are _LONG. */
BifResult bif_binary_list(Process *p, size_t first, size_t n);
