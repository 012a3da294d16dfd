/* Runs the tests: programs that say in their comments what they should do, and unit tests.
 *
 *     runner --mote PATH [--jobs N] [--slow F] [--seeds N] [--only-seeds] [--fast] [--filter TEXT]
 *            [--flag OPTION]… [--unit EXECUTABLE]… [--timeout SECONDS] [--rewrite] [-v]
 *            [DIR | FILE]…
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
#include "tests/runner_job.h"
#include "vm/base/lock.h"
#include "vm/base/thread.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Runner {
    JobSettings settings;
    long jobs;
    bool only_seeds;
    bool fast;
    bool verbose;
    const char *filter;
    VEC(Job) list;
    Arena arena;
    Lock lock; /* what follows */
    size_t next;
    long passed;
    long failed;
    long skipped;
} Runner;

static void report_job(Runner *r, const Job *job, const JobResult *result)
{
    static const char *const kinds[] = {"",           " (seeds)",  " (diagnostics)",
                                        " (command)", " (golden)", ""};
    if (!result->failed && !r->verbose) return;
    printf("%s %s%s\n", result->failed ? "not ok" : "ok", job->name, kinds[job->kind]);
    if (result->report.count) fwrite(result->report.at, 1, result->report.count, stdout);
    fflush(stdout);
}

static void worker(void *arg)
{
    Runner *r = arg;
    for (;;) {
        lock_take(&r->lock);
        size_t mine = r->next++;
        lock_drop(&r->lock);
        if (mine >= r->list.count) return;
        const Job *job = &r->list.at[mine];
        JobResult result = job_run(&r->settings, job);
        lock_take(&r->lock);
        r->passed += result.passed;
        r->failed += result.failed;
        report_job(r, job, &result);
        lock_drop(&r->lock);
        bytes_free(&result.report);
    }
}

static void add_modes(Runner *r, const Spec *s)
{
    const char *modes = s->modes;
    if (!modes) modes = strstr(s->path, "tests/actor/") ? "smp seeds=1..200" : "smp";
    Words words = {0};
    VEC_IN_ARENA(&words, &r->arena);
    spec_add_words(&r->arena, &words, modes);
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
            job.option = *word + 11;
        } else if (strcmp(*word, "smp") != 0) {
            continue;
        }
        if (seeds ? r->settings.seeds > 0 : !r->only_seeds) VEC_PUSH(&r->list, job);
    }
}

static void add_program(Runner *r, const char *path)
{
    if (r->filter && !strstr(path, r->filter)) return;
    if (strstr(path, "tests/golden/")) {
        VEC_PUSH(&r->list, (Job){.kind = RUN_GOLDEN, .name = path});
        return;
    }
    const Spec *s = spec_read(&r->arena, path);
    if (!s) {
        r->failed++;
    } else if (s->skip || (r->fast && s->needs && strstr(s->needs, "slow"))) {
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

static long number_of(const char *text)
{
    long n = atol(text);
    return n < 0 ? 0 : n;
}

/* An option with a value; false if there is none of that name. */
static bool take_option(Runner *r, const char *word, const char *value)
{
    const struct {
        const char *name;
        long *to;
    } numbers[] = {{"--jobs", &r->jobs},
                   {"--slow", &r->settings.slow},
                   {"--seeds", &r->settings.seeds},
                   {"--timeout", &r->settings.timeout}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(word, numbers[i].name) == 0) {
            *numbers[i].to = number_of(value);
            return true;
        }
    if (strcmp(word, "--flag") == 0) {
        VEC_PUSH(&r->settings.flags, value);
    } else if (strcmp(word, "--unit") == 0) {
        add_unit(r, value);
    } else {
        bool mote = strcmp(word, "--mote") == 0;
        if (!mote && strcmp(word, "--filter") != 0) return false;
        *(mote ? &r->settings.mote : &r->filter) = value;
    }
    return true;
}

static bool take_flag(Runner *r, const char *word)
{
    const struct {
        const char *name;
        bool *to;
    } flags[] = {{"-v", &r->verbose},
                 {"--fast", &r->fast},
                 {"--only-seeds", &r->only_seeds},
                 {"--rewrite", &r->settings.rewrite}};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(word, flags[i].name) == 0) {
            *flags[i].to = true;
            return true;
        }
    return false;
}

static void run_all(Runner *r)
{
    Thread threads[64];
    size_t count = r->jobs < 1 ? 1 : r->jobs > 64 ? 64 : (size_t)r->jobs;
    for (size_t i = 0; i < count; i++) CHECK(thread_start(&threads[i], "worker", worker, r, 0));
    for (size_t i = 0; i < count; i++) thread_join(&threads[i]);
    if (r->skipped) printf("# %ld skipped\n", r->skipped);
    printf("%ld passed, %ld failed\n", r->passed, r->failed);
}

int main(int argc, char **argv)
{
    Runner r = {
        .jobs = 2,
        .settings = {.mote = "build/release/mote", .slow = 1, .timeout = 20, .seeds = 3}};
    arena_init(&r.arena, NULL, MEM_MISC);
    lock_init(&r.lock, LOCK_RANK_LEAF, "runner");
    VEC_IN_ARENA(&r.list, &r.arena);
    VEC_IN_ARENA(&r.settings.flags, &r.arena);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            add_path(&r, argv[i]);
        } else if (!take_flag(&r, argv[i])) {
            if (i + 1 >= argc || !take_option(&r, argv[i], argv[i + 1])) {
                fprintf(stderr, "runner: %s?\n", argv[i]);
                return 2;
            }
            i++;
        }
    }
    if (r.settings.slow < 1) r.settings.slow = 1;
    /* Command tests go to folders of their own. */
    char *absolute = realpath(r.settings.mote, NULL);
    if (absolute) r.settings.mote = absolute;
    run_all(&r);
    free(absolute);
    return r.failed ? 1 : 0;
}
