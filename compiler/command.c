#include "compiler/command.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/compile.h"
#include "vm/format/modfile.h"

typedef struct {
    CompileOptions options;
    const char *out_dir;
    const char *dump;
    const char **include_dirs;
    MacroOption *macros;
    const char **files;
    int file_count;
} Command;

static void command_usage(const char *name, FILE *to)
{
    fprintf(to, "usage: %s", name);
    fputs(" [-o DIR] [-I DIR] [-D NAME[=VALUE]] [--otp25] [--warnings-as-errors]\n"
          "             [--no-warnings] [--dump PASS] FILE...\n"
          "PASS is one of:",
          to);
    for (const char *const *name = compile_pass_names(); *name; name++)
        fprintf(to, " %s", *name);
    fputc('\n', to);
}

static void command_macro(Command *m, char *text)
{
    char *value = strchr(text, '=');
    if (value) *value++ = '\0';
    m->macros[m->options.macro_count++] = (MacroOption){text, value};
}

/* One option, at argv[*i]; false if there is no such option. */
static bool command_option(Command *m, int argc, char **argv, int *i)
{
    char *arg = argv[*i];
    char *value = arg[0] == '-' && arg[1] != '-' && arg[2] != '\0' ? arg + 2 : NULL;
    bool takes =
        (arg[1] == 'o' || arg[1] == 'I' || arg[1] == 'D') || strcmp(arg, "--dump") == 0;
    if (takes && !value) {
        if (*i + 1 >= argc) return false;
        value = argv[++*i];
    }
    if (strcmp(arg, "--dump") == 0)
        m->dump = value;
    else if (strcmp(arg, "--otp25") == 0)
        m->options.otp25 = true;
    else if (strcmp(arg, "--warnings-as-errors") == 0)
        m->options.warnings_as_errors = true;
    else if (strcmp(arg, "--no-warnings") == 0)
        m->options.no_warnings = true;
    else if (arg[1] == 'o')
        m->out_dir = value;
    else if (arg[1] == 'I')
        m->include_dirs[m->options.include_dir_count++] = value;
    else if (arg[1] == 'D')
        command_macro(m, value);
    else
        return false;
    return true;
}

static bool command_write(const Command *m, AtomTable *atoms, Term module, const Bytes *bytes)
{
    size_t room = strlen(m->out_dir) + atom_length(atoms, module) + sizeof MODFILE_SUFFIX + 2;
    char *path = mem_alloc(NULL, MEM_COMPILER, room);
    snprintf(path, room, "%s/%s%s", m->out_dir, atom_text(atoms, module), MODFILE_SUFFIX);
    bool done = bytes_write_file(path, bytes->at, bytes->count);
    if (!done) perror(path);
    mem_free(NULL, MEM_COMPILER, path, room);
    return done;
}

static bool command_file(const Command *m, AtomTable *atoms, const char *path)
{
    Compilation c;
    compilation_init(&c, &m->options);
    Bytes bytes;
    bytes_init(&bytes, NULL, MEM_COMPILER);
    CompileInput input = {.path = path, .dump = m->dump, .dump_out = stdout};
    CompileResult result;
    bool done = compile_module(&c, atoms, &input, &bytes, &result);
    diags_print(&c.diags, &c.sources, stderr);
    if (done)
        done = command_write(m, atoms, result.module, &bytes);
    else if (m->dump)
        done = !compilation_failed(&c);
    bytes_free(&bytes);
    compilation_free(&c);
    return done;
}

int command_compile(const char *name, int argc, char **argv)
{
    Command m = {.out_dir = "."};
    size_t n = (size_t)argc + 1;
    m.include_dirs = calloc(n, sizeof *m.include_dirs);
    m.macros = calloc(n, sizeof *m.macros);
    m.files = calloc(n, sizeof *m.files);
    if (!m.include_dirs || !m.macros || !m.files) return 1;
    m.options.include_dirs = m.include_dirs;
    m.options.macros = m.macros;
    bool usage = false;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            m.files[m.file_count++] = argv[i];
        else if (!command_option(&m, argc, argv, &i))
            usage = true;
    }
    if (usage || m.file_count == 0) command_usage(name, stderr);
    AtomTable *atoms = atom_table_new(NULL, 0);
    int failed = 0;
    for (int i = 0; !usage && i < m.file_count; i++)
        failed += !command_file(&m, atoms, m.files[i]);
    atom_table_delete(atoms);
    free(m.include_dirs);
    free(m.macros);
    free(m.files);
    return usage || m.file_count == 0 ? 2 : failed > 0;
}
