#include "vm/bif/bif_folder.h"

#include "vm/base/lock.h"
#include "vm/base/mem.h"

struct FileFolder {
    Lock lock;
    Mem *mem;
    Bytes name; /* under the lock */
};

FileFolder *file_folder_new(Mem *mem)
{
    FileFolder *f = mem_alloc_zero(mem, MEM_IO, sizeof *f);
    lock_init(&f->lock, LOCK_RANK_LEAF, "current folder");
    f->mem = mem;
    bytes_init(&f->name, mem, MEM_IO);
    return f;
}

void file_folder_delete(FileFolder *f)
{
    bytes_free(&f->name);
    lock_destroy(&f->lock);
    mem_free(f->mem, MEM_IO, f, sizeof *f);
}

void file_folder_put(FileFolder *f, Bytes *to)
{
    lock_take(&f->lock);
    bytes_put(to, f->name.at, f->name.count);
    lock_drop(&f->lock);
}

void file_folder_set(FileFolder *f, const void *name, size_t n)
{
    lock_take(&f->lock);
    f->name.count = 0;
    bytes_put(&f->name, name, n);
    lock_drop(&f->lock);
}
