/* Standard input, output and error: what io servers are made of, and erlang:display/1. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/bif_job.h"

#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/copy.h"
#include "vm/term/print.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* What a pipe that polls as writable takes for certain. */
#define IO_SURE_BYTES 4096

typedef struct IoJob {
    Job job;
    Mem *mem;
    Bytes bytes;
    size_t done; /* written so far */
    int fd;
    int error;
} IoJob;

static void io_job_release(Counted *object)
{
    IoJob *j = (IoJob *)object;
    bytes_free(&j->bytes);
    mem_free(j->mem, MEM_WORK, j, sizeof *j);
}

static IoJob *io_job_new(Process *p, int fd, void (*run)(Job *job))
{
    IoJob *j = mem_try_alloc(p->run->mem, MEM_WORK, sizeof *j);
    if (j == NULL) return NULL;
    memset(j, 0, sizeof *j);
    atomic_store_relaxed(&j->job.counted.references, 1);
    j->job.counted.release = io_job_release;
    j->job.run = run;
    j->mem = p->run->mem;
    j->fd = fd;
    bytes_init(&j->bytes, j->mem, MEM_WORK);
    return j;
}

/* ---- writing ---- */

/* Writes what can be written without waiting; true when all of it is out or an error has come
 * up. */
static bool io_write_now(int fd, const Bytes *b, size_t *done, int *error)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    while (*done < b->count) {
        if (poll(&poll_fd, 1, 0) <= 0) return false;
        size_t n = b->count - *done;
        ssize_t wrote = write(fd, b->at + *done, n < IO_SURE_BYTES ? n : IO_SURE_BYTES);
        if (wrote >= 0) {
            *done += (size_t)wrote;
        } else if (errno == EAGAIN) {
            return false;
        } else if (errno != EINTR) {
            *error = errno;
            return true;
        }
    }
    return true;
}

static void io_write_job(Job *job)
{
    IoJob *j = (IoJob *)job;
    struct pollfd poll_fd = {.fd = j->fd, .events = POLLOUT};
    while (!io_write_now(j->fd, &j->bytes, &j->done, &j->error)) (void)poll(&poll_fd, 1, -1);
}

static BifResult io_write_result(Process *p, int error)
{
    if (error == 0) return TERM_ATOM(OK);
    Term why = error == EPIPE    ? TERM_ATOM(EPIPE)
               : error == ENOSPC ? TERM_ATOM(ENOSPC)
                                 : TERM_ATOM(EIO);
    Term t = heap_tuple2(&p->heap, TERM_ATOM(ERROR), why);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* mote_io:write(Fd, IoData): ok | {error, epipe | enospc | eio}. */
BifResult bif_io_write(Process *p)
{
    enum { JOB = 2 };
    IoJob *running = (IoJob *)bif_job_at(p, JOB);
    if (running != NULL)
        return job_done(&running->job) ? io_write_result(p, running->error) : bif_wait(p);
    Term fd = arg(p, 0);
    if (!term_is_small(fd) || small_value(fd) < 1 || small_value(fd) > 2)
        return raise_badarg(p);
    IoJob *j = io_job_new(p, (int)small_value(fd), io_write_job);
    if (j == NULL) return raise_system_limit(p);
    bool is_binary = term_is_binary(arg(p, 1));
    bool good = is_binary ? bif_binary_put(arg(p, 1), &j->bytes)
                          : term_is_list(arg(p, 1)) && bif_iolist_put(p, arg(p, 1), &j->bytes);
    if (good && !io_write_now(j->fd, &j->bytes, &j->done, &j->error))
        return bif_job_start(p, JOB, &j->job);
    int error = j->error;
    counted_drop(&j->job.counted);
    return good ? io_write_result(p, error) : raise_badarg(p);
}

/* ---- reading ---- */

#define IO_READ_MOST 65536

static void io_read_job(Job *job)
{
    IoJob *j = (IoJob *)job;
    uint8_t *at = bytes_extend(&j->bytes, IO_READ_MOST);
    ssize_t n = read(j->fd, at, IO_READ_MOST);
    while (n < 0 && errno == EINTR) n = read(j->fd, at, IO_READ_MOST);
    j->error = n < 0 ? errno : 0;
    j->bytes.count = n < 0 ? 0 : (size_t)n;
}

static BifResult io_read_result(Process *p, const IoJob *j)
{
    Term t = TERM_ATOM(EIO);
    if (j->error == 0) {
        if (j->bytes.count == 0) return TERM_ATOM(EOF);
        t = binary_from_bytes(&p->heap, j->bytes.at, j->bytes.count);
        return term_is_none(t) ? raise_system_limit(p) : t;
    }
    t = heap_tuple2(&p->heap, TERM_ATOM(ERROR), t);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* mote_io:read(0): what there is on standard input, waiting for the first byte: a binary | eof |
 * {error, eio}. */
BifResult bif_io_read(Process *p)
{
    enum { JOB = 1 };
    IoJob *running = (IoJob *)bif_job_at(p, JOB);
    if (running != NULL)
        return job_done(&running->job) ? io_read_result(p, running) : bif_wait(p);
    if (!term_same(arg(p, 0), small_from(0))) return raise_badarg(p);
    IoJob *j = io_job_new(p, 0, io_read_job);
    return j == NULL ? raise_system_limit(p) : bif_job_start(p, JOB, &j->job);
}

/* mote_io:is_terminal(Fd). */
BifResult bif_io_is_terminal(Process *p)
{
    Term fd = arg(p, 0);
    if (!term_is_small(fd) || small_value(fd) < 0 || small_value(fd) > 2)
        return raise_badarg(p);
    return term_bool(isatty((int)small_value(fd)) == 1);
}

/* ---- display ---- */

/* Words of the largest term that is shown: a text of some hundred megabytes. */
#define DISPLAY_MOST_WORDS ((size_t)1 << 24)

/* Prints the term as ~w and a line end on standard output. */
BifResult bif_display(Process *p)
{
    enum { JOB = 1 };
    IoJob *running = (IoJob *)bif_job_at(p, JOB);
    if (running != NULL) return job_done(&running->job) ? TERM_TRUE : bif_wait(p);
    if (copy_size(arg(p, 0), DISPLAY_MOST_WORDS, NULL) == COPY_TOO_LARGE)
        return raise_system_limit(p);
    IoJob *j = io_job_new(p, STDOUT_FILENO, io_write_job);
    if (j == NULL) return raise_system_limit(p);
    print_term(&j->bytes, p->run->atoms, arg(p, 0), PRINT_STRINGS);
    bytes_put_u8(&j->bytes, '\n');
    bif_charge(p, (int64_t)(j->bytes.count / 16));
    if (!io_write_now(j->fd, &j->bytes, &j->done, &j->error))
        return bif_job_start(p, JOB, &j->job);
    counted_drop(&j->job.counted);
    return TERM_TRUE;
}
