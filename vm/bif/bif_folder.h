/*
 * The current folder of a VM.  The process's own is never changed, as it belongs to whoever embeds
 * the VM: names that are relative get the VM's folder in front, once a program has set one.
 * Any thread; one lock.  Design page: docs/design/files.md.
 */
#pragma once

#include "vm/base/bytes.h"

typedef struct FileFolder FileFolder;

FileFolder *file_folder_new(Mem *mem);
void file_folder_delete(FileFolder *f);
/* Puts the folder's name there, without a NUL: nothing, as long as it is the process's. */
void file_folder_put(FileFolder *f, Bytes *to);
void file_folder_set(FileFolder *f, const void *name, size_t n);
