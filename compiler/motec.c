/* The compiler alone: motec [options] FILE...; builds the standard library. */
#include "compiler/command.h"

int main(int argc, char **argv)
{
    Opts opts;
    opts_init(&opts);
    int status = command_compile("motec", &opts, argc - 1, argv + 1);
    opts_free(&opts);
    return status;
}
