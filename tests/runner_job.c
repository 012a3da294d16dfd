#include "tests/runner_job.h"

#include "tests/runner_execute.h"

#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything a run needs besides its spec; memory from an arena of its own. */
typedef struct Run {
    const JobSettings *settings;
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
    long size = run->spec->size / run->settings->slow;
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
    return execute_wait(as_argv(run, words), as_argv(run, &run->env), input, seconds);
}

static int run_seconds(const Run *run)
{
    int seconds =
        (int)(run->spec && run->spec->timeout ? run->spec->timeout : run->settings->timeout);
    return run->settings->slow > 1 ? seconds * 6 : seconds;
}

/* `mote FLAGS FILE ARGS`, with `seed` ≥ 0 under that seed. */
static void build_argv(Run *run, long seed)
{
    const Spec *s = run->spec;
    run->argv.count = 0;
    VEC_PUSH(&run->argv, run->settings->mote);
    if (seed < 0) add_all(run, &run->argv, &run->settings->flags);
    if (run->job->option) {
        VEC_PUSH(&run->argv, "--schedulers");
        VEC_PUSH(&run->argv, run->job->option);
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
        if (got.count) qsort((void *)got.at, got.count, sizeof *got.at, spec_compare_words);
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
        bytes_printf(&run->report, "#   status %d, wanted %ld\n", result->status, s->status);
    }
    if (!s->output || strcmp(s->output, "any") != 0) check_output(run, result);
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
        const char *hash_again = take_trace_hash(run, &again);
        check_result(run, &again);
        if (run->report.count != 0)
            bytes_put_text(&run->report, "#   in the second run of the same seed\n");
        else if (!*hash)
            bytes_put_text(&run->report, "#   no trace hash was printed\n");
        else if (strcmp(hash, hash_again) != 0)
            bytes_put_text(&run->report, "#   the same seed gave two different traces\n");
        else if (strcmp((char *)once.out.at, (char *)again.out.at) != 0)
            bytes_put_text(&run->report, "#   the same seed gave two different outputs\n");
        execute_free(&again);
    }
    execute_free(&once);
    if (run->report.count) report_command(run, &run->argv);
    return run->report.count == 0;
}

static void run_command(Run *run)
{
    const char *names[] = {"MOTE", "FILE", "DIR", "TMP"};
    const char *values[] = {run->settings->mote, run->spec->path, run->spec->dir, run_tmp(run)};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        VEC_PUSH(&run->env, arena_printf(&run->arena, "%s=%s", names[i], values[i]));
    run->argv.count = 0;
    VEC_PUSH(&run->argv, "/bin/sh");
    VEC_PUSH(&run->argv, "-c");
    VEC_PUSH(&run->argv, run->spec->command);
    Result result = run_argv(run, &run->argv, &run->spec->input, run_seconds(run));
    check_result(run, &result);
    execute_free(&result);
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
    const char *words[] = {run->settings->mote, "compile", "-o", run_tmp(run), run->spec->path};
    run->argv.count = 0;
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
    if (found.count) qsort((void *)found.at, found.count, sizeof *found.at, spec_compare_words);
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
    execute_free(&result);
}

/* The command that compiles a module FILE, or VERSION=FILE: then with the macro V, into a
 * folder of that name. */
static const char *compile_words(Run *run, const char *module, Words *argv)
{
    const char *file = strchr(module, '=');
    const char *out = run_tmp(run);
    const char *macro = "SINGLE";
    if (file) {
        int length = (int)(file - module);
        out = arena_printf(&run->arena, "%s/%.*s", out, length, module);
        macro = arena_printf(&run->arena, "V=%.*s", length, module);
        (void)mkdir(out, 0777);
    }
    const char *path =
        arena_printf(&run->arena, "%s/%s", run->spec->dir, file ? file + 1 : module);
    const char *words[] = {run->settings->mote, "compile", "-D", macro, "-o", out, path};
    VEC_APPEND(argv, words, ARRAY_LEN(words));
    return path;
}

/* Compile the modules that the program needs; false (and a report) on failure. */
static bool compile_modules(Run *run)
{
    VEC_EACH (const char *, module, &run->spec->modules) {
        Words argv = {0};
        VEC_IN_ARENA(&argv, &run->arena);
        const char *path = compile_words(run, *module, &argv);
        Result result = run_argv(run, &argv, NULL, run_seconds(run));
        if (result.status != 0) {
            bytes_printf(&run->report, "#   %s does not compile\n", path);
            report_tail(run, "standard error", &result.err);
            report_command(run, &argv);
        }
        execute_free(&result);
        if (run->report.count) return false;
    }
    return true;
}

/* A unit test counts itself; gives how many passed and failed. */
static void run_unit(Run *run, long *passed, long *failed)
{
    run->argv.count = 0;
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
    execute_free(&result);
}

static void run_plain(Run *run)
{
    build_argv(run, -1);
    Result result = run_argv(run, &run->argv, &run->spec->input, run_seconds(run));
    check_result(run, &result);
    execute_free(&result);
    if (run->report.count) report_command(run, &run->argv);
}

static void run_seeds(Run *run)
{
    long last = run->job->last_seed;
    if (last - run->job->first_seed >= run->settings->seeds)
        last = run->job->first_seed + run->settings->seeds - 1;
    for (long seed = run->job->first_seed; seed <= last; seed++)
        if (!run_one_seed(run, seed)) return;
}

/* Compare what was printed with the file at `path`, or write it there. */
static void check_golden(Run *run, const char *path, const Result *result)
{
    Bytes wanted = {0};
    bool same = bytes_read_file(&wanted, path) && wanted.count == result->out.count
                && memcmp(wanted.at, result->out.at, wanted.count) == 0;
    if (result->status != 0) {
        report_tail(run, "standard error", &result->err);
    } else if (run->settings->rewrite && !same) {
        same = bytes_write_file(path, result->out.at, result->out.count);
    }
    if (!same || result->status != 0) {
        bytes_printf(&run->report, "#   differs from %s\n", path);
        report_command(run, &run->argv);
    }
    bytes_free(&wanted);
}

/* The dumps beside a golden program: NAME.PASS holds what `motec --dump PASS` prints. */
static void run_golden(Run *run)
{
    static const char *const passes[] = {"parse", "expand", "core", "code"};
    const char *dot = strrchr(run->job->name, '.');
    const char *motec = arena_printf(&run->arena, "%sc", run->settings->mote);
    for (size_t i = 0; i < ARRAY_LEN(passes); i++) {
        const char *path = arena_printf(&run->arena, "%.*s.%s", (int)(dot - run->job->name),
                                        run->job->name, passes[i]);
        if (access(path, R_OK) != 0) continue;
        const char *words[] = {motec, "--dump", passes[i], run->job->name};
        run->argv.count = 0;
        VEC_APPEND(&run->argv, words, ARRAY_LEN(words));
        Result result = run_argv(run, &run->argv, NULL, run_seconds(run));
        check_golden(run, path, &result);
        execute_free(&result);
    }
}

static void run_program(Run *run)
{
    switch (run->job->kind) {
    case RUN_PLAIN: run_plain(run); break;
    case RUN_SEEDS: run_seeds(run); break;
    case RUN_COMMAND: run_command(run); break;
    case RUN_DIAGNOSTICS: run_diagnostics(run); break;
    case RUN_GOLDEN: run_golden(run); break;
    case RUN_UNIT: break;
    }
}

JobResult job_run(const JobSettings *settings, const Job *job)
{
    JobResult result = {0};
    Run run = {.settings = settings, .job = job, .spec = job->spec};
    arena_init(&run.arena, NULL, MEM_MISC);
    VEC_IN_ARENA(&run.argv, &run.arena);
    build_env(&run);
    if (job->kind == RUN_UNIT) {
        run_unit(&run, &result.passed, &result.failed);
    } else {
        if (!run.spec || compile_modules(&run)) run_program(&run);
        result.failed = run.report.count != 0;
        result.passed = !result.failed;
    }
    if (run.tmp) nftw(run.tmp, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&run.arena);
    result.report = run.report;
    return result;
}
