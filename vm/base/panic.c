#include "vm/base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void panic_stop(const char *file, int line, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    /* One call, so that the lines of two threads that fail together do not mix. */
    fprintf(stderr, "mote: internal error at %s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
