#include "vm/base/bytes.h"

#include "vm/base/panic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void bytes_init(Bytes *b, Mem *mem, MemTag tag) { *b = (Bytes){.mem = mem, .tag = tag}; }

void bytes_free(Bytes *b)
{
    mem_free(b->mem, b->tag, b->at, b->room);
    bytes_init(b, b->mem, b->tag);
}

static size_t bytes_next_room(const Bytes *b, size_t more)
{
    size_t room = b->room < 64 ? 64 : b->room + b->room / 2;
    return room < b->count + more ? b->count + more : room;
}

void bytes_reserve(Bytes *b, size_t more)
{
    if (b->room - b->count >= more) return;
    CHECK(more <= SIZE_MAX / 4 && b->count <= SIZE_MAX / 4);
    size_t room = bytes_next_room(b, more);
    b->at = mem_realloc(b->mem, b->tag, b->at, b->room, room);
    b->room = room;
}

uint8_t *bytes_extend(Bytes *b, size_t count)
{
    bytes_reserve(b, count);
    uint8_t *at = b->at + b->count;
    b->count += count;
    return at;
}

bool bytes_try_reserve(Bytes *b, size_t more)
{
    if (b->room - b->count >= more) return true;
    if (more > SIZE_MAX / 4 || b->count > SIZE_MAX / 4) return false;
    size_t room = bytes_next_room(b, more);
    uint8_t *at = b->at == NULL ? mem_try_alloc(b->mem, b->tag, room)
                                : mem_try_realloc(b->mem, b->tag, b->at, b->room, room);
    if (at == NULL) return false;
    b->at = at;
    b->room = room;
    return true;
}

/* Buffers of up to so many bytes are moved at once. */
#define BYTES_SMALL_MOVE 65536

BytesRoom bytes_make_room(Bytes *b, BytesMove *m, size_t more, size_t *budget)
{
    if (b->room - b->count >= more) return BYTES_ROOM;
    if (b->count <= BYTES_SMALL_MOVE)
        return bytes_try_reserve(b, more) ? BYTES_ROOM : BYTES_REFUSED;
    if (m->to == NULL) {
        if (more > SIZE_MAX / 4 || b->count > SIZE_MAX / 4) return BYTES_REFUSED;
        m->room = bytes_next_room(b, more);
        m->moved = 0;
        m->to = mem_try_alloc(b->mem, b->tag, m->room);
        if (m->to == NULL) return BYTES_REFUSED;
    }
    size_t n = b->count - m->moved < *budget ? b->count - m->moved : *budget;
    memcpy(m->to + m->moved, b->at + m->moved, n);
    m->moved += n;
    *budget -= n;
    if (m->moved < b->count) return BYTES_MOVING;
    mem_free(b->mem, b->tag, b->at, b->room);
    b->at = m->to;
    b->room = m->room;
    m->to = NULL;
    return BYTES_ROOM;
}

void bytes_move_free(const Bytes *b, BytesMove *m)
{
    if (m->to != NULL) mem_free(b->mem, b->tag, m->to, m->room);
    m->to = NULL;
}

void bytes_put(Bytes *b, const void *from, size_t count)
{
    if (count) memcpy(bytes_extend(b, count), from, count);
}

void bytes_put_text(Bytes *b, const char *text) { bytes_put(b, text, strlen(text)); }

void bytes_printf(Bytes *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0);
    bytes_reserve(b, (size_t)length + 1);
    vsnprintf((char *)b->at + b->count, (size_t)length + 1, format, again);
    va_end(again);
    b->count += (size_t)length;
}

static void put_number(Bytes *b, uint64_t value, size_t size)
{
    uint8_t *at = bytes_extend(b, size);
    for (size_t i = 0; i < size; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static void put_number_be(Bytes *b, uint64_t value, size_t size)
{
    uint8_t *at = bytes_extend(b, size);
    for (size_t i = 0; i < size; i++) at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void bytes_put_u8(Bytes *b, uint8_t value) { *bytes_extend(b, 1) = value; }

void bytes_put_u16(Bytes *b, uint16_t value) { put_number(b, value, 2); }

void bytes_put_u32(Bytes *b, uint32_t value) { put_number(b, value, 4); }

void bytes_put_u64(Bytes *b, uint64_t value) { put_number(b, value, 8); }

void bytes_put_u16_be(Bytes *b, uint16_t value) { put_number_be(b, value, 2); }

void bytes_put_u32_be(Bytes *b, uint32_t value) { put_number_be(b, value, 4); }

void bytes_put_u64_be(Bytes *b, uint64_t value) { put_number_be(b, value, 8); }

void bytes_put_leb(Bytes *b, uint64_t value)
{
    while (value >= 0x80) {
        bytes_put_u8(b, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    bytes_put_u8(b, (uint8_t)value);
}

void bytes_put_sleb(Bytes *b, int64_t value)
{
    for (;;) {
        uint8_t low = (uint8_t)(value & 0x7f);
        value >>= 7;
        bool last = (value == 0 && !(low & 0x40)) || (value == -1 && (low & 0x40));
        bytes_put_u8(b, last ? low : (uint8_t)(low | 0x80));
        if (last) return;
    }
}

void bytes_patch_u32(Bytes *b, size_t at, uint32_t value)
{
    CHECK(at <= b->count && b->count - at >= 4);
    for (size_t i = 0; i < 4; i++) b->at[at + i] = (uint8_t)(value >> (8 * i));
}

void bytes_fail(ByteReader *r)
{
    r->failed = true;
    r->at = r->end;
}

const uint8_t *bytes_read(ByteReader *r, size_t count)
{
    if (r->failed || bytes_left(r) < count) {
        bytes_fail(r);
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += count;
    return at;
}

ByteReader bytes_read_range(ByteReader *r, size_t count)
{
    const uint8_t *at = bytes_read(r, count);
    if (!at) return (ByteReader){r->end, r->end, true};
    return (ByteReader){at, at + count, false};
}

static uint64_t read_number(ByteReader *r, size_t size)
{
    const uint8_t *at = bytes_read(r, size);
    uint64_t value = 0;
    for (size_t i = 0; at && i < size; i++) value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint64_t read_number_be(ByteReader *r, size_t size)
{
    const uint8_t *at = bytes_read(r, size);
    uint64_t value = 0;
    for (size_t i = 0; at && i < size; i++) value = value << 8 | at[i];
    return value;
}

uint8_t bytes_read_u8(ByteReader *r) { return (uint8_t)read_number(r, 1); }

uint16_t bytes_read_u16(ByteReader *r) { return (uint16_t)read_number(r, 2); }

uint32_t bytes_read_u32(ByteReader *r) { return (uint32_t)read_number(r, 4); }

uint64_t bytes_read_u64(ByteReader *r) { return read_number(r, 8); }

uint16_t bytes_read_u16_be(ByteReader *r) { return (uint16_t)read_number_be(r, 2); }

uint32_t bytes_read_u32_be(ByteReader *r) { return (uint32_t)read_number_be(r, 4); }

uint64_t bytes_read_u64_be(ByteReader *r) { return read_number_be(r, 8); }

uint64_t bytes_read_leb(ByteReader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint8_t *at = bytes_read(r, 1);
        if (!at) return 0;
        uint64_t part = *at & 0x7f;
        if (shift == 63 && *at > 1) break; /* would not fit 64 bits, or goes on */
        value |= part << shift;
        if (!(*at & 0x80)) return value;
    }
    bytes_fail(r);
    return 0;
}

int64_t bytes_read_sleb(ByteReader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift <= 63; shift += 7) {
        const uint8_t *at = bytes_read(r, 1);
        if (!at) return 0;
        if (shift == 63 && *at != 0 && *at != 0x7f) break;
        value |= (uint64_t)(*at & 0x7f) << shift;
        if (*at & 0x80) continue;
        if (shift + 7 < 64 && (*at & 0x40)) value |= ~UINT64_C(0) << (shift + 7);
        return (int64_t)value;
    }
    bytes_fail(r);
    return 0;
}

uint64_t bytes_read_leb_max(ByteReader *r, uint64_t max)
{
    uint64_t value = bytes_read_leb(r);
    if (value <= max) return value;
    bytes_fail(r);
    return 0;
}

static bool read_all(Bytes *b, int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return false;
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return false;
    }
    size_t expected = S_ISREG(info.st_mode) ? (size_t)info.st_size : 0;
    bytes_reserve(b, expected + 1);
    for (;;) {
        bytes_reserve(b, 1);
        size_t room = b->room - b->count;
        ssize_t got = read(fd, b->at + b->count, room > 1 << 30 ? 1 << 30 : room);
        if (got == 0) return true;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        b->count += (size_t)got;
        if (b->room == b->count) bytes_reserve(b, 4096);
    }
}

bool bytes_read_file(Bytes *b, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = read_all(b, fd);
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

static bool write_all(int fd, const uint8_t *at, size_t count)
{
    while (count) {
        ssize_t wrote = write(fd, at, count > 1 << 30 ? 1 << 30 : count);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        at += wrote;
        count -= (size_t)wrote;
    }
    return true;
}

bool bytes_write_file(const char *path, const void *from, size_t count)
{
    size_t length = strlen(path) + 32;
    char *beside = mem_alloc(NULL, MEM_MISC, length);
    snprintf(beside, length, "%s.%ld.tmp", path, (long)getpid());
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write_all(fd, from, count);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(beside, path) != 0) {
        ok = false;
        error = errno;
    }
    if (!ok && fd >= 0) unlink(beside);
    mem_free(NULL, MEM_MISC, beside, length);
    errno = error;
    return ok;
}

/* Half a byte at a time: sixteen constants instead of a table built at run time. */
uint32_t bytes_crc32(uint32_t crc, const void *from, size_t count)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *at = from;
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}
