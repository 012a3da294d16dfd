#include "vm/bif/bif_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file without a size (a pipe, /proc) is first read into. */
#define FILE_FIRST_ROOM 65536

static const char *file_name(const FileJob *j, int i) { return (const char *)j->name[i].at; }

/* Takes over the result of a request that gives nothing but success. */
static void file_end(FileJob *j, uv_fs_t *request, int result)
{
    j->error = result < 0 ? result : 0;
    uv_fs_req_cleanup(request);
}

/* The descriptor, or the negative code of an error. */
static int file_open(const char *name, int flags, int mode)
{
    uv_fs_t request;
    int fd = uv_fs_open(NULL, &request, name, flags | O_CLOEXEC, mode, NULL);
    uv_fs_req_cleanup(&request);
    return fd;
}

static int file_close(int fd)
{
    uv_fs_t request;
    int result = uv_fs_close(NULL, &request, fd, NULL);
    uv_fs_req_cleanup(&request);
    return result;
}

/* Bytes read at a position (-1: where it stands), or the negative code of an error. */
static int64_t file_read_at(int fd, uint8_t *to, size_t n, int64_t position)
{
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init((char *)to, (unsigned)(n < (1u << 30) ? n : 1u << 30));
    int result = uv_fs_read(NULL, &request, fd, &buffer, 1, position, NULL);
    uv_fs_req_cleanup(&request);
    return result;
}

/* All of the bytes; 0 or the negative code of an error. */
static int file_write_all(int fd, const uint8_t *from, size_t n, int64_t position)
{
    while (n > 0) {
        uv_fs_t request;
        uint8_t *at = (uint8_t *)(uintptr_t)from; /* libuv does not write there */
        uv_buf_t buffer = uv_buf_init((char *)at, (unsigned)(n < (1u << 30) ? n : 1u << 30));
        int wrote = uv_fs_write(NULL, &request, fd, &buffer, 1, position, NULL);
        uv_fs_req_cleanup(&request);
        if (wrote < 0) return wrote;
        from += wrote;
        n -= (size_t)wrote;
        if (position >= 0) position += wrote;
    }
    return 0;
}

/* The descriptor of the job's file; -1 and an error once it is closed. */
static int file_descriptor(FileJob *j)
{
    int fd = (int)atomic_load_relaxed(&j->file->fd);
    j->error = fd < 0 ? UV_EINVAL : 0;
    return fd;
}

/* ---- reading ---- */

/* More room for what is read; what is there moves. */
static bool file_grow(FileJob *j, size_t room)
{
    SharedBytes *larger = binary_shared_new(j->mem, room);
    if (larger == NULL) {
        j->error = UV_ENOMEM;
        return false;
    }
    if (j->bytes != NULL) {
        memcpy(larger->bytes, j->bytes->bytes, j->bytes_count);
        counted_drop(&j->bytes->head);
    }
    j->bytes = larger;
    return true;
}

/* Reads to the end, or until there are `most` bytes. */
static void file_read_all(FileJob *j, int fd, size_t most, int64_t position)
{
    while (!job_is_unwanted(&j->job)) {
        size_t room = (size_t)j->bytes->room;
        if (j->bytes_count == room && !file_grow(j, 2 * room)) return;
        room = (size_t)j->bytes->room - j->bytes_count;
        if (room > most - j->bytes_count) room = most - j->bytes_count;
        if (room == 0) return;
        int64_t n = file_read_at(fd, j->bytes->bytes + j->bytes_count, room, position);
        if (n < 0) j->error = (int)n;
        if (n <= 0) return;
        j->bytes_count += (size_t)n;
        if (position >= 0) position += n;
    }
}

void file_run_read_file(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_open(file_name(j, 0), O_RDONLY, 0);
    if (fd < 0) {
        j->error = fd;
        return;
    }
    uv_fs_t request;
    int result = uv_fs_fstat(NULL, &request, fd, NULL);
    size_t size = result == 0 ? (size_t)request.statbuf.st_size : 0;
    file_end(j, &request, result);
    /* One byte more, so that the end shows without growing. */
    if (j->error == 0 && file_grow(j, size > 0 ? size + 1 : FILE_FIRST_ROOM))
        file_read_all(j, fd, SIZE_MAX, -1);
    (void)file_close(fd);
}

void file_run_read(Job *job)
{
    FileJob *j = (FileJob *)job;
    size_t most = (size_t)j->number[0];
    int fd = file_descriptor(j);
    if (fd < 0) return;
    if (!file_grow(j, most == 0 ? 1 : most < FILE_FIRST_ROOM ? most : FILE_FIRST_ROOM)) return;
    file_read_all(j, fd, most, j->number[1]);
}

/* ---- writing ---- */

void file_run_write_file(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_open(file_name(j, 0), (int)j->number[0], 0666);
    if (fd < 0) {
        j->error = fd;
        return;
    }
    j->error = file_write_all(fd, j->data, j->data_size, -1);
    int result = file_close(fd);
    if (j->error == 0) j->error = result;
}

void file_run_write(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_descriptor(j);
    if (fd >= 0) j->error = file_write_all(fd, j->data, j->data_size, j->number[0]);
}

/* ---- open files ---- */

void file_run_open(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_open(file_name(j, 0), (int)j->number[0], 0666);
    if (fd < 0) {
        j->error = fd;
        return;
    }
    uv_fs_t request;
    int result = uv_fs_fstat(NULL, &request, fd, NULL);
    bool folder =
        result == 0 && S_ISDIR(request.statbuf.st_mode) && (j->number[0] & O_DIRECTORY) == 0;
    file_end(j, &request, folder ? UV_EISDIR : result);
    if (j->error != 0)
        (void)file_close(fd);
    else
        atomic_store_relaxed(&j->file->fd, fd);
}

void file_run_close(Job *job)
{
    FileJob *j = (FileJob *)job;
    int64_t fd = atomic_swap_acq_rel(&j->file->fd, -1);
    j->error = fd < 0 ? UV_EINVAL : file_close((int)fd);
}

void file_run_seek(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_descriptor(j);
    if (fd < 0) return;
    j->value = lseek(fd, j->number[0], (int)j->number[1]);
    if (j->value < 0) j->error = uv_translate_sys_error(errno);
}

void file_run_sync(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    int fd = file_descriptor(j);
    if (fd >= 0) file_end(j, &request, uv_fs_fsync(NULL, &request, fd, NULL));
}

void file_run_datasync(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    int fd = file_descriptor(j);
    if (fd >= 0) file_end(j, &request, uv_fs_fdatasync(NULL, &request, fd, NULL));
}

void file_run_advise(Job *job)
{
    static const int advices[] = {POSIX_FADV_NORMAL,     POSIX_FADV_RANDOM,
                                  POSIX_FADV_SEQUENTIAL, POSIX_FADV_WILLNEED,
                                  POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    FileJob *j = (FileJob *)job;
    int fd = file_descriptor(j);
    if (fd < 0) return;
    bool known = j->number[0] >= 0 && j->number[1] >= 0 && j->number[2] >= 0
                 && j->number[2] < (int64_t)ARRAY_LEN(advices);
    int error =
        known ? posix_fadvise(fd, j->number[0], j->number[1], advices[j->number[2]]) : EINVAL;
    j->error = error == 0 ? 0 : uv_translate_sys_error(error);
}

void file_run_allocate(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_descriptor(j);
    if (fd < 0) return;
    int error = posix_fallocate(fd, j->number[0], j->number[1]);
    j->error = error == 0 ? 0 : uv_translate_sys_error(error);
}

/* What may be done with it is how it was opened. */
void file_run_handle_info(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_descriptor(j);
    if (fd < 0) return;
    uv_fs_t request;
    int result = uv_fs_fstat(NULL, &request, fd, NULL);
    if (result == 0) j->stat = request.statbuf;
    file_end(j, &request, result);
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    if (mode != O_WRONLY) j->access |= R_OK;
    if (mode != O_RDONLY) j->access |= W_OK;
}

void file_run_truncate(Job *job)
{
    FileJob *j = (FileJob *)job;
    int fd = file_descriptor(j);
    if (fd < 0) return;
    uv_fs_t request;
    int64_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0)
        j->error = uv_translate_sys_error(errno);
    else
        file_end(j, &request, uv_fs_ftruncate(NULL, &request, fd, at, NULL));
}

/* ---- names ---- */

void file_run_delete(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request, uv_fs_unlink(NULL, &request, file_name(j, 0), NULL));
    if (j->error == UV_EISDIR) j->error = UV_EPERM; /* as unlink is specified, and OTP says */
}

void file_run_rename(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request, uv_fs_rename(NULL, &request, file_name(j, 0), file_name(j, 1), NULL));
    if (j->error == UV_ENOTEMPTY) j->error = UV_EEXIST; /* OTP's name for it */
}

void file_run_make_dir(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request, uv_fs_mkdir(NULL, &request, file_name(j, 0), 0777, NULL));
}

void file_run_del_dir(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request, uv_fs_rmdir(NULL, &request, file_name(j, 0), NULL));
    if (j->error == UV_ENOTEMPTY) j->error = UV_EEXIST; /* OTP's name for it */
}

void file_run_list_dir(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    int n = uv_fs_scandir(NULL, &request, file_name(j, 0), 0, NULL);
    uv_dirent_t entry;
    while (n > 0 && uv_fs_scandir_next(&request, &entry) != UV_EOF) {
        bytes_put_text(&j->names, entry.name);
        bytes_put_u8(&j->names, 0);
    }
    file_end(j, &request, n);
}

void file_run_info(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    bool follow = j->number[0] != 0;
    int result = follow ? uv_fs_stat(NULL, &request, file_name(j, 0), NULL)
                        : uv_fs_lstat(NULL, &request, file_name(j, 0), NULL);
    if (result == 0) j->stat = request.statbuf;
    file_end(j, &request, result);
    if (j->error != 0) return;
    if (access(file_name(j, 0), R_OK) == 0) j->access |= R_OK;
    if (access(file_name(j, 0), W_OK) == 0) j->access |= W_OK;
}

void file_run_get_cwd(Job *job)
{
    FileJob *j = (FileJob *)job;
    size_t size = 4096;
    if (j->name[0].count > 0) { /* the VM has one of its own */
        bytes_put(&j->names, j->name[0].at, j->name[0].count);
        bytes_put_u8(&j->names, 0);
        if (access((const char *)j->names.at, F_OK) != 0)
            j->error = uv_translate_sys_error(errno);
        return;
    }
    uint8_t *at = bytes_extend(&j->names, size);
    j->error = uv_cwd((char *)at, &size);
    j->names.count = j->error == 0 ? size + 1 : 0;
}

void file_run_set_cwd(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    int result = uv_fs_realpath(NULL, &request, file_name(j, 0), NULL);
    if (result == 0) {
        bytes_put_text(&j->names, request.ptr);
        bytes_put_u8(&j->names, 0);
    }
    file_end(j, &request, result);
    if (j->error != 0) return;
    result = uv_fs_stat(NULL, &request, file_name(j, 0), NULL);
    bool folder = result == 0 && S_ISDIR(request.statbuf.st_mode);
    file_end(j, &request, result == 0 && !folder ? UV_ENOTDIR : result);
    if (j->error == 0 && access(file_name(j, 0), X_OK) != 0)
        j->error = uv_translate_sys_error(errno);
}

void file_run_make_link(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request, uv_fs_link(NULL, &request, file_name(j, 0), file_name(j, 1), NULL));
}

void file_run_make_symlink(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request,
             uv_fs_symlink(NULL, &request, file_name(j, 0), file_name(j, 1), 0, NULL));
}

void file_run_read_link(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    int result = uv_fs_readlink(NULL, &request, file_name(j, 0), NULL);
    if (result == 0) {
        bytes_put_text(&j->names, request.ptr);
        bytes_put_u8(&j->names, 0);
    }
    file_end(j, &request, result);
}

void file_run_set_mode(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request,
             uv_fs_chmod(NULL, &request, file_name(j, 0), (int)j->number[0], NULL));
}

void file_run_set_owner(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request,
             uv_fs_chown(NULL, &request, file_name(j, 0), (uv_uid_t)j->number[0],
                         (uv_gid_t)j->number[1], NULL));
}

void file_run_set_times(Job *job)
{
    FileJob *j = (FileJob *)job;
    uv_fs_t request;
    file_end(j, &request,
             uv_fs_utime(NULL, &request, file_name(j, 0), (double)j->number[0],
                         (double)j->number[1], NULL));
}
