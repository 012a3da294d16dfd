/* Build switches, compiler attributes and the machine word: what every other file may assume.
 * Owns nothing; safe from any thread.  The switches arrive as -D flags from the Makefile and are
 * turned into constants that are always defined, so that `if (CONFIG_DEBUG)` compiles
 * everywhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_VERSION "0.1.0"

#ifdef MOTE_DEBUG
#define CONFIG_DEBUG 1 /* asserts, audits, lock ranks */
#else
#define CONFIG_DEBUG 0
#endif

#ifdef MOTE_STRESS
#define CONFIG_STRESS \
    1 /* collect at every reservation, move always, preempt every few reductions */
#else
#define CONFIG_STRESS 0
#endif

#ifdef MOTE_ASAN
#define CONFIG_ASAN 1 /* address sanitizer: dead heaps are poisoned */
#else
#define CONFIG_ASAN 0
#endif

#ifdef MOTE_TSAN
#define CONFIG_TSAN 1 /* thread sanitizer: many workers, short slices */
#else
#define CONFIG_TSAN 0
#endif

#ifdef MOTE_COV
#define CONFIG_COV 1 /* counts the opcodes and built-ins that ran */
#else
#define CONFIG_COV 0
#endif

#ifdef MOTE_FUZZ
#define CONFIG_FUZZ 1
#else
#define CONFIG_FUZZ 0
#endif

#ifdef MOTE_SWITCH_DISPATCH
#define CONFIG_THREADED 0 /* the interpreter's loop is a switch */
#else
#define CONFIG_THREADED 1 /* the interpreter's loop is computed gotos */
#endif

/* A word of a process heap; terms, headers and code addresses all fit it. */
typedef uint64_t Word;

_Static_assert(sizeof(void *) == sizeof(Word), "Mote needs 64-bit addresses");
_Static_assert((-1 >> 1) == -1, "right shift of a negative number must keep its sign");

#define WORD_BITS  64
#define WORD_BYTES 8

/* Two neighbouring workers must not write the same line. */
#define CACHE_LINE 64

#define MUST_USE                 __attribute__((warn_unused_result))
#define NOINLINE                 __attribute__((noinline))
#define ALWAYS_INLINE            inline __attribute__((always_inline))
#define NORETURN                 _Noreturn
#define COLD                     __attribute__((cold))
#define HOT                      __attribute__((hot))
#define PURE_FN                  __attribute__((pure))
#define UNUSED                   __attribute__((unused))
#define PACKED                   __attribute__((packed))
#define ALIGNED(n)               __attribute__((aligned(n)))
#define FALLTHROUGH              __attribute__((fallthrough))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define RETURNS_NEW              __attribute__((malloc))
#define NEVER_NULL               __attribute__((returns_nonnull))
#define EXPORTED                 __attribute__((visibility("default")))

#define LIKELY(x)    __builtin_expect(!!(x), 1)
#define UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Clang checks these statements about locks; gcc does not know them. */
#ifdef __clang__
#define THREAD_SAFETY(x) __attribute__((x))
#else
#define THREAD_SAFETY(x)
#endif
#define CAPABILITY(name)  THREAD_SAFETY(capability(name))
#define ACQUIRES(...)     THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...) THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define RELEASES(...)     THREAD_SAFETY(release_capability(__VA_ARGS__))
#define REQUIRES(...)     THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY  THREAD_SAFETY(no_thread_safety_analysis)
