/* Stopping the VM because of our own bug: ASSERT in debug builds, CHECK always.
 * Owns nothing; any thread may call.  A mistake of a Mote program or of the outside world never
 * comes here (style E1, E2).  Design page: docs/design/invariants.md. */
#pragma once

#include "vm/base/config.h"

/* Write one crash report line (where, what) to standard error and abort.  Never returns. */
NORETURN COLD void panic_stop(const char *file, int line, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define PANIC(...) panic_stop(__FILE__, __LINE__, __VA_ARGS__)

/* Holds in every build: for what is cheap to look at and ruinous when false. */
#define CHECK(condition)                                                   \
    do {                                                                   \
        if (UNLIKELY(!(condition))) PANIC("check failed: %s", #condition); \
    } while (0)

/* Looked at in debug builds; elsewhere the condition is compiled but not evaluated. */
#if CONFIG_DEBUG
#define ASSERT(condition)                                                      \
    do {                                                                       \
        if (UNLIKELY(!(condition))) PANIC("assertion failed: %s", #condition); \
    } while (0)
#else
#define ASSERT(condition) ((void)sizeof(!(condition)))
#endif

/* A place that control cannot reach. */
#if CONFIG_DEBUG
#define UNREACHABLE() PANIC("reached the unreachable")
#else
#define UNREACHABLE() __builtin_unreachable()
#endif
