#include "tests/runner_execute.h"

#include "vm/base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_LIMIT (64u << 20)

/* Read what is there; false at the end. */
static bool drain(int fd, Bytes *to)
{
    bytes_reserve(to, 65536);
    ssize_t got = read(fd, to->at + to->count, 65536);
    if (got > 0) to->count += (size_t)got;
    return got > 0 && to->count < OUTPUT_LIMIT;
}

/* Collect both streams until they end or time is up; true if time was up. */
static bool collect(Result *result, int out, int err, uint64_t due_ns)
{
    struct pollfd fds[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        uint64_t now = clock_system_monotonic_ns();
        if (now >= due_ns) return true;
        int ready = poll(fds, 2, (int)((due_ns - now) / 1000000) + 1);
        if (ready <= 0) continue;
        if (fds[0].revents && !drain(out, &result->out)) fds[0].fd = -1;
        if (fds[1].revents && !drain(err, &result->err)) fds[1].fd = -1;
    }
    return false;
}

static int spool(const Bytes *input)
{
    if (!input || input->count == 0) return open("/dev/null", O_RDONLY | O_CLOEXEC);
    char name[] = "/tmp/mote-test-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) return fd;
    unlink(name);
    if (write(fd, input->at, input->count) != (ssize_t)input->count)
        fprintf(stderr, "# short\n");
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int spawn(char **argv, char **env, int in, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    /* A group of its own, so that what it has started can be stopped with it. */
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

Result execute_wait(char **argv, char **env, const Bytes *input, int seconds)
{
    Result result = {.status = 127};
    int out[2];
    int err[2];
    if (pipe2(out, O_CLOEXEC) != 0) return result;
    if (pipe2(err, O_CLOEXEC) != 0) return result;
    int in = spool(input);
    pid_t pid;
    int error = spawn(argv, env, in, out[1], err[1], &pid);
    close(in);
    close(out[1]);
    close(err[1]);
    if (error) {
        bytes_printf(&result.err, "cannot run %s: %s\n", argv[0], strerror(error));
    } else {
        uint64_t due = clock_system_monotonic_ns() + (uint64_t)seconds * 1000000000u;
        result.timed_out = collect(&result, out[0], err[0], due);
        if (result.timed_out) kill(-pid, SIGKILL);
        int status = 0;
        while (waitpid(pid, &status, 0) < 0) continue;
        result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    close(out[0]);
    close(err[0]);
    bytes_put_u8(&result.out, 0);
    bytes_put_u8(&result.err, 0);
    result.out.count--;
    result.err.count--;
    return result;
}

void execute_free(Result *result)
{
    bytes_free(&result->out);
    bytes_free(&result->err);
}
