/* Runs the tests: programs that say in their comments what they should do, and unit tests.
 *
 *     runner --mote PATH [--jobs N] [--slow F] [--seeds N] [--only-seeds] [--fast] [--filter TEXT]
 *            [--flag OPTION]… [--unit EXECUTABLE]… [-v] [DIR | FILE]…
 *
 * Every *.mote and *.erl below a DIR is a test, except in folders called `support`.  Marks, each in
 * a comment of its own or behind code:
 *
 *     %% expect: TEXT        the next line of standard output (trailing blanks do not count)
 *     %% expect_like: GLOB   the next line, as a shell pattern
 *     %% unordered           the lines may come in any order
 *     %% output: any         standard output is not looked at
 *     %% expect_err: TEXT    standard error contains this
 *     %% raises: TEXT        status 1, and standard error contains this
 *     %% exit: N             this exit status (else 0)
 *     %% stdin: TEXT         a line of standard input
 *     %% args: WORD…         arguments of the program    } {dir} is the test's folder, {tmp} a
 *     %% flags: WORD…        options before the file     } private folder that is removed after
 *     %% env: NAME=VALUE     for its environment         }
 *     %% size: N             first argument, and MOTE_TEST_SIZE; lowered by --slow
 *     %% module: FILE        compiled first (path from the test's folder), found through -pa
 *     %% command: TEXT       run by sh instead of `mote FILE`; has $MOTE, $FILE, $DIR, $TMP
 *     %% error: LINE CODE    compiling reports exactly these errors …
 *     %% warning: LINE CODE  … and warnings
 *     %% modes: WORD…        smp, seeds=A..B, schedulers=N, stress (nothing more); in tests/actor
 *                            the default is `smp seeds=1..200`, elsewhere `smp`
 *     %% needs: net | slow   left out where there is none, and by --fast
 *     %% since: N            newer than OTP 25, so `make expect` and `make oracle` leave it alone
 *     %% skip: REASON (#N)   not run
 *     %% timeout: SECONDS    else 20; the slow builds have more
 *
 * A seed runs twice with --trace-hash; both runs must print the same and have the same hash.
 * Only failures are shown, each with the command that repeats it; the last line is
 * `N passed, N failed`, and the status is 0 if none failed. */
#include "vm/base/bytes.h"
#include "vm/base/clock.h"
#include "vm/base/lock.h"
#include "vm/base/thread.h"
#include "vm/base/vec.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT 20
#define OUTPUT_LIMIT    (64u << 20)

typedef VEC(const char *) Words;

typedef struct Expected {
    const char *text;
    bool like; /* a shell pattern */
} Expected;

typedef VEC(Expected) ExpectedLines;

typedef enum { RUN_PLAIN, RUN_SEEDS, RUN_DIAGNOSTICS, RUN_COMMAND, RUN_UNIT } RunKind;

/* What a program's comments say. */
typedef struct Spec {
    const char *path;
    const char *dir;
    ExpectedLines out;
    Words err;
    Words args;
    Words flags;
    Words env;
    Words modules;
    Words diagnostics; /* "LINE CODE", sorted */
    Bytes input;
    const char *command;
    const char *modes;
    const char *skip;
    int status;
    int timeout;
    long size; /* 0: none */
    bool unordered;
    bool any_output;
    bool slow;
} Spec;

typedef struct Job {
    RunKind kind;
    const Spec *spec; /* NULL for a unit test */
    const char *name;
    const char *option; /* NULL or "schedulers=N" */
    long first_seed;
    long last_seed;
} Job;

typedef struct Result {
    Bytes out;
    Bytes err;
    int status; /* 128 + signal when killed by one */
    bool timed_out;
} Result;

typedef struct Runner {
    const char *mote;
    long jobs;
    long slow;
    long seeds;
    bool only_seeds;
    bool fast;
    bool verbose;
    const char *filter;
    Words flags;
    VEC(Job) list;
    Arena arena;
    Lock lock; /* what follows */
    size_t next;
    long passed;
    long failed;
    long skipped;
} Runner;

/* --- reading a program's comments ----------------------------------------------------------- */

/* The value of mark `name` in `line`, if the comment is that mark. */
static bool mark_is(const char *line, const char *name, const char **value)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0) return false;
    line += length;
    if (*line == ':')
        line++;
    else if (*line != '\0')
        return false;
    *value = *line == ' ' ? line + 1 : line;
    return true;
}

static void add_words(Runner *r, Words *words, const char *text)
{
    for (;;) {
        text += strspn(text, " ");
        if (!*text) return;
        char quote = *text == '\'' || *text == '"' ? *text++ : '\0';
        const char stop[2] = {quote ? quote : ' ', '\0'};
        size_t length = strcspn(text, stop);
        VEC_PUSH(words, arena_copy_text(&r->arena, text, length));
        text += length + (quote && text[length]);
    }
}

static void parse_diagnostic(Runner *r, Spec *s, const char *value)
{
    char *code;
    long line = strtol(value, &code, 10);
    code += strspn(code, " ");
    int length = (int)strcspn(code, " ");
    VEC_PUSH(&s->diagnostics, arena_printf(&r->arena, "%ld %.*s", line, length, code));
}

static bool parse_output_mark(Spec *s, const char *mark, const char *value)
{
    if (mark_is(mark, "expect", &value))
        VEC_PUSH(&s->out, (Expected){value, false});
    else if (mark_is(mark, "expect_like", &value))
        VEC_PUSH(&s->out, (Expected){value, true});
    else if (mark_is(mark, "expect_err", &value))
        VEC_PUSH(&s->err, value);
    else if (mark_is(mark, "unordered", &value))
        s->unordered = true;
    else if (mark_is(mark, "output", &value))
        s->any_output = strcmp(value, "any") == 0;
    else if (mark_is(mark, "exit", &value))
        s->status = atoi(value);
    else if (mark_is(mark, "raises", &value)) {
        s->status = 1;
        VEC_PUSH(&s->err, value);
    } else
        return false;
    return true;
}

static void parse_run_mark(Runner *r, Spec *s, const char *mark, const char *value)
{
    if (mark_is(mark, "args", &value))
        add_words(r, &s->args, value);
    else if (mark_is(mark, "flags", &value))
        add_words(r, &s->flags, value);
    else if (mark_is(mark, "module", &value))
        add_words(r, &s->modules, value);
    else if (mark_is(mark, "env", &value))
        VEC_PUSH(&s->env, value);
    else if (mark_is(mark, "error", &value))
        parse_diagnostic(r, s, value);
    else if (mark_is(mark, "warning", &value))
        parse_diagnostic(r, s, value);
    else if (mark_is(mark, "command", &value))
        s->command = value;
    else if (mark_is(mark, "modes", &value))
        s->modes = value;
    else if (mark_is(mark, "skip", &value))
        s->skip = value;
    else if (mark_is(mark, "size", &value))
        s->size = atol(value);
    else if (mark_is(mark, "timeout", &value))
        s->timeout = atoi(value);
    else if (mark_is(mark, "needs", &value))
        s->slow = s->slow || strstr(value, "slow");
    else if (mark_is(mark, "stdin", &value)) {
        bytes_put_text(&s->input, value);
        bytes_put_u8(&s->input, '\n');
    }
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Read the marks of the program at `path`; NULL (and a message) if it cannot be read. */
static Spec *spec_read(Runner *r, const char *path)
{
    Bytes text = {0};
    if (!bytes_read_file(&text, path)) {
        fprintf(stderr, "runner: cannot read %s\n", path);
        return NULL;
    }
    Spec *s = ARENA_NEW(&r->arena, Spec);
    const char *slash = strrchr(path, '/');
    s->path = path;
    s->dir = slash ? arena_copy_text(&r->arena, path, (size_t)(slash - path)) : ".";
    char *copy = arena_copy_text(&r->arena, (char *)text.at, text.count);
    for (char *next, *line = copy; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        char *mark = strstr(line, "%% ");
        if (!mark) continue;
        for (char *end = line + strlen(line); end > mark && strchr(" \t\r", end[-1]);)
            *--end = '\0';
        mark += strspn(mark, "% ");
        if (!parse_output_mark(s, mark, NULL)) parse_run_mark(r, s, mark, NULL);
    }
    bytes_free(&text);
    if (s->diagnostics.count)
        qsort((void *)s->diagnostics.at, s->diagnostics.count, sizeof(char *), compare_words);
    return s;
}

/* --- running a program ---------------------------------------------------------------------- */

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

/* Run `argv` with `env` and wait for it, at most `seconds`. */
static Result execute(char **argv, char **env, const Bytes *input, int seconds)
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

static void result_free(Result *result)
{
    bytes_free(&result->out);
    bytes_free(&result->err);
}

/* --- one run of a job ----------------------------------------------------------------------- */

/* Everything a run needs besides its spec; memory from an arena of its own. */
typedef struct Run {
    Runner *runner;
    const Job *job;
    const Spec *spec;
    Arena arena;
    Words argv;
    Words env;
    const char *tmp; /* private folder, or NULL */
    Bytes report;    /* why it failed; empty if it passed */
} Run;

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static const char *run_tmp(Run *run)
{
    if (run->tmp) return run->tmp;
    char *name = arena_printf(&run->arena, "/tmp/mote-run-XXXXXX");
    run->tmp = mkdtemp(name);
    return run->tmp ? run->tmp : "/tmp";
}

static const char *replace(Run *run, const char *text, const char *from, const char *to)
{
    for (const char *at; (at = strstr(text, from));)
        text = arena_printf(&run->arena, "%.*s%s%s", (int)(at - text), text, to,
                            at + strlen(from));
    return text;
}

static const char *fill_in(Run *run, const char *text)
{
    text = replace(run, text, "{dir}", run->spec->dir);
    return strstr(text, "{tmp}") ? replace(run, text, "{tmp}", run_tmp(run)) : text;
}

static void add_all(Run *run, Words *to, const Words *words)
{
    VEC_EACH (const char *, word, words) VEC_PUSH(to, fill_in(run, *word));
}

static long scaled_size(const Run *run)
{
    long size = run->spec->size / run->runner->slow;
    return size > 0 ? size : 1;
}

extern char **environ;

static void build_env(Run *run)
{
    VEC_IN_ARENA(&run->env, &run->arena);
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "MOTE_", 5) != 0) VEC_PUSH(&run->env, *e);
    const Spec *s = run->spec;
    if (!s) return;
    if (s->size)
        VEC_PUSH(&run->env, arena_printf(&run->arena, "MOTE_TEST_SIZE=%ld", scaled_size(run)));
    add_all(run, &run->env, &s->env);
}

/* The words as exec wants them. */
static char **as_argv(Run *run, const Words *words)
{
    char **argv = ARENA_ARRAY(&run->arena, char *, words->count + 1);
    for (size_t i = 0; i < words->count; i++)
        argv[i] = arena_copy_text(&run->arena, words->at[i], strlen(words->at[i]));
    return argv;
}

static Result run_argv(Run *run, const Words *words, const Bytes *input, int seconds)
{
    return execute(as_argv(run, words), as_argv(run, &run->env), input, seconds);
}

static int run_seconds(const Run *run)
{
    int seconds = run->spec && run->spec->timeout ? run->spec->timeout : DEFAULT_TIMEOUT;
    return run->runner->slow > 1 ? seconds * 6 : seconds;
}

/* `mote FLAGS FILE ARGS`, with `seed` ≥ 0 under that seed. */
static void build_argv(Run *run, long seed)
{
    const Spec *s = run->spec;
    run->argv = (Words){0};
    VEC_IN_ARENA(&run->argv, &run->arena);
    VEC_PUSH(&run->argv, run->runner->mote);
    if (seed < 0) add_all(run, &run->argv, &run->runner->flags);
    if (run->job->option && strncmp(run->job->option, "schedulers=", 11) == 0) {
        VEC_PUSH(&run->argv, "--schedulers");
        VEC_PUSH(&run->argv, run->job->option + 11);
    }
    if (seed >= 0) {
        VEC_PUSH(&run->argv, "--seed");
        VEC_PUSH(&run->argv, arena_printf(&run->arena, "%ld", seed));
        VEC_PUSH(&run->argv, "--trace-hash");
    }
    if (s->modules.count) {
        VEC_PUSH(&run->argv, "-pa");
        VEC_PUSH(&run->argv, run_tmp(run));
    }
    add_all(run, &run->argv, &s->flags);
    VEC_PUSH(&run->argv, s->path);
    if (s->size) VEC_PUSH(&run->argv, arena_printf(&run->arena, "%ld", scaled_size(run)));
    add_all(run, &run->argv, &s->args);
}

static void report_command(Run *run, const Words *argv)
{
    bytes_put_text(&run->report, "#   repeat:");
    VEC_EACH (const char *, word, argv) {
        bool plain = **word && !strpbrk(*word, " '\"$*?&;|<>(){}[]\\");
        bytes_printf(&run->report, plain ? " %s" : " '%s'", *word);
    }
    bytes_put_u8(&run->report, '\n');
}

/* The last lines of a stream, indented. */
static void report_tail(Run *run, const char *title, const Bytes *text)
{
    if (text->count == 0) return;
    const char *at = (const char *)text->at + text->count;
    for (int lines = 0; at > (const char *)text->at; at--)
        if (at[-1] == '\n' && ++lines > 20) break;
    bytes_printf(&run->report, "#   %s:\n", title);
    while (*at) {
        int length = (int)strcspn(at, "\n");
        bytes_printf(&run->report, "#     %.*s\n", length > 400 ? 400 : length, at);
        at += length + (at[length] == '\n');
    }
}

static char *trim_right(char *line)
{
    for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]);) line[--n] = '\0';
    return line;
}

static int compare_expected(const void *a, const void *b)
{
    return strcmp(((const Expected *)a)->text, ((const Expected *)b)->text);
}

static void check_lines(Run *run, const ExpectedLines *wanted, Words *got)
{
    for (size_t i = 0; i < wanted->count || i < got->count; i++) {
        const Expected *w = i < wanted->count ? &wanted->at[i] : NULL;
        const char *g = i < got->count ? got->at[i] : NULL;
        if (w && g && (w->like ? fnmatch(w->text, g, 0) : strcmp(w->text, g)) == 0) continue;
        bytes_printf(&run->report, "#   line %zu of the output\n", i + 1);
        bytes_printf(&run->report, "#     wanted: %s\n", w ? w->text : "(the end)");
        bytes_printf(&run->report, "#     got:    %s\n", g ? g : "(the end)");
        return;
    }
}

/* Compare standard output with the expectations, line by line. */
static void check_output(Run *run, const Result *result)
{
    const Spec *s = run->spec;
    Words got = {0};
    ExpectedLines wanted = {0};
    VEC_IN_ARENA(&got, &run->arena);
    VEC_IN_ARENA(&wanted, &run->arena);
    char *next = arena_copy_text(&run->arena, (char *)result->out.at, result->out.count);
    while (*next) {
        char *line = next;
        next += strcspn(next, "\n");
        if (*next) *next++ = '\0';
        VEC_PUSH(&got, trim_right(line));
    }
    VEC_APPEND(&wanted, s->out.at, s->out.count);
    if (s->unordered) {
        if (got.count) qsort((void *)got.at, got.count, sizeof *got.at, compare_words);
        if (wanted.count) qsort(wanted.at, wanted.count, sizeof *wanted.at, compare_expected);
    }
    check_lines(run, &wanted, &got);
}

static void check_result(Run *run, const Result *result)
{
    const Spec *s = run->spec;
    if (result->timed_out) {
        bytes_printf(&run->report, "#   still running after %d s\n", run_seconds(run));
    } else if (result->status != s->status) {
        bytes_printf(&run->report, "#   status %d, wanted %d\n", result->status, s->status);
    }
    if (!s->any_output) check_output(run, result);
    VEC_EACH (const char *, text, &s->err)
        if (!strstr((char *)result->err.at, *text))
            bytes_printf(&run->report, "#   standard error lacks: %s\n", *text);
    if (run->report.count) report_tail(run, "standard error", &result->err);
}

/* The line "trace-hash: HEX" of standard error, cut out of it; "" if there is none. */
static const char *take_trace_hash(Run *run, Result *result)
{
    char *at = strstr((char *)result->err.at, "trace-hash: ");
    if (!at) return "";
    size_t length = strcspn(at, "\n");
    const char *hash = arena_copy_text(&run->arena, at, length);
    memmove(at, at + length, strlen(at + length) + 1);
    return hash;
}

static bool run_one_seed(Run *run, long seed)
{
    build_argv(run, seed);
    Result once = run_argv(run, &run->argv, &run->spec->input, run_seconds(run));
    const char *hash = take_trace_hash(run, &once);
    check_result(run, &once);
    if (run->report.count == 0) {
        Result again = run_argv(run, &run->argv, &run->spec->input, run_seconds(run));
        if (!*hash)
            bytes_put_text(&run->report, "#   no trace hash was printed\n");
        else if (strcmp(hash, take_trace_hash(run, &again)) != 0)
            bytes_put_text(&run->report, "#   the same seed gave two different traces\n");
        else if (strcmp((char *)once.out.at, (char *)again.out.at) != 0)
            bytes_put_text(&run->report, "#   the same seed gave two different outputs\n");
        result_free(&again);
    }
    result_free(&once);
    if (run->report.count) report_command(run, &run->argv);
    return run->report.count == 0;
}

static void run_command(Run *run)
{
    const char *names[] = {"MOTE", "FILE", "DIR", "TMP"};
    const char *values[] = {run->runner->mote, run->spec->path, run->spec->dir, run_tmp(run)};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        VEC_PUSH(&run->env, arena_printf(&run->arena, "%s=%s", names[i], values[i]));
    run->argv = (Words){0};
    VEC_IN_ARENA(&run->argv, &run->arena);
    VEC_PUSH(&run->argv, "/bin/sh");
    VEC_PUSH(&run->argv, "-c");
    VEC_PUSH(&run->argv, run->spec->command);
    Result result = run_argv(run, &run->argv, &run->spec->input, run_seconds(run));
    check_result(run, &result);
    result_free(&result);
    if (run->report.count == 0) return;
    bytes_printf(&run->report, "#   repeat: MOTE=%s FILE=%s DIR=%s TMP=/tmp/x sh -c '%s'\n",
                 values[0], values[1], values[2], run->spec->command);
}

/* Add "LINE CODE" for a line like "path:LINE:COLUMN: error[E0012]: …". */
static void note_diagnostic(Run *run, Words *found, const char *line)
{
    const char *path = run->spec->path;
    size_t length = strlen(path);
    if (strncmp(line, path, length) != 0 || line[length] != ':') return;
    char *end;
    long number = strtol(line + length + 1, &end, 10);
    if (!strstr(end, "error") && !strstr(end, "warning")) return;
    for (; *end; end++)
        if ((*end == 'E' || *end == 'W') && strspn(end + 1, "0123456789") == 4) break;
    VEC_PUSH(found, arena_printf(&run->arena, "%ld %.5s", number, end));
}

static void run_diagnostics(Run *run)
{
    const char *words[] = {run->runner->mote, "compile", "-o", run_tmp(run), run->spec->path};
    run->argv = (Words){0};
    VEC_IN_ARENA(&run->argv, &run->arena);
    VEC_APPEND(&run->argv, words, 4);
    add_all(run, &run->argv, &run->spec->flags);
    VEC_PUSH(&run->argv, words[4]);
    Result result = run_argv(run, &run->argv, NULL, run_seconds(run));
    Words found = {0};
    VEC_IN_ARENA(&found, &run->arena);
    char *next = arena_copy_text(&run->arena, (char *)result.err.at, result.err.count);
    while (*next) {
        char *line = next;
        next += strcspn(next, "\n");
        if (*next) *next++ = '\0';
        note_diagnostic(run, &found, line);
    }
    if (found.count) qsort((void *)found.at, found.count, sizeof *found.at, compare_words);
    const Words *wanted = &run->spec->diagnostics;
    bool same = found.count == wanted->count;
    bool errors = false;
    for (size_t i = 0; i < wanted->count; i++) {
        same = same && strcmp(found.at[i], wanted->at[i]) == 0;
        errors = errors || strchr(wanted->at[i], 'E');
    }
    if (!same) {
        VEC_EACH (const char *, w, wanted) bytes_printf(&run->report, "#   wanted: %s\n", *w);
        VEC_EACH (const char *, w, &found) bytes_printf(&run->report, "#   got:    %s\n", *w);
    }
    if (result.status != (errors ? 1 : 0))
        bytes_printf(&run->report, "#   status %d\n", result.status);
    if (run->report.count) {
        report_tail(run, "standard error", &result.err);
        report_command(run, &run->argv);
    }
    result_free(&result);
}

/* Compile the modules that the program needs; false (and a report) on failure. */
static bool compile_modules(Run *run)
{
    VEC_EACH (const char *, module, &run->spec->modules) {
        Words argv = {0};
        VEC_IN_ARENA(&argv, &run->arena);
        const char *path = arena_printf(&run->arena, "%s/%s", run->spec->dir, *module);
        const char *words[] = {run->runner->mote, "compile", "-o", run_tmp(run), path};
        VEC_APPEND(&argv, words, ARRAY_LEN(words));
        Result result = run_argv(run, &argv, NULL, run_seconds(run));
        if (result.status != 0) {
            bytes_printf(&run->report, "#   %s does not compile\n", path);
            report_tail(run, "standard error", &result.err);
            report_command(run, &argv);
        }
        result_free(&result);
        if (run->report.count) return false;
    }
    return true;
}

/* A unit test counts itself; gives how many passed and failed. */
static void run_unit(Run *run, long *passed, long *failed)
{
    run->argv = (Words){0};
    VEC_IN_ARENA(&run->argv, &run->arena);
    VEC_PUSH(&run->argv, run->job->name);
    Result result = run_argv(run, &run->argv, NULL, run_seconds(run) * 6);
    for (const char *at = (char *)result.out.at; at && *at;) {
        if (strncmp(at, "ok ", 3) == 0) ++*passed;
        if (strncmp(at, "not ok ", 7) == 0) ++*failed;
        at = strchr(at, '\n');
        if (at) at++;
    }
    /* Killed half-way, or a leak found at the end. */
    if (result.status != 0 && *failed == 0) *failed = 1;
    if (*failed) {
        bytes_printf(&run->report, "#   status %d%s\n", result.status,
                     result.timed_out ? ", stopped after its time" : "");
        report_tail(run, "standard output", &result.out);
        report_tail(run, "standard error", &result.err);
        report_command(run, &run->argv);
    }
    result_free(&result);
}

static void run_plain(Run *run)
{
    build_argv(run, -1);
    Result result = run_argv(run, &run->argv, &run->spec->input, run_seconds(run));
    check_result(run, &result);
    result_free(&result);
    if (run->report.count) report_command(run, &run->argv);
}

static void run_seeds(Run *run)
{
    long last = run->job->last_seed;
    if (last - run->job->first_seed >= run->runner->seeds)
        last = run->job->first_seed + run->runner->seeds - 1;
    for (long seed = run->job->first_seed; seed <= last; seed++)
        if (!run_one_seed(run, seed)) return;
}

static void job_run(Runner *r, const Job *job)
{
    Run run = {.runner = r, .job = job, .spec = job->spec};
    arena_init(&run.arena, NULL, MEM_MISC);
    build_env(&run);
    long passed = 0;
    long failed = 0;
    if (job->kind == RUN_UNIT) {
        run_unit(&run, &passed, &failed);
    } else {
        bool ready = compile_modules(&run);
        if (ready && job->kind == RUN_PLAIN) run_plain(&run);
        if (ready && job->kind == RUN_SEEDS) run_seeds(&run);
        if (ready && job->kind == RUN_COMMAND) run_command(&run);
        if (ready && job->kind == RUN_DIAGNOSTICS) run_diagnostics(&run);
        (run.report.count ? failed : passed) = 1;
    }
    const char *kinds[] = {"", " (seeds)", " (diagnostics)", " (command)", ""};
    lock_take(&r->lock);
    r->passed += passed;
    r->failed += failed;
    if (failed || r->verbose)
        printf("%s %s%s\n%.*s", failed ? "not ok" : "ok", job->name, kinds[job->kind],
               (int)run.report.count, run.report.count ? (char *)run.report.at : "");
    fflush(stdout);
    lock_drop(&r->lock);
    if (run.tmp) nftw(run.tmp, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    bytes_free(&run.report);
    arena_free(&run.arena);
}

static void worker(void *arg)
{
    Runner *r = arg;
    for (;;) {
        lock_take(&r->lock);
        size_t mine = r->next++;
        lock_drop(&r->lock);
        if (mine >= r->list.count) return;
        job_run(r, &r->list.at[mine]);
    }
}

/* --- finding the tests ---------------------------------------------------------------------- */

static void add_modes(Runner *r, const Spec *s)
{
    const char *modes = s->modes;
    if (!modes) modes = strstr(s->path, "tests/actor/") ? "smp seeds=1..200" : "smp";
    Words words = {0};
    VEC_IN_ARENA(&words, &r->arena);
    add_words(r, &words, modes);
    VEC_EACH (const char *, word, &words) {
        Job job = {.kind = RUN_PLAIN, .spec = s, .name = s->path};
        bool seeds = strncmp(*word, "seeds=", 6) == 0;
        if (seeds) {
            job.kind = RUN_SEEDS;
            char *end;
            job.first_seed = strtol(*word + 6, &end, 10);
            job.last_seed =
                strncmp(end, "..", 2) == 0 ? strtol(end + 2, NULL, 10) : job.first_seed;
        } else if (strncmp(*word, "schedulers=", 11) == 0) {
            job.option = *word;
        } else if (strcmp(*word, "smp") != 0) {
            continue;
        }
        if (seeds ? r->seeds > 0 : !r->only_seeds) VEC_PUSH(&r->list, job);
    }
}

static void add_program(Runner *r, const char *path)
{
    if (r->filter && !strstr(path, r->filter)) return;
    const Spec *s = spec_read(r, path);
    if (!s) {
        r->failed++;
    } else if (s->skip || (s->slow && r->fast)) {
        r->skipped++;
        if (r->verbose) printf("ok %s # skip %s\n", path, s->skip ? s->skip : "slow");
    } else if (s->command || s->diagnostics.count) {
        RunKind kind = s->command ? RUN_COMMAND : RUN_DIAGNOSTICS;
        if (!r->only_seeds) VEC_PUSH(&r->list, (Job){.kind = kind, .spec = s, .name = path});
    } else {
        add_modes(r, s);
    }
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static int visible_entry(const struct dirent *e)
{
    return e->d_name[0] != '.' && strcmp(e->d_name, "support") != 0;
}

static void add_path(Runner *r, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "runner: no %s\n", path);
        r->failed++;
        return;
    }
    if (!S_ISDIR(info.st_mode)) {
        if (ends_in(path, ".mote") || ends_in(path, ".erl")) add_program(r, path);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, visible_entry, alphasort);
    for (int i = 0; i < count; i++) {
        add_path(r, arena_printf(&r->arena, "%s/%s", path, entries[i]->d_name));
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

static void add_unit(Runner *r, const char *path)
{
    if (!r->filter || strstr(path, r->filter))
        VEC_PUSH(&r->list, (Job){.kind = RUN_UNIT, .name = path});
}

static bool set_number(const char *word, const char *name, const char *value, long *to)
{
    if (strcmp(word, name) != 0) return false;
    *to = value ? atol(value) : 0;
    if (*to < 0) *to = 0;
    return true;
}

/* Whether argv[i] took the word behind it, too. */
static bool take_option(Runner *r, const char *word, const char *value)
{
    if (strcmp(word, "--mote") == 0)
        r->mote = value;
    else if (strcmp(word, "--filter") == 0)
        r->filter = value;
    else if (strcmp(word, "--flag") == 0)
        VEC_PUSH(&r->flags, value);
    else if (strcmp(word, "--unit") == 0)
        add_unit(r, value);
    else if (!set_number(word, "--jobs", value, &r->jobs)
             && !set_number(word, "--slow", value, &r->slow)
             && !set_number(word, "--seeds", value, &r->seeds))
        return false;
    return true;
}

int main(int argc, char **argv)
{
    Runner r = {.mote = "build/release/mote", .jobs = 2, .slow = 1, .seeds = 3};
    arena_init(&r.arena, NULL, MEM_MISC);
    lock_init(&r.lock, LOCK_RANK_LEAF, "runner");
    VEC_IN_ARENA(&r.list, &r.arena);
    VEC_IN_ARENA(&r.flags, &r.arena);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            r.verbose = true;
        else if (strcmp(argv[i], "--fast") == 0)
            r.fast = true;
        else if (strcmp(argv[i], "--only-seeds") == 0)
            r.only_seeds = true;
        else if (argv[i][0] != '-')
            add_path(&r, argv[i]);
        else if (i + 1 < argc && take_option(&r, argv[i], argv[i + 1]))
            i++;
        else {
            fprintf(stderr, "runner: %s?\n", argv[i]);
            return 2;
        }
    }
    if (r.slow < 1) r.slow = 1;
    Thread threads[64];
    size_t count = r.jobs < 1 ? 1 : r.jobs > 64 ? 64 : (size_t)r.jobs;
    for (size_t i = 0; i < count; i++)
        if (!thread_start(&threads[i], "worker", worker, &r, 0)) return 2;
    for (size_t i = 0; i < count; i++) thread_join(&threads[i]);
    if (r.skipped) printf("# %ld skipped\n", r.skipped);
    printf("%ld passed, %ld failed\n", r.passed, r.failed);
    return r.failed ? 1 : 0;
}
