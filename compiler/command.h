/* What the command's options mean to the compiler, and compiling files on request: what `motec` and
 * `mote compile` do.  One thread; everything is borrowed from argv and the Opts. */
#pragma once

#include "compiler/source/compilation.h"
#include "vm/base/opts.h"

/* The options of a compilation, and what they point to. */
typedef struct CommandOptions {
    CompileOptions options;
    MacroOption *macros;
    char *texts; /* names and values of the macros, one behind the other */
    size_t text_bytes;
    size_t macro_room;
} CommandOptions;

/* Fills `c` from parsed options; lib_dirs (borrowed) are where -include_lib looks. */
void command_options_init(CommandOptions *c, const Opts *o, const char *const *lib_dirs,
                          size_t lib_dir_count);
void command_options_free(CommandOptions *c);

/* Compiles the files that the words of argv name; options may stand among them and add to `o`.
 * `name` is what messages call the command.  The exit status: 0, 1 after errors in a file, 2 after
 * wrong usage. */
int command_compile(const char *name, Opts *o, int argc, char *const *argv);
