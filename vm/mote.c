/* The `mote` command: options, what to run, exit status. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/codegen/dump.h"
#include "compiler/command.h"
#include "compiler/compile.h"
#include "vm/actor/spawn.h"
#include "vm/base/opts.h"
#include "vm/base/similar.h"
#include "vm/format/modfile.h"
#include "vm/term/binary.h"
#include "vm/term/list.h"
#include "vm/vm.h"

#define EXIT_USAGE           2
#define MOTE_MOST_SCHEDULERS 1024 /* as many fit the references they make */

/* The standard library, linked in (Makefile). */
extern const uint8_t archive_bytes[];
extern const uint8_t archive_bytes_end[];

typedef struct Command {
    Opts opts;
    int argc;
    char **argv;
    int file; /* index of the file, or argc */
    const char **paths;
    char *path_text; /* of MOTE_PATH; lives as long as the process */
    size_t path_count;
} Command;

static void mote_usage(FILE *to)
{
    fputs("usage: mote [OPTION...] FILE [ARGUMENT...]     run a program (- is standard input)\n"
          "       mote [OPTION...] -e EXPRESSIONS         run expressions\n"
          "       mote compile [-o DIR] [-I DIR] [-D MACRO[=VALUE]] FILE...\n"
          "       mote disasm FILE.mob\n"
          "options:\n",
          to);
    opts_print_help(to);
}

static int mote_fail(const char *what, const char *why)
{
    fprintf(stderr, "mote: %s: %s\n", what, why);
    return 1;
}

/* What was written to standard output arrived, or the command fails. */
static int mote_flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    /* A reader that went away has seen enough. */
    return errno == EPIPE ? status : mote_fail("standard output", strerror(errno));
}

/* A descriptor that is closed would be the next file that is opened: hold its place with what
 * fails to be read or written. */
static void mote_hold_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            exit(1);
}

/* A file that cannot be read: what somebody may have meant. */
static void mote_hint_file(const char *path)
{
    static const char *const others[] = {"compile", "disasm"};
    static const char *const suffixes[] = {".mote", ".erl"};
    Similar s = similar_to(path, strlen(path));
    const char *best = NULL;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (similar_offer(&s, others[i], strlen(others[i]))) best = others[i];
    if (best != NULL) fprintf(stderr, "mote: did you mean `mote %s`?\n", best);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char file[4096];
        int n = snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        if (n > 0 && (size_t)n < sizeof file && access(file, R_OK) == 0)
            fprintf(stderr, "mote: there is a file %s\n", file);
    }
}

/* ---- getting code ---- */

static bool mote_read_stream(FILE *from, Bytes *to)
{
    for (;;) {
        uint8_t *at = bytes_extend(to, 65536);
        size_t n = fread(at, 1, 65536, from);
        to->count -= 65536 - n;
        if (n == 0) return !ferror(from);
    }
}

/* Compiles to `out`; messages go to standard error. False: there were errors. */
static bool mote_compile(const Command *c, Vm *vm, const CompileInput *input, Bytes *out,
                         CompileResult *result)
{
    CommandOptions options;
    command_options_init(&options, &c->opts, c->paths, c->path_count);
    Compilation compilation;
    compilation_init(&compilation, &options.options);
    bool done = compile_module(&compilation, vm->atoms, input, out, result);
    diags_print(&compilation.diags, &compilation.sources, stderr);
    compilation_free(&compilation);
    command_options_free(&options);
    return done;
}

/* What to run, and the bytes of its module file. */
typedef struct Program {
    Bytes file;
    Term module;
    bool is_script;
    bool has_on_load;   /* the first process loads it, for that runs code */
    int first_argument; /* index into argv */
} Program;

static bool mote_eval_text(const Command *c, Bytes *text)
{
    for (size_t i = 0; i < c->opts.eval.count; i++) {
        bytes_put_text(text, c->opts.eval.at[i]);
        size_t n = text->count;
        while (n > 0 && strchr(" \t\r\n", text->at[n - 1]) != NULL) n--;
        if (n > 0 && text->at[n - 1] != '.') bytes_put_text(text, ".");
        bytes_put_text(text, "\n");
    }
    return true;
}

/* The program's text or module file, from where the command line says; *path is
 * what messages call it. */
static bool mote_get_text(const Command *c, Program *program, Bytes *text, const char **path)
{
    program->first_argument = c->file;
    if (c->opts.eval.count > 0) {
        *path = "-e";
        return mote_eval_text(c, text);
    }
    program->first_argument++;
    *path = c->argv[c->file];
    if (strcmp(*path, "-") == 0) return mote_read_stream(stdin, text);
    return bytes_read_file(text, *path);
}

/* A file named like a module file is one, even when nothing is left of it. */
static bool mote_is_modfile(const char *path, const Bytes *text)
{
    size_t n = strlen(path);
    return modfile_is_one(text->at, text->count)
           || (n > 4 && strcmp(path + n - 4, ".mob") == 0);
}

static bool mote_get_program(const Command *c, Vm *vm, Program *program)
{
    Bytes text = {0};
    const char *path;
    if (!mote_get_text(c, program, &text, &path)) {
        bool missing = errno == ENOENT;
        (void)mote_fail(strcmp(path, "-") == 0 ? "standard input" : path, strerror(errno));
        if (missing) mote_hint_file(path);
        bytes_free(&text);
        return false;
    }
    if (mote_is_modfile(path, &text)) {
        LoadSource source = {.bytes = text.at, .size = text.count};
        LoadError error;
        program->file = text;
        if (load_module_name(vm->code, &source, &program->module, &error)) return true;
        (void)mote_fail(path, error.text);
        return false;
    }
    CompileInput input = {.path = path, .text = (const char *)text.at, .size = text.count};
    if (input.text == NULL) input.text = "";
    CompileResult result = {0};
    bool done = mote_compile(c, vm, &input, &program->file, &result);
    program->module = result.module;
    program->is_script = result.is_script;
    bytes_free(&text);
    return done;
}

/* ---- signals: the library leaves them to the command ---- */

/* SIGTERM asks the program to stop: a process runs init:stop(). */
static void mote_stop_program(RunContext *run, SchedEvent *event)
{
    SpawnRequest r;
    spawn_request_init(&r);
    r.function = TERM_NONE;
    r.module = atom_make(run->atoms, "init");
    r.name = atom_make(run->atoms, "stop");
    r.arguments = TERM_NIL;
    Term pid;
    uint64_t monitor;
    if (spawn_process(run, NULL, &r, &pid, &monitor) != SPAWN_DONE)
        sched_halt(sched_worker(run)->sched, 1);
    free(event);
}

static sigset_t mote_stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/* From now on SIGTERM ends the command at once, as it does where nobody listens. */
static void mote_unblock_signals(void)
{
    sigset_t stop = mote_stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
}

/* The first SIGTERM asks.  A program that does not stop, whatever keeps it, is ended by the
 * second. */
static void *mote_signal_thread(void *context)
{
    Vm *vm = context;
    sigset_t wanted = mote_stop_signals();
    int signal_number;
    while (sigwait(&wanted, &signal_number) != 0) continue;
    SchedEvent *event = calloc(1, sizeof *event);
    if (event != NULL) {
        event->run = mote_stop_program;
        sched_post(vm->sched, event);
    }
    while (sigwait(&wanted, &signal_number) != 0) continue;
    mote_unblock_signals();
    (void)raise(signal_number);
    return NULL;
}

/* Before any other thread is made, so that all of them leave SIGTERM to this one.  A closed
 * pipe is an error of write, not a signal.  SIGINT keeps its meaning: the program is gone. */
static void mote_block_signals(void)
{
    sigset_t blocked = mote_stop_signals();
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* ---- running it ---- */

static bool mote_load(Vm *vm, Program *program, const char *path)
{
    LoadSource source = {.bytes = program->file.at,
                         .size = program->file.count,
                         .keep = true,
                         .path = path,
                         .path_length = strlen(path)};
    LoadError error;
    ModuleVersion *v = load_prepare(vm->code, &source, &error);
    if (v == NULL) {
        (void)mote_fail(path, error.text);
        return false;
    }
    program->has_on_load = v->on_load != 0;
    if (!program->has_on_load) return upgrade_commit(vm->code, v) == UPGRADE_DONE;
    load_discard(vm->code, v);
    return true;
}

/* What is still to be loaded: the module file's bytes, or []. */
static Term mote_code(const Program *program, Heap *h)
{
    if (!program->has_on_load) return TERM_NIL;
    Term bytes = binary_from_bytes(h, program->file.at, program->file.count);
    return term_is_none(bytes) ? TERM_NIL : bytes;
}

/* [Module, IsScript, [Argument], Code] for mote_boot:start/4. */
static Term mote_arguments(const Command *c, const Program *program, Heap *h)
{
    Term words = TERM_NIL;
    for (int i = c->argc; i > program->first_argument; i--) {
        const char *word = c->argv[i - 1];
        Term text = list_from_utf8(h, (const uint8_t *)word, strlen(word), TERM_NIL);
        words = heap_cons(h, text, words);
    }
    Term rest = heap_cons(h, mote_code(program, h), TERM_NIL);
    rest = heap_cons(h, words, rest);
    rest = heap_cons(h, term_bool(program->is_script), rest);
    return heap_cons(h, program->module, rest);
}

static int mote_run_program(const Command *c, Vm *vm)
{
    Program program = {0};
    if (!mote_get_program(c, vm, &program)) {
        bytes_free(&program.file);
        return 1;
    }
    const char *path = c->opts.eval.count > 0 ? "-e" : c->argv[c->file];
    bool loaded = mote_load(vm, &program, path);
    if (!loaded) {
        bytes_free(&program.file);
        return 1;
    }
    Heap h;
    heap_init_detached(&h, vm->mem);
    Term arguments = mote_arguments(c, &program, &h);
    bytes_free(&program.file);
    bool started = vm_start(vm, atom_make(vm->atoms, "mote_boot"),
                            atom_make(vm->atoms, "start"), arguments);
    heap_release(&h);
    if (!started) return mote_fail(path, "no memory for the first process");
    return vm_run(vm);
}

static int mote_run(const Command *c)
{
    VmConfig config = {
        .max_memory = c->opts.max_memory,
        .max_atoms = c->opts.max_atoms,
        .max_processes = c->opts.max_processes,
        .schedulers = c->opts.schedulers,
        .seed = c->opts.seed,
        .archive = archive_bytes,
        .archive_size = (size_t)(archive_bytes_end - archive_bytes),
        .argument_count = c->argc - c->file,
        .arguments = c->argv + c->file,
        .paths = c->paths,
        .path_count = c->path_count,
    };
    const char *why;
    mote_block_signals();
    Vm *vm = vm_new(&config, &why);
    if (vm == NULL) return mote_fail("cannot start", why);
    pthread_t signals;
    bool listening = pthread_create(&signals, NULL, mote_signal_thread, vm) == 0;
    int status = mote_run_program(c, vm);
    if (listening) {
        pthread_cancel(signals);
        pthread_join(signals, NULL);
    }
    mote_unblock_signals();
    if (c->opts.stats) vm_print_stats(vm);
    if (c->opts.trace_hash) vm_print_trace_hash(vm);
    vm_delete(vm);
    return status;
}

/* ---- other things the command does ---- */

static int mote_disasm(const char *path)
{
    Bytes file = {0};
    if (!bytes_read_file(&file, path)) return mote_fail(path, strerror(errno));
    Arena arena;
    arena_init(&arena, NULL, MEM_COMPILER);
    ModFile m;
    const char *why;
    int status = 0;
    if (modfile_read(file.at, file.count, &arena, &m, &why) != MODFILE_OK) {
        status = mote_fail(path, why);
    } else {
        AtomTable *atoms = atom_table_new(NULL, 0);
        dump_code(atoms, &file, stdout);
        atom_table_delete(atoms);
    }
    arena_free(&arena);
    bytes_free(&file);
    return status;
}

/* -pa folders, the last one first, then MOTE_PATH. */
static void mote_find_paths(Command *c)
{
    const char *env = getenv("MOTE_PATH");
    size_t room = c->opts.path.count + (env == NULL ? 0 : strlen(env)) + 1;
    c->paths = calloc(room, sizeof *c->paths);
    for (size_t i = c->opts.path.count; i > 0; i--)
        c->paths[c->path_count++] = c->opts.path.at[i - 1];
    char *rest = env == NULL ? NULL : strdup(env);
    for (char *dir = rest == NULL ? NULL : strtok(rest, ":"); dir != NULL;
         dir = strtok(NULL, ":"))
        c->paths[c->path_count++] = dir;
    c->path_text = rest;
}

static int mote_misused(void)
{
    mote_usage(stderr);
    return EXIT_USAGE;
}

/* Does the first word name this other thing to do? */
static bool mote_asks(const Command *c, const char *what)
{
    return c->opts.eval.count == 0 && c->file < c->argc && strcmp(c->argv[c->file], what) == 0;
}

static int mote_command(Command *c)
{
    if (c->opts.help) {
        mote_usage(stdout);
        return 0;
    }
    if (c->opts.version) {
        printf("mote %s\n", CONFIG_VERSION);
        return 0;
    }
    if (c->opts.schedulers < 0 || c->opts.schedulers > MOTE_MOST_SCHEDULERS) {
        fprintf(stderr, "mote: --schedulers %lld: from 0, which is one per core, to %d\n",
                (long long)c->opts.schedulers, MOTE_MOST_SCHEDULERS);
        return EXIT_USAGE;
    }
    if (mote_asks(c, "compile"))
        return command_compile("mote compile", &c->opts, c->argc - c->file - 1,
                               c->argv + c->file + 1);
    if (c->opts.dump != NULL || c->opts.output != NULL) return mote_misused();
    bool disasm = mote_asks(c, "disasm");
    if (c->opts.disasm || disasm) {
        int file = c->file + disasm;
        return file < c->argc ? mote_disasm(c->argv[file]) : mote_misused();
    }
    return c->file < c->argc || c->opts.eval.count > 0 ? mote_run(c) : mote_misused();
}

int main(int argc, char **argv)
{
    Command c = {.argc = argc, .argv = argv};
    mote_hold_descriptors();
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of write */
    opts_init(&c.opts);
    OptsResult result = opts_parse(&c.opts, argc, argv, 1, &c.file);
    if (result != OPTS_OK) {
        char text[256];
        opts_explain(result, argc, argv, c.file, text, sizeof text);
        fprintf(stderr, "mote: %s\n", text);
        return EXIT_USAGE;
    }
    mote_find_paths(&c);
    int status = mote_flushed(mote_command(&c));
    free(c.paths);
    opts_free(&c.opts);
    return status;
}
