/*
 * Built-ins of prim_file: what module file stands on.  Names are binaries without a NUL, as the
 * operating system has them; errors are {error, Reason} with the usual names of POSIX.
 */
#include "vm/bif/bif_file.h"

#include "vm/bif/bif_bytes.h"
#include "vm/bif/bif_folder.h"
#include "vm/term/atom.h"
#include "vm/term/bits.h"
#include "vm/term/list.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a built-in is made of: its arguments by letter (n: name, t: text of a link, d: data,
 * i: integer, m: modes, f: open file), the work, and how its result is told. */
typedef struct FileCall {
    const char *arguments;
    void (*run)(Job *job);
    Term (*tell)(Process *p, FileJob *j); /* no error; TERM_NONE: no memory */
} FileCall;

static void file_handle_release(Counted *object)
{
    FileHandle *f = (FileHandle *)object;
    int64_t fd = atomic_load_relaxed(&f->fd);
    if (fd >= 0) (void)close((int)fd);
    mem_free(f->mem, MEM_IO, f, sizeof *f);
}

static FileHandle *file_handle_new(Mem *mem)
{
    FileHandle *f = mem_try_alloc(mem, MEM_IO, sizeof *f);
    if (f == NULL) return NULL;
    atomic_store_relaxed(&f->counted.references, 1);
    f->counted.release = file_handle_release;
    f->counted.bytes = sizeof *f;
    f->mem = mem;
    atomic_store_relaxed(&f->fd, -1);
    return f;
}

static void file_job_release(Counted *object)
{
    FileJob *j = (FileJob *)object;
    bytes_free(&j->name[0]);
    bytes_free(&j->name[1]);
    bytes_free(&j->names);
    if (j->held != NULL) counted_drop(j->held);
    if (j->file != NULL) counted_drop(&j->file->counted);
    if (j->bytes != NULL) counted_drop(&j->bytes->head);
    mem_free(j->mem, MEM_IO, j, sizeof *j);
}

static FileJob *file_job_new(Process *p, void (*run)(Job *job))
{
    Mem *mem = p->run->mem;
    FileJob *j = mem_try_alloc(mem, MEM_IO, sizeof *j);
    if (j == NULL) return NULL;
    memset(j, 0, sizeof *j);
    atomic_store_relaxed(&j->job.counted.references, 1);
    j->job.counted.release = file_job_release;
    j->job.run = run;
    j->mem = mem;
    bytes_init(&j->name[0], mem, MEM_IO);
    bytes_init(&j->name[1], mem, MEM_IO);
    bytes_init(&j->names, mem, MEM_IO);
    return j;
}

/* ---- arguments ---- */

/* The empty name is none at all, wherever it would begin. */
static bool file_name_is_absolute(Term t)
{
    BitView v = binary_view(t);
    uint8_t first = 0;
    if (v.bits < 8) return true;
    bits_copy(&first, 0, v.at, v.offset, 8);
    return first == '/';
}

static bool file_take_text(FileJob *j, Term t, int i)
{
    Bytes *name = &j->name[i];
    size_t before = name->count;
    if (!bif_binary_put(t, name)) return false;
    size_t n = name->count - before;
    if (n > 0 && memchr(name->at + before, 0, n) != NULL) return false;
    bytes_put_u8(name, 0);
    return true;
}

/* A relative name begins in the VM's folder. */
static bool file_take_name(Process *p, FileJob *j, Term t, int i)
{
    Bytes *name = &j->name[i];
    if (!term_is_binary(t)) return false;
    if (!file_name_is_absolute(t)) {
        file_folder_put(p->run->folder, name);
        if (name->count > 0) bytes_put_u8(name, '/');
    }
    return file_take_text(j, t, i);
}

/* Large data stay where they are and are kept alive; others are copied. */
static bool file_take_data(FileJob *j, Term t)
{
    if (!term_is_binary(t)) return false;
    BitView v = binary_view(t);
    size_t offset;
    Term base = binary_base(t, &offset);
    j->data_size = v.bits / 8;
    j->data = v.at;
    if (v.offset == 0 && term_is_kind(base, KIND_SHARED_BINARY)) {
        j->held = &binary_shared(base)->head;
        counted_retain(j->held);
        return true;
    }
    uint8_t *to = j->few;
    if (j->data_size > sizeof j->few) {
        SharedBytes *copy = binary_shared_new(j->mem, j->data_size);
        if (copy == NULL) return false;
        j->held = &copy->head;
        to = copy->bytes;
    }
    j->data = to;
    Bytes bytes = {0};
    bool good = bif_binary_put(t, &bytes);
    if (bytes.count > 0) memcpy(to, bytes.at, bytes.count);
    bytes_free(&bytes);
    return good;
}

static bool file_take_file(FileJob *j, Term t)
{
    Counted *object = bif_foreign_of(t);
    if (object == NULL || object->release != file_handle_release) return false;
    j->file = (FileHandle *)object;
    counted_retain(object);
    return true;
}

/* One mode more; false: it is none. */
static bool file_add_mode(Term t, int64_t *flags, bool *read, bool *write)
{
    if (!term_is_atom(t)) return false;
    switch (atom_of(t)) {
    case ATOM_READ: *read = true; return true;
    case ATOM_WRITE: *write = true; return true;
    case ATOM_APPEND_MODE:
        *flags |= O_APPEND;
        *write = true;
        return true;
    case ATOM_EXCLUSIVE:
        *flags |= O_EXCL;
        *write = true;
        return true;
    case ATOM_SYNC: *flags |= O_SYNC; return true;
    case ATOM_DIRECTORY: *flags |= O_DIRECTORY; return true;
    default: return false;
    }
}

/* A list of modes as flags of open: what is written anew is emptied, unless it is read too. */
static bool file_take_modes(Term list, int64_t *flags)
{
    bool read = false;
    bool write = false;
    *flags = 0;
    for (; term_is_cons(list); list = list_tail(list))
        if (!file_add_mode(list_head(list), flags, &read, &write)) return false;
    *flags |= read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY;
    if (write) *flags |= O_CREAT;
    if (write && !read && (*flags & (O_APPEND | O_EXCL)) == 0) *flags |= O_TRUNC;
    return term_is_nil(list);
}

/* False: an argument is not what the call wants. */
static bool file_take(Process *p, FileJob *j, const char *arguments)
{
    int names = 0;
    int numbers = 0;
    for (size_t i = 0; arguments[i] != 0; i++) {
        Term t = arg(p, i);
        bool good = true;
        switch (arguments[i]) {
        case 'n': good = file_take_name(p, j, t, names++); break;
        case 't': good = file_take_text(j, t, names++); break;
        case 'd': good = file_take_data(j, t); break;
        case 'i':
            good = term_is_small(t);
            if (good) j->number[numbers++] = small_value(t);
            break;
        case 'm': good = file_take_modes(t, &j->number[numbers++]); break;
        default: good = file_take_file(j, t); break;
        }
        if (!good) return false;
    }
    return true;
}

/* ---- results ---- */

static Term file_pair(Process *p, AtomName tag, Term t)
{
    return term_is_none(t) ? TERM_NONE : heap_tuple2(&p->heap, atom_from(tag), t);
}

/* {error, Reason}: the name of the code, in small letters. */
static Term file_tell_error(Process *p, int error)
{
    char name[32] = "unknown";
    Term reason;
    (void)uv_err_name_r(error, name, sizeof name);
    for (char *at = name; *at != 0; at++) *at = (char)tolower((unsigned char)*at);
    if (atom_put(p->run->atoms, name, strlen(name), &reason) != ATOM_PUT_DONE) return TERM_NONE;
    return file_pair(p, ATOM_ERROR, reason);
}

static Term file_tell_ok(Process *p, FileJob *j)
{
    (void)p;
    (void)j;
    return TERM_ATOM(OK);
}

static Term file_tell_bytes(Process *p, FileJob *j)
{
    if (j->bytes_count <= BINARY_HEAP_MAX)
        return file_pair(p, ATOM_OK,
                         binary_from_bytes(&p->heap, j->bytes->bytes, j->bytes_count));
    SharedBytes *bytes = j->bytes;
    j->bytes = NULL;
    return file_pair(p, ATOM_OK, binary_share(&p->heap, bytes, 8 * j->bytes_count));
}

/* As read/2 has it: eof where nothing is left. */
static Term file_tell_read(Process *p, FileJob *j)
{
    if (j->bytes_count == 0 && j->number[0] > 0) return TERM_ATOM(EOF);
    return file_tell_bytes(p, j);
}

static Term file_tell_name(Process *p, FileJob *j)
{
    return file_pair(p, ATOM_OK, binary_from_bytes(&p->heap, j->names.at, j->names.count - 1));
}

/* The folder that was found is the VM's from now on. */
static Term file_tell_folder(Process *p, FileJob *j)
{
    file_folder_set(p->run->folder, j->names.at, j->names.count - 1);
    return TERM_ATOM(OK);
}

static Term file_tell_names(Process *p, FileJob *j)
{
    Term list = TERM_NIL;
    for (size_t at = 0; at < j->names.count && !term_is_none(list);) {
        size_t n = strlen((const char *)j->names.at + at);
        Term name = binary_from_bytes(&p->heap, j->names.at + at, n);
        list = term_is_none(name) ? TERM_NONE : heap_cons(&p->heap, name, list);
        at += n + 1;
    }
    bif_charge(p, (int64_t)(j->names.count / 8));
    return file_pair(p, ATOM_OK, list);
}

static Term file_type(uint64_t mode)
{
    if (S_ISREG(mode)) return TERM_ATOM(REGULAR);
    if (S_ISDIR(mode)) return TERM_ATOM(DIRECTORY);
    if (S_ISLNK(mode)) return TERM_ATOM(SYMLINK);
    if (S_ISCHR(mode) || S_ISBLK(mode)) return TERM_ATOM(DEVICE);
    return TERM_ATOM(OTHER);
}

static Term file_access(int access)
{
    if (access == (R_OK | W_OK)) return TERM_ATOM(READ_WRITE);
    if (access == R_OK) return TERM_ATOM(READ);
    return access == W_OK ? TERM_ATOM(WRITE) : TERM_ATOM(NONE);
}

/* {ok, {file_info, Size, Type, Access, Atime, Mtime, Ctime, Mode, Links, Major, Minor, Inode,
 * Uid, Gid}} with times in seconds since 1970. */
static Term file_tell_info(Process *p, FileJob *j)
{
    const uv_stat_t *s = &j->stat;
    Term fields[] = {TERM_ATOM(FILE_INFO),
                     heap_uint64(&p->heap, s->st_size),
                     file_type(s->st_mode),
                     file_access(j->access),
                     small_from(s->st_atim.tv_sec),
                     small_from(s->st_mtim.tv_sec),
                     small_from(s->st_ctim.tv_sec),
                     heap_uint64(&p->heap, s->st_mode),
                     heap_uint64(&p->heap, s->st_nlink),
                     heap_uint64(&p->heap, s->st_dev),
                     heap_uint64(&p->heap, s->st_rdev),
                     heap_uint64(&p->heap, s->st_ino),
                     heap_uint64(&p->heap, s->st_uid),
                     heap_uint64(&p->heap, s->st_gid)};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (term_is_none(fields[i])) return TERM_NONE;
    return file_pair(p, ATOM_OK, heap_tuple(&p->heap, ARRAY_LEN(fields), fields));
}

static Term file_tell_open(Process *p, FileJob *j)
{
    FileHandle *file = j->file;
    j->file = NULL;
    return file_pair(p, ATOM_OK, bif_foreign_new(p, &file->counted));
}

static Term file_tell_value(Process *p, FileJob *j)
{
    return file_pair(p, ATOM_OK, heap_int64(&p->heap, j->value));
}

/* ---- the calls ---- */

static BifResult file_call(Process *p, const FileCall *call)
{
    size_t slot_index = strlen(call->arguments);
    FileJob *j = (FileJob *)bif_job_at(p, slot_index);
    if (j != NULL) {
        if (!job_done(&j->job)) return bif_wait(p);
        Term t = j->error == 0 ? call->tell(p, j) : file_tell_error(p, j->error);
        return term_is_none(t) ? raise_system_limit(p) : t;
    }
    j = file_job_new(p, call->run);
    if (j == NULL) return raise_system_limit(p);
    bool good = file_take(p, j, call->arguments);
    if (good && call->run == file_run_open) {
        j->file = file_handle_new(p->run->mem);
        good = j->file != NULL;
    }
    if (good && call->run == file_run_get_cwd) file_folder_put(p->run->folder, &j->name[0]);
    if (good) return bif_job_start(p, slot_index, &j->job);
    counted_drop(&j->job.counted);
    return raise_badarg(p);
}

#define FILE_BIF(name, arguments, run, tell)                 \
    BifResult name(Process *p)                               \
    {                                                        \
        static const FileCall call = {arguments, run, tell}; \
        return file_call(p, &call);                          \
    }

FILE_BIF(bif_file_read_file, "n", file_run_read_file, file_tell_bytes)
FILE_BIF(bif_file_delete, "n", file_run_delete, file_tell_ok)
FILE_BIF(bif_file_rename, "nn", file_run_rename, file_tell_ok)
FILE_BIF(bif_file_make_dir, "n", file_run_make_dir, file_tell_ok)
FILE_BIF(bif_file_del_dir, "n", file_run_del_dir, file_tell_ok)
FILE_BIF(bif_file_list_dir, "n", file_run_list_dir, file_tell_names)
FILE_BIF(bif_file_info, "ni", file_run_info, file_tell_info)
FILE_BIF(bif_file_get_cwd, "", file_run_get_cwd, file_tell_name)
FILE_BIF(bif_file_set_cwd, "n", file_run_set_cwd, file_tell_folder)
FILE_BIF(bif_file_make_link, "nn", file_run_make_link, file_tell_ok)
FILE_BIF(bif_file_make_symlink, "tn", file_run_make_symlink, file_tell_ok)
FILE_BIF(bif_file_read_link, "n", file_run_read_link, file_tell_name)
FILE_BIF(bif_file_set_mode, "ni", file_run_set_mode, file_tell_ok)
FILE_BIF(bif_file_set_owner, "nii", file_run_set_owner, file_tell_ok)
FILE_BIF(bif_file_set_times, "nii", file_run_set_times, file_tell_ok)
FILE_BIF(bif_file_open, "nm", file_run_open, file_tell_open)
FILE_BIF(bif_file_read, "fii", file_run_read, file_tell_read)
FILE_BIF(bif_file_seek, "fii", file_run_seek, file_tell_value)
FILE_BIF(bif_file_sync, "f", file_run_sync, file_tell_ok)
FILE_BIF(bif_file_datasync, "f", file_run_datasync, file_tell_ok)
FILE_BIF(bif_file_advise, "fiii", file_run_advise, file_tell_ok)
FILE_BIF(bif_file_allocate, "fii", file_run_allocate, file_tell_ok)
FILE_BIF(bif_file_handle_info, "f", file_run_handle_info, file_tell_info)
FILE_BIF(bif_file_truncate, "f", file_run_truncate, file_tell_ok)
FILE_BIF(bif_file_close, "f", file_run_close, file_tell_ok)
FILE_BIF(bif_file_write_file, "ndm", file_run_write_file, file_tell_ok)
FILE_BIF(bif_file_write, "fid", file_run_write, file_tell_ok)
