/* Unit tests in C: TEST(name) { … } registers itself, EXPECT… report and go on, and the program's
 * `main` is here, so a test file includes this header and nothing has to be listed anywhere.
 *
 *     TEST(push_then_pop) { … EXPECT_EQ(vec_count, 3); }
 *
 * Output is TAP: "ok NAME" or "not ok NAME", with the failed expectations before it.  Arguments
 * pick tests by part of their name.  UNIT_SIZE(n) lowers a size in the slow builds. */
#pragma once

#include "vm/base/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct UnitTest {
    const char *name;
    void (*run)(void);
    struct UnitTest *next;
} UnitTest;

static UnitTest *unit_tests;
static UnitTest **unit_last = &unit_tests;
static int unit_failures; /* of the running test */

#define TEST(name_)                                                 \
    static void unit_run_##name_(void);                             \
    __attribute__((constructor)) static void unit_add_##name_(void) \
    {                                                               \
        static UnitTest test = {#name_, unit_run_##name_, NULL};    \
        *unit_last = &test;                                         \
        unit_last = &test.next;                                     \
    }                                                               \
    static void unit_run_##name_(void)

#define EXPECT(condition)                                            \
    do {                                                             \
        if (!(condition)) unit_fail(__FILE__, __LINE__, #condition); \
    } while (0)

/* Integers and pointers-as-integers. */
#define EXPECT_EQ(got, wanted) \
    unit_expect_eq(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(wanted))
#define EXPECT_STR(got, wanted) unit_expect_str(__FILE__, __LINE__, #got, (got), (wanted))

#if CONFIG_STRESS
#define UNIT_SIZE(n) ((n) / 100 + 1)
#elif CONFIG_ASAN || CONFIG_TSAN || CONFIG_COV
#define UNIT_SIZE(n) ((n) / 10 + 1)
#else
#define UNIT_SIZE(n) (n)
#endif

UNUSED static void unit_fail(const char *file, int line, const char *what)
{
    printf("# %s:%d: failed: %s\n", file, line, what);
    unit_failures++;
}

UNUSED static void unit_expect_eq(const char *file, int line, const char *what, int64_t got,
                                  int64_t wanted)
{
    if (got == wanted) return;
    printf("# %s:%d: %s is %" PRId64 ", wanted %" PRId64 "\n", file, line, what, got, wanted);
    unit_failures++;
}

UNUSED static void unit_expect_str(const char *file, int line, const char *what,
                                   const char *got, const char *wanted)
{
    if (got && strcmp(got, wanted) == 0) return;
    printf("# %s:%d: %s is \"%s\", wanted \"%s\"\n", file, line, what, got ? got : "(null)",
           wanted);
    unit_failures++;
}

static bool unit_picked(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i])) return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    int failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (UnitTest *t = unit_tests; t; t = t->next) {
        if (!unit_picked(t->name, argc, argv)) continue;
        unit_failures = 0;
        t->run();
        printf("%s %s\n", unit_failures ? "not ok" : "ok", t->name);
        failed += unit_failures != 0;
    }
    return failed ? 1 : 0;
}
