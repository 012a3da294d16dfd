/* C11 atomics under names that state their ordering.  No stand-alone fences: the thread sanitizer
 * does not see them (style O3).  Every release names, in a comment, the acquire it pairs with.
 * Generic like the C11 operations: `at` is a pointer to any of the atomic types. */
#pragma once

#include "vm/base/config.h"

#include <stdatomic.h>

typedef _Atomic(uint8_t) AtomicU8;
typedef _Atomic(uint32_t) AtomicU32;
typedef _Atomic(uint64_t) AtomicU64;
typedef _Atomic(int64_t) AtomicI64;
typedef _Atomic(size_t) AtomicSize;
typedef _Atomic(bool) AtomicBool;
typedef _Atomic(void *) AtomicPtr;

#define atomic_load_relaxed(at) atomic_load_explicit((at), memory_order_relaxed)
#define atomic_load_acquire(at) atomic_load_explicit((at), memory_order_acquire)
#define atomic_load_seq(at)     atomic_load_explicit((at), memory_order_seq_cst)

#define atomic_store_relaxed(at, v) atomic_store_explicit((at), (v), memory_order_relaxed)
#define atomic_store_release(at, v) atomic_store_explicit((at), (v), memory_order_release)
#define atomic_store_seq(at, v)     atomic_store_explicit((at), (v), memory_order_seq_cst)

/* All of these give the value before. */
#define atomic_swap_relaxed(at, v) atomic_exchange_explicit((at), (v), memory_order_relaxed)
#define atomic_swap_acquire(at, v) atomic_exchange_explicit((at), (v), memory_order_acquire)
#define atomic_swap_release(at, v) atomic_exchange_explicit((at), (v), memory_order_release)
#define atomic_swap_acq_rel(at, v) atomic_exchange_explicit((at), (v), memory_order_acq_rel)
#define atomic_swap_seq(at, v)     atomic_exchange_explicit((at), (v), memory_order_seq_cst)

#define atomic_add_relaxed(at, v) atomic_fetch_add_explicit((at), (v), memory_order_relaxed)
#define atomic_add_release(at, v) atomic_fetch_add_explicit((at), (v), memory_order_release)
#define atomic_add_acq_rel(at, v) atomic_fetch_add_explicit((at), (v), memory_order_acq_rel)
#define atomic_add_seq(at, v)     atomic_fetch_add_explicit((at), (v), memory_order_seq_cst)
#define atomic_sub_relaxed(at, v) atomic_fetch_sub_explicit((at), (v), memory_order_relaxed)
#define atomic_sub_release(at, v) atomic_fetch_sub_explicit((at), (v), memory_order_release)
#define atomic_sub_acq_rel(at, v) atomic_fetch_sub_explicit((at), (v), memory_order_acq_rel)
#define atomic_or_relaxed(at, v)  atomic_fetch_or_explicit((at), (v), memory_order_relaxed)
#define atomic_or_acq_rel(at, v)  atomic_fetch_or_explicit((at), (v), memory_order_acq_rel)
#define atomic_or_seq(at, v)      atomic_fetch_or_explicit((at), (v), memory_order_seq_cst)
#define atomic_and_relaxed(at, v) atomic_fetch_and_explicit((at), (v), memory_order_relaxed)
#define atomic_and_acq_rel(at, v) atomic_fetch_and_explicit((at), (v), memory_order_acq_rel)
#define atomic_and_seq(at, v)     atomic_fetch_and_explicit((at), (v), memory_order_seq_cst)

/* Compare and swap: true if *at was *expected and now is `v`; else *expected is what it was.
 * The named ordering is that of success; a failure orders as an acquire load, relaxed if named so,
 * sequentially consistent for `_seq`. */
#define atomic_cas_relaxed(at, expected, v)                                              \
    atomic_compare_exchange_strong_explicit((at), (expected), (v), memory_order_relaxed, \
                                            memory_order_relaxed)
#define atomic_cas_acquire(at, expected, v)                                              \
    atomic_compare_exchange_strong_explicit((at), (expected), (v), memory_order_acquire, \
                                            memory_order_acquire)
#define atomic_cas_release(at, expected, v)                                              \
    atomic_compare_exchange_strong_explicit((at), (expected), (v), memory_order_release, \
                                            memory_order_relaxed)
#define atomic_cas_acq_rel(at, expected, v)                                              \
    atomic_compare_exchange_strong_explicit((at), (expected), (v), memory_order_acq_rel, \
                                            memory_order_acquire)
#define atomic_cas_seq(at, expected, v)                                                  \
    atomic_compare_exchange_strong_explicit((at), (expected), (v), memory_order_seq_cst, \
                                            memory_order_seq_cst)
/* May fail for no reason: for loops. */
#define atomic_cas_weak_acq_rel(at, expected, v)                                       \
    atomic_compare_exchange_weak_explicit((at), (expected), (v), memory_order_acq_rel, \
                                          memory_order_acquire)

/* Tell the core that this is a spinning loop. */
static inline void atomic_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
