/* Threads: create, join, name, pin.  The thread blocks all signals, so that they reach the one
 * thread of the embedding program that wants them. */
#pragma once

#include "vm/base/config.h"

#include <pthread.h>

typedef struct Thread {
    pthread_t handle;
    bool started;
} Thread;

/* Run `run(arg)` on a new thread called `name` (at most 15 bytes are shown).  `stack_bytes` 0 means
 * the system's default.  False if the system has none to give. */
MUST_USE bool thread_start(Thread *t, const char *name, void (*run)(void *), void *arg,
                           size_t stack_bytes);
/* Wait for its end; nothing to do if it was never started. */
void thread_join(Thread *t);

/* Bind the calling thread to the n-th of the cores it may use; false if that is not possible. */
bool thread_pin(unsigned core);
/* Cores this process may use, at least 1 (respects affinity and the container's cpu quota). */
unsigned thread_cores(void);
/* Let others run. */
void thread_yield(void);
/* A number of the calling thread that no other living thread has; for counters in stripes. */
uint64_t thread_id(void);
