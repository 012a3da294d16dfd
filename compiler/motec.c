/* The compiler alone: motec [options] FILE...; builds the standard library. */
#include "compiler/command.h"

int main(int argc, char **argv) { return command_compile("motec", argc - 1, argv + 1); }
