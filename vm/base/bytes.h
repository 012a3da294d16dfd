/* A growable byte buffer with writers, and a bounds-checked reader for bytes that we did not make.
 *
 * One thread at a time.  Numbers are little-endian unless the name ends in `_be`.  The
 * reader never reads outside its range: the first read that does not fit marks it failed,
 * and every read from then on gives 0, so a caller may look once at the end.  Growing stops
 * the VM when memory runs out. */
#pragma once

#include "vm/base/mem.h"

typedef struct Bytes {
    uint8_t *at;
    size_t count;
    size_t room;
    Mem *mem; /* account, or NULL */
    MemTag tag;
} Bytes;

/* `{0}` is an empty, uncounted buffer. */
void bytes_init(Bytes *b, Mem *mem, MemTag tag);
void bytes_free(Bytes *b);
static inline void bytes_clear(Bytes *b) { b->count = 0; }

/* After this, `more` bytes can be written at at[count] without moving. */
void bytes_reserve(Bytes *b, size_t more);
/* Add `count` uninitialised bytes; returns where they start (good until the next growth). */
uint8_t *bytes_extend(Bytes *b, size_t count);

/* The same as bytes_reserve on behalf of a process: false when memory is refused; the buffer then
 * stays as it was. */
MUST_USE bool bytes_try_reserve(Bytes *b, size_t more);

/* A large buffer that moves to more room piece by piece, so that nobody waits for it. */
typedef struct BytesMove {
    uint8_t *to; /* NULL: none is under way */
    size_t room;
    size_t moved;
} BytesMove;
typedef enum BytesRoom { BYTES_ROOM, BYTES_MOVING, BYTES_REFUSED } BytesRoom;
/* Room for `more` bytes; bytes copied are taken from *budget.  MOVING: the budget is spent; come
 * again, and until then append nothing.  `m` begins as {0}. */
MUST_USE BytesRoom bytes_make_room(Bytes *b, BytesMove *m, size_t more, size_t *budget);
/* Gives up a move that is under way. */
void bytes_move_free(const Bytes *b, BytesMove *m);

void bytes_put(Bytes *b, const void *from, size_t count);
void bytes_put_text(Bytes *b, const char *text); /* up to the NUL, without it */
void bytes_printf(Bytes *b, const char *format, ...) PRINTF_LIKE(2, 3);
void bytes_put_u8(Bytes *b, uint8_t value);
void bytes_put_u16(Bytes *b, uint16_t value);
void bytes_put_u32(Bytes *b, uint32_t value);
void bytes_put_u64(Bytes *b, uint64_t value);
void bytes_put_u16_be(Bytes *b, uint16_t value);
void bytes_put_u32_be(Bytes *b, uint32_t value);
void bytes_put_u64_be(Bytes *b, uint64_t value);
void bytes_put_leb(Bytes *b, uint64_t value);              /* unsigned LEB128, 1 to 10 bytes */
void bytes_put_sleb(Bytes *b, int64_t value);              /* signed LEB128 */
void bytes_patch_u32(Bytes *b, size_t at, uint32_t value); /* at + 4 <= count */

typedef struct ByteReader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} ByteReader;

static inline ByteReader bytes_reader(const void *from, size_t count)
{
    const uint8_t *at = (const uint8_t *)from;
    return (ByteReader){at, at + count, false};
}

static inline size_t bytes_left(const ByteReader *r) { return (size_t)(r->end - r->at); }

uint8_t bytes_read_u8(ByteReader *r);
uint16_t bytes_read_u16(ByteReader *r);
uint32_t bytes_read_u32(ByteReader *r);
uint64_t bytes_read_u64(ByteReader *r);
uint16_t bytes_read_u16_be(ByteReader *r);
uint32_t bytes_read_u32_be(ByteReader *r);
uint64_t bytes_read_u64_be(ByteReader *r);
/* LEB128; more than 64 bits of value fail. */
uint64_t bytes_read_leb(ByteReader *r);
int64_t bytes_read_sleb(ByteReader *r);
/* An unsigned LEB128 that must not exceed `max`, else the reader fails and gives 0. */
uint64_t bytes_read_leb_max(ByteReader *r, uint64_t max);
/* The next `count` bytes, borrowed from the range; NULL on failure. */
const uint8_t *bytes_read(ByteReader *r, size_t count);
/* A reader of the next `count` bytes, which this one skips; a failed one on failure. */
ByteReader bytes_read_range(ByteReader *r, size_t count);
void bytes_fail(ByteReader *r);

/* Read a whole file into `b` (appended).  False with errno on failure. */
MUST_USE bool bytes_read_file(Bytes *b, const char *path);
/* Write a file, replacing it as a whole (through a temporary name beside it). */
MUST_USE bool bytes_write_file(const char *path, const void *from, size_t count);

/* CRC-32 (the polynomial of zlib and Ethernet), continued from `crc`; start with 0. */
uint32_t bytes_crc32(uint32_t crc, const void *from, size_t count);
