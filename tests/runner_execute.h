/* Run a program of the system: its input from bytes, its output into bytes, a limit on its time. */
#pragma once

#include "vm/base/bytes.h"

typedef struct Result {
    Bytes out; /* both end with a NUL that is not counted */
    Bytes err;
    int status; /* 128 + signal when killed by one */
    bool timed_out;
} Result;

/* Run `argv` with `env` and wait for it, at most `seconds`; then it and what it started are killed.
 * `input` may be NULL.  The caller frees the result. */
Result execute_wait(char **argv, char **env, const Bytes *input, int seconds);
void execute_free(Result *result);
