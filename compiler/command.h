/* Compiling files on request: what `motec` and `mote compile` do. */
#pragma once

/* Compiles the files that the words of argv name, by the options among them; `name`
 * is what messages call the command.  The exit status: 0, 1 after errors in a file,
 * 2 after wrong usage. */
int command_compile(const char *name, int argc, char **argv);
