/*
 * Files on the blocking pool: a FileJob holds all that the work needs, so that its process
 * may die or collect meanwhile.  bif_file.c makes the jobs and their results,
 * bif_file_run.c does the work.
 */
#pragma once

#include "vm/bif/bif_foreign.h"
#include "vm/bif/bif_job.h"

#include "vm/base/bytes.h"
#include "vm/term/binary.h"

#include <uv.h>

/* An open file behind a reference; closed when the last holder goes, if it was not before. */
typedef struct FileHandle {
    Counted counted; /* first */
    Mem *mem;
    AtomicI64 fd; /* -1: closed */
} FileHandle;

typedef struct FileJob {
    Job job; /* first */
    Mem *mem;
    Bytes name[2]; /* with a NUL behind */
    Counted *held; /* keeps data alive, or NULL: data is in `few` */
    const uint8_t *data;
    size_t data_size;
    uint8_t few[BINARY_HEAP_MAX];
    FileHandle *file; /* retained, or NULL */
    int64_t number[3];
    /* Results. */
    int error;          /* 0, or a code of libuv */
    SharedBytes *bytes; /* what was read, or NULL */
    size_t bytes_count;
    Bytes names; /* each with a NUL behind */
    uv_stat_t stat;
    int access; /* R_OK | W_OK: what this program may do */
    int64_t value;
} FileJob;

/* ---- the work; on a thread of the pool ---- */

void file_run_read_file(Job *job);
/* number[0]: flags of open. */
void file_run_write_file(Job *job);
void file_run_delete(Job *job);
void file_run_rename(Job *job);
void file_run_make_dir(Job *job);
void file_run_del_dir(Job *job);
void file_run_list_dir(Job *job);
/* number[0]: 1 follows a link. */
void file_run_info(Job *job);
/* names is the current folder: name[0] (without NUL), unless that is empty. */
void file_run_get_cwd(Job *job);
/* names is what the name leads to, a folder that may be entered. */
void file_run_set_cwd(Job *job);
void file_run_make_link(Job *job);
void file_run_make_symlink(Job *job);
void file_run_read_link(Job *job);
/* number[0]: mode. */
void file_run_set_mode(Job *job);
/* number[0], [1]: user and group, -1: as it is. */
void file_run_set_owner(Job *job);
/* number[0], [1]: times of access and change in seconds. */
void file_run_set_times(Job *job);

/* number[0]: flags of open; the descriptor goes into `file`. */
void file_run_open(Job *job);
/* number[0]: bytes, [1]: position, -1: where the file stands. */
void file_run_read(Job *job);
/* number[0]: position, -1: where the file stands. */
void file_run_write(Job *job);
/* number[0]: offset, [1]: SEEK_SET ...; the value is the new position. */
void file_run_seek(Job *job);
void file_run_sync(Job *job);
void file_run_datasync(Job *job);
/* number[0], [1]: offset and length, [2]: an advice of posix_fadvise, from 0. */
void file_run_advise(Job *job);
/* number[0], [1]: offset and length. */
void file_run_allocate(Job *job);
void file_run_handle_info(Job *job);
/* At the current position. */
void file_run_truncate(Job *job);
void file_run_close(Job *job);
