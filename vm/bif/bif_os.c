/* Built-ins of os: environment, the system's name, commands of the shell. */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/bif_job.h"

#include "vm/base/env.h"
#include "vm/base/utf8.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- environment ---- */

/* Characters of UTF-8 text; bytes of any other. */
static Term os_text(Process *p, const uint8_t *text, size_t n)
{
    return utf8_is_valid(text, n) ? list_from_utf8(&p->heap, text, n, TERM_NIL)
                                  : list_from_bytes(&p->heap, text, n, TERM_NIL);
}

/* A string argument as UTF-8 in `b`, which the caller frees; false: badarg. */
static bool os_string(Term t, Bytes *b)
{
    return list_to_utf8(t, b) && (b->count == 0 || memchr(b->at, 0, b->count) == NULL);
}

static bool os_key(Term t, Bytes *b)
{
    return os_string(t, b) && (b->count == 0 || memchr(b->at, '=', b->count) == NULL);
}

BifResult bif_getenv_1(Process *p)
{
    Bytes key = bif_bytes(p);
    Bytes value = bif_bytes(p);
    bool good = os_key(arg(p, 0), &key);
    Term t = TERM_FALSE;
    if (good && env_get(p->run->env, key.at, key.count, &value))
        t = os_text(p, value.at, value.count);
    bytes_free(&key);
    bytes_free(&value);
    if (!good) return raise_badarg(p);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_putenv(Process *p)
{
    Bytes key = bif_bytes(p);
    Bytes value = bif_bytes(p);
    bool good = os_key(arg(p, 0), &key) && os_string(arg(p, 1), &value);
    if (good) env_set(p->run->env, key.at, key.count, value.at, value.count);
    bytes_free(&key);
    bytes_free(&value);
    return good ? TERM_TRUE : raise_badarg(p);
}

BifResult bif_unsetenv(Process *p)
{
    Bytes key = bif_bytes(p);
    bool good = os_key(arg(p, 0), &key);
    if (good) env_unset(p->run->env, key.at, key.count);
    bytes_free(&key);
    return good ? TERM_TRUE : raise_badarg(p);
}

/* os:env/0: {Key, Value} of all. */
BifResult bif_env(Process *p)
{
    Bytes all = bif_bytes(p);
    (void)env_put_all(p->run->env, &all);
    Term list = TERM_NIL;
    for (size_t at = 0; at < all.count && !term_is_none(list);) {
        const uint8_t *text = all.at + at;
        size_t n = strlen((const char *)text);
        size_t key_size = (size_t)((const uint8_t *)memchr(text, '=', n) - text);
        Term key = os_text(p, text, key_size);
        Term value = os_text(p, text + key_size + 1, n - key_size - 1);
        bool none = term_is_none(key) || term_is_none(value);
        Term pair = none ? TERM_NONE : heap_tuple2(&p->heap, key, value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
        at += n + 1;
    }
    bif_charge(p, (int64_t)(all.count / 4));
    bytes_free(&all);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

/* ---- the system ---- */

BifResult bif_getpid(Process *p)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%ld", (long)getpid());
    Term t = list_from_bytes(&p->heap, (const uint8_t *)text, (size_t)n, TERM_NIL);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_os_type(Process *p)
{
    Term t = heap_tuple2(&p->heap, TERM_ATOM(UNIX), TERM_ATOM(LINUX));
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* {Major, Minor, Release} of the kernel. */
BifResult bif_os_version(Process *p)
{
    struct utsname name;
    unsigned long version[3] = {0, 0, 0};
    char *at = uname(&name) == 0 ? name.release : NULL;
    for (int i = 0; i < 3 && at != NULL; i++) {
        version[i] = strtoul(at, &at, 10) % UINT32_MAX;
        at = *at == '.' ? at + 1 : NULL;
    }
    Term t = heap_tuple3(&p->heap, small_from((int64_t)version[0]),
                         small_from((int64_t)version[1]), small_from((int64_t)version[2]));
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* ---- commands ---- */

#define OS_READ_STEP 65536

typedef struct OsCommand {
    Job job; /* first */
    Mem *mem;
    Bytes command;
    Bytes environment; /* texts with a NUL behind each */
    size_t variables;
    Bytes output;
    size_t most; /* bytes of output that are wanted */
    int error;
} OsCommand;

static void os_command_release(Counted *object)
{
    OsCommand *c = (OsCommand *)object;
    bytes_free(&c->command);
    bytes_free(&c->environment);
    bytes_free(&c->output);
    mem_free(c->mem, MEM_IO, c, sizeof *c);
}

/* Starts the shell with its output in the pipe; 0 or an error number. */
static int os_spawn(const OsCommand *c, int output, char **environment, pid_t *pid)
{
    char shell[] = "/bin/sh";
    char option[] = "-c";
    char *argv[] = {shell, option, (char *)c->command.at, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    int error = posix_spawn(pid, shell, &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* How often a command that says nothing is asked whether anybody waits for it, in ms. */
#define OS_LOOK_MS 100

/* Waits for output; false: nobody wants it any more. */
static bool os_wait_output(OsCommand *c, int from)
{
    struct pollfd wanted = {.fd = from, .events = POLLIN};
    while (!job_is_unwanted(&c->job))
        if (poll(&wanted, 1, OS_LOOK_MS) > 0) return true;
    return false;
}

/* Reads to the end or until there is enough; the rest is not waited for.  False: nobody wants it,
 * or memory is refused. */
static bool os_read_output(OsCommand *c, int from)
{
    while (c->output.count < c->most) {
        if (!os_wait_output(c, from) || !bytes_try_reserve(&c->output, OS_READ_STEP))
            return false;
        ssize_t n = read(from, c->output.at + c->output.count, OS_READ_STEP);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return true;
        c->output.count += (size_t)n;
    }
    c->output.count = c->most;
    return true;
}

/* Takes the command's end, unless nobody waits for that either: then it is left alone. */
static void os_wait_end(const OsCommand *c, pid_t pid)
{
    while (!job_is_unwanted(&c->job)) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended != 0 && !(ended < 0 && errno == EINTR)) return;
        (void)poll(NULL, 0, 1);
    }
}

static void os_command_run(Job *job)
{
    OsCommand *c = (OsCommand *)job;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        c->error = errno;
        return;
    }
    size_t bytes = (c->variables + 1) * sizeof(char *);
    char **environment = mem_alloc(c->mem, MEM_WORK, bytes);
    char *at = (char *)c->environment.at;
    for (size_t i = 0; i < c->variables; i++) {
        environment[i] = at;
        at += strlen(at) + 1;
    }
    environment[c->variables] = NULL;
    pid_t pid;
    c->error = os_spawn(c, ends[1], environment, &pid);
    mem_free(c->mem, MEM_WORK, environment, bytes);
    (void)close(ends[1]);
    bool read = c->error == 0 && os_read_output(c, ends[0]);
    (void)close(ends[0]);
    if (c->error == 0 && !read) c->error = ENOMEM;
    if (read) os_wait_end(c, pid);
}

static OsCommand *os_command_new(Process *p)
{
    Mem *mem = p->run->mem;
    OsCommand *c = mem_try_alloc(mem, MEM_IO, sizeof *c);
    if (c == NULL) return NULL;
    memset(c, 0, sizeof *c);
    atomic_store_relaxed(&c->job.counted.references, 1);
    c->job.counted.release = os_command_release;
    c->job.run = os_command_run;
    c->mem = mem;
    bytes_init(&c->command, mem, MEM_IO);
    bytes_init(&c->environment, mem, MEM_IO);
    bytes_init(&c->output, mem, MEM_IO);
    return c;
}

/* mote_os:command(Binary, Most): what the shell's command writes, at most so many bytes, as a
 * binary; {error, system_limit} when no process can be started. */
BifResult bif_os_command(Process *p)
{
    enum { JOB = 2 };
    OsCommand *c = (OsCommand *)bif_job_at(p, JOB);
    if (c != NULL) {
        if (!job_done(&c->job)) return bif_wait(p);
        Term t = c->error != 0
                     ? heap_tuple2(&p->heap, TERM_ATOM(ERROR), TERM_ATOM(SYSTEM_LIMIT))
                     : binary_from_bytes(&p->heap, c->output.at, c->output.count);
        return term_is_none(t) ? raise_system_limit(p) : t;
    }
    Term most = arg(p, 1);
    if (!term_is_small(most) || small_value(most) < 0) return raise_badarg(p);
    c = os_command_new(p);
    if (c == NULL) return raise_system_limit(p);
    Bytes *command = &c->command;
    if (!bif_binary_put(arg(p, 0), command)
        || (command->count > 0 && memchr(command->at, 0, command->count))) {
        counted_drop(&c->job.counted);
        return raise_badarg(p);
    }
    bytes_put_u8(command, 0);
    c->most = (size_t)small_value(most);
    c->variables = env_put_all(p->run->env, &c->environment);
    return bif_job_start(p, JOB, &c->job);
}
