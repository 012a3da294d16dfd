#include "compiler/command.h"

#include <errno.h>
#include <string.h>

#include "compiler/compile.h"
#include "vm/format/modfile.h"

typedef struct Command {
    const char *name;
    const Opts *opts;
    CommandOptions compile;
    AtomTable *atoms;
} Command;

static void command_usage(const char *name)
{
    fprintf(stderr, "usage: %s", name);
    fputs(" [-o DIR] [-I DIR] [-D NAME[=VALUE]] [-pa DIR] [--otp25] [--warnings-as-errors]\n"
          "             [--no-warnings] [--dump PASS] FILE...\n"
          "PASS is one of:",
          stderr);
    for (const char *const *pass = compile_pass_names(); *pass; pass++)
        fprintf(stderr, " %s", *pass);
    fputc('\n', stderr);
}

/* ---- options ---- */

void command_options_init(CommandOptions *c, const Opts *o, const char *const *lib_dirs,
                          size_t lib_dir_count)
{
    *c = (CommandOptions){.macro_room = o->define.count};
    for (size_t i = 0; i < o->define.count; i++) c->text_bytes += strlen(o->define.at[i]) + 1;
    c->macros = mem_alloc(NULL, MEM_COMPILER, c->macro_room * sizeof *c->macros + 1);
    c->texts = mem_alloc(NULL, MEM_COMPILER, c->text_bytes + 1);
    char *text = c->texts;
    for (size_t i = 0; i < o->define.count; i++) {
        size_t n = strlen(o->define.at[i]) + 1;
        memcpy(text, o->define.at[i], n);
        char *value = strchr(text, '=');
        if (value) *value++ = '\0';
        c->macros[i] = (MacroOption){text, value};
        text += n;
    }
    c->options = (CompileOptions){.include_dirs = o->include.at,
                                  .include_dir_count = (uint32_t)o->include.count,
                                  .lib_dirs = lib_dirs,
                                  .lib_dir_count = (uint32_t)lib_dir_count,
                                  .macros = c->macros,
                                  .macro_count = (uint32_t)o->define.count,
                                  .otp25 = o->otp25,
                                  .warnings_as_errors = o->warnings_as_errors,
                                  .no_warnings = o->no_warnings};
}

void command_options_free(CommandOptions *c)
{
    mem_free(NULL, MEM_COMPILER, c->macros, c->macro_room * sizeof *c->macros + 1);
    mem_free(NULL, MEM_COMPILER, c->texts, c->text_bytes + 1);
    *c = (CommandOptions){0};
}

/* ---- files ---- */

static bool command_write(const Command *m, Term module, const Bytes *bytes)
{
    const char *dir = m->opts->output ? m->opts->output : ".";
    size_t room = strlen(dir) + atom_length(m->atoms, module) + sizeof MODFILE_SUFFIX + 2;
    char *path = mem_alloc(NULL, MEM_COMPILER, room);
    snprintf(path, room, "%s/%s%s", dir, atom_text(m->atoms, module), MODFILE_SUFFIX);
    bool done = bytes_write_file(path, bytes->at, bytes->count);
    if (!done) fprintf(stderr, "%s: %s: %s\n", m->name, path, strerror(errno));
    mem_free(NULL, MEM_COMPILER, path, room);
    return done;
}

static bool command_file(const Command *m, const char *path)
{
    Compilation c;
    compilation_init(&c, &m->compile.options);
    Bytes bytes;
    bytes_init(&bytes, NULL, MEM_COMPILER);
    CompileInput input = {.path = path, .dump = m->opts->dump, .dump_out = stdout};
    CompileResult result;
    bool done = compile_module(&c, m->atoms, &input, &bytes, &result);
    diags_print(&c.diags, &c.sources, stderr);
    if (done)
        done = command_write(m, result.module, &bytes);
    else if (m->opts->dump)
        done = !compilation_failed(&c);
    bytes_free(&bytes);
    compilation_free(&c);
    return done;
}

/* The words that are files, in order; false: wrong usage, told. */
static bool command_files(const char *name, Opts *o, OptsList *files, int argc,
                          char *const *argv)
{
    int at = 0;
    while (at < argc) {
        OptsResult result = opts_parse(o, argc, argv, at, &at);
        if (result != OPTS_OK) {
            char text[256];
            opts_explain(result, argc, argv, at, text, sizeof text);
            fprintf(stderr, "%s: %s\n", name, text);
            return false;
        }
        if (at < argc) files->at[files->count++] = argv[at++];
    }
    return files->count > 0;
}

static bool command_pass_exists(const char *name)
{
    for (const char *const *pass = compile_pass_names(); *pass; pass++)
        if (strcmp(*pass, name) == 0) return true;
    return false;
}

int command_compile(const char *name, Opts *o, int argc, char *const *argv)
{
    OptsList files = {.room = (size_t)argc + 1};
    files.at = mem_alloc(NULL, MEM_COMPILER, files.room * sizeof *files.at);
    int status = 0;
    if (!command_files(name, o, &files, argc, argv)
        || (o->dump && !command_pass_exists(o->dump))) {
        if (o->dump && !command_pass_exists(o->dump))
            fprintf(stderr, "%s: there is no pass \"%s\"\n", name, o->dump);
        else if (files.count == 0 && argc == 0)
            fprintf(stderr, "%s: which file?\n", name);
        command_usage(name);
        status = 2;
    } else {
        Command m = {.name = name, .opts = o, .atoms = atom_table_new(NULL, 0)};
        command_options_init(&m.compile, o, o->path.at, o->path.count);
        for (size_t i = 0; i < files.count; i++)
            if (!command_file(&m, files.at[i])) status = 1;
        command_options_free(&m.compile);
        atom_table_delete(m.atoms);
    }
    mem_free(NULL, MEM_COMPILER, (void *)files.at, files.room * sizeof *files.at);
    return status;
}
