#include "vm/code/archive.h"

#include "vm/base/bytes.h"

#include <string.h>

#define ARCHIVE_MAGIC "MOTEARC1"

static bool archive_read_entry(ByteReader *in, const uint8_t *start, ArchiveEntry *e)
{
    uint32_t length = bytes_read_u32(in);
    e->name = (const char *)bytes_read(in, length);
    e->name_length = length;
    e->size = bytes_read_u32(in);
    if (in->failed) return false;
    size_t at = (size_t)(in->at - start);
    (void)bytes_read(in, (8 - at % 8) % 8);
    e->bytes = bytes_read(in, e->size);
    return !in->failed;
}

bool archive_open(Archive *a, Mem *mem, const uint8_t *bytes, size_t size)
{
    *a = (Archive){.mem = mem};
    htab_init(&a->by_name, mem, MEM_CODE);
    ByteReader in = bytes_reader(bytes, size);
    const uint8_t *magic = bytes_read(&in, strlen(ARCHIVE_MAGIC));
    if (magic == NULL || memcmp(magic, ARCHIVE_MAGIC, strlen(ARCHIVE_MAGIC)) != 0) return false;
    size_t count = bytes_read_u32(&in);
    if (in.failed || count > size) return false;
    a->count = count;
    a->entries = mem_alloc_zero(mem, MEM_CODE, count * sizeof(ArchiveEntry));
    for (size_t i = 0; i < count; i++) {
        ArchiveEntry *e = &a->entries[i];
        if (!archive_read_entry(&in, bytes, e)) return false;
        htab_put_text(&a->by_name, e->name, e->name_length, NULL)->num = i;
    }
    return true;
}

void archive_close(Archive *a)
{
    htab_free(&a->by_name);
    mem_free(a->mem, MEM_CODE, a->entries, a->count * sizeof(ArchiveEntry));
    *a = (Archive){0};
}

const ArchiveEntry *archive_find(const Archive *a, const char *name, size_t length)
{
    HtabValue *value = htab_find_text(&a->by_name, name, length);
    return value == NULL ? NULL : &a->entries[value->num];
}
